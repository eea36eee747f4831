//! The explanation of a mail as a node sends it. The other direction is [`explain::explanation_json`].

use codec::{AccountId, CloseTime, Hash256};
use explain::{CheckVerdict, Qualifies};
use serde_json::{Map, Value};

use super::members::{Members, account, close_time, hash, list, text, u32_number};
use super::result_code::ResultCode;

/// An explanation. What is missing or malformed is `None`, or left out of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationReply {
    /// Whether the mail makes a transaction; `None` where the reply does not say it.
    pub qualifies: Option<Qualifies>,
    /// The first rule that failed.
    pub rule: Option<String>,
    /// The result that follows from the checks alone.
    pub code: Option<ResultCode>,
    /// Who pays.
    pub from: Option<PartyReply>,
    /// Who is paid.
    pub to: Option<PartyReply>,
    /// The instruction line.
    pub instruction: Option<String>,
    /// The transaction, as JSON.
    pub transaction: Option<Map<String, Value>>,
    /// EmailID.
    pub email_id: Option<Hash256>,
    /// Until when the mail may be executed.
    pub executable_until: Option<CloseTime>,
    /// The mail provider, by what the mail says of itself.
    pub provider: Option<String>,
    /// The mail program, by what the mail says of itself.
    pub client: Option<String>,
    /// The checks, in their order.
    pub checks: Vec<CheckReply>,
}

/// An address and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyReply {
    /// The address; `None` where the mail names a classic address.
    pub address: Option<String>,
    /// The account.
    pub account: Option<AccountId>,
    /// Destination tag.
    pub tag: Option<u32>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReply {
    /// Number of the rule.
    pub rule: Option<String>,
    /// What was read.
    pub read: Option<String>,
    /// The verdict.
    pub verdict: Option<CheckVerdict>,
    /// What the sender can do.
    pub fix: Option<String>,
    /// Line of the mail, from 1.
    pub line: Option<u32>,
    /// Bytes before the place, from 0.
    pub offset: Option<u32>,
    /// What stands there.
    pub excerpt: Option<String>,
}

impl ExplanationReply {
    /// Reads an explanation, alone or within a reply.
    #[must_use]
    pub fn read(value: &Value) -> ExplanationReply {
        let members = Members::of(value);
        let qualifies = members.get("qualifies").and_then(|qualifies| match qualifies {
            Value::Bool(true) => Some(Qualifies::Yes),
            Value::Bool(false) => Some(Qualifies::No),
            Value::Null => Some(Qualifies::Unknown),
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        });
        let checks = members.shown("checks", list);
        ExplanationReply {
            qualifies,
            rule: members.shown("rule", text),
            code: members.shown("code", ResultCode::read),
            from: members.shown("from", PartyReply::read),
            to: members.shown("to", PartyReply::read),
            instruction: members.shown("instruction", text),
            transaction: members.shown("transaction", |value| value.as_object().cloned()),
            email_id: members.shown("email_id", hash),
            executable_until: members.shown("executable_until", close_time),
            provider: members.shown("provider", text),
            client: members.shown("client", text),
            checks: checks.into_iter().flatten().map(CheckReply::read).collect(),
        }
    }
}

impl PartyReply {
    fn read(value: &Value) -> Option<PartyReply> {
        let members = Members::of(value);
        Some(PartyReply {
            address: members.shown("address", text),
            account: members.shown("account", account),
            tag: members.shown("tag", u32_number),
        })
    }
}

impl CheckReply {
    fn read(value: &Value) -> CheckReply {
        let members = Members::of(value);
        CheckReply {
            rule: members.shown("rule", text),
            read: members.shown("read", text),
            verdict: members.shown("verdict", verdict),
            fix: members.shown("fix", text),
            line: members.shown("line", u32_number),
            offset: members.shown("offset", u32_number),
            excerpt: members.shown("excerpt", text),
        }
    }
}

fn verdict(value: &Value) -> Option<CheckVerdict> {
    let verdicts = [
        CheckVerdict::Pass,
        CheckVerdict::Fail,
        CheckVerdict::Skipped,
        CheckVerdict::Unknown,
    ];
    let word = value.as_str()?;
    verdicts.into_iter().find(|verdict| verdict.as_str() == word)
}
