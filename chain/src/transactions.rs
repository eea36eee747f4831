//! A transaction's way that somebody signed himself: into the open ledger, or held for a later one, and over restarts.

use std::sync::Arc;

use amendment::ReadView as _;
use codec::{AccountId, CloseTime, Hash256, Ter};
use ledger::{LocalRefusal, SubmitOutcome, Transaction};

use crate::chain::Chain;
use crate::commit::{Change, PendingTx, TxChange};
use crate::event::{Held, OnRetry, Refusal, Reply, TxReply, TxRequest};
use crate::peers::{Peer, Work};

impl Chain {
    /// A signed transaction came in.
    pub(crate) fn take_transaction(&mut self, request: TxRequest, now: CloseTime) {
        let reply = match self.submit(&request, now) {
            Ok(reply) => Reply::Transaction(reply),
            Err(refusal) => Reply::Refused(refusal),
        };
        self.tell(request.request, reply);
    }

    fn submit(&mut self, request: &TxRequest, now: CloseTime) -> Result<TxReply, Refusal> {
        let tx = &request.tx;
        self.state.admit(&request.peer, now)?;
        let placed = self.place(tx, request.on_retry, request.peer);
        let has_a_way =
            |(outcome, _): &(SubmitOutcome, Held)| outcome.applied || (outcome.retriable && may_wait(tx));
        if !placed.as_ref().is_ok_and(has_a_way) {
            Arc::make_mut(&mut self.state.peers).record(&request.peer, Work::Failure, now);
        }
        let (mut outcome, held) = placed.map_err(Refusal::Local)?;
        let open_ledger_cost_drops = self.state.open.cost_drops(tx);
        if outcome.ter == Ter::TER_QUEUED && held == Held::No {
            outcome.ter = match request.on_retry {
                OnRetry::Hold => Ter::TEL_CAN_NOT_QUEUE_FULL,
                OnRetry::Drop => Ter::TEL_CAN_NOT_QUEUE,
            };
            Arc::make_mut(&mut self.state.peers).record(&request.peer, Work::Failure, now);
        }
        if outcome.applied || held == Held::Yes {
            self.store_transaction(tx);
        }
        let of_account = self.state.held.of_account(tx.account());
        let after_held = of_account
            .map(|tx| tx.sequence().saturating_add(1))
            .max()
            .unwrap_or(0);
        if outcome.applied {
            self.follow(tx.account());
        }
        Ok(TxReply {
            tx: tx.clone(),
            outcome,
            held,
            open_ledger_cost_drops,
            sequence_available: outcome.account_sequence_next.max(after_held),
            validated: self.state.ledger.index(),
        })
    }

    /// Try a transaction in the open ledger, and hold it where it has to wait.
    fn place(
        &mut self,
        tx: &Transaction,
        on_retry: OnRetry,
        peer: Peer,
    ) -> Result<(SubmitOutcome, Held), LocalRefusal> {
        let outcome = Arc::make_mut(&mut self.state.open).submit_at_its_price(tx)?;
        let is_to_wait = outcome.retriable && !outcome.applied && may_wait(tx);
        if !is_to_wait || on_retry == OnRetry::Drop {
            return Ok((outcome, Held::No));
        }
        let open = self.state.open.view().ledger_index();
        let held = Arc::make_mut(&mut self.state.held).hold(tx.clone(), open, peer);
        Ok((outcome, held))
    }

    /// What waited for a transaction of this account comes into the open ledger behind it.
    fn follow(&mut self, account: AccountId) {
        if self.state.held.of_account(account).next().is_some() {
            let open = Arc::make_mut(&mut self.state.open);
            Arc::make_mut(&mut self.state.held).follow(account, open);
        }
    }

    /// What is answered to have a place, or to wait for one, is there after a restart too.
    fn store_transaction(&mut self, tx: &Transaction) {
        let (open, next_mail) = (
            self.state.open.view().ledger_index(),
            self.state.pool.next_order(),
        );
        let Some(came) = Arc::make_mut(&mut self.state.held).note(tx.id(), open, next_mail) else {
            return;
        };
        let (id, blob) = (tx.id(), tx.blob().to_vec());
        let tx = PendingTx { came, blob };
        self.change(Change::Transaction(TxChange::Keep { id, tx }));
    }

    /// Forget in the store what neither waits nor stands in the open ledger any more.
    pub(crate) fn forget_gone_transactions(&mut self) {
        for id in Arc::make_mut(&mut self.state.held).forget_gone(&self.state.open) {
            self.change(Change::Transaction(TxChange::Forget { id }));
        }
    }

    /// Take the transactions of the store back. All are held until they are tried. One that nobody can read any more
    /// is forgotten.
    pub(crate) fn restore_transactions(&mut self, transactions: Vec<(Hash256, PendingTx)>) {
        for (id, PendingTx { came, blob }) in transactions {
            // The mails of that time may be gone; those to come are behind it all the same.
            Arc::make_mut(&mut self.state.pool).go_on_at(came.next_mail);
            match Transaction::parse(&blob) {
                Ok(tx) => Arc::make_mut(&mut self.state.held).restore(tx, came),
                Err(_) => self.change(Change::Transaction(TxChange::Forget { id })),
            }
        }
    }

    /// Fill the first open ledger after a start as the one before the stop was filled: with what came for earlier
    /// ones as a close does, then with the mails and the transactions that came for it, in their order. So each has
    /// the place that it had.
    pub(crate) fn try_all_again(&mut self) {
        let index = self.state.open.view().ledger_index();
        let since = Arc::make_mut(&mut self.state.held).take_since(index);
        let open = Arc::make_mut(&mut self.state.open);
        Arc::make_mut(&mut self.state.held).retry(std::iter::empty(), open);
        let mut mails = self.state.pool.in_order().into_iter().peekable();
        for (came, tx) in since {
            while let Some((_, mail)) = mails.next_if(|(order, _)| *order < came.next_mail) {
                self.retry_mail(mail);
            }
            if self
                .place(&tx, OnRetry::Hold, Peer::Operator)
                .is_ok_and(|(outcome, _)| outcome.applied)
            {
                self.follow(tx.account());
            }
        }
        mails.for_each(|(_, mail)| self.retry_mail(mail));
        self.forget_gone_transactions();
    }
}

/// Until a mail is proven, anybody can write a transaction around it: such a one is never held, and counts as work.
fn may_wait(tx: &Transaction) -> bool {
    !tx.is_email_signed()
}
