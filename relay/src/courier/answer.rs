//! What nodes answer, read with care: a node may be of another version, another network, or a liar.

use amendment::EmailId;
use amendment::limits::EMAIL_WINDOW_SECS;
use codec::json::amount_from_json;
use codec::{AccountId, Amount, Drops, Hash256, TerClass};
use serde_json::{Map, Value};

use crate::limits::{NODE_LEDGER_AGE_SECS_MAX, NODE_LIST_MAX, NODE_TEXT_BYTES_MAX};
use crate::queue::{Code, Entry, InLedger, Made, Outcome, Rule};

/// Why an answer is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A member is missing, or is not what the method promises.
    #[error("the node's answer has no usable member {0}")]
    Member(&'static str),
    /// The transaction is not the one that the mail makes.
    #[error("the node's transaction differs from the mail in {0}")]
    OtherTransaction(&'static str),
}

/// How far a node is with a mail. Spec: 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It waits for its key.
    Kept,
    /// Its transaction is on its way.
    Submitted,
    /// Its transaction is in a validated ledger.
    Validated,
    /// The node does no more about it.
    Failed,
}

/// What the node's checks say of the signature of this very mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It is that of the key.
    Shown,
    /// It is not.
    Refuted,
    /// Nothing.
    Open,
}

/// The answer to `submit_email`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAnswer {
    /// `engine_result`.
    pub code: Code,
    /// `state`.
    pub state: Option<NodeState>,
    /// `not_kept`: why the node does not keep a mail that it does not refuse either.
    pub not_kept: Option<String>,
    /// The first rule that failed.
    pub rule: Option<Rule>,
    /// What was found there, or the sentence of the result.
    pub word: Option<String>,
    /// What the sender can do.
    pub fix: Option<String>,
    /// The signature.
    pub proof: Proof,
    /// Hash of the transaction.
    pub transaction: Option<Hash256>,
}

/// A validated transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    /// Its result; `None` where the node no longer knows it.
    pub code: Option<Code>,
    /// What it did.
    pub outcome: Outcome,
}

/// The answer to `tx` with an EmailID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxAnswer {
    /// Validated.
    Validated(Validated),
    /// Kept or submitted.
    OnItsWay,
    /// The node does no more about it.
    Failed,
}

/// Reads the answer to `submit_email`.
pub fn parse_submit_email(answer: &Value) -> Result<NodeAnswer, Unreadable> {
    let code = text(answer, "engine_result").and_then(Code::parse);
    let code = code.ok_or(Unreadable::Member("engine_result"))?;
    let state = parse_state(answer)?;
    let checks: Vec<&Value> = list(answer, "checks");
    // The checks say why only where the result is theirs: a ledger can refuse what passes all of them.
    let is_of_checks = text(answer, "code") == Some(code.as_str());
    let failed = checks
        .iter()
        .find(|check| is_of_checks && is_open_or_failed(check));
    let of_check = |name: &str| failed.and_then(|check| words(check, name));
    Ok(NodeAnswer {
        state,
        not_kept: words(answer, "not_kept"),
        rule: of_check("rule").as_deref().and_then(Rule::parse),
        word: of_check("read").or_else(|| words(answer, "engine_result_message")),
        fix: of_check("fix"),
        proof: proof_of(&checks),
        transaction: hash(answer),
        code,
    })
}

fn parse_state(answer: &Value) -> Result<Option<NodeState>, Unreadable> {
    match answer.get("state") {
        None | Some(Value::Null) => Ok(None),
        Some(state) => match state.as_str() {
            Some("kept") => Ok(Some(NodeState::Kept)),
            Some("submitted") => Ok(Some(NodeState::Submitted)),
            Some("validated") => Ok(Some(NodeState::Validated)),
            Some("failed") => Ok(Some(NodeState::Failed)),
            _ => Err(Unreadable::Member("state")),
        },
    }
}

fn is_open_or_failed(check: &Value) -> bool {
    matches!(text(check, "verdict"), Some("fail" | "unknown"))
}

/// The check of the signature is the one of rule 4.5.
fn proof_of(checks: &[&Value]) -> Proof {
    let verdicts = checks
        .iter()
        .filter(|check| text(check, "rule") == Some("4.5"))
        .map(|check| text(check, "verdict"));
    verdicts.fold(Proof::Open, |proof, verdict| match (proof, verdict) {
        (Proof::Refuted, _) | (_, Some("fail")) => Proof::Refuted,
        (_, Some("pass")) => Proof::Shown,
        _ => proof,
    })
}

/// Reads the answer to `tx` for the mail of an entry.
pub fn parse_tx(entry: &Entry, answer: &Value) -> Result<TxAnswer, Unreadable> {
    let is_validated = answer.get("validated") == Some(&Value::Bool(true));
    match parse_state(answer)? {
        Some(NodeState::Validated) => {}
        None if is_validated => {}
        Some(NodeState::Failed) => return Ok(TxAnswer::Failed),
        Some(NodeState::Kept | NodeState::Submitted) | None => return Ok(TxAnswer::OnItsWay),
    }
    let hash = hash(answer).ok_or(Unreadable::Member("hash"))?;
    let ledger_index = number(answer, "ledger_index").and_then(|index| u32::try_from(index).ok());
    let Some(meta) = answer.get("meta").filter(|_| is_validated) else {
        return Ok(TxAnswer::Validated(without_transaction(
            answer,
            hash,
            ledger_index,
        )));
    };
    check_parties(entry, answer)?;
    let code = text(meta, "TransactionResult").and_then(Code::parse);
    let code = code.ok_or(Unreadable::Member("meta.TransactionResult"))?;
    let transaction = InLedger {
        hash,
        ledger_index: Some(ledger_index.ok_or(Unreadable::Member("ledger_index"))?),
        fee: text(answer, "Fee")
            .and_then(|fee| fee.parse().ok())
            .map(Drops::new),
    };
    let outcome = match code.class() {
        TerClass::Tes => Outcome::Applied {
            transaction,
            delivered: delivered(answer, meta),
            made: made_of(entry, meta),
        },
        TerClass::Tec => Outcome::Charged { transaction },
        TerClass::Tel | TerClass::Tem | TerClass::Tef | TerClass::Ter => {
            return Err(Unreadable::Member("meta.TransactionResult"));
        }
    };
    Ok(TxAnswer::Validated(Validated {
        code: Some(code),
        outcome,
    }))
}

/// The node knows that it is validated, but its history no longer holds the transaction.
fn without_transaction(answer: &Value, hash: Hash256, ledger_index: Option<u32>) -> Validated {
    let code = text(answer, "engine_result").and_then(Code::parse);
    let transaction = InLedger {
        hash,
        ledger_index,
        fee: None,
    };
    let outcome = match code.as_ref().map(Code::class) {
        Some(TerClass::Tes) => Outcome::Applied {
            transaction,
            delivered: None,
            made: Made::Nothing,
        },
        Some(TerClass::Tec) => Outcome::Charged { transaction },
        Some(TerClass::Tel | TerClass::Tem | TerClass::Tef | TerClass::Ter) | None => {
            Outcome::Forgotten { hash, ledger_index }
        }
    };
    Validated { code, outcome }
}

/// A node that shows another's transaction is broken or lies.
fn check_parties(entry: &Entry, answer: &Value) -> Result<(), Unreadable> {
    if account(answer, "Account") != Some(entry.from.account()) {
        return Err(Unreadable::OtherTransaction("Account"));
    }
    match entry.to() {
        Some(to) if account(answer, "Destination") != Some(to.account()) => {
            Err(Unreadable::OtherTransaction("Destination"))
        }
        Some(_) | None => Ok(()),
    }
}

fn made_of(entry: &Entry, meta: &Value) -> Made {
    let Some(to) = entry.to() else {
        return Made::Nothing;
    };
    let is_made = list(meta, "AffectedNodes").into_iter().any(|node| {
        node.get("CreatedNode").is_some_and(|made| {
            let fields = made.get("NewFields").unwrap_or(&Value::Null);
            text(made, "LedgerEntryType") == Some("AccountRoot")
                && account(fields, "Account") == Some(to.account())
        })
    });
    if is_made { Made::Account } else { Made::Nothing }
}

fn delivered(answer: &Value, meta: &Value) -> Option<Amount> {
    let delivered = meta
        .get("delivered_amount")
        .or_else(|| meta.get("DeliveredAmount"));
    let sent = answer.pointer("/Amounts/0/AmountEntry/Amount");
    delivered
        .and_then(amount_from_json)
        .or_else(|| amount_from_json(sent?))
}

/// Why a node is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It serves another ledger.
    #[error("it is on network {found}, the configuration says {wanted}")]
    OtherNetwork {
        /// Its NetworkID.
        found: u64,
        /// That of the configuration.
        wanted: u32,
    },
    /// It does not follow its network.
    #[error("its state is {0}, not full")]
    NotSynced(String),
    /// Its last validated ledger is too old.
    #[error("its last validated ledger is {age_secs} s old")]
    OldLedger {
        /// Seconds.
        age_secs: u64,
    },
    /// Its answer has no such member.
    #[error("its server_info has no usable {0}")]
    Member(&'static str),
}

/// Reads the answer to `server_info` of a node that is to serve `network`: the index of its last validated ledger.
pub fn parse_server_info(answer: &Value, network: u32) -> Result<u32, Unfit> {
    let info = answer.get("info").ok_or(Unfit::Member("info"))?;
    let found = number(info, "network_id").ok_or(Unfit::Member("network_id"))?;
    if found != u64::from(network) {
        return Err(Unfit::OtherNetwork {
            found,
            wanted: network,
        });
    }
    let state = words(info, "server_state").ok_or(Unfit::Member("server_state"))?;
    if !matches!(state.as_str(), "full" | "proposing" | "validating") {
        return Err(Unfit::NotSynced(state));
    }
    let ledger = info
        .get("validated_ledger")
        .ok_or(Unfit::Member("validated_ledger"))?;
    let age_secs = number(ledger, "age").ok_or(Unfit::Member("validated_ledger.age"))?;
    // A node that validates alone has nobody to fall behind of: its ledger is as old as its last transaction or stop.
    let is_alone = number(info, "validation_quorum") == Some(1);
    if age_secs > NODE_LEDGER_AGE_SECS_MAX && !is_alone {
        return Err(Unfit::OldLedger { age_secs });
    }
    let index = number(ledger, "seq").and_then(|index| u32::try_from(index).ok());
    index.ok_or(Unfit::Member("validated_ledger.seq"))
}

/// The parameters of `submit_email`.
pub fn submit_email_params(mail: &[u8]) -> Map<String, Value> {
    Map::from_iter([("email_hex".to_owned(), Value::String(hex::encode_upper(mail)))])
}

/// The parameters of `tx` for an EmailID.
pub fn tx_params(email_id: EmailId) -> Map<String, Value> {
    Map::from_iter([("email_id".to_owned(), Value::String(email_id.to_string()))])
}

/// Unix seconds of the signed Date of an entry's mail.
pub fn signed_at(entry: &Entry) -> u64 {
    entry
        .executable_until
        .saturating_sub(u64::from(EMAIL_WINDOW_SECS))
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name)?.as_u64()
}

fn list<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    let items = value.get(name).and_then(Value::as_array);
    items.into_iter().flatten().take(NODE_LIST_MAX).collect()
}

/// A text of a node's, fit for a log line and a mail: printable ASCII, bounded; `None` where nothing is left.
fn words(value: &Value, name: &str) -> Option<String> {
    let text = printable(text(value, name)?);
    Some(text).filter(|text| !text.is_empty())
}

/// Printable ASCII of a foreign text, cut to [`NODE_TEXT_BYTES_MAX`].
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        ' '..='~' => c,
        _ => '?',
    };
    text.trim().chars().take(NODE_TEXT_BYTES_MAX).map(shown).collect()
}

fn hash(value: &Value) -> Option<Hash256> {
    Hash256::from_hex(text(value, "hash")?)
}

fn account(value: &Value, name: &str) -> Option<AccountId> {
    AccountId::parse_classic(text(value, name)?).ok()
}
