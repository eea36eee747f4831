//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// Longest Message-ID that an answer refers to, bytes with brackets; ours. Beyond: the answer does without.
pub const MESSAGE_ID_BYTES_MAX: usize = 300;
/// Most Message-IDs in References of an answer; ours. Beyond: the first and the newest stay.
pub const REFERENCES_MAX: usize = 12;
/// Longest subject that an answer repeats, bytes; ours. Beyond: the answer has a subject of its own.
pub const SUBJECT_BYTES_MAX: usize = 200;
/// Header lines of a mail that are read for its thread; ours. Beyond: they are left out.
pub const THREAD_HEADER_LINES_MAX: usize = 10_000;
/// Longest word of a node or a mail that an answer repeats, bytes; ours. Beyond: cut.
pub const ANSWER_WORD_BYTES_MAX: usize = 400;
/// A mail that waits longer than this is told of, seconds; ours.
pub const WAITING_TOLD_SECS: u64 = 60;
/// Payments that HISTORY shows; ours.
pub const HISTORY_PAYMENTS_MAX: usize = 10;
/// Transactions that HISTORY asks a node for; ours.
pub const HISTORY_TRANSACTIONS_MAX: u32 = 50;
/// Answers that one pass of the sender takes out of the outbox; ours. The others wait for the next pass.
pub const OUTBOX_PASS_MAX: usize = 256;
/// Connections to the smarthost at one time; ours.
pub const SMARTHOST_CONNECTIONS_MAX: usize = 4;
/// How long an answer is tried, seconds; ours. Beyond: withheld.
pub const ANSWER_TRIED_SECS: u64 = 2 * 86_400;
/// First and longest wait before an answer that the smarthost put off is tried again, seconds; ours.
pub const ANSWER_WAIT_SECS: (u64, u64) = (60, 3_600);
/// First and longest wait before a smarthost that was not to be had is tried again, seconds; ours.
pub const SMARTHOST_WAIT_SECS: (u64, u64) = (5, 300);
/// Patience with the smarthost before it has the whole mail, seconds. RFC 5321 section 4.5.3.2 has 5 minutes for commands.
pub const SMARTHOST_COMMAND_SECS: u64 = 300;
/// Patience with the smarthost after the end of the mail, seconds. RFC 5321 section 4.5.3.2.6.
pub const SMARTHOST_TAKES_SECS: u64 = 600;
/// The day of the cap of answers to one address, seconds.
pub const DAY_SECS: u64 = 86_400;
