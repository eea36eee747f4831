//! The vectors about mails: `fixtures/cases`, and the two sets of `fixtures/vectors` that other programs read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fixtures::{self, FixtureError};
use crate::vector::Vector;

/// Seconds from 1970 to 2000, where a ledger's time begins.
const LEDGER_EPOCH: u64 = 946_684_800;

/// Mails with several signatures of which none counts: which one's refusal is told, the rules leave open
/// (docs/deviations.md, Second reading).
pub const LEFT_OUT: [&str; 1] = ["o837"];

/// TXT records by DNS name.
type Records = BTreeMap<String, Vec<Vec<u8>>>;

/// The vectors of the kinds `verdict` and `normal_form`.
pub(crate) fn vectors() -> Result<Vec<Vector>, FixtureError> {
    let mut vectors = cases()?;
    for set in ["mail", "oracle"] {
        vectors.extend(recorded(set)?);
    }
    Ok(vectors)
}

/// A question about a mail.
struct Question {
    name: String,
    about: String,
    input: Value,
}

impl Question {
    fn answered(&self, kind: &str, output: Value) -> Vector {
        Vector {
            kind: kind.to_owned(),
            name: self.name.clone(),
            about: self.about.clone(),
            input: self.input.clone(),
            output,
        }
    }
}

fn input(mail: &[u8], keys: &Records, network_id: &Value, now: u64) -> Value {
    let hexed = |records: &Vec<Vec<u8>>| records.iter().map(hex::encode_upper).collect();
    let keys: BTreeMap<&String, Vec<String>> = keys.iter().map(|(name, all)| (name, hexed(all))).collect();
    json!({"mail": hex::encode_upper(mail), "keys": keys, "network_id": network_id, "now": now})
}

/// The folders of `fixtures/cases`, whose README says what they hold.
fn cases() -> Result<Vec<Vector>, FixtureError> {
    let mails =
        fixtures::below("cases/").filter_map(|(name, mail)| Some((name.strip_suffix("/email.eml")?, mail)));
    mails.map(|(folder, mail)| case(folder, mail)).collect()
}

fn case(folder: &str, mail: &[u8]) -> Result<Vector, FixtureError> {
    let expect_file = format!("{folder}/expect.json");
    let broken = |what: &str| FixtureError::new(&expect_file, what);
    let mut expect = fixtures::json(&expect_file)?;
    let at = seconds(&expect["at"]).ok_or_else(|| broken("at"))?;
    let question = Question {
        name: folder.to_owned(),
        about: reason(&String::from_utf8_lossy(fixtures::file(&format!(
            "{folder}/why.md"
        ))?)),
        input: input(
            mail,
            &case_keys(&format!("{folder}/keys.json"))?,
            &expect["network_id"],
            at,
        ),
    };
    let members = expect.as_object_mut().ok_or_else(|| broken("no object"))?;
    let verdict = members.remove("qualifies").ok_or_else(|| broken("qualifies"))?;
    let mut output = Map::from_iter([("verdict".to_owned(), verdict)]);
    if members.get("rule").is_some_and(Value::is_string) {
        output.extend(members.remove_entry("rule"));
    } else {
        let date = members
            .get("date")
            .and_then(seconds)
            .ok_or_else(|| broken("date"))?;
        members.insert("date".to_owned(), date.into());
        for member in ["network_id", "at", "rule", "same_payment_as"] {
            members.remove(member);
        }
        output.append(members);
    }
    Ok(question.answered("verdict", Value::Object(output)))
}

/// A time in Unix seconds as a ledger counts it.
fn seconds(unix: &Value) -> Option<u64> {
    unix.as_u64()?.checked_sub(LEDGER_EPOCH)
}

/// What a `why.md` says between its title and the rules that it cites.
fn reason(text: &str) -> String {
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with("Spec:"));
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn case_keys(file: &str) -> Result<Records, FixtureError> {
    let all = fixtures::json(file)?;
    let rows = all.as_object().into_iter().flatten();
    rows.map(|(name, records)| {
        let records: Option<Vec<Vec<u8>>> = records
            .as_array()
            .and_then(|records| records.iter().map(latin1).collect());
        let records = records.ok_or_else(|| FixtureError::new(file, name))?;
        Ok((name.clone(), records))
    })
    .collect()
}

/// Each character of a record is one byte.
fn latin1(record: &Value) -> Option<Vec<u8>> {
    let text = record.as_str()?;
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The mails of one `vectors.json`.
fn recorded(set: &str) -> Result<Vec<Vector>, FixtureError> {
    let folder = format!("vectors/{set}");
    let file = format!("{folder}/vectors.json");
    let all = fixtures::json(&file)?;
    let broken = |what: &str| FixtureError::new(&file, what);
    let now = all["clock"]["since_2000"]
        .as_u64()
        .ok_or_else(|| broken("clock"))?;
    let records = recorded_keys(&all);
    let mut vectors = Vec::new();
    for case in all["cases"].as_array().into_iter().flatten() {
        let mail_file = case["file"].as_str().ok_or_else(|| broken("file"))?;
        let name = mail_file.trim_end_matches(".eml");
        if LEFT_OUT.contains(&name) {
            continue;
        }
        let mail = fixtures::file(&format!("{folder}/{mail_file}"))?;
        let question = Question {
            name: format!("{set}/{name}"),
            about: case["why"].as_str().unwrap_or_default().to_owned(),
            input: input(mail, &named_in(mail, &records), &case["network_id"], now),
        };
        let output = recorded_output(case).ok_or_else(|| broken(mail_file))?;
        vectors.push(question.answered("verdict", output));
        if let Some(normal_form) = case["normal_form_hex"].as_str() {
            let output = json!({"normal_form": normal_form.to_uppercase()});
            vectors.push(question.answered("normal_form", output));
        }
    }
    Ok(vectors)
}

fn recorded_keys(all: &Value) -> Records {
    let single = all["keys"].as_object().into_iter().flatten();
    let single = single.map(|(name, record)| (name, std::slice::from_ref(record)));
    let several = all["keys_several"].as_object().into_iter().flatten();
    let several = several.map(|(name, records)| (name, records.as_array().map_or(&[][..], Vec::as_slice)));
    let bytes = |record: &Value| Some(record.as_str()?.as_bytes().to_vec());
    let rows = single.chain(several);
    rows.map(|(name, records)| (name.clone(), records.iter().filter_map(bytes).collect()))
        .collect()
}

/// The records whose selector and domain stand in the mail: a set shares one table, and a question holds only what may
/// matter to it.
fn named_in(mail: &[u8], records: &Records) -> Records {
    let text = String::from_utf8_lossy(mail).to_lowercase();
    let is_named = |name: &str| name.split("._domainkey.").all(|part| text.contains(part));
    let rows = records.iter().filter(|(name, _)| is_named(name));
    rows.map(|(name, records)| (name.clone(), records.clone()))
        .collect()
}

fn recorded_output(case: &Value) -> Option<Value> {
    if case["accept"] == false {
        let rule = case["rule"].as_str()?;
        let verdict = if rule == "7.3" { "unknown" } else { "no" };
        return Some(json!({"verdict": verdict, "rule": rule}));
    }
    let tx = &case["tx"];
    let normal_form = hex::decode(case["normal_form_hex"].as_str()?).ok()?;
    Some(json!({
        "verdict": "yes",
        "from": case["from"],
        "to": case["to"],
        "amount": tx["Amounts"][0]["AmountEntry"]["Amount"],
        "regular_key": tx["RegularKey"],
        "instruction": case["instruction"],
        "date": case["date"],
        "email_id": case["email_id"],
        "normal_form_sha256": hex::encode_upper(codec::hash::sha256(&[&normal_form])),
    }))
}
