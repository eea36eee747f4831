//! What time alone brings: forgetting, and the gauges of queue and nodes.

use std::sync::Arc;
use std::time::Duration;

use super::health::Seen;
use crate::clock::Clock;
use crate::courier::nodes::Nodes;
use crate::limits::UPKEEP_SECS;
use crate::meter;
use crate::queue::{Queue, State};

/// Runs for as long as the queue can be written.
pub(super) async fn keep_up(queue: Queue, nodes: Arc<Nodes>, clock: Clock, seen: Arc<Seen>) {
    let mut every = tokio::time::interval(Duration::from_secs(UPKEEP_SECS));
    while queue.is_alive() {
        every.tick().await;
        let now = clock();
        if let Err(error) = queue.clean(now).await {
            tracing::warn!(%error, "old mails cannot be deleted now");
        }
        let counts = queue.counts();
        for state in State::ALL {
            let count = counts.get(&state).copied().unwrap_or_default();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!(meter::QUEUE_ENTRIES, "state" => state.as_str()).set(f64::from(count));
        }
        // Sets the gauges of what waits; it reads the file.
        let reading = queue.clone();
        let stats = tokio::task::spawn_blocking(move || reading.stats(now)).await;
        match stats {
            Ok(Ok(stats)) => seen.see(stats),
            Ok(Err(error)) => tracing::warn!(%error, "the queue cannot be read now"),
            Err(_) => {}
        }
        for at in 0..nodes.count() {
            // Whether it answers is noted by the nodes themselves.
            let _ = nodes.tip_at(at).await;
        }
        for (node, failure) in nodes.states() {
            let is_up = if failure.is_none() { 1.0 } else { 0.0 };
            metrics::gauge!(meter::NODE_UP, "node" => node).set(is_up);
        }
    }
}
