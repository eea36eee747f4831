//! Epochs of a network: which ledgers they consist of, and which of them settles who orders the next one.

use std::num::NonZeroU32;

use codec::LedgerIndex;

/// Epochs of the same number of ledgers each. Spec: 15.4
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    /// The network's first ledger, the first one of epoch 0.
    pub first: LedgerIndex,
    /// Ledgers of each.
    pub ledgers: NonZeroU32,
}

impl Epochs {
    /// The epoch that a ledger belongs to; those before the first ledger belong to epoch 0.
    #[must_use]
    pub fn of(self, index: LedgerIndex) -> u32 {
        self.since_first(index)
            .checked_div(self.ledgers.get())
            .unwrap_or(0)
    }

    /// Whether a ledger is the last but one of its epoch: its list of validators is that of the next epoch.
    #[must_use]
    pub fn is_last_but_one(self, index: LedgerIndex) -> bool {
        index >= self.first && self.since_first(index).saturating_add(2) == self.end(index)
    }

    /// The last ledger of the epoch that a ledger belongs to.
    #[must_use]
    pub fn border(self, index: LedgerIndex) -> LedgerIndex {
        let last = self.end(index).saturating_sub(1);
        LedgerIndex::new(self.first.get().saturating_add(last))
    }

    /// The first ledger after this one that may change the list.
    #[must_use]
    pub fn next_settling(self, after: LedgerIndex) -> LedgerIndex {
        let next = LedgerIndex::new(after.get().saturating_add(1));
        let border = self.border(next);
        let settling = LedgerIndex::new(border.get().saturating_sub(1));
        if settling >= next {
            return settling;
        }
        let of_next_epoch = self.border(LedgerIndex::new(border.get().saturating_add(1)));
        LedgerIndex::new(of_next_epoch.get().saturating_sub(1))
    }

    /// Where the epoch of a ledger ends, counted from the first ledger.
    fn end(self, index: LedgerIndex) -> u32 {
        let epochs = self.of(index).saturating_add(1);
        epochs.saturating_mul(self.ledgers.get())
    }

    fn since_first(self, index: LedgerIndex) -> u32 {
        index.get().saturating_sub(self.first.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_of_the_same_number_of_ledgers_each() {
        let epochs = Epochs {
            first: LedgerIndex::new(2),
            ledgers: NonZeroU32::new(10).unwrap(),
        };
        let of = |index| epochs.of(LedgerIndex::new(index));
        assert_eq!([2, 11, 12, 21, 22].map(of), [0, 0, 1, 1, 2]);
        let border = |index| epochs.border(LedgerIndex::new(index)).get();
        assert_eq!([2, 11, 12, 21, 22].map(border), [11, 11, 21, 21, 31]);
        let settles: Vec<u32> = (1..32)
            .filter(|index| epochs.is_last_but_one(LedgerIndex::new(*index)))
            .collect();
        assert_eq!(settles, [10, 20, 30]);
        assert_eq!(of(1), 0, "the genesis");
        let next = |after| epochs.next_settling(LedgerIndex::new(after)).get();
        assert_eq!([1, 2, 9, 10, 11, 19, 20].map(next), [10, 10, 10, 20, 20, 20, 30]);
    }
}
