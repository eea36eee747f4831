//! Balance rewards: an account that opted in accumulates balance times ledgers whenever its balance changes.
//!
//! Xahau's rules (Transactor.cpp `operator()`, with fix240819 and fix240911), no section of the spec.
//! Claiming them is not supported here; accounts without the fields stay as they are.

use codec::format::EntryType;
use codec::{Amount, Drops, Hash256, LedgerIndex, Object, sf};

use crate::sandbox::{Change, Sandbox};

/// Adds balance times ledgers to the accumulators of accounts whose balance changed.
pub(crate) fn accrue(sandbox: &mut Sandbox<'_>, ledger: LedgerIndex) {
    let accrued: Vec<(Hash256, Object)> = sandbox
        .changes()
        .filter_map(|(key, change)| {
            let Change::Modified(account) = change else {
                return None;
            };
            // Most accounts have no accumulator: nothing is decoded for them.
            account.u64(sf::REWARD_ACCUMULATOR)?;
            let before = sandbox.original(key)?;
            accrued(&before, account, ledger.get()).map(|account| (*key, account))
        })
        .collect();
    for (key, account) in accrued {
        sandbox.put(key, account);
    }
}

fn accrued(before: &Object, account: &Object, ledger: u32) -> Option<Object> {
    if EntryType::of(account) != Some(EntryType::AccountRoot) || !account.contains(sf::REWARD_LGR_FIRST) {
        return None;
    }
    let balance = before.amount(sf::BALANCE)?;
    let Amount::Native(drops) = balance else {
        return None;
    };
    if account.amount(sf::BALANCE) == Some(balance) {
        return None;
    }
    let whole_xah = u64::try_from(drops).ok()?.checked_div(Drops::PER_XAH)?;
    let ledgers = ledger.checked_sub(account.u32(sf::REWARD_LGR_LAST)?)?;
    if whole_xah == 0 || ledgers == 0 {
        return None;
    }
    let more = whole_xah.wrapping_mul(u64::from(ledgers));
    let sum = account.u64(sf::REWARD_ACCUMULATOR)?.checked_add(more)?;
    let account = account.clone().with(sf::REWARD_ACCUMULATOR, sum);
    Some(account.with(sf::REWARD_LGR_LAST, ledger))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(drops: i64) -> Object {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
            .with(sf::BALANCE, Amount::Native(drops))
            .with(sf::REWARD_LGR_FIRST, 5u32)
            .with(sf::REWARD_LGR_LAST, 10u32)
            .with(sf::REWARD_ACCUMULATOR, 7u64)
    }

    #[test]
    fn accepts_the_balance_before_times_the_ledgers_since() {
        let after = accrued(&account(3_999_999), &account(5_000_000), 14).unwrap();
        assert_eq!(after.u64(sf::REWARD_ACCUMULATOR), Some(7 + 3 * 4));
        assert_eq!(after.u32(sf::REWARD_LGR_LAST), Some(14));
    }

    #[test]
    fn rejects_accounts_without_change_time_or_fields() {
        let plain = |drops| {
            let mut plain = account(drops);
            plain.remove(sf::REWARD_LGR_FIRST);
            plain
        };
        assert_eq!(accrued(&account(3_000_000), &account(3_000_000), 14), None);
        assert_eq!(accrued(&account(3_000_000), &account(4_000_000), 10), None);
        assert_eq!(accrued(&account(3_000_000), &account(4_000_000), 9), None);
        assert_eq!(accrued(&account(999_999), &account(4_000_000), 14), None);
        assert_eq!(accrued(&plain(3_000_000), &plain(4_000_000), 14), None);
    }
}
