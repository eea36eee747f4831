//! A store whose last ledger is not what was validated: the node refuses, says which ledger, and offers the
//! last good one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use codec::{Hash256, LedgerIndex};
use dns::NoResolver;
use node::{LedgerDamage, Node, NodeConfig, RestoreError, StartError};
use redb::{Database, ReadableTable, TableDefinition};
use rpc::api::Node as _;

use crate::world::{CLOCK, Keys, World, config, start_in, vector_mail};

const STATE: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("state");
const LEDGERS: TableDefinition<u32, &[u8]> = TableDefinition::new("ledgers");
const TRANSACTIONS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("transactions");

/// A folder with some ledgers; answers index and hash of the last two.
async fn some_ledgers() -> (tempfile::TempDir, [(LedgerIndex, Hash256); 2]) {
    let world = World::new(Keys::vectors());
    world.send(vector_mail("c044.eml")).await;
    world.close().await;
    let before = world.tip().await;
    world.close().await;
    let last = world.tip().await;
    let World { node, folder, .. } = world;
    drop(node);
    while let Err(StartError::InUse { .. }) = start(folder.path(), None) {
        tokio::task::yield_now().await;
    }
    (folder, [before, last])
}

fn start(folder: &Path, rollback_to: Option<LedgerIndex>) -> Result<Node, StartError> {
    let config = NodeConfig {
        rollback_to,
        ..config(folder)
    };
    let now = || codec::CloseTime::new(CLOCK + 100);
    Node::start(
        &config,
        Arc::new(now),
        Arc::new(NoResolver),
        tokio::runtime::Handle::current(),
    )
}

/// Flip one bit of the last byte of a record.
fn flip<K: redb::Key + 'static>(
    folder: &Path,
    table: TableDefinition<K, &'static [u8]>,
    key: for<'a> fn(&'a [u8; 32], u32) -> K::SelfType<'a>,
    at: (&[u8; 32], u32),
) {
    let database = Database::open(folder.join("ledger.redb")).expect("free");
    let writing = database.begin_write().expect("writable");
    {
        let mut table = writing.open_table(table).expect("there");
        let mut record = {
            let found = table.get(key(at.0, at.1)).expect("readable").expect("there");
            found.value().to_vec()
        };
        *record.last_mut().expect("bytes") ^= 1;
        table.insert(key(at.0, at.1), record.as_slice()).expect("written");
    }
    writing.commit().expect("committed");
}

fn flip_state(folder: &Path, key: &Hash256) {
    flip(folder, STATE, |key, _| key, (key.as_bytes(), 0));
}

fn refusal(folder: &Path, rollback_to: Option<LedgerIndex>) -> RestoreError {
    match start(folder, rollback_to).err() {
        Some(StartError::Restore(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_state_that_does_not_hash_to_its_header_and_offers_the_last_good_ledger() {
    let (folder, [before, last]) = some_ledgers().await;
    // Each ledger rewrites the hashes of its parents, so the ledger before does not share the damage.
    flip_state(folder.path(), &codec::keylet::skip());
    let error = refusal(folder.path(), None);
    assert!(
        matches!(&error, RestoreError::Damaged { index, source: LedgerDamage::Content(_), last_good: Some(good) }
            if *index == last.0 && *good == before.0),
        "{error}"
    );
    let told = error.to_string();
    assert!(
        told.contains(&format!("ledger {} of the store is damaged", last.0)),
        "{told}"
    );
    assert!(told.contains(&format!("--rollback-to {}", before.0)), "{told}");

    let wrong = refusal(folder.path(), Some(last.0));
    assert!(
        matches!(wrong, RestoreError::RollbackOutOfReach { .. }),
        "{wrong}"
    );
    let node = start(folder.path(), Some(before.0)).expect("goes back");
    let tip = node.server().expect("an answer").validated;
    assert_eq!((tip.index, tip.hash), before);
    let closing = node.clone();
    let closed = tokio::task::spawn_blocking(move || closing.accept_ledger()).await;
    assert!(closed.expect("no panic").is_ok(), "it goes on from there");
    let parent = node.server().expect("an answer").validated.parent_hash;
    assert_eq!(parent, before.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_damage_that_is_older_than_the_way_back() {
    let (folder, _) = some_ledgers().await;
    flip_state(folder.path(), &codec::keylet::amendments());
    let error = refusal(folder.path(), None);
    assert!(
        matches!(error, RestoreError::Damaged { last_good: None, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("restore the data folder from a copy"),
        "{error}"
    );
    let refused = refusal(folder.path(), Some(LedgerIndex::new(2)));
    assert!(matches!(
        refused,
        RestoreError::RollbackOutOfReach { last_good: None, .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_header_or_a_transaction_that_is_not_the_validated_one() {
    let (folder, [before, last]) = some_ledgers().await;
    let node = start(folder.path(), None).expect("whole");
    let index = last.0.get();
    let txs = node.ledger(
        rpc::api::LedgerChoice::Index(last.0),
        rpc::api::Transactions::Whole,
    );
    drop(node);
    let rpc::api::LedgerAnswer::Validated {
        transactions: rpc::api::Listed::Whole(txs),
        ..
    } = txs.expect("an answer")
    else {
        panic!("validated")
    };
    let id = txs.first().expect("the mail's transaction").wrapped.hash;
    flip(folder.path(), TRANSACTIONS, |key, _| key, (id.as_bytes(), 0));
    let error = refusal(folder.path(), None);
    assert!(
        matches!(error, RestoreError::Damaged { last_good: Some(good), .. } if good == before.0),
        "{error}"
    );
    flip(folder.path(), LEDGERS, |_, index| index, (&[0; 32], index));
    let error = refusal(folder.path(), None);
    assert!(
        matches!(
            error,
            RestoreError::Damaged {
                source: LedgerDamage::Hash { .. },
                ..
            }
        ),
        "{error}"
    );
    assert!(start(folder.path(), Some(before.0)).is_ok());
}

/// An operator takes whole ledgers back by a command of its own, so that a flag that is left behind does not.
#[tokio::test(flavor = "multi_thread")]
async fn accepts_to_take_whole_ledgers_back_and_rejects_what_is_not_before_the_last() {
    let (folder, [before, last]) = some_ledgers().await;
    let refused = |to| match node::roll_back(folder.path(), to) {
        Err(StartError::Restore(error)) => error,
        other => panic!("{other:?}"),
    };
    let error = refused(last.0);
    assert!(matches!(error, RestoreError::NothingToRollBack { .. }), "{error}");
    let error = refused(LedgerIndex::new(0));
    assert!(matches!(error, RestoreError::TooFarBack { .. }), "{error}");
    assert_eq!(
        node::roll_back(folder.path(), before.0).expect("taken back"),
        last.0
    );
    let node = start(folder.path(), None).expect("whole");
    let tip = node.server().expect("an answer").validated;
    assert_eq!((tip.index, tip.hash), before);
    let error = node::roll_back(folder.path(), before.0).expect_err("it runs");
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    let elsewhere = folder.path().join("elsewhere");
    let error = node::roll_back(&elsewhere, before.0).expect_err("no ledger");
    assert!(
        matches!(error, StartError::Restore(RestoreError::NoLedger)),
        "{error}"
    );
    assert!(!elsewhere.exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_to_go_back_where_nothing_is_damaged() {
    let (folder, [before, last]) = some_ledgers().await;
    let error = refusal(folder.path(), Some(before.0));
    assert!(matches!(error, RestoreError::RollbackNotNeeded { .. }), "{error}");
    let clock = Arc::new(AtomicU32::new(CLOCK + 100));
    let node = start_in(folder.path(), &clock, Arc::new(NoResolver)).expect("whole");
    assert_eq!(node.server().expect("an answer").validated.hash, last.1);
}

/// Numbers of a fixed sequence, so that a failure can be had again.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    /// Zeros, noise, single bits or a cut, where there is something.
    fn damage(&mut self, file: &mut Vec<u8>) {
        let used = file.len() - file.iter().rev().take_while(|byte| **byte == 0).count();
        for _ in 0..[1, 3, 30][self.below(3)] {
            let at = self.below(used.min(file.len()).max(1));
            let end = file.len().min(at + [1, 64, 512][self.below(3)]);
            match self.below(8) {
                0 => file.truncate(at + 1),
                1 | 2 => file[at..end].fill(0),
                3 | 4 => file[at..end]
                    .iter_mut()
                    .for_each(|byte| *byte = byte.wrapping_mul(31) ^ 0x5A),
                _ => file[at] ^= 1 << self.below(8),
            }
        }
    }
}

/// redb panics where some damage breaks what it relies on; nothing of that may reach an operator or a caller.
#[tokio::test(flavor = "multi_thread")]
async fn any_damage_is_told_in_words() {
    let (folder, _) = some_ledgers().await;
    let whole = std::fs::read(folder.path().join("ledger.redb")).expect("there");
    let mut sequence = Sequence(11);
    let mut refused = 0;
    for round in 0..80 {
        let copy = tempfile::tempdir().expect("a folder");
        let key = "validator.key";
        std::fs::copy(folder.path().join(key), copy.path().join(key)).expect("copied");
        let mut bytes = whole.clone();
        sequence.damage(&mut bytes);
        std::fs::write(copy.path().join("ledger.redb"), bytes).expect("written");
        let node = match start(copy.path(), None) {
            Ok(node) => node,
            Err(error) => {
                refused += 1;
                let said = error.to_string();
                let has_way_out = ["restore", "use the version", "start with --network"];
                assert!(
                    has_way_out.iter().any(|way| said.contains(way)),
                    "{round}: {said}"
                );
                continue;
            }
        };
        // A page that the start does not read may be damaged all the same: an error, or what was stored.
        let query = rpc::api::AccountTxQuery {
            account: codec::AccountId::new(ledger::genesis::GENESIS_ACCOUNT),
            ledgers: rpc::api::LedgerRange::Between(None, None),
            order: rpc::api::TxOrder::Backward,
            limit: 100,
            marker: None,
        };
        let _ = node.account_transactions(&query);
        let _ = node.ledger(rpc::api::LedgerChoice::Validated, rpc::api::Transactions::Whole);
        let _ = node.accept_ledger();
    }
    assert!(
        (10..80).contains(&refused),
        "the damage is no trial: {refused} of 80 refused"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let base = tempfile::tempdir().expect("a folder");
    let folder = base.path().join("new");
    let file = folder.join("ledger.redb");
    let mode = |path: &Path| {
        let mode = std::fs::metadata(path).expect("there").permissions().mode();
        mode & 0o777
    };
    drop(start(&folder, None).expect("starts"));
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    // One that an earlier version made.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("ours");
    while let Err(StartError::InUse { .. }) = start(&folder, None) {
        tokio::task::yield_now().await;
    }
    assert_eq!(mode(&file), 0o600);
}
