//! The forms of a record. All have `n`, `name`, `parent_header`, `state_before`, `state_after` and `ledger`,
//! with `header` and `header_binary.ledger_data`, as fixtures/golden has them. Instead of `state_after` there may
//! be `state_changes`: only the entries that differ, with `data` null where one is gone. The transactions stand
//!
//! - one: `tx_blob`, `hash`, `submit` (or `engine_result`), `tx.meta`, `tx_binary.meta` beside the others;
//! - several: a list under `transactions`, `txs`, `cases` or `submissions`, each an object of those fields or
//!   only the bytes in hex; or those same fields as lists of equal length (`tx_blob` may be `tx_blobs`,
//!   `hash` `hashes`, and so on).
//!
//! Where a transaction's own fields do not say what it did, `ledger.header.transactions` (`metaData`) and
//! `ledger.header_binary.transactions` (`tx_blob`, `meta`) do.

use std::collections::BTreeMap;

use codec::{CloseTime, Drops, Hash256, LedgerIndex, tx};
use serde_json::{Map, Value as Json};

use super::{EngineResult, Expected, RecordError, RecordedLedger, RecordedMetadata, Submission};
use crate::header::Header;

/// Names of a list of transactions.
const LISTS: [&str; 4] = ["transactions", "txs", "cases", "submissions"];
/// Fields of one transaction, with the names that a list of them may have.
const COLUMNS: [(&str, &[&str]); 6] = [
    ("tx_blob", &["tx_blob", "tx_blobs", "blobs"]),
    ("hash", &["hash", "hashes"]),
    ("submit", &["submit", "submits"]),
    ("engine_result", &["engine_result", "engine_results"]),
    ("tx", &["tx", "metas"]),
    ("tx_binary", &["tx_binary", "tx_binaries"]),
];

impl RecordedLedger {
    /// Reads a record.
    pub fn from_json(record: &Json) -> Result<RecordedLedger, RecordError> {
        let header = child(record, "ledger")?;
        let shown = child(header, "header")?;
        let rows = rows(record)?;
        let mut applied = metadata_of_ledger(header)?;
        let mut submissions = Vec::new();
        for row in &rows {
            let (submission, metadata) = read_row(row)?;
            if metadata != RecordedMetadata::default() {
                let id = tx::id_of_blob(&submission.tx_blob);
                applied.insert(id, metadata);
            }
            submissions.push(submission);
        }
        let state_before = state(record, "state_before")?;
        let state_after = if record.get("state_changes").is_some() {
            changed(&state_before, record)?
        } else {
            state(record, "state_after")?
        };
        Ok(RecordedLedger {
            name: name(record),
            parent: parent_header(child(record, "parent_header")?)?,
            state_before,
            submissions,
            close_time: CloseTime::new(number(shown, "close_time")?),
            expected: Expected {
                applied,
                header: bytes(child(header, "header_binary")?, "ledger_data")?,
                ledger_hash: hash(shown, "ledger_hash")?,
                state_after,
            },
        })
    }
}

fn name(record: &Json) -> String {
    let name = text(record, "name").unwrap_or("ledger");
    match number(record, "n") {
        Ok(number) => format!("{number:03} {name}"),
        Err(_) => name.to_owned(),
    }
}

/// One object per transaction, in order of submission.
fn rows(record: &Json) -> Result<Vec<Json>, RecordError> {
    let field = "tx_blob";
    for list in LISTS {
        if let Some(rows) = record.get(list).and_then(Json::as_array) {
            return Ok(rows
                .iter()
                .map(|row| match row {
                    Json::String(blob) => Json::from_iter([(field, blob.as_str())]),
                    other => other.clone(),
                })
                .collect());
        }
    }
    let columns: Vec<(&str, &[Json])> = COLUMNS
        .iter()
        .filter_map(|(field, names)| {
            let list = names.iter().find_map(|name| record.get(name)?.as_array())?;
            Some((*field, list.as_slice()))
        })
        .collect();
    let Some((_, blobs)) = columns.iter().find(|(name, _)| *name == field) else {
        return Ok(vec![record.clone()]);
    };
    let row = |at: usize| -> Json {
        let fields = columns
            .iter()
            .filter_map(|(name, list)| Some(((*name).to_owned(), list.get(at)?.clone())));
        Json::Object(fields.collect())
    };
    Ok((0..blobs.len()).map(row).collect())
}

fn read_row(row: &Json) -> Result<(Submission, RecordedMetadata), RecordError> {
    let token = row
        .pointer("/submit/engine_result")
        .or_else(|| row.get("engine_result"))
        .and_then(Json::as_str);
    let refused = row.pointer("/submit/error").is_some();
    let submission = Submission {
        tx_blob: bytes(row, "tx_blob").or_else(|error| {
            let submit = row.get("submit").ok_or(error)?;
            bytes(submit, "tx_blob")
        })?,
        engine_result: match token {
            Some(token) => EngineResult::Token(token.to_owned()),
            None if refused => EngineResult::InvalidTransaction,
            None => EngineResult::NotRecorded,
        },
        tx_id: row
            .get("hash")
            .filter(|_| !refused)
            .map(|_| hash(row, "hash"))
            .transpose()?,
    };
    let json = ["/tx/meta", "/meta", "/metaData"];
    let metadata = RecordedMetadata {
        binary: row
            .pointer("/tx_binary/meta")
            .map(|_| bytes(child(row, "tx_binary")?, "meta"))
            .transpose()?,
        json: json
            .iter()
            .find_map(|path| row.pointer(path))
            .filter(|meta| meta.is_object())
            .cloned(),
    };
    Ok((submission, metadata))
}

/// What the ledger's own lists say about its transactions.
fn metadata_of_ledger(ledger: &Json) -> Result<BTreeMap<Hash256, RecordedMetadata>, RecordError> {
    let mut applied: BTreeMap<Hash256, RecordedMetadata> = BTreeMap::new();
    let list = |path: &str| ledger.pointer(path).and_then(Json::as_array);
    for row in list("/header_binary/transactions").into_iter().flatten() {
        // A list of ids only is no list of what they did.
        if row.is_object() {
            let id = tx::id_of_blob(&bytes(row, "tx_blob")?);
            applied.entry(id).or_default().binary = Some(bytes(row, "meta")?);
        }
    }
    for row in list("/header/transactions").into_iter().flatten() {
        if row.is_object() {
            applied.entry(hash(row, "hash")?).or_default().json = row.get("metaData").cloned();
        }
    }
    Ok(applied)
}

fn parent_header(shown: &Json) -> Result<Header, RecordError> {
    let total = text(shown, "total_coins")?;
    let index = text(shown, "ledger_index")?;
    let small = |field| u8::try_from(number(shown, field)?).map_err(|_| RecordError { field });
    Ok(Header {
        index: LedgerIndex::new(index.parse().map_err(|_| RecordError {
            field: "ledger_index",
        })?),
        total_drops: Drops::new(total.parse().map_err(|_| RecordError { field: "total_coins" })?),
        parent_hash: hash(shown, "parent_hash")?,
        tx_hash: hash(shown, "transaction_hash")?,
        account_hash: hash(shown, "account_hash")?,
        parent_close_time: CloseTime::new(number(shown, "parent_close_time")?),
        close_time: CloseTime::new(number(shown, "close_time")?),
        close_resolution: small("close_time_resolution")?,
        close_flags: small("close_flags")?,
    })
}

fn child<'a>(record: &'a Json, field: &'static str) -> Result<&'a Json, RecordError> {
    record
        .as_object()
        .and_then(|fields: &Map<String, Json>| fields.get(field))
        .ok_or(RecordError { field })
}

fn text<'a>(record: &'a Json, field: &'static str) -> Result<&'a str, RecordError> {
    child(record, field)?.as_str().ok_or(RecordError { field })
}

fn number(record: &Json, field: &'static str) -> Result<u32, RecordError> {
    child(record, field)?
        .as_u64()
        .and_then(|value| u32::try_from(value).ok())
        .ok_or(RecordError { field })
}

fn hash(record: &Json, field: &'static str) -> Result<Hash256, RecordError> {
    Hash256::from_hex(text(record, field)?).ok_or(RecordError { field })
}

fn bytes(record: &Json, field: &'static str) -> Result<Vec<u8>, RecordError> {
    hex::decode(text(record, field)?).map_err(|_| RecordError { field })
}

fn state(record: &Json, field: &'static str) -> Result<Vec<(Hash256, Vec<u8>)>, RecordError> {
    let entries = child(record, field)?.as_array().ok_or(RecordError { field })?;
    entries
        .iter()
        .map(|entry| Ok((hash(entry, "index")?, bytes(entry, "data")?)))
        .collect()
}

/// The state with the recorded changes.
fn changed(
    state_before: &[(Hash256, Vec<u8>)],
    record: &Json,
) -> Result<Vec<(Hash256, Vec<u8>)>, RecordError> {
    let field = "state_changes";
    let mut after: BTreeMap<Hash256, Vec<u8>> = state_before.iter().cloned().collect();
    for change in child(record, field)?.as_array().ok_or(RecordError { field })? {
        let index = hash(change, "index")?;
        if child(change, "data")?.is_null() {
            after.remove(&index);
        } else {
            after.insert(index, bytes(change, "data")?);
        }
    }
    Ok(after.into_iter().collect())
}
