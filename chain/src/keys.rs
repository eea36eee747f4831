//! What the answers of DNS come to: attestations of this validator, or a name that rests.
//!
//! Nothing here decides about a key: the ledger counts attestations. Spec: 7.2, 7.3, 7.5.

use std::sync::Arc;

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use codec::{CloseTime, Hash256, Object, Ter, sf};
use explain::Qualifies;
use ledger::dkim::{self, Answer, Attestation};

use crate::chain::Chain;
use crate::event::{Fact, KeyFinding};
use crate::limits::{RENEW_SECS, RENEWALS_PER_CLOSE_MAX};
use crate::mail_pool::Hope;
use crate::names::Rest;
use crate::rules;

impl Chain {
    /// Keys of the ledger that are due to be asked for again.
    pub(crate) fn renewals(&mut self, now: CloseTime) -> Vec<KeyName> {
        let state = &self.state;
        let due: Vec<KeyName> = state
            .dkim_keys
            .iter()
            .filter_map(|key| state.ledger.entry(key))
            .filter(|entry| is_live(entry) && age_secs(entry, now) >= RENEW_SECS)
            .filter_map(|entry| KeyName::new(entry.blob(sf::DOMAIN)?, entry.blob(sf::SELECTOR)?))
            .collect();
        let validator = self.key.public_key();
        let mut begun = Vec::new();
        for name in due {
            if begun.len() < RENEWALS_PER_CLOSE_MAX
                && !self.state.attestations.has(&name, &validator)
                && self.names.begin(&name, now)
            {
                begun.push(name);
            }
        }
        begun
    }

    /// A look-up has ended.
    pub(crate) fn take_finding(&mut self, name: &KeyName, finding: KeyFinding, now: CloseTime) {
        self.names.end(name);
        match finding {
            KeyFinding::Usable(found) => self.take_key(name, &found, now),
            KeyFinding::Unusable => self.take_no_key(name, Answer::Unusable, now),
            KeyFinding::Absent => self.take_no_key(name, Answer::Absent, now),
            KeyFinding::NoAnswer => {
                self.log(Fact::NoAnswer(name.clone()));
                self.names.rest(name, Rest::Failed, now);
            }
        }
    }

    /// There is no usable record. Only a key that the ledger has can be revoked; an unknown name uses no
    /// slot.
    fn take_no_key(&mut self, name: &KeyName, answer: Answer, now: CloseTime) {
        if self.is_known(name) {
            self.attest(name, answer, now);
        }
        self.log(Fact::NoUsableRecord(name.clone()));
        self.names.rest(name, Rest::Absent, now);
        for mail_id in self.state.pool.waiting_for(name) {
            if let Some(mail) = Arc::make_mut(&mut self.state.pool).mail_mut(&mail_id) {
                mail.hope = Hope::Faint;
            }
        }
    }

    /// There is a usable record. It is attested if a waiting mail verifies under it, or if the ledger has the
    /// key.
    fn take_key(&mut self, name: &KeyName, found: &PublishedKey, now: CloseTime) {
        let mut is_wanted = self.is_known(name);
        let mut refuted: Vec<(Hash256, Ter)> = Vec::new();
        for mail_id in self.state.pool.waiting_for(name) {
            let Some(mail) = self.state.pool.mail(&mail_id) else {
                continue;
            };
            let raw = &mail.pending.raw;
            let explanation =
                rules::explain_under(raw, &self.state.ledger, self.network_id, name, found.key());
            match explanation.qualifies {
                Qualifies::Yes => is_wanted = true,
                // A mail with several signatures may still verify under another key.
                Qualifies::No if explanation.code == Ter::TEF_BAD_SIGNATURE && mail.names.len() == 1 => {
                    refuted.push((mail_id, explanation.code));
                }
                Qualifies::No | Qualifies::Unknown => {}
            }
        }
        for (mail_id, code) in refuted {
            self.give_up(mail_id, code);
        }
        if is_wanted {
            self.attest(name, Answer::Record(found.text().to_vec()), now);
            self.names.rest(name, Rest::Attested, now);
        } else {
            // A short rest only: a forged mail must not keep the name from the true one.
            self.names.rest(name, Rest::Unproven, now);
        }
    }

    fn attest(&mut self, name: &KeyName, answer: Answer, now: CloseTime) {
        let signed = Attestation::sign(self.network_id, name.clone(), answer, now, &self.key);
        if let Some(attestation) = signed {
            Arc::make_mut(&mut self.state.attestations).insert(attestation);
        }
    }

    /// Another validator's word. It counts where the ledger lists that validator. Spec: 7.2
    pub(crate) fn take_attestation(&mut self, attestation: Attestation) {
        let listed = dkim::validators(&self.state.ledger);
        if listed.contains(&attestation.public_key) && attestation.is_good(self.network_id) {
            Arc::make_mut(&mut self.state.attestations).insert(attestation);
        }
    }

    /// Whether the ledger has the key of a name, neither revoked nor a tombstone.
    fn is_known(&self, name: &KeyName) -> bool {
        self.state
            .ledger
            .entry(&name.keylet())
            .as_ref()
            .is_some_and(is_live)
    }
}

/// Whether a DKIMKey is neither revoked nor a tombstone.
fn is_live(entry: &Object) -> bool {
    !entry.contains(sf::REVOKED_AT) && entry.contains(sf::PUBLIC_KEY)
}

fn age_secs(entry: &Object, now: CloseTime) -> u32 {
    now.seconds()
        .saturating_sub(entry.u32(sf::LAST_ATTESTED).unwrap_or(0))
}
