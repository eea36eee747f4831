//! Key-signed transactions that a later ledger may take.

use codec::{AccountId, Hash256};
use ledger::{OpenLedger, Transaction};

use crate::event::Held;
use crate::limits::{HELD_BYTES_MAX, HELD_MAX, HELD_PER_ACCOUNT_MAX, HELD_TRIES_MAX};

/// A held transaction.
#[derive(Debug, Clone)]
struct Entry {
    tx: Transaction,
    tries: u32,
}

/// All held transactions.
#[derive(Debug, Clone, Default)]
pub struct HeldTransactions(Vec<Entry>);

impl HeldTransactions {
    /// Hold a transaction, if there is room.
    pub(crate) fn hold(&mut self, tx: Transaction) -> Held {
        if self.transaction(&tx.id()).is_some() {
            return Held::Yes;
        }
        let of_account = self.of_account(tx.account()).count();
        let bytes = self.0.iter().map(|entry| entry.tx.blob().len());
        let bytes = bytes.chain([tx.blob().len()]).fold(0, usize::saturating_add);
        if self.0.len() >= HELD_MAX || of_account >= HELD_PER_ACCOUNT_MAX || bytes > HELD_BYTES_MAX {
            return Held::No;
        }
        self.0.push(Entry { tx, tries: 0 });
        Held::Yes
    }

    /// How many are held.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
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

    /// Try all of them and `more` in a new open ledger, lower sequences first; hold on to those that may
    /// still succeed.
    pub(crate) fn retry(&mut self, more: impl Iterator<Item = Transaction>, open: &mut OpenLedger) {
        let mut waiting = std::mem::take(&mut self.0);
        waiting.extend(more.map(|tx| Entry { tx, tries: 0 }));
        waiting.sort_by_key(|entry| (entry.tx.account(), entry.tx.sequence()));
        for entry in waiting {
            let tries = entry.tries.saturating_add(1);
            let outcome = open.submit(&entry.tx);
            let may_succeed = outcome.is_ok_and(|outcome| outcome.retriable && !outcome.applied);
            if may_succeed && tries < HELD_TRIES_MAX && self.0.len() < HELD_MAX {
                self.0.push(Entry { tx: entry.tx, tries });
            }
        }
    }
}
