//! The ledger's memory of its ancestors' hashes (LedgerHashes), written once per closed ledger.
//!
//! Xahau's rule (Ledger.cpp `updateSkipList`), no section of the spec.

use std::collections::BTreeMap;

use codec::format::EntryType;
use codec::{Hash256, LedgerIndex, Object, keylet, sf};

use crate::limits::SKIP_LIST_HASHES_MAX;
use crate::state_map::StateMap;

/// Every so many ledgers a hash goes to the long lists.
const LONG_LIST_EVERY: u32 = 256;

/// Writes the parent's hash into the short list, and where its number is a multiple of 256 into a long one.
/// The entries written are added to `entries`.
pub(crate) fn update(
    state: &mut StateMap,
    parent: LedgerIndex,
    parent_hash: Hash256,
    entries: &mut BTreeMap<Hash256, Option<Vec<u8>>>,
) {
    if parent.get() == 0 {
        return;
    }
    let mut keys = vec![keylet::skip()];
    if parent.get().checked_rem(LONG_LIST_EVERY) == Some(0) {
        keys.push(keylet::skip_for(parent));
    }
    for key in keys {
        let entry = appended(state.entry(&key), parent, parent_hash);
        let bytes = codec::encode(&entry);
        state.insert(key, bytes.as_slice());
        entries.insert(key, Some(bytes));
    }
}

/// The list with one more hash, the oldest dropped where it is full.
fn appended(list: Option<&[u8]>, parent: LedgerIndex, parent_hash: Hash256) -> Object {
    let entry = list
        .and_then(|bytes| codec::decode(bytes).ok())
        .unwrap_or_else(|| {
            Object::new()
                .with(sf::LEDGER_ENTRY_TYPE, EntryType::LedgerHashes.code())
                .with(sf::FLAGS, 0u32)
        });
    let mut hashes = entry.vector256(sf::HASHES).unwrap_or(&[]).to_vec();
    if hashes.len() >= SKIP_LIST_HASHES_MAX {
        hashes.remove(0);
    }
    hashes.push(parent_hash);
    entry
        .with(sf::LAST_LEDGER_SEQUENCE, parent.get())
        .with(sf::HASHES, hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> Hash256 {
        Hash256::new([byte; 32])
    }

    fn list(state: &StateMap, key: Hash256) -> Object {
        codec::decode(state.entry(&key).unwrap()).unwrap()
    }

    #[test]
    fn accepts_the_256_last_hashes() {
        let (mut state, mut entries) = (StateMap::new(), BTreeMap::new());
        for parent in 1..=300u32 {
            update(
                &mut state,
                LedgerIndex::new(parent),
                hash((parent % 251) as u8),
                &mut entries,
            );
        }
        let short = list(&state, keylet::skip());
        let hashes = short.vector256(sf::HASHES).unwrap();
        assert_eq!((hashes.len(), hashes[0], hashes[255]), (256, hash(45), hash(49)));
        assert_eq!(short.u32(sf::LAST_LEDGER_SEQUENCE), Some(300));
        let long = list(&state, keylet::skip_for(LedgerIndex::new(256)));
        assert_eq!(long.vector256(sf::HASHES).unwrap(), [hash(5)]);
        assert_eq!(long.u32(sf::LAST_LEDGER_SEQUENCE), Some(256));
    }

    #[test]
    fn rejects_a_list_in_the_genesis() {
        let (mut state, mut entries) = (StateMap::new(), BTreeMap::new());
        update(&mut state, LedgerIndex::new(0), hash(1), &mut entries);
        assert!(state.is_empty());
        assert!(entries.is_empty());
    }
}
