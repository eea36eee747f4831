//! Several transactions in one ledger: order, passes, fees, close times. Expected values: xahaud's rules.

use super::common::{World, XAH, id, key, native, payment, remit};
use codec::{CloseTime, Hash256, Ter, keylet, sf};
use ledger::replay::{EngineResult, Expected, RecordedLedger, Submission, replay};
use ledger::{StateMap, Transaction, close};
use proptest::prelude::*;

/// A few transactions of three accounts that depend on each other.
fn transactions(world: &World) -> Vec<Transaction> {
    let next = |number: u8, offset: u32, object: codec::Object| {
        let sequence = world.sequence(id(number)) + offset;
        world.sign(&key(number), id(number), object.with(sf::SEQUENCE, sequence))
    };
    vec![
        next(1, 0, remit(id(2), 50 * XAH)),
        next(1, 1, payment(id(9), 5 * XAH)),
        next(2, 0, payment(id(3), 120 * XAH)),
        next(2, 1, remit(id(10), XAH)),
        next(3, 0, payment(id(1), 150 * XAH)),
        next(3, 1, remit(id(9), 2)),
        next(3, 2, remit(id(3), 2)),
    ]
}

#[test]
fn accepts_what_another_transaction_of_the_ledger_makes_possible() {
    let world = World::new();
    let closed = close(&world.ledger, transactions(&world), CloseTime::new(0));
    let failed: Vec<Ter> = closed
        .applied
        .iter()
        .map(|tx| tx.ter)
        .filter(|ter| *ter != Ter::TES_SUCCESS)
        .collect();
    // 2 has 100 + 50 XAH in time, 3 has 100 + 120, whatever the order of the accounts.
    assert_eq!((closed.applied.len(), failed), (6, vec![]));
    assert_eq!(
        closed.dropped.iter().map(|(_, ter)| *ter).collect::<Vec<_>>(),
        [Ter::TEM_REDUNDANT]
    );
    let numbers: Vec<u32> = closed.applied.iter().map(|tx| tx.index).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    let drops = world.ledger.header().total_drops.get() - closed.ledger.header().total_drops.get();
    assert_eq!(drops, 60, "six fees are destroyed");
}

#[test]
fn rejects_only_in_the_last_pass_and_takes_the_fee_then() {
    let world = World::new();
    let poor = world.sign(&key(1), id(1), payment(id(2), 100 * XAH));
    let closed = close(&world.ledger, [poor], CloseTime::new(0));
    assert_eq!(closed.applied[0].ter, Ter::TEC_UNFUNDED_PAYMENT);
    assert_eq!(closed.applied[0].metadata.u8(sf::TRANSACTION_RESULT), Some(104));
}

#[test]
fn rejects_a_gap_in_the_sequence_for_this_ledger_only() {
    let world = World::new();
    let early = world.sign(
        &key(1),
        id(1),
        remit(id(2), 1).with(sf::SEQUENCE, world.sequence(id(1)) + 1),
    );
    let closed = close(&world.ledger, [early.clone()], CloseTime::new(0));
    assert!(closed.applied.is_empty() && closed.dropped.is_empty());
    assert_eq!(
        closed.retry.iter().map(Transaction::id).collect::<Vec<_>>(),
        [early.id()]
    );
}

#[test]
fn rejects_a_fee_that_the_balance_cannot_pay_by_taking_the_balance() {
    // Closed ledgers only (xahaud checkFee): 0 < balance < Fee claims what is there.
    let world = World::new();
    let rich_fee = world.sign(&key(1), id(1), remit(id(2), 1).with(sf::FEE, native(101 * XAH)));
    let closed = close(&world.ledger, [rich_fee], CloseTime::new(0));
    assert_eq!(closed.applied[0].ter, Ter::TEC_INSUFF_FEE);
    assert_eq!(
        closed.ledger.header().total_drops.get(),
        100_000_000 * XAH - 30 - 100 * XAH
    );
}

#[test]
fn accepts_changes_as_exactly_the_difference_of_the_states() {
    let world = World::new();
    let closed = close(&world.ledger, transactions(&world), CloseTime::new(0));
    let mut state: StateMap = world.ledger.state().clone();
    for (index, bytes) in &closed.changes {
        assert_ne!(state.entry(index), bytes.as_deref());
        match bytes {
            Some(bytes) => state.insert(*index, bytes.as_slice()),
            None => assert!(state.remove(index)),
        }
    }
    assert_eq!(state.root_hash(), closed.ledger.header().account_hash);
    assert!(closed.changes.iter().any(|(index, _)| *index == keylet::skip()));
}

#[test]
fn accepts_agreement_and_disagreement_on_the_close_time() {
    let world = World::new();
    let parent = world.ledger.close_time().seconds();
    let agreed = close(&world.ledger, [], CloseTime::new(parent + 100)).ledger;
    assert_eq!(agreed.header().close_time.seconds() % 30, 0);
    assert_eq!(agreed.header().close_flags, 0);
    let disagreed = close(&world.ledger, [], CloseTime::new(0)).ledger;
    assert_eq!(
        (
            disagreed.header().close_time.seconds(),
            disagreed.header().close_flags
        ),
        (parent + 1, 1)
    );
    let coarser = close(&disagreed, [], CloseTime::new(parent + 100)).ledger;
    assert_eq!(coarser.header().close_resolution, 60);
}

/// A record of our own ledger: nothing to compare with, but the submissions go the same way.
fn recorded(world: &World, txs: &[Transaction]) -> RecordedLedger {
    let submissions = txs
        .iter()
        .map(|tx| Submission {
            tx_blob: tx.blob().to_vec(),
            engine_result: EngineResult::NotRecorded,
            tx_id: None,
        })
        .collect();
    RecordedLedger {
        name: "several".into(),
        parent: *world.ledger.header(),
        state_before: world
            .ledger
            .state()
            .iter()
            .map(|(key, bytes)| (key, bytes.to_vec()))
            .collect(),
        submissions,
        close_time: CloseTime::new(world.ledger.close_time().seconds() + 1),
        expected: Expected {
            applied: std::collections::BTreeMap::new(),
            header: Vec::new(),
            ledger_hash: Hash256::ZERO,
            state_after: Vec::new(),
        },
    }
}

#[test]
fn accepts_held_submissions_after_the_one_that_was_missing() {
    let world = World::new();
    let next = |offset: u32| {
        let sequence = world.sequence(id(1)) + offset;
        world.sign(&key(1), id(1), remit(id(2), 1).with(sf::SEQUENCE, sequence))
    };
    let outcome = replay(&recorded(&world, &[next(2), next(1), next(0)]));
    let answers: Vec<Ter> = outcome
        .submitted
        .iter()
        .map(|answer| answer.as_ref().unwrap().as_ref().unwrap().ter)
        .collect();
    assert_eq!(answers, [Ter::TER_PRE_SEQ, Ter::TER_PRE_SEQ, Ter::TES_SUCCESS]);
    assert_eq!(
        outcome.closed.applied.len(),
        3,
        "one after the other, as xahaud takes them up"
    );
}

#[test]
fn rejects_held_submissions_while_one_is_missing() {
    let world = World::new();
    let sequence = world.sequence(id(1));
    let sign = |object| world.sign(&key(1), id(1), object);
    let gap = sign(remit(id(2), 1).with(sf::SEQUENCE, sequence + 2));
    // A tec is no success: what waits goes on waiting, until the close tries it once more (LedgerMaster.cpp
    // `applyHeldTransactions`).
    let poor = sign(remit(id(2), 1_000 * XAH));
    let after = sign(remit(id(2), 1).with(sf::SEQUENCE, sequence + 1));
    let applied = |txs: &[Transaction]| replay(&recorded(&world, txs)).closed.applied.len();
    assert_eq!(applied(&[gap.clone(), sign(remit(id(2), 1))]), 1);
    assert_eq!(applied(&[after.clone(), poor.clone()]), 2);
    assert_eq!(applied(&[poor, after, gap]), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn accepts_any_order_of_the_same_transactions(order in Just((0..7).collect::<Vec<usize>>()).prop_shuffle()) {
        let world = World::new();
        let txs = transactions(&world);
        let expected = close(&world.ledger, txs.clone(), CloseTime::new(0)).ledger.hash();
        let shuffled: Vec<_> = order.iter().map(|at| txs[*at].clone()).collect();
        let twice = shuffled.iter().chain(&txs).cloned();
        prop_assert_eq!(close(&world.ledger, shuffled.clone(), CloseTime::new(0)).ledger.hash(), expected);
        prop_assert_eq!(close(&world.ledger, twice, CloseTime::new(0)).ledger.hash(), expected);
        prop_assert_ne!(expected, Hash256::ZERO);
    }

    #[test]
    fn rejects_arbitrary_bytes_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Transaction::parse(&bytes).is_err());
    }

    #[test]
    fn accepts_or_rejects_mutated_transactions_without_a_panic(at in 0usize..150, byte in any::<u8>()) {
        let world = World::new();
        let mut blob = world.sign(&key(1), id(1), remit(id(2), 1)).blob().to_vec();
        let at = at % blob.len();
        blob[at] = byte;
        if let Ok(tx) = Transaction::parse(&blob) {
            let before = world.ledger.header().total_drops;
            let closed = close(&world.ledger, [tx], CloseTime::new(0));
            prop_assert!(closed.ledger.header().total_drops <= before);
        }
    }
}
