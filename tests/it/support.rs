//! The built program, run as its user would.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The built program.
pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_xahau-email"))
}

/// What a run of the program gave.
pub(crate) struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Standard output as one JSON object.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Run {
    run_with_input(arguments, b"")
}

/// Runs the program to its end, with bytes on standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = program()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input");
    // A program that refuses its arguments does not read; that is its right.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    Run {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A running node; it is killed with the value.
pub(crate) struct NodeProcess {
    pub child: Child,
    pub url: String,
}

impl NodeProcess {
    /// Starts a node on a free port with the given further arguments and waits until it listens.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> NodeProcess {
        Self::start_with(data, arguments, Stdio::inherit(), "warn")
    }

    /// The same with its diagnostics going elsewhere, at a log level.
    pub(crate) fn start_with(data: &Path, arguments: &[&str], stderr: Stdio, log: &str) -> NodeProcess {
        let mut child = program()
            .arg("node")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("RUST_LOG", log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the node starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let url = lines.find_map(|line| {
            line.expect("text")
                .strip_prefix("listening ")
                .map(|url| url.trim().to_owned())
        });
        let url = url.unwrap_or_else(|| panic!("the node ended before it listened: {:?}", child.wait()));
        NodeProcess { child, url }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Follows a program's log: true between the begin and the end of a commit.
pub(crate) struct CommitWatch {
    pub inside: Arc<AtomicBool>,
    reader: std::thread::JoinHandle<()>,
}

impl CommitWatch {
    /// Follows until the program ends.
    pub(crate) fn follow(stderr: std::process::ChildStderr) -> Self {
        let inside = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&inside);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if line.contains("commit begins") {
                    flag.store(true, Ordering::SeqCst);
                } else if line.contains("commit ends") {
                    flag.store(false, Ordering::SeqCst);
                }
            }
        });
        CommitWatch { inside, reader }
    }

    /// Whether the program died inside a commit.
    pub(crate) fn end(self) -> bool {
        self.reader.join().expect("reader");
        self.inside.load(Ordering::SeqCst)
    }
}

/// A running relay, or a relay with its node; it is killed with the value.
pub(crate) struct RelayProcess {
    pub child: Child,
    /// Where it listens: `PROTOCOL://PLACE` each.
    pub listening: Vec<String>,
    /// ADDR:PORT of SMTP; empty where it has no such door.
    pub smtp: String,
}

impl RelayProcess {
    /// Starts `relay run` and waits until its doors are open.
    pub(crate) fn start_with(config: &Path, stderr: Stdio, log: &str) -> RelayProcess {
        let mut command = program();
        command.args(["relay", "run", "--config"]).arg(config);
        command.env("RUST_LOG", log).stderr(stderr);
        RelayProcess::spawn(command)
    }

    /// Starts a command that is `relay run` or `up`, and waits until its doors are open.
    pub(crate) fn spawn(mut command: Command) -> RelayProcess {
        let mut child = command
            .arg("--json")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the relay starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("text");
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: {line:?}, {:?}", child.wait()));
        // A node has one place, a relay a list of them.
        let text = |place: &Value| place.as_str().expect("text").to_owned();
        let listening: Vec<String> = match &said["listening"] {
            Value::Array(places) => places.iter().map(text).collect(),
            place => vec![text(place)],
        };
        // The pipe stays open, so that a later line does not end the relay.
        std::thread::spawn(move || lines.lines().for_each(drop));
        let mut relay = RelayProcess {
            child,
            listening,
            smtp: String::new(),
        };
        relay.smtp = relay.place("smtp").unwrap_or_default();
        relay
    }

    /// Where it listens for a protocol.
    pub(crate) fn place(&self, protocol: &str) -> Option<String> {
        let found = self.listening.iter().filter_map(|place| place.split_once("://"));
        let mut found = found.filter(|(known, _)| *known == protocol);
        found.next().map(|(_, place)| place.to_owned())
    }

    /// Ends it as its operator would. Gives whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(told.success());
        self.child.wait().expect("wait").success()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
