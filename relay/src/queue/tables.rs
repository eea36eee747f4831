//! The tables of the file: names, key types, value types. Times are Unix seconds; a key that holds a time
//! comes in the order of time.

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::entry::{Dkim, Entry, State};
use super::id::MailId;
use super::notice::{Notice, NoticeKind, NoticeState};
use super::stored::decode;

/// The format that this program writes.
pub(super) const FORMAT_VERSION: u64 = 3;
/// The oldest format that it reads: [`super::migrate`].
pub(super) const FORMAT_OLDEST: u64 = 1;
/// Name of the format in [`NUMBERS`].
pub(super) const FORMAT: &str = "format";

/// A 32-byte id.
pub(super) type Id = &'static [u8; 32];
/// Time of arrival and a number of its own: the place of an entry. Entries lie in the order in which they
/// came, so that what one commit writes lies together.
pub(super) type Place = (u64, u64);
/// A mail and the kind of notice.
pub(super) type NoticeKey = (Id, u8);

/// Name of the next entry's number in [`NUMBERS`].
pub(super) const NEXT: &str = "next";

/// Numbers by name.
pub(super) const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");
/// The entries: id and JSON.
pub(super) const ENTRIES: TableDefinition<Place, (Id, &[u8])> = TableDefinition::new("entries");
/// Where an entry is.
pub(super) const IDS: TableDefinition<Id, Place> = TableDefinition::new("ids");
/// The mails.
pub(super) const MAILS: TableDefinition<Place, &[u8]> = TableDefinition::new("mails");
/// What is to be tried, by the time of the next try and the entry's number: neither final nor held.
pub(super) const DUE: TableDefinition<(u64, u64), Id> = TableDefinition::new("due");
/// All entries by state and place.
pub(super) const STATES: TableDefinition<(u8, u64, u64), ()> = TableDefinition::new("states");
/// Numbers of the entries that wait unproven; for their count.
pub(super) const UNPROVEN: TableDefinition<u64, ()> = TableDefinition::new("unproven");
/// When something may be forgotten, by what it is: the time at which its days begin, id, kind of notice (0
/// for entries). The value is the entry's place.
pub(super) const ENDS: TableDefinition<(u8, u64, Id, u8), Place> = TableDefinition::new("ends");
/// The outbox, JSON.
pub(super) const ANSWERS: TableDefinition<NoticeKey, &[u8]> = TableDefinition::new("answers");
/// Notices by state and time of the next try.
pub(super) const ANSWER_STATES: TableDefinition<(u8, u64, Id, u8), ()> =
    TableDefinition::new("answer_states");
/// Notices by address and time of making; the value is the state.
pub(super) const ANSWERS_TO: TableDefinition<(&str, u64, Id, u8), u8> = TableDefinition::new("answers_to");
/// Marks of the intake.
pub(super) const MARKS: TableDefinition<&str, &str> = TableDefinition::new("marks");
/// Entries that could not be read: their place, and what was found there.
pub(super) const DAMAGED: TableDefinition<Id, (u64, u64, &[u8])> = TableDefinition::new("damaged");
/// The lines of the last commits that may not be in the audit log yet.
pub(super) const AUDIT: TableDefinition<&str, &[u8]> = TableDefinition::new("audit");
/// The one key of [`AUDIT`].
pub(super) const AUDIT_LAST: &str = "last";

/// The lowest id.
pub(super) const LOWEST: Id = &[0; 32];
/// The highest id.
pub(super) const HIGHEST: Id = &[0xff; 32];

/// What is forgotten after a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The text of a final mail.
    Mail,
    /// The entry of a final mail.
    Entry,
    /// The text of a notice.
    NoticeText,
    /// A notice.
    Notice,
}

impl Ending {
    pub(super) const ALL: [Ending; 4] = [Ending::Mail, Ending::Entry, Ending::NoticeText, Ending::Notice];

    pub(super) fn number(self) -> u8 {
        match self {
            Ending::Mail => 0,
            Ending::Entry => 1,
            Ending::NoticeText => 2,
            Ending::Notice => 3,
        }
    }
}

/// Entries by the number of their state.
pub(super) type StateCounts = [u64; State::ALL.len()];

/// The number of a state in keys. A number is never used again: a new state takes a new one.
pub(super) fn state_number(state: State) -> u8 {
    match state {
        State::Received => 0,
        State::Submitted => 1,
        State::Validated => 2,
        State::Refused => 3,
        State::Expired => 4,
        State::Answered => 5,
        State::Dropped => 6,
        State::Failed => 7,
    }
}

/// The number of a kind of notice in keys.
pub(super) fn kind_number(kind: NoticeKind) -> u8 {
    match kind {
        NoticeKind::Waiting => 0,
        NoticeKind::Validated => 1,
        NoticeKind::Refused => 2,
        NoticeKind::Expired => 3,
        NoticeKind::Welcome => 4,
        NoticeKind::Balance => 5,
        NoticeKind::History => 6,
    }
}

/// The number of a notice's state in keys.
pub(super) fn notice_state_number(state: NoticeState) -> u8 {
    match state {
        NoticeState::Waiting => 0,
        NoticeState::Sending => 1,
        NoticeState::Sent => 2,
        NoticeState::Withheld => 3,
    }
}

/// All tables, open for writing.
pub(super) struct Tables<'t> {
    pub(super) numbers: Table<'t, &'static str, u64>,
    pub(super) entries: Table<'t, Place, (Id, &'static [u8])>,
    pub(super) ids: Table<'t, Id, Place>,
    pub(super) mails: Table<'t, Place, &'static [u8]>,
    pub(super) due: Table<'t, (u64, u64), Id>,
    pub(super) states: Table<'t, (u8, u64, u64), ()>,
    pub(super) unproven: Table<'t, u64, ()>,
    pub(super) ends: Table<'t, (u8, u64, Id, u8), Place>,
    pub(super) notices: Table<'t, NoticeKey, &'static [u8]>,
    pub(super) notice_states: Table<'t, (u8, u64, Id, u8), ()>,
    pub(super) notices_to: Table<'t, (&'static str, u64, Id, u8), u8>,
    pub(super) marks: Table<'t, &'static str, &'static str>,
    pub(super) damaged: Table<'t, Id, (u64, u64, &'static [u8])>,
    pub(super) audit: Table<'t, &'static str, &'static [u8]>,
}

impl<'t> Tables<'t> {
    /// Opens them, and makes those that are not there.
    pub(super) fn open(writing: &'t WriteTransaction) -> Result<Tables<'t>, redb::Error> {
        Ok(Tables {
            numbers: writing.open_table(NUMBERS)?,
            entries: writing.open_table(ENTRIES)?,
            ids: writing.open_table(IDS)?,
            mails: writing.open_table(MAILS)?,
            due: writing.open_table(DUE)?,
            states: writing.open_table(STATES)?,
            unproven: writing.open_table(UNPROVEN)?,
            ends: writing.open_table(ENDS)?,
            notices: writing.open_table(ANSWERS)?,
            notice_states: writing.open_table(ANSWER_STATES)?,
            notices_to: writing.open_table(ANSWERS_TO)?,
            marks: writing.open_table(MARKS)?,
            damaged: writing.open_table(DAMAGED)?,
            audit: writing.open_table(AUDIT)?,
        })
    }
}

/// The entry of a row, if it is what its place and its id say.
pub(super) fn decode_entry(place: Place, row: (&[u8; 32], &[u8])) -> Option<Entry> {
    let (id, bytes) = row;
    decode(bytes).filter(|entry: &Entry| (entry.id.as_bytes(), entry.received_at) == (id, place.0))
}

/// The rows that point to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryRows {
    state: u8,
    due: Option<u64>,
    is_unproven: bool,
    ends: Option<u64>,
}

impl EntryRows {
    pub(super) fn of(entry: &Entry) -> EntryRows {
        let is_due = !entry.is_final() && !entry.is_held();
        EntryRows {
            state: state_number(entry.state()),
            due: is_due.then_some(entry.next_try),
            is_unproven: !entry.is_final() && entry.dkim == Dkim::Unproven,
            ends: entry.progress.final_at(),
        }
    }

    pub(super) fn insert(self, tables: &mut Tables<'_>, place: Place, id: MailId) -> Result<(), redb::Error> {
        let id = id.as_bytes();
        tables.states.insert((self.state, place.0, place.1), ())?;
        if let Some(next_try) = self.due {
            tables.due.insert((next_try, place.1), id)?;
        }
        if self.is_unproven {
            tables.unproven.insert(place.1, ())?;
        }
        if let Some(at) = self.ends {
            for ending in [Ending::Mail, Ending::Entry] {
                tables.ends.insert((ending.number(), at, id, 0), place)?;
            }
        }
        Ok(())
    }

    pub(super) fn remove(self, tables: &mut Tables<'_>, place: Place, id: MailId) -> Result<(), redb::Error> {
        let id = id.as_bytes();
        tables.states.remove((self.state, place.0, place.1))?;
        if let Some(next_try) = self.due {
            tables.due.remove((next_try, place.1))?;
        }
        if self.is_unproven {
            tables.unproven.remove(place.1)?;
        }
        if let Some(at) = self.ends {
            for ending in [Ending::Mail, Ending::Entry] {
                tables.ends.remove((ending.number(), at, id, 0))?;
            }
        }
        Ok(())
    }
}

/// Puts a notice with the rows that point to it.
pub(super) fn insert_notice(
    tables: &mut Tables<'_>,
    notice: &Notice,
    bytes: &[u8],
) -> Result<(), redb::Error> {
    let (about, kind) = (notice.about.as_bytes(), kind_number(notice.kind));
    let state = notice_state_number(notice.state);
    tables.notices.insert((about, kind), bytes)?;
    tables
        .notice_states
        .insert((state, notice.next_try, about, kind), ())?;
    tables
        .notices_to
        .insert((notice.to.as_str(), notice.made_at, about, kind), state)?;
    for ending in [Ending::NoticeText, Ending::Notice] {
        tables
            .ends
            .insert((ending.number(), notice.made_at, about, kind), (0, 0))?;
    }
    Ok(())
}

/// Removes a notice with the rows that point to it.
pub(super) fn remove_notice(tables: &mut Tables<'_>, notice: &Notice) -> Result<(), redb::Error> {
    let (about, kind) = (notice.about.as_bytes(), kind_number(notice.kind));
    let state = notice_state_number(notice.state);
    tables.notices.remove((about, kind))?;
    tables
        .notice_states
        .remove((state, notice.next_try, about, kind))?;
    tables
        .notices_to
        .remove((notice.to.as_str(), notice.made_at, about, kind))?;
    for ending in [Ending::NoticeText, Ending::Notice] {
        tables
            .ends
            .remove((ending.number(), notice.made_at, about, kind))?;
    }
    Ok(())
}

/// How many entries are in each state.
pub(super) fn count_states(reading: &ReadTransaction) -> Result<StateCounts, redb::Error> {
    let states = reading.open_table(STATES)?;
    let mut counts = StateCounts::default();
    for row in states.iter()? {
        let (key, _) = row?;
        if let Some(count) = counts.get_mut(usize::from(key.value().0)) {
            *count += 1;
        }
    }
    Ok(counts)
}
