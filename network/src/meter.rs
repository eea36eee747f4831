//! Names of the metrics, so that code and documentation use the same.

use commonware_cryptography::ed25519::PublicKey;
use node::Taken;

/// Counter. What other nodes passed on, by what became of it: `taken`, `known`, `later`, `never`.
pub const SUBMISSIONS: &str = "network_submissions_total";
/// Counter. Submissions dropped unread, by the key of the `peer`: it sends too many, or too many that are useless.
pub const DROPPED: &str = "network_dropped_total";
/// Counter. Messages that are none, by the key of the `peer`.
pub const GARBAGE: &str = "network_garbage_total";
/// Gauge. Pieces of a ledger that is being fetched, which are there.
pub const PIECES: &str = "network_snapshot_pieces";
/// Gauge. Pieces of a ledger that is being fetched, as far as they are known of.
pub const PIECES_KNOWN: &str = "network_snapshot_pieces_known";
/// Counter. Wrong pieces and borders of a snapshot, by the key of the `peer` that sent them.
pub const SNAPSHOT_WRONG: &str = "network_snapshot_wrong_total";
/// Counter. Bytes of snapshots that were sent to others.
pub const SNAPSHOT_SENT: &str = "network_snapshot_sent_bytes_total";
/// Counter. Questions about snapshots that have no answer, by the key of the `peer`: it asks too much at one time.
pub const SNAPSHOT_UNANSWERED: &str = "network_snapshot_unanswered_total";

/// What a peer passed on was looked at.
pub(crate) fn taken(taken: Taken) {
    let became = match taken {
        Taken::Yes => "taken",
        Taken::Known => "known",
        Taken::NotNow => "later",
        Taken::Never => "never",
    };
    metrics::counter!(SUBMISSIONS, "became" => became).increment(1);
}

/// Submissions of a peer were dropped.
pub(crate) fn dropped(peer: &PublicKey, count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    metrics::counter!(DROPPED, "peer" => peer.to_string()).increment(count);
}

/// A message of a peer is none.
pub(crate) fn garbage(peer: &PublicKey) {
    metrics::counter!(GARBAGE, "peer" => peer.to_string()).increment(1);
}

/// So many pieces of a ledger are there, of those that are known of.
pub(crate) fn fetched(pieces: usize, known: usize) {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    metrics::gauge!(PIECES).set(number(pieces));
    metrics::gauge!(PIECES_KNOWN).set(number(known));
}

/// A peer sent what is not part of a snapshot.
pub(crate) fn wrong(peer: &PublicKey) {
    metrics::counter!(SNAPSHOT_WRONG, "peer" => peer.to_string()).increment(1);
}

/// So many bytes of a snapshot were sent.
pub(crate) fn sent(bytes: usize) {
    metrics::counter!(SNAPSHOT_SENT).increment(u64::try_from(bytes).unwrap_or(u64::MAX));
}

/// A peer asks too much.
pub(crate) fn unanswered(peer: &PublicKey) {
    metrics::counter!(SNAPSHOT_UNANSWERED, "peer" => peer.to_string()).increment(1);
}
