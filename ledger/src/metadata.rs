//! Metadata of a transaction: what it did to which entry, in Xahau's form.
//!
//! Also threads: a changed entry of a threaded type remembers the transaction. In the recorded version a ModifiedNode
//! carries the old PreviousTxnID pair only where the entry has no change of its own (an owner of something created or
//! deleted). No section of the spec; EmailReplayEntries never show (spec 1).

use std::collections::{BTreeMap, BTreeSet};

use codec::field::Meta;
use codec::format::EntryType;
use codec::{AccountId, Amount, Field, Hash256, LedgerIndex, Object, Ter, Value, format, keylet, sf};

use crate::sandbox::{Change, Sandbox};

/// What a transaction leaves behind: its metadata and the entries as they are now (`None`: deleted).
#[derive(Clone, Debug)]
pub(crate) struct Effects {
    pub(crate) metadata: Object,
    pub(crate) entries: BTreeMap<Hash256, Option<Object>>,
}

/// The transaction that the metadata belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TxPosition {
    pub(crate) id: Hash256,
    pub(crate) ledger: LedgerIndex,
    /// Transactions in the ledger before this one.
    pub(crate) index: u32,
}

/// Builds metadata and threads the changed entries.
pub(crate) fn build(sandbox: &Sandbox<'_>, at: TxPosition, result: Ter) -> Effects {
    let mut nodes: BTreeMap<Hash256, (Field, Object)> = BTreeMap::new();
    let mut entries: BTreeMap<Hash256, Option<Object>> = BTreeMap::new();
    let mut owners: BTreeSet<AccountId> = BTreeSet::new();
    for (key, change) in sandbox.changes() {
        let original = sandbox.original(key);
        let (kind, body) = match change {
            Change::Created(current) => {
                owners.extend(owners_of(current));
                (sf::CREATED_NODE, created(current))
            }
            Change::Modified(current) if original.as_ref() == Some(current) => continue,
            Change::Modified(current) => (
                sf::MODIFIED_NODE,
                changed(&original.unwrap_or_default(), current, Meta::Default),
            ),
            Change::Deleted(last) => {
                owners.extend(owners_of(last));
                (
                    sf::DELETED_NODE,
                    changed(&original.unwrap_or_default(), last, Meta::DeleteFinal),
                )
            }
        };
        let (Change::Created(content) | Change::Modified(content) | Change::Deleted(content)) = change;
        nodes.insert(*key, (kind, node(*key, content, body)));
        entries.insert(
            *key,
            change.current().map(|current| threaded(current.clone(), at)),
        );
    }
    for owner in owners {
        touch_owner(sandbox, at, keylet::account(owner), &mut nodes, &mut entries);
    }
    let metadata = Object::new()
        .with(sf::TRANSACTION_INDEX, at.index)
        .with(sf::AFFECTED_NODES, nodes.into_values().collect::<Vec<_>>())
        .with(
            sf::TRANSACTION_RESULT,
            u8::try_from(result.code()).unwrap_or(u8::MAX),
        );
    Effects { metadata, entries }
}

/// Threads an owner that has no change of its own; its node shows only the transaction before this one.
fn touch_owner(
    sandbox: &Sandbox<'_>,
    at: TxPosition,
    key: Hash256,
    nodes: &mut BTreeMap<Hash256, (Field, Object)>,
    entries: &mut BTreeMap<Hash256, Option<Object>>,
) {
    if nodes.contains_key(&key) {
        return;
    }
    let Some(owner) = sandbox.original(&key) else {
        return;
    };
    let mut body = Object::new();
    for field in [sf::PREVIOUS_TXN_ID, sf::PREVIOUS_TXN_LGR_SEQ] {
        if let Some(value) = owner.value(field) {
            body.set(field, value.clone());
        }
    }
    nodes.insert(key, (sf::MODIFIED_NODE, node(key, &owner, body)));
    entries.insert(key, Some(threaded(owner, at)));
}

/// Adds what every node says: the entry's type and index.
fn node(key: Hash256, content: &Object, body: Object) -> Object {
    body.with(
        sf::LEDGER_ENTRY_TYPE,
        content.u16(sf::LEDGER_ENTRY_TYPE).unwrap_or(0),
    )
    .with(sf::LEDGER_INDEX, key)
}

/// NewFields: what is there and not the default. Amounts count although zero (fixXahauV1).
fn created(current: &Object) -> Object {
    let new: Object = current
        .iter()
        .filter(|(field, value)| matches!(field.meta(), Meta::Default | Meta::Always) && !is_default(value))
        .map(|(field, value)| (field, value.clone()))
        .collect();
    let mut body = Object::new();
    if !new.is_empty() {
        body.set(sf::NEW_FIELDS, new);
    }
    body
}

/// PreviousFields and FinalFields. A field that was only added leaves PreviousFields there but empty.
fn changed(original: &Object, current: &Object, finals: Meta) -> Object {
    let shows = |field: Field| field.meta() == Meta::Default;
    let previous: Object = original
        .iter()
        .filter(|(field, value)| shows(*field) && current.value(*field) != Some(*value))
        .map(|(field, value)| (field, value.clone()))
        .collect();
    let added = current
        .iter()
        .any(|(field, _)| shows(field) && !original.contains(field));
    let last: Object = current
        .iter()
        .filter(|(field, _)| matches!(field.meta(), Meta::Default | Meta::Always) || field.meta() == finals)
        .map(|(field, value)| (field, value.clone()))
        .collect();
    let mut body = Object::new();
    if added || !previous.is_empty() {
        body.set(sf::PREVIOUS_FIELDS, previous);
    }
    body.set(sf::FINAL_FIELDS, last);
    body
}

/// The entry with its PreviousTxnID pair set, where its type has one.
fn threaded(entry: Object, at: TxPosition) -> Object {
    if !EntryType::of(&entry)
        .and_then(EntryType::template)
        .is_some_and(|template| template.is_threaded())
    {
        return entry;
    }
    entry
        .with(sf::PREVIOUS_TXN_ID, at.id)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, at.ledger.get())
}

/// Accounts that an entry is threaded to when it is created or deleted.
fn owners_of(entry: &Object) -> Vec<AccountId> {
    match EntryType::of(entry) {
        Some(EntryType::AccountRoot) => Vec::new(),
        Some(EntryType::RippleState) => [sf::LOW_LIMIT, sf::HIGH_LIMIT]
            .into_iter()
            .filter_map(|field| issuer(entry, field))
            .collect(),
        _ => [sf::ACCOUNT, sf::DESTINATION]
            .into_iter()
            .filter_map(|field| entry.account(field))
            .collect(),
    }
}

fn issuer(entry: &Object, field: Field) -> Option<AccountId> {
    match entry.amount(field)? {
        Amount::Native(_) => None,
        Amount::Issued(amount) => Some(amount.issuer()),
    }
}

fn is_default(value: &Value) -> bool {
    !matches!(value, Value::Amount(_)) && format::is_default(value)
}
