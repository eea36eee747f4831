//! What no rule refuses and the sender is told all the same, on mails of `fixtures/cases`, whose names say what they
//! are. Spec: 14.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;

use amendment::{Rule, TxtRecords};
use codec::CloseTime;
use explain::{CheckVerdict, ExplainEnv, explain};
use serde_json::Value;

/// What the check of a rule read, in a case.
fn read(case: &str, rule: Rule) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/cases")
        .join(case);
    let json = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).expect(case)).expect("JSON")
    };
    let mut keys = TxtRecords::new();
    for (name, records) in json("keys.json").as_object().expect("names") {
        keys.insert(name, records[0].as_str().expect("a record").as_bytes());
    }
    let unix = json("expect.json")["at"].as_u64().expect("a time");
    let env = ExplainEnv {
        network_id: 21_337,
        now: CloseTime::from_unix(unix).expect("after 2000"),
        keys: &keys,
    };
    let mail = std::fs::read(folder.join("email.eml")).expect("a mail");
    let checks = explain(&mail, &env).checks;
    let check = checks.iter().find(|check| check.rule == rule).expect("a check");
    assert_eq!(check.verdict, CheckVerdict::Pass, "{case}");
    check.read.clone()
}

/// RFC 8301 3.2: signers should use keys of 2048 bits and more.
#[test]
fn keys_below_2048_bits_are_named_as_weak() {
    for (case, bits) in [
        ("2223-rsa-1024-bits", "1024"),
        ("2224-rsa-1025-bits", "1025"),
        ("1961-provider-zoho", "1024"),
    ] {
        let read = read(case, Rule::R7_3);
        assert!(read.contains(&format!("; a weak key of {bits} bits: ")), "{read}");
    }
    for case in [
        "0129-plain-as-sent",
        "2226-rsa-3072-bits",
        "2227-rsa-4096-bits",
        "2401-ed25519-usual",
    ] {
        let read = read(case, Rule::R7_3);
        assert!(!read.contains("weak"), "{case}: {read}");
    }
}

#[test]
fn what_leaves_on_top_is_named() {
    let native = read("0129-plain-as-sent", Rule::R2_4);
    assert!(
        native.ends_with("; a new account's reserve may leave on top"),
        "{native}"
    );
    let issued = read("0622-line-amount-issued", Rule::R2_4);
    assert!(
        issued.contains("the issuer's transfer rate and the reserve"),
        "{issued}"
    );
    let rekey = read("0460-line-rekey", Rule::R2_4);
    assert!(!rekey.contains("on top"), "{rekey}");
}
