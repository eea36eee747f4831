//! `account_tx`: the transactions that affect an account, page by page.

use codec::{AccountId, LedgerIndex, json::to_json};
use serde_json::{Map, Value, json};

use super::{Answer, Context, Method};
use crate::api::{AccountTxQuery, LedgerRange, Role, TxMarker, TxOrder, TxRecord};
use crate::error::RpcError;
use crate::limits::{ACCOUNT_TXS_DEFAULT, ACCOUNT_TXS_MAX, ACCOUNT_TXS_MIN};
use crate::params::Params;
use crate::wire::{hex_upper, tx_members, write_place};

pub(super) const METHOD: Method = Method {
    names: &["account_tx"],
    fields: &[
        "account",
        "ledger_index_min",
        "ledger_index_max",
        "ledger_hash",
        "ledger_index",
        "ledger",
        "binary",
        "forward",
        "limit",
        "marker",
    ],
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let text = params
        .text("account")?
        .ok_or(RpcError::MissingField { field: "account" })?;
    let account = AccountId::parse_classic(text).map_err(|_| RpcError::AccountMalformed)?;
    let is_binary = params.is_set("binary")?;
    let order = if params.is_set("forward")? {
        TxOrder::Forward
    } else {
        TxOrder::Backward
    };
    let limit = params
        .number("limit")?
        .unwrap_or(ACCOUNT_TXS_DEFAULT)
        .clamp(ACCOUNT_TXS_MIN, ACCOUNT_TXS_MAX);
    let answer = context.node.account_transactions(&AccountTxQuery {
        account,
        ledgers: range_of(params)?,
        order,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        marker: marker_of(params)?,
    })?;
    let transactions: Vec<Value> = answer
        .transactions
        .iter()
        .filter_map(|record| record_json(record, is_binary))
        .collect();
    let mut out = Map::new();
    out.insert("account".to_owned(), json!(account.to_string()));
    out.insert("ledger_index_min".to_owned(), json!(answer.first.get()));
    out.insert("ledger_index_max".to_owned(), json!(answer.last.get()));
    out.insert("limit".to_owned(), json!(limit));
    if let Some(marker) = answer.marker {
        let marker = json!({ "ledger": marker.ledger.get(), "seq": marker.position });
        out.insert("marker".to_owned(), marker);
    }
    out.insert("transactions".to_owned(), Value::Array(transactions));
    out.insert("validated".to_owned(), json!(true));
    Ok(out)
}

/// -1 stands for the first and the last ledger that the server has, as in Xahau.
fn range_of(params: &Params) -> Result<LedgerRange, RpcError> {
    let is_bounded = params.has("ledger_index_min") || params.has("ledger_index_max");
    match params.ledger()? {
        Some(_) if is_bounded => Err(RpcError::Ambiguous {
            fields: "ledger_index_min and ledger_index_max, or ledger_hash, ledger_index, ledger",
        }),
        Some(choice) => Ok(LedgerRange::One(choice)),
        None => Ok(LedgerRange::Between(
            bound(params, "ledger_index_min")?,
            bound(params, "ledger_index_max")?,
        )),
    }
}

fn bound(params: &Params, field: &str) -> Result<Option<LedgerIndex>, RpcError> {
    let Some(value) = params.value(field) else {
        return Ok(None);
    };
    match value.as_i64() {
        Some(-1) => Ok(None),
        Some(index) => u32::try_from(index)
            .map(|index| Some(LedgerIndex::new(index)))
            .map_err(|_| RpcError::LedgerIndexMalformed),
        None => Err(RpcError::LedgerIndexMalformed),
    }
}

fn marker_of(params: &Params) -> Result<Option<TxMarker>, RpcError> {
    let Some(marker) = params.nested("marker", &["ledger", "seq"])? else {
        return Ok(None);
    };
    match (marker.number("ledger")?, marker.number("seq")?) {
        (Some(ledger), Some(position)) => Ok(Some(TxMarker {
            ledger: LedgerIndex::new(ledger),
            position,
        })),
        _ => Err(RpcError::InvalidField {
            field: "marker",
            expected: "not {ledger, seq}",
        }),
    }
}

fn record_json(record: &TxRecord, is_binary: bool) -> Option<Value> {
    let place = record.validated.as_ref()?;
    if is_binary {
        return Some(json!({
            "ledger_index": place.ledger_index.get(),
            "meta": hex_upper(&place.meta_blob),
            "tx_blob": hex_upper(&record.wrapped.blob),
            "validated": true,
        }));
    }
    let mut tx = tx_members(&record.wrapped);
    write_place(place, &mut tx);
    Some(json!({ "meta": to_json(&place.meta), "tx": tx, "validated": true }))
}
