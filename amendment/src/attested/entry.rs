//! What a DKIMKeySet does to a ledger: what a quorum of validators saw in DNS becomes a key, or ends one; what it
//! decided about a domain stops its mail, or lets it through again.
//!
//! Spec: 7.1, 7.2, 7.4, 7.8, 7.10.
//!
//! An entry has one of three forms: PublicKey, the key; NextKey, a record that waits, with FirstSeen its first quorum
//! and ActiveAfter the time from which a second one makes it the key; RevokedAt, with the key that was ended, if
//! there was one. NextAfter is never written.

use codec::format::EntryType;
use codec::{CloseTime, Hash256, Object, Ter, keylet, sf};

use crate::attested::key_set::{KeySet, Votes, is_expired};
use crate::attested::statement::{Answer, Ruling, Statement};
use crate::dkim::freeze::{Domain, Freeze};
use crate::dkim::key_record::{self, KeyRecord, LSF_DKIM_STRICT};
use crate::dkim::signature::KeyName;
use crate::ledger::view::{ReadView, Write};
use crate::limits::{
    DKIM_ENTRIES_PER_DOMAIN_MAX, DKIM_KEYS_PER_DOMAIN_MAX, KEY_DELAY_FIRST_SECS, KEY_DELAY_NEXT_SECS,
};

/// Entry flag: the waiting record says `t=s`.
const LSF_NEXT_STRICT: u32 = 0x0000_0002;

/// KEY_DELAY_FIRST and KEY_DELAY_NEXT of a network, fixed by its genesis; both 0 without an entry.
/// Spec: 1, 7.4
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDelays {
    /// For the first key of a domain.
    pub first_secs: u32,
    /// For each further one.
    pub next_secs: u32,
}

impl KeyDelays {
    /// A key is usable as soon as a quorum has seen it.
    pub const NONE: KeyDelays = KeyDelays {
        first_secs: 0,
        next_secs: 0,
    };

    /// Those of a network whose votes are counted, unless it has the entry.
    pub const COUNTED: KeyDelays = KeyDelays {
        first_secs: KEY_DELAY_FIRST_SECS,
        next_secs: KEY_DELAY_NEXT_SECS,
    };

    /// Index of the entry that holds them: a DKIMKey without domain and selector.
    #[must_use]
    pub fn keylet() -> Hash256 {
        keylet::dkim_key(b"", b"")
    }

    /// Reads the entry.
    #[must_use]
    pub fn of(entry: &Object) -> KeyDelays {
        KeyDelays {
            first_secs: entry.u32(sf::ACTIVE_AFTER).unwrap_or(0),
            next_secs: entry.u32(sf::NEXT_AFTER).unwrap_or(0),
        }
    }

    /// The entry: ActiveAfter is KEY_DELAY_FIRST, NextAfter is KEY_DELAY_NEXT. Never expires.
    #[must_use]
    pub fn entry(self) -> Object {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::DOMAIN, b"".as_slice())
            .with(sf::SELECTOR, b"".as_slice())
            .with(sf::ACTIVE_AFTER, self.first_secs)
            .with(sf::NEXT_AFTER, self.next_secs)
            .with(sf::FIRST_SEEN, 0u32)
            .with(sf::LAST_ATTESTED, u32::MAX)
            .with(sf::PREVIOUS_TXN_ID, Hash256::ZERO)
            .with(sf::PREVIOUS_TXN_LGR_SEQ, 0u32)
    }
}

/// Whether a record is the one that waits in an entry. Spec: 7.8
fn is_next(entry: &Object, record: &KeyRecord) -> bool {
    let is_strict = entry.u32(sf::FLAGS).unwrap_or(0) & LSF_NEXT_STRICT != 0;
    entry.blob(sf::NEXT_KEY) == Some(record.public_key())
        && entry.u8(sf::NEXT_KEY_TYPE) == Some(record.key_type().code())
        && is_strict == (record.flags() & LSF_DKIM_STRICT != 0)
}

/// Whether a record waits in an entry, and seeing it then changes nothing: it counts from ActiveAfter. Spec: 7.8
#[must_use]
pub fn is_waiting_for(entry: &Object, record: &KeyRecord, seen: CloseTime) -> bool {
    is_next(entry, record)
        && entry
            .u32(sf::ACTIVE_AFTER)
            .is_some_and(|after| seen.seconds() < after)
}

/// What a set writes that `preclaim` let pass. Codes: tefFAILURE, tefALREADY, tefBAD_LEDGER. All reads are of what
/// was before.
///
/// Spec: 7.4, 7.8, 7.10.
pub fn key_set_writes(set: &KeySet, view: &impl ReadView) -> Result<Vec<Write>, Ter> {
    let delays = key_delays(view, set.votes());
    match (set.statement(), set.observed_at(view.parent_close_time())) {
        (Statement::Key(name, answer), Some(observed)) => attested(view, name, answer, observed, delays),
        (Statement::Key(name, _), None) => remove_unrenewed(view, name),
        (Statement::Domain(domain, ruling), Some(observed)) => ruled(view, domain, *ruling, observed, delays),
        (Statement::Domain(..), None) => Err(Ter::TEM_MALFORMED),
    }
}

/// What a quorum saw of a key. Spec: 7.4, 7.8
fn attested(
    view: &impl ReadView,
    name: &KeyName,
    answer: &Answer,
    observed: CloseTime,
    delays: KeyDelays,
) -> Result<Vec<Write>, Ter> {
    let mut writes = Vec::new();
    let record = usable_record(view, answer);
    let entry = match (view.entry(&name.keylet()), record) {
        (None, None) => return Err(Ter::TEF_FAILURE),
        (None, Some(record)) => first_seen(view, name, &record, observed, delays, &mut writes)?,
        (Some(entry), None) => revoked(entry, observed),
        // A name that comes back counts among the live ones again.
        (Some(entry), Some(_))
            if entry.contains(sf::REVOKED_AT) && live_keys(view, name) >= DKIM_KEYS_PER_DOMAIN_MAX =>
        {
            return Err(Ter::TEF_FAILURE);
        }
        (Some(entry), Some(record)) => seen_again(entry, &record, observed, delays),
    };
    writes.push(Write::Put(name.keylet(), entry));
    Ok(writes)
}

/// What a quorum decided about the mail of a domain: DKIMFreeze, which stays for ever, so that mail dated before its
/// end stays worthless. Its keys go on as if nothing had happened. Spec: 7.10
fn ruled(
    view: &impl ReadView,
    domain: &Domain,
    ruling: Ruling,
    observed: CloseTime,
    delays: KeyDelays,
) -> Result<Vec<Write>, Ter> {
    let known = view.entry(&domain.freeze_keylet());
    if !ruling.is_news(known.as_ref().map(Freeze::of)) {
        return Err(Ter::TEF_ALREADY);
    }
    let mut entry = known.unwrap_or_else(|| {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimFreeze.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::DOMAIN, domain.as_str().as_bytes())
    });
    match ruling {
        Ruling::Frozen => {
            entry.remove(sf::ACTIVE_AFTER);
            entry.set(sf::FIRST_SEEN, observed.seconds());
        }
        Ruling::Lifted => {
            let until = observed.seconds().saturating_add(delays.next_secs);
            entry.set(sf::ACTIVE_AFTER, until);
        }
    }
    entry.set(sf::LAST_ATTESTED, observed.seconds());
    Ok(vec![Write::Put(domain.freeze_keylet(), entry)])
}

/// The key of an answer. One that is known as leaked is unusable. Spec: 4.5, 7.9
fn usable_record(view: &impl ReadView, answer: &Answer) -> Option<KeyRecord> {
    match answer {
        Answer::Record(record) => key_record::parse_txt(record)
            .ok()
            .filter(|key| view.entry(&key.leak_keylet()).is_none()),
        Answer::Absent | Answer::Unusable => None,
    }
}

/// The network's delays. Where votes are counted, no genesis of this project's says them. Spec: 1, 7.4, 7.6
fn key_delays(view: &impl ReadView, votes: Votes) -> KeyDelays {
    match (view.entry(&KeyDelays::keylet()), votes) {
        (Some(entry), _) => KeyDelays::of(&entry),
        (None, Votes::Attested) => KeyDelays::NONE,
        (None, Votes::Counted) => KeyDelays::COUNTED,
    }
}

/// A name that the ledger does not hold: an entry, and a place in its domain's directory, created where
/// missing. Spec: 7.1, 7.4, 7.8
fn first_seen(
    view: &impl ReadView,
    name: &KeyName,
    record: &KeyRecord,
    observed: CloseTime,
    delays: KeyDelays,
    writes: &mut Vec<Write>,
) -> Result<Object, Ter> {
    let directory = view.entry(&name.directory());
    let delay_secs = if directory.is_some() {
        delays.next_secs
    } else {
        delays.first_secs
    };
    let directory = directory.unwrap_or_else(|| {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DirectoryNode.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::ROOT_INDEX, name.directory())
    });
    let mut indexes = directory.vector256(sf::INDEXES).unwrap_or(&[]).to_vec();
    if live_keys(view, name) >= DKIM_KEYS_PER_DOMAIN_MAX || indexes.len() >= DKIM_ENTRIES_PER_DOMAIN_MAX {
        return Err(Ter::TEF_FAILURE);
    }
    indexes.push(name.keylet());
    indexes.sort();
    writes.push(Write::Put(name.directory(), directory.with(sf::INDEXES, indexes)));
    let entry = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
        .with(sf::FLAGS, 0u32)
        .with(sf::DOMAIN, name.domain().as_bytes())
        .with(sf::SELECTOR, name.selector().as_bytes());
    Ok(waiting(entry, record, observed, delay_secs))
}

/// Keys of the name's domain that are not revoked, waiting ones too. Spec: 7.5
fn live_keys(view: &impl ReadView, name: &KeyName) -> usize {
    let directory = view.entry(&name.directory()).unwrap_or_default();
    let indexes = directory.vector256(sf::INDEXES).unwrap_or(&[]);
    let entries = indexes.iter().filter_map(|key| view.entry(key));
    entries.filter(|entry| !entry.contains(sf::REVOKED_AT)).count()
}

/// A record for its first time: the key at once where there is no delay, else NextKey until a second quorum. Either
/// ends what the name had before. Spec: 7.4, 7.8
fn waiting(entry: Object, record: &KeyRecord, observed: CloseTime, delay_secs: u32) -> Object {
    let entry = entry
        .with(sf::FIRST_SEEN, observed.seconds())
        .with(sf::LAST_ATTESTED, observed.seconds());
    if delay_secs == 0 {
        return usable(entry, record);
    }
    let is_strict = record.flags() & LSF_DKIM_STRICT != 0;
    without_keys(entry)
        .with(sf::FLAGS, if is_strict { LSF_NEXT_STRICT } else { 0 })
        .with(sf::ACTIVE_AFTER, observed.seconds().saturating_add(delay_secs))
        .with(sf::NEXT_KEY_TYPE, record.key_type().code())
        .with(sf::NEXT_KEY, record.public_key())
}

/// The record becomes the key.
fn usable(entry: Object, record: &KeyRecord) -> Object {
    without_keys(entry)
        .with(sf::FLAGS, record.flags())
        .with(sf::DKIM_KEY_TYPE, record.key_type().code())
        .with(sf::PUBLIC_KEY, record.public_key())
}

/// What the entry says but for its keys: an entry has a key, or a record that waits, or a key that was ended.
pub(super) fn without_keys(mut entry: Object) -> Object {
    for field in [
        sf::DKIM_KEY_TYPE,
        sf::PUBLIC_KEY,
        sf::REVOKED_AT,
        sf::NEXT_KEY_TYPE,
        sf::NEXT_KEY,
        sf::ACTIVE_AFTER,
    ] {
        entry.remove(field);
    }
    entry
}

/// "Absent" or "unusable" ends a key at once, for every mail. Spec: 7.4, 7.8
fn revoked(entry: Object, observed: CloseTime) -> Object {
    let mut entry = entry.with(sf::LAST_ATTESTED, observed.seconds());
    if entry.contains(sf::NEXT_KEY) {
        // A first key that never became usable loses its short delay with that.
        entry = without_keys(entry).with(sf::FLAGS, 0u32);
    }
    if !entry.contains(sf::REVOKED_AT) {
        entry.set(sf::REVOKED_AT, observed.seconds());
    }
    entry
}

/// A record for a name that the ledger holds: the key renewed, the waiting record confirmed, or another one
/// that waits from now on. Spec: 7.4, 7.8
fn seen_again(entry: Object, record: &KeyRecord, observed: CloseTime, delays: KeyDelays) -> Object {
    let is_key = entry.blob(sf::PUBLIC_KEY) == Some(record.public_key())
        && entry.u8(sf::DKIM_KEY_TYPE) == Some(record.key_type().code())
        && entry.u32(sf::FLAGS).unwrap_or(0) & LSF_DKIM_STRICT == record.flags() & LSF_DKIM_STRICT
        && !entry.contains(sf::REVOKED_AT);
    if is_key {
        return entry.with(sf::LAST_ATTESTED, observed.seconds());
    }
    let Some(active_after) = entry.u32(sf::ACTIVE_AFTER) else {
        return waiting(entry, record, observed, delays.next_secs);
    };
    if !is_next(&entry, record) {
        // The count starts again, with the delay of the name.
        let delay_secs = active_after.saturating_sub(entry.u32(sf::FIRST_SEEN).unwrap_or(0));
        return waiting(entry, record, observed, delay_secs);
    }
    let entry = entry.with(sf::LAST_ATTESTED, observed.seconds());
    if observed.seconds() >= active_after {
        usable(entry, record)
    } else {
        entry
    }
}

/// Without attestations: removes a key not renewed for 30 days; its domain stays known. Spec: 7.4, 7.8
fn remove_unrenewed(view: &impl ReadView, name: &KeyName) -> Result<Vec<Write>, Ter> {
    let entry = view.entry(&name.keylet()).ok_or(Ter::TEF_FAILURE)?;
    if !is_expired(&entry, view.parent_close_time()) {
        return Err(Ter::TEF_FAILURE);
    }
    let directory = view.entry(&name.directory()).ok_or(Ter::TEF_BAD_LEDGER)?;
    let mut indexes = directory.vector256(sf::INDEXES).unwrap_or(&[]).to_vec();
    indexes.retain(|index| *index != name.keylet());
    let directory = directory.with(sf::INDEXES, indexes);
    Ok(vec![
        Write::Erase(name.keylet()),
        Write::Put(name.directory(), directory),
    ])
}
