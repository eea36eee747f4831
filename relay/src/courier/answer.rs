//! What nodes reply, weighed: a node may be of another version, another network, or a liar. [`rpc::reply`]
//! reads the JSON.

use amendment::Rule;
use amendment::limits::EMAIL_WINDOW_SECS;
use codec::{Hash256, TerClass};
use explain::CheckVerdict;
use rpc::api::MailState;
use rpc::methods::{ServerInfoReply, SubmitEmailReply, TxReply};
use rpc::reply::{CheckReply, MetaReply, Receipt, ResultCode, TransactionReply};

use crate::limits::{NODE_LEDGER_AGE_SECS_MAX, NODE_TEXT_BYTES_MAX};
use crate::queue::{Entry, InLedger, Made, Outcome};

/// Why a reply is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A member is missing, or is not what the method promises.
    #[error("the node's answer has no usable member {0}")]
    Member(&'static str),
    /// The transaction is not the one that the mail makes.
    #[error("the node's transaction differs from the mail in {0}")]
    OtherTransaction(&'static str),
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

/// What a node says of a mail that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAnswer {
    /// Its result.
    pub code: ResultCode,
    /// How far the node is with it; `None` where it does nothing.
    pub state: Option<MailState>,
    /// Why the node does not keep a mail that it does not refuse either.
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

impl From<SubmitEmailReply> for NodeAnswer {
    fn from(reply: SubmitEmailReply) -> NodeAnswer {
        let (code, checks) = (reply.engine, &reply.explanation.checks);
        // The checks say why only where the result is theirs: a ledger can refuse what passes all of them.
        let is_of_checks = reply.explanation.code.as_ref() == Some(&code);
        let failed = checks
            .iter()
            .find(|check| is_of_checks && is_open_or_failed(check));
        NodeAnswer {
            state: reply.state,
            not_kept: words(reply.not_kept.as_deref()),
            rule: failed.and_then(rule_of),
            word: failed
                .and_then(|check| words(check.read.as_deref()))
                .or_else(|| words(reply.message.as_deref())),
            fix: failed.and_then(|check| words(check.fix.as_deref())),
            proof: proof_of(checks),
            transaction: reply.hash,
            code,
        }
    }
}

fn is_open_or_failed(check: &CheckReply) -> bool {
    matches!(check.verdict, Some(CheckVerdict::Fail | CheckVerdict::Unknown))
}

fn rule_of(check: &CheckReply) -> Option<Rule> {
    check.rule.as_deref().and_then(Rule::parse)
}

/// Rule 4.5 is the check of the signature.
fn proof_of(checks: &[CheckReply]) -> Proof {
    let verdicts = checks
        .iter()
        .filter(|check| rule_of(check) == Some(Rule::R4_5))
        .map(|check| check.verdict);
    verdicts.fold(Proof::Open, |proof, verdict| match (proof, verdict) {
        (Proof::Refuted, _) | (_, Some(CheckVerdict::Fail)) => Proof::Refuted,
        (_, Some(CheckVerdict::Pass)) => Proof::Shown,
        (proof, Some(CheckVerdict::Skipped | CheckVerdict::Unknown) | None) => proof,
    })
}

/// A validated transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    /// Its result; `None` where the node no longer knows it.
    pub code: Option<ResultCode>,
    /// What it did.
    pub outcome: Outcome,
}

/// What a node says of an EmailID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxAnswer {
    /// Validated.
    Validated(Validated),
    /// Kept or submitted.
    OnItsWay,
    /// The node does no more about it.
    Failed,
}

/// Weighs the reply to `tx` for the mail of an entry.
pub fn weigh_tx(entry: &Entry, reply: &TxReply) -> Result<TxAnswer, Unreadable> {
    match reply.state {
        Some(MailState::Validated) => {}
        None if reply.validated => {}
        Some(MailState::Failed) => return Ok(TxAnswer::Failed),
        Some(MailState::Kept | MailState::Submitted) | None => return Ok(TxAnswer::OnItsWay),
    }
    let hash = reply.hash.ok_or(Unreadable::Member("hash"))?;
    let ledger_index = reply.ledger_index.map(|index| index.get());
    let Some(meta) = reply.meta.as_ref().filter(|_| reply.validated) else {
        return Ok(TxAnswer::Validated(without_transaction(reply, hash)));
    };
    check_parties(entry, &reply.transaction)?;
    let code = meta.result.as_deref().and_then(ResultCode::parse);
    let code = code.ok_or(Unreadable::Member("meta.TransactionResult"))?;
    let transaction = InLedger {
        hash,
        ledger_index: Some(ledger_index.ok_or(Unreadable::Member("ledger_index"))?),
        fee: reply.transaction.fee,
    };
    let outcome = match code.class() {
        TerClass::Tes => Outcome::Applied {
            transaction,
            made: made_of(entry, meta),
            receipt: Receipt::of(&reply.transaction, meta),
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
fn without_transaction(reply: &TxReply, hash: Hash256) -> Validated {
    let transaction = InLedger {
        hash,
        ledger_index: reply.ledger_index.map(|index| index.get()),
        fee: None,
    };
    let outcome = match reply.engine.as_ref().map(ResultCode::class) {
        Some(TerClass::Tes) => Outcome::Applied {
            transaction,
            made: Made::Nothing,
            receipt: None,
        },
        Some(TerClass::Tec) => Outcome::Charged { transaction },
        Some(TerClass::Tel | TerClass::Tem | TerClass::Tef | TerClass::Ter) | None => Outcome::Forgotten {
            hash,
            ledger_index: transaction.ledger_index,
        },
    };
    Validated {
        code: reply.engine.clone(),
        outcome,
    }
}

/// A node that shows another's transaction is broken or lies.
fn check_parties(entry: &Entry, transaction: &TransactionReply) -> Result<(), Unreadable> {
    if transaction.account != Some(entry.from.account()) {
        return Err(Unreadable::OtherTransaction("Account"));
    }
    match entry.to() {
        Some(to) if transaction.destination != Some(to.account()) => {
            Err(Unreadable::OtherTransaction("Destination"))
        }
        Some(_) | None => Ok(()),
    }
}

fn made_of(entry: &Entry, meta: &MetaReply) -> Made {
    match entry.to() {
        Some(to) if meta.made_accounts.contains(&to.account()) => Made::Account,
        Some(_) | None => Made::Nothing,
    }
}

/// Why a node is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It serves another ledger.
    #[error("it is on network {found}, but the configuration says {wanted}")]
    OtherNetwork {
        /// Its NetworkID.
        found: u32,
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
    /// Its reply has no such member.
    #[error("its server_info has no usable {0}")]
    Member(&'static str),
}

/// Weighs the reply to `server_info` of a node that is to serve `network`: the index of its last validated
/// ledger.
pub fn weigh_server_info(info: &ServerInfoReply, network: u32) -> Result<u32, Unfit> {
    let found = info.network_id.ok_or(Unfit::Member("network_id"))?;
    if found != network {
        return Err(Unfit::OtherNetwork {
            found,
            wanted: network,
        });
    }
    let state = words(info.server_state.as_deref()).ok_or(Unfit::Member("server_state"))?;
    if !matches!(state.as_str(), "full" | "proposing" | "validating") {
        return Err(Unfit::NotSynced(state));
    }
    let ledger = info.validated_ledger.as_ref();
    let ledger = ledger.ok_or(Unfit::Member("validated_ledger"))?;
    let age_secs = ledger.age_secs.ok_or(Unfit::Member("validated_ledger.age"))?;
    // A node that validates alone cannot fall behind others: its ledger is as old as its last transaction or
    // stop.
    let is_alone = info.validation_quorum == Some(1);
    if age_secs > NODE_LEDGER_AGE_SECS_MAX && !is_alone {
        return Err(Unfit::OldLedger { age_secs });
    }
    let index = ledger.seq.ok_or(Unfit::Member("validated_ledger.seq"))?;
    Ok(index.get())
}

/// Unix seconds of the signed Date of an entry's mail.
#[must_use]
pub fn signed_at(entry: &Entry) -> u64 {
    entry
        .executable_until
        .saturating_sub(u64::from(EMAIL_WINDOW_SECS))
}

/// A text of a node's, fit for a log line and a mail: printable ASCII, bounded; `None` where nothing is left.
fn words(text: Option<&str>) -> Option<String> {
    Some(printable(text?)).filter(|text| !text.is_empty())
}

/// Printable ASCII of a foreign text, cut to [`NODE_TEXT_BYTES_MAX`].
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        ' '..='~' => c,
        _ => '?',
    };
    text.trim().chars().take(NODE_TEXT_BYTES_MAX).map(shown).collect()
}
