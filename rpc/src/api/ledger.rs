//! Ledgers and their entries.

use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object};

use super::transaction::TxRecord;

/// Which ledger is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerChoice {
    /// The last validated one.
    Validated,
    /// The last closed one; without consensus rounds, the last validated one.
    Closed,
    /// The open one.
    Current,
    /// By index.
    Index(LedgerIndex),
    /// By hash.
    Hash(Hash256),
}

/// How much the answer holds of the ledger's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transactions {
    /// Nothing.
    Omitted,
    /// Their hashes.
    Hashes,
    /// All of them, up to [`crate::limits::PAGE_BYTES_MAX`]; refused beyond.
    Whole,
}

/// The transactions of a ledger, as far as they were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// They were not.
    Omitted,
    /// Their hashes.
    Hashes(Vec<Hash256>),
    /// All of them.
    Whole(Vec<TxRecord>),
}

/// The ledger that an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerId {
    /// A validated ledger.
    Validated {
        /// Its hash.
        hash: Hash256,
        /// Its index.
        index: LedgerIndex,
    },
    /// The open ledger.
    Open {
        /// The index it will have.
        index: LedgerIndex,
    },
}

/// An AccountRoot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAnswer {
    /// The ledger that holds it.
    pub ledger: LedgerId,
    /// The entry's key.
    pub key: Hash256,
    /// The entry.
    pub root: Object,
}

/// One entry of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryAnswer {
    /// The ledger that holds it.
    pub ledger: LedgerId,
    /// The entry; `None` where there is none.
    pub entry: Option<(Object, Vec<u8>)>,
}

/// One ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerAnswer {
    /// The open ledger.
    Open {
        /// The index it will have.
        index: LedgerIndex,
        /// Hash of its parent.
        parent_hash: Hash256,
        /// Transactions in it.
        transactions: Listed,
    },
    /// A validated ledger.
    Validated {
        /// Its header.
        header: Box<LedgerHeader>,
        /// Its transactions by position.
        transactions: Listed,
    },
}

/// The header of a validated ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHeader {
    /// Its index.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
    /// All XAH in existence.
    pub total_drops: Drops,
    /// Hash of its parent.
    pub parent_hash: Hash256,
    /// Root of the transactions.
    pub tx_hash: Hash256,
    /// Root of the state.
    pub account_hash: Hash256,
    /// Close time of its parent.
    pub parent_close_time: CloseTime,
    /// Its close time.
    pub close_time: CloseTime,
    /// Seconds that close times are rounded to.
    pub close_time_resolution: u8,
    /// Flag 1: the validators did not agree on the close time.
    pub close_flags: u8,
    /// The serialized header.
    pub raw: Vec<u8>,
}
