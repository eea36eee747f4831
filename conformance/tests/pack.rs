//! The pack against this program's own answers, and its files against what reads them.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use conformance::kinds::{KINDS, Kind};
use conformance::{AnswerError, Pack, PackError, answer};
use serde_json::{Value, json};

fn pack() -> &'static Pack {
    static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::build().expect("the fixtures are whole"));
    &PACK
}

/// A pack of addresses alone, which is quickly written.
fn small() -> Pack {
    Pack {
        vectors: pack().of("address").cloned().collect(),
    }
}

#[test]
fn every_vector_is_answered_as_it_says() {
    let pack = pack();
    let mut differences = Vec::new();
    for vector in &pack.vectors {
        let found = answer(&vector.kind, &vector.input);
        if found.as_ref() != Ok(&vector.output) {
            differences.push(format!(
                "{} {}: {} / {found:?}",
                vector.kind, vector.name, vector.output
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        pack.vectors.len(),
        differences.join("\n")
    );
}

/// A kind with few vectors proves little; each has some that refuse where it can.
#[test]
fn every_kind_has_vectors_with_names_of_their_own_and_no_other_members() {
    let pack = pack();
    for vector in &pack.vectors {
        let Kind { input, output, .. } = conformance::kinds::kind(&vector.kind).expect("a kind of the table");
        for (value, members) in [(&vector.input, input), (&vector.output, output)] {
            let value = value.as_object().expect("an object");
            let known = |name: &String| members.iter().any(|(member, _)| member == name);
            assert!(
                value.keys().all(known),
                "{} {}: {value:?}",
                vector.kind,
                vector.name
            );
        }
    }
    for kind in KINDS {
        let names: BTreeSet<&str> = pack.of(kind.name).map(|vector| vector.name.as_str()).collect();
        assert_eq!(
            names.len(),
            pack.of(kind.name).count(),
            "{}: a name twice",
            kind.name
        );
        assert!(names.len() >= 5, "{}: {} vectors", kind.name, names.len());
    }
}

#[test]
fn a_folder_reads_back_as_it_was_written_and_is_the_same_each_time() {
    let (pack, folder) = (pack(), tempfile::tempdir().expect("a folder"));
    assert!(pack.files() == Pack::build().expect("again").files());
    let new = folder.path().join("a/new/one");
    pack.write(&new).expect("into a new folder");
    pack.write(&new).expect("over an earlier pack");
    assert!(Pack::read(&new).expect("a pack") == *pack, "another pack is read");
}

/// The message, once a file of a good pack was changed.
fn broken(file: &str, change: impl Fn(String) -> String) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    small().write(folder.path()).expect("written");
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).expect("text");
    std::fs::write(&path, change(text)).expect("written");
    Pack::read(folder.path()).expect_err("a broken pack").to_string()
}

fn with(member: &str, value: &Value) -> impl Fn(String) -> String {
    move |text| {
        let mut json: Value = serde_json::from_str(&text).expect("JSON");
        json[member] = value.clone();
        json.to_string()
    }
}

#[test]
fn rejects_folders_that_hold_no_pack_of_these_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |path: &Path| Pack::read(path).expect_err("no pack").to_string();
    assert!(read(&folder.path().join("nowhere")).contains("nowhere"));
    assert!(read(folder.path()).contains("'xahau-email conformance export'"));

    let cut = |text: String| text[..text.len() / 2].to_owned();
    let error = broken("address.json", cut);
    assert!(
        error.contains("address.json: line ") && error.contains("no JSON"),
        "{error}"
    );
    assert!(broken("index.json", |_| "[]".to_owned()).contains("\"format\" and \"rules\""));
    assert!(broken("index.json", with("rules", &json!(2))).contains("rules version 2"));
    assert!(
        broken("verdict.json", with("rules", &json!(2)))
            .contains("verdict.json: the vectors are of rules version 2")
    );
    assert!(broken("index.json", with("format", &json!(9))).contains("form 9"));
    assert!(broken("address.json", with("vectors", &json!([]))).contains("0 vectors of \"address\""));
    assert!(
        broken("address.json", with("vectors", &json!([{"name": "x"}])))
            .contains("vector 1 has no \"about\"")
    );
    let kinds = json!([{"kind": "../address", "vectors": 1}]);
    assert!(broken("index.json", with("kinds", &kinds)).contains("no file name"));
    assert!(broken("address.json", |_| String::new()).contains("address.json"));
}

#[test]
fn rejects_a_folder_that_holds_something_else() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("letter.txt"), "dear").expect("written");
    let error = pack().write(folder.path()).expect_err("occupied");
    assert!(matches!(error, PackError::Occupied { .. }), "{error}");
    assert!(!folder.path().join("index.json").exists());
}

#[test]
fn rejects_questions_that_cannot_be_read() {
    let unknown = answer("riddle", &json!({}));
    assert_eq!(unknown, Err(AnswerError::UnknownKind("riddle".to_owned())));
    for kind in KINDS {
        for input in [json!(null), json!([]), json!({}), json!("x")] {
            let answered = answer(kind.name, &input);
            assert!(
                matches!(answered, Err(AnswerError::Member(_))),
                "{}: {answered:?}",
                kind.name
            );
        }
    }
    let odd = answer(
        "verdict",
        &json!({"mail": "0", "keys": {}, "network_id": 1, "now": 1}),
    );
    assert_eq!(odd, Err(AnswerError::Member("mail")));
}

/// With XAHAU_EMAIL_WRITE_GOLDEN=1 the document is written anew.
#[test]
fn the_document_shows_every_kind() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/conformance.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let (before, tables) = text.split_once("## Kinds\n\n").expect("its last section");
    if std::env::var_os("XAHAU_EMAIL_WRITE_GOLDEN").is_some() {
        let text = format!("{before}## Kinds\n\n{}", conformance::kinds::tables());
        std::fs::write(path, text).expect("the document is written");
        return;
    }
    assert!(
        tables == conformance::kinds::tables(),
        "write it anew: XAHAU_EMAIL_WRITE_GOLDEN=1 cargo test -p conformance"
    );
}
