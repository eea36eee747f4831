//! `ledger`: a ledger's header, and its transactions where asked for.

use codec::json::to_json;
use serde_json::{Map, Value, json};

use super::{Answer, Context, Method};
use crate::api::{LedgerAnswer, LedgerChoice, LedgerId, Role, Transactions, TxRecord};
use crate::error::RpcError;
use crate::limits::EXPANDED_BYTES_MAX;
use crate::params::Params;
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

/// How a ledger's transactions are shown.
#[derive(Clone, Copy)]
enum Form {
    Hashes,
    Expanded,
    Binary,
}

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let transactions = if params.is_set("transactions")? {
        Transactions::Included
    } else {
        Transactions::Omitted
    };
    let (is_expanded, is_binary) = (params.is_set("expand")?, params.is_set("binary")?);
    let form = match (is_expanded, is_binary) {
        (false, _) => Form::Hashes,
        (true, false) => Form::Expanded,
        (true, true) => Form::Binary,
    };
    if let Some(choice) = params.ledger()? {
        let answer = context.node.ledger(choice, transactions)?;
        check_size(&answer, form)?;
        let (id, ledger) = ledger_members(&answer, form, is_binary);
        let mut out = Map::from_iter([("ledger".to_owned(), Value::Object(ledger))]);
        write_ledger_id(id, &mut out);
        return Ok(out);
    }
    let mut out = Map::new();
    for (name, choice) in [("closed", LedgerChoice::Closed), ("open", LedgerChoice::Current)] {
        let answer = context.node.ledger(choice, transactions)?;
        check_size(&answer, form)?;
        let (_, ledger) = ledger_members(&answer, form, is_binary);
        out.insert(name.to_owned(), json!({ "ledger": ledger }));
    }
    Ok(out)
}

/// Whole transactions are shown up to a bound: as JSON they grow tenfold, and anybody may ask.
fn check_size(answer: &LedgerAnswer, form: Form) -> Result<(), RpcError> {
    let (LedgerAnswer::Open { transactions, .. } | LedgerAnswer::Validated { transactions, .. }) = answer;
    let bytes_of = |record: &TxRecord| {
        let meta = record.validated.as_ref().map_or(0, |place| place.meta_blob.len());
        record.wrapped.blob.len() + meta
    };
    let bytes: usize = transactions.iter().flatten().map(bytes_of).sum();
    if matches!(form, Form::Hashes) || bytes <= EXPANDED_BYTES_MAX {
        return Ok(());
    }
    Err(RpcError::InvalidField {
        field: "expand",
        expected: "too much for one answer: ask without it for the hashes, then for each with tx",
    })
}

fn ledger_members(answer: &LedgerAnswer, form: Form, is_binary: bool) -> (LedgerId, Map<String, Value>) {
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
            let members = if is_binary {
                Map::from_iter([
                    ("closed".to_owned(), json!(true)),
                    ("ledger_data".to_owned(), json!(hex_upper(&header.raw))),
                ])
            } else {
                header_members(header)
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
            .map(|record| record_json(record, form))
            .collect();
        members.insert("transactions".to_owned(), Value::Array(list));
    }
    (id, members)
}

fn record_json(record: &TxRecord, form: Form) -> Value {
    match form {
        Form::Hashes => hash_value(&record.wrapped.hash),
        Form::Expanded => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use codec::{Hash256, LedgerIndex, Object};

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
            check_size(&open_ledger(EXPANDED_BYTES_MAX), Form::Expanded),
            Ok(())
        );
        assert_eq!(
            check_size(&open_ledger(EXPANDED_BYTES_MAX + 1), Form::Hashes),
            Ok(())
        );
        for form in [Form::Expanded, Form::Binary] {
            let refused = check_size(&open_ledger(EXPANDED_BYTES_MAX + 1), form);
            assert!(matches!(
                refused,
                Err(RpcError::InvalidField { field: "expand", .. })
            ));
        }
    }
}
