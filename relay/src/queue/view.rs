//! An entry as operators see it: flat, and all of it in words. `queue list` and `queue show` print it as
//! JSON, so names and order of its members stay as they are. Version 1 of the queue's file held entries in
//! this form.

use amendment::Order;
use amendment::address::{CanonicalAddress, Recipient};
use amendment::instruction::line::Line;
use serde::{Deserialize, Serialize};

use super::entry::{Dkim, Entry, Made, Outcome, State, Thread};
use super::id::MailId;
use super::request::Request;
use crate::mail::{Channel, TraceId};

/// What a mail wants, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// REMIT or REKEY.
    Order,
    /// BALANCE.
    Balance,
    /// HISTORY.
    History,
}

/// See [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryView {
    /// Key.
    pub id: MailId,
    /// EmailID of an order.
    pub email_id: Option<MailId>,
    /// Name in logs and replies.
    pub trace: TraceId,
    /// What it wants.
    pub kind: Kind,
    /// How far it is.
    pub state: State,
    /// Not tried while true. The reason stands in `word`.
    pub is_held: bool,
    /// The signature.
    pub dkim: Dkim,
    /// How it came.
    #[serde(rename = "way")]
    pub channel: Channel,
    /// Canonical address of From.
    pub from: String,
    /// Account of From, r-address.
    pub from_account: String,
    /// Canonical address of the receiver of a REMIT, where the mail names an email address.
    pub to: Option<String>,
    /// Account of the receiver, r-address.
    pub to_account: Option<String>,
    /// The instruction line.
    pub instruction: String,
    /// Message-ID, without brackets; empty where there is none.
    pub message_id: String,
    /// What a notice needs to stand in the thread.
    #[serde(default)]
    pub thread: Thread,
    /// Whether notices are allowed at all.
    pub may_answer: bool,
    /// Size of the mail, bytes.
    pub bytes: u64,
    /// Unix seconds.
    pub received_at: u64,
    /// Unix seconds; end of the five days.
    pub executable_until: u64,
    /// Unix seconds of the next try.
    pub next_try: u64,
    /// Tries so far.
    pub tries: u32,
    /// Result code of the last answer of a node.
    pub code: Option<String>,
    /// Rule of docs/spec.md that failed.
    pub rule: Option<String>,
    /// The last word on it, one sentence for people.
    pub word: Option<String>,
    /// What the sender can do, one sentence.
    pub fix: Option<String>,
    /// The node that answered last.
    pub node: Option<String>,
    /// Transaction hash.
    pub hash: Option<String>,
    /// Index of the validated ledger.
    pub ledger_index: Option<u32>,
    /// Amount paid, such as `10 XAH` or `5 USD/rIssuer`; before that the amount as ordered.
    pub amount: Option<String>,
    /// Fee taken, drops.
    pub fee_drops: Option<u64>,
    /// Whether the payment made the receiver's account.
    pub is_first_payment: bool,
    /// Unix seconds at which it became final.
    pub final_at: Option<u64>,
    /// SPF, DMARC and ARC results.
    pub auth_results: Option<String>,
    /// Of a REMIT that paid, the reserve that the sender paid to the receiver on top, drops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_drops: Option<u64>,
    /// XAH that left the sender in all, drops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_drops: Option<u64>,
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> EntryView {
        let trail = entry.progress.trail();
        let outcome = entry.progress.outcome();
        let receipt = outcome.and_then(Outcome::receipt);
        let to = entry.to();
        EntryView {
            id: entry.id,
            email_id: entry.email_id().map(MailId::from),
            trace: entry.trace.clone(),
            kind: match &entry.request {
                Request::Order { .. } => Kind::Order,
                Request::Balance => Kind::Balance,
                Request::History => Kind::History,
            },
            state: entry.state(),
            is_held: entry.is_held(),
            dkim: entry.dkim,
            channel: entry.channel,
            from: entry.from.to_string(),
            from_account: entry.from.account().to_string(),
            to: to.and_then(Recipient::address).map(CanonicalAddress::to_string),
            to_account: to.map(|to| to.account().to_string()),
            instruction: entry.instruction.clone(),
            message_id: entry.message_id.clone(),
            thread: entry.thread.clone(),
            may_answer: entry.may_answer,
            bytes: entry.bytes,
            received_at: entry.received_at,
            executable_until: entry.executable_until,
            next_try: entry.next_try,
            tries: entry.tries,
            code: entry.said.code.as_ref().map(|code| code.as_str().to_owned()),
            rule: entry.said.rule.map(|rule| rule.to_string()),
            word: entry.said.word.clone(),
            fix: entry.said.fix.clone(),
            node: trail.node,
            hash: trail.transaction.map(|hash| hash.to_string()),
            ledger_index: outcome.and_then(Outcome::ledger_index),
            amount: amount(entry, outcome),
            fee_drops: outcome.and_then(Outcome::fee).map(|fee| fee.get()),
            is_first_payment: outcome.is_some_and(|outcome| outcome.made() == Made::Account),
            final_at: entry.progress.final_at(),
            auth_results: entry.auth_results.clone(),
            reserve_drops: receipt.map(|receipt| receipt.reserve.get()),
            left_drops: receipt.and_then(|receipt| Some(receipt.xah_left().drops()?.get())),
        }
    }
}

/// What was paid, and for a node that does not show it, what is ordered: a Remit pays all of it or nothing.
/// Before the end what the line orders, as it is written there.
fn amount(entry: &Entry, outcome: Option<&Outcome>) -> Option<String> {
    match (outcome, entry.order()) {
        (
            Some(Outcome::Applied {
                receipt: Some(receipt),
                ..
            }),
            _,
        ) => Some(receipt.arrived().to_string()),
        (Some(Outcome::Applied { receipt: None, .. }), Some(Order::Remit { amount, .. })) => {
            Some(amount.to_string())
        }
        (Some(Outcome::Applied { .. } | Outcome::Charged { .. } | Outcome::Forgotten { .. }), _) => None,
        (Some(Outcome::Replayed { .. }) | None, _) => {
            Line::parse(entry.instruction.as_bytes())?.written_amount()
        }
    }
}
