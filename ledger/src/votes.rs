//! What the validators of a network of its own want, as they signed it and as the ledger has it. Spec: 15
//!
//! Each decision is a function of a ledger: which amendments gain or lose their majority after it, and which list
//! of validators comes next. No node's own opinion decides.
//!
//! The message of a vote, all numbers big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `VAV\0` |
//! | 4 | NetworkID |
//! | 4 | observed at, seconds since 2000 |
//! | 1 + 32 n | count and ids of the amendments that it wants, ascending |
//! | 1 + 33 n | count and keys of the validators that it wants, ascending; 0: the list as it is |

use std::collections::{BTreeMap, BTreeSet};

use codec::format::{EntryType, TxType};
use codec::hash::PREFIX_VALIDATOR_VOTE;
use codec::keys::{KeyPair, LowS, PublicKey};
use codec::{AccountId, Amount, CloseTime, Field, Hash256, LedgerIndex, Object, keylet, sf};

use crate::amendments::{self, Ballot};
use crate::dkim;
use crate::ledger::Ledger;
use crate::limits::{VOTE_SKEW_SECS_MAX, VOTED_AMENDMENTS_MAX, VOTED_VALIDATORS_MAX};
use crate::transaction::Transaction;

/// What a validator wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Amendments that shall be enabled and are not yet.
    pub amendments: BTreeSet<Hash256>,
    /// The validators that there shall be; empty: as they are.
    pub validators: BTreeSet<PublicKey>,
}

/// What a validator says that it wants, with its signature. Spec: 15.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedVote {
    /// What it wants.
    pub wish: Wish,
    /// When, by the validator's clock.
    pub observed_at: CloseTime,
    /// The validator.
    pub public_key: PublicKey,
    /// Its signature over [`vote_message`].
    pub signature: Vec<u8>,
}

impl SignedVote {
    /// Signs a wish; `None` for more than a vote may name.
    #[must_use]
    pub fn sign(
        network_id: u32,
        wish: Wish,
        observed_at: CloseTime,
        validator: &KeyPair,
    ) -> Option<SignedVote> {
        let message = vote_message(network_id, &wish, observed_at)?;
        Some(SignedVote {
            wish,
            observed_at,
            public_key: validator.public_key(),
            signature: validator.sign(&message),
        })
    }

    /// True where the signature is the validator's. Spec: 15.1
    #[must_use]
    pub fn is_good(&self, network_id: u32) -> bool {
        vote_message(network_id, &self.wish, self.observed_at)
            .is_some_and(|message| self.public_key.verify(&message, &self.signature, LowS::Required))
    }

    /// Whether the ledger after `parent` takes it, its signature aside: its validator is listed, and it is neither
    /// older than the vote that stands nor far from the ledger's time.
    #[must_use]
    pub fn counts_after(&self, parent: &Ledger) -> bool {
        let last = standing(parent)
            .get(&self.public_key)
            .map(|vote| vote.observed_at);
        dkim::validators(parent).contains(&self.public_key)
            && is_timely(self.observed_at, last, parent.close_time())
    }

    /// The ValidatorVote for the ledger after `parent`.
    #[must_use]
    pub fn transaction(&self, parent: &Ledger) -> Option<Transaction> {
        Transaction::from_object(&self.object(next(parent)?)).ok()
    }

    /// Reads a transaction, with the ledger that it is for; `None` unless it is exactly what
    /// [`SignedVote::transaction`] makes. Spec: 15.1
    pub(crate) fn parse(tx: &Transaction) -> Option<(LedgerIndex, SignedVote)> {
        let object = tx.object();
        let ledger = LedgerIndex::new(object.u32(sf::LEDGER_SEQUENCE)?);
        let vote = SignedVote {
            wish: wish_in(object)?,
            observed_at: CloseTime::new(object.u32(sf::OBSERVED_AT)?),
            public_key: PublicKey::parse(object.blob(sf::PUBLIC_KEY)?).ok()?,
            signature: object.blob(sf::SIGNATURE)?.to_vec(),
        };
        let is_exact = vote.wish.can_be_cast() && vote.object(ledger) == *object;
        is_exact.then_some((ledger, vote))
    }

    fn object(&self, ledger: LedgerIndex) -> Object {
        let vote = Object::new()
            .with(sf::OBSERVED_AT, self.observed_at.seconds())
            .with(sf::PUBLIC_KEY, self.public_key.as_bytes().as_slice())
            .with(sf::SIGNATURE, self.signature.as_slice());
        self.wish.put_into(pseudo(TxType::ValidatorVote, ledger, vote))
    }
}

impl Wish {
    /// Not too many of either, and only validators that can vote about blocks: these votes are ed25519. Spec: 15.1
    fn can_be_cast(&self) -> bool {
        self.amendments.len() <= VOTED_AMENDMENTS_MAX
            && self.validators.len() <= VOTED_VALIDATORS_MAX
            && self.validators.iter().all(PublicKey::is_ed25519)
    }

    /// Adds its fields to a transaction or a vote of the entry: ids and keys ascending, no field for an empty list.
    fn put_into(&self, object: Object) -> Object {
        let amendments: Vec<Hash256> = self.amendments.iter().copied().collect();
        let mut object = object.with(sf::AMENDMENTS, amendments);
        if !self.validators.is_empty() {
            let named = |key: &PublicKey| Object::new().with(sf::PUBLIC_KEY, key.as_bytes().as_slice());
            let validators = self
                .validators
                .iter()
                .map(|key| (sf::ACTIVE_VALIDATOR, named(key)));
            object.set(sf::ACTIVE_VALIDATORS, validators.collect::<Vec<_>>());
        }
        object
    }
}

/// The wish in a transaction or in a vote of the entry.
fn wish_in(object: &Object) -> Option<Wish> {
    let validators = object.array(sf::ACTIVE_VALIDATORS).unwrap_or(&[]);
    let key = |one: &(Field, Object)| PublicKey::parse(one.1.blob(sf::PUBLIC_KEY)?).ok();
    Some(Wish {
        amendments: object.vector256(sf::AMENDMENTS)?.iter().copied().collect(),
        validators: validators.iter().map(key).collect::<Option<_>>()?,
    })
}

/// The bytes that a validator signs; `None` for more than a vote may name. Spec: 15.1
#[must_use]
pub fn vote_message(network_id: u32, wish: &Wish, observed_at: CloseTime) -> Option<Vec<u8>> {
    if !wish.can_be_cast() {
        return None;
    }
    let mut message = PREFIX_VALIDATOR_VOTE.to_vec();
    message.extend_from_slice(&network_id.to_be_bytes());
    message.extend_from_slice(&observed_at.seconds().to_be_bytes());
    message.push(u8::try_from(wish.amendments.len()).ok()?);
    wish.amendments
        .iter()
        .for_each(|id| message.extend_from_slice(id.as_bytes()));
    message.push(u8::try_from(wish.validators.len()).ok()?);
    wish.validators
        .iter()
        .for_each(|key| message.extend_from_slice(key.as_bytes()));
    Some(message)
}

/// After the validator's last vote, and at most 600 s before or after the ledger's time. Spec: 15.1
pub(crate) fn is_timely(observed_at: CloseTime, last: Option<CloseTime>, now: CloseTime) -> bool {
    last.is_none_or(|last| observed_at > last)
        && observed_at.seconds().abs_diff(now.seconds()) <= VOTE_SKEW_SECS_MAX
}

/// A vote that stands on the ledger. Spec: 15.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingVote {
    /// What the validator wants.
    pub wish: Wish,
    /// When it said so.
    pub observed_at: CloseTime,
}

/// The votes that stand on a ledger: of its validators, and no others. Spec: 15.2
#[must_use]
pub fn standing(ledger: &Ledger) -> BTreeMap<PublicKey, StandingVote> {
    let Some(entry) = ledger.entry(&keylet::validator_votes()) else {
        return BTreeMap::new();
    };
    let listed = dkim::validators(ledger);
    let mut votes = votes_in(&entry);
    votes.retain(|key, _| listed.contains(key));
    votes
}

pub(crate) fn votes_in(entry: &Object) -> BTreeMap<PublicKey, StandingVote> {
    let votes = entry.array(sf::VOTES).unwrap_or(&[]).iter();
    votes
        .filter_map(|(_, vote)| {
            let key = PublicKey::parse(vote.blob(sf::PUBLIC_KEY)?).ok()?;
            let standing = StandingVote {
                wish: wish_in(vote)?,
                observed_at: CloseTime::new(vote.u32(sf::OBSERVED_AT)?),
            };
            Some((key, standing))
        })
        .collect()
}

/// The entry with these votes, as it was but for them. Spec: 15.2
pub(crate) fn entry_with(entry: Option<Object>, votes: &BTreeMap<PublicKey, StandingVote>) -> Object {
    let entry = entry.unwrap_or_else(|| {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::ValidatorVotes.code())
            .with(sf::FLAGS, 0u32)
    });
    let votes = votes.iter().map(|(key, vote)| {
        let element = Object::new()
            .with(sf::PUBLIC_KEY, key.as_bytes().as_slice())
            .with(sf::OBSERVED_AT, vote.observed_at.seconds());
        (sf::VOTE, vote.wish.put_into(element))
    });
    entry.with(sf::VOTES, votes.collect::<Vec<_>>())
}

/// The EnableAmendments for the ledger after `parent`: what its votes come to after a flag ledger, nothing after
/// another one. Spec: 15.3
#[must_use]
pub fn amendment_changes(parent: &Ledger, majority_secs: u32) -> Vec<Transaction> {
    let mut votes: BTreeMap<Hash256, u32> = BTreeMap::new();
    for id in standing(parent).values().flat_map(|vote| &vote.wish.amendments) {
        let count = votes.entry(*id).or_default();
        *count = count.saturating_add(1);
    }
    let validators = u32::try_from(dkim::validators(parent).len()).unwrap_or(u32::MAX);
    amendments::build_changes(parent, &Ballot { validators, votes }, majority_secs)
}

/// The list that a quorum of a ledger's validators wants and that is not its list. Spec: 15.4
#[must_use]
pub fn agreed_list(ledger: &Ledger) -> Option<BTreeSet<PublicKey>> {
    let listed: BTreeSet<PublicKey> = dkim::validators(ledger).into_iter().collect();
    let standing = standing(ledger);
    let wanted: BTreeSet<&BTreeSet<PublicKey>> =
        standing.values().map(|vote| &vote.wish.validators).collect();
    let agreed = wanted.into_iter().find(|list| {
        let votes = standing.values().filter(|vote| vote.wish.validators == **list);
        !list.is_empty() && **list != listed && votes.count() >= dkim::quorum(listed.len())
    });
    agreed.cloned()
}

/// The UNLReports for the ledger after `parent` that make the agreed list the ledger's: none without one. Whether
/// that ledger may have them is the epochs' matter. Spec: 15.4
#[must_use]
pub fn list_reports(parent: &Ledger) -> Vec<Transaction> {
    let report = |key: PublicKey| {
        let validator = Object::new().with(sf::PUBLIC_KEY, key.as_bytes().as_slice());
        let named = Object::new().with(sf::ACTIVE_VALIDATOR, validator);
        Transaction::from_object(&pseudo(TxType::UnlReport, next(parent)?, named)).ok()
    };
    let agreed = agreed_list(parent).unwrap_or_default();
    agreed.into_iter().filter_map(report).collect()
}

fn next(parent: &Ledger) -> Option<LedgerIndex> {
    parent.index().get().checked_add(1).map(LedgerIndex::new)
}

/// A pseudo-transaction for a ledger, with the fields of its own.
fn pseudo(tx_type: TxType, ledger: LedgerIndex, own: Object) -> Object {
    own.with(sf::TRANSACTION_TYPE, tx_type.code())
        .with(sf::ACCOUNT, AccountId::ZERO)
        .with(sf::SEQUENCE, 0u32)
        .with(sf::FEE, Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice())
        .with(sf::LEDGER_SEQUENCE, ledger.get())
}
