//! The one-machine node: store, open ledger, close loop, DKIM key watcher.

pub mod limits;
pub mod store;
