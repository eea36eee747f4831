//! The life of an amendment: votes at flag ledgers, majorities, and the transactions that write them down.
//!
//! Xahau's rules (AmendmentTable.cpp, with fixAmendmentMajorityCalc). `votes` counts the votes. Spec: 15.3

use std::collections::{BTreeMap, BTreeSet};

use codec::format::TxType;
use codec::hash::sha512_half;
use codec::{AccountId, Amount, CloseTime, Hash256, LedgerIndex, Object, flags, keylet, sf};

use crate::ledger::Ledger;
use crate::limits::FLAG_LEDGER_INTERVAL;
use crate::transaction::Transaction;

/// The id of an amendment: the SHA-512Half of its name.
#[must_use]
pub fn id(name: &str) -> Hash256 {
    sha512_half(&[name.as_bytes()])
}

/// Amendments that are rules in the ledger after this one, in the order in which they were enabled.
#[must_use]
pub fn enabled(ledger: &Ledger) -> Vec<Hash256> {
    ledger
        .entry(&keylet::amendments())
        .map_or_else(Vec::new, |entry| enabled_in(&entry))
}

pub(crate) fn enabled_in(entry: &Object) -> Vec<Hash256> {
    entry.vector256(sf::AMENDMENTS).unwrap_or(&[]).to_vec()
}

/// Amendments that most validators want, each with the time since when.
#[must_use]
pub fn majorities(ledger: &Ledger) -> BTreeMap<Hash256, CloseTime> {
    let entry = ledger.entry(&keylet::amendments()).unwrap_or_default();
    let majorities = entry.array(sf::MAJORITIES).unwrap_or(&[]);
    majorities
        .iter()
        .filter_map(|(_, majority)| {
            let since = CloseTime::new(majority.u32(sf::CLOSE_TIME)?);
            Some((majority.hash256(sf::AMENDMENT)?, since))
        })
        .collect()
}

/// True for the ledger whose successor holds the changes: every 256th.
#[must_use]
pub fn is_flag_ledger(index: LedgerIndex) -> bool {
    index.get() != 0 && index.get().checked_rem(FLAG_LEDGER_INTERVAL) == Some(0)
}

/// True for the ledger before a flag ledger, whose validations carry the votes.
#[must_use]
pub fn is_voting_ledger(index: LedgerIndex) -> bool {
    is_flag_ledger(LedgerIndex::new(index.get().saturating_add(1)))
}

/// True where so many votes of so many validators are a majority: more than 80 percent, and the vote of a
/// single one.
fn is_majority(votes: u32, validators: u32) -> bool {
    if validators == 1 {
        return votes >= 1;
    }
    let threshold = u64::from(validators).saturating_mul(80).div_euclid(100).max(1);
    u64::from(votes) > threshold
}

/// What the validators want.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ballot {
    /// Validators whose votes were counted.
    pub validators: u32,
    /// How many of them want each amendment.
    pub votes: BTreeMap<Hash256, u32>,
}

/// The EnableAmendments for the ledger after the flag ledger `parent`; none after another ledger. Spec: 15.3
#[must_use]
pub fn build_changes(parent: &Ledger, ballot: &Ballot, majority_secs: u32) -> Vec<Transaction> {
    if !is_flag_ledger(parent.index()) {
        return Vec::new();
    }
    let (enabled, majorities) = (enabled(parent), majorities(parent));
    let known: BTreeSet<&Hash256> = ballot.votes.keys().chain(majorities.keys()).collect();
    let now = parent.header().parent_close_time.seconds();
    known
        .into_iter()
        .filter(|id| !enabled.contains(id))
        .filter_map(|id| {
            let votes = ballot.votes.get(id).copied().unwrap_or(0);
            let wanted = is_majority(votes, ballot.validators);
            let tx_flags = match (wanted, majorities.get(id)) {
                (true, None) => flags::TF_GOT_MAJORITY,
                (false, Some(_)) => flags::TF_LOST_MAJORITY,
                (true, Some(since)) => {
                    let due = since.seconds().saturating_add(majority_secs);
                    (due <= now).then_some(0)?
                }
                (false, None) => return None,
            };
            enable_amendment(parent, *id, tx_flags)
        })
        .collect()
}

fn enable_amendment(parent: &Ledger, id: Hash256, tx_flags: u32) -> Option<Transaction> {
    let mut object = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::EnableAmendment.code())
        .with(sf::SEQUENCE, 0u32)
        .with(sf::LEDGER_SEQUENCE, parent.index().get().checked_add(1)?)
        .with(sf::AMENDMENT, id)
        .with(sf::FEE, Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice())
        .with(sf::ACCOUNT, AccountId::ZERO);
    if tx_flags != 0 {
        object.set(sf::FLAGS, tx_flags);
    }
    Transaction::from_object(&object).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_more_than_eighty_percent_as_a_majority() {
        for (votes, validators) in [(1, 1), (2, 2), (3, 3), (5, 5), (9, 10), (81, 100)] {
            assert!(is_majority(votes, validators), "{votes} of {validators}");
        }
    }

    #[test]
    fn rejects_eighty_percent_and_less() {
        for (votes, validators) in [(0, 0), (0, 1), (1, 2), (2, 3), (4, 5), (8, 10), (80, 100)] {
            assert!(!is_majority(votes, validators), "{votes} of {validators}");
        }
    }

    #[test]
    fn accepts_every_256th_ledger_as_a_flag_ledger() {
        let flags: Vec<u32> = (0..=600)
            .filter(|index| is_flag_ledger(LedgerIndex::new(*index)))
            .collect();
        assert_eq!(flags, [256, 512]);
        assert!(is_voting_ledger(LedgerIndex::new(255)) && !is_voting_ledger(LedgerIndex::new(256)));
    }

    #[test]
    fn accepts_the_known_id_of_email() {
        // xahau-facts 12, computed from the formula.
        assert_eq!(
            id("Email").to_string(),
            "B32FA9BF953D96C166F337F7F03A6C211C4C5945BE5AD316761C92063F2809F5"
        );
    }
}
