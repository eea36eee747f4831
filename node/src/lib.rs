//! The one-machine node: store, open ledger, close loop, DKIM key watcher.

pub mod clock;
pub mod limits;
pub mod peers;
pub mod store;
pub mod validator_key;
pub mod watcher;

pub use clock::Clock;
