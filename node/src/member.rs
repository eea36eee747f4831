//! The node as one of a network: what it would have in the next ledger, what it thinks of another's proposal, and
//! the ledger that the network agreed on.

use std::sync::Arc;

use chain::{Event, ProposalFault, Refusal, Reply, State};
use codec::CloseTime;
use codec::keys::PublicKey;
use ledger::dkim::Attestation;
use ledger::{Closed, Ledger, Transaction};

use crate::host::ChainStopped;
use crate::node::{Node, NodeFailure};

/// Why a ledger that the network agreed on is not on this node's disk.
#[derive(Debug, thiserror::Error)]
pub enum NotFinal {
    /// The disk is full. It passes.
    #[error("the disk of the data folder is full")]
    DiskFull,
    /// It does not follow the last ledger.
    #[error("the ledger does not follow the last one of this node")]
    OutOfOrder,
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeFailure),
}

impl Node {
    /// What readers may see: all of it is on disk.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.inner.host.shown()
    }

    /// The time that the node goes by.
    #[must_use]
    pub fn now(&self) -> CloseTime {
        self.inner.clock.now()
    }

    /// The validator key.
    #[must_use]
    pub fn validator(&self) -> PublicKey {
        self.inner.validator
    }

    /// The ledger after `parent` as this node would have it.
    #[must_use]
    pub fn propose(&self, parent: &Ledger, close_time: CloseTime) -> Closed {
        self.state().propose(parent, self.inner.proposing, close_time)
    }

    /// The ledger after `parent` that consists of these transactions, if it is right.
    pub fn verify(
        &self,
        parent: &Ledger,
        transactions: Vec<Transaction>,
        close_time: CloseTime,
    ) -> Result<Closed, ProposalFault> {
        self.state()
            .verify(parent, transactions, self.inner.proposing, close_time)
    }

    /// The network agreed on the ledger after the last one; it is on disk when this returns.
    pub fn finalize(&self, closed: Closed) -> Result<(), NotFinal> {
        let closed = Box::new(closed);
        let reply = self.inner.host.ask(|request| Event::Close { request, closed });
        match reply.map_err(|stopped| self.why(stopped))? {
            Reply::Closed { .. } => {
                self.say_closed();
                Ok(())
            }
            Reply::Refused(Refusal::DiskFull) => Err(NotFinal::DiskFull),
            Reply::Refused(Refusal::OutOfOrder) => Err(NotFinal::OutOfOrder),
            Reply::Refused(_) | Reply::Done | Reply::Mail(_) | Reply::Transaction(_) => {
                Err(self.why(ChainStopped).into())
            }
        }
    }

    /// Another validator says what DNS told it.
    pub fn hear(&self, attestation: Attestation) -> Result<(), NodeFailure> {
        let heard = self.inner.host.tell(Event::Attestation(attestation));
        heard.map_err(|stopped| self.why(stopped))
    }
}
