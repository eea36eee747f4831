//! What the operator wants of amendments and of the list of validators.

use std::collections::{BTreeMap, BTreeSet};

use codec::Hash256;
use codec::keys::PublicKey;
use ledger::amendments::{self, id};
use ledger::genesis::AMENDMENTS;
use ledger::limits::VOTED_AMENDMENTS_MAX;
use ledger::votes::Wish;
use ledger::{Ledger, dkim};

use crate::commit::{ListWish, Vote};

/// The amendment of this project (spec 1).
pub const EMAIL: &str = "Email";

/// What the operator wants the validator to vote for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Votes {
    /// By amendment; without an entry as [`vote_about`] says.
    pub amendments: BTreeMap<Hash256, Vote>,
    /// Another list of validators.
    pub list: Option<ListWish>,
}

impl Votes {
    /// What of it the ledger does not have yet. Spec: 15.2
    #[must_use]
    pub fn wish(&self, ledger: &Ledger) -> Wish {
        let enabled = amendments::enabled(ledger);
        let wanted = known().filter(|name| vote_about(self, name) == Vote::For);
        let open = wanted.map(id).filter(|id| !enabled.contains(id));
        let listed: BTreeSet<PublicKey> = dkim::validators(ledger).into_iter().collect();
        let list = self.list.as_ref().filter(|list| list.instead_of == listed);
        Wish {
            amendments: open.take(VOTED_AMENDMENTS_MAX).collect(),
            validators: list.map_or_else(BTreeSet::new, |list| list.wanted.clone()),
        }
    }
}

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
    votes.amendments.get(&id(name)).copied().unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::CloseTime;
    use ledger::GenesisConfig;
    use ledger::dkim::KeyDelays;
    use ledger::genesis::EmailAmendment;

    fn key(number: u8) -> PublicKey {
        codec::keys::KeyPair::ed25519([number; 16]).public_key()
    }

    fn genesis(email: EmailAmendment, validators: &[u8]) -> Ledger {
        Ledger::genesis(&GenesisConfig {
            network_id: 21_337,
            validators: validators.iter().map(|number| key(*number)).collect(),
            email,
            close_time: CloseTime::new(1_000),
            key_delays: KeyDelays::NONE,
        })
    }

    // Spec: 15.2.
    #[test]
    fn accepts_wishes_that_the_ledger_does_not_have_and_no_others() {
        let email = amendment::AMENDMENT_EMAIL;
        let mut votes = Votes::default();
        let without = genesis(EmailAmendment::Absent, &[1, 2]);
        assert_eq!(
            votes.wish(&without),
            Wish::default(),
            "Email by its operator's word alone"
        );
        votes.amendments.insert(email, Vote::For);
        assert_eq!(votes.wish(&without).amendments, BTreeSet::from([email]));
        let with = genesis(EmailAmendment::Enabled, &[1, 2]);
        assert_eq!(votes.wish(&with), Wish::default(), "it is enabled");
        let wanted = BTreeSet::from([key(1), key(3)]);
        votes.list = Some(ListWish {
            wanted: wanted.clone(),
            instead_of: BTreeSet::from([key(1), key(2)]),
        });
        assert_eq!(votes.wish(&with).validators, wanted);
        let other = genesis(EmailAmendment::Enabled, &[1, 2, 4]);
        assert_eq!(votes.wish(&other), Wish::default(), "it was about another list");
    }

    #[test]
    fn rejects_votes_about_what_is_not_known() {
        assert!(is_votable(&amendment::AMENDMENT_EMAIL) && is_votable(&id("Flow")));
        assert!(!is_votable(&id("Escrow")) && !is_votable(&Hash256::ZERO));
    }
}
