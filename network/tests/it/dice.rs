//! How large a simulated network is, and the numbers by which all that happens to it is chosen.

use std::num::NonZeroU32;

use commonware_utils::NZU32;

/// Validators of the first ledger: four of them are a quorum, of votes and of words about keys.
pub(crate) const VALIDATORS: u8 = 5;
/// Nodes of the network: one of them goes along at first.
pub(crate) const NODES: u8 = 6;
/// Blocks of an epoch.
pub(crate) const EPOCH: NonZeroU32 = NZU32!(10);

/// Numbers that a seed makes.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2) + 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(crate) fn node(&mut self) -> usize {
        usize::try_from(self.roll(u64::from(NODES))).expect("few")
    }
}
