//! A mail that is handed in, and what became of it.

use codec::Ter;
use explain::Explanation;

use super::mail_status::MailStatus;
use super::server::ClockFault;
use super::transaction::{TxBlob, TxPlace};

/// A mail for `submit_email`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitEmail {
    /// The raw mail, at most [`crate::limits::MAIL_BYTES_MAX`] bytes.
    pub mail: Vec<u8>,
    /// Whether anything may change.
    pub mode: SubmitMode,
}

/// Whether a submission may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitMode {
    /// Submit the transaction or keep the mail.
    Submit,
    /// Answer the same and change nothing.
    DryRun,
}

/// What `submit_email` found and did.
#[derive(Debug, Clone)]
pub struct EmailAnswer {
    /// Every check with its verdict.
    pub explanation: Explanation,
    /// The result of the submission, or of the first failed check.
    pub engine: Ter,
    /// The transaction as it was executed, as submitted, or as it would be, if one could be made.
    pub wrapped: Option<TxBlob>,
    /// Where and how it was executed, if it was.
    pub executed: Option<TxPlace>,
    /// What became of the mail; `None` for a dry run of a mail that the node does not know, and for a mail
    /// that may still be executed but is not kept.
    pub status: Option<MailStatus>,
    /// Why a mail that may still be executed is not kept.
    pub not_kept: Option<NotKept>,
    /// What is wrong with the node's clock.
    pub clock: Option<ClockFault>,
}

/// Why a mail that may still be executed is not kept. None of these is a verdict on the mail: it may be
/// handed in again later (spec 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// The account has as many waiting mails as it may.
    AccountFull,
    /// All waiting mails together are too long.
    BytesFull,
    /// The caller has used up its look-ups.
    PeerFull,
    /// DNS has no usable key record for it.
    NoRecord,
    /// The account does not exist yet.
    NoAccount,
    /// The account cannot pay the fee yet.
    CannotPay,
    /// The mail's date is ahead: too far, or under a key that the ledger does not have.
    TooEarly,
    /// The open ledger does not take its transaction now.
    NotNow,
    /// The network has not enabled the amendment `Email`.
    NotEnabled,
}

impl NotKept {
    /// One sentence for the caller: why, and what to do.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::AccountFull => {
                "Not kept: other mails of this account are already waiting for their key. Hand the same mail in again \
                 later."
            }
            Self::BytesFull => {
                "Not kept: too many mails are waiting for their keys here. Hand the same mail in again later."
            }
            Self::PeerFull => {
                "Not kept: too many names were looked up for this address. Hand the same mail in again in a minute."
            }
            Self::NoRecord => {
                "Not kept: DNS has no usable key record under the name that it is signed with. Hand the same mail in again \
                 in ten minutes."
            }
            Self::NoAccount => {
                "Not kept: the account does not exist yet. Hand the same mail in again when it has received XAH."
            }
            Self::CannotPay => {
                "Not kept: the account cannot pay the fee yet. Hand the same mail in again when it has XAH."
            }
            Self::TooEarly => {
                "Not kept: it is dated in the future. Hand the same mail in again when that time has come."
            }
            Self::NotEnabled => {
                "Not kept: this network has not enabled email wallets. Hand the same mail in again once it has."
            }
            Self::NotNow => {
                "Not kept: the open ledger does not accept it now. Hand the same mail in again later."
            }
        }
    }
}
