//! The queue as its callers hold it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable};
use tokio::sync::watch;

use super::audit::{self, AuditLog};
use super::batch::{Batch, Change, Put};
use super::entry::{Entry, State};
use super::error::{OpenError, QueueError};
use super::id::MailId;
use super::notice::{Notice, NoticeState};
use super::store::{self, Store};
use super::stored::decode;
use super::tables::{
    ANSWER_STATES, ANSWERS, ANSWERS_TO, AUDIT, AUDIT_LAST, DAMAGED, DUE, ENTRIES, HIGHEST, IDS, LOWEST,
    MAILS, MARKS, STATES, decode_entry, kind_number, notice_state_number, state_number,
};
use super::writer::{Core, Writer};
use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::limits::{ANSWER_WAIT_SECS, CLEAN_ROWS_MAX};

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Held or not held.
    pub held: Option<bool>,
    /// From this address (canonical).
    pub from: Option<String>,
    /// At most this many, oldest first; `None` for all.
    pub max: Option<usize>,
}

impl Filter {
    fn matches(&self, entry: &Entry) -> bool {
        self.state.is_none_or(|state| entry.state() == state)
            && self.held.is_none_or(|held| entry.is_held() == held)
            && self.from.as_ref().is_none_or(|from| entry.from.as_str() == from)
    }
}

/// An entry that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Damaged {
    /// Its id.
    pub id: MailId,
    /// Unix seconds at which its mail was taken.
    pub received_at: u64,
    /// What was found in its place, as far as it is text.
    pub found: String,
}

/// The queue. Clones are the same queue.
#[derive(Clone)]
pub struct Queue {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    writer: Writer,
    pub(super) core: Arc<Core>,
}

/// Whether a data folder holds a queue.
#[must_use]
pub fn is_queue(data: &Path) -> bool {
    store::is_queue(data)
}

impl Queue {
    /// Opens the queue of a data folder, or makes both. A file of an older format is migrated. Notices that
    /// were being sent when the last process ended are withheld, so that nobody gets one twice; the audit log
    /// is completed.
    pub fn open(data: &Path, limits: &QueueConfig, clock: Clock) -> Result<Queue, OpenError> {
        let store = Store::open(data)?;
        let file = data.join(store::FILE);
        let wrong = |error| OpenError::queue(&file, error);
        store.migrate().map_err(wrong)?;
        let last = store.read(|reading| {
            let last = reading.open_table(AUDIT)?.get(AUDIT_LAST)?;
            Ok(last.map(|last| last.value().to_vec()).unwrap_or_default())
        });
        let last = last.map_err(wrong)?;
        let path = data.join(audit::FILE);
        let audit = AuditLog::open(data, &last).map_err(|error| OpenError::io(&path, &error))?;
        let mut core = Core::new(store, Some(audit), limits.clone(), clock).map_err(wrong)?;
        core.data = Some(data.to_owned());
        let folder = data.to_owned();
        core.space = Box::new(move || {
            let disk = rustix::fs::statvfs(&folder)?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        });
        Queue::start(core)
    }

    pub(super) fn start(core: Core) -> Result<Queue, OpenError> {
        let core = Arc::new(core);
        let writer = Writer::spawn(&core).map_err(|error| QueueError::Disk(format!("no thread: {error}")))?;
        writer.ask(&core, |batch| batch.withhold_unknown_notices());
        Ok(Queue {
            inner: Arc::new(Inner { writer, core }),
        })
    }

    /// An empty queue that forgets everything, for tests. It has no thread: what is asked is done when the
    /// future is polled.
    ///
    /// # Panics
    /// Where there is no memory for it.
    #[must_use]
    pub fn in_memory() -> Queue {
        Queue::in_memory_with(&QueueConfig::default(), Arc::new(|| 0))
    }

    /// As [`Queue::in_memory`], with limits and a clock.
    ///
    /// # Panics
    /// Where there is no memory for it.
    #[allow(
        clippy::expect_used,
        reason = "an empty store in memory meets no foreign data"
    )]
    pub fn in_memory_with(limits: &QueueConfig, clock: Clock) -> Queue {
        let opener = || store::builder().create_with_backend(redb::backends::InMemoryBackend::new());
        let core = Store::on(Box::new(opener))
            .map_err(|failure| failure.at(Path::new("memory")))
            .and_then(|store| Ok(Core::new(store, None, limits.clone(), clock)?))
            .expect("memory");
        Queue::without_thread(core)
    }

    /// What is asked is done by the thread that polls.
    pub(super) fn without_thread(core: Core) -> Queue {
        Queue {
            inner: Arc::new(Inner {
                writer: Writer::Caller,
                core: Arc::new(core),
            }),
        }
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, QueueError> {
        self.inner.core.store.read(read)
    }

    async fn submit<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut Batch<'_, '_>) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, QueueError> {
        self.inner.writer.submit(&self.inner.core, bytes, work).await
    }

    /// Keeps a mail. Durable when it returns.
    pub async fn put(&self, entry: Entry, mail: Vec<u8>) -> Result<Put, QueueError> {
        let bytes = mail.len();
        self.submit(bytes, move |batch| batch.put(&entry, &mail)).await?
    }

    /// Changes an entry and puts the notices that the change gives into the outbox, both or neither; a notice
    /// whose key is there already is left as it is. `None` where there is no such entry. Durable when it
    /// returns. A change does not alter `id` and `received_at`.
    pub async fn change(&self, id: MailId, change: Change) -> Result<Option<Entry>, QueueError> {
        self.submit(0, move |batch| batch.change(id, change)).await?
    }

    /// One entry.
    pub fn entry(&self, id: MailId) -> Result<Option<Entry>, QueueError> {
        let found = self.read(|reading| {
            let Some(place) = reading
                .open_table(IDS)?
                .get(id.as_bytes())?
                .map(|place| place.value())
            else {
                return Ok(None);
            };
            let row = reading.open_table(ENTRIES)?.get(place)?;
            let entry = row.and_then(|row| decode_entry(place, row.value()));
            Ok(Some(entry.filter(|entry| entry.id == id)))
        })?;
        if found == Some(None) {
            self.set_aside(vec![id]);
        }
        Ok(found.flatten())
    }

    /// Has the writer look at entries that could not be read.
    fn set_aside(&self, ids: Vec<MailId>) {
        self.inner.writer.ask(&self.inner.core, move |batch| {
            ids.into_iter().try_for_each(|id| batch.look_at(id))
        });
    }

    /// The mail of an entry, while it is kept; also of an entry that was set aside.
    pub fn mail(&self, id: MailId) -> Result<Option<Vec<u8>>, QueueError> {
        self.read(|reading| {
            let place = reading.open_table(IDS)?.get(id.as_bytes())?;
            let place = match place.map(|place| place.value()) {
                Some(place) => Some(place),
                None => {
                    let damaged = reading.open_table(DAMAGED)?.get(id.as_bytes())?;
                    damaged.map(|row| (row.value().0, row.value().1))
                }
            };
            let Some(place) = place else {
                return Ok(None);
            };
            let mail = reading.open_table(MAILS)?.get(place)?;
            Ok(mail.map(|mail| mail.value().to_vec()))
        })
    }

    /// Entries, oldest first.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Entry>, QueueError> {
        Ok(self.list_page(filter, None)?.0)
    }

    /// Entries after those of the page before, oldest first, and where this page ends; `None` at the end of
    /// the list.
    pub fn list_page(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
    ) -> Result<(Vec<Entry>, Option<Cursor>), QueueError> {
        let first = after.map_or((0, 0), |after| (after.0.0, after.0.1.saturating_add(1)));
        let mut page = Page {
            filter,
            entries: Vec::new(),
            end: None,
            unreadable: Vec::new(),
        };
        self.read(|reading| {
            let entries = reading.open_table(ENTRIES)?;
            let Some(state) = filter.state.map(state_number) else {
                for row in entries.range(first..)? {
                    let (place, row) = row?;
                    if page.is_full() || !page.take(place.value(), row.value()) {
                        break;
                    }
                }
                return Ok(());
            };
            let states = reading.open_table(STATES)?;
            for row in states.range((state, first.0, first.1)..=(state, u64::MAX, u64::MAX))? {
                let (_, received_at, number) = row?.0.value();
                let place = (received_at, number);
                let Some(row) = entries.get(place)? else {
                    continue;
                };
                if page.is_full() || !page.take(place, row.value()) {
                    break;
                }
            }
            Ok(())
        })?;
        if !page.unreadable.is_empty() {
            self.set_aside(page.unreadable);
        }
        Ok((page.entries, page.end))
    }

    /// Entries that could not be read.
    pub fn damaged(&self) -> Result<Vec<Damaged>, QueueError> {
        self.read(|reading| {
            let mut found = Vec::new();
            for row in reading.open_table(DAMAGED)?.iter()? {
                let (id, row) = row?;
                let (received_at, _, bytes) = row.value();
                found.push(Damaged {
                    id: MailId::new(*id.value()),
                    received_at,
                    found: String::from_utf8_lossy(bytes).into_owned(),
                });
            }
            Ok(found)
        })
    }

    /// Entries to be tried at `now` (Unix seconds), the longest due first: not final, not held.
    #[must_use]
    pub fn due(&self, now: u64, max: usize) -> Vec<MailId> {
        let due = self.read(|reading| {
            let due = reading.open_table(DUE)?;
            let mut found = Vec::new();
            for row in due.range((0, 0)..=(now, u64::MAX))?.take(max) {
                found.push(MailId::new(*row?.1.value()));
            }
            Ok(found)
        });
        due.unwrap_or_else(|error| {
            tracing::error!(%error, "the queue cannot be read");
            Vec::new()
        })
    }

    /// Entries to be tried only after `after` (Unix seconds), the last first.
    pub fn due_after(&self, after: u64, max: usize) -> Result<Vec<MailId>, QueueError> {
        self.read(|reading| {
            let due = reading.open_table(DUE)?;
            let rows = due.range((after, u64::MAX)..)?.rev().take(max);
            rows.map(|row| Ok(MailId::new(*row?.1.value()))).collect()
        })
    }

    /// Unix seconds at which the next entry is due, which may be past; `None` where none waits for its time.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let next = self.read(|reading| {
            let due = reading.open_table(DUE)?;
            let first = due.first()?;
            Ok(first.map(|(key, _)| key.value().0))
        });
        next.ok().flatten()
    }

    /// A number that grows whenever something was written.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.core.changes.subscribe()
    }

    /// How many entries are in each state that has any.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<State, usize> {
        let counts = State::ALL.map(|state| (state, self.inner.core.count(state)));
        let some = counts.into_iter().filter(|(_, count)| *count > 0);
        some.map(|(state, count)| (state, usize::try_from(count).unwrap_or(usize::MAX)))
            .collect()
    }

    /// Mails that are not final, held ones too, that came before `until` (Unix seconds) and after the cursor,
    /// oldest first, at most `max`; and the cursor of the next call.
    pub fn under_way(
        &self,
        after: Option<Cursor>,
        until: u64,
        max: usize,
    ) -> Result<(Vec<MailId>, Cursor), QueueError> {
        let first = after.map_or((0, 0), |after| (after.0.0, after.0.1.saturating_add(1)));
        let nothing = after.unwrap_or(Cursor((0, 0)));
        if (until, 0) <= first || max == 0 {
            return Ok((Vec::new(), nothing));
        }
        self.read(|reading| {
            let states = reading.open_table(STATES)?;
            let mut places = Vec::new();
            for state in State::ALL.into_iter().filter(|state| !state.is_final()) {
                let number = state_number(state);
                let rows = states.range((number, first.0, first.1)..(number, until, 0))?;
                for row in rows.take(max) {
                    let (_, received_at, number) = row?.0.value();
                    places.push((received_at, number));
                }
            }
            places.sort_unstable();
            places.truncate(max);
            let end = match places.last() {
                Some(last) if places.len() == max => *last,
                _ => (until.saturating_sub(1), u64::MAX),
            };
            let entries = reading.open_table(ENTRIES)?;
            let mut found = Vec::with_capacity(places.len());
            for place in places {
                found.extend(entries.get(place)?.map(|row| MailId::new(*row.value().0)));
            }
            Ok((found, Cursor(end)))
        })
    }

    /// Notices to be sent at `now`, the longest due first; then those whose time a clock that was ahead wrote.
    #[must_use]
    pub fn notices_due(&self, now: u64, max: usize) -> Vec<Notice> {
        let far = now.saturating_add(2 * ANSWER_WAIT_SECS.1);
        let waiting = notice_state_number(NoticeState::Waiting);
        let due = self.read(|reading| {
            let states = reading.open_table(ANSWER_STATES)?;
            let notices = reading.open_table(ANSWERS)?;
            let mut found = Vec::new();
            let due = (waiting, 0, LOWEST, 0)..=(waiting, now, HIGHEST, u8::MAX);
            let stale = (waiting, far, LOWEST, 0)..=(waiting, u64::MAX, HIGHEST, u8::MAX);
            for row in states.range(due)?.chain(states.range(stale)?) {
                if found.len() >= max {
                    break;
                }
                let (key, _) = row?;
                let (_, _, about, kind) = key.value();
                let bytes = notices.get((about, kind))?;
                found.extend(bytes.and_then(|bytes| decode::<Notice>(bytes.value())));
            }
            Ok(found)
        });
        due.unwrap_or_else(|error| {
            tracing::error!(%error, "the outbox cannot be read");
            Vec::new()
        })
    }

    /// How many notices were made for its address since `since` (Unix seconds) and before this one, withheld
    /// ones left out.
    #[must_use]
    pub fn notices_before(&self, notice: &Notice, since: u64) -> u32 {
        let withheld = notice_state_number(NoticeState::Withheld);
        let (address, about) = (notice.to.as_str(), notice.about.as_bytes());
        if since > notice.made_at {
            return 0;
        }
        let made = self.read(|reading| {
            let made = reading.open_table(ANSWERS_TO)?;
            let mut count = 0u32;
            let this = (address, notice.made_at, about, kind_number(notice.kind));
            for row in made.range((address, since, LOWEST, 0)..this)? {
                count = count.saturating_add(u32::from(row?.1.value() != withheld));
            }
            Ok(count)
        });
        made.unwrap_or_else(|error| {
            tracing::error!(%error, "the outbox cannot be read: no further answers");
            u32::MAX
        })
    }

    /// Notices about a mail.
    #[must_use]
    pub fn notices_about(&self, about: MailId) -> Vec<Notice> {
        let notices = self.read(|reading| {
            let notices = reading.open_table(ANSWERS)?;
            let mut found = Vec::new();
            let id = about.as_bytes();
            for row in notices.range((id, 0)..=(id, u8::MAX))? {
                found.extend(decode::<Notice>(row?.1.value()));
            }
            Ok(found)
        });
        notices.unwrap_or_else(|error| {
            tracing::error!(%error, "the outbox cannot be read");
            Vec::new()
        })
    }

    /// Replaces a notice. Durable when it returns.
    pub async fn set_notice(&self, notice: Notice) -> Result<(), QueueError> {
        self.submit(notice.mail.len(), move |batch| batch.set_notice(&notice))
            .await?
    }

    /// A mark of the intake, such as the last UID of a mailbox.
    pub fn mark(&self, name: &str) -> Result<Option<String>, QueueError> {
        self.read(|reading| {
            let mark = reading.open_table(MARKS)?.get(name)?;
            Ok(mark.map(|mark| mark.value().to_owned()))
        })
    }

    /// Sets a mark. Durable when it returns.
    pub async fn set_mark(&self, name: &str, value: String) -> Result<(), QueueError> {
        let name = name.to_owned();
        self.submit(0, move |batch| batch.set_mark(&name, &value)).await
    }

    /// Forgets what was kept long enough at `now` (Unix seconds): the text of final mails and of notices,
    /// then their entries. In small steps, between which others write. Returns how much was forgotten. The
    /// pages that are free then are used again, or given back to the disk where it needs them.
    pub async fn clean(&self, now: u64) -> Result<usize, QueueError> {
        let mut all = 0;
        loop {
            let step = self
                .submit(0, move |batch| batch.clean(now, CLEAN_ROWS_MAX))
                .await?;
            all += step;
            if step < CLEAN_ROWS_MAX {
                break;
            }
        }
        if let Some(data) = &self.inner.core.data {
            let (core, path) = (Arc::clone(&self.inner.core), data.join(store::FILE));
            let compacting = tokio::task::spawn_blocking(move || core.compact(&path)).await;
            compacting.map_err(|error| QueueError::Disk(error.to_string()))??;
        }
        Ok(all)
    }

    /// Lines of the audit log about a mail, oldest first, the newest where there are too many. Files that
    /// logrotate moved away are not read.
    pub fn history(&self, id: MailId) -> Result<Vec<String>, QueueError> {
        let Some(data) = &self.inner.core.data else {
            return Ok(Vec::new());
        };
        audit::history(&data.join(audit::FILE), id).map_err(QueueError::of)
    }

    /// Whether its writer runs; without one nothing is ever written again.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.inner.writer.is_alive()
    }

    /// Whether the queue can take mails now, for health checks.
    pub fn check(&self) -> Result<(), QueueError> {
        if !self.is_alive() {
            return Err(QueueError::Disk("the queue's writer has stopped".to_owned()));
        }
        self.inner.core.check_space()?;
        self.read(|reading| reading.open_table(MARKS).map(drop).map_err(redb::Error::from))
    }
}

/// Where a page of a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor((u64, u64));

/// A page of a list, as it is filled.
struct Page<'f> {
    filter: &'f Filter,
    entries: Vec<Entry>,
    end: Option<Cursor>,
    unreadable: Vec<MailId>,
}

impl Page<'_> {
    fn is_full(&self) -> bool {
        self.filter.max.is_some_and(|max| self.entries.len() >= max)
    }

    /// Takes a row if it belongs to the list; whether there is room for more.
    fn take(&mut self, place: (u64, u64), row: (&[u8; 32], &[u8])) -> bool {
        match decode_entry(place, row) {
            Some(entry) if self.filter.matches(&entry) => {
                self.entries.push(entry);
                self.end = Some(Cursor(place));
            }
            Some(_) => {}
            None => self.unreadable.push(MailId::new(*row.0)),
        }
        !self.is_full()
    }
}
