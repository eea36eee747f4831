//! Why the queue does not do what was asked, or does not open.

use std::io;
use std::path::{Path, PathBuf};

/// Why the queue cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The disk refused. Nothing was kept.
    #[error("the disk refused: {0}")]
    Disk(String),
    /// The disk is full, or nearly so. Nothing was kept.
    #[error("the disk is full: {0}")]
    Space(String),
    /// The file holds what was never written. Nothing was kept.
    #[error("the queue's file is damaged: {0}; stop the relay and restore a copy of the data folder")]
    Damaged(String),
    /// Too many mails wait. Nothing was kept.
    #[error("{waiting} mails are already waiting, the most that the configuration allows")]
    Full {
        /// How many.
        waiting: usize,
    },
    /// Too many mails without a proof wait. Nothing was kept.
    #[error("{waiting} unproven mails are already waiting, the most that the configuration allows")]
    FullOfUnproven {
        /// How many.
        waiting: usize,
    },
    /// What was to change an entry panicked: a defect of the caller. Nothing was written.
    #[error("the change of an entry failed, which is a defect of the relay; nothing was written")]
    Broken,
}

impl QueueError {
    pub(super) fn of<E: Into<redb::Error>>(error: E) -> QueueError {
        let error = error.into();
        let text = error.to_string();
        match &error {
            redb::Error::Io(error) if is_no_space(error) => QueueError::Space(text),
            redb::Error::Io(error) if is_wrong_bytes(error) => QueueError::Damaged(text),
            redb::Error::Corrupted(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableDoesNotExist(_) => QueueError::Damaged(text),
            _ => QueueError::Disk(text),
        }
    }
}

/// Why the queue does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{path} is in use by another relay; stop that one first, or give this one another data folder", path = path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder cannot be made or opened.
    #[error("cannot open {path}: {reason}; check the folder's owner, its mode and the free space", path = path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is there, but it is no queue any more.
    #[error("{path} is damaged: {reason}; restore the data folder from a backup, or move it away and start a new queue", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file was written by another version of the program.
    #[error(
        "the queue has format {found}, this program reads {expected}; use the version of the program that wrote it"
    )]
    Format {
        /// What the file says.
        found: u64,
        /// What this program reads.
        expected: u64,
    },
    /// Reading or writing failed.
    #[error("{0}; check the disk, then start again: what was taken is kept")]
    Queue(QueueError),
}

impl From<QueueError> for OpenError {
    fn from(error: QueueError) -> OpenError {
        OpenError::Queue(error)
    }
}

impl OpenError {
    /// A failure of the file at `path`.
    pub(super) fn queue(path: &Path, error: QueueError) -> OpenError {
        match error {
            QueueError::Damaged(reason) => OpenError::Unreadable {
                path: path.to_owned(),
                reason,
            },
            other => OpenError::Queue(other),
        }
    }

    pub(super) fn io(path: &Path, error: &io::Error) -> OpenError {
        OpenError::Open {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }

    pub(super) fn database(path: &Path, error: redb::DatabaseError) -> OpenError {
        let path = path.to_owned();
        match error {
            redb::DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { path },
            damaged if is_damage(&damaged) => OpenError::Unreadable {
                path,
                reason: damaged.to_string(),
            },
            other => OpenError::Open {
                path,
                reason: other.to_string(),
            },
        }
    }
}

/// The bytes are wrong, not the folder: a broken tree, a wrong magic number, a file that was cut.
fn is_damage(error: &redb::DatabaseError) -> bool {
    match error {
        redb::DatabaseError::Storage(redb::StorageError::Corrupted(_)) => true,
        redb::DatabaseError::Storage(redb::StorageError::Io(error)) => is_wrong_bytes(error),
        _ => false,
    }
}

fn is_wrong_bytes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
