//! What survives the process: the last validated state, all ledgers and transactions, and the mails on their way.
//!
//! One close is one atomic, durable transaction, so that a kill at any instant leaves either the old tip or the new
//! one. It knows keys and bytes, not what they mean.

mod record;
mod redb_store;

use std::path::PathBuf;

use codec::{Hash256, LedgerIndex};

pub use record::{Settled, SettledState, StoredLedger, StoredTx, WaitingMail, WaitingStage};
pub use redb_store::RedbStore;

/// Everything that one closed ledger changes.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Index of the ledger.
    pub index: u32,
    /// Its hash.
    pub hash: Hash256,
    /// Its serialized header.
    pub header: Vec<u8>,
    /// State entries as they are after it; `None` removes one.
    pub changes: Vec<(Hash256, Option<Vec<u8>>)>,
    /// Its transactions.
    pub transactions: Vec<StoredTx>,
    /// What becomes of mails with it.
    pub mails: Vec<MailChange>,
}

/// One change of the mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailChange {
    /// Keep a mail, or overwrite what is kept of it.
    Keep {
        /// Hash of the raw mail.
        mail_id: Hash256,
        /// The mail.
        mail: WaitingMail,
    },
    /// A mail waits no longer.
    Forget {
        /// Hash of the raw mail.
        mail_id: Hash256,
    },
    /// The last word about an EmailID.
    Settle {
        /// The EmailID.
        email_id: Hash256,
        /// What became of it.
        settled: Settled,
    },
}

/// The last validated ledger, with all that is needed to go on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Its index, hash and header.
    pub ledger: StoredLedger,
    /// All state entries, in key order.
    pub state: Vec<(Hash256, Vec<u8>)>,
    /// Its transactions, by position.
    pub transactions: Vec<StoredTx>,
}

/// A store of one network's ledgers.
pub trait Store: Send + Sync {
    /// The NetworkID that the store was made for; `None` in a new store.
    fn network_id(&self) -> Result<Option<u32>, StoreError>;

    /// The last validated ledger; `None` in a new store.
    fn tip(&self) -> Result<Option<Tip>, StoreError>;

    /// Write closed ledgers, in their order, durably and as a whole. The first one also fixes the network. Each has to
    /// follow the last one: what is validated is never written over.
    fn commit(&self, network_id: u32, commits: &[Commit]) -> Result<(), StoreError>;

    /// Change mails, durably and as a whole.
    fn change_mails(&self, changes: &[MailChange]) -> Result<(), StoreError>;

    /// All mails that wait, oldest first.
    fn waiting_mails(&self) -> Result<Vec<(Hash256, WaitingMail)>, StoreError>;

    /// The last word about an EmailID.
    fn settled(&self, email_id: &Hash256) -> Result<Option<Settled>, StoreError>;

    /// The first ledger of the store.
    fn first_index(&self) -> Result<Option<LedgerIndex>, StoreError>;

    /// A ledger by its index.
    fn ledger(&self, index: LedgerIndex) -> Result<Option<StoredLedger>, StoreError>;

    /// The index of a ledger, by its hash.
    fn ledger_index(&self, hash: &Hash256) -> Result<Option<LedgerIndex>, StoreError>;

    /// The transactions of a ledger, by position.
    fn transactions(&self, index: LedgerIndex) -> Result<Vec<StoredTx>, StoreError>;

    /// A transaction by its id.
    fn transaction(&self, id: &Hash256) -> Result<Option<StoredTx>, StoreError>;
}

/// Why the store does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("{path} is in use by another node; stop that one first, or give this one another data folder", path = path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error("cannot open {path}: {source}; check the folder's owner, its mode and the free space", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<redb::Error>,
    },
    /// Reading or writing failed.
    #[error("the store failed: {0}; check the disk, then start again: what was committed is kept")]
    Failed(Box<redb::Error>),
    /// The file was written by another version of the program.
    #[error("the store has format {found}, this program reads {expected}; use the version that wrote it")]
    Format {
        /// What the file says.
        found: u32,
        /// What this program reads.
        expected: u32,
    },
    /// The store belongs to another network.
    #[error(
        "the store belongs to network {stored}, not {wanted}; start with --network {stored} or another data folder"
    )]
    Network {
        /// What the store says.
        stored: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// A ledger does not follow the last one: nothing was written.
    #[error("ledger {index} does not follow ledger {tip} of the store; start the node again")]
    OutOfOrder {
        /// The last ledger of the store.
        tip: u32,
        /// The ledger that was to be written.
        index: u32,
    },
    /// A record is not what was written.
    #[error(
        "the store is damaged: a record of table '{table}' is unreadable; restore the data folder from a copy"
    )]
    Damaged {
        /// The table.
        table: &'static str,
    },
}
