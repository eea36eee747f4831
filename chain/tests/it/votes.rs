//! Votes of validators: what the operator wants becomes a vote on the ledger, and the votes become what they ask
//! for. Spec 15.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use chain::commit::{Change, Vote};
use chain::{Epochs, Event, ProposalFault, ProposalRules, Reply};
use codec::format::TxType;
use codec::keys::PublicKey;
use codec::{CloseTime, Hash256, LedgerIndex};
use ledger::amendments::id;
use ledger::votes::{self, SignedVote, Wish};
use ledger::{Closed, Header, Ledger, Transaction, dkim};

use crate::driver::{Driver, NETWORK, first_ledger, validator};

/// An amendment that the first ledger has not and whose name the chain does not know.
const OTHER: Hash256 = Hash256::new([7; 32]);

fn keys(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<PublicKey> {
    numbers
        .into_iter()
        .map(|number| validator(number).public_key())
        .collect()
}

fn list(numbers: impl IntoIterator<Item = u8>) -> Wish {
    Wish {
        validators: keys(numbers),
        ..Wish::default()
    }
}

fn vote(number: u8, wish: &Wish, at: u32) -> SignedVote {
    let signed = SignedVote::sign(NETWORK, wish.clone(), CloseTime::new(at), &validator(number));
    signed.expect("within bounds")
}

/// The list may change in ledgers 5, 10, 15 and so on.
fn rules() -> ProposalRules {
    ProposalRules {
        network_id: NETWORK,
        majority_secs: 0,
        epochs: Some(Epochs {
            first: LedgerIndex::new(2),
            ledgers: NonZeroU32::new(5).expect("not 0"),
        }),
        bytes_max: usize::MAX,
    }
}

fn want(driver: &mut Driver, wanted: impl IntoIterator<Item = u8>) {
    let request = driver.request();
    let wanted = keys(wanted);
    driver.handle(Event::WantList { request, wanted });
    driver.settle();
    assert!(matches!(driver.told(request), Some(Reply::Done)));
}

fn own_vote(driver: &Driver) -> Option<SignedVote> {
    driver.chain.shown().vote_of(&validator(1).public_key())
}

fn types(transactions: &[Transaction]) -> Vec<TxType> {
    transactions.iter().map(Transaction::tx_type).collect()
}

/// The transactions of a proposal, as they are told.
fn told(closed: &Closed) -> Vec<Transaction> {
    let mut transactions: Vec<_> = closed.applied.iter().map(|applied| applied.tx.clone()).collect();
    transactions.sort_by_key(Transaction::id);
    transactions
}

/// The state of a ledger under another number.
fn at_index(ledger: &Ledger, index: u32) -> Ledger {
    let header = Header {
        index: LedgerIndex::new(index),
        ..*ledger.header()
    };
    Ledger::from_parts(header, ledger.state().clone(), ledger.transactions().clone()).expect("same roots")
}

/// Ledgers after this one in which all of so many validators want the same, up to this index.
fn with_votes(ledger: &Ledger, validators: u8, wish: &Wish, index: u32) -> Ledger {
    let time = ledger.close_time().seconds();
    let votes = (1..=validators).map(|number| vote(number, wish, time));
    let votes = votes.map(|vote| vote.transaction(ledger).expect("a transaction"));
    let closed = ledger::close(ledger, votes, CloseTime::new(time + 1));
    assert_eq!(closed.applied.len(), usize::from(validators));
    at_index(&closed.ledger, index)
}

// Spec: 15.2.
#[test]
fn accepts_the_operators_wish_as_a_vote_until_a_ledger_has_it() {
    let mut driver = Driver::new(3);
    assert_eq!(
        own_vote(&driver),
        None,
        "a validator that was told nothing says nothing"
    );
    assert!(!driver.chain.shown().has_work());
    want(&mut driver, [1, 2, 3, 4]);
    let said = own_vote(&driver).expect("a vote");
    assert_eq!((&said.wish, said.is_good(NETWORK)), (&list([1, 2, 3, 4]), true));
    assert!(driver.chain.shown().has_work(), "a ledger is due for it");
    assert_eq!(driver.proposed_types(), [TxType::ValidatorVote]);
    driver.close();
    driver.settle();
    let standing = votes::standing(&driver.chain.shown().ledger);
    assert_eq!(standing[&validator(1).public_key()].wish, list([1, 2, 3, 4]));
    assert_eq!((own_vote(&driver), driver.proposed_types()), (None, vec![]));
    // Told that it wants nothing more, it says so once.
    want(&mut driver, []);
    assert_eq!(own_vote(&driver).map(|vote| vote.wish), Some(Wish::default()));
    driver.close();
    driver.settle();
    assert_eq!((own_vote(&driver), driver.proposed_types()), (None, vec![]));
}

// Spec: 15.2.
#[test]
fn rejects_a_vote_of_one_that_is_no_validator_or_wants_what_there_is() {
    let mut driver = Driver::new(3);
    want(&mut driver, [3, 2, 1]);
    assert_eq!(own_vote(&driver), None, "it is the list already");
    let request = driver.request();
    driver.handle(Event::Vote {
        request,
        amendment: id("Flow"),
        vote: Vote::For,
    });
    driver.settle();
    assert_eq!(own_vote(&driver), None, "it is enabled");
    let parent = with_votes(&first_ledger(3), 3, &list([2, 3]), 4);
    let closed = ledger::close(&parent, votes::list_reports(&parent), parent.close_time());
    let mut follower = Driver::on(closed.ledger);
    want(&mut follower, [1, 2, 3]);
    assert_eq!(own_vote(&follower), None, "it has no vote");
}

// Spec: 15.1, 15.2.
#[test]
fn accepts_a_vote_again_under_a_new_time_while_no_ledger_takes_it() {
    let mut driver = Driver::new(3);
    want(&mut driver, [1, 2]);
    let first = own_vote(&driver).expect("a vote");
    driver.now += 200;
    driver.close_with(Vec::new());
    driver.settle();
    assert_eq!(own_vote(&driver), Some(first.clone()), "it is good for a while");
    driver.now += 200;
    driver.close_with(Vec::new());
    driver.settle();
    let second = own_vote(&driver).expect("a vote");
    assert!(second.observed_at > first.observed_at && second.wish == first.wish);
    assert!(second.counts_after(&driver.chain.shown().ledger));
}

#[test]
fn accepts_a_wish_after_a_restart_and_not_one_that_the_disk_refused() {
    let mut driver = Driver::new(3);
    want(&mut driver, [1, 2, 5]);
    assert!(
        driver
            .disk
            .iter()
            .any(|change| matches!(change, Change::List(Some(list)) if list.wanted == keys([1, 2, 5])))
    );
    let driver = driver.restarted();
    assert_eq!(own_vote(&driver).map(|vote| vote.wish), Some(list([1, 2, 5])));

    let mut driver = Driver::new(3);
    let request = driver.request();
    driver.handle(Event::WantList {
        request,
        wanted: keys([1]),
    });
    driver.fails(chain::CommitFailure::DiskFull);
    assert_eq!(
        own_vote(&driver),
        None,
        "the operator was told that it is not done"
    );
    assert!(driver.refusal(request).is_some());
}

// Spec: 15.1, 15.2.
#[test]
fn accepts_votes_of_others_once_and_rejects_strangers_forgeries_and_older_ones() {
    let mut driver = Driver::new(3);
    let now = driver.now;
    driver.handle(Event::Ballot(vote(2, &list([1]), now)));
    driver.handle(Event::Ballot(vote(9, &list([1]), now)));
    let forged = SignedVote {
        wish: list([2]),
        ..vote(3, &list([1]), now)
    };
    driver.handle(Event::Ballot(forged));
    driver.handle(Event::Ballot(vote(2, &list([3]), now - 1)));
    driver.settle();
    assert_eq!(driver.proposed_types(), [TxType::ValidatorVote]);
    driver.close();
    driver.settle();
    let standing = votes::standing(&driver.chain.shown().ledger);
    assert_eq!(standing.len(), 1);
    assert_eq!(standing[&validator(2).public_key()].wish, list([1]));
    driver.handle(Event::Ballot(vote(2, &list([1]), now)));
    driver.settle();
    assert_eq!(driver.proposed_types(), [], "a ledger has it");
}

// Spec: 15.4.
#[test]
fn accepts_the_new_list_in_the_last_ledger_but_one_of_an_epoch_alone() {
    let first = first_ledger(4);
    let state = Driver::new(4).chain.shown().clone();
    for (parent, changes) in [(3, false), (4, true), (5, false), (9, true)] {
        let parent = with_votes(&first, 4, &list([1, 2, 5]), parent);
        let time = CloseTime::new(parent.close_time().seconds() + 1);
        let proposed = state.propose(&parent, rules(), time);
        let expected = if changes { 3 } else { 0 };
        assert_eq!(types(&told(&proposed)), vec![TxType::UnlReport; expected]);
        let verified = state.verify(&parent, told(&proposed), rules(), time);
        assert_eq!(verified.expect("right").ledger.hash(), proposed.ledger.hash());
        let listed: BTreeSet<PublicKey> = dkim::validators(&proposed.ledger).into_iter().collect();
        assert_eq!(listed, if changes { keys([1, 2, 5]) } else { keys(1..=4) });
    }
}

// Spec: 15.4.
#[test]
fn rejects_a_list_that_is_not_the_called_for_one_in_part_or_out_of_turn() {
    let parent = with_votes(&first_ledger(4), 4, &list([1, 2, 5]), 4);
    let time = CloseTime::new(parent.close_time().seconds() + 1);
    let state = Driver::new(4).chain.shown().clone();
    let right = told(&state.propose(&parent, rules(), time));
    let fault = |parent: &Ledger, set: Vec<Transaction>| state.verify(parent, set, rules(), time).err();
    assert_eq!(fault(&parent, Vec::new()), Some(ProposalFault::Missing));
    assert_eq!(fault(&parent, right[1..].to_vec()), Some(ProposalFault::Missing));
    let out_of_turn = with_votes(&first_ledger(4), 4, &list([1, 2, 5]), 5);
    let reports = votes::list_reports(&out_of_turn);
    assert_eq!(
        fault(&out_of_turn, sorted(reports)),
        Some(ProposalFault::Uncalled)
    );
    let other = with_votes(&first_ledger(4), 4, &list([9]), 4);
    let mut more = right.clone();
    more.extend(votes::list_reports(&other));
    assert_eq!(fault(&parent, sorted(more)), Some(ProposalFault::Uncalled));
    let never = ProposalRules {
        epochs: None,
        ..rules()
    };
    assert!(
        told(&state.propose(&parent, never, time)).is_empty(),
        "on one machine"
    );
    assert!(state.verify(&parent, Vec::new(), never, time).is_ok());
}

fn sorted(mut set: Vec<Transaction>) -> Vec<Transaction> {
    set.sort_by_key(Transaction::id);
    set
}

// Spec: 15.3.
#[test]
fn accepts_the_amendments_that_the_votes_come_to_whatever_the_node_wants_and_rejects_a_ledger_without_them() {
    let wish = Wish {
        amendments: BTreeSet::from([OTHER]),
        ..Wish::default()
    };
    let parent = with_votes(&first_ledger(3), 3, &wish, 256);
    let time = CloseTime::new(parent.close_time().seconds() + 1);
    let state = Driver::new(3).chain.shown().clone();
    assert_eq!(state.votes.wish(&parent), Wish::default(), "it does not want it");
    let proposed = state.propose(&parent, rules(), time);
    assert_eq!(types(&told(&proposed)), [TxType::EnableAmendment]);
    assert!(state.verify(&parent, told(&proposed), rules(), time).is_ok());
    let without = state.verify(&parent, Vec::new(), rules(), time);
    assert_eq!(without.err(), Some(ProposalFault::Missing));
}

// Spec: 15.1.
#[test]
fn accepts_a_vote_in_a_proposal_that_this_node_has_not_heard_and_rejects_a_forged_one() {
    let state = Driver::new(3).chain.shown().clone();
    let parent = &state.ledger;
    let (now, time) = (
        parent.close_time().seconds(),
        CloseTime::new(parent.close_time().seconds() + 1),
    );
    let cast = |vote: &SignedVote| vec![vote.transaction(parent).expect("a transaction")];
    let good = vote(2, &list([1]), now);
    assert!(state.verify(parent, cast(&good), rules(), time).is_ok());
    let forged = SignedVote {
        wish: list([2]),
        ..good
    };
    let verified = state.verify(parent, cast(&forged), rules(), time);
    assert_eq!(verified.err(), Some(ProposalFault::FallsOut));
}
