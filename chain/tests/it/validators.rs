//! Several validators: a quorum of the ledger's list, and a set that they agree on.

use amendment::KeyName;
use chain::peers::Peer;
use chain::{Event, OnRetry, ProposalFault, ProposalRules, Refusal, Reply, TxRequest};
use codec::format::TxType;
use codec::{CloseTime, Object, sf};
use ledger::dkim::{Answer, Attestation};
use ledger::{Closed, Transaction};

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
    driver.settle();
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

/// The rules of a proposal to other validators.
fn rules() -> ProposalRules {
    ProposalRules {
        network_id: NETWORK,
        majority_secs: 0,
        bytes_max: usize::MAX,
        epochs: None,
    }
}

/// A chain of three validators with two payments in its open ledger, and when it closes.
fn with_payments() -> (Driver, CloseTime) {
    let mut driver = Driver::new(3);
    for sequence in [2, 3] {
        let request = driver.request();
        driver.handle(Event::Transaction(TxRequest {
            request,
            peer: Peer::Operator,
            tx: payment(BOB, sequence, 50_000_000),
            on_retry: OnRetry::Drop,
        }));
        driver.settle();
        assert!(matches!(driver.told(request), Some(Reply::Transaction(_))));
    }
    let time = CloseTime::new(driver.now + 1);
    (driver, time)
}

/// The transactions of a proposal, as they are told.
fn told(closed: &Closed) -> Vec<Transaction> {
    let mut transactions: Vec<_> = closed.applied.iter().map(|applied| applied.tx.clone()).collect();
    transactions.sort_by_key(Transaction::id);
    transactions
}

#[test]
fn accepts_a_proposal_that_others_close_to_the_same_ledger() {
    let (driver, time) = with_payments();
    let state = driver.chain.shown();
    let proposed = state.propose(&state.ledger, rules(), time);
    assert_eq!(proposed.ledger.close_time(), time, "as it is, not rounded");
    assert_eq!(proposed.applied.len(), 2);
    let other = Driver::new(3);
    let verified = other
        .chain
        .shown()
        .verify(&state.ledger, told(&proposed), rules(), time);
    assert_eq!(verified.expect("right").ledger.hash(), proposed.ledger.hash());
}

#[test]
fn rejects_what_falls_out_from_a_proposal_and_closes_the_rest_alone() {
    let (driver, time) = with_payments();
    let state = driver.chain.shown();
    // The parent is ahead: it holds the first payment already.
    let accepted: Vec<Transaction> = state.open.accepted().iter().cloned().collect();
    let ahead = ledger::close::close_at(&state.ledger, accepted.iter().take(1).cloned(), time, 0);
    let later = CloseTime::new(time.seconds() + 1);
    let proposed = state.propose(&ahead.ledger, rules(), later);
    let ids: Vec<_> = told(&proposed).iter().map(Transaction::id).collect();
    assert_eq!(ids, [accepted[1].id()], "the first one fell out");
    let alone = ledger::close::close_at(&ahead.ledger, accepted[1..].to_vec(), later, 0);
    assert_eq!(proposed.ledger.hash(), alone.ledger.hash());
    let fallen: Vec<_> = proposed.dropped.iter().map(|(id, _)| *id).collect();
    assert_eq!(fallen, [accepted[0].id()], "and is told");
    let mut both = accepted.clone();
    both.sort_by_key(Transaction::id);
    let verified = state.verify(&ahead.ledger, both, rules(), later);
    assert_eq!(verified.err(), Some(ProposalFault::FallsOut));
}

#[test]
fn rejects_a_proposal_in_another_order_with_a_transaction_twice_or_beyond_its_bytes() {
    let (driver, time) = with_payments();
    let state = driver.chain.shown();
    let proposed = state.propose(&state.ledger, rules(), time);
    let right = told(&proposed);
    let turned: Vec<Transaction> = right.iter().rev().cloned().collect();
    let twice = vec![right[0].clone(), right[0].clone()];
    for set in [turned, twice] {
        let verified = state.verify(&state.ledger, set, rules(), time);
        assert_eq!(verified.err(), Some(ProposalFault::Order));
    }
    let first = state.open.accepted().iter().next().expect("one").blob().len();
    let bytes_max = first + 1;
    let small = state.propose(&state.ledger, ProposalRules { bytes_max, ..rules() }, time);
    assert_eq!(small.applied.len(), 1, "the other waits");
}

// Spec: 7.2.
#[test]
fn accepts_key_sets_with_their_quorum_and_rejects_other_transactions_of_validators() {
    let (mut driver, name) = asked();
    for number in [2, 3] {
        driver.handle(Event::Attestation(word(number, &name, record(&name), driver.now)));
    }
    let time = CloseTime::new(driver.now + 1);
    let state = driver.chain.shown();
    let proposed = state.propose(&state.ledger, rules(), time);
    let set = told(&proposed);
    assert_eq!(
        set.iter().map(Transaction::tx_type).collect::<Vec<_>>(),
        [TxType::DkimKeySet]
    );
    // One that has heard nothing checks it by signatures and quorum alone.
    let other = Driver::new(3);
    let verified = other.chain.shown().verify(&state.ledger, set, rules(), time);
    assert_eq!(verified.expect("right").ledger.hash(), proposed.ledger.hash());

    let enable = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::EnableAmendment.code())
        .with(sf::ACCOUNT, codec::AccountId::ZERO)
        .with(sf::SEQUENCE, 0u32)
        .with(sf::FEE, codec::Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice())
        .with(sf::LEDGER_SEQUENCE, state.ledger.index().get() + 1)
        .with(sf::AMENDMENT, codec::Hash256::new([7; 32]));
    let enable = Transaction::from_object(&enable).expect("a transaction");
    let verified = state.verify(&state.ledger, vec![enable], rules(), time);
    assert_eq!(
        verified.err(),
        Some(ProposalFault::Uncalled),
        "no votes ask for it"
    );
}

#[test]
fn rejects_a_final_ledger_that_follows_another_one() {
    let (mut driver, time) = with_payments();
    let ledger = driver.chain.shown().ledger.clone();
    let first = ledger::close::close_at(&ledger, [], time, 0);
    let second = ledger::close::close_at(&first.ledger, [], CloseTime::new(time.seconds() + 1), 0);
    let request = driver.close_to(second.clone());
    assert_eq!(driver.refusal(request), Some(Refusal::OutOfOrder));
    assert_eq!(driver.chain.shown().ledger.hash(), ledger.hash());
    driver.close_to(first);
    driver.settle();
    driver.close_to(second.clone());
    driver.settle();
    assert_eq!(driver.chain.shown().ledger.hash(), second.ledger.hash());
}
