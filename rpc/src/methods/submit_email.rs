//! `submit_email`, also called `submitEmail`: a mail that is a transaction.
//!
//! Spec: 12. Bytes are taken as they are: an LF is never changed into CRLF here.

use codec::{Hash256, LedgerIndex, hex_upper};
use explain::{CheckMembers, explanation_members};
use serde_json::{Map, Value, json};

use super::method::{Answer, Answered, Context, Method, Request};
use crate::api::{MailState, Role, SubmitEmail, SubmitMode};
use crate::error::RpcError;
use crate::limits::MAIL_BYTES_MAX;
use crate::params::{Params, check_length};
use crate::reply::{self, BadReply, ExplanationReply, Members, ResultCode};
use crate::wire::{clock_warnings, write_engine_result, write_execution, write_mail_status, write_tx_blob};

pub(super) const METHOD: Method = Method {
    names: &["submit_email", "submitEmail"],
    only: Some(&["email", "email_hex", "email_base64", "dry_run"]),
    role: Role::Guest,
    run,
};

/// What a node found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitEmailReply {
    /// The result of the submission, or of the first failed check.
    pub engine: ResultCode,
    /// The sentence of the result.
    pub message: Option<String>,
    /// What became of the mail; `None` where the node has nothing to do with it.
    pub state: Option<MailState>,
    /// Why the node does not keep a mail that it does not refuse either.
    pub not_kept: Option<String>,
    /// The transaction that carries the mail.
    pub hash: Option<Hash256>,
    /// The validated ledger that holds it.
    pub ledger_index: Option<LedgerIndex>,
    /// Its serialization, as submitted or as it would be.
    pub tx_blob: Option<Vec<u8>>,
    /// Every check.
    pub explanation: ExplanationReply,
}

impl Request for SubmitEmail {
    const METHOD: &'static str = "submit_email";
    type Reply = SubmitEmailReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::from_iter([("email_hex".to_owned(), json!(hex_upper(&self.mail)))]);
        if self.mode == SubmitMode::DryRun {
            out.insert("dry_run".to_owned(), json!(true));
        }
        out
    }

    fn read(result: &Value) -> Result<SubmitEmailReply, BadReply> {
        let members = Members::of(result);
        let state = |word: &Value| word.as_str().and_then(MailState::parse);
        Ok(SubmitEmailReply {
            engine: members.required("engine_result", ResultCode::read)?,
            message: members.shown("engine_result_message", reply::text),
            state: members.checked("state", state)?,
            not_kept: members.shown("not_kept", reply::text),
            hash: members.shown("hash", reply::hash),
            ledger_index: members.shown("ledger_index", reply::ledger_index),
            tx_blob: members.shown("tx_blob", reply::hex_bytes),
            explanation: ExplanationReply::read(result),
        })
    }
}

fn parse(params: &Params<'_>) -> Result<SubmitEmail, RpcError> {
    let mail = mail_of(params)?;
    let mode = if params.is_set("dry_run")? {
        SubmitMode::DryRun
    } else {
        SubmitMode::Submit
    };
    Ok(SubmitEmail { mail, mode })
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let answer = context.node.submit_email(parse(params)?, context.peer)?;
    let mut out = explanation_members(&answer.explanation);
    write_engine_result(answer.engine, &mut out);
    if let Some(wrapped) = &answer.wrapped {
        write_tx_blob(wrapped, &mut out);
    }
    write_mail_status(answer.status.as_ref(), &mut out);
    match (&answer.wrapped, &answer.executed) {
        (Some(wrapped), Some(place)) => write_execution(&wrapped.tx, place, &mut out),
        (Some(_) | None, None) | (None, Some(_)) => {
            out.insert("validated".to_owned(), json!(false));
        }
    }
    if let Some(fault) = &answer.clock {
        out.insert("warnings".to_owned(), clock_warnings(fault));
    }
    if let Some(not_kept) = answer.not_kept {
        out.insert("not_kept".to_owned(), json!(not_kept.message()));
    }
    let checks = answer.explanation.checks.into_iter();
    Ok(Answered {
        members: out,
        checks: Some(checks.map(CheckMembers::from).collect()),
    })
}

fn mail_of(params: &Params<'_>) -> Result<Vec<u8>, RpcError> {
    let text = params.text("email")?;
    let hex = params.hex("email_hex", MAIL_BYTES_MAX)?;
    let base64 = params.text("email_base64")?;
    let (field, mail) = match (text, hex, base64) {
        (Some(text), None, None) => ("email", text.as_bytes().to_vec()),
        (None, Some(bytes), None) => ("email_hex", bytes),
        (None, None, Some(text)) => {
            let bytes = crate::base64::decode(text).ok_or(RpcError::InvalidField {
                field: "email_base64",
                expected: "not base64",
            })?;
            ("email_base64", bytes)
        }
        (None, None, None) => {
            return Err(RpcError::MissingField {
                field: "email (or email_hex, email_base64)",
            });
        }
        _ => {
            return Err(RpcError::Ambiguous {
                fields: "email, email_hex, email_base64",
            });
        }
    };
    check_length(field, mail.len(), MAIL_BYTES_MAX)?;
    Ok(mail)
}
