//! Key-signed transactions that a later ledger may take, tried again as xahaud tries its local transactions
//! (LocalTxs.cpp).

use amendment::ReadView as _;
use codec::{AccountId, Hash256, LedgerIndex, sf};
use ledger::{OpenLedger, Transaction};

use crate::event::Held;
use crate::limits::{HELD_BYTES_MAX, HELD_LEDGERS, HELD_MAX, HELD_PER_ACCOUNT_MAX};

/// A held transaction.
#[derive(Debug, Clone)]
struct Entry {
    tx: Transaction,
    /// Once a later ledger than this is closed, it is dropped.
    until: u32,
}

impl Entry {
    /// For the ledgers after the open one, and no longer than the transaction itself allows.
    fn new(tx: Transaction, open: LedgerIndex) -> Self {
        let until = open.get().saturating_add(HELD_LEDGERS);
        let last = tx.object().u32(sf::LAST_LEDGER_SEQUENCE);
        let last = last.map_or(until, |last| last.saturating_add(1));
        Self {
            tx,
            until: until.min(last),
        }
    }

    /// By account; Sequences before tickets, as a ticket may come from one of them.
    fn order(&self) -> (AccountId, Option<u32>, u32, Hash256) {
        let ticket = self.tx.ticket().filter(|_| self.tx.sequence() == 0);
        (self.tx.account(), ticket, self.tx.sequence(), self.tx.id())
    }
}

/// All held transactions.
#[derive(Debug, Clone, Default)]
pub struct HeldTransactions(Vec<Entry>);

impl HeldTransactions {
    /// Hold a transaction that came for this open ledger, if there is room.
    pub(crate) fn hold(&mut self, tx: Transaction, open: LedgerIndex) -> Held {
        if self.transaction(&tx.id()).is_some() {
            return Held::Yes;
        }
        let of_account = self.of_account(tx.account()).count();
        let bytes = self.0.iter().map(|entry| entry.tx.blob().len());
        let bytes = bytes.chain([tx.blob().len()]).fold(0, usize::saturating_add);
        if self.0.len() >= HELD_MAX || of_account >= HELD_PER_ACCOUNT_MAX || bytes > HELD_BYTES_MAX {
            return Held::No;
        }
        self.0.push(Entry::new(tx, open));
        Held::Yes
    }

    /// How many are held.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Transaction> {
        self.0.iter().map(|entry| &entry.tx)
    }

    /// Those of an account, for its next free sequence.
    pub(crate) fn of_account(&self, account: AccountId) -> impl Iterator<Item = &Transaction> {
        self.0
            .iter()
            .map(|entry| &entry.tx)
            .filter(move |tx| tx.account() == account)
    }

    /// One of them.
    #[must_use]
    pub fn transaction(&self, id: &Hash256) -> Option<&Transaction> {
        self.0.iter().map(|entry| &entry.tx).find(|tx| tx.id() == *id)
    }

    /// A transaction of this account got a place: those that waited for it follow at once (NetworkOPs.cpp
    /// `popAcctTransaction`).
    pub(crate) fn follow(&mut self, account: AccountId, open: &mut OpenLedger) {
        let (mut waiting, others): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|entry| entry.tx.account() == account);
        waiting.sort_by_key(Entry::order);
        waiting.retain(|entry| may_succeed_later(open, &entry.tx));
        self.0 = others;
        self.0.append(&mut waiting);
    }

    /// Try all of them and `more` in a new open ledger, lower sequences first; hold on to those that may
    /// still succeed and whose time has not passed.
    pub(crate) fn retry(&mut self, more: impl Iterator<Item = Transaction>, open: &mut OpenLedger) {
        let index = open.view().ledger_index();
        let closed = open.parent().index().get();
        let mut waiting = std::mem::take(&mut self.0);
        waiting.extend(more.map(|tx| Entry::new(tx, index)));
        waiting.sort_by_key(Entry::order);
        for entry in waiting {
            let is_to_wait = may_succeed_later(open, &entry.tx);
            if is_to_wait && closed <= entry.until && self.0.len() < HELD_MAX {
                self.0.push(entry);
            }
        }
    }
}

/// Tries a transaction; true where it gets no place and a later ledger may take it.
fn may_succeed_later(open: &mut OpenLedger, tx: &Transaction) -> bool {
    let outcome = open.submit_at_its_price(tx);
    outcome.is_ok_and(|outcome| outcome.retriable && !outcome.applied)
}
