//! Bugs that only a whole network shows, put into a copy of it: the simulation must find each of `tests/planted.toml`.

use crate::mutants::{Mutant, binary_of, command_with, list, target_folder, tree_with};
use crate::read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says that the long tests are to run. `.ci/run --long` sets it.
const LONG: &str = "XAHAU_EMAIL_LONG";
/// Seeds within which each is found.
const SEEDS: u32 = 200;

fn planted() -> Vec<Mutant> {
    list("tests/planted.toml")
}

/// The simulation with all of them in it.
fn build(tree: &Path) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "test",
            "--release",
            "--no-run",
            "--locked",
            "--offline",
            "--message-format=json",
        ])
        .args(["--package=network", "--test=it", "--target-dir"])
        .arg(target_folder())
        .current_dir(tree)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the simulation with its bugs does not build\n{said}"
    );
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = told.lines().filter_map(|line| serde_json::from_str(line).ok());
    let binary = messages.filter_map(|message| binary_of(&message)).next_back();
    binary.expect("a test binary").1
}

/// How many seeds the simulation played until one failed; `None` where none did.
fn found_after(binary: &Path, tree: &Path, number: Option<usize>, seeds: u32) -> Option<usize> {
    let output = command_with(binary, number)
        .args(["--nocapture", "a_network_that_is_mended"])
        .env("XAHAU_EMAIL_SEEDS", format!("0..{seeds}"))
        .current_dir(tree.join("network"))
        .output()
        .expect("a test binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = said
        .lines()
        .any(|line| line.starts_with("seed ") && line.contains(" fails; again: "));
    assert_eq!(
        failed,
        !output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let played = said.lines().filter(|line| line.starts_with("seed ")).count();
    failed.then_some(played)
}

/// Always runs: a bug whose place was changed is found at once, not by the long run.
#[test]
fn planted_bugs_have_their_place() {
    for bug in planted() {
        assert!(
            bug.place(&read(&bug.file)).is_ok(),
            "{}: adapt tests/planted.toml",
            bug.name
        );
    }
}

#[test]
fn the_simulation_finds_planted_bugs() {
    if std::env::var_os(LONG).is_none() {
        eprintln!("not run: {LONG} is not set");
        return;
    }
    let bugs = planted();
    let tree = tree_with("planted", &bugs);
    let binary = build(&tree);
    assert_eq!(found_after(&binary, &tree, None, 4), None, "without any of them");
    for (index, bug) in bugs.iter().enumerate() {
        let found = found_after(&binary, &tree, Some(index + 1), SEEDS);
        let seeds = found.unwrap_or_else(|| panic!("{} is not found in {SEEDS} seeds", bug.name));
        eprintln!("{} is found after {seeds} seeds", bug.name);
    }
}
