//! What survives the process: the last validated state, all ledgers and transactions, and the mails and
//! transactions on their way.
//!
//! One close is one atomic, durable transaction, so that a kill at any instant leaves either the old tip or
//! the new one. It knows keys and bytes, not what they mean.

mod record;
mod redb_store;
mod tables;
mod writes;

use std::path::PathBuf;

use chain::Wishes;
use codec::{AccountId, Hash256, LedgerIndex};

pub use chain::commit::{
    Came, Change, Commit, ListWish, MailChange, MailStage, PendingMail, PendingTx, Settled, SettledState,
    StateChange, StoredTx, TxChange, Vote,
};
pub use record::StoredLedger;
pub use redb_store::RedbStore;

/// Which transactions of an account are asked for: all whose place lies between the two, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRange {
    /// The account.
    pub account: AccountId,
    /// First ledger and position.
    pub first: (u32, u32),
    /// Last ledger and position.
    pub last: (u32, u32),
    /// Which of them come first.
    pub order: Order,
    /// How many are wanted at most.
    pub count_max: usize,
    /// How many bytes they may have in all; the first one is given whatever it has.
    pub bytes_max: usize,
}

/// Transactions of an account, and the place of the next one if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// The transactions.
    pub transactions: Vec<StoredTx>,
    /// Ledger and position where the next page begins.
    pub next: Option<(u32, u32)>,
}

/// Order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// The last validated ledger, but for its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Its index, hash and header.
    pub ledger: StoredLedger,
    /// Its transactions, by position.
    pub transactions: Vec<StoredTx>,
}

/// A store of one network's ledgers.
pub trait Store: Send + Sync {
    /// The NetworkID that the store was made for; `None` in a new store.
    fn network_id(&self) -> Result<Option<u32>, StoreError>;

    /// The last validated ledger; `None` in a new store.
    fn tip(&self) -> Result<Option<Tip>, StoreError>;

    /// Hand over all state entries of the last validated ledger, in key order.
    fn read_state(&self, take: &mut dyn FnMut(Hash256, &[u8])) -> Result<(), StoreError>;

    /// Write changes in their order, durably and as a whole. The first ledger also fixes the network. Each
    /// ledger has to follow the last one: what is validated is never written over.
    fn write(&self, network_id: u32, changes: &[Change]) -> Result<(), StoreError>;

    /// All mails that wait, oldest first.
    fn waiting_mails(&self) -> Result<Vec<(Hash256, PendingMail)>, StoreError>;

    /// All transactions on their way, each by its id.
    fn waiting_transactions(&self) -> Result<Vec<(Hash256, PendingTx)>, StoreError>;

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

    /// The ids of a ledger's transactions, by position.
    fn transaction_ids(&self, index: LedgerIndex) -> Result<Vec<Hash256>, StoreError>;

    /// A transaction by its id.
    fn transaction(&self, id: &Hash256) -> Result<Option<StoredTx>, StoreError>;

    /// Transactions that affect an account.
    fn account_transactions(&self, range: &AccountRange) -> Result<AccountPage, StoreError>;

    /// What takes the state of a ledger back to that of its parent; `None` where that is not known any more.
    fn undo(&self, index: LedgerIndex) -> Result<Option<Vec<StateChange>>, StoreError>;

    /// Take all ledgers after this one back, durably and as a whole.
    fn roll_back(&self, to: LedgerIndex) -> Result<(), StoreError>;

    /// What each epoch of the network began with, by its number.
    fn epochs(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// Remember what an epoch begins with, durably.
    fn begin_epoch(&self, epoch: u64, start: &[u8]) -> Result<(), StoreError>;

    /// The validator's votes about amendments.
    fn votes(&self) -> Result<Vec<(Hash256, Vote)>, StoreError>;

    /// What the operator wants of domains where the ledger says otherwise.
    fn wishes(&self) -> Result<Wishes, StoreError>;

    /// The list of validators that the operator wants instead of the ledger's.
    fn list_wish(&self) -> Result<Option<ListWish>, StoreError>;
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
    /// The file is there, but it is no store any more.
    #[error("{path} is damaged: {source}; restore the data folder from a copy, or move it away and start a new ledger", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<redb::Error>,
    },
    /// The file is not what was written.
    #[error("the store is damaged: {0}; restore the data folder from a copy")]
    Corrupted(String),
    /// Reading or writing failed.
    #[error("the store failed: {0}; check the disk, then start again: what was committed is kept")]
    Failed(Box<redb::Error>),
    /// There is no room on the disk. Nothing was written, and what was there before is whole.
    #[error(
        "the disk of the data folder is full: {0}; free some space: the node then continues automatically"
    )]
    Full(std::io::Error),
    /// The way back to a ledger is not in the store.
    #[error("the store cannot go back to ledger {index}: it can undo only the last few ledgers")]
    NoWayBack {
        /// The ledger.
        index: u32,
    },
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
