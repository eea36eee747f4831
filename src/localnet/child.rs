//! One node as a child process: started, killed, paused, and asked to end.

use crate::commands::Failure;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a node may take to serve, seconds: one that has much to make again takes a while.
const START_SECS_MAX: u64 = 60;
/// How long a node may take to end before it is killed.
const END_MAX: Duration = Duration::from_secs(10);
/// Bytes of a log's end in which its last line is looked for.
const LOG_END_BYTES: u64 = 8 * 1024;

/// A running node. It is killed with the value, and ends by itself when this process does: its standard input is
/// ours to close, and a paused one is woken by the system when it has no parent any more (POSIX, orphaned process
/// groups).
pub(super) struct Child {
    process: std::process::Child,
    log: PathBuf,
    listening: Option<oneshot::Receiver<()>>,
}

impl Child {
    /// Starts the node of a configuration; what it says goes into a file.
    pub(super) fn spawn(config: &Path, log: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(["validator", "--json", "--while-stdin-is-open", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            // Ctrl-C on the terminal is for this process alone, which then ends its nodes in order.
            .process_group(0)
            .spawn()?;
        let (told, listening) = oneshot::channel();
        if let Some(output) = process.stdout.take() {
            std::thread::spawn(move || follow(output, told));
        }
        Ok(Self {
            process,
            log: log.to_owned(),
            listening: Some(listening),
        })
    }

    /// Resolves when it serves.
    pub(super) async fn serves(&mut self, name: &str) -> Result<(), Failure> {
        let Some(listening) = self.listening.take() else {
            return Ok(());
        };
        let why = match tokio::time::timeout(Duration::from_secs(START_SECS_MAX), listening).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(_)) => last_line(&self.log),
            Err(_) => format!("it does not serve within {START_SECS_MAX} s"),
        };
        Err(Failure::Argument(format!(
            "{name} did not start: {why}. Its log is {}",
            self.log.display()
        )))
    }

    /// How it ended, where it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok()??;
        Some(format!("{status}: {}", last_line(&self.log)))
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(mut self) {
        self.end_at_once();
    }

    /// Stops it where it stands, with all that it holds.
    pub(super) fn pause(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub(super) fn resume(&self) -> Result<(), Failure> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end.
    pub(super) fn ask_to_end(&self) {
        // One that has ended meanwhile cannot be asked.
        let _ = self.signal(Signal::TERM);
        let _ = self.signal(Signal::CONT);
    }

    /// Waits until it has ended, and kills it where that takes long.
    pub(super) async fn until_ended(mut self) {
        let ending = async {
            while matches!(self.process.try_wait(), Ok(None)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(END_MAX, ending).await;
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let sent = kill_process(Pid::from_child(&self.process), signal);
        sent.map_err(|error| Failure::System(error.into()))
    }

    fn end_at_once(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end_at_once();
    }
}

/// The first line says that the node serves. The pipe stays open, so that no later line ends the node.
fn follow(output: ChildStdout, told: oneshot::Sender<()>) {
    let mut lines = BufReader::new(output).lines();
    if let Some(Ok(line)) = lines.next()
        && line.contains("\"listening\"")
    {
        // Nobody waits where the start was given up.
        let _ = told.send(());
    }
    lines.for_each(drop);
}

fn last_line(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_END_BYTES)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(String::from_utf8_lossy(&end).into_owned())
    };
    let text = read().unwrap_or_default();
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    last.unwrap_or("it said nothing").to_owned()
}
