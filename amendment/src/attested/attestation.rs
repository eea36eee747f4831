//! What one validator signs of a key or a domain, and when it counts on a ledger.
//!
//! Spec: 7.2, 7.7, 7.10. DNS is not asked here: an answer comes in as data.

use codec::keys::{KeyPair, LowS, PublicKey};
use codec::{CloseTime, Object, sf};

use crate::attested::statement::{Answer, Statement};
use crate::dkim::signature::KeyName;
use crate::limits::{ATTESTATION_AGE_SECS_MAX, VALIDATORS_MAX};

/// A validator's signed word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What it says.
    pub statement: Statement,
    /// When, by the validator's clock.
    pub observed_at: CloseTime,
    /// The validator.
    pub public_key: PublicKey,
    /// Its signature over [`Statement::message`].
    pub signature: Vec<u8>,
}

impl Attestation {
    /// Signs what DNS said about a key; `None` for a record longer than any key needs.
    #[must_use]
    pub fn sign(
        network_id: u32,
        name: KeyName,
        answer: Answer,
        observed_at: CloseTime,
        validator: &KeyPair,
    ) -> Option<Attestation> {
        Attestation::of(network_id, Statement::Key(name, answer), observed_at, validator)
    }

    /// Signs a statement; `None` for a record longer than any key needs.
    #[must_use]
    pub fn of(
        network_id: u32,
        statement: Statement,
        observed_at: CloseTime,
        validator: &KeyPair,
    ) -> Option<Attestation> {
        let message = statement.message(network_id, observed_at)?;
        let signature = validator.sign(&message);
        Some(Attestation {
            statement,
            observed_at,
            public_key: validator.public_key(),
            signature,
        })
    }

    /// True where the signature is the validator's.
    #[must_use]
    pub fn is_good(&self, network_id: u32) -> bool {
        let message = self.statement.message(network_id, self.observed_at);
        message.is_some_and(|message| self.public_key.verify(&message, &self.signature, LowS::Required))
    }
}

/// The validators of a list (UNLReport), sorted. Spec: 7.2
#[must_use]
pub fn validators_of(report: &Object) -> Vec<PublicKey> {
    let mut keys: Vec<PublicKey> = report
        .array(sf::ACTIVE_VALIDATORS)
        .unwrap_or(&[])
        .iter()
        .take(VALIDATORS_MAX)
        .filter_map(|(_, validator)| PublicKey::parse(validator.blob(sf::PUBLIC_KEY)?).ok())
        .collect();
    keys.sort_by_key(|key| *key.as_bytes());
    keys.dedup();
    keys
}

/// Attestations that make a quorum of so many validators: ceil(0.8 n). Spec: 7.2
#[must_use]
pub fn quorum(validators: usize) -> usize {
    validators.saturating_mul(4).div_ceil(5)
}

/// LastAttested of an entry; zero without one.
pub(crate) fn last_attested(entry: Option<&Object>) -> CloseTime {
    CloseTime::new(entry.and_then(|entry| entry.u32(sf::LAST_ATTESTED)).unwrap_or(0))
}

/// Whether an attestation counts in the ledger after the one of that time, which has that entry of what it is about:
/// it is timely, and says something new. Spec: 7.2, 7.10
#[must_use]
pub fn may_count(word: &Attestation, entry: Option<&Object>, now: CloseTime) -> bool {
    is_timely(word.observed_at, last_attested(entry), now) && word.statement.is_news(entry)
}

/// After the last quorum, and within 600 s. No limit into the future: a ledger may stand still while its
/// validators' clocks go on, and the quorum's median bounds what a few wrong clocks can do. Spec: 7.2
pub(crate) fn is_timely(observed: CloseTime, last: CloseTime, now: CloseTime) -> bool {
    observed > last && observed.seconds().saturating_add(ATTESTATION_AGE_SECS_MAX) >= now.seconds()
}
