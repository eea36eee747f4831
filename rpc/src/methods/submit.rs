//! `submit`: a signed transaction, as hex of its serialization.

use codec::{Hash256, Ter, hex_upper};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::{OnRetry, Role};
use crate::error::RpcError;
use crate::limits::TX_BLOB_BYTES_MAX;
use crate::params::Params;
use crate::reply::{self, BadReply, Members, ResultCode};
use crate::wire::{write_engine_result, write_tx_blob};

pub(super) const METHOD: Method = Method {
    names: &["submit"],
    only: None,
    role: Role::Guest,
    run,
};

/// Hands in a signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitRequest {
    /// Its serialization.
    pub blob: Vec<u8>,
    /// What becomes of it where a later ledger may take it.
    pub on_retry: OnRetry,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitReply {
    /// The result against the open ledger.
    pub engine: ResultCode,
    /// The sentence of the result.
    pub message: Option<String>,
    /// The transaction's id.
    pub hash: Option<Hash256>,
    /// Whether the node does anything more about it.
    pub accepted: Option<bool>,
}

impl SubmitRequest {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let blob = params
            .hex("tx_blob", TX_BLOB_BYTES_MAX)?
            .ok_or(RpcError::MissingField { field: "tx_blob" })?;
        let on_retry = if params.is_set("fail_hard")? {
            OnRetry::Drop
        } else {
            OnRetry::Hold
        };
        Ok(Self { blob, on_retry })
    }
}

impl Request for SubmitRequest {
    const METHOD: &'static str = "submit";
    type Reply = SubmitReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::from_iter([("tx_blob".to_owned(), json!(hex_upper(&self.blob)))]);
        if self.on_retry == OnRetry::Drop {
            out.insert("fail_hard".to_owned(), json!(true));
        }
        out
    }

    fn read(result: &Value) -> Result<SubmitReply, BadReply> {
        let members = Members::of(result);
        let tx = members.object("tx_json").ok();
        Ok(SubmitReply {
            engine: members.required("engine_result", ResultCode::read)?,
            message: members.shown("engine_result_message", reply::text),
            hash: tx.and_then(|tx| tx.shown("tx_json.hash", reply::hash)),
            accepted: members.shown("accepted", reply::flag),
        })
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let request = SubmitRequest::parse(params)?;
    let answer = context
        .node
        .submit(&request.blob, request.on_retry, context.peer)?;
    let mut out = Map::new();
    write_engine_result(answer.engine, &mut out);
    write_tx_blob(&answer.wrapped, &mut out);
    out.insert("accepted".to_owned(), json!(answer.applied || answer.kept));
    out.insert("applied".to_owned(), json!(answer.applied));
    out.insert("broadcast".to_owned(), json!(false));
    out.insert("queued".to_owned(), json!(answer.engine == Ter::TER_QUEUED));
    out.insert("kept".to_owned(), json!(answer.kept));
    out.insert(
        "account_sequence_next".to_owned(),
        json!(answer.account_sequence_next),
    );
    out.insert(
        "account_sequence_available".to_owned(),
        json!(answer.account_sequence_available),
    );
    out.insert(
        "open_ledger_cost".to_owned(),
        json!(answer.open_ledger_cost.get().to_string()),
    );
    out.insert(
        "validated_ledger_index".to_owned(),
        json!(answer.validated_ledger_index.get()),
    );
    Ok(out.into())
}
