//! A node whose chain or writer breaks ends: nothing goes on as if it were whole.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codec::CloseTime;
use codec::keys::KeyPair;
use node::store::RedbStore;
use node::{Clock, Node};
use redb::backends::InMemoryBackend;
use rpc::RpcError;
use rpc::api::{Node as _, SubmitEmail, SubmitMode};

use crate::world::{CLOCK, config, operator, vector_keys, vector_mail};

fn node_on(store: RedbStore, clock: Arc<dyn Clock>) -> Node {
    let folder = tempfile::tempdir().expect("a folder");
    Node::start_on(
        Arc::new(store),
        KeyPair::ed25519([7; 16]),
        &config(folder.path()),
        clock,
        Arc::new(vector_keys()),
        tokio::runtime::Handle::current(),
    )
    .expect("starts")
}

/// The close loop ends with an error that says why, and so does every request.
async fn assert_ends(node: Node, why: &str) {
    let looping = node.clone();
    let closing = tokio::spawn(async move {
        let never = std::future::pending();
        looping.run_close_loop(Duration::from_millis(1), never).await
    });
    let ended = tokio::time::timeout(Duration::from_secs(10), closing).await;
    let failure = ended.expect("it ends").expect("no panic of the loop").err();
    let failure = failure.expect("it ends with an error").to_string();
    assert!(failure.contains(why), "{failure}");
    let told = tokio::time::timeout(Duration::from_secs(10), node.failed());
    assert!(told.await.is_ok(), "one who closes no ledgers is told too");
    let mail = SubmitEmail {
        mail: vector_mail("c044.eml"),
        mode: SubmitMode::Submit,
    };
    let answer = tokio::task::spawn_blocking(move || node.submit_email(mail, &operator()));
    assert_eq!(
        answer.await.expect("no panic").err(),
        Some(RpcError::Internal),
        "nothing is accepted any more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_go_on_after_a_close_that_panics() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let breaks = Arc::clone(&is_broken);
    // The chain's thread reads the clock when it closes.
    let clock = move || {
        let here = std::thread::current();
        assert!(
            !(breaks.load(Ordering::SeqCst) && here.name() == Some("chain")),
            "the close breaks"
        );
        CloseTime::new(CLOCK + 20)
    };
    let node = node_on(RedbStore::in_memory().expect("new"), Arc::new(clock));
    assert!(node.accept_ledger().is_ok());
    is_broken.store(true, Ordering::SeqCst);
    assert_ends(node, "its chain has stopped").await;
}

/// A disk whose writes panic from some moment on.
#[derive(Debug)]
struct Breaking {
    disk: InMemoryBackend,
    is_broken: Arc<AtomicBool>,
}

impl redb::StorageBackend for Breaking {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        assert!(!self.is_broken.load(Ordering::SeqCst), "the disk breaks");
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_go_on_after_a_writer_that_panics() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let disk = Breaking {
        disk: InMemoryBackend::new(),
        is_broken: Arc::clone(&is_broken),
    };
    // A ledger is due once the disk is broken.
    let is_due = Arc::clone(&is_broken);
    let clock = move || match is_due.load(Ordering::SeqCst) {
        false => CloseTime::new(CLOCK),
        true => CloseTime::new(CLOCK + 20),
    };
    let node = node_on(RedbStore::on_backend(disk).expect("new"), Arc::new(clock));
    is_broken.store(true, Ordering::SeqCst);
    assert_ends(node, "restore the data folder from a copy").await;
}
