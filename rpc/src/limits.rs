//! Every bound of the RPC: its unit, its source, and what a caller sees who exceeds it.

/// Bytes of one request, in a WebSocket message or an HTTP body. Xahau's `maxRequestSize`. Refusal: the
/// WebSocket is closed with "message too big"; HTTP status 413.
pub const REQUEST_BYTES_MAX: usize = 1_000_000;

/// Bytes of one raw mail. Refusal: `invalidParams`.
pub use amendment::limits::MAIL_BYTES_MAX;

/// Bytes of one transaction (Xahau's `txMaxSizeBytes` is 1,048,576; a hex blob in one request cannot reach
/// it). Refusal: `invalidParams`.
pub const TX_BLOB_BYTES_MAX: usize = REQUEST_BYTES_MAX / 2;

/// Levels of nesting in one request. Our deepest method needs four. Refusal: `jsonInvalid`, before any
/// parsing.
pub const JSON_DEPTH_MAX: usize = 32;

/// Bytes of one string that an error reply repeats from its request; a longer one is replaced by its length.
pub const ECHO_BYTES_MAX: usize = 256;

/// Bytes of an unreadable WebSocket message that the reply repeats.
pub const ECHO_VALUE_BYTES_MAX: usize = 64;

/// Bytes of a caller's word (a method, a parameter name) that an error message repeats.
pub const WORD_BYTES_MAX: usize = 64;

/// Digits of an issued amount that is shown without an exponent (as many as an instruction may have). Longer
/// ones keep Xahau's form.
pub const PLAIN_DIGITS_MAX: usize = 32;

/// Transactions on one page of `account_tx`: the least that a guest may ask for (xahaud Tuning.h). Less is
/// raised to it.
pub const ACCOUNT_TXS_MIN: u32 = 10;

/// Transactions on one page of `account_tx` by default (xahaud Tuning.h).
pub const ACCOUNT_TXS_DEFAULT: u32 = 200;

/// Transactions on one page of `account_tx` at most (xahaud Tuning.h). More is lowered to it.
pub const ACCOUNT_TXS_MAX: u32 = 400;

/// Connections open at one time. Refusal: further ones wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 256;

/// Connections from one address that is not loopback. Refusal: closed at once.
pub const CONNECTIONS_PER_PEER_MAX: usize = 32;

/// Seconds without one byte read or written after which a connection is dropped.
pub const IDLE_SECS_MAX: u64 = 60;

/// Seconds until a connection's first request has to be complete.
pub const FIRST_REQUEST_SECS_MAX: u64 = 30;

/// Seconds that one HTTP request may take to arrive.
pub const BODY_SECS_MAX: u64 = 30;

/// Requests at one time. Refusal: `tooBusy`.
pub const REQUESTS_AT_WORK_MAX: usize = 64;

/// Seconds that connections get to finish when the server stops.
pub const SHUTDOWN_SECS_MAX: u64 = 5;

/// Seconds that the client waits for a connection and for one answer by default. `ledger_accept` waits up
/// to 5 s for DNS, so this is well above.
pub const CLIENT_SECS_MAX: u64 = 30;

/// Bytes of one answer that the client accepts.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of transactions and metadata that `ledger` shows whole; as JSON they take up to four times that.
/// Refusal: `invalidParams`.
pub const EXPANDED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of one text of a reply that the client keeps. Ours, above all that we send. Beyond: cut.
pub const REPLY_TEXT_BYTES_MAX: usize = 4_096;

/// Bytes of a result's token. Ours (the longest of Xahau has 47). Beyond: the reply is not understood.
pub const REPLY_TOKEN_BYTES_MAX: usize = 64;

/// Items of one list of a reply that the client reads (checks, transactions, nodes of the metadata). Ours.
/// The others are left out.
pub const REPLY_LIST_MAX: usize = 1_000;

/// Frames that wait in a session for their peer. Ours. Beyond: the session is closed.
pub const OUTPUT_FRAMES_MAX: usize = 64;

/// Bytes of the frames that wait in a session for their peer, unless it is one frame alone. Ours: twice the
/// longest reply. Beyond: the session is closed.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Notifications that the client skips while it waits for its answer. Refusal: `BadAnswer`.
pub const SKIPPED_MESSAGES_MAX: usize = 1_000;

const _: () = assert!(
    MAIL_BYTES_MAX * 2 + 1024 < REQUEST_BYTES_MAX,
    "a mail in hex fits into one request"
);
const _: () = assert!(JSON_DEPTH_MAX < 128, "below the recursion limit of serde_json");
const _: () = assert!(
    CONNECTIONS_PER_PEER_MAX < CONNECTIONS_MAX,
    "one address cannot take all connections"
);
