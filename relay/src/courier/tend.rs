//! What time alone brings, whether or not a node can be used: senders are told that their mails wait, and
//! holds end.

use std::sync::Arc;

use futures_util::future::join_all;

use super::work::Context;
use crate::limits::{COURIER_TELL_MAX, EXPIRY_MARGIN_SECS, WAITING_TOLD_SECS};
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

    /// Releases held mails whose window is over. No node can execute them any more, and their senders are
    /// owed the last word, which a node gives. Spec: 8.4.
    pub(super) async fn release_over(&self) -> Result<(), QueueError> {
        let now = (self.clock)();
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
                if now > entry.executable_until.saturating_add(EXPIRY_MARGIN_SECS) {
                    tracing::info!(trace = %entry.trace, id = %entry.id, "its window is over: the hold ends");
                    // An operator may have been faster.
                    drop(self.queue.release(entry.id, now).await);
                }
            }
        }
        Ok(())
    }
}
