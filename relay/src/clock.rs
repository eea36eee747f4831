//! Time as an argument: the program reads the wall clock in one place and hands it in.

use std::sync::Arc;

/// Seconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
