//! What came in at one node of a network, for the others.

use std::sync::Arc;

use chain::{Entered, Held, Refusal, Reply, Standing};
use codec::Ter;

/// Something for a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// A mail, in normal form.
    Mail(Arc<[u8]>),
    /// The bytes of a signed transaction.
    Transaction(Arc<[u8]>),
}

impl Submission {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Mail(bytes) | Self::Transaction(bytes) => bytes,
        }
    }
}

/// What became of a submission that another node passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was here already.
    Known,
    /// It is on its way here too.
    Yes,
    /// Not now. Said again later, it may be taken.
    NotNow,
    /// Never.
    Never,
}

impl Taken {
    /// What the chain's answer means for the node that passed it on.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        match reply {
            Reply::Mail(mail) if mail.entered == Entered::Yes => Self::Yes,
            // A ledger was quicker than its way here: no fault of who passes it on.
            Reply::Mail(mail) if mail.engine == Ter::TEF_EMAIL_REPLAY => Self::Known,
            Reply::Mail(mail) => match mail.standing {
                Some(Standing::Kept | Standing::Submitted { .. }) => Self::Yes,
                Some(Standing::Failed { .. }) | None if mail.not_kept.is_some() => Self::NotNow,
                Some(Standing::Failed { .. }) | None => Self::Never,
            },
            Reply::Transaction(tx) if tx.outcome.applied || tx.held == Held::Yes => Self::Yes,
            Reply::Transaction(tx) if tx.outcome.retriable => Self::NotNow,
            Reply::Refused(Refusal::Local(_)) | Reply::Transaction(_) => Self::Never,
            Reply::Refused(
                Refusal::SlowDown
                | Refusal::TooBusy
                | Refusal::DiskFull
                | Refusal::Broken
                | Refusal::OutOfOrder
                | Refusal::NoValidator
                | Refusal::TooManyFreezes,
            )
            | Reply::Done
            | Reply::Closed { .. } => Self::NotNow,
        }
    }
}
