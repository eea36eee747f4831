//! Links between nodes: what weather they have, and what a node's half of a channel lets through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Vote;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::simulated::{self, Link, SplitOrigin, SplitTarget};
use commonware_p2p::{Recipients, Sender};
use commonware_runtime::deterministic::Context;
use commonware_utils::probability;
use network::Digest;

pub(crate) type Receiving = simulated::Receiver<PublicKey>;
type Sending = simulated::Sender<PublicKey, Context>;

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// As between data centres.
    Good,
    /// A third of the messages is lost.
    Lossy,
    /// All comes seconds late, as where a node stands still for a while.
    Late,
    /// Nothing comes.
    Cut,
}

impl Weather {
    pub(crate) fn link(self) -> Option<Link> {
        let (latency, jitter, success_rate) = match self {
            Self::Good => (30, 15, probability!(1, 1)),
            Self::Lossy => (80, 60, probability!(2, 3)),
            Self::Late => (4_000, 1_000, probability!(1, 1)),
            Self::Cut => return None,
        };
        Some(Link {
            latency: Duration::from_millis(latency),
            jitter: Duration::from_millis(jitter),
            success_rate,
        })
    }
}

/// Who of those that have one key hears and reaches whom.
#[derive(Clone)]
pub(crate) enum Sharing {
    /// The first has it all; the second may send too.
    Whole,
    /// The first hears all, and nobody sends.
    Mute,
    /// The first has these peers, the second the others.
    Halves(Arc<Vec<PublicKey>>, Arc<Vec<PublicKey>>),
}

impl Sharing {
    fn reaches(&self, from: SplitOrigin, to: &Recipients<PublicKey>) -> Option<Recipients<PublicKey>> {
        let peers = match (self, from) {
            (Self::Whole, _) => return Some(to.clone()),
            (Self::Mute, _) => return None,
            (Self::Halves(first, _), SplitOrigin::Primary) => first,
            (Self::Halves(_, second), SplitOrigin::Secondary) => second,
        };
        let peers = peers.iter().filter(|peer| match to {
            Recipients::All => true,
            Recipients::Some(some) => some.contains(peer),
            Recipients::One(one) => one == *peer,
        });
        Some(Recipients::Some(peers.cloned().collect()))
    }

    fn hears(&self, from: &PublicKey) -> SplitTarget {
        match self {
            Self::Halves(_, second) if second.contains(from) => SplitTarget::Secondary,
            Self::Whole | Self::Mute | Self::Halves(..) => SplitTarget::Primary,
        }
    }
}

/// What each of two nodes with one key voted for, in each round.
type Votes = BTreeMap<(String, u8), [Option<Digest>; 2]>;

/// Counts in how many rounds one key voted for two blocks.
#[derive(Clone, Default)]
pub(crate) struct Equivocations(Arc<Mutex<Votes>>);

impl Equivocations {
    fn note(&self, from: SplitOrigin, message: &[u8]) {
        // What stands before a vote is the number of its epoch.
        let votes = (0..4).filter_map(|skipped| {
            let bytes = message.get(skipped..)?;
            Vote::<Scheme, Digest>::decode(Copying(bytes)).ok()
        });
        let Some(vote) = votes.into_iter().next() else {
            return;
        };
        let (round, kind, block) = match vote {
            Vote::Notarize(vote) => (vote.proposal.round, 0, vote.proposal.payload),
            Vote::Finalize(vote) => (vote.proposal.round, 1, vote.proposal.payload),
            Vote::Nullify(_) => return,
        };
        let mut votes = self.0.lock().expect("no test panicked with it");
        let of_round = votes.entry((format!("{round:?}"), kind)).or_default();
        of_round[usize::from(from == SplitOrigin::Secondary)] = Some(block);
    }

    pub(crate) fn count(&self) -> u64 {
        let votes = self.0.lock().expect("no test panicked with it");
        let is_double = |votes: &&[Option<Digest>; 2]| matches!(votes, [Some(one), Some(two)] if one != two);
        u64::try_from(votes.values().filter(is_double).count()).expect("few")
    }
}

/// The two halves of a channel, of a type of their own for all nodes alike.
pub(crate) fn split(
    context: Context,
    (sender, receiver): (Sending, Receiving),
    sharing: &Sharing,
    equivocations: Option<Equivocations>,
) -> [(impl Sender<PublicKey = PublicKey> + use<>, Receiving); 2] {
    let of_sender = sharing.clone();
    let (first, second) = sender.split_with(move |from, to: &Recipients<PublicKey>, message: &_| {
        if let Some(equivocations) = &equivocations {
            equivocations.note(from, AsRef::<[u8]>::as_ref(message));
        }
        of_sender.reaches(from, to)
    });
    let of_receiver = sharing.clone();
    let (heard, heard_too) = receiver.split_with(context, move |(from, _)| of_receiver.hears(from));
    [(first, heard), (second, heard_too)]
}
