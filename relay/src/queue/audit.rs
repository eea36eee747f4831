//! The audit log: one JSON line for each change of state, in `audit.log` of the data folder, append-only.
//!
//! Lines are committed with the change that they tell of, and written to the log after that commit and before
//! the next; what a kill leaves out between the two is written at the next start. A file that was moved away
//! (logrotate without `copytruncate`) is left alone, and the next line begins a new one: no signal is needed.
//! After a kill in that same moment the last lines may stand in both files.
//!
//! No addresses of people stand in it but the ledger accounts; a Message-ID is written as the mail has it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use amendment::address::Recipient;
use codec::{AccountId, Hash256};
use rpc::reply::ResultCode;
use serde::Serialize;

use super::entry::{Entry, Outcome, State};
use super::id::MailId;
use super::notice::{Notice, NoticeKind, NoticeState};
use super::store::sync_folder;
use super::stored;
use crate::limits::{AUDIT_LINE_BYTES_MAX, HISTORY_LINES_MAX};

/// Name of the file in the data folder.
pub(super) const FILE: &str = "audit.log";

/// One line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "what")]
pub(super) enum Line<'a> {
    /// A mail came, or its state, code or hold changed.
    Mail {
        time: u64,
        trace: &'a str,
        id: MailId,
        email_id: Option<MailId>,
        message_id: &'a str,
        from: Option<State>,
        to: State,
        held: bool,
        #[serde(serialize_with = "stored::text::serialize")]
        from_account: AccountId,
        #[serde(serialize_with = "stored::optional_text::serialize")]
        to_account: Option<AccountId>,
        code: Option<&'a str>,
        #[serde(serialize_with = "stored::optional_text::serialize")]
        hash: Option<Hash256>,
        ledger_index: Option<u32>,
        node: Option<&'a str>,
    },
    /// A notice was made, or its state changed.
    #[serde(rename = "answer")]
    Notice {
        time: u64,
        trace: &'a str,
        id: MailId,
        kind: NoticeKind,
        to: NoticeState,
    },
    /// Something was forgotten after its days.
    Forgotten { time: u64, id: MailId, part: &'a str },
    /// An entry could not be read and was set aside.
    Damaged { time: u64, id: MailId },
}

impl Line<'_> {
    fn write(&self, lines: &mut Vec<u8>) {
        // Writing JSON into memory fails for maps with odd keys alone, and there are none.
        if serde_json::to_writer(&mut *lines, self).is_ok() {
            lines.push(b'\n');
        }
    }
}

/// The line for an entry that was put or changed, where there is anything to tell.
pub(super) fn tell_entry(time: u64, before: Option<&Entry>, after: &Entry, lines: &mut Vec<u8>) {
    let known = |entry: &Entry| {
        let outcome = entry.progress.outcome();
        let ledger_index = outcome.and_then(Outcome::ledger_index);
        (entry.progress.trail().transaction, ledger_index)
    };
    let (hash, ledger_index) = known(after);
    let same = before.is_some_and(|before| {
        (before.state(), before.is_held(), &before.said.code)
            == (after.state(), after.is_held(), &after.said.code)
            && known(before) == (hash, ledger_index)
    });
    if same {
        return;
    }
    Line::Mail {
        time,
        trace: after.trace.as_str(),
        id: after.id,
        email_id: after.email_id().map(MailId::from),
        message_id: &after.message_id,
        from: before.map(Entry::state),
        to: after.state(),
        held: after.is_held(),
        from_account: after.from.account(),
        to_account: after.to().map(Recipient::account),
        code: after.said.code.as_ref().map(ResultCode::as_str),
        hash,
        ledger_index,
        node: after.progress.trail().node.as_deref(),
    }
    .write(lines);
}

/// The line for a notice that was put or changed, where there is anything to tell.
pub(super) fn tell_notice(time: u64, before: Option<&Notice>, after: &Notice, lines: &mut Vec<u8>) {
    if before.is_some_and(|before| before.state == after.state) {
        return;
    }
    Line::Notice {
        time,
        trace: after.trace.as_str(),
        id: after.about,
        kind: after.kind,
        to: after.state,
    }
    .write(lines);
}

/// The line for something forgotten.
pub(super) fn tell_forgotten(time: u64, id: MailId, part: &str, lines: &mut Vec<u8>) {
    Line::Forgotten { time, id, part }.write(lines);
}

/// The line for an entry set aside.
pub(super) fn tell_damaged(time: u64, id: MailId, lines: &mut Vec<u8>) {
    Line::Damaged { time, id }.write(lines);
}

/// The log, open.
pub(super) struct AuditLog {
    path: PathBuf,
    file: Option<File>,
    /// Lines that are committed in the queue and not yet in the file.
    pending: Vec<u8>,
}

impl AuditLog {
    /// Opens the log and completes it: `last` are the lines of the last commits, which a kill may have left
    /// out.
    pub(super) fn open(data: &Path, last: &[u8]) -> io::Result<AuditLog> {
        let path = data.join(FILE);
        let mut file = open_file(&path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let last_bytes = u64::try_from(last.len()).unwrap_or(u64::MAX);
        file.seek(SeekFrom::Start(length.saturating_sub(last_bytes)))?;
        let mut tail = Vec::new();
        (&mut file).take(last_bytes).read_to_end(&mut tail)?;
        let known = (0..=last.len())
            .rev()
            .find(|known| last.get(..*known).is_some_and(|known| tail.ends_with(known)));
        let mut log = AuditLog {
            path,
            file: Some(file),
            pending: last.get(known.unwrap_or(0)..).unwrap_or_default().to_vec(),
        };
        log.flush()?;
        Ok(log)
    }

    /// Lines that are not yet in the file.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Writes committed lines: all that were pending, and new ones.
    pub(super) fn write(&mut self, lines: Vec<u8>) -> io::Result<()> {
        self.pending = lines;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let path = &self.path;
        let is_there = |file: &File| {
            let (ours, named) = (file.metadata(), std::fs::metadata(path));
            matches!((ours, named), (Ok(ours), Ok(named)) if (ours.dev(), ours.ino()) == (named.dev(), named.ino()))
        };
        let file = match self.file.take().filter(is_there) {
            Some(file) => file,
            None => open_file(path)?,
        };
        let file = self.file.insert(file);
        let length = file.metadata()?.len();
        if let Err(error) = file.write_all(&self.pending).and_then(|()| file.sync_data()) {
            // A part of a line must not stay: the lines are written again.
            file.set_len(length)?;
            return Err(error);
        }
        self.pending.clear();
        Ok(())
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let is_new = !path.exists();
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    if let Some(folder) = path.parent().filter(|_| is_new) {
        sync_folder(folder)?;
    }
    Ok(file)
}

/// The lines about one mail, oldest first, of the file as it is (not of those that logrotate moved away).
/// Bounded: of more the newest are given.
pub(super) fn history(path: &Path, id: MailId) -> io::Result<Vec<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let wanted = format!("\"id\":\"{id}\"");
    let finder = memchr::memmem::Finder::new(&wanted);
    let mut found = std::collections::VecDeque::new();
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let line_bytes_max = u64::try_from(AUDIT_LINE_BYTES_MAX).unwrap_or(u64::MAX);
    loop {
        line.clear();
        if (&mut reader).take(line_bytes_max).read_until(b'\n', &mut line)? == 0 {
            return Ok(found.into());
        }
        if finder.find(&line).is_some() {
            if found.len() == HISTORY_LINES_MAX {
                found.pop_front();
            }
            found.push_back(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        }
    }
}
