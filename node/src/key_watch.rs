//! What the answers of DNS come to: attestations of this validator, or a name that rests.
//!
//! Spec: 7.2, 7.3, 7.5.

use codec::{CloseTime, Hash256, Object, Ter, sf};
use explain::Qualifies;
use ledger::dkim::{Answer, Attestation};

use crate::core::Core;
use crate::store::StoreError;
use chain::limits::{RENEW_SECS, RENEWALS_PER_CLOSE_MAX};
use chain::mail_pool::Hope;
use chain::names::{Rest, dns_name};
use chain::rules;

use crate::watcher::{DkimName, KeyAnswer};

impl Core {
    /// Keys of the ledger that are due to be asked for again.
    pub(crate) fn renewals(&mut self, now: CloseTime) -> Vec<DkimName> {
        let due: Vec<DkimName> = self
            .dkim_keys
            .iter()
            .filter_map(|key| self.ledger.entry(key))
            .filter(|entry| is_live(entry) && age_secs(entry, now) >= RENEW_SECS)
            .filter_map(|entry| DkimName::new(entry.blob(sf::DOMAIN)?, entry.blob(sf::SELECTOR)?))
            .collect();
        let mut begun = Vec::new();
        for name in due {
            if begun.len() < RENEWALS_PER_CLOSE_MAX
                && !self.attestations.contains_key(&name)
                && self.names.begin(&name, now)
            {
                begun.push(name);
            }
        }
        begun
    }

    /// DNS has answered.
    pub(crate) fn take_answer(
        &mut self,
        name: &DkimName,
        answer: KeyAnswer,
        now: CloseTime,
    ) -> Result<(), StoreError> {
        self.names.end(name);
        let known = self.ledger.entry(&name.keylet()).filter(is_live);
        match answer {
            KeyAnswer::Failed => {
                tracing::warn!(
                    name = dns_name(name),
                    "DNS gave no answer; the name is asked again later"
                );
                self.names.rest(name, Rest::Failed, now);
                Ok(())
            }
            KeyAnswer::Absent => {
                self.take_no_key(name, Answer::Absent, known.as_ref(), now);
                Ok(())
            }
            KeyAnswer::Unusable => {
                self.take_no_key(name, Answer::Unusable, known.as_ref(), now);
                Ok(())
            }
            KeyAnswer::Record(record) if amendment::key_record::parse_txt(&record).is_err() => {
                self.take_no_key(name, Answer::Unusable, known.as_ref(), now);
                Ok(())
            }
            KeyAnswer::Record(record) => self.take_record(name, record, known.as_ref(), now),
        }
    }

    /// There is no usable record. Only a key that the ledger has can be revoked; an unknown name uses no slot.
    fn take_no_key(&mut self, name: &DkimName, answer: Answer, known: Option<&Object>, now: CloseTime) {
        if known.is_some() {
            self.attest(name, answer, now);
        }
        tracing::info!(name = dns_name(name), "DNS has no usable key record");
        self.names.rest(name, Rest::Absent, now);
        for mail_id in self.pool.waiting_for(name) {
            if let Some(mail) = self.pool.mail_mut(&mail_id) {
                mail.hope = Hope::Faint;
            }
        }
    }

    /// There is a usable record. It is attested if a waiting mail verifies under it, or if the ledger has the key.
    fn take_record(
        &mut self,
        name: &DkimName,
        record: Vec<u8>,
        known: Option<&Object>,
        now: CloseTime,
    ) -> Result<(), StoreError> {
        let mut is_wanted = known.is_some();
        let mut refuted: Vec<(Hash256, Ter)> = Vec::new();
        for mail_id in self.pool.waiting_for(name) {
            let Some(mail) = self.pool.mail(&mail_id) else {
                continue;
            };
            let explanation =
                rules::explain_under(&mail.mail.raw, &self.ledger, self.network_id, name, &record);
            match explanation.qualifies {
                Qualifies::Yes => is_wanted = true,
                // A mail with several signatures may still verify under another key.
                Qualifies::No if explanation.code == Ter::TEF_BAD_SIGNATURE && mail.names.len() == 1 => {
                    refuted.push((mail_id, explanation.code));
                }
                Qualifies::No | Qualifies::Unknown => {}
            }
        }
        let mut changes = Vec::new();
        for (mail_id, code) in refuted {
            self.give_up(mail_id, code, &mut changes);
        }
        if is_wanted {
            self.attest(name, Answer::Record(record), now);
            self.names.rest(name, Rest::Attested, now);
        } else {
            // A short rest only: a forged mail must not keep the name from the true one.
            self.names.rest(name, Rest::Unproven, now);
        }
        self.store.change_mails(&changes)
    }

    fn attest(&mut self, name: &DkimName, answer: Answer, now: CloseTime) {
        let signed = Attestation::sign(self.network_id, name.clone(), answer, now, &self.key);
        if let Some(attestation) = signed {
            self.attestations.insert(name.clone(), attestation);
        }
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
