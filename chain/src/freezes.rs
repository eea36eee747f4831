//! The domains whose mail the ledger has ever stopped, and what the operator of this validator wants of domains.
//!
//! Spec: 7.10

use std::collections::BTreeMap;

use amendment::{Domain, Freeze};
use codec::format::EntryType;
use codec::sf;
use ledger::dkim::Ruling;
use ledger::{Closed, Ledger};

/// What an operator wants of domains, where the ledger says otherwise.
pub type Wishes = BTreeMap<Domain, Ruling>;

/// What the ledger says of the domains whose mail was ever stopped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Freezes(BTreeMap<Domain, Freeze>);

impl Freezes {
    /// All of a ledger. Walks over the whole state: once, at the start.
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let mut freezes = Self::default();
        for (_, bytes) in ledger.state().iter() {
            freezes.note(bytes);
        }
        freezes
    }

    /// A ledger was closed. A DKIMFreeze never goes.
    pub(crate) fn follow(&mut self, closed: &Closed) {
        for bytes in closed.changes.iter().filter_map(|(_, bytes)| bytes.as_ref()) {
            self.note(bytes);
        }
    }

    /// Take in an entry, if it is a DKIMFreeze: its type stands first.
    fn note(&mut self, bytes: &[u8]) {
        let [high, low] = EntryType::DkimFreeze.code().to_be_bytes();
        if !matches!(bytes, [_, one, two, ..] if [*one, *two] == [high, low]) {
            return;
        }
        let Ok(entry) = codec::decode(bytes) else { return };
        if let Some(domain) = entry.blob(sf::DOMAIN).and_then(Domain::new) {
            self.0.insert(domain, Freeze::of(&entry));
        }
    }

    /// What the ledger says of a domain.
    pub(crate) fn get(&self, domain: &Domain) -> Option<Freeze> {
        self.0.get(domain).copied()
    }

    /// The domains.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.0.keys()
    }
}
