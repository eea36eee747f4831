//! What a validator says about a key or a domain, in what it signs, on the wire and in a DKIMKeySet.
//!
//! The message of an attestation, all numbers big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `DKA\0` |
//! | 4 | NetworkID |
//! | 1 + n | length and bytes of the domain |
//! | 1 + n | length and bytes of the selector; 0 for a word about a domain |
//! | 1 | answer: 0 absent, 1 unusable, 2 record; of a domain 3 frozen, 4 lifted |
//! | 4 | observed at, seconds since 2000 |
//! | 2 + n | length and bytes of the record, its strings joined; 0 without one |
//!
//! Spec: 7.7, 7.10.

use codec::hash::PREFIX_DKIM_ATTESTATION;
use codec::{CloseTime, Hash256, Object};

use crate::dkim::freeze::{Domain, Freeze};
use crate::dkim::key_record;
use crate::dkim::signature::KeyName;
use crate::limits::KEY_RECORD_BYTES_MAX;

/// What a validator's resolver said. Spec: 7.2
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// NXDOMAIN or NODATA. Never SERVFAIL or a timeout: those give no attestation.
    Absent,
    /// Something that is no usable record, such as several.
    Unusable,
    /// One TXT record, its strings joined.
    Record(Vec<u8>),
}

impl Answer {
    /// What the one TXT record of a name says. Spec: 4.5, 7.2
    #[must_use]
    pub fn of_record(record: &[u8]) -> Answer {
        match key_record::parse_txt(record) {
            Ok(_) => Answer::Record(record.to_vec()),
            Err(_) => Answer::Unusable,
        }
    }
}

/// What a validator's operator decided about the mail of a domain. Spec: 7.10
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ruling {
    /// It proves nothing from now on.
    Frozen,
    /// It proves again, after the delay.
    Lifted,
}

impl Ruling {
    /// Whether it changes what a ledger says of the domain. Spec: 7.10
    #[must_use]
    pub fn is_news(self, freeze: Option<Freeze>) -> bool {
        let is_frozen = freeze.is_some_and(|freeze| freeze.until.is_none());
        match self {
            Ruling::Frozen => !is_frozen,
            Ruling::Lifted => is_frozen,
        }
    }
}

/// What a statement is about. Domains come first: a word about one is never late for want of room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The mail of a domain.
    Domain(Domain),
    /// A key.
    Key(KeyName),
}

impl Subject {
    /// `d=`.
    #[must_use]
    pub fn domain(&self) -> &str {
        match self {
            Subject::Domain(domain) => domain.as_str(),
            Subject::Key(name) => name.domain(),
        }
    }

    /// `s=`; empty for a domain.
    #[must_use]
    pub fn selector(&self) -> &str {
        match self {
            Subject::Domain(_) => "",
            Subject::Key(name) => name.selector(),
        }
    }

    /// Index of the entry that holds what a quorum said: DKIMFreeze or DKIMKey.
    #[must_use]
    pub fn keylet(&self) -> Hash256 {
        match self {
            Subject::Domain(domain) => domain.freeze_keylet(),
            Subject::Key(name) => name.keylet(),
        }
    }
}

/// What a validator says, and about what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statement {
    /// What its operator decided about a domain. Spec: 7.10
    Domain(Domain, Ruling),
    /// What DNS told it about a key. Spec: 7.2
    Key(KeyName, Answer),
}

impl Statement {
    /// The statement of these parts, as an attestation spells them; `None` for any other.
    #[must_use]
    pub fn from_parts(domain: &[u8], selector: &[u8], code: u8, record: &[u8]) -> Option<Statement> {
        let of_key = |answer| Some(Statement::Key(KeyName::new(domain, selector)?, answer));
        let of_domain = |ruling| {
            let domain = Domain::new(domain).filter(|_| selector.is_empty())?;
            Some(Statement::Domain(domain, ruling))
        };
        match (code, record) {
            (0, []) => of_key(Answer::Absent),
            (1, []) => of_key(Answer::Unusable),
            (2, record) if record.len() <= KEY_RECORD_BYTES_MAX => of_key(Answer::Record(record.to_vec())),
            (3, []) => of_domain(Ruling::Frozen),
            (4, []) => of_domain(Ruling::Lifted),
            _ => None,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self {
            Statement::Domain(domain, _) => Subject::Domain(domain.clone()),
            Statement::Key(name, _) => Subject::Key(name.clone()),
        }
    }

    /// The number of the answer.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Statement::Key(_, Answer::Absent) => 0,
            Statement::Key(_, Answer::Unusable) => 1,
            Statement::Key(_, Answer::Record(_)) => 2,
            Statement::Domain(_, Ruling::Frozen) => 3,
            Statement::Domain(_, Ruling::Lifted) => 4,
        }
    }

    /// The record; empty without one.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        match self {
            Statement::Key(_, Answer::Record(record)) => record,
            Statement::Key(_, Answer::Absent | Answer::Unusable) | Statement::Domain(..) => &[],
        }
    }

    /// Whether a quorum that says so could change anything, given the entry of what it is about. Spec: 7.10
    pub(crate) fn is_news(&self, entry: Option<&Object>) -> bool {
        match self {
            Statement::Domain(_, ruling) => ruling.is_news(entry.map(Freeze::of)),
            // LastAttested at least.
            Statement::Key(..) => true,
        }
    }

    /// The bytes that a validator signs; `None` for a record longer than any key needs. Spec: 7.2, 7.7, 7.10
    #[must_use]
    pub fn message(&self, network_id: u32, observed_at: CloseTime) -> Option<Vec<u8>> {
        let (subject, record) = (self.subject(), self.record());
        if record.len() > KEY_RECORD_BYTES_MAX {
            return None;
        }
        let mut message = PREFIX_DKIM_ATTESTATION.to_vec();
        message.extend_from_slice(&network_id.to_be_bytes());
        for part in [subject.domain(), subject.selector()] {
            message.push(u8::try_from(part.len()).ok()?);
            message.extend_from_slice(part.as_bytes());
        }
        message.push(self.code());
        message.extend_from_slice(&observed_at.seconds().to_be_bytes());
        message.extend_from_slice(&u16::try_from(record.len()).ok()?.to_be_bytes());
        message.extend_from_slice(record);
        Some(message)
    }
}
