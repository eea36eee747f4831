//! The recorded vectors of an independent program: addresses, 94 mails and 4 memos.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::PathBuf;

use amendment::address::{parse_recipient, parse_sender};
use amendment::{Amendment, Rule, Rules, TxtRecords};
use codec::{CloseTime, Drops, LedgerIndex, Object, flags, sf};
use explain::{ExplainEnv, Qualifies, explain};
use serde_json::Value;

fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/vectors")
        .join(path)
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(path)).expect("a fixture")).expect("JSON")
}

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().expect("a list")
}

// Spec: 2.1, 2.2, 2.3.
#[test]
fn accepts_the_addresses_of_the_vectors() {
    let vectors = json("addresses.json");
    for case in list(&vectors, "accept") {
        let text = case["address"].as_str().expect("text");
        let recipient = parse_recipient(text).expect(text);
        assert_eq!(
            recipient.address().expect(text).as_str(),
            case["canonical"].as_str().expect("text")
        );
        assert_eq!(
            recipient.account().to_string(),
            case["r_address"].as_str().expect("text"),
            "{text}"
        );
        let id = hex::encode_upper(recipient.account().as_bytes());
        assert_eq!(id, case["account_id"].as_str().expect("text"), "{text}");
        assert_eq!(
            parse_sender(text).as_ref(),
            Ok(recipient.address().expect(text)),
            "{text}"
        );
    }
}

// Spec: 2.1, 2.2.
#[test]
fn rejects_the_addresses_of_the_vectors() {
    for case in list(&json("addresses.json"), "reject") {
        let text = case.as_str().expect("text");
        assert!(parse_sender(text).is_err(), "{text}");
        assert!(parse_recipient(text).is_err(), "{text}");
    }
}

struct Vectors {
    json: Value,
    keys: TxtRecords,
    now: CloseTime,
}

fn vectors() -> Vectors {
    let json = json("mail/vectors.json");
    let mut keys = TxtRecords::new();
    for (name, record) in json["keys"].as_object().expect("keys") {
        keys.insert(name, record.as_str().expect("text").as_bytes());
    }
    let unix = json["clock"]["unix"].as_u64().expect("a time");
    Vectors {
        json,
        keys,
        now: CloseTime::from_unix(unix).expect("after 2000"),
    }
}

fn network(case: &Value) -> u32 {
    case["network_id"]
        .as_u64()
        .and_then(|id| u32::try_from(id).ok())
        .expect("a network")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of comparisons")]
fn mails_read_as_the_vectors_say() {
    let vectors = vectors();
    let mut differences = Vec::new();
    for case in list(&vectors.json, "cases") {
        let file = case["file"].as_str().expect("a name");
        let raw = std::fs::read(fixture("mail").join(file)).expect("a mail");
        let env = ExplainEnv {
            network_id: network(case),
            now: vectors.now,
            keys: &vectors.keys,
        };
        let found = explain(&raw, &env);
        let mut differs = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                differences.push(format!(
                    "{file} ({}): {what}: ours {ours}, theirs {theirs}",
                    case["why"]
                ));
            }
        };
        let accept = case["accept"].as_bool().expect("a verdict");
        differs(
            "accept",
            (found.qualifies == Qualifies::Yes).to_string(),
            accept.to_string(),
        );
        differs(
            "rule",
            format!("{:?}", found.rule.map(Rule::as_str)),
            format!("{:?}", case["rule"].as_str()),
        );
        let derived = amendment::derive(&raw, network(case), vectors.now, &vectors.keys);
        differs(
            "derive",
            format!("{:?}", derived.as_ref().err().map(|r| r.rule().as_str())),
            format!("{:?}", case["rule"].as_str()),
        );
        let Ok(derived) = derived else {
            continue;
        };
        differs(
            "normal form",
            hex::encode(&derived.memo),
            case["normal_form_hex"].as_str().unwrap_or("-").to_owned(),
        );
        differs(
            "from",
            derived.from.to_string(),
            case["from"]["address"].as_str().unwrap_or("-").to_owned(),
        );
        differs(
            "from account",
            derived.account.to_string(),
            case["from"]["account"].as_str().unwrap_or("-").to_owned(),
        );
        let to = found.to.as_ref();
        differs(
            "to",
            format!("{:?}", to.and_then(|t| t.address.as_deref())),
            format!("{:?}", case["to"]["address"].as_str()),
        );
        differs(
            "to account",
            format!("{:?}", to.map(|t| t.account.to_string()).as_deref()),
            format!("{:?}", case["to"]["account"].as_str()),
        );
        differs(
            "tag",
            format!("{:?}", to.and_then(|t| t.tag).map(u64::from)),
            format!("{:?}", case["to"]["tag"].as_u64()),
        );
        differs(
            "instruction",
            derived.instruction.clone(),
            case["instruction"].as_str().unwrap_or("-").to_owned(),
        );
        differs(
            "email id",
            derived.email_id.to_string(),
            case["email_id"].as_str().unwrap_or("-").to_owned(),
        );
        differs(
            "date",
            derived.signed_date.seconds().to_string(),
            case["date"].to_string(),
        );
        // Compared as binary: the vectors write issued values in plain digits, the ledger's JSON in its own
        // form.
        let theirs = codec::json::from_json(&case["tx"]).expect("a transaction");
        for (field, value) in theirs.iter() {
            differs(
                field.name(),
                format!("{:?}", derived.transaction.value(field)),
                format!("{:?}", Some(value)),
            );
        }
        differs(
            "explained transaction",
            format!("{:?}", found.transaction()),
            format!("{:?}", Some(&derived.transaction)),
        );
        assert!(
            amendment::preflight(&wrapped(&derived), &rules(case)).is_ok(),
            "{file}: its own memo"
        );
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn rules(case: &Value) -> Rules {
    Rules {
        network_id: network(case),
        amendment: Amendment::On,
    }
}

fn wrapped(derived: &amendment::Derived) -> Object {
    amendment::wrap(derived, 1, Drops::new(1_000), LedgerIndex::new(20))
}

#[test]
fn memos_are_refused_or_not_as_the_vectors_say() {
    let vectors = vectors();
    let cases = list(&vectors.json, "memos");
    let good = cases
        .iter()
        .find(|case| case["accept"] == true)
        .expect("an accepted memo");
    let memo = |case: &Value| hex::decode(case["memo_hex"].as_str().expect("hex")).expect("hex");
    let derived =
        amendment::derive(&memo(good), network(good), vectors.now, &vectors.keys).expect("its own mail");
    assert_eq!(derived.memo, memo(good));
    for case in cases {
        let memos = vec![(sf::MEMO, Object::new().with(sf::MEMO_DATA, memo(case)))];
        let tx = wrapped(&derived).with(sf::MEMOS, memos);
        assert_eq!(
            tx.u32(sf::FLAGS),
            Some(flags::TF_EMAIL_SIG | flags::TF_FULLY_CANONICAL_SIG)
        );
        let found = amendment::preflight(&tx, &rules(case))
            .err()
            .map(|error| error.rule().as_str());
        assert_eq!(found, case["rule"].as_str(), "{}", case["why"]);
    }
}
