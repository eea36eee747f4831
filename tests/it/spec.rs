//! Citations of rules: `Spec: n.n` must name a rule of docs/spec.md; and every rule of sections 2 to 11 is
//! cited at the code that holds it, has a test that accepts and one that rejects, and a mutant.

use crate::mutants::mutants;
use crate::source::{File, crates};
use crate::{files, read, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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

/// Numbers that a text cites.
fn cited(text: &str) -> impl Iterator<Item = String> {
    text.split("Spec: ").skip(1).flat_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',' || c == ' '));
        rest[..end.unwrap_or(rest.len())]
            .split([',', ' '])
            .map(|number| number.trim_matches('.').to_owned())
            .filter(|number| !number.is_empty())
    })
}

/// Cited numbers with the file that cites them.
fn citations() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in files(".", ".rs") {
        let text = std::fs::read_to_string(&path).expect("source");
        found.extend(cited(&text).map(|number| (number, path.display().to_string())));
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

/// What a rule needs to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// `Spec: n.n` at the code that holds it.
    Citation,
    /// A test of what it lets pass.
    Accept,
    /// A test of what it refuses.
    Reject,
    /// A row of tests/mutants.toml.
    Mutant,
}

const NEEDS: [Need; 4] = [Need::Citation, Need::Accept, Need::Reject, Need::Mutant];

/// What a rule does not have, and why. A row that is no longer needed fails.
const EXCEPTIONS: [(&str, &[Need], &str); 1] = [(
    "2.3",
    &[Need::Reject],
    "it computes a value and refuses nothing; the vectors hold it",
)];

/// What there is: rule and need.
type Evidence = BTreeSet<(String, Need)>;

/// Rules of sections 2 to 11; a section without numbered rules is one itself.
fn rules_to_hold() -> BTreeSet<String> {
    let rules = rules();
    let is_whole = |section: &str| !rules.iter().any(|rule| rule.starts_with(&format!("{section}.")));
    let holds = |rule: &&String| {
        let section = rule.split('.').next().unwrap_or_default();
        let within = section
            .parse()
            .is_ok_and(|number: u32| (2..=11).contains(&number));
        within && (rule.contains('.') || is_whole(rule))
    };
    rules.iter().filter(holds).cloned().collect()
}

/// Citations in the crates' own code, without its tests, and without the lists of reasons and bounds: what
/// they name is held elsewhere.
fn cited_at_code(found: &mut Evidence) {
    for (_, read) in crates() {
        let is_list = |file: &&File| file.path.ends_with("refusal.rs") || file.path.ends_with("limits.rs");
        for file in read.files.iter().filter(|file| !is_list(file)) {
            found.extend(cited(&file.product).map(|rule| (rule, Need::Citation)));
        }
    }
}

/// Test functions with `Spec: n.n` in the comment above: a name that holds `accepts` or `rejects` says for
/// what.
fn cited_at_tests(found: &mut Evidence) {
    for path in files(".", ".rs") {
        let text = std::fs::read_to_string(&path).expect("source");
        let mut comment = String::new();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("//") {
                comment.push_str(line);
                comment.push('\n');
            } else if line.starts_with("#[") {
                is_test |= line.contains("test]");
            } else {
                let name = line.split("fn ").nth(1).filter(|_| is_test).unwrap_or_default();
                let words: Vec<_> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
                for (word, need) in [("accepts", Need::Accept), ("rejects", Need::Reject)] {
                    if words.contains(&word) {
                        found.extend(cited(&comment).map(|rule| (rule, need)));
                    }
                }
                comment.clear();
                is_test = false;
            }
        }
    }
}

/// fixtures/cases: a refused mail for its rule, an accepted one for the rules of its why.md.
fn in_cases(found: &mut Evidence) {
    for path in files("fixtures/cases", "expect.json") {
        let text = std::fs::read_to_string(&path).expect("a case");
        let expect: Value = serde_json::from_str(&text).expect("JSON");
        match expect["rule"].as_str() {
            Some(rule) => {
                found.insert((rule.to_owned(), Need::Reject));
            }
            None => {
                let why = std::fs::read_to_string(path.with_file_name("why.md")).expect("a reason");
                found.extend(cited(&why).map(|rule| (rule, Need::Accept)));
            }
        }
    }
}

/// fixtures/vectors/mail: refused mails, and memos that rule 3.5 lets pass or refuses.
fn in_vectors(found: &mut Evidence) {
    let vectors: Value =
        serde_json::from_str(&read("fixtures/vectors/mail/vectors.json")).expect("the vectors");
    for list in ["cases", "memos"] {
        for case in vectors[list].as_array().expect("a list") {
            if let Some(rule) = case["rule"].as_str() {
                found.insert((rule.to_owned(), Need::Reject));
            } else if list == "memos" {
                found.insert(("3.5".to_owned(), Need::Accept));
            }
        }
    }
}

#[test]
fn every_rule_is_cited_and_tested_and_has_a_mutant() {
    let mut found = Evidence::new();
    cited_at_code(&mut found);
    cited_at_tests(&mut found);
    in_cases(&mut found);
    in_vectors(&mut found);
    found.extend(mutants().into_iter().map(|mutant| (mutant.rule, Need::Mutant)));
    let rules = rules_to_hold();
    assert!(rules.len() >= 44, "{rules:?}");
    let excepted: BTreeMap<&str, &[Need]> = EXCEPTIONS
        .iter()
        .map(|(rule, needs, _)| (*rule, *needs))
        .collect();
    let mut problems = Vec::new();
    for rule in &rules {
        for need in NEEDS {
            let is_excepted = excepted
                .get(rule.as_str())
                .is_some_and(|needs| needs.contains(&need));
            match (found.contains(&(rule.clone(), need)), is_excepted) {
                (false, false) => problems.push(format!("rule {rule}: no {need:?}")),
                (true, true) => {
                    problems.push(format!("rule {rule}: the exception for {need:?} is not needed"))
                }
                _ => {}
            }
        }
    }
    problems.extend(
        excepted
            .keys()
            .filter(|rule| !rules.contains(**rule))
            .map(|rule| format!("no rule {rule}")),
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Every mutant stands for a rule that there is, in a file that cites it.
#[test]
fn every_mutant_is_of_a_rule_that_its_file_cites() {
    let rules = rules();
    for mutant in mutants() {
        assert!(
            rules.contains(&mutant.rule),
            "{}: no rule {}",
            mutant.name,
            mutant.rule
        );
        let text = std::fs::read_to_string(root().join(&mutant.file)).expect("source");
        assert!(
            cited(&text).any(|rule| rule == mutant.rule),
            "{}: {} does not cite {}",
            mutant.name,
            mutant.file,
            mutant.rule
        );
    }
}
