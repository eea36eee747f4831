//! The crates that the library is made of stand in CRATES.md with their licences; XAHAU_EMAIL_WRITE_GOLDEN=1 writes
//! it anew.

#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Fewer than so many, ours included.
const CRATES_MAX: usize = 40;

#[test]
fn library_is_made_of_these_crates() {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args([
            "tree",
            "--package",
            "xahau-email-capi",
            "--edges",
            "normal",
            "--locked",
            "--offline",
        ])
        .args([
            "--target",
            "x86_64-unknown-linux-gnu",
            "--prefix",
            "none",
            "--format",
            "{p}|{l}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).expect("text");
    let rows: BTreeSet<(&str, &str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
            let mut words = package.split(' ');
            Some((words.next()?, words.next()?, licence))
        })
        .collect();
    assert!(rows.len() < CRATES_MAX, "{} crates", rows.len());
    let mut written = format!(
        "# What the library is made of\n\nThe {} crates that are compiled into it or write code for it, ours included \
         [`tests/crates.rs`]. Building takes a C compiler and cargo; who links the library needs neither.\n\n\
         | crate | version | licence |\n|---|---|---|\n",
        rows.len()
    );
    for (name, version, licence) in &rows {
        writeln!(
            written,
            "| {name} | {} | {licence} |",
            version.trim_start_matches('v')
        )
        .expect("text");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CRATES.md");
    if std::env::var_os("XAHAU_EMAIL_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &written).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == written,
        "CRATES.md is not what cargo says: XAHAU_EMAIL_WRITE_GOLDEN=1 writes it anew"
    );
}
