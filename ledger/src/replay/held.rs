//! What a server does with a transaction that it cannot apply yet: it holds it, and tries it again.
//!
//! xahaud's NetworkOPs.cpp `apply` and LedgerMaster.cpp `applyHeldTransactions`.

use std::collections::BTreeMap;

use codec::{Hash256, TerClass};

use crate::close::CanonicalKey;
use crate::open_ledger::{LocalRefusal, OpenLedger, SubmitOutcome};
use crate::transaction::Transaction;

/// An open ledger with the transactions that were held because others have to come first.
pub(super) struct SubmitQueue {
    open: OpenLedger,
    held: BTreeMap<CanonicalKey, Transaction>,
    salt: Hash256,
}

impl SubmitQueue {
    /// Nothing is held. The held ones are ordered under the hash of the ledger before the parent, as xahaud
    /// leaves the order when it closed the parent.
    pub(super) fn new(open: OpenLedger) -> SubmitQueue {
        SubmitQueue {
            salt: open.parent().header().parent_hash,
            open,
            held: BTreeMap::new(),
        }
    }

    /// Submits; after a success the account's next held transaction is tried again.
    pub(super) fn submit(&mut self, tx: &Transaction) -> Result<SubmitOutcome, LocalRefusal> {
        let answer = self.open.submit(tx)?;
        let (mut last, mut ter) = (tx.clone(), answer.ter);
        // Each turn takes one out of `held`, and puts it back only as the last turn.
        loop {
            let key = CanonicalKey::of(&last, &self.salt);
            if ter.class() == TerClass::Ter {
                self.held.insert(key, last);
                break;
            }
            if !ter.is_success() {
                break;
            }
            let next = self.held.range(key.first_alike()..).next();
            let Some(key) = next
                .map(|(next, _)| *next)
                .filter(|next| next.is_of_same_account(&key))
            else {
                break;
            };
            let Some(held) = self.held.remove(&key) else { break };
            let Ok(outcome) = self.open.submit(&held) else {
                break;
            };
            (last, ter) = (held, outcome.ter);
        }
        Ok(answer)
    }

    /// What the server proposes when it closes: before that it tries everything held once more, in order.
    pub(super) fn close(mut self) -> Vec<Transaction> {
        for held in self.held.values() {
            // Whatever is said of it now, only a later ledger could ask again.
            let _ = self.open.submit(held);
        }
        self.open.accepted().to_vec()
    }
}
