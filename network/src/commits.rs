//! Makes the ledgers of final blocks, one after the other, each on disk before the engine hears of it.

use std::sync::Arc;
use std::time::Duration;

use codec::{Hash256, LedgerIndex};
use commonware_actor::Feedback;
use commonware_consensus::Reporter;
use commonware_consensus::marshal::Update;
use commonware_cryptography::{Digested, Digestible as _};
use commonware_parallel::Sequential;
use commonware_runtime::Clock;
use commonware_storage::archive::{Archive, Identifier};
use commonware_utils::Acknowledgement as _;
use commonware_utils::acknowledgement::Exact;
use ledger::{Closed, Ledger};
use node::NotFinal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::block::Block;
use crate::epochs::{EpochStart, Epochs};
use crate::ledgers::{BlockFault, Ledgers};
use crate::machine::Machine;

/// Between two tries to write where the disk is full.
const FULL_DISK_WAIT: Duration = Duration::from_secs(1);

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
        "block {height} is final, and this node has neither it nor its ledger: its data folder is not whole. Give it an \
         empty one, and start it with --rejoin if its key has voted"
    )]
    Gap {
        /// Its height.
        height: u64,
    },
    /// Nobody knows whose votes count.
    #[error(
        "this node does not know the validators of epoch {epoch}: its data folder is not whole. Give it an empty one, and \
         start it with --rejoin if its key has voted"
    )]
    UnknownEpoch {
        /// The epoch.
        epoch: u64,
    },
    /// What it is to start from is not final.
    #[error("the block that this node is to start from, of epoch {epoch}, is not final by its validators")]
    Floor {
        /// The epoch.
        epoch: u64,
    },
    /// It cannot be noted in which epoch this node votes.
    #[error(
        "cannot write 'validator.voted' beside the key: {0}. Without it this node does not vote: check the folder's owner, its \
         mode and the free space, then start it again"
    )]
    Voted(std::io::Error),
    /// The engine's files cannot be read or written.
    #[error(
        "the engine's files cannot be used: {0}. They are in the folder 'engine' of the data folder: check its owner, its \
         mode, the free space and the disk; what is validated is kept"
    )]
    Files(String),
    /// The ledger cannot be written.
    #[error(transparent)]
    NotFinal(#[from] NotFinal),
}

/// What a ledger means for the engine.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It settles who the validators of the next epoch are, which begins after the next ledger.
    Settled(EpochStart),
    /// It is the last one before this epoch.
    Begun(u64),
}

/// The last block of an epoch is final.
#[derive(Debug)]
pub struct EpochEnd {
    /// The block.
    pub block: Digested<Block>,
    /// The ledger before its own, which its certificate proves.
    pub before: Ledger,
}

/// Makes ledgers of final blocks.
pub(crate) struct Commits<E, M> {
    pub(crate) clock: E,
    pub(crate) ledgers: Ledgers<M>,
    pub(crate) epochs: Epochs,
    pub(crate) turns: UnboundedSender<Turn>,
    pub(crate) ends: Option<UnboundedSender<EpochEnd>>,
}

impl<E: Clock, M: Machine> Commits<E, M> {
    /// Makes the ledgers that this machine does not have, of the blocks that it has: the engine stores a block before
    /// it hands it over, and a machine may have lost its ledgers or taken some back.
    pub(crate) async fn catch_up(&self, blocks: &impl Archive<Value = Arc<Block>>) -> Result<(), Stopped> {
        loop {
            let next = self.height().saturating_add(1);
            let block = blocks.get(Identifier::Index(next)).await;
            match block.map_err(|error| Stopped::Files(error.to_string()))? {
                Some(block) => self.commit(&Digested::compute(block, &Sequential).await).await?,
                None => return Ok(()),
            }
            self.ledgers.forget_below(next);
        }
    }

    /// Makes ledgers until the engine ends, or until this node's ledger is not the network's.
    pub(crate) async fn run(
        self,
        mut finals: UnboundedReceiver<(Digested<Block>, Exact)>,
    ) -> Result<(), Stopped> {
        while let Some((block, acknowledgement)) = finals.recv().await {
            let (last, height) = (self.height(), block.inner().height);
            // After a restart blocks come again.
            if height > last {
                if height > last.saturating_add(1) {
                    return Err(Stopped::Gap {
                        height: last.saturating_add(1),
                    });
                }
                self.commit(&block).await?;
            }
            self.ledgers.forget_below(height);
            acknowledgement.acknowledge();
        }
        Ok(())
    }

    /// Height of the last ledger's block.
    pub(crate) fn height(&self) -> u64 {
        self.ledgers.height_of(&self.ledgers.machine.last())
    }

    async fn commit(&self, block: &Digested<Block>) -> Result<(), Stopped> {
        let last = &self.ledgers.machine.last();
        if block.inner().parent_ledger != last.hash() {
            return Err(Stopped::Diverged {
                index: last.index(),
                own: last.hash(),
                network: block.inner().parent_ledger,
            });
        }
        let closed = self.closed(last, block)?;
        let height = block.inner().height;
        let epoch = self.epochs.of(height);
        let border = self.epochs.border(epoch).get();
        let start = |ledger: &Ledger| EpochStart {
            epoch: epoch.saturating_add(1),
            border: Hash256::new(block.digest().0),
            validators: ledger::dkim::validators(ledger),
        };
        if height == border {
            let start = start(last);
            self.written(|| self.ledgers.machine.begin_epoch(&start)).await?;
            self.epochs.insert(&start);
        }
        self.written(|| self.ledgers.machine.finalized(Arc::clone(&closed)))
            .await?;
        self.ledgers.settle(&block.digest());
        if height == border
            && let Some(ends) = &self.ends
        {
            // Fails where nobody listens any more.
            let _ = ends.send(EpochEnd {
                block: block.clone(),
                before: last.clone(),
            });
        }
        // Fails where the engine has ended.
        let _ = if height == border {
            self.turns.send(Turn::Begun(epoch.saturating_add(1)))
        } else if height.saturating_add(1) == border {
            self.turns.send(Turn::Settled(start(&closed.ledger)))
        } else {
            Ok(())
        };
        Ok(())
    }

    /// What a block comes to after the last ledger.
    fn closed(&self, last: &Ledger, block: &Digested<Block>) -> Result<Arc<Closed>, Stopped> {
        let executed = self.ledgers.closed(&block.digest());
        if let Some(closed) = executed.filter(|closed| closed.ledger.header().parent_hash == last.hash()) {
            return Ok(closed);
        }
        let executed = self.ledgers.execute(last, block.inner());
        let closed = executed.map_err(|fault| Stopped::Refused {
            index: LedgerIndex::new(last.index().get().saturating_add(1)),
            fault,
        })?;
        Ok(self
            .ledgers
            .remember(block.digest(), block.inner().height, closed))
    }

    /// Writes, as soon as there is room on the disk.
    async fn written(&self, write: impl Fn() -> Result<(), NotFinal>) -> Result<(), Stopped> {
        loop {
            match write() {
                Ok(()) => return Ok(()),
                Err(NotFinal::DiskFull) => self.clock.sleep(FULL_DISK_WAIT).await,
                Err(other) => return Err(other.into()),
            }
        }
    }
}
