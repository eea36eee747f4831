//! The console: lines from standard input, each carried out and answered before the next is read.

use super::session::{Answer, Session};
use super::verb::parse;
use crate::commands::Failure;
use crate::output::Format;
use serde_json::{Map, Value, json};
use std::io::IsTerminal as _;
use tokio::sync::mpsc::Receiver;

/// Answers commands until there are no more, or until one ends the session.
pub(super) async fn run(
    session: &mut Session,
    mut lines: Receiver<String>,
    format: Format,
) -> Result<(), Failure> {
    let is_prompted = format == Format::Text && std::io::stdin().is_terminal();
    loop {
        for (name, how) in session.net.newly_ended() {
            let line = format!("{name} has ended by itself: {how}");
            eprintln!("{line}");
        }
        if is_prompted {
            out_text!("localnet> ");
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            failure = session.net.broken() => return Err(failure),
        };
        let Some(line) = line else { return Ok(()) };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if answer(session, &line, format).await {
            return Ok(());
        }
    }
}

/// Carries a line out; whether it is the last.
async fn answer(session: &mut Session, line: &str, format: Format) -> bool {
    let (id, command) = read(line);
    let command = match command {
        Ok(command) => command,
        Err(reason) => {
            say(format, &id, "", Err(&reason), Vec::new());
            return false;
        }
    };
    let verb = command
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let done = match parse(&command) {
        Ok(command) => session.act(command).await.map_err(|refused| refused.to_string()),
        Err(bad) => Err(bad.to_string()),
    };
    let said = session.teller.take();
    say(format, &id, &verb, done.as_ref().map_err(String::as_str), said);
    done.is_ok_and(|answer| answer.is_last)
}

/// A command, alone or in an object, and the id of that.
fn read(line: &str) -> (Option<Value>, Result<String, String>) {
    if !line.trim_start().starts_with('{') {
        return (None, Ok(line.to_owned()));
    }
    let wrong =
        |reason: &str| format!("{reason}; a line is a command, or {{\"id\": 1, \"command\": \"status\"}}");
    let object: Map<String, Value> = match serde_json::from_str(line) {
        Ok(object) => object,
        Err(error) => return (None, Err(wrong(&error.to_string()))),
    };
    let command = object.get("command").and_then(Value::as_str);
    let command = command
        .map(str::to_owned)
        .ok_or_else(|| wrong("there is no 'command'"));
    (object.get("id").cloned(), command)
}

fn say(format: Format, id: &Option<Value>, verb: &str, done: Result<&Answer, &str>, said: Vec<String>) {
    match (format, done) {
        (Format::Text, Ok(answer)) => {
            if let Some(next) = &answer.next {
                out!("next: {next}");
            }
        }
        (Format::Text, Err(reason)) => out!("{reason}"),
        (Format::Json, Ok(answer)) => {
            let mut out = answer.data.clone();
            out.extend(head(id, verb));
            out.insert("ok".to_owned(), json!(answer.is_done));
            out.insert("said".to_owned(), json!(said));
            if let Some(next) = &answer.next {
                out.insert("next".to_owned(), json!(next));
            }
            out!("{}", Value::Object(out));
        }
        (Format::Json, Err(reason)) => {
            let mut out = head(id, verb);
            out.insert("ok".to_owned(), json!(false));
            out.insert("error".to_owned(), json!(reason));
            out.insert("said".to_owned(), json!(said));
            out!("{}", Value::Object(out));
        }
    }
}

fn head(id: &Option<Value>, verb: &str) -> Map<String, Value> {
    let mut out = Map::from_iter([("verb".to_owned(), json!(verb))]);
    if let Some(id) = id {
        out.insert("id".to_owned(), id.clone());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands_or_objects_that_hold_one() {
        assert_eq!(read("status"), (None, Ok("status".to_owned())));
        assert_eq!(
            read("{\"id\": \"a\", \"command\": \"send alice bob 1\"}"),
            (Some(json!("a")), Ok("send alice bob 1".to_owned()))
        );
        for line in ["{", "{\"id\": 1}", "{\"command\": 1}", "{\"command\": \"a\"} x"] {
            let (_, command) = read(line);
            assert!(
                command.is_err_and(|reason| reason.contains("\"command\": \"status\"")),
                "{line}"
            );
        }
        assert_eq!(read("{\"id\": 1}").0, Some(json!(1)), "the id comes back");
    }
}
