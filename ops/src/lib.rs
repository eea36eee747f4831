//! What an operator's tools talk to: metrics and health over HTTP, the service manager, the limit of open
//! files.
//!
//! For node and relay alike, and knowing neither: what a program knows of itself comes through [`Health`].
//!
//! | part | does |
//! |---|---|
//! | [`descriptors`] | raises the limit of open files as far as connections need it |
//! | `health` | what must hold for the process to be alive, and to be ready |
//! | `http` | `/metrics`, `/healthz`, `/readyz` |
//! | [`limits`] | every bound |
//! | `metrics` | the recorder behind the `metrics` macros |
//! | `notify` | the protocol of sd_notify(3) |

pub mod descriptors;
mod health;
mod http;
pub mod limits;
mod metrics;
mod notify;

pub use health::{Condition, Health};
pub use http::serve;
pub use metrics::{BuildError, Histogram, PrometheusHandle, install};
pub use notify::Notifier;
