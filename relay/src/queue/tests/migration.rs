//! A file that the program before format 2 wrote: every kind of entry, notices and a mark.

use std::fs;
use std::path::PathBuf;

use redb::{ReadableDatabase, ReadableTable};

use super::*;
use crate::queue::backup;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/stores/relay_queue_1")
}

fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    fs::copy(fixture().join(store::FILE), folder.path().join(store::FILE)).expect("copied");
    folder
}

/// What that program showed of the entries.
fn shown_then() -> Vec<String> {
    let text = fs::read_to_string(fixture().join("entries.jsonl")).expect("fixture");
    text.lines().map(as_shown_now).collect()
}

/// What failed in a ledger has a state of its own since format 3, issued money is named with its issuer, and
/// what a Remit paid is what it ordered, also where no node told it.
fn as_shown_now(line: &str) -> String {
    let failed = line.contains("\"code\":\"tec");
    let line = line.replace(
        "\"amount\":\"12.5 EUR\"",
        "\"amount\":\"12.5 EUR/rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"",
    );
    let line = line.replace(
        "\"ledger_index\":77,\"amount\":null",
        "\"ledger_index\":77,\"amount\":\"10 XAH\"",
    );
    if failed {
        line.replace("\"state\":\"validated\"", "\"state\":\"failed\"")
    } else {
        line
    }
}

fn shown(queue: &Queue) -> Vec<String> {
    let entries = queue.list(&Filter::default()).expect("listed");
    let views = entries.iter().map(EntryView::from);
    views
        .map(|view| serde_json::to_string(&view).expect("JSON"))
        .collect()
}

/// Every row of the table of entries.
fn rows(folder: &Path) -> Vec<Vec<u8>> {
    let file = redb::Database::open(folder.join(store::FILE)).expect("file");
    let reading = file.begin_read().expect("begins");
    let entries = reading.open_table(tables::ENTRIES).expect("table");
    let rows = entries.iter().expect("rows");
    rows.map(|row| row.expect("row").1.value().1.to_vec()).collect()
}

#[tokio::test]
async fn accepts_a_file_of_format_1_and_shows_every_entry_as_before() {
    let folder = copy();
    let queue = open(folder.path());
    let then = shown_then();
    assert_eq!(then.len(), 24);
    assert_eq!(shown(&queue), then);
    assert_eq!(shown(&queue).len(), then.len());
    assert_eq!(queue.damaged(), Ok(vec![]));
    let faults = queue.verify().expect("verified").faults;
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(queue.mail(MailId::new([1; 32])), Ok(Some(b"mmmmm".to_vec())));
    assert_eq!(queue.mark("imap:host/INBOX"), Ok(Some("7:9".to_owned())));
    let kinds: Vec<_> = queue
        .notices_about(MailId::new([7; 32]))
        .into_iter()
        .map(|notice| (notice.kind, notice.state))
        .collect();
    let expected = [
        (NoticeKind::Validated, NoticeState::Sent),
        (NoticeKind::Welcome, NoticeState::Withheld),
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn accepts_values_of_format_1_as_what_they_mean() {
    let queue = open(copy().path());
    let entry = |number| {
        let entry = queue.entry(MailId::new([number; 32])).expect("readable");
        entry.expect("there")
    };
    let issuer = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    let Some(Order::Remit { amount, to }) = entry(4).order().cloned() else {
        panic!("a REMIT");
    };
    assert_eq!(amount.to_string(), format!("12.5 EUR/{issuer}"));
    assert_eq!((to.account().to_string().as_str(), to.tag()), (issuer, Some(7)));
    let amount = |number| EntryView::from(&entry(number)).amount;
    assert_eq!(amount(7).as_deref(), Some("10.5 XAH"));
    assert_eq!(amount(8), Some(format!("12.5 EUR/{issuer}")));
    assert_eq!(entry(7).from.as_str(), "firstlast@gmail.com");
    let outcome = |number| entry(number).progress.outcome().copied();
    assert!(matches!(outcome(9), Some(Outcome::Charged { .. })));
    assert!(matches!(outcome(10), Some(Outcome::Forgotten { .. })));
    assert!(matches!(outcome(11), Some(Outcome::Replayed { .. })));
    assert!(matches!(entry(19).order(), Some(Order::Rekey { .. })));
    assert_eq!(entry(6).progress.holder(), Some("node.example:6006"));
}

#[tokio::test]
async fn the_file_is_migrated_once_and_works_on() {
    let folder = copy();
    let then = shown_then();
    let queue = open(folder.path());
    let id = MailId::new([2; 32]);
    let later = CAME + 7;
    queue.retry(id, later).await.expect("retried");
    assert_eq!(queue.put(entry(200), mail(200)).await, Ok(Put::New));
    drop(queue);
    for row in rows(folder.path()) {
        assert!(stored::decode::<Entry>(&row).is_some());
    }
    let queue = open(folder.path());
    assert_eq!(queue.entry(id).expect("read").expect("there").next_try, later);
    assert_eq!(shown(&queue).len(), then.len() + 1);
    assert_eq!(
        queue.put(entry(1), mail(1)).await,
        Ok(Put::Known(State::Received, TraceId::of([1; 10])))
    );
}

#[tokio::test]
async fn a_backup_of_format_1_is_restored_and_stays_as_it_is() {
    let (from, to) = (copy(), tempfile::tempdir().expect("folder"));
    let before = rows(from.path());
    backup::restore(from.path(), to.path()).expect("restored");
    assert_eq!(rows(from.path()), before);
    assert_eq!(shown(&open(to.path())), shown_then());
}

#[tokio::test]
async fn an_entry_that_format_1_never_wrote_is_set_aside() {
    let folder = copy();
    let file = redb::Database::open(folder.path().join(store::FILE)).expect("file");
    let writing = file.begin_write().expect("begins");
    {
        let mut entries = writing.open_table(tables::ENTRIES).expect("table");
        let id = [1; 32];
        let place = {
            let ids = writing.open_table(tables::IDS).expect("table");
            ids.get(&id).expect("read").expect("there").value()
        };
        let bad = shown_then()[0].replace("REMIT 10 XAH", "PAY 10 XAH");
        entries.insert(place, (&id, bad.as_bytes())).expect("inserted");
    }
    writing.commit().expect("committed");
    drop(file);
    let queue = open(folder.path());
    assert_eq!(shown(&queue), shown_then()[1..]);
    queue.set_mark("after", String::new()).await.expect("mark");
    let damaged = queue.damaged().expect("listed");
    assert_eq!((damaged.len(), damaged[0].id), (1, MailId::new([1; 32])));
    assert!(damaged[0].found.contains("PAY 10 XAH"));
}

/// Format 2 counted what failed in a ledger among what was carried out, and held the amount paid.
#[tokio::test]
async fn accepts_a_file_of_format_2() {
    let folder = tempfile::tempdir().expect("folder");
    let queue = open(folder.path());
    for (number, state) in [(1, State::Validated), (2, State::Failed)] {
        let mut ended = entry(number);
        ended.progress = progress(state, CAME);
        assert_eq!(queue.put(ended, mail(number)).await, Ok(Put::New));
    }
    drop(queue);
    let file = redb::Database::open(folder.path().join(store::FILE)).expect("file");
    let writing = file.begin_write().expect("begins");
    {
        let mut states = writing.open_table(tables::STATES).expect("table");
        let (failed, validated) = (7, 2);
        let rows: Vec<_> = states
            .iter()
            .expect("rows")
            .map(|row| row.expect("row").0.value())
            .collect();
        for (state, received_at, number) in rows.into_iter().filter(|row| row.0 == failed) {
            states.remove((state, received_at, number)).expect("removed");
            states
                .insert((validated, received_at, number), ())
                .expect("inserted");
        }
        let mut entries = writing.open_table(tables::ENTRIES).expect("table");
        let place = {
            let ids = writing.open_table(tables::IDS).expect("table");
            ids.get(&[1; 32]).expect("read").expect("there").value()
        };
        let (id, row) = {
            let row = entries.get(place).expect("read").expect("there");
            (
                *row.value().0,
                String::from_utf8(row.value().1.to_vec()).expect("JSON"),
            )
        };
        let outcome = "\"outcome\":{\"replayed\":{\"transaction\":null}}";
        assert!(row.contains(outcome), "{row}");
        let then = format!(
            "\"outcome\":{{\"applied\":{{\"transaction\":{{\"hash\":\"{}\",\"ledger_index\":4,\"fee\":\"1234\"}},\
             \"delivered\":\"10000000\",\"made\":\"account\"}}}}",
            Hash256::new([7; 32])
        );
        let row = row.replace(outcome, &then);
        entries.insert(place, (&id, row.as_bytes())).expect("inserted");
        let mut numbers = writing.open_table(tables::NUMBERS).expect("table");
        numbers.insert(tables::FORMAT, 2).expect("inserted");
    }
    writing.commit().expect("committed");
    drop(file);
    let queue = open(folder.path());
    let counts = BTreeMap::from([(State::Validated, 1), (State::Failed, 1)]);
    assert_eq!(queue.counts(), counts);
    let faults = queue.verify().expect("verified").faults;
    assert!(faults.is_empty(), "{faults:?}");
    let paid = queue
        .entry(MailId::new([1; 32]))
        .expect("readable")
        .expect("there");
    let outcome = paid.progress.outcome().expect("final");
    assert_eq!(
        (outcome.fee(), outcome.made()),
        (Some(Drops::new(1_234)), Made::Account)
    );
    assert_eq!(EntryView::from(&paid).amount.as_deref(), Some("10 XAH"));
}
