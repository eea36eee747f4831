//! What validators say about names, until a ledger has it.

use std::collections::BTreeMap;

use amendment::KeyName;
use codec::keys::PublicKey;
use codec::{CloseTime, sf};
use ledger::dkim::{self, Attestation};
use ledger::limits::ATTESTATION_AGE_SECS_MAX;
use ledger::{Ledger, Transaction};

use crate::limits::{
    ATTESTED_NAMES_MAX, ATTESTED_PER_DOMAIN_MAX, KEY_SETS_PER_DOMAIN_MAX, KEY_SETS_PER_LEDGER_MAX,
};

/// The attestations about one name, by validator: each validator's last word.
type Words = BTreeMap<[u8; 33], Attestation>;

/// Attestations that no ledger has yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attestations(BTreeMap<KeyName, Words>);

impl Attestations {
    /// Take an attestation in place of the validator's earlier one. One that is older than the known one is
    /// not taken: anybody could hand it in again. Nor is a new name beyond the bounds, of all and of its
    /// domain: whoever has a domain can give it any number of keys.
    pub(crate) fn insert(&mut self, word: Attestation) {
        if !self.0.contains_key(&word.name) {
            let of_domain = self.0.keys().filter(|name| name.domain() == word.name.domain());
            if self.0.len() >= ATTESTED_NAMES_MAX || of_domain.count() >= ATTESTED_PER_DOMAIN_MAX {
                return;
            }
        }
        let words = self.0.entry(word.name.clone()).or_default();
        let validator = *word.public_key.as_bytes();
        let is_newer = |known: &Attestation| known.observed_at <= word.observed_at;
        if words.get(&validator).is_none_or(is_newer) {
            words.insert(validator, word);
        }
    }

    /// Whether a validator has said something about a name that no ledger has yet.
    pub(crate) fn has(&self, name: &KeyName, validator: &PublicKey) -> bool {
        self.0
            .get(name)
            .is_some_and(|words| words.contains_key(validator.as_bytes()))
    }

    /// What one validator has said.
    pub(crate) fn of(&self, validator: &PublicKey) -> impl Iterator<Item = &Attestation> {
        let validator = *validator.as_bytes();
        self.0.values().filter_map(move |words| words.get(&validator))
    }

    /// The names whose attestations the next ledger takes up: those on which a quorum has spoken, a bounded
    /// number, few of each domain, those first that were spoken of first.
    pub(crate) fn ready(&self, quorum: usize) -> Vec<KeyName> {
        let spoken = self.0.iter().filter(|(_, words)| words.len() >= quorum);
        let mut oldest: Vec<(CloseTime, &KeyName)> = spoken
            .filter_map(|(name, words)| Some((words.values().map(|word| word.observed_at).min()?, name)))
            .collect();
        oldest.sort_unstable();
        let mut of_domain: BTreeMap<&str, usize> = BTreeMap::new();
        oldest.retain(|(_, name)| {
            let count = of_domain.entry(name.domain()).or_default();
            *count = count.saturating_add(1);
            *count <= KEY_SETS_PER_DOMAIN_MAX
        });
        let first = oldest.into_iter().take(KEY_SETS_PER_LEDGER_MAX);
        first.map(|(_, name)| name.clone()).collect()
    }

    /// The DKIMKeySet about a name, if a quorum agrees on an answer.
    pub(crate) fn key_set(&self, name: &KeyName, parent: &Ledger, network_id: u32) -> Option<Transaction> {
        let words: Vec<&Attestation> = self.0.get(name)?.values().collect();
        let mut answers: Vec<_> = words.iter().map(|word| &word.answer).collect();
        answers.sort();
        answers.dedup();
        answers.into_iter().find_map(|answer| {
            let agreeing = words.iter().filter(|word| word.answer == *answer);
            let agreeing: Vec<Attestation> = agreeing.map(|word| (*word).clone()).collect();
            dkim::build_key_set(parent, network_id, &agreeing)
        })
    }

    /// Names are done with. So are words that count no more in the ledger after `parent`: too old ones, and those
    /// not after the last quorum about their name. Spec: 7.2
    pub(crate) fn forget(&mut self, used: &[KeyName], parent: &Ledger) {
        for name in used {
            self.0.remove(name);
        }
        let now = parent.close_time().seconds();
        self.0.retain(|name, words| {
            let entry = parent.entry(&name.keylet());
            let last = entry.and_then(|entry| entry.u32(sf::LAST_ATTESTED)).unwrap_or(0);
            words.retain(|_, word| {
                let seen = word.observed_at.seconds();
                seen > last && seen.saturating_add(ATTESTATION_AGE_SECS_MAX) >= now
            });
            !words.is_empty()
        });
    }

    /// Take back what a ledger had taken up that did not come to be; newer words stand.
    pub(crate) fn restore(&mut self, earlier: &Attestations) {
        for (name, words) in &earlier.0 {
            let known = self.0.entry(name.clone()).or_default();
            for (validator, word) in words {
                known.entry(*validator).or_insert_with(|| word.clone());
            }
        }
    }
}
