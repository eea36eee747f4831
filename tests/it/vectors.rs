//! `address` and `explain` against the vectors, which an independent Python program made from the
//! specification.

use crate::support::{run, run_with_input};
use crate::{read, root};
use serde_json::{Value, json};

#[test]
fn address_gives_the_vectors() {
    let vectors: Value = serde_json::from_str(&read("fixtures/vectors/addresses.json")).expect("JSON");
    for row in vectors["accept"].as_array().expect("list") {
        let found = run(&["address", "--json", row["address"].as_str().expect("text")]);
        assert_eq!(found.code, 0, "{row}: {}", found.err);
        let found = &found.json()["addresses"][0];
        for name in ["canonical", "account_id", "r_address"] {
            assert_eq!(found[name], row[name], "{row}");
        }
        assert_eq!(found["can_send"], json!(true), "{row}");
    }
    let rejected = vectors["reject"].as_array().expect("list");
    assert_eq!(rejected.len(), 22);
    for address in rejected {
        let found = run(&["address", "--json", "--", address.as_str().expect("text")]);
        assert_eq!(found.code, 1, "{address}: {}", found.out);
        assert!(
            found.json()["addresses"][0]["rule"]
                .as_str()
                .is_some_and(|rule| rule.starts_with('2')),
            "{address}"
        );
    }
}

fn mail_vectors() -> Value {
    serde_json::from_str(&read("fixtures/vectors/mail/vectors.json")).expect("JSON")
}

fn keys_file(vectors: &Value) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), vectors["keys"].to_string()).expect("written");
    file
}

/// The number of a rule without its section's dot matters; 4.5 and 3.3 are what they are.
fn explain(vectors: &Value, keys: &tempfile::NamedTempFile, case: &Value) -> crate::support::Run {
    let mail = root()
        .join("fixtures/vectors/mail")
        .join(case["file"].as_str().expect("file"));
    run(&[
        "explain",
        "--json",
        "--keys",
        keys.path().to_str().expect("path"),
        "--at",
        &vectors["clock"]["unix"].to_string(),
        "--network",
        &case["network_id"].to_string(),
        mail.to_str().expect("path"),
    ])
}

#[test]
fn explain_agrees_with_the_independent_reading() {
    let vectors = mail_vectors();
    let keys = keys_file(&vectors);
    let cases = vectors["cases"].as_array().expect("list");
    assert_eq!(cases.len(), 94);
    for case in cases {
        let run = explain(&vectors, &keys, case);
        let found = run.json();
        let why = format!("{} ({}): {}", case["file"], case["why"], found["checks"]);
        assert_eq!(found["qualifies"], case["accept"], "{why}");
        assert_eq!(run.code, if case["accept"] == true { 0 } else { 1 }, "{why}");
        assert_eq!(found["rule"], case["rule"], "{why}");
        if case["accept"] == false {
            continue;
        }
        assert_eq!(found["from"]["address"], case["from"]["address"], "{why}");
        assert_eq!(found["from"]["account"], case["from"]["account"], "{why}");
        assert_eq!(found["to"]["account"], case["to"]["account"], "{why}");
        assert_eq!(found["to"]["address"], case["to"]["address"], "{why}");
        assert_eq!(found["instruction"], case["instruction"], "{why}");
        assert_eq!(found["email_id"], case["email_id"], "{why}");
        let expected = case["tx"].as_object().expect("transaction");
        for (name, value) in expected {
            assert_eq!(&found["transaction"][name], value, "{why}");
        }
    }
}

#[test]
fn explain_reads_standard_input_and_names_what_it_cannot_read() {
    let vectors = mail_vectors();
    let keys = keys_file(&vectors);
    let case = &vectors["cases"][0];
    let mail = std::fs::read(
        root()
            .join("fixtures/vectors/mail")
            .join(case["file"].as_str().expect("file")),
    );
    let at = vectors["clock"]["unix"].to_string();
    let keys_path = keys.path().to_str().expect("path");
    let arguments = [
        "explain",
        "-",
        "--json",
        "--keys",
        keys_path,
        "--at",
        &at,
        "--network",
        "21337",
    ];
    assert_eq!(
        run_with_input(&arguments, &mail.expect("mail")).json()["qualifies"],
        json!(true)
    );
    let missing = run(&["explain", "/nowhere/mail.eml", "--json", "--keys", keys_path]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.json()["error"]
            .as_str()
            .is_some_and(|error| error.contains("/nowhere/mail.eml"))
    );
    assert!(missing.err.contains("/nowhere/mail.eml"), "{}", missing.err);
    let no_key = run_with_input(
        &[
            "explain",
            "-",
            "--json",
            "--keys",
            "/dev/null",
            "--at",
            &at,
            "--network",
            "21337",
        ],
        b"x",
    );
    assert_eq!(no_key.code, 2);
    assert!(no_key.err.contains("/dev/null"), "{}", no_key.err);
}

#[test]
fn explain_cannot_tell_where_the_key_is_absent() {
    let vectors = mail_vectors();
    let empty = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(empty.path(), "{}").expect("written");
    let run = explain(&vectors, &empty, &vectors["cases"][0]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert_eq!(run.json()["code"], json!("terNO_DKIM_KEY"));
    assert_eq!(run.json()["qualifies"], Value::Null);
}
