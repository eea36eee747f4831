//! Base fee and reserves of a ledger (FeeSettings), and fields that hold drops.

use codec::{Amount, Field, Object, keylet, sf};

use crate::state_map::StateMap;

/// Base fee and reserves, in drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Fee of the plainest transaction.
    pub base_drops: u64,
    /// Reserve of an account that owns nothing.
    pub reserve_base_drops: u64,
    /// Reserve for each object that it owns.
    pub reserve_increment_drops: u64,
}

impl Fees {
    /// The values in a ledger's FeeSettings; all zero where it has none.
    #[must_use]
    pub fn of(state: &StateMap) -> Fees {
        let entry = state
            .entry(&keylet::fees())
            .and_then(|bytes| codec::decode(bytes).ok());
        let settings = entry.unwrap_or_default();
        Fees {
            base_drops: drops(&settings, sf::BASE_FEE_DROPS)
                .or_else(|| settings.u64(sf::BASE_FEE))
                .unwrap_or(0),
            reserve_base_drops: drops(&settings, sf::RESERVE_BASE_DROPS)
                .or_else(|| settings.u32(sf::RESERVE_BASE).map(u64::from))
                .unwrap_or(0),
            reserve_increment_drops: drops(&settings, sf::RESERVE_INCREMENT_DROPS)
                .or_else(|| settings.u32(sf::RESERVE_INCREMENT).map(u64::from))
                .unwrap_or(0),
        }
    }

    /// Reserve of an account that owns so many objects.
    #[must_use]
    pub fn account_reserve_drops(&self, owner_count: u32) -> u64 {
        let owned = self
            .reserve_increment_drops
            .saturating_mul(u64::from(owner_count));
        self.reserve_base_drops.saturating_add(owned)
    }
}

/// A field that holds drops; `None` where absent, issued or negative.
pub(crate) fn drops(object: &Object, field: Field) -> Option<u64> {
    match object.amount(field)? {
        Amount::Native(value) => u64::try_from(value).ok(),
        Amount::Issued(_) => None,
    }
}
