//! What the engine needs of the machine behind it, and nothing more: three decisions, and what they rest on.

use std::sync::Arc;

use chain::ProposalFault;
use codec::keys::PublicKey;
use codec::{CloseTime, Hash256};
use ledger::dkim::Attestation;
use ledger::votes::SignedVote;
use ledger::{Closed, Ledger, Transaction};
use node::{NotFinal, Submission, Taken};
use tokio::sync::broadcast::Receiver;

use crate::epochs::EpochStart;

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
    fn finalized(&self, closed: Arc<Closed>) -> Result<(), NotFinal>;

    /// What each epoch began with that this machine has come to.
    fn epochs(&self) -> Result<Vec<EpochStart>, NotFinal>;

    /// An epoch begins after the next ledger; it is on disk when this returns.
    fn begin_epoch(&self, start: &EpochStart) -> Result<(), NotFinal>;
}

/// What machines tell each other before a ledger has it.
pub trait Talker: Send + Sync + 'static {
    /// What this machine's DNS told it, until a ledger has it.
    fn words(&self) -> Vec<Attestation>;

    /// What another one's DNS told it.
    fn hear(&self, attestation: Attestation);

    /// What this machine's validator votes for, until a ledger has it.
    fn ballot(&self) -> Option<SignedVote>;

    /// What another one votes for.
    fn hear_ballot(&self, vote: SignedVote);

    /// What came in and is in no ledger yet, each by its id.
    fn pending(&self) -> Vec<(Hash256, Submission)>;

    /// What comes in here from now on, each by its id. What came from other machines is not among it.
    fn arrivals(&self) -> Receiver<(Hash256, Submission)>;

    /// What came in at another machine, known by its key; answers what became of each. Takes as long as signatures and
    /// a disk do.
    fn submit(&self, from: PublicKey, submissions: Vec<Submission>) -> Vec<Taken>;
}
