//! Every bound of the chain: its unit, where it comes from, and what happens to what exceeds it.

/// Seconds that a ledger without transactions stays open (Xahau's idle interval).
pub const IDLE_CLOSE_SECS: u32 = 15;

/// Mails of one account that wait for their key (spec 7.5). Refusal: not kept.
pub const KEPT_PER_ACCOUNT_MAX: usize = 2;

/// Bytes of all mails on their way (spec 7.5). Refusal: not kept.
pub const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Seconds that a mail may lie in the future and still be kept until its time has come. Refusal: not kept.
pub const EARLY_SECS_MAX: u32 = 86_400;

/// Transactions in the open ledger; closing that many takes seconds. Refusal: `tooBusy`.
pub const OPEN_TRANSACTIONS_MAX: usize = 10_000;

/// Key-signed transactions held for a later ledger. Refusal: not kept.
pub const HELD_MAX: usize = 1_000;

/// Key-signed transactions of one account held for a later ledger (as many as xahaud queues). Refusal: not
/// kept.
pub const HELD_PER_ACCOUNT_MAX: usize = 10;

/// Bytes of all held transactions. Refusal: not kept.
pub const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Times that a held transaction is tried again before it is dropped.
pub const HELD_TRIES_MAX: u32 = 20;

/// DKIMKeySet transactions in one ledger (spec 7.5). The others wait for the next one.
pub const KEY_SETS_PER_LEDGER_MAX: usize = 16;

/// Names about which validators have spoken and that no ledger has yet. Refusal: a new name is not taken; its
/// validator says it again when it is asked for the next time.
pub const ATTESTED_NAMES_MAX: usize = 1_000;

/// Seconds that a name without a usable record is not asked again (spec 7.5).
pub const ABSENT_SECS: u32 = 600;

/// Seconds that a name is not asked again after a failed look-up.
pub const FAILED_LOOKUP_SECS: u32 = 5;

/// Seconds that a name is not asked again whose record proved no waiting mail.
pub const UNPROVEN_SECS: u32 = 30;

/// Names remembered as absent or failed. When full, the oldest is forgotten.
pub const REMEMBERED_NAMES_MAX: usize = 10_000;

/// Look-ups at one time. Further names wait for the next close.
pub const LOOKUPS_AT_WORK_MAX: usize = 32;

/// Seconds after which a key of the ledger is looked up again, well before it is removed after 30 days
/// (spec 7.4).
pub const RENEW_SECS: u32 = 7 * 86_400;

/// Keys of the ledger that are looked up for renewal at one close.
pub const RENEWALS_PER_CLOSE_MAX: usize = 4;

/// Failed verifications of one address in one minute. Refusal: `slowDown`. The operator has no such bound.
pub const FAILURES_PER_PEER_MAX: u32 = 60;

/// Look-ups for mails of one address in one minute. Refusal: `slowDown`. The operator has no such bound.
pub const LOOKUPS_PER_PEER_MAX: u32 = 30;

/// Addresses whose work is counted. When full, all counts start again.
pub const COUNTED_PEERS_MAX: usize = 10_000;

/// Ledgers between two searches for keys that nobody renewed (spec 7.4): the search walks over the whole
/// state.
pub const REMOVAL_SCAN_LEDGERS: u32 = 256;

/// Unrenewed keys removed in one ledger (spec 7.4).
pub const REMOVALS_PER_LEDGER_MAX: usize = 4;

/// EmailIDs of refused mails that are remembered for those who ask.
pub const FAILURES_REMEMBERED_MAX: usize = 10_000;

/// Seconds that an amendment needs its majority for by default: five days, as in xahaud.
pub const MAJORITY_SECS_DEFAULT: u32 = 432_000;

const _: () = assert!(RENEW_SECS < 30 * 86_400, "renewed well before removal");
const _: () = assert!(KEPT_PER_ACCOUNT_MAX * amendment::limits::MAIL_BYTES_MAX < WAITING_BYTES_MAX);
