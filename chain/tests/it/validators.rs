//! Several validators: a quorum of the ledger's list, and a set that they agree on.

use amendment::KeyName;
use chain::peers::Peer;
use chain::{Event, OnRetry, Reply, TxRequest};
use codec::CloseTime;
use codec::format::TxType;
use ledger::dkim::{Answer, Attestation};

use crate::driver::{BOB, Driver, NETWORK, payment, record, validator};

fn word(number: u8, name: &KeyName, answer: Answer, at: u32) -> Attestation {
    let key = validator(number);
    Attestation::sign(NETWORK, name.clone(), answer, CloseTime::new(at), &key).expect("signed")
}

/// A chain of three validators that has looked up the name of a mail.
fn asked() -> (Driver, KeyName) {
    let mut driver = Driver::new(3);
    assert_eq!(driver.chain.shown().quorum(), 3, "ceil(0.8 * 3)");
    driver.send("c044.eml");
    driver.settle();
    let name = driver.looked_up.first().expect("asked").clone();
    driver.answer_look_ups();
    (driver, name)
}

// Spec: 7.2.
#[test]
fn accepts_a_key_when_a_quorum_of_the_list_agrees() {
    let (mut driver, name) = asked();
    assert_eq!(driver.proposed_types(), [], "one of three");
    assert!(!driver.chain.is_close_due(CloseTime::new(driver.now)));
    driver.handle(Event::Attestation(word(2, &name, record(&name), driver.now)));
    assert_eq!(driver.proposed_types(), [], "two of three");
    driver.handle(Event::Attestation(word(3, &name, record(&name), driver.now)));
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
    assert!(driver.chain.is_close_due(CloseTime::new(driver.now)));
    driver.close();
    driver.settle();
    let ledger = &driver.chain.shown().ledger;
    assert!(ledger.entry(&name.keylet()).is_some(), "the key is on the ledger");
    assert_eq!(driver.proposed_types(), [TxType::Remit]);
}

// Spec: 7.2.
#[test]
fn accepts_the_last_word_of_a_validator_that_changes_its_mind() {
    let (mut driver, name) = asked();
    driver.handle(Event::Attestation(word(2, &name, Answer::Absent, driver.now)));
    driver.handle(Event::Attestation(word(3, &name, record(&name), driver.now)));
    assert_eq!(driver.proposed_types(), [], "they do not agree");
    driver.handle(Event::Attestation(word(2, &name, record(&name), driver.now + 1)));
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
}

// Spec: 7.2.
#[test]
fn rejects_an_earlier_word_of_a_validator_that_comes_again() {
    let (mut driver, name) = asked();
    let earlier = word(2, &name, Answer::Absent, driver.now - 1);
    driver.handle(Event::Attestation(earlier.clone()));
    driver.handle(Event::Attestation(word(2, &name, record(&name), driver.now)));
    driver.handle(Event::Attestation(earlier));
    driver.handle(Event::Attestation(word(3, &name, record(&name), driver.now)));
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
}

// Spec: 7.2.
#[test]
fn rejects_words_of_strangers_bad_signatures_and_words_that_are_too_old() {
    let (mut driver, name) = asked();
    driver.handle(Event::Attestation(word(2, &name, record(&name), driver.now)));
    driver.handle(Event::Attestation(word(9, &name, record(&name), driver.now)));
    let mut forged = word(3, &name, record(&name), driver.now);
    forged.observed_at = CloseTime::new(driver.now + 1);
    driver.handle(Event::Attestation(forged));
    assert_eq!(driver.proposed_types(), []);
    driver.now += 700;
    driver.close();
    driver.settle();
    driver.handle(Event::Attestation(word(3, &name, record(&name), driver.now)));
    assert_eq!(driver.proposed_types(), [], "the other two spoke too long ago");
}

#[test]
fn accepts_an_agreed_set_and_tries_what_it_leaves_out_in_the_next_ledger() {
    let mut driver = Driver::new(3);
    let request = driver.request();
    driver.handle(Event::Transaction(TxRequest {
        request,
        peer: Peer::Operator,
        tx: payment(BOB, 2, 50_000_000),
        on_retry: OnRetry::Drop,
    }));
    assert!(matches!(driver.told(request), Some(Reply::Transaction(_))));
    driver.close_with(Vec::new());
    driver.settle();
    assert!(driver.chain.shown().ledger.transactions().is_empty());
    assert_eq!(driver.proposed_types(), [TxType::Payment]);
    driver.close();
    driver.settle();
    assert!(!driver.chain.shown().ledger.transactions().is_empty());
    assert_eq!(driver.proposed_types(), []);
}
