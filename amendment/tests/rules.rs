//! Pairs of accepted and refused mails for rules that compare parts of a mail with each other. A mail whose header was
//! changed can no longer be proven: it is accepted by a rule where nothing but the signature (4.5) stands against it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::PathBuf;

use amendment::{ExplainEnv, TxtRecords, explain};
use codec::CloseTime;

const NETWORK: u32 = 21_337;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail")
}

/// The plain mail of the vectors.
fn mail() -> String {
    std::fs::read_to_string(folder().join("c002.eml")).unwrap()
}

fn first_rule_on(raw: &str, network_id: u32) -> Option<&'static str> {
    let vectors = std::fs::read(folder().join("vectors.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
    let mut keys = TxtRecords::new();
    for (name, record) in vectors["keys"].as_object().unwrap() {
        keys.insert(name, record.as_str().unwrap().as_bytes());
    }
    let now = CloseTime::new(848_145_600);
    let env = ExplainEnv {
        network_id,
        now,
        keys: &keys,
    };
    explain(raw.as_bytes(), &env).rule
}

fn first_rule(raw: &str) -> Option<&'static str> {
    first_rule_on(raw, NETWORK)
}

/// The mail with a name in `h=` and a header line.
fn with_signed(name: &str, line: &str) -> String {
    let signed = mail().replacen("h=From:", &format!("h={name}:From:"), 1);
    assert!(signed.contains(&format!("h={name}:From:")));
    signed.replacen("From: Alice", &format!("{line}From: Alice"), 1)
}

fn replaced(from: &str, to: &str) -> String {
    let mail = mail();
    assert!(mail.contains(from), "{from}");
    mail.replacen(from, to, 1)
}

// Spec: 4.8.
#[test]
fn accepts_headers_that_persons_send() {
    for (name, line) in [
        ("Feedback-ID", "Feedback-ID: 1:proton\r\n"),
        ("Auto-Submitted", "Auto-Submitted: no\r\n"),
        ("Auto-Submitted", "Auto-Submitted:  NO \r\n"),
        ("List-Id", ""),
        ("Precedence", ""),
        ("Listing", "Listing: x\r\n"),
        ("X-Other", "List-Id: unsigned\r\nPrecedence: bulk\r\n"),
    ] {
        let raw = with_signed(name, line);
        assert_eq!(first_rule(&raw), Some("4.5"), "{name} {line}");
    }
}

// Spec: 4.8.
#[test]
fn rejects_signed_headers_of_lists_and_robots() {
    for (name, line) in [
        ("List-Id", "List-Id: x\r\n"),
        ("list-unsubscribe", "LIST-UNSUBSCRIBE: <mailto:a@b.c>\r\n"),
        ("Mailing-List", "Mailing-List: x\r\n"),
        ("Precedence", "Precedence: first-class\r\n"),
        ("Resent-From", "Resent-From: a@b.c\r\n"),
        ("X-Original-To", "X-Original-To: a@b.c\r\n"),
        ("Auto-Submitted", "Auto-Submitted: auto-replied\r\n"),
        ("Auto-Submitted", "Auto-Submitted: no (really)\r\n"),
        ("Auto-Submitted", "Auto-Submitted:\r\n"),
    ] {
        let raw = with_signed(name, line);
        assert_eq!(first_rule(&raw), Some("4.8"), "{name} {line}");
    }
}

// Spec: 4.2.
#[test]
fn accepts_the_domain_of_from_and_identities_below_it() {
    for (from, to) in [
        ("d=mail.test", "d=Mail.TEST"),
        ("alice@mail.test", "alice@MAIL.test"),
        ("d=mail.test", "d=mail.test; i=@mail.test"),
        ("d=mail.test", "d=mail.test; i=x@eu.mail.test"),
    ] {
        assert_eq!(first_rule(&replaced(from, to)), Some("4.5"), "{to}");
    }
}

// Spec: 4.2.
#[test]
fn rejects_other_domains_parents_and_children() {
    for (from, to) in [
        ("alice@mail.test", "alice@eu.mail.test"),
        ("alice@mail.test", "alice@other.test"),
        ("alice@mail.test", "alice@evilmail.test"),
        ("d=mail.test", "d=eu.mail.test"),
        ("d=mail.test", "d=test"),
        ("d=mail.test", "d=mail.test; i=@evilmail.test"),
        ("d=mail.test", "d=mail.test; i=mail.test"),
    ] {
        assert_eq!(first_rule(&replaced(from, to)), Some("4.2"), "{to}");
    }
}

// Spec: 4.3.
#[test]
fn accepts_names_that_select_from_and_date_once() {
    for (from, to) in [
        ("h=From:", "h=From:From:"),
        ("h=From:", "h=From:Reply-To:Reply-To:"),
    ] {
        assert_eq!(first_rule(&replaced(from, to)), Some("4.5"), "{to}");
    }
    // A second From that no signature selects is no part of the mail: the normal form drops it.
    let unsigned = replaced("From: Alice", "From: Eve <eve@mail.test>\r\nFrom: Alice");
    assert_eq!(first_rule(&unsigned), None);
}

// Spec: 4.3.
#[test]
fn rejects_from_and_date_that_are_unsigned_or_selected_twice() {
    let two_from = replaced("h=From:", "h=From:From:").replacen("From: Alice", "From: Eve\r\nFrom: Alice", 1);
    assert_eq!(first_rule(&two_from), Some("4.3"));
    for (from, to) in [
        ("h=From:", "h=Reply-To:"),
        (":Date", ":Sender"),
        (":To:", ":Cc:"),
        ("From: Alice", "Reply-To:Alice"),
    ] {
        assert_eq!(first_rule(&replaced(from, to)), Some("4.3"), "{to}");
    }
}

// Spec: 3.3.
#[test]
fn accepts_the_signed_body_and_rejects_others() {
    let mail = mail();
    let (header, body) = mail.split_once("\r\n\r\n").unwrap();
    let with = |body: &str| first_rule(&format!("{header}\r\n\r\n{body}"));
    assert_eq!(with(body), None);
    assert_eq!(with(&body.replace(' ', "\t ")), None);
    assert_eq!(with(&format!("{body}\r\n \r\n")), None);
    assert_eq!(with(&format!("\r\n{body}")), Some("3.3"));
    assert_eq!(with(&format!("{body}x\r\n")), Some("3.3"));
    assert_eq!(with(&body.replacen(' ', "", 1)), Some("3.3"));
    assert_eq!(with(""), Some("3.3"));
}

// Spec: 5.6.
#[test]
fn accepts_the_main_network_without_net_and_rejects_every_other() {
    assert_eq!(first_rule_on(&mail(), NETWORK), None);
    for network in [0, 1, 21_336, 21_338, u32::MAX] {
        assert_eq!(first_rule_on(&mail(), network), Some("5.6"));
    }
}

fn other_line(raw: &str) -> Option<String> {
    let keys = TxtRecords::new();
    let env = ExplainEnv {
        network_id: NETWORK,
        now: CloseTime::new(848_145_600),
        keys: &keys,
    };
    explain(raw.as_bytes(), &env).other_line
}

// Spec: 5.1, 5.2.
#[test]
fn a_first_line_that_is_no_instruction_is_told() {
    let asked = replaced("REMIT 10 XAH", "\r\nBALANCE \t\r\nThanks");
    assert_eq!(other_line(&asked).as_deref(), Some("BALANCE"));
    assert_eq!(other_line(&mail()), None);
    assert_eq!(other_line("From: a@b.example\r\n\r\nBALANCE\r\n"), None);
}
