//! What DNS says to each node, and what it and the operators said: the truth against which keys and stops on the ledger
//! are checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use chain::KeyFinding;
use ledger::dkim::Ruling;

use crate::mails;

/// What is wrong with a node's DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// It has the attacker's selector, too.
    Evil,
    /// It has the attacker's selector, and gives every name another one's record.
    Swapped,
    /// It has the attacker's selector, and else it is silent.
    Silent,
}

/// DNS. All clones are the same.
#[derive(Clone)]
pub(crate) struct Zone(Arc<Mutex<Inner>>);

struct Inner {
    records: BTreeMap<String, Vec<u8>>,
    lies: BTreeMap<usize, Lie>,
    said: BTreeSet<(usize, String, Vec<u8>)>,
    /// What operators ordered about the one domain.
    ordered: BTreeSet<(usize, Ruling)>,
}

impl Zone {
    pub(crate) fn new() -> Self {
        let (records, _) = mails::records();
        Self(Arc::new(Mutex::new(Inner {
            records,
            lies: BTreeMap::new(),
            said: BTreeSet::new(),
            ordered: BTreeSet::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panicked with it")
    }

    /// A provider publishes its next key.
    pub(crate) fn publish_next(&self) {
        let (_, (name, record)) = mails::records();
        self.lock().records.insert(name, record);
    }

    /// DNS lies to a node, in this way from now on.
    pub(crate) fn lie(&self, node: usize, lie: Lie) {
        self.lock().lies.insert(node, lie);
    }

    /// To whom it lies.
    pub(crate) fn lied_to(&self) -> Vec<usize> {
        self.lock().lies.keys().copied().collect()
    }

    /// The answer to a node.
    pub(crate) fn ask(&self, node: usize, name: &KeyName) -> KeyFinding {
        let mut inner = self.lock();
        let asked = name.dns_name();
        let lie = inner.lies.get(&node).copied();
        let (evil_name, evil) = mails::evil_record();
        let truth = inner.records.get(&asked);
        let record = match lie {
            Some(_) if asked == evil_name => Some(&evil),
            Some(Lie::Silent) => return KeyFinding::NoAnswer,
            Some(Lie::Swapped) => {
                let mut others = inner.records.iter().filter(|(other, _)| **other != asked);
                others.next().map(|(_, record)| record)
            }
            Some(Lie::Evil) | None => truth,
        };
        let record = record.cloned();
        inner
            .said
            .insert((node, asked, record.clone().unwrap_or_default()));
        let Some(record) = record else {
            return KeyFinding::Absent;
        };
        PublishedKey::parse(record).map_or(KeyFinding::Unusable, KeyFinding::Usable)
    }

    /// A node's operator orders this about the domain that is ruled about.
    pub(crate) fn order(&self, node: usize, ruling: Ruling) {
        self.lock().ordered.insert((node, ruling));
    }

    /// Whether a node's operator ever did.
    pub(crate) fn has_ordered(&self, node: usize, ruling: Ruling) -> bool {
        self.lock().ordered.contains(&(node, ruling))
    }

    /// Whether DNS ever said this to a node; an empty record is none.
    pub(crate) fn has_said(&self, node: usize, name: &str, record: &[u8]) -> bool {
        self.lock()
            .said
            .contains(&(node, name.to_owned(), record.to_vec()))
    }
}
