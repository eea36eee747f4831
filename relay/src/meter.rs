//! Names of the metrics, so that code, dashboard and documentation use the same. Units stand at the end of
//! each name.

use ops::{BuildError, Histogram, PrometheusHandle};

/// Counter. Mails taken with 2yz, by `way`.
pub const LETTERS_TAKEN: &str = "relay_letters_taken_total";
/// Counter. Mails refused for good, by `way` and `rule`.
pub const LETTERS_REFUSED: &str = "relay_letters_refused_total";
/// Counter. Mails put off with 4yz, by `way` and `why`.
pub const LETTERS_PUT_OFF: &str = "relay_letters_put_off_total";
/// Counter. Mails whose SPF, DMARC and ARC results were left out, because those who look them up were busy.
pub const AUTH_LEFT_OUT: &str = "relay_auth_left_out_total";
/// Gauge. Open connections, by `way`.
pub const CONNECTIONS: &str = "relay_connections";
/// Counter. Connections turned away, by `way` and `why`.
pub const CONNECTIONS_REFUSED: &str = "relay_connections_refused_total";
/// Gauge. Entries of the queue, by `state`.
pub const QUEUE_ENTRIES: &str = "relay_queue_entries";
/// Gauge. Age of the oldest entry that is not final, seconds.
pub const QUEUE_OLDEST_SECS: &str = "relay_queue_oldest_seconds";
/// Gauge. Entries that are not final, by what they wait `for`: node, operator, key, funds, time.
pub const QUEUE_WAITS: &str = "relay_queue_waits";
/// Gauge. Age of the oldest of them, seconds, by what they wait `for`.
pub const QUEUE_WAITS_SECS: &str = "relay_queue_waits_oldest_seconds";
/// Counter. Entries that could not be read and were set aside.
pub const QUEUE_DAMAGED: &str = "relay_queue_damaged_total";
/// Histogram. From the first byte of a commit to its sync, seconds.
pub const COMMIT_SECS: &str = "relay_commit_seconds";
/// Histogram. Mails made durable by one commit.
pub const COMMIT_LETTERS: &str = "relay_commit_letters";
/// Counter. Requests to nodes, by `node` and `outcome`.
pub const NODE_REQUESTS: &str = "relay_node_requests_total";
/// Gauge. 1 while a node answers, by `node`.
pub const NODE_UP: &str = "relay_node_up";
/// Counter. Mails that became final, by `state`.
pub const MAILS_FINAL: &str = "relay_mails_final_total";
/// Counter. Answers of nodes that a proven mail is malformed: the relay or the node is wrong.
pub const MAILS_CONTRADICTED: &str = "relay_mails_contradicted_total";
/// Histogram. From 250 to validated, seconds.
pub const VALIDATED_SECS: &str = "relay_validated_seconds";
/// Counter. Answers sent, by `kind`.
pub const ANSWERS_SENT: &str = "relay_answers_sent_total";
/// Counter. Answers not sent, by `why`.
pub const ANSWERS_WITHHELD: &str = "relay_answers_withheld_total";

/// Gauge. Answers that wait to be sent.
pub const ANSWERS_WAITING: &str = "relay_answers_waiting";
/// Gauge. Age of the oldest of them, seconds.
pub const ANSWERS_WAITING_SECS: &str = "relay_answers_waiting_oldest_seconds";
/// Gauge. 1 while answers can be handed over, 0 while the smarthost is down.
pub const SMARTHOST_UP: &str = "relay_smarthost_up";

/// Upper bounds of a commit, seconds.
const COMMIT_BOUNDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];
/// Upper bounds for mails from 250 to validated, seconds: a ledger takes 3 to 4, a mail lives five days.
const VALIDATED_BOUNDS: [f64; 10] = [1.0, 2.0, 4.0, 6.0, 10.0, 30.0, 60.0, 600.0, 3_600.0, 86_400.0];
/// Upper bounds for mails in one commit.
const MAILS_BOUNDS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// Makes the process record these metrics. Once in a process.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let histogram = |name, bounds| Histogram { name, bounds };
    ops::install(&[
        histogram(COMMIT_SECS, &COMMIT_BOUNDS),
        histogram(VALIDATED_SECS, &VALIDATED_BOUNDS),
        histogram(COMMIT_LETTERS, &MAILS_BOUNDS),
    ])
}
