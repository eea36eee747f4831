//! The node as one of a network: what it would have in the next ledger, what it thinks of another's proposal, and
//! the ledger that the network agreed on.

use std::sync::Arc;

use chain::peers::Peer;
use chain::{
    Entered, Event, MailMode, MailReply, MailRequest, OnRetry, ProposalFault, ReadMail, Refusal, Reply,
    RequestId, Standing, State, TxRequest,
};
use codec::hash::sha512_half;
use codec::keys::PublicKey;
use codec::{CloseTime, Hash256};
use ledger::dkim::Attestation;
use ledger::votes::SignedVote;
use ledger::{Closed, Ledger, Transaction};
use tokio::sync::broadcast;

use crate::host::ChainStopped;
use crate::node::{Node, NodeFailure};
use crate::store::StoreError;
use crate::submission::{Submission, Taken};

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
    pub fn finalize(&self, closed: Arc<Closed>) -> Result<(), NotFinal> {
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

    /// What this node remembers of epochs, by their numbers.
    pub fn epochs(&self) -> Result<Vec<(u64, Vec<u8>)>, NotFinal> {
        self.inner.store.epochs().map_err(not_final)
    }

    /// Remember an epoch; it is on disk when this returns.
    pub fn begin_epoch(&self, epoch: u64, start: &[u8]) -> Result<(), NotFinal> {
        self.inner.store.begin_epoch(epoch, start).map_err(not_final)
    }

    /// Another validator says what it votes for.
    pub fn hear_ballot(&self, vote: SignedVote) -> Result<(), NodeFailure> {
        let heard = self.inner.host.tell(Event::Ballot(vote));
        heard.map_err(|stopped| self.why(stopped))
    }

    /// Another validator says what DNS told it.
    pub fn hear(&self, attestation: Attestation) -> Result<(), NodeFailure> {
        let heard = self.inner.host.tell(Event::Attestation(attestation));
        heard.map_err(|stopped| self.why(stopped))
    }

    /// What comes in here from now on, by its id. One who lags behind misses some.
    #[must_use]
    pub fn arrivals(&self) -> broadcast::Receiver<(Hash256, Submission)> {
        self.inner.arrivals.subscribe()
    }

    /// Take what came in at another node: verified here, outside of the chain's thread, and put there with one commit.
    pub fn take(&self, from: PublicKey, submissions: Vec<Submission>) -> Result<Vec<Taken>, NodeFailure> {
        let (peer, state) = (Peer::Node(from), self.state());
        let read = submissions.iter().map(|submission| self.read(&state, submission));
        let (mut taken, mut events, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for (place, read) in read.enumerate() {
            match read {
                Ok(read) => {
                    taken.push(Taken::NotNow);
                    events.push(move |request| read.event(request, peer));
                    asked.push(place);
                }
                Err(verdict) => taken.push(verdict),
            }
        }
        drop(state);
        let replies = self
            .inner
            .host
            .ask_all(events)
            .map_err(|stopped| self.why(stopped))?;
        for (place, reply) in asked.into_iter().zip(replies) {
            if let Some(taken) = taken.get_mut(place) {
                *taken = Taken::of(&reply);
            }
        }
        Ok(taken)
    }

    /// Reads a submission and verifies its signature; where it need not go to the chain, what becomes of it.
    fn read(&self, state: &State, submission: &Submission) -> Result<Read, Taken> {
        match submission {
            Submission::Mail(raw) if state.pool.has(&sha512_half(&[raw])) => Err(Taken::Known),
            Submission::Mail(raw) => {
                let mail = ReadMail::new(raw, &state.ledger, self.inner.network_id);
                // Nodes pass on what they keep: a mail in its normal form, which passed its checks.
                let is_kept = mail.kept_forms().any(|(_, form)| **form == **raw);
                if is_kept {
                    Ok(Read::Mail(Box::new(mail)))
                } else {
                    Err(Taken::Never)
                }
            }
            Submission::Transaction(blob) => {
                let tx = Transaction::parse(blob).map_err(|_| Taken::Never)?;
                if state.open.contains(&tx.id()) || state.held.transaction(&tx.id()).is_some() {
                    return Err(Taken::Known);
                }
                if tx.has_good_signature() {
                    Ok(Read::Transaction(tx))
                } else {
                    Err(Taken::Never)
                }
            }
        }
    }

    /// Tell other nodes of a mail that is on its way now.
    pub(crate) fn tell_of_mail(&self, reply: &MailReply) {
        let is_kept = matches!(reply.standing, Some(Standing::Kept));
        if reply.entered == Entered::Yes || is_kept {
            for (id, bytes) in reply.mail.kept_forms() {
                self.tell(id, Submission::Mail(Arc::clone(bytes)));
            }
        }
    }

    /// Tell other nodes of a transaction that is on its way now.
    pub(crate) fn tell_of_transaction(&self, tx: &Transaction) {
        self.tell(tx.id(), Submission::Transaction(tx.blob().into()));
    }

    /// On one machine nobody listens.
    fn tell(&self, id: Hash256, submission: Submission) {
        let _ = self.inner.arrivals.send((id, submission));
    }
}

/// A submission of another node, read.
enum Read {
    Mail(Box<ReadMail>),
    Transaction(Transaction),
}

impl Read {
    fn event(self, request: RequestId, peer: Peer) -> Event {
        match self {
            Self::Mail(mail) => Event::Mail(Box::new(MailRequest {
                request,
                peer,
                mode: MailMode::Submit,
                mail: *mail,
            })),
            Self::Transaction(tx) => Event::Transaction(TxRequest {
                request,
                peer,
                tx,
                on_retry: OnRetry::Hold,
            }),
        }
    }
}

fn not_final(error: StoreError) -> NotFinal {
    match error {
        StoreError::Full(_) => NotFinal::DiskFull,
        other => NotFinal::Node(other.into()),
    }
}
