//! Fetches a ledger from the nodes of a network, instead of making all ledgers from the first one on: first the
//! borders that prove it, then its pieces.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use codec::LedgerIndex;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::Clock;
use ledger::Ledger;
use ledger::state_map::Piece;
use rand_core::CryptoRng;

use super::disk::{DiskError, Pieces};
use super::fetch::{Fetch, Progress, Taken, Want, below, roots};
use super::proof::{Border, Trust};
use super::wire::{Message, Place, encode_piece};
use crate::block::Block;
use crate::complaints::Complaints;
use crate::limits::{SNAPSHOT_NEWS_WAIT, SNAPSHOT_SAY_EVERY};
use crate::meter;

/// How often it is looked whether somebody has to be asked again.
const TURN: Duration = Duration::from_millis(200);

/// A ledger that was fetched, and what proves it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The border that proves it.
    pub(crate) border: Border,
    /// The borders before, at which validators changed.
    pub(crate) changes: Vec<Border>,
    /// The ledger.
    pub(crate) ledger: Ledger,
    /// The border block, which is to be executed next.
    pub(crate) block: Block,
}

/// What a network has for a new node.
#[derive(Debug)]
pub(crate) enum Found {
    /// A ledger.
    Snapshot(Box<Snapshot>),
    /// So few blocks that there is nothing to gain.
    Young,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A piece cannot be kept.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The pieces are there, and make no ledger: a file was changed meanwhile.
    #[error(
        "the pieces of ledger {0} were changed on disk meanwhile; start the node again, it fetches those anew"
    )]
    Changed(LedgerIndex),
    /// The network has ended.
    #[error("the connections to the other nodes have ended; start the node again")]
    Ended,
}

/// A node that fetches.
pub(crate) struct Client<E, S, R> {
    /// Clock and random numbers.
    context: E,
    /// The channel of snapshots.
    channel: (S, R),
    /// The other nodes, as far as they are believed.
    peers: BTreeSet<PublicKey>,
    /// Who signs.
    trust: Trust,
    /// Where pieces are kept.
    pieces: Pieces,
    garbage: Complaints,
}

impl<E, S, R> Client<E, S, R>
where
    E: Clock + CryptoRng,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    /// One that asks these nodes.
    pub(crate) fn new(
        context: E,
        channel: (S, R),
        peers: BTreeSet<PublicKey>,
        trust: Trust,
        pieces: Pieces,
    ) -> Self {
        Self {
            context,
            channel,
            peers,
            trust,
            pieces,
            garbage: Complaints::default(),
        }
    }

    /// Fetch the newest ledger that others have, whatever time it takes.
    pub(crate) async fn fetch(mut self) -> Result<Found, FetchError> {
        let mut lost = None;
        loop {
            let Some(border) = self.seek(lost).await? else {
                return Ok(Found::Young);
            };
            if let Some((ledger, block)) = self.load(&border).await? {
                return Ok(Found::Snapshot(Box::new(Snapshot {
                    changes: self.trust.changes().to_vec(),
                    border,
                    ledger,
                    block,
                })));
            }
            let index = border.header().index;
            tracing::warn!(%index, "no peer has the state of this ledger any more; a newer one is sought");
            lost = Some(border.epoch());
        }
    }

    /// The newest border that is proven, of a later epoch than the one that nobody has; `None` where blocks do as well.
    async fn seek(&mut self, lost: Option<u64>) -> Result<Option<Border>, FetchError> {
        let mut from = lost.map_or(self.trust.last_from(), |lost| lost.saturating_add(1));
        let mut newest = None;
        let mut last_here = BTreeMap::new();
        let (mut settled, mut said) = (self.after(SNAPSHOT_NEWS_WAIT), self.after(SNAPSHOT_SAY_EVERY));
        self.ask_all(from);
        loop {
            match self.next(self.after(TURN * 5)).await? {
                Some((
                    peer,
                    Message::Border {
                        from: asked,
                        border,
                        last,
                    },
                )) if asked == from => {
                    let Some(border) = border else {
                        last_here.insert(peer, last);
                        continue;
                    };
                    if !self.is_next(&peer, from, &border) {
                        continue;
                    }
                    from = border.epoch().saturating_add(1);
                    newest = Some(*border);
                    last_here.clear();
                    settled = self.after(SNAPSHOT_NEWS_WAIT);
                    self.ask_all(from);
                }
                Some(_) => {}
                None => self.ask_all(from),
            }
            if self.context.current() < settled {
                continue;
            }
            if newest.is_some() {
                return Ok(newest);
            }
            let last: Option<LedgerIndex> = last_here.values().max().copied();
            if lost.is_none() && last.is_some_and(|last| self.is_young(last)) {
                return Ok(None);
            }
            if self.context.current() >= said {
                said = self.after(SNAPSHOT_SAY_EVERY);
                self.say_waiting(last);
            }
        }
    }

    /// Whether a border is right, and not one of those before.
    fn is_next(&mut self, peer: &PublicKey, from: u64, border: &Border) -> bool {
        let epoch = border.epoch();
        let taken = self.trust.take(&mut self.context, border);
        if let Err(fault) = &taken {
            meter::wrong(peer);
            tracing::warn!(%peer, epoch, %fault, "a border that proves nothing: the peer is asked no more");
            self.peers.remove(peer);
        }
        taken.is_ok() && epoch >= from
    }

    /// Whether a network has so few ledgers that making them takes no time.
    fn is_young(&self, last: LedgerIndex) -> bool {
        self.trust.epoch_of(last) < 2
    }

    fn say_waiting(&self, last: Option<LedgerIndex>) {
        match last {
            None => tracing::warn!("no peer answers yet; the node goes on asking for a snapshot"),
            Some(last) => tracing::warn!(
                %last,
                next = self.trust.border_after(last),
                "no peer has a snapshot now, they have the next one at the end of an epoch; the node waits for it. To make \
                 all ledgers from the first one on instead, set sync = \"blocks\" and start it again"
            ),
        }
    }

    /// The ledger that a border proves; `None` where nobody has it any more.
    async fn load(&mut self, border: &Border) -> Result<Option<(Ledger, Block)>, FetchError> {
        let header = border.header();
        let begun = self.context.current();
        let mut fetch = Fetch::new(self.peers.iter().cloned());
        let (mut bytes, mut said) = (0, begun);
        let mut fresh = roots(border).to_vec();
        tracing::info!(index = %header.index, hash = %header.hash(), "a ledger is fetched");
        loop {
            while let Some(want) = fresh.pop() {
                match self.pieces.read(&want) {
                    Some(piece) => {
                        fetch.has();
                        fresh.extend(below(&want.place, &piece));
                    }
                    None => fetch.want(want),
                }
            }
            let now = self.context.current();
            if now >= said || fetch.is_complete() {
                said = self.after(SNAPSHOT_SAY_EVERY);
                say(header.index, fetch.progress(), bytes);
            }
            if fetch.is_complete() {
                let snapshot = self.pieces.assemble(border);
                return snapshot.map(Some).ok_or(FetchError::Changed(header.index));
            }
            if fetch.is_hopeless() {
                return Ok(None);
            }
            let elapsed = now.duration_since(begun).unwrap_or_default();
            for (peer, place) in fetch.next(elapsed) {
                self.send(peer, &Message::WantPiece(place));
            }
            let Some((peer, Message::Piece(place, piece))) = self.next(self.after(TURN)).await? else {
                continue;
            };
            match fetch.take(&peer, &place, piece.as_ref(), elapsed) {
                Taken::Right(want) => {
                    let Some(piece) = piece else { continue };
                    bytes += self.keep(&want, &piece)?;
                    fresh.extend(below(&want.place, &piece));
                }
                Taken::Wrong => self.shut_out(&peer, &place),
                Taken::Unasked | Taken::NotHere => {}
            }
        }
    }

    /// Keeps a piece; answers its bytes.
    fn keep(&self, want: &Want, piece: &Piece) -> Result<usize, FetchError> {
        let bytes = encode_piece(piece);
        self.pieces.write(want, &bytes)?;
        Ok(bytes.len())
    }

    fn shut_out(&mut self, peer: &PublicKey, place: &Place) {
        meter::wrong(peer);
        tracing::warn!(%peer, ?place, "a piece that is not the ledger's: the peer is asked no more");
        self.peers.remove(peer);
    }

    fn after(&self, wait: Duration) -> SystemTime {
        self.context.current() + wait
    }

    fn ask_all(&mut self, from: u64) {
        let message = Message::WantBorder { from };
        for peer in self.peers.clone() {
            self.send(peer, &message);
        }
    }

    fn send(&mut self, to: PublicKey, message: &Message) {
        if let Some(bytes) = message.encode() {
            let _ = self.channel.0.send(Recipients::One(to), bytes, false);
        }
    }

    /// The next message of a peer that is believed; `None` at `until`. Who asks is told that nothing is here.
    async fn next(&mut self, until: SystemTime) -> Result<Option<(PublicKey, Message)>, FetchError> {
        while self.context.current() < until {
            let received = tokio::select! {
                biased;
                received = self.channel.1.recv() => received.map_err(|_| FetchError::Ended)?,
                () = self.context.sleep_until(until) => return Ok(None),
            };
            let (peer, bytes) = received;
            if !self.peers.contains(&peer) {
                continue;
            }
            match Message::decode(bytes.as_ref()) {
                None => {
                    meter::garbage(&peer);
                    if let Some(times) = self.garbage.add(&peer, self.context.current()) {
                        tracing::warn!(%peer, times, "a message about snapshots that is none");
                    }
                }
                Some(Message::WantBorder { from }) => {
                    let (last, border) = (LedgerIndex::new(0), None);
                    self.send(peer, &Message::Border { from, last, border });
                }
                Some(Message::WantPiece(place)) => self.send(peer, &Message::Piece(place, None)),
                Some(message @ (Message::Border { .. } | Message::Piece(..))) => {
                    return Ok(Some((peer, message)));
                }
            }
        }
        Ok(None)
    }
}

/// Says how far it is.
fn say(index: LedgerIndex, progress: Progress, bytes: usize) {
    let Progress { pieces, known, peers } = progress;
    meter::fetched(pieces, known);
    let megabytes = bytes / 1_000_000;
    tracing::info!("ledger {index}: {pieces} of {known} pieces, {megabytes} MB, from {peers} peers");
}
