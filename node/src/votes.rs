//! The answers about votes of validators.

use chain::votes::known;
use codec::Hash256;
use codec::keys::PublicKey;
use ledger::amendments::id;
use ledger::votes::{self, Wish};
use ledger::{Ledger, dkim};
use rpc::api::{ValidatorVotes, VoteRow, VoteWish};

use crate::node::Node;

/// What stands on the last ledger, and what this node's operator wants.
pub(crate) fn answer(node: &Node) -> ValidatorVotes {
    let state = node.inner.host.shown();
    let ledger = &state.ledger;
    let validators = dkim::validators(ledger);
    let standing = votes::standing(ledger).into_iter();
    let rows = standing.map(|(validator, vote)| VoteRow {
        validator,
        observed_at: vote.observed_at,
        wish: shown(vote.wish),
    });
    let epochs = node.inner.proposing.epochs;
    ValidatorVotes {
        ledger: ledger.index(),
        quorum: dkim::quorum(validators.len()),
        validators,
        next_change: epochs.map(|epochs| epochs.next_settling(ledger.index())),
        votes: rows.collect(),
        agreed: votes::agreed_list(ledger),
        own: node.inner.validator,
        wish: shown(state.votes.wish(ledger)),
    }
}

/// Whether a key is in a ledger's list.
pub(crate) fn is_listed(ledger: &Ledger, key: &PublicKey) -> bool {
    dkim::validators(ledger).contains(key)
}

fn shown(wish: Wish) -> VoteWish {
    let name = |wanted: &Hash256| known().find(|name| id(name) == *wanted);
    VoteWish {
        amendments: wish.amendments.iter().map(|id| (*id, name(id))).collect(),
        validators: wish.validators,
    }
}

/// How many of a ledger's validators want an amendment, of how many.
pub(crate) fn supporters(ledger: &Ledger) -> impl Fn(&Hash256) -> u32 {
    let standing = votes::standing(ledger);
    move |wanted| {
        let votes = standing
            .values()
            .filter(|vote| vote.wish.amendments.contains(wanted));
        u32::try_from(votes.count()).unwrap_or(u32::MAX)
    }
}
