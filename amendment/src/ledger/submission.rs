//! From a proven mail to the transaction that is submitted: the three fields that no mail signs.
//!
//! Spec: 6.2, 6.3.

use codec::{Drops, LedgerIndex, Object, Ter, keylet, sf};
use thiserror::Error;

use crate::ledger::replay;
use crate::ledger::transaction;
use crate::ledger::view::ReadView;
use crate::limits::LAST_LEDGER_AHEAD;
use crate::reading::derived::{Derived, ProvenMail};

/// Why a proven mail makes no transaction on this ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubmissionError {
    /// terNO_ACCOUNT. Spec: 10.
    #[error("the sending account does not exist")]
    NoAccount,
    /// tefBAD_EMAIL_FEE: more than a fee can be. Spec: 6.3.
    #[error("the fee is out of range")]
    FeeOutOfRange,
}

impl SubmissionError {
    /// The result code.
    #[must_use]
    pub fn code(&self) -> Ter {
        match self {
            SubmissionError::NoAccount => Ter::TER_NO_ACCOUNT,
            SubmissionError::FeeOutOfRange => Ter::TEF_BAD_EMAIL_FEE,
        }
    }
}

/// The transaction of a proven mail for the ledger that is being built: the account's next Sequence, the
/// required fee and a margin, and LastLedgerSequence 20 after the parent.
///
/// Spec: 6.3, 9.
pub fn submission(mail: &ProvenMail, view: &impl ReadView) -> Result<Object, SubmissionError> {
    let root = view.entry(&keylet::account(mail.account));
    let sequence = root.and_then(|root| root.u32(sf::SEQUENCE));
    let sequence = sequence.ok_or(SubmissionError::NoAccount)?;
    let replay = view.entry(&keylet::email_replay(mail.account));
    let paid = replay::entries_paid(&mail.order, replay.as_ref(), view.parent_close_time());
    let fee = replay::submit_fee(view.base_fee(), mail.memo.len(), paid);
    let fee = fee.ok_or(SubmissionError::FeeOutOfRange)?;
    let parent = view.ledger_index().get().saturating_sub(1);
    let last = LedgerIndex::new(parent.saturating_add(LAST_LEDGER_AHEAD));
    Ok(wrap(mail, sequence, fee, last))
}

/// The transaction of a mail with a wrapper that the caller chooses.
///
/// Spec: 6.2, 6.3.
#[must_use]
pub fn wrap(derived: &Derived, sequence: u32, fee: Drops, last_ledger_sequence: LedgerIndex) -> Object {
    transaction::wrapped(derived.transaction.clone(), sequence, fee, last_ledger_sequence)
}
