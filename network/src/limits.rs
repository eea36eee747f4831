//! Every bound of a network: its unit, where it comes from, and what happens to what exceeds it.

use std::time::Duration;

/// Bytes of an encoded block: its transactions (`node::limits::PROPOSAL_BYTES_MAX`), what validators add to them
/// (16 DKIMKeySets of at most 40 KiB), and 4 bytes for each. Refusal: it is no block.
pub const BLOCK_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Validators of a network: as many as a ledger counts (`ledger::limits::VALIDATORS_MAX`). Refusal: the
/// configuration is not taken.
pub const VALIDATORS_MAX: usize = ledger::limits::VALIDATORS_MAX;

/// Ledgers of an epoch, where a network does not say another number: 15 to 45 minutes. At each border a leader that
/// the new engine takes for dead may cost a stall of `CERTIFICATION_TIMEOUT`.
pub const EPOCH_LEDGERS_DEFAULT: u32 = 900;

/// Ledgers of an epoch at least, so that its list is settled in one that validators made. Refusal: the configuration
/// is not taken.
pub const EPOCH_LEDGERS_MIN: u32 = 4;

/// Seconds without anything to close after which an empty block is proposed. A dead leader costs more than this.
pub const IDLE_SECS: u32 = 3;

/// Seconds that the close time of a block may be ahead of a validator's clock. Beyond: it waits before it votes.
pub const AHEAD_SECS_MAX: u32 = 1;

/// How often a proposer looks whether there is anything to propose.
pub const PROPOSE_EVERY: Duration = Duration::from_millis(50);

/// How long a view waits for its leader's block: above `IDLE_SECS`.
pub const LEADER_TIMEOUT: Duration = Duration::from_millis(4_500);

/// How long a view waits for a certificate: above `LEADER_TIMEOUT`.
pub const CERTIFICATION_TIMEOUT: Duration = Duration::from_secs(6);

/// How long a leader is silent before its views are skipped at once: above `CERTIFICATION_TIMEOUT`.
pub const SKIP_TIMEOUT: Duration = Duration::from_secs(15);

/// How often a vote to skip a view is said again.
pub const RETRY_TIMEOUT: Duration = Duration::from_secs(3);

/// Messages of one peer a second on one channel. Beyond: they wait, or are not sent. A mailbox for as many of
/// each peer is made at the start: ten times as many are ten times the memory.
pub const MESSAGES_PER_SECOND: u32 = 256;

/// Blocks of one peer a second.
pub const BLOCKS_PER_SECOND: u32 = 16;

/// Heights of finalised blocks that are fetched at one time by a node that is behind.
pub const FETCHES_MAX: usize = 16;

/// Finalised blocks on their way to the disk.
pub const COMMITS_MAX: usize = 16;

/// Views behind the last finalised one whose votes are kept.
pub const VIEWS_KEPT: u64 = 64;

/// Heights behind the last ledger whose executed blocks are kept.
pub const HEIGHTS_KEPT: u64 = 8;

/// How often attestations are said again until a ledger has them.
pub const WORDS_EVERY: Duration = Duration::from_millis(500);

/// Attestations said at one time. The others follow with the next turn.
pub const WORDS_PER_TURN_MAX: usize = 32;

/// How often what came in is passed on to the other nodes.
pub const SPREAD_EVERY: Duration = Duration::from_millis(100);

/// What came in and is passed on at one time. The others follow with the next turn.
pub const SPREAD_PER_TURN_MAX: usize = 24;

/// Bytes of what is passed on at one time; one item is passed on whatever it has.
pub const SPREAD_BYTES_PER_TURN_MAX: usize = 1024 * 1024;

/// Turns after which something that is still on its way is passed on again: no message is sure to arrive.
pub const SPREAD_AGAIN_TURNS: u64 = 50;

/// Submissions of peers that are worked on at one time. The others wait, and beyond the mailbox are dropped.
pub const AT_WORK_MAX: usize = 64;

/// Items that came from peers and are remembered as theirs to pass on. When full, the oldest are forgotten.
pub const HEARD_MAX: usize = 20_000;

const _: () = assert!(node::limits::PROPOSAL_BYTES_MAX < BLOCK_BYTES_MAX);
const _: () = assert!(LEADER_TIMEOUT.as_secs() > IDLE_SECS as u64);
const _: () = assert!(MESSAGES_PER_SECOND <= 512, "the memory of mailboxes");
