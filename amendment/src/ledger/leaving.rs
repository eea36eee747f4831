//! Leaving email behind: what takes an account away from the mailbox that made it has to wait for its owner.
//!
//! Spec: 8.4, 11.

use codec::{CloseTime, Object, Ter, sf};
use thiserror::Error;

use crate::ledger::replay::{last_rekey, live_entries};
use crate::limits::DISABLE_EMAIL_WAIT_SECS;

/// Whether an account may take itself off email now (AccountSet with asfDisableEmail; else tecTOO_SOON). The same holds
/// for a SignerListSet and a SetHook, which would take it away from a REKEY.
///
/// Spec: 11. Not within 72 hours of LastRekey: the mailbox's owner has that long to REKEY back.
#[must_use]
pub fn may_disable_email(current: Option<&Object>, now: CloseTime) -> bool {
    let open = last_rekey(current).map(|last| last.seconds().saturating_add(DISABLE_EMAIL_WAIT_SECS));
    open.is_none_or(|open| now.seconds() >= open)
}

/// Why an account cannot be deleted. Codes: tec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DeletionError {
    /// tecTOO_SOON. Spec: 11.
    #[error("the mailbox's owner has 72 hours to take the account back")]
    TooSoon,
    /// tecHAS_OBLIGATIONS. Spec: 8.4.
    #[error("the account was paid from by mail within five days")]
    LiveEntries,
}

impl DeletionError {
    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        match self {
            DeletionError::TooSoon => Ter::TEC_TOO_SOON,
            DeletionError::LiveEntries => Ter::TEC_HAS_OBLIGATIONS,
        }
    }
}

/// Whether an account may be deleted now (AccountDelete).
///
/// Spec: 8.4, 11. A mail that was executed could be executed again in an account that is made anew.
pub fn may_delete_account(current: Option<&Object>, now: CloseTime) -> Result<(), DeletionError> {
    if !may_disable_email(current, now) {
        return Err(DeletionError::TooSoon);
    }
    if live_entries(current, now) > 0 {
        return Err(DeletionError::LiveEntries);
    }
    Ok(())
}

/// Whether an EmailReplay stays when its account is deleted: what a REKEY has ended is to stay ended in an account of
/// the same address that is made anew.
///
/// Spec: 8.4. A mail without `t=` that was dated ahead before the REKEY outlives every wait.
#[must_use]
pub fn outlives_account(current: &Object) -> bool {
    current.contains(sf::LAST_REKEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_REKEY: u32 = 345_600;
    /// The last second of the 72 hours.
    const LAST_WAIT: u32 = LAST_REKEY + 259_199;

    fn at(now: u32) -> CloseTime {
        CloseTime::new(now)
    }

    fn rekeyed() -> Object {
        Object::new().with(sf::LAST_REKEY, LAST_REKEY)
    }

    /// With one payment of that date, which is live for five days.
    fn paid(entry: Object, date: u32) -> Object {
        let payment = Object::new().with(sf::SIGNED_DATE, date);
        entry.with(sf::EMAIL_REPLAY_ENTRIES, vec![(sf::EMAIL_REPLAY_ENTRY, payment)])
    }

    // Spec: 11.
    #[test]
    fn accepts_leaving_email_without_a_rekey_and_72_hours_after_one_and_rejects_it_before() {
        assert!(may_disable_email(None, at(0)));
        assert!(may_disable_email(Some(&paid(Object::new(), 0)), at(0)));
        assert!(!may_disable_email(Some(&rekeyed()), at(LAST_REKEY)));
        assert!(!may_disable_email(Some(&rekeyed()), at(LAST_WAIT)));
        assert!(may_disable_email(Some(&rekeyed()), at(LAST_WAIT + 1)));
    }

    // Spec: 8.4, 11.
    #[test]
    fn accepts_the_deletion_of_an_account_that_waits_for_nothing_and_rejects_others() {
        let (soon, live) = (Err(DeletionError::TooSoon), Err(DeletionError::LiveEntries));
        assert_eq!(may_delete_account(None, at(0)), Ok(()));
        let entry = paid(Object::new(), 1_000);
        assert_eq!(may_delete_account(Some(&entry), at(433_000)), live);
        assert_eq!(may_delete_account(Some(&entry), at(433_001)), Ok(()));
        let entry = paid(rekeyed(), LAST_REKEY);
        assert_eq!(may_delete_account(Some(&entry), at(LAST_WAIT)), soon);
        assert_eq!(may_delete_account(Some(&entry), at(LAST_WAIT + 1)), live);
        assert_eq!(may_delete_account(Some(&entry), at(LAST_REKEY + 432_001)), Ok(()));
        assert_eq!(DeletionError::TooSoon.code(), Ter::TEC_TOO_SOON);
        assert_eq!(DeletionError::LiveEntries.code(), Ter::TEC_HAS_OBLIGATIONS);
    }

    // Spec: 8.4.
    #[test]
    fn what_a_rekey_wrote_outlives_the_account() {
        assert!(outlives_account(&rekeyed()));
        assert!(!outlives_account(&paid(Object::new(), 1_000)));
    }
}
