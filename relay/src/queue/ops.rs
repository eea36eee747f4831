//! What operators do with the queue, on a live daemon (through [`crate::control`]) and on a stopped one
//! alike.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::Ordering;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use serde::{Deserialize, Serialize};

use super::audit;
use super::entry::{Entry, Hold, Progress, State};
use super::error::QueueError;
use super::handle::Queue;
use super::id::MailId;
use super::notice::{Notice, NoticeState};
use super::store;
use super::stored::decode;
use super::tables::{
    ANSWER_STATES, ANSWERS, DAMAGED, DUE, ENTRIES, HIGHEST, LOWEST, STATES, decode_entry,
    notice_state_number, state_number,
};
use super::view::EntryView;
use super::waits::{self, Waits, WaitsFor};
use crate::meter;

/// Why an operation was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// No mail has this name.
    #[error("no mail is named {0}; give the id or the trace id shown by `queue list`, a reply or the log")]
    Unknown(String),
    /// The mail is final.
    #[error("{id} is {}, which is final", .state.as_str())]
    Final {
        /// The mail.
        id: MailId,
        /// What became of it.
        state: State,
    },
}

/// All about one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its entry; `None` where it was set aside.
    pub entry: Option<EntryView>,
    /// Notices about it.
    #[serde(rename = "answers")]
    pub notices: Vec<Notice>,
    /// Lines of the audit log about it.
    pub history: Vec<String>,
    /// The mail, where it was asked for and is kept; bytes that are not UTF-8 are replaced.
    pub mail: Option<String>,
}

/// Whether the mail itself is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Text {
    /// What is known of it.
    #[default]
    Without,
    /// The mail too.
    With,
}

/// The queue in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Entries by state.
    pub entries: BTreeMap<State, usize>,
    /// Entries that are held, of those that are not final.
    pub held: u64,
    /// Entries that were set aside because they cannot be read.
    pub damaged: u64,
    /// Notices that wait to be sent.
    #[serde(rename = "answers_waiting")]
    pub notices_waiting: u64,
    /// Age of the oldest entry that is not final, seconds.
    pub oldest_secs: Option<u64>,
    /// Mails under way, by what they wait for.
    #[serde(default)]
    pub waits: Waits,
    /// Age of the oldest notice that waits to be sent, seconds.
    #[serde(default, rename = "answers_oldest_secs")]
    pub notices_oldest_secs: u64,
    /// Size of the queue on disk, bytes.
    pub queue_bytes: u64,
    /// Size of the audit log, bytes.
    pub audit_bytes: u64,
    /// Free space of the disk, bytes; `None` where it is not known.
    pub free_bytes: Option<u64>,
    /// Seconds since the queue was opened.
    pub open_secs: u64,
    /// Mails taken since then.
    pub taken: u64,
    /// Mails that became final since then.
    pub became_final: u64,
    /// Commits since then.
    pub commits: u64,
    /// Why no mail can be taken now.
    pub fault: Option<String>,
}

impl Queue {
    /// The mail that an id or a trace id names.
    pub fn find(&self, name: &str) -> Result<MailId, OpError> {
        let unknown = || OpError::Unknown(name.to_owned());
        if let Ok(id) = name.parse::<MailId>() {
            let is_there = self.entry(id)?.is_some() || self.mail(id)?.is_some();
            return is_there.then_some(id).ok_or_else(unknown);
        }
        let found = self.read(|reading| {
            for row in reading.open_table(ENTRIES)?.iter()?.rev() {
                let (place, row) = row?;
                let entry = decode_entry(place.value(), row.value());
                if let Some(entry) = entry.filter(|entry| entry.trace.as_str() == name) {
                    return Ok(Some(entry.id));
                }
            }
            Ok(None)
        })?;
        found.ok_or_else(unknown)
    }

    /// All about a mail.
    pub fn show(&self, id: MailId, text: Text) -> Result<Shown, OpError> {
        let entry = self.entry(id)?;
        let mail = match text {
            Text::With => self.mail(id)?,
            Text::Without => None,
        };
        let about = entry.as_ref().map_or(id, Entry::about);
        Ok(Shown {
            notices: self.notices_about(about),
            history: self.history(id)?,
            mail: mail.map(|mail| String::from_utf8_lossy(&mail).into_owned()),
            entry: entry.as_ref().map(EntryView::from),
        })
    }

    /// Makes a mail due at `now` (Unix seconds). A held one stays held.
    pub async fn retry(&self, id: MailId, now: u64) -> Result<Entry, OpError> {
        self.operate(id, move |entry| entry.next_try = now).await
    }

    /// Keeps a mail from being tried, with the operator's reason.
    pub async fn hold(&self, id: MailId, reason: String) -> Result<Entry, OpError> {
        self.operate(id, move |entry| {
            entry.progress.set_hold(Hold::Held);
            entry.said.word = Some(reason);
        })
        .await
    }

    /// Ends a hold; the mail is due at `now` (Unix seconds).
    pub async fn release(&self, id: MailId, now: u64) -> Result<Entry, OpError> {
        self.operate(id, move |entry| {
            if entry.is_held() {
                entry.progress.set_hold(Hold::Free);
                entry.said.word = None;
                entry.next_try = now;
            }
        })
        .await
    }

    /// Gives a mail up, with the operator's reason. A node that has it may still execute it.
    pub async fn drop_mail(&self, id: MailId, reason: String, now: u64) -> Result<Entry, OpError> {
        let entry = self.operate(id, move |entry| {
            entry.progress = Progress::Dropped(entry.end(now));
            entry.said.word = Some(reason);
        });
        entry.await
    }

    /// Changes an entry that is not final.
    async fn operate(
        &self,
        id: MailId,
        change: impl FnOnce(&mut Entry) + Send + 'static,
    ) -> Result<Entry, OpError> {
        let (sender, before) = std::sync::mpsc::channel();
        let changed = self.change(
            id,
            Box::new(move |entry| {
                // The receiver lives until the change is done.
                let _ = sender.send(entry.state());
                if !entry.is_final() {
                    change(entry);
                }
                Vec::new()
            }),
        );
        let entry = changed.await?.ok_or_else(|| OpError::Unknown(id.to_string()))?;
        match before.try_recv() {
            Ok(state) if state.is_final() => Err(OpError::Final { id, state }),
            Ok(_) | Err(_) => Ok(entry),
        }
    }

    /// The queue in numbers, at `now` (Unix seconds).
    pub fn stats(&self, now: u64) -> Result<Stats, QueueError> {
        let core = &self.inner.core;
        let file_bytes = |name: &str| {
            let path = core.data.as_ref().map(|data| data.join(name));
            let metadata = path.and_then(|path| fs::metadata(path).ok());
            metadata.map_or(0, |metadata| metadata.len())
        };
        let mut stats = self.read(|reading| {
            let waiting: u64 = waiting_states().map(|state| core.count(state)).sum();
            let (notices_waiting, notices_oldest_secs) = notices_waiting(reading, now)?;
            Ok(Stats {
                entries: self.counts(),
                held: waiting.saturating_sub(reading.open_table(DUE)?.len()?),
                damaged: reading.open_table(DAMAGED)?.len()?,
                notices_waiting,
                notices_oldest_secs,
                waits: waits(reading, now)?,
                oldest_secs: oldest(reading)?.map(|oldest| now.saturating_sub(oldest)),
                queue_bytes: 0,
                audit_bytes: 0,
                free_bytes: None,
                open_secs: now.saturating_sub(core.opened_at),
                taken: core.tallies.put.load(Ordering::Relaxed),
                became_final: core.tallies.finals.load(Ordering::Relaxed),
                commits: core.tallies.commits.load(Ordering::Relaxed),
                fault: None,
            })
        })?;
        stats.queue_bytes = file_bytes(store::FILE);
        stats.audit_bytes = file_bytes(audit::FILE);
        stats.free_bytes = core.data.as_ref().and((core.space)().ok());
        stats.fault = self.check().err().map(|error| error.to_string());
        show(&stats);
        Ok(stats)
    }
}

/// Sets the gauges.
fn show(stats: &Stats) {
    let number = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    metrics::gauge!(meter::QUEUE_OLDEST_SECS).set(number(stats.oldest_secs.unwrap_or(0)));
    for what in WaitsFor::ALL {
        let waiting = stats.waits.get(&what).copied().unwrap_or_default();
        metrics::gauge!(meter::QUEUE_WAITS, "for" => what.as_str()).set(number(waiting.count));
        metrics::gauge!(meter::QUEUE_WAITS_SECS, "for" => what.as_str()).set(number(waiting.oldest_secs));
    }
    metrics::gauge!(meter::ANSWERS_WAITING).set(number(stats.notices_waiting));
    metrics::gauge!(meter::ANSWERS_WAITING_SECS).set(number(stats.notices_oldest_secs));
}

/// What the mails under way wait for.
fn waits(reading: &ReadTransaction, now: u64) -> Result<Waits, redb::Error> {
    let (states, entries) = (reading.open_table(STATES)?, reading.open_table(ENTRIES)?);
    let mut waits = Waits::new();
    for state in waiting_states().map(state_number) {
        for row in states.range((state, 0, 0)..=(state, u64::MAX, u64::MAX))? {
            let (_, received_at, number) = row?.0.value();
            let place = (received_at, number);
            let row = entries.get(place)?;
            if let Some(entry) = row.and_then(|row| decode_entry(place, row.value())) {
                waits::count(&mut waits, &entry, now);
            }
        }
    }
    Ok(waits)
}

fn waiting_states() -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(|state| !state.is_final())
}

/// Unix seconds at which the oldest entry came that is not final.
fn oldest(reading: &ReadTransaction) -> Result<Option<u64>, redb::Error> {
    let states = reading.open_table(STATES)?;
    let mut oldest = None;
    for state in waiting_states().map(state_number) {
        let mut rows = states.range((state, 0, 0)..=(state, u64::MAX, u64::MAX))?;
        if let Some(row) = rows.next() {
            let came = row?.0.value().1;
            oldest = Some(oldest.map_or(came, |oldest: u64| oldest.min(came)));
        }
    }
    Ok(oldest)
}

/// How many notices wait to be sent, and how old the oldest is, seconds.
fn notices_waiting(reading: &ReadTransaction, now: u64) -> Result<(u64, u64), redb::Error> {
    let waiting = notice_state_number(NoticeState::Waiting);
    let (states, notices) = (reading.open_table(ANSWER_STATES)?, reading.open_table(ANSWERS)?);
    let (mut count, mut oldest_secs) = (0, 0);
    for row in states.range((waiting, 0, LOWEST, 0)..=(waiting, u64::MAX, HIGHEST, u8::MAX))? {
        let (key, _) = row?;
        let (_, _, about, kind) = key.value();
        count += 1;
        let notice = notices.get((about, kind))?;
        if let Some(notice) = notice.and_then(|row| decode::<Notice>(row.value())) {
            oldest_secs = oldest_secs.max(now.saturating_sub(notice.made_at));
        }
    }
    Ok((count, oldest_secs))
}
