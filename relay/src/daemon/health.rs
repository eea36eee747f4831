//! What the relay says of its own health.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ops::{Condition, Health};

use crate::courier::nodes::Nodes;
use crate::notices::Reach;
use crate::queue::ops::Stats;
use crate::queue::{Queue, WaitsFor};

/// Counts a listener or reader for as long as it runs.
pub(super) struct Opened(Arc<AtomicUsize>);

impl Opened {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Opened {
        count.fetch_add(1, Ordering::Relaxed);
        Opened(Arc::clone(count))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What was seen of the queue last.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Option<Stats>>);

impl Seen {
    pub(super) fn see(&self, stats: Stats) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stats);
    }

    /// Mails that wait for something, and the answers that do; nothing before the first look.
    fn counts(&self, what: WaitsFor) -> (u64, u64) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stats) = seen.as_ref() else {
            return (0, 0);
        };
        let mails = stats.waits.get(&what).map_or(0, |waiting| waiting.count);
        (mails, stats.notices_waiting)
    }
}

/// What the health checks look at.
pub(super) struct Conditions {
    pub(super) queue: Queue,
    pub(super) nodes: Arc<Nodes>,
    pub(super) channels_open: Arc<AtomicUsize>,
    pub(super) channels: usize,
    /// `None` where no answers are sent.
    pub(super) reach: Option<Arc<Reach>>,
    pub(super) seen: Arc<Seen>,
}

impl Conditions {
    fn queue(&self) -> Condition {
        match self.queue.check() {
            Ok(()) => Condition::holds("queue", "it can be written, and the disk has room"),
            Err(error) => Condition::fails("queue", error.to_string()),
        }
    }
}

impl Conditions {
    /// What waits for the operator or for senders holds up no other mail; it is only told.
    fn waiting(&self) -> [Condition; 2] {
        let (held, _) = self.seen.counts(WaitsFor::Operator);
        let (unfunded, _) = self.seen.counts(WaitsFor::Funds);
        [
            Condition::holds("held", format!("{held} mails wait for you: `queue list --held`")),
            Condition::holds("funds", format!("{unfunded} mails wait for XAH of their senders")),
        ]
    }

    fn answers(&self) -> Option<Condition> {
        let (_, waiting) = self.seen.counts(WaitsFor::Node);
        Some(if self.reach.as_ref()?.is_down() {
            let reason = format!(
                "the smarthost is down: see the log; {waiting} answers wait, mail is taken all the same"
            );
            Condition::fails("answers", reason)
        } else {
            Condition::holds("answers", format!("{waiting} wait to be sent"))
        })
    }
}

impl Health for Conditions {
    fn alive(&self) -> Vec<Condition> {
        vec![if self.queue.is_alive() {
            Condition::holds("queue", "its writer runs")
        } else {
            Condition::fails(
                "queue",
                "its writer has stopped: see the log, then restart the relay",
            )
        }]
    }

    fn ready(&self) -> Vec<Condition> {
        let states = self.nodes.states();
        let failing: Vec<String> = states
            .iter()
            .filter_map(|(node, failure)| failure.as_ref().map(|failure| format!("{node}: {failure}")))
            .collect();
        let nodes = if failing.len() < states.len() {
            Condition::holds(
                "nodes",
                format!("{} of {} answer", states.len() - failing.len(), states.len()),
            )
        } else {
            Condition::fails("nodes", failing.join("; "))
        };
        let open = self.channels_open.load(Ordering::Relaxed);
        let channels = if open == self.channels {
            Condition::holds("doors", format!("{open} open"))
        } else {
            Condition::fails("doors", format!("{open} of {} open: see the log", self.channels))
        };
        let mut conditions = vec![self.queue(), nodes, channels];
        conditions.extend(self.waiting());
        conditions.extend(self.answers());
        conditions
    }
}
