//! Every bound of the chain: its unit, where it comes from, and what happens to what exceeds it.

/// Seconds that a ledger without transactions stays open (Xahau's idle interval).
pub const IDLE_CLOSE_SECS: u32 = 15;

/// Unproven mails of one name that wait for their key (spec 7.5). Beyond: the oldest of them goes.
pub const KEPT_PER_NAME_MAX: usize = 4;

/// Mails of one account that wait for their key or their time, unproven and proven ones apart (spec 7.5): as
/// many as one mail has signatures that count (spec 4.7). Beyond: of unproven ones the oldest goes, a proven
/// one is not kept.
pub const KEPT_PER_ACCOUNT_MAX: usize = 4;

/// Mails that wait for their key or their time, each under one signature. Beyond: the oldest goes of the peer
/// or domain that has most.
pub const KEPT_MAX: usize = 1_000;

/// Bytes of all mails that wait for their key or their time, in normal form (spec 7.5). Beyond: as
/// `KEPT_MAX`.
pub const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of all mails whose transaction was submitted, in normal form. Beyond: not tried again where the open
/// ledger's transaction falls out.
pub const SUBMITTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Seconds that a mail may lie in the future and still be kept until its time has come. Refusal: not kept.
pub const EARLY_SECS_MAX: u32 = 86_400;

/// Transactions in the open ledger; closing that many takes seconds. What `ledger` leaves of these places to
/// transactions that keys sign is less: the others are kept for mails. Refusal: `tooBusy`.
pub const OPEN_TRANSACTIONS_MAX: usize = 10_000;

/// Times that a proposal is closed until nothing falls out of it: each time it is what was left the time before.
/// A chain of three transactions that need each other never falls apart, and longer ones rarely do twice. Beyond:
/// a ledger of what the votes come to, and nothing else.
pub const PROPOSAL_ROUNDS_MAX: usize = 16;

/// Key-signed transactions held for a later ledger. Refusal: not kept.
pub const HELD_MAX: usize = 1_000;

/// Of these, from one guest or one node of the network: anybody can sign for accounts that are not there yet.
/// Refusal: not kept.
pub const HELD_PER_PEER_MAX: usize = 250;

/// Key-signed transactions of one account held for a later ledger (as many as xahaud queues). Refusal: not
/// kept.
pub const HELD_PER_ACCOUNT_MAX: usize = 10;

/// Bytes of all held transactions. Refusal: not kept.
pub const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Ledgers after the one that was open when a transaction came, in which it is tried again (xahaud LocalTxs.cpp
/// `holdLedgers`). After them it is dropped.
pub const HELD_LEDGERS: u32 = 5;

/// DKIMKeySet transactions in one ledger (spec 7.5). The others wait for the next one.
pub const KEY_SETS_PER_LEDGER_MAX: usize = 16;

/// DKIMKeySet transactions of one domain in one ledger. The others wait for the next one.
pub const KEY_SETS_PER_DOMAIN_MAX: usize = 2;

/// DKIMKeySet transactions about domains in one ledger, beside those about keys (spec 7.10). The others wait for the
/// next one.
pub const FREEZES_PER_LEDGER_MAX: usize = 4;

/// Keys of one domain about which one validator has spoken and that no ledger has yet: as many live keys as a
/// ledger lists for a domain (spec 7.8). Refusal: as for `ATTESTED_NAMES_MAX`.
pub const ATTESTED_PER_DOMAIN_MAX: usize = 8;

/// Keys about which one validator has spoken and that no ledger has yet. Refusal: a new one is not taken; its
/// validator says it again when it is asked for the next time.
pub const ATTESTED_NAMES_MAX: usize = 1_000;

/// Domains about which one validator has spoken, to freeze or to lift, and that no ledger has yet (spec 7.10).
/// Refusal: the operator is told to take one back; a further one of another validator is not taken.
pub const FREEZES_WISHED_MAX: usize = 32;

/// Seconds after which a validator says again what its operator decided about a domain and no ledger has yet: half of
/// the time for which it counts (spec 7.10).
pub const FREEZE_REPEAT_SECS: u32 = 300;

/// Seconds that a name without a usable record is not asked again (spec 7.5).
pub const ABSENT_SECS: u32 = 600;

/// Seconds that a name is not asked again about which DNS was silent: at first, and doubled each time up to
/// the most.
pub const SILENT_SECS_MIN: u32 = 5;
/// See `SILENT_SECS_MIN`.
pub const SILENT_SECS_MAX: u32 = 600;

/// Look-ups of a name without an answer after which the mails that wait for it are given up: together they
/// take ten minutes. Whoever has the mail can hand it in again.
pub const SILENT_TRIES_MAX: u32 = 8;

/// Seconds that a name is not asked again whose record proved no waiting mail.
pub const UNPROVEN_SECS: u32 = 30;

/// Names remembered as absent, silent or answered. When full, the one whose rest ends first is forgotten.
pub const REMEMBERED_NAMES_MAX: usize = 10_000;

/// Records of names at rest that are remembered, 4 KiB each at most. When full, the one whose rest ends first
/// is forgotten.
pub const REMEMBERED_RECORDS_MAX: usize = 1_000;

/// Look-ups for mails at one time. Further names wait until one has ended.
pub const LOOKUPS_FOR_MAILS_MAX: usize = 28;

/// Look-ups for mails in one domain at one time. Further names of it wait until one has ended.
pub const LOOKUPS_PER_DOMAIN_MAX: usize = 2;

/// Look-ups for keys of the ledger at one time, whatever mails want. Further ones wait for the next close.
pub const RENEWALS_AT_WORK_MAX: usize = 4;

/// Seconds since its last attestation after which a key in use is looked up again, an hour before it proves nothing
/// any more (spec 7.4).
pub const RENEW_SECS: u32 = 5 * 3_600;

/// Keys remembered as in use since their last attestation (spec 7.4). A further one is not renewed: the next mail
/// under it takes one ledger longer.
pub const USED_KEYS_MAX: usize = 10_000;

/// Failed verifications of one address in one minute. Refusal: `slowDown`. The operator has no such bound.
pub const FAILURES_PER_PEER_MAX: u32 = 60;

/// Look-ups for mails of one address in one minute. Refusal: `slowDown`. The operator has no such bound.
pub const LOOKUPS_PER_PEER_MAX: u32 = 30;

/// Look-ups in one minute for mails that one node of the network passes on: as many as ten of its guests may cause.
/// Refusal: not kept; the node says it again.
pub const LOOKUPS_PER_NODE_MAX: u32 = 300;

/// Guests and nodes whose work is counted. When full, all counts start again.
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

const _: () = assert!(FREEZE_REPEAT_SECS < ledger::limits::ATTESTATION_AGE_SECS_MAX);
const _: () = assert!(
    RENEW_SECS < amendment::limits::KEY_LIFE_SECS,
    "renewed before it ends"
);
const _: () = assert!(KEPT_MAX * amendment::limits::MEMO_BYTES_MAX > KEPT_BYTES_MAX);
const _: () = assert!(KEPT_PER_ACCOUNT_MAX * amendment::limits::MEMO_BYTES_MAX < KEPT_BYTES_MAX);
