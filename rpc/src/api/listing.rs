//! Questions and answers about an account's transactions.

use codec::{AccountId, LedgerIndex};

use super::ledger::LedgerChoice;
use super::transaction::TxRecord;

/// Which transactions of an account are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountTxQuery {
    /// The account.
    pub account: AccountId,
    /// Which ledgers.
    pub ledgers: LedgerRange,
    /// Which transactions come first.
    pub order: TxOrder,
    /// Transactions on the page at most.
    pub limit: usize,
    /// Where the page begins; `None`: at the end of the range that the order begins with.
    pub marker: Option<TxMarker>,
}

/// The ledgers to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerRange {
    /// From one to another, both included; `None` is the first or the last one of the store.
    Between(Option<LedgerIndex>, Option<LedgerIndex>),
    /// One ledger.
    One(LedgerChoice),
}

/// Order of a page of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxOrder {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// The place of a transaction where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxMarker {
    /// The ledger.
    pub ledger: LedgerIndex,
    /// The position there.
    pub position: u32,
}

/// A page of an account's transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTxAnswer {
    /// First ledger that was searched.
    pub first: LedgerIndex,
    /// Last ledger that was searched.
    pub last: LedgerIndex,
    /// The transactions, all validated.
    pub transactions: Vec<TxRecord>,
    /// Where the next page begins, if there is one.
    pub marker: Option<TxMarker>,
}
