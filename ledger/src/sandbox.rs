//! What one transaction has changed so far, over a state that it does not touch.
//!
//! Thrown away whole where the transaction fails; turned into metadata and a delta where it counts. No rule
//! stands here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use codec::{Hash256, Object};

use crate::state_map::StateMap;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Was not there before.
    Created(Object),
    /// Was there; possibly equal to what it was.
    Modified(Object),
    /// Was there; the object is its last content.
    Deleted(Object),
}

impl Change {
    /// The entry as it is now; `None` where deleted.
    pub(crate) fn current(&self) -> Option<&Object> {
        match self {
            Change::Created(object) | Change::Modified(object) => Some(object),
            Change::Deleted(_) => None,
        }
    }
}

/// An overlay of changed entries over a state.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox<'a> {
    base: &'a StateMap,
    /// What was read of it, so that nothing is decoded twice.
    read: RefCell<BTreeMap<Hash256, Option<Arc<Object>>>>,
    changes: BTreeMap<Hash256, Change>,
}

impl<'a> Sandbox<'a> {
    /// Nothing changed yet.
    pub(crate) fn new(base: &'a StateMap) -> Sandbox<'a> {
        Sandbox {
            base,
            read: RefCell::default(),
            changes: BTreeMap::new(),
        }
    }

    /// The entry as it is now.
    pub(crate) fn entry(&self, key: &Hash256) -> Option<Object> {
        match self.changes.get(key) {
            Some(change) => change.current().cloned(),
            None => self.original(key).map(Arc::unwrap_or_clone),
        }
    }

    /// True where the entry is there now, whether or not its bytes can be read.
    pub(crate) fn contains(&self, key: &Hash256) -> bool {
        match self.changes.get(key) {
            Some(change) => change.current().is_some(),
            None => self.base.entry(key).is_some(),
        }
    }

    /// The entry as it was before the transaction.
    pub(crate) fn original(&self, key: &Hash256) -> Option<Arc<Object>> {
        let mut read = self.read.borrow_mut();
        let original = read.entry(*key).or_insert_with(|| {
            let bytes = self.base.entry(key)?;
            codec::decode(bytes).ok().map(Arc::new)
        });
        original.clone()
    }

    /// Everything touched, in key order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&Hash256, &Change)> {
        self.changes.iter()
    }

    /// True where the entry was written, even if unchanged.
    pub(crate) fn is_touched(&self, key: &Hash256) -> bool {
        self.changes.contains_key(key)
    }

    /// Number of entries touched.
    pub(crate) fn changes_len(&self) -> usize {
        self.changes.len()
    }

    /// Writes an entry: created where it was not there before, else modified.
    pub(crate) fn put(&mut self, key: Hash256, object: Object) {
        let change = match self.changes.get(&key) {
            Some(Change::Created(_)) => Change::Created(object),
            Some(Change::Modified(_) | Change::Deleted(_)) => Change::Modified(object),
            None if self.base.entry(&key).is_some() => Change::Modified(object),
            None => Change::Created(object),
        };
        self.changes.insert(key, change);
    }

    /// Takes an entry away; one that the transaction itself created leaves no trace.
    pub(crate) fn erase(&mut self, key: &Hash256) {
        let Some(current) = self.entry(key) else { return };
        match self.changes.get(key) {
            Some(Change::Created(_)) => {
                self.changes.remove(key);
            }
            Some(Change::Modified(_) | Change::Deleted(_)) | None => {
                self.changes.insert(*key, Change::Deleted(current));
            }
        }
    }

    /// Forgets all changes: the tec reset.
    pub(crate) fn reset(&mut self) {
        self.changes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::sf;

    fn key(byte: u8) -> Hash256 {
        Hash256::new([byte; 32])
    }

    fn entry(flags: u32) -> Object {
        Object::new().with(sf::FLAGS, flags)
    }

    fn base() -> StateMap {
        StateMap::from_sorted_iter([(key(1), codec::encode(&entry(1)))])
    }

    #[test]
    fn accepts_reading_what_was_written() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        assert_eq!(sandbox.entry(&key(1)), Some(entry(1)));
        sandbox.put(key(1), entry(2));
        sandbox.put(key(2), entry(3));
        assert_eq!(sandbox.entry(&key(1)), Some(entry(2)));
        assert_eq!(sandbox.original(&key(1)).as_deref(), Some(&entry(1)));
        let changes: Vec<_> = sandbox.changes().map(|(_, change)| change.clone()).collect();
        assert_eq!(changes, [Change::Modified(entry(2)), Change::Created(entry(3))]);
    }

    #[test]
    fn accepts_created_and_erased_as_untouched() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        sandbox.put(key(2), entry(3));
        sandbox.erase(&key(2));
        assert_eq!(sandbox.changes_len(), 0);
    }

    #[test]
    fn rejects_traces_after_a_reset() {
        let base = base();
        let mut sandbox = Sandbox::new(&base);
        sandbox.erase(&key(1));
        assert!(!sandbox.contains(&key(1)));
        assert_eq!(sandbox.entry(&key(1)), None);
        sandbox.reset();
        assert_eq!(sandbox.entry(&key(1)), Some(entry(1)));
        assert_eq!(sandbox.changes_len(), 0);
    }
}
