//! The examples of README and docs/relay.md, executed as they are written: only ports, and folders that belong
//! to the system, are others. A block that is added or changed fails until it is listed here.

use crate::node_cli::Desk;
use crate::support::{RelayProcess, Run, program, run};
use crate::{read, table_after};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const README: &str = "README.md";
const GUIDE: &str = "docs/relay.md";

/// What happens to a block.
enum How {
    /// A test of this file runs it.
    Here,
    /// It is no command for this program alone; what tries it instead.
    Elsewhere(&'static str),
}

/// Every block, by the beginning of its first line.
const BLOCKS: [(&str, &str, How); 13] = [
    (
        README,
        "cargo run --release -- demo",
        How::Elsewhere("the steps `demo` and `test` of .ci/run"),
    ),
    (README, "xahau-email node --data ./ledger", How::Here),
    (README, "xahau-email up --data ./both", How::Here),
    (GUIDE, "install -m 755", How::Here),
    (GUIDE, "xahau-email relay check --config", How::Here),
    (
        GUIDE,
        "cp docs/relay/xahau-email-relay.service",
        How::Elsewhere("systemd; the unit is read below"),
    ),
    (
        GUIDE,
        "relay@example.org   lmtp:inet:127.0.0.1:2424",
        How::Elsewhere("Postfix, in tests/it/interop.rs"),
    ),
    (
        GUIDE,
        "xahau unix - n n - 10 pipe",
        How::Elsewhere("Postfix, in tests/it/interop.rs"),
    ),
    (GUIDE, "550-5.6.0 Not taken", How::Here),
    (GUIDE, "xahau-email queue list", How::Here),
    (GUIDE, "xahau-email relay backup", How::Here),
    (GUIDE, "xahau-email relay check --send-to", How::Here),
    (GUIDE, "[answers]", How::Here),
];

/// The code blocks of a text: fenced, or indented by four columns.
fn blocks(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut is_fenced, mut is_open) = (false, false);
    for line in text.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
            is_open = false;
            continue;
        }
        let code = match line.strip_prefix("    ") {
            _ if is_fenced => Some(line),
            code => code,
        };
        match (code, is_open) {
            (Some(code), true) => {
                let block = found.last_mut().expect("a block");
                block.push('\n');
                block.push_str(code);
            }
            (Some(code), false) => {
                found.push(code.to_owned());
                is_open = true;
            }
            (None, _) => is_open = false,
        }
    }
    found
}

/// The block of a file that begins so.
fn block(file: &str, begin: &str) -> String {
    let all = blocks(&read(file));
    let mut fitting = all.into_iter().filter(|block| block.starts_with(begin));
    fitting
        .next()
        .unwrap_or_else(|| panic!("{file} has no block that begins with {begin}"))
}

#[test]
fn every_block_is_executed_or_says_what_does_it_instead() {
    for file in [README, GUIDE] {
        for block in blocks(&read(file)) {
            let known = BLOCKS
                .iter()
                .filter(|(of, begin, _)| *of == file && block.starts_with(begin));
            assert_eq!(
                known.count(),
                1,
                "{file}: list this block in tests/it/docs.rs:\n{block}"
            );
        }
    }
    for (file, begin, how) in &BLOCKS {
        block(file, begin);
        if let How::Elsewhere(what) = how {
            println!("{file}: {begin}: not run here, but by {what}");
        }
    }
}

/// A folder in which commands run as a shell gives them, with the program on the path.
struct Shell {
    desk: Desk,
}

impl Shell {
    fn new() -> Shell {
        let desk = Desk::new();
        desk.mail("mail.eml", 60, "REMIT 10 XAH");
        std::fs::create_dir(desk.path("bin")).expect("a folder");
        let link = desk.path("bin/xahau-email");
        std::os::unix::fs::symlink(program().get_program(), link).expect("a link");
        Shell { desk }
    }

    fn command(&self, line: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(self.desk.path(""))
            .env("PATH", format!("{}:{path}", self.desk.path("bin").display()));
        command
    }

    /// Runs a line to its end.
    fn run(&self, line: &str) -> Run {
        let output = self.command(line).stdin(Stdio::null()).output().expect("a shell");
        Run {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.desk.path(name).to_str().expect("text").to_owned()
    }

    /// A daemon's line, at free ports; it becomes the shell's process.
    fn daemon(&self, line: &str) -> RelayProcess {
        RelayProcess::spawn(self.command(&format!("exec {line} --json")))
    }
}

#[test]
fn the_node_of_the_readme_takes_its_mail() {
    let shell = Shell::new();
    let block = block(README, "xahau-email node --data ./ledger");
    let [node, submit] = block.lines().collect::<Vec<_>>()[..] else {
        panic!("{block}")
    };
    let node = shell.daemon(&format!("{node} --listen 127.0.0.1:0"));
    let url = node.listening.first().expect("a place");
    let paid = shell.run(&with(submit, "ws://127.0.0.1:6006", url));
    assert_eq!(paid.code, 0, "{}{}", paid.out, paid.err);
    assert!(paid.out.contains("validated"), "{}", paid.out);
}

/// The text with a part of it replaced, which must be there.
fn with(text: &str, part: &str, instead: &str) -> String {
    assert!(text.contains(part), "{text} has no {part}");
    text.replace(part, instead)
}

#[test]
fn the_relay_of_the_readme_takes_its_mail() {
    let shell = Shell::new();
    let block = block(README, "xahau-email up --data ./both");
    let [up, swaks] = block.lines().collect::<Vec<_>>()[..] else {
        panic!("{block}")
    };
    let up = shell.daemon(&format!("{up} --rpc 127.0.0.1:0 --smtp 127.0.0.1:0"));
    let swaks = with(swaks, "127.0.0.1:2525", &up.smtp);
    let has_swaks = shell.run("command -v swaks").code == 0;
    let said = if has_swaks {
        let sent = shell.run(&swaks);
        assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
        sent.out
    } else {
        println!("no swaks (tests/tools.sh installs it): its dialogue is held instead");
        let mail = std::fs::read_to_string(shell.path("mail.eml")).expect("a mail");
        dialogue(&up.smtp, "relay@relay.example", &mail)
    };
    assert!(said.contains("250 2.0.0 Taken as "), "{said}");
    let node = format!("ws://{}", up.place("ws").expect("a node"));
    let paid = shell.run(&format!("xahau-email submit mail.eml --server {node} --wait"));
    assert_eq!(paid.code, 0, "{}{}", paid.out, paid.err);
}

/// What a mail server says and hears: all replies.
fn dialogue(smtp: &str, to: &str, mail: &str) -> String {
    let mut stream = std::net::TcpStream::connect(smtp).expect("connects");
    let head = format!("EHLO mail.example\r\nMAIL FROM:<alice@mail.example>\r\nRCPT TO:<{to}>\r\n");
    let text = format!("{head}BDAT {} LAST\r\n{mail}QUIT\r\n", mail.len());
    stream.write_all(text.as_bytes()).expect("sent");
    let mut replies = String::new();
    stream.read_to_string(&mut replies).expect("replies");
    replies
}

/// A relay of the guide: its configuration as quickstart writes it, in folders of the test's own.
struct Guide {
    shell: Shell,
    config: String,
    made: String,
}

impl Guide {
    /// Runs the first block of the guide, but for what only root can do on a machine of its own.
    fn new() -> Guide {
        let shell = Shell::new();
        let block = block(GUIDE, "install -m 755").replace("\\\n", " ");
        let ours: Vec<&str> = block
            .lines()
            .filter(|line| line.starts_with("xahau-email "))
            .collect();
        let others = block.lines().filter(|line| !line.starts_with("xahau-email "));
        for line in others {
            let is_of_root = ["install ", "useradd ", "chown "]
                .iter()
                .any(|word| line.starts_with(word));
            assert!(is_of_root, "{line}: neither of this program nor of root");
        }
        let [quickstart] = ours[..] else { panic!("{block}") };
        let (etc, var) = (shell.path("etc"), shell.path("var"));
        let quickstart = with(quickstart, "/var/lib/xahau-email-relay", &var);
        // A name server that nobody runs: what it would say is not the point here.
        let made = shell.run(&format!("{quickstart} --dir {etc} --dns 127.0.0.1:1"));
        assert_eq!(made.code, 0, "{}", made.err);
        let config = format!("{etc}/relay.toml");
        Guide {
            shell,
            config,
            made: made.out,
        }
    }

    /// A line of the guide with its placeholders filled.
    fn run(&self, line: &str) -> Run {
        let line = line.replace("/etc/xahau-email-relay/relay.toml", &self.config);
        self.shell.run(&line)
    }

    /// The configuration at free ports, without a node, and with the keys of the desk.
    fn start(&self) -> RelayProcess {
        let text = std::fs::read_to_string(&self.config).expect("a file");
        let keys = format!("[dns]\nkeys = {:?}\n", self.shell.path("keys.json"));
        let text = with(&text, "\n[dns]\n", &format!("\n{keys}"));
        let text = with(&text, "\"0.0.0.0:25\", \"[::]:25\"", "\"127.0.0.1:0\"");
        let text = with(&text, "#free_mib_min = 256", "free_mib_min = 1");
        std::fs::write(&self.config, text).expect("written");
        RelayProcess::start_with(Path::new(&self.config), Stdio::inherit(), "error")
    }
}

#[test]
fn quickstart_and_check_show_every_record_and_say_that_dns_is_silent() {
    let guide = Guide::new();
    let checked = guide.run(&block(GUIDE, "xahau-email relay check --config"));
    assert_eq!(checked.code, 1, "{}", checked.out);
    for out in [&guide.made, &checked.out] {
        assert!(
            out.contains("FAIL  DNS: dns.server (127.0.0.1:1) gives no answer"),
            "{out}"
        );
        for record in [
            "pay.example.org. IN MX 10 mail.example.org.",
            "pay.example.org. IN TXT \"v=spf1 mx -all\"",
            "relay._domainkey.pay.example.org. IN TXT \"v=DKIM1; k=rsa; p=",
            "_dmarc.pay.example.org. IN TXT \"v=DMARC1; p=reject\"",
        ] {
            assert!(out.contains(&format!("Publish: {record}")), "{record}: {out}");
        }
    }
}

#[test]
fn the_unit_starts_what_the_guide_installs() {
    let unit = read("docs/relay/xahau-email-relay.service");
    let start = block(GUIDE, "install -m 755");
    let place = start
        .lines()
        .next()
        .and_then(|line| line.rsplit(' ').next())
        .expect("a path");
    let line = format!("ExecStart={place}xahau-email relay run --config /etc/xahau-email-relay/relay.toml");
    assert!(unit.lines().any(|of_unit| of_unit == line), "{line}");
}

#[test]
fn a_refusal_looks_as_the_guide_shows_it() {
    let guide = Guide::new();
    let relay = guide.start();
    let mail = guide.shell.desk.mail("hello.eml", 60, "Hello");
    let mail = std::fs::read_to_string(mail).expect("a mail");
    let replies = dialogue(&relay.smtp, "relay@pay.example.org", &mail);
    let shown = block(GUIDE, "550-5.6.0 Not taken");
    let masked = |text: &str| match text.split_once("trace ") {
        Some((before, after)) => format!("{before}trace{}", after.get(16..).unwrap_or_default()),
        None => text.to_owned(),
    };
    for line in shown.lines() {
        let line = masked(line);
        assert!(
            replies.lines().any(|reply| masked(reply) == line),
            "{line}: {replies}"
        );
    }
}

/// The spellings of a usage line: `[option]` left out or there, each of `one|other`.
fn spellings(line: &str) -> Vec<String> {
    if let Some((before, rest)) = line.split_once('[')
        && let Some((option, after)) = rest.split_once(']')
    {
        let without = format!("{}{after}", before.trim_end());
        let there = format!("{before}{option}{after}");
        return [spellings(&without), spellings(&there)].concat();
    }
    let words: Vec<&str> = line.split(' ').collect();
    match words.iter().position(|word| word.contains('|')) {
        Some(at) => words[at]
            .split('|')
            .flat_map(|word| spellings(&[&words[..at], &[word], &words[at + 1..]].concat().join(" ")))
            .collect(),
        None => vec![line.to_owned()],
    }
}

#[test]
fn the_operators_commands_of_the_guide_work() {
    let guide = Guide::new();
    let relay = guide.start();
    let mail = guide.shell.path("mail.eml");
    let config = &guide.config;
    let taken = guide
        .shell
        .run(&format!("xahau-email relay pipe --config {config} < {mail}"));
    assert_eq!(taken.code, 0, "{}", taken.err);
    let trace = taken
        .out
        .split("Taken as ")
        .nth(1)
        .and_then(|rest| rest.get(..16))
        .expect("a trace");
    for line in block(GUIDE, "xahau-email queue list").lines() {
        for spelling in spellings(line) {
            let filled = spelling.replace("NAME", trace).replace("WHY", "asked");
            let done = guide.shell.run(&format!("{filled} --config {config}"));
            // 1: a final mail stays as it is.
            let is_final = done.code == 1 && done.out.contains("final");
            assert!(done.code == 0 || is_final, "{filled}: {}{}", done.out, done.err);
        }
    }
    for line in block(GUIDE, "xahau-email relay backup").lines() {
        let filled = line
            .replace("--config FILE", &format!("--config {config}"))
            .replace("DIR", &guide.shell.path("copy"))
            .replace("NEW", &guide.shell.path("new"));
        let done = guide.shell.run(&filled);
        assert_eq!(done.code, 0, "{filled}: {}{}", done.out, done.err);
    }
    drop(relay);
}

/// Every command that stands in running text or in the table of commands is one, with all of its flags.
#[test]
fn every_command_that_is_named_has_its_flags() {
    let mut seen = 0;
    for file in [README, GUIDE] {
        let text = read(file);
        for code in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| !code.contains('\n'))
        {
            let code = code.replace("\\|", "|");
            let Some(rest) = code
                .strip_prefix("xahau-email ")
                .filter(|rest| !rest.starts_with("COMMAND"))
            else {
                continue;
            };
            let words: Vec<&str> = rest
                .split(' ')
                .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
                .collect();
            for command in spellings(&words.join(" ")) {
                let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
                let help = run(&words);
                assert_eq!(help.code, 0, "{file}: {code}: {}", help.err);
                let flags = code.split(|c: char| !c.is_ascii_lowercase() && c != '-');
                for flag in flags.filter(|word| word.starts_with("--") && word.len() > 2) {
                    // `relay run|check|pipe` have --config in common, not all of the others.
                    let is_there =
                        help.out.contains(&format!("{flag} ")) || help.out.contains(&format!("{flag}\n"));
                    assert!(is_there, "{file}: {code}: {command} has no {flag}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 15, "{seen}");
    assert!(!table_after(&read(README), "## Commands").is_empty());
}
