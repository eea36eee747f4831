//! What the answers of DNS come to: attestations of this validator, or a name that rests.
//!
//! Nothing here decides about a key: the ledger counts attestations. Spec: 7.2, 7.3, 7.5.

use std::sync::Arc;

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use codec::{CloseTime, Ter, sf};
use ledger::dkim::{self, Answer, Attestation, Statement, Subject};
use ledger::limits::ATTESTATION_AGE_SECS_MAX;

use crate::chain::Chain;
use crate::event::{Fact, KeyFinding};
use crate::key_change::KeyChange;
use crate::mail_pool::{PooledMail, Proof};
use crate::names::Silence;
use crate::used_keys::is_live;

impl Chain {
    /// Keys in use that are due to be asked for again, by the time of the last ledger.
    pub(crate) fn renewals(&mut self, now: CloseTime) -> Vec<KeyName> {
        let state = &self.state;
        let due: Vec<KeyName> = state
            .used_keys
            .due(state.ledger.close_time())
            .filter_map(|key| state.ledger.entry(key))
            .filter_map(|entry| KeyName::new(entry.blob(sf::DOMAIN)?, entry.blob(sf::SELECTOR)?))
            .collect();
        let validator = self.key.public_key();
        let mut begun = Vec::new();
        for name in due {
            if !self.state.attestations.has_key(&name, &validator) && self.names.begin_renewal(&name, now) {
                begun.push(name);
            }
        }
        begun
    }

    /// A look-up has ended. What waited for the name is told apart from forgeries now, or goes; the next name
    /// gets the place.
    pub(crate) fn take_finding(&mut self, name: &KeyName, finding: KeyFinding, now: CloseTime) {
        self.names.end(name);
        match finding {
            KeyFinding::Usable(found) => self.take_key(name, found, now),
            KeyFinding::Unusable => self.take_no_key(name, Answer::Unusable, now),
            KeyFinding::Absent => self.take_no_key(name, Answer::Absent, now),
            KeyFinding::NoAnswer => {
                self.log(Fact::NoAnswer(name.clone()));
                if self.names.rest_silent(name, now) == Silence::GivenUp {
                    self.give_up_waiting(name);
                }
            }
        }
        self.want_names();
    }

    /// There is no usable record. Only a key that the ledger has can be revoked; an unknown name uses no
    /// slot. What waits for it goes.
    fn take_no_key(&mut self, name: &KeyName, answer: Answer, now: CloseTime) {
        if self.is_known(name) {
            self.attest_answer(name, answer, now);
        }
        self.log(Fact::NoUsableRecord(name.clone()));
        self.names.rest_absent(name, now);
        self.give_up_waiting(name);
    }

    /// Nothing proves what waits for a name, and nothing refutes it: whoever has the mail can hand it in
    /// again.
    fn give_up_waiting(&mut self, name: &KeyName) {
        for mail_id in self.state.pool.waiting_for(name) {
            self.give_up(mail_id, Ter::TER_NO_DKIM_KEY);
        }
    }

    /// The record is that of a leaked key: it proves nothing, and ends what the ledger has under the name. Spec: 7.9
    fn take_leaked(&mut self, name: &KeyName, found: &PublishedKey, now: CloseTime) {
        if self.is_known(name) {
            self.attest_answer(name, Answer::Record(found.text().to_vec()), now);
        }
        self.names.rest_absent(name, now);
        for mail_id in self.state.pool.waiting_for(name) {
            self.give_up(mail_id, Ter::TEF_DKIM_REVOKED);
        }
    }

    /// There is a usable record. It is attested if a waiting mail verifies under it, or if the ledger has the
    /// key. What does not verify goes.
    fn take_key(&mut self, name: &KeyName, found: PublishedKey, now: CloseTime) {
        if self.state.ledger.entry(&found.key().leak_keylet()).is_some() {
            self.take_leaked(name, &found, now);
            return;
        }
        let mut is_wanted = self.is_known(name);
        for mail_id in self.state.pool.waiting_for(name) {
            let Some(mail) = self.state.pool.mail(&mail_id).map(Arc::clone) else {
                continue;
            };
            if self.verifies(&mail.pending.raw, name, &found, now) {
                is_wanted = true;
                let proven = PooledMail {
                    proof: Proof::Record,
                    ..PooledMail::clone(&mail)
                };
                Arc::make_mut(&mut self.state.pool).replace(mail_id, proven);
            } else {
                self.give_up(mail_id, Ter::TEF_BAD_SIGNATURE);
            }
        }
        if is_wanted {
            self.attest_record(name, &found, now);
        } else {
            self.names.rest_unproven(name, found, now);
        }
    }

    /// Attest a record that was seen a moment ago, unless the ledger waits for it to be seen again later.
    pub(crate) fn attest_record(&mut self, name: &KeyName, found: &PublishedKey, seen: CloseTime) {
        let entry = self.state.ledger.entry(&name.keylet());
        if entry.is_some_and(|entry| dkim::is_waiting_for(&entry, found.key(), seen)) {
            self.names.rest_attested(name, found.clone(), seen);
            return;
        }
        self.attest_answer(name, Answer::Record(found.text().to_vec()), seen);
        self.names.rest_attested(name, found.clone(), seen);
    }

    /// Say what DNS told about a key.
    fn attest_answer(&mut self, name: &KeyName, answer: Answer, seen: CloseTime) {
        if let Some(change) = KeyChange::of(&self.state.ledger, name, &answer) {
            let name = name.clone();
            self.log(Fact::KeyChange { name, change });
        }
        self.attest(Statement::Key(name.clone(), answer), seen);
    }

    /// Sign a word and remember it for the others. Where the clock lags far behind the ledger's time, it bears that
    /// time: it was said after that ledger, and an earlier one would not count. Spec: 7.7
    pub(crate) fn attest(&mut self, statement: Statement, seen: CloseTime) {
        let ledger_time = self.state.ledger.close_time();
        let lag_secs = ledger_time.seconds().saturating_sub(seen.seconds());
        let observed_at = if lag_secs > ATTESTATION_AGE_SECS_MAX / 2 {
            ledger_time
        } else {
            seen
        };
        // Each mail that a record proves leads here; it is said once.
        let last = self
            .state
            .attestations
            .word(&statement.subject(), &self.key.public_key());
        if last.is_some_and(|word| word.statement == statement && word.observed_at == observed_at) {
            return;
        }
        let signed = Attestation::of(self.network_id, statement, observed_at, &self.key);
        if let Some(attestation) = signed {
            Arc::make_mut(&mut self.state.attestations).insert(attestation);
        }
    }

    /// Another validator's word. It counts where the ledger lists that validator. Whoever is renewed by another is in
    /// use: a validator that has just started does not know it by itself. Spec: 7.2, 7.4
    pub(crate) fn take_attestation(&mut self, attestation: Attestation) {
        let (subject, speaker) = (attestation.statement.subject(), attestation.public_key);
        if self.state.attestations.word(&subject, &speaker) == Some(&attestation) {
            return;
        }
        let entry = self.state.ledger.entry(&subject.keylet());
        let may_count = dkim::may_count(&attestation, entry.as_ref(), self.state.ledger.close_time());
        let listed = dkim::validators(&self.state.ledger);
        if may_count && listed.contains(&speaker) && attestation.is_good(self.network_id) {
            if let Subject::Key(name) = &subject {
                Arc::make_mut(&mut self.state.used_keys).note(name, &self.state.ledger);
            }
            Arc::make_mut(&mut self.state.attestations).insert(attestation);
            self.want_names();
        }
    }

    /// Whether the ledger has an entry of a name that is not revoked.
    fn is_known(&self, name: &KeyName) -> bool {
        self.state
            .ledger
            .entry(&name.keylet())
            .as_ref()
            .is_some_and(is_live)
    }
}
