//! What happens to a chain, and what it wants done about it. Plain values.

use std::collections::BTreeSet;
use std::sync::Arc;

use amendment::ScreenError;
use amendment::key_record::PublishedKey;
use amendment::{Domain, KeyName};
use codec::keys::PublicKey;
use codec::{Hash256, LedgerIndex, Ter};
use ledger::dkim::{Attestation, Ruling};
use ledger::votes::SignedVote;
use ledger::{Closed, LocalRefusal, SubmitOutcome, Transaction};

use crate::commit::{Change, Vote};
use crate::key_change::KeyChange;
use crate::mail::ReadMail;
use crate::peers::Peer;

/// Names a request, so that its answer finds the one who waits. The host picks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(u64);

impl RequestId {
    /// A number that no waiting request has.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// Somebody sent a mail.
    Mail(Box<MailRequest>),
    /// Somebody sent a signed transaction.
    Transaction(TxRequest),
    /// The look-up of a name has ended.
    Answer {
        /// The name.
        name: KeyName,
        /// What DNS says about it.
        finding: KeyFinding,
    },
    /// Another validator says what DNS told it.
    Attestation(Attestation),
    /// The operator changes the validator's vote about an amendment.
    Vote {
        /// Who waits.
        request: RequestId,
        /// The amendment.
        amendment: Hash256,
        /// The vote.
        vote: Vote,
    },
    /// The operator wants the mail of a domain stopped, or let through again.
    Rule {
        /// Who waits.
        request: RequestId,
        /// The domain.
        domain: Domain,
        /// What the operator wants.
        ruling: Ruling,
    },
    /// The operator wants another list of validators.
    WantList {
        /// Who waits.
        request: RequestId,
        /// The list; empty: as it is.
        wanted: BTreeSet<PublicKey>,
    },
    /// Another validator says what it votes for.
    Ballot(SignedVote),
    /// Time to look up what waiting mails and old keys need.
    LookUp {
        /// Who waits.
        request: RequestId,
    },
    /// The ledger after the last one is this, for good.
    Close {
        /// Who waits.
        request: RequestId,
        /// The ledger; of a single validator it is [`crate::Chain::propose`].
        closed: Arc<Closed>,
    },
    /// What became of the last [`Effect::Commit`].
    Committed(Result<(), CommitFailure>),
}

/// What DNS says about the name of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFinding {
    /// One record that makes a key.
    Usable(PublishedKey),
    /// Records that make no key.
    Unusable,
    /// No record: NXDOMAIN or NODATA.
    Absent,
    /// Nothing: no answer came.
    NoAnswer,
}

/// A mail for the open ledger.
#[derive(Debug)]
pub struct MailRequest {
    /// Who waits.
    pub request: RequestId,
    /// Who sent it.
    pub peer: Peer,
    /// Whether anything may change.
    pub mode: MailMode,
    /// The mail, read under the keys of the last ledger.
    pub mail: ReadMail,
}

/// Whether a mail may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailMode {
    /// Submit its transaction or keep it.
    Submit,
    /// Answer the same and change nothing.
    DryRun,
}

/// A signed transaction for the open ledger.
#[derive(Debug)]
pub struct TxRequest {
    /// Who waits.
    pub request: RequestId,
    /// Who sent it.
    pub peer: Peer,
    /// The transaction.
    pub tx: Transaction,
    /// What becomes of it where a later ledger may take it.
    pub on_retry: OnRetry,
}

/// What becomes of a transaction that a later ledger may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRetry {
    /// It is held and tried again.
    Hold,
    /// It is forgotten.
    Drop,
}

/// Why a commit failed. Nothing of it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFailure {
    /// There is no room. It passes.
    DiskFull,
    /// Anything else.
    Broken,
}

/// Something that the host is to do, in the order given.
#[derive(Debug)]
pub enum Effect {
    /// Write these changes, durably and as a whole, and report by [`Event::Committed`]. One commit is under
    /// way at a time.
    Commit(Vec<Change>),
    /// Ask DNS for a name, and report by [`Event::Answer`].
    LookUp(KeyName),
    /// Answer a request. What the answer says is on disk.
    Tell {
        /// Which request.
        request: RequestId,
        /// The answer.
        reply: Reply,
    },
    /// Write a line into the log.
    Log(Fact),
}

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// To a mail.
    Mail(Box<MailReply>),
    /// To a transaction.
    Transaction(TxReply),
    /// To a vote, a wish about a domain or one to look up: it is done.
    Done,
    /// To a close.
    Closed {
        /// Index of the new open ledger.
        next: LedgerIndex,
    },
    /// Nothing was done.
    Refused(Refusal),
}

/// What became of a mail.
#[derive(Debug)]
pub struct MailReply {
    /// The mail.
    pub mail: ReadMail,
    /// The result of the submission, or of the first failed check.
    pub engine: Ter,
    /// What the sender's account has against it, where the open ledger refuses it.
    pub by_account: Option<ScreenError>,
    /// The transaction as submitted (or as it would be), if one could be made.
    pub wrapped: Option<Transaction>,
    /// Whether this mail's transaction now stands in the open ledger.
    pub entered: Entered,
    /// What is known of its EmailID.
    pub standing: Option<Standing>,
    /// Why it is not kept although it may still be executed.
    pub not_kept: Option<NotKept>,
}

/// Whether a mail brought its transaction into the open ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// It did.
    Yes,
    /// It did not, or was only asked about.
    No,
}

/// How far a mail is that no validated ledger holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for its key.
    Kept,
    /// Its transaction is in the open ledger or comes into the next one.
    Submitted {
        /// The transaction; `None` while there is none.
        tx: Option<Hash256>,
    },
    /// It is refused for good.
    Failed {
        /// Result code.
        code: i32,
        /// Its transaction; zero if there was none.
        tx: Hash256,
    },
}

/// Why a mail is not kept although it may still be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// The account has as many waiting mails as it may.
    AccountFull,
    /// All waiting mails together are too long.
    BytesFull,
    /// The sender had as many names looked up as it may.
    PeerFull,
    /// DNS has no usable key record for it.
    NoRecord,
    /// The account does not exist yet.
    NoAccount,
    /// The account cannot pay the fee yet.
    CannotPay,
    /// Its date is ahead: too far, or under a key that the ledger does not have.
    TooEarly,
    /// The open ledger does not take its transaction now.
    NotNow,
    /// The network has not enabled the amendment `Email`.
    NotEnabled,
}

/// What became of a transaction.
#[derive(Debug)]
pub struct TxReply {
    /// The transaction.
    pub tx: Transaction,
    /// What the open ledger made of it.
    pub outcome: SubmitOutcome,
    /// Whether it is held for a later ledger.
    pub held: Held,
    /// Fee that the open ledger asked of it once it was tried.
    pub open_ledger_cost_drops: u64,
    /// The account's next sequence, with what is held.
    pub sequence_available: u32,
    /// The last ledger.
    pub validated: LedgerIndex,
}

/// Whether a transaction is held for a later ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The sender's mails failed too often.
    SlowDown,
    /// The open ledger is full.
    TooBusy,
    /// The disk is full.
    DiskFull,
    /// The store cannot write.
    Broken,
    /// A ledger does not follow the last one.
    OutOfOrder,
    /// The ledger does not list this node among its validators, so its word counts for nothing.
    NoValidator,
    /// The operator wants as many domains changed as he may at a time.
    TooManyFreezes,
    /// The transaction fails the local checks.
    Local(LocalRefusal),
}

impl From<CommitFailure> for Refusal {
    fn from(failure: CommitFailure) -> Self {
        match failure {
            CommitFailure::DiskFull => Self::DiskFull,
            CommitFailure::Broken => Self::Broken,
        }
    }
}

/// Something that an operator may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A transaction of the open ledger is not in the closed one.
    Dropped {
        /// The transaction.
        id: Hash256,
        /// Why.
        code: Ter,
    },
    /// A mail will never be executed.
    GivenUp {
        /// Its EmailID.
        email_id: Hash256,
        /// Why.
        code: Ter,
    },
    /// DNS gave no answer about a name.
    NoAnswer(KeyName),
    /// DNS has no usable record for a name.
    NoUsableRecord(KeyName),
    /// DNS has something else under a name than the ledger; this validator attests it.
    KeyChange {
        /// The name.
        name: KeyName,
        /// What is new.
        change: KeyChange,
    },
    /// The disk is full: nothing is accepted until there is room.
    DiskFull,
    /// The disk has room again.
    RoomAgain,
}
