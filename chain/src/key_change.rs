//! What is new in an answer of DNS against the ledger: an operator wants to know when a provider changes its keys. It
//! decides nothing.

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use codec::{Object, sf};
use ledger::Ledger;
use ledger::dkim::Answer;

/// How an answer differs from the ledger's key of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange {
    /// A selector that the ledger does not have, of a domain that it knows.
    NewSelector,
    /// Another key under a known name.
    OtherKey,
    /// A key where the ledger's was revoked.
    Returned,
    /// No usable record where the ledger has a key.
    Withdrawn,
}

impl KeyChange {
    /// The word for log and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NewSelector => "new_selector",
            Self::OtherKey => "other_key",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What changes with this answer, if anything does. The first key of a domain that the ledger does not know
    /// is no change.
    pub(crate) fn of(ledger: &Ledger, name: &KeyName, answer: &Answer) -> Option<KeyChange> {
        let entry = ledger.entry(&name.keylet());
        match (answer, entry) {
            (Answer::Record(_), None) => ledger.entry(&name.directory()).map(|_| Self::NewSelector),
            (Answer::Record(_), Some(entry)) if entry.contains(sf::REVOKED_AT) => Some(Self::Returned),
            (Answer::Record(text), Some(entry)) => (!holds(&entry, text)).then_some(Self::OtherKey),
            (Answer::Absent | Answer::Unusable, Some(entry)) if !entry.contains(sf::REVOKED_AT) => {
                Some(Self::Withdrawn)
            }
            (Answer::Absent | Answer::Unusable, _) => None,
        }
    }
}

/// Whether a DKIMKey holds the key of a record, or waits for it. Spec: 7.8
fn holds(entry: &Object, text: &[u8]) -> bool {
    let Ok(found) = PublishedKey::parse(text.to_vec()) else {
        return false;
    };
    let key = Some(found.key().public_key());
    entry.blob(sf::PUBLIC_KEY) == key || entry.blob(sf::NEXT_KEY) == key
}
