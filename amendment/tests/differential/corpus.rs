//! The mails that all programs judge: fixtures/cases, fixtures/vectors, and what is made of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, TxtRecords};
use codec::CloseTime;
use serde_json::Value;

/// TXT records by DNS name in lower case, each with its strings joined.
pub(crate) type Keys = BTreeMap<String, Vec<Vec<u8>>>;

/// One question to a verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Folder or file.
    pub name: String,
    /// The mail.
    pub mail: Vec<u8>,
    /// What DNS says.
    pub keys: Keys,
    /// The time in Unix seconds.
    pub at: u64,
    /// For which network.
    pub network_id: u32,
}

impl Sample {
    /// The time as the ledger has it.
    pub(crate) fn close_time(&self) -> CloseTime {
        CloseTime::from_unix(self.at).expect("after 2000")
    }

    /// The records as our verifier takes them.
    pub(crate) fn records(&self) -> TxtRecords {
        let mut table = TxtRecords::new();
        for (name, records) in &self.keys {
            match records.as_slice() {
                [] => table.insert_answer(name, KeyAnswer::Absent),
                [one] => table.insert(name, one),
                _ => table.insert_answer(name, KeyAnswer::Unusable(KeyRecordError::Several)),
            }
        }
        table
    }
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Each character of a record is one byte.
fn record(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a record");
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).expect("one byte"))
        .collect()
}

/// Every folder of fixtures/cases.
pub(crate) fn cases() -> Vec<Sample> {
    let folder = fixtures().join("cases");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    let read = |name: String| {
        let path = folder.join(&name);
        let expect = json(&path.join("expect.json"));
        let table = json(&path.join("keys.json"));
        let keys = table.as_object().expect("a table").iter().map(|(name, records)| {
            let records = records.as_array().expect("a list").iter().map(record).collect();
            (name.to_ascii_lowercase(), records)
        });
        Sample {
            mail: std::fs::read(path.join("email.eml")).expect("a mail"),
            keys: keys.collect(),
            at: expect["at"].as_u64().expect("a time"),
            network_id: u32::try_from(expect["network_id"].as_u64().expect("a network")).expect("32 bits"),
            name,
        }
    };
    names.into_iter().map(read).collect()
}

/// Every mail of fixtures/vectors/mail.
pub(crate) fn vectors() -> Vec<Sample> {
    let folder = fixtures().join("vectors/mail");
    let table = json(&folder.join("vectors.json"));
    let keys: Keys = table["keys"]
        .as_object()
        .expect("a table")
        .iter()
        .map(|(name, text)| (name.to_ascii_lowercase(), vec![record(text)]))
        .collect();
    let at = table["clock"]["unix"].as_u64().expect("a time");
    let cases = table["cases"].as_array().expect("a list");
    cases
        .iter()
        .map(|case| {
            let file = case["file"].as_str().expect("a file");
            let network = case["network_id"].as_u64().unwrap_or(21_337);
            Sample {
                name: file.to_owned(),
                mail: std::fs::read(folder.join(file)).expect("a mail"),
                keys: keys.clone(),
                at,
                network_id: u32::try_from(network).expect("32 bits"),
            }
        })
        .collect()
}
