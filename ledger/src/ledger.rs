//! A closed ledger: header, state, transactions. Cheap to clone, never changed.

use std::sync::Arc;

use amendment::KeyCache;
use codec::{CloseTime, Hash256, LedgerIndex, Object};

use crate::header::Header;
use crate::state_map::{StateMap, TxMap};

/// A closed ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    header: Header,
    state: StateMap,
    txs: TxMap,
    /// DKIM keys that were checked before, handed from ledger to ledger. Saves work, changes no answer.
    key_cache: Arc<KeyCache>,
}

/// Why parts make no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The state does not hash to the header's account_hash.
    #[error("the state hashes to {computed}, the header says {stated}")]
    AccountHash {
        /// Root of the given state.
        computed: Hash256,
        /// What the header says.
        stated: Hash256,
    },
    /// The transactions do not hash to the header's transaction_hash.
    #[error("the transactions hash to {computed}, the header says {stated}")]
    TransactionHash {
        /// Root of the given transactions.
        computed: Hash256,
        /// What the header says.
        stated: Hash256,
    },
}

impl Ledger {
    /// Puts a stored ledger together again; both roots have to be those of the header.
    pub fn from_parts(header: Header, state: StateMap, txs: TxMap) -> Result<Ledger, LedgerError> {
        let computed = state.root_hash();
        if computed != header.account_hash {
            return Err(LedgerError::AccountHash {
                computed,
                stated: header.account_hash,
            });
        }
        let computed = txs.root_hash();
        if computed != header.tx_hash {
            return Err(LedgerError::TransactionHash {
                computed,
                stated: header.tx_hash,
            });
        }
        Ok(Ledger::assemble(header, state, txs))
    }

    /// A ledger whose roots were just computed, or which stands in for one (a replay's parent without
    /// transactions).
    pub(crate) fn assemble(header: Header, state: StateMap, txs: TxMap) -> Ledger {
        Ledger {
            header,
            state,
            txs,
            key_cache: Arc::default(),
        }
    }

    /// The same ledger with the checked keys of its parent.
    #[must_use]
    pub(crate) fn with_keys_of(self, parent: &Ledger) -> Ledger {
        Ledger {
            key_cache: Arc::clone(&parent.key_cache),
            ..self
        }
    }

    /// DKIM keys that were checked before.
    pub(crate) fn key_cache(&self) -> &KeyCache {
        &self.key_cache
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The ledger hash.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        self.header.hash()
    }

    /// Number of the ledger.
    #[must_use]
    pub fn index(&self) -> LedgerIndex {
        self.header.index
    }

    /// Close time of the ledger.
    #[must_use]
    pub fn close_time(&self) -> CloseTime {
        self.header.close_time
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &StateMap {
        &self.state
    }

    /// The transactions with their metadata, by id.
    #[must_use]
    pub fn transactions(&self) -> &TxMap {
        &self.txs
    }

    /// A state entry, decoded; `None` where absent or of a type that cannot be read.
    #[must_use]
    pub fn entry(&self, key: &Hash256) -> Option<Object> {
        codec::decode(self.state.entry(key)?).ok()
    }
}
