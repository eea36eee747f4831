//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// Pages of the queue's file kept in memory, bytes; the rest is read again. Own choice: enough for the upper levels of the
/// trees of a million mails.
pub const QUEUE_CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Requests that wait for the queue's writer at one time. Own choice: as many as the doors may have connections by default.
/// Beyond: the caller waits.
pub const QUEUE_JOBS_MAX: usize = 1_024;
/// Requests that one commit makes durable. Own choice: a commit of them stays below 100 ms. Beyond: the next commit.
pub const COMMIT_JOBS_MAX: usize = 512;
/// Mail text that one commit makes durable, bytes. Own choice, as above. Beyond: the next commit.
pub const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest time that a commit waits for the callers of the one before to come again, microseconds. Own choice: a fraction of
/// a sync.
pub const COMMIT_GATHER_MICROS: u64 = 500;
/// Rows that one step of the retention forgets. Own choice: a commit of them stays below 100 ms. Beyond: the next step.
pub const CLEAN_ROWS_MAX: usize = 256;
/// Lines of the audit log that wait for the disk, bytes. Own choice: some thousand changes. Beyond: nothing is taken or
/// changed until the log can be written.
pub const AUDIT_PENDING_BYTES_MAX: usize = 1024 * 1024;
/// Longest line of the audit log, bytes: a Message-ID of 998 bytes, each escaped, and the rest. Beyond: read as two.
pub const AUDIT_LINE_BYTES_MAX: usize = 16 * 1024;
/// Lines of the audit log shown of one mail. Own choice. Beyond: the newest.
pub const HISTORY_LINES_MAX: usize = 1_000;
/// Bytes that one commit of a backup copies. Own choice: memory of a backup. Beyond: the next commit.
pub const BACKUP_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Clients of the control socket at one time. Own choice: operators and pipes of one machine. Beyond: `busy`.
pub const CONTROL_CLIENTS_MAX: usize = 64;
/// Longest silence of a client of the control socket, seconds. Own choice. Beyond: closed.
pub const CONTROL_IDLE_SECS: u64 = 30;
/// Longest request on the control socket, bytes: a mail in hex and its envelope. Beyond: `request`, and closed.
pub const CONTROL_REQUEST_BYTES_MAX: usize = 2 * MAIL_BYTES_MAX + 4_096;
/// Longest line of an answer on the control socket, bytes: a mail whose every byte is escaped, its answers and its history.
/// Beyond: the client gives up.
pub const CONTROL_ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Longest wait for a line of an answer, seconds: a backup of a full queue. Beyond: the client gives up.
pub const CONTROL_ANSWER_SECS: u64 = 600;
/// Lines of an answer that wait for the client. Own choice. Beyond: the work waits.
pub const CONTROL_LINES_MAX: usize = 16;
/// Entries read at once for a list. Own choice: some milliseconds. Beyond: the next page.
pub const CONTROL_PAGE_ENTRIES: usize = 256;
