//! The running relay against mail software that others wrote: Postfix, OpenDKIM, Dovecot, swaks,
//! Python's smtplib. The scripts stand in tests/interop, and tests/tools.sh installs what they start. Where a
//! program is missing a test passes with a notice, except on CI.

mod mailbox;
mod pay;
mod pipe;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

use crate::root;
use crate::support::{RelayProcess, program};
use crate::world::{RELAY, wait_for};

/// Who sends with Postfix; OpenDKIM signs for the domain.
const SENDER: &str = "alice@sender.example";
/// User and group of nobody on Debian, as tests/interop/postfix.py has them of the system.
const NOBODY: &str = "nobody";

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

    /// A mail server that takes everything, at a port.
    fn sink(folder: &Path) -> Service {
        Service::start("sink.py", folder, &["smtp", "tcp"])
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("a text")
    }

    fn port(&self, name: &str) -> u16 {
        let port = match &self.ready[name] {
            Value::String(address) => address.rsplit(':').next().and_then(|port| port.parse().ok()),
            number => number.as_u64().and_then(|port| port.try_into().ok()),
        };
        port.expect("a port")
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

/// An unsigned mail of [`SENDER`]; send.py dates it.
fn mail(line: &str) -> String {
    format!(
        "From: Alice <{SENDER}>\r\nTo: bob@receiver.example\r\nCc: {RELAY}\r\nDate: {{date}}\r\n\
         Message-ID: <{}@sender.example>\r\nSubject: rent\r\n\r\n{line}\r\n\r\nThank you.\r\n",
        line.replace(' ', ".")
    )
}

/// The section `[answers]` for a smarthost on this machine, with a fresh key. Its record is in
/// `folder/keys.json`.
fn answers(folder: &Path, port: u16) -> String {
    make("signing_key.py", folder, &["relay.example"]);
    let key = folder.join("s1.private");
    format!(
        "[answers]\nhost = \"127.0.0.1\"\nport = {port}\nprotection = \"none\"\nfrom = \"{RELAY}\"\n\
         dkim_selector = \"s1\"\ndkim_key = {key:?}\n"
    )
}

/// Waits for a mail that holds all of these texts; gives its file.
async fn wait_for_mail(folder: &Path, texts: &[&str]) -> PathBuf {
    wait_for(&format!("a mail with {texts:?}"), async || {
        let entries = std::fs::read_dir(folder).expect("folder");
        entries.map(|entry| entry.expect("entry").path()).find(|path| {
            let is_mail = path.extension().is_some_and(|ending| ending == "eml");
            is_mail
                && std::fs::read_to_string(path)
                    .is_ok_and(|mail| texts.iter().all(|text| mail.contains(text)))
        })
    })
    .await
}

/// Waits for the answer to a mail that was paid, and checks it: RFC 5322 section 3.6.4, RFC 3834 section 5,
/// and with OpenDKIM that it is signed by the key whose record is in `keys`.
async fn check_answer(folder: &Path, keys: &Path, sender: &str, message_id: &str) {
    let to = format!("To: <{sender}>\r\n");
    let thread = format!("In-Reply-To: {message_id}\r\n");
    let path = wait_for_mail(folder, &[&to, &thread]).await;
    let answer = std::fs::read_to_string(&path).expect("a mail");
    let header = answer.split("\r\n\r\n").next().expect("a header");
    let header = header.replace("\r\n ", " ");
    for line in [
        format!("References: {message_id}"),
        "Auto-Submitted: auto-replied".to_owned(),
        format!("From: Xahau email relay <{RELAY}>"),
    ] {
        assert!(
            header.split("\r\n").any(|field| field == line),
            "{line}: {answer}"
        );
    }
    let verify = |path: &Path| {
        let arguments = [keys.to_str().expect("text"), path.to_str().expect("text")];
        let done = python("verify.py").arg(folder).args(arguments).output();
        let done = done.expect("python3");
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stdout).into_owned(),
        )
    };
    let (is_valid, said) = verify(&path);
    assert!(is_valid, "{said}{answer}");
    let forged = folder.join("forged");
    std::fs::write(&forged, answer.replacen("XAH", "XRP", 1)).expect("written");
    let (is_valid, said) = verify(&forged);
    assert!(!is_valid, "{said}");
}

/// Number of a user or group.
fn id_of(table: &str, name: &str) -> u32 {
    let text = std::fs::read_to_string(table).expect("a table");
    let row = text.lines().find_map(|row| {
        let mut cells = row.split(':');
        (cells.next() == Some(name)).then(|| cells.nth(1).map(str::to_owned))?
    });
    row.and_then(|id| id.parse().ok()).expect("a number")
}

/// Makes a folder and all in it nobody's.
fn give_to_nobody(folder: &Path) {
    let (user, group) = (id_of("/etc/passwd", NOBODY), id_of("/etc/group", "postfix"));
    let mut paths = vec![folder.to_owned()];
    while let Some(path) = paths.pop() {
        std::os::unix::fs::chown(&path, Some(user), Some(group)).expect("chown");
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("folder");
            paths.extend(entries.map(|entry| entry.expect("entry").path()));
        }
    }
}

/// A copy of the program where every user can start it.
fn program_for_all(folder: &Path) -> PathBuf {
    let path = folder.join("xahau-email");
    std::fs::copy(program().get_program(), &path).expect("a copy");
    path
}

/// Starts `relay run` as the user nobody, which pipe(8) may run commands as (it refuses root), and with
/// Postfix's group, so that Postfix may connect to Unix sockets.
fn start_as_nobody(program: &Path, config: &Path) -> RelayProcess {
    let (user, group) = (id_of("/etc/passwd", NOBODY), id_of("/etc/group", "postfix"));
    let mut command = Command::new(program);
    command.args(["relay", "run", "--config"]).arg(config);
    command.env("RUST_LOG", "warn").uid(user).gid(group);
    RelayProcess::spawn(command)
}

/// Own addresses, as the line of the configuration.
fn own(addresses: &[&str]) -> String {
    let mut line = "addresses = [".to_owned();
    for address in addresses {
        let _ = write!(line, "\"{address}\", ");
    }
    line + "]"
}
