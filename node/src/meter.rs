//! Names of the metrics, so that code and documentation use the same.

use rpc::Node as _;
use rpc::api::Acceptance;

use crate::node::Node;

/// Gauge. Mails on their way, by what they wait for: `key`, `time`, `close`, `funds`.
pub const MAILS: &str = "node_mails";
/// Gauge. Transactions held for later ledgers.
pub const HELD_TRANSACTIONS: &str = "node_held_transactions";
/// Gauge. Index of the last validated ledger.
pub const LEDGER_INDEX: &str = "node_ledger_index";
/// Gauge. Age of the last validated ledger, seconds.
pub const LEDGER_AGE_SECS: &str = "node_ledger_age_seconds";
/// Gauge. 1 while the disk has no room.
pub const DISK_FULL: &str = "node_disk_full";
/// Counter. Mails and transactions that the node does nothing about, by `what` and `code`.
pub const REFUSED: &str = "node_refused_total";

impl Node {
    /// Shows the state of the node in its gauges.
    pub fn record(&self) {
        let Ok(server) = self.server() else { return };
        let mails = [
            ("key", server.mails.for_key),
            ("time", server.mails.for_time),
            ("close", server.mails.for_close),
            ("funds", server.mails.for_funds),
        ];
        for (waits_for, count) in mails {
            metrics::gauge!(MAILS, "waits_for" => waits_for).set(gauge(count));
        }
        metrics::gauge!(HELD_TRANSACTIONS).set(gauge(server.held_transactions));
        metrics::gauge!(LEDGER_INDEX).set(f64::from(server.validated.index.get()));
        let closed = server.validated.close_time.seconds();
        metrics::gauge!(LEDGER_AGE_SECS).set(f64::from(server.now.seconds().saturating_sub(closed)));
        let is_full = server.acceptance == Acceptance::DiskFull;
        metrics::gauge!(DISK_FULL).set(f64::from(u8::from(is_full)));
    }
}

fn gauge(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
