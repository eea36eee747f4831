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
//! | `epochs`, `ballots`, `membership` | who the validators of an epoch are; in which one this node has voted; who it is |
//! | `application`, `commits` | the machine as the engine sees it: what it proposes and verifies; what is final |
//! | `engine`, `voters`, `settings` | the engine put together, for any runtime; its part that votes, by epochs |
//! | `wire`, `spread` | attestations and submissions between nodes, before a ledger has them |
//! | `complaints`, `meter` | what log and metrics say of peers |
//! | `snapshot`, `sync` | a node that fetches a ledger in place of making all of them, and those that it fetches it from |
//! | `host`, `process` | a node as a machine; an engine over TCP |
//! | `config`, `init` | what a node is told; the files of a new network |

mod application;
pub mod ballots;
mod block;
mod commits;
mod complaints;
pub mod config;
pub mod engine;
mod epochs;
mod host;
pub mod init;
mod ledgers;
pub mod limits;
mod machine;
mod membership;
pub mod meter;
mod peers;
mod process;
pub mod reread;
mod settings;
mod snapshot;
pub mod spread;
pub mod sync;
mod voters;
mod wire;

pub use block::{Block, Digest, Head};
pub use commits::{EpochEnd, Stopped};
pub use epochs::{EpochStart, First};
pub use host::pending_of;
pub use ledgers::BlockFault;
pub use machine::{Machine, Talker};
pub use membership::Voting;
pub use node::{Submission, Taken};
pub use peers::{Member, Part};
pub use process::{EngineConfig, EngineError, Lost, start};
pub use snapshot::client::FetchError;
pub use snapshot::disk::DiskError;
