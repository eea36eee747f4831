//! The amendments that this program knows, what its validator votes about them, and the transactions that its votes make.
//!
//! With one validator its vote is the majority. What follows from a majority says `ledger::amendments`.

use std::collections::{BTreeMap, BTreeSet};

use codec::{CloseTime, Hash256};
use ledger::amendments::{self, Ballot, id};
use ledger::genesis::AMENDMENTS;
use ledger::{Ledger, Transaction};
use rpc::api::{AmendmentState, AmendmentStatus, Stance};

use crate::store::Vote;

/// The amendment of this project (spec 1).
const EMAIL: &str = "Email";

/// Amendments that xahaud knows as outdated: their rules are in force without them, and nobody votes for them.
const OBSOLETE: [&str; 15] = [
    "CryptoConditions",
    "EnforceInvariants",
    "Escrow",
    "FeeEscalation",
    "MultiSign",
    "PayChan",
    "SortedDirectories",
    "TickSize",
    "TrustSetAuth",
    "fix1201",
    "fix1368",
    "fix1373",
    "fix1512",
    "fix1523",
    "fix1528",
];

/// The votes of this node's validator, by amendment.
pub(crate) type Votes = BTreeMap<Hash256, Vote>;

/// What the ledger says of amendments.
struct OnLedger {
    enabled: Vec<Hash256>,
    majorities: BTreeMap<Hash256, CloseTime>,
}

impl OnLedger {
    fn of(ledger: &Ledger) -> Self {
        Self {
            enabled: amendments::enabled(ledger),
            majorities: amendments::majorities(ledger),
        }
    }

    fn status(&self, id: &Hash256) -> AmendmentStatus {
        match self.majorities.get(id) {
            _ if self.enabled.contains(id) => AmendmentStatus::Enabled,
            Some(since) => AmendmentStatus::Majority { since: *since },
            None => AmendmentStatus::Disabled,
        }
    }
}

/// Names that the validator may vote about.
fn known() -> impl Iterator<Item = &'static str> {
    AMENDMENTS.into_iter().chain([EMAIL])
}

/// Whether the validator may vote about an amendment.
pub(crate) fn is_votable(amendment: &Hash256) -> bool {
    known().any(|name| id(name) == *amendment)
}

/// Whoever has said nothing votes for what xahaud votes for, and not for ours: that is the operator's decision.
fn vote_about(votes: &Votes, name: &str, id: &Hash256) -> Vote {
    let default = if name == EMAIL { Vote::Against } else { Vote::For };
    votes.get(id).copied().unwrap_or(default)
}

/// All amendments: those that the program knows, and those that the ledger has besides.
pub(crate) fn states(ledger: &Ledger, votes: &Votes) -> Vec<AmendmentState> {
    let on_ledger = OnLedger::of(ledger);
    let mut list: Vec<AmendmentState> = known()
        .map(|name| {
            let amendment = id(name);
            let vote = match vote_about(votes, name, &amendment) {
                Vote::For => rpc::api::Vote::For,
                Vote::Against => rpc::api::Vote::Against,
            };
            (name, amendment, Stance::Voting(vote))
        })
        .chain(OBSOLETE.map(|name| (name, id(name), Stance::Obsolete)))
        .map(|(name, id, stance)| AmendmentState {
            id,
            name: Some(name),
            status: on_ledger.status(&id),
            stance,
        })
        .collect();
    let besides = on_ledger.enabled.iter().chain(on_ledger.majorities.keys());
    for id in besides {
        if list.iter().all(|known| known.id != *id) {
            list.push(AmendmentState {
                id: *id,
                name: None,
                status: on_ledger.status(id),
                stance: Stance::Unknown,
            });
        }
    }
    list
}

/// What the votes make of the ledger after a flag ledger: majorities won and lost, and amendments enabled whose majority
/// has lasted. Nothing after any other ledger. The votes count as they are when that ledger closes.
pub(crate) fn changes(parent: &Ledger, votes: &Votes, majority_secs: u32) -> Vec<Transaction> {
    if !amendments::is_flag_ledger(parent.index()) {
        return Vec::new();
    }
    let own: BTreeSet<Hash256> = known()
        .map(|name| (name, id(name)))
        .filter(|(name, id)| vote_about(votes, name, id) == Vote::For)
        .map(|(_, id)| id)
        .collect();
    let ballot = Ballot {
        validators: 1,
        votes: own.iter().map(|id| (*id, 1)).collect(),
    };
    amendments::build_changes(parent, &ballot, &own, majority_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::GenesisConfig;
    use ledger::genesis::EmailAmendment;

    fn genesis(email: EmailAmendment) -> Ledger {
        Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: vec![vec![0xED; 33]],
            email,
            close_time: CloseTime::new(1_000),
            key_delay_first_secs: 0,
            key_delay_next_secs: 0,
        })
    }

    #[test]
    fn accepts_the_names_and_states_of_the_recorded_server() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/golden/xahaud/feature.json"
        );
        let text = std::fs::read_to_string(path).expect("recorded");
        let recorded: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let recorded = recorded["features"].as_object().expect("features");
        let states = states(&genesis(EmailAmendment::Absent), &Votes::new());
        assert_eq!(states.len(), recorded.len() + 1, "Email is ours");
        for (id, expected) in recorded {
            let state = states
                .iter()
                .find(|state| state.id.to_string() == *id)
                .expect("known");
            assert_eq!(expected["name"], state.name.expect("a name"));
            assert_eq!(expected["enabled"], state.status == AmendmentStatus::Enabled);
            assert_eq!(
                expected.get("vetoed").is_some(),
                state.stance == Stance::Obsolete,
                "{id}"
            );
        }
        let email = states
            .iter()
            .find(|state| state.name == Some(EMAIL))
            .expect("ours");
        assert_eq!(email.id, amendment::AMENDMENT_EMAIL);
        assert_eq!(
            (email.status, email.stance),
            (AmendmentStatus::Disabled, Stance::Voting(rpc::api::Vote::Against))
        );
    }

    #[test]
    fn rejects_votes_after_other_ledgers_and_about_what_is_enabled() {
        let votes = Votes::from([(amendment::AMENDMENT_EMAIL, Vote::For)]);
        assert!(
            changes(&genesis(EmailAmendment::Absent), &votes, 0).is_empty(),
            "no flag ledger"
        );
        assert!(is_votable(&amendment::AMENDMENT_EMAIL));
        assert!(!is_votable(&id("Escrow")) && !is_votable(&Hash256::ZERO));
    }
}
