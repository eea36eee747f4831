//! Postfix pipe(8) runs `relay pipe`, and is the relay's smarthost too.

use super::{
    SENDER, Service, answers, can_run, check_answer, give_to_nobody, mail, make, own, program_for_all, send,
    start_as_nobody, wait_for_mail,
};
use crate::interop::pay::start_node;
use crate::support::run;
use crate::world::{RECEIVER, RELAY, configure, open_to_all, wait_for, wait_for_payments};
use std::collections::BTreeMap;

/// What comes while no relay runs is tried again (exit code 75), what is refused goes back with the relay's
/// word (65), and what is taken (0) becomes a payment, whose answers go out through Postfix.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one run of foreign programs, told in order")]
async fn mail_of_postfix_pipe_becomes_payments() {
    if !can_run(&["python3", "postfix", "opendkim", "opendkim-genkey"]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let path = |name: &str| temp.path().join(name);
    make("signing_key.py", &path("postfix"), &["sender.example"]);
    let keys = path("postfix").join("keys.json");
    let node = start_node(&path("node"), &keys);
    let program = program_for_all(temp.path());
    let config = path("relay").join("relay.toml");
    let mailboxes = Service::start("sink.py", &path("mailboxes"), &["lmtp", "unix"]);
    let mailbox = format!("lmtp:unix:{}", mailboxes.text("address"));
    let routes = [
        format!(
            "{RELAY}=pipe:{} relay pipe --config {} --sender ${{sender}}",
            program.display(),
            config.display()
        ),
        format!("{SENDER}={mailbox}"),
        format!("{RECEIVER}={mailbox}"),
    ];
    let arguments = ["sender.example", &routes[0], &routes[1], &routes[2]];
    let postfix = Service::start("postfix.py", &path("postfix"), &arguments);
    let answers = answers(&path("relay"), postfix.port("smtp"));
    // A daemon has a door beside the pipe.
    let sections = format!("[smtp]\nlisten = [\"127.0.0.1:0\"]\n{answers}");
    assert_eq!(
        configure(&path("relay"), &keys, &node.url, &own(&[RELAY]), &sections),
        config
    );
    give_to_nobody(&path("relay"));
    let submit = |line: &str| {
        let reply = send(&["smtp", postfix.text("smtp"), SENDER, RELAY], &mail(line));
        assert!(reply.starts_with("250 "), "{reply}");
    };

    submit("REMIT 10 XAH");
    wait_for("a mail that is put off", async || {
        let log = std::fs::read_to_string(postfix.text("log")).unwrap_or_default();
        let is_put_off = log
            .lines()
            .any(|line| line.contains("dsn=4.3.2") && line.contains("status=deferred"));
        is_put_off.then_some(())
    })
    .await;
    let relay = start_as_nobody(&program, &config);
    wait_for_payments(&node.url, 10).await;
    let (mails, keys) = (path("mailboxes"), path("relay").join("keys.json"));
    check_answer(&mails, &keys, SENDER, "<REMIT.10.XAH@sender.example>").await;
    // Bob has never been paid before, and is told.
    let told = format!("To: <{RECEIVER}>\r\n");
    wait_for_mail(&mails, &[&told, "Auto-Submitted: auto-generated"]).await;

    submit("REMIT 1,5 XAH");
    let bounce = wait_for_mail(&mails, &["\r\nStatus: 5.6.0\r\n"]).await;
    let bounce = std::fs::read_to_string(bounce).expect("a mail");
    let told = bounce.replace("\r\n    ", " ");
    assert!(told.contains("(rule 5.2, trace "), "{bounce}");
    submit("REMIT 11 XAH");
    wait_for_payments(&node.url, 21).await;

    // Who has no reverse path is paid for, and never answered.
    let reply = send(&["smtp", postfix.text("smtp"), "", RELAY], &mail("REMIT 12 XAH"));
    assert!(reply.starts_with("250 "), "{reply}");
    wait_for_payments(&node.url, 33).await;
    let listed = run(&[
        "queue",
        "list",
        "--json",
        "--config",
        config.to_str().expect("text"),
    ])
    .json();
    let mut may_answer = BTreeMap::new();
    for entry in listed["entries"].as_array().expect("entries") {
        assert_eq!(entry["way"], "pipe");
        may_answer.insert(entry["instruction"].to_string(), entry["may_answer"] == true);
    }
    let expected = [(10, true), (11, true), (12, false)];
    let expected = expected.map(|(amount, answered)| (format!("\"REMIT {amount} XAH\""), answered));
    assert_eq!(may_answer, BTreeMap::from(expected));
    assert!(relay.stop(), "it ends well");
}
