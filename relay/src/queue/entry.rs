//! What the queue knows of one mail.

use std::fmt;
use std::str::FromStr;

use amendment::EmailId;
use serde::{Deserialize, Serialize};

use crate::mail::{Channel, TraceId};

/// Key of an entry, 32 bytes, shown as upper-case hex.
///
/// For an order whose signature the relay has proved it is the EmailID, so that two copies are one entry. A mail whose
/// signature is not proved yet has a key of its own bytes: a forgery must not take the place of the true mail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailId([u8; 32]);

impl MailId {
    /// From its bytes.
    pub const fn new(bytes: [u8; 32]) -> MailId {
        MailId(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<EmailId> for MailId {
    fn from(id: EmailId) -> MailId {
        MailId(*id.hash().as_bytes())
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

impl fmt::Debug for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no MailId.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 64 hex digits are expected")]
pub struct MailIdError;

impl FromStr for MailId {
    type Err = MailIdError;
    fn from_str(text: &str) -> Result<MailId, MailIdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| MailIdError)?;
        Ok(MailId(bytes))
    }
}

impl Serialize for MailId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MailId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<MailId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// How far a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// On disk here; no node has it.
    Received,
    /// A node has it.
    Submitted,
    /// In a validated ledger, whatever its result (see `code`). Final.
    Validated,
    /// It can never be executed. Final.
    Refused,
    /// Its five days are over. Final.
    Expired,
    /// A question (BALANCE, HISTORY) that was answered. Final.
    Answered,
    /// The operator dropped it. Final.
    Dropped,
}

impl State {
    /// All, in the order of a mail's life.
    pub const ALL: [State; 7] = [
        State::Received,
        State::Submitted,
        State::Validated,
        State::Refused,
        State::Expired,
        State::Answered,
        State::Dropped,
    ];

    /// Nothing comes after it.
    pub fn is_final(self) -> bool {
        !matches!(self, State::Received | State::Submitted)
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Received => "received",
            State::Submitted => "submitted",
            State::Validated => "validated",
            State::Refused => "refused",
            State::Expired => "expired",
            State::Answered => "answered",
            State::Dropped => "dropped",
        }
    }
}

/// What a mail wants of the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// REMIT or REKEY: for the ledger.
    Order,
    /// BALANCE: answered from a node.
    Balance,
    /// HISTORY: answered from a node.
    History,
}

/// Whether the sender's DKIM signature is known to be good. Nobody is answered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dkim {
    /// The relay or a node has checked it.
    Proven,
    /// Its key was not to be had yet.
    Unproven,
}

/// Where an answer belongs: taken from the mail by [`crate::notices::thread_of`], which checks and bounds it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Thread {
    /// Subject as it stands in the mail, unfolded, printable ASCII; empty where it has none, or none that is clean.
    pub subject: String,
    /// Message-IDs of the thread up to this mail and with it, with brackets, the oldest first.
    pub references: Vec<String>,
}

/// What the queue knows of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
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
    /// Not tried while true: the operator, or a poison mail. The reason stands in `word`.
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
    /// Message-ID, without brackets; empty where there is none. At most 998 bytes.
    pub message_id: String,
    /// What an answer needs to stand in the thread: [`crate::notices::thread_of`].
    #[serde(default)]
    pub thread: Thread,
    /// Whether answers are allowed at all (no list, no robot, no null sender).
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
    /// Result code of the last answer of a node, such as `terNO_DKIM_KEY`.
    pub code: Option<String>,
    /// Rule of docs/spec.md that failed.
    pub rule: Option<String>,
    /// The last word on it, one sentence for people.
    pub word: Option<String>,
    /// What the sender can do, one sentence.
    pub fix: Option<String>,
    /// Node that gave it.
    pub node: Option<String>,
    /// Transaction hash.
    pub hash: Option<String>,
    /// Index of the validated ledger.
    pub ledger_index: Option<u32>,
    /// Amount paid, for people, such as `10 XAH`.
    pub amount: Option<String>,
    /// Fee taken, drops.
    pub fee_drops: Option<u64>,
    /// Whether the payment made the receiver's account.
    pub is_first_payment: bool,
    /// Unix seconds at which it became final.
    pub final_at: Option<u64>,
    /// SPF, DMARC and ARC results, for the log.
    pub auth_results: Option<String>,
}

/// Which answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// Received and waiting for over a minute.
    Waiting,
    /// Paid, or charged without success.
    Validated,
    /// Refused.
    Refused,
    /// Out of time.
    Expired,
    /// To the receiver of a first payment.
    Welcome,
    /// The balance that was asked for.
    Balance,
    /// The history that was asked for.
    History,
}

impl NoticeKind {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Waiting => "waiting",
            NoticeKind::Validated => "validated",
            NoticeKind::Refused => "refused",
            NoticeKind::Expired => "expired",
            NoticeKind::Welcome => "welcome",
            NoticeKind::Balance => "balance",
            NoticeKind::History => "history",
        }
    }
}

/// How far an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeState {
    /// To be sent.
    Waiting,
    /// Being handed to the smarthost. Found so after a crash it is not sent again: nobody is answered twice.
    Sending,
    /// The smarthost has it.
    Sent,
    /// Not to be sent; the reason stands in `word`.
    Withheld,
}

/// An answer in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The mail it answers: its EmailID where it has one, else its key. With `kind` the key of the outbox: one answer for
    /// one mail and state.
    pub about: MailId,
    /// Which.
    pub kind: NoticeKind,
    /// Name in logs.
    pub trace: TraceId,
    /// Receiver's address.
    pub to: String,
    /// The whole mail, not yet signed. CRLF lines.
    pub mail: String,
    /// How far it is.
    pub state: NoticeState,
    /// Unix seconds of the next try.
    pub next_try: u64,
    /// Tries so far.
    pub tries: u32,
    /// Unix seconds at which it was made.
    pub made_at: u64,
    /// The last word on it.
    pub word: Option<String>,
}
