//! What a mail wants of the relay.

use amendment::address::{CanonicalAddress, Recipient};
use amendment::{EmailId, Order, RekeyMark};
use codec::AccountId;
use serde::{Deserialize, Serialize};

use super::stored::{self, Money};

/// What a mail wants of the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum Request {
    /// REMIT or REKEY: for the ledger.
    Order {
        /// What it orders.
        order: Order,
        /// Hash of its signed meaning.
        email_id: EmailId,
    },
    /// BALANCE: answered from a node.
    Balance,
    /// HISTORY: answered from a node.
    History,
}

/// The stored form.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Stored {
    Remit {
        #[serde(with = "stored::text")]
        email_id: EmailId,
        amount: Money,
        to: StoredRecipient,
    },
    Rekey {
        #[serde(with = "stored::text")]
        email_id: EmailId,
        #[serde(with = "stored::text")]
        key: AccountId,
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "stored::optional_text"
        )]
        after: Option<RekeyMark>,
    },
    Balance,
    History,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum StoredRecipient {
    Mailbox(#[serde(with = "stored::text")] CanonicalAddress),
    Chain {
        #[serde(with = "stored::text")]
        account: AccountId,
        tag: Option<u32>,
    },
}

impl From<Request> for Stored {
    fn from(request: Request) -> Stored {
        match request {
            Request::Order {
                order: Order::Remit { amount, to },
                email_id,
            } => Stored::Remit {
                email_id,
                amount: Money(amount),
                to: to.into(),
            },
            Request::Order {
                order: Order::Rekey { key, after },
                email_id,
            } => Stored::Rekey { email_id, key, after },
            Request::Balance => Stored::Balance,
            Request::History => Stored::History,
        }
    }
}

impl From<Stored> for Request {
    fn from(stored: Stored) -> Request {
        match stored {
            Stored::Remit {
                email_id,
                amount: Money(amount),
                to,
            } => Request::Order {
                order: Order::Remit {
                    amount,
                    to: to.into(),
                },
                email_id,
            },
            Stored::Rekey { email_id, key, after } => Request::Order {
                order: Order::Rekey { key, after },
                email_id,
            },
            Stored::Balance => Request::Balance,
            Stored::History => Request::History,
        }
    }
}

impl From<Recipient> for StoredRecipient {
    fn from(to: Recipient) -> StoredRecipient {
        match to {
            Recipient::Mailbox { address, .. } => StoredRecipient::Mailbox(address),
            Recipient::Chain { account, tag } => StoredRecipient::Chain { account, tag },
        }
    }
}

impl From<StoredRecipient> for Recipient {
    fn from(stored: StoredRecipient) -> Recipient {
        match stored {
            StoredRecipient::Mailbox(address) => Recipient::Mailbox {
                account: address.account(),
                address,
            },
            StoredRecipient::Chain { account, tag } => Recipient::Chain { account, tag },
        }
    }
}
