//! The node: the running chain with its store, its clock and its close loop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chain::votes::Votes;
use chain::{Chain, ChainConfig, Event, ProposalRules, Refusal, Reply, Stored};
use codec::keys::{KeyPair, PublicKey};
use codec::{CloseTime, Hash256};
use dns::KeyResolver;
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use crate::clock::{Clock, Timekeeper};
use crate::config::{NodeConfig, Validators};
use crate::host::{ChainStopped, Host, LookUps, When};
use crate::keys::LastKeys;
use crate::limits::{ACCEPT_WAIT_SECS_MAX, ARRIVALS_MAX, PROPOSAL_BYTES_MAX};
use crate::start::{DataFolder, StartError, ledger_of};
use crate::store::{Store, StoreError};
use crate::submission::Submission;

/// A running node. Cheap to clone: all clones are the same node.
#[derive(Clone)]
pub struct Node {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) host: Host,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<Timekeeper>,
    pub(crate) network_id: u32,
    pub(crate) proposing: ProposalRules,
    pub(crate) closing: Closing,
    pub(crate) validator: PublicKey,
    /// What comes in here, by its id, for those who tell it to other nodes.
    pub(crate) arrivals: broadcast::Sender<(Hash256, Submission)>,
    pub(crate) last_keys: LastKeys,
    pub(crate) started: CloseTime,
    /// Given back last, when the store is closed.
    _folder: Option<DataFolder>,
}

/// Who closes ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// This node.
    Here,
    /// The validators of a network.
    ByOthers,
}

/// Why a node closes no more ledgers.
#[derive(Debug, thiserror::Error)]
pub enum NodeFailure {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain broke.
    #[error(transparent)]
    Chain(#[from] ChainStopped),
}

impl Node {
    /// Start a node on its data folder. `runtime` carries the look-ups.
    pub fn start(
        config: &NodeConfig,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn KeyResolver>,
        runtime: Handle,
    ) -> Result<Self, StartError> {
        let folder = DataFolder::take(&config.data)?;
        let store = folder.store()?;
        let key = folder.validator_key(&store)?;
        let parts = Parts {
            store: Arc::new(store),
            key,
            folder: Some(folder),
        };
        Self::assemble(config, parts, clock, LookUps::new(config, resolver, runtime))
    }

    /// Start a node on its data folder with a validator key that lies elsewhere.
    pub fn start_with_key(
        config: &NodeConfig,
        key: KeyPair,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn KeyResolver>,
        runtime: Handle,
    ) -> Result<Self, StartError> {
        let folder = DataFolder::take(&config.data)?;
        let parts = Parts {
            store: Arc::new(folder.store()?),
            key,
            folder: Some(folder),
        };
        Self::assemble(config, parts, clock, LookUps::new(config, resolver, runtime))
    }

    /// Start a node on a store and with a key of the caller's, for tests.
    pub fn start_on(
        store: Arc<dyn Store>,
        key: KeyPair,
        config: &NodeConfig,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn KeyResolver>,
        runtime: Handle,
    ) -> Result<Self, StartError> {
        let parts = Parts {
            store,
            key,
            folder: None,
        };
        Self::assemble(config, parts, clock, LookUps::new(config, resolver, runtime))
    }

    fn assemble(
        config: &NodeConfig,
        parts: Parts,
        clock: Arc<dyn Clock>,
        look_ups: LookUps,
    ) -> Result<Self, StartError> {
        let store = parts.store;
        let ledger = ledger_of(store.as_ref(), config, &parts.key, clock.now())?;
        let clock = Arc::new(Timekeeper::new(clock, ledger.close_time()));
        clock.tell(ledger.close_time());
        let now = clock.now();
        tracing::info!(index = %ledger.index(), hash = %ledger.hash(), "the ledger is loaded");
        let stored = Stored {
            ledger,
            mails: store.waiting_mails()?,
            transactions: store.waiting_transactions()?,
            votes: Votes {
                amendments: store.votes()?.into_iter().collect(),
                list: store.list_wish()?,
            },
            wishes: store.wishes()?,
        };
        let validator = parts.key.public_key();
        let chain_config = ChainConfig {
            network_id: config.network_id,
            key: parts.key,
            history_ledgers: config.history_ledgers,
            majority_secs: config.majority_secs,
        };
        let chain = Chain::new(chain_config, stored);
        let host = Host::start(
            chain,
            config.network_id,
            Arc::clone(&store),
            Arc::clone(&clock),
            look_ups,
        )
        .map_err(StartError::Threads)?;
        let inner = Inner {
            host,
            store,
            clock,
            network_id: config.network_id,
            proposing: ProposalRules {
                network_id: config.network_id,
                majority_secs: config.majority_secs,
                bytes_max: PROPOSAL_BYTES_MAX,
                epochs: config.validators.epochs(),
            },
            closing: match config.validators {
                Validators::Alone => Closing::Here,
                Validators::Several { .. } => Closing::ByOthers,
            },
            validator,
            arrivals: broadcast::Sender::new(ARRIVALS_MAX),
            last_keys: LastKeys::default(),
            started: now,
            _folder: parts.folder,
        };
        let node = Self {
            inner: Arc::new(inner),
        };
        node.look_up_wanted()?;
        Ok(node)
    }

    /// Close ledgers every `interval`, until `stop` resolves, or the store or the chain fails.
    pub async fn run_close_loop(
        &self,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<(), NodeFailure> {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick comes at once.
        ticks.tick().await;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = &mut stop => return Ok(()),
                failure = self.failed() => return Err(failure),
            }
            let node = self.clone();
            let closing = tokio::task::spawn_blocking(move || node.close_if_due());
            closing.await.map_err(|_| ChainStopped)??;
        }
    }

    /// Resolves when the chain has stopped: the node answers nothing more then.
    pub async fn failed(&self) -> NodeFailure {
        self.inner.host.ended().await;
        self.why(ChainStopped)
    }

    /// Why the chain has stopped: its store, or itself.
    pub(crate) fn why(&self, stopped: ChainStopped) -> NodeFailure {
        self.inner
            .host
            .failure()
            .map_or(stopped.into(), NodeFailure::Store)
    }

    /// Close the open ledger if there is anything in it, or if it has been open for long enough.
    fn close_if_due(&self) -> Result<(), NodeFailure> {
        match self
            .inner
            .host
            .close(When::Due)
            .map_err(|stopped| self.why(stopped))?
        {
            // What is validated is whole; the open ledger waits until there is room.
            Reply::Refused(Refusal::DiskFull) => Ok(()),
            Reply::Refused(_) => Err(self.why(ChainStopped)),
            Reply::Closed { .. } => {
                self.say_closed();
                Ok(())
            }
            Reply::Done | Reply::Mail(_) | Reply::Transaction(_) => Ok(()),
        }
    }

    /// Close the open ledger now, after the look-ups that kept mails need; for those it waits a bounded time.
    pub(crate) fn close_after_look_ups(&self) -> Result<Reply, ChainStopped> {
        self.look_up_wanted()?;
        let host = &self.inner.host;
        host.wait_for_look_ups(Duration::from_secs(ACCEPT_WAIT_SECS_MAX));
        let reply = host.close(When::Now)?;
        if matches!(reply, Reply::Closed { .. }) {
            self.say_closed();
        }
        Ok(reply)
    }

    /// A line of the log for each ledger.
    pub(crate) fn say_closed(&self) {
        let ledger = &self.inner.host.shown().ledger;
        tracing::info!(
            index = %ledger.index(),
            hash = %ledger.hash(),
            transactions = ledger.transactions().iter().count(),
            "a ledger is closed"
        );
    }

    /// Ask DNS for what kept mails and old keys need.
    fn look_up_wanted(&self) -> Result<(), ChainStopped> {
        self.inner.host.ask(|request| Event::LookUp { request }).map(drop)
    }
}

/// What a node is made of at the start.
struct Parts {
    store: Arc<dyn Store>,
    key: KeyPair,
    folder: Option<DataFolder>,
}
