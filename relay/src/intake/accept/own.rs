//! The relay's own addresses, and which recipients it takes mail for. Nothing is ever passed on: an address
//! that is not written like one of them is refused.

use std::collections::BTreeSet;

use amendment::address::{Address, Recipient, parse_recipient};

use crate::intake::handler::Reply;

/// The local part that every mail server takes mail for. RFC 5321 section 4.5.1.
const POSTMASTER: &str = "postmaster";

/// What a recipient is to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailbox {
    /// One of its addresses.
    Own,
    /// Its postmaster.
    Postmaster,
}

/// Own addresses, lower case.
#[derive(Debug, Clone, Default)]
pub struct Own {
    addresses: BTreeSet<String>,
    canonical: BTreeSet<String>,
    domains: BTreeSet<String>,
}

/// An entry of `addresses` that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{address}' in `addresses` cannot be an address of the relay: {why}; write it as relay@example.org")]
pub struct OwnError {
    /// The entry.
    pub address: String,
    /// The rule of addresses that it breaks.
    pub why: String,
}

impl Own {
    /// From `addresses` and `hostname` of the configuration.
    pub fn new(addresses: &[String], hostname: &str) -> Result<Own, OwnError> {
        let mut own = Own::default();
        own.domains.insert(hostname.to_ascii_lowercase());
        for text in addresses {
            let refused = |why: String| OwnError {
                address: text.clone(),
                why,
            };
            let address = Address::parse(text.as_bytes()).map_err(|error| refused(error.to_string()))?;
            let recipient = parse_recipient(text).map_err(|error| refused(error.to_string()))?;
            let Recipient::Mailbox {
                address: canonical, ..
            } = recipient
            else {
                return Err(refused("it is an account".to_owned()));
            };
            own.domains.insert(address.domain().to_ascii_lowercase());
            own.addresses.insert(text.to_ascii_lowercase());
            own.canonical.insert(canonical.as_str().to_owned());
        }
        Ok(own)
    }

    /// Whether a canonical address is the relay's own.
    #[must_use]
    pub fn holds(&self, canonical: &str) -> bool {
        self.canonical.contains(canonical)
    }

    /// What a RCPT TO (without its brackets) is to the relay. ASCII case does not matter; everything but a
    /// plain address is refused: source routes, `%` and `!` detours, quoted local parts and address literals
    /// have all been ways to make a server pass mail on.
    pub fn check_recipient(&self, recipient: &str) -> Result<Mailbox, Reply> {
        let lower = recipient.to_ascii_lowercase();
        if lower == POSTMASTER {
            return Ok(Mailbox::Postmaster);
        }
        let Ok(address) = Address::parse(lower.as_bytes()) else {
            return Err(Reply::new(
                550,
                "5.1.3",
                "This address has a form that is not accepted. Write it as name@domain, without routes or quotation marks.",
            ));
        };
        if self.addresses.contains(&lower) {
            return Ok(Mailbox::Own);
        }
        if !self.domains.contains(address.domain()) {
            return Err(Reply::new(
                550,
                "5.7.1",
                "This server accepts mail only for its own addresses and does not relay. Check the address.",
            ));
        }
        if address.local() == POSTMASTER {
            return Ok(Mailbox::Postmaster);
        }
        Err(Reply::new(
            550,
            "5.1.1",
            "No such address here. Check the address of the relay.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Own {
        let addresses = ["Relay@Example.ORG".to_owned(), "pay@pay.example".to_owned()];
        Own::new(&addresses, "mx.example.org").expect("addresses")
    }

    // RFC 5321 sections 2.4 (case of domains) and 4.5.1 (postmaster).
    #[test]
    fn accepts_own_addresses_and_postmaster_in_any_case() {
        for text in [
            "relay@example.org",
            "RELAY@EXAMPLE.ORG",
            "Relay@Example.org",
            "pay@pay.example",
        ] {
            assert_eq!(own().check_recipient(text), Ok(Mailbox::Own), "{text}");
        }
        for text in [
            "postmaster",
            "Postmaster",
            "postmaster@example.org",
            "PostMaster@PAY.example",
            "postmaster@mx.example.org",
        ] {
            assert_eq!(own().check_recipient(text), Ok(Mailbox::Postmaster), "{text}");
        }
    }

    // The detours that relay tests of mail servers try.
    #[test]
    fn rejects_everything_that_would_be_passed_on() {
        for text in [
            "",
            "@",
            "relay",
            "bob@example.com",
            "postmaster@example.com",
            "bob%example.com@example.org",
            "example.com!bob@example.org",
            "@example.org:bob@example.com",
            "@example.com,@example.org:relay@example.org",
            "bob@example.com@example.org",
            "relay@example.org@example.com",
            "\"relay\"@example.org",
            "\"bob@example.com\"@example.org",
            "relay@[192.0.2.1]",
            "relay@example.org.",
            "relay@sub.example.org",
            "relay+x@example.org",
            "relay@example.org\0",
            "relay@example.org bob@example.com",
            "rel\u{e4}y@example.org",
        ] {
            let refused = own().check_recipient(text).expect_err(text);
            assert_eq!(refused.code, 550, "{text}");
        }
    }

    #[test]
    fn rejects_a_configuration_whose_address_is_none() {
        for text in [
            "relay",
            "",
            "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o@example.org",
            "a b@c.example",
        ] {
            assert!(Own::new(&[text.to_owned()], "mx.example").is_err(), "{text}");
        }
    }
}
