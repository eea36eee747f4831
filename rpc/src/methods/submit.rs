//! `submit`: a signed transaction, as hex of its serialization.

use serde_json::{Map, json};

use super::{Answer, Context, Method};
use crate::api::{OnRetry, Role};
use crate::error::RpcError;
use crate::limits::TX_BLOB_BYTES_MAX;
use crate::params::Params;
use crate::wire::{write_engine_result, write_tx_blob};

pub(super) const METHOD: Method = Method {
    names: &["submit"],
    fields: &["tx_blob", "fail_hard"],
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let blob = params
        .hex("tx_blob", TX_BLOB_BYTES_MAX)?
        .ok_or(RpcError::MissingField { field: "tx_blob" })?;
    let on_retry = if params.is_set("fail_hard")? {
        OnRetry::Drop
    } else {
        OnRetry::Hold
    };
    let answer = context.node.submit(&blob, on_retry, context.peer)?;
    let mut out = Map::new();
    write_engine_result(answer.engine, &mut out);
    write_tx_blob(&answer.wrapped, &mut out);
    out.insert("accepted".to_owned(), json!(answer.applied || answer.kept));
    out.insert("applied".to_owned(), json!(answer.applied));
    out.insert("broadcast".to_owned(), json!(false));
    out.insert("queued".to_owned(), json!(false));
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
    Ok(out)
}
