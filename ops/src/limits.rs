//! Every bound of this crate: unit, source, and what happens beyond it.

/// How long `/healthz` and `/readyz` wait for the program's own answer, seconds. Ours. Beyond: 503.
pub const PROBE_SECS_MAX: u64 = 3;
/// How often the metrics drop samples that are no longer asked for, seconds. Ours.
pub const METRICS_UPKEEP_SECS: u64 = 5;
