//! Nothing is said before it is on disk, and a failed commit leaves the chain as it was.

use chain::commit::Change;
use chain::peers::Peer;
use chain::{CommitFailure, Disk, Event, Fact, KeyFinding, OnRetry, Refusal, Reply, TxRequest};
use codec::format::TxType;

use crate::driver::{BOB, Driver, payment};

impl Driver {
    fn pay(&mut self, sequence: u32) -> chain::RequestId {
        let request = self.request();
        self.handle(Event::Transaction(TxRequest {
            request,
            peer: Peer::Operator,
            tx: payment(BOB, sequence, 50_000_000),
            on_retry: OnRetry::Hold,
        }));
        request
    }
}

#[test]
fn rejects_to_say_or_show_anything_before_it_is_on_disk() {
    let mut driver = Driver::new(1);
    let mail = driver.send("c044.eml");
    assert!(driver.told(mail).is_none(), "the commit is under way");
    assert_eq!(driver.chain.shown().pool.kept_count(), 0);
    driver.written();
    assert!(matches!(driver.told(mail), Some(Reply::Mail(_))));
    assert_eq!(driver.chain.shown().pool.kept_count(), 1);

    let before = driver.chain.shown().ledger.hash();
    driver.answer_look_ups();
    let close = driver.close();
    assert!(driver.told(close).is_none());
    assert_eq!(driver.chain.shown().ledger.hash(), before);
    driver.written();
    let next = match driver.told(close) {
        Some(Reply::Closed { next }) => next.get(),
        other => panic!("{other:?}"),
    };
    assert_eq!(next, 4);
    assert_eq!(driver.chain.shown().ledger.index().get(), 3);
}

#[test]
fn accepts_what_comes_during_a_commit_into_one_further_commit() {
    let mut driver = Driver::new(1);
    let first = driver.send("c044.eml");
    let second = driver.send("c010.eml");
    let third = driver.pay(2);
    assert_eq!(driver.under_way.as_ref().map(Vec::len), Some(1));
    driver.written();
    assert!(driver.told(first).is_some() && driver.told(second).is_none());
    assert!(driver.told(third).is_none());
    assert_eq!(driver.under_way.as_ref().map(Vec::len), Some(2));
    driver.written();
    assert!(driver.told(second).is_some() && driver.told(third).is_some());
    assert!(driver.under_way.is_none());
}

#[test]
fn rejects_to_say_that_a_transaction_has_a_place_before_it_is_on_disk() {
    let mut driver = Driver::new(1);
    for sequence in [2, 4] {
        let paid = driver.pay(sequence);
        assert!(driver.told(paid).is_none(), "the commit is under way");
        driver.written();
        assert!(matches!(driver.told(paid), Some(Reply::Transaction(_))));
    }
    let shown = driver.chain.shown();
    assert_eq!((shown.open.accepted().len(), shown.held.count()), (1, 1));
    let late = driver.pay(1);
    assert!(driver.told(late).is_some(), "nothing is to be written");
}

#[test]
fn rejects_everything_that_a_failed_commit_would_have_changed() {
    let mut driver = Driver::new(1);
    let paid = driver.pay(2);
    driver.settle();
    assert!(driver.told(paid).is_some());
    let first = driver.send("c044.eml");
    let second = driver.send("c010.eml");
    driver.fails(CommitFailure::DiskFull);
    for request in [first, second] {
        assert_eq!(driver.refusal(request), Some(Refusal::DiskFull));
    }
    assert_eq!(driver.facts, [Fact::DiskFull]);
    let shown = driver.chain.shown();
    assert_eq!((shown.disk, shown.pool.kept_count()), (Disk::Full, 0));
    assert_eq!(shown.open.accepted().len(), 1, "what was said before stands");
    let refused = driver.send("c044.eml");
    assert_eq!(driver.refusal(refused), Some(Refusal::DiskFull));

    driver.close();
    driver.written();
    assert_eq!(driver.facts, [Fact::DiskFull, Fact::RoomAgain]);
    let accepted = driver.send("c044.eml");
    driver.settle();
    assert!(matches!(driver.told(accepted), Some(Reply::Mail(_))));
    assert_eq!(driver.chain.shown().pool.kept_count(), 1);
}

#[test]
fn rejects_a_ledger_that_does_not_reach_the_disk_and_makes_the_same_one_later() {
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.settle();
    driver.answer_look_ups();
    driver.pay(2);
    driver.settle();
    let before = driver.chain.shown().ledger.hash();
    let close = driver.close();
    let intended = match driver.under_way.as_deref() {
        Some([Change::Ledger(commit), ..]) => commit.hash,
        other => panic!("no ledger: {other:?}"),
    };
    driver.fails(CommitFailure::Broken);
    assert_eq!(driver.refusal(close), Some(Refusal::Broken));
    let shown = driver.chain.shown();
    assert_eq!((shown.ledger.hash(), shown.disk), (before, Disk::HasRoom));
    assert_eq!(
        driver.proposed_types(),
        [TxType::Payment, TxType::DkimKeySet],
        "what validators said is not lost"
    );
    driver.now -= 4;
    driver.close();
    driver.settle();
    assert_eq!(driver.chain.shown().ledger.hash(), intended);
}

#[test]
fn accepts_what_dns_said_while_a_commit_failed() {
    let mut driver = Driver::new(1);
    driver.send("c044.eml");
    driver.settle();
    let names = std::mem::take(&mut driver.looked_up);
    driver.send("c010.eml");
    for name in names {
        let finding = crate::driver::finding(&name);
        assert!(matches!(finding, KeyFinding::Usable(_)));
        driver.handle(Event::Answer { name, finding });
    }
    driver.fails(CommitFailure::Broken);
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
}

#[test]
fn accepts_the_same_events_with_the_same_ledgers() {
    let run = || {
        let mut driver = Driver::new(1);
        driver.send("c044.eml");
        driver.settle();
        driver.answer_look_ups();
        for sequence in 2..6 {
            driver.pay(sequence);
            driver.close();
        }
        driver.settle();
        (driver.chain.shown().ledger.hash(), driver.disk.len())
    };
    assert_eq!(run(), run());
}
