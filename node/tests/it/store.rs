//! The store: what it wrote is there after a restart, and a cut at any write leaves the old tip or the new
//! one.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use codec::{AccountId, CloseTime, Hash256, LedgerIndex};
use node::store::{
    AccountRange, Came, Change, Commit, MailChange, MailStage, Order, PendingMail, PendingTx, RedbStore,
    Settled, SettledState, Store, StoreError, StoredTx, TxChange, Vote,
};

const NETWORK: u32 = 21_338;

fn hash(byte: u8) -> Hash256 {
    Hash256::new([byte; 32])
}

const ALICE: AccountId = AccountId::new([0xAA; 20]);

fn account(byte: u8) -> AccountId {
    AccountId::new([byte; 20])
}

fn write_ledgers(store: &dyn Store, commits: impl IntoIterator<Item = Commit>) -> Result<(), StoreError> {
    let changes = commits.into_iter().map(|commit| Change::Ledger(Box::new(commit)));
    store.write(NETWORK, &changes.collect::<Vec<_>>())
}

fn write_mails(store: &dyn Store, changes: impl IntoIterator<Item = MailChange>) -> Result<(), StoreError> {
    let changes = changes.into_iter().map(Change::Mail);
    store.write(NETWORK, &changes.collect::<Vec<_>>())
}

fn write_vote(store: &dyn Store, amendment: Hash256, vote: Vote) -> Result<(), StoreError> {
    store.write(NETWORK, &[Change::Vote { amendment, vote }])
}

fn state_of(store: &dyn Store) -> Vec<(Hash256, Vec<u8>)> {
    let mut state = Vec::new();
    let taken = store.read_state(&mut |key, bytes| state.push((key, bytes.to_vec())));
    taken.expect("readable");
    state
}

/// The ledgers of an account's transactions in a listing.
fn ledgers_of(store: &dyn Store, range: &AccountRange) -> Vec<u32> {
    let list = store.account_transactions(range).expect("readable");
    list.transactions.iter().map(|tx| tx.ledger_index.get()).collect()
}

fn mail(order: u64) -> PendingMail {
    PendingMail {
        stage: MailStage::Kept,
        order,
        email_id: hash(0xE1),
        executable_until: CloseTime::new(9),
        raw: vec![b'x'; 5_000].into(),
    }
}

/// Ledger `index`: one entry changes in each ledger, one comes, the one of the ledger before goes.
fn commit(index: u8) -> Commit {
    let at = u32::from(index);
    Commit {
        index: at,
        hash: hash(index),
        header: vec![index; 118],
        changes: vec![
            (hash(0xA0), Some(vec![index; 300])),
            (hash(0xB0 + index), Some(vec![index])),
            (hash(0xB0 + index - 1), None),
        ],
        transactions: vec![StoredTx {
            id: hash(0xC0 + index),
            ledger_index: LedgerIndex::new(at),
            tx_index: 0,
            blob: vec![index; 6_000],
            meta: vec![index; 700],
        }],
        affected: [(0, vec![ALICE, account(index)])].into(),
        forget_below: 0,
        mails: vec![
            MailChange::Forget {
                mail_id: hash(0xD0 + index - 1),
            },
            MailChange::Keep {
                mail_id: hash(0xD0 + index),
                mail: mail(u64::from(index)),
            },
            MailChange::Settle {
                email_id: hash(0xE0_u8.wrapping_add(index)),
                settled: Settled {
                    state: SettledState::Validated {
                        ledger_index: LedgerIndex::new(at),
                    },
                    code: 0,
                    hash: hash(0xC0 + index),
                },
            },
        ],
    }
}

/// The store holds exactly the ledgers up to `index`.
fn assert_holds(store: &dyn Store, index: u8) {
    let tip = store.tip().expect("readable").expect("a tip");
    assert_eq!(
        (tip.ledger.index.get(), tip.ledger.hash),
        (u32::from(index), hash(index))
    );
    assert_eq!(tip.ledger.header, vec![index; 118]);
    assert_eq!(
        state_of(store),
        [(hash(0xA0), vec![index; 300]), (hash(0xB0 + index), vec![index])]
    );
    assert_eq!(tip.transactions, commit(index).transactions);
    let waiting: Vec<Hash256> = store
        .waiting_mails()
        .expect("readable")
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(waiting, [hash(0xD0 + index)]);
    for known in 1..=index {
        assert!(store.settled(&hash(0xE0 + known)).expect("readable").is_some());
        assert_eq!(
            store.ledger_index(&hash(known)).expect("readable"),
            Some(LedgerIndex::new(u32::from(known)))
        );
        let tx = store.transaction(&hash(0xC0 + known)).expect("readable");
        assert_eq!(tx, commit(known).transactions.into_iter().next());
    }
    let next = LedgerIndex::new(u32::from(index) + 1);
    assert_eq!(store.ledger(next).expect("readable"), None);
    assert_eq!(store.transaction(&hash(0xC1 + index)).expect("readable"), None);
    assert_eq!(store.settled(&hash(0xE1 + index)).expect("readable"), None);
}

#[test]
fn accepts_commits_and_keeps_them_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.redb");
    let store = RedbStore::open(&path).expect("new");
    assert_eq!(store.network_id().expect("readable"), None);
    assert_eq!(store.tip().expect("readable"), None);
    for index in 1..=3 {
        write_ledgers(&store, [commit(index)]).expect("written");
        assert_holds(&store, index);
    }
    drop(store);
    let store = RedbStore::open(&path).expect("there");
    assert_holds(&store, 3);
    assert_eq!(store.network_id().expect("readable"), Some(NETWORK));
    assert_eq!(store.first_index().expect("readable"), Some(LedgerIndex::new(1)));
}

#[test]
fn accepts_waiting_mails_in_their_order_of_arrival() {
    let store = RedbStore::in_memory().expect("new");
    for (id, order) in [(1, 9), (2, 3), (3, 5)] {
        let keep = MailChange::Keep {
            mail_id: hash(id),
            mail: mail(order),
        };
        write_mails(&store, [keep]).expect("written");
    }
    let ids: Vec<Hash256> = store
        .waiting_mails()
        .expect("readable")
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, [hash(2), hash(3), hash(1)]);
    write_mails(&store, [MailChange::Forget { mail_id: hash(3) }]).expect("written");
    assert_eq!(store.waiting_mails().expect("readable").len(), 2);
}

/// A store of an earlier version has no table of them.
#[test]
fn accepts_transactions_on_their_way_in_a_new_store_and_in_one_of_an_earlier_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.redb");
    drop(RedbStore::open(&path).expect("new"));
    let table = redb::TableDefinition::<&[u8; 32], &[u8]>::new("waiting_transactions");
    let database = redb::Database::open(&path).expect("opened");
    let writing = database.begin_write().expect("a transaction");
    assert!(
        writing.delete_table(table).expect("deleted"),
        "the name is that of the store"
    );
    writing.commit().expect("committed");
    drop(database);
    for has_table in [false, true] {
        let store = RedbStore::open(&path).expect("opened");
        let tx = |number| PendingTx {
            came: Came {
                open: LedgerIndex::new(7),
                next_mail: 1,
                number,
            },
            blob: vec![1, 2, 3],
        };
        let before = if has_table {
            vec![(hash(2), tx(1))]
        } else {
            Vec::new()
        };
        assert_eq!(store.waiting_transactions().expect("readable"), before);
        let (one, two) = (hash(1), hash(2));
        let changes = [
            TxChange::Keep { id: one, tx: tx(0) },
            TxChange::Keep { id: two, tx: tx(1) },
            TxChange::Forget { id: one },
        ];
        store
            .write(NETWORK, &changes.map(Change::Transaction))
            .expect("written");
        assert_eq!(store.waiting_transactions().expect("readable"), [(two, tx(1))]);
    }
}

#[test]
fn rejects_a_second_node_on_the_same_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.redb");
    let store = RedbStore::open(&path).expect("new");
    let error = RedbStore::open(&path).expect_err("in use");
    assert!(matches!(error, StoreError::InUse { .. }));
    assert!(error.to_string().contains("in use by another node"), "{error}");
    drop(store);
    assert!(RedbStore::open(&path).is_ok());
}

#[test]
fn rejects_a_file_that_is_no_store_and_a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.redb");
    std::fs::write(&path, b"not a store, only text").expect("written");
    let error = RedbStore::open(&path).expect_err("no store");
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("restore the data folder"), "{error}");
    let error = RedbStore::open(Path::new("/nonexistent/ledger.redb")).expect_err("no folder");
    assert!(error.to_string().contains("/nonexistent/ledger"), "{error}");
}

#[test]
fn accepts_a_start_after_a_kill_while_the_file_was_made() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ledger.new"), b"half").expect("written");
    let path = folder.path().join("ledger.redb");
    write_ledgers(&RedbStore::open(&path).expect("made again"), [commit(1)]).expect("written");
    assert_holds(&RedbStore::open(&path).expect("there"), 1);
}

#[test]
fn rejects_a_ledger_that_does_not_follow_the_last_one() {
    let store = RedbStore::in_memory().expect("new");
    write_ledgers(&store, [commit(1), commit(2)]).expect("written");
    for index in [1, 2, 4] {
        let refused = write_ledgers(&store, [commit(index)]);
        assert!(
            matches!(refused, Err(StoreError::OutOfOrder { tip: 2, .. })),
            "{index}"
        );
    }
    assert_holds(&store, 2);
}

#[test]
fn accepts_listings_of_an_account_in_both_orders_and_rejects_other_places() {
    let store = RedbStore::in_memory().expect("new");
    for index in 1..=5 {
        write_ledgers(&store, [commit(index)]).expect("written");
    }
    let all = AccountRange {
        account: ALICE,
        first: (0, 0),
        last: (u32::MAX, u32::MAX),
        order: Order::Forward,
        count_max: 100,
        bytes_max: usize::MAX,
    };
    let backward = AccountRange {
        order: Order::Backward,
        ..all
    };
    assert_eq!(ledgers_of(&store, &all), [1, 2, 3, 4, 5]);
    assert_eq!(
        ledgers_of(
            &store,
            &AccountRange {
                count_max: 2,
                ..backward
            }
        ),
        [5, 4]
    );
    let some = AccountRange {
        first: (2, 0),
        last: (4, 0),
        ..all
    };
    assert_eq!(ledgers_of(&store, &some), [2, 3, 4]);
    let of_one = AccountRange {
        account: account(3),
        ..all
    };
    assert_eq!(ledgers_of(&store, &of_one), [3]);
    let of_nobody = AccountRange {
        account: account(99),
        ..all
    };
    assert_eq!(ledgers_of(&store, &of_nobody), [0; 0]);
    let empty = AccountRange {
        first: (4, 0),
        last: (2, 0),
        ..all
    };
    assert_eq!(ledgers_of(&store, &empty), [0; 0]);
}

#[test]
fn a_page_ends_at_either_bound_and_the_next_one_goes_on() {
    let store = RedbStore::in_memory().expect("new");
    for index in 1..=5 {
        write_ledgers(&store, [commit(index)]).expect("written");
    }
    let all = AccountRange {
        account: ALICE,
        first: (0, 0),
        last: (u32::MAX, u32::MAX),
        order: Order::Forward,
        count_max: 100,
        bytes_max: usize::MAX,
    };
    let first = store.transactions(LedgerIndex::new(1)).expect("readable");
    let bytes = first[0].blob.len() + first[0].meta.len();
    for bounded in [
        AccountRange { count_max: 2, ..all },
        AccountRange {
            bytes_max: 3 * bytes,
            ..all
        },
        // However small the bound, a page gets further.
        AccountRange { bytes_max: 0, ..all },
    ] {
        let mut range = bounded;
        let mut seen = Vec::new();
        loop {
            let page = store.account_transactions(&range).expect("readable");
            assert!(page.transactions.len() <= 2, "more than fits");
            seen.extend(page.transactions.iter().map(|tx| tx.ledger_index.get()));
            match page.next {
                Some(next) => range.first = next,
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
    }
}

#[test]
fn accepts_the_end_of_history_in_bounded_steps() {
    let store = RedbStore::in_memory().expect("new");
    for index in 1..=40 {
        write_ledgers(&store, [commit(index)]).expect("written");
    }
    let first = || store.first_index().expect("readable").expect("a ledger").get();
    for (index, expected) in [(41, 17), (42, 33), (43, 39), (44, 39)] {
        let mut next = commit(index);
        next.forget_below = 39;
        write_ledgers(&store, [next]).expect("written");
        assert_eq!(first(), expected);
    }
    assert_eq!(store.transaction(&hash(0xC0 + 38)).expect("readable"), None);
    assert!(store.transaction(&hash(0xC0 + 39)).expect("readable").is_some());
    assert_eq!(store.ledger_index(&hash(38)).expect("readable"), None);
    let all = AccountRange {
        account: ALICE,
        first: (0, 0),
        last: (u32::MAX, u32::MAX),
        order: Order::Forward,
        count_max: 100,
        bytes_max: usize::MAX,
    };
    assert_eq!(ledgers_of(&store, &all), [39, 40, 41, 42, 43, 44]);
    let mut last = commit(45);
    last.forget_below = u32::MAX;
    write_ledgers(&store, [last]).expect("written");
    assert_eq!(first(), 45, "the tip itself is never forgotten");
}

#[test]
fn accepts_the_way_back_to_an_earlier_ledger() {
    let store = RedbStore::in_memory().expect("new");
    for index in 1..=5 {
        let mut commit = commit(index);
        commit
            .mails
            .retain(|change| matches!(change, MailChange::Settle { .. }));
        write_ledgers(&store, [commit]).expect("written");
    }
    let keep = MailChange::Keep {
        mail_id: hash(0xD3),
        mail: mail(3),
    };
    write_mails(&store, [keep]).expect("written");
    store.roll_back(LedgerIndex::new(3)).expect("within reach");
    assert_holds(&store, 3);
    let mut again = commit(4);
    again.mails.clear();
    write_ledgers(&store, [again]).expect("it goes on from there");
}

#[test]
fn rejects_a_way_back_that_is_not_kept() {
    let store = RedbStore::in_memory().expect("new");
    for index in 1..=80 {
        let mut commit = commit(index % 8 + 1);
        commit.index = u32::from(index);
        commit.transactions.clear();
        write_ledgers(&store, [commit]).expect("written");
    }
    let refused = store.roll_back(LedgerIndex::new(15));
    assert!(matches!(refused, Err(StoreError::NoWayBack { index: 15 })));
    let tip = || store.tip().expect("readable").expect("a tip").ledger.index.get();
    assert_eq!(tip(), 80, "nothing was changed");
    store.roll_back(LedgerIndex::new(16)).expect("within reach");
    assert_eq!(tip(), 16);
}

#[test]
fn accepts_votes_and_the_change_of_a_vote() {
    let store = RedbStore::in_memory().expect("new");
    write_vote(&store, hash(1), Vote::Against).expect("written");
    write_vote(&store, hash(2), Vote::For).expect("written");
    write_vote(&store, hash(1), Vote::For).expect("written");
    assert_eq!(
        store.votes().expect("readable"),
        [(hash(1), Vote::For), (hash(2), Vote::For)]
    );
}

/// A disk that stops taking writes after a given number of them.
#[derive(Debug, Clone)]
struct CutDisk(Arc<Mutex<DiskState>>);

#[derive(Debug)]
struct DiskState {
    bytes: Vec<u8>,
    /// What a machine that loses power keeps for certain.
    synced: Vec<u8>,
    writes_left: usize,
}

impl CutDisk {
    fn new(bytes: Vec<u8>, writes_left: usize) -> Self {
        Self(Arc::new(Mutex::new(DiskState {
            synced: bytes.clone(),
            bytes,
            writes_left,
        })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut DiskState) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write_op(&self, act: impl FnOnce(&mut DiskState)) -> io::Result<()> {
        self.with(|disk| {
            disk.writes_left = disk
                .writes_left
                .checked_sub(1)
                .ok_or(io::ErrorKind::StorageFull)?;
            act(disk);
            Ok(())
        })
    }
}

impl redb::StorageBackend for CutDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|disk| disk.bytes.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).expect("small");
        self.with(|disk| match disk.bytes.get(start..start + out.len()) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.write_op(|disk| disk.bytes.resize(usize::try_from(len).expect("small"), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write_op(|disk| disk.synced = disk.bytes.clone())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).expect("small");
        self.write_op(|disk| disk.bytes[start..start + data.len()].copy_from_slice(data))
    }
}

#[test]
fn accepts_a_cut_at_every_write_of_a_commit() {
    let whole = CutDisk::new(Vec::new(), usize::MAX);
    let store = RedbStore::on_backend(whole.clone()).expect("new");
    for index in 1..=2 {
        write_ledgers(&store, [commit(index)]).expect("written");
    }
    let before = whole.with(|disk| disk.bytes.clone());
    drop(store);

    let (mut old_tips, mut new_tips) = (0, 0);
    for writes in 0.. {
        let disk = CutDisk::new(before.clone(), writes);
        let opened = RedbStore::on_backend(disk.clone());
        let written = opened
            .as_ref()
            .is_ok_and(|store| write_ledgers(store, [commit(3)]).is_ok());
        // What was acknowledged must not need a tidy end.
        let left = disk.with(|disk| [disk.bytes.clone(), disk.synced.clone()]);
        drop(opened);
        for bytes in left {
            let again = RedbStore::on_backend(CutDisk::new(bytes, usize::MAX)).expect("opens after the cut");
            let tip = again.tip().expect("readable").expect("a tip").ledger.index.get();
            assert!(
                tip == 3 || !written,
                "an acknowledged commit is lost after {writes} writes"
            );
            assert_holds(&again, u8::try_from(tip).expect("2 or 3"));
            if tip == 3 { new_tips += 1 } else { old_tips += 1 }
        }
        if written {
            break;
        }
    }
    assert!(
        old_tips > 4 && new_tips > 0,
        "the cuts fell before and after: {old_tips}, {new_tips}"
    );
}

#[test]
fn accepts_a_cut_at_every_write_of_a_way_back() {
    let whole = CutDisk::new(Vec::new(), usize::MAX);
    let store = RedbStore::on_backend(whole.clone()).expect("new");
    for index in 1..=4 {
        let mut commit = commit(index);
        commit
            .mails
            .retain(|change| matches!(change, MailChange::Settle { .. }));
        write_ledgers(&store, [commit]).expect("written");
    }
    let keep = |index: u8| MailChange::Keep {
        mail_id: hash(0xD0 + index),
        mail: mail(u64::from(index)),
    };
    write_mails(&store, [keep(4)]).expect("written");
    let before = whole.with(|disk| disk.bytes.clone());
    drop(store);
    for writes in 0.. {
        let disk = CutDisk::new(before.clone(), writes);
        let opened = RedbStore::on_backend(disk.clone());
        let done = opened
            .as_ref()
            .is_ok_and(|store| store.roll_back(LedgerIndex::new(2)).is_ok());
        let left = disk.with(|disk| [disk.bytes.clone(), disk.synced.clone()]);
        drop(opened);
        for bytes in left {
            let again = RedbStore::on_backend(CutDisk::new(bytes, usize::MAX)).expect("opens after the cut");
            let tip = again.tip().expect("readable").expect("a tip").ledger.index.get();
            assert!(
                tip == 2 || !done,
                "an acknowledged way back is lost after {writes} writes"
            );
            let tip = u8::try_from(tip).expect("small");
            assert!([2, 4].contains(&tip), "all of it or nothing: {tip}");
            // The mails on their way are not touched: give them the names that the helper expects.
            let forget = MailChange::Forget { mail_id: hash(0xD4) };
            write_mails(&again, [forget, keep(tip)]).expect("written");
            assert_holds(&again, tip);
        }
        if done {
            break;
        }
    }
}
