//! What an operator learns of look-ups: who answered, what was checked, and where a provider changes its keys.

use std::collections::BTreeMap;

use amendment::KeyName;
use chain::KeyChange;
use dns::Told;

/// Counter. Names of DKIM keys that a DNS resolver answered, by `upstream` and `dnssec`: `secure`, `insecure`,
/// `unchecked`.
pub const DNS_ANSWERS: &str = "node_dns_answers_total";
/// Counter. Names of DKIM keys that a DNS resolver did not answer, by `upstream` and `why`: `unreachable`, `no_word`,
/// `bogus` (its DNSSEC signatures are wrong).
pub const DNS_FAILURES: &str = "node_dns_failures_total";
/// Gauge. 0 while a DNS resolver is silent, by `upstream`.
pub const DNS_UP: &str = "node_dns_up";
/// Counter. DKIM keys that are others in DNS than on the ledger, by `provider` and `change`: `new_selector`,
/// `other_key`, `returned`, `withdrawn`.
pub const DKIM_CHANGES: &str = "node_dkim_changes_total";

/// Providers whose changes are counted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Providers(BTreeMap<String, String>);

impl Providers {
    /// Providers by their domains.
    #[must_use]
    pub fn new(domains: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(domains.into_iter().collect())
    }

    /// Who has a domain, or one above it; `other` where nobody that is known has.
    fn of(&self, domain: &str) -> &str {
        let mut rest = Some(domain);
        while let Some(domain) = rest {
            if let Some(name) = self.0.get(domain) {
                return name;
            }
            rest = domain.split_once('.').map(|(_, above)| above);
        }
        "other"
    }

    /// Log and count a change. Whoever watches a provider may be told so before its users are.
    pub(crate) fn note(&self, name: &KeyName, change: KeyChange) {
        let provider = self.of(name.domain()).to_owned();
        tracing::warn!(
            name = name.dns_name(),
            provider,
            change = change.word(),
            "the DKIM key in DNS is not the ledger's: attested"
        );
        metrics::counter!(DKIM_CHANGES, "provider" => provider, "change" => change.word()).increment(1);
    }
}

/// Log and count what is told of look-ups.
pub fn note_dns(told: &Told<'_>) {
    match told {
        Told::Answered {
            name,
            upstream,
            security,
        } => {
            let (upstream, dnssec) = (upstream.to_string(), security.word());
            tracing::debug!(name = name.dns_name(), upstream, dnssec, "DNS answered");
            metrics::counter!(DNS_ANSWERS, "upstream" => upstream, "dnssec" => dnssec).increment(1);
        }
        Told::Failed {
            name,
            upstream,
            trouble,
        } => {
            let (upstream, why) = (upstream.to_string(), trouble.word());
            tracing::info!(name = name.dns_name(), upstream, %trouble, "a DNS resolver has no answer");
            metrics::counter!(DNS_FAILURES, "upstream" => upstream, "why" => why).increment(1);
        }
        Told::Down { upstream, trouble } => {
            let upstream = upstream.to_string();
            tracing::warn!(upstream, %trouble, "a DNS resolver is down: the others are asked first");
            metrics::gauge!(DNS_UP, "upstream" => upstream).set(0.0);
        }
        Told::Up { upstream } => {
            let upstream = upstream.to_string();
            tracing::warn!(upstream, "a DNS resolver is up again");
            metrics::gauge!(DNS_UP, "upstream" => upstream).set(1.0);
        }
        Told::Checked { upstream } => {
            let upstream = upstream.to_string();
            tracing::warn!(
                upstream,
                "a DNS resolver passes DNSSEC signatures on again: they are checked"
            );
        }
        Told::NotChecked { upstream } => {
            let upstream = upstream.to_string();
            tracing::warn!(
                upstream,
                "a DNS resolver passes no DNSSEC signatures on: its answers are not checked. Name one that does, or \
                 set dnssec to off"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_the_domains_below_its_own() {
        let domain = |domain: &str, name: &str| (domain.to_owned(), name.to_owned());
        let providers = Providers::new([domain("gmail.com", "Gmail"), domain("mail.co.uk", "Mail")]);
        assert_eq!(providers.of("gmail.com"), "Gmail");
        assert_eq!(providers.of("customer.mail.co.uk"), "Mail");
        for domain in ["co.uk", "notgmail.com", "gmail.com.example", ""] {
            assert_eq!(providers.of(domain), "other", "{domain}");
        }
    }
}
