//! The built program with DNS servers that others wrote (tests/dns-servers.sh): the key of a mail by each way to ask,
//! with the signatures of its zone checked. Where a program is missing the test passes with a notice, except on CI.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::sign::{DkimKey, Draft, Form};

use crate::root;
use crate::support::{Run, run};

/// Sunday, 15 November 2026, 12:00:00 UTC.
const AT: &str = "1794744000";
const PROGRAMS: [&str; 3] = ["knotd", "kdig", "unbound"];

fn can_run() -> bool {
    let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let is_there = |program: &&str| {
        folders
            .split(':')
            .any(|folder| Path::new(folder).join(program).exists())
    };
    if PROGRAMS.iter().all(is_there) {
        return true;
    }
    let why = format!("one of {PROGRAMS:?} is missing (tests/tools.sh installs it)");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{why}");
    // Not eprintln, whose words are not shown where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "\nNOTICE: no test with real DNS servers: {why}\n"
    );
    false
}

/// A mail of a domain, signed by `key`.
fn mail(key: &DkimKey, domain: &str) -> Vec<u8> {
    let draft = Draft {
        form: Form::Relaxed,
        domain,
        selector: "s9",
        names: "From:Date",
        fields: format!("from:alice@{domain}\r\ndate:Sun, 15 Nov 2026 12:00:00 +0000\r\n").into_bytes(),
        body: b"REMIT 1 XAH TO <bob@mail.example>\r\n".to_vec(),
    };
    draft.signed(key)
}

fn explain(mail: &Path, folder: &Path, dns: &str, dnssec: &str) -> Run {
    let (anchors, authority) = (
        folder.join("anchor.key"),
        root().join("fixtures/tls/authority.pem"),
    );
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    run(&[
        "explain",
        &text(mail),
        "--json",
        "--at",
        AT,
        "--dns",
        dns,
        "--dnssec",
        dnssec,
        "--dns-anchors",
        &text(&anchors),
        "--dns-authority",
        &text(&authority),
    ])
}

#[test]
fn finds_the_key_of_a_mail_by_each_way_and_believes_no_forged_zone() {
    if !can_run() {
        return;
    }
    let kept = tempfile::tempdir().expect("a folder");
    let folder = kept.path().join("dns");
    let port = 12_000 + u16::try_from(std::process::id() % 1_000).expect("small") * 4;
    let mut servers = Command::new(root().join("tests/dns-servers.sh"))
        .arg(&folder)
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the script starts");
    let mut input = servers.stdin.take().expect("standard input");
    let mut lines = BufReader::new(servers.stdout.take().expect("standard output")).lines();
    let mut line = || lines.next().expect("a line").expect("text");
    let ready: Value = serde_json::from_str(&line()).expect("JSON");
    let at = |what: &str| ready[what].as_str().expect("an address").to_owned();

    let key = DkimKey::ed25519(&[9; 32]);
    let [signed, broken] = ["signed.test", "mail.broken.test"].map(|domain| {
        writeln!(input, "set s9._domainkey.{domain} \"{}\"", key.record()).expect("the script reads");
        assert_eq!(line(), "done");
        let path = kept.path().join(domain);
        std::fs::write(&path, mail(&key, domain)).expect("written");
        path
    });
    for dns in [
        at("plain"),
        format!("tcp://{}", at("plain")),
        at("tls"),
        at("https"),
        // Nobody is at the first one.
        format!("127.0.0.1:9,{}", at("plain")),
    ] {
        let told = explain(&signed, &folder, &dns, "require");
        assert_eq!(
            (told.code, &told.json()["qualifies"]),
            (0, &Value::Bool(true)),
            "{dns}: {}",
            told.err
        );
    }
    let told = explain(&broken, &folder, &at("knot"), "log");
    assert_eq!(told.code, 2, "not known: {}", told.out);
    assert!(told.err.contains("bogus"), "{}", told.err);
    let told = explain(&broken, &folder, &at("knot"), "off");
    assert_eq!(told.code, 0, "{}", told.err);
    drop(input);
    servers.wait().expect("the script ends");
}

#[test]
fn rejects_resolvers_and_files_that_are_none() {
    let refused = |arguments: &[&str]| run(&[&["explain", "-"], arguments].concat()).err;
    for (arguments, words) in [
        (["--dns", "udp://localhost"], "an address is needed"),
        (["--dns", "127.0.0.1,quic://127.0.0.1"], "no such way to ask DNS"),
        (["--dnssec", "maybe"], "off, log or require"),
        (
            ["--dns-anchors", "/nowhere/root.key"],
            "cannot read /nowhere/root.key",
        ),
        (
            ["--dns-authority", "/nowhere/ca.pem"],
            "cannot read /nowhere/ca.pem",
        ),
        (["--dns-anchors", "/dev/null"], "holds no trust anchor"),
        (["--dns-authority", "/dev/null"], "holds no certificate"),
    ] {
        let told = refused(&arguments);
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
}
