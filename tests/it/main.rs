//! What needs two crates, the built program, or the whole tree.

mod arrows;
mod circles;
mod conformance;
mod demo;
mod dns;
mod docs;
mod explain;
mod house;
mod interop;
mod kill;
mod localnet;
mod mutants;
mod network;
mod network_load;
mod network_spaces;
mod node_cli;
mod oracle;
mod planted;
mod relay_bad_input;
mod relay_cli;
mod relay_files;
mod relay_kill;
mod relay_nodes;
mod replay;
mod source;
mod spec;
mod support;
mod validators;
mod vectors;
mod world;
mod xrpl_oracle;

use std::path::{Path, PathBuf};

/// Root of the checkout.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Text of a file of the checkout.
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Packages of the workspace, as `cargo metadata` tells of them.
fn packages() -> Vec<serde_json::Value> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Files below a folder of the checkout whose name ends so, sorted; build output left out.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("name").to_string_lossy().into_owned();
            if path.is_dir() && !matches!(name.as_str(), "target" | ".git") {
                folders.push(path);
            } else if path.is_file() && name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Rows of the Markdown table that follows `heading`: cells, trimmed, without the two head rows.
fn table_after(text: &str, heading: &str) -> Vec<Vec<String>> {
    let from = text
        .find(heading)
        .unwrap_or_else(|| panic!("no heading {heading}"));
    text[from..]
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}
