//! `queue`: a relay's queue, through the running daemon or, where none runs, from its folder.

use super::show::printable;
use super::{Failure, Outcome};
use crate::output::Format;
use crate::{cli, clock};
use ::relay::config::QueueConfig;
use ::relay::config::file;
use ::relay::control::{Line, Operator, Refusal, Request, Why};
use ::relay::queue::ops::{Shown, Stats, Text};
use ::relay::queue::{Damaged, EntryView, Filter, State};
use codec::Drops;
use rpc::reply::Sum;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Widest address and instruction in a list, columns.
const CELL_COLUMNS: usize = 30;

/// Runs one of its commands.
pub(crate) async fn run(command: &cli::Queue, format: Format) -> Result<Outcome, Failure> {
    let (place, request) = request_of(command)?;
    let mut operator = operator(place).await?;
    let mut printer = Printer::new(format, &request, clock::now_unix());
    let asked = operator.request(request, |line| printer.take(line)).await;
    match asked {
        Ok(()) => {
            printer.end();
            Ok(Outcome::Yes)
        }
        // A refusal is an answer: exit code 1, not 2.
        Err(::relay::control::ControlError::Refused(Refusal {
            why: Why::Unknown | Why::Final,
            text,
        })) => {
            eprintln!("xahau-email: {text}");
            if format.is_json() {
                out!("{}", json!({ "error": text }));
            }
            Ok(Outcome::No)
        }
        Err(error) => Err(error.into()),
    }
}

/// The data folder that the arguments name, and the bounds of its queue.
pub(crate) fn data_of(place: &cli::RelayPlace) -> Result<(PathBuf, QueueConfig), Failure> {
    if let Some(data) = &place.data {
        return Ok((data.clone(), QueueConfig::default()));
    }
    let default = || PathBuf::from(cli::RELAY_CONFIG_DEFAULT);
    let path = place.config.clone().unwrap_or_else(default);
    let config = file::read_alone(&path)?;
    Ok((config.data, config.queue))
}

/// Opens that queue: through the running daemon or, where none runs, from its folder.
pub(crate) async fn operator(place: &cli::RelayPlace) -> Result<Operator, Failure> {
    let (data, limits) = data_of(place)?;
    Ok(Operator::open(&data, &limits, Arc::new(clock::now_unix)).await?)
}

fn request_of(command: &cli::Queue) -> Result<(&cli::RelayPlace, Request), Failure> {
    Ok(match command {
        cli::Queue::List {
            state,
            held,
            from,
            max,
            place,
        } => {
            let filter = Filter {
                state: state.as_deref().map(parse_state).transpose()?,
                held: held.then_some(true),
                from: from.as_deref().map(canonical).transpose()?,
                max: *max,
            };
            (place, Request::List { filter })
        }
        cli::Queue::Show { name, text, place } => {
            let text = if *text { Text::With } else { Text::Without };
            let name = name.clone();
            (place, Request::Show { name, text })
        }
        cli::Queue::Retry { name, place } => (place, Request::Retry { name: name.clone() }),
        cli::Queue::Release { name, place } => (place, Request::Release { name: name.clone() }),
        cli::Queue::Hold { name, reason, place } => {
            let (name, reason) = (name.clone(), reason.clone());
            (place, Request::Hold { name, reason })
        }
        cli::Queue::Drop { name, reason, place } => {
            let (name, reason) = (name.clone(), reason.clone());
            (place, Request::Drop { name, reason })
        }
        cli::Queue::Stats { place } => (place, Request::Stats),
    })
}

fn parse_state(word: &str) -> Result<State, Failure> {
    let known = State::ALL.into_iter().find(|state| state.as_str() == word);
    known.ok_or_else(|| {
        let words: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        Failure::Argument(format!(
            "`{word}` is not a state: write one of {}",
            words.join(", ")
        ))
    })
}

/// The queue keeps addresses in the form that makes an account.
fn canonical(address: &str) -> Result<String, Failure> {
    match amendment::address::parse_sender(address) {
        Ok(canonical) => Ok(canonical.as_str().to_owned()),
        Err(error) => Err(Failure::Argument(format!("`{address}`: {error}"))),
    }
}

/// Writes an answer as it comes; a list may be long.
struct Printer {
    format: Format,
    is_list: bool,
    now: u64,
    entries: usize,
    damaged: Vec<Damaged>,
}

impl Printer {
    fn new(format: Format, request: &Request, now: u64) -> Printer {
        Printer {
            format,
            is_list: matches!(request, Request::List { .. }),
            now,
            entries: 0,
            damaged: Vec::new(),
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Entry(entry) if self.is_list => self.row(&entry),
            Line::Entry(entry) => self.whole(&json!(entry), &entry_text(&entry, self.now)),
            Line::Shown(shown) => self.whole(&json!(shown), &shown_text(&shown, self.now)),
            Line::Stats(stats) => self.whole(&json!(stats), &stats_text(&stats)),
            Line::Damaged(damaged) => self.damaged.push(damaged),
            Line::Told(_) | Line::Verified(_) | Line::Done | Line::Error(_) => {}
        }
    }

    fn whole(&self, value: &Value, text: &str) {
        if self.format.is_json() {
            out!("{value}");
        } else {
            out_text!("{text}");
        }
    }

    fn row(&mut self, entry: &EntryView) {
        match (self.format.is_json(), self.entries) {
            (true, 0) => out_text!("{{\"entries\":[{}", json!(entry)),
            (true, _) => out_text!(",{}", json!(entry)),
            (false, 0) => out_text!("{}{}", head(), row_text(entry, self.now)),
            (false, _) => out_text!("{}", row_text(entry, self.now)),
        }
        self.entries += 1;
    }

    fn end(&self) {
        if !self.is_list {
            return;
        }
        if self.format.is_json() {
            let begin = if self.entries == 0 { "{\"entries\":[" } else { "" };
            out!("{begin}],\"damaged\":{}}}", json!(self.damaged));
            return;
        }
        if self.entries == 0 {
            out!("no mails");
        }
        for damaged in &self.damaged {
            out!("cannot be read: {}", damaged.id);
        }
    }
}

fn head() -> String {
    format!(
        "{:<16} {:<9} {:>5} {:>5} {:<CELL_COLUMNS$} {:<CELL_COLUMNS$} {}\n",
        "TRACE", "STATE", "AGE", "NEXT", "FROM", "INSTRUCTION", "LAST WORD"
    )
}

fn row_text(entry: &EntryView, now: u64) -> String {
    let next = match entry {
        entry if entry.state.is_final() => "-".to_owned(),
        entry if entry.is_held => "held".to_owned(),
        entry => span(entry.next_try.saturating_sub(now)),
    };
    let words: Vec<&str> = [&entry.code, &entry.word]
        .into_iter()
        .filter_map(|word| word.as_deref())
        .collect();
    let row = format!(
        "{:<16} {:<9} {:>5} {next:>5} {:<CELL_COLUMNS$} {:<CELL_COLUMNS$} {}",
        entry.trace,
        entry.state.as_str(),
        span(now.saturating_sub(entry.received_at)),
        cell(&entry.from),
        cell(&entry.instruction),
        printable(&words.join(": "))
    );
    format!("{}\n", row.trim_end())
}

/// Text of strangers, fit for a terminal, cut at its column.
fn cell(text: &str) -> String {
    let text = printable(text);
    if text.len() <= CELL_COLUMNS {
        return text;
    }
    let kept: String = text.chars().take(CELL_COLUMNS - 2).collect();
    format!("{kept}..")
}

/// Seconds in the largest whole unit.
pub(super) fn span(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs}s"),
        60..3_600 => format!("{}m", secs / 60),
        3_600..172_800 => format!("{}h", secs / 3_600),
        _ => format!("{}d", secs / 86_400),
    }
}

fn entry_text(entry: &EntryView, now: u64) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("{name:<12} {}\n", printable(&value)));
        }
    };
    let party = |address: &str, account: &str| format!("{address} = {account}");
    line("trace", Some(entry.trace.to_string()));
    line("id", Some(entry.id.to_string()));
    let held = if entry.is_held { ", held" } else { "" };
    line("state", Some(format!("{}{held}", entry.state.as_str())));
    line("from", Some(party(&entry.from, &entry.from_account)));
    line(
        "to",
        match (&entry.to, &entry.to_account) {
            (Some(address), Some(account)) => Some(party(address, account)),
            (address, account) => address.clone().or_else(|| account.clone()),
        },
    );
    line("instruction", Some(entry.instruction.clone()));
    let since = span(now.saturating_sub(entry.received_at));
    line("received", Some(format!("{since} ago by {}", entry.channel)));
    if !entry.state.is_final() {
        let left = span(entry.executable_until.saturating_sub(now));
        line("ends in", Some(left));
        let next = span(entry.next_try.saturating_sub(now));
        line(
            "next try",
            Some(format!("in {next}, after {} so far", entry.tries)),
        );
    }
    line("amount", entry.amount.clone());
    let xah = |drops: u64| Sum::of_drops(Drops::new(drops)).to_string();
    let reserve = entry.reserve_drops.filter(|drops| *drops > 0);
    line(
        "reserve",
        reserve.map(|drops| format!("{} on top, to the receiver", xah(drops))),
    );
    line("fee", entry.fee_drops.map(xah));
    line(
        "sender pays",
        entry.left_drops.map(|drops| format!("{} in all", xah(drops))),
    );
    line("code", entry.code.clone());
    line("rule", entry.rule.clone());
    line("last reason", entry.word.clone());
    line("fix", entry.fix.clone());
    line("node", entry.node.clone());
    line("transaction", entry.hash.clone());
    line("ledger", entry.ledger_index.map(|index| index.to_string()));
    line(
        "message id",
        Some(entry.message_id.clone()).filter(|id| !id.is_empty()),
    );
    line("sender's mail", entry.auth_results.clone());
    out
}

fn shown_text(shown: &Shown, now: u64) -> String {
    let mut out = match &shown.entry {
        Some(entry) => entry_text(entry, now),
        None => "the entry could not be read and was set aside\n".to_owned(),
    };
    for answer in &shown.notices {
        let word = answer.word.as_deref().unwrap_or_default();
        let line = format!("{:?}, {:?} {word}", answer.kind, answer.state).to_lowercase();
        out.push_str(&format!("{:<12} {}\n", "answer", printable(line.trim_end())));
    }
    for line in &shown.history {
        out.push_str(&format!(
            "{:<12} {}\n",
            "history",
            printable(&history_text(line, now))
        ));
    }
    if let Some(mail) = &shown.mail {
        out.push('\n');
        for line in mail.lines() {
            out.push_str(&printable(line));
            out.push('\n');
        }
    }
    out
}

/// A line of the audit log, as far as people look at it.
fn history_text(line: &str, now: u64) -> String {
    let Ok(line) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    let age = span(now.saturating_sub(line["time"].as_u64().unwrap_or_default()));
    let mut words = vec![format!("{age} ago")];
    words.extend(
        ["what", "from", "to", "code", "node", "hash"]
            .iter()
            .filter_map(|name| Some(format!("{name} {}", line[name].as_str()?))),
    );
    if line["held"] == true {
        words.push("held".to_owned());
    }
    words.join(", ")
}

fn stats_text(stats: &Stats) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<16} {value}\n"));
    let mib = |bytes: u64| format!("{} MiB", bytes.div_ceil(1 << 20));
    for state in State::ALL {
        let count = stats.entries.get(&state).copied().unwrap_or_default();
        line(state.as_str(), count.to_string());
    }
    for (what, waiting) in &stats.waits {
        let name = format!("wait for {}", what.as_str());
        line(
            &name,
            format!("{}, the oldest for {}", waiting.count, span(waiting.oldest_secs)),
        );
    }
    line("held", stats.held.to_string());
    line("cannot be read", stats.damaged.to_string());
    let oldest = match stats.notices_waiting {
        0 => String::new(),
        _ => format!(", the oldest for {}", span(stats.notices_oldest_secs)),
    };
    line("answers waiting", format!("{}{oldest}", stats.notices_waiting));
    if let Some(secs) = stats.oldest_secs {
        line("oldest", span(secs));
    }
    line("queue", mib(stats.queue_bytes));
    line("audit log", mib(stats.audit_bytes));
    if let Some(bytes) = stats.free_bytes {
        line("free", mib(bytes));
    }
    line(
        "since the start",
        format!(
            "{}: {} taken, {} final, {} commits",
            span(stats.open_secs),
            stats.taken,
            stats.became_final,
            stats.commits
        ),
    );
    if let Some(fault) = &stats.fault {
        line("not accepting", printable(fault));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::relay::mail::{Channel, TraceId};
    use ::relay::queue::{Dkim, Kind, MailId};

    fn entry() -> EntryView {
        let entry = json!({
            "id": MailId::new([0xAB; 32]), "email_id": null, "trace": TraceId::of([0; 10]), "kind": Kind::Order,
            "state": State::Received, "is_held": false, "dkim": Dkim::Proven, "way": Channel::Smtp,
            "from": "alice@example.com", "from_account": "rAlice", "to": "bob@example.com", "to_account": "rBob",
            "instruction": "REMIT 10 XAH", "message_id": "", "may_answer": true, "bytes": 100,
            "received_at": 1_000, "executable_until": 433_000, "next_try": 1_090, "tries": 2,
            "code": "terNO_DKIM_KEY", "rule": null, "word": "no \u{1b}[31mkey", "fix": null, "node": null, "hash": null,
            "ledger_index": null, "amount": null, "fee_drops": null, "is_first_payment": false, "final_at": null,
            "auth_results": null, "thread": { "subject": "", "references": [] }
        });
        serde_json::from_value(entry).expect("an entry")
    }

    #[test]
    fn a_row_shows_what_an_operator_looks_for_and_no_control_characters() {
        let mut entry = entry();
        assert_eq!(
            row_text(&entry, 1_060),
            "AAAAAAAAAAAAAAAA received     1m   30s alice@example.com              REMIT 10 XAH                   \
             terNO_DKIM_KEY: no \\u{1b}[31mkey\n"
        );
        entry.is_held = true;
        entry.instruction = "REMIT 10 XAH to a very long name@example.com".to_owned();
        let row = row_text(&entry, 1_060);
        assert!(row.contains(" held alice@"), "{row}");
        assert!(row.contains(" REMIT 10 XAH to a very long .. "), "{row}");
    }

    #[test]
    fn an_entry_names_both_parties_and_its_end() {
        let text = entry_text(&entry(), 1_060);
        assert!(
            text.contains("from         alice@example.com = rAlice\n"),
            "{text}"
        );
        assert!(text.contains("to           bob@example.com = rBob\n"), "{text}");
        assert!(text.contains("ends in      4d\n"), "{text}");
        assert!(text.contains("next try     in 30s, after 2 so far\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn rejects_a_state_that_is_none_and_accepts_all_that_are() {
        for state in State::ALL {
            assert_eq!(parse_state(state.as_str()).ok(), Some(state));
        }
        assert!(parse_state("done").is_err());
    }
}
