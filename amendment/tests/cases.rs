//! The attack set of `fixtures/cases` (its README says what the files are): verdict, rule and derived values
//! of each case, through `explain`, `derive` and, for what is accepted, `preflight` of the transaction that
//! it makes.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use amendment::key_record::KeyRecordError;
use amendment::{
    Amendment, Derived, KeyAnswer, Order, ProvenMail, Rule, Rules, TxtRecords, derive, preflight, wrap,
};
use codec::{CloseTime, Drops, LedgerIndex};
use explain::{ExplainEnv, Explanation, Qualifies, explain};
use serde_json::{Value, json};

/// The set does not shrink below this.
const CASES_MIN: usize = 1_200;
const FILES: [&str; 4] = ["email.eml", "expect.json", "keys.json", "why.md"];
const YES_MEMBERS: [&str; 8] = [
    "from",
    "to",
    "amount",
    "regular_key",
    "instruction",
    "date",
    "email_id",
    "normal_form_sha256",
];

struct Case {
    name: String,
    mail: Vec<u8>,
    keys: TxtRecords,
    expect: Value,
    why: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/cases")
}

fn names_in(path: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(path).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect()
}

/// Every case; whatever else lies in the folders is a failure.
fn cases() -> Vec<Case> {
    let mut names = names_in(&folder());
    assert!(names.remove("README.md"), "fixtures/cases/README.md is missing");
    names
        .into_iter()
        .map(|name| {
            let path = folder().join(&name);
            assert!(path.is_dir(), "{name} is not a folder");
            let files: Vec<String> = names_in(&path).into_iter().collect();
            assert_eq!(files, FILES, "files of {name}");
            let read = |file: &str| std::fs::read(path.join(file)).expect("a file");
            Case {
                mail: read("email.eml"),
                keys: keys(&serde_json::from_slice(&read("keys.json")).expect("JSON")),
                expect: serde_json::from_slice(&read("expect.json")).expect("JSON"),
                why: String::from_utf8(read("why.md")).expect("text"),
                name,
            }
        })
        .collect()
}

/// Each character of a record is one byte.
fn record(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a record");
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).expect("one byte"))
        .collect()
}

fn keys(table: &Value) -> TxtRecords {
    let mut keys = TxtRecords::new();
    for (name, records) in table.as_object().expect("a table") {
        match records.as_array().expect("a list").as_slice() {
            [] => keys.insert_answer(name, KeyAnswer::Absent),
            [one] => keys.insert(name, &record(one)),
            _ => keys.insert_answer(name, KeyAnswer::Unusable(KeyRecordError::Several)),
        }
    }
    keys
}

impl Case {
    fn text(&self, member: &str) -> Option<&str> {
        self.expect[member].as_str()
    }

    fn network_id(&self) -> u32 {
        let id = self.expect["network_id"].as_u64().expect("a network");
        u32::try_from(id).expect("32 bits")
    }

    fn at(&self) -> CloseTime {
        CloseTime::from_unix(self.expect["at"].as_u64().expect("a time")).expect("after 2000")
    }

    fn explained(&self) -> Explanation {
        let env = ExplainEnv {
            network_id: self.network_id(),
            now: self.at(),
            keys: &self.keys,
        };
        explain(&self.mail, &env)
    }

    fn derived(&self) -> Result<ProvenMail, amendment::Refusal> {
        derive(&self.mail, self.network_id(), self.at(), &self.keys)
    }
}

fn verdict(qualifies: Qualifies) -> &'static str {
    match qualifies {
        Qualifies::Yes => "yes",
        Qualifies::No => "no",
        Qualifies::Unknown => "unknown",
    }
}

/// What `explain` says, in the members of `expect.json`.
fn explained_values(found: &Explanation) -> Value {
    let from = found.from.as_ref().expect("a sender");
    let to = found
        .to
        .as_ref()
        .map(|to| json!({"address": to.address, "account": to.account.to_string(), "tag": to.tag}));
    let regular_key = match &found.order {
        Some(Order::Rekey { key, .. }) => Some(key.to_string()),
        _ => None,
    };
    json!({
        "from": {"address": from.address, "account": from.account.to_string()},
        "to": to,
        "regular_key": regular_key,
        "instruction": found.instruction,
        "email_id": found.email_id.map(|id| id.to_string()),
    })
}

/// What `derive` makes, in the members of `expect.json`.
fn derived_values(derived: &Derived) -> Value {
    let to = derived.to().map(|to| {
        json!({"address": to.address().map(|a| a.as_str()), "account": to.account().to_string(), "tag": to.tag()})
    });
    let regular_key = match &derived.order {
        Order::Rekey { key, .. } => Some(key.to_string()),
        Order::Remit { .. } => None,
    };
    json!({
        "from": {"address": derived.from.as_str(), "account": derived.account.to_string()},
        "to": to,
        "regular_key": regular_key,
        "instruction": derived.instruction,
        "date": derived.signed_date.to_unix(),
        "email_id": derived.email_id.to_string(),
    })
}

/// Members of `expected` that `found` tells otherwise.
fn differences(found: &Value, expected: &Value) -> Vec<String> {
    let found = found.as_object().expect("an object");
    found
        .iter()
        .filter(|(member, value)| expected[member.as_str()] != **value)
        .map(|(member, value)| format!("{member}: expected {}, found {value}", expected[member.as_str()]))
        .collect()
}

fn check_verdict(
    case: &Case,
    explained: &Explanation,
    derived: &Result<ProvenMail, amendment::Refusal>,
) -> Vec<String> {
    let derived_rule = derived.as_ref().err().map(|refusal| refusal.rule().as_str());
    let rows = [
        (
            "qualifies",
            case.text("qualifies"),
            Some(verdict(explained.qualifies)),
        ),
        (
            "rule of explain",
            case.text("rule"),
            explained.rule.map(Rule::as_str),
        ),
        ("rule of derive", case.text("rule"), derived_rule),
    ];
    rows.into_iter()
        .filter(|(_, expected, found)| expected != found)
        .map(|(what, expected, found)| format!("{what}: expected {expected:?}, found {found:?}"))
        .collect()
}

fn check_values(case: &Case, explained: &Explanation, derived: &Derived) -> Vec<String> {
    let mut found = differences(&explained_values(explained), &case.expect);
    found.extend(differences(&derived_values(derived), &case.expect));
    let memo = hex::encode_upper(codec::hash::sha256(&[&derived.memo]));
    if case.text("normal_form_sha256") != Some(&memo) {
        found.push(format!("normal form: found SHA-256 {memo}"));
    }
    let amount = &case.expect["amount"];
    let expected = (!amount.is_null()).then(|| {
        // As binary: the cases write issued values in plain digits, the ledger's JSON has a form of its own.
        let amounts = json!({"Amounts": [{"AmountEntry": {"Amount": amount}}]});
        codec::json::from_json(&amounts).expect("an amount")
    });
    let expected = expected
        .as_ref()
        .and_then(|object| object.value(codec::sf::AMOUNTS));
    if derived.transaction.value(codec::sf::AMOUNTS) != expected {
        found.push(format!("amount: expected {amount}"));
    }
    if explained.transaction() != Some(&derived.transaction) {
        found.push("explain and derive make two transactions".to_owned());
    }
    let rules = Rules {
        network_id: case.network_id(),
        amendment: Amendment::On,
    };
    let tx = wrap(derived, 1, Drops::new(1_000), LedgerIndex::new(20));
    if let Err(error) = preflight(&tx, &rules) {
        found.push(format!("preflight refuses it: {error}"));
    }
    found
}

#[test]
fn verifier_reads_every_case_as_expected() {
    let cases = cases();
    let mut problems = Vec::new();
    for case in &cases {
        let (explained, derived) = (case.explained(), case.derived());
        let mut found = check_verdict(case, &explained, &derived);
        if let (Ok(derived), Some("yes")) = (&derived, case.text("qualifies")) {
            found.extend(check_values(case, &explained, derived));
        }
        problems.extend(found.into_iter().map(|what| format!("{}: {what}", case.name)));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Each refusal has a harmless sibling that is accepted; each copy of a payment has the EmailID of its
/// original.
#[test]
fn cases_stand_in_pairs() {
    let cases = cases();
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    let by_name: BTreeMap<&str, &Case> = cases.iter().map(|case| (case.name.as_str(), case)).collect();
    assert_eq!(by_name.len(), cases.len());
    for case in &cases {
        let yes = case.text("qualifies") == Some("yes");
        let sibling = case.text("sibling").map(|name| by_name[name]);
        assert_eq!(sibling.is_none(), yes, "{}: its sibling", case.name);
        assert!(
            sibling.is_none_or(|sibling| sibling.text("qualifies") == Some("yes")),
            "{}: its sibling is refused",
            case.name
        );
        if let Some(original) = case.text("same_payment_as") {
            assert_eq!(
                case.text("email_id"),
                by_name[original].text("email_id"),
                "{}",
                case.name
            );
        }
        for member in YES_MEMBERS {
            assert_eq!(case.expect.get(member).is_some(), yes, "{}: {member}", case.name);
        }
    }
}

/// Each reason cites rules that docs/spec.md has, the refusing one among them.
#[test]
fn reasons_cite_rules() {
    let spec = std::fs::read_to_string(folder().join("../../docs/spec.md")).expect("the specification");
    let rules: BTreeSet<&str> = spec
        .lines()
        .filter_map(|line| line.trim_start_matches("## ").split(' ').next())
        .collect();
    for case in cases() {
        let cited: Vec<&str> = case
            .why
            .lines()
            .filter_map(|line| line.strip_prefix("Spec: "))
            .flat_map(|line| line.split(", "))
            .collect();
        assert!(!cited.is_empty(), "{} cites no rule", case.name);
        for rule in &cited {
            assert!(rules.contains(rule), "{} cites {rule}", case.name);
        }
        let refusing = case.text("rule");
        assert!(
            refusing.is_none_or(|rule| cited.contains(&rule)),
            "{} does not cite {refusing:?}",
            case.name
        );
    }
}
