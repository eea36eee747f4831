//! The codec against what xahaud wrote: every blob, entry and metadata of the recorded cases.

use codec::{decode, encode, json, tx};
use serde_json::Value as Json;
use std::path::PathBuf;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/golden/xahaud")
}

fn cases() -> Vec<(String, Json)> {
    let mut cases: Vec<_> = std::fs::read_dir(fixtures().join("cases"))
        .expect("fixtures")
        .map(|entry| entry.expect("entry").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("case");
            (
                path.file_name().expect("name").to_string_lossy().into_owned(),
                serde_json::from_str(&text).expect("JSON"),
            )
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(cases.len(), 86);
    cases
}

fn bytes(json: &Json) -> Vec<u8> {
    hex::decode(json.as_str().expect("hex text")).expect("hex")
}

/// What JSON answers add to a transaction beside its fields.
fn without_extras(json: &Json) -> Json {
    let mut map = json.as_object().expect("object").clone();
    for name in [
        "hash",
        "index",
        "ctid",
        "date",
        "inLedger",
        "ledger_index",
        "meta",
        "validated",
        "delivered_amount",
    ] {
        map.remove(name);
    }
    Json::Object(map)
}

#[test]
fn transactions_have_the_recorded_bytes_json_and_id() {
    for (name, case) in cases() {
        let blob = bytes(&case["tx_blob"]);
        let object = decode(&blob).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(encode(&object), blob, "{name}");
        let signed = without_extras(&case["tx_json_signed"]);
        // Case 097 records the id of the blob before it was tampered with.
        if name.starts_with("097") {
            continue;
        }
        assert_eq!(json::to_json(&object), signed, "{name}");
        assert_eq!(json::from_json(&signed).as_ref(), Ok(&object), "{name}");
        assert_eq!(tx::id(&object).to_string(), case["hash"], "{name}");
    }
}

#[test]
fn metadata_has_the_recorded_bytes_and_json() {
    let mut seen = 0;
    for (name, case) in cases() {
        let Some(meta) = case["tx_binary"]["meta"].as_str() else {
            continue;
        };
        let meta = hex::decode(meta).expect("hex");
        let object = decode(&meta).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(encode(&object), meta, "{name}");
        assert_eq!(
            json::to_json(&object),
            without_extras(&case["tx"]["meta"]),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, 70);
}

#[test]
fn state_entries_have_the_recorded_bytes() {
    for (name, case) in cases() {
        for side in ["state_before", "state_after"] {
            let entries: Vec<Vec<u8>> = match &case[side] {
                Json::Array(list) => list.iter().map(|entry| bytes(&entry["data"])).collect(),
                Json::Object(map) => map.values().map(bytes).collect(),
                other => panic!("{name}: {side} is {other}"),
            };
            for entry in entries {
                let object = decode(&entry).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(encode(&object), entry, "{name}");
            }
        }
    }
}
