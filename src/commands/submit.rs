//! `submit`: hands a mail to a node and, if asked, waits until it is final. Spec: 12

use super::{Failure, Outcome, read_mail, show};
use crate::cli;
use codec::Ter;
use rpc::Client;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How often a waiting client asks, milliseconds.
const POLL_MILLIS: u64 = 250;
/// How often a waiting client hands in a mail that the node does not keep, milliseconds.
const RESUBMIT_MILLIS: u64 = 2_000;

/// Submits the mail and says what the node answered.
pub async fn run(args: &cli::Submit, json: bool) -> Result<Outcome, Failure> {
    let mail = read_mail(&args.file)?;
    let wrong = |source| Failure::Server {
        server: args.server.clone(),
        source,
    };
    let mut client = Client::connect(&args.server).await.map_err(wrong)?;
    let mut answer = request(&mut client, &mail, Mode::Submit).await.map_err(wrong)?;
    if args.wait {
        if !json && is_pending(&answer) {
            eprintln!(
                "{}; waiting until it is validated or final (Ctrl-C leaves it with the node)",
                state(&answer)
            );
        }
        while is_pending(&answer) {
            // What the node has no room to keep is handed in again, more slowly.
            let (millis, mode) = if answer["state"].is_null() {
                (RESUBMIT_MILLIS, Mode::Submit)
            } else {
                (POLL_MILLIS, Mode::Ask)
            };
            tokio::time::sleep(Duration::from_millis(millis)).await;
            answer = request(&mut client, &mail, mode).await.map_err(wrong)?;
        }
    }
    if state(&answer) == "validated" {
        take_final_result(&mut client, &mut answer).await.map_err(wrong)?;
    }
    client.close().await;
    if json {
        out!("{answer}");
    } else {
        out_text!("{}", text(&answer));
    }
    Ok(outcome(&answer))
}

/// Whether a request may change anything.
#[derive(Clone, Copy)]
enum Mode {
    Submit,
    Ask,
}

async fn request(client: &mut Client, mail: &[u8], mode: Mode) -> Result<Value, rpc::ClientError> {
    let mut params = Map::new();
    params.insert("email_hex".to_owned(), json!(hex::encode_upper(mail)));
    if matches!(mode, Mode::Ask) {
        params.insert("dry_run".to_owned(), json!(true));
    }
    client.request("submit_email", params).await
}

/// The result that stands in the ledger, instead of that of asking again: a validated transaction may have failed and
/// cost its fee (tec).
async fn take_final_result(client: &mut Client, answer: &mut Value) -> Result<(), rpc::ClientError> {
    let params = Map::from_iter([("email_id".to_owned(), answer["email_id"].clone())]);
    let record = client.request("tx", params).await?;
    let ter = record["meta"]["TransactionResult"]
        .as_str()
        .and_then(Ter::from_token);
    if let (Some(ter), Some(members)) = (ter, answer.as_object_mut()) {
        rpc::wire::write_engine_result(ter, members);
    }
    Ok(())
}

fn state(answer: &Value) -> &str {
    answer["state"].as_str().unwrap_or("not taken")
}

fn is_pending(answer: &Value) -> bool {
    let is_unkept =
        answer["state"].is_null() && answer["engine_result"] == json!(Ter::TER_NO_DKIM_KEY.token());
    is_unkept || matches!(state(answer), "kept" | "submitted")
}

fn outcome(answer: &Value) -> Outcome {
    match state(answer) {
        "kept" | "submitted" => Outcome::Yes,
        "validated" if answer["engine_result"] == json!(Ter::TES_SUCCESS.token()) => Outcome::Yes,
        _ => Outcome::No,
    }
}

fn text(answer: &Value) -> String {
    let field = |name: &str| answer[name].as_str().unwrap_or_default();
    let mut out = show::meaning(answer);
    out.push_str(&format!(
        "{:<12} {}: {}\n",
        "result",
        field("engine_result"),
        field("engine_result_message")
    ));
    out.push_str(&format!("{:<12} {}\n", "state", state(answer)));
    if let Some(hash) = answer["hash"].as_str() {
        out.push_str(&format!("{:<12} {hash}\n", "transaction"));
    }
    if let Some(index) = answer["ledger_index"].as_u64() {
        out.push_str(&format!("{:<12} {index}\n", "ledger"));
    }
    if answer["qualifies"] != json!(true) {
        out.push_str(&show::checks(answer));
    }
    if let Some(reason) = answer["not_kept"].as_str() {
        out.push_str(&format!("{:<12} {reason}\n", "note"));
    }
    if state(answer) == "validated" && outcome(answer) == Outcome::No {
        out.push_str("Nothing was paid, but the fee was taken, and this mail is used up: write a new one.\n");
    }
    if state(answer) == "kept" {
        out.push_str("The node keeps the mail and tries again at each ledger; nothing more is to be done.\n");
    }
    out
}
