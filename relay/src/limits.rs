//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// Seconds until a mail of a mailbox or folder that was put off is offered again. Source: ours; SMTP senders wait longer.
pub const PUT_OFF_SECS: u64 = 60;
/// Files of a watched folder that are offered in one pass. Source: ours, about 100 KiB of names. Beyond: the next pass.
pub const FOLDER_BATCH_FILES: usize = 1_000;
/// Files of a watched folder that are put off at one time. Source: ours. Beyond: the folder waits.
pub const FOLDER_PUT_OFF_FILES_MAX: usize = 10_000;

/// Bytes of one response of an IMAP server: a mail and what stands around it, or a line. Source: [`MAIL_BYTES_MAX`]. Beyond:
/// the connection is closed.
pub const IMAP_RESPONSE_BYTES_MAX: usize = MAIL_BYTES_MAX + 64 * 1024;
/// Messages of a mailbox that one listing keeps. Source: ours, 80 KiB. Beyond: the next listing.
pub const IMAP_LISTED_MAX: usize = 10_000;
/// Messages of a mailbox that are put off at one time. Source: ours; they stand in the mark. Beyond: the mailbox waits.
pub const IMAP_PUT_OFF_MAX: usize = 256;
/// Connections in a row that may end over one message before it is put off. Source: ours.
pub const IMAP_FAILURES_MAX: u32 = 3;
/// Seconds in which a connection to an IMAP server must stand. Source: ours. Beyond: back-off.
pub const IMAP_CONNECT_SECS_MAX: u64 = 30;
/// Seconds for one command, all of its responses included. Source: ours. Beyond: the connection is closed.
pub const IMAP_COMMAND_SECS_MAX: u64 = 300;
/// Seconds of one IDLE. Source: RFC 2177 says 29 minutes; network address translators forget a silent connection before.
/// Beyond: IDLE is issued again.
pub const IMAP_IDLE_SECS_MAX: u64 = 540;
/// Seconds of the longest pause between two connections to an IMAP server; the first is one second. Source: ours.
pub const IMAP_BACK_OFF_SECS_MAX: u64 = 300;
/// Bytes of a password file. Source: ours. Beyond: refused.
pub const PASSWORD_BYTES_MAX: u64 = 4_096;
