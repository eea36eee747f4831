//! What the engine asks, answered by the machine: a block to propose, and a verdict on another's.

use codec::CloseTime;
use commonware_consensus::Application;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::simplex::scheme::ed25519::Scheme;
use commonware_consensus::simplex::types::Context;
use commonware_cryptography::{Digested, Digestible as _, ed25519};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Metrics, Spawner};
use futures_util::StreamExt as _;
use ledger::Ledger;
use std::future::pending;

use crate::block::{Block, Digest};
use crate::ledgers::Ledgers;
use crate::limits::{AHEAD_SECS_MAX, IDLE_SECS, PROPOSE_EVERY};
use crate::machine::Machine;

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
            if ledgers.ledger(&block.digest()).is_some() {
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
