//! The C++ of a port (cpp/), compiled against the minimal server and run: its own suites, and what a real server
//! recorded (fixtures/golden). Where no C++ compiler is found it passes with a notice, except on CI.

#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use codec::{Ter, sf};
use serde_json::Value;

fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo put this test and the static library of the crate.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.parent().expect("a folder").to_owned()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Whether there is a compiler. On CI there must be.
fn has_compiler() -> bool {
    if is_there("g++") {
        return true;
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci.is_empty()),
        "g++ is missing"
    );
    // Not eprintln, whose words are not shown where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "\nNOTICE: the C++ of a port was not compiled: g++ is missing (tests/tools.sh installs it)\n"
    );
    false
}

fn checked(command: &mut Command) -> Output {
    let output = command.output().expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}\n{told}\n{said}");
    output
}

/// Compiles and links cpp/tests/*.cpp, as one file: most of the time goes into the standard library's headers.
fn compiled(folder: &Path) -> PathBuf {
    let mut sources: Vec<PathBuf> = std::fs::read_dir(crate_root().join("cpp/tests"))
        .expect("cpp/tests")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "cpp"))
        .collect();
    sources.sort();
    let all: String = sources
        .iter()
        .map(|source| format!("#include \"{}\"\n", source.display()))
        .collect();
    let source = folder.join("suites.cpp");
    std::fs::write(&source, all).expect("written");
    let program = folder.join("suites");
    let mut command = Command::new("g++");
    command
        .args(["-std=c++20", "-O0", "-Wall", "-Wextra", "-Werror"])
        .arg("-DXAHAU_EMAIL_MINIMAL")
        .arg("-I")
        .arg(crate_root().join("include"))
        .arg(source)
        .arg(built().join("libxahau_email.a"))
        .args(["-pthread", "-ldl", "-lm"])
        .arg("-o")
        .arg(&program);
    checked(&mut command);
    program
}

#[test]
fn cpp_of_a_port_does_what_a_server_recorded() {
    if !has_compiler() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let cases = folder.path().join("cases");
    std::fs::write(&cases, recorded_cases()).expect("written");
    let program = compiled(folder.path());
    let output = checked(Command::new(program).env("XAHAU_EMAIL_CASES", &cases));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("Recorded: "), "{told}");
}

/// The recorded ledgers as lines of words, which C++ reads without a parser of JSON.
///
/// | line | words |
/// |---|---|
/// | case | name |
/// | ledger | index of the ledger; close time and hash of its parent |
/// | entry | of the parent: index, bytes |
/// | tx | hash, bytes, result or `-` where only the state tells it, what its memo holds or `-` |
/// | after | an entry that the ledger changed: index, bytes or `-` where it is gone |
fn recorded_cases() -> String {
    let cases = crate_root().join("../../fixtures/golden/xahaud-email/cases");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(cases)
        .expect("fixtures")
        .map(|entry| entry.expect("entry").path())
        .collect();
    paths.sort();
    let mut lines = String::new();
    for path in paths {
        let record: Value = serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        write_case(&record, &mut lines);
    }
    lines
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn write_case(record: &Value, lines: &mut String) {
    let mut line = |words: String| writeln!(lines, "{words}").expect("text");
    let parent = &record["parent_header"];
    let index: u32 = text(&parent["ledger_index"]).parse().expect("a number");
    line(format!("case {}_{}", record["n"], text(&record["name"])));
    line(format!(
        "ledger {} {} {}",
        index + 1,
        parent["close_time"],
        text(&parent["ledger_hash"])
    ));
    for entry in record["state_before"].as_array().expect("state") {
        line(format!(
            "entry {} {}",
            text(&entry["index"]),
            text(&entry["data"])
        ));
    }
    let single = [record.clone()];
    let rows = record["transactions"]
        .as_array()
        .map_or(&single[..], Vec::as_slice);
    let mut rows: Vec<_> = rows.iter().map(|row| (in_ledger(record, row), row)).collect();
    rows.sort_by_key(|(done, _)| done.map(|(index, _)| index));
    for (done, row) in rows {
        let at_the_door = || Ter::from_token(row["submit"]["engine_result"].as_str()?);
        let code = done.map(|(_, code)| code).or_else(|| Some(at_the_door()?.code()));
        let code = code.map_or("-".to_owned(), |code| code.to_string());
        let blob = text(&row["tx_blob"]);
        line(format!("tx {} {blob} {code} {}", text(&row["hash"]), memo(blob)));
    }
    for entry in record["state_changes"].as_array().into_iter().flatten() {
        line(format!(
            "after {} {}",
            text(&entry["index"]),
            entry["data"].as_str().unwrap_or("-")
        ));
    }
}

/// MemoData of a transaction, `-` without.
fn memo(tx: &str) -> String {
    let tx = codec::decode(&hex::decode(tx).expect("hex")).expect("a transaction");
    let memos = tx.array(sf::MEMOS).unwrap_or_default();
    let memo = memos.first().and_then(|(_, memo)| memo.blob(sf::MEMO_DATA));
    memo.map_or("-".to_owned(), hex::encode_upper)
}

/// Place in the ledger, and result, of a transaction that is in it.
fn in_ledger(record: &Value, row: &Value) -> Option<(u32, i32)> {
    let all = record["ledger"]["header_binary"]["transactions"]
        .as_array()
        .into_iter()
        .flatten();
    let here = all
        .filter(|other| other["tx_blob"] == row["tx_blob"])
        .find_map(|other| other["meta"].as_str());
    let meta = row["tx_binary"]["meta"].as_str().or(here)?;
    let meta = codec::decode(&hex::decode(meta).expect("hex")).expect("metadata");
    Some((
        meta.u32(sf::TRANSACTION_INDEX)?,
        meta.u8(sf::TRANSACTION_RESULT)?.into(),
    ))
}
