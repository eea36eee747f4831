//! What a mail makes: the derived transaction and, once the signature is proven, a value that says so.
//!
//! Spec: 6, 8.1.

use std::ops::Deref;

use codec::{AccountId, CloseTime, Object};

use crate::dkim::signature::KeyName;
use crate::instruction::order::Order;
use crate::ledger::transaction::{self, EmailId};
use crate::mail::address::{CanonicalAddress, Recipient};
use crate::reading::draft::Draft;
use crate::reading::evidence::Evidence;
use crate::refusal::Refusal;

/// What a mail makes that obeys every rule which needs neither the ledger's time nor a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The normal form: MemoData.
    pub memo: Vec<u8>,
    /// The canonical From address.
    pub from: CanonicalAddress,
    /// Its account.
    pub account: AccountId,
    /// What the mail orders.
    pub order: Order,
    /// The instruction line in relaxed form.
    pub instruction: String,
    /// The transaction without Sequence, Fee and LastLedgerSequence.
    pub transaction: Object,
    /// Hash of the signed meaning.
    pub email_id: EmailId,
    /// The signed Date.
    pub signed_date: CloseTime,
    /// The key that has to prove the signature.
    pub key_name: KeyName,
}

impl Derived {
    /// Of a mail of which every part could be read.
    ///
    /// Spec: 6.1, 8.1.
    pub(crate) fn of(draft: Draft<'_>, network_id: u32) -> Option<Derived> {
        let from = draft.candidate.sender?;
        let (order, date, memo) = (draft.order?, draft.date?, draft.normal_form?.into_owned());
        let account = from.account();
        Some(Derived {
            transaction: transaction::derived(&order, account, network_id, &memo),
            email_id: EmailId::of(network_id, account, date, &order),
            signed_date: CloseTime::new(date),
            memo,
            from,
            account,
            order,
            instruction: draft.instruction?,
            key_name: draft.candidate.key_name?,
        })
    }

    /// Who is paid; `None` for REKEY.
    #[must_use]
    pub fn to(&self) -> Option<&Recipient> {
        match &self.order {
            Order::Remit { to, .. } => Some(to),
            Order::Rekey { .. } => None,
        }
    }
}

/// A mail within its window whose signature is proven. Only `derive` and `examine` make one, and it cannot be
/// changed: who holds it need not check again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenMail {
    derived: Derived,
    evidence: Evidence,
}

impl ProvenMail {
    /// The caller has proven the signature.
    pub(super) fn new(derived: Derived, evidence: Evidence) -> ProvenMail {
        ProvenMail { derived, evidence }
    }

    /// What proved it.
    pub(crate) fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

impl Deref for ProvenMail {
    type Target = Derived;

    fn deref(&self) -> &Derived {
        &self.derived
    }
}

/// What becomes of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every rule holds, and the signature is proven.
    Proven(ProvenMail),
    /// The mail has one meaning; its window or a key that is not known stands against it.
    Open {
        /// What it would make.
        derived: Derived,
        /// What stands against it.
        refusal: Refusal,
    },
    /// It makes no transaction.
    Refused(Refusal),
}

impl Outcome {
    /// The first reason in the order of section 10.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Outcome::Proven(_) => None,
            Outcome::Open { refusal, .. } | Outcome::Refused(refusal) => Some(*refusal),
        }
    }

    /// The mail, where its signature is proven.
    #[must_use]
    pub fn proven(&self) -> Option<&ProvenMail> {
        match self {
            Outcome::Proven(mail) => Some(mail),
            Outcome::Open { .. } | Outcome::Refused(_) => None,
        }
    }

    /// What the mail makes or would make, where it has one meaning.
    #[must_use]
    pub fn derived(&self) -> Option<&Derived> {
        match self {
            Outcome::Proven(mail) => Some(mail),
            Outcome::Open { derived, .. } => Some(derived),
            Outcome::Refused(_) => None,
        }
    }
}
