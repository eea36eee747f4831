//! House rules that a machine can check.

use crate::{files, read, root, table_after};
use std::collections::BTreeSet;

/// Lines of code of a crate: comments, blank lines and everything after `#[cfg(test)]` left out.
fn code_lines(folder: &str) -> Vec<(String, usize, String)> {
    let mut lines = Vec::new();
    for path in files(folder, ".rs") {
        let shown = path
            .strip_prefix(root())
            .expect("below the root")
            .display()
            .to_string();
        if shown.contains("/tests/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("source");
        let code = text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .enumerate();
        lines.extend(
            code.filter(|(_, line)| !line.trim_start().starts_with("//"))
                .map(|(at, line)| (shown.clone(), at + 1, line.to_owned())),
        );
    }
    assert!(!lines.is_empty(), "no source below {folder}");
    lines
}

fn offenders(folder: &str, words: &[&str]) -> Vec<String> {
    code_lines(folder)
        .into_iter()
        .filter(|(_, _, line)| words.iter().any(|word| holds_word(line, word)))
        .map(|(file, at, line)| format!("{file}:{at}: {}", line.trim()))
        .collect()
}

/// The word stands in the line, and no letter before it: `rand::` is not in `Strand::`.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric()))
}

#[test]
fn verifier_and_ledger_know_no_world() {
    let words = [
        "SystemTime",
        "Instant",
        "std::time",
        "std::net",
        "std::fs",
        "std::env",
        "std::thread",
        "std::process",
        "HashMap",
        "HashSet",
        "f32",
        "f64",
        "rand::",
        "tokio",
        "static mut",
        "thread_local",
    ];
    for folder in ["amendment/src", "ledger/src", "codec/src"] {
        assert_eq!(offenders(folder, &words), Vec::<String>::new());
    }
}

#[test]
fn wall_clock_is_read_in_one_place() {
    let mut found = Vec::new();
    for folder in ["src", "node/src", "rpc/src", "relay/src"] {
        found.extend(offenders(folder, &["SystemTime::now"]));
    }
    found.retain(|line| !line.starts_with("src/clock.rs:"));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn verifier_and_ledger_deny_what_can_panic() {
    for path in ["amendment/src/lib.rs", "ledger/src/lib.rs"] {
        let text = read(path);
        for lint in [
            "clippy::unwrap_used",
            "clippy::expect_used",
            "clippy::indexing_slicing",
            "clippy::arithmetic_side_effects",
            "clippy::as_conversions",
            "clippy::panic",
        ] {
            assert!(text.contains(lint), "{path} does not deny {lint}");
        }
    }
    let text = read("Cargo.toml");
    assert!(text.contains("unsafe_code = \"forbid\""));
}

#[test]
fn source_is_ascii() {
    for path in files(".", ".rs") {
        let text = std::fs::read_to_string(&path).expect("source");
        let line = text.lines().position(|line| !line.is_ascii());
        assert_eq!(line, None, "{} is not ASCII", path.display());
    }
}

#[test]
fn no_test_is_ignored_and_no_stub_is_left() {
    let words = [
        concat!("#[ig", "nore"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
    ];
    for path in files(".", ".rs") {
        let text = std::fs::read_to_string(&path).expect("source");
        assert!(
            !words.iter().any(|word| text.contains(word)),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let rows = table_after(&read("docs/dependencies.md"), "# Why each");
    let documented: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| {
            row[0]
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let manifest = read("Cargo.toml");
    let section = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .expect("section");
    let section = section.split("\n[").next().expect("section");
    let used: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| !value.contains("path ="))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(
        used, documented,
        "docs/dependencies.md is not what Cargo.toml says"
    );
}
