//! Copies of a data folder, and whether one is whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use redb::{Database, Key, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, Value};

use super::entry::State;
use super::error::{OpenError, QueueError};
use super::handle::Queue;
use super::id::MailId;
use super::notice::Notice;
use super::store::{self, Integrity, Store};
use super::tables::{
    ANSWER_STATES, ANSWERS, ANSWERS_TO, AUDIT, DAMAGED, DUE, ENDS, ENTRIES, IDS, MAILS, MARKS, NUMBERS,
    STATES, count_states, decode_entry, state_number,
};
use super::writer::Pause;
use super::{audit, stored};
use crate::limits::BACKUP_BYTES_MAX;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target is in use.
    #[error("{path} exists and is not empty; name a new folder", path = .0.display())]
    NotEmpty(PathBuf),
    /// There is nothing to copy.
    #[error("{path} holds no queue (queue.redb)", path = .0.display())]
    NoQueue(PathBuf),
    /// Reading or writing a file failed.
    #[error("{path}: {source}; check the folder's owner and the free space", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The queue to be copied does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The queue cannot be read, or the copy not be written.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Queue {
    /// Writes a copy of the data folder (queue and audit log) into a new folder, as it is at one instant,
    /// while others go on. Mails that were submitted since the copy was made are submitted again after a
    /// restore, which is harmless.
    pub fn backup(&self, to: &Path) -> Result<(), BackupError> {
        let core = &self.inner.core;
        copy_folder(&core.store, core.data.as_deref(), to, || Some(core.pause()))
    }
}

/// Makes a data folder from a backup. The target must be new or empty.
pub fn restore(from: &Path, to: &Path) -> Result<(), BackupError> {
    if !store::is_queue(from) {
        return Err(BackupError::NoQueue(from.to_owned()));
    }
    copy_folder(&Store::open(from)?, Some(from), to, || None)
}

/// `pause` keeps commits away while it lives, so that queue and audit log are taken at the same instant.
fn copy_folder<'a>(
    store: &Store,
    from: Option<&Path>,
    to: &Path,
    pause: impl FnOnce() -> Option<Pause<'a>>,
) -> Result<(), BackupError> {
    let io = |source| BackupError::Io {
        path: to.to_owned(),
        source,
    };
    store::make_folder(to)?;
    if fs::read_dir(to).map_err(io)?.next().is_some() {
        return Err(BackupError::NotEmpty(to.to_owned()));
    }
    let (unfinished, path) = (to.join("queue.new"), to.join(store::FILE));
    let database = store::create(&unfinished)?;
    let log = from.map(|from| from.join(audit::FILE));
    let mut log_bytes = 0;
    let pause = pause();
    store.read(|reading| {
        let log = log.as_ref().and_then(|log| fs::metadata(log).ok());
        log_bytes = log.map_or(0, |log| log.len());
        drop(pause);
        copy_tables(reading, &database)
    })?;
    drop(database);
    if let Some(log) = log.filter(|log| log.exists()) {
        copy_file(&log, log_bytes, &to.join(audit::FILE)).map_err(io)?;
    }
    // The name says that the copy is complete.
    fs::rename(&unfinished, &path).map_err(io)?;
    store::sync_folder(to).map_err(io)
}

fn copy_file(from: &Path, bytes: u64, to: &Path) -> io::Result<()> {
    let mut source = fs::File::open(from)?.take(bytes);
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut target = options.open(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

fn copy_tables(reading: &ReadTransaction, to: &Database) -> Result<(), redb::Error> {
    copy_table(reading, to, ENTRIES)?;
    copy_table(reading, to, IDS)?;
    copy_table(reading, to, MAILS)?;
    copy_table(reading, to, DUE)?;
    copy_table(reading, to, STATES)?;
    copy_table(reading, to, ENDS)?;
    copy_table(reading, to, ANSWERS)?;
    copy_table(reading, to, ANSWER_STATES)?;
    copy_table(reading, to, ANSWERS_TO)?;
    copy_table(reading, to, MARKS)?;
    copy_table(reading, to, DAMAGED)?;
    copy_table(reading, to, AUDIT)?;
    // Last, so that a copy that was cut has no format and is no queue.
    copy_table(reading, to, NUMBERS)
}

/// Copies a table in transactions of bounded size.
fn copy_table<K: Key + 'static, V: Value + 'static>(
    reading: &ReadTransaction,
    to: &Database,
    definition: TableDefinition<'static, K, V>,
) -> Result<(), redb::Error> {
    let source = reading.open_table(definition)?;
    let mut rows = source.iter()?.peekable();
    loop {
        let mut writing = to.begin_write()?;
        writing.set_quick_repair(true);
        let mut target = writing.open_table(definition)?;
        let mut bytes = 0;
        while bytes < BACKUP_BYTES_MAX {
            let Some(row) = rows.next() else { break };
            let (key, value) = row?;
            let value = value.value();
            bytes += V::as_bytes(&value).as_ref().len();
            target.insert(key.value(), value)?;
        }
        drop(target);
        writing.commit()?;
        if rows.peek().is_none() {
            return Ok(());
        }
    }
}

/// What a walk through the whole queue found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verified {
    /// Entries by state.
    pub entries: BTreeMap<State, u64>,
    /// Mails whose text is kept.
    pub mails: u64,
    /// Notices.
    #[serde(rename = "answers")]
    pub notices: u64,
    /// What is wrong, a sentence each. Empty for a queue that is whole.
    pub faults: Vec<String>,
}

impl Queue {
    /// Compares the checksums of the whole file and reads every entry, mail and notice. Writers wait
    /// meanwhile.
    pub fn verify(&self) -> Result<Verified, QueueError> {
        let mut verified = Verified::default();
        if self.inner.core.store.check_integrity()? == Integrity::Repaired {
            let fault = "the file was not closed cleanly, and its page tree was repaired";
            verified.faults.push(fault.to_owned());
        }
        self.read(|reading| {
            verify_entries(reading, &mut verified)?;
            let notices = reading.open_table(ANSWERS)?;
            for row in notices.iter()? {
                let (key, bytes) = row?;
                verified.notices += 1;
                if stored::decode::<Notice>(bytes.value()).is_none() {
                    let about = MailId::new(*key.value().0);
                    verified
                        .faults
                        .push(format!("an answer about {about} cannot be read"));
                }
            }
            Ok(())
        })?;
        for damaged in self.damaged()? {
            verified
                .faults
                .push(format!("entry {} was set aside: it cannot be read", damaged.id));
        }
        Ok(verified)
    }
}

fn verify_entries(reading: &ReadTransaction, verified: &mut Verified) -> Result<(), redb::Error> {
    let (entries, mails) = (reading.open_table(ENTRIES)?, reading.open_table(MAILS)?);
    let ids = reading.open_table(IDS)?;
    let mut counts = BTreeMap::new();
    for row in entries.iter()? {
        let (place, row) = row?;
        let (place, (id, bytes)) = (place.value(), row.value());
        let shown = MailId::new(*id);
        let Some(entry) = decode_entry(place, (id, bytes)) else {
            verified.faults.push(format!("entry {shown} cannot be read"));
            continue;
        };
        *counts.entry(entry.state()).or_insert(0) += 1;
        if ids.get(id)?.map(|place| place.value()) != Some(place) {
            verified
                .faults
                .push(format!("entry {shown} is not found by its id"));
        }
        let bytes = mails.get(place)?.map(|mail| mail.value().len());
        match bytes.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX)) {
            Some(bytes) if bytes == entry.bytes => {}
            None if entry.is_final() => {}
            None => verified.faults.push(format!("the mail of {shown} is missing")),
            Some(bytes) => verified.faults.push(format!(
                "the mail of {shown} has {bytes} bytes instead of {}",
                entry.bytes
            )),
        }
    }
    let counted = count_states(reading)?;
    for state in State::ALL {
        let indexed = counted.get(usize::from(state_number(state))).copied();
        let found = counts.get(&state).copied().unwrap_or(0);
        if indexed != Some(found) {
            verified.faults.push(format!(
                "{found} entries are {}, and the index names {}",
                state.as_str(),
                indexed.unwrap_or(0)
            ));
        }
    }
    verified.mails = mails.len()?;
    verified.entries = counts;
    Ok(())
}
