//! What time alone brings, whether or not a node can be used: senders are told that their mails wait, and
//! holds end.

use std::sync::Arc;

use futures_util::future::join_all;

use super::decide::{Times, is_over, is_stale};
use super::work::Context;
use crate::limits::{COURIER_STALE_MAX, COURIER_TELL_MAX, RETRY_PAUSE_SECS_MAX, WAITING_TOLD_SECS};
use crate::queue::{Cursor, Entry, Filter, MailId, QueueError, State};

/// How far the round of notices came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Up to here; nobody else waits.
    All(Cursor),
    /// Up to here; there may be more.
    Some(Cursor),
}

impl Context {
    /// Tells senders whose mails have waited for long: those after the end of the round before.
    pub(super) async fn tell_waiting(&self, after: Option<Cursor>) -> Result<Told, QueueError> {
        self.hasten().await?;
        let until = (self.clock)().saturating_sub(WAITING_TOLD_SECS);
        let (found, end) = self.queue.under_way(after, until, COURIER_TELL_MAX)?;
        let is_all = found.len() < COURIER_TELL_MAX;
        // Together, so that they share commits.
        let telling = join_all(found.into_iter().map(|id| self.tell(id))).await;
        telling.into_iter().collect::<Result<(), QueueError>>()?;
        Ok(if is_all { Told::All(end) } else { Told::Some(end) })
    }

    async fn tell(&self, id: MailId) -> Result<(), QueueError> {
        let (announce, now) = (Arc::clone(&self.announce), (self.clock)());
        let tell = move |entry: &mut Entry| {
            let before = entry.clone();
            announce.announce(&before, entry, now)
        };
        match self.queue.change(id, Box::new(tell)).await {
            // It is set aside when it is tried; the others are told.
            Ok(_) | Err(QueueError::Broken) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes entries due whose next try a clock wrote that was ahead.
    pub(super) async fn hasten(&self) -> Result<(), QueueError> {
        let now = (self.clock)();
        let far = now.saturating_add(RETRY_PAUSE_SECS_MAX);
        for id in self.queue.due_after(far, COURIER_STALE_MAX)? {
            if !self.queue.entry(id)?.is_some_and(|entry| is_stale(&entry, now)) {
                continue;
            }
            let hasten = move |entry: &mut Entry| {
                if is_stale(entry, now) {
                    entry.next_try = now;
                }
                Vec::new()
            };
            self.queue.change(id, Box::new(hasten)).await?;
        }
        Ok(())
    }

    /// Releases held mails whose window is over by a ledger's time. No node can execute them any more, and
    /// their senders are owed the last word, which a node gives. Spec: 8.4.
    pub(super) async fn release_over(&self) -> Result<(), QueueError> {
        let now = (self.clock)();
        let mut times = None;
        for state in State::ALL.into_iter().filter(|state| !state.is_final()) {
            let queue = self.queue.clone();
            let filter = Filter {
                state: Some(state),
                held: Some(true),
                ..Filter::default()
            };
            let reading = tokio::task::spawn_blocking(move || queue.list(&filter)).await;
            let held = reading.map_err(|error| QueueError::Disk(error.to_string()))??;
            for entry in held {
                let times = match times {
                    Some(times) => times,
                    None => *times.insert(Times {
                        now,
                        ledger: self.ledger_time().await,
                    }),
                };
                if is_over(&entry, times) {
                    tracing::info!(trace = %entry.trace, id = %entry.id, "its window is over: the hold ends");
                    // An operator may have been faster.
                    drop(self.queue.release(entry.id, now).await);
                }
            }
        }
        Ok(())
    }
}
