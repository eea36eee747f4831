//! Whether a mail is too old or too early for a ledger: the signed Date, `t=` and `x=` against the ledger's
//! time.
//!
//! Spec: 4.6.

use codec::CloseTime;
use thiserror::Error;

use crate::limits::{EMAIL_SKEW_SECS, EMAIL_WINDOW_SECS};
use crate::mail::date::SECS_1970_TO_2000;

/// Which end of the window a mail missed. Spec: 4.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WindowError {
    /// tefEMAIL_EXPIRED.
    #[error("the mail is older than five days, or past the time its provider set")]
    Expired,
    /// terEMAIL_EARLY.
    #[error("the mail is dated in the future")]
    Early,
}

/// `t=` and `x=`, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `t=`.
    pub timestamp: Option<i64>,
    /// `x=`.
    pub expiry: Option<i64>,
}

/// The window of rule 4.6 for the signed Date, `t=` and `x=`.
///
/// Spec: 4.6. The ledger's time alone decides; it is the same on every node.
pub(crate) fn check_window(date: u32, times: &Times, now: CloseTime) -> Result<(), WindowError> {
    let now = i64::from(now.seconds());
    let date = i64::from(date);
    let since_2000 = |unix: i64| unix.saturating_sub(SECS_1970_TO_2000);
    let expires = |at: i64| at.saturating_add(i64::from(EMAIL_WINDOW_SECS)) < now;
    let early = |at: i64| at > now.saturating_add(i64::from(EMAIL_SKEW_SECS));
    let signed = times.timestamp.map(since_2000);
    let expired =
        expires(date) || signed.is_some_and(expires) || times.expiry.is_some_and(|x| since_2000(x) < now);
    if expired {
        Err(WindowError::Expired)
    } else if early(date) || signed.is_some_and(early) {
        Err(WindowError::Early)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_five_days_back_and_five_minutes_ahead() {
        let none = Times {
            timestamp: None,
            expiry: None,
        };
        let now = CloseTime::new(1_000_000);
        let at = |date: u32| check_window(date, &none, now);
        assert_eq!(at(568_000), Ok(()));
        assert_eq!(at(567_999), Err(WindowError::Expired));
        assert_eq!(at(1_000_300), Ok(()));
        assert_eq!(at(1_000_301), Err(WindowError::Early));
        let stamped = |secs: i64, expiry: Option<i64>| {
            let times = Times {
                timestamp: Some(SECS_1970_TO_2000 + secs),
                expiry: expiry.map(|x| SECS_1970_TO_2000 + x),
            };
            check_window(1_000_000, &times, now)
        };
        assert_eq!(stamped(568_000, None), Ok(()));
        assert_eq!(stamped(567_999, None), Err(WindowError::Expired));
        assert_eq!(stamped(1_000_301, None), Err(WindowError::Early));
        assert_eq!(stamped(1_000_000, Some(1_000_000)), Ok(()));
        assert_eq!(stamped(999_000, Some(999_999)), Err(WindowError::Expired));
    }
}
