//! From one ledger to the next: when one is due, and what a closed one comes to.

use std::collections::BTreeSet;
use std::sync::Arc;

use amendment::{EmailId, ReadView as _};
use codec::{CloseTime, Hash256};
use ledger::dkim::Subject;
use ledger::{Closed, OpenLedger, Transaction};

use crate::chain::Chain;
use crate::commit::{Change, Commit, MailChange, Settled, SettledState};
use crate::event::{Fact, Refusal, Reply, RequestId};
use crate::limits::IDLE_CLOSE_SECS;
use crate::proposal::choose;

impl Chain {
    /// Whether the open ledger has anything to close for, or has been open for long enough.
    #[must_use]
    pub fn is_close_due(&self, now: CloseTime) -> bool {
        let state = &self.state;
        // A clock that went back does not put the next close off until it is where it was.
        state.has_work() || now.seconds().abs_diff(state.last_close.seconds()) >= IDLE_CLOSE_SECS
    }

    /// What this validator would have in the next ledger: its open ledger, and what only validators put into one.
    #[must_use]
    pub fn proposal(&self, now: CloseTime) -> Vec<Transaction> {
        self.state.candidates(&self.state.ledger, self.rules, now)
    }

    /// The next ledger as this validator would have it, closed at about this time.
    #[must_use]
    pub fn propose(&self, close_time: CloseTime) -> Closed {
        let parent = &self.state.ledger;
        let candidates = self.proposal(close_time);
        let (close_time, close_flags) = ledger::close::agreed_time(parent, close_time);
        choose(parent, candidates, close_time, close_flags)
    }

    /// What is done with after a ledger of what a quorum has spoken of: what it took up or turned down, and keys on
    /// which the validators do not agree. What another validator's ledger left out comes into a later one. Operators
    /// who do not agree about a domain have not changed their minds: what they say stands.
    fn used_subjects(&self, closed: &Closed) -> Vec<Subject> {
        let state = &self.state;
        let judged = judged_in(closed);
        let mut subjects = state.ready_subjects(&state.ledger);
        subjects.retain(|subject| {
            let set = |parent| state.attestations.key_set(subject, parent, self.network_id);
            let was_judged = set(&state.ledger).is_some_and(|set| judged.contains(&set.id()));
            let is_key = matches!(subject, Subject::Key(_));
            was_judged || (is_key && set(&closed.ledger).is_none())
        });
        subjects
    }

    /// The ledger after the last one is this. One that follows another ledger is not taken.
    pub(crate) fn close(&mut self, request: RequestId, closed: &Closed, now: CloseTime) {
        if closed.ledger.header().parent_hash != self.state.ledger.hash() {
            self.tell(request, Reply::Refused(Refusal::OutOfOrder));
            return;
        }
        let settled = validated_mails(closed);
        let mut commit = Commit::of(closed);
        commit.mails = self.mail_changes(&settled);
        commit.forget_below = self.history_ledgers.map_or(0, |kept| {
            commit.index.saturating_add(1).saturating_sub(kept.max(1))
        });
        self.change(Change::Ledger(Box::new(commit)));
        for (id, code) in &closed.dropped {
            self.log(Fact::Dropped { id: *id, code: *code });
        }
        self.adopt(closed, now);
        self.forget_gone_transactions();
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
    fn adopt(&mut self, closed: &Closed, now: CloseTime) {
        let agreed = judged_in(closed);
        let used = self.used_subjects(closed);
        let state = &mut self.state;
        Arc::make_mut(&mut state.attestations).forget(&used, &closed.ledger);
        Arc::make_mut(&mut state.ballots).forget(&closed.ledger);
        Arc::make_mut(&mut state.used_keys).follow(closed);
        Arc::make_mut(&mut state.freezes).follow(closed);
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
        state.ledger = closed.ledger.clone();
        state.last_close = now;
        self.vote_as_wanted(now);
        self.retry_mails();
        self.follow_freezes(now);
    }
}

/// Transactions about which a closed ledger says something: those in it, and those that it turned down.
fn judged_in(closed: &Closed) -> BTreeSet<Hash256> {
    let applied = closed.applied.iter().map(|applied| applied.tx_id);
    let dropped = closed.dropped.iter().map(|(id, _)| *id);
    let retry = closed.retry.iter().map(Transaction::id);
    applied.chain(dropped).chain(retry).collect()
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
