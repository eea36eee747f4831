//! What validators of a server like xahaud say about keys and domains in their validations, and the DKIMKeySets that
//! a count of them comes to.
//!
//! A vote is one blob: for each statement length (u8) and bytes of the domain, length and bytes of the selector, the
//! number of the answer (u8), length (u16, big-endian) and bytes of the record, in ascending order of what they are
//! about. Not signed: it stands in what the validator signs anyway.
//!
//! Spec: 7.6. Who proposes counts; what comes out depends on the ledger and the votes alone.

use std::collections::{BTreeMap, BTreeSet};

use codec::keys::PublicKey;
use codec::{CloseTime, Object, keylet, sf};

use crate::attested::attestation::{quorum, validators_of};
use crate::attested::entry::key_set_writes;
use crate::attested::key_set::{KeySet, build_removal};
use crate::attested::statement::{Answer, Statement, Subject};
use crate::ledger::view::ReadView;
use crate::limits::{
    ATTESTATION_AGE_SECS_MAX, VOTE_BYTES_MAX, VOTE_DOMAINS_MAX, VOTE_KEYS_MAX, VOTE_KEYS_PER_DOMAIN_MAX,
};

/// What has room in one vote.
#[derive(Default)]
struct Room {
    keys: usize,
    domains: usize,
    keys_of: BTreeMap<String, usize>,
}

impl Room {
    /// Takes room for a statement, if there is any. Spec: 7.6
    fn take(&mut self, subject: &Subject) -> bool {
        match subject {
            Subject::Domain(_) => {
                self.domains = self.domains.saturating_add(1);
                self.domains <= VOTE_DOMAINS_MAX
            }
            Subject::Key(name) => {
                let of_domain = self.keys_of.entry(name.domain().to_owned()).or_default();
                *of_domain = of_domain.saturating_add(1);
                if *of_domain > VOTE_KEYS_PER_DOMAIN_MAX {
                    return false;
                }
                self.keys = self.keys.saturating_add(1);
                self.keys <= VOTE_KEYS_MAX
            }
        }
    }
}

/// The vote of a validator that saw these things: one for each subject, as many as have room, the first ones in
/// order. What it saw too long before `now`, by its clock, is no answer any more; a record that makes no key is
/// "unusable".
///
/// Spec: 4.5, 7.2, 7.6.
#[must_use]
pub fn pack_vote(now: CloseTime, seen: impl IntoIterator<Item = (CloseTime, Statement)>) -> Vec<u8> {
    let mut said: BTreeMap<Subject, Statement> = BTreeMap::new();
    let is_young = |at: CloseTime| at.seconds().saturating_add(ATTESTATION_AGE_SECS_MAX) >= now.seconds();
    for (_, statement) in seen.into_iter().filter(|(at, _)| is_young(*at)) {
        let statement = match statement {
            Statement::Key(name, Answer::Record(record)) => Statement::Key(name, Answer::of_record(&record)),
            other => other,
        };
        said.entry(statement.subject()).or_insert(statement);
    }
    let mut room = Room::default();
    let mut vote = Vec::new();
    for (subject, statement) in &said {
        let Some(part) = packed(statement) else { continue };
        if vote.len().saturating_add(part.len()) <= VOTE_BYTES_MAX && room.take(subject) {
            vote.extend_from_slice(&part);
        }
    }
    vote
}

fn packed(statement: &Statement) -> Option<Vec<u8>> {
    let (subject, record) = (statement.subject(), statement.record());
    let mut bytes = Vec::new();
    for part in [subject.domain(), subject.selector()] {
        bytes.push(u8::try_from(part.len()).ok()?);
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.push(statement.code());
    bytes.extend_from_slice(&u16::try_from(record.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(record);
    Some(bytes)
}

/// What a vote says; `None` unless it is exactly what [`pack_vote`] makes.
///
/// Spec: 7.6.
#[must_use]
pub fn read_vote(vote: &[u8]) -> Option<Vec<Statement>> {
    if vote.len() > VOTE_BYTES_MAX {
        return None;
    }
    let mut rest = vote;
    let mut room = Room::default();
    let mut said: Vec<Statement> = Vec::new();
    while !rest.is_empty() {
        let domain = take_short(&mut rest)?;
        let selector = take_short(&mut rest)?;
        let [code] = *take(&mut rest, 1)? else { return None };
        let length: [u8; 2] = take(&mut rest, 2)?.try_into().ok()?;
        let record = take(&mut rest, u16::from_be_bytes(length).into())?;
        let statement = Statement::from_parts(domain, selector, code, record)?;
        let subject = statement.subject();
        let is_next = said.last().is_none_or(|last| last.subject() < subject);
        if !is_next || !room.take(&subject) {
            return None;
        }
        said.push(statement);
    }
    Some(said)
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn take_short<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let [length] = *take(rest, 1)? else { return None };
    take(rest, length.into())
}

/// The DKIMKeySets for the ledger that is being built, of what the validators in its parent's list said in their
/// validations: what a quorum of them says of the same subject, and the removal of keys of those domains that nobody
/// renewed. Each validator counts once; a vote that is none says nothing. The order of `votes` does not matter.
///
/// Spec: 7.4, 7.6.
#[must_use]
pub fn count_votes(view: &impl ReadView, votes: &[(PublicKey, &[u8])]) -> Vec<Object> {
    let listed = validators_of(&view.parent_entry(&keylet::unl_report()).unwrap_or_default());
    if listed.is_empty() {
        return Vec::new();
    }
    let mut of_validator: BTreeMap<[u8; 33], &[u8]> = BTreeMap::new();
    for (validator, vote) in votes.iter().filter(|(validator, _)| listed.contains(validator)) {
        let first = of_validator.entry(*validator.as_bytes()).or_insert(*vote);
        *first = (*first).min(*vote);
    }
    let mut said: BTreeMap<Statement, usize> = BTreeMap::new();
    for statement in of_validator.values().filter_map(|vote| read_vote(vote)).flatten() {
        let count = said.entry(statement).or_default();
        *count = count.saturating_add(1);
    }
    let needed = quorum(listed.len());
    let agreed: Vec<Statement> = said
        .into_iter()
        .filter(|(_, count)| *count >= needed)
        .map(|(statement, _)| statement)
        .collect();
    let removals = removals(view, &agreed);
    let sets = agreed
        .into_iter()
        .map(|statement| KeySet::counted(view.ledger_index(), statement));
    let would_change = |set: &KeySet| set.preclaim(view).is_ok() && key_set_writes(set, view).is_ok();
    sets.filter(would_change)
        .map(|set| set.object())
        .chain(removals)
        .collect()
}

/// Removals of keys that nobody renewed, of the domains of these statements: on a server that reads no whole state,
/// who asks for another key of a domain makes room for it. Spec: 7.4, 7.6
fn removals(view: &impl ReadView, agreed: &[Statement]) -> Vec<Object> {
    let named: BTreeSet<_> = agreed
        .iter()
        .map(|statement| statement.subject().keylet())
        .collect();
    let directories: BTreeSet<_> = agreed
        .iter()
        .filter_map(|statement| match statement.subject() {
            Subject::Key(name) => Some(name.directory()),
            Subject::Domain(_) => None,
        })
        .collect();
    let mut removals = Vec::new();
    for directory in directories {
        let directory = view.parent_entry(&directory).unwrap_or_default();
        let indexes = directory.vector256(sf::INDEXES).unwrap_or(&[]);
        let others = indexes.iter().filter(|index| !named.contains(index));
        let entries = others.filter_map(|index| view.parent_entry(index));
        removals.extend(
            entries.filter_map(|entry| build_removal(&entry, view.parent_close_time(), view.ledger_index())),
        );
    }
    removals
}
