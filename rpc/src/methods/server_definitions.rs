//! `server_definitions`: fields, types, results and flags by name, so that a client can read and write our
//! binary format.
//!
//! What the codec uses comes from its tables, ours included; `definitions.json` has what xahaud lists
//! besides: fields that are never serialized, retired types, the flags.

use std::sync::OnceLock;

use codec::format::{EntryType, TxType};
use codec::{Field, FieldType, Ter, hash::sha512_half, sf};
use serde_json::{Map, Value, json};

use super::feature::features_json;
use super::method::{Answer, Context, Method};
use crate::api::Role;
use crate::params::Params;

pub(super) const METHOD: Method = Method {
    names: &["server_definitions"],
    only: None,
    role: Role::Guest,
    run,
};

/// What the codec does not use.
const BESIDES: &str = include_str!("definitions.json");

/// Types that xahaud lists under another name than in their transactions.
const TX_NAMES: [(TxType, &str); 2] = [(TxType::EnableAmendment, "Amendment"), (TxType::SetFee, "Fee")];

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let known = params.hash("hash")?;
    let definitions = definitions();
    let hash = sha512_half(&[Value::Object(definitions.clone()).to_string().as_bytes()]);
    let mut out = Map::new();
    if known != Some(hash) {
        out = definitions.clone();
        out.insert("features".to_owned(), features_json(&context.node.amendments()?));
    }
    out.insert("hash".to_owned(), json!(hash.to_string()));
    Ok(out.into())
}

/// Everything but `features` and `hash`. It never changes, so it is built once.
fn definitions() -> &'static Map<String, Value> {
    static DEFINITIONS: OnceLock<Map<String, Value>> = OnceLock::new();
    DEFINITIONS.get_or_init(|| {
        let mut out = match serde_json::from_str(BESIDES) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        if let Some(Value::Array(fields)) = out.get_mut("FIELDS") {
            fields.extend(sf::ALL.iter().map(|field| field_row(*field)));
        }
        insert_all(
            &mut out,
            "LEDGER_ENTRY_TYPES",
            EntryType::ALL
                .iter()
                .map(|kind| (kind.name(), kind.code().into())),
        );
        insert_all(
            &mut out,
            "TRANSACTION_TYPES",
            TxType::ALL
                .iter()
                .map(|kind| (tx_name(*kind), kind.code().into())),
        );
        out.insert("TRANSACTION_RESULTS".to_owned(), json!({}));
        insert_all(
            &mut out,
            "TRANSACTION_RESULTS",
            Ter::all().map(|ter| (ter.token(), ter.code())),
        );
        out.insert("native_currency_code".to_owned(), json!("XAH"));
        out
    })
}

fn insert_all(out: &mut Map<String, Value>, table: &str, rows: impl Iterator<Item = (&'static str, i32)>) {
    if let Some(Value::Object(members)) = out.get_mut(table) {
        members.extend(rows.map(|(name, code)| (name.to_owned(), json!(code))));
    }
}

fn tx_name(kind: TxType) -> &'static str {
    let listed = TX_NAMES.iter().find(|(other, _)| *other == kind);
    listed.map_or(kind.name(), |(_, name)| name)
}

fn field_row(field: Field) -> Value {
    let is_vl = matches!(
        field.field_type(),
        FieldType::Blob | FieldType::Account | FieldType::Vector256
    );
    let info = json!({
        "isSerialized": true, "isSigningField": field.is_signing(), "isVLEncoded": is_vl,
        "nth": field.nth(), "type": field.field_type().name(),
    });
    json!([field.name(), info])
}
