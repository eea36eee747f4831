//! A map in pieces, for whoever has its root hash alone: each piece is checked against a hash that is known
//! already, so that it may come from anybody.
//!
//! A piece stands at a place ([`Prefix`]): all items below it where they are few, else the hashes of the places
//! below, which are asked for next. A path is the way from the root to one item.

use codec::Hash256;
use codec::hash::{PREFIX_INNER_NODE, sha512_half};

use super::{BRANCHES, Inner, Iter, KEY_BYTES, Leaf, LeafKind, Node, StateMap, Tree, TxMap, branch, build};
use crate::limits::MAP_DEPTH_MAX;

/// Bytes that an item counts beside its own: its key, and a length.
const ITEM_OVERHEAD: usize = KEY_BYTES + 4;

/// A place in a map: the first nibbles of the keys below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    depth: u8,
    /// The nibbles; zero after them.
    nibbles: [u8; KEY_BYTES],
}

impl Prefix {
    /// The whole map.
    pub const ROOT: Prefix = Prefix {
        depth: 0,
        nibbles: [0; KEY_BYTES],
    };

    /// The place whose `depth` nibbles are given, two in a byte; `None` where there are more or fewer bytes, or
    /// nibbles after the last one.
    #[must_use]
    pub fn new(depth: u8, nibbles: &[u8]) -> Option<Prefix> {
        let mut padded = [0; KEY_BYTES];
        padded.get_mut(..nibbles.len())?.copy_from_slice(nibbles);
        let prefix = Prefix {
            depth,
            nibbles: padded,
        };
        let is_whole = prefix.nibbles() == nibbles && usize::from(depth) <= MAP_DEPTH_MAX;
        let is_clean = (usize::from(depth)..MAP_DEPTH_MAX).all(|at| branch(&padded, at) == 0);
        (is_whole && is_clean).then_some(prefix)
    }

    /// How many nibbles it has.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// Its nibbles, two in a byte.
    #[must_use]
    pub fn nibbles(&self) -> &[u8] {
        let bytes = usize::from(self.depth).div_ceil(2);
        self.nibbles.get(..bytes).unwrap_or(&self.nibbles)
    }

    /// The place below it on one of the 16 branches; `None` below the last nibble of a key.
    #[must_use]
    pub fn child(&self, on: u8) -> Option<Prefix> {
        let mut nibbles = self.nibbles;
        let byte = nibbles.get_mut(usize::from(self.depth >> 1))?;
        *byte |= if self.depth & 1 == 0 { on << 4 } else { on & 0x0F };
        Some(Prefix {
            depth: self.depth.checked_add(1)?,
            nibbles,
        })
    }

    /// Whether a key lies below it.
    #[must_use]
    pub fn holds(&self, key: &Hash256) -> bool {
        (0..usize::from(self.depth)).all(|at| branch(key.as_bytes(), at) == branch(&self.nibbles, at))
    }
}

/// What a map has at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// All items below it, ascending.
    Items(Vec<(Hash256, Vec<u8>)>),
    /// The hashes of the places below it; zero where nothing is.
    Branches(Box<[Hash256; BRANCHES]>),
}

/// The way from the root of a map to one item: the branches of each node on it, and the item's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Branches of the root, then of each node below it.
    pub nodes: Vec<[Hash256; BRANCHES]>,
    /// The bytes of the item.
    pub bytes: Vec<u8>,
}

impl Path {
    /// The bytes under `key` in the state with this root; `None` where the path does not prove that.
    #[must_use]
    pub fn proves(&self, root: &Hash256, key: &Hash256) -> Option<&[u8]> {
        let mut hash = *root;
        for (depth, node) in self.nodes.iter().enumerate() {
            if depth >= MAP_DEPTH_MAX || hash_of(node) != hash {
                return None;
            }
            hash = *node.get(usize::try_from(branch(key.as_bytes(), depth)).ok()?)?;
        }
        let is_there = !self.nodes.is_empty() && Leaf::new(key, &self.bytes).hash(LeafKind::State) == hash;
        is_there.then_some(self.bytes.as_slice())
    }
}

impl StateMap {
    /// The way to the item under a key; `None` where there is none.
    #[must_use]
    pub fn path(&self, key: &Hash256) -> Option<Path> {
        let mut inner = &*self.0.root;
        let mut nodes = Vec::new();
        for depth in 0..MAP_DEPTH_MAX {
            nodes.push(inner.branches(LeafKind::State));
            match &inner.child(branch(key.as_bytes(), depth))?.node {
                Node::Leaf(leaf) if leaf.key() == *key => {
                    let bytes = leaf.bytes().to_vec();
                    return Some(Path { nodes, bytes });
                }
                Node::Leaf(_) => return None,
                Node::Inner(below) => inner = below,
            }
        }
        None
    }
}

macro_rules! piece_methods {
    ($map:ident, $kind:expr) => {
        impl $map {
            /// What stands at a place: the items where they have at most so many bytes, or are one. `None` where
            /// nothing stands.
            #[must_use]
            pub fn piece(&self, at: &Prefix, bytes_max: usize) -> Option<Piece> {
                piece(&self.0, at, bytes_max)
            }

            /// The hash that a place has where this piece is all that stands there; `None` for a piece that
            /// stands there in no map.
            #[must_use]
            pub fn hash_of_piece(at: &Prefix, piece: &Piece) -> Option<Hash256> {
                hash_of_piece($kind, at, piece)
            }
        }
    };
}

piece_methods!(StateMap, LeafKind::State);
piece_methods!(TxMap, LeafKind::TxWithMeta);

fn piece(tree: &Tree, at: &Prefix, bytes_max: usize) -> Option<Piece> {
    let mut inner = &*tree.root;
    for depth in 0..usize::from(at.depth) {
        match &inner.child(branch(&at.nibbles, depth))?.node {
            Node::Inner(below) => inner = below,
            Node::Leaf(leaf) => {
                let is_here = depth.saturating_add(1) == usize::from(at.depth);
                return is_here.then(|| Piece::Items(vec![(leaf.key(), leaf.bytes().to_vec())]));
            }
        }
    }
    Some(match items_within(inner, bytes_max) {
        Some(items) => Piece::Items(items),
        None => Piece::Branches(Box::new(inner.branches(tree.kind))),
    })
}

/// All items below a node, unless they have more than so many bytes: looks at no more than that.
fn items_within(inner: &Inner, bytes_max: usize) -> Option<Vec<(Hash256, Vec<u8>)>> {
    let all = || Iter {
        stack: vec![(inner, 0)],
    };
    let mut bytes = 0_usize;
    for (_, item) in all() {
        bytes = bytes.saturating_add(ITEM_OVERHEAD).saturating_add(item.len());
        if bytes > bytes_max {
            return None;
        }
    }
    Some(all().map(|(key, item)| (key, item.to_vec())).collect())
}

fn hash_of_piece(kind: LeafKind, at: &Prefix, piece: &Piece) -> Option<Hash256> {
    let depth = usize::from(at.depth);
    let items = match piece {
        Piece::Branches(branches) => return (depth < MAP_DEPTH_MAX).then(|| hash_of(branches)),
        Piece::Items(items) => items,
    };
    let is_sorted = items.is_sorted_by(|(one, _), (two, _)| one < two);
    if !is_sorted || !items.iter().all(|(key, _)| at.holds(key)) {
        return None;
    }
    let leaves: Vec<Leaf> = items.iter().map(|(key, bytes)| Leaf::new(key, bytes)).collect();
    match leaves.as_slice() {
        [] => (depth == 0).then_some(Hash256::ZERO),
        [only] if depth > 0 => Some(only.hash(kind)),
        leaves => (depth < MAP_DEPTH_MAX).then(|| build(leaves, depth).hash(kind)),
    }
}

/// The hash of a node with these branches.
fn hash_of(branches: &[Hash256; BRANCHES]) -> Hash256 {
    let mut parts: Vec<&[u8]> = vec![&PREFIX_INNER_NODE];
    parts.extend(branches.iter().map(|hash| hash.as_bytes().as_slice()));
    sha512_half(&parts)
}

impl Inner {
    /// The hashes of its branches; zero where nothing is.
    fn branches(&self, kind: LeafKind) -> [Hash256; BRANCHES] {
        let mut branches = [Hash256::ZERO; BRANCHES];
        for (slot, number) in branches.iter_mut().zip(0u32..) {
            if let Some(child) = self.child(number) {
                *slot = child.hash(kind);
            }
        }
        branches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    /// Keys that share their first nibbles or nearly all of them, so that deep places occur.
    fn key() -> impl Strategy<Value = Hash256> {
        (vec(0u8..40, 2), 0usize..31).prop_map(|(head, at)| {
            let mut bytes = [0u8; 32];
            bytes[at..at + 2].copy_from_slice(&head);
            Hash256::new(bytes)
        })
    }

    fn maps() -> impl Strategy<Value = StateMap> {
        btree_map(key(), vec(any::<u8>(), 1..40), 0..60).prop_map(StateMap::from_sorted_iter)
    }

    /// Fetches a map from another one, checking each piece; answers its items and how many pieces they took.
    fn fetched(from: &StateMap, bytes_max: usize) -> (Vec<(Hash256, Vec<u8>)>, usize) {
        let mut wanted = vec![(Prefix::ROOT, from.root_hash())];
        let (mut items, mut pieces) = (Vec::new(), 0);
        while let Some((at, hash)) = wanted.pop() {
            let piece = from.piece(&at, bytes_max).unwrap();
            assert_eq!(StateMap::hash_of_piece(&at, &piece), Some(hash), "{at:?}");
            pieces += 1;
            match piece {
                Piece::Items(some) => items.extend(some),
                Piece::Branches(branches) => {
                    // Backwards, so that the first one is taken next.
                    let below = (0u8..).zip(*branches).filter(|(_, hash)| *hash != Hash256::ZERO);
                    let below: Vec<_> = below.map(|(on, hash)| (at.child(on).unwrap(), hash)).collect();
                    wanted.extend(below.into_iter().rev());
                }
            }
        }
        (items, pieces)
    }

    proptest! {
        // Keys that share 60 nibbles make many nodes, each of which is hashed.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn accepts_a_map_in_pieces_of_any_size(map in maps(), bytes_max in 0usize..600) {
            let (items, pieces) = fetched(&map, bytes_max);
            prop_assert!(items.is_sorted());
            let again = StateMap::from_sorted_iter(items);
            prop_assert_eq!(again.root_hash(), map.root_hash());
            prop_assert!(bytes_max > 0 || map.is_empty() || pieces > 1);
        }

        #[test]
        fn rejects_a_piece_that_differs(map in maps(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            prop_assume!(!map.is_empty());
            let Some(Piece::Items(mut items)) = map.piece(&Prefix::ROOT, usize::MAX) else {
                panic!("all items");
            };
            let root = Some(map.root_hash());
            let is_root = |items: &[(Hash256, Vec<u8>)]| {
                StateMap::hash_of_piece(&Prefix::ROOT, &Piece::Items(items.to_vec())) == root
            };
            prop_assert!(is_root(&items));
            let at = at.index(items.len());
            let twice = [&items[..=at], &items[at..]].concat();
            prop_assert!(!is_root(&twice), "an item twice");
            let without = [&items[..at], &items[at + 1..]].concat();
            prop_assert!(!is_root(&without), "an item left out");
            items[at].1[0] ^= flip;
            prop_assert!(!is_root(&items), "another byte");
        }

        #[test]
        fn accepts_paths_to_what_is_there_and_rejects_others(
            map in maps(), at in any::<prop::sample::Index>(), other in key(), flip in 1u8..,
        ) {
            prop_assert_eq!(map.path(&other).is_some(), map.entry(&other).is_some());
            prop_assume!(!map.is_empty());
            let root = map.root_hash();
            let (key, bytes) = map.iter().nth(at.index(map.iter().count())).unwrap();
            let path = map.path(&key).unwrap();
            prop_assert_eq!(path.proves(&root, &key), Some(bytes));
            prop_assert_eq!(path.proves(&Hash256::new([1; 32]), &key), None);
            prop_assert!(other == key || path.proves(&root, &other).is_none(), "it proves another key");
            let mut wrong = path.clone();
            wrong.bytes[0] ^= flip;
            prop_assert_eq!(wrong.proves(&root, &key), None);
            let mut short = path.clone();
            short.nodes.pop();
            prop_assert_eq!(short.proves(&root, &key), None);
        }

        #[test]
        fn accepts_its_own_nibbles_and_rejects_what_is_no_place(key in key(), depth in 0u8..=64) {
            let mut place = Prefix::ROOT;
            for at in 0..usize::from(depth) {
                place = place.child(u8::try_from(branch(key.as_bytes(), at)).unwrap()).unwrap();
            }
            prop_assert!(place.holds(&key));
            prop_assert_eq!(Prefix::new(depth, place.nibbles()), Some(place));
            prop_assert_eq!(Prefix::new(depth, &[place.nibbles(), &[0]].concat()), None);
            if depth > 0 {
                prop_assert_eq!(Prefix::new(depth, &place.nibbles()[1..]), None);
            }
        }
    }

    #[test]
    fn rejects_places_below_a_key_and_nibbles_after_the_last() {
        let deepest = Prefix::new(64, &[7; 32]).unwrap();
        assert_eq!(deepest.child(1), None);
        assert_eq!(Prefix::new(65, &[7; 33]), None);
        assert_eq!(Prefix::new(1, &[0x71]), None);
        assert!(Prefix::new(1, &[0x70]).is_some());
    }

    #[test]
    fn rejects_items_that_stand_elsewhere_and_no_items_below_the_root() {
        let key = Hash256::new([0x12; 32]);
        let items = Piece::Items(vec![(key, vec![1])]);
        let there = Prefix::new(2, &[0x12]).unwrap();
        assert!(StateMap::hash_of_piece(&there, &items).is_some());
        let elsewhere = Prefix::new(2, &[0x13]).unwrap();
        assert_eq!(StateMap::hash_of_piece(&elsewhere, &items), None);
        assert_eq!(StateMap::hash_of_piece(&there, &Piece::Items(Vec::new())), None);
        let map = StateMap::from_sorted_iter([(key, vec![1])]);
        assert_eq!(map.piece(&elsewhere, 100), None);
        assert_eq!(map.piece(&there, 100), None, "the item stands higher up");
    }
}
