//! DKIMKeySet: what a quorum of validators saw in DNS becomes a key on the ledger, or ends one; what it decided about a
//! domain stops its mail, or lets it through again.
//!
//! Spec sections 7.1, 7.2, 7.4, 7.8, 7.10. Every node checks signatures and quorum; no node's own view of DNS decides.
//!
//! An entry has one of three forms: PublicKey, the key; NextKey, a record that waits, with FirstSeen its first quorum
//! and ActiveAfter the time from which a second one makes it the key; RevokedAt, with the key that was ended, if
//! there was one. NextAfter is never written.

use amendment::key_record::{self, KeyRecord};
use amendment::{Domain, Freeze, KeyName};
use codec::format::EntryType;
use codec::{CloseTime, Object, Ter, sf};

use super::{Apply, Transactor, flags_of};
use crate::dkim::{self, Answer, KeyDelays, KeySet, LSF_NEXT_STRICT, Ruling, Statement};
use crate::limits::{DKIM_ENTRIES_PER_DOMAIN_MAX, DKIM_KEYS_PER_DOMAIN_MAX};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

/// Entry flag: the record says `t=s`.
const LSF_STRICT: u32 = key_record::LSF_DKIM_STRICT;

pub(super) struct DkimKeySet;

impl Transactor for DkimKeySet {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        if !env.email_enabled() {
            return Err(Ter::TEM_DISABLED);
        }
        let set = KeySet::parse(tx).ok_or(Ter::TEM_MALFORMED)?;
        if set.ledger != env.index {
            return Err(Ter::TEF_PAST_SEQ);
        }
        let sorted = set
            .endorsements
            .is_sorted_by(|one, two| one.public_key.as_bytes() < two.public_key.as_bytes());
        let is_removal = matches!(set.statement, Statement::Key(_, Answer::Absent));
        if !sorted || (set.endorsements.is_empty() && !is_removal) {
            return Err(Ter::TEM_MALFORMED);
        }
        Ok(())
    }

    /// Signatures, list, quorum, times. Spec: 7.2, 7.7
    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let set = KeySet::parse(tx).ok_or(Ter::TEM_MALFORMED)?;
        if set.endorsements.is_empty() {
            return Ok(());
        }
        let listed = dkim::validators(&env.parent);
        if listed.is_empty() || set.endorsements.len() < dkim::quorum(listed.len()) {
            return Err(Ter::TEF_BAD_QUORUM);
        }
        let known = sandbox.entry(&set.statement.subject().keylet());
        // One set for a name in a ledger: two would let a delay pass within it.
        if known
            .as_ref()
            .and_then(|entry| entry.u32(sf::PREVIOUS_TXN_LGR_SEQ))
            == Some(env.index.get())
        {
            return Err(Ter::TEF_PAST_SEQ);
        }
        let last = dkim::last_attested(known.as_ref());
        for one in &set.endorsements {
            if !listed.contains(&one.public_key) {
                return Err(Ter::TEF_BAD_AUTH);
            }
            if !dkim::is_timely(one.observed_at, last, env.now()) {
                return Err(Ter::TEF_PAST_SEQ);
            }
            if !set.attestation(one).is_good(env.network_id) {
                return Err(Ter::TEF_BAD_SIGNATURE);
            }
        }
        Ok(())
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let set = KeySet::parse(apply.tx).ok_or(Ter::TEM_MALFORMED)?;
        match (&set.statement, set.observed_at()) {
            (Statement::Key(name, answer), Some(observed)) => attested(apply, name, answer, observed),
            (Statement::Key(name, _), None) => remove_unrenewed(apply, name),
            (Statement::Domain(domain, ruling), Some(observed)) => ruled(apply, domain, *ruling, observed),
            (Statement::Domain(..), None) => Err(Ter::TEM_MALFORMED),
        }
    }
}

/// What a quorum saw of a key. Spec: 7.4, 7.8
fn attested(apply: &mut Apply<'_>, name: &KeyName, answer: &Answer, observed: CloseTime) -> Result<(), Ter> {
    let record = usable_record(apply, answer);
    let entry = match (apply.sandbox.entry(&name.keylet()), record) {
        (None, None) => return Err(Ter::TEF_FAILURE),
        (None, Some(record)) => first_seen(apply, name, &record, observed)?,
        (Some(entry), None) => revoked(entry, observed),
        // A name that comes back counts among the live ones again.
        (Some(entry), Some(_))
            if entry.contains(sf::REVOKED_AT) && live_keys(apply, name) >= DKIM_KEYS_PER_DOMAIN_MAX =>
        {
            return Err(Ter::TEF_FAILURE);
        }
        (Some(entry), Some(record)) => seen_again(apply, entry, &record, observed),
    };
    apply.sandbox.put(name.keylet(), entry);
    Ok(())
}

/// What a quorum decided about the mail of a domain: DKIMFreeze, which stays for ever, so that mail dated before its
/// end stays worthless. Its keys go on as if nothing had happened. Spec: 7.10
fn ruled(apply: &mut Apply<'_>, domain: &Domain, ruling: Ruling, observed: CloseTime) -> Result<(), Ter> {
    let known = apply.sandbox.entry(&domain.freeze_keylet());
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
            let until = observed.seconds().saturating_add(key_delays(apply).next_secs);
            entry.set(sf::ACTIVE_AFTER, until);
        }
    }
    entry.set(sf::LAST_ATTESTED, observed.seconds());
    apply.sandbox.put(domain.freeze_keylet(), entry);
    Ok(())
}

/// The key of an answer. One that is known as leaked is unusable. Spec: 4.5, 7.9
fn usable_record(apply: &Apply<'_>, answer: &Answer) -> Option<KeyRecord> {
    match answer {
        Answer::Record(record) => key_record::parse_txt(record)
            .ok()
            .filter(|key| !apply.sandbox.contains(&key.leak_keylet())),
        Answer::Absent | Answer::Unusable => None,
    }
}

/// The network's delays. Spec: 1, 7.4
fn key_delays(apply: &Apply<'_>) -> KeyDelays {
    let entry = apply.sandbox.entry(&KeyDelays::keylet()).unwrap_or_default();
    KeyDelays::of(&entry)
}

/// A name that the ledger does not hold: an entry, and a place in its domain's directory, created where
/// missing. Spec: 7.1, 7.4, 7.8
fn first_seen(
    apply: &mut Apply<'_>,
    name: &KeyName,
    record: &KeyRecord,
    observed: CloseTime,
) -> Result<Object, Ter> {
    let directory = apply.sandbox.entry(&name.directory());
    let delays = key_delays(apply);
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
    if live_keys(apply, name) >= DKIM_KEYS_PER_DOMAIN_MAX || indexes.len() >= DKIM_ENTRIES_PER_DOMAIN_MAX {
        return Err(Ter::TEF_FAILURE);
    }
    indexes.push(name.keylet());
    indexes.sort();
    apply
        .sandbox
        .put(name.directory(), directory.with(sf::INDEXES, indexes));
    let entry = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
        .with(sf::FLAGS, 0u32)
        .with(sf::DOMAIN, name.domain().as_bytes())
        .with(sf::SELECTOR, name.selector().as_bytes());
    Ok(waiting(entry, record, observed, delay_secs))
}

/// Keys of the name's domain that are not revoked, waiting ones too. Spec: 7.5
fn live_keys(apply: &Apply<'_>, name: &KeyName) -> usize {
    let directory = apply.sandbox.entry(&name.directory()).unwrap_or_default();
    let indexes = directory.vector256(sf::INDEXES).unwrap_or(&[]);
    let entries = indexes.iter().filter_map(|key| apply.sandbox.entry(key));
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
    let is_strict = record.flags() & LSF_STRICT != 0;
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
fn seen_again(apply: &Apply<'_>, entry: Object, record: &KeyRecord, observed: CloseTime) -> Object {
    let is_key = entry.blob(sf::PUBLIC_KEY) == Some(record.public_key())
        && entry.u8(sf::DKIM_KEY_TYPE) == Some(record.key_type().code())
        && flags_of(&entry) & LSF_STRICT == record.flags() & LSF_STRICT
        && !entry.contains(sf::REVOKED_AT);
    if is_key {
        return entry.with(sf::LAST_ATTESTED, observed.seconds());
    }
    let Some(active_after) = entry.u32(sf::ACTIVE_AFTER) else {
        return waiting(entry, record, observed, key_delays(apply).next_secs);
    };
    if !dkim::is_next(&entry, record) {
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
fn remove_unrenewed(apply: &mut Apply<'_>, name: &KeyName) -> Result<(), Ter> {
    let entry = apply.sandbox.entry(&name.keylet()).ok_or(Ter::TEF_FAILURE)?;
    if !dkim::is_expired(&entry, apply.env.now()) {
        return Err(Ter::TEF_FAILURE);
    }
    apply.sandbox.erase(&name.keylet());
    let directory = apply
        .sandbox
        .entry(&name.directory())
        .ok_or(Ter::TEF_BAD_LEDGER)?;
    let mut indexes = directory.vector256(sf::INDEXES).unwrap_or(&[]).to_vec();
    indexes.retain(|index| *index != name.keylet());
    apply
        .sandbox
        .put(name.directory(), directory.with(sf::INDEXES, indexes));
    Ok(())
}
