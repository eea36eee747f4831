//! A chain that is killed at any moment goes on as one that never was: what was answered to have a place or to
//! wait for one has it, and the ledgers are the same. The chain that is not killed is the oracle.

use amendment::address;
use amendment::key_record::PublishedKey;
use chain::commit::{Change, TxChange};
use chain::peers::Peer;
use chain::{Event, Held, KeyFinding, OnRetry, Reply, TxRequest};
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Hash256, Object, Ter, flags, format::TxType, sf};
use ledger::{OpenLedger, Transaction};
use testkit::sign::{DkimKey, Draft, Form};

use crate::driver::{BOB, CLOCK, Driver, NETWORK, first_ledger, payment};

const DOMAIN: &str = "restart.test";

fn dkim_key() -> DkimKey {
    DkimKey::ed25519(&[7; 32])
}

fn sender(number: u32) -> String {
    format!("sender{number}@{DOMAIN}")
}

fn account_of(number: u32) -> AccountId {
    address::parse_recipient(&sender(number))
        .expect("an address")
        .account()
}

/// The key of an account that a mail or a payment makes.
fn key(number: u8) -> KeyPair {
    KeyPair::ed25519([100 + number; 16])
}

/// A mail that pays so many XAH, of which no two are equal.
fn mail(number: u32, to: AccountId, unique: u32) -> Vec<u8> {
    let fields = format!(
        "From: <{}>\r\nDate: Mon, 16 Nov 2026 11:59:00 +0000\r\nMessage-ID: <{unique}@{DOMAIN}>\r\n",
        sender(number)
    );
    let draft = Draft {
        form: Form::Simple,
        domain: DOMAIN,
        selector: "s1",
        names: "From:Date:Message-ID",
        fields: fields.into_bytes(),
        body: format!("REMIT 5.{unique:06} XAH TO {to}\r\n").into_bytes(),
    };
    draft.signed(&dkim_key())
}

/// A payment of 1 XAH to BOB by the key of an account.
fn pay_by(pair: &KeyPair, sequence: u32) -> Transaction {
    let tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::AMOUNT, Amount::Native(1_000_000))
        .with(sf::FEE, Amount::Native(10_000))
        .with(sf::SIGNING_PUB_KEY, pair.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, pair.account())
        .with(
            sf::DESTINATION,
            AccountId::parse_classic(BOB).expect("an address"),
        );
    let signature = pair.sign(&codec::tx::signing_bytes(&tx));
    Transaction::from_object(&tx.with(sf::TXN_SIGNATURE, signature)).expect("a payment")
}

/// A ledger that has four of the senders and the key of their domain.
fn ready() -> Driver {
    let first = first_ledger(1);
    let mut open = OpenLedger::new(&first);
    for number in 0..4 {
        let paid = open.submit(&payment(&account_of(number).to_string(), 2 + number, 500_000_000));
        assert!(paid.expect("submitted").applied);
    }
    let transactions = open.accepted().iter().cloned();
    let ledger = ledger::close(&first, transactions, CloseTime::new(CLOCK)).ledger;
    let mut driver = Driver::on(ledger);
    driver.send_raw(&mail(0, key(0).account(), 0), Peer::Operator);
    driver.settle();
    for name in std::mem::take(&mut driver.looked_up) {
        let found = PublishedKey::parse(dkim_key().record().into_bytes()).expect("a record");
        driver.handle(Event::Answer {
            name,
            finding: KeyFinding::Usable(found),
        });
    }
    driver.settle();
    for _ in 0..2 {
        driver.close();
        driver.settle();
    }
    driver
}

impl Driver {
    fn submit_tx(&mut self, tx: Transaction, on_retry: OnRetry) -> (Ter, Held) {
        let request = self.request();
        self.handle(Event::Transaction(TxRequest {
            request,
            peer: Peer::Operator,
            tx,
            on_retry,
        }));
        self.settle();
        match self.told(request) {
            Some(Reply::Transaction(reply)) => (reply.outcome.ter, reply.held),
            other => panic!("no answer to a transaction: {other:?}"),
        }
    }

    fn next_of(&self, account: AccountId) -> Option<u32> {
        self.chain.shown().open.account(account)?.u32(sf::SEQUENCE)
    }

    /// What readers see of the open ledger, and how many wait.
    fn seen(&self) -> (Vec<Hash256>, usize) {
        let shown = self.chain.shown();
        let ids = shown.open.accepted().iter().map(Transaction::id);
        (ids.collect(), shown.held.count())
    }
}

/// The genesis account's key, public as in xahaud.
fn genesis() -> KeyPair {
    KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").expect("a seed")
}

/// Something that happens to both.
fn happen(driver: &mut Driver, choice: u32, step: u32) {
    let gap = choice / 64 % 3;
    match choice % 8 {
        // A mail of a sender who may have no account yet, to an account that may not be there yet.
        0 | 1 => {
            let to = key(u8::try_from(choice / 8 % 3).expect("small")).account();
            driver.send_raw(&mail(choice / 32 % 8, to, step), Peer::Operator);
            driver.settle();
        }
        // A payment that makes the account of a sender; others wait for the sequences that are left out.
        2 | 3 => {
            let to = account_of(choice / 8 % 8).to_string();
            let next = driver.next_of(genesis().account()).expect("it is there");
            driver.submit_tx(
                payment(&to, next + gap, 60_000_000 + i64::from(step)),
                OnRetry::Hold,
            );
        }
        // One of an account that a mail makes, perhaps before it is there.
        4..=6 => {
            let pair = key(u8::try_from(choice / 8 % 3).expect("small"));
            let next = driver.next_of(pair.account()).unwrap_or(CLOCK + 8);
            driver.submit_tx(pay_by(&pair, next + gap), OnRetry::Hold);
        }
        _ => {
            driver.close();
            driver.settle();
        }
    }
}

#[test]
fn accepts_the_same_ledgers_of_a_chain_that_is_killed_again_and_again() {
    let mut random = 2_026_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(random >> 33).expect("31 bits")
    };
    let (mut most_open, mut most_held, mut restarts) = (0, 0, 0);
    for run in 0..2 {
        let (mut steady, mut killed) = (ready(), ready());
        for step in 1..80 {
            let choice = next();
            happen(&mut steady, choice, step);
            happen(&mut killed, choice, step);
            assert_eq!(steady.seen(), killed.seen(), "run {run}, step {step}");
            if next() % 3 == 0 {
                killed = killed.restarted();
                restarts += 1;
                assert_eq!(
                    steady.seen(),
                    killed.seen(),
                    "run {run}, step {step}, after a restart"
                );
            }
            let (open, held) = steady.seen();
            (most_open, most_held) = (most_open.max(open.len()), most_held.max(held));
        }
        steady.close();
        steady.settle();
        killed.close();
        killed.settle();
        assert_eq!(
            steady.chain.shown().ledger.hash(),
            killed.chain.shown().ledger.hash()
        );
        assert!(steady.chain.shown().ledger.index().get() > 10);
    }
    assert!(
        restarts > 40 && most_open > 5 && most_held > 5,
        "{restarts} {most_open} {most_held}"
    );
}

#[test]
fn accepts_over_a_restart_what_was_answered_to_wait_and_rejects_it_after_its_ledgers() {
    // It comes for ledger 3, and is tried until ledger 8 has been closed, as without a restart.
    let mut driver = Driver::new(1);
    assert_eq!(
        driver.submit_tx(payment(BOB, 3, 1), OnRetry::Hold),
        (Ter::TER_PRE_SEQ, Held::Yes)
    );
    for closed in 3..=8 {
        driver.close();
        driver.settle();
        driver = driver.restarted();
        assert_eq!(driver.seen().1, 1, "after ledger {closed}");
    }
    driver.close();
    driver.settle();
    driver = driver.restarted();
    assert_eq!(driver.seen(), (Vec::new(), 0));
    assert!(matches!(
        driver.disk.last(),
        Some(Change::Transaction(TxChange::Forget { .. }))
    ));
}

#[test]
fn rejects_a_stored_transaction_that_nobody_can_read() {
    let mut driver = Driver::new(1);
    driver.submit_tx(payment(BOB, 3, 1), OnRetry::Hold);
    let Some(Change::Transaction(TxChange::Keep { tx, .. })) = driver.disk.last_mut() else {
        panic!("it is not stored: {:?}", driver.disk);
    };
    tx.blob.truncate(20);
    let driver = driver.restarted();
    assert_eq!(driver.seen(), (Vec::new(), 0));
    assert!(matches!(
        driver.disk.last(),
        Some(Change::Transaction(TxChange::Forget { .. }))
    ));
}

#[test]
fn rejects_to_store_what_has_no_place_and_does_not_wait() {
    let mut driver = Driver::new(1);
    assert_eq!(
        driver.submit_tx(payment(BOB, 3, 1), OnRetry::Drop),
        (Ter::TER_PRE_SEQ, Held::No)
    );
    assert_eq!(
        driver.submit_tx(payment(BOB, 1, 1), OnRetry::Hold).0,
        Ter::TEF_PAST_SEQ
    );
    assert!(driver.disk.is_empty());
    let paid = payment(BOB, 2, 50_000_000);
    assert_eq!(driver.submit_tx(paid.clone(), OnRetry::Drop).0, Ter::TES_SUCCESS);
    assert_eq!(driver.submit_tx(paid.clone(), OnRetry::Hold).0, Ter::TEF_ALREADY);
    assert_eq!(driver.disk.len(), 1, "stored once");
    driver = driver.restarted();
    assert_eq!(driver.seen(), (vec![paid.id()], 0));
    driver.close();
    driver.settle();
    assert_eq!(driver.seen(), (Vec::new(), 0));
    assert!(
        driver
            .chain
            .shown()
            .ledger
            .transactions()
            .iter()
            .any(|(id, _)| id == paid.id())
    );
}
