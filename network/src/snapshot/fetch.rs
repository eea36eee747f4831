//! Which pieces of a ledger are still missing, who is asked for them, and whose answers are believed: pure.
//!
//! What is asked for is known by its hash, so that nobody can make a node store what is not the ledger's, or ask
//! without end. A peer that sends a wrong piece is asked no more; one that is silent is left alone for a while.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use codec::Hash256;
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::Digestible as _;
use ledger::state_map::{Piece, Prefix};
use ledger::{StateMap, TxMap};

use super::proof::Border;
use super::wire::{Part, Place};
use crate::block::Block;
use crate::limits::{PIECE_REST, PIECE_SILENCES_MAX, PIECE_WAIT, PIECES_ASKED_PER_PEER_MAX};

/// A piece that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Want {
    /// Where it stands.
    pub(crate) place: Place,
    /// Its hash.
    pub(crate) hash: Hash256,
}

/// How much is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Pieces that are there.
    pub(crate) pieces: usize,
    /// Pieces that are known of.
    pub(crate) known: usize,
    /// Peers that have sent some.
    pub(crate) peers: usize,
}

/// What an answer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was not asked for, or is no longer.
    Unasked,
    /// The peer does not have the ledger.
    NotHere,
    /// It is not what stands there: the peer is asked no more.
    Wrong,
    /// It is right.
    Right(Want),
}

/// What is expected of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It may be asked.
    Fair,
    /// It has been silent and is left alone until then.
    Resting(Duration),
    /// It does not have the ledger; it may have until then.
    Without(Duration),
    /// It has sent what is wrong.
    Wrong,
}

#[derive(Debug, Clone, Copy)]
struct Peer {
    standing: Standing,
    asked: usize,
    silences: u32,
    sent: usize,
}

#[derive(Debug, Clone)]
struct Asked<P> {
    want: Want,
    peer: P,
    until: Duration,
}

/// A ledger that is being fetched. Time is counted from any moment.
#[derive(Debug)]
pub(crate) struct Fetch<P> {
    wanted: VecDeque<Want>,
    asked: BTreeMap<Place, Asked<P>>,
    peers: BTreeMap<P, Peer>,
    pieces: usize,
}

/// What a snapshot begins with: the maps of its ledger as a whole, and the block after it.
pub(crate) fn roots(border: &Border) -> [Want; 3] {
    let header = border.header();
    let ledger = header.hash();
    let root = |part, hash| Want {
        place: Place {
            ledger,
            part,
            at: Prefix::ROOT,
        },
        hash,
    };
    [
        root(Part::State, header.account_hash),
        root(Part::Transactions, header.tx_hash),
        root(Part::Block, Hash256::new(border.block().0)),
    ]
}

/// Whether a piece is what is wanted.
pub(crate) fn is_right(want: &Want, piece: &Piece) -> bool {
    let hash = match want.place.part {
        Part::State => StateMap::hash_of_piece(&want.place.at, piece),
        Part::Transactions => TxMap::hash_of_piece(&want.place.at, piece),
        Part::Block => block_of(piece).map(|block| Hash256::new(block.digest().0)),
    };
    hash == Some(want.hash)
}

/// A block, as a piece.
pub(crate) fn piece_of_block(block: &Block) -> Piece {
    let name = Hash256::new(block.digest().0);
    Piece::Items(vec![(name, block.encode().to_vec())])
}

/// The block that a piece is.
pub(crate) fn block_of(piece: &Piece) -> Option<Block> {
    match piece {
        Piece::Items(items) => match items.as_slice() {
            [(_, bytes)] => Block::decode(Copying(bytes)).ok(),
            _ => None,
        },
        Piece::Branches(_) => None,
    }
}

/// What stands below a piece, in the order of the keys.
pub(crate) fn below(place: &Place, piece: &Piece) -> Vec<Want> {
    let branches = match piece {
        Piece::Items(_) => return Vec::new(),
        Piece::Branches(branches) => branches,
    };
    let there = (0_u8..)
        .zip(branches.iter())
        .filter(|(_, hash)| **hash != Hash256::ZERO);
    let wants = there.filter_map(|(on, hash)| {
        Some(Want {
            place: Place {
                at: place.at.child(on)?,
                ..*place
            },
            hash: *hash,
        })
    });
    wants.collect()
}

impl<P: Clone + Ord> Fetch<P> {
    /// Nothing is there, and these peers may be asked.
    pub(crate) fn new(peers: impl IntoIterator<Item = P>) -> Self {
        let fair = Peer {
            standing: Standing::Fair,
            asked: 0,
            silences: 0,
            sent: 0,
        };
        Self {
            wanted: VecDeque::new(),
            asked: BTreeMap::new(),
            peers: peers.into_iter().map(|peer| (peer, fair)).collect(),
            pieces: 0,
        }
    }

    /// A piece is missing.
    pub(crate) fn want(&mut self, want: Want) {
        self.wanted.push_back(want);
    }

    /// A piece is there, from an earlier run.
    pub(crate) fn has(&mut self) {
        self.pieces = self.pieces.saturating_add(1);
    }

    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.wanted.is_empty() && self.asked.is_empty()
    }

    /// Whether nobody is left to ask: all peers lack the ledger, or have sent what is wrong.
    pub(crate) fn is_hopeless(&self) -> bool {
        let is_lost = |peer: &Peer| matches!(peer.standing, Standing::Without(_) | Standing::Wrong);
        !self.is_complete() && self.peers.values().all(is_lost)
    }

    /// How much is there.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            pieces: self.pieces,
            known: self.pieces + self.wanted.len() + self.asked.len(),
            peers: self.peers.values().filter(|peer| peer.sent > 0).count(),
        }
    }

    /// Whom to ask for what now. What nobody has answered in time is asked of others.
    pub(crate) fn next(&mut self, now: Duration) -> Vec<(P, Place)> {
        self.expire(now);
        let mut asking = Vec::new();
        while let Some(want) = self.wanted.front().copied() {
            let Some(peer) = self.least_asked() else { break };
            self.wanted.pop_front();
            self.asked.insert(
                want.place,
                Asked {
                    want,
                    peer: peer.clone(),
                    until: now + PIECE_WAIT,
                },
            );
            if let Some(asked) = self.peers.get_mut(&peer) {
                asked.asked += 1;
            }
            asking.push((peer, want.place));
        }
        asking
    }

    /// The peer with the fewest open questions that may be asked one more.
    fn least_asked(&self) -> Option<P> {
        let may = |peer: &Peer| peer.standing == Standing::Fair && peer.asked < PIECES_ASKED_PER_PEER_MAX;
        let least = self.peers.iter().filter(|(_, peer)| may(peer));
        least
            .min_by_key(|(_, peer)| (peer.asked, peer.silences, peer.sent))
            .map(|(id, _)| id.clone())
    }

    fn expire(&mut self, now: Duration) {
        for peer in self.peers.values_mut() {
            if let Standing::Resting(until) | Standing::Without(until) = peer.standing
                && until <= now
            {
                peer.standing = Standing::Fair;
            }
        }
        let late: Vec<Asked<P>> = self
            .asked
            .values()
            .filter(|asked| asked.until <= now)
            .cloned()
            .collect();
        for asked in late {
            self.give_back(&asked.want.place);
            if let Some(peer) = self.peers.get_mut(&asked.peer) {
                peer.silences += 1;
                if peer.silences >= PIECE_SILENCES_MAX && peer.standing == Standing::Fair {
                    (peer.standing, peer.silences) = (Standing::Resting(now + PIECE_REST), 0);
                }
            }
        }
    }

    /// A question is open no longer; what it was for is wanted again.
    fn give_back(&mut self, place: &Place) {
        if let Some(asked) = self.answered(place) {
            self.wanted.push_front(asked.want);
        }
    }

    fn answered(&mut self, place: &Place) -> Option<Asked<P>> {
        let asked = self.asked.remove(place)?;
        if let Some(peer) = self.peers.get_mut(&asked.peer) {
            peer.asked = peer.asked.saturating_sub(1);
        }
        Some(asked)
    }

    /// A peer has answered.
    pub(crate) fn take(&mut self, from: &P, place: &Place, piece: Option<&Piece>, now: Duration) -> Taken {
        let asked = self.asked.get(place).filter(|asked| asked.peer == *from);
        let Some(want) = asked.map(|asked| asked.want) else {
            return Taken::Unasked;
        };
        let verdict = match piece {
            None => Err((Standing::Without(now + PIECE_REST), Taken::NotHere)),
            Some(piece) if is_right(&want, piece) => Ok(()),
            Some(_) => Err((Standing::Wrong, Taken::Wrong)),
        };
        match verdict {
            Ok(()) => {
                self.answered(place);
                self.pieces += 1;
                if let Some(peer) = self.peers.get_mut(from) {
                    (peer.silences, peer.sent) = (0, peer.sent + 1);
                }
                Taken::Right(want)
            }
            Err((standing, taken)) => {
                if let Some(peer) = self.peers.get_mut(from) {
                    peer.standing = standing;
                }
                let of_peer: Vec<Place> = self
                    .asked
                    .values()
                    .filter(|asked| asked.peer == *from)
                    .map(|asked| asked.want.place)
                    .collect();
                of_peer.iter().for_each(|place| self.give_back(place));
                taken
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn state(entries: u16) -> StateMap {
        StateMap::from_sorted_iter(
            (0..entries)
                .map(|number| {
                    let key = codec::hash::sha512_half(&[&number.to_be_bytes()]);
                    (key, vec![7; 100])
                })
                .collect::<BTreeMap<_, _>>(),
        )
    }

    fn piece_of(state: &StateMap, place: &Place) -> Piece {
        state.piece(&place.at, 2_000).expect("a piece")
    }

    fn begun(state: &StateMap, peers: u8) -> Fetch<u8> {
        let mut fetch = Fetch::new(1..=peers);
        let place = Place {
            ledger: Hash256::new([8; 32]),
            part: Part::State,
            at: Prefix::ROOT,
        };
        let hash = state.root_hash();
        fetch.want(Want { place, hash });
        fetch
    }

    /// Fetches with peers that answer as `answer` says; answers the items of the state, sorted, and how often a
    /// peer was asked.
    fn run(
        fetch: &mut Fetch<u8>,
        state: &StateMap,
        answer: impl Fn(u8, &Place) -> Option<Option<Piece>>,
    ) -> (BTreeMap<Hash256, Vec<u8>>, BTreeMap<u8, usize>) {
        let (mut items, mut asked) = (BTreeMap::new(), BTreeMap::<u8, usize>::new());
        let mut now = Duration::ZERO;
        while !fetch.is_complete() && !fetch.is_hopeless() {
            assert!(now < 1_000 * SECOND, "no end");
            let questions = fetch.next(now);
            now += SECOND;
            for (peer, place) in questions {
                *asked.entry(peer).or_default() += 1;
                let Some(piece) = answer(peer, &place) else {
                    continue;
                };
                if let Taken::Right(want) = fetch.take(&peer, &place, piece.as_ref(), now) {
                    let piece = piece.expect("right");
                    below(&want.place, &piece)
                        .into_iter()
                        .for_each(|want| fetch.want(want));
                    if let Piece::Items(some) = piece {
                        items.extend(some);
                    }
                }
            }
        }
        assert!(fetch.is_hopeless() || items.len() == state.iter().count());
        (items, asked)
    }

    #[test]
    fn accepts_a_state_from_several_peers() {
        let state = state(500);
        let mut fetch = begun(&state, 3);
        let (items, asked) = run(&mut fetch, &state, |_, place| Some(Some(piece_of(&state, place))));
        assert_eq!(StateMap::from_sorted_iter(items).root_hash(), state.root_hash());
        assert!(
            asked.len() == 3 && asked.values().all(|count| *count > 5),
            "{asked:?}"
        );
        let progress = fetch.progress();
        assert_eq!((progress.pieces, progress.peers), (progress.known, 3));
    }

    #[test]
    fn rejects_a_wrong_piece_and_asks_its_sender_no_more() {
        let (state, other) = (state(500), state(499));
        let mut fetch = begun(&state, 3);
        let (items, asked) = run(&mut fetch, &state, |peer, place| {
            Some(Some(match peer {
                2 => piece_of(
                    &other,
                    &Place {
                        at: Prefix::ROOT,
                        ..*place
                    },
                ),
                _ => piece_of(&state, place),
            }))
        });
        assert_eq!(StateMap::from_sorted_iter(items).root_hash(), state.root_hash());
        assert!(asked[&2] <= PIECES_ASKED_PER_PEER_MAX, "{asked:?}");
    }

    #[test]
    fn accepts_what_others_have_where_one_is_silent_and_one_has_nothing() {
        let state = state(500);
        let mut fetch = begun(&state, 3);
        let (items, asked) = run(&mut fetch, &state, |peer, place| match peer {
            1 => None,
            2 => Some(None),
            _ => Some(Some(piece_of(&state, place))),
        });
        assert_eq!(StateMap::from_sorted_iter(items).root_hash(), state.root_hash());
        assert!(asked[&1].max(asked[&2]) * 10 < asked[&3], "{asked:?}");
    }

    #[test]
    fn rejects_a_ledger_that_nobody_has() {
        let state = state(10);
        let mut fetch = begun(&state, 2);
        run(&mut fetch, &state, |_, _| Some(None));
        assert!(fetch.is_hopeless());
    }

    #[test]
    fn rejects_what_was_not_asked_of_the_sender_duplicates_and_late_answers() {
        let state = state(500);
        let mut fetch = begun(&state, 2);
        let questions = fetch.next(Duration::ZERO);
        let (peer, place) = questions[0];
        let piece = piece_of(&state, &place);
        assert_eq!(
            fetch.take(&(3 - peer), &place, Some(&piece), Duration::ZERO),
            Taken::Unasked
        );
        assert_eq!(
            fetch.take(&9, &place, Some(&piece), Duration::ZERO),
            Taken::Unasked
        );
        let elsewhere = Place {
            ledger: Hash256::new([9; 32]),
            ..place
        };
        assert_eq!(
            fetch.take(&peer, &elsewhere, Some(&piece), Duration::ZERO),
            Taken::Unasked
        );
        assert!(matches!(
            fetch.take(&peer, &place, Some(&piece), Duration::ZERO),
            Taken::Right(_)
        ));
        assert_eq!(
            fetch.take(&peer, &place, Some(&piece), Duration::ZERO),
            Taken::Unasked,
            "twice"
        );
    }

    #[test]
    fn rejects_a_late_answer_of_one_after_another_was_asked() {
        let state = state(500);
        let mut fetch = begun(&state, 2);
        let (first, place) = fetch.next(Duration::ZERO)[0];
        assert!(fetch.next(PIECE_WAIT - SECOND).is_empty(), "it has time");
        let (second, again) = fetch.next(PIECE_WAIT)[0];
        assert!(
            (again, second != first) == (place, true),
            "the other one is asked"
        );
        let piece = piece_of(&state, &place);
        assert_eq!(
            fetch.take(&first, &place, Some(&piece), PIECE_WAIT),
            Taken::Unasked
        );
    }

    #[test]
    fn rejects_more_questions_to_a_peer_than_it_may_have_open() {
        let state = state(500);
        let mut fetch = begun(&state, 2);
        for number in 0..200_u8 {
            let at = Prefix::new(2, &[number]).expect("a place");
            let place = Place {
                ledger: Hash256::ZERO,
                part: Part::State,
                at,
            };
            fetch.want(Want {
                place,
                hash: Hash256::ZERO,
            });
        }
        assert_eq!(fetch.next(Duration::ZERO).len(), 2 * PIECES_ASKED_PER_PEER_MAX);
        assert!(fetch.next(Duration::ZERO).is_empty());
    }
}
