//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// How long `/healthz` and `/readyz` wait for the relay's own answer, seconds. Beyond: 503.
pub const PROBE_SECS_MAX: u64 = 3;

/// How often the metrics drop what nobody will ask for any more, seconds.
pub const METRICS_UPKEEP_SECS: u64 = 5;
