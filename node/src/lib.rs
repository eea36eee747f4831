//! The one-machine node: store, open ledger, close loop, DKIM key watcher.
