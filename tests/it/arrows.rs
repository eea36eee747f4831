//! The arrow table of docs/ARCHITECTURE.md against `cargo metadata`.

use crate::{packages, read, table_after};
use std::collections::{BTreeMap, BTreeSet};

fn name_of(value: &serde_json::Value) -> String {
    value["name"].as_str().expect("a name").to_owned()
}

#[test]
fn crates_use_only_what_their_row_names() {
    let mut actual: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let ours = |dependency: &&serde_json::Value| {
            dependency["path"].is_string() && dependency["kind"].as_str() != Some("dev")
        };
        let uses = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(ours);
        let uses = uses.map(name_of).collect();
        actual.insert(name_of(&package), uses);
    }
    let rows = table_after(&read("docs/ARCHITECTURE.md"), "## Arrows");
    let documented: BTreeMap<String, BTreeSet<String>> = rows
        .into_iter()
        .map(|row| {
            let uses = row[1]
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty());
            (row[0].clone(), uses.collect())
        })
        .collect();
    assert_eq!(
        actual, documented,
        "docs/ARCHITECTURE.md, Arrows, is not what the manifests say"
    );
}
