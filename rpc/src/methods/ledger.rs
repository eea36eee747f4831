//! `ledger`: a ledger's header, and its transactions where asked for.

use codec::json::to_json;
use codec::{CloseTime, Hash256, LedgerIndex};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Form, Method, Request};
use crate::api::{LedgerAnswer, LedgerChoice, LedgerId, Role, Transactions, TxRecord};
use crate::error::RpcError;
use crate::limits::EXPANDED_BYTES_MAX;
use crate::params::{Params, write_ledger_choice};
use crate::reply::{self, BadReply, Members};
use crate::wire::{hash_value, header_members, hex_upper, tx_members, write_ledger_id};

pub(super) const METHOD: Method = Method {
    names: &["ledger"],
    fields: &[
        "ledger_hash",
        "ledger_index",
        "ledger",
        "transactions",
        "expand",
        "binary",
    ],
    role: Role::Guest,
    run,
};

/// How much is shown of each transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Its hash.
    Hash,
    /// All of it.
    Whole,
}

/// How a ledger is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    detail: Detail,
    form: Form,
}

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
        if self.transactions == Transactions::Included {
            out.insert("transactions".to_owned(), json!(true));
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

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let transactions = if params.is_set("transactions")? {
        Transactions::Included
    } else {
        Transactions::Omitted
    };
    let detail = if params.is_set("expand")? {
        Detail::Whole
    } else {
        Detail::Hash
    };
    let form = Form::parse(params)?;
    let shown = Shown { detail, form };
    if let Some(choice) = params.ledger()? {
        let answer = context.node.ledger(choice, transactions)?;
        check_size(&answer, detail)?;
        let (id, ledger) = ledger_members(&answer, shown);
        let mut out = Map::from_iter([("ledger".to_owned(), Value::Object(ledger))]);
        write_ledger_id(id, &mut out);
        return Ok(out);
    }
    let mut out = Map::new();
    for (name, choice) in [("closed", LedgerChoice::Closed), ("open", LedgerChoice::Current)] {
        let answer = context.node.ledger(choice, transactions)?;
        check_size(&answer, detail)?;
        let (_, ledger) = ledger_members(&answer, shown);
        out.insert(name.to_owned(), json!({ "ledger": ledger }));
    }
    Ok(out)
}

/// Whole transactions are shown up to a bound: as JSON they grow tenfold, and any guest may ask.
fn check_size(answer: &LedgerAnswer, detail: Detail) -> Result<(), RpcError> {
    let (LedgerAnswer::Open { transactions, .. } | LedgerAnswer::Validated { transactions, .. }) = answer;
    let bytes_of = |record: &TxRecord| {
        let meta = record.validated.as_ref().map_or(0, |place| place.meta_blob.len());
        record.wrapped.blob.len() + meta
    };
    let bytes: usize = transactions.iter().flatten().map(bytes_of).sum();
    if detail == Detail::Hash || bytes <= EXPANDED_BYTES_MAX {
        return Ok(());
    }
    Err(RpcError::InvalidField {
        field: "expand",
        expected: "too much for one answer: ask without it for the hashes, then for each with tx",
    })
}

fn ledger_members(answer: &LedgerAnswer, shown: Shown) -> (LedgerId, Map<String, Value>) {
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
            let members = match shown.form {
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
    if let Some(transactions) = transactions {
        let list: Vec<Value> = transactions
            .iter()
            .map(|record| record_json(record, shown))
            .collect();
        members.insert("transactions".to_owned(), Value::Array(list));
    }
    (id, members)
}

fn record_json(record: &TxRecord, shown: Shown) -> Value {
    match (shown.detail, shown.form) {
        (Detail::Hash, _) => hash_value(&record.wrapped.hash),
        (Detail::Whole, Form::Json) => {
            let mut members = tx_members(&record.wrapped);
            if let Some(place) = &record.validated {
                members.insert("metaData".to_owned(), to_json(&place.meta));
            }
            Value::Object(members)
        }
        (Detail::Whole, Form::Binary) => {
            let mut members = Map::new();
            members.insert("tx_blob".to_owned(), json!(hex_upper(&record.wrapped.blob)));
            if let Some(place) = &record.validated {
                members.insert("meta".to_owned(), json!(hex_upper(&place.meta_blob)));
            }
            Value::Object(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Object;

    fn open_ledger(blob_bytes: usize) -> LedgerAnswer {
        let wrapped = crate::api::TxBlob {
            tx: Object::new(),
            blob: vec![0; blob_bytes],
            hash: Hash256::ZERO,
        };
        LedgerAnswer::Open {
            index: LedgerIndex::new(3),
            parent_hash: Hash256::ZERO,
            transactions: Some(vec![TxRecord {
                wrapped,
                validated: None,
            }]),
        }
    }

    #[test]
    fn accepts_hashes_of_any_ledger_and_rejects_whole_transactions_beyond_the_bound() {
        assert_eq!(
            check_size(&open_ledger(EXPANDED_BYTES_MAX), Detail::Whole),
            Ok(())
        );
        assert_eq!(
            check_size(&open_ledger(EXPANDED_BYTES_MAX + 1), Detail::Hash),
            Ok(())
        );
        let refused = check_size(&open_ledger(EXPANDED_BYTES_MAX + 1), Detail::Whole);
        assert!(matches!(
            refused,
            Err(RpcError::InvalidField { field: "expand", .. })
        ));
    }
}
