//! The demo must notice a node that does not hold the rules: the program is built with one rule left out, and its demo
//! must end with an error that names the step.

use crate::root;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Builds the program with a test-only feature, apart from the ordinary build.
fn build(feature: &str) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sabotage");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--offline",
            "--features",
            feature,
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(root())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the build with {feature} failed");
    target
        .join("debug")
        .join(format!("xahau-email{}", std::env::consts::EXE_SUFFIX))
}

fn failed_step(feature: &str) -> String {
    let output = Command::new(build(feature))
        .args(["demo", "--json"])
        .output()
        .expect("the demo runs");
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["ok"], Value::Bool(false));
    let step = told["failed_step"].as_str().expect("a step").to_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(&step), "{error}");
    step
}

/// One test for both: they share a build folder.
#[test]
fn demo_names_the_step_where_a_rule_is_left_out() {
    assert_eq!(failed_step("sabotage-no-replay-check"), "the same mail again");
    assert_eq!(failed_step("sabotage-no-amount-check"), "a changed amount");
}
