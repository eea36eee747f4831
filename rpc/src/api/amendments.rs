//! Questions and answers about amendments.

use codec::{CloseTime, Hash256};

/// An amendment, as ledger and validator see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendmentState {
    /// Its id.
    pub id: Hash256,
    /// Its name, if the node knows it.
    pub name: Option<&'static str>,
    /// Whether the ledger has it.
    pub status: AmendmentStatus,
    /// What the validator wants.
    pub stance: Stance,
    /// How many validators vote for it, as the ledger has their votes.
    pub supporters: u32,
    /// How many validators there are.
    pub validators: u32,
}

/// The progress of an amendment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmendmentStatus {
    /// It is not enabled.
    Disabled,
    /// It has had its majority since then.
    Majority {
        /// Close time of the ledger that found the majority.
        since: CloseTime,
    },
    /// It is enabled.
    Enabled,
}

/// What a validator wants of an amendment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stance {
    /// It votes.
    Voting(Vote),
    /// The amendment is obsolete to it, and it never votes for it.
    Obsolete,
    /// It does not know the amendment.
    Unknown,
}

/// A vote about an amendment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
    /// In favour.
    For,
    /// Vetoed.
    Against,
}
