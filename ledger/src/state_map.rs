//! The persistent radix-16 map of a ledger: 256-bit keys to bytes, with the hashes that xahaud computes.
//!
//! Clones are cheap and share structure; hashes are computed when asked for and kept per node, so that a change costs the
//! hashes of its path only. Does not know what the bytes mean. Xahau's SHAMap, no section of the spec.

use std::sync::{Arc, OnceLock};

use codec::Hash256;
use codec::hash::sha512_half;

use crate::limits::MAP_DEPTH_MAX;

const PREFIX_INNER: [u8; 4] = *b"MIN\0";
const PREFIX_STATE_LEAF: [u8; 4] = *b"MLN\0";
const PREFIX_TX_LEAF: [u8; 4] = *b"SND\0";
const BRANCHES: usize = 16;

/// How the leaves of a map are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeafKind {
    /// Ledger entries: half(MLN, bytes, key).
    State,
    /// Transactions with metadata: half(SND, bytes, key).
    TxWithMeta,
    /// A set of transactions before they are applied: the leaf's hash is its key.
    TxSet,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(Arc<Leaf>),
    Inner(Arc<Inner>),
}

#[derive(Debug)]
struct Leaf {
    key: Hash256,
    bytes: Arc<[u8]>,
    hash: OnceLock<Hash256>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    children: [Option<Node>; BRANCHES],
    hash: OnceLock<Hash256>,
}

#[derive(Clone, Debug)]
struct Tree {
    kind: LeafKind,
    root: Arc<Inner>,
}

/// The state of a ledger: entries by keylet.
#[derive(Clone, Debug)]
pub struct StateMap(Tree);

/// The transactions of a closed ledger with their metadata, by transaction id.
#[derive(Clone, Debug)]
pub struct TxMap(Tree);

/// The transactions that a ledger is to be built from; its root salts their order.
#[derive(Clone, Debug)]
pub struct TxSet(Tree);

macro_rules! map_methods {
    ($map:ident, $kind:expr) => {
        impl $map {
            /// An empty map; its root hash is zero.
            #[must_use]
            pub fn new() -> $map {
                $map(Tree {
                    kind: $kind,
                    root: Arc::default(),
                })
            }

            /// A map of the given items; a later item of the same key replaces an earlier one.
            pub fn from_sorted_iter(items: impl IntoIterator<Item = (Hash256, Vec<u8>)>) -> $map {
                let mut map = $map::new();
                for (key, bytes) in items {
                    map.insert(key, bytes);
                }
                map
            }

            /// The root hash, computed where it is not known yet.
            #[must_use]
            pub fn root_hash(&self) -> Hash256 {
                inner_hash(&self.0.root, self.0.kind, 0)
            }

            /// The bytes under a key.
            #[must_use]
            pub fn entry(&self, key: &Hash256) -> Option<&[u8]> {
                find(&self.0.root, key).map(|leaf| &*leaf.bytes)
            }

            /// Sets the bytes under a key.
            pub fn insert(&mut self, key: Hash256, bytes: impl Into<Arc<[u8]>>) {
                let leaf = Arc::new(Leaf {
                    key,
                    bytes: bytes.into(),
                    hash: OnceLock::new(),
                });
                insert(Arc::make_mut(&mut self.0.root), leaf, 0);
            }

            /// Removes a key; false where it was not there.
            pub fn remove(&mut self, key: &Hash256) -> bool {
                if find(&self.0.root, key).is_none() {
                    return false;
                }
                remove(Arc::make_mut(&mut self.0.root), key, 0);
                true
            }

            /// All items in key order.
            #[must_use]
            pub fn iter(&self) -> Iter<'_> {
                Iter {
                    stack: vec![(&self.0.root, 0)],
                }
            }

            /// All items in key order, beginning after the given key.
            #[must_use]
            pub fn iter_after(&self, key: &Hash256) -> Iter<'_> {
                Iter {
                    stack: stack_after(&self.0.root, key),
                }
            }

            /// True where the map holds nothing.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.iter().next().is_none()
            }
        }

        impl Default for $map {
            fn default() -> $map {
                $map::new()
            }
        }

        impl<'a> IntoIterator for &'a $map {
            type Item = (Hash256, &'a [u8]);
            type IntoIter = Iter<'a>;
            fn into_iter(self) -> Iter<'a> {
                self.iter()
            }
        }
    };
}

map_methods!(StateMap, LeafKind::State);
map_methods!(TxMap, LeafKind::TxWithMeta);
map_methods!(TxSet, LeafKind::TxSet);

/// Items of a map in key order.
#[derive(Debug)]
pub struct Iter<'a> {
    /// Inner nodes from the root down, each with the branch to look at next.
    stack: Vec<(&'a Inner, usize)>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Hash256, &'a [u8]);

    fn next(&mut self) -> Option<(Hash256, &'a [u8])> {
        loop {
            let (inner, branch) = self.stack.last_mut()?;
            let inner: &'a Inner = inner;
            let Some(child) = inner.children.get(*branch) else {
                self.stack.pop();
                continue;
            };
            *branch = branch.saturating_add(1);
            match child {
                None => {}
                Some(Node::Leaf(leaf)) => return Some((leaf.key, &leaf.bytes)),
                Some(Node::Inner(below)) => self.stack.push((below, 0)),
            }
        }
    }
}

/// The iteration state that continues after `key`, whether or not the key is in the map.
fn stack_after<'a>(root: &'a Inner, key: &Hash256) -> Vec<(&'a Inner, usize)> {
    let mut stack = Vec::new();
    let mut inner = root;
    for depth in 0..MAP_DEPTH_MAX {
        let branch = nibble(key, depth);
        let next = branch.saturating_add(1);
        match inner.children.get(branch) {
            Some(Some(Node::Inner(below))) => {
                stack.push((inner, next));
                inner = below;
            }
            Some(Some(Node::Leaf(leaf))) if leaf.key > *key => {
                stack.push((inner, branch));
                break;
            }
            Some(_) | None => {
                stack.push((inner, next));
                break;
            }
        }
    }
    stack
}

/// The branch that a key takes at a depth, high nibble first.
fn nibble(key: &Hash256, depth: usize) -> usize {
    let byte = key.as_bytes().get(depth >> 1).copied().unwrap_or(0);
    usize::from(if depth & 1 == 0 { byte >> 4 } else { byte & 0x0F })
}

fn find<'a>(root: &'a Inner, key: &Hash256) -> Option<&'a Leaf> {
    let mut inner = root;
    for depth in 0..MAP_DEPTH_MAX {
        match inner.children.get(nibble(key, depth))?.as_ref()? {
            Node::Leaf(leaf) => return (leaf.key == *key).then_some(&**leaf),
            Node::Inner(below) => inner = below,
        }
    }
    None
}

/// Puts a leaf below `inner`. Recursion is bounded by the depth of a key.
fn insert(inner: &mut Inner, leaf: Arc<Leaf>, depth: usize) {
    inner.hash = OnceLock::new();
    let Some(slot) = inner.children.get_mut(nibble(&leaf.key, depth)) else {
        return;
    };
    let below = depth.saturating_add(1);
    match slot {
        None => *slot = Some(Node::Leaf(leaf)),
        Some(Node::Leaf(old)) if old.key == leaf.key => *slot = Some(Node::Leaf(leaf)),
        Some(Node::Leaf(old)) => {
            let mut split = Inner::default();
            if below < MAP_DEPTH_MAX {
                insert(&mut split, Arc::clone(old), below);
                insert(&mut split, leaf, below);
            }
            *slot = Some(Node::Inner(Arc::new(split)));
        }
        Some(Node::Inner(old)) => insert(Arc::make_mut(old), leaf, below),
    }
}

/// Takes a key that is there away; an inner node left with a single leaf becomes that leaf.
fn remove(inner: &mut Inner, key: &Hash256, depth: usize) {
    inner.hash = OnceLock::new();
    let Some(slot) = inner.children.get_mut(nibble(key, depth)) else {
        return;
    };
    match slot {
        None => {}
        Some(Node::Leaf(_)) => *slot = None,
        Some(Node::Inner(old)) => {
            let below = Arc::make_mut(old);
            remove(below, key, depth.saturating_add(1));
            let mut left = below.children.iter().flatten();
            let collapsed = match (left.next(), left.next()) {
                (None, _) => Some(None),
                (Some(Node::Leaf(only)), None) => Some(Some(Node::Leaf(Arc::clone(only)))),
                (Some(_), _) => None,
            };
            if let Some(node) = collapsed {
                *slot = node;
            }
        }
    }
}

fn leaf_hash(leaf: &Leaf, kind: LeafKind) -> Hash256 {
    *leaf.hash.get_or_init(|| match kind {
        LeafKind::State => sha512_half(&[&PREFIX_STATE_LEAF, &leaf.bytes, leaf.key.as_bytes()]),
        LeafKind::TxWithMeta => sha512_half(&[&PREFIX_TX_LEAF, &leaf.bytes, leaf.key.as_bytes()]),
        LeafKind::TxSet => leaf.key,
    })
}

/// Hash of an inner node; zero without children. Recursion is bounded by the depth of a key.
fn inner_hash(inner: &Inner, kind: LeafKind, depth: usize) -> Hash256 {
    if let Some(hash) = inner.hash.get() {
        return *hash;
    }
    let mut hashes = [Hash256::ZERO; BRANCHES];
    for (hash, child) in hashes.iter_mut().zip(&inner.children) {
        match child {
            None => {}
            Some(Node::Leaf(leaf)) => *hash = leaf_hash(leaf, kind),
            Some(Node::Inner(below)) => *hash = inner_hash(below, kind, depth.saturating_add(1)),
        }
    }
    let hash = if inner.children.iter().all(Option::is_none) {
        Hash256::ZERO
    } else {
        let parts: Vec<&[u8]> = std::iter::once(PREFIX_INNER.as_slice())
            .chain(hashes.iter().map(|hash| hash.as_bytes().as_slice()))
            .collect();
        sha512_half(&parts)
    };
    *inner.hash.get_or_init(|| hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    /// Keys of few distinct nibbles, so that deep paths and collapses occur.
    fn key() -> impl Strategy<Value = Hash256> {
        (vec(0u8..2, 4), any::<bool>()).prop_map(|(head, deep)| {
            let mut bytes = [0u8; 32];
            let at = if deep { 28 } else { 0 };
            bytes[at..at + 4].copy_from_slice(&head);
            Hash256::new(bytes)
        })
    }

    fn map_of(items: &[(Hash256, Vec<u8>)]) -> StateMap {
        let mut map = StateMap::new();
        for (key, bytes) in items {
            map.insert(*key, bytes.clone());
        }
        map
    }

    #[test]
    fn accepts_the_empty_map_as_zero() {
        assert_eq!(StateMap::new().root_hash(), Hash256::ZERO);
        assert!(StateMap::new().is_empty());
    }

    #[test]
    fn rejects_equality_of_maps_that_differ_in_one_byte() {
        let key = Hash256::new([7; 32]);
        let root = |byte: u8| StateMap::from_sorted_iter([(key, vec![byte])]).root_hash();
        assert_ne!(root(1), root(2));
        assert_ne!(root(1), TxMap::from_sorted_iter([(key, vec![1])]).root_hash());
        assert_ne!(root(1), Hash256::ZERO);
    }

    #[test]
    fn rejects_removal_of_a_missing_key() {
        let mut map = StateMap::from_sorted_iter([(Hash256::new([7; 32]), vec![1])]);
        let mut near = [7; 32];
        near[31] = 8;
        assert!(!map.remove(&Hash256::new(near)));
        assert!(map.remove(&Hash256::new([7; 32])));
        assert!(!map.remove(&Hash256::new([7; 32])));
        assert_eq!(map.root_hash(), Hash256::ZERO);
    }

    proptest! {
        #[test]
        fn accepts_any_order_of_insertion(
            items in btree_map(key(), vec(any::<u8>(), 1..4), 0..24), seed in vec(any::<u16>(), 24),
        ) {
            let sorted: Vec<_> = items.into_iter().collect();
            let mut shuffled: Vec<_> = seed.iter().chain(std::iter::repeat(&0)).zip(sorted.clone()).collect();
            shuffled.sort_by_key(|(rank, _)| **rank);
            let shuffled: Vec<_> = shuffled.into_iter().map(|(_, item)| item).collect();
            let (one, two) = (map_of(&sorted), map_of(&shuffled));
            prop_assert_eq!(one.root_hash(), two.root_hash());
            let listed: Vec<_> = two.iter().map(|(key, bytes)| (key, bytes.to_vec())).collect();
            prop_assert_eq!(listed, sorted);
        }

        #[test]
        fn accepts_insert_and_remove_as_identity(
            items in btree_map(key(), vec(any::<u8>(), 1..4), 0..24), new in key(),
        ) {
            let mut items = items;
            items.remove(&new);
            let items: Vec<_> = items.into_iter().collect();
            let before = map_of(&items);
            let root = before.root_hash();
            let mut map = before.clone();
            map.insert(new, vec![9]);
            prop_assert_ne!(map.root_hash(), root);
            prop_assert!(map.remove(&new));
            prop_assert_eq!(map.root_hash(), root);
            prop_assert_eq!(before.root_hash(), root);
            prop_assert_eq!(map_of(&map.iter().map(|(k, b)| (k, b.to_vec())).collect::<Vec<_>>()).root_hash(), root);
        }

        #[test]
        fn accepts_iteration_after_any_key(items in btree_map(key(), vec(any::<u8>(), 1..2), 0..24), from in key()) {
            let items: Vec<_> = items.into_iter().collect();
            let map = map_of(&items);
            let expected: Vec<_> = items.iter().map(|(key, _)| *key).filter(|key| *key > from).collect();
            let listed: Vec<_> = map.iter_after(&from).map(|(key, _)| key).collect();
            prop_assert_eq!(listed, expected);
        }
    }
}
