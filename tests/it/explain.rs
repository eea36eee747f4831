//! What `explain` tells people, word for word: golden output for every reason for which a mail of the attack
//! set is refused, with every fix that is told for it.
//!
//! `XAHAU_EMAIL_WRITE_GOLDEN=1` rewrites the files; a reader judges what changed.

use crate::support::{Run, run};
use crate::{read, root};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A mail with its keys, and how it is to be judged.
struct Mail {
    name: String,
    folder: PathBuf,
    expect: Value,
}

impl Mail {
    fn read(folder: PathBuf) -> Mail {
        let json = |file: &str| -> Value {
            let text = std::fs::read(folder.join(file)).expect("a file");
            serde_json::from_slice(&text).expect("JSON")
        };
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        Mail {
            expect: json("expect.json"),
            name,
            folder,
        }
    }

    fn explain(&self, further: &[&str]) -> Run {
        let text = |path: &Path| path.to_str().expect("text").to_owned();
        let (mail, keys) = (
            text(&self.folder.join("email.eml")),
            text(&self.folder.join("keys.json")),
        );
        let (at, network) = (
            self.expect["at"].to_string(),
            self.expect["network_id"].to_string(),
        );
        let mut arguments = vec![
            "explain",
            &mail,
            "--keys",
            &keys,
            "--at",
            &at,
            "--network",
            &network,
        ];
        arguments.extend(further);
        run(&arguments)
    }
}

fn folders(below: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(below)).expect("a folder");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn check_golden(path: &str, found: &str) {
    if std::env::var_os("XAHAU_EMAIL_WRITE_GOLDEN").is_some() {
        std::fs::write(root().join(path), found).expect("written");
    }
    assert_eq!(found, read(path), "{path} (XAHAU_EMAIL_WRITE_GOLDEN=1 writes it)");
}

/// One block for every reason and every fix that is told for it: the first mail of the attack set that gets
/// them.
#[test]
fn every_reason_has_its_place_and_its_fix() {
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    for folder in folders("fixtures/cases") {
        let mail = Mail::read(folder);
        if mail.expect["qualifies"] == json!("yes") {
            continue;
        }
        let found = mail.explain(&["--json"]).json();
        let checks = found["checks"].as_array();
        let checks = checks.unwrap_or_else(|| panic!("{}: {found}", mail.name));
        let failed = checks
            .iter()
            .find(|check| check["verdict"] != json!("pass") && check["verdict"] != json!("skipped"));
        // The command line reads a file: LF as CRLF where there is no CR, and without an mbox separator.
        let Some(failed) = failed else {
            assert!(
                ["0137-mbox-from-line", "1402-bytes-lf-everywhere"].contains(&mail.name.as_str()),
                "{}",
                mail.name
            );
            continue;
        };
        let text = |member: &str| failed[member].as_str().unwrap_or_default().to_owned();
        let (rule, reason, fix) = (text("rule"), text("read"), text("fix"));
        assert!(
            (10..=300).contains(&fix.len()) && fix.bytes().all(|b| (b' '..=b'~').contains(&b)),
            "{}: {fix:?}",
            mail.name
        );
        let place = match failed["line"].as_u64() {
            Some(line) => format!("    line {line}: {}\n", text("excerpt")),
            None => String::new(),
        };
        let told = format!("{rule} {reason}\n    {}\n{place}    -> {fix}\n", mail.name);
        reasons.entry(format!("{rule} {reason} {fix}")).or_insert(told);
    }
    let told: Vec<String> = reasons.into_values().collect();
    check_golden("fixtures/explain/reasons.txt", &told.join("\n"));
}
