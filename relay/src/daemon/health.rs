//! What the relay says of its own health.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ops::{Condition, Health};

use crate::courier::nodes::Nodes;
use crate::queue::Queue;

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

/// What the health checks look at.
pub(super) struct Conditions {
    pub(super) queue: Queue,
    pub(super) nodes: Arc<Nodes>,
    pub(super) channels_open: Arc<AtomicUsize>,
    pub(super) channels: usize,
}

impl Conditions {
    fn queue(&self) -> Condition {
        match self.queue.check() {
            Ok(()) => Condition::holds("queue", "it can be written, and the disk has room"),
            Err(error) => Condition::fails("queue", error.to_string()),
        }
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
        vec![self.queue(), nodes, channels]
    }
}
