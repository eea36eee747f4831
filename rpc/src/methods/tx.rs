//! `tx`: a transaction by its hash, or by the EmailID of the mail that it carries.

use serde_json::{Map, Value, json};

use super::{Answer, Context, Method};
use crate::api::{Role, TxKey, TxRecord};
use crate::error::RpcError;
use crate::params::Params;
use crate::wire::{
    hash_value, hex_upper, record_members, write_engine_result, write_mail_status, write_place,
};

pub(super) const METHOD: Method = Method {
    names: &["tx"],
    fields: &["transaction", "email_id", "binary"],
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, params: &Params) -> Answer {
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
    let is_binary = params.is_set("binary")?;
    let answer = context.node.transaction(key)?;
    let mut out = Map::new();
    if let Some((email_id, status)) = &answer.mail {
        out.insert("email_id".to_owned(), hash_value(email_id));
        write_mail_status(Some(status), &mut out);
        if let Some(engine) = status.engine {
            write_engine_result(engine, &mut out);
        }
    }
    match &answer.record {
        Some(record) if is_binary => out.append(&mut binary_members(record)),
        Some(record) => out.append(&mut record_members(record)),
        None => {
            out.insert("validated".to_owned(), Value::Bool(false));
        }
    }
    Ok(out)
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
