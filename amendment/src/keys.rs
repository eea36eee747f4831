//! Where keys come from while a mail is read outside a ledger: a table of TXT records, or the ledger itself. Knows no DNS.
//!
//! Spec: 4.5, 7.3.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use codec::{CloseTime, Object, keylet, sf};

use crate::key_record::{KeyRecord, KeyRecordError, KeyType, PreparedKey, parse_txt};
use crate::limits::{KEY_FRESH_SECS, KEYS_CACHED_MAX};
use crate::phases::ReadView;

/// What a source says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAnswer {
    /// The key.
    Usable(KeyRecord),
    /// A record that makes no key.
    Unusable(KeyRecordError),
    /// A key that was withdrawn.
    Revoked,
    /// The name has no record.
    Absent,
    /// The source cannot tell now.
    Unknown,
}

/// A source of keys. Names are lower case.
pub trait KeySource {
    /// The key of `selector._domainkey.domain`.
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer;
}

/// TXT records by DNS name, as `explain --keys` reads them and as a resolver's answers are collected.
#[derive(Debug, Clone, Default)]
pub struct TxtRecords {
    answers: BTreeMap<String, KeyAnswer>,
}

impl TxtRecords {
    /// No records.
    pub fn new() -> TxtRecords {
        TxtRecords::default()
    }

    /// Adds one record, its strings joined, under `selector._domainkey.domain`.
    pub fn insert(&mut self, name: &str, record: &[u8]) {
        let answer = parse_txt(record).map_or_else(KeyAnswer::Unusable, KeyAnswer::Usable);
        self.insert_answer(name, answer);
    }

    /// Adds what is known about a name.
    pub fn insert_answer(&mut self, name: &str, answer: KeyAnswer) {
        self.answers
            .insert(name.trim_end_matches('.').to_ascii_lowercase(), answer);
    }
}

impl KeySource for TxtRecords {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        let name = format!("{selector}._domainkey.{domain}");
        self.answers.get(&name).cloned().unwrap_or(KeyAnswer::Absent)
    }
}

/// The keys of a ledger view.
#[derive(Debug, Clone, Copy)]
pub struct LedgerKeys<'v, V>(pub &'v V);

impl<V: ReadView> KeySource for LedgerKeys<'_, V> {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        let entry = self
            .0
            .parent_entry(&keylet::dkim_key(domain.as_bytes(), selector.as_bytes()));
        match ledger_key(entry.as_ref(), self.0.parent_close_time(), self.0.key_cache()) {
            LedgerKey::Missing => KeyAnswer::Absent,
            LedgerKey::Revoked => KeyAnswer::Revoked,
            LedgerKey::Usable { key, .. } => KeyAnswer::Usable(key),
        }
    }
}

/// Keys that were checked before, by their bytes, so that the many mails of one provider do not check one key each time.
/// Answers are the same with and without it: an entry is a function of its bytes alone.
#[derive(Default)]
pub struct KeyCache {
    keys: Mutex<BTreeMap<Vec<u8>, Arc<PreparedKey>>>,
}

impl KeyCache {
    /// An empty cache.
    pub fn new() -> KeyCache {
        KeyCache::default()
    }

    /// What `KeyRecord::from_entry` answers. Refusals are not kept: a ledger holds no such keys.
    pub(crate) fn record(
        &self,
        key_type: KeyType,
        public_key: &[u8],
        flags: u32,
    ) -> Result<KeyRecord, KeyRecordError> {
        let known = self
            .keys
            .lock()
            .ok()
            .and_then(|keys| keys.get(public_key).cloned());
        if let Some(key) = known.filter(|key| key.key_type() == key_type) {
            return Ok(KeyRecord::of(key, flags));
        }
        let key = Arc::new(PreparedKey::parse(key_type, public_key)?);
        if let Ok(mut keys) = self.keys.lock() {
            if keys.len() >= KEYS_CACHED_MAX {
                keys.clear();
            }
            keys.insert(public_key.to_vec(), Arc::clone(&key));
        }
        Ok(KeyRecord::of(key, flags))
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").finish_non_exhaustive()
    }
}

/// A key of the ledger, and whether a failure under it is final.
pub(crate) enum LedgerKey {
    Missing,
    Revoked,
    Usable { key: KeyRecord, failure: Failure },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Final,
    NotFinal,
}

/// The key that a DKIMKey entry offers at a time.
///
/// Spec: 7.1, 7.3, 7.4. PublicKey is valid from ActiveAfter until NextAfter; then NextKey replaces it. A failed signature is
/// not final while NextKey is pending or where the key was last attested more than an hour ago.
pub(crate) fn ledger_key(entry: Option<&Object>, now: CloseTime, cache: Option<&KeyCache>) -> LedgerKey {
    let Some(entry) = entry else {
        return LedgerKey::Missing;
    };
    if entry.contains(sf::REVOKED_AT) {
        return LedgerKey::Revoked;
    }
    let reached = |field| entry.u32(field).is_none_or(|after| now.seconds() >= after);
    let has_next = entry.contains(sf::NEXT_KEY);
    let next_holds = has_next && entry.contains(sf::NEXT_AFTER) && reached(sf::NEXT_AFTER);
    let (key_type, public_key) = if next_holds {
        (
            entry.u8(sf::NEXT_KEY_TYPE).or(entry.u8(sf::DKIM_KEY_TYPE)),
            entry.blob(sf::NEXT_KEY),
        )
    } else if reached(sf::ACTIVE_AFTER) {
        (entry.u8(sf::DKIM_KEY_TYPE), entry.blob(sf::PUBLIC_KEY))
    } else {
        (None, None)
    };
    let flags = entry.u32(sf::FLAGS).unwrap_or_default();
    let key = key_type
        .and_then(KeyType::from_code)
        .zip(public_key)
        .and_then(|(kind, bytes)| match cache {
            Some(cache) => cache.record(kind, bytes, flags).ok(),
            None => KeyRecord::from_entry(kind, bytes, flags).ok(),
        });
    let attested = entry.u32(sf::LAST_ATTESTED).unwrap_or_default();
    let stale = now.seconds().saturating_sub(attested) > KEY_FRESH_SECS;
    let failure = if stale || (has_next && !next_holds) {
        Failure::NotFinal
    } else {
        Failure::Final
    };
    key.map_or(LedgerKey::Missing, |key| LedgerKey::Usable { key, failure })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_record::Subdomains;

    // RFC 8463 A.2.
    const ED_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn cache_answers_as_without_it() {
        let key = parse_txt(ED_KEY.as_bytes()).unwrap();
        let cache = KeyCache::new();
        for _ in 0..2 {
            for (kind, bytes, flags) in [
                (KeyType::Ed25519, key.public_key(), 0),
                (KeyType::Ed25519, key.public_key(), 1),
                (KeyType::Rsa, key.public_key(), 0),
                (KeyType::Ed25519, &[0; 32][..], 0),
                (KeyType::Ed25519, &[][..], 0),
            ] {
                assert_eq!(
                    cache.record(kind, bytes, flags),
                    KeyRecord::from_entry(kind, bytes, flags)
                );
            }
        }
        let strict = cache.record(KeyType::Ed25519, key.public_key(), 1).unwrap();
        assert_eq!(strict.subdomains(), Subdomains::Refused);
        assert_eq!(cache.keys.lock().unwrap().len(), 1);
    }
}
