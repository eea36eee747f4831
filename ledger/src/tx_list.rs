//! Transactions in the order in which they came, in chunks that copies share.
//!
//! An open ledger of thousands is copied whenever one who reads it still has the one before.

use std::sync::Arc;

use crate::transaction::Transaction;

/// Transactions of a chunk.
const CHUNK: usize = 128;

/// A list that only grows.
#[derive(Clone, Debug, Default)]
pub struct TxList {
    full: Vec<Arc<[Transaction]>>,
    /// Fewer than a chunk.
    last: Vec<Transaction>,
}

impl TxList {
    pub(crate) fn push(&mut self, tx: Transaction) {
        self.last.push(tx);
        if self.last.len() >= CHUNK {
            self.full.push(std::mem::take(&mut self.last).into());
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full
            .len()
            .saturating_mul(CHUNK)
            .saturating_add(self.last.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full.is_empty() && self.last.is_empty()
    }

    /// All of them, the first first.
    pub fn iter(&self) -> impl Iterator<Item = &Transaction> + Clone {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(&self.last)
    }

    /// All of them, the first first.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Transaction> {
        self.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::{AccountId, Object, sf};

    fn tx(sequence: u32) -> Transaction {
        let object = Object::new()
            .with(sf::TRANSACTION_TYPE, codec::format::TxType::AccountSet.code())
            .with(sf::SEQUENCE, sequence)
            .with(sf::FEE, codec::Amount::Native(10))
            .with(sf::SIGNING_PUB_KEY, vec![0; 33])
            .with(sf::ACCOUNT, AccountId::ONE);
        Transaction::from_object(&object).expect("a transaction")
    }

    #[test]
    fn accepts_transactions_in_their_order_and_leaves_copies_as_they_are() {
        let sequences = |list: &TxList| list.iter().map(Transaction::sequence).collect::<Vec<_>>();
        let mut list = TxList::default();
        assert!(list.is_empty());
        let mut copies = Vec::new();
        for count in 0..300 {
            copies.push((count, list.clone()));
            list.push(tx(count));
        }
        for (count, copy) in copies {
            assert_eq!(copy.len(), count as usize);
            assert_eq!(copy.is_empty(), count == 0);
            assert_eq!(sequences(&copy), (0..count).collect::<Vec<_>>());
        }
    }
}
