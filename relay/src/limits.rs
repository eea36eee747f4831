//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// Command line of SMTP and LMTP with its CRLF, bytes. RFC 5321 section 4.5.3.1.4 asks for 512 at least, and extensions
/// for more. Beyond: 500 5.5.6.
pub const COMMAND_LINE_BYTES_MAX: usize = 2_048;
/// How far an over-long command line is read for its end, bytes. Ours. Beyond: 500 5.5.6, and the connection is closed.
pub const COMMAND_LINE_SKIPPED_BYTES_MAX: usize = 64 * 1024;
/// Recipients of one mail. RFC 5321 section 4.5.3.1.8 asks for 100 at least. Beyond: 452 4.5.3.
pub const RECIPIENTS_MAX: usize = 100;
/// RCPT commands of one mail, the refused ones included. Ours. Beyond: 421 4.5.3, and the connection is closed.
pub const RECIPIENT_COMMANDS_MAX: usize = 1_000;
/// Commands of one session that were answered 5yz. Ours. At this number: 421 4.7.0, and the connection is closed.
pub const SESSION_ERRORS_MAX: usize = 10;
/// Commands that bring no mail nearer (NOOP, RSET, EHLO, MAIL and the like) between two mails. Ours. Beyond: 421 4.7.0,
/// and the connection is closed.
pub const IDLE_COMMANDS_MAX: usize = 100;
/// Content of a mail that is over [`MAIL_BYTES_MAX`], read only to find its end, bytes. Ours. Beyond: 552 5.3.4, and the
/// connection is closed.
pub const CONTENT_SKIPPED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Space that a declared SIZE reserves before the content is there, bytes. Ours. Beyond: it grows as the content comes.
pub const CONTENT_RESERVED_BYTES_MAX: usize = 16 * 1024;
/// Replies gathered before they are written, bytes. Ours. Beyond: written before the next command is read.
pub const OUTPUT_BYTES_MAX: usize = 8 * 1024;
/// A line of a reply without its CRLF, bytes. RFC 5321 section 4.5.3.1.5: 512 with CRLF. Beyond: cut.
pub const REPLY_LINE_BYTES_MAX: usize = 510;
/// Time for content before its rate counts, seconds. Ours. See [`CONTENT_BYTES_PER_SEC_MIN`].
pub const CONTENT_GRACE_SECS: u64 = 120;
/// Slowest content, bytes each second on average. Ours. Below: 421 4.4.2, and the connection is closed.
pub const CONTENT_BYTES_PER_SEC_MIN: u64 = 128;
/// How long a session may go on after the stop, seconds. Ours. Beyond: 421 4.3.2, and the connection is closed.
pub const STOP_SECS_MAX: u64 = 10;
/// Read at once from a connection, bytes. Ours. The rest waits in the kernel.
pub const READ_BYTES_MAX: usize = 32 * 1024;
/// How long a peer may take to read replies, seconds. Ours. Beyond: the connection is dropped.
pub const WRITE_SECS_MAX: u64 = 60;
/// TLS handshake, seconds. Ours. Beyond: the connection is dropped.
pub const HANDSHAKE_SECS_MAX: u64 = 30;
/// How long what a refused client still sends is read, so that it can read the reason; seconds. Ours. Beyond: dropped.
pub const LINGER_SECS_MAX: u64 = 2;
/// What a refused client may still send meanwhile, bytes. Ours. Beyond: dropped.
pub const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How often the certificate files are looked at, seconds. Ours. More often is not needed.
pub const CERTIFICATE_CHECK_SECS: u64 = 5;
/// A certificate or key file, bytes. Ours. Beyond: the file is refused.
pub const CERTIFICATE_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Pause after the system refuses to accept connections (no file descriptors left), milliseconds. Ours.
pub const ACCEPT_PAUSE_MILLIS: u64 = 100;
