//! Every bound of the host: its unit, where it comes from, and what happens to what exceeds it. Those of what
//! the node decides stand in `chain::limits`.

pub use chain::limits::MAJORITY_SECS_DEFAULT;

/// Bytes of redb's page cache.
pub const STORE_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Seconds between two closes by default.
pub const CLOSE_SECS_DEFAULT: u64 = 3;

/// Seconds that the wall clock may jump, forward or back, and be believed at once: less than a mail's window of
/// five days, so that mails of now stay valid. Beyond: not believed until it has run steadily.
pub const CLOCK_JUMP_SECS_MAX: i64 = 86_400;

/// Seconds that a node may have been away at its start. Beyond: as for `CLOCK_JUMP_SECS_MAX`.
pub const CLOCK_AWAY_SECS_MAX: i64 = 10 * 86_400;

/// Seconds that a clock has to run steadily after a jump before it is believed.
pub const CLOCK_STEADY_SECS: u64 = 300;

/// Seconds that the last ledger may be ahead of the clock: close times are rounded to half a minute. Beyond: the
/// operator is told.
pub const CLOCK_BEHIND_SECS_MAX: i64 = 600;

/// Seconds that one look-up may take.
pub const LOOKUP_SECS_MAX: u64 = 4;

/// Seconds that `ledger_accept` waits for look-ups that kept mails need.
pub const ACCEPT_WAIT_SECS_MAX: u64 = 5;

/// Events that the chain takes in one turn. The others wait for the next one.
pub const EVENTS_PER_TURN_MAX: usize = 1_024;

/// Payments at the first start. Refusal: nothing is stored.
pub const FUNDS_MAX: usize = 2_000;

/// Ledgers that can be taken back where the last ones do not hash to their headers. Further back: restore a
/// copy.
pub const UNDO_LEDGERS_MAX: u32 = 64;

/// Bytes of the submitted transactions in one proposal to other validators: a block with them crosses a link of
/// 100 Mbit/s in a third of a second. The others wait for the next ledger.
pub const PROPOSAL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Submissions that wait to be told to other nodes. Beyond: the oldest are told later, with all that is on its way.
pub const ARRIVALS_MAX: usize = 4_096;

/// Old ledgers forgotten with one commit; the others with the next ones.
pub const FORGET_LEDGERS_PER_COMMIT_MAX: usize = 16;

/// Old transactions forgotten with one commit, after which no further ledger is begun.
pub const FORGET_TXS_PER_COMMIT_MAX: usize = 4_000;

const _: () = assert!(
    LOOKUP_SECS_MAX < ACCEPT_WAIT_SECS_MAX,
    "a look-up ends while ledger_accept waits"
);
