//! Names of the metrics, so that code and documentation use the same.

use commonware_cryptography::ed25519::PublicKey;
use node::Taken;

/// Counter. What other nodes passed on, by what became of it: `taken`, `known`, `later`, `never`.
pub const SUBMISSIONS: &str = "network_submissions_total";
/// Counter. Submissions dropped unread, by the key of the `peer`: it sends too many, or too many that are useless.
pub const DROPPED: &str = "network_dropped_total";
/// Counter. Messages that are none, by the key of the `peer`.
pub const GARBAGE: &str = "network_garbage_total";

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
