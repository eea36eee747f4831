//! `explain`: every check of a mail in order, as a node would make them. Spec: 10, 12

use super::{Failure, Outcome, keys, read_mail, show};
use crate::output::Format;
use crate::{cli, clock};
use amendment::{TxtRecords, key_names};
use codec::CloseTime;
use dns::Answer;
use explain::{ExplainEnv, Qualifies, explain};
use rpc::reply::{ExplanationReply, ResultCode};
use serde_json::Value;
use std::sync::Arc;

/// Explains one mail; the outcome is whether it qualifies.
pub(crate) async fn run(args: &cli::Explain, format: Format) -> Result<Outcome, Failure> {
    let raw = read_mail(&args.file)?;
    let unix = args.at.unwrap_or_else(clock::now_unix);
    let now = CloseTime::from_unix(unix).ok_or(Failure::Time(unix))?;
    let (records, unanswered) = look_up(&raw, &args.keys).await?;
    let found = explain(
        &raw,
        &ExplainEnv {
            network_id: args.network,
            now,
            keys: &records,
        },
    );
    let outcome = match found.qualifies {
        Qualifies::Yes => Outcome::Yes,
        Qualifies::No => Outcome::No,
        Qualifies::Unknown => Outcome::Unknown,
    };
    let shown = Value::Object(::explain::explanation_json(found));
    if format.is_json() {
        out!("{shown}");
    } else {
        print_text(&shown, outcome);
    }
    for failed in &unanswered {
        eprintln!(
            "notice: DNS gives no answer about {}; name a server with --dns, or a file with --keys",
            show::printable(failed)
        );
    }
    Ok(outcome)
}

/// The records of the keys that the mail's signatures name; and the names that DNS gives no answer about,
/// which stay unknown, each with the reason.
async fn look_up(raw: &[u8], source: &cli::Keys) -> Result<(TxtRecords, Vec<String>), Failure> {
    let resolver = keys::resolver(source, Arc::new(|_| {}))?;
    let (mut records, mut unanswered) = (TxtRecords::new(), Vec::new());
    for name in key_names(raw).iter().filter(|name| name.may_stand_on_ledger()) {
        let answer = resolver.look_up(name).await;
        if let Answer::Failed(why) = &answer {
            unanswered.push(format!("{}: {why}", name.dns_name()));
        }
        records.insert_answer(&name.dns_name(), answer.key());
    }
    Ok((records, unanswered))
}

fn print_text(shown: &Value, outcome: Outcome) {
    let read = ExplanationReply::read(shown);
    out_text!("{}", show::meaning(&read));
    out!("checks, in the order in which a node makes them:");
    out_text!("{}", show::checks(&read.checks));
    let code = read.code.as_ref().map_or("?", ResultCode::as_str);
    match outcome {
        Outcome::Yes => {
            out!("The mail qualifies. Its transaction (a node adds Sequence, Fee and LastLedgerSequence):");
            out!("{:#}", shorten(&shown["transaction"]));
            out!("Next: `xahau-email submit FILE --server ws://ADDR:PORT --wait` hands it to a node.");
        }
        Outcome::No => out!(
            "The mail does not qualify: rule {}, {code}.",
            read.rule.as_deref().unwrap_or("?")
        ),
        Outcome::Unknown | Outcome::Code(_) => out!(
            "Cannot tell: the key of its signature is not known here ({code}). A node would look it up and keep the mail."
        ),
    }
}

/// Longest text of a value that is shown whole, characters.
const SHOWN_CHARS_MAX: usize = 80;

/// The same JSON with long hex cut; `--json` has all of it.
fn shorten(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > SHOWN_CHARS_MAX => {
            let head: String = text.chars().take(SHOWN_CHARS_MAX - 20).collect();
            Value::String(format!("{head}... ({} characters)", text.len()))
        }
        Value::Array(list) => list.iter().map(shorten).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shorten(value)))
            .collect(),
        other => other.clone(),
    }
}
