//! House rules that a machine can check.

use crate::source::{Crate, crates};
use crate::{files, read, table_after};
use std::collections::{BTreeMap, BTreeSet};

/// Crates that decide the same for the same input, wherever they run.
const PURE: [&str; 4] = ["amendment", "chain", "codec", "ledger"];
/// Lines of code that a file may have.
const FILE_LINES_MAX: usize = 550;

/// A line of code: file, number, text.
type Line = (String, usize, String);

/// Lines of code of a crate: without comments, blank lines and what only tests see.
fn code_lines(read: &Crate) -> Vec<Line> {
    let mut lines = Vec::new();
    for file in &read.files {
        let code = file.product.lines().enumerate();
        let code = code.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
        lines.extend(code.map(|(at, line)| (file.path.clone(), at + 1, line.to_owned())));
    }
    lines
}

/// Lines of code of a crate that hold one of the words.
fn offenders(read: &Crate, words: &[&str]) -> Vec<String> {
    code_lines(read)
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
fn pure_crates_know_no_world() {
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
        "redb",
        "hickory",
        "RwLock",
        "static mut",
        "thread_local",
    ];
    for name in PURE {
        let read = Crate::read(&format!("{name}/src/lib.rs"));
        assert_eq!(offenders(&read, &words), Vec::<String>::new());
    }
}

#[test]
fn wall_clock_is_read_in_one_place() {
    let mut found = Vec::new();
    for (_, read) in crates() {
        found.extend(offenders(&read, &["SystemTime::now"]));
    }
    found.retain(|line| !line.starts_with("src/clock.rs:"));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn pure_crates_deny_what_can_panic() {
    for path in ["amendment/src/lib.rs", "chain/src/lib.rs", "ledger/src/lib.rs"] {
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
}

/// The workspace denies unsafe code, and nothing but the C interface may lift that.
#[test]
fn c_interface_alone_may_allow_unsafe() {
    const EXCEPTION: &str = "capi/";
    let manifest = read("Cargo.toml");
    assert!(manifest.contains(concat!("unsafe", "_code = \"deny\"")));
    for path in files(".", ".rs").iter().chain(&files(".", "Cargo.toml")) {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).expect("source");
        let lint = concat!("unsafe", "_code");
        let is_lifted =
            |line: &str| line.contains(lint) && !line.contains("forbid") && !line.contains("deny");
        let is_exception = shown.contains(EXCEPTION);
        assert!(
            is_exception || !text.lines().any(is_lifted),
            "{shown} allows unsafe code"
        );
        if path.ends_with("Cargo.toml") && !shown.contains("/fuzz/") {
            assert!(
                text.contains("[lints]\nworkspace = true"),
                "{shown} has lints of its own"
            );
        }
    }
}

#[test]
fn files_can_be_read_in_one_go() {
    let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
    for (_, read) in crates() {
        for (file, _, _) in code_lines(&read) {
            *lengths.entry(file).or_default() += 1;
        }
    }
    lengths.retain(|_, lines| *lines > FILE_LINES_MAX);
    assert_eq!(lengths, BTreeMap::new(), "split these");
}

/// Columns that a line may have where rustfmt cannot break it; rustfmt.toml says what it fills.
const COLUMNS_MAX: usize = 120;

/// A line that cannot be broken: one with a text in it or within a text, or a row of a table.
fn is_of_one_piece(line: &str) -> bool {
    match line.trim_start().strip_prefix("//") {
        Some(comment) => comment.trim_start_matches(['/', '!', ' ']).starts_with('|'),
        None => line.contains('"') || line.ends_with('\\'),
    }
}

#[test]
fn lines_fit_a_screen() {
    let mut found = Vec::new();
    for path in files(".", ".rs") {
        let text = std::fs::read_to_string(&path).expect("source");
        let lines = text.lines().enumerate();
        let wide = lines.filter(|(_, line)| line.len() > COLUMNS_MAX && !is_of_one_piece(line));
        found.extend(wide.map(|(at, _)| format!("{}:{}", path.display(), at + 1)));
    }
    assert_eq!(found, Vec::<String>::new(), "wider than {COLUMNS_MAX} columns");
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
