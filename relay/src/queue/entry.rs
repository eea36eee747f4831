//! What the queue knows of one mail.

use amendment::address::{CanonicalAddress, Recipient};
use amendment::{EmailId, Order};
use codec::{Drops, Hash256};
use rpc::reply::Receipt;
use serde::{Deserialize, Serialize};

use super::id::MailId;
use super::request::Request;
use super::said::Said;
use super::stored;
use crate::mail::{Channel, TraceId};

/// How far a mail is, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// On disk here; no node has it.
    Received,
    /// A node has it.
    Submitted,
    /// In a validated ledger, and carried out. Final.
    Validated,
    /// In a validated ledger, but only the fee was taken. Final.
    Failed,
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
    pub const ALL: [State; 8] = [
        State::Received,
        State::Submitted,
        State::Validated,
        State::Failed,
        State::Refused,
        State::Expired,
        State::Answered,
        State::Dropped,
    ];

    /// Nothing comes after it.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, State::Received | State::Submitted)
    }

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Received => "received",
            State::Submitted => "submitted",
            State::Validated => "validated",
            State::Failed => "failed",
            State::Refused => "refused",
            State::Expired => "expired",
            State::Answered => "answered",
            State::Dropped => "dropped",
        }
    }
}

/// Whether the sender's DKIM signature is known to be good. Nobody is written to before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dkim {
    /// The relay or a node has checked it.
    Proven,
    /// Its key is not known yet.
    Unproven,
}

/// Where a notice belongs: taken from the mail by [`crate::notices::thread_of`], which checks and bounds it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Thread {
    /// Subject as it stands in the mail, unfolded, printable ASCII; empty where it has none, or none that is
    /// clean.
    pub subject: String,
    /// Message-IDs of the thread up to this mail and with it, with brackets, the oldest first.
    pub references: Vec<String>,
}

/// Whether a mail that is not final is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hold {
    /// It is tried when it is due.
    Free,
    /// It waits for the operator, who set it aside or has to look at it. The reason is the last word on it.
    Held,
}

/// The node that answered last, and the transaction that it made of the mail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// Host and port.
    pub node: Option<String>,
    /// Hash.
    #[serde(with = "stored::optional_text")]
    pub transaction: Option<Hash256>,
}

/// The end of a mail that is in no validated ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Unix seconds.
    pub at: u64,
    /// What the nodes had of it.
    pub trail: Trail,
}

/// How far a mail is, with what is known in that state and in no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Progress {
    /// See [`State::Received`].
    Received {
        /// Whether it is tried.
        hold: Hold,
        /// What nodes made of it so far.
        trail: Trail,
    },
    /// See [`State::Submitted`].
    Submitted {
        /// Whether it is tried.
        hold: Hold,
        /// The node that has it.
        node: String,
        /// Hash of the transaction that it made.
        #[serde(with = "stored::optional_text")]
        transaction: Option<Hash256>,
    },
    /// See [`State::Validated`] and [`State::Failed`].
    Validated {
        /// Unix seconds at which the relay learned of it.
        at: u64,
        /// The node that told it.
        node: Option<String>,
        /// What it did.
        outcome: Outcome,
    },
    /// See [`State::Refused`].
    Refused(End),
    /// See [`State::Expired`].
    Expired(End),
    /// See [`State::Answered`].
    Answered(End),
    /// See [`State::Dropped`].
    Dropped(End),
}

/// A transaction in a validated ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InLedger {
    /// Its hash.
    #[serde(with = "stored::text")]
    pub hash: Hash256,
    /// The ledger; `None` where the node does not say.
    pub ledger_index: Option<u32>,
    /// Fee taken; `None` where the node does not say.
    #[serde(with = "stored::optional_text")]
    pub fee: Option<Drops>,
}

/// What a validated mail did. Version 2 of the file also held the amount, which a receipt tells now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// What it orders.
    Applied {
        /// The transaction.
        transaction: InLedger,
        /// Whether it made the receiver's account.
        made: Made,
        /// What a REMIT took and gave; `None` where the node does not show it.
        #[serde(default, with = "stored::optional_receipt")]
        receipt: Option<Receipt>,
    },
    /// Nothing; the fee was taken.
    Charged {
        /// The transaction.
        transaction: InLedger,
    },
    /// Nobody knows: a node says that it is validated, and no longer shows how it ended.
    Forgotten {
        /// Its hash.
        #[serde(with = "stored::text")]
        hash: Hash256,
        /// The ledger, where the node says it.
        ledger_index: Option<u32>,
    },
    /// Nobody knows: nodes say that the mail was executed before, by another way, and show no transaction.
    Replayed {
        /// Hash of the transaction that a node made of it.
        #[serde(with = "stored::optional_text")]
        transaction: Option<Hash256>,
    },
}

/// Whether a transaction made the receiver's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Made {
    /// It did: this is a first payment.
    Account,
    /// It did not.
    Nothing,
}

impl Outcome {
    /// Hash of the transaction.
    #[must_use]
    pub fn hash(&self) -> Option<Hash256> {
        match self {
            Outcome::Applied { transaction, .. } | Outcome::Charged { transaction } => Some(transaction.hash),
            Outcome::Forgotten { hash, .. } => Some(*hash),
            Outcome::Replayed { transaction } => *transaction,
        }
    }

    /// Index of the validated ledger.
    #[must_use]
    pub fn ledger_index(&self) -> Option<u32> {
        match self {
            Outcome::Applied { transaction, .. } | Outcome::Charged { transaction } => {
                transaction.ledger_index
            }
            Outcome::Forgotten { ledger_index, .. } => *ledger_index,
            Outcome::Replayed { .. } => None,
        }
    }

    /// Fee taken.
    #[must_use]
    pub fn fee(&self) -> Option<Drops> {
        match self {
            Outcome::Applied { transaction, .. } | Outcome::Charged { transaction } => transaction.fee,
            Outcome::Forgotten { .. } | Outcome::Replayed { .. } => None,
        }
    }

    /// What a REMIT took and gave.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        match self {
            Outcome::Applied { receipt, .. } => *receipt,
            Outcome::Charged { .. } | Outcome::Forgotten { .. } | Outcome::Replayed { .. } => None,
        }
    }

    /// Whether it made the receiver's account.
    #[must_use]
    pub fn made(&self) -> Made {
        match self {
            Outcome::Applied { made, .. } => *made,
            Outcome::Charged { .. } | Outcome::Forgotten { .. } | Outcome::Replayed { .. } => Made::Nothing,
        }
    }
}

impl Progress {
    /// That of a new mail.
    #[must_use]
    pub fn new() -> Progress {
        Progress::Received {
            hold: Hold::Free,
            trail: Trail::default(),
        }
    }

    /// That of a mail at the node of the trail; without a node it is here alone.
    #[must_use]
    pub fn submitted(hold: Hold, trail: Trail) -> Progress {
        match trail.node {
            Some(node) => Progress::Submitted {
                hold,
                node,
                transaction: trail.transaction,
            },
            None => Progress::Received { hold, trail },
        }
    }

    /// As one word.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Progress::Received { .. } => State::Received,
            Progress::Submitted { .. } => State::Submitted,
            Progress::Validated { outcome, .. } => match outcome {
                Outcome::Charged { .. } => State::Failed,
                Outcome::Applied { .. } | Outcome::Forgotten { .. } | Outcome::Replayed { .. } => {
                    State::Validated
                }
            },
            Progress::Refused(_) => State::Refused,
            Progress::Expired(_) => State::Expired,
            Progress::Answered(_) => State::Answered,
            Progress::Dropped(_) => State::Dropped,
        }
    }

    /// Whether it waits for the operator.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match self {
            Progress::Received { hold, .. } | Progress::Submitted { hold, .. } => *hold == Hold::Held,
            Progress::Validated { .. }
            | Progress::Refused(_)
            | Progress::Expired(_)
            | Progress::Answered(_)
            | Progress::Dropped(_) => false,
        }
    }

    /// Sets a mail aside or lets it go on. A final one stays as it is.
    pub fn set_hold(&mut self, to: Hold) {
        match self {
            Progress::Received { hold, .. } | Progress::Submitted { hold, .. } => *hold = to,
            Progress::Validated { .. }
            | Progress::Refused(_)
            | Progress::Expired(_)
            | Progress::Answered(_)
            | Progress::Dropped(_) => {}
        }
    }

    /// What is known of nodes.
    #[must_use]
    pub fn trail(&self) -> Trail {
        match self {
            Progress::Received { trail, .. } => trail.clone(),
            Progress::Submitted {
                node, transaction, ..
            } => Trail {
                node: Some(node.clone()),
                transaction: *transaction,
            },
            Progress::Validated { node, outcome, .. } => Trail {
                node: node.clone(),
                transaction: outcome.hash(),
            },
            Progress::Refused(end)
            | Progress::Expired(end)
            | Progress::Answered(end)
            | Progress::Dropped(end) => end.trail.clone(),
        }
    }

    /// The node that has the mail.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        match self {
            Progress::Submitted { node, .. } => Some(node),
            Progress::Received { .. }
            | Progress::Validated { .. }
            | Progress::Refused(_)
            | Progress::Expired(_)
            | Progress::Answered(_)
            | Progress::Dropped(_) => None,
        }
    }

    /// What a validated mail did.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Progress::Validated { outcome, .. } => Some(outcome),
            Progress::Received { .. }
            | Progress::Submitted { .. }
            | Progress::Refused(_)
            | Progress::Expired(_)
            | Progress::Answered(_)
            | Progress::Dropped(_) => None,
        }
    }

    /// Unix seconds at which it became final.
    #[must_use]
    pub fn final_at(&self) -> Option<u64> {
        match self {
            Progress::Received { .. } | Progress::Submitted { .. } => None,
            Progress::Validated { at, .. } => Some(*at),
            Progress::Refused(end)
            | Progress::Expired(end)
            | Progress::Answered(end)
            | Progress::Dropped(end) => Some(end.at),
        }
    }
}

impl Default for Progress {
    fn default() -> Progress {
        Progress::new()
    }
}

/// What the queue knows of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Key.
    pub id: MailId,
    /// Name in logs and replies.
    pub trace: TraceId,
    /// What it wants.
    pub request: Request,
    /// The first line of its text, as [`Entry::request`] was read from it.
    pub instruction: String,
    /// Address of From, whose account the mail speaks for.
    #[serde(with = "stored::text")]
    pub from: CanonicalAddress,
    /// The signature.
    pub dkim: Dkim,
    /// How it came.
    pub channel: Channel,
    /// Message-ID, without brackets; empty where there is none. At most 998 bytes.
    pub message_id: String,
    /// What a notice needs to stand in the thread: [`crate::notices::thread_of`].
    pub thread: Thread,
    /// Whether notices are allowed at all (no list, no robot, no null sender).
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
    /// How far it is.
    pub progress: Progress,
    /// The last word on it.
    pub said: Said,
    /// SPF, DMARC and ARC results, for the log.
    pub auth_results: Option<String>,
}

impl Entry {
    /// How far it is, as one word.
    #[must_use]
    pub fn state(&self) -> State {
        self.progress.state()
    }

    /// Nothing more happens to it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.state().is_final()
    }

    /// It waits for the operator.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.progress.is_held()
    }

    /// What it orders; `None` for a question.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        match &self.request {
            Request::Order { order, .. } => Some(order),
            Request::Balance | Request::History => None,
        }
    }

    /// Whom a REMIT pays.
    #[must_use]
    pub fn to(&self) -> Option<&Recipient> {
        match self.order()? {
            Order::Remit { to, .. } => Some(to),
            Order::Rekey { .. } => None,
        }
    }

    /// EmailID of an order.
    #[must_use]
    pub fn email_id(&self) -> Option<EmailId> {
        match &self.request {
            Request::Order { email_id, .. } => Some(*email_id),
            Request::Balance | Request::History => None,
        }
    }

    /// What notices about it are filed under: the EmailID of an order, so that a copy under another key gets
    /// no second one; else its key.
    pub fn about(&self) -> MailId {
        self.email_id().map_or(self.id, MailId::from)
    }

    /// The end of it at `now` (Unix seconds), for what no validated ledger holds.
    #[must_use]
    pub fn end(&self, now: u64) -> End {
        End {
            at: now,
            trail: self.progress.trail(),
        }
    }
}
