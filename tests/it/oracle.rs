//! The verifier against a second reading of the specification: `tests/oracle/oracle.py` and its 863 mails,
//! made by somebody who saw only the text. Where the text can be read in two ways, docs/deviations.md says
//! which way is ours.

use crate::{read, root, table_after};
use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, Rule, TxtRecords};
use codec::CloseTime;
use explain::{ExplainEnv, Explanation, Qualifies, explain};
use serde_json::Value;
use std::collections::BTreeMap;

const FOLDER: &str = "fixtures/vectors/oracle";

fn vectors() -> Value {
    serde_json::from_str(&read(format!("{FOLDER}/vectors.json"))).expect("JSON")
}

fn keys(vectors: &Value) -> TxtRecords {
    let mut keys = TxtRecords::new();
    for (name, record) in vectors["keys"].as_object().expect("keys") {
        keys.insert(name, record.as_str().expect("text").as_bytes());
    }
    for (name, _) in vectors["keys_several"].as_object().expect("keys") {
        keys.insert_answer(name, KeyAnswer::Unusable(KeyRecordError::Several));
    }
    keys
}

fn explained(vectors: &Value, keys: &TxtRecords, case: &Value) -> Explanation {
    let raw = std::fs::read(root().join(FOLDER).join(case["file"].as_str().expect("file"))).expect("mail");
    let network_id = case["network_id"]
        .as_u64()
        .and_then(|id| u32::try_from(id).ok())
        .expect("network");
    let now = CloseTime::from_unix(vectors["clock"]["unix"].as_u64().expect("clock")).expect("time");
    explain(
        &raw,
        &ExplainEnv {
            network_id,
            now,
            keys,
        },
    )
}

/// What differs, as `ours / theirs`; empty where nothing does.
fn difference(case: &Value, ours: &Explanation) -> Option<String> {
    let accept = case["accept"] == true;
    let rule = case["rule"].as_str();
    if (ours.qualifies == Qualifies::Yes) != accept || ours.rule.map(Rule::as_str) != rule {
        let verdict =
            |accept: bool, rule: Option<&str>| rule.map_or(format!("accept {accept}"), str::to_owned);
        let our_verdict = verdict(ours.qualifies == Qualifies::Yes, ours.rule.map(Rule::as_str));
        return Some(format!("{our_verdict} / {}", verdict(accept, rule)));
    }
    if !accept {
        return None;
    }
    let party = |party: &Option<explain::Party>| party.as_ref().map(|party| party.account.to_string());
    let rows = [
        (ours.email_id.map(|id| id.to_string()), case["email_id"].as_str()),
        (party(&ours.from), case["from"]["account"].as_str()),
        (party(&ours.to), case["to"]["account"].as_str()),
        (ours.instruction.clone(), case["instruction"].as_str()),
    ];
    rows.into_iter()
        .find(|(ours, theirs)| ours.as_deref() != *theirs)
        .map(|(ours, theirs)| format!("{ours:?} / {theirs:?}"))
}

#[test]
fn explain_agrees_with_the_second_reading() {
    let vectors = vectors();
    let keys = keys(&vectors);
    let cases = vectors["cases"].as_array().expect("list");
    assert_eq!(cases.len(), 863);
    let mut found = BTreeMap::new();
    for case in cases {
        if let Some(difference) = difference(case, &explained(&vectors, &keys, case)) {
            found.insert(
                case["file"].as_str().expect("file").to_owned(),
                (difference, case["why"].clone(), case["doubt"].clone()),
            );
        }
    }
    let argued: BTreeMap<String, String> = table_after(&read("docs/deviations.md"), "## Second reading")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    for (file, (difference, why, doubt)) in &found {
        let known = argued.get(file) == Some(difference);
        if !known {
            println!("{file}: {difference}: {why} | {doubt}");
        }
    }
    let differences: BTreeMap<String, String> = found.into_iter().map(|(file, row)| (file, row.0)).collect();
    assert_eq!(
        differences, argued,
        "docs/deviations.md, Second reading, does not list what differs"
    );
}
