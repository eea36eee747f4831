//! A network of nodes whose ledgers are ordered by others' consensus: commonware's simplex.
//!
//! The engine decides which block is next and when it is final; what a block comes to, the node decides
//! ([`Machine`]). A block names the ledger before its own, so that a node with another one notices, and stops.
//! Nothing of the engine is known outside of this crate.
//!
//! | file | what |
//! |---|---|
//! | `machine` | what the engine needs of a node: `propose`, `verify`, `finalized` |
//! | `block`, `ledgers` | what validators agree on, and which ledger it makes |
//! | `application`, `engine` | the machine as the engine sees it; the engine put together, for any runtime |
//! | `wire`, `spread` | attestations and submissions between nodes, before a ledger has them |
//! | `complaints`, `meter` | what log and metrics say of peers |
//! | `host`, `process` | a node as a machine; an engine over TCP |
//! | `config`, `init` | what a node is told; the files of a new network |

mod application;
mod block;
mod complaints;
pub mod config;
pub mod engine;
mod host;
pub mod init;
mod ledgers;
pub mod limits;
mod machine;
pub mod meter;
mod process;
pub mod spread;
mod wire;

pub use application::Stopped;
pub use block::{Block, Digest, Head};
pub use engine::Part;
pub use host::pending_of;
pub use ledgers::BlockFault;
pub use machine::{Machine, Talker};
pub use node::{Submission, Taken};
pub use process::{EngineConfig, EngineError, Member, start};
