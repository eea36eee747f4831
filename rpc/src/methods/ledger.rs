//! `ledger`: a ledger's header, and its transactions where asked for.

use codec::json::to_json;
use codec::{CloseTime, Hash256, LedgerIndex, hex_upper};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Form, Method, Request};
use crate::api::{LedgerAnswer, LedgerChoice, LedgerId, Listed, Role, Transactions, TxRecord};
use crate::error::RpcError;
use crate::params::{Params, write_ledger_choice};
use crate::reply::{self, BadReply, Members};
use crate::wire::{hash_value, header_members, tx_members, write_ledger_id};

pub(super) const METHOD: Method = Method {
    names: &["ledger"],
    only: None,
    role: Role::Guest,
    run,
};

/// Asks for a ledger, with the hashes of its transactions where they are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerRequest {
    /// Which one.
    pub ledger: LedgerChoice,
    /// Whether with its transactions.
    pub transactions: Transactions,
}

/// A ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerReply {
    /// Its index; that of an open ledger is the one that it will have.
    pub index: LedgerIndex,
    /// Its hash; an open ledger has none.
    pub hash: Option<Hash256>,
    /// Hash of its parent.
    pub parent_hash: Option<Hash256>,
    /// When it was closed.
    pub close_time: Option<CloseTime>,
    /// Hashes of its transactions, where they were wanted, at most [`crate::limits::REPLY_LIST_MAX`].
    pub transactions: Vec<Hash256>,
}

impl Request for LedgerRequest {
    const METHOD: &'static str = "ledger";
    type Reply = LedgerReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::new();
        write_ledger_choice(self.ledger, &mut out);
        for (name, is_asked) in [
            ("transactions", self.transactions != Transactions::Omitted),
            ("expand", self.transactions == Transactions::Whole),
        ] {
            if is_asked {
                out.insert(name.to_owned(), json!(true));
            }
        }
        out
    }

    fn read(result: &Value) -> Result<LedgerReply, BadReply> {
        let ledger = Members::of(result).object("ledger")?;
        let transactions = ledger.shown("ledger.transactions", reply::list);
        Ok(LedgerReply {
            index: ledger.required("ledger.ledger_index", reply::ledger_index)?,
            hash: ledger.shown("ledger.ledger_hash", reply::hash),
            parent_hash: ledger.shown("ledger.parent_hash", reply::hash),
            close_time: ledger.shown("ledger.close_time", reply::close_time),
            transactions: transactions
                .into_iter()
                .flatten()
                .filter_map(reply::hash)
                .collect(),
        })
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let transactions = match (params.is_set("transactions")?, params.is_set("expand")?) {
        (false, _) => Transactions::Omitted,
        (true, false) => Transactions::Hashes,
        (true, true) => Transactions::Whole,
    };
    let form = Form::parse(params)?;
    if params.is_set("full")? || params.is_set("accounts")? {
        return Err(match context.peer.role {
            Role::Guest => RpcError::NoPermission,
            Role::Admin => RpcError::NotImplemented {
                what: "the state of a ledger as a whole",
            },
        });
    }
    if let Some(choice) = params.ledger()? {
        let answer = context.node.ledger(choice, transactions)?;
        let (id, ledger) = ledger_members(&answer, form);
        let mut out = Map::from_iter([("ledger".to_owned(), Value::Object(ledger))]);
        write_ledger_id(id, &mut out);
        return Ok(out.into());
    }
    let mut out = Map::new();
    for (name, choice) in [("closed", LedgerChoice::Closed), ("open", LedgerChoice::Current)] {
        let answer = context.node.ledger(choice, transactions)?;
        let (_, ledger) = ledger_members(&answer, form);
        out.insert(name.to_owned(), json!({ "ledger": ledger }));
    }
    Ok(out.into())
}

fn ledger_members(answer: &LedgerAnswer, form: Form) -> (LedgerId, Map<String, Value>) {
    let (id, mut members, transactions) = match answer {
        LedgerAnswer::Open {
            index,
            parent_hash,
            transactions,
        } => {
            let mut members = Map::new();
            members.insert("closed".to_owned(), json!(false));
            members.insert("ledger_index".to_owned(), json!(index.get().to_string()));
            members.insert("parent_hash".to_owned(), hash_value(parent_hash));
            members.insert("seqNum".to_owned(), json!(index.get().to_string()));
            (LedgerId::Open { index: *index }, members, transactions)
        }
        LedgerAnswer::Validated { header, transactions } => {
            let members = match form {
                Form::Json => header_members(header),
                Form::Binary => Map::from_iter([
                    ("closed".to_owned(), json!(true)),
                    ("ledger_data".to_owned(), json!(hex_upper(&header.raw))),
                ]),
            };
            (
                LedgerId::Validated {
                    hash: header.hash,
                    index: header.index,
                },
                members,
                transactions,
            )
        }
    };
    let list = match transactions {
        Listed::Omitted => None,
        Listed::Hashes(hashes) => Some(hashes.iter().map(hash_value).collect()),
        Listed::Whole(records) => Some(records.iter().map(|record| record_json(record, form)).collect()),
    };
    if let Some(list) = list {
        members.insert("transactions".to_owned(), Value::Array(list));
    }
    (id, members)
}

fn record_json(record: &TxRecord, form: Form) -> Value {
    match form {
        Form::Json => {
            let mut members = tx_members(&record.wrapped);
            if let Some(place) = &record.validated {
                members.insert("metaData".to_owned(), to_json(&place.meta));
            }
            Value::Object(members)
        }
        Form::Binary => {
            let mut members = Map::new();
            members.insert("tx_blob".to_owned(), json!(hex_upper(&record.wrapped.blob)));
            if let Some(place) = &record.validated {
                members.insert("meta".to_owned(), json!(hex_upper(&place.meta_blob)));
            }
            Value::Object(members)
        }
    }
}
