//! A bounded map of recent entries: two generations, of which the older is dropped when the younger is
//! full.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// At most `entries_max` entries; what was not touched for longest goes first, many at a time.
#[derive(Debug)]
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// An empty map.
    #[must_use]
    pub fn new(entries_max: usize) -> Recent<K, V> {
        Recent {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (entries_max / 2).max(1),
        }
    }

    /// The value of a key; not a touch.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Takes a key out.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_the_touched_stay() {
        let mut map = Recent::new(8);
        for number in 0..1_000 {
            map.insert(number, number);
            map.insert(7_777, number);
            assert!(map.len() <= 8);
            assert_eq!(map.get(&number), Some(&number));
        }
        assert_eq!(map.get(&7_777), Some(&999));
        assert_eq!(map.get(&900), None);
        assert_eq!((map.remove(&7_777), map.get(&7_777)), (Some(999), None));
    }
}
