//! `submit`: hands a mail to a node and, if asked, waits until it is final. Spec: 12

use super::forecast::Forecast;
use super::{Failure, Outcome, read_mail, show};
use crate::cli;
use crate::output::Format;
use codec::Ter;
use explain::Qualifies;
use rpc::api::{MailState, SubmitEmail, SubmitMode, TxKey};
use rpc::methods::{Form, Request, SubmitEmailReply, TxRequest};
use rpc::reply::{Receipt, Sum};
use rpc::{Client, ClientError};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a waiting client asks, milliseconds.
const POLL_MILLIS: u64 = 250;
/// How often a waiting client hands in a mail that the node does not keep, milliseconds.
const RESUBMIT_MILLIS: u64 = 2_000;

/// Submits the mail and says what the node answered.
pub(crate) async fn run(args: &cli::Submit, format: Format) -> Result<Outcome, Failure> {
    let mail = read_mail(&args.file)?;
    let wrong = |source| Failure::Server {
        server: args.server.clone(),
        source,
    };
    let mut client = Client::connect(&args.server).await.map_err(wrong)?;
    let mut request = SubmitEmail {
        mail,
        mode: if args.dry_run {
            SubmitMode::DryRun
        } else {
            SubmitMode::Submit
        },
    };
    let mut answer = MailAnswer::ask(&mut client, &request).await.map_err(wrong)?;
    if args.wait {
        if !format.is_json() && is_pending(&answer.reply) {
            eprintln!(
                "{}; waiting until it is validated or final (Ctrl-C leaves it with the node)",
                state(&answer.reply)
            );
        }
        while is_pending(&answer.reply) {
            // What the node has no room to keep is handed in again, more slowly.
            let (millis, mode) = match answer.reply.state {
                None => (RESUBMIT_MILLIS, SubmitMode::Submit),
                Some(_) => (POLL_MILLIS, SubmitMode::DryRun),
            };
            tokio::time::sleep(Duration::from_millis(millis)).await;
            request.mode = mode;
            answer = MailAnswer::ask(&mut client, &request).await.map_err(wrong)?;
        }
    }
    let mut receipt = None;
    let mut forecast = None;
    if answer.reply.state == Some(MailState::Validated) {
        (answer, receipt) = answer.with_final_result(&mut client).await.map_err(wrong)?;
    } else if args.dry_run {
        forecast = Forecast::ask(&mut client, &answer.reply).await.map_err(wrong)?;
    }
    client.close().await;
    if format.is_json() {
        let mut json = answer.json;
        if let Some(members) = json.as_object_mut() {
            let mut add = |name: &str, value: Option<Value>| {
                members.extend(value.map(|value| (name.to_owned(), value)));
            };
            add("receipt", receipt.as_ref().map(receipt_json));
            add(
                "forecast",
                forecast.as_ref().map(|forecast| receipt_json(&forecast.receipt)),
            );
        }
        out!("{json}");
    } else {
        out_text!("{}", text(&answer.reply, receipt.as_ref(), forecast.as_ref()));
    }
    Ok(outcome(&answer.reply, request.mode))
}

/// A receipt for machines: sums of drops where they are XAH, and as people write them.
pub(crate) fn receipt_json(receipt: &Receipt) -> Value {
    let drops = |sum: Sum| sum.drops().map(|drops| drops.get().to_string());
    json!({
        "left": receipt.left().to_string(),
        "arrived": receipt.arrived().to_string(),
        "reserve_drops": receipt.reserve.get().to_string(),
        "fee_drops": receipt.fee.get().to_string(),
        "xah_left_drops": drops(receipt.xah_left()),
        "xah_arrived_drops": drops(receipt.xah_arrived()),
        "makes_account": receipt.made.is_account(),
    })
}

/// What a node says to a mail.
pub(crate) struct MailAnswer {
    /// As it came, for machines.
    pub json: Value,
    /// The same, read.
    pub reply: SubmitEmailReply,
}

impl MailAnswer {
    /// Hands a mail in, or asks what would become of it.
    pub(crate) async fn ask(client: &mut Client, request: &SubmitEmail) -> Result<MailAnswer, ClientError> {
        let json = client.request(SubmitEmail::METHOD, request.params()).await?;
        MailAnswer::read(json)
    }

    fn read(json: Value) -> Result<MailAnswer, ClientError> {
        let reply = SubmitEmail::read(&json)?;
        Ok(MailAnswer { json, reply })
    }

    /// With the result that stands in the ledger, instead of that of asking again: a validated transaction
    /// may have failed and cost its fee (tec). And with what it moved.
    pub(crate) async fn with_final_result(
        self,
        client: &mut Client,
    ) -> Result<(MailAnswer, Option<Receipt>), ClientError> {
        let Some(email_id) = self.reply.explanation.email_id else {
            return Ok((self, None));
        };
        let request = TxRequest {
            key: TxKey::Email(email_id),
            form: Form::Json,
        };
        let tx = client.call(&request).await?;
        let receipt = tx
            .meta
            .as_ref()
            .and_then(|meta| Receipt::of(&tx.transaction, meta));
        let result = tx.meta.and_then(|meta| meta.result);
        let mut json = self.json;
        if let (Some(ter), Some(members)) =
            (result.as_deref().and_then(Ter::from_token), json.as_object_mut())
        {
            rpc::wire::write_engine_result(ter, members);
        }
        Ok((MailAnswer::read(json)?, receipt))
    }
}

fn state(reply: &SubmitEmailReply) -> &'static str {
    reply.state.map_or("not taken", MailState::as_str)
}

fn is_pending(reply: &SubmitEmailReply) -> bool {
    match reply.state {
        None => reply.engine.is(Ter::TER_NO_DKIM_KEY),
        Some(MailState::Kept | MailState::Submitted) => true,
        Some(MailState::Validated | MailState::Failed) => false,
    }
}

fn outcome(reply: &SubmitEmailReply, mode: SubmitMode) -> Outcome {
    match reply.state {
        None if mode == SubmitMode::DryRun && reply.engine.is(Ter::TES_SUCCESS) => Outcome::Yes,
        Some(MailState::Kept | MailState::Submitted) => Outcome::Yes,
        Some(MailState::Validated) if reply.engine.is(Ter::TES_SUCCESS) => Outcome::Yes,
        None | Some(MailState::Validated | MailState::Failed) => Outcome::No,
    }
}

fn text(reply: &SubmitEmailReply, receipt: Option<&Receipt>, forecast: Option<&Forecast>) -> String {
    let mut out = show::meaning(&reply.explanation);
    let has_failed = reply.state == Some(MailState::Validated) && !reply.engine.is(Ter::TES_SUCCESS);
    if has_failed {
        out.push_str(
            "FAILED: nothing was paid, but the fee was charged, and this mail cannot be used again: send a new one.\n",
        );
    }
    if let Some(receipt) = receipt {
        out.push_str(&show::receipt("PAID", receipt));
    }
    if let Some(forecast) = forecast {
        out.push_str(&forecast.text());
    }
    let mut row = |name: &str, value: &str| out.push_str(&format!("{name:<12} {value}\n"));
    let message = reply.message.as_deref().unwrap_or_default();
    row("result", &format!("{}: {message}", reply.engine.as_str()));
    row("state", state(reply));
    if let Some(hash) = reply.hash {
        row("transaction", &hash.to_string());
    }
    if let Some(index) = reply.ledger_index {
        row("ledger", &index.to_string());
    }
    if reply.explanation.qualifies != Some(Qualifies::Yes) {
        out.push_str(&show::checks(&reply.explanation.checks));
    }
    if let Some(reason) = &reply.not_kept {
        out.push_str(&format!("{:<12} {reason}\n", "note"));
    }
    if reply.state == Some(MailState::Kept) {
        out.push_str(
            "The node keeps the mail and tries again at each ledger; you do not need to do anything.\n",
        );
    }
    out
}
