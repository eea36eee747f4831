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

/// When a mail was signed, and by whose clock.
///
/// Spec: 8.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignedAt {
    /// `t=`: the provider's.
    Provider(CloseTime),
    /// Without `t=` there is the Date alone, which the sender may set ahead.
    Sender(CloseTime),
}

impl SignedAt {
    /// The moment.
    pub(crate) fn time(self) -> CloseTime {
        match self {
            SignedAt::Provider(time) | SignedAt::Sender(time) => time,
        }
    }
}

/// `t=` and `x=`, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `t=`.
    pub timestamp: Option<i64>,
    /// `x=`.
    pub expiry: Option<i64>,
}

impl Times {
    /// When a mail of that Date was signed. A time that no ledger can have is cut to the ends of the range; the
    /// window refuses it.
    ///
    /// Spec: 8.6.
    pub(crate) fn signed_at(&self, date: u32) -> SignedAt {
        let Some(timestamp) = self.timestamp else {
            return SignedAt::Sender(CloseTime::new(date));
        };
        let seconds = since_2000(timestamp).clamp(0, i64::from(u32::MAX));
        SignedAt::Provider(CloseTime::new(u32::try_from(seconds).unwrap_or(u32::MAX)))
    }
}

fn since_2000(unix: i64) -> i64 {
    unix.saturating_sub(SECS_1970_TO_2000)
}

/// Whether the Date is more than 300 s after `t=`.
///
/// Spec: 4.6. Such a mail would outlive what its owner does against a thief.
pub(crate) fn is_dated_ahead(date: u32, times: &Times) -> bool {
    let skew = i64::from(EMAIL_SKEW_SECS);
    let signed = times.timestamp.map(since_2000);
    signed.is_some_and(|signed| i64::from(date) > signed.saturating_add(skew))
}

/// The window of rule 4.6 for the signed Date, `t=` and `x=`.
///
/// Spec: 4.6. The ledger's time alone decides; it is the same on every node.
pub(crate) fn check_window(date: u32, times: &Times, now: CloseTime) -> Result<(), WindowError> {
    let now = i64::from(now.seconds());
    let date = i64::from(date);
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

    fn signed(secs: i64) -> Times {
        Times {
            timestamp: Some(SECS_1970_TO_2000 + secs),
            expiry: None,
        }
    }

    // Spec: 4.6.
    #[test]
    fn accepts_a_date_up_to_300_seconds_after_its_signature_and_rejects_later_ones() {
        assert!(!is_dated_ahead(1_000_300, &signed(1_000_000)));
        assert!(is_dated_ahead(1_000_301, &signed(1_000_000)));
        assert!(!is_dated_ahead(0, &signed(1_000_000)));
        let without = Times {
            timestamp: None,
            expiry: None,
        };
        assert!(!is_dated_ahead(u32::MAX, &without));
    }

    // Spec: 8.6.
    #[test]
    fn a_mail_is_signed_when_its_provider_says_so_and_without_that_at_its_date() {
        let at = |times: Times| times.signed_at(7);
        assert_eq!(at(signed(1_000)), SignedAt::Provider(CloseTime::new(1_000)));
        assert_eq!(at(signed(-1)), SignedAt::Provider(CloseTime::new(0)));
        let late = signed(i64::from(u32::MAX) + 1);
        assert_eq!(at(late), SignedAt::Provider(CloseTime::new(u32::MAX)));
        let without = Times {
            timestamp: None,
            expiry: None,
        };
        assert_eq!(at(without), SignedAt::Sender(CloseTime::new(7)));
    }
}
