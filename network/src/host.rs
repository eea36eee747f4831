//! A node as the machine of an engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain::{ProposalFault, State};
use codec::hash::sha512_half;
use codec::keys::PublicKey;
use codec::{CloseTime, Hash256};
use commonware_cryptography::ed25519;
use ledger::dkim::Attestation;
use ledger::votes::SignedVote;
use ledger::{Closed, Ledger, Transaction};
use node::store::StoreError;
use node::{Node, NodeFailure, NotFinal, Submission, Taken};
use tokio::sync::broadcast::Receiver;

use crate::epochs::EpochStart;
use crate::machine::{Machine, Talker};

impl Machine for Node {
    fn now(&self) -> CloseTime {
        Node::now(self)
    }

    fn last(&self) -> Ledger {
        self.state().ledger.clone()
    }

    fn has_work(&self) -> bool {
        self.state().has_work()
    }

    fn propose(&self, parent: &Ledger, close_time: CloseTime) -> Closed {
        Node::propose(self, parent, close_time)
    }

    /// A transaction that stands in this node's open ledger was verified there, and remembers it.
    fn verify(
        &self,
        parent: &Ledger,
        mut transactions: Vec<Transaction>,
        close_time: CloseTime,
    ) -> Result<Closed, ProposalFault> {
        let state = self.state();
        let known: BTreeMap<Hash256, &Transaction> =
            state.open.accepted().iter().map(|tx| (tx.id(), tx)).collect();
        for tx in &mut transactions {
            if let Some(known) = known.get(&tx.id()) {
                *tx = (*known).clone();
            }
        }
        Node::verify(self, parent, transactions, close_time)
    }

    fn finalized(&self, closed: Arc<Closed>) -> Result<(), NotFinal> {
        self.finalize(closed)
    }

    fn epochs(&self) -> Result<Vec<EpochStart>, NotFinal> {
        let damaged = || NotFinal::Node(NodeFailure::Store(StoreError::Damaged { table: "epochs" }));
        let stored = Node::epochs(self)?.into_iter();
        stored
            .map(|(epoch, bytes)| EpochStart::decode(epoch, &bytes).ok_or_else(damaged))
            .collect()
    }

    fn begin_epoch(&self, start: &EpochStart) -> Result<(), NotFinal> {
        Node::begin_epoch(self, start.epoch, &start.encode())
    }
}

impl Talker for Node {
    fn words(&self) -> Vec<Attestation> {
        self.state().words_of(&self.validator())
    }

    fn hear(&self, attestation: Attestation) {
        // A node that has stopped says so elsewhere.
        let _ = Node::hear(self, attestation);
    }

    fn ballot(&self) -> Option<SignedVote> {
        self.state().vote_of(&self.validator())
    }

    fn hear_ballot(&self, vote: SignedVote) {
        // As above.
        let _ = Node::hear_ballot(self, vote);
    }

    fn pending(&self) -> Vec<(Hash256, Submission)> {
        pending_of(&self.state())
    }

    fn arrivals(&self) -> Receiver<(Hash256, Submission)> {
        Node::arrivals(self)
    }

    fn submit(&self, from: PublicKey, submissions: Vec<Submission>) -> Vec<Taken> {
        let count = submissions.len();
        // A node that has stopped says so elsewhere.
        self.take(from, submissions)
            .unwrap_or_else(|_| vec![Taken::NotNow; count])
    }
}

/// The key of a node as the ledger has it.
pub(crate) fn node_key(key: &ed25519::PublicKey) -> Option<PublicKey> {
    PublicKey::parse(&[&[0xED], key.as_ref()].concat()).ok()
}

/// What came in and is in no ledger yet: mails on their way, and what keys signed, in the open ledger or held.
#[must_use]
pub fn pending_of(state: &State) -> Vec<(Hash256, Submission)> {
    let mails = state.pool.forms();
    let mails = mails.map(|(id, raw)| (id, Submission::Mail(Arc::clone(raw))));
    let signed = state.open.accepted().iter().chain(state.held.iter());
    let signed = signed.filter(|tx| !tx.is_email_signed());
    let signed = signed.map(|tx| (tx.id(), Submission::Transaction(tx.blob().into())));
    mails.chain(signed).collect()
}

/// The id under which a node keeps a submission that it takes.
pub(crate) fn id_of(submission: &Submission) -> Hash256 {
    match submission {
        Submission::Mail(raw) => sha512_half(&[raw]),
        Submission::Transaction(blob) => codec::tx::id_of_blob(blob),
    }
}
