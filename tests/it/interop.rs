//! Against mail software that no one here wrote: Postfix, OpenDKIM, Dovecot, Python's smtplib. The scripts stand in
//! tests/interop, and tests/tools.sh installs what they start. Where a program is missing a test passes with a notice, except
//! on CI.

mod pay;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use relay::config::{Imap, Protection};
use relay::desk::{Desk, Reply, Taking};
use relay::letter::{Letter, Peer};
use relay::queue::Queue;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::root;

/// Whether the programs are there, and the rights to start them.
fn can_run(programs: &[&str]) -> bool {
    let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let missing: Vec<&&str> = programs
        .iter()
        .filter(|program| {
            !folders
                .split(':')
                .any(|folder| Path::new(folder).join(program).exists())
        })
        .collect();
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if missing.is_empty() && is_root {
        return true;
    }
    let why = match is_root {
        true => format!("missing: {missing:?} (tests/tools.sh installs it)"),
        false => "mail servers start as root only".to_owned(),
    };
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{why}");
    // Not eprintln, whose words are not shown where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "\nNOTICE: an interop test did not run: {why}\n"
    );
    false
}

/// A script of tests/interop that stands until it is dropped.
struct Service {
    child: Child,
    input: Option<ChildStdin>,
    ready: Value,
}

impl Service {
    fn start(script: &str, folder: &Path, arguments: &[&str]) -> Service {
        let mut child = python(script)
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("standard output"));
        lines.read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{script}: {error}: {line:?}"));
        Service {
            input: child.stdin.take(),
            child,
            ready,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("a text")
    }

    fn port(&self, name: &str) -> u16 {
        self.ready[name]
            .as_u64()
            .and_then(|port| port.try_into().ok())
            .expect("a port")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Runs a script of tests/interop that ends by itself.
fn make(script: &str, folder: &Path, arguments: &[&str]) {
    let status = python(script)
        .arg(folder)
        .args(arguments)
        .status()
        .expect("python3");
    assert!(status.success(), "{script}: {status}");
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/interop").join(script));
    command
}

/// Sends a mail with smtplib. Gives the reply.
fn send(arguments: &[&str], mail: &str) -> String {
    let mut child = python("send.py")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut input = child.stdin.take().expect("standard input");
    input.write_all(mail.as_bytes()).expect("the mail is read");
    drop(input);
    let output = child.wait_with_output().expect("send.py ends");
    String::from_utf8(output.stdout).expect("text")
}

fn mail(line: &str) -> String {
    format!(
        "From: Alice <alice@sender.example>\r\nTo: bob@receiver.example\r\nCc: relay@relay.example\r\nDate: {{date}}\r\n\
         Message-ID: <{}@sender.example>\r\nSubject: rent\r\n\r\n{line}\r\n\r\nThank you.\r\n",
        line.replace(' ', ".")
    )
}

fn open_to_all(folder: &Path) {
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder, everyone).expect("rights");
}

/// A desk that takes everything and hands it to the test.
struct Counter(mpsc::UnboundedSender<Letter>);

impl Desk for Counter {
    fn check_peer(&self, _: &Peer) -> Result<(), Reply> {
        Ok(())
    }
    fn check_sender(&self, _: &Peer, _: &str) -> Result<(), Reply> {
        Ok(())
    }
    fn check_recipient(&self, _: &Peer, _: &str) -> Result<(), Reply> {
        Ok(())
    }
    fn take(&self, letter: Letter) -> Taking<'_> {
        let _ = self.0.send(letter);
        Box::pin(async { Reply::new(250, "2.0.0", "taken") })
    }
}

/// Delivers to Dovecot by LMTP and reads with the IMAP door: what is there already, what comes while it waits, and after a
/// new start what came since.
async fn check_mailbox(dovecot: &Service, protection: Protection, port: u16) {
    let (sender, mut letters) = mpsc::unbounded_channel();
    let desk = Arc::new(Counter(sender));
    let queue = Queue::in_memory();
    let config = Imap {
        host: "localhost".to_owned(),
        port,
        protection,
        authorities: Some(dovecot.text("authority").into()),
        user: "user@example.org".to_owned(),
        password_file: dovecot.text("password").into(),
        mailbox: "INBOX".to_owned(),
        poll_secs: 1,
    };
    let deliver = |line: &str| {
        let envelope = [
            "lmtp",
            dovecot.text("lmtp"),
            "alice@sender.example",
            "user@example.org",
        ];
        let reply = send(&envelope, &mail(line));
        assert!(reply.starts_with("250 "), "{reply}");
    };
    let mut texts: Vec<String> = Vec::new();
    let mut came = async |line: &str| {
        // Mails of a check before this one are in the mailbox too.
        while !texts
            .last()
            .is_some_and(|text| text.contains(&format!("\r\n\r\n{line}\r\n")))
        {
            let letter = tokio::time::timeout(Duration::from_secs(60), letters.recv()).await;
            let letter = letter.expect("a mail in time").expect("a mail");
            assert_eq!(letter.reverse_path, "alice@sender.example");
            texts.push(String::from_utf8(letter.raw).expect("text"));
        }
    };
    let lines = [1, 2, 3].map(|amount| format!("REMIT {amount} XAH NET {protection:?}"));
    deliver(&lines[0]);
    let reading = tokio::spawn(relay::imap::run(config.clone(), desk.clone(), queue.clone()));
    came(&lines[0]).await;
    deliver(&lines[1]);
    came(&lines[1]).await;
    reading.abort();
    let _ = reading.await;
    deliver(&lines[2]);
    let reading = tokio::spawn(relay::imap::run(config, desk, queue));
    came(&lines[2]).await;
    reading.abort();
    // The second may have come twice, since its mark is set after it was taken.
    let first = texts.iter().filter(|text| text.contains(&lines[0])).count();
    assert_eq!(first, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepts_a_mailbox_of_dovecot_with_idle_over_tls_starttls_and_plain() {
    if !can_run(&["python3", "dovecot", "openssl"]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let dovecot = Service::start("dovecot.py", &temp.path().join("dovecot"), &[]);
    check_mailbox(&dovecot, Protection::Tls, dovecot.port("imaps")).await;
    check_mailbox(&dovecot, Protection::Starttls, dovecot.port("imap")).await;
    check_mailbox(&dovecot, Protection::None, dovecot.port("imap")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepts_a_mailbox_of_dovecot_without_idle() {
    if !can_run(&["python3", "dovecot", "openssl"]) {
        return;
    }
    let temp = tempfile::tempdir().expect("folder");
    open_to_all(temp.path());
    let dovecot = Service::start(
        "dovecot.py",
        &temp.path().join("dovecot"),
        &["IMAP4rev1 STARTTLS"],
    );
    check_mailbox(&dovecot, Protection::Tls, dovecot.port("imaps")).await;
}
