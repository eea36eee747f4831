//! Metadata of a transaction: what it did to which entry, in Xahau's form.
//!
//! Also threads: a changed entry of a threaded type remembers the transaction. In the recorded version a
//! ModifiedNode carries the old PreviousTxnID pair only where the entry has no change of its own (an owner of
//! something created or deleted). No section of the spec; EmailReplayEntries never show (spec 1).

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
pub(crate) fn build(
    sandbox: &Sandbox<'_>,
    at: TxPosition,
    result: Ter,
    delivered: Option<Amount>,
) -> Effects {
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
            Change::Modified(current) if original.as_deref() == Some(current) => continue,
            Change::Modified(current) => (
                sf::MODIFIED_NODE,
                changed(
                    original.as_deref().unwrap_or(&Object::new()),
                    current,
                    Meta::Default,
                ),
            ),
            Change::Deleted(last) => {
                owners.extend(owners_of(last));
                (
                    sf::DELETED_NODE,
                    changed(
                        original.as_deref().unwrap_or(&Object::new()),
                        last,
                        Meta::DeleteFinal,
                    ),
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
    let mut metadata = Object::new()
        .with(sf::TRANSACTION_INDEX, at.index)
        .with(sf::AFFECTED_NODES, nodes.into_values().collect::<Vec<_>>())
        .with(
            sf::TRANSACTION_RESULT,
            u8::try_from(result.code()).unwrap_or(u8::MAX),
        );
    if let Some(amount) = delivered {
        metadata.set(sf::DELIVERED_AMOUNT, amount);
    }
    Effects { metadata, entries }
}

/// Threads an owner that has no change of its own; its node shows only the transaction before this one. Where
/// the transactor wrote the owner unchanged, xahaud shows all its fields instead.
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
    if sandbox.is_touched(&key) {
        let body = changed(&owner, &owner, Meta::Default);
        nodes.insert(key, (sf::MODIFIED_NODE, node(key, &owner, body)));
        entries.insert(key, Some(threaded(Object::clone(&owner), at)));
        return;
    }
    let mut body = Object::new();
    for field in [sf::PREVIOUS_TXN_ID, sf::PREVIOUS_TXN_LGR_SEQ] {
        if let Some(value) = owner.value(field) {
            body.set(field, value.clone());
        }
    }
    nodes.insert(key, (sf::MODIFIED_NODE, node(key, &owner, body)));
    entries.insert(key, Some(threaded(Object::clone(&owner), at)));
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
        // Every other type, as in xahaud.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state_map::StateMap;

    const OLD_TX: Hash256 = Hash256::new([0xAA; 32]);
    const TX: TxPosition = TxPosition {
        id: Hash256::new([0xBB; 32]),
        ledger: LedgerIndex::new(7),
        index: 3,
    };

    fn id(byte: u8) -> AccountId {
        AccountId::new([byte; 20])
    }

    fn account(byte: u8) -> Object {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::ACCOUNT, id(byte))
            .with(sf::BALANCE, Amount::Native(5))
            .with(sf::PREVIOUS_TXN_ID, OLD_TX)
            .with(sf::PREVIOUS_TXN_LGR_SEQ, 2u32)
    }

    fn preauth(owner: u8) -> Object {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::DepositPreauth.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::ACCOUNT, id(owner))
            .with(sf::AUTHORIZE, id(9))
            .with(sf::PREVIOUS_TXN_ID, OLD_TX)
            .with(sf::PREVIOUS_TXN_LGR_SEQ, 2u32)
    }

    fn base() -> StateMap {
        let entries = [
            (keylet::account(id(1)), account(1)),
            (Hash256::new([1; 32]), preauth(1)),
        ];
        StateMap::from_sorted_iter(entries.map(|(key, entry)| (key, codec::encode(&entry))))
    }

    /// The nodes as (kind, index, body).
    fn nodes(effects: &Effects) -> Vec<(&'static str, Hash256, Object)> {
        let nodes = effects.metadata.array(sf::AFFECTED_NODES).unwrap();
        nodes
            .iter()
            .map(|(kind, node)| (kind.name(), node.hash256(sf::LEDGER_INDEX).unwrap(), node.clone()))
            .collect()
    }

    #[test]
    fn accepts_a_changed_field_in_previous_and_final_fields() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        let key = keylet::account(id(1));
        sandbox.put(key, account(1).with(sf::BALANCE, Amount::Native(4)));
        let effects = build(&sandbox, TX, Ter::TES_SUCCESS, None);
        let (kind, index, node) = nodes(&effects).remove(0);
        assert_eq!((kind, index), ("ModifiedNode", key));
        let previous = Object::new().with(sf::BALANCE, Amount::Native(5));
        assert_eq!(node.object(sf::PREVIOUS_FIELDS), Some(&previous));
        let finals = node.object(sf::FINAL_FIELDS).unwrap();
        assert_eq!(finals.amount(sf::BALANCE), Some(Amount::Native(4)));
        assert!(!finals.contains(sf::PREVIOUS_TXN_ID) && !finals.contains(sf::LEDGER_ENTRY_TYPE));
        assert!(
            !node.contains(sf::PREVIOUS_TXN_ID),
            "only an untouched owner shows the pair"
        );
        let entry = effects.entries[&key].as_ref().unwrap();
        assert_eq!(
            (
                entry.hash256(sf::PREVIOUS_TXN_ID),
                entry.u32(sf::PREVIOUS_TXN_LGR_SEQ)
            ),
            (Some(TX.id), Some(7))
        );
        assert_eq!(effects.metadata.u32(sf::TRANSACTION_INDEX), Some(3));
    }

    #[test]
    fn accepts_an_added_field_as_empty_previous_fields() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        sandbox.put(keylet::account(id(1)), account(1).with(sf::REGULAR_KEY, id(2)));
        let (_, _, node) = nodes(&build(&sandbox, TX, Ter::TES_SUCCESS, None)).remove(0);
        assert_eq!(node.object(sf::PREVIOUS_FIELDS), Some(&Object::new()));
    }

    #[test]
    fn accepts_an_owner_as_touched_where_its_object_is_made_or_deleted() {
        let base = base();
        for delete in [false, true] {
            let mut sandbox = Sandbox::new(&base);
            if delete {
                sandbox.erase(&Hash256::new([1; 32]));
            } else {
                sandbox.put(Hash256::new([2; 32]), preauth(1));
            }
            let effects = build(&sandbox, TX, Ter::TES_SUCCESS, None);
            let owner = nodes(&effects)
                .into_iter()
                .find(|(_, index, _)| *index == keylet::account(id(1)))
                .unwrap();
            assert_eq!(
                (owner.0, owner.2.hash256(sf::PREVIOUS_TXN_ID)),
                ("ModifiedNode", Some(OLD_TX))
            );
            assert!(!owner.2.contains(sf::FINAL_FIELDS));
            let entry = effects.entries[&owner.1].as_ref().unwrap();
            assert_eq!(entry.hash256(sf::PREVIOUS_TXN_ID), Some(TX.id));
        }
    }

    #[test]
    fn accepts_the_last_transaction_in_the_final_fields_of_a_deleted_entry() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        sandbox.erase(&Hash256::new([1; 32]));
        let effects = build(&sandbox, TX, Ter::TES_SUCCESS, None);
        let deleted = nodes(&effects)
            .into_iter()
            .find(|(kind, ..)| *kind == "DeletedNode")
            .unwrap()
            .2;
        assert_eq!(
            deleted
                .object(sf::FINAL_FIELDS)
                .unwrap()
                .hash256(sf::PREVIOUS_TXN_ID),
            Some(OLD_TX)
        );
        assert!(!deleted.contains(sf::PREVIOUS_FIELDS));
        assert_eq!(effects.entries[&Hash256::new([1; 32])], None);
    }

    #[test]
    fn rejects_nodes_of_entries_that_did_not_change_and_of_hidden_fields() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        sandbox.put(keylet::account(id(1)), account(1));
        let hidden = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::EmailReplay.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::ACCOUNT, id(3))
            .with(
                sf::EMAIL_REPLAY_ENTRIES,
                vec![(sf::EMAIL_REPLAY_ENTRY, Object::new())],
            );
        sandbox.put(Hash256::new([2; 32]), hidden);
        let effects = build(&sandbox, TX, Ter::TES_SUCCESS, None);
        let (kind, _, node) = nodes(&effects).remove(0);
        assert_eq!((kind, nodes(&effects).len()), ("CreatedNode", 1));
        assert_eq!(
            node.object(sf::NEW_FIELDS),
            Some(&Object::new().with(sf::ACCOUNT, id(3)))
        );
    }
}
