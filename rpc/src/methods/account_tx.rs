//! `account_tx`: the transactions that affect an account, page by page.

use codec::{AccountId, LedgerIndex, hex_upper};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Form, Method, Request};
use crate::api::{AccountTxQuery, LedgerRange, Role, TxMarker, TxOrder, TxRecord};
use crate::error::RpcError;
use crate::limits::{ACCOUNT_TXS_DEFAULT, ACCOUNT_TXS_MAX, ACCOUNT_TXS_MIN};
use crate::params::{Params, write_ledger_choice};
use crate::reply::{self, BadReply, Members, MetaReply, TransactionReply};
use crate::wire::{meta_json, tx_members, write_place};

pub(super) const METHOD: Method = Method {
    names: &["account_tx"],
    only: None,
    role: Role::Guest,
    run,
};

/// Asks for the transactions of an account, the first page of them or that of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountTxRequest {
    /// Which transactions.
    pub query: AccountTxQuery,
    /// How they are shown.
    pub form: Form,
}

/// A page of an account's transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTxReply {
    /// The transactions in the order that was asked for, at most [`crate::limits::REPLY_LIST_MAX`].
    pub transactions: Vec<AccountTxRow>,
    /// Where the next page begins, if there is one.
    pub marker: Option<TxMarker>,
}

/// One transaction of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTxRow {
    /// Whether the node calls it validated.
    pub validated: bool,
    /// The transaction; `None` in the binary form.
    pub transaction: Option<TransactionReply>,
    /// What it did; `None` in the binary form.
    pub meta: Option<MetaReply>,
}

impl AccountTxRequest {
    fn parse(params: &Params<'_>, role: Role) -> Result<Self, RpcError> {
        let text = params
            .text("account")?
            .ok_or(RpcError::MissingField { field: "account" })?;
        let account = AccountId::parse_classic(text).map_err(|_| RpcError::AccountMalformed)?;
        let form = Form::parse(params)?;
        let order = if params.is_set("forward")? {
            TxOrder::Forward
        } else {
            TxOrder::Backward
        };
        let least = match role {
            Role::Admin => 1,
            Role::Guest => ACCOUNT_TXS_MIN,
        };
        let limit = match given_limit(params)? {
            None => ACCOUNT_TXS_DEFAULT,
            Some(limit) => limit.clamp(least, ACCOUNT_TXS_MAX),
        };
        let query = AccountTxQuery {
            account,
            ledgers: range_of(params)?,
            order,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            marker: marker_of(params)?,
        };
        Ok(Self { query, form })
    }
}

impl Request for AccountTxRequest {
    const METHOD: &'static str = "account_tx";
    type Reply = AccountTxReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::from_iter([
            ("account".to_owned(), json!(self.query.account.to_string())),
            ("limit".to_owned(), json!(self.query.limit)),
        ]);
        match self.query.ledgers {
            LedgerRange::Between(first, last) => {
                let bound = |index: Option<LedgerIndex>| index.map_or(json!(-1), |index| json!(index.get()));
                out.insert("ledger_index_min".to_owned(), bound(first));
                out.insert("ledger_index_max".to_owned(), bound(last));
            }
            LedgerRange::One(choice) => write_ledger_choice(choice, &mut out),
        }
        if self.query.order == TxOrder::Forward {
            out.insert("forward".to_owned(), json!(true));
        }
        if let Some(marker) = self.query.marker {
            out.insert("marker".to_owned(), marker_json(marker));
        }
        self.form.write(&mut out);
        out
    }

    fn read(result: &Value) -> Result<AccountTxReply, BadReply> {
        let members = Members::of(result);
        let rows = members.required("transactions", reply::list)?;
        Ok(AccountTxReply {
            transactions: rows.map(AccountTxRow::read).collect(),
            marker: members.checked("marker", read_marker)?,
        })
    }
}

impl AccountTxRow {
    /// Newer versions of the protocol call the transaction `tx_json`.
    fn read(value: &Value) -> AccountTxRow {
        let members = Members::of(value);
        let transaction = members.get("tx").or_else(|| members.get("tx_json"));
        AccountTxRow {
            validated: members.shown("validated", reply::flag).unwrap_or(false),
            transaction: transaction.map(TransactionReply::read),
            meta: members.shown("meta", |meta| meta.is_object().then(|| MetaReply::read(meta))),
        }
    }
}

fn marker_json(marker: TxMarker) -> Value {
    json!({ "ledger": marker.ledger.get(), "seq": marker.position })
}

fn read_marker(value: &Value) -> Option<TxMarker> {
    let members = Members::of(value);
    Some(TxMarker {
        ledger: members.shown("marker.ledger", reply::ledger_index)?,
        position: members.shown("marker.seq", reply::u32_number)?,
    })
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let AccountTxRequest { query, form } = AccountTxRequest::parse(params, context.peer.role)?;
    let answer = context.node.account_transactions(&query)?;
    let transactions: Vec<Value> = answer
        .transactions
        .iter()
        .filter_map(|record| record_json(record, form))
        .collect();
    let mut out = Map::new();
    out.insert("account".to_owned(), json!(query.account.to_string()));
    out.insert("ledger_index_min".to_owned(), json!(answer.first.get()));
    out.insert("ledger_index_max".to_owned(), json!(answer.last.get()));
    // As in Xahau, 0 where none is given.
    let limit = given_limit(params)?.map_or(0, |_| query.limit);
    out.insert("limit".to_owned(), json!(limit));
    if let Some(marker) = answer.marker {
        out.insert("marker".to_owned(), marker_json(marker));
    }
    out.insert("transactions".to_owned(), Value::Array(transactions));
    out.insert("validated".to_owned(), json!(true));
    Ok(out.into())
}

/// 0 is as good as none.
fn given_limit(params: &Params<'_>) -> Result<Option<u32>, RpcError> {
    Ok(params.number("limit")?.filter(|limit| *limit > 0))
}

/// As in Xahau, -1 is the first or the last ledger that the server has.
fn range_of(params: &Params<'_>) -> Result<LedgerRange, RpcError> {
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

fn bound(params: &Params<'_>, field: &str) -> Result<Option<LedgerIndex>, RpcError> {
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

fn marker_of(params: &Params<'_>) -> Result<Option<TxMarker>, RpcError> {
    let Some(marker) = params.nested("marker")? else {
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

fn record_json(record: &TxRecord, form: Form) -> Option<Value> {
    let place = record.validated.as_ref()?;
    Some(match form {
        Form::Binary => json!({
            "ledger_index": place.ledger_index.get(),
            "meta": hex_upper(&place.meta_blob),
            "tx_blob": hex_upper(&record.wrapped.blob),
            "validated": true,
        }),
        Form::Json => {
            let mut tx = tx_members(&record.wrapped);
            write_place(place, &mut tx);
            json!({ "meta": meta_json(&record.wrapped.tx, &place.meta), "tx": tx, "validated": true })
        }
    })
}
