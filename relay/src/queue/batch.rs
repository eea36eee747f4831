//! What one transaction does for the callers that share it.

use redb::{ReadableTable, ReadableTableMetadata, TableHandle};

use super::audit;
use super::entry::{Dkim, Entry, State};
use super::error::QueueError;
use super::id::MailId;
use super::notice::{Notice, NoticeState};
use super::stored::{decode, encode};
use super::tables::{
    AUDIT_LAST, Ending, EntryRows, HIGHEST, LOWEST, NEXT, Place, StateCounts, Tables, decode_entry,
    insert_notice, kind_number, notice_state_number, remove_notice, state_number,
};
use crate::config::QueueConfig;
use crate::limits::AUDIT_PENDING_BYTES_MAX;
use crate::mail::TraceId;

/// What became of a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is new, and on disk.
    New,
    /// The mail was there before, in this state and under this name; nothing was written.
    Known(State, TraceId),
}

/// What a change does to an entry; the notices that it gives.
pub type Change = Box<dyn FnOnce(&mut Entry) -> Vec<Notice> + Send>;

/// Seconds of a day.
const DAY_SECS: u64 = 86_400;

/// One transaction.
pub(super) struct Batch<'a, 't> {
    pub(super) tables: &'a mut Tables<'t>,
    pub(super) limits: &'a QueueConfig,
    /// Unix seconds.
    pub(super) now: u64,
    /// Entries in each state.
    pub(super) counts: StateCounts,
    /// Lines for the audit log: those that could not be written before, and new ones.
    pub(super) audit: Vec<u8>,
    /// Why nothing new may be kept.
    pub(super) refusal: Option<QueueError>,
    pub(super) tally: Tally,
}

/// What a transaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Mails taken.
    pub(super) put: u64,
    /// Mails that became final.
    pub(super) finals: u64,
    /// Entries set aside.
    pub(super) damaged: u64,
    /// Anything written at all.
    pub(super) writes: u64,
    /// Pages that mails took, bytes.
    pub(super) used: u64,
    /// Pages that forgotten mails left, bytes.
    pub(super) freed: u64,
}

impl Batch<'_, '_> {
    pub(super) fn put(&mut self, entry: &Entry, mail: &[u8]) -> Result<Result<Put, QueueError>, redb::Error> {
        let id = entry.id.as_bytes();
        if let Some(known) = self.entry(entry.id)? {
            return Ok(Ok(Put::Known(known.state(), known.trace)));
        }
        if let Some(refusal) = &self.refusal {
            return Ok(Err(refusal.clone()));
        }
        let waiting = self.waiting();
        if waiting >= self.limits.waiting_max {
            return Ok(Err(QueueError::Full { waiting }));
        }
        if entry.dkim == Dkim::Unproven {
            let waiting = usize::try_from(self.tables.unproven.len()?).unwrap_or(usize::MAX);
            if waiting >= self.limits.unproven_max {
                return Ok(Err(QueueError::FullOfUnproven { waiting }));
            }
        }
        let bytes = match encode(entry) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let place = (entry.received_at, self.take_number()?);
        self.tables.ids.insert(id, place)?;
        self.tables.entries.insert(place, (id, bytes.as_slice()))?;
        self.tables.mails.insert(place, mail)?;
        self.tally.used += pages_of(mail);
        EntryRows::of(entry).insert(self.tables, place, entry.id)?;
        self.count(None, Some(entry.state()));
        audit::tell_entry(self.now, None, entry, &mut self.audit);
        self.tally.put += 1;
        self.tally.writes += 1;
        Ok(Ok(Put::New))
    }

    /// The number of a new entry.
    fn take_number(&mut self) -> Result<u64, redb::Error> {
        let number = self.tables.numbers.get(NEXT)?.map_or(0, |next| next.value());
        self.tables.numbers.insert(NEXT, number.saturating_add(1))?;
        Ok(number)
    }

    pub(super) fn change(
        &mut self,
        id: MailId,
        change: Change,
    ) -> Result<Result<Option<Entry>, QueueError>, redb::Error> {
        let Some((place, before)) = self.entry_at(id)? else {
            return Ok(Ok(None));
        };
        let changed = ops::caught(|| {
            let mut after = before.clone();
            let notices = change(&mut after);
            (after, notices)
        });
        let (mut after, notices) = match changed {
            Ok(changed) => changed,
            Err(panic) => {
                tracing::error!(%id, panic, "the change of an entry failed: a defect of the relay");
                return Ok(Err(QueueError::Broken));
            }
        };
        // These two are where the entry is, and no change moves it.
        (after.id, after.received_at) = (before.id, before.received_at);
        // Encoded before anything is written, so that a refusal leaves nothing half done.
        let encoded = notices.into_iter().map(|notice| {
            let bytes = encode(&notice)?;
            Ok((notice, bytes))
        });
        let encoded: Result<Vec<(Notice, Vec<u8>)>, QueueError> = encoded.collect();
        let (notices, bytes) = match (encoded, encode(&after)) {
            (Ok(notices), Ok(bytes)) => (notices, bytes),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
        };
        for (notice, bytes) in notices {
            self.add_notice(&notice, &bytes)?;
        }
        if after != before {
            self.replace(place, &before, &after, &bytes)?;
        }
        Ok(Ok(Some(after)))
    }

    fn replace(
        &mut self,
        place: Place,
        before: &Entry,
        after: &Entry,
        bytes: &[u8],
    ) -> Result<(), redb::Error> {
        let id = after.id;
        self.tables.entries.insert(place, (id.as_bytes(), bytes))?;
        let rows = (EntryRows::of(before), EntryRows::of(after));
        if rows.0 != rows.1 {
            rows.0.remove(self.tables, place, id)?;
            rows.1.insert(self.tables, place, id)?;
        }
        self.count(Some(before.state()), Some(after.state()));
        self.tally.finals += u64::from(after.is_final() && !before.is_final());
        self.tally.writes += 1;
        audit::tell_entry(self.now, Some(before), after, &mut self.audit);
        Ok(())
    }

    /// Puts a notice into the outbox, unless there is one under its key.
    fn add_notice(&mut self, notice: &Notice, bytes: &[u8]) -> Result<(), redb::Error> {
        let key = (notice.about.as_bytes(), kind_number(notice.kind));
        if self.tables.notices.get(key)?.is_some() {
            return Ok(());
        }
        insert_notice(self.tables, notice, bytes)?;
        audit::tell_notice(self.now, None, notice, &mut self.audit);
        self.tally.writes += 1;
        Ok(())
    }

    pub(super) fn set_notice(&mut self, notice: &Notice) -> Result<Result<(), QueueError>, redb::Error> {
        let bytes = match encode(notice) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error)),
        };
        let before = self.notice(notice.about.as_bytes(), kind_number(notice.kind))?;
        if let Some(before) = &before {
            remove_notice(self.tables, before)?;
        }
        insert_notice(self.tables, notice, &bytes)?;
        audit::tell_notice(self.now, before.as_ref(), notice, &mut self.audit);
        self.tally.writes += 1;
        Ok(Ok(()))
    }

    pub(super) fn set_mark(&mut self, name: &str, value: &str) -> Result<(), redb::Error> {
        self.tables.marks.insert(name, value)?;
        self.tally.writes += 1;
        Ok(())
    }

    /// Notices that were being sent when the process ended: whether the smarthost has them is not known, and
    /// nobody gets one twice.
    pub(super) fn withhold_unknown_notices(&mut self) -> Result<(), redb::Error> {
        let sending = notice_state_number(NoticeState::Sending);
        let range = (sending, 0, LOWEST, 0)..=(sending, u64::MAX, HIGHEST, u8::MAX);
        let mut found = Vec::new();
        for row in self.tables.notice_states.range(range)? {
            let (key, ()) = row.map(|(key, value)| (key, value.value()))?;
            let (_, _, about, kind) = key.value();
            found.push((*about, kind));
        }
        for (about, kind) in found {
            let Some(mut notice) = self.notice(&about, kind)? else {
                continue;
            };
            notice.state = NoticeState::Withheld;
            let word = "the relay stopped during delivery: it is not known whether it was sent";
            notice.word = Some(word.to_owned());
            // A refusal here would be one of encoding what was just decoded.
            let _ = self.set_notice(&notice)?;
        }
        Ok(())
    }

    /// Forgets what was kept long enough, at most `rows` of it; returns how many rows it looked at.
    pub(super) fn clean(&mut self, now: u64, rows: usize) -> Result<usize, redb::Error> {
        let mut left = rows;
        for ending in Ending::ALL {
            let days = match ending {
                Ending::Mail | Ending::NoticeText => self.limits.retention_days,
                Ending::Entry | Ending::Notice => self.limits.entry_days,
            };
            let Some(until) = now.checked_sub(u64::from(days) * DAY_SECS) else {
                continue;
            };
            let number = ending.number();
            let range = (number, 0, LOWEST, 0)..=(number, until, HIGHEST, u8::MAX);
            let mut ended = Vec::new();
            for row in self.tables.ends.range(range)?.take(left) {
                let (key, place) = row?;
                let (_, at, id, kind) = key.value();
                ended.push((at, *id, kind, place.value()));
            }
            left = left.saturating_sub(ended.len());
            for (at, id, kind, place) in ended {
                self.tables.ends.remove((number, at, &id, kind))?;
                self.tally.writes += 1;
                self.forget(ending, place, MailId::new(id), kind)?;
            }
        }
        Ok(rows.saturating_sub(left))
    }

    fn forget(&mut self, ending: Ending, place: Place, id: MailId, kind: u8) -> Result<(), redb::Error> {
        match ending {
            Ending::Mail => {
                if self.forget_mail(place)? {
                    audit::tell_forgotten(self.now, id, "mail", &mut self.audit);
                }
            }
            Ending::Entry => {
                self.forget_mail(place)?;
                if let Some(entry) = self.entry(id)? {
                    EntryRows::of(&entry).remove(self.tables, place, id)?;
                    self.tables.entries.remove(place)?;
                    self.tables.ids.remove(id.as_bytes())?;
                    self.count(Some(entry.state()), None);
                    audit::tell_forgotten(self.now, id, "entry", &mut self.audit);
                }
            }
            Ending::NoticeText | Ending::Notice => {
                let Some(mut notice) = self.notice(id.as_bytes(), kind)? else {
                    return Ok(());
                };
                let is_over = matches!(notice.state, NoticeState::Sent | NoticeState::Withheld);
                if ending == Ending::Notice {
                    remove_notice(self.tables, &notice)?;
                } else if is_over && let Ok(bytes) = notice_without_text(&mut notice) {
                    let key = (id.as_bytes(), kind);
                    self.tables.notices.insert(key, bytes.as_slice())?;
                }
            }
        }
        Ok(())
    }

    /// Whether there was one.
    fn forget_mail(&mut self, place: Place) -> Result<bool, redb::Error> {
        let mail = self.tables.mails.remove(place)?;
        let freed = mail.as_ref().map(|mail| pages_of(mail.value()));
        self.tally.freed += freed.unwrap_or(0);
        Ok(freed.is_some())
    }

    fn entry(&mut self, id: MailId) -> Result<Option<Entry>, redb::Error> {
        Ok(self.entry_at(id)?.map(|(_, entry)| entry))
    }

    /// An entry and its place; set aside where it cannot be read.
    fn entry_at(&mut self, id: MailId) -> Result<Option<(Place, Entry)>, redb::Error> {
        let Some(place) = self.tables.ids.get(id.as_bytes())?.map(|place| place.value()) else {
            return Ok(None);
        };
        let entry = match self.tables.entries.get(place)? {
            Some(row) => decode_entry(place, row.value()).filter(|entry| entry.id == id),
            None => None,
        };
        if entry.is_none() {
            self.set_aside(place, id)?;
        }
        Ok(entry.map(|entry| (place, entry)))
    }

    /// Sets an entry that cannot be read aside: it is listed as damaged, its mail stays, and the others are
    /// not held up.
    fn set_aside(&mut self, place: Place, id: MailId) -> Result<(), redb::Error> {
        let found = self.tables.entries.remove(place)?;
        let found = found.map(|row| row.value().1.to_vec()).unwrap_or_default();
        let row = (place.0, place.1, found.as_slice());
        self.tables.damaged.insert(id.as_bytes(), row)?;
        self.tables.ids.remove(id.as_bytes())?;
        self.tables.due.retain(|(_, number), _| number != place.1)?;
        self.tables.unproven.remove(place.1)?;
        for state in State::ALL {
            let key = (state_number(state), place.0, place.1);
            if self.tables.states.remove(key)?.is_some() {
                self.count(Some(state), None);
            }
        }
        tracing::error!(%id, "an entry cannot be read and is set aside; its mail is kept: see `queue list`");
        audit::tell_damaged(self.now, id, &mut self.audit);
        self.tally.damaged += 1;
        self.tally.writes += 1;
        Ok(())
    }

    /// Sets an entry aside if it still cannot be read.
    pub(super) fn look_at(&mut self, id: MailId) -> Result<(), redb::Error> {
        self.entry(id).map(drop)
    }

    fn notice(&mut self, about: &[u8; 32], kind: u8) -> Result<Option<Notice>, redb::Error> {
        let found = self.tables.notices.get((about, kind))?;
        Ok(found.and_then(|found| decode(found.value())))
    }

    fn waiting(&self) -> usize {
        let waiting: u64 = State::ALL
            .into_iter()
            .filter(|state| !state.is_final())
            .filter_map(|state| self.counts.get(usize::from(state_number(state))))
            .sum();
        usize::try_from(waiting).unwrap_or(usize::MAX)
    }

    fn count(&mut self, before: Option<State>, after: Option<State>) {
        if let Some(count) = before.and_then(|state| self.counts.get_mut(usize::from(state_number(state)))) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = after.and_then(|state| self.counts.get_mut(usize::from(state_number(state)))) {
            *count += 1;
        }
    }

    /// Commits the lines for the audit log together with the changes that they report.
    pub(super) fn keep_audit(&mut self) -> Result<(), redb::Error> {
        if self.audit.len() > AUDIT_PENDING_BYTES_MAX {
            let refusal = format!(
                "table {}: the audit log cannot be written",
                self.tables.audit.name()
            );
            return Err(redb::Error::Io(std::io::Error::other(refusal)));
        }
        self.tables.audit.insert(AUDIT_LAST, self.audit.as_slice())?;
        Ok(())
    }
}

/// Bytes that a mail takes in the file: redb gives a long value a power of two of 4 KiB pages of its own.
fn pages_of(mail: &[u8]) -> u64 {
    let bytes = u64::try_from(mail.len()).unwrap_or(u64::MAX / 2);
    bytes.saturating_add(512).next_power_of_two().max(4_096)
}

fn notice_without_text(notice: &mut Notice) -> Result<Vec<u8>, QueueError> {
    notice.mail.clear();
    encode(notice)
}
