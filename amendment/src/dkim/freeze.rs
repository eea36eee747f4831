//! Domains whose mail a quorum of validators has stopped, and which of their mails are stopped.
//!
//! Spec: 7.10.

use codec::{CloseTime, Hash256, Object, keylet, sf};

use crate::mail::address::is_ldh_domain;

/// A domain of mail as a ledger spells it: lower case, several labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// The domain of these bytes; `None` for all that no `d=` and no address of section 2 may hold, and for upper
    /// case.
    ///
    /// Spec: 4.4, 7.10.
    #[must_use]
    pub fn new(domain: &[u8]) -> Option<Domain> {
        let is_lower = !domain.iter().any(u8::is_ascii_uppercase);
        if !is_lower || !is_ldh_domain(domain) || !domain.contains(&b'.') {
            return None;
        }
        String::from_utf8(domain.to_vec()).ok().map(Domain)
    }

    /// As on the ledger.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Index of the domain's DKIMFreeze. Spec: 7.10
    #[must_use]
    pub fn freeze_keylet(&self) -> Hash256 {
        keylet::dkim_freeze(self.0.as_bytes())
    }
}

/// What a ledger says about a domain whose mail was stopped once. The domain itself is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freeze {
    /// Since when.
    pub since: CloseTime,
    /// Mails dated from here on prove again; `None` while no quorum has lifted it.
    pub until: Option<CloseTime>,
}

impl Freeze {
    /// Reads a DKIMFreeze. Spec: 7.10
    #[must_use]
    pub fn of(entry: &Object) -> Freeze {
        Freeze {
            since: CloseTime::new(entry.u32(sf::FIRST_SEEN).unwrap_or_default()),
            until: entry.u32(sf::ACTIVE_AFTER).map(CloseTime::new),
        }
    }

    /// Whether it stops a mail of this date, for good: `until` only ever grows. A mail dated after it is not before
    /// its time: no ledger takes one that is dated more than 300 s ahead (4.6).
    ///
    /// Spec: 7.10.
    #[must_use]
    pub fn stops(&self, signed_date: CloseTime) -> bool {
        self.until.is_none_or(|until| signed_date < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: 7.10, 4.4.
    #[test]
    fn accepts_and_rejects_domains() {
        for good in ["mail.example", "a-b.c.example", "xn--mller-kva.example", "1.2"] {
            let domain = Domain::new(good.as_bytes());
            assert_eq!(domain.as_ref().map(Domain::as_str), Some(good));
        }
        let long = format!("{}.example", "a".repeat(64));
        let too_long = format!("{}example", "abc.".repeat(62));
        for bad in [
            "",
            "example",
            "Mail.example",
            "mail.example.",
            ".mail.example",
            "mail..example",
            "-a.example",
            "a_b.example",
            "m\u{fc}ller.example",
            "alice@mail.example",
            "*.example",
            &long,
            &too_long,
        ] {
            assert_eq!(Domain::new(bad.as_bytes()), None, "{bad}");
        }
    }

    // Spec: 7.10.
    #[test]
    fn rejects_every_date_until_it_is_lifted_and_then_those_before() {
        let at = CloseTime::new;
        let frozen = Freeze {
            since: at(1_000),
            until: None,
        };
        assert!(
            [0, 999, 1_000, 2_000, u32::MAX]
                .map(at)
                .iter()
                .all(|date| frozen.stops(*date))
        );
        let lifted = Freeze {
            until: Some(at(5_000)),
            ..frozen
        };
        assert!(
            [0, 999, 1_000, 4_999]
                .map(at)
                .iter()
                .all(|date| lifted.stops(*date))
        );
        assert!(
            ![5_000, 5_001, u32::MAX]
                .map(at)
                .iter()
                .any(|date| lifted.stops(*date))
        );
    }
}
