//! The amendments that a validator votes about, its votes, and the transactions that they make.
//!
//! What follows from a majority says `ledger::amendments`.

use std::collections::{BTreeMap, BTreeSet};

use codec::Hash256;
use ledger::amendments::{self, Ballot, id};
use ledger::dkim;
use ledger::genesis::AMENDMENTS;
use ledger::{Ledger, Transaction};

use crate::commit::Vote;

/// The amendment of this project (spec 1).
pub const EMAIL: &str = "Email";

/// The votes of this node's validator, by amendment.
pub type Votes = BTreeMap<Hash256, Vote>;

/// Names that the validator may vote about.
pub fn known() -> impl Iterator<Item = &'static str> {
    AMENDMENTS.into_iter().chain([EMAIL])
}

/// Whether the validator may vote about an amendment.
#[must_use]
pub fn is_votable(amendment: &Hash256) -> bool {
    known().any(|name| id(name) == *amendment)
}

/// A validator that was told nothing votes for what xahaud votes for, and not for ours: that is the
/// operator's decision.
#[must_use]
pub fn vote_about(votes: &Votes, name: &str) -> Vote {
    let default = if name == EMAIL { Vote::Against } else { Vote::For };
    votes.get(&id(name)).copied().unwrap_or(default)
}

/// What the votes make of the ledger after a flag ledger: majorities won and lost, and amendments enabled
/// whose majority has lasted. Nothing after any other ledger. The votes count as they are when that ledger
/// closes, out of all validators of the ledger's list.
#[must_use]
pub fn changes(parent: &Ledger, votes: &Votes, majority_secs: u32) -> Vec<Transaction> {
    if !amendments::is_flag_ledger(parent.index()) {
        return Vec::new();
    }
    let own: BTreeSet<Hash256> = known()
        .filter(|name| vote_about(votes, name) == Vote::For)
        .map(id)
        .collect();
    let validators = dkim::validators(parent).len().max(1);
    let ballot = Ballot {
        validators: u32::try_from(validators).unwrap_or(u32::MAX),
        votes: own.iter().map(|id| (*id, 1)).collect(),
    };
    amendments::build_changes(parent, &ballot, &own, majority_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::CloseTime;
    use codec::keys::PublicKey;
    use ledger::GenesisConfig;
    use ledger::dkim::KeyDelays;
    use ledger::genesis::EmailAmendment;

    #[test]
    fn rejects_votes_after_other_ledgers_and_about_what_is_enabled() {
        let votes = Votes::from([(amendment::AMENDMENT_EMAIL, Vote::For)]);
        let genesis = Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: vec![PublicKey::parse(&[0xED; 33]).expect("a key")],
            email: EmailAmendment::Absent,
            close_time: CloseTime::new(1_000),
            key_delays: KeyDelays::NONE,
        });
        assert!(changes(&genesis, &votes, 0).is_empty(), "no flag ledger");
        assert!(is_votable(&amendment::AMENDMENT_EMAIL));
        assert!(!is_votable(&id("Escrow")) && !is_votable(&Hash256::ZERO));
    }
}
