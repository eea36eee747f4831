//! What the engine needs of the machine behind it, and nothing more: three decisions, and what they rest on.

use std::net::IpAddr;
use std::sync::Arc;

use chain::ProposalFault;
use codec::{CloseTime, Hash256};
use ledger::dkim::Attestation;
use ledger::{Closed, Ledger, Transaction};
use node::NotFinal;

/// A machine that makes ledgers. Its calls may take as long as a close does.
pub trait Machine: Send + Sync + 'static {
    /// Its clock.
    fn now(&self) -> CloseTime;

    /// The last ledger that is final and on disk.
    fn last(&self) -> Ledger;

    /// Whether there is anything to propose.
    fn has_work(&self) -> bool;

    /// The ledger after `parent` as this machine would have it.
    fn propose(&self, parent: &Ledger, close_time: CloseTime) -> Closed;

    /// The ledger after `parent` that consists of these transactions, if it is right. The same on every machine.
    fn verify(
        &self,
        parent: &Ledger,
        transactions: Vec<Transaction>,
        close_time: CloseTime,
    ) -> Result<Closed, ProposalFault>;

    /// The ledger after the last one is final; it is on disk when this returns.
    fn finalized(&self, closed: Closed) -> Result<(), NotFinal>;
}

/// What machines tell each other before a ledger has it.
pub trait Talker: Send + Sync + 'static {
    /// What this machine's DNS told it, until a ledger has it.
    fn words(&self) -> Vec<Attestation>;

    /// What another one's DNS told it.
    fn hear(&self, attestation: Attestation);

    /// What came in and is in no ledger yet, each by its id.
    fn pending(&self) -> Vec<(Hash256, Submission)>;

    /// What came in at another machine.
    fn submit(&self, from: IpAddr, submission: Submission);
}

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
