//! `tx`: a transaction by its hash, or by the EmailID of the mail that it carries.

use codec::{Hash256, LedgerIndex, hex_upper};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Form, Method, Request};
use crate::api::{MailState, Role, TxKey, TxRecord};
use crate::error::RpcError;
use crate::limits::TX_RANGE_LEDGERS_MAX;
use crate::params::Params;
use crate::reply::{self, BadReply, Members, MetaReply, ResultCode, TransactionReply};
use crate::wire::{hash_value, record_members, write_engine_result, write_mail_status, write_place};

pub(super) const METHOD: Method = Method {
    names: &["tx"],
    only: None,
    role: Role::Guest,
    run,
};

/// Asks for a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxRequest {
    /// Which one.
    pub key: TxKey,
    /// How it is shown.
    pub form: Form,
}

/// A transaction, or a mail that is on its way to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxReply {
    /// EmailID of the mail, where the question was about a mail.
    pub email_id: Option<Hash256>,
    /// What became of the mail, where the question was about a mail.
    pub state: Option<MailState>,
    /// Whether the transaction shown is validated.
    pub validated: bool,
    /// The transaction's id.
    pub hash: Option<Hash256>,
    /// The ledger that holds it.
    pub ledger_index: Option<LedgerIndex>,
    /// The mail's result, where it is final.
    pub engine: Option<ResultCode>,
    /// The transaction; without members where the node does not show it, or shows it in binary.
    pub transaction: TransactionReply,
    /// Its serialization, in the binary form.
    pub blob: Option<Vec<u8>>,
    /// What it did; `None` where the node does not show it.
    pub meta: Option<MetaReply>,
}

impl TxRequest {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let key = match (params.hash("transaction")?, params.hash("email_id")?) {
            (Some(hash), None) => TxKey::Hash(hash),
            (None, Some(id)) => TxKey::Email(id),
            (None, None) => {
                return Err(RpcError::MissingField {
                    field: "transaction (or email_id)",
                });
            }
            (Some(_), Some(_)) => {
                return Err(RpcError::Ambiguous {
                    fields: "transaction, email_id",
                });
            }
        };
        let form = Form::parse(params)?;
        Ok(Self { key, form })
    }
}

impl Request for TxRequest {
    const METHOD: &'static str = "tx";
    type Reply = TxReply;

    fn params(&self) -> Map<String, Value> {
        let (name, hash) = match self.key {
            TxKey::Hash(hash) => ("transaction", hash),
            TxKey::Email(id) => ("email_id", id),
        };
        let mut out = Map::from_iter([(name.to_owned(), hash_value(&hash))]);
        self.form.write(&mut out);
        out
    }

    fn read(result: &Value) -> Result<TxReply, BadReply> {
        let members = Members::of(result);
        let state = |word: &Value| word.as_str().and_then(MailState::parse);
        Ok(TxReply {
            email_id: members.shown("email_id", reply::hash),
            state: members.checked("state", state)?,
            validated: members.shown("validated", reply::flag).unwrap_or(false),
            hash: members.shown("hash", reply::hash),
            ledger_index: members.shown("ledger_index", reply::ledger_index),
            engine: members.shown("engine_result", ResultCode::read),
            transaction: TransactionReply::read(result),
            blob: members.shown("tx", reply::hex_bytes),
            meta: members.get("meta").map(MetaReply::read),
        })
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let request = TxRequest::parse(params)?;
    let range = range_of(params)?;
    let answer = match (context.node.transaction(request.key), range) {
        (Err(RpcError::TransactionNotFound), Some((first, last))) => {
            let server = context.node.server()?;
            let searched_all = server.first_ledger.get() <= first && last <= server.validated.index.get();
            return Err(RpcError::TransactionNotInRange { searched_all });
        }
        (answer, _) => answer?,
    };
    let mut out = Map::new();
    if let Some((email_id, status)) = &answer.mail {
        out.insert("email_id".to_owned(), hash_value(email_id));
        write_mail_status(Some(status), &mut out);
        if let Some(engine) = status.engine {
            write_engine_result(engine, &mut out);
        }
    }
    match &answer.record {
        Some(record) => out.append(&mut match request.form {
            Form::Json => record_members(record),
            Form::Binary => binary_members(record),
        }),
        None => {
            out.insert("validated".to_owned(), Value::Bool(false));
        }
    }
    Ok(out.into())
}

/// The ledgers that are meant, where both ends are given.
fn range_of(params: &Params<'_>) -> Result<Option<(u32, u32)>, RpcError> {
    let (Some(first), Some(last)) = (params.number("min_ledger")?, params.number("max_ledger")?) else {
        return Ok(None);
    };
    match last.checked_sub(first) {
        None => Err(RpcError::LedgerRangeReversed),
        Some(width) if width > TX_RANGE_LEDGERS_MAX => Err(RpcError::LedgerRangeTooWide),
        Some(_) => Ok(Some((first, last))),
    }
}

fn binary_members(record: &TxRecord) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("tx".to_owned(), json!(hex_upper(&record.wrapped.blob)));
    out.insert("hash".to_owned(), hash_value(&record.wrapped.hash));
    if let Some(place) = &record.validated {
        write_place(place, &mut out);
        out.insert("meta".to_owned(), json!(hex_upper(&place.meta_blob)));
    }
    out.insert("validated".to_owned(), json!(record.validated.is_some()));
    out
}
