//! From one ledger to the next: what a validator proposes, and what a closed set comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amendment::{EmailId, KeyName, ReadView as _};
use codec::{CloseTime, Hash256};
use ledger::dkim;
use ledger::{Closed, OpenLedger, Transaction};

use crate::chain::Chain;
use crate::commit::{Change, Commit, MailChange, Settled, SettledState};
use crate::event::{Fact, Reply, RequestId};
use crate::limits::{IDLE_CLOSE_SECS, REMOVAL_SCAN_LEDGERS, REMOVALS_PER_LEDGER_MAX};
use crate::rules;
use crate::votes;

impl Chain {
    /// Whether the open ledger has anything to close for, or has been open for long enough.
    #[must_use]
    pub fn is_close_due(&self, now: CloseTime) -> bool {
        let state = &self.state;
        let has_work = !state.open.accepted().is_empty() || !self.ready_names().is_empty();
        // A clock that went back does not put the next close off until it is where it was.
        has_work || now.seconds().abs_diff(state.last_close.seconds()) >= IDLE_CLOSE_SECS
    }

    /// The set that this validator proposes for the next ledger: its open ledger, and what only validators
    /// put into one.
    ///
    /// A mail is judged by the time of the last ledger. Where that is long ago, since the node was away, its key may
    /// have ended meanwhile: such a mail waits for the ledger after this one, which knows the time. Spec: 7.3
    #[must_use]
    pub fn proposal(&self, now: CloseTime) -> Vec<Transaction> {
        let mut has_ended: BTreeMap<&KeyName, bool> = BTreeMap::new();
        let mut transactions = Vec::new();
        for tx in self.state.open.accepted().iter() {
            let waits = tx.dkim_key().is_some_and(|name| {
                let ended = || !rules::has_key(&self.state.ledger, name, now);
                *has_ended.entry(name).or_insert_with(ended)
            });
            if !waits {
                transactions.push(tx.clone());
            }
        }
        transactions.extend(self.validator_transactions());
        transactions
    }

    /// DKIMKeySets of the attestations on which a quorum agrees, the removal of keys that nobody renewed, and
    /// what the votes about amendments come to. Spec: 7.2, 7.4
    fn validator_transactions(&self) -> Vec<Transaction> {
        let state = &self.state;
        let mut sets: Vec<Transaction> = self
            .ready_names()
            .iter()
            .filter_map(|name| state.attestations.key_set(name, &state.ledger, self.network_id))
            .collect();
        if state.ledger.index().get().is_multiple_of(REMOVAL_SCAN_LEDGERS) {
            sets.extend(dkim::build_removals(&state.ledger, REMOVALS_PER_LEDGER_MAX));
        }
        sets.extend(votes::changes(&state.ledger, &state.votes, self.majority_secs));
        sets
    }

    /// Names whose attestations the next ledger takes up.
    fn ready_names(&self) -> Vec<KeyName> {
        self.state.attestations.ready(self.state.quorum())
    }

    /// The next ledger consists of these transactions.
    pub(crate) fn close(
        &mut self,
        request: RequestId,
        transactions: Vec<Transaction>,
        close_time: CloseTime,
    ) {
        let agreed: BTreeSet<Hash256> = transactions.iter().map(Transaction::id).collect();
        let closed = ledger::close(&self.state.ledger, transactions, close_time);
        let settled = validated_mails(&closed);
        let mut commit = Commit::of(&closed);
        commit.mails = self.mail_changes(&settled);
        commit.forget_below = self.history_ledgers.map_or(0, |kept| {
            commit.index.saturating_add(1).saturating_sub(kept.max(1))
        });
        self.change(Change::Ledger(Box::new(commit)));
        for (id, code) in &closed.dropped {
            self.log(Fact::Dropped { id: *id, code: *code });
        }
        self.adopt(closed, &agreed, close_time);
        self.want_names();
        let next = self.state.open.view().ledger_index();
        self.tell(request, Reply::Closed { next });
    }

    /// What becomes of the mails of EmailIDs that a ledger validates.
    fn mail_changes(&mut self, settled: &[(Hash256, Settled)]) -> Vec<MailChange> {
        let pool = Arc::make_mut(&mut self.state.pool);
        let mut changes = Vec::new();
        for (email_id, settled) in settled {
            changes.push(MailChange::Settle {
                email_id: *email_id,
                settled: *settled,
            });
            for mail_id in pool.of_email(email_id) {
                pool.remove(&mail_id);
                changes.push(MailChange::Forget { mail_id });
            }
        }
        changes
    }

    /// Go on from a closed ledger.
    fn adopt(&mut self, closed: Closed, agreed: &BTreeSet<Hash256>, now: CloseTime) {
        let (used, quorum) = (self.ready_names(), self.state.quorum());
        let state = &mut self.state;
        Arc::make_mut(&mut state.attestations).forget(&used, quorum, &closed.ledger);
        Arc::make_mut(&mut state.used_keys).follow(&closed);
        let mut open = OpenLedger::new(&closed.ledger);
        // What the others did not agree on comes into the next ledger. Mails are not held: they are wrapped again.
        let left_out = state
            .open
            .accepted()
            .iter()
            .filter(|tx| !agreed.contains(&tx.id()));
        let again = closed
            .retry
            .iter()
            .chain(left_out)
            .filter(|tx| !tx.is_email_signed());
        Arc::make_mut(&mut state.held).retry(again.cloned(), &mut open);
        state.open = Arc::new(open);
        state.ledger = closed.ledger;
        state.last_close = now;
        self.retry_mails();
    }
}

/// EmailIDs that a closed ledger validates.
fn validated_mails(closed: &Closed) -> Vec<(Hash256, Settled)> {
    let ledger_index = closed.ledger.index();
    let settled = closed.applied.iter().filter_map(|applied| {
        let settled = Settled {
            state: SettledState::Validated { ledger_index },
            code: applied.ter.code(),
            hash: applied.tx_id,
        };
        Some((applied.email_id.as_ref().map(EmailId::hash)?, settled))
    });
    settled.collect()
}
