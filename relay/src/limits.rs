//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;

/// First pause before an entry is tried again, seconds; each further one is twice as long. Ours.
pub const RETRY_SECS_MIN: u64 = 5;
/// Longest such pause, seconds. Ours. A quarter more comes on top of it at most, by the entry's key.
pub const RETRY_SECS_MAX: u64 = 600;
/// First pause before a mail that a node has is handed in again, seconds: the ledgers until then are watched. Ours.
pub const SUBMITTED_RETRY_SECS_MIN: u64 = 15;
/// How far a ledger's time may lag behind the clock, seconds. Ours. A mail that is over its window by less is tried on.
pub const EXPIRY_MARGIN_SECS: u64 = 300;
/// How long after its window a mail is given up although a node says that it has it, seconds. Ours.
pub const EXPIRY_SECS_MAX: u64 = 86_400;
/// A node's answer about one mail, bytes of each text. Ours. Beyond: cut.
pub const NODE_TEXT_BYTES_MAX: usize = 300;
/// Token of a result, bytes. Ours (the longest of Xahau has 47). Beyond: the answer is not understood.
pub const NODE_TOKEN_BYTES_MAX: usize = 64;
/// Entries of one answer's list that are read (checks, nodes of the metadata). Ours. The others are not looked at.
pub const NODE_LIST_MAX: usize = 1_000;
/// Tries after which a mail is set aside that every node answers senselessly, or refuses though the relay proved it. Ours.
pub const POISON_TRIES: u32 = 3;
/// Tries after which a refusal is final although one of the nodes could not be asked. Ours.
pub const REFUSAL_TRIES: u32 = 3;
/// Mails whose senseless answers are counted. Ours. Beyond: a mail is only tried again.
pub const POISON_COUNTED_MAX: usize = 10_000;
/// Mails that are handed in or asked for at one time. Ours. The others wait for their turn.
pub const COURIER_AT_WORK_MAX: usize = 16;
/// Due entries fetched from the queue at once. Ours. The others come with the next ones.
pub const COURIER_BATCH: usize = 256;
/// Submitted mails that are asked for at each ledger. Ours. Others are asked for when their next try is due.
pub const WATCHED_MAX: usize = 10_000;
/// Ledgers for which a submitted mail is watched: as far ahead as LastLedgerSequence lies. Spec: 6.3.
pub const WATCHED_LEDGERS_MAX: u32 = 20;
/// How often a node is asked for its last ledger while a mail is watched there, milliseconds. Ours.
pub const TIP_POLL_MILLIS: u64 = 100;
/// The same where the last such question failed, and the pause after a failed write, milliseconds. Ours.
pub const COURIER_PAUSE_MILLIS: u64 = 1_000;
/// How long the courier lets requests finish after the stop, seconds. Ours. Beyond: they are left; the queue knows them.
pub const COURIER_STOP_SECS_MAX: u64 = 5;
/// Connections to one node. Ours. Further requests wait for one.
pub const NODE_CONNECTIONS_MAX: usize = 8;
/// How long a node may take to answer, seconds. Ours. Beyond: the request goes to the next node.
pub const NODE_ANSWER_SECS_MAX: u64 = 10;
/// First rest of a node that failed, milliseconds; each further one is twice as long. Ours.
pub const NODE_REST_MILLIS_MIN: u64 = 1_000;
/// Longest such rest, milliseconds. Ours: short, because mails wait for it.
pub const NODE_REST_MILLIS_MAX: u64 = 10_000;
/// How long a connection is kept without use, seconds: less than nodes do. Ours. Beyond: a new one is made.
pub const NODE_IDLE_SECS_MAX: u64 = 30;
/// How long a connection is used before the node is asked again for its network and ledger, seconds. Ours.
pub const NODE_VET_SECS: u64 = 60;
/// Age of a node's last validated ledger, seconds. Ours. Beyond: the node is not used.
pub const NODE_LEDGER_AGE_SECS_MAX: u64 = 300;
