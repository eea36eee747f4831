//! Every bound of the RPC: its unit, its source, and what a caller sees who exceeds it.

/// Bytes of one request, in a WebSocket message or an HTTP body. Xahau's `maxRequestSize`. Refusal: the
/// WebSocket is closed with "message too big"; HTTP status 413.
pub const REQUEST_BYTES_MAX: usize = 1_000_000;

/// Bytes that a WebSocket reads at once; longer messages take several reads. Ours: most messages are shorter. The
/// library clears this many before each read, and by default it is 128 KiB.
pub const READ_BYTES: usize = 16 * 1024;

/// Bytes of one raw mail. Refusal: `invalidParams`.
pub use amendment::limits::MAIL_BYTES_MAX;

/// Bytes of one transaction (Xahau's `txMaxSizeBytes` is 1,048,576; a hex blob in one request cannot reach
/// it). Refusal: `invalidParams`.
pub const TX_BLOB_BYTES_MAX: usize = REQUEST_BYTES_MAX / 2;

/// Levels of nesting in one request. Our deepest method needs four. Refusal: `jsonInvalid`, before any
/// parsing.
pub const JSON_DEPTH_MAX: usize = 32;

/// Values of one request: numbers, texts, lists, objects. Ours: our longest request needs about twenty.
/// Refusal: `jsonInvalid`, at the first that is too many.
pub const JSON_VALUES_MAX: usize = 1_000;

/// Bytes of one string that an error reply repeats from its request; a longer one is replaced by its length.
pub const ECHO_BYTES_MAX: usize = 256;

/// Bytes of an unreadable WebSocket message that the reply repeats.
pub const ECHO_VALUE_BYTES_MAX: usize = 64;

/// Bytes of a caller's word (a method, a parameter name) that an error message repeats.
pub const WORD_BYTES_MAX: usize = 64;

pub use explain::PLAIN_DIGITS_MAX;

/// Transactions on one page of `account_tx`: the least that a guest may ask for (xahaud Tuning.h). Less is
/// raised to it.
pub const ACCOUNT_TXS_MIN: u32 = 10;

/// Transactions on one page of `account_tx` by default (xahaud Tuning.h).
pub const ACCOUNT_TXS_DEFAULT: u32 = 200;

/// Transactions on one page of `account_tx` at most (xahaud Tuning.h). More is lowered to it.
pub const ACCOUNT_TXS_MAX: u32 = 400;

/// Connections open at one time. Ours. Beyond: the longest idle goes, of those that hold most first.
pub const CONNECTIONS_MAX: usize = 256;

/// Of these, kept for the operator. Ours.
pub const CONNECTIONS_OF_OPERATOR: usize = 64;

/// Of these, from one guest. Ours. Beyond: the longest idle of its own goes; closed at once where none is
/// idle.
pub const CONNECTIONS_PER_PEER_MAX: usize = 32;

/// Of these, from the guests of one network. Ours. Beyond: as for one guest.
pub const CONNECTIONS_PER_NETWORK_MAX: usize = 64;

/// A connection that asked less than this ago is not idle, seconds. Ours: longer than most answers take.
pub const CONNECTION_SPARED_SECS: u64 = 10;

/// Bytes of requests and answers under way, beyond the first few of each connection. Ours. Beyond: the
/// connection is closed.
pub const BYTES_UNDER_WAY_MAX: usize = 96 * 1024 * 1024;

/// Of these, kept for the operator. Ours.
pub const BYTES_OF_OPERATOR: usize = 32 * 1024 * 1024;

/// Of these, from one guest. Ours: eight of the longest requests.
pub const BYTES_PER_PEER_MAX: usize = 8 * 1024 * 1024;

/// Of these, from the guests of one network. Ours.
pub const BYTES_PER_NETWORK_MAX: usize = 16 * 1024 * 1024;

/// Seconds without one byte read or written after which a connection is dropped.
pub const IDLE_SECS_MAX: u64 = 60;

/// Seconds until a connection's first request has to be complete.
pub const FIRST_REQUEST_SECS_MAX: u64 = 30;

/// Seconds that one HTTP request may take to arrive.
pub const BODY_SECS_MAX: u64 = 30;

/// Requests at one time. Ours. Beyond: they wait.
pub const REQUESTS_AT_WORK_MAX: usize = 64;

/// Of these, kept for the operator. Ours.
pub const REQUESTS_OF_OPERATOR: usize = 16;

/// Of these, from one guest. Ours: as many as a relay has connections.
pub const REQUESTS_PER_PEER_MAX: usize = 8;

/// Of these, from the guests of one network. Ours.
pub const REQUESTS_PER_NETWORK_MAX: usize = 16;

/// How long a request waits for a place, milliseconds. Ours. Refusal: `tooBusy`.
pub const PLACE_WAIT_MILLIS_MAX: u64 = 5_000;

/// How often a request that waits looks for a place, milliseconds at most. Ours.
pub const PLACE_PAUSE_MILLIS_MAX: u64 = 50;

/// Seconds that connections get to finish when the server stops.
pub const SHUTDOWN_SECS_MAX: u64 = 5;

/// Seconds that the client waits for a connection and for one answer by default. `ledger_accept` waits up
/// to 5 s for DNS, so this is well above.
pub const CLIENT_SECS_MAX: u64 = 30;

/// Bytes of one answer that the client accepts.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of transactions and metadata in one answer; as JSON they take up to four times that, and ten times
/// while it is made. Ours. Beyond: `account_tx` ends its page with a marker, `ledger` is refused with
/// `invalidParams`.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;

/// Ledgers that `tx` searches at most where a range is given (xahaud Tx.cpp). Refusal: `excessiveLgrRange`.
pub const TX_RANGE_LEDGERS_MAX: u32 = 1_000;

/// Bytes of one text of a reply that the client keeps. Ours, above all that we send. Beyond: cut.
pub const REPLY_TEXT_BYTES_MAX: usize = 4_096;

/// Bytes of a result's token. Ours (the longest of Xahau has 47). Beyond: the reply is not understood.
pub const REPLY_TOKEN_BYTES_MAX: usize = 64;

/// Items of one list of a reply that the client reads (checks, transactions, nodes of the metadata). Ours.
/// The others are left out.
pub const REPLY_LIST_MAX: usize = 1_000;

/// Validators that a vote may name (docs/spec.md 15.1). Refusal: `invalidParams`.
pub const VOTED_VALIDATORS_MAX: usize = 64;

/// Frames that wait in a session for their peer. Ours. Beyond: the session is closed.
pub const OUTPUT_FRAMES_MAX: usize = 64;

/// Bytes of the frames that wait in a session for their peer, unless it is one frame alone. Ours: more than the
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
    CONNECTIONS_PER_NETWORK_MAX < CONNECTIONS_MAX - CONNECTIONS_OF_OPERATOR
        && REQUESTS_PER_NETWORK_MAX < REQUESTS_AT_WORK_MAX - REQUESTS_OF_OPERATOR
        && BYTES_PER_NETWORK_MAX < BYTES_UNDER_WAY_MAX - BYTES_OF_OPERATOR,
    "one network cannot take all of anything"
);
