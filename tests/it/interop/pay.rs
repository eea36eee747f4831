//! Mail of others becomes payments, and is answered.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{
    SENDER, Service, answers, can_run, check_answer, give_to_nobody, mail, make, own, program_for_all, send,
    start_as_nobody,
};
use crate::support::{NodeProcess, RelayProcess, program};
use crate::world::{
    RECEIVER, RELAY, RESERVE_XAH, balance, configure, open_to_all, wait_for_mails, wait_for_payments,
};

/// What swaks prints of a dialogue with which it sends a file as it is.
fn swaks(server: &str, file: &Path, further: &[&str]) -> String {
    let port = server.rsplit(':').next().expect("a port");
    let output = Command::new("swaks")
        .args(["--server", "127.0.0.1", "--port", port])
        .args(["--helo", "client.example", "--from", SENDER, "--to", RELAY])
        .arg("--data")
        .arg(format!("@{}", file.display()))
        .args(further)
        .stdin(Stdio::null())
        .output()
        .expect("swaks");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn submit(postfix: &Service, to: &str, line: &str) {
    let reply = send(&["smtp", postfix.text("smtp"), SENDER, to], &mail(line));
    assert!(reply.starts_with("250 "), "{reply}");
}

/// What is submitted to Postfix is signed by OpenDKIM and comes by SMTP, LMTP, LMTP over a Unix socket and a
/// Maildir; what was signed so comes from smtplib and swaks too. Each mail is one payment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(clippy::too_many_lines, reason = "one run of foreign programs, told in order")]
async fn mail_of_postfix_smtplib_and_swaks_becomes_payments() {
    if !can_run(&[
        "python3",
        "postfix",
        "opendkim",
        "opendkim-genkey",
        "openssl",
        "swaks",
    ]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let path = |name: &str| temp.path().join(name);
    make("signing_key.py", &path("postfix"), &["sender.example"]);
    let keys = path("postfix").join("keys.json");
    let node = start_node(&path("node"), &keys);
    let smarthost = Service::sink(&path("answers"));
    let answers = answers(&path("relay"), smarthost.port("address"));
    make("certificate.py", &path("relay"), &[]);
    let (maildir, unix) = (path("relay").join("Maildir"), path("relay").join("lmtp"));
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).expect("folder");
    }
    let sections = format!(
        "[smtp]\nlisten = [\"127.0.0.1:0\"]\n[lmtp]\nlisten = [\"127.0.0.1:0\", \"unix:{}\"]\n\
         [maildir]\npath = {maildir:?}\n[tls]\ncertificate = {:?}\nkey = {:?}\n{answers}",
        unix.display(),
        path("relay").join("server.pem"),
        path("relay").join("server.key"),
    );
    let addresses = [
        RELAY,
        "lmtp@relay.example",
        "unix@relay.example",
        "maildir@relay.example",
    ];
    let config = configure(&path("relay"), &keys, &node.url, &own(&addresses), &sections);
    give_to_nobody(&path("relay"));
    let relay = start_as_nobody(&program_for_all(temp.path()), &config);
    let lmtp = relay.place("lmtp").expect("a door");
    let sinks = [("smtp", "tcp"), ("lmtp", "unix")]
        .map(|(protocol, network)| Service::start("sink.py", &path(network), &[protocol, network]));
    let routes = [
        format!("{RELAY}=smtp:[127.0.0.1]:{}", port_of(&relay.smtp)),
        format!("lmtp@relay.example=lmtp:inet:{lmtp}"),
        format!("unix@relay.example=lmtp:unix:{}", unix.display()),
        format!("maildir@relay.example=maildir:{}/", maildir.display()),
        format!("smtp@sink.example=smtp:[127.0.0.1]:{}", sinks[0].port("address")),
        format!("unix@sink.example=lmtp:unix:{}", sinks[1].text("address")),
    ];
    let mut arguments = vec!["sender.example"];
    arguments.extend(routes.iter().map(String::as_str));
    let postfix = Service::start("postfix.py", &path("postfix"), &arguments);

    for (to, line) in addresses
        .iter()
        .zip(["REMIT 10 XAH", "REMIT 11 XAH", "REMIT 12 XAH", "REMIT 13 XAH"])
    {
        submit(&postfix, to, line);
    }
    wait_for_payments(&node.url, 46).await;
    for amount in 10..14 {
        let id = format!("<REMIT.{amount}.XAH@sender.example>");
        let keys = path("relay").join("keys.json");
        check_answer(&path("answers"), &keys, SENDER, &id).await;
    }

    submit(&postfix, "smtp@sink.example", "REMIT 14 XAH");
    wait_for_mails(&path("tcp"), 1).await;
    submit(&postfix, "smtp@sink.example", "REMIT 15 XAH");
    let mut signed = wait_for_mails(&path("tcp"), 2).await;
    submit(&postfix, "unix@sink.example", "REMIT 16 XAH");
    signed.extend(wait_for_mails(&path("unix"), 1).await);
    let smtp = format!("localhost:{}", port_of(&relay.smtp));
    let authority = path("relay").join("authority.pem");
    let authority = authority.to_str().expect("text");
    let text = std::fs::read_to_string(&signed[0]).expect("a mail");
    let secured = ["--starttls", authority, "smtp", &smtp, SENDER, RELAY];
    let reply = send(&secured, &text);
    assert!(reply.starts_with("250 "), "{reply}");
    let said = swaks(&relay.smtp, &signed[1], &["--pipeline"]);
    assert!(said.contains("\n<-  250 2.0.0 Taken as "), "{said}");
    let said = swaks(&relay.smtp, &signed[2], &["--tls"]);
    assert!(said.contains("\n<~  250 2.0.0 Taken as "), "{said}");
    wait_for_payments(&node.url, 91).await;

    // The same mail again, and from another door, pays nothing more.
    for reply in [
        send(&secured, &text),
        send(&["lmtp", &lmtp, SENDER, "lmtp@relay.example"], &text),
    ] {
        assert!(reply.contains("nothing is done twice"), "{reply}");
    }
    // A forger's mail is refused, and the server that would send it is told why.
    let said = send(&["smtp", &smtp, SENDER, RELAY], &mail("REMIT 500 XAH"));
    assert!(said.starts_with("550 5.7."), "{said}");
    let said = send(&["smtp", &smtp, SENDER, RECEIVER], &text);
    assert!(said.starts_with("550 5.7.1"), "{said}");
    assert_eq!(balance(&node.url, RECEIVER).await, RESERVE_XAH + 91);
    assert!(relay.stop(), "it ends well");
}

fn port_of(address: &str) -> &str {
    address.rsplit(':').next().expect("a port")
}

/// A node that closes a ledger each second, with money of [`SENDER`].
pub(super) fn start_node(data: &Path, keys: &Path) -> NodeProcess {
    NodeProcess::start(data, &node_arguments(keys.to_str().expect("text")))
}

fn node_arguments(keys: &str) -> [&str; 8] {
    [
        "--network",
        "21337",
        "--close-secs",
        "1",
        "--fund",
        "alice@sender.example=1000",
        "--keys",
        keys,
    ]
}

/// One command for node and relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_of_postfix_becomes_payments_with_up() {
    if !can_run(&["python3", "postfix", "opendkim", "opendkim-genkey"]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let path = |name: &str| temp.path().join(name);
    make("signing_key.py", &path("postfix"), &["sender.example"]);
    let keys = path("postfix").join("keys.json");
    let mut command = program();
    command.arg("up").arg("--data").arg(path("up"));
    command.args([
        "--rpc",
        "127.0.0.1:0",
        "--smtp",
        "127.0.0.1:0",
        "--lmtp",
        "127.0.0.1:0",
    ]);
    command.args(["--relay-address", RELAY, "--relay-address", "lmtp@relay.example"]);
    command.args(node_arguments(keys.to_str().expect("text")));
    command.env("RUST_LOG", "warn");
    let up = RelayProcess::spawn(command);
    let routes = [
        format!("{RELAY}=smtp:[127.0.0.1]:{}", port_of(&up.smtp)),
        format!(
            "lmtp@relay.example=lmtp:inet:{}",
            up.place("lmtp").expect("a door")
        ),
    ];
    let arguments = ["sender.example", &routes[0], &routes[1]];
    let postfix = Service::start("postfix.py", &path("postfix"), &arguments);
    submit(&postfix, RELAY, "REMIT 10 XAH");
    submit(&postfix, "lmtp@relay.example", "REMIT 11 XAH");
    let node = format!("ws://{}", up.place("ws").expect("a node"));
    wait_for_payments(&node, 21).await;
    assert!(up.stop(), "it ends well");
}
