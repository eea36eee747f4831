//! A ledger of what a question gives.

use std::collections::BTreeMap;

use amendment::{AMENDMENT_EMAIL, ReadView};
use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object};

/// Entries by index.
pub(super) type Entries = BTreeMap<Hash256, Object>;

/// What the rules read of a ledger that is being built.
pub(super) struct View {
    pub(super) network_id: u32,
    pub(super) is_email_enabled: bool,
    pub(super) ledger_index: LedgerIndex,
    pub(super) now: CloseTime,
    pub(super) parent_hash: Hash256,
    pub(super) base_fee: Drops,
    pub(super) reserve_base: Drops,
    pub(super) reserve_increment: Drops,
    /// As they stand in this ledger.
    pub(super) entries: Entries,
    /// As they stood at the end of the parent.
    pub(super) parent_entries: Entries,
}

impl ReadView for View {
    fn network_id(&self) -> u32 {
        self.network_id
    }

    fn ledger_index(&self) -> LedgerIndex {
        self.ledger_index
    }

    fn parent_close_time(&self) -> CloseTime {
        self.now
    }

    fn parent_hash(&self) -> Hash256 {
        self.parent_hash
    }

    fn base_fee(&self) -> Drops {
        self.base_fee
    }

    fn reserve_base(&self) -> Drops {
        self.reserve_base
    }

    fn reserve_increment(&self) -> Drops {
        self.reserve_increment
    }

    fn is_open(&self) -> bool {
        true
    }

    fn amendment_enabled(&self, id: &Hash256) -> bool {
        self.is_email_enabled && *id == AMENDMENT_EMAIL
    }

    fn entry(&self, key: &Hash256) -> Option<Object> {
        self.entries.get(key).cloned()
    }

    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.parent_entries.get(key).cloned()
    }
}
