//! Mail corpora: the synthetic one in fixtures, and real mail outside the project, read in place.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amendment::{Rule, TxtRecords, lf_to_crlf_if_no_cr};
use codec::CloseTime;
use explain::{CheckVerdict, ExplainEnv, Explanation, explain};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn records(table: &Value) -> TxtRecords {
    let mut keys = TxtRecords::new();
    for (name, record) in table.as_object().expect("a table") {
        keys.insert(name, record.as_str().expect("text").as_bytes());
    }
    keys
}

/// Verdict of both halves of the signature check: body hash and signature.
fn signature_verdict(explanation: &Explanation) -> &'static str {
    let of = |rule: &str| {
        explanation
            .checks
            .iter()
            .rev()
            .find(|c| c.rule.as_str() == rule)
            .map(|c| c.verdict)
    };
    match (of("3.3"), of("4.5")) {
        (Some(CheckVerdict::Pass), Some(CheckVerdict::Pass)) => "pass",
        (Some(CheckVerdict::Fail), _) => "fail (3.3)",
        (_, Some(CheckVerdict::Fail)) => "fail (4.5)",
        (_, Some(CheckVerdict::Unknown)) => "unknown",
        _ => "skipped",
    }
}

/// `t=` of the synthetic mails.
const SYNTHETIC_SIGNED_AT: u64 = 1_795_171_004;

/// Where the specification decides otherwise than the proposal that came with the mails: mail, our rule, the
/// reason.
const DIFFERENCES: [(&str, Option<&str>, &str); 13] = [
    (
        "P02-qp",
        Some("5.2"),
        "5.4: a body that is no multipart is read undecoded",
    ),
    (
        "P03-base64",
        Some("5.2"),
        "5.4: a body that is no multipart is read undecoded",
    ),
    (
        "S34-cte-double",
        None,
        "5.4: the outer transfer encoding is never consulted",
    ),
    ("S16-bom", Some("5.2"), "5.1: the line is compared byte for byte"),
    (
        "S26-flowed-spacestuff",
        Some("5.2"),
        "5.1: a leading space is no instruction",
    ),
    ("S40-long-line", Some("5.2"), "5.1: the line is no instruction"),
    ("M04-alt-disagree", None, "5.4: HTML is never read"),
    (
        "M12-no-close",
        None,
        "5.4: a missing close delimiter ends at the end of the body",
    ),
    (
        "M24-no-mime-version",
        None,
        "5.4: structure is read from the body alone",
    ),
    (
        "M28-pgp-signed",
        None,
        "5.4: the first part counts, whatever the subtype",
    ),
    ("F08-comment", Some("2.1"), "2.1: a comment may hold no @"),
    (
        "F22-gmail-dots",
        Some("2.2"),
        "2.2: a sender may hold + only in domains that document it as a tag",
    ),
    ("T04-group", Some("2.1"), "2.1: To names no mailbox"),
];

#[test]
fn synthetic_mails_read_by_the_rules() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/mail/synthetic");
    let cases = json(&folder.join("cases.json"));
    let keys = records(&cases["key"]);
    let now = CloseTime::from_unix(SYNTHETIC_SIGNED_AT).expect("after 2000");
    for case in cases["cases"].as_array().expect("cases") {
        let id = case["id"].as_str().expect("an id");
        let raw = std::fs::read(folder.join(format!("{id}.eml"))).expect("a mail");
        let found = explain(
            &raw,
            &ExplainEnv {
                network_id: 21_337,
                now,
                keys: &keys,
            },
        );
        if let Some((_, rule, why)) = DIFFERENCES.iter().find(|(name, _, _)| *name == id) {
            assert_eq!(found.rule.map(Rule::as_str), *rule, "{id}: {why}");
            continue;
        }
        let proposal = case["strict_expect"].as_str().expect("a proposal");
        let accepts = proposal.starts_with("REMIT 10 XAH") || proposal.contains('@') || proposal == "ignore";
        assert_eq!(
            found.rule.is_none(),
            accepts,
            "{id}: {proposal}, {:?}",
            found.refusal
        );
        if proposal.contains('@') {
            assert_eq!(
                found.from.and_then(|from| from.address).as_deref(),
                Some(proposal),
                "{id}"
            );
        }
    }
}

/// Reads the mail with the clock at its own time, so that the window refuses nothing.
fn explain_at_its_time(raw: &[u8], keys: &TxtRecords) -> Explanation {
    let raw = lf_to_crlf_if_no_cr(raw);
    let at = |now: CloseTime| {
        explain(
            &raw,
            &ExplainEnv {
                network_id: 21_337,
                now,
                keys,
            },
        )
    };
    let first = at(CloseTime::new(0));
    let now = first
        .executable_until
        .map_or(0, |until| until.seconds() - 432_000);
    at(CloseTime::new(now))
}

/// Every aligned signature that an independent verifier accepts is accepted; every refusal names its rule.
///
/// The folder is named by XAHAU_EMAIL_REAL_MAIL: real mail is read where it lies and is no part of the
/// project.
#[test]
fn real_mail_verifies_where_an_independent_verifier_says_so() {
    let Some(folder) = std::env::var_os("XAHAU_EMAIL_REAL_MAIL").map(PathBuf::from) else {
        eprintln!(
            "NOT RUN: XAHAU_EMAIL_REAL_MAIL names no folder of real mail (index.json, keys.json, *.eml)"
        );
        return;
    };
    let keys = records(&json(&folder.join("keys.json")));
    let mut mails: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for signature in json(&folder.join("index.json")).as_array().expect("an index") {
        mails
            .entry(signature["name"].as_str().expect("a name").to_owned())
            .or_default()
            .push(signature.clone());
    }
    let mut missed = Vec::new();
    let mut verifying = 0;
    for (name, signatures) in &mails {
        let raw = std::fs::read(folder.join(format!("{name}.eml"))).expect("a mail");
        let raw = lf_to_crlf_if_no_cr(&raw);
        let aligned = |s: &&Value| s["verifies"] == true && s["from_domain"] == s["d"];
        let expected = signatures.iter().find(aligned);
        let stamp = expected
            .or(signatures.first())
            .and_then(|s| s["t"].as_str())
            .and_then(|t| t.parse::<u64>().ok());
        let explanation = match stamp.and_then(CloseTime::from_unix) {
            Some(now) => explain(
                &raw,
                &ExplainEnv {
                    network_id: 21_337,
                    now,
                    keys: &keys,
                },
            ),
            None => explain_at_its_time(&raw, &keys),
        };
        let verdict = signature_verdict(&explanation);
        println!(
            "{name} | {verdict} | {} | {:?}",
            explanation.rule.map_or("-", Rule::as_str),
            explanation.refusal
        );
        if expected.is_some() {
            verifying += 1;
            if verdict != "pass" {
                missed.push(format!("{name}: {verdict}, {:?}", explanation.refusal));
            }
        }
    }
    println!(
        "{} mails, {verifying} with an aligned signature that verifies",
        mails.len()
    );
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
