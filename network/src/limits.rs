//! Every bound of a network: its unit, where it comes from, and what happens to what exceeds it.

use std::time::Duration;

/// Bytes of an encoded block: its transactions (`node::limits::PROPOSAL_BYTES_MAX`), what validators add to them
/// (16 DKIMKeySets of at most 40 KiB, a vote of 4 KiB and an UNLReport for each of 64 validators), and 4 bytes for
/// each. Refusal: it is no block.
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
pub const PROPOSE_EVERY: Duration = Duration::from_millis(20);

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

/// How often those who are in a later epoch are asked for the end of one's own.
pub const HINT_EVERY: Duration = Duration::from_millis(500);

/// Sets of peers that are connected at one time: those of this epoch, of the next, and of a configuration that was read
/// again meanwhile.
pub const PEER_SETS: usize = 3;

/// Nodes that a configuration may have more than at the start when it is read again: room for the messages of each is
/// made at the start. Refusal: the file is not taken, and the operator is told to start the node again.
pub const NODES_ADDED_MAX: usize = 8;

/// Views behind the last finalised one whose votes are kept.
pub const VIEWS_KEPT: u64 = 64;

/// Heights behind the last ledger whose blocks' ledgers are kept, for votes about blocks that build on them: the next
/// one is proposed when the one before has a certificate, not when it is written.
pub const HEIGHTS_KEPT: u64 = 2;

/// How often attestations are said again until a ledger has them.
pub const WORDS_EVERY: Duration = Duration::from_millis(500);

/// Attestations said at one time. The others follow with the next turn.
pub const WORDS_PER_TURN_MAX: usize = 32;

/// Least time between two times that what came in is told: what comes in meanwhile shares messages.
pub const SPREAD_GAP: Duration = Duration::from_millis(20);

/// How often a node looks what is still on its way, to tell it again: no message is sure to arrive.
pub const SPREAD_SCAN_EVERY: Duration = Duration::from_secs(1);

/// Looks after which what came in here is told again.
pub const SPREAD_AGAIN_SCANS: u64 = 5;

/// Looks after which what came in at another node is told again: that node may be down, and some may not have heard it.
pub const SPREAD_OTHERS_AGAIN_SCANS: u64 = 60;

/// Bytes told again at one time. The others follow with the next look.
pub const SPREAD_BYTES_PER_SCAN_MAX: usize = 2 * 1024 * 1024;

/// Bytes of one message of what came in, but for a single one that is longer.
pub const SPREAD_MESSAGE_BYTES: usize = 64 * 1024;

/// Submissions in one message. Beyond: it is no message.
pub const SPREAD_PER_MESSAGE_MAX: usize = 256;

/// Messages of submissions of one peer a second. Beyond: as for `MESSAGES_PER_SECOND`.
pub const SUBMISSION_MESSAGES_PER_SECOND: u32 = 64;

/// Bytes of submissions of one peer that wait here. Beyond: dropped, and counted; the peer says them again.
pub const LANE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Submissions of one peer in one minute that no ledger will take, or that a ledger had already. Beyond: what it passes
/// on is dropped until the minute is over.
pub const USELESS_PER_MINUTE_MAX: usize = 1_000;

/// How often the log names one peer for messages that are no messages, or more than it may send.
pub const COMPLAINTS_EVERY: Duration = Duration::from_secs(60);

/// Submissions of peers that are remembered, so that they are looked at once. When full, the oldest are forgotten.
pub const HEARD_MAX: usize = 20_000;

/// Ledgers at borders that a node keeps for those that fetch one: two epochs of time to do so. What they share with
/// the last ledger they cost once.
pub const SNAPSHOTS_KEPT: usize = 2;

/// Bytes of the items of one piece of a ledger, or one item whatever it has.
pub const PIECE_BYTES: usize = 256 * 1024;

/// Bytes of a message about snapshots: a block, and where it belongs. Refusal: it is not sent, and not read.
pub const SNAPSHOT_MESSAGE_BYTES_MAX: usize = BLOCK_BYTES_MAX + 1024;

/// Bytes of what proves a border: a path of 64 nodes of 514 bytes, a list of `VALIDATORS_MAX` entries of 64, a
/// certificate of as many signatures. Refusal: it proves nothing.
pub const BORDER_BYTES_MAX: usize = 128 * 1024;

/// Pieces that one peer is asked for at one time. The others wait.
pub const PIECES_ASKED_PER_PEER_MAX: usize = 4;

/// How long a peer has to send a piece. Beyond: another one is asked.
pub const PIECE_WAIT: Duration = Duration::from_secs(5);

/// Pieces in succession that a peer did not send, after which it is left alone for `PIECE_REST`.
pub const PIECE_SILENCES_MAX: u32 = 4;

/// How long a peer is left alone that was silent, or does not have the ledger.
pub const PIECE_REST: Duration = Duration::from_secs(30);

/// How often it is asked which snapshots there are, and how long after the last news it is begun to fetch one.
pub const SNAPSHOT_NEWS_WAIT: Duration = Duration::from_secs(2);

/// How often a node that fetches a ledger says how far it is.
pub const SNAPSHOT_SAY_EVERY: Duration = Duration::from_secs(5);

/// How often the certificate of an epoch's last block is looked for, which comes with the block or soon after, and
/// how long in between. Beyond: this node has no snapshot of that ledger.
pub const CERTIFICATE_TRIES_MAX: u32 = 60;

/// See `CERTIFICATE_TRIES_MAX`.
pub const CERTIFICATE_WAIT: Duration = Duration::from_secs(1);

/// Questions about snapshots of one peer that wait for an answer. Beyond: they are not answered.
pub const QUESTIONS_PER_PEER_MAX: usize = 8;

/// Bytes a second with which a node answers all questions about snapshots, so that its votes and blocks go first.
pub const SNAPSHOT_BYTES_PER_SECOND: usize = 8 * 1024 * 1024;

/// Messages about snapshots of one peer a second. Beyond: they wait.
pub const SNAPSHOT_MESSAGES_PER_SECOND: u32 = 64;

const _: () = assert!(PIECE_BYTES + 1024 < SNAPSHOT_MESSAGE_BYTES_MAX);
const _: () = assert!(PIECES_ASKED_PER_PEER_MAX <= QUESTIONS_PER_PEER_MAX);
const _: () = assert!(node::limits::PROPOSAL_BYTES_MAX < BLOCK_BYTES_MAX);
const _: () = assert!(LEADER_TIMEOUT.as_secs() > IDLE_SECS as u64);
const _: () = assert!(MESSAGES_PER_SECOND <= 512, "the memory of mailboxes");
const _: () = assert!(
    SPREAD_GAP.as_millis() * SUBMISSION_MESSAGES_PER_SECOND as u128 > 1_000,
    "no node says more than others hear"
);
