//! What a mail orders, with every word weighed.
//!
//! Spec: 5.

use codec::{AccountId, Amount};

use crate::instruction::mark::RekeyMark;
use crate::mail::address::Recipient;

/// What a mail orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Pay an amount.
    Remit {
        /// How much.
        amount: Amount,
        /// Whom.
        to: Recipient,
    },
    /// Set the regular key.
    Rekey {
        /// The account of the new key.
        key: AccountId,
        /// The REKEY that this one follows, where the mail names one. Spec: 8.6.
        after: Option<RekeyMark>,
    },
}
