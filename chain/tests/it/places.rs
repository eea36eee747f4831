//! Who gets a place in the open ledger, at what fee, and what waits for a later one. Expected values: xahaud's
//! LocalTxs.cpp (five ledgers, or until LastLedgerSequence) and TxQ.cpp (the fee by the square of the number).

use chain::peers::Peer;
use chain::{Event, Held, OnRetry, Reply, TxReply, TxRequest};
use codec::{Amount, Ter, sf};
use ledger::Transaction;

use crate::driver::{BOB, Driver, changed_payment, payment};

impl Driver {
    fn submit(&mut self, tx: Transaction, on_retry: OnRetry) -> TxReply {
        let request = self.request();
        self.handle(Event::Transaction(TxRequest {
            request,
            peer: Peer::Operator,
            tx,
            on_retry,
        }));
        self.settle();
        match self.told(request) {
            Some(Reply::Transaction(reply)) => reply,
            other => panic!("no answer to a transaction: {other:?}"),
        }
    }

    fn next_ledger(&mut self) {
        self.close();
        self.settle();
    }

    fn held(&self) -> usize {
        self.chain.shown().held.count()
    }

    fn in_open(&self) -> usize {
        self.chain.shown().open.accepted().len()
    }
}

/// Of 50 XAH, so that the first one makes the account.
fn pay(sequence: u32) -> Transaction {
    payment(BOB, sequence, 50_000_000)
}

fn pay_with_fee(sequence: u32, drops: i64) -> Transaction {
    changed_payment(BOB, sequence, 50_000_000, |tx| {
        tx.with(sf::FEE, Amount::Native(drops))
    })
}

#[test]
fn accepts_held_transactions_as_soon_as_the_one_before_came() {
    let mut driver = Driver::new(1);
    for sequence in [4, 3] {
        let early = driver.submit(pay(sequence), OnRetry::Hold);
        assert_eq!((early.outcome.ter, early.held), (Ter::TER_PRE_SEQ, Held::Yes));
    }
    driver.next_ledger();
    assert_eq!((driver.held(), driver.in_open()), (2, 0));
    let reply = driver.submit(pay(2), OnRetry::Hold);
    assert!(reply.outcome.applied);
    assert_eq!(reply.sequence_available, 5);
    assert_eq!((driver.held(), driver.in_open()), (0, 3));
}

#[test]
fn rejects_a_held_transaction_after_five_ledgers_or_its_last_one() {
    // It comes for ledger 3: it is tried until ledger 8 has been closed (`holdLedgers`).
    let mut driver = Driver::new(1);
    driver.submit(pay(3), OnRetry::Hold);
    for closed in 3..=8 {
        driver.next_ledger();
        assert_eq!(driver.held(), 1, "after ledger {closed}");
    }
    driver.next_ledger();
    assert_eq!(driver.held(), 0);

    let mut driver = Driver::new(1);
    let last = changed_payment(BOB, 3, 1, |tx| tx.with(sf::LAST_LEDGER_SEQUENCE, 4_u32));
    driver.submit(last, OnRetry::Hold);
    for closed in 3..=5 {
        driver.next_ledger();
        assert_eq!(driver.held(), 1, "after ledger {closed}");
    }
    driver.next_ledger();
    assert_eq!(driver.held(), 0, "one after its last is closed");
}

#[test]
fn rejects_to_hold_what_is_not_to_be_held() {
    let mut driver = Driver::new(1);
    let reply = driver.submit(pay(3), OnRetry::Drop);
    assert_eq!((reply.outcome.ter, reply.held), (Ter::TER_PRE_SEQ, Held::No));
    assert_eq!(driver.held(), 0);
}

#[test]
fn accepts_an_accounts_share_at_the_base_fee_and_more_at_its_price() {
    let mut driver = Driver::new(1);
    for sequence in 2..=102 {
        let reply = driver.submit(pay_with_fee(sequence, 10), OnRetry::Hold);
        assert!(reply.outcome.applied, "{sequence}: {:?}", reply.outcome.ter);
    }
    // 101 stand there, 100 are the share: 500 times the base fee by the square of 1.01, cut off.
    let price = 128_000 * 101 * 101 / (100 * 100) * 10 / 256;
    let cheap = driver.submit(pay_with_fee(103, 10), OnRetry::Hold);
    assert_eq!((cheap.outcome.ter, cheap.held), (Ter::TER_QUEUED, Held::Yes));
    assert_eq!(cheap.open_ledger_cost_drops, price);
    let dropped = driver.submit(pay_with_fee(103, 11), OnRetry::Drop);
    assert_eq!(
        (dropped.outcome.ter, dropped.held),
        (Ter::TEL_CAN_NOT_QUEUE, Held::No)
    );
    assert_eq!(driver.chain.shown().open.fee_level().get(), 256, "for others");
    driver.next_ledger();
    assert_eq!((driver.held(), driver.in_open()), (0, 1), "there is room again");

    for sequence in 104..=203 {
        assert!(
            driver
                .submit(pay_with_fee(sequence, 10), OnRetry::Hold)
                .outcome
                .applied
        );
    }
    assert!(
        driver
            .submit(pay_with_fee(204, 5_101), OnRetry::Hold)
            .outcome
            .applied
    );
}

#[test]
fn rejects_more_held_transactions_of_an_account_than_ten() {
    let mut driver = Driver::new(1);
    for sequence in 2..=102 {
        driver.submit(pay_with_fee(sequence, 10), OnRetry::Hold);
    }
    for fee in 10..20 {
        let reply = driver.submit(pay_with_fee(103, fee), OnRetry::Hold);
        assert_eq!((reply.outcome.ter, reply.held), (Ter::TER_QUEUED, Held::Yes));
    }
    let full = driver.submit(pay_with_fee(103, 20), OnRetry::Hold);
    assert_eq!(
        (full.outcome.ter, full.held),
        (Ter::TEL_CAN_NOT_QUEUE_FULL, Held::No)
    );
}
