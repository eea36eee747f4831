//! A node that fetches, among nodes that have what it wants and nodes that lie, on a simulated network.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use codec::{Hash256, LedgerIndex};
use commonware_cryptography::Signer as _;
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::simulated::{self, Link};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::deterministic::{Context, Runner};
use commonware_runtime::{Quota, Runner as _, Spawner as _, Supervisor as _};
use commonware_utils::{NZU32, NZUsize, probability};
use ledger::Ledger;
use ledger::state_map::Piece;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;

use super::client::{Client, Found, Snapshot};
use super::disk::Pieces;
use super::points::Points;
use super::proof::tests::{Numbers, before, border, end, ledger_with, trust};
use super::serve::{self, Source};
use super::wire::Message;

const FIRST: &[u8] = &[1, 2, 3, 4];
const SECOND: &[u8] = &[2, 3, 4, 5];
/// Entries of a ledger that makes some twenty pieces.
const ENTRIES: u32 = 1_500;

type Channel = (
    simulated::Sender<PublicKey, Context>,
    simulated::Receiver<PublicKey>,
);

/// What a peer does with a question.
#[derive(Clone)]
enum Peer {
    /// It answers.
    Honest(Points),
    /// It answers everything with these bytes.
    Says(Vec<u8>),
    /// It answers about borders, and sends this piece for all others.
    Forges(Points, Piece),
    /// It answers about borders, and has no piece.
    Bare(Points),
    /// It says nothing.
    Silent,
}

/// The ledger at the end of epoch 6, with the list of `SECOND`, and what an honest node has of it.
fn world() -> (Ledger, Points) {
    let ledger = ledger_with(before(6), SECOND, ENTRIES);
    let points = Points::new(trust(FIRST), None);
    for (epoch, signers, before) in [
        (3, FIRST, ledger_with(before(3), SECOND, 0)),
        (5, SECOND, ledger_with(before(5), SECOND, 1)),
        (6, SECOND, ledger.clone()),
    ] {
        let (end, certificate) = end(epoch, signers, before);
        points.reach(&mut Numbers(5), end, certificate).expect("kept");
    }
    (ledger, points)
}

async fn answer(peer: Peer, (mut sender, mut receiver): Channel) {
    while let Ok((from, bytes)) = receiver.recv().await {
        let question = Message::decode(bytes.as_ref()).expect("a question");
        let honest = |points: &Points| points.answer(&question, LedgerIndex::new(99));
        let answer = match (&peer, &question) {
            (Peer::Silent, _) => continue,
            (Peer::Says(bytes), _) => Some(bytes.clone()),
            (Peer::Honest(points), _) => honest(points).and_then(|answer| answer.encode()),
            (Peer::Forges(_, piece), Message::WantPiece(place)) => {
                Message::Piece(*place, Some(piece.clone())).encode()
            }
            (Peer::Bare(_), Message::WantPiece(place)) => Message::Piece(*place, None).encode(),
            (Peer::Forges(points, _) | Peer::Bare(points), _) => {
                honest(points).and_then(|answer| answer.encode())
            }
        };
        if let Some(bytes) = answer {
            let _ = sender.send(Recipients::One(from), bytes, false);
        }
    }
}

/// Fetches from these peers into a folder; `None` where it takes longer than `patience`.
fn fetch(folder: &Path, peers: Vec<Peer>, patience: Duration) -> Option<Found> {
    let pieces = Pieces::open(folder).expect("a folder");
    Runner::timed(Duration::from_secs(3_600)).start(|context| async move {
        let keys: Vec<PublicKey> = (0..=peers.len())
            .map(|seed| PrivateKey::from_seed(seed as u64).public_key())
            .collect();
        let config = simulated::Config {
            max_size: 8 * 1024 * 1024,
            max_peers_per_set: NZUsize!(16),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let (network, oracle) =
            simulated::Network::new_with_peers(context.child("network"), config, keys.clone()).await;
        network.start();
        let quota = Quota::per_second(NZU32!(1_000));
        let mut channels = Vec::new();
        for key in &keys {
            channels.push(
                oracle
                    .control(key.clone())
                    .register(0, quota)
                    .await
                    .expect("a channel"),
            );
        }
        let link = Link {
            latency: Duration::from_millis(20),
            jitter: Duration::from_millis(5),
            success_rate: probability!(1, 1),
        };
        for key in &keys[1..] {
            for (one, other) in [(&keys[0], key), (key, &keys[0])] {
                oracle
                    .add_link(one.clone(), other.clone(), link.clone())
                    .await
                    .expect("no link yet");
            }
        }
        let own = channels.remove(0);
        for (peer, channel) in peers.into_iter().zip(channels) {
            match peer {
                Peer::Honest(points) => {
                    let (kept, ends) = (oneshot::channel().1, unbounded_channel().1);
                    let last = || LedgerIndex::new(99);
                    serve::start(
                        &context.child("honest"),
                        last,
                        points,
                        Source { kept, ends },
                        channel,
                    );
                }
                other => drop(context.child("peer").spawn(move |_| answer(other, channel))),
            }
        }
        let others: BTreeSet<PublicKey> = keys[1..].iter().cloned().collect();
        let client = Client::new(context.child("client"), own, others, trust(FIRST), pieces);
        tokio::select! {
            found = client.fetch() => Some(found.expect("no failure")),
            () = commonware_runtime::Clock::sleep(&context, patience) => None,
        }
    })
}

fn snapshot(found: Option<Found>) -> Snapshot {
    match found {
        Some(Found::Snapshot(snapshot)) => *snapshot,
        other => panic!("no snapshot: {other:?}"),
    }
}

const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn accepts_a_ledger_from_several_peers_over_a_change_of_validators() {
    let (folder, (ledger, points)) = (tempfile::tempdir().expect("a folder"), world());
    let peers = vec![Peer::Honest(points.clone()), Peer::Honest(points)];
    let found = snapshot(fetch(folder.path(), peers, PATIENCE));
    assert_eq!(found.ledger.hash(), ledger.hash());
    assert_eq!((found.changes.len(), found.border.epoch()), (1, 6));
    assert_eq!(found.block.parent_ledger, ledger.hash());
    let files = std::fs::read_dir(folder.path().join("snapshot"))
        .expect("pieces")
        .count();
    assert!(files > 10, "{files} pieces");
}

#[test]
fn accepts_the_ledger_of_one_honest_peer_among_such_as_lie_or_are_silent() {
    let (folder, (ledger, points)) = (tempfile::tempdir().expect("a folder"), world());
    let forged = Piece::Items(vec![(Hash256::new([1; 32]), vec![1, 2, 3])]);
    let other_network = border(6, &[7, 8, 9, 10], FIRST);
    let false_border = Message::Border {
        from: 0,
        last: LedgerIndex::new(99),
        border: Some(Box::new(other_network)),
    };
    let peers = vec![
        Peer::Says(vec![0xFF; 100]),
        Peer::Says(false_border.encode().expect("short")),
        Peer::Forges(points.clone(), forged),
        Peer::Bare(points.clone()),
        Peer::Silent,
        Peer::Honest(points),
    ];
    let found = snapshot(fetch(folder.path(), peers, PATIENCE));
    assert_eq!(found.ledger.hash(), ledger.hash());
}

#[test]
fn accepts_pieces_of_an_earlier_run_and_fetches_torn_ones_again() {
    let (folder, (ledger, points)) = (tempfile::tempdir().expect("a folder"), world());
    let pieces = folder.path().join("snapshot");
    assert!(
        fetch(
            folder.path(),
            vec![Peer::Honest(points.clone())],
            Duration::from_millis(2_500)
        )
        .is_none()
    );
    let half = std::fs::read_dir(&pieces).expect("pieces").count();
    assert!(half > 0, "it was stopped in the middle");
    snapshot(fetch(folder.path(), vec![Peer::Honest(points.clone())], PATIENCE));
    // All of them are there: nobody has to have one.
    let found = snapshot(fetch(folder.path(), vec![Peer::Bare(points.clone())], PATIENCE));
    assert_eq!(found.ledger.hash(), ledger.hash());
    // Some are torn, as a crash leaves them.
    for entry in std::fs::read_dir(&pieces).expect("pieces").step_by(3) {
        let path = entry.expect("a piece").path();
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("torn");
    }
    let bare = fetch(folder.path(), vec![Peer::Bare(points.clone())], PATIENCE);
    assert!(bare.is_none(), "nobody has them");
    let found = snapshot(fetch(folder.path(), vec![Peer::Honest(points)], PATIENCE));
    assert_eq!(found.ledger.hash(), ledger.hash());
}

#[test]
fn rejects_a_snapshot_where_there_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = |last| {
        let (from, last, border) = (0, LedgerIndex::new(last), None);
        Peer::Says(Message::Border { from, last, border }.encode().expect("short"))
    };
    let young = fetch(folder.path(), vec![none(11), none(0)], PATIENCE);
    assert!(matches!(young, Some(Found::Young)), "{young:?}");
    let old = fetch(folder.path(), vec![none(12), none(0)], PATIENCE);
    assert!(old.is_none(), "it waits for the next end of an epoch");
    let nobody = fetch(folder.path(), vec![Peer::Silent], PATIENCE);
    assert!(nobody.is_none(), "it waits for an answer");
    let only_false = border(6, &[7, 8, 9, 10], FIRST);
    let border = Message::Border {
        from: 0,
        last: LedgerIndex::new(99),
        border: Some(Box::new(only_false)),
    };
    let lie = fetch(
        folder.path(),
        vec![Peer::Says(border.encode().expect("short"))],
        PATIENCE,
    );
    assert!(lie.is_none());
}
