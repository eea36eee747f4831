//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;
/// Header fields that are looked at for a Message-ID and for signs of lists and robots; real mail has under 200.
/// Further ones are ignored.
pub const HEADER_FIELDS_READ_MAX: usize = 1_000;
/// Longest Message-ID that is kept, bytes. Source: RFC 5322 section 2.1.1. Beyond: the mail counts as having none.
pub const MESSAGE_ID_BYTES_MAX: usize = 998;
/// Token buckets of one kind; each takes about 100 bytes. Beyond: those untouched for longest are forgotten.
pub const BUCKETS_MAX: usize = 65_536;
