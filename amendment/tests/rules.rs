//! Pairs of accepted and refused mails for rules that compare parts of a mail with each other. A mail whose
//! header was changed can no longer be proven: it is accepted by a rule where nothing but the signature (4.5)
//! stands against it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::PathBuf;

use std::collections::BTreeSet;

use amendment::address::{AddressError, parse_recipient, parse_sender};
use amendment::key_record::{KeyRecordError, parse_txt};
use amendment::{
    Amendment, RsaKeyError, Rule, Rules, TxtRecords, derive, may_disable_email, normal_form, preflight, wrap,
};
use codec::{CloseTime, Drops, LedgerIndex, Object, sf};
use explain::{CheckVerdict, ExplainEnv, explain};

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
    explain(raw.as_bytes(), &env).rule.map(Rule::as_str)
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
        ("d=mail.test", "d=mail.test; i=xmail.test"),
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

/// A classic address whose check digits fit.
const CLASSIC: &str = "rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z";

// Spec: 2.1.
#[test]
fn accepts_labels_of_63_bytes_and_rejects_longer_ones() {
    let with = |bytes: usize| parse_sender(&format!("a@{}.test", "x".repeat(bytes)));
    assert!(with(63).is_ok());
    assert_eq!(with(64), Err(AddressError::Domain));
}

// Spec: 2.1.
#[test]
fn rejects_local_parts_without_a_name_or_with_a_comment() {
    assert_eq!(parse_sender("@mail.test"), Err(AddressError::Local));
    assert_eq!(parse_sender("a(b)@mail.test"), Err(AddressError::Comment));
}

// Spec: 2.4.
#[test]
fn accepts_tags_of_digits_and_rejects_a_second_plus() {
    let with = |tag: &str| parse_recipient(&format!("{CLASSIC}{tag}@mail.test"));
    assert_eq!(with("+5").map(|to| to.tag()), Ok(Some(5)));
    assert_eq!(with("++5"), Err(AddressError::ClassicSuffix));
}

// Spec: 2.1.
#[test]
fn accepts_text_in_quotes_and_rejects_control_bytes_there() {
    for (name, rule) in [
        ("\"Al ice\"", "4.5"),
        ("\"Al\\\"ice\"", "4.5"),
        ("\"Al\u{1}ice\"", "2.1"),
        ("\"Al\\\u{1}ice\"", "2.1"),
        ("\"Al\\\u{7f}ice\"", "2.1"),
    ] {
        let raw = replaced("From: Alice", &format!("From: {name}"));
        assert_eq!(first_rule(&raw), Some(rule), "{name}");
    }
}

// Spec: 4.6.
#[test]
fn rejects_letters_among_the_digits_of_a_date() {
    for (from, to) in [("16 Nov", "1v Nov"), ("10:00:00", "1p:00:00"), ("+0000", "x0000")] {
        assert_eq!(first_rule(&replaced(from, to)), Some("4.6"), "{to}");
    }
}

// Spec: 4.5. The first byte of the key says SET instead of SEQUENCE.
#[test]
fn rejects_keys_of_another_der_tag() {
    let vectors = std::fs::read(folder().join("vectors.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
    let record = vectors["keys"]["s1._domainkey.mail.test"].as_str().unwrap();
    assert!(parse_txt(record.as_bytes()).is_ok());
    let other = record.replacen("p=MIIB", "p=MYIB", 1);
    assert_ne!(other, record);
    assert_eq!(
        parse_txt(other.as_bytes()),
        Err(KeyRecordError::Rsa(RsaKeyError::Der))
    );
}

/// Rules that a mail fails; its body may be another one than the signed one.
fn failing(raw: &str) -> Vec<&'static str> {
    let keys = TxtRecords::new();
    let env = ExplainEnv {
        network_id: NETWORK,
        now: CloseTime::new(848_145_600),
        keys: &keys,
    };
    let checks = explain(raw.as_bytes(), &env).checks;
    let failed = checks.iter().filter(|check| check.verdict == CheckVerdict::Fail);
    failed.map(|check| check.rule.as_str()).collect()
}

fn with_body(body: &str) -> String {
    let mail = mail();
    let (header, _) = mail.split_once("\r\n\r\n").unwrap();
    format!("{header}\r\n\r\n{body}")
}

/// A multipart within a multipart, with a header of the inner one and lines before its first part.
fn nested(header: &str, before: &str, leaf: &str) -> String {
    with_body(&format!(
        "--out\r\n{header}\r\n\r\n{before}--in\r\n{leaf}\r\n\r\nREMIT 10 XAH\r\n--in--\r\n--out--\r\n"
    ))
}

const INNER: &str = "Content-Type: multipart/mixed; boundary=in";

// Spec: 5.4.
#[test]
fn accepts_a_multipart_in_a_multipart_and_rejects_malformed_ones() {
    let plain = "Content-Type: text/plain; charset=utf-8";
    assert_eq!(failing(&nested(INNER, "", plain)), ["3.3"]);
    for (header, before, leaf) in [
        (INNER, "--in--\r\n", plain),
        (&format!("{INNER}\r\nContent-Disposition: (inline)"), "", plain),
        (INNER, "", "Content-Type: text/plain; charset="),
        (INNER, "", "Content-Type: text/plain; charset=\"\u{1}\""),
    ] {
        let failed = failing(&nested(header, before, leaf));
        assert!(failed.contains(&"5.4"), "{header} {before} {leaf}: {failed:?}");
    }
}

// Spec: 5.4.
#[test]
fn accepts_boundaries_of_rfc_2046_and_rejects_other_bytes() {
    let with = |boundary: &str| {
        let header = format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"");
        nested(&header, "", "Content-Type: text/plain").replace("--in", &format!("--{boundary}"))
    };
    assert_eq!(failing(&with("i+n")), ["3.3"]);
    assert!(failing(&with("i*n")).contains(&"5.4"));
}

// Spec: 5.4. Where no header fields follow, the body is no multipart but text.
#[test]
fn rejects_a_continuation_as_the_first_line_of_a_part() {
    let body = "--out\r\n x\r\nContent-Type: text/plain\r\n\r\nREMIT 10 XAH\r\n--out--\r\n";
    assert_eq!(failing(&with_body(body)), ["3.3", "5.2"]);
}

// Spec: 5.2.
#[test]
fn rejects_issuers_that_do_not_look_like_accounts() {
    let line = |issuer: &str| with_body(&format!("REMIT 10 USD/{issuer} TO <bob@mail.test>\r\n"));
    assert_eq!(failing(&line(CLASSIC)), ["3.3"]);
    assert_eq!(failing(&line("nobody")), ["3.3", "5.2"]);
}

// Spec: 3.1.
#[test]
fn accepts_instances_from_top_to_bottom_in_the_normal_form() {
    let raw = with_signed("Comments:Comments", "Comments: one\r\nComments: two\r\n");
    let form = String::from_utf8(normal_form(raw.as_bytes(), 0).unwrap()).unwrap();
    assert!(form.contains("comments:one\r\ncomments:two\r\n"), "{form}");
}

// Spec: 4.7. A signature that covers two Dates is no candidate and takes no candidate's place.
#[test]
fn accepts_a_good_signature_after_four_that_select_two_dates() {
    let mail = mail();
    let end = mail.find("\r\nFrom:").unwrap() + 2;
    let doubled = mail[..end].replacen(":Date", ":Date:Date", 1);
    assert_ne!(doubled, mail[..end]);
    let rest = mail[end..].replacen("From: ", "Date: Mon, 16 Nov 2026 09:00:00 +0000\r\nFrom: ", 1);
    let raw = format!("{}{}{rest}", doubled.repeat(4), &mail[..end]);
    assert_eq!(first_rule(&raw), None);
    assert_eq!(first_rule(&format!("{doubled}{rest}")), Some("4.3"));
}

// Spec: 3.4, 4.7.
#[test]
fn rejects_control_bytes_in_a_memo_and_one_without_a_signature() {
    let vectors = std::fs::read(folder().join("vectors.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_slice(&vectors).unwrap();
    let mut keys = TxtRecords::new();
    for (name, record) in vectors["keys"].as_object().unwrap() {
        keys.insert(name, record.as_str().unwrap().as_bytes());
    }
    let derived = derive(mail().as_bytes(), NETWORK, CloseTime::new(848_145_600), &keys).unwrap();
    let rules = Rules {
        network_id: NETWORK,
        amendment: Amendment::On,
    };
    let judged = |memo: &[u8]| {
        let memo = Object::new().with(sf::MEMO_DATA, memo);
        let tx = wrap(&derived, 1, Drops::new(1), LedgerIndex::new(1));
        let tx = tx.with(sf::MEMOS, vec![(sf::MEMO, memo)]);
        preflight(&tx, &rules).err().map(|error| error.rule().as_str())
    };
    let refused = |end: &[u8]| judged(&[derived.memo.as_slice(), end].concat());
    assert_eq!(
        judged(b"from:alice@mail.test\r\n\r\nREMIT 10 XAH\r\n"),
        Some("4.7")
    );
    assert_eq!(refused(b""), None);
    assert_eq!(refused(b"x\r\n"), Some("3.3"));
    for end in [&b"\0\r\n"[..], b"x\n", b"x\rx\r\n"] {
        assert_eq!(refused(end), Some("3.4"), "{end:?}");
    }
}

// Spec: 11.
#[test]
fn rejects_leaving_email_within_72_hours_of_the_last_rekey() {
    let entry = Object::new().with(sf::LAST_REKEY, 1_000_u32);
    assert!(!may_disable_email(Some(&entry), CloseTime::new(260_199)));
    assert!(may_disable_email(Some(&entry), CloseTime::new(260_200)));
}

/// The type names what the document numbers, and nothing else.
#[test]
fn rules_are_those_of_the_document() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec.md")).unwrap();
    let number = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let sections = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(number);
    let is_rule =
        |word: &String| word.contains('.') && word.split('.').all(|part| part.parse::<u8>().is_ok());
    let rules: BTreeSet<String> = text.lines().map(number).filter(is_rule).collect();
    let is_whole = |section: &String| !rules.iter().any(|rule| rule.starts_with(&format!("{section}.")));
    let document: BTreeSet<String> = sections.filter(is_whole).chain(rules.clone()).collect();
    let ours: BTreeSet<String> = Rule::ALL.iter().map(Rule::to_string).collect();
    assert_eq!(ours, document);
}
