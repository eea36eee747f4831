//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;
/// Header fields that are looked at for a Message-ID and for signs of lists and robots: as many as the verifier lets a
/// mail have lines. Further ones are ignored.
pub const HEADER_FIELDS_READ_MAX: usize = amendment::limits::HEADER_LINES_MAX;
/// Longest Message-ID that is kept, bytes. Source: RFC 5322 section 2.1.1. Beyond: the mail counts as having none.
pub const MESSAGE_ID_BYTES_MAX: usize = 998;
/// Token buckets of one kind; each takes about 100 bytes. Beyond: those untouched for longest are forgotten.
pub const BUCKETS_MAX: usize = 65_536;
/// Longest text of a line in a reply, characters. Source: RFC 5321 section 4.5.3.1.5 (512 with code and line end) and
/// what bounces show. Beyond: cut.
pub const REPLY_LINE_BYTES_MAX: usize = 390;
/// How far ahead of now a mail may be dated, seconds. Source: what nodes keep (rule 4.6 makes it wait). Beyond: 550.
pub const EARLY_SECS_MAX: u64 = 86_400;
/// Longest look-up of a key, seconds. Beyond: the key counts as unknown, and the nodes decide.
pub const LOOKUP_SECS_MAX: u64 = 5;
/// How long an answer about a key is kept, seconds; less where its record says so. Beyond: it is asked for again.
pub const KEY_KEPT_SECS_MAX: u64 = 300;
/// How often a key that does not fit a mail is asked for anew, seconds. Within: the mail is judged by the kept key.
pub const KEY_ANEW_SECS_MIN: u64 = 30;
/// Keys that are kept; one takes about 3 KB. Beyond: those kept for longest are forgotten.
pub const KEYS_KEPT_MAX: usize = 2_048;
/// Largest keys file, bytes. Beyond: the relay does not start.
pub const KEYS_FILE_BYTES_MAX: u64 = 1_048_576;
/// SPF, DMARC and ARC results looked up at one time. Beyond: they are left out, and counted.
pub const AUTH_TASKS_MAX: usize = 32;
/// Longest time for the results of one letter, seconds. Beyond: they are left out.
pub const AUTH_SECS_MAX: u64 = 20;
/// Signatures of a mail, DKIM and ARC together, whose results are looked up; each costs a hash of the body and a look-up.
/// Beyond: only SPF is.
pub const AUTH_SIGNATURES_MAX: usize = 24;
/// Longest text of these results, characters; names of domains can be long. Beyond: cut.
pub const AUTH_RESULTS_BYTES_MAX: usize = 1_000;
/// Mails to the postmaster that are kept. Beyond: 452.
pub const POSTMASTER_MAILS_MAX: usize = 1_000;

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
pub const LINGER_BYTES_MAX: usize = 1024 * 1024;
/// How often the certificate files are looked at, seconds. Ours. More often is not needed.
pub const CERTIFICATE_CHECK_SECS: u64 = 5;
/// A certificate or key file, bytes. Ours. Beyond: the file is refused.
pub const CERTIFICATE_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Pause after the system refuses to accept connections (no file descriptors left), milliseconds. Ours.
pub const ACCEPT_PAUSE_MILLIS: u64 = 100;
