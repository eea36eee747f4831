//! Recorded cases of a real server, replayed: one transaction in one ledger, compared in every byte.
//!
//! Until our ledger is closed only the parent's header, the state before, the transaction's bytes and the close time are
//! read; what was recorded after that is only compared. Does not open files.

use codec::{CloseTime, Drops, Hash256, LedgerIndex, Ter, json};
use serde_json::{Map, Value as Json};

use crate::close::{AppliedTx, Closed, close_at};
use crate::header::Header;
use crate::ledger::Ledger;
use crate::open_ledger::{LocalRefusal, OpenLedger, SubmitOutcome};
use crate::state_map::{StateMap, TxMap};
use crate::transaction::{Transaction, TransactionError};

/// A recorded case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Number and name.
    pub name: String,
    /// Header of the ledger before.
    pub parent: Header,
    /// The whole state before: index and bytes.
    pub state_before: Vec<(Hash256, Vec<u8>)>,
    /// The transaction as submitted.
    pub tx_blob: Vec<u8>,
    /// Close time of the new ledger, not to be rounded again.
    pub close_time: CloseTime,
    /// What the server answered and built.
    pub expected: Expected,
}

/// What the server answered and built.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Token of `submit`; `None` where it was turned away as invalidTransaction.
    pub engine_result: Option<String>,
    /// Transaction id; `None` where the record does not hold that of the bytes.
    pub tx_id: Option<Hash256>,
    /// Metadata in binary form, where the transaction entered a ledger.
    pub metadata: Option<Vec<u8>>,
    /// Metadata in JSON, where the transaction entered a ledger.
    pub metadata_json: Option<Json>,
    /// The new ledger's header.
    pub header: Vec<u8>,
    /// The new ledger's hash.
    pub ledger_hash: Hash256,
    /// The whole state after.
    pub state_after: Vec<(Hash256, Vec<u8>)>,
}

/// A record that cannot be read: the field that is missing or of another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record has no readable field {field}")]
pub struct CaseError {
    /// Name of the field.
    pub field: &'static str,
}

/// What the replay gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Answer to the submission, or why the bytes are no transaction.
    pub submit: Result<Result<SubmitOutcome, LocalRefusal>, TransactionError>,
    /// The ledger that was closed.
    pub closed: Closed,
    /// Everything that differs from the record, in the order of comparison.
    pub differences: Vec<Difference>,
}

impl Outcome {
    /// True where every byte is as recorded.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: `engine_result`, `metadata`, `account_hash`, `state_after INDEX`...
    pub what: String,
    /// As recorded.
    pub expected: String,
    /// As computed.
    pub got: String,
}

/// Replays a case: submits to the open ledger, closes with what was accepted, compares.
#[must_use]
pub fn replay(case: &Case) -> Outcome {
    let state = StateMap::from_sorted_iter(case.state_before.iter().cloned());
    let parent = Ledger::assemble(case.parent, state, TxMap::new());
    let mut open = OpenLedger::new(&parent);
    let submit = Transaction::parse(&case.tx_blob).map(|tx| (open.submit(&tx), tx.id()));
    let closed = close_at(&parent, open.accepted().iter().cloned(), case.close_time, 0);
    let mut compare = Compare::default();
    compare.text(
        "parent account_hash",
        case.parent.account_hash,
        parent.state().root_hash(),
    );
    if let (Some(expected), Ok((_, got))) = (case.expected.tx_id, &submit) {
        compare.text("hash", expected, *got);
    }
    let submit = submit.map(|(answer, _)| answer);
    let token = submit
        .as_ref()
        .ok()
        .and_then(|answer| answer.as_ref().ok())
        .map(|outcome| outcome.ter);
    let invalid = "invalidTransaction";
    compare.text(
        "engine_result",
        case.expected.engine_result.as_deref().unwrap_or(invalid),
        token.map_or(invalid, Ter::token),
    );
    compare.metadata(&case.expected, closed.applied.first());
    compare.state(&case.expected.state_after, closed.ledger.state());
    compare.header(&case.expected, &closed.ledger);
    Outcome {
        submit,
        closed,
        differences: compare.differences,
    }
}

/// Metadata as the server's JSON has it: a payment also says what it delivered.
#[must_use]
pub fn metadata_json(applied: &AppliedTx) -> Json {
    let mut value = json::to_json(&applied.metadata);
    let object = applied.tx.object();
    if applied.tx.tx_type() == codec::format::TxType::Payment
        && applied.ter.is_success()
        && let (Some(amount), Some(fields)) = (
            applied
                .metadata
                .amount(codec::sf::DELIVERED_AMOUNT)
                .or_else(|| object.amount(codec::sf::AMOUNT)),
            value.as_object_mut(),
        )
    {
        fields.insert("delivered_amount".to_owned(), json::amount_to_json(&amount));
    }
    value
}

#[derive(Default)]
struct Compare {
    differences: Vec<Difference>,
}

impl Compare {
    fn text(&mut self, what: impl Into<String>, expected: impl ToString, got: impl ToString) {
        let (expected, got) = (expected.to_string(), got.to_string());
        if expected != got {
            self.differences.push(Difference {
                what: what.into(),
                expected,
                got,
            });
        }
    }

    fn metadata(&mut self, expected: &Expected, applied: Option<&AppliedTx>) {
        let none = || "none".to_owned();
        let recorded = expected.metadata.as_deref().map_or_else(none, to_hex);
        let computed = applied.map_or_else(none, |tx| to_hex(&codec::encode(&tx.metadata)));
        self.text("metadata", recorded, computed);
        let recorded = expected.metadata_json.clone().unwrap_or(Json::Null);
        let computed = applied.map_or(Json::Null, metadata_json);
        if recorded != computed {
            self.text("metadata JSON", recorded, computed);
        }
    }

    fn state(&mut self, expected: &[(Hash256, Vec<u8>)], state: &StateMap) {
        let mut left = state.clone();
        for (index, bytes) in expected {
            let got = left.entry(index).map_or_else(|| "none".to_owned(), to_hex);
            self.text(format!("state_after {index}"), to_hex(bytes), got);
            left.remove(index);
        }
        for (index, bytes) in &left {
            self.text(format!("state_after {index}"), "none", to_hex(bytes));
        }
    }

    fn header(&mut self, expected: &Expected, ledger: &Ledger) {
        let computed = ledger.header();
        if let Some(recorded) = Header::decode(&expected.header) {
            self.text("account_hash", recorded.account_hash, computed.account_hash);
            self.text("transaction_hash", recorded.tx_hash, computed.tx_hash);
        }
        self.text("header", to_hex(&expected.header), to_hex(&computed.encode()));
        self.text("ledger_hash", expected.ledger_hash, ledger.hash());
    }
}

impl Case {
    /// Reads a record in the form of fixtures/golden.
    pub fn from_json(record: &Json) -> Result<Case, CaseError> {
        let header = child(record, "ledger")?;
        let shown = child(header, "header")?;
        let applied = record.pointer("/tx/meta").is_some();
        let submitted = record.pointer("/submit/error").is_none();
        Ok(Case {
            name: format!("{:03} {}", number(record, "n")?, text(record, "name")?),
            parent: parent_header(child(record, "parent_header")?)?,
            state_before: state(record, "state_before")?,
            tx_blob: bytes(record, "tx_blob")?,
            close_time: CloseTime::new(number(shown, "close_time")?),
            expected: Expected {
                engine_result: record
                    .pointer("/submit/engine_result")
                    .and_then(Json::as_str)
                    .map(str::to_owned),
                tx_id: if submitted {
                    Some(hash(record, "hash")?)
                } else {
                    None
                },
                metadata: if applied {
                    Some(bytes(child(record, "tx_binary")?, "meta")?)
                } else {
                    None
                },
                metadata_json: record.pointer("/tx/meta").cloned(),
                header: bytes(child(header, "header_binary")?, "ledger_data")?,
                ledger_hash: hash(shown, "ledger_hash")?,
                state_after: state(record, "state_after")?,
            },
        })
    }
}

fn parent_header(shown: &Json) -> Result<Header, CaseError> {
    let total = text(shown, "total_coins")?;
    let index = text(shown, "ledger_index")?;
    let small = |field| u8::try_from(number(shown, field)?).map_err(|_| CaseError { field });
    Ok(Header {
        index: LedgerIndex::new(index.parse().map_err(|_| CaseError {
            field: "ledger_index",
        })?),
        total_drops: Drops::new(total.parse().map_err(|_| CaseError { field: "total_coins" })?),
        parent_hash: hash(shown, "parent_hash")?,
        tx_hash: hash(shown, "transaction_hash")?,
        account_hash: hash(shown, "account_hash")?,
        parent_close_time: CloseTime::new(number(shown, "parent_close_time")?),
        close_time: CloseTime::new(number(shown, "close_time")?),
        close_resolution: small("close_time_resolution")?,
        close_flags: small("close_flags")?,
    })
}

fn child<'a>(record: &'a Json, field: &'static str) -> Result<&'a Json, CaseError> {
    record
        .as_object()
        .and_then(|fields: &Map<String, Json>| fields.get(field))
        .ok_or(CaseError { field })
}

fn text<'a>(record: &'a Json, field: &'static str) -> Result<&'a str, CaseError> {
    child(record, field)?.as_str().ok_or(CaseError { field })
}

fn number(record: &Json, field: &'static str) -> Result<u32, CaseError> {
    child(record, field)?
        .as_u64()
        .and_then(|value| u32::try_from(value).ok())
        .ok_or(CaseError { field })
}

fn hash(record: &Json, field: &'static str) -> Result<Hash256, CaseError> {
    Hash256::from_hex(text(record, field)?).ok_or(CaseError { field })
}

fn bytes(record: &Json, field: &'static str) -> Result<Vec<u8>, CaseError> {
    hex::decode(text(record, field)?).map_err(|_| CaseError { field })
}

fn state(record: &Json, field: &'static str) -> Result<Vec<(Hash256, Vec<u8>)>, CaseError> {
    let entries = child(record, field)?.as_array().ok_or(CaseError { field })?;
    entries
        .iter()
        .map(|entry| Ok((hash(entry, "index")?, bytes(entry, "data")?)))
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}
