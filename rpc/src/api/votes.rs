//! Questions and answers about the votes of validators.

use std::collections::BTreeSet;

use codec::keys::PublicKey;
use codec::{CloseTime, Hash256, LedgerIndex};

/// What the validators of a ledger want (docs/spec.md 15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorVotes {
    /// The last ledger.
    pub ledger: LedgerIndex,
    /// The ledger's list of validators.
    pub validators: Vec<PublicKey>,
    /// So many of them that want one same list make it the list.
    pub quorum: usize,
    /// The next ledger that may change the list; `None` where none does, as on one machine.
    pub next_change: Option<LedgerIndex>,
    /// The votes on the ledger.
    pub votes: Vec<VoteRow>,
    /// The list that a quorum wants.
    pub agreed: Option<BTreeSet<PublicKey>>,
    /// The node's own key.
    pub own: PublicKey,
    /// What its operator wants and the ledger does not have yet.
    pub wish: VoteWish,
}

/// What somebody wants of amendments and of the list of validators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VoteWish {
    /// Amendments that shall be enabled, with their names where the node knows them.
    pub amendments: Vec<(Hash256, Option<&'static str>)>,
    /// The validators that there shall be; empty: as they are.
    pub validators: BTreeSet<PublicKey>,
}

/// A vote that stands on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoteRow {
    /// Whose.
    pub validator: PublicKey,
    /// When it was cast.
    pub observed_at: CloseTime,
    /// What for.
    pub wish: VoteWish,
}
