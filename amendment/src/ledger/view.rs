//! What the rules read of a ledger, as a trait that the ledger implements.
//!
//! Spec: 1, 7.3.

use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object};

use crate::dkim::key_cache::KeyCache;

/// Whether the amendment `Email` is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amendment {
    /// Mails may sign transactions.
    On,
    /// They may not.
    Off,
}

/// What stateless checks read of a ledger's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// NetworkID of the ledger.
    pub network_id: u32,
    /// The amendment `Email`.
    pub amendment: Amendment,
}

impl Rules {
    /// The rules of a view.
    pub fn of(view: &impl ReadView) -> Rules {
        let amendment = if view.amendment_enabled(&AMENDMENT_EMAIL) {
            Amendment::On
        } else {
            Amendment::Off
        };
        Rules {
            network_id: view.network_id(),
            amendment,
        }
    }
}

/// Id of the amendment: SHA-512Half of `Email`. Spec: 1.
pub const AMENDMENT_EMAIL: Hash256 = Hash256::new([
    0xB3, 0x2F, 0xA9, 0xBF, 0x95, 0x3D, 0x96, 0xC1, 0x66, 0xF3, 0x37, 0xF7, 0xF0, 0x3A, 0x6C, 0x21, 0x1C,
    0x4C, 0x59, 0x45, 0xBE, 0x5A, 0xD3, 0x16, 0x76, 0x1C, 0x92, 0x06, 0x3F, 0x28, 0x09, 0xF5,
]);

/// What the rules read of a ledger.
pub trait ReadView {
    /// NetworkID.
    fn network_id(&self) -> u32;
    /// Index of the ledger that is being built.
    fn ledger_index(&self) -> LedgerIndex;
    /// Close time of the parent ledger: "now".
    fn parent_close_time(&self) -> CloseTime;
    /// Hash of the parent ledger, which nobody knew before it was closed. Spec: 8.6.
    fn parent_hash(&self) -> Hash256;
    /// Base fee.
    fn base_fee(&self) -> Drops;
    /// Reserve of an account that owns nothing. Spec: 6.3.
    fn reserve_base(&self) -> Drops;
    /// Reserve for each object that an account owns. Spec: 6.3.
    fn reserve_increment(&self) -> Drops;
    /// Whether the ledger still takes transactions, instead of being built from a fixed set.
    fn is_open(&self) -> bool;
    /// Whether an amendment is enabled.
    fn amendment_enabled(&self, id: &Hash256) -> bool;
    /// An entry as it stands in this ledger now.
    fn entry(&self, key: &Hash256) -> Option<Object>;
    /// An entry as it stood at the end of the parent ledger; DKIM keys are read there. One that this ledger has not
    /// written stands there as it does now. Spec: 7.3, 16.
    fn parent_entry(&self, key: &Hash256) -> Option<Object>;
    /// Keys that were checked before; none where the view keeps none. Changes no answer, only its cost.
    fn key_cache(&self) -> Option<&KeyCache> {
        None
    }
}

/// What becomes of an entry. The ledger keeps the PreviousTxn pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// It is this from now on.
    Put(Hash256, Object),
    /// It goes.
    Erase(Hash256),
}

/// What an account that owns so many objects has to leave, in drops. Spec: 6.3.
pub(crate) fn reserve(view: &impl ReadView, owner_count: u32) -> u64 {
    let owned = view
        .reserve_increment()
        .get()
        .saturating_mul(u64::from(owner_count));
    view.reserve_base().get().saturating_add(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amendment_id_is_the_hash_of_its_name() {
        assert_eq!(codec::hash::sha512_half(&[b"Email"]), AMENDMENT_EMAIL);
    }
}
