//! The one-machine node: the host of [`chain`].
//!
//! The chain decides; the node gives it time, a disk, DNS and callers, and carries out what it wants done.
//! One thread owns the chain, one writes its commits, and readers take the state that the first one
//! publishes. With one validator it also closes the ledgers. It knows no protocol of its own and no wall
//! clock: [`Clock`] tells the time. Spec sections 6.3, 7.2 to 7.5 and 12.
//!
//! | file | what |
//! |---|---|
//! | `node`, `host` | the running node; the threads that drive the chain |
//! | `member`, `submission` | the node as one of several validators; what they tell each other of what came in |
//! | `answers`, `reading`, `account_txs`, `mail_status`, `amendments`, `keys` | `rpc::Node` |
//! | `health`, `meter`, `watcher` | what an operator watches; what look-ups told |
//! | `store` | what survives the process |
//! | `config`, `start`, `restore`, `funds`, `validator_key` | from a data folder to a ledger |

mod account_txs;
mod amendments;
mod answers;
pub mod clock;
mod config;
pub mod funds;
mod health;
mod host;
mod keys;
pub mod limits;
mod mail_status;
mod member;
pub mod meter;
pub mod node;
mod reading;
mod restore;
pub mod start;
pub mod store;
mod submission;
pub mod validator_key;
mod votes;
pub mod watcher;

pub use clock::Clock;
pub use config::{NodeConfig, Validators};
pub use funds::{Fund, FundError};
pub use host::ChainStopped;
pub use member::NotFinal;
pub use node::{Node, NodeFailure};
pub use restore::{LedgerDamage, RestoreError};
pub use start::{DataFolder, StartError, first_ledger, roll_back};
pub use submission::{Submission, Taken};
pub use watcher::{Providers, note_dns};
