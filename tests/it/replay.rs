//! `xahau-email ledger replay`: what must differ is named and no failure, any other difference is one.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Run, run};

fn record(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/golden")
        .join(path)
}

fn replay(files: &[&Path]) -> Run {
    let names = files.iter().map(|file| file.to_str().expect("a name in Unicode"));
    let arguments: Vec<&str> = ["ledger", "replay", "--json"].into_iter().chain(names).collect();
    run(&arguments)
}

#[test]
fn accepts_records_that_are_equal_or_must_differ() {
    let run = replay(&[
        &record("xahaud2/cases/297_emptyline_pay_more_than_held_issuer.json"),
        &record("xahaud2/cases/264_inv_unknown_type.json"),
        &record("xahaud-email/cases/001_keyset_six_names.json"),
    ]);
    let answer = run.json();
    assert_eq!(run.code, 0, "{answer}");
    assert_eq!(
        (&answer["equal"], &answer["must_differ"], &answer["total"]),
        (&Value::from(2), &Value::from(1), &Value::from(3))
    );
    assert_eq!(
        answer["cases"][1]["must_differ"],
        "transactions of type OfferCreate are not supported"
    );
}

#[test]
fn rejects_a_record_that_differs() {
    let path = record("xahaud2/cases/297_emptyline_pay_more_than_held_issuer.json");
    let text = std::fs::read_to_string(path).expect("fixture");
    let folder = tempfile::tempdir().expect("a folder");
    let changed = folder.path().join("changed.json");
    std::fs::write(&changed, text.replace("tecPATH_PARTIAL", "tecPATH_DRY")).expect("written");
    let run = replay(&[&changed]);
    assert_eq!(run.code, 1);
    assert_eq!(run.json()["cases"][0]["differs"], "engine_result");
}
