//! Names of the metrics, so that code, dashboard and documentation use the same. Units stand at the end of each name.

/// Counter. Letters taken with 2yz, by `way`.
pub const LETTERS_TAKEN: &str = "relay_letters_taken_total";
/// Counter. Letters refused for good, by `way` and `rule`.
pub const LETTERS_REFUSED: &str = "relay_letters_refused_total";
/// Counter. Letters put off with 4yz, by `way` and `why`.
pub const LETTERS_PUT_OFF: &str = "relay_letters_put_off_total";
/// Counter. Letters whose SPF, DMARC and ARC results were left out, because those who look them up were busy.
pub const AUTH_LEFT_OUT: &str = "relay_auth_left_out_total";
/// Gauge. Open connections, by `way`.
pub const CONNECTIONS: &str = "relay_connections";
/// Counter. Connections turned away, by `way` and `why`.
pub const CONNECTIONS_REFUSED: &str = "relay_connections_refused_total";
/// Gauge. Entries of the queue, by `state`.
pub const QUEUE_ENTRIES: &str = "relay_queue_entries";
/// Gauge. Age of the oldest entry that is not final, seconds.
pub const QUEUE_OLDEST_SECS: &str = "relay_queue_oldest_seconds";
/// Counter. Entries that could not be read and were set aside.
pub const QUEUE_DAMAGED: &str = "relay_queue_damaged_total";
/// Histogram. From the first byte of a commit to its sync, seconds.
pub const COMMIT_SECS: &str = "relay_commit_seconds";
/// Histogram. Letters made durable by one commit.
pub const COMMIT_LETTERS: &str = "relay_commit_letters";
/// Counter. Requests to nodes, by `node` and `outcome`.
pub const NODE_REQUESTS: &str = "relay_node_requests_total";
/// Gauge. 1 while a node answers, by `node`.
pub const NODE_UP: &str = "relay_node_up";
/// Counter. Mails that became final, by `state`.
pub const MAILS_FINAL: &str = "relay_mails_final_total";
/// Histogram. From 250 to validated, seconds.
pub const VALIDATED_SECS: &str = "relay_validated_seconds";
/// Counter. Answers sent, by `kind`.
pub const ANSWERS_SENT: &str = "relay_answers_sent_total";
/// Counter. Answers not sent, by `why`.
pub const ANSWERS_WITHHELD: &str = "relay_answers_withheld_total";
