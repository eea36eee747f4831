//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// How long `/healthz` and `/readyz` wait for the relay's own answer, seconds. Beyond: 503.
pub const PROBE_SECS_MAX: u64 = 3;

/// How often the metrics drop what nobody will ask for any more, seconds.
pub const METRICS_UPKEEP_SECS: u64 = 5;

/// How long one step of `relay check` may take (a look-up, a connection, a node's answer), seconds. Beyond: it has failed.
pub const CHECK_SECS_MAX: u64 = 10;

/// Bytes of a mail server's greeting that `relay check` reads (RFC 5321 section 4.5.3.1.5). Beyond: cut.
pub const GREETING_BYTES_MAX: usize = 512;

/// Difference between the machine's clock and the ledger's that is told, seconds. A ledger closes every 3 to 4 seconds; the
/// rest is delay.
pub const CLOCK_SKEW_SECS: u64 = 60;

/// How long before a certificate's end it is told, seconds: 14 days, when automatic renewal has been due for a while.
pub const CERTIFICATE_WARN_SECS: u64 = 14 * 86_400;
