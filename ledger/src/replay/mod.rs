//! Recorded ledgers of a real server, replayed and compared in every byte: one transaction in a ledger, or
//! several.
//!
//! Until our ledger is closed only the parent's header, the state before, the transactions' bytes and the
//! close time are read; what was recorded after that is only compared. No file is opened here; `record` reads
//! the JSON, `held` keeps what has to wait, `difference` knows what cannot be equal.

mod difference;
mod held;
mod record;

use std::collections::BTreeMap;

use codec::format::EntryType;
use codec::{CloseTime, Hash256, json, sf};
use serde_json::Value as Json;

use crate::close::{AppliedTx, Closed, close_at};
use crate::header::Header;
use crate::ledger::Ledger;
use crate::open_ledger::OpenLedger;
use crate::state_map::{StateMap, TxMap};
use crate::transaction::Transaction;
use difference::{ENGINE_RESULT, INVALID_TRANSACTION};
use held::SubmitQueue;

pub use difference::{Difference, MustDiffer, Submitted};

/// A recorded ledger.
#[derive(Clone, Debug)]
pub struct RecordedLedger {
    /// Number and name.
    pub name: String,
    /// Header of the ledger before.
    pub parent: Header,
    /// The whole state before: index and bytes.
    pub state_before: Vec<(Hash256, Vec<u8>)>,
    /// The transactions in the order in which they were submitted.
    pub submissions: Vec<Submission>,
    /// Close time of the new ledger, not to be rounded again.
    pub close_time: CloseTime,
    /// What the server built.
    pub expected: Expected,
}

/// A transaction and the server's answer to it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The transaction as submitted.
    pub tx_blob: Vec<u8>,
    /// What `submit` said.
    pub engine_result: EngineResult,
    /// Transaction id; `None` where the record does not hold that of the bytes.
    pub tx_id: Option<Hash256>,
}

/// What `submit` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineResult {
    /// A result code.
    Token(String),
    /// Turned away as `invalidTransaction`.
    InvalidTransaction,
    /// The record does not say. What only validators make is not submitted: it is put into the set at the
    /// close.
    NotRecorded,
}

/// What the server built.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Transactions in the ledger, as far as the record says what they did.
    pub applied: BTreeMap<Hash256, RecordedMetadata>,
    /// The new ledger's header.
    pub header: Vec<u8>,
    /// The new ledger's hash.
    pub ledger_hash: Hash256,
    /// The whole state after.
    pub state_after: Vec<(Hash256, Vec<u8>)>,
}

/// What a transaction did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedMetadata {
    /// In binary form.
    pub binary: Option<Vec<u8>>,
    /// In JSON.
    pub json: Option<Json>,
}

/// A record that cannot be read: the field that is missing or of another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record has no readable field {field}")]
pub struct RecordError {
    /// Name of the field.
    pub field: &'static str,
}

/// What the replay gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answers to what was submitted, in order.
    pub submitted: Vec<Submitted>,
    /// The ledger that was closed.
    pub closed: Closed,
    /// Everything that differs from the record, in the order of comparison.
    pub differences: Vec<Difference>,
    /// Why that must be so, where it must.
    pub must_differ: Option<MustDiffer>,
}

impl Outcome {
    /// True where every byte is as recorded.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Replays a record: submits to the open ledger, closes with what was accepted, compares.
///
/// ```
/// use ledger::replay::{RecordedLedger, replay};
///
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/golden/xahaud/cases/001_fund_alice.json");
/// let json = serde_json::from_slice(&std::fs::read(path)?)?;
/// assert!(replay(&RecordedLedger::from_json(&json)?).is_equal());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn replay(record: &RecordedLedger) -> Outcome {
    let state = StateMap::from_sorted_iter(record.state_before.iter().cloned());
    let parent = Ledger::assemble(record.parent, state, TxMap::new());
    let mut compare = Compare::default();
    compare.text(
        "parent account_hash",
        record.parent.account_hash,
        parent.state().root_hash(),
    );
    let mut queue = SubmitQueue::new(OpenLedger::new(&parent));
    let (mut submitted, mut of_validators) = (Vec::new(), Vec::new());
    for submission in &record.submissions {
        let tx = Transaction::parse(&submission.tx_blob);
        let id = tx.as_ref().ok().map(Transaction::id);
        if let (Some(expected), Some(got)) = (submission.tx_id, id) {
            compare.text("hash", expected, got);
        }
        let was_submitted = submission.engine_result != EngineResult::NotRecorded;
        match tx {
            Ok(tx) if tx.is_pseudo() && !was_submitted => of_validators.push(tx),
            tx => {
                let answer = tx.map(|tx| queue.submit(&tx));
                compare.engine_result(&submission.engine_result, &answer);
                submitted.push(answer);
            }
        }
    }
    let set = queue.close().into_iter().chain(of_validators);
    let closed = close_at(&parent, set, record.close_time, 0);
    compare.metadata(
        &record.expected.applied,
        &closed.applied,
        record.submissions.len(),
    );
    compare.state(&record.expected.state_after, closed.ledger.state());
    compare.header(&record.expected, &closed.ledger);
    let rekey =
        || (!compare.differences.is_empty() && holds_rekey(record)).then_some(MustDiffer::RekeyDecidedAnew);
    Outcome {
        must_differ: MustDiffer::of(&submitted, &compare.differences).or_else(rekey),
        submitted,
        closed,
        differences: compare.differences,
    }
}

/// Whether a mail changed a key in the recorded ledger: a LastRekey is there that was not there before.
fn holds_rekey(record: &RecordedLedger) -> bool {
    let rekeys = |entries: &[(Hash256, Vec<u8>)]| -> BTreeMap<Hash256, Option<u32>> {
        let last = |(index, bytes): &(Hash256, Vec<u8>)| {
            let entry = codec::decode(bytes).ok()?;
            let is_replay = EntryType::of(&entry) == Some(EntryType::EmailReplay);
            is_replay.then(|| (*index, entry.u32(sf::LAST_REKEY)))
        };
        let found = entries.iter().filter_map(last);
        found.filter(|(_, last)| last.is_some()).collect()
    };
    rekeys(&record.state_before) != rekeys(&record.expected.state_after)
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

    fn engine_result(&mut self, expected: &EngineResult, answer: &Submitted) {
        let expected = match expected {
            EngineResult::Token(token) => token.as_str(),
            EngineResult::InvalidTransaction => INVALID_TRANSACTION,
            EngineResult::NotRecorded => return,
        };
        let token = match answer {
            Ok(Ok(outcome)) => outcome.ter.token(),
            Ok(Err(_)) | Err(_) => INVALID_TRANSACTION,
        };
        self.text(ENGINE_RESULT, expected, token);
    }

    /// Each transaction of either ledger. A ledger of one does not need the ids to be told apart.
    fn metadata(
        &mut self,
        expected: &BTreeMap<Hash256, RecordedMetadata>,
        applied: &[AppliedTx],
        submissions: usize,
    ) {
        let what = |kind: &str, id: &Hash256| {
            if expected.len() <= 1 && applied.len() <= 1 {
                kind.to_owned()
            } else {
                format!("{kind} {id}")
            }
        };
        for (id, recorded) in expected {
            let got = applied.iter().find(|tx| tx.tx_id == *id);
            if let Some(binary) = &recorded.binary {
                let got = got.map_or_else(none, |tx| to_hex(&codec::encode(&tx.metadata)));
                self.text(what("metadata", id), to_hex(binary), got);
            }
            if let Some(recorded) = &recorded.json {
                let got = got.map_or(Json::Null, metadata_json);
                if *recorded != got {
                    self.text(what("metadata JSON", id), recorded, got);
                }
            }
        }
        // A record of several need not say what each did: the hash of the transactions tells.
        let unrecorded = applied
            .iter()
            .filter(|tx| submissions == 1 && !expected.contains_key(&tx.tx_id));
        for tx in unrecorded {
            let got = to_hex(&codec::encode(&tx.metadata));
            self.text(what("metadata", &tx.tx_id), none(), got);
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

fn none() -> String {
    "none".to_owned()
}

fn to_hex(bytes: &[u8]) -> String {
    codec::hex_upper(bytes)
}
