//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;
