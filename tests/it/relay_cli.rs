//! The relay's commands, as its operator runs them.

use crate::support::{NodeProcess, Run, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Verdicts of the checks by what they are about.
fn verdicts(found: &Value) -> BTreeMap<String, String> {
    let checks = found["checks"].as_array().expect("checks");
    let pair = |check: &Value| {
        let text = |name: &str| check[name].as_str().expect("text").to_owned();
        (text("about"), text("verdict"))
    };
    checks.iter().map(pair).collect()
}

fn quickstart(folder: &Path, further: &[&str]) -> Run {
    let folder = folder.to_str().expect("text");
    let first = [
        "relay",
        "quickstart",
        "relay@example.org",
        "--dns",
        "off",
        "--dir",
        folder,
        "--json",
    ];
    run(&[&first, further].concat())
}

fn check(config: &str) -> Run {
    run(&["relay", "check", "--json", "--config", config])
}

#[test]
fn accepts_a_node_of_its_network_with_the_amendment_and_rejects_others() {
    let folder = tempfile::tempdir().expect("folder");
    let node = NodeProcess::start(
        &folder.path().join("node"),
        &["--network", "21337", "--close-secs", "1"],
    );
    let made = quickstart(&folder.path().join("relay"), &["--node", &node.url]);
    assert_eq!(made.code, 0, "{}", made.err);
    let made = made.json();
    let config = made["made"]["config_file"].as_str().expect("a file");
    let found = check(config);
    assert_eq!(found.code, 0, "{}", found.out);
    let found = verdicts(&found.json());
    for about in [
        format!("node {}", node.url),
        format!("amendment Email at {}", node.url),
        format!("time of {}", node.url),
    ] {
        assert_eq!(
            found.get(&about).map(String::as_str),
            Some("ok"),
            "{about}: {found:?}"
        );
    }

    let bare = ["--network", "21338", "--without-email"];
    let other = NodeProcess::start(&folder.path().join("other"), &bare);
    let made = quickstart(&folder.path().join("second"), &["--node", &other.url]);
    let made = made.json();
    let config = made["made"]["config_file"].as_str().expect("a file");
    let found = check(config);
    assert_eq!(found.code, 1, "{}", found.out);
    let found = verdicts(&found.json());
    for about in [
        format!("node {}", other.url),
        format!("amendment Email at {}", other.url),
    ] {
        assert_eq!(
            found.get(&about).map(String::as_str),
            Some("fail"),
            "{about}: {found:?}"
        );
    }
}

#[test]
fn a_node_that_is_away_is_a_warning_while_another_is_well() {
    let folder = tempfile::tempdir().expect("folder");
    let node = NodeProcess::start(&folder.path().join("node"), &["--network", "21337"]);
    let nodes = ["--node", "ws://127.0.0.1:1", "--node", &node.url];
    let made = quickstart(&folder.path().join("relay"), &nodes).json();
    let found = verdicts(&made);
    assert_eq!(found["node ws://127.0.0.1:1"], "warn");
    assert_eq!(found[&format!("node {}", node.url)], "ok");
}

#[test]
fn rejects_a_configuration_with_its_line_and_a_second_quickstart_in_the_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let made = quickstart(folder.path(), &[]).json();
    let path = made["made"]["config_file"].as_str().expect("a file");
    let again = quickstart(folder.path(), &[]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is there already"), "{}", again.err);
    let text = std::fs::read_to_string(path).expect("file");
    let line = text
        .lines()
        .position(|line| line.starts_with("hostname"))
        .expect("line")
        + 1;
    std::fs::write(path, text.replace("\nhostname", "\nhosstname")).expect("write");
    let wrong = check(path);
    assert_eq!(wrong.code, 2);
    let error = format!("{path}:{line}: unknown name `hosstname`; did you mean `hostname`?");
    assert_eq!(wrong.json()["error"], error);
}

#[test]
fn the_default_file_is_printed() {
    let printed = run(&["relay", "config"]);
    assert_eq!(printed.code, 0);
    assert!(printed.out.starts_with("# Configuration of the cc-relay."));
    assert!(printed.out.contains("\naddresses = [\"relay@example.org\"]\n"));
}
