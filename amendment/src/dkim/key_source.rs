//! Where keys come from while a mail is read: a table of TXT records, or whatever implements `KeySource`.
//! Knows no DNS.
//!
//! Spec: 4.5.

use std::collections::BTreeMap;

use crate::dkim::freeze::Freeze;
use crate::dkim::key_record::{KeyRecord, KeyRecordError, parse_txt};

/// What a source says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAnswer {
    /// The key.
    Usable(KeyRecord),
    /// A key that may have changed since: what it proves is proven, what it does not prove is not refused.
    /// Spec: 7.3.
    Unsettled(KeyRecord),
    /// A record that makes no key.
    Unusable(KeyRecordError),
    /// A key that was withdrawn, or whose secret half is known.
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

    /// Whether the mail of `domain` was stopped; only a ledger knows. Spec: 7.10.
    fn freeze(&self, _domain: &str) -> Option<Freeze> {
        None
    }
}

/// TXT records by DNS name, as `explain --keys` reads them and as a resolver's answers are collected.
#[derive(Debug, Clone, Default)]
pub struct TxtRecords {
    answers: BTreeMap<String, KeyAnswer>,
}

impl TxtRecords {
    /// No records.
    #[must_use]
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
