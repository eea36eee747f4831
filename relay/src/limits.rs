//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// Seconds until a mail of a mailbox or folder that was put off is offered again. Source: ours; SMTP senders wait longer.
pub const PUT_OFF_SECS: u64 = 60;
/// Files of a watched folder that are offered in one pass. Source: ours, about 100 KiB of names. Beyond: the next pass.
pub const FOLDER_BATCH_FILES: usize = 1_000;
/// Files of a watched folder that are put off at one time. Source: ours. Beyond: the folder waits.
pub const FOLDER_PUT_OFF_FILES_MAX: usize = 10_000;
