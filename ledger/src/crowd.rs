//! How full an open ledger is of what keys signed, and what the next such transaction pays for its place.
//!
//! Xahau's rules (TxQ.cpp `scaleFeeLevel`, `getFeeLevelPaid`): up to a target the base fee will do, beyond it
//! the fee rises with the square of the number. Here the same holds for each account too, so that one alone
//! cannot fill the ledger for others. Mails are not counted and pay no more: what a mail pays is a rule of its
//! own, and places are kept for them.

use std::collections::BTreeMap;

use codec::AccountId;

use crate::limits::{
    OPEN_ACCOUNT_SHARE, OPEN_EXPECTED_TRANSACTIONS, OPEN_FEE_MULTIPLIER, OPEN_KEY_SIGNED_MAX,
};

/// What is paid in relation to the base fee of the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeLevel(u64);

impl FeeLevel {
    /// The base fee itself (xahaud `baseLevel`).
    pub const BASE: FeeLevel = FeeLevel(256);

    /// In 256ths of the base fee.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// What a fee comes to; a transaction that costs nothing is compared with `ordinary_drops`.
    pub(crate) fn of(fee_drops: u64, base_drops: u64, ordinary_drops: u64) -> FeeLevel {
        let free = if base_drops == 0 { ordinary_drops.max(1) } else { 0 };
        let base = base_drops.saturating_add(free);
        FeeLevel(times_ratio(fee_drops.saturating_add(free), Self::BASE.0, base))
    }

    /// The fee at this level, for a transaction of that base fee.
    #[must_use]
    pub fn drops(self, base_drops: u64) -> u64 {
        times_ratio(self.0, base_drops, Self::BASE.0)
    }

    /// Where `count` transactions stand and `target` are expected (xahaud `scaleFeeLevel`).
    fn at(count: u64, target: u64) -> FeeLevel {
        if count <= target {
            return FeeLevel::BASE;
        }
        let square = |number: u64| number.saturating_mul(number);
        FeeLevel(times_ratio(OPEN_FEE_MULTIPLIER, square(count), square(target)))
    }
}

/// `a * b / c`, cut off; the largest number where it does not fit.
fn times_ratio(a: u64, b: u64, c: u64) -> u64 {
    u128::from(a)
        .saturating_mul(u128::from(b))
        .checked_div(u128::from(c))
        .and_then(|result| u64::try_from(result).ok())
        .unwrap_or(u64::MAX)
}

/// Transactions in an open ledger that keys signed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    count: u64,
    of_account: BTreeMap<AccountId, u64>,
}

impl Crowd {
    pub(crate) fn add(&mut self, account: AccountId) {
        self.count = self.count.saturating_add(1);
        let of_account = self.of_account.entry(account).or_default();
        *of_account = of_account.saturating_add(1);
    }

    /// What an account without a transaction in the ledger pays.
    pub(crate) fn level(&self) -> FeeLevel {
        FeeLevel::at(self.count, OPEN_EXPECTED_TRANSACTIONS)
    }

    /// What this account pays.
    pub(crate) fn level_for(&self, account: AccountId) -> FeeLevel {
        let own = self.of_account.get(&account).copied().unwrap_or(0);
        self.level().max(FeeLevel::at(own, OPEN_ACCOUNT_SHARE))
    }

    /// False where all that is left is kept for mails.
    pub(crate) fn has_place(&self) -> bool {
        self.count < OPEN_KEY_SIGNED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: TxQ.cpp, by hand, with its smallest multiplier of 128,000.
    #[test]
    fn accepts_levels_that_rise_with_the_square_beyond_the_target() {
        let rows = [
            (0, 256),
            (1_000, 256),
            (1_001, 128_256),
            (2_000, 512_000),
            (5_000, 3_200_000),
        ];
        for (count, level) in rows {
            assert_eq!(FeeLevel::at(count, 1_000).get(), level, "{count}");
        }
        assert_eq!(FeeLevel::at(1_001, 1_000).drops(10), 5_010);
        assert_eq!(FeeLevel::BASE.drops(10), 10);
        assert_eq!(FeeLevel::at(u64::MAX, 1).get(), u64::MAX);
    }

    #[test]
    fn accepts_fees_as_levels() {
        let rows = [
            ((10, 10, 10), 256),
            ((15, 10, 10), 384),
            ((5_009, 10, 10), 128_230),
            // A free SetRegularKey counts as one that pays its ordinary fee.
            ((0, 0, 10), 256),
            ((10, 0, 10), 512),
        ];
        for ((fee, base, ordinary), level) in rows {
            assert_eq!(FeeLevel::of(fee, base, ordinary).get(), level, "{fee} for {base}");
        }
    }

    #[test]
    fn accepts_the_base_fee_of_another_where_one_account_has_its_share() {
        let (greedy, other) = (AccountId::new([1; 20]), AccountId::new([2; 20]));
        let mut crowd = Crowd::default();
        for _ in 0..=OPEN_ACCOUNT_SHARE {
            assert_eq!(crowd.level_for(greedy), FeeLevel::BASE);
            crowd.add(greedy);
        }
        assert!(crowd.level_for(greedy) > FeeLevel::BASE);
        assert_eq!(
            (crowd.level_for(other), crowd.level()),
            (FeeLevel::BASE, FeeLevel::BASE)
        );
        while crowd.has_place() {
            crowd.add(greedy);
        }
        assert!(crowd.level_for(other) > FeeLevel::BASE);
    }
}
