//! DKIMKeySet: the pseudo-transaction that a quorum's attestations make.
//!
//! Spec: 7.2, 7.4, 7.7, 7.10. Every node checks signatures and quorum; no node's own view of DNS decides.

use codec::format::TxType;
use codec::keys::PublicKey;
use codec::{AccountId, Amount, CloseTime, Field, LedgerIndex, Object, Ter, flags, keylet, sf};

use crate::attested::attestation::{Attestation, is_timely, last_attested, may_count, quorum, validators_of};
use crate::attested::statement::{Answer, Ruling, Statement};
use crate::dkim::signature::KeyName;
use crate::ledger::view::{Amendment, ReadView};
use crate::limits::{DKIM_KEY_LIFE_SECS, VALIDATORS_MAX};

/// The validators in the parent's list, sorted; empty without a list. Spec: 7.2
fn validators(view: &impl ReadView) -> Vec<PublicKey> {
    validators_of(&view.parent_entry(&keylet::unl_report()).unwrap_or_default())
}

/// The DKIMKeySet for the ledger that is being built, of the attestations that count there and say the same as the
/// first of them; `None` where they make no quorum, or would change nothing. Spec: 7.2, 7.10
#[must_use]
pub fn build_key_set(view: &impl ReadView, attestations: &[Attestation]) -> Option<Object> {
    let listed = validators(view);
    let first = attestations.first()?;
    let known = view.parent_entry(&first.statement.subject().keylet());
    let mut chosen: Vec<&Attestation> = attestations
        .iter()
        .filter(|one| one.statement == first.statement)
        .filter(|one| listed.contains(&one.public_key) && one.is_good(view.network_id()))
        .filter(|one| may_count(one, known.as_ref(), view.parent_close_time()))
        .collect();
    chosen.sort_by_key(|one| *one.public_key.as_bytes());
    chosen.dedup_by_key(|one| *one.public_key.as_bytes());
    if listed.is_empty() || chosen.len() < quorum(listed.len()) {
        return None;
    }
    let set = KeySet {
        ledger: view.ledger_index(),
        statement: first.statement.clone(),
        endorsements: chosen.into_iter().map(Endorsement::of).collect(),
    };
    Some(set.object())
}

/// The DKIMKeySet without attestations that removes a key not renewed for 30 days from the ledger that is being built;
/// `None` where it was renewed. Spec: 7.4
#[must_use]
pub fn build_removal(entry: &Object, now: CloseTime, ledger: LedgerIndex) -> Option<Object> {
    if !is_expired(entry, now) {
        return None;
    }
    let name = KeyName::new(entry.blob(sf::DOMAIN)?, entry.blob(sf::SELECTOR)?)?;
    let set = KeySet {
        ledger,
        statement: Statement::Key(name, Answer::Absent),
        endorsements: Vec::new(),
    };
    Some(set.object())
}

/// True where a key was not renewed for 30 days. Spec: 7.4, 7.8
pub(super) fn is_expired(entry: &Object, now: CloseTime) -> bool {
    last_attested(Some(entry))
        .seconds()
        .saturating_add(DKIM_KEY_LIFE_SECS)
        < now.seconds()
}

/// One attestation within a DKIMKeySet, which makes the statement once for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endorsement {
    public_key: PublicKey,
    signature: Vec<u8>,
    observed_at: CloseTime,
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

/// What a DKIMKeySet says. Without endorsements it removes an unrenewed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    ledger: LedgerIndex,
    statement: Statement,
    endorsements: Vec<Endorsement>,
}

impl KeySet {
    /// Everything about a DKIMKeySet that needs no ledger but its index. Codes: temDISABLED, temMALFORMED, tefPAST_SEQ.
    ///
    /// Spec: 1, 7.2, 7.7.
    pub fn preflight(tx: &Object, amendment: Amendment, index: LedgerIndex) -> Result<KeySet, Ter> {
        if amendment == Amendment::Off {
            return Err(Ter::TEM_DISABLED);
        }
        let set = KeySet::parse(tx).ok_or(Ter::TEM_MALFORMED)?;
        if set.ledger != index {
            return Err(Ter::TEF_PAST_SEQ);
        }
        let sorted = set
            .endorsements
            .is_sorted_by(|one, two| one.public_key.as_bytes() < two.public_key.as_bytes());
        let is_removal = matches!(set.statement, Statement::Key(_, Answer::Absent));
        if !sorted || (set.endorsements.is_empty() && !is_removal) {
            return Err(Ter::TEM_MALFORMED);
        }
        Ok(set)
    }

    /// Signatures, list, quorum, times. Codes: tefBAD_QUORUM, tefPAST_SEQ, tefBAD_AUTH, tefBAD_SIGNATURE.
    ///
    /// Spec: 7.2, 7.7.
    pub fn preclaim(&self, view: &impl ReadView) -> Result<(), Ter> {
        if self.endorsements.is_empty() {
            return Ok(());
        }
        let listed = validators(view);
        if listed.is_empty() || self.endorsements.len() < quorum(listed.len()) {
            return Err(Ter::TEF_BAD_QUORUM);
        }
        let known = view.entry(&self.statement.subject().keylet());
        // One set for a name in a ledger: two would let a delay pass within it.
        let changed_in = known
            .as_ref()
            .and_then(|entry| entry.u32(sf::PREVIOUS_TXN_LGR_SEQ));
        if changed_in == Some(view.ledger_index().get()) {
            return Err(Ter::TEF_PAST_SEQ);
        }
        let last = last_attested(known.as_ref());
        for one in &self.endorsements {
            if !listed.contains(&one.public_key) {
                return Err(Ter::TEF_BAD_AUTH);
            }
            if !is_timely(one.observed_at, last, view.parent_close_time()) {
                return Err(Ter::TEF_PAST_SEQ);
            }
            if !self.attestation(one).is_good(view.network_id()) {
                return Err(Ter::TEF_BAD_SIGNATURE);
            }
        }
        Ok(())
    }

    /// Reads a transaction; `None` unless it is exactly what [`KeySet::object`] makes: the same content
    /// has one spelling, so that validators who agree make one transaction. Spec: 7.7, 7.10
    #[must_use]
    pub fn parse(object: &Object) -> Option<KeySet> {
        let flags = object.u32(sf::FLAGS).unwrap_or_default();
        let (code, record) = match (object.blob(sf::DKIM_RECORD), flags) {
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

    /// What it says, and about what.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The attestation that an endorsement stands for.
    fn attestation(&self, one: &Endorsement) -> Attestation {
        Attestation {
            statement: self.statement.clone(),
            observed_at: one.observed_at,
            public_key: one.public_key,
            signature: one.signature.clone(),
        }
    }

    /// The lower median of the times: at most a minority of the attestations can move it. Spec: 7.7
    pub(super) fn observed_at(&self) -> Option<CloseTime> {
        let mut times: Vec<CloseTime> = self.endorsements.iter().map(|one| one.observed_at).collect();
        times.sort();
        times.get(times.len().checked_sub(1)?.checked_div(2)?).copied()
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
