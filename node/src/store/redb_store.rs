//! The store in one redb file.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use amendment::Domain;
use chain::Wishes;
use codec::keys::PublicKey;
use codec::{Hash256, LedgerIndex};
use ledger::dkim::Ruling;
use ops::caught;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, TableError, WriteTransaction,
};

use super::record::{UndoRecord, pending_mail, pending_tx, settled_mail, stored_tx};
use super::tables::{
    ACCOUNTS, EPOCHS, FORMAT, FORMAT_VERSION, INSTEAD_OF, Key, LEDGER_HASHES, LEDGERS, LIST_WISH, NETWORK,
    NUMBERS, POSITIONS, SETTLED, STATE, TIP, TRANSACTIONS, UNDO, VOTES, WAITING, WAITING_TXS, WANTED, WISHES,
};
use super::writes::{Undo, WISH_FROZEN, WISH_LIFTED, id_at, take_back, unsettle_after, write_changes};
use super::{
    AccountPage, AccountRange, Change, ListWish, Order, PendingMail, PendingTx, Settled, StateChange, Store,
    StoreError, StoredLedger, StoredTx, Tip, Vote,
};
use crate::limits::STORE_CACHE_BYTES;

/// The store in one redb file.
#[derive(Debug)]
pub struct RedbStore {
    /// `None` after a failed write, until it is opened again: redb answers nothing more then.
    database: RwLock<Option<Database>>,
    /// Where it is; `None` for a backend of the caller's, which is not opened again.
    path: Option<PathBuf>,
}

impl RedbStore {
    /// Open the store at `path`, or make a new one there.
    ///
    /// A new file gets its name only when it is complete, so that a kill meanwhile leaves nothing half made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            ops::private::close_to_others(path).map_err(|error| io_error(path, error))?;
            let opened = caught(|| builder().open(path)).map_err(|said| StoreError::Unreadable {
                path: path.to_owned(),
                source: Box::new(redb::Error::Corrupted(said)),
            })?;
            let database = opened.map_err(|error| open_error(path, error))?;
            return Self::prepare(database, Some(path));
        }
        let unfinished = path.with_extension("new");
        if unfinished.exists() {
            fs::remove_file(&unfinished).map_err(|error| io_error(path, error))?;
        }
        ops::private::make_file(&unfinished).map_err(|error| io_error(path, error))?;
        let database = builder()
            .create(&unfinished)
            .map_err(|error| open_error(path, error))?;
        let store = Self::prepare(database, Some(path))?;
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
        Self::prepare(database, None)
    }

    /// Make the tables and check the format.
    fn prepare(database: Database, path: Option<&Path>) -> Result<Self, StoreError> {
        let store = Self {
            database: RwLock::new(Some(database)),
            path: path.map(Path::to_owned),
        };
        let found = store.format()?;
        if let Some(found) = found.filter(|found| *found != FORMAT_VERSION) {
            return Err(StoreError::Format {
                found,
                expected: FORMAT_VERSION,
            });
        }
        if found.is_none() {
            store.transact(make_tables)?;
        }
        Ok(store)
    }

    fn format(&self) -> Result<Option<u32>, StoreError> {
        self.read(|reading| match reading.open_table(NUMBERS) {
            Ok(numbers) => Ok(numbers.get(FORMAT).map_err(failed)?.map(|found| found.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        })
    }

    fn number(&self, name: &str) -> Result<Option<u32>, StoreError> {
        self.read(|reading| {
            let numbers = reading.open_table(NUMBERS).map_err(failed)?;
            Ok(numbers.get(name).map_err(failed)?.map(|number| number.value()))
        })
    }

    fn transact(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let run = || {
            let database = self.opened()?;
            let database = database.as_ref().ok_or(redb::Error::PreviousIo)?;
            let writing = database.begin_write()?;
            change(&writing)?;
            writing.commit()?;
            Ok(())
        };
        // The crash test follows these two lines to aim its kills.
        tracing::trace!("commit begins");
        let written = guarded(|| run().map_err(failed::<redb::Error>));
        tracing::trace!("commit ends");
        if written.is_err() {
            self.close_after_failure();
        }
        written
    }

    /// Reads at one state of the store. No lock is held meanwhile.
    fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        guarded(|| {
            let reading = {
                let database = self.opened().map_err(failed)?;
                let database = database.as_ref().ok_or(redb::Error::PreviousIo).map_err(failed)?;
                database.begin_read().map_err(failed)?
            };
            read(&reading)
        })
    }

    /// The database; opened again where a write failed before.
    fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, redb::Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(database);
        }
        drop(database);
        if let Some(path) = &self.path {
            let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
            if database.is_none() {
                *database = Some(builder().open(path)?);
            }
        }
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// After a failed write redb answers nothing until it is opened again, which brings back what was
    /// committed.
    fn close_after_failure(&self) {
        if self.path.is_some() {
            let closed = self
                .database
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            close(closed);
        }
    }

    /// The transaction that a position names.
    fn transaction_at(&self, place: &[u8]) -> Result<StoredTx, StoreError> {
        let id = id_at(place).ok_or(StoreError::Damaged { table: "positions" })?;
        self.transaction(&id)?.ok_or(StoreError::Damaged {
            table: "transactions",
        })
    }

    /// Look one record up and read it.
    fn record<T>(
        &self,
        table: TableDefinition<&Key, &[u8]>,
        name: &'static str,
        key: &Hash256,
        decode: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.read(|reading| {
            let opened = reading.open_table(table).map_err(failed)?;
            let Some(found) = opened.get(key.as_bytes()).map_err(failed)? else {
                return Ok(None);
            };
            decode(found.value())
                .map(Some)
                .ok_or(StoreError::Damaged { table: name })
        })
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
        let transactions = self.transactions(index)?;
        Ok(Some(Tip { ledger, transactions }))
    }

    fn read_state(&self, take: &mut dyn FnMut(Hash256, &[u8])) -> Result<(), StoreError> {
        self.read(|reading| {
            let state = reading.open_table(STATE).map_err(failed)?;
            for entry in state.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                take(Hash256::new(*key.value()), value.value());
            }
            Ok(())
        })
    }

    fn write(&self, network_id: u32, changes: &[Change]) -> Result<(), StoreError> {
        let stored = self.number(TIP)?;
        let mut last = stored;
        for change in changes {
            let Change::Ledger(commit) = change else { continue };
            if let Some(tip) = last.filter(|tip| tip.checked_add(1) != Some(commit.index)) {
                return Err(StoreError::OutOfOrder {
                    tip,
                    index: commit.index,
                });
            }
            last = Some(commit.index);
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.transact(|writing| {
            let undo = if stored.is_some() { Undo::Kept } else { Undo::None };
            write_changes(writing, network_id, changes, undo)
        })
    }

    fn waiting_mails(&self) -> Result<Vec<(Hash256, PendingMail)>, StoreError> {
        self.read(|reading| {
            let waiting = reading.open_table(WAITING).map_err(failed)?;
            let mut mails = Vec::new();
            for entry in waiting.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                let damaged = StoreError::Damaged {
                    table: "waiting_mails",
                };
                let mail = pending_mail::decode(value.value()).ok_or(damaged)?;
                mails.push((Hash256::new(*key.value()), mail));
            }
            mails.sort_by_key(|(_, mail)| mail.order);
            Ok(mails)
        })
    }

    fn waiting_transactions(&self) -> Result<Vec<(Hash256, PendingTx)>, StoreError> {
        self.read(|reading| {
            // A store that an earlier version made has no such table until the first one comes.
            let waiting = match reading.open_table(WAITING_TXS) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                opened => opened.map_err(failed)?,
            };
            let mut transactions = Vec::new();
            for entry in waiting.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                let damaged = StoreError::Damaged {
                    table: "waiting_transactions",
                };
                let tx = pending_tx::decode(value.value()).ok_or(damaged)?;
                transactions.push((Hash256::new(*key.value()), tx));
            }
            Ok(transactions)
        })
    }

    fn settled(&self, email_id: &Hash256) -> Result<Option<Settled>, StoreError> {
        self.record(SETTLED, "settled_mails", email_id, settled_mail::decode)
    }

    fn first_index(&self) -> Result<Option<LedgerIndex>, StoreError> {
        self.read(|reading| {
            let ledgers = reading.open_table(LEDGERS).map_err(failed)?;
            Ok(ledgers
                .first()
                .map_err(failed)?
                .map(|(index, _)| LedgerIndex::new(index.value())))
        })
    }

    fn ledger(&self, index: LedgerIndex) -> Result<Option<StoredLedger>, StoreError> {
        self.read(|reading| {
            let ledgers = reading.open_table(LEDGERS).map_err(failed)?;
            let Some(found) = ledgers.get(index.get()).map_err(failed)? else {
                return Ok(None);
            };
            let ledger = StoredLedger::decode(index.get(), found.value());
            ledger.map(Some).ok_or(StoreError::Damaged { table: "ledgers" })
        })
    }

    fn ledger_index(&self, hash: &Hash256) -> Result<Option<LedgerIndex>, StoreError> {
        self.read(|reading| {
            let hashes = reading.open_table(LEDGER_HASHES).map_err(failed)?;
            Ok(hashes
                .get(hash.as_bytes())
                .map_err(failed)?
                .map(|index| LedgerIndex::new(index.value())))
        })
    }

    fn transactions(&self, index: LedgerIndex) -> Result<Vec<StoredTx>, StoreError> {
        self.read(|reading| {
            let positions = reading.open_table(POSITIONS).map_err(failed)?;
            let mut list = Vec::new();
            let of_ledger = (index.get(), 0)..=(index.get(), u32::MAX);
            for position in positions.range(of_ledger).map_err(failed)? {
                let (_, place) = position.map_err(failed)?;
                list.push(self.transaction_at(place.value())?);
            }
            Ok(list)
        })
    }

    fn transaction(&self, id: &Hash256) -> Result<Option<StoredTx>, StoreError> {
        self.record(TRANSACTIONS, "transactions", id, |bytes| {
            stored_tx::decode(*id, bytes)
        })
    }

    fn transaction_ids(&self, index: LedgerIndex) -> Result<Vec<Hash256>, StoreError> {
        self.read(|reading| {
            let positions = reading.open_table(POSITIONS).map_err(failed)?;
            let of_ledger = (index.get(), 0)..=(index.get(), u32::MAX);
            let mut list = Vec::new();
            for position in positions.range(of_ledger).map_err(failed)? {
                let (_, place) = position.map_err(failed)?;
                let damaged = StoreError::Damaged { table: "positions" };
                list.push(id_at(place.value()).ok_or(damaged)?);
            }
            Ok(list)
        })
    }

    fn account_transactions(&self, range: &AccountRange) -> Result<AccountPage, StoreError> {
        let (first, last) = (range.first, range.last);
        if first > last {
            return Ok(AccountPage::default());
        }
        // One snapshot for the whole page; no lock is held while it is read.
        self.read(|reading| {
            let accounts = reading.open_table(ACCOUNTS).map_err(failed)?;
            let positions = reading.open_table(POSITIONS).map_err(failed)?;
            let transactions = reading.open_table(TRANSACTIONS).map_err(failed)?;
            let account = range.account.as_bytes();
            let mut found = accounts
                .range((account, first.0, first.1)..=(account, last.0, last.1))
                .map_err(failed)?;
            let mut page = AccountPage::default();
            let mut bytes = 0_usize;
            loop {
                let place = match range.order {
                    Order::Forward => found.next(),
                    Order::Backward => found.next_back(),
                };
                let Some(place) = place else { return Ok(page) };
                let (place, _) = place.map_err(failed)?;
                let (_, ledger, tx_index) = place.value();
                let position = positions.get((ledger, tx_index)).map_err(failed)?;
                let id = position.and_then(|position| id_at(position.value()));
                let id = id.ok_or(StoreError::Damaged { table: "positions" })?;
                let damaged = StoreError::Damaged {
                    table: "transactions",
                };
                let Some(record) = transactions.get(id.as_bytes()).map_err(failed)? else {
                    return Err(damaged);
                };
                let is_first = page.transactions.is_empty();
                bytes = bytes.saturating_add(record.value().len());
                if page.transactions.len() >= range.count_max || (bytes > range.bytes_max && !is_first) {
                    page.next = Some((ledger, tx_index));
                    return Ok(page);
                }
                let tx = stored_tx::decode(id, record.value()).ok_or(damaged)?;
                page.transactions.push(tx);
            }
        })
    }

    fn undo(&self, index: LedgerIndex) -> Result<Option<Vec<StateChange>>, StoreError> {
        self.read(|reading| {
            let undo = reading.open_table(UNDO).map_err(failed)?;
            let record = undo.get(index.get()).map_err(failed)?;
            Ok(record.and_then(|record| UndoRecord::decode(record.value())))
        })
    }

    fn roll_back(&self, to: LedgerIndex) -> Result<(), StoreError> {
        let tip = self.number(TIP)?.unwrap_or(0);
        let steps = to.get().saturating_add(1)..=tip;
        let no_way = StoreError::NoWayBack { index: to.get() };
        for index in steps.clone() {
            if self.undo(LedgerIndex::new(index))?.is_none() {
                return Err(no_way);
            }
        }
        self.transact(|writing| {
            for index in steps.rev() {
                take_back(writing, index)?.ok_or(redb::Error::Corrupted("undo".to_owned()))?;
            }
            unsettle_after(writing, to.get())
        })
    }

    fn epochs(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.read(|reading| {
            let epochs = match reading.open_table(EPOCHS) {
                Ok(epochs) => epochs,
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                Err(error) => return Err(failed(error)),
            };
            let entries = epochs.iter().map_err(failed)?;
            let entries =
                entries.map(|entry| entry.map(|(epoch, start)| (epoch.value(), start.value().to_vec())));
            entries.collect::<Result<_, _>>().map_err(failed)
        })
    }

    fn begin_epoch(&self, epoch: u64, start: &[u8]) -> Result<(), StoreError> {
        self.transact(|writing| {
            writing.open_table(EPOCHS)?.insert(epoch, start)?;
            Ok(())
        })
    }

    fn votes(&self) -> Result<Vec<(Hash256, Vote)>, StoreError> {
        self.read(|reading| {
            let votes = reading.open_table(VOTES).map_err(failed)?;
            let mut list = Vec::new();
            for entry in votes.iter().map_err(failed)? {
                let (key, value) = entry.map_err(failed)?;
                let vote = match value.value() {
                    0 => Vote::Against,
                    _ => Vote::For,
                };
                list.push((Hash256::new(*key.value()), vote));
            }
            Ok(list)
        })
    }

    fn list_wish(&self) -> Result<Option<ListWish>, StoreError> {
        self.read(|reading| {
            // A file of before there were such wishes has no table for them.
            let table = match reading.open_table(LIST_WISH) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                table => table.map_err(failed)?,
            };
            let list = |name| -> Result<Option<BTreeSet<PublicKey>>, StoreError> {
                let Some(bytes) = table.get(name).map_err(failed)? else {
                    return Ok(None);
                };
                let keys: Result<_, _> = bytes.value().chunks(33).map(PublicKey::parse).collect();
                keys.map(Some)
                    .map_err(|_| StoreError::Damaged { table: "list_wish" })
            };
            let wish = list(WANTED)?.zip(list(INSTEAD_OF)?);
            Ok(wish.map(|(wanted, instead_of)| ListWish { wanted, instead_of }))
        })
    }

    fn wishes(&self) -> Result<Wishes, StoreError> {
        self.read(read_wishes)
    }
}

/// A store of an earlier program has no such table until something is written into it.
fn read_wishes(reading: &ReadTransaction) -> Result<Wishes, StoreError> {
    let table = match reading.open_table(WISHES) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Wishes::new()),
        table => table.map_err(failed)?,
    };
    let damaged = || StoreError::Damaged {
        table: "domain_wishes",
    };
    let mut wishes = Wishes::new();
    for entry in table.iter().map_err(failed)? {
        let (domain, value) = entry.map_err(failed)?;
        let ruling = match value.value() {
            WISH_FROZEN => Ruling::Frozen,
            WISH_LIFTED => Ruling::Lifted,
            _ => return Err(damaged()),
        };
        let domain = Domain::new(domain.value().as_bytes()).ok_or_else(damaged)?;
        wishes.insert(domain, ruling);
    }
    Ok(wishes)
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        close(
            self.database
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

/// Gives a database up. What redb writes then is for a quicker start alone.
fn close(database: Option<Database>) {
    if let Err(said) = caught(|| drop(database)) {
        tracing::error!(%said, "the store could not be closed properly");
    }
}

/// Does something with the file. redb panics where a damaged one breaks what it relies on.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    caught(work).unwrap_or_else(|said| Err(StoreError::Corrupted(said)))
}

fn make_tables(writing: &WriteTransaction) -> Result<(), redb::Error> {
    writing.open_table(STATE)?;
    writing.open_table(LEDGERS)?;
    writing.open_table(LEDGER_HASHES)?;
    writing.open_table(TRANSACTIONS)?;
    writing.open_table(POSITIONS)?;
    writing.open_table(ACCOUNTS)?;
    writing.open_table(UNDO)?;
    writing.open_table(WAITING)?;
    writing.open_table(WAITING_TXS)?;
    writing.open_table(SETTLED)?;
    writing.open_table(VOTES)?;
    writing.open_table(LIST_WISH)?;
    writing.open_table(NUMBERS)?.insert(FORMAT, FORMAT_VERSION)?;
    Ok(())
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(STORE_CACHE_BYTES);
    builder
}

/// A lack of room is told from other failures: it is no damage, and it passes.
fn failed<E: Into<redb::Error>>(error: E) -> StoreError {
    match error.into() {
        redb::Error::Io(error) if is_full(&error) => StoreError::Full(error),
        redb::Error::Corrupted(what) => StoreError::Corrupted(what),
        other => StoreError::Failed(Box::new(other)),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

fn open_error(path: &Path, error: DatabaseError) -> StoreError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path },
        damaged if is_damage(&damaged) => StoreError::Unreadable {
            path,
            source: Box::new(damaged.into()),
        },
        other => StoreError::Open {
            path,
            source: Box::new(other.into()),
        },
    }
}

/// The bytes are wrong, not the folder: a broken tree, a wrong magic number, a file that was cut.
fn is_damage(error: &DatabaseError) -> bool {
    match error {
        DatabaseError::Storage(redb::StorageError::Corrupted(_)) => true,
        DatabaseError::Storage(redb::StorageError::Io(error)) => {
            matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
        }
        _ => false,
    }
}

fn io_error(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        source: Box::new(redb::Error::Io(error)),
    }
}
