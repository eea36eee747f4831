//! What a request is refused with: Xahau's error tokens and numbers.

use serde_json::{Map, Value, json};

/// One refusal of a request. The token and the number are Xahau's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The request names no method.
    #[error("Missing command entry.")]
    MissingCommand,
    /// The request asks for another version of the protocol than 1.
    #[error("invalid_API_version")]
    InvalidApiVersion,
    /// The method does not exist here.
    #[error("Unknown method '{method}'.")]
    UnknownCommand {
        /// The method's name, cut to a bounded length.
        method: String,
    },
    /// The method is for the machine's own operator.
    #[error("You don't have permission for this command.")]
    NoPermission,
    /// Too many requests at once.
    #[error("The server is too busy to help you now.")]
    TooBusy,
    /// This caller asks for too much work.
    #[error("You are placing too much load on the server.")]
    SlowDown,
    /// A parameter that the method needs is missing.
    #[error("Missing field '{field}'.")]
    MissingField {
        /// The parameter, or the alternatives.
        field: &'static str,
    },
    /// A parameter has the wrong type or form.
    #[error("Invalid field '{field}', {expected}.")]
    InvalidField {
        /// The parameter.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A parameter that the method does not know.
    #[error("Unknown field '{field}'; the nearest known one is '{nearest}'.")]
    UnknownField {
        /// The parameter's name, cut to a bounded length.
        field: String,
        /// The known parameter that looks most like it.
        nearest: &'static str,
    },
    /// A parameter, for a method that has none.
    #[error("Unknown field '{field}'; this method takes none.")]
    NoFields {
        /// The parameter's name, cut to a bounded length.
        field: String,
    },
    /// Two parameters exclude each other.
    #[error("Give one of {fields}, not several.")]
    Ambiguous {
        /// The alternatives.
        fields: &'static str,
    },
    /// The mail or transaction is over its bound.
    #[error("Field '{field}' holds {bytes} bytes, at most {bytes_max} are accepted.")]
    TooLong {
        /// The parameter.
        field: &'static str,
        /// Its decoded length.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The method does not answer this here.
    #[error("Not implemented: {what}.")]
    NotImplemented {
        /// What is not.
        what: &'static str,
    },
    /// The ledger's transactions are too much for one answer.
    #[error("Too much for one answer: ask without 'expand' for the hashes, then for each with tx.")]
    TooMuch,
    /// A parameter that does not go with the others.
    #[error("Invalid parameters.")]
    InvalidParams,
    /// The account does not exist in the ledger that was asked.
    #[error("Account not found.")]
    AccountNotFound {
        /// The account as it was written.
        account: String,
    },
    /// The account is no classic address.
    #[error("Account malformed.")]
    AccountMalformed,
    /// The ledger is not in the store.
    #[error("ledgerNotFound")]
    LedgerNotFound,
    /// The first ledger of a range lies after its last one, or outside of the store.
    #[error("Ledger indexes invalid.")]
    LedgerRangeInvalid,
    /// A bound of a range is no ledger index.
    #[error("Ledger index malformed.")]
    LedgerIndexMalformed,
    /// The amendment is unknown.
    #[error("Feature unknown or invalid.")]
    BadFeature,
    /// The entry is not in the ledger.
    #[error("The ledger has no such entry.")]
    EntryNotFound,
    /// The entry is of another type than the question says.
    #[error("The entry is of another type.")]
    UnexpectedLedgerType,
    /// The question for an entry is incomplete or malformed.
    #[error("{0}")]
    MalformedEntry(MalformedEntry),
    /// The transaction is not in the store.
    #[error("Transaction not found.")]
    TransactionNotFound,
    /// The transaction is not in the store, and a range of ledgers was given.
    #[error("Transaction not found.")]
    TransactionNotInRange {
        /// Whether the store has all ledgers of the range: then the transaction is in none of them.
        searched_all: bool,
    },
    /// The range of ledgers is too wide.
    #[error("Ledger range exceeds {}.", crate::limits::TX_RANGE_LEDGERS_MAX)]
    LedgerRangeTooWide,
    /// The range of ledgers ends before it begins.
    #[error("Ledger range is invalid.")]
    LedgerRangeReversed,
    /// The blob is no transaction, or it fails checks that need no ledger.
    #[error("{reason}")]
    InvalidTransaction {
        /// Why, in Xahau's words where it has them.
        reason: String,
    },
    /// The node cannot close a ledger on demand.
    #[error("Not in stand-alone mode.")]
    NotStandAlone,
    /// The ledger does not list the node as a validator.
    #[error(
        "This node is none of the ledger's validators, so its word counts for nothing. Ask a validator of yours."
    )]
    NoValidator,
    /// The operator wants as many domains changed as he may at a time.
    #[error("No ledger has what was wanted of so many other domains: take one back first.")]
    TooManyFreezes,
    /// The disk of the node is full.
    #[error(
        "The disk of this server is full; it accepts nothing until there is room. The validated ledgers are intact."
    )]
    DiskFull,
    /// The node broke; its log says why.
    #[error("Internal error.")]
    Internal,
}

/// What is malformed in a question for an entry; the tokens are Xahau's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEntry {
    /// A part is missing or has the wrong type.
    #[error("malformedRequest")]
    Request,
    /// An account is no classic address.
    #[error("malformedAddress")]
    Address,
    /// The owner is no classic address.
    #[error("malformedOwner")]
    Owner,
    /// The currency is no code.
    #[error("malformedCurrency")]
    Currency,
}

impl RpcError {
    /// Xahau's error token.
    #[must_use]
    pub const fn token(&self) -> &'static str {
        self.token_and_code().0
    }

    /// Xahau's error number; some of its refusals are a bare token.
    #[must_use]
    pub const fn code(&self) -> Option<i32> {
        self.token_and_code().1
    }

    const fn token_and_code(&self) -> (&'static str, Option<i32>) {
        match self {
            Self::MissingCommand => ("missingCommand", None),
            Self::InvalidApiVersion => ("invalid_API_version", None),
            Self::UnknownCommand { .. } => ("unknownCmd", Some(32)),
            Self::NoPermission => ("noPermission", Some(6)),
            Self::TooBusy => ("tooBusy", Some(9)),
            Self::SlowDown => ("slowDown", Some(10)),
            Self::MissingField { .. }
            | Self::InvalidField { .. }
            | Self::UnknownField { .. }
            | Self::NoFields { .. }
            | Self::Ambiguous { .. }
            | Self::InvalidParams
            | Self::TooMuch
            | Self::TooManyFreezes
            | Self::TooLong { .. } => ("invalidParams", Some(31)),
            Self::AccountNotFound { .. } => ("actNotFound", Some(19)),
            Self::AccountMalformed => ("actMalformed", Some(35)),
            Self::LedgerNotFound => ("lgrNotFound", Some(21)),
            Self::LedgerRangeInvalid => ("lgrIdxsInvalid", Some(57)),
            Self::LedgerIndexMalformed => ("lgrIdxMalformed", Some(58)),
            Self::BadFeature => ("badFeature", Some(40)),
            Self::EntryNotFound => ("entryNotFound", None),
            Self::UnexpectedLedgerType => ("unexpectedLedgerType", None),
            Self::MalformedEntry(MalformedEntry::Request) => ("malformedRequest", None),
            Self::MalformedEntry(MalformedEntry::Address) => ("malformedAddress", None),
            Self::MalformedEntry(MalformedEntry::Owner) => ("malformedOwner", None),
            Self::MalformedEntry(MalformedEntry::Currency) => ("malformedCurrency", None),
            Self::TransactionNotFound | Self::TransactionNotInRange { .. } => ("txnNotFound", Some(29)),
            Self::LedgerRangeTooWide => ("excessiveLgrRange", Some(78)),
            Self::LedgerRangeReversed => ("invalidLgrRange", Some(79)),
            Self::NotImplemented { .. } => ("notImpl", Some(74)),
            Self::InvalidTransaction { .. } => ("invalidTransaction", None),
            Self::NotStandAlone => ("notStandAlone", None),
            Self::NoValidator => ("notSupported", Some(75)),
            Self::DiskFull => ("notReady", Some(13)),
            Self::Internal => ("internal", Some(73)),
        }
    }

    /// The members `error`, `error_code`, `error_message` and what Xahau adds for this refusal.
    pub fn write_into(&self, reply: &mut Map<String, Value>) {
        reply.insert("error".to_owned(), json!(self.token()));
        if let Some(code) = self.code() {
            reply.insert("error_code".to_owned(), json!(code));
            reply.insert("error_message".to_owned(), json!(self.to_string()));
        }
        if let Self::InvalidTransaction { reason } = self {
            reply.insert("error_exception".to_owned(), json!(reason));
        }
        if let Self::TransactionNotInRange { searched_all } = self {
            reply.insert("searched_all".to_owned(), json!(searched_all));
        }
        if let Self::AccountNotFound { account } = self {
            reply.insert("account".to_owned(), json!(account));
        }
    }
}
