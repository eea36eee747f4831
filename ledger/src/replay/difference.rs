//! What differs between a record and its replay, and what must. docs/deviations.md has the list.

use std::fmt;

use codec::Ter;
use codec::format::TxType;

use crate::open_ledger::{LocalRefusal, SubmitOutcome};
use crate::transaction::TransactionError;

/// What `submit` says of what it does not let in.
pub(super) const INVALID_TRANSACTION: &str = "invalidTransaction";
/// Name of a difference in what `submit` said.
pub(super) const ENGINE_RESULT: &str = "engine_result";

/// Answer to a submission, or why the bytes are no transaction.
pub type Submitted = Result<Result<SubmitOutcome, LocalRefusal>, TransactionError>;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: `engine_result`, `metadata`, `account_hash`, `state_after INDEX`...
    pub what: String,
    /// As recorded.
    pub expected: String,
    /// As computed.
    pub got: String,
}

/// Why a replay must differ from its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MustDiffer {
    /// A transaction of a type that this ledger does not support; `None` is a type without a name here.
    UnsupportedType(Option<TxType>),
    /// A transaction of a supported type that asks for more than this ledger supports, such as a path.
    UnsupportedFeature,
    /// Malformed by the rules here, while the recorded server refused it before it asked them. No ledger holds
    /// it either way.
    RefusedSooner,
    /// A REKEY was executed in the ledger: what it writes and ends was decided anew since. Spec: 8.6
    RekeyDecidedAnew,
}

impl fmt::Display for MustDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MustDiffer::UnsupportedType(Some(tx_type)) => {
                write!(f, "transactions of type {} are not supported", tx_type.name())
            }
            MustDiffer::UnsupportedType(None) => f.write_str("a transaction type that is not supported"),
            MustDiffer::UnsupportedFeature => {
                f.write_str("paths, other currencies and several signers are not supported")
            }
            MustDiffer::RefusedSooner => f.write_str(
                "refused as malformed either way; that server refused it before it asked the rules of the mail",
            ),
            MustDiffer::RekeyDecidedAnew => {
                f.write_str("a REKEY was executed there, and what a REKEY writes and ends was decided anew")
            }
        }
    }
}

impl MustDiffer {
    /// The reason that explains all the differences.
    pub(super) fn of(submitted: &[Submitted], differences: &[Difference]) -> Option<MustDiffer> {
        if differences.is_empty() {
            return None;
        }
        let is_refused_sooner = |difference: &Difference| {
            difference.what == ENGINE_RESULT
                && difference.expected == INVALID_TRANSACTION
                && difference.got == Ter::TEM_MALFORMED.token()
        };
        if differences.iter().all(is_refused_sooner) {
            return Some(MustDiffer::RefusedSooner);
        }
        let is_disabled = |difference: &Difference| {
            difference.what == ENGINE_RESULT && difference.got == Ter::TEM_DISABLED.token()
        };
        if differences.iter().any(is_disabled) {
            return Some(MustDiffer::UnsupportedFeature);
        }
        submitted.iter().find_map(|answer| match answer {
            Err(TransactionError::UnsupportedType { tx_type }) => {
                Some(MustDiffer::UnsupportedType(Some(*tx_type)))
            }
            Err(TransactionError::UnknownType { code: Some(_) }) => Some(MustDiffer::UnsupportedType(None)),
            Err(
                TransactionError::UnknownType { code: None }
                | TransactionError::Length { .. }
                | TransactionError::Decode(_)
                | TransactionError::Template(_),
            )
            | Ok(_) => None,
        })
    }
}
