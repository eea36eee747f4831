//! The node: one lock around `Core`, the close loop, and the look-ups that its mails and keys need.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codec::keys::KeyPair;
use codec::{CloseTime, LedgerIndex};
use ledger::genesis::EmailAmendment;
use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::core::Core;
use crate::funds::Fund;
use crate::limits::{ACCEPT_WAIT_SECS_MAX, MAJORITY_SECS_DEFAULT};
use crate::start::{DataFolder, StartError, ledger_of};
use crate::store::{Store, StoreError};
use crate::watcher::{DkimName, KeyResolver};

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The data folder; it is made if it is missing.
    pub data: PathBuf,
    /// NetworkID; fixed with the first start.
    pub network_id: u32,
    /// Payments at the first start.
    pub funds: Vec<Fund>,
    /// Whether the genesis has the amendment `Email`.
    pub email: EmailAmendment,
    /// Ledgers kept with their transactions; `None` keeps all.
    pub history_ledgers: Option<u32>,
    /// Go back to this ledger where the last one is damaged.
    pub rollback_to: Option<LedgerIndex>,
    /// Seconds that an amendment needs its majority for before it is enabled.
    pub majority_secs: u32,
}

impl NodeConfig {
    /// The usual choices: `Email` from the first ledger on, all of history.
    #[must_use]
    pub fn new(data: PathBuf, network_id: u32) -> Self {
        Self {
            data,
            network_id,
            funds: Vec::new(),
            email: EmailAmendment::Enabled,
            history_ledgers: None,
            rollback_to: None,
            majority_secs: MAJORITY_SECS_DEFAULT,
        }
    }
}

/// A running node. Cheap to clone: all clones are the same node.
#[derive(Clone)]
pub struct Node {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
pub(crate) struct Inner {
    core: Mutex<Core>,
    /// A look-up has ended.
    looked_up: Condvar,
    pub(crate) clock: Arc<dyn Clock>,
    resolver: Arc<dyn KeyResolver>,
    runtime: Handle,
    pub(crate) started: CloseTime,
    _folder: Option<DataFolder>,
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
        let ledger_parts = Parts {
            store: Arc::new(store),
            key,
            folder: Some(folder),
        };
        Self::assemble(config, ledger_parts, clock, resolver, runtime)
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
        Self::assemble(
            config,
            Parts {
                store,
                key,
                folder: None,
            },
            clock,
            resolver,
            runtime,
        )
    }

    fn assemble(
        config: &NodeConfig,
        parts: Parts,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn KeyResolver>,
        runtime: Handle,
    ) -> Result<Self, StartError> {
        let now = clock.now();
        let ledger = ledger_of(parts.store.as_ref(), config, &parts.key, now)?;
        tracing::info!(index = %ledger.index(), hash = %ledger.hash(), "the ledger is loaded");
        let core = Core::new(config, parts.key, parts.store, ledger, now)?;
        let inner = Inner {
            core: Mutex::new(core),
            looked_up: Condvar::new(),
            clock,
            resolver,
            runtime,
            started: now,
            _folder: parts.folder,
        };
        let node = Self {
            inner: Arc::new(inner),
        };
        node.look_up_wanted();
        Ok(node)
    }

    /// Close ledgers every `interval`, until `stop` resolves or the store fails.
    pub async fn run_close_loop(
        &self,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) -> Result<(), StoreError> {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick comes at once.
        ticks.tick().await;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = &mut stop => return Ok(()),
            }
            let node = self.clone();
            let closing = tokio::task::spawn_blocking(move || node.close_if_due());
            match closing.await {
                Ok(closed) => closed?,
                Err(error) => tracing::error!(%error, "a close broke"),
            }
        }
    }

    /// Close the open ledger if there is anything in it, or if it has been open for long enough.
    fn close_if_due(&self) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let mut core = self.core();
        if core.is_close_due(now) {
            match core.close(now) {
                // What is validated is whole; the open ledger waits until there is room.
                Err(StoreError::Full(_)) => return Ok(()),
                closed => closed?,
            }
        }
        drop(core);
        self.look_up_wanted();
        Ok(())
    }

    /// Close the open ledger now, after the look-ups that kept mails need; for those it waits a bounded time.
    pub(crate) fn close_after_look_ups(&self) -> Result<CloseOutcome, StoreError> {
        self.look_up_wanted();
        let patience = Duration::from_secs(ACCEPT_WAIT_SECS_MAX);
        let (mut core, _timed_out) = self
            .inner
            .looked_up
            .wait_timeout_while(self.core(), patience, |core| !core.names.is_idle())
            .unwrap_or_else(PoisonError::into_inner);
        core.close(self.inner.clock.now())?;
        let outcome = CloseOutcome {
            next: core.open.view().ledger_index(),
        };
        drop(core);
        self.look_up_wanted();
        Ok(outcome)
    }

    /// The state. A thread that broke while it held the lock had not changed the store; the state is as it left it.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.inner.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ask DNS for what kept mails and old keys need.
    pub(crate) fn look_up_wanted(&self) {
        let now = self.inner.clock.now();
        let mut core = self.core();
        let mut names = core.wanted_names(now);
        names.extend(core.renewals(now));
        drop(core);
        for name in names {
            let node = self.clone();
            self.inner.runtime.spawn(async move { node.look_up(name).await });
        }
    }

    async fn look_up(self, name: DkimName) {
        let answer = self.inner.resolver.look_up(&name).await;
        let taking = tokio::task::spawn_blocking(move || {
            let now = self.inner.clock.now();
            let taken = self.core().take_answer(&name, answer, now);
            if let Err(error) = taken {
                tracing::error!(%error, "the answer of a look-up is lost");
            }
            self.inner.looked_up.notify_all();
        });
        if let Err(error) = taking.await {
            tracing::error!(%error, "an answer of DNS could not be taken");
        }
    }
}

/// What a ledger is made of at the start.
struct Parts {
    store: Arc<dyn Store>,
    key: KeyPair,
    folder: Option<DataFolder>,
}

/// A ledger was closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseOutcome {
    /// Index of the new open ledger.
    pub(crate) next: codec::LedgerIndex,
}
