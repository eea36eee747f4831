//! Which ledger each block makes: blocks that were executed, and those that still have to be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chain::ProposalFault;
use codec::{CloseTime, Hash256, LedgerIndex};
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_cryptography::{Digested, Digestible as _};
use futures_util::StreamExt as _;
use ledger::{Closed, Ledger, TransactionError};

use crate::block::{Block, Digest};
use crate::limits::HEIGHTS_KEPT;
use crate::machine::Machine;

/// Why a block makes no ledger. The same on every node whose last ledger is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// It builds on another ledger than its parent block makes here.
    #[error("it builds on ledger {index} with the hash {stated}, here it has {own}")]
    ParentLedger {
        /// Index of that ledger.
        index: LedgerIndex,
        /// What the block says.
        stated: Hash256,
        /// What this node has.
        own: Hash256,
    },
    /// It closes at or before its parent.
    #[error("it closes at {close_time:?}, its parent at {parent:?}")]
    CloseTime {
        /// Its close time.
        close_time: CloseTime,
        /// That of the ledger before.
        parent: CloseTime,
    },
    /// It holds bytes that are no transaction.
    #[error("it holds what is no transaction: {0}")]
    Transaction(TransactionError),
    /// Its set is refused.
    #[error("its set of transactions is refused: {0:?}")]
    Set(ProposalFault),
}

/// Executed blocks. Cheap to clone: all clones are the same.
pub(crate) struct Ledgers<M> {
    pub(crate) machine: Arc<M>,
    first: LedgerIndex,
    executed: Arc<Mutex<BTreeMap<Digest, Executed>>>,
}

struct Executed {
    height: u64,
    ledger: Ledger,
    /// All that the block came to, until it is written.
    closed: Option<Arc<Closed>>,
}

impl<M> Clone for Ledgers<M> {
    fn clone(&self) -> Self {
        Self {
            machine: Arc::clone(&self.machine),
            first: self.first,
            executed: Arc::clone(&self.executed),
        }
    }
}

impl<M: Machine> Ledgers<M> {
    /// For a network whose first ledger has this index.
    pub(crate) fn new(machine: Arc<M>, first: LedgerIndex) -> Self {
        Self {
            machine,
            first,
            executed: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Executed>> {
        self.executed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The height of the block that made a ledger.
    pub(crate) fn height_of(&self, ledger: &Ledger) -> u64 {
        u64::from(ledger.index().get().saturating_sub(self.first.get()))
    }

    /// The ledger that a block makes, if it was executed.
    pub(crate) fn ledger(&self, digest: &Digest) -> Option<Ledger> {
        self.lock().get(digest).map(|executed| executed.ledger.clone())
    }

    /// What a block came to, if it was executed and is not written yet.
    pub(crate) fn closed(&self, digest: &Digest) -> Option<Arc<Closed>> {
        self.lock()
            .get(digest)
            .and_then(|executed| executed.closed.clone())
    }

    /// What a block came to is written: blocks that build on it need the ledger alone. The rest is some tens of KB for
    /// each mail of an account that sent many.
    pub(crate) fn settle(&self, digest: &Digest) {
        if let Some(executed) = self.lock().get_mut(digest) {
            executed.closed = None;
        }
    }

    /// Remember what a block came to.
    pub(crate) fn remember(&self, digest: Digest, height: u64, closed: Closed) -> Arc<Closed> {
        let closed = Arc::new(closed);
        let executed = Executed {
            height,
            ledger: closed.ledger.clone(),
            closed: Some(Arc::clone(&closed)),
        };
        self.lock().insert(digest, executed);
        closed
    }

    /// Forget what no block builds on any more.
    pub(crate) fn forget_below(&self, height: u64) {
        self.lock()
            .retain(|_, executed| executed.height.saturating_add(HEIGHTS_KEPT) > height);
    }

    /// The ledger that a block makes, found among the executed ones or made from the last final one. `ancestors`
    /// gives the blocks before it, the nearest first. `None` where that cannot be told, now or ever.
    pub(crate) async fn after(
        &self,
        block: Digested<Block>,
        ancestors: &mut impl Ancestry<Block>,
    ) -> Option<Ledger> {
        let (mut path, mut at) = (Vec::new(), block);
        let mut ledger = loop {
            if let Some(ledger) = self.ledger(&at.digest()) {
                break ledger;
            }
            let last = self.machine.last();
            let last_height = self.height_of(&last);
            if at.inner().height == last_height {
                break last;
            }
            if at.inner().height < last_height {
                return None;
            }
            let parent = ancestors.next().await?;
            path.push(std::mem::replace(&mut at, parent));
        };
        while let Some(block) = path.pop() {
            let closed = self.execute(&ledger, block.inner()).ok()?;
            let closed = self.remember(block.digest(), block.inner().height, closed);
            ledger = closed.ledger.clone();
        }
        Some(ledger)
    }

    /// Execute a block on the ledger before it.
    pub(crate) fn execute(&self, parent: &Ledger, block: &Block) -> Result<Closed, BlockFault> {
        if block.parent_ledger != parent.hash() {
            return Err(BlockFault::ParentLedger {
                index: parent.index(),
                stated: block.parent_ledger,
                own: parent.hash(),
            });
        }
        if block.close_time <= parent.close_time() {
            return Err(BlockFault::CloseTime {
                close_time: block.close_time,
                parent: parent.close_time(),
            });
        }
        let transactions = block.read_transactions().map_err(BlockFault::Transaction)?;
        self.machine
            .verify(parent, transactions, block.close_time)
            .map_err(BlockFault::Set)
    }
}
