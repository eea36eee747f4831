//! The relay's commands, as its operator runs them.

use crate::node_cli::Desk;
use crate::support::{NodeProcess, RelayProcess, Run, program, run, run_with_input};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

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
    assert!(again.err.contains("already exists"), "{}", again.err);
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

/// Configuration of a relay of mail.example's keys that submits to `node`.
fn configuration(desk: &Desk, node: &str) -> PathBuf {
    let path = desk.path("relay.toml");
    let text = format!(
        "addresses = [\"relay@relay.example\"]\nhostname = \"mx.relay.example\"\ndata = {:?}\n\
         nodes = [{node:?}]\n[smtp]\nlisten = [\"127.0.0.1:0\"]\n[dns]\nkeys = {:?}\n[queue]\nfree_mib_min = 1\n",
        desk.path("relay"),
        desk.path("keys.json")
    );
    std::fs::write(&path, text).expect("written");
    path
}

fn hand_in(config: &Path, mail: &str) -> Run {
    let raw = std::fs::read(mail).expect("a mail");
    run_with_input(
        &["relay", "pipe", "--config", config.to_str().expect("text")],
        &raw,
    )
}

/// `queue WORDS.. --json` on that data folder.
fn queue(data: &Path, words: &[&str]) -> Run {
    let place = ["--json", "--data", data.to_str().expect("text")];
    run(&[&["queue"], words, &place].concat())
}

fn states(listed: &Value) -> Vec<String> {
    let entries = listed["entries"].as_array().expect("entries");
    let state = |entry: &Value| entry["state"].as_str().expect("a state").to_owned();
    entries.iter().map(state).collect()
}

#[test]
fn operators_work_on_the_queue_of_a_running_relay_and_of_a_stopped_one() {
    let desk = Desk::new();
    // No node is there, so that nothing becomes of the mails but by the operator.
    let config = configuration(&desk, "ws://127.0.0.1:1");
    let data = desk.path("relay");
    let (first, second) = (
        desk.mail("first.eml", 60, "REMIT 1 XAH"),
        desk.mail("second.eml", 50, "REMIT 2 XAH"),
    );
    assert_eq!(hand_in(&config, &first).code, 75, "no relay runs yet");
    let relay = RelayProcess::start_with(&config, Stdio::inherit(), "error");
    for mail in [&first, &second, &first] {
        let taken = hand_in(&config, mail);
        assert_eq!(taken.code, 0, "{}", taken.err);
        assert!(taken.out.starts_with("2.0.0 "), "{}", taken.out);
    }
    let refused = hand_in(&config, &desk.mail("none.eml", 60, "Hello"));
    assert_eq!(refused.code, 65, "{}", refused.err);
    assert!(refused.err.contains("rule 5.2"), "{}", refused.err);

    let listed = queue(&data, &["list"]).json();
    assert_eq!(states(&listed), ["received", "received"]);
    let trace = listed["entries"][0]["trace"].as_str().expect("a trace");
    let held = queue(&data, &["hold", trace, "--reason", "a question"]);
    assert_eq!(held.json()["is_held"], true);
    let listed = queue(&data, &["list", "--held", "--from", "Alice@mail.example"]).json();
    assert_eq!(listed["entries"][0]["trace"], trace);
    assert_eq!(listed["entries"].as_array().map(Vec::len), Some(1));
    let shown = queue(&data, &["show", trace, "--text"]).json();
    assert!(
        shown["mail"]
            .as_str()
            .expect("mail")
            .contains("\r\nREMIT 1 XAH\r\n")
    );
    let unknown = queue(&data, &["retry", "AAAAAAAAAAAAAAAA"]);
    assert_eq!(unknown.code, 1, "{}", unknown.out);
    let copy = desk.path("copy");
    let copied = run(&[
        "relay",
        "backup",
        copy.to_str().expect("text"),
        "--data",
        data.to_str().expect("text"),
    ]);
    assert_eq!(copied.code, 0, "{}", copied.err);
    relay.kill();

    let dropped = queue(&data, &["drop", trace, "--reason", "asked to"]);
    assert_eq!(dropped.json()["state"], "dropped");
    assert_eq!(queue(&data, &["release", trace]).code, 1, "final stays final");
    assert_eq!(queue(&data, &["stats"]).json()["entries"]["dropped"], 1);
    let made = desk.path("made");
    let restored = run(&[
        "relay",
        "restore",
        copy.to_str().expect("text"),
        "--data",
        made.to_str().expect("text"),
    ]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    assert_eq!(states(&queue(&made, &["list"]).json()), ["received", "received"]);
    let verified = run(&["relay", "verify", "--data", made.to_str().expect("text")]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn rejects_a_queue_that_is_none_and_a_state_that_is_none() {
    let folder = tempfile::tempdir().expect("folder");
    let none = queue(folder.path(), &["list"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("holds no queue"), "{}", none.err);
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
    let wrong = queue(folder.path(), &["list", "--state", "done"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("received"), "{}", wrong.err);
}

/// A node and a relay in one process; killed with the value.
struct UpProcess(Child);

impl Drop for UpProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn up_pays_what_comes_by_mail() {
    let desk = Desk::new();
    let mail = desk.mail("mail.eml", 60, "REMIT 5 XAH");
    let mut child = program()
        .args([
            "up",
            "--rpc",
            "127.0.0.1:0",
            "--smtp",
            "127.0.0.1:0",
            "--close-secs",
            "1",
        ])
        .args([
            "--relay-address",
            "relay@relay.example",
            "--fund",
            "alice@mail.example=100",
        ])
        .arg("--data")
        .arg(desk.path("up"))
        .arg("--keys")
        .arg(desk.path("keys.json"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
    let up = UpProcess(child);
    let mut listening = |protocol: &str| {
        let line = lines.next().expect("a line").expect("text");
        let address = line.strip_prefix(&format!("listening {protocol}://"));
        address.unwrap_or_else(|| panic!("{line}")).to_owned()
    };
    let (node, smtp) = (listening("ws"), listening("smtp"));
    let raw = std::fs::read(&mail).expect("a mail");
    let mut stream = std::net::TcpStream::connect(smtp).expect("connects");
    let mut dialogue =
        b"EHLO mail.example\r\nMAIL FROM:<alice@mail.example>\r\nRCPT TO:<relay@relay.example>\r\n\
                         BDAT "
            .to_vec();
    dialogue.extend(format!("{} LAST\r\n", raw.len()).as_bytes());
    dialogue.extend(&raw);
    dialogue.extend(b"QUIT\r\n");
    stream.write_all(&dialogue).expect("sent");
    let mut replies = String::new();
    stream.read_to_string(&mut replies).expect("replies");
    let taken = replies.lines().find(|line| line.contains("Taken as"));
    assert!(
        taken.is_some_and(|line| line.starts_with("250 2.0.0 ")),
        "{replies}"
    );
    let waited = run(&[
        "submit",
        &mail,
        "--server",
        &format!("ws://{node}"),
        "--wait",
        "--json",
    ]);
    assert_eq!(waited.json()["state"], "validated", "{}", waited.err);
    drop(up);
}
