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
        votes: Votes::Attested,
        endorsements: chosen.into_iter().map(Endorsement::of).collect(),
    };
    Some(set.object())
}

/// The DKIMKeySet without attestations that removes a key not renewed for 30 days from the ledger that is being
/// built; `None` where it was renewed. Spec: 7.4
#[must_use]
pub fn build_removal(entry: &Object, now: CloseTime, ledger: LedgerIndex) -> Option<Object> {
    if !is_expired(entry, now) {
        return None;
    }
    let name = KeyName::new(entry.blob(sf::DOMAIN)?, entry.blob(sf::SELECTOR)?)?;
    let set = KeySet {
        ledger,
        statement: Statement::Key(name, Answer::Absent),
        votes: Votes::Attested,
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

/// How the validators of a network vote about keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Votes {
    /// By attestations, which stand in the set and which every node checks. Spec: 7.2
    Attested,
    /// In their validations, which each proposer counts; consensus keeps what most counted alike. Such a network
    /// takes sets with attestations too. Spec: 7.6
    Counted,
}

/// What a DKIMKeySet says. An attested one without endorsements removes an unrenewed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    ledger: LedgerIndex,
    statement: Statement,
    votes: Votes,
    endorsements: Vec<Endorsement>,
}

impl KeySet {
    /// What a count of votes came to, for the ledger that is being built. Spec: 7.6
    pub(super) fn counted(ledger: LedgerIndex, statement: Statement) -> KeySet {
        KeySet {
            ledger,
            statement,
            votes: Votes::Counted,
            endorsements: Vec::new(),
        }
    }

    /// Everything about a DKIMKeySet that needs no ledger but its index, on a network that votes so. Codes:
    /// temDISABLED, temMALFORMED, tefPAST_SEQ.
    ///
    /// Spec: 1, 7.2, 7.6, 7.7.
    pub fn preflight(
        tx: &Object,
        amendment: Amendment,
        index: LedgerIndex,
        votes: Votes,
    ) -> Result<KeySet, Ter> {
        if amendment == Amendment::Off {
            return Err(Ter::TEM_DISABLED);
        }
        let set = KeySet::parse(tx).ok_or(Ter::TEM_MALFORMED)?;
        if set.votes == Votes::Counted && votes == Votes::Attested {
            return Err(Ter::TEM_MALFORMED);
        }
        if set.ledger != index {
            return Err(Ter::TEF_PAST_SEQ);
        }
        let sorted = set
            .endorsements
            .is_sorted_by(|one, two| one.public_key.as_bytes() < two.public_key.as_bytes());
        let is_removal = matches!(set.statement, Statement::Key(_, Answer::Absent));
        let is_counted = set.votes == Votes::Counted;
        if !sorted || (set.endorsements.is_empty() && !is_removal && !is_counted) {
            return Err(Ter::TEM_MALFORMED);
        }
        Ok(set)
    }

    /// Signatures, list, quorum, times. Codes: tefBAD_QUORUM, tefPAST_SEQ, tefBAD_AUTH, tefBAD_SIGNATURE.
    ///
    /// Spec: 7.2, 7.7.
    pub fn preclaim(&self, view: &impl ReadView) -> Result<(), Ter> {
        let listed = match self.votes {
            Votes::Attested if self.endorsements.is_empty() => return Ok(()),
            Votes::Attested => validators(view),
            // Consensus has the votes; the ledger has not.
            Votes::Counted => Vec::new(),
        };
        let is_counted = self.votes == Votes::Counted;
        if !is_counted && (listed.is_empty() || self.endorsements.len() < quorum(listed.len())) {
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
        if is_counted && last >= view.parent_close_time() {
            return Err(Ter::TEF_PAST_SEQ);
        }
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

    /// Reads a transaction; `None` unless it is exactly what `object` makes: the same content
    /// has one spelling, so that validators who agree make one transaction. Spec: 7.7, 7.10
    #[must_use]
    pub fn parse(object: &Object) -> Option<KeySet> {
        let flags = object.u32(sf::FLAGS).unwrap_or_default();
        let votes = if flags & flags::TF_DKIM_COUNTED == 0 {
            Votes::Attested
        } else {
            Votes::Counted
        };
        let (code, record) = match (object.blob(sf::DKIM_RECORD), flags & !flags::TF_DKIM_COUNTED) {
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
        if elements.len() > VALIDATORS_MAX || (votes == Votes::Counted && !elements.is_empty()) {
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
            votes,
            endorsements: endorsements?,
        };
        (set.object() == *object).then_some(set)
    }

    /// What it says, and about what.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// How the validators voted about it.
    #[must_use]
    pub fn votes(&self) -> Votes {
        self.votes
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

    /// The lower median of the times: at most a minority of the attestations can move it. What was counted is said of
    /// "now": two proposers that hold other validations still make one transaction. `None`: nobody said anything.
    /// Spec: 7.6, 7.7
    pub(super) fn observed_at(&self, now: CloseTime) -> Option<CloseTime> {
        if self.votes == Votes::Counted {
            return Some(now);
        }
        let mut times: Vec<CloseTime> = self.endorsements.iter().map(|one| one.observed_at).collect();
        times.sort();
        times.get(times.len().checked_sub(1)?.checked_div(2)?).copied()
    }

    pub(super) fn object(&self) -> Object {
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
        if let Statement::Key(_, Answer::Record(record)) = &self.statement {
            object.set(sf::DKIM_RECORD, record.as_slice());
        }
        let answer = match &self.statement {
            Statement::Key(_, Answer::Absent | Answer::Record(_)) => 0,
            Statement::Key(_, Answer::Unusable) => flags::TF_DKIM_UNUSABLE,
            Statement::Domain(_, Ruling::Frozen) => flags::TF_DKIM_FREEZE,
            Statement::Domain(_, Ruling::Lifted) => flags::TF_DKIM_LIFT,
        };
        let votes = match self.votes {
            Votes::Attested => 0,
            Votes::Counted => flags::TF_DKIM_COUNTED,
        };
        if answer | votes != 0 {
            object.set(sf::FLAGS, answer | votes);
        }
        object
    }
}
