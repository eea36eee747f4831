//! A mailbox of Dovecot, read by the running relay.

use super::{Service, answers, can_run, check_answer, own, send};
use crate::support::{NodeProcess, RelayProcess};
use crate::world::{RELAY, World, configure, wait_for_payments};
use std::process::Stdio;

/// How the relay ends between two protections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Stopped,
    Killed,
}

/// Delivers by LMTP to Dovecot: what is there before the relay starts, and what comes while it reads. The
/// relay restarts for each protection. Each mail is paid once, and answered.
async fn check_mailbox(capabilities: &[&str], protections: &[(&str, &str)]) {
    if !can_run(&["python3", "dovecot", "openssl", "opendkim", "opendkim-genkey"]) {
        return;
    }
    let world = World::new();
    let arguments = world.node_arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let node = NodeProcess::start(&world.path("node"), &arguments);
    let dovecot = Service::start("dovecot.py", &world.path("dovecot"), capabilities);
    let smarthost = Service::sink(&world.path("answers"));
    let folder = world.path("relay");
    let answers = answers(&folder, smarthost.port("address"));
    let (mut paid, mut amount, mut mails) = (0, 0, Vec::new());
    let mut deliver = || {
        amount += 1;
        let mail = world.mail(&format!("REMIT {amount} XAH"));
        let envelope = [
            "lmtp",
            dovecot.text("lmtp"),
            "alice@mail.example",
            "user@example.org",
        ];
        let reply = send(&envelope, &mail);
        assert!(reply.starts_with("250 "), "{reply}");
        mails.push(mail);
        paid += amount;
        paid
    };
    let mut ends = Ends::Stopped;
    for (protection, port) in protections {
        let authorities = match *protection {
            "none" => String::new(),
            _ => format!("authorities = \"{}\"\n", dovecot.text("authority")),
        };
        let sections = format!(
            "[imap]\nhost = \"localhost\"\nport = {}\nprotection = \"{protection}\"\n{authorities}\
             user = \"user@example.org\"\npassword_file = \"{}\"\npoll_secs = 1\n{answers}",
            dovecot.port(port),
            dovecot.text("password")
        );
        let config = configure(&folder, &world.keys(), &node.url, &own(&[RELAY]), &sections);
        deliver();
        let paid = deliver();
        let relay = RelayProcess::start_with(&config, Stdio::inherit(), "warn");
        wait_for_payments(&node.url, paid).await;
        for _ in 0..2 {
            let paid = deliver();
            wait_for_payments(&node.url, paid).await;
        }
        ends = match ends {
            Ends::Stopped => {
                relay.kill();
                Ends::Killed
            }
            Ends::Killed => {
                assert!(relay.stop(), "it ends well");
                Ends::Stopped
            }
        };
    }
    // The last answers may be under way when the relay ends.
    let config = folder.join("relay.toml");
    let relay = RelayProcess::start_with(&config, Stdio::inherit(), "warn");
    for mail in [&mails[0], &mails[2]] {
        let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: "));
        let (answers, keys) = (world.path("answers"), folder.join("keys.json"));
        check_answer(&answers, &keys, "alice@mail.example", id.expect("an id")).await;
    }
    wait_for_payments(&node.url, paid).await;
    assert!(relay.stop(), "it ends well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_of_a_mailbox_with_idle_becomes_payments_over_tls_starttls_and_plain() {
    check_mailbox(&[], &[("tls", "imaps"), ("starttls", "imap"), ("none", "imap")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_of_a_mailbox_without_idle_becomes_payments() {
    check_mailbox(&["IMAP4rev1 STARTTLS"], &[("tls", "imaps"), ("tls", "imaps")]).await;
}
