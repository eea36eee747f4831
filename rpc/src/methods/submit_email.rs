//! `submit_email`, also called `submitEmail`: a mail that is a transaction.
//!
//! Spec: 12. The door takes bytes as they are: an LF is never made a CRLF here.

use serde_json::json;

use super::{Answer, Context, Method};
use crate::api::{Role, SubmitEmail, SubmitMode};
use crate::error::RpcError;
use crate::limits::MAIL_BYTES_MAX;
use crate::params::{Params, check_length};
use crate::wire::{explanation_json, write_engine_result, write_mail_status, write_tx_blob};

pub(super) const METHOD: Method = Method {
    names: &["submit_email", "submitEmail"],
    fields: &["email", "email_hex", "email_base64", "dry_run"],
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let mail = mail_of(params)?;
    let mode = if params.is_set("dry_run")? {
        SubmitMode::DryRun
    } else {
        SubmitMode::Submit
    };
    let answer = context
        .node
        .submit_email(SubmitEmail { mail, mode }, context.peer)?;
    let mut out = explanation_json(&answer.explanation);
    write_engine_result(answer.engine, &mut out);
    if let Some(wrapped) = &answer.wrapped {
        write_tx_blob(wrapped, &mut out);
    }
    write_mail_status(answer.status.as_ref(), &mut out);
    if let Some(not_kept) = answer.not_kept {
        out.insert("not_kept".to_owned(), json!(not_kept.message()));
    }
    Ok(out)
}

fn mail_of(params: &Params) -> Result<Vec<u8>, RpcError> {
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
