//! DKIM keys on the ledger: what validators sign, and the pseudo-transaction made of it.
//!
//! Spec sections 7.1, 7.2, 7.4. DNS is not asked here: an answer comes in as data. What a DKIMKeySet does to
//! the state is in its transactor.

use amendment::KeyName;
use amendment::key_record::{KeyRecord, LSF_DKIM_STRICT};
use codec::format::{EntryType, TxType};
use codec::keys::{KeyPair, LowS, PublicKey};
use codec::{AccountId, Amount, CloseTime, Field, Hash256, LedgerIndex, Object, flags, keylet, sf};

use crate::ledger::Ledger;
use crate::limits::{ATTESTATION_AGE_SECS_MAX, DKIM_KEY_LIFE_SECS, VALIDATORS_MAX};
use crate::transaction::{Transaction, TransactionError};

pub use crate::statement::{Answer, Ruling, Statement, Subject};

/// A validator's signed word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What it says.
    pub statement: Statement,
    /// When, by the validator's clock.
    pub observed_at: CloseTime,
    /// The validator.
    pub public_key: PublicKey,
    /// Its signature over [`Statement::message`].
    pub signature: Vec<u8>,
}

impl Attestation {
    /// Signs what DNS said about a key; `None` for a record longer than any key needs.
    #[must_use]
    pub fn sign(
        network_id: u32,
        name: KeyName,
        answer: Answer,
        observed_at: CloseTime,
        validator: &KeyPair,
    ) -> Option<Attestation> {
        Attestation::of(network_id, Statement::Key(name, answer), observed_at, validator)
    }

    /// Signs a statement; `None` for a record longer than any key needs.
    #[must_use]
    pub fn of(
        network_id: u32,
        statement: Statement,
        observed_at: CloseTime,
        validator: &KeyPair,
    ) -> Option<Attestation> {
        let message = statement.message(network_id, observed_at)?;
        let signature = validator.sign(&message);
        Some(Attestation {
            statement,
            observed_at,
            public_key: validator.public_key(),
            signature,
        })
    }

    /// True where the signature is the validator's.
    #[must_use]
    pub fn is_good(&self, network_id: u32) -> bool {
        let message = self.statement.message(network_id, self.observed_at);
        message.is_some_and(|message| self.public_key.verify(&message, &self.signature, LowS::Required))
    }
}

/// The validators in a ledger's list, sorted; empty without a list. Spec: 7.2
#[must_use]
pub fn validators(ledger: &Ledger) -> Vec<PublicKey> {
    validators_of(&ledger.entry(&keylet::unl_report()).unwrap_or_default())
}

/// The validators of a list (UNLReport), sorted. Spec: 7.2
#[must_use]
pub fn validators_of(report: &Object) -> Vec<PublicKey> {
    let mut keys: Vec<PublicKey> = report
        .array(sf::ACTIVE_VALIDATORS)
        .unwrap_or(&[])
        .iter()
        .take(VALIDATORS_MAX)
        .filter_map(|(_, validator)| PublicKey::parse(validator.blob(sf::PUBLIC_KEY)?).ok())
        .collect();
    keys.sort_by_key(|key| *key.as_bytes());
    keys.dedup();
    keys
}

/// Attestations that make a quorum of so many validators: ceil(0.8 n). Spec: 7.2
#[must_use]
pub fn quorum(validators: usize) -> usize {
    validators.saturating_mul(4).div_ceil(5)
}

/// The DKIMKeySet for the ledger after `parent`, of the attestations that count there and say the same as the
/// first of them; `None` where they make no quorum, or would change nothing. Spec: 7.2, 7.10
#[must_use]
pub fn build_key_set(parent: &Ledger, network_id: u32, attestations: &[Attestation]) -> Option<Transaction> {
    let listed = validators(parent);
    let first = attestations.first()?;
    let known = parent.entry(&first.statement.subject().keylet());
    let mut chosen: Vec<&Attestation> = attestations
        .iter()
        .filter(|one| one.statement == first.statement)
        .filter(|one| listed.contains(&one.public_key) && one.is_good(network_id))
        .filter(|one| may_count(one, known.as_ref(), parent.close_time()))
        .collect();
    chosen.sort_by_key(|one| *one.public_key.as_bytes());
    chosen.dedup_by_key(|one| *one.public_key.as_bytes());
    if listed.is_empty() || chosen.len() < quorum(listed.len()) {
        return None;
    }
    let endorsements: Vec<Endorsement> = chosen.into_iter().map(Endorsement::of).collect();
    let set = KeySet {
        ledger: next(parent),
        statement: first.statement.clone(),
        endorsements,
    };
    set.transaction().ok()
}

/// All DKIMKeys of a ledger, the one with the delays of keys among them. Looks at the whole state: not for every
/// ledger.
pub fn keys(ledger: &Ledger) -> impl Iterator<Item = Object> {
    let entries = ledger.state().iter().map(|(_, bytes)| bytes);
    // Most entries are something else, and need no decoding: the type is the first field of all of them.
    let begin = codec::encode(&Object::new().with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code()));
    entries
        .filter(move |bytes| bytes.starts_with(&begin))
        .filter_map(|bytes| codec::decode(bytes).ok())
}

/// DKIMKeySets without attestations that remove keys not renewed for 30 days, at most `removals_max` of them.
/// Reads the whole state: not for every ledger. Spec: 7.4
#[must_use]
pub fn build_removals(parent: &Ledger, removals_max: usize) -> Vec<Transaction> {
    keys(parent)
        .filter(|entry| is_expired(entry, parent.close_time()))
        .filter_map(|entry| {
            let name = KeyName::new(entry.blob(sf::DOMAIN)?, entry.blob(sf::SELECTOR)?)?;
            let set = KeySet {
                ledger: next(parent),
                statement: Statement::Key(name, Answer::Absent),
                endorsements: Vec::new(),
            };
            set.transaction().ok()
        })
        .take(removals_max)
        .collect()
}

fn next(parent: &Ledger) -> LedgerIndex {
    LedgerIndex::new(parent.index().get().saturating_add(1))
}

/// True where a key was not renewed for 30 days. Spec: 7.4, 7.8
pub(crate) fn is_expired(entry: &Object, now: CloseTime) -> bool {
    last_attested(Some(entry))
        .seconds()
        .saturating_add(DKIM_KEY_LIFE_SECS)
        < now.seconds()
}

/// Entry flag: the waiting record says `t=s`.
pub(crate) const LSF_NEXT_STRICT: u32 = 0x0000_0002;

/// Whether a record is the one that waits in an entry. Spec: 7.8
pub(crate) fn is_next(entry: &Object, record: &KeyRecord) -> bool {
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

/// LastAttested of an entry; zero without one.
pub(crate) fn last_attested(entry: Option<&Object>) -> CloseTime {
    CloseTime::new(entry.and_then(|entry| entry.u32(sf::LAST_ATTESTED)).unwrap_or(0))
}

/// Whether an attestation counts in the ledger after the one of that time, which has that entry of what it is about:
/// it is timely, and says something new. Spec: 7.2, 7.10
#[must_use]
pub fn may_count(word: &Attestation, entry: Option<&Object>, now: CloseTime) -> bool {
    is_timely(word.observed_at, last_attested(entry), now) && word.statement.is_news(entry)
}

/// After the last quorum, and within 600 s. No limit into the future: a ledger may stand still while its
/// validators' clocks go on, and the quorum's median bounds what a few wrong clocks can do. Spec: 7.2
pub(crate) fn is_timely(observed: CloseTime, last: CloseTime, now: CloseTime) -> bool {
    observed > last && observed.seconds().saturating_add(ATTESTATION_AGE_SECS_MAX) >= now.seconds()
}

/// One attestation within a DKIMKeySet, which makes the statement once for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endorsement {
    pub(crate) public_key: PublicKey,
    pub(crate) signature: Vec<u8>,
    pub(crate) observed_at: CloseTime,
}

impl Endorsement {
    fn of(attestation: &Attestation) -> Endorsement {
        Endorsement {
            public_key: attestation.public_key,
            signature: attestation.signature.clone(),
            observed_at: attestation.observed_at,
        }
    }
}

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

    /// Index of the entry that holds them: a DKIMKey without domain and selector.
    pub(crate) fn keylet() -> Hash256 {
        keylet::dkim_key(b"", b"")
    }

    /// Reads the entry.
    pub(crate) fn of(entry: &Object) -> KeyDelays {
        KeyDelays {
            first_secs: entry.u32(sf::ACTIVE_AFTER).unwrap_or(0),
            next_secs: entry.u32(sf::NEXT_AFTER).unwrap_or(0),
        }
    }

    /// The entry: ActiveAfter is KEY_DELAY_FIRST, NextAfter is KEY_DELAY_NEXT. Never expires.
    pub(crate) fn entry(self) -> Object {
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

/// What a DKIMKeySet says. Without endorsements it removes an unrenewed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySet {
    pub(crate) ledger: LedgerIndex,
    pub(crate) statement: Statement,
    pub(crate) endorsements: Vec<Endorsement>,
}

impl KeySet {
    /// Reads a transaction; `None` unless it is exactly what [`KeySet::transaction`] makes: the same content
    /// has one spelling, so that validators who agree make one transaction. Spec: 7.7, 7.10
    pub(crate) fn parse(tx: &Transaction) -> Option<KeySet> {
        let object = tx.object();
        let (code, record) = match (object.blob(sf::DKIM_RECORD), tx.flags()) {
            (Some(record), 0) => (2, record),
            (None, 0) => (0, [].as_slice()),
            (None, flags::TF_DKIM_UNUSABLE) => (1, [].as_slice()),
            (None, flags::TF_DKIM_FREEZE) => (3, [].as_slice()),
            (None, flags::TF_DKIM_LIFT) => (4, [].as_slice()),
            _ => return None,
        };
        let (domain, selector) = (object.blob(sf::DOMAIN)?, object.blob(sf::SELECTOR)?);
        let statement = Statement::from_parts(domain, selector, code, record)?;
        let elements = object.array(sf::DKIM_ATTESTATIONS)?;
        if elements.len() > VALIDATORS_MAX {
            return None;
        }
        let endorsements: Option<Vec<Endorsement>> = elements
            .iter()
            .map(|(_, one)| {
                Some(Endorsement {
                    public_key: PublicKey::parse(one.blob(sf::PUBLIC_KEY)?).ok()?,
                    signature: one.blob(sf::SIGNATURE)?.to_vec(),
                    observed_at: CloseTime::new(one.u32(sf::OBSERVED_AT)?),
                })
            })
            .collect();
        let ledger = LedgerIndex::new(object.u32(sf::LEDGER_SEQUENCE)?);
        let set = KeySet {
            ledger,
            statement,
            endorsements: endorsements?,
        };
        (set.object() == *object).then_some(set)
    }

    /// The attestation that an endorsement stands for.
    pub(crate) fn attestation(&self, one: &Endorsement) -> Attestation {
        Attestation {
            statement: self.statement.clone(),
            observed_at: one.observed_at,
            public_key: one.public_key,
            signature: one.signature.clone(),
        }
    }

    /// The lower median of the times: at most a minority of the attestations can move it. Spec: 7.7
    pub(crate) fn observed_at(&self) -> Option<CloseTime> {
        let mut times: Vec<CloseTime> = self.endorsements.iter().map(|one| one.observed_at).collect();
        times.sort();
        times.get(times.len().checked_sub(1)?.checked_div(2)?).copied()
    }

    fn transaction(&self) -> Result<Transaction, TransactionError> {
        Transaction::from_object(&self.object())
    }

    fn object(&self) -> Object {
        let endorsements: Vec<(Field, Object)> = self
            .endorsements
            .iter()
            .map(|one| {
                let element = Object::new()
                    .with(sf::OBSERVED_AT, one.observed_at.seconds())
                    .with(sf::PUBLIC_KEY, one.public_key.as_bytes().as_slice())
                    .with(sf::SIGNATURE, one.signature.as_slice());
                (sf::DKIM_ATTESTATION, element)
            })
            .collect();
        let subject = self.statement.subject();
        let mut object = Object::new()
            .with(sf::TRANSACTION_TYPE, TxType::DkimKeySet.code())
            .with(sf::ACCOUNT, AccountId::ZERO)
            .with(sf::SEQUENCE, 0u32)
            .with(sf::FEE, Amount::Native(0))
            .with(sf::SIGNING_PUB_KEY, b"".as_slice())
            .with(sf::LEDGER_SEQUENCE, self.ledger.get())
            .with(sf::DOMAIN, subject.domain().as_bytes())
            .with(sf::SELECTOR, subject.selector().as_bytes())
            .with(sf::DKIM_ATTESTATIONS, endorsements);
        match &self.statement {
            Statement::Key(_, Answer::Absent) => {}
            Statement::Key(_, Answer::Unusable) => object.set(sf::FLAGS, flags::TF_DKIM_UNUSABLE),
            Statement::Key(_, Answer::Record(record)) => object.set(sf::DKIM_RECORD, record.as_slice()),
            Statement::Domain(_, Ruling::Frozen) => object.set(sf::FLAGS, flags::TF_DKIM_FREEZE),
            Statement::Domain(_, Ruling::Lifted) => object.set(sf::FLAGS, flags::TF_DKIM_LIFT),
        }
        object
    }
}
