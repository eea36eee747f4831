//! Where keys come from while a mail is read outside a ledger: a table of TXT records, or the ledger itself. Knows no DNS.
//!
//! Spec: 4.5, 7.3.

use std::collections::BTreeMap;

use codec::{CloseTime, Object, keylet, sf};

use crate::key_record::{KeyRecord, KeyRecordError, KeyType, parse_txt};
use crate::limits::KEY_FRESH_SECS;
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
        match ledger_key(entry.as_ref(), self.0.parent_close_time()) {
            LedgerKey::Missing => KeyAnswer::Absent,
            LedgerKey::Revoked => KeyAnswer::Revoked,
            LedgerKey::Usable { key, .. } => KeyAnswer::Usable(key),
        }
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
pub(crate) fn ledger_key(entry: Option<&Object>, now: CloseTime) -> LedgerKey {
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
        .and_then(|(kind, bytes)| KeyRecord::from_entry(kind, bytes, flags).ok());
    let attested = entry.u32(sf::LAST_ATTESTED).unwrap_or_default();
    let stale = now.seconds().saturating_sub(attested) > KEY_FRESH_SECS;
    let failure = if stale || (has_next && !next_holds) {
        Failure::NotFinal
    } else {
        Failure::Final
    };
    key.map_or(LedgerKey::Missing, |key| LedgerKey::Usable { key, failure })
}
