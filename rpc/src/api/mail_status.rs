//! What became of a mail.

use codec::{Hash256, LedgerIndex, Ter};

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailStatus {
    /// Its progress.
    pub state: MailState,
    /// The transaction that carries it, if there is one.
    pub hash: Option<Hash256>,
    /// The validated ledger that holds the transaction.
    pub ledger_index: Option<LedgerIndex>,
    /// Its result, where it is final.
    pub engine: Option<Ter>,
}

/// The progress of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It waits for its key; the node retries it at each close.
    Kept,
    /// Its transaction is in the open ledger or held for the next one.
    Submitted,
    /// Its transaction is in a validated ledger.
    Validated,
    /// It is refused, or its window has ended.
    Failed,
}

impl MailState {
    /// All states.
    const ALL: [MailState; 4] = [Self::Kept, Self::Submitted, Self::Validated, Self::Failed];

    /// Its word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Submitted => "submitted",
            Self::Validated => "validated",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
