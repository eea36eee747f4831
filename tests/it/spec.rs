//! Citations of rules: `Spec: n.n` must name a rule of docs/spec.md.

use crate::{files, read};
use std::collections::BTreeSet;

/// Numbers of sections (`## 4 ...`) and rules (`4.1 ...` at the start of a line).
fn rules() -> BTreeSet<String> {
    let text = read("docs/spec.md");
    let number = |word: &str| {
        word.split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    text.lines()
        .map(|line| line.trim_start_matches("## "))
        .filter_map(|line| line.split(' ').next())
        .filter(|word| number(word))
        .map(str::to_owned)
        .collect()
}

/// Cited numbers with the file that cites them.
fn citations() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files(".", ".rs") {
        let text = std::fs::read_to_string(&path).expect("source");
        for rest in text.split("Spec: ").skip(1) {
            let cited = rest
                .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',' || c == ' '))
                .next();
            for number in cited.unwrap_or_default().split([',', ' ']) {
                let number = number.trim_matches('.');
                if !number.is_empty() {
                    found.push((number.to_owned(), path.display().to_string()));
                }
            }
        }
    }
    found
}

#[test]
fn every_citation_names_a_rule() {
    let rules = rules();
    assert!(rules.len() >= 50, "only {} rules found", rules.len());
    let wrong: Vec<_> = citations()
        .into_iter()
        .filter(|(number, _)| !rules.contains(number))
        .collect();
    assert_eq!(wrong, Vec::new());
}
