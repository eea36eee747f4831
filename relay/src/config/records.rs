//! The DNS records that an operator publishes, and the MTA-STS policy.

use std::net::IpAddr;

use serde::Serialize;

/// A record to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Name, without its final dot.
    pub name: String,
    /// MX, A, AAAA or TXT.
    pub kind: &'static str,
    /// Value, as zone files write it but for quotes.
    pub value: String,
    /// What it is for, and what to mind.
    pub note: &'static str,
}

/// What the records are made from.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Domain of the relay's address.
    pub domain: &'a str,
    /// Name of the machine.
    pub hostname: &'a str,
    /// Its addresses, where they are known.
    pub ips: &'a [IpAddr],
    /// Selector and record of the answers' DKIM key.
    pub dkim: Option<(&'a str, &'a str)>,
    /// Unix seconds: names this version of the MTA-STS policy.
    pub now: u64,
}

/// Path of the MTA-STS policy below `https://mta-sts.DOMAIN` (RFC 8461 section 3.3).
pub const MTA_STS_PATH: &str = "/.well-known/mta-sts.txt";

/// Name of a DKIM record.
#[must_use]
pub fn dkim_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// All records, in the order in which mail needs them.
#[must_use]
pub fn records(plan: &Plan<'_>) -> Vec<Record> {
    let domain = plan.domain;
    let mut records = Vec::new();
    let mut add = |name: String, kind: &'static str, value: String, note: &'static str| {
        records.push(Record {
            name,
            kind,
            value,
            note,
        });
    };
    for ip in plan.ips {
        let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
        let note = "address of the machine; ask its provider to set the reverse name to the same name";
        add(plan.hostname.to_owned(), kind, ip.to_string(), note);
    }
    add(
        domain.to_owned(),
        "MX",
        format!("10 {}.", plan.hostname),
        "all mail of the domain goes to the relay: give the relay a domain of its own, or take mail by LMTP or IMAP",
    );
    add(
        domain.to_owned(),
        "TXT",
        "v=spf1 mx -all".to_owned(),
        "SPF; put what your smarthost's manual names before -all, such as include:spf.example.net. Only one such record per name",
    );
    if let Some((selector, record)) = plan.dkim {
        add(
            dkim_name(selector, domain),
            "TXT",
            record.to_owned(),
            "DKIM key of the answers",
        );
    }
    add(
        format!("_dmarc.{domain}"),
        "TXT",
        "v=DMARC1; p=reject".to_owned(),
        "DMARC; nobody else may send mail as the relay. If the domain already has a record, keep it",
    );
    add(
        format!("_mta-sts.{domain}"),
        "TXT",
        format!("v=STSv1; id={}", plan.now),
        "MTA-STS; only with a certificate and the policy below. Change the id whenever the policy changes",
    );
    add(
        format!("_smtp._tls.{domain}"),
        "TXT",
        format!("v=TLSRPTv1; rua=mailto:postmaster@{domain}"),
        "TLS-RPT; the relay keeps the postmaster's mail in data/postmaster, a Maildir: read it, or name a mailbox elsewhere",
    );
    records
}

/// The MTA-STS policy (RFC 8461 section 3.2), CRLF lines; first in testing mode, for a day.
#[must_use]
pub fn mta_sts_policy(hostname: &str) -> String {
    format!("version: STSv1\r\nmode: testing\r\nmx: {hostname}\r\nmax_age: 86400\r\n")
}

/// A TXT value as zone files write it: strings of at most 255 bytes in quotes (RFC 1035 section 3.3.14).
#[must_use]
pub fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    let mut length = 0;
    for letter in value.chars() {
        if length + letter.len_utf8() > 255 {
            out.push_str("\" \"");
            length = 0;
        }
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
        length += letter.len_utf8();
    }
    out.push('"');
    out
}

impl Record {
    /// One line of a zone file.
    #[must_use]
    pub fn zone_line(&self) -> String {
        let value = match self.kind {
            "TXT" => quoted(&self.value),
            _ => self.value.clone(),
        };
        format!("{}. IN {} {value}", self.name, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_those_of_their_rfcs() {
        let ips = [
            "192.0.2.1".parse().expect("ip"),
            "2001:db8::1".parse().expect("ip"),
        ];
        let plan = Plan {
            domain: "example.org",
            hostname: "mail.example.org",
            ips: &ips,
            dkim: Some(("relay", "v=DKIM1; k=rsa; p=MII")),
            now: 1_800_000_000,
        };
        let lines: Vec<String> = records(&plan).iter().map(Record::zone_line).collect();
        assert_eq!(
            lines,
            [
                "mail.example.org. IN A 192.0.2.1",
                "mail.example.org. IN AAAA 2001:db8::1",
                "example.org. IN MX 10 mail.example.org.",
                "example.org. IN TXT \"v=spf1 mx -all\"",
                "relay._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; p=MII\"",
                "_dmarc.example.org. IN TXT \"v=DMARC1; p=reject\"",
                "_mta-sts.example.org. IN TXT \"v=STSv1; id=1800000000\"",
                "_smtp._tls.example.org. IN TXT \"v=TLSRPTv1; rua=mailto:postmaster@example.org\"",
            ]
        );
    }

    #[test]
    fn long_texts_become_strings_of_255_bytes() {
        let text = quoted(&"x".repeat(300));
        assert_eq!(text, format!("\"{}\" \"{}\"", "x".repeat(255), "x".repeat(45)));
    }
}
