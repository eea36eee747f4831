//! Mail to the postmaster, which every mail server takes: kept as files that the operator reads with any mail
//! program. Nothing else ever looks at them.
//!
//! RFC 5321 section 4.5.1. The folder is a Maildir.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::POSTMASTER_MAILS_MAX;
use crate::mail::IncomingMail;

/// Why a mail to the postmaster was not kept.
#[derive(Debug, thiserror::Error)]
pub enum PostmasterError {
    /// The operator has not read for long.
    #[error("the postmaster's folder holds {POSTMASTER_MAILS_MAX} mails")]
    Full,
    /// The disk refused.
    #[error("the postmaster's folder cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Postmaster {
    folder: Arc<Mutex<PathBuf>>,
    hostname: Arc<str>,
}

impl Postmaster {
    /// `postmaster/` in the data folder; made when the first mail comes.
    #[must_use]
    pub fn new(data: &Path, hostname: &str) -> Postmaster {
        Postmaster {
            folder: Arc::new(Mutex::new(data.join("postmaster"))),
            hostname: hostname.into(),
        }
    }

    /// Keeps a mail. Durable when it returns.
    pub async fn keep(&self, incoming: &IncomingMail, now: u64) -> Result<(), PostmasterError> {
        let name = format!("{now}.{}.{}", incoming.trace, self.hostname);
        let path: String = incoming
            .reverse_path()
            .chars()
            .filter(char::is_ascii_graphic)
            .collect();
        let mail = [
            format!("Return-Path: <{path}>\r\n").as_bytes(),
            incoming.raw.as_slice(),
        ]
        .concat();
        let folder = Arc::clone(&self.folder);
        let kept = tokio::task::spawn_blocking(move || {
            // One at a time, so that the count holds.
            let folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
            write(&folder, &name, &mail)
        });
        kept.await.map_err(|_| io::Error::other("the writer ended"))?
    }
}

fn write(folder: &Path, name: &str, mail: &[u8]) -> Result<(), PostmasterError> {
    let (temporary, new) = (folder.join("tmp"), folder.join("new"));
    for made in [&temporary, &new, &folder.join("cur")] {
        ops::private::make_folder(made)?;
    }
    let count = |folder: &Path| Ok::<_, io::Error>(fs::read_dir(folder)?.take(POSTMASTER_MAILS_MAX).count());
    if count(&new)? + count(&folder.join("cur"))? >= POSTMASTER_MAILS_MAX {
        return Err(PostmasterError::Full);
    }
    let from = temporary.join(name);
    let written = write_file(&from, mail).and_then(|()| fs::rename(&from, new.join(name)));
    if let Err(error) = written {
        // On a full disk the part that was written would keep it full.
        let _ = fs::remove_file(&from);
        return Err(error.into());
    }
    for synced in [new.as_path(), folder] {
        File::open(synced)?.sync_all()?;
    }
    if let Some(data) = folder.parent() {
        File::open(data)?.sync_all()?;
    }
    Ok(())
}

fn write_file(path: &Path, mail: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(mail)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_is_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        // A folder in the place of the mail: the rename fails.
        fs::create_dir_all(folder.path().join("new/name/full")).expect("a folder");
        assert!(write(folder.path(), "name", b"mail").is_err());
        let left = fs::read_dir(folder.path().join("tmp")).expect("a folder");
        assert_eq!(left.count(), 0);
        write(folder.path(), "other", b"mail").expect("kept");
        assert_eq!(
            fs::read(folder.path().join("new/other")).expect("a file"),
            b"mail"
        );
    }
}
