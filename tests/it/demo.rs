//! The demo as a stranger runs it.

use crate::mutants;
use crate::support::run;
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn demo_tells_its_story_to_machines() {
    ends_well(&["demo", "--json"]);
}

#[test]
fn demo_tells_the_same_story_on_a_network() {
    ends_well(&["demo", "--json", "--validators", "4"]);
}

fn ends_well(arguments: &[&str]) {
    let run = run(arguments);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let told = run.json();
    assert_eq!(told["ok"], json!(true));
    let events = told["events"].as_array().expect("events");
    let kinds = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!(kinds("validated"), 4, "{told}");
    assert_eq!(kinds("refused"), 7, "{told}");
    assert_eq!(kinds("rekeyed"), 1, "{told}");
    assert_eq!(kinds("paid"), 1, "{told}");
}

#[test]
fn demo_keeps_what_it_made_and_explains_it() {
    let folder = tempfile::tempdir().expect("folder");
    let keep = folder.path().join("kept");
    let keep = keep.to_str().expect("path");
    let told = run(&["demo", "--keep", keep]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    for word in [
        "250 2.0.0 Taken",
        "550 5.7.20",
        "The relay writes to Bob",
        "tefEMAIL_REPLAY",
        "tefBAD_SIGNATURE",
        "temMALFORMED",
        "terNO_ACCOUNT",
        "RegularKey",
    ] {
        assert!(told.out.contains(word), "{word} is not in {}", told.out);
    }
    let (mail, keys) = (format!("{keep}/01-gmail.eml"), format!("{keep}/keys.json"));
    let explained = run(&["explain", &mail, "--keys", &keys, "--network", "21337"]);
    assert_eq!(explained.code, 0, "{}{}", explained.out, explained.err);
    let again = run(&["demo", "--keep", keep]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("not empty"), "{}", again.err);
}

/// The step at which the demo fails with this mutant; `None` where it does not fail.
fn failed_step(program: &Path, mutant: Option<&str>) -> Option<String> {
    let output = mutants::with_mutant(program, mutant)
        .args(["demo", "--json"])
        .output()
        .expect("the demo runs");
    let error = String::from_utf8_lossy(&output.stderr);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    let step = told["failed_step"].as_str().map(str::to_owned);
    assert_eq!(told["ok"], json!(step.is_none()));
    assert_eq!(output.status.code(), Some(i32::from(step.is_some())), "{error}");
    assert!(step.iter().all(|step| error.contains(step)), "{error}");
    step
}

/// The demo proves something: it notices a node that leaves out a rule, and names the step. Part of the long
/// run of the mutants, whose build it shares.
#[test]
fn names_the_step_where_one_of_the_mutants_leaves_out_a_rule() {
    let Some(program) = mutants::build_program() else {
        return;
    };
    for (mutant, step) in [
        (None, None),
        (Some("replay"), Some("the same mail again")),
        (Some("what the wrapper says"), Some("a changed amount")),
    ] {
        assert_eq!(failed_step(&program, mutant).as_deref(), step, "{mutant:?}");
    }
}
