//! The one-machine node: store, open ledger, close loop, look-ups of keys.
//!
//! Puts the pure parts together and gives them time, files and DNS: `ledger` says what a close makes of transactions,
//! `amendment` what a mail means, `rpc` what is asked. Spec sections 6.3, 7.2 to 7.5 and 12. It knows no protocol of its
//! own and no wall clock: [`Clock`] tells the time.

mod account_txs;
mod amendments;
mod answers;
pub mod clock;
pub mod funds;
mod host;
pub mod limits;
mod mail_status;
pub mod node;
mod reading;
mod restore;
pub mod start;
pub mod store;
pub mod validator_key;

pub use clock::Clock;
pub use funds::{Fund, FundError};
pub use host::ChainStopped;
pub use node::{Node, NodeConfig, NodeFailure};
pub use restore::LedgerDamage;
pub use start::StartError;
