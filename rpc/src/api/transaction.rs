//! Transactions: handed in, and as the store has them.

use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object, Ter};

use super::mail_status::MailStatus;

/// A transaction and its serialization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxBlob {
    /// The fields.
    pub tx: Object,
    /// The canonical serialization.
    pub blob: Vec<u8>,
    /// The transaction's id.
    pub hash: Hash256,
}

/// What the node does with a transaction that a later ledger may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRetry {
    /// Hold it and try it again.
    Hold,
    /// Forget it (`fail_hard`).
    Drop,
}

/// What `submit` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitAnswer {
    /// The transaction.
    pub wrapped: TxBlob,
    /// The result against the open ledger.
    pub engine: Ter,
    /// Whether the transaction is in the open ledger.
    pub applied: bool,
    /// Whether the node retries it in later ledgers.
    pub kept: bool,
    /// The account's next sequence, with all of the open ledger.
    pub account_sequence_next: u32,
    /// The account's next sequence, with the held transactions too.
    pub account_sequence_available: u32,
    /// What the cheapest transaction costs now.
    pub open_ledger_cost: Drops,
    /// The last validated ledger.
    pub validated_ledger_index: LedgerIndex,
}

/// How a transaction is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxKey {
    /// By its hash.
    Hash(Hash256),
    /// By the EmailID of its mail (spec 8.1).
    Email(Hash256),
}

/// A transaction, or a mail that is on its way to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxAnswer {
    /// The transaction, if there is one.
    pub record: Option<TxRecord>,
    /// What became of the mail, where the question was about a mail.
    pub mail: Option<(Hash256, MailStatus)>,
}

/// A transaction as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxRecord {
    /// The transaction.
    pub wrapped: TxBlob,
    /// Where it is validated; `None` while it is in the open ledger only.
    pub validated: Option<TxPlace>,
}

/// Where and how a transaction was validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxPlace {
    /// The ledger.
    pub ledger_index: LedgerIndex,
    /// Position in the ledger.
    pub tx_index: u32,
    /// Close time of the ledger.
    pub close_time: CloseTime,
    /// NetworkID, for the CTID.
    pub network_id: u32,
    /// Metadata.
    pub meta: Object,
    /// Serialized metadata.
    pub meta_blob: Vec<u8>,
}
