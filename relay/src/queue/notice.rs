//! Notices: the mails that the relay writes, as the outbox keeps them.

use serde::{Deserialize, Serialize};

use super::id::MailId;
use crate::mail::TraceId;

/// What a notice tells.
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
    #[must_use]
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

/// How far a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeState {
    /// To be sent.
    Waiting,
    /// Being handed to the smarthost. Found so after a crash it is not sent again: nobody is written to
    /// twice.
    Sending,
    /// The smarthost has it.
    Sent,
    /// Not to be sent; the reason stands in `word`.
    Withheld,
}

/// A mail of the relay's own in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The mail that it is about: its EmailID where it has one, else its key. With `kind` the key of the
    /// outbox: one notice for one mail and kind.
    pub about: MailId,
    /// What it tells.
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
