//! The files for relay operators say what the program does.

use crate::read;
use serde_json::Value;
use std::collections::BTreeSet;

/// Names of the metrics, as `relay/src/meter.rs` gives them.
fn metrics() -> BTreeSet<String> {
    let text = read("relay/src/meter.rs");
    let name = |line: &str| Some(line.split_once("&str = \"")?.1.split_once('"')?.0.to_owned());
    text.lines()
        .filter(|line| line.starts_with("pub const"))
        .filter_map(name)
        .collect()
}

/// Words of the text that begin like a metric; those of a histogram without what Prometheus appends.
fn named_in(text: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("relay_"))
        .map(|word| {
            let stem = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| word.strip_suffix(end));
            stem.filter(|stem| known.contains(*stem))
                .unwrap_or(word)
                .to_owned()
        })
        .collect()
}

#[test]
fn dashboard_shows_every_metric_and_no_other() {
    let text = read("docs/relay/grafana.json");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let expressions: Vec<&str> = targets
        .map(|target| target["expr"].as_str().expect("an expression"))
        .collect();
    let known = metrics();
    assert_eq!(named_in(&expressions.join(" "), &known), known);
}

#[test]
fn guide_lists_every_metric_and_no_other() {
    let known = metrics();
    assert_eq!(named_in(&read("docs/relay.md"), &known), known);
}

#[test]
fn service_is_hardened_and_starts_the_relay() {
    let text = read("docs/relay/xahau-email-relay.service");
    let lines: BTreeSet<&str> = text.lines().collect();
    for line in [
        "Type=notify",
        "ExecStart=/usr/local/bin/xahau-email relay run --config /etc/xahau-email-relay/relay.toml",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "PrivateTmp=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "StateDirectory=xahau-email-relay",
    ] {
        assert!(lines.contains(line), "{line}");
    }
}
