//! The file under the queue: opening, reading, and one durable transaction at a time.

use std::fs;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use ops::private::{close_to_others, make_file};
use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, WriteTransaction};

use super::error::{OpenError, QueueError};
use super::migrate;
use super::tables::{FORMAT, FORMAT_OLDEST, FORMAT_VERSION, NUMBERS, Tables};
use crate::limits::QUEUE_CACHE_BYTES;

/// Name of the file in the data folder.
pub(super) const FILE: &str = "queue.redb";

/// Opens the database, again after a failed write: redb answers nothing until then.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The database.
pub(super) struct Store {
    /// `None` after a failed write, until it is open again.
    database: RwLock<Option<Database>>,
    opener: Opener,
}

/// What came of opening a store.
pub(super) enum OpenFailure {
    Database(DatabaseError),
    Format(u64),
    Failed(redb::Error),
    /// redb met what it takes to be impossible.
    Panicked(String),
}

impl<E: Into<redb::Error>> From<E> for OpenFailure {
    fn from(error: E) -> OpenFailure {
        OpenFailure::Failed(error.into())
    }
}

impl OpenFailure {
    pub(super) fn at(self, path: &Path) -> OpenError {
        match self {
            OpenFailure::Database(error) => OpenError::database(path, error),
            OpenFailure::Format(found) => OpenError::Format {
                found,
                expected: FORMAT_VERSION,
            },
            OpenFailure::Failed(error) => OpenError::queue(path, QueueError::of(error)),
            OpenFailure::Panicked(reason) => OpenError::queue(path, QueueError::Damaged(reason)),
        }
    }
}

impl Store {
    /// Opens the file in the data folder, or makes both. The file gets its name only when it is complete, so
    /// that a kill leaves no half-made queue.
    pub(super) fn open(data: &Path) -> Result<Store, OpenError> {
        make_folder(data)?;
        let path = data.join(FILE);
        let opener: Opener = {
            let path = path.clone();
            Box::new(move || builder().open(&path))
        };
        let io = |error: std::io::Error| OpenError::io(&path, &error);
        if path.exists() {
            close_to_others(&path).map_err(io)?;
            return Store::on(opener).map_err(|failure| failure.at(&path));
        }
        let unfinished = path.with_extension("new");
        if unfinished.exists() {
            fs::remove_file(&unfinished).map_err(io)?;
        }
        let database = create(&unfinished)?;
        let store = Store::prepare(database, opener).map_err(|failure| failure.at(&path))?;
        fs::rename(&unfinished, &path).map_err(io)?;
        sync_folder(data).map_err(io)?;
        Ok(store)
    }

    /// A store on the database that the opener gives.
    pub(super) fn on(opener: Opener) -> Result<Store, OpenFailure> {
        let opening = ops::caught(|| {
            let database = opener().map_err(OpenFailure::Database)?;
            Store::prepare(database, opener)
        });
        opening.unwrap_or_else(|reason| Err(OpenFailure::Panicked(reason)))
    }

    fn prepare(database: Database, opener: Opener) -> Result<Store, OpenFailure> {
        match read_format(&database)? {
            Some(FORMAT_OLDEST..=FORMAT_VERSION) => {}
            Some(other) => return Err(OpenFailure::Format(other)),
            None => {
                let writing = begin(&database)?;
                writing.open_table(NUMBERS)?.insert(FORMAT, FORMAT_VERSION)?;
                drop(Tables::open(&writing)?);
                writing.commit()?;
            }
        }
        Ok(Store {
            database: RwLock::new(Some(database)),
            opener,
        })
    }

    /// Makes a file of an older format one of [`FORMAT_VERSION`], whole or not at all.
    pub(super) fn migrate(&self) -> Result<(), QueueError> {
        let run = || {
            let database = self.opened()?;
            let database = database.as_ref().ok_or(redb::Error::PreviousIo)?;
            let format = read_format(database)?;
            if format == Some(FORMAT_VERSION) {
                return Ok(());
            }
            let writing = begin(database)?;
            if format == Some(FORMAT_OLDEST) {
                migrate::entries(&writing)?;
            }
            migrate::failed(&writing)?;
            writing.open_table(NUMBERS)?.insert(FORMAT, FORMAT_VERSION)?;
            writing.commit()?;
            tracing::info!(version = FORMAT_VERSION, "the queue's file is migrated");
            Ok(())
        };
        self.attempt(run)
    }

    /// Reads at one state of the queue.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, QueueError> {
        let run = || {
            let database = self.opened()?;
            let database = database.as_ref().ok_or(redb::Error::PreviousIo)?;
            read(&database.begin_read()?)
        };
        self.attempt(run)
    }

    /// One transaction, durable when it returns. `change` says whether it wrote anything.
    pub(super) fn write(
        &self,
        change: impl FnOnce(&mut Tables<'_>) -> Result<Written, redb::Error>,
    ) -> Result<(), QueueError> {
        let run = || {
            let database = self.opened()?;
            let database = database.as_ref().ok_or(redb::Error::PreviousIo)?;
            let writing = begin(database)?;
            let mut tables = Tables::open(&writing)?;
            let written = change(&mut tables)?;
            drop(tables);
            match written {
                Written::Nothing => writing.abort()?,
                Written::Something => writing.commit()?,
            }
            Ok(())
        };
        let done = self.attempt(run);
        if done.is_err() {
            self.let_go();
        }
        done
    }

    /// Runs what reads or writes the file. redb panics over some damage; then the database is let go, since
    /// nothing is known of its state.
    fn attempt<T>(&self, run: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, QueueError> {
        match ops::caught(run) {
            Ok(done) => done.map_err(QueueError::of),
            Err(reason) => {
                self.let_go();
                Err(QueueError::Damaged(reason))
            }
        }
    }

    /// Drops the database; the next use opens it again.
    fn let_go(&self) {
        let database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // On a damaged file even this may panic, and then there is nothing to put right.
        let _ = ops::caught(|| drop(database));
    }

    /// Gives free pages back to the disk. Readers and writers wait meanwhile. The size of the file after it is
    /// what the mails in it need.
    pub(super) fn compact(&self) -> Result<(), QueueError> {
        let done = self.attempt(|| {
            drop(self.opened()?);
            let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
            let database = database.as_mut().ok_or(redb::Error::PreviousIo)?;
            match database.compact() {
                Ok(_) => Ok(()),
                Err(redb::CompactionError::Storage(error)) => Err(error.into()),
                // There are no savepoints, and the lock keeps all transactions away.
                Err(_) => Ok(()),
            }
        });
        if done.is_err() {
            self.let_go();
        }
        done
    }

    /// Walks the whole file and compares its checksums.
    pub(super) fn check_integrity(&self) -> Result<Integrity, QueueError> {
        self.attempt(|| {
            drop(self.opened()?);
            let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
            let database = database.as_mut().ok_or(redb::Error::PreviousIo)?;
            match database.check_integrity()? {
                true => Ok(Integrity::Whole),
                false => Ok(Integrity::Repaired),
            }
        })
    }

    /// The database; opened again where a write failed before.
    fn opened(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, redb::Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(database);
        }
        drop(database);
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            *database = Some((self.opener)()?);
        }
        drop(database);
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Store {
    /// The database writes when it is closed, and a damaged one may panic over it.
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Whether a transaction has anything to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Nothing,
    Something,
}

/// What a walk through the file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integrity {
    Whole,
    Repaired,
}

/// A transaction that leaves the map of free pages on disk: after a kill the file opens at once, whatever its
/// size, at the price of a second sync for each commit.
fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut writing = database.begin_write()?;
    writing.set_quick_repair(true);
    Ok(writing)
}

fn read_format(database: &Database) -> Result<Option<u64>, redb::Error> {
    let reading = database.begin_read()?;
    match reading.open_table(NUMBERS) {
        Ok(numbers) => Ok(numbers.get(FORMAT)?.map(|found| found.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A new file, for its owner alone.
pub(super) fn create(path: &Path) -> Result<Database, OpenError> {
    make_file(path).map_err(|error| OpenError::io(path, &error))?;
    builder()
        .create(path)
        .map_err(|error| OpenError::database(path, error))
}

pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(QUEUE_CACHE_BYTES);
    builder
}

/// Makes the data folder, for its owner alone. A folder that is there keeps its mode: it may be the
/// operator's choice.
pub(super) fn make_folder(data: &Path) -> Result<(), OpenError> {
    if data.is_dir() {
        return Ok(());
    }
    ops::private::make_folder(data).map_err(|error| OpenError::io(data, &error))?;
    let parent = data.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new("."))).map_err(|error| OpenError::io(data, &error))
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Whether the folder holds a queue.
pub(super) fn is_queue(data: &Path) -> bool {
    data.join(FILE).is_file()
}
