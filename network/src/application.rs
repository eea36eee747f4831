//! What the engine asks, answered by the machine: a block to propose, a verdict on another's, and the ledger of a
//! final one.

use codec::{CloseTime, Hash256, LedgerIndex};
use commonware_actor::Feedback;
use commonware_consensus::marshal::Update;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::marshal::core::Mailbox;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Context;
use commonware_consensus::types::Height;
use commonware_consensus::{Application, Reporter};
use commonware_cryptography::{Digested, Digestible as _, ed25519};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use futures_util::StreamExt as _;
use ledger::Ledger;
use node::NotFinal;
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::block::{Block, Digest};
use crate::ledgers::{BlockFault, Ledgers};
use crate::limits::{AHEAD_SECS_MAX, IDLE_SECS, PROPOSE_EVERY};
use crate::machine::Machine;

/// Seconds between two tries to write where the disk is full.
const FULL_DISK_WAIT: Duration = Duration::from_secs(1);

/// The machine as the engine sees it.
pub(crate) struct App<M> {
    ledgers: Ledgers<M>,
}

impl<M> Clone for App<M> {
    fn clone(&self) -> Self {
        Self {
            ledgers: self.ledgers.clone(),
        }
    }
}

impl<M: Machine> App<M> {
    pub(crate) fn new(ledgers: Ledgers<M>) -> Self {
        Self { ledgers }
    }

    /// Waits until the ledger after `parent` is due: a second after it where there is anything to close, or when it
    /// has been idle for long. Answers when it closes.
    async fn until_due(&self, clock: &impl Clock, parent: &Ledger) -> CloseTime {
        let machine = &self.ledgers.machine;
        let idle_until = parent.close_time().seconds().saturating_add(IDLE_SECS);
        loop {
            let now = machine.now();
            let is_later = now > parent.close_time();
            if is_later && (machine.has_work() || now.seconds() >= idle_until) {
                return now;
            }
            clock.sleep(PROPOSE_EVERY).await;
        }
    }

    /// Waits until this machine's clock is about where a block says that it is.
    async fn until_about(&self, clock: &impl Clock, close_time: CloseTime) {
        while self
            .ledgers
            .machine
            .now()
            .seconds()
            .saturating_add(AHEAD_SECS_MAX)
            < close_time.seconds()
        {
            clock.sleep(PROPOSE_EVERY).await;
        }
    }
}

impl<E, M> Application<E> for App<M>
where
    E: Spawner + Metrics + Clock,
    M: Machine,
{
    type SigningScheme = Scheme;
    type Context = Context<Digest, ed25519::PublicKey>;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (runtime, _): (E, Self::Context),
        mut ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        let parent = ancestry.next().await?;
        let (digest, height) = (parent.digest(), parent.inner().height.saturating_add(1));
        let ledger = self.ledgers.after(parent, &mut ancestry).await?;
        let close_time = self.until_due(&runtime, &ledger).await;
        let ledgers = self.ledgers.clone();
        let closing = runtime.shared(true).spawn(move |_| async move {
            let closed = ledgers.machine.propose(&ledger, close_time);
            let transactions = closed.applied.iter().map(|applied| &applied.tx);
            let block = Block::after(digest, height, &ledger, close_time, transactions);
            let block = Digested::compute(block, &Sequential).await;
            ledgers.remember(block.digest(), height, closed);
            block
        });
        closing.await.ok()
    }

    /// Votes for what is right. What may become right it waits for; the engine ends the wait.
    async fn verify(&mut self, (runtime, _): (E, Self::Context), mut ancestry: impl Ancestry<Block>) -> bool {
        let (Some(block), Some(parent)) = (ancestry.next().await, ancestry.next().await) else {
            return pending().await;
        };
        let Some(ledger) = self.ledgers.after(parent, &mut ancestry).await else {
            return pending().await;
        };
        self.until_about(&runtime, block.inner().close_time).await;
        let ledgers = self.ledgers.clone();
        let closing = runtime.shared(true).spawn(move |_| async move {
            if ledgers.executed(&block.digest()).is_some() {
                return true;
            }
            let height = block.inner().height;
            match ledgers.execute(&ledger, block.inner()) {
                Ok(closed) => {
                    ledgers.remember(block.digest(), height, closed);
                    true
                }
                Err(fault) => {
                    tracing::warn!(height, %fault, "a block is refused");
                    false
                }
            }
        });
        closing.await.unwrap_or(false)
    }
}

/// Final blocks, on their way to the machine.
#[derive(Clone)]
pub(crate) struct Finals(UnboundedSender<(Digested<Block>, Exact)>);

impl Finals {
    pub(crate) fn new(finals: UnboundedSender<(Digested<Block>, Exact)>) -> Self {
        Self(finals)
    }
}

impl Reporter for Finals {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        let Update::Block(block, acknowledgement) = update else {
            return Feedback::Ok;
        };
        match self.0.send((block, acknowledgement)) {
            Ok(()) => Feedback::Ok,
            Err(_) => Feedback::Closed,
        }
    }
}

/// Why a node takes part no more.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// Its own ledger is another than the network's.
    #[error(
        "ledger {index} of this node is not the network's: here it has the hash {own}, the network has {network}; this \
         node signs nothing more. Keep a copy of the data folder to find out why, then take that ledger back with \
         'xahau-email ledger rollback', or give the node an empty data folder and a new key"
    )]
    Diverged {
        /// The ledger.
        index: LedgerIndex,
        /// Its hash here.
        own: Hash256,
        /// Its hash on the network.
        network: Hash256,
    },
    /// A final block makes no ledger here.
    #[error(
        "this node cannot make ledger {index} of the network's final block: {fault}; it signs nothing more"
    )]
    Refused {
        /// The ledger.
        index: LedgerIndex,
        /// Why not.
        fault: BlockFault,
    },
    /// A block is missing before a final one.
    #[error(
        "block {height} is final, and this node does not have it; remove the folder 'engine' of its data folder only where \
         it has no vote, then start it again"
    )]
    Gap {
        /// Its height.
        height: u64,
    },
    /// The ledger cannot be written.
    #[error(transparent)]
    NotFinal(#[from] NotFinal),
}

/// Where blocks are kept.
type Kept = Mailbox<Scheme, Standard<Block>>;

/// Makes the ledgers of final blocks, one after the other, each on disk before the engine hears of it. Ends when
/// the engine does, or when this node's ledger is not the network's.
pub(crate) async fn commit<M: Machine>(
    clock: impl Clock,
    ledgers: Ledgers<M>,
    mut finals: UnboundedReceiver<(Digested<Block>, Exact)>,
    kept: Kept,
) -> Result<(), Stopped> {
    while let Some((block, acknowledgement)) = finals.recv().await {
        // After a restart blocks come again; after a rollback of the ledger those are missing that came before.
        let mut height = ledgers.height_of(&ledgers.machine.last());
        while height < block.inner().height {
            height = height.saturating_add(1);
            let next = if height == block.inner().height {
                block.clone()
            } else {
                let missing = kept.get_block(Height::new(height)).await;
                missing.ok_or(Stopped::Gap { height })?
            };
            commit_one(&clock, &ledgers, &next).await?;
        }
        ledgers.forget_below(height);
        acknowledgement.acknowledge();
    }
    Ok(())
}

async fn commit_one<M: Machine>(
    clock: &impl Clock,
    ledgers: &Ledgers<M>,
    block: &Digested<Block>,
) -> Result<(), Stopped> {
    let last = &ledgers.machine.last();
    if block.inner().parent_ledger != last.hash() {
        return Err(Stopped::Diverged {
            index: last.index(),
            own: last.hash(),
            network: block.inner().parent_ledger,
        });
    }
    let executed = ledgers
        .executed(&block.digest())
        .filter(|closed| follows(closed, last));
    let closed = match executed {
        Some(closed) => closed,
        None => {
            let executed = ledgers.execute(last, block.inner());
            let closed = executed.map_err(|fault| Stopped::Refused {
                index: LedgerIndex::new(last.index().get().saturating_add(1)),
                fault,
            })?;
            ledgers.remember(block.digest(), block.inner().height, closed)
        }
    };
    loop {
        match ledgers.machine.finalized((*closed).clone()) {
            Ok(()) => return Ok(()),
            Err(NotFinal::DiskFull) => clock.sleep(FULL_DISK_WAIT).await,
            Err(other) => return Err(other.into()),
        }
    }
}

fn follows(closed: &ledger::Closed, last: &Ledger) -> bool {
    closed.ledger.header().parent_hash == last.hash()
}
