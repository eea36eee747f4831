//! A map whose copies share what neither has changed since.
//!
//! The chain keeps its state back with every commit, and the next event changes a few of thousands of mails: a
//! copy of all of them each time was a third of its work. Here only the parts are copied that change.

use std::collections::BTreeMap;
use std::sync::Arc;

use codec::Hash256;

/// Parts of a map: one for each first byte of a key.
const PARTS: usize = 256;

/// A map of hashes, in their order.
#[derive(Debug, Clone)]
pub(crate) struct SharedMap<V> {
    parts: Vec<Arc<BTreeMap<Hash256, V>>>,
}

impl<V> Default for SharedMap<V> {
    fn default() -> Self {
        Self {
            parts: vec![Arc::default(); PARTS],
        }
    }
}

fn part_of(key: &Hash256) -> usize {
    let [first, ..] = *key.as_bytes();
    usize::from(first)
}

impl<V: Clone> SharedMap<V> {
    pub(crate) fn get(&self, key: &Hash256) -> Option<&V> {
        self.parts.get(part_of(key))?.get(key)
    }

    pub(crate) fn contains_key(&self, key: &Hash256) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key, to be changed; first put there where there is none.
    pub(crate) fn entry_or_default(&mut self, key: Hash256) -> Option<&mut V>
    where
        V: Default,
    {
        let part = self.parts.get_mut(part_of(&key))?;
        Some(Arc::make_mut(part).entry(key).or_default())
    }

    pub(crate) fn insert(&mut self, key: Hash256, value: V) {
        if let Some(part) = self.parts.get_mut(part_of(&key)) {
            Arc::make_mut(part).insert(key, value);
        }
    }

    pub(crate) fn remove(&mut self, key: &Hash256) -> Option<V> {
        let part = self.parts.get_mut(part_of(key))?;
        if !part.contains_key(key) {
            return None;
        }
        Arc::make_mut(part).remove(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Hash256, &V)> {
        self.parts.iter().flat_map(|part| part.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8, last: u8) -> Hash256 {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (first, last);
        Hash256::new(bytes)
    }

    /// The map of the standard library is the oracle: both are changed alike, and copies are kept of both.
    #[test]
    fn accepts_what_a_plain_map_accepts_and_leaves_copies_as_they_are() {
        let (mut map, mut plain) = (SharedMap::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for step in 0..2_000_u32 {
            // Keys repeat, within few parts and many.
            let key = key((step * 7 % 64) as u8, (step * step % 11) as u8);
            match step % 4 {
                0 => assert_eq!(map.remove(&key), plain.remove(&key)),
                1 => {
                    *map.entry_or_default(key).expect("a part") = step;
                    plain.insert(key, step);
                }
                _ => {
                    map.insert(key, step);
                    plain.insert(key, step);
                }
            }
            assert_eq!(map.get(&key), plain.get(&key));
            if step % 97 == 0 {
                copies.push((map.clone(), plain.clone()));
            }
        }
        copies.push((map, plain));
        for (map, plain) in copies {
            assert!(map.iter().eq(plain.iter()), "the same in the same order");
        }
    }
}
