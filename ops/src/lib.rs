//! What an operator's tools talk to: metrics and health over HTTP, the service manager, the limit of open
//! files; and the doors that all of a program's clients come through.
//!
//! For node and relay alike, and knowing neither: what a program knows of itself comes through [`Health`].
//!
//! | part | does |
//! |---|---|
//! | [`Visitor`], [`Bounds`] | who comes, as whom he is counted, and how much he may take |
//! | [`gate`], [`Shares`] | places, and other things that visitors share: pure counts |
//! | [`Door`] | a gate that tasks go through; for every listener |
//! | [`listener`] | a door for axum, with time and bytes |
//! | [`caught`] | runs what may panic over a damaged file |
//! | [`descriptors`] | raises the limit of open files as far as connections need it |
//! | `health` | what must hold for the process to be alive, and to be ready |
//! | `http` | `/metrics`, `/healthz`, `/readyz` |
//! | [`limits`] | every bound |
//! | `metrics` | the recorder behind the `metrics` macros |
//! | [`private`] | folders and files that only their owner may read |
//! | `notify` | the protocol of sd_notify(3) |

mod caught;
pub mod descriptors;
mod door;
pub mod gate;
mod health;
mod http;
pub mod limits;
pub mod listener;
mod metrics;
mod notify;
pub mod private;
mod shares;
mod visitor;

pub use caught::caught;
pub use door::{Badge, Door, Visit};
pub use health::{Condition, Health};
pub use http::serve;
pub use metrics::{BuildError, Histogram, PrometheusHandle, install};
pub use notify::Notifier;
pub use shares::Shares;
pub use visitor::{Bounds, Full, Visitor, network_of, peer_of};
