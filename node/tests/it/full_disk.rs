//! A full disk stops acceptance and says so; the ledger stays whole, and goes on when there is room.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use chain::Wishes;
use codec::keys::KeyPair;
use codec::{AccountId, Amount, Hash256, LedgerIndex, Object, sf};
use dns::NoResolver;
use node::store::{
    AccountPage, AccountRange, Change, ListWish, PendingMail, PendingTx, RedbStore, Settled, StateChange,
    Store, StoreError, StoredLedger, StoredTx, Tip, Vote,
};
use node::{Node, NodeConfig};
use rpc::RpcError;
use rpc::api::{Acceptance, Node as _, OnRetry, SubmitEmail, SubmitMode};

use crate::world::{BOB, CLOCK, NETWORK, config, operator, vector_keys, vector_mail};

/// In the child: the data folder that it fills.
const FOLDER: &str = "XAHAU_EMAIL_TEST_FULL_DISK";

/// The seed of the genesis account, public as in xahaud.
const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

fn start_on(folder: &Path, clock: &Arc<AtomicU32>, store: Option<Arc<dyn Store>>) -> Node {
    let hand = Arc::clone(clock);
    let now = Arc::new(move || codec::CloseTime::new(hand.load(Ordering::SeqCst)));
    let runtime = tokio::runtime::Handle::current();
    match store {
        Some(store) => Node::start_on(
            store,
            KeyPair::ed25519([7; 16]),
            &config(folder),
            now,
            Arc::new(vector_keys()),
            runtime,
        ),
        None => {
            let config = NodeConfig::new(folder.to_owned(), NETWORK);
            Node::start(&config, now, Arc::new(NoResolver), runtime)
        }
    }
    .expect("starts")
}

async fn close(node: &Node) -> Result<LedgerIndex, RpcError> {
    let node = node.clone();
    tokio::task::spawn_blocking(move || node.accept_ledger())
        .await
        .expect("no panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_submissions_while_the_disk_is_full_and_accepts_them_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(FullDisk {
        store: RedbStore::in_memory().expect("new"),
        is_full: AtomicBool::new(false),
    });
    let clock = Arc::new(AtomicU32::new(CLOCK));
    let node = start_on(folder.path(), &clock, Some(Arc::clone(&store) as Arc<dyn Store>));
    clock.fetch_add(20, Ordering::SeqCst);
    let before = node.server().expect("an answer").validated;
    store.is_full.store(true, Ordering::SeqCst);
    let mail = || SubmitEmail {
        mail: vector_mail("c044.eml"),
        mode: SubmitMode::Submit,
    };
    for _ in 0..2 {
        assert_eq!(
            node.submit_email(mail(), &operator()).err(),
            Some(RpcError::DiskFull),
            "not kept on disk: not kept"
        );
    }
    assert_eq!(close(&node).await.err(), Some(RpcError::DiskFull));
    let server = node.server().expect("an answer");
    assert_eq!(
        (server.acceptance, server.mails.kept()),
        (Acceptance::DiskFull, 0)
    );
    assert_eq!(server.validated, before, "nothing is shown that is not stored");
    let payment = remit(1, 10);
    let refused = node.submit(&payment, OnRetry::Hold, &operator()).err();
    assert_eq!(refused, Some(RpcError::DiskFull));

    let looping = node.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let closing = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        looping.run_close_loop(Duration::from_millis(1), stop).await
    });
    store.is_full.store(false, Ordering::SeqCst);
    while node.server().expect("an answer").acceptance == Acceptance::DiskFull {
        tokio::task::yield_now().await;
    }
    assert!(node.submit_email(mail(), &operator()).is_ok());
    stop.send(()).expect("it runs");
    assert!(
        closing.await.expect("no panic").is_ok(),
        "the loop outlives a full disk"
    );
    let tip = store.tip().expect("readable").expect("a tip").ledger;
    assert!(tip.index > before.index);
}

/// A Remit of the genesis account whose Blob takes this many bytes.
fn remit(sequence: u32, blob_bytes: usize) -> Vec<u8> {
    let key = KeyPair::from_seed(GENESIS_SEED).expect("a seed");
    let fee = 20 + i64::try_from(blob_bytes).expect("small");
    let mut tx = Object::new()
        .with(sf::TRANSACTION_TYPE, codec::format::TxType::Remit.code())
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::FLAGS, codec::flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::FEE, Amount::Native(fee))
        .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().to_vec())
        .with(sf::BLOB, vec![0x5A; blob_bytes])
        .with(sf::ACCOUNT, key.account())
        .with(
            sf::DESTINATION,
            AccountId::parse_classic(BOB).expect("an address"),
        );
    let signature = key.sign(&codec::tx::signing_bytes(&tx));
    tx.set(sf::TXN_SIGNATURE, signature);
    codec::encode(&tx)
}

/// Runs only as a child of the next test, with RLIMIT_FSIZE set: the disk that fills up is real then.
#[tokio::test(flavor = "multi_thread")]
async fn child_of_the_file_size_limit() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let clock = Arc::new(AtomicU32::new(CLOCK + 10));
    let node = start_on(Path::new(&folder), &clock, None);
    let mut validated = node.server().expect("an answer").validated;
    for sequence in 1..200 {
        let submitted = node.submit(&remit(sequence, 100_000), OnRetry::Hold, &operator());
        assert!(
            submitted.is_ok_and(|answer| answer.applied),
            "the disk has room so far"
        );
        clock.fetch_add(4, Ordering::SeqCst);
        if let Err(error) = close(&node).await {
            assert_eq!(error, RpcError::DiskFull);
            let server = node.server().expect("an answer");
            assert_eq!(
                (server.acceptance, server.validated.hash),
                (Acceptance::DiskFull, validated.hash)
            );
            assert_eq!(
                node.submit(&remit(sequence + 1, 10), OnRetry::Hold, &operator())
                    .err(),
                Some(RpcError::DiskFull)
            );
            let read = node.ledger(rpc::api::LedgerChoice::Validated, rpc::api::Transactions::Whole);
            assert!(read.is_ok(), "what is stored is still shown");
            println!("\nTIP {} {}", validated.index, validated.hash);
            return;
        }
        validated = node.server().expect("an answer").validated;
    }
    panic!("the disk never filled up");
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_whole_ledger_again_after_the_file_size_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(AtomicU32::new(CLOCK));
    drop(start_on(folder.path(), &clock, None));
    let file = folder.path().join("ledger.redb");
    let bytes = std::fs::metadata(&file).expect("there").len();
    // Blocks of 512 or 1,024 bytes, as the shell has it; the limit counts for each file. The signal that
    // comes with it is ignored, so that the write fails as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512 + 3_000);
    let child = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(std::env::current_exe().expect("a test binary"))
        .args([
            "--exact",
            "full_disk::child_of_the_file_size_limit",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .output()
        .expect("a shell");
    let told = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(
        child.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&child.stderr)
    );
    let tip = told
        .lines()
        .find_map(|line| line.strip_prefix("TIP "))
        .expect("it says its tip");
    clock.fetch_add(4_000, Ordering::SeqCst);
    let node = start_on(folder.path(), &clock, None);
    let validated = node.server().expect("an answer").validated;
    assert_eq!(format!("{} {}", validated.index, validated.hash), tip);
    assert!(close(&node).await.is_ok(), "it goes on without the limit");
}

/// A store whose disk fills up.
struct FullDisk {
    store: RedbStore,
    is_full: AtomicBool,
}

impl FullDisk {
    fn check(&self) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Full(std::io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }
}

impl Store for FullDisk {
    fn network_id(&self) -> Result<Option<u32>, StoreError> {
        self.store.network_id()
    }

    fn tip(&self) -> Result<Option<Tip>, StoreError> {
        self.store.tip()
    }

    fn read_state(&self, take: &mut dyn FnMut(Hash256, &[u8])) -> Result<(), StoreError> {
        self.store.read_state(take)
    }

    fn write(&self, network_id: u32, changes: &[Change]) -> Result<(), StoreError> {
        self.check()?;
        self.store.write(network_id, changes)
    }

    fn waiting_transactions(&self) -> Result<Vec<(Hash256, PendingTx)>, StoreError> {
        self.store.waiting_transactions()
    }

    fn waiting_mails(&self) -> Result<Vec<(Hash256, PendingMail)>, StoreError> {
        self.store.waiting_mails()
    }

    fn settled(&self, email_id: &Hash256) -> Result<Option<Settled>, StoreError> {
        self.store.settled(email_id)
    }

    fn first_index(&self) -> Result<Option<LedgerIndex>, StoreError> {
        self.store.first_index()
    }

    fn ledger(&self, index: LedgerIndex) -> Result<Option<StoredLedger>, StoreError> {
        self.store.ledger(index)
    }

    fn ledger_index(&self, hash: &Hash256) -> Result<Option<LedgerIndex>, StoreError> {
        self.store.ledger_index(hash)
    }

    fn transactions(&self, index: LedgerIndex) -> Result<Vec<StoredTx>, StoreError> {
        self.store.transactions(index)
    }

    fn transaction(&self, id: &Hash256) -> Result<Option<StoredTx>, StoreError> {
        self.store.transaction(id)
    }

    fn transaction_ids(&self, index: LedgerIndex) -> Result<Vec<Hash256>, StoreError> {
        self.store.transaction_ids(index)
    }

    fn account_transactions(&self, range: &AccountRange) -> Result<AccountPage, StoreError> {
        self.store.account_transactions(range)
    }

    fn undo(&self, index: LedgerIndex) -> Result<Option<Vec<StateChange>>, StoreError> {
        self.store.undo(index)
    }

    fn roll_back(&self, to: LedgerIndex) -> Result<(), StoreError> {
        self.store.roll_back(to)
    }

    fn epochs(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.store.epochs()
    }

    fn begin_epoch(&self, epoch: u64, start: &[u8]) -> Result<(), StoreError> {
        self.store.begin_epoch(epoch, start)
    }

    fn votes(&self) -> Result<Vec<(Hash256, Vote)>, StoreError> {
        self.store.votes()
    }

    fn wishes(&self) -> Result<Wishes, StoreError> {
        self.store.wishes()
    }

    fn list_wish(&self) -> Result<Option<ListWish>, StoreError> {
        self.store.list_wish()
    }
}
