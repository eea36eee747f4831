//! Another program under questions: one JSON object a line to its standard input, one a line from its standard output.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::answer::{AnswerError, answer};
use crate::limits::{ANSWER_BYTES_MAX, END_SECS, QUESTIONS_OPEN_MAX, SHOWN_BYTES_MAX};
use crate::vector::Vector;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Vectors that were answered as expected, by kind.
    pub agreed: BTreeMap<String, usize>,
    /// Vectors that the program does not support, by kind.
    pub unsupported: BTreeMap<String, usize>,
    /// Vectors that were answered otherwise.
    pub differences: Vec<Difference>,
    /// Why the check ended early.
    pub fault: Option<Fault>,
}

/// A vector that was answered otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The vector.
    pub vector: Vector,
    /// What the program said.
    pub got: Reply,
}

/// What a program says to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// An answer.
    Output(Value),
    /// It failed, in its own words.
    Error(String),
    /// It does not know the kind.
    Unsupported,
}

/// A vector that was asked, as a fault names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    kind: String,
    name: String,
    /// Further questions that were open.
    others: usize,
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match self.others {
            0 => Ok(()),
            others => write!(
                f,
                " (the oldest question without an answer; {others} more were open)"
            ),
        }
    }
}

/// Why a program cannot be held to the vectors.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It does not start.
    #[error("{program} does not start: {source}. Check its path and that it may be executed")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended while a question was open.
    #[error("the program ended ({status}) at {question}. Ask it that one alone with --kind and --name")]
    Ended {
        /// How.
        status: String,
        /// What it was asked.
        question: Question,
    },
    /// It said nothing for too long.
    #[error(
        "the program said nothing for {secs} s at {question}. Does it flush each answer? --timeout gives it more time"
    )]
    Silent {
        /// How long.
        secs: u64,
        /// What it was asked.
        question: Question,
    },
    /// A line that is no answer.
    #[error("the program wrote what is no answer ({what}) at {question}: {line:?}")]
    Junk {
        /// What is wrong with it.
        what: &'static str,
        /// The beginning of the line.
        line: String,
        /// What it was asked.
        question: Question,
    },
    /// A line without an end.
    #[error("the program wrote a line of more than {ANSWER_BYTES_MAX} bytes at {question}")]
    LineTooLong {
        /// What it was asked.
        question: Question,
    },
    /// An answer to no question that is open.
    #[error("the program answered a question that was not open, or once too often: {line:?}")]
    Unasked {
        /// The beginning of the line.
        line: String,
    },
    /// It answered everything, and ended badly.
    #[error("the program answered everything, and then ended with {status}")]
    EndedBadly {
        /// How.
        status: String,
    },
    /// It answered everything, and went on.
    #[error(
        "the program answered everything, but did not end within {END_SECS} s after its standard input did"
    )]
    StaysAlive,
}

/// A line of the program, or why there is none.
enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

/// Asks a program all vectors in their order, and compares outputs but for members of the ignored names. Each
/// difference is told as it is found.
pub fn check(
    vectors: &[&Vector],
    ignored: &[String],
    command: &mut Command,
    timeout: Duration,
    tell: &mut dyn FnMut(&Difference),
) -> Report {
    let mut report = Report::default();
    let asked = Program::start(command).and_then(|mut program| {
        let mut talk = Talk {
            open: BTreeMap::new(),
            ignored,
            report: &mut report,
            tell,
        };
        talk.all(vectors, &mut program, timeout)?;
        program.finish()
    });
    report.fault = asked.err();
    report
}

/// A running program. It is killed with the value.
struct Program {
    child: Child,
    questions: Option<Sender<String>>,
    lines: Receiver<Line>,
}

impl Program {
    fn start(command: &mut Command) -> Result<Program, Fault> {
        let failed = |command: &Command, source| Fault::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(command, error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(command, std::io::ErrorKind::BrokenPipe.into()));
        };
        // A thread each way: a program that writes before it has read everything must not stop both.
        let (questions, to_write) = mpsc::channel();
        let (read, lines) = mpsc::channel();
        std::thread::spawn(move || write_lines(stdin, &to_write));
        std::thread::spawn(move || read_lines(stdout, &read));
        Ok(Program {
            child,
            questions: Some(questions),
            lines,
        })
    }

    fn ask(&self, id: usize, vector: &Vector) {
        let line = json!({"id": id, "kind": vector.kind, "input": vector.input});
        if let Some(questions) = &self.questions {
            // Who no longer reads has ended, which the next line tells.
            let _ = questions.send(line.to_string());
        }
    }

    /// How it ended. What closed its standard output may take a moment to end.
    fn status(&mut self) -> String {
        match wait_for(&mut self.child, Duration::from_secs(3)) {
            Some(status) => status.to_string(),
            None => "it closed its standard output".to_owned(),
        }
    }

    /// Closes its standard input, after which it has to say nothing more and to end.
    fn finish(mut self) -> Result<(), Fault> {
        self.questions = None;
        match self.lines.recv_timeout(Duration::from_secs(END_SECS)) {
            Ok(Line::Text(line)) => return Err(Fault::Unasked { line: shown(&line) }),
            Ok(Line::TooLong) => return Err(Fault::Unasked { line: String::new() }),
            Ok(Line::End) | Err(RecvTimeoutError::Disconnected) => {}
            Err(RecvTimeoutError::Timeout) => return Err(Fault::StaysAlive),
        }
        match wait_for(&mut self.child, Duration::from_secs(END_SECS)) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Fault::EndedBadly {
                status: status.to_string(),
            }),
            None => Err(Fault::StaysAlive),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a program, so long at most.
fn wait_for(child: &mut Child, longest: Duration) -> Option<ExitStatus> {
    const STEP: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if waited < longest => std::thread::sleep(STEP),
            Ok(None) | Err(_) => return None,
        }
        waited = waited.saturating_add(STEP);
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<String>) {
    for mut line in lines {
        line.push('\n');
        if stdin
            .write_all(line.as_bytes())
            .and_then(|()| stdin.flush())
            .is_err()
        {
            return;
        }
    }
}

fn read_lines(stdout: ChildStdout, lines: &Sender<Line>) {
    let mut stdout = BufReader::new(stdout);
    // One more, so that a line of exactly that length is told from a longer one.
    let longest = u64::try_from(ANSWER_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    loop {
        let mut line = Vec::new();
        let read = stdout.by_ref().take(longest).read_until(b'\n', &mut line);
        let line = match read {
            Ok(0) | Err(_) => Line::End,
            Ok(_) if line.len() > ANSWER_BYTES_MAX => Line::TooLong,
            Ok(_) => Line::Text(line),
        };
        let is_last = !matches!(line, Line::Text(_));
        if lines.send(line).is_err() || is_last {
            return;
        }
    }
}

/// What was asked and not yet answered, and what came of the rest.
struct Talk<'a> {
    open: BTreeMap<usize, &'a Vector>,
    ignored: &'a [String],
    report: &'a mut Report,
    tell: &'a mut dyn FnMut(&Difference),
}

impl<'a> Talk<'a> {
    fn all(&mut self, vectors: &[&'a Vector], program: &mut Program, timeout: Duration) -> Result<(), Fault> {
        let mut next = vectors.iter().enumerate();
        loop {
            while self.open.len() < QUESTIONS_OPEN_MAX
                && let Some((id, vector)) = next.next()
            {
                program.ask(id, vector);
                self.open.insert(id, vector);
            }
            if self.open.is_empty() {
                return Ok(());
            }
            match program.lines.recv_timeout(timeout) {
                Ok(Line::Text(line)) => self.take(&line)?,
                Ok(Line::TooLong) => {
                    return Err(Fault::LineTooLong {
                        question: self.oldest(),
                    });
                }
                Ok(Line::End) | Err(RecvTimeoutError::Disconnected) => {
                    let status = program.status();
                    return Err(Fault::Ended {
                        status,
                        question: self.oldest(),
                    });
                }
                Err(RecvTimeoutError::Timeout) => {
                    let secs = timeout.as_secs();
                    return Err(Fault::Silent {
                        secs,
                        question: self.oldest(),
                    });
                }
            }
        }
    }

    /// The question that a program that answers in order is at.
    fn oldest(&self) -> Question {
        let oldest = self.open.values().next();
        Question {
            kind: oldest.map(|vector| vector.kind.clone()).unwrap_or_default(),
            name: oldest.map(|vector| vector.name.clone()).unwrap_or_default(),
            others: self.open.len().saturating_sub(1),
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        let junk = |talk: &Self, what| Fault::Junk {
            what,
            line: shown(line),
            question: talk.oldest(),
        };
        let (id, reply) = match read_reply(line) {
            Ok(read) => read,
            Err(what) => return Err(junk(self, what)),
        };
        let Some(vector) = self.open.remove(&id) else {
            return Err(Fault::Unasked { line: shown(line) });
        };
        let kind = vector.kind.clone();
        let count = |of: &mut BTreeMap<String, usize>| {
            let counted = of.entry(kind).or_default();
            *counted = counted.saturating_add(1);
        };
        let vector = Vector {
            output: without(self.ignored, vector.output.clone()),
            ..vector.clone()
        };
        let reply = match reply {
            Reply::Output(output) => Reply::Output(without(self.ignored, output)),
            Reply::Error(_) | Reply::Unsupported => reply,
        };
        match reply {
            Reply::Output(output) if output == vector.output => count(&mut self.report.agreed),
            Reply::Unsupported => count(&mut self.report.unsupported),
            got => {
                let difference = Difference { vector, got };
                (self.tell)(&difference);
                self.report.differences.push(difference);
            }
        }
        Ok(())
    }
}

/// An output without members of these names.
fn without(ignored: &[String], mut output: Value) -> Value {
    if let Some(members) = output.as_object_mut() {
        members.retain(|member, _| !ignored.contains(member));
    }
    output
}

/// Reads an answer; what is wrong with it where it is none.
fn read_reply(line: &[u8]) -> Result<(usize, Reply), &'static str> {
    let line: Value = serde_json::from_slice(line).map_err(|_| "no JSON")?;
    let mut line: Map<String, Value> = match line {
        Value::Object(line) => line,
        _ => return Err("no JSON object"),
    };
    let id = line
        .get("id")
        .and_then(Value::as_u64)
        .and_then(|id| usize::try_from(id).ok());
    let id = id.ok_or("no \"id\" of a question")?;
    let said = (
        line.remove("output"),
        line.remove("error"),
        line.remove("unsupported"),
    );
    match said {
        (Some(output), None, None) => Ok((id, Reply::Output(output))),
        (None, Some(Value::String(error)), None) => Ok((id, Reply::Error(error))),
        (None, None, Some(Value::Bool(true))) => Ok((id, Reply::Unsupported)),
        _ => Err("not one of \"output\", \"error\": text and \"unsupported\": true"),
    }
}

/// The beginning of what a program wrote.
fn shown(line: &[u8]) -> String {
    let begin = line.get(..SHOWN_BYTES_MAX).unwrap_or(line);
    String::from_utf8_lossy(begin).trim_end().to_owned()
}

/// This program's own answer to a line of the protocol, for `check` to test the pack itself.
#[must_use]
pub fn reply(line: &str) -> Value {
    let question: Value = match serde_json::from_str(line) {
        Ok(question) => question,
        Err(error) => return json!({"id": null, "error": format!("no JSON: {error}")}),
    };
    let id = &question["id"];
    let kind = question["kind"].as_str().unwrap_or_default();
    match answer(kind, &question["input"]) {
        Ok(output) => json!({"id": id, "output": output}),
        Err(AnswerError::UnknownKind(_)) => json!({"id": id, "unsupported": true}),
        Err(error) => json!({"id": id, "error": error.to_string()}),
    }
}
