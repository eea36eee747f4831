//! Every bound of this crate: unit, source, and the refusal it causes.

pub use amendment::limits::{ATTESTATION_AGE_SECS_MAX, VALIDATORS_MAX};

/// Deepest level of a state map, in nibbles of a 256-bit key (xahaud's SHAMap). Keys are hashes: deeper
/// cannot occur.
pub const MAP_DEPTH_MAX: usize = 64;

/// Bytes of a serialized ledger header (xahaud `addRaw`). Anything else is no header.
pub const HEADER_BYTES: usize = 118;

/// Hashes kept in a skip list (xahaud `updateSkipList`); a further one drops the oldest.
pub const SKIP_LIST_HASHES_MAX: usize = 256;

/// Passes over the transactions of a ledger (xahaud LEDGER_TOTAL_PASSES). What is left goes to the next
/// ledger.
pub const CLOSE_PASSES: u32 = 3;

/// Passes after the first in which a tec is still put off (xahaud LEDGER_RETRY_PASSES).
pub const CLOSE_RETRY_PASSES: u32 = 1;

/// Entries that one transaction may change (xahaud `oversizeMetaDataCap`): tecOVERSIZE.
pub const META_ENTRIES_MAX: usize = 5_200;

/// Bytes of a Remit's Blob (xahaud Remit preflight): temMALFORMED.
pub const REMIT_BLOB_BYTES_MAX: usize = 131_072;
/// Entries in a Remit's Amounts (xahaud Remit preflight): temMALFORMED.
pub const REMIT_AMOUNTS_MAX: usize = 32;
/// Entries in a Remit's URITokenIDs (xahaud Remit preflight): temMALFORMED.
pub const REMIT_URITOKENS_MAX: usize = 32;
/// Bytes of a URI (xahaud Remit preflight): temMALFORMED.
pub const URI_BYTES_MAX: usize = 256;

/// Bytes of all memos of a key-signed transaction on submission (xahaud `isMemoOkay`): refused locally. No
/// ledger rule.
pub const LOCAL_MEMOS_BYTES_MAX: usize = 1_024;

/// Hook parameters on submission (xahaud STTx.cpp): more are refused locally. No ledger rule.
pub const LOCAL_HOOK_PARAMETERS_MAX: usize = 16;
/// Bytes of a hook parameter's name on submission: more are refused locally.
pub const LOCAL_HOOK_NAME_BYTES_MAX: usize = 32;
/// Bytes of a hook parameter's value on submission: more are refused locally.
pub const LOCAL_HOOK_VALUE_BYTES_MAX: usize = 256;

/// Transactions signed by keys that an open ledger takes at the base fee (xahaud `minimumTxnInLedger` stand-alone).
/// Further ones pay more: terQUEUED.
pub const OPEN_EXPECTED_TRANSACTIONS: u64 = 1_000;
/// Transactions of one account that an open ledger takes at the base fee, mails aside. Further ones pay more:
/// terQUEUED.
pub const OPEN_ACCOUNT_SHARE: u64 = 100;
/// Fee level at the target, in 256ths of the base fee (xahaud `minimumEscalationMultiplier`): 500 times.
pub const OPEN_FEE_MULTIPLIER: u64 = 128_000;
/// Transactions signed by keys in an open ledger. Further ones get no place at any fee: terQUEUED.
pub const OPEN_KEY_SIGNED_MAX: u64 = 5_000;

/// Entries on a page of an owner's directory (xahaud dirNodeMaxEntries); a further one opens a page.
pub const DIRECTORY_PAGE_ENTRIES_MAX: usize = 32;
/// Pages of a directory, in effect unbounded (xahaud with fixPageCap): tecDIR_FULL.
pub const DIRECTORY_PAGES_MAX: u64 = u64::MAX;
/// Tickets that an account may hold, and make at once (xahaud CreateTicket): tecDIR_FULL, temINVALID_COUNT.
pub const TICKETS_MAX: u32 = 250;

/// Bytes of an AccountSet's Domain (xahaud SetAccount preflight): telBAD_DOMAIN.
pub const ACCOUNT_DOMAIN_BYTES_MAX: usize = 256;
/// Smallest and largest digits of a TickSize; the largest means none (xahaud Quality.h): temBAD_TICK_SIZE.
pub const TICK_SIZE_MIN: u8 = 3;
/// Smallest and largest digits of a TickSize; the largest means none (xahaud Quality.h): temBAD_TICK_SIZE.
pub const TICK_SIZE_MAX: u8 = 16;
/// A transfer rate of one, in billionths (xahaud QUALITY_ONE): less is temBAD_TRANSFER_RATE.
pub const TRANSFER_RATE_ONE: u32 = 1_000_000_000;
/// The largest transfer rate, in billionths: more is temBAD_TRANSFER_RATE.
pub const TRANSFER_RATE_MAX: u32 = 2_000_000_000;

/// Ledgers between flag ledgers (xahaud FLAG_LEDGER_INTERVAL): amendments change at no other.
pub const FLAG_LEDGER_INTERVAL: u32 = 256;

/// Passes over the strand of a payment (xahaud StrandFlow.h): telFAILED_PROCESSING.
pub const FLOW_PASSES_MAX: u32 = 1_000;

/// Seconds that a vote may be before or after the ledger's time (spec 15.1): further ones are tefPAST_SEQ.
pub const VOTE_SKEW_SECS_MAX: u32 = 600;
/// Amendments that a vote may name (spec 15.1): more is temMALFORMED.
pub const VOTED_AMENDMENTS_MAX: usize = 32;
/// Validators that a vote may name (spec 15.1): more is temMALFORMED.
pub const VOTED_VALIDATORS_MAX: usize = 64;
const _: () = assert!(HEADER_BYTES == 4 + 8 + 32 * 3 + 4 + 4 + 1 + 1);
const _: () = assert!(OPEN_EXPECTED_TRANSACTIONS < OPEN_KEY_SIGNED_MAX);
const _: () = assert!(CLOSE_RETRY_PASSES < CLOSE_PASSES);
const _: () = assert!(VOTED_VALIDATORS_MAX <= VALIDATORS_MAX);
