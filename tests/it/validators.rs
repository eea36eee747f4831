//! docs/validators.md: its run-book has each alarm of a validator and no other, its figures are those of
//! docs/measurements.md, and its fees those of the rules.

use crate::source::crates;
use crate::{read, table_after};
use std::collections::BTreeSet;

const GUIDE: &str = "docs/validators.md";

/// Crates whose log and metrics a validator has; of the program what runs a node.
fn of_a_validator() -> Vec<String> {
    let mut found = Vec::new();
    for (name, read) in crates() {
        let is_whole = ["node", "network", "ops", "rpc", "chain", "dns"].contains(&name.as_str());
        let files = read.files.into_iter();
        let files = files.filter(|file| is_whole || file.path.starts_with("src/commands/"));
        found.extend(files.map(|file| file.product));
    }
    assert!(found.len() > 50, "{} files", found.len());
    found
}

/// The text literals of a piece of source, as the program has them.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        if c != '"' {
            continue;
        }
        let mut text = String::new();
        while let Some(c) = chars.next().filter(|c| *c != '"') {
            match (c, if c == '\\' { chars.next() } else { None }) {
                ('\\', Some('\n')) => {
                    let rest = chars.as_str().trim_start();
                    chars = rest.chars();
                }
                ('\\', Some(escaped)) => text.push(escaped),
                (other, _) => text.push(other),
            }
        }
        found.push(text);
    }
    found
}

/// What stands between the brackets that open at the beginning; texts hold no lone bracket here.
fn within_brackets(source: &str) -> &str {
    let mut depth = 1_usize;
    for (at, c) in source.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &source[..at];
        }
    }
    source
}

/// Sentences of the log at `WARN` and `ERROR`.
fn lines_of_the_log() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in of_a_validator() {
        for level in ["tracing::warn!(", "tracing::error!("] {
            let calls = source.split(level).skip(1);
            found.extend(calls.filter_map(|rest| literals(within_brackets(rest)).pop()));
        }
    }
    found
}

/// The fixed parts of a sentence: what stands around its values.
fn parts(sentence: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        parts.push(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    parts.push(rest);
    parts
}

/// Whether a line is this sentence with some values.
fn is_said_by(line: &str, sentence: &str) -> bool {
    let parts = parts(sentence);
    let mut rest = line;
    for (at, part) in parts.iter().enumerate() {
        match rest.find(part) {
            Some(0) => rest = &rest[part.len()..],
            Some(place) if at > 0 => rest = &rest[place + part.len()..],
            Some(_) | None => return false,
        }
    }
    rest.is_empty()
}

/// First cells of the rows below a heading of the guide, without their marks.
fn alarms(heading: &str) -> Vec<String> {
    let text = read(GUIDE);
    let rows = table_after(&text, heading);
    rows.iter().map(|row| row[0].clone()).collect()
}

#[test]
fn every_line_of_the_log_has_an_entry_in_the_run_book_and_no_other() {
    let said = lines_of_the_log();
    assert!(said.len() > 30, "{} lines", said.len());
    let listed = alarms("### Lines of the log");
    let listed: Vec<&str> = listed.iter().map(|cell| cell.trim_matches('`')).collect();
    let has_entry = |sentence: &&String| listed.iter().any(|line| is_said_by(line, sentence));
    let missing: Vec<&String> = said.iter().filter(|sentence| !has_entry(sentence)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "{GUIDE}: say what to do");
    let is_said = |line: &&&str| said.iter().any(|sentence| is_said_by(line, sentence));
    let unknown: Vec<&&str> = listed.iter().filter(|line| !is_said(line)).collect();
    assert_eq!(unknown, Vec::<&&str>::new(), "{GUIDE}: nothing says this");
}

/// Words that are names of metrics of a validator.
fn is_metric(word: &str) -> bool {
    let named = ["node_", "network_"].iter().any(|begin| word.starts_with(begin));
    named && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[test]
fn every_metric_has_an_entry_in_the_run_book_and_no_other() {
    let mut named = BTreeSet::new();
    for source in of_a_validator()
        .iter()
        .filter(|source| source.contains("metrics::"))
    {
        for line in source
            .lines()
            .filter(|line| line.contains("const ") && line.contains(": &str ="))
        {
            named.extend(literals(line).into_iter().filter(|word| is_metric(word)));
        }
    }
    assert!(named.len() > 15, "{} metrics", named.len());
    let listed = alarms("### Metrics and health").join(" ");
    let listed: BTreeSet<String> = listed
        .split('`')
        .filter(|word| is_metric(word))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, named);
}

#[test]
fn figures_are_those_of_the_measurements() {
    let (guide, measured) = (read(GUIDE), read("docs/measurements.md"));
    let rows = table_after(&guide, "To a validator.");
    assert!(rows.len() >= 9, "{} figures", rows.len());
    for row in rows {
        for figure in row[1].split(" times ") {
            let figure = figure.trim_end_matches(" us");
            assert!(measured.contains(figure), "docs/measurements.md has no {figure}");
        }
        assert!(
            measured.contains(&row[2]),
            "docs/measurements.md has no heading {}",
            row[2]
        );
    }
}

// Spec: 9.
#[test]
fn fees_are_those_of_the_rules() {
    let guide = read(GUIDE);
    let rows = table_after(&guide, "To its sender (spec 9)");
    assert!(rows.len() >= 4, "{} fees", rows.len());
    let number = |cell: &str| cell.parse::<usize>().expect("a number");
    for row in rows {
        let fee = |live| {
            let fee = amendment::required_fee(codec::Drops::new(10), number(&row[0]), live);
            fee.map(|fee| fee.get().to_string())
        };
        assert_eq!(fee(number(&row[1])).as_deref(), Some(row[2].as_str()), "{row:?}");
        assert_eq!(fee(0).as_deref(), Some(row[3].as_str()), "{row:?}");
    }
}
