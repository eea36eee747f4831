//! The tables of the file: names, key types, value types.

use redb::TableDefinition;

/// A 256-bit key or hash.
pub(super) type Key = [u8; 32];

/// Small numbers by name.
pub(super) const NUMBERS: TableDefinition<&str, u32> = TableDefinition::new("numbers");
/// State of the last validated ledger.
pub(super) const STATE: TableDefinition<&Key, &[u8]> = TableDefinition::new("state");
/// Ledgers by index: hash and header.
pub(super) const LEDGERS: TableDefinition<u32, &[u8]> = TableDefinition::new("ledgers");
/// Indexes of ledgers by hash.
pub(super) const LEDGER_HASHES: TableDefinition<&Key, u32> = TableDefinition::new("ledger_hashes");
/// Transactions by id.
pub(super) const TRANSACTIONS: TableDefinition<&Key, &[u8]> = TableDefinition::new("transactions");
/// By ledger and position: the transaction's id, and the accounts that it affects.
pub(super) const POSITIONS: TableDefinition<(u32, u32), &[u8]> = TableDefinition::new("positions");
/// Transactions by account, ledger and position.
pub(super) const ACCOUNTS: TableDefinition<(&[u8; 20], u32, u32), ()> = TableDefinition::new("account_txs");
/// By ledger: what takes the state back to its parent.
pub(super) const UNDO: TableDefinition<u32, &[u8]> = TableDefinition::new("undo");
/// Mails on their way.
pub(super) const WAITING: TableDefinition<&Key, &[u8]> = TableDefinition::new("waiting_mails");
/// Transactions on their way, by id.
pub(super) const WAITING_TXS: TableDefinition<&Key, &[u8]> = TableDefinition::new("waiting_transactions");
/// Last words about EmailIDs.
pub(super) const SETTLED: TableDefinition<&Key, &[u8]> = TableDefinition::new("settled_mails");
/// The validator's votes for amendments: 1 for, 0 against.
pub(super) const VOTES: TableDefinition<&Key, u8> = TableDefinition::new("votes");
/// What each epoch of the network began with.
pub(super) const EPOCHS: TableDefinition<u64, &[u8]> = TableDefinition::new("epochs");
/// What the operator wants of domains where the ledger says otherwise: 3 frozen, 4 lifted (spec 7.7).
pub(super) const WISHES: TableDefinition<&str, u8> = TableDefinition::new("domain_wishes");

/// The list of validators that the operator wants, and the one of the ledger when it was wanted: keys of 33 bytes, one
/// after the other. Empty where the operator wants none.
pub(super) const LIST_WISH: TableDefinition<&str, &[u8]> = TableDefinition::new("list_wish");

/// Names in the table of the wanted list.
pub(super) const WANTED: &str = "wanted";
pub(super) const INSTEAD_OF: &str = "instead_of";

/// Names in the table of numbers.
pub(super) const FORMAT: &str = "format";
pub(super) const NETWORK: &str = "network_id";
pub(super) const TIP: &str = "tip";

/// The format that this program writes.
pub(super) const FORMAT_VERSION: u32 = 2;
