//! The persistent radix-16 map of a ledger: 256-bit keys to bytes, with the hashes that xahaud computes.
//!
//! Clones are cheap and share structure; hashes are computed when asked for and kept beside each branch, so
//! that a change costs the hashes of its path only. A leaf is one allocation of key and bytes, an inner node
//! holds only the branches that are there: a million accounts take about 300 MB. Xahau's SHAMap, no section
//! of the spec.

mod pieces;

use std::sync::{Arc, OnceLock};

use codec::Hash256;
use codec::hash::{PREFIX_INNER_NODE, PREFIX_LEAF_NODE, PREFIX_TX_NODE, sha512_half};

use crate::limits::MAP_DEPTH_MAX;

pub use pieces::{Path, Piece, Prefix};

const BRANCHES: usize = 16;
const KEY_BYTES: usize = 32;
const INNER_BYTES: usize = 516;
const _: () = assert!(INNER_BYTES == PREFIX_INNER_NODE.len() + BRANCHES * KEY_BYTES);

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

/// Key and bytes, one behind the other.
#[derive(Clone, Debug)]
struct Leaf(Arc<[u8]>);

impl Leaf {
    fn new(key: &Hash256, bytes: &[u8]) -> Leaf {
        let mut joined = Vec::with_capacity(KEY_BYTES.saturating_add(bytes.len()));
        joined.extend_from_slice(key.as_bytes());
        joined.extend_from_slice(bytes);
        Leaf(joined.into())
    }

    fn parts(&self) -> (&[u8; KEY_BYTES], &[u8]) {
        self.0.split_first_chunk().unwrap_or((&[0; KEY_BYTES], &[]))
    }

    fn key(&self) -> Hash256 {
        Hash256::new(*self.parts().0)
    }

    fn bytes(&self) -> &[u8] {
        self.parts().1
    }

    fn hash(&self, kind: LeafKind) -> Hash256 {
        let (key, bytes) = self.parts();
        match kind {
            LeafKind::State => sha512_half(&[&PREFIX_LEAF_NODE, bytes, key]),
            LeafKind::TxWithMeta => sha512_half(&[&PREFIX_TX_NODE, bytes, key]),
            LeafKind::TxSet => Hash256::new(*key),
        }
    }
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(Leaf),
    Inner(Arc<Inner>),
}

/// A branch that is there, with its hash where that is known.
#[derive(Clone, Debug)]
struct Child {
    node: Node,
    hash: OnceLock<Hash256>,
}

impl Child {
    fn hash(&self, kind: LeafKind) -> Hash256 {
        *self.hash.get_or_init(|| match &self.node {
            Node::Leaf(leaf) => leaf.hash(kind),
            Node::Inner(below) => below.hash(kind),
        })
    }
}

impl From<Node> for Child {
    fn from(node: Node) -> Child {
        Child {
            node,
            hash: OnceLock::new(),
        }
    }
}

/// The branches that are there, in order; bit n of `present` stands for branch n.
#[derive(Clone, Debug, Default)]
struct Inner {
    present: u16,
    children: Box<[Child]>,
}

impl Inner {
    /// Where a branch stands in `children`: there, or where it would.
    fn position(&self, branch: u32) -> Result<usize, usize> {
        let bit = 1u16.checked_shl(branch).unwrap_or(0);
        let below = self.present & bit.saturating_sub(1);
        let at = usize::try_from(below.count_ones()).unwrap_or(usize::MAX);
        if self.present & bit == 0 { Err(at) } else { Ok(at) }
    }

    fn child(&self, branch: u32) -> Option<&Child> {
        self.children.get(self.position(branch).ok()?)
    }

    /// Puts a branch where none is.
    fn add(&mut self, branch: u32, child: Child) {
        if let Err(at) = self.position(branch) {
            let mut children = std::mem::take(&mut self.children).into_vec();
            children.reserve_exact(1);
            children.insert(at.min(children.len()), child);
            self.children = children.into_boxed_slice();
            self.present |= 1u16.checked_shl(branch).unwrap_or(0);
        }
    }

    fn take(&mut self, branch: u32) {
        if let Ok(at) = self.position(branch) {
            let mut children = std::mem::take(&mut self.children).into_vec();
            if at < children.len() {
                children.remove(at);
            }
            self.children = children.into_boxed_slice();
            self.present &= !1u16.checked_shl(branch).unwrap_or(0);
        }
    }

    /// Zero without branches. Recursion is bounded by the depth of a key.
    fn hash(&self, kind: LeafKind) -> Hash256 {
        if self.children.is_empty() {
            return Hash256::ZERO;
        }
        let mut bytes = [0u8; INNER_BYTES];
        let (prefix, slots) = bytes.split_at_mut(PREFIX_INNER_NODE.len());
        prefix.copy_from_slice(&PREFIX_INNER_NODE);
        for (slot, branch) in slots.chunks_exact_mut(KEY_BYTES).zip(0u32..) {
            let Some(child) = self.child(branch) else { continue };
            slot.copy_from_slice(child.hash(kind).as_bytes());
        }
        sha512_half(&[&bytes])
    }
}

#[derive(Clone, Debug)]
struct Tree {
    kind: LeafKind,
    root: Arc<Inner>,
    hash: OnceLock<Hash256>,
}

impl Tree {
    fn new(kind: LeafKind, root: Inner) -> Tree {
        Tree {
            kind,
            root: Arc::new(root),
            hash: OnceLock::new(),
        }
    }

    /// The root, to be changed: its hash is forgotten.
    fn root_mut(&mut self) -> &mut Inner {
        self.hash = OnceLock::new();
        Arc::make_mut(&mut self.root)
    }
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
                $map(Tree::new($kind, Inner::default()))
            }

            /// A map of the given items; a later item of the same key replaces an earlier one. Items in
            /// rising order of their keys are put together at once, others one by one.
            pub fn from_sorted_iter(items: impl IntoIterator<Item = (Hash256, Vec<u8>)>) -> $map {
                let leaves: Vec<Leaf> = items
                    .into_iter()
                    .map(|(key, bytes)| Leaf::new(&key, &bytes))
                    .collect();
                if leaves.is_sorted_by(|one, two| one.parts().0 < two.parts().0) {
                    return $map(Tree::new($kind, build(&leaves, 0)));
                }
                let mut map = $map::new();
                for leaf in leaves {
                    insert(map.0.root_mut(), leaf, 0);
                }
                map
            }

            /// The root hash, computed where it is not known yet.
            #[must_use]
            pub fn root_hash(&self) -> Hash256 {
                *self.0.hash.get_or_init(|| self.0.root.hash(self.0.kind))
            }

            /// The bytes under a key.
            #[must_use]
            pub fn entry(&self, key: &Hash256) -> Option<&[u8]> {
                find(&self.0.root, key).map(Leaf::bytes)
            }

            /// Sets the bytes under a key.
            pub fn insert(&mut self, key: Hash256, bytes: impl AsRef<[u8]>) {
                let leaf = Leaf::new(&key, bytes.as_ref());
                insert(self.0.root_mut(), leaf, 0);
            }

            /// Removes a key; false where it was not there.
            pub fn remove(&mut self, key: &Hash256) -> bool {
                if find(&self.0.root, key).is_none() {
                    return false;
                }
                remove(self.0.root_mut(), key, 0);
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
    /// Inner nodes from the root down, each with the position of the child to look at next.
    stack: Vec<(&'a Inner, usize)>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Hash256, &'a [u8]);

    fn next(&mut self) -> Option<(Hash256, &'a [u8])> {
        loop {
            let (inner, at) = self.stack.last_mut()?;
            let inner: &'a Inner = inner;
            let Some(child) = inner.children.get(*at) else {
                self.stack.pop();
                continue;
            };
            *at = at.saturating_add(1);
            match &child.node {
                Node::Leaf(leaf) => return Some((leaf.key(), leaf.bytes())),
                Node::Inner(below) => self.stack.push((below, 0)),
            }
        }
    }
}

/// The iteration state that continues after `key`, whether or not the key is in the map.
fn stack_after<'a>(root: &'a Inner, key: &Hash256) -> Vec<(&'a Inner, usize)> {
    let mut stack = Vec::new();
    let mut inner = root;
    for depth in 0..MAP_DEPTH_MAX {
        let at = match inner.position(nibble(key, depth)) {
            Err(next) => {
                stack.push((inner, next));
                break;
            }
            Ok(at) => at,
        };
        match inner.children.get(at).map(|child| &child.node) {
            Some(Node::Inner(below)) => {
                stack.push((inner, at.saturating_add(1)));
                inner = below;
            }
            Some(Node::Leaf(leaf)) if leaf.key() > *key => {
                stack.push((inner, at));
                break;
            }
            Some(Node::Leaf(_)) | None => {
                stack.push((inner, at.saturating_add(1)));
                break;
            }
        }
    }
    stack
}

/// The branch that a key takes at a depth, high nibble first.
fn nibble(key: &Hash256, depth: usize) -> u32 {
    branch(key.as_bytes(), depth)
}

fn branch(key: &[u8; KEY_BYTES], depth: usize) -> u32 {
    let byte = key.get(depth >> 1).copied().unwrap_or(0);
    u32::from(if depth & 1 == 0 { byte >> 4 } else { byte & 0x0F })
}

fn find<'a>(root: &'a Inner, key: &Hash256) -> Option<&'a Leaf> {
    let mut inner = root;
    for depth in 0..MAP_DEPTH_MAX {
        match &inner.child(nibble(key, depth))?.node {
            Node::Leaf(leaf) => return (leaf.parts().0 == key.as_bytes()).then_some(leaf),
            Node::Inner(below) => inner = below,
        }
    }
    None
}

/// The node over leaves with distinct keys in rising order. Recursion is bounded by the depth of a key.
fn build(leaves: &[Leaf], depth: usize) -> Inner {
    let mut inner = Inner::default();
    let mut children = Vec::new();
    let same_branch = |one: &Leaf, two: &Leaf| branch(one.parts().0, depth) == branch(two.parts().0, depth);
    for group in leaves.chunk_by(same_branch) {
        let Some(first) = group.first() else { continue };
        let bit = 1u16.checked_shl(branch(first.parts().0, depth));
        inner.present |= bit.unwrap_or(0);
        let node = if group.len() == 1 || depth >= MAP_DEPTH_MAX {
            Node::Leaf(first.clone())
        } else {
            Node::Inner(Arc::new(build(group, depth.saturating_add(1))))
        };
        children.push(Child::from(node));
    }
    inner.children = children.into_boxed_slice();
    inner
}

/// Puts a leaf below `inner`. Recursion is bounded by the depth of a key.
fn insert(inner: &mut Inner, leaf: Leaf, depth: usize) {
    let branch = branch(leaf.parts().0, depth);
    let below = depth.saturating_add(1);
    let Some(child) = inner
        .position(branch)
        .ok()
        .and_then(|at| inner.children.get_mut(at))
    else {
        inner.add(branch, Node::Leaf(leaf).into());
        return;
    };
    child.hash = OnceLock::new();
    match &mut child.node {
        Node::Inner(old) => insert(Arc::make_mut(old), leaf, below),
        Node::Leaf(old) if old.parts().0 == leaf.parts().0 => *old = leaf,
        Node::Leaf(old) => {
            let mut split = Inner::default();
            if below < MAP_DEPTH_MAX {
                insert(&mut split, old.clone(), below);
                insert(&mut split, leaf, below);
            }
            child.node = Node::Inner(Arc::new(split));
        }
    }
}

/// Takes a key that is there away; an inner node left with a single leaf becomes that leaf.
fn remove(inner: &mut Inner, key: &Hash256, depth: usize) {
    let branch = nibble(key, depth);
    let Some(child) = inner
        .position(branch)
        .ok()
        .and_then(|at| inner.children.get_mut(at))
    else {
        return;
    };
    child.hash = OnceLock::new();
    let Node::Inner(old) = &mut child.node else {
        inner.take(branch);
        return;
    };
    let below = Arc::make_mut(old);
    remove(below, key, depth.saturating_add(1));
    let only_leaf = match &*below.children {
        [
            only @ Child {
                node: Node::Leaf(_), ..
            },
        ] => Some(only.clone()),
        _ => None,
    };
    if below.children.is_empty() {
        inner.take(branch);
    } else if let Some(only) = only_leaf {
        *child = only;
    }
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
