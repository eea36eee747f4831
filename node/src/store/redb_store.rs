//! The store in one redb file.

use std::fs;
use std::path::Path;

use codec::{Hash256, LedgerIndex};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    WriteTransaction,
};

use super::{Commit, MailChange, Settled, Store, StoreError, StoredLedger, StoredTx, Tip, WaitingMail};
use crate::limits::STORE_CACHE_BYTES;

type Key = [u8; 32];

const NUMBERS: TableDefinition<&str, u32> = TableDefinition::new("numbers");
const STATE: TableDefinition<&Key, &[u8]> = TableDefinition::new("state");
const LEDGERS: TableDefinition<u32, &[u8]> = TableDefinition::new("ledgers");
const LEDGER_HASHES: TableDefinition<&Key, u32> = TableDefinition::new("ledger_hashes");
const TRANSACTIONS: TableDefinition<&Key, &[u8]> = TableDefinition::new("transactions");
const POSITIONS: TableDefinition<(u32, u32), &Key> = TableDefinition::new("positions");
const WAITING: TableDefinition<&Key, &[u8]> = TableDefinition::new("waiting_mails");
const SETTLED: TableDefinition<&Key, &[u8]> = TableDefinition::new("settled_mails");

/// Names in the table of numbers.
const FORMAT: &str = "format";
const NETWORK: &str = "network_id";
const TIP: &str = "tip";

/// The format that this program writes.
const FORMAT_VERSION: u32 = 1;

/// The store in one redb file.
#[derive(Debug)]
pub struct RedbStore {
    database: Database,
}

impl RedbStore {
    /// Open the store at `path`, or make a new one there.
    ///
    /// A new file gets its name only when it is complete, so that a kill meanwhile leaves nothing half made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            let database = builder().open(path).map_err(|error| open_error(path, error))?;
            return Self::prepare(database);
        }
        let unfinished = path.with_extension("new");
        if unfinished.exists() {
            fs::remove_file(&unfinished).map_err(|error| io_error(path, error))?;
        }
        let database = builder()
            .create(&unfinished)
            .map_err(|error| open_error(path, error))?;
        let store = Self::prepare(database)?;
        fs::rename(&unfinished, path).map_err(|error| io_error(path, error))?;
        if let Some(folder) = path.parent() {
            fs::File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| io_error(path, error))?;
        }
        Ok(store)
    }

    /// A store that ends with the process, for tests.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::on_backend(redb::backends::InMemoryBackend::new())
    }

    /// A store on a backend of the caller's, for tests that cut its writes.
    pub fn on_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = builder().create_with_backend(backend).map_err(failed)?;
        Self::prepare(database)
    }

    /// Make the tables and check the format.
    fn prepare(database: Database) -> Result<Self, StoreError> {
        let store = Self { database };
        let found = store.format()?;
        if let Some(found) = found.filter(|found| *found != FORMAT_VERSION) {
            return Err(StoreError::Format {
                found,
                expected: FORMAT_VERSION,
            });
        }
        if found.is_none() {
            store
                .make_tables()
                .map_err(|error| StoreError::Failed(Box::new(error)))?;
        }
        Ok(store)
    }

    fn format(&self) -> Result<Option<u32>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        match reading.open_table(NUMBERS) {
            Ok(numbers) => Ok(numbers.get(FORMAT).map_err(failed)?.map(|found| found.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn make_tables(&self) -> Result<(), redb::Error> {
        let writing = self.database.begin_write()?;
        {
            writing.open_table(STATE)?;
            writing.open_table(LEDGERS)?;
            writing.open_table(LEDGER_HASHES)?;
            writing.open_table(TRANSACTIONS)?;
            writing.open_table(POSITIONS)?;
            writing.open_table(WAITING)?;
            writing.open_table(SETTLED)?;
            writing.open_table(NUMBERS)?.insert(FORMAT, FORMAT_VERSION)?;
        }
        writing.commit()?;
        Ok(())
    }

    fn number(&self, name: &str) -> Result<Option<u32>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let numbers = reading.open_table(NUMBERS).map_err(failed)?;
        Ok(numbers.get(name).map_err(failed)?.map(|number| number.value()))
    }

    fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let run = || {
            let writing = self.database.begin_write()?;
            change(&writing)?;
            writing.commit()?;
            Ok(())
        };
        // The crash test follows these two lines to aim its kills.
        tracing::trace!("commit begins");
        let written = run().map_err(|error: redb::Error| StoreError::Failed(Box::new(error)));
        tracing::trace!("commit ends");
        written
    }

    /// Look one record up and read it.
    fn record<T>(
        &self,
        table: TableDefinition<&Key, &[u8]>,
        name: &'static str,
        key: &Hash256,
        decode: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let opened = reading.open_table(table).map_err(failed)?;
        let Some(found) = opened.get(key.as_bytes()).map_err(failed)? else {
            return Ok(None);
        };
        decode(found.value())
            .map(Some)
            .ok_or(StoreError::Damaged { table: name })
    }

    fn state(&self) -> Result<Vec<(Hash256, Vec<u8>)>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let state = reading.open_table(STATE).map_err(failed)?;
        let mut entries = Vec::new();
        for entry in state.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            entries.push((Hash256::new(*key.value()), value.value().to_vec()));
        }
        Ok(entries)
    }
}

impl Store for RedbStore {
    fn network_id(&self) -> Result<Option<u32>, StoreError> {
        self.number(NETWORK)
    }

    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        let Some(index) = self.number(TIP)?.map(LedgerIndex::new) else {
            return Ok(None);
        };
        let ledger = self
            .ledger(index)?
            .ok_or(StoreError::Damaged { table: "ledgers" })?;
        let (state, transactions) = (self.state()?, self.transactions(index)?);
        Ok(Some(Tip {
            ledger,
            state,
            transactions,
        }))
    }

    fn commit(&self, network_id: u32, commits: &[Commit]) -> Result<(), StoreError> {
        let mut last = self.number(TIP)?;
        for commit in commits {
            if let Some(tip) = last.filter(|tip| tip.checked_add(1) != Some(commit.index)) {
                return Err(StoreError::OutOfOrder {
                    tip,
                    index: commit.index,
                });
            }
            last = Some(commit.index);
        }
        self.write(|writing| {
            for commit in commits {
                write_state(writing, &commit.changes)?;
                write_ledger(writing, commit)?;
                write_mails(writing, &commit.mails)?;
                writing.open_table(NUMBERS)?.insert(TIP, commit.index)?;
            }
            writing.open_table(NUMBERS)?.insert(NETWORK, network_id)?;
            Ok(())
        })
    }

    fn change_mails(&self, changes: &[MailChange]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.write(|writing| write_mails(writing, changes))
    }

    fn waiting_mails(&self) -> Result<Vec<(Hash256, WaitingMail)>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let waiting = reading.open_table(WAITING).map_err(failed)?;
        let mut mails = Vec::new();
        for entry in waiting.iter().map_err(failed)? {
            let (key, value) = entry.map_err(failed)?;
            let damaged = StoreError::Damaged {
                table: "waiting_mails",
            };
            let mail = WaitingMail::decode(value.value()).ok_or(damaged)?;
            mails.push((Hash256::new(*key.value()), mail));
        }
        mails.sort_by_key(|(_, mail)| mail.order);
        Ok(mails)
    }

    fn settled(&self, email_id: &Hash256) -> Result<Option<Settled>, StoreError> {
        self.record(SETTLED, "settled_mails", email_id, Settled::decode)
    }

    fn first_index(&self) -> Result<Option<LedgerIndex>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let ledgers = reading.open_table(LEDGERS).map_err(failed)?;
        Ok(ledgers
            .first()
            .map_err(failed)?
            .map(|(index, _)| LedgerIndex::new(index.value())))
    }

    fn ledger(&self, index: LedgerIndex) -> Result<Option<StoredLedger>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let ledgers = reading.open_table(LEDGERS).map_err(failed)?;
        let Some(found) = ledgers.get(index.get()).map_err(failed)? else {
            return Ok(None);
        };
        let ledger = StoredLedger::decode(index.get(), found.value());
        ledger.map(Some).ok_or(StoreError::Damaged { table: "ledgers" })
    }

    fn ledger_index(&self, hash: &Hash256) -> Result<Option<LedgerIndex>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let hashes = reading.open_table(LEDGER_HASHES).map_err(failed)?;
        Ok(hashes
            .get(hash.as_bytes())
            .map_err(failed)?
            .map(|index| LedgerIndex::new(index.value())))
    }

    fn transactions(&self, index: LedgerIndex) -> Result<Vec<StoredTx>, StoreError> {
        let reading = self.database.begin_read().map_err(failed)?;
        let positions = reading.open_table(POSITIONS).map_err(failed)?;
        let mut list = Vec::new();
        let of_ledger = (index.get(), 0)..=(index.get(), u32::MAX);
        for position in positions.range(of_ledger).map_err(failed)? {
            let (_, id) = position.map_err(failed)?;
            let found = self.transaction(&Hash256::new(*id.value()))?;
            list.push(found.ok_or(StoreError::Damaged {
                table: "transactions",
            })?);
        }
        Ok(list)
    }

    fn transaction(&self, id: &Hash256) -> Result<Option<StoredTx>, StoreError> {
        self.record(TRANSACTIONS, "transactions", id, |bytes| {
            StoredTx::decode(*id, bytes)
        })
    }
}

fn write_state(
    writing: &WriteTransaction,
    changes: &[(Hash256, Option<Vec<u8>>)],
) -> Result<(), redb::Error> {
    let mut state = writing.open_table(STATE)?;
    for (key, value) in changes {
        match value {
            Some(value) => state.insert(key.as_bytes(), value.as_slice())?,
            None => state.remove(key.as_bytes())?,
        };
    }
    Ok(())
}

fn write_ledger(writing: &WriteTransaction, commit: &Commit) -> Result<(), redb::Error> {
    let record = StoredLedger::encode(&commit.hash, &commit.header);
    writing
        .open_table(LEDGERS)?
        .insert(commit.index, record.as_slice())?;
    writing
        .open_table(LEDGER_HASHES)?
        .insert(commit.hash.as_bytes(), commit.index)?;
    let mut transactions = writing.open_table(TRANSACTIONS)?;
    let mut positions = writing.open_table(POSITIONS)?;
    for tx in &commit.transactions {
        transactions.insert(tx.id.as_bytes(), tx.encode().as_slice())?;
        positions.insert((commit.index, tx.tx_index), tx.id.as_bytes())?;
    }
    Ok(())
}

fn write_mails(writing: &WriteTransaction, changes: &[MailChange]) -> Result<(), redb::Error> {
    let mut waiting = writing.open_table(WAITING)?;
    let mut settled_mails = writing.open_table(SETTLED)?;
    for change in changes {
        match change {
            MailChange::Keep { mail_id, mail } => {
                waiting.insert(mail_id.as_bytes(), mail.encode().as_slice())?;
            }
            MailChange::Forget { mail_id } => {
                waiting.remove(mail_id.as_bytes())?;
            }
            MailChange::Settle { email_id, settled } => {
                settled_mails.insert(email_id.as_bytes(), settled.encode().as_slice())?;
            }
        }
    }
    Ok(())
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(STORE_CACHE_BYTES);
    builder
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Failed(Box::new(error.into()))
}

fn open_error(path: &Path, error: DatabaseError) -> StoreError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path },
        other => StoreError::Open {
            path,
            source: Box::new(other.into()),
        },
    }
}

fn io_error(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        source: Box::new(redb::Error::Io(error)),
    }
}
