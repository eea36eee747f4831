//! Votes of validators on the ledger (spec 15). Expected values are hand work after the spec.

use std::collections::BTreeSet;

use codec::format::TxType;
use codec::keys::{KeyPair, PublicKey};
use codec::{AccountId, Amount, CloseTime, Hash256, LedgerIndex, Object, Ter, flags, keylet, sf};
use ledger::amendments;
use ledger::dkim::{self, KeyDelays};
use ledger::genesis::EmailAmendment;
use ledger::votes::{self, SignedVote, Wish, vote_message};
use ledger::{Closed, GenesisConfig, Header, Ledger, Transaction, close};

const NETWORK: u32 = 21_338;
const START: u32 = 800_000_000;

fn validator(number: u8) -> KeyPair {
    KeyPair::ed25519([number; 16])
}

fn keys(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<PublicKey> {
    numbers
        .into_iter()
        .map(|number| validator(number).public_key())
        .collect()
}

/// A first ledger of validators 1 to so many, without Email.
fn genesis(validators: u8) -> Ledger {
    Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: keys(1..=validators).into_iter().collect(),
        email: EmailAmendment::Absent,
        close_time: CloseTime::new(START),
        key_delays: KeyDelays::NONE,
    })
}

fn email() -> Wish {
    Wish {
        amendments: BTreeSet::from([amendments::id("Email")]),
        ..Wish::default()
    }
}

fn list(numbers: impl IntoIterator<Item = u8>) -> Wish {
    Wish {
        validators: keys(numbers),
        ..Wish::default()
    }
}

fn vote(number: u8, wish: &Wish, observed: u32) -> SignedVote {
    let observed = CloseTime::new(observed);
    SignedVote::sign(NETWORK, wish.clone(), observed, &validator(number)).expect("within bounds")
}

fn cast(parent: &Ledger, vote: &SignedVote) -> Transaction {
    vote.transaction(parent).expect("a transaction")
}

fn closed(parent: &Ledger, txs: Vec<Transaction>) -> Closed {
    close(parent, txs, CloseTime::new(parent.close_time().seconds() + 5))
}

/// What the next ledger says about each.
fn results(parent: &Ledger, txs: Vec<Transaction>) -> Vec<Ter> {
    let closed = closed(parent, txs);
    let done = closed.applied.iter().map(|tx| tx.ter);
    done.chain(closed.dropped.iter().map(|(_, ter)| *ter)).collect()
}

/// The ledger after `parent` in which these validators want the same.
fn voted(parent: &Ledger, numbers: impl IntoIterator<Item = u8>, wish: &Wish) -> Ledger {
    let time = parent.close_time().seconds();
    let votes: Vec<Transaction> = numbers
        .into_iter()
        .map(|number| cast(parent, &vote(number, wish, time)))
        .collect();
    let count = votes.len();
    let closed = closed(parent, votes);
    assert_eq!(closed.applied.len(), count, "{:?}", closed.dropped);
    closed.ledger
}

/// The same state under another number.
fn at_index(ledger: &Ledger, index: u32) -> Ledger {
    let header = Header {
        index: LedgerIndex::new(index),
        parent_close_time: CloseTime::new(ledger.close_time().seconds() - 1),
        ..*ledger.header()
    };
    Ledger::from_parts(header, ledger.state().clone(), ledger.transactions().clone()).expect("same roots")
}

fn observed(ledger: &Ledger, number: u8) -> Option<u32> {
    let standing = votes::standing(ledger);
    let vote = standing.get(&validator(number).public_key())?;
    Some(vote.observed_at.seconds())
}

/// The vote's transaction with other fields.
fn changed(parent: &Ledger, change: impl FnOnce(Object) -> Object) -> Transaction {
    let good = cast(parent, &vote(1, &list([1, 2]), START + 5));
    Transaction::from_object(&change(good.object().clone())).expect("template")
}

// Spec: 15.1.
#[test]
fn accepts_the_vote_message_of_the_table() {
    let wish = Wish {
        amendments: BTreeSet::from([Hash256::new([9; 32]), Hash256::new([7; 32])]),
        validators: BTreeSet::from([PublicKey::parse(&[0xED; 33]).expect("a key")]),
    };
    let message = vote_message(21_338, &wish, CloseTime::new(0x0102_0304));
    let by_hand = [
        b"VAV\0".as_slice(),
        &[0, 0, 0x53, 0x5A],
        &[1, 2, 3, 4],
        &[2],
        &[7; 32],
        &[9; 32],
        &[1],
        &[0xED; 33],
    ]
    .concat();
    assert_eq!(message, Some(by_hand));
    let nothing = vote_message(21_338, &Wish::default(), CloseTime::new(0));
    assert_eq!(
        nothing,
        Some([b"VAV\0".as_slice(), &[0, 0, 0x53, 0x5A, 0, 0, 0, 0, 0, 0]].concat())
    );
}

// Spec: 15.1, 15.2.
#[test]
fn accepts_a_vote_until_the_validator_casts_another() {
    let first = genesis(2);
    let tx = cast(&first, &vote(1, &email(), START + 5));
    let closed_once = closed(&first, vec![tx.clone()]);
    assert_eq!(closed_once.applied[0].ter, Ter::TES_SUCCESS);
    let ledger = closed_once.ledger;
    assert_eq!(ledger.header().total_drops, first.header().total_drops);
    let entry = ledger.entry(&keylet::validator_votes()).expect("an entry");
    assert_eq!(entry.hash256(sf::PREVIOUS_TXN_ID), Some(tx.id()));
    let votes = entry.array(sf::VOTES).expect("votes");
    let expected = Object::new()
        .with(sf::OBSERVED_AT, START + 5)
        .with(sf::PUBLIC_KEY, validator(1).public_key().as_bytes().as_slice())
        .with(sf::AMENDMENTS, vec![amendments::id("Email")]);
    assert_eq!(votes, [(sf::VOTE, expected)]);
    // Another one of the same validator, beside one of the other.
    let both = vec![
        cast(&ledger, &vote(1, &Wish::default(), START + 6)),
        cast(&ledger, &vote(2, &list([1]), START + 4)),
    ];
    assert_eq!(results(&ledger, both.clone()), [Ter::TES_SUCCESS; 2]);
    let ledger = closed(&ledger, both).ledger;
    let standing = votes::standing(&ledger);
    assert_eq!(standing.len(), 2);
    assert_eq!(
        standing[&validator(1).public_key()].wish,
        Wish::default(),
        "it wants nothing more, which stands too"
    );
    assert_eq!(standing[&validator(2).public_key()].wish, list([1]));
    let entry = ledger.entry(&keylet::validator_votes()).expect("an entry");
    let votes = entry.array(sf::VOTES).expect("votes").iter();
    let ordered: Vec<Option<&[u8]>> = votes.map(|(_, vote)| vote.blob(sf::PUBLIC_KEY)).collect();
    assert!(ordered.is_sorted(), "ascending by key");
}

// Spec: 15.1.
#[test]
fn rejects_votes_that_no_listed_validator_signed() {
    let ledger = genesis(2);
    let good = vote(1, &email(), START + 5);
    assert_eq!(results(&ledger, vec![cast(&ledger, &good)]), [Ter::TES_SUCCESS]);
    let stranger = vote(3, &email(), START + 5);
    assert_eq!(
        results(&ledger, vec![cast(&ledger, &stranger)]),
        [Ter::TEF_BAD_AUTH]
    );
    let of_another_network = SignedVote::sign(NETWORK + 1, email(), CloseTime::new(START + 5), &validator(1));
    let forged = [
        of_another_network.expect("within bounds"),
        SignedVote {
            wish: Wish::default(),
            ..good.clone()
        },
        SignedVote {
            observed_at: CloseTime::new(START + 6),
            ..good.clone()
        },
        SignedVote {
            public_key: validator(2).public_key(),
            ..good
        },
    ];
    for vote in forged {
        assert_eq!(
            results(&ledger, vec![cast(&ledger, &vote)]),
            [Ter::TEF_BAD_SIGNATURE]
        );
    }
}

// Spec: 15.1.
#[test]
fn accepts_votes_up_to_600_seconds_from_the_ledger_and_rejects_further_ones() {
    let ledger = genesis(1);
    for time in [START - 600, START + 600] {
        let tx = cast(&ledger, &vote(1, &email(), time));
        assert_eq!(results(&ledger, vec![tx]), [Ter::TES_SUCCESS], "{time}");
    }
    for time in [START - 601, START + 601] {
        let tx = cast(&ledger, &vote(1, &email(), time));
        assert_eq!(results(&ledger, vec![tx]), [Ter::TEF_PAST_SEQ], "{time}");
    }
}

// Spec: 15.1.
#[test]
fn rejects_a_vote_that_is_not_after_the_last_one_and_a_second_one_in_a_ledger() {
    let first = genesis(1);
    let ledger = voted(&first, [1], &email());
    for time in [START, START - 1] {
        let tx = cast(&ledger, &vote(1, &Wish::default(), time));
        assert_eq!(results(&ledger, vec![tx]), [Ter::TEF_PAST_SEQ], "{time}");
    }
    let two =
        [(START + 1, 8), (START + 2, 9)].map(|(time, number)| cast(&ledger, &vote(1, &list([number]), time)));
    let mut both = results(&ledger, two.to_vec());
    both.sort_by_key(|ter| ter.code());
    assert_eq!(both, [Ter::TEF_PAST_SEQ, Ter::TES_SUCCESS]);
    // The same where nothing stood before.
    let two = [START + 1, START + 2].map(|time| cast(&first, &vote(1, &email(), time)));
    let mut both = results(&first, two.to_vec());
    both.sort_by_key(|ter| ter.code());
    assert_eq!(both, [Ter::TEF_PAST_SEQ, Ter::TES_SUCCESS]);
}

// Spec: 15.1.
#[test]
fn rejects_other_spellings_of_a_vote_and_one_for_another_ledger() {
    let ledger = genesis(2);
    assert_eq!(
        results(&ledger, vec![changed(&ledger, |vote| vote)]),
        [Ter::TES_SUCCESS]
    );
    let named = |number: u8| {
        let key = validator(number).public_key();
        Object::new().with(sf::PUBLIC_KEY, key.as_bytes().as_slice())
    };
    let list_of = |elements: Vec<Object>| {
        let elements = elements.into_iter().map(|one| (sf::ACTIVE_VALIDATOR, one));
        elements.collect::<Vec<_>>()
    };
    let mut sorted = [named(1), named(2)];
    sorted.sort_by_key(|one| one.blob(sf::PUBLIC_KEY).map(<[u8]>::to_vec));
    let [low, high] = sorted;
    let twice = list_of(vec![low.clone(), low.clone(), high.clone()]);
    let turned = list_of(vec![high.clone(), low.clone()]);
    let with_account = list_of(vec![low.with(sf::ACCOUNT, AccountId::ONE), high]);
    let ids = |ids: &[u8]| ids.iter().map(|id| Hash256::new([*id; 32])).collect::<Vec<_>>();
    let malformed = [
        changed(&ledger, |vote| vote.with(sf::FLAGS, 1u32)),
        changed(&ledger, |vote| vote.with(sf::ACTIVE_VALIDATORS, turned)),
        changed(&ledger, |vote| vote.with(sf::ACTIVE_VALIDATORS, twice)),
        changed(&ledger, |vote| vote.with(sf::ACTIVE_VALIDATORS, with_account)),
        changed(&ledger, |vote| {
            vote.with(sf::ACTIVE_VALIDATORS, list_of(Vec::new()))
        }),
        changed(&ledger, |vote| vote.with(sf::AMENDMENTS, ids(&[2, 1]))),
        changed(&ledger, |vote| vote.with(sf::AMENDMENTS, ids(&[1, 1]))),
        changed(&ledger, |vote| vote.with(sf::PUBLIC_KEY, b"no key".as_slice())),
    ];
    for (number, tx) in malformed.into_iter().enumerate() {
        assert_eq!(results(&ledger, vec![tx]), [Ter::TEM_MALFORMED], "{number}");
    }
    let other = changed(&ledger, |vote| vote.with(sf::LEDGER_SEQUENCE, 3u32));
    assert_eq!(results(&ledger, vec![other]), [Ter::TEF_PAST_SEQ]);
}

// Spec: 15.1.
#[test]
fn accepts_32_amendments_and_64_validators_and_rejects_more() {
    let ledger = genesis(1);
    let wish = |ids: u8, validators: u8| Wish {
        amendments: (0..ids).map(|id| Hash256::new([id; 32])).collect(),
        validators: keys(1..=validators),
    };
    let most = vote(1, &wish(32, 64), START + 5);
    assert_eq!(results(&ledger, vec![cast(&ledger, &most)]), [Ter::TES_SUCCESS]);
    for wish in [wish(33, 0), wish(0, 65)] {
        assert_eq!(
            SignedVote::sign(NETWORK, wish.clone(), CloseTime::new(START), &validator(1)),
            None
        );
        let vote = SignedVote { wish, ..most.clone() };
        assert_eq!(results(&ledger, vec![cast(&ledger, &vote)]), [Ter::TEM_MALFORMED]);
    }
}

// Spec: 15.1.
#[test]
fn rejects_a_list_with_a_key_that_cannot_vote_about_blocks() {
    let ledger = genesis(1);
    let secp256k1 =
        KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").expect("the seed of the genesis account");
    let mut validators = keys(1..=3);
    let wish_for = |validators: &BTreeSet<PublicKey>| Wish {
        validators: validators.clone(),
        ..Wish::default()
    };
    let good = vote(1, &wish_for(&validators), START + 5);
    assert_eq!(results(&ledger, vec![cast(&ledger, &good)]), [Ter::TES_SUCCESS]);
    validators.insert(secp256k1.public_key());
    let wish = wish_for(&validators);
    assert_eq!(
        SignedVote::sign(NETWORK, wish.clone(), CloseTime::new(START), &validator(1)),
        None
    );
    let bad = SignedVote { wish, ..good };
    assert_eq!(results(&ledger, vec![cast(&ledger, &bad)]), [Ter::TEM_MALFORMED]);
}

// Spec: 15.3.
#[test]
fn accepts_an_amendment_of_more_than_80_percent_and_rejects_it_of_fewer() {
    let first = genesis(5);
    for (wanting, gains) in [(4, false), (5, true)] {
        let ledger = voted(&first, 1..=wanting, &email());
        assert!(votes::amendment_changes(&ledger, 0).is_empty(), "no flag ledger");
        let changes = votes::amendment_changes(&at_index(&ledger, 256), 0);
        let flags: Vec<u32> = changes.iter().map(Transaction::flags).collect();
        let expected = if gains {
            vec![flags::TF_GOT_MAJORITY]
        } else {
            Vec::new()
        };
        assert_eq!(flags, expected, "{wanting} of 5");
    }
}

// Spec: 15.3.
#[test]
fn accepts_an_amendment_that_keeps_its_majority_and_one_that_loses_it() {
    let flag = at_index(&voted(&genesis(1), [1], &email()), 256);
    let gained = closed(&flag, votes::amendment_changes(&flag, 600)).ledger;
    let next = at_index(&gained, 512);
    assert!(votes::amendment_changes(&next, 600).is_empty(), "not yet");
    let due = votes::amendment_changes(&next, 0);
    assert_eq!(due.iter().map(Transaction::flags).collect::<Vec<_>>(), [0]);
    let enabled = closed(&next, due).ledger;
    assert!(amendments::enabled(&enabled).contains(&amendments::id("Email")));
    assert!(
        votes::amendment_changes(&at_index(&enabled, 768), 0).is_empty(),
        "the vote that stands asks for nothing more"
    );
    let against = at_index(&voted(&gained, [1], &Wish::default()), 512);
    let lost = votes::amendment_changes(&against, 0);
    assert_eq!(
        lost.iter().map(Transaction::flags).collect::<Vec<_>>(),
        [flags::TF_LOST_MAJORITY]
    );
}

// Spec: 15.4.
#[test]
fn accepts_the_list_that_a_quorum_wants_and_rejects_any_other() {
    let first = genesis(5);
    assert_eq!(votes::agreed_list(&first), None);
    let wanted = list([1, 2, 3, 4, 6]);
    assert_eq!(
        votes::agreed_list(&voted(&first, 1..=3, &wanted)),
        None,
        "three of five"
    );
    assert_eq!(
        votes::agreed_list(&voted(&first, 1..=4, &wanted)),
        Some(keys([1, 2, 3, 4, 6])),
        "ceil(0.8 * 5)"
    );
    assert_eq!(
        votes::agreed_list(&voted(&first, 1..=5, &list(1..=5))),
        None,
        "it is the list already"
    );
    assert_eq!(
        votes::agreed_list(&voted(&first, 1..=5, &email())),
        None,
        "as it is"
    );
    let split = voted(&voted(&first, 1..=3, &wanted), 4..=5, &list([1]));
    assert_eq!(votes::agreed_list(&split), None, "not the same list");
    assert!(votes::list_reports(&split).is_empty());
}

// Spec: 15.2, 15.4.
#[test]
fn accepts_a_new_list_longer_or_shorter_and_ends_the_votes_about_the_one_before() {
    let first = genesis(4);
    for wanted in [vec![1, 2, 3, 4, 5], vec![1, 3], vec![1, 2, 3, 9]] {
        let wish = Wish {
            validators: keys(wanted.clone()),
            ..email()
        };
        let ledger = voted(&first, 1..=4, &wish);
        let reports = votes::list_reports(&ledger);
        assert_eq!(reports.len(), wanted.len());
        assert!(reports.iter().all(|tx| tx.tx_type() == TxType::UnlReport));
        let ledger = closed(&ledger, reports).ledger;
        let listed: BTreeSet<PublicKey> = dkim::validators(&ledger).into_iter().collect();
        assert_eq!(listed, keys(wanted.clone()));
        assert!(votes::list_reports(&ledger).is_empty());
        let standing = votes::standing(&ledger);
        let staying: BTreeSet<PublicKey> = keys(1..=4).intersection(&listed).copied().collect();
        assert_eq!(standing.keys().copied().collect::<BTreeSet<_>>(), staying);
        assert!(
            standing.values().all(|vote| vote.wish == email()),
            "what they want of amendments they still want"
        );
        // As xahaud writes the list: each key with its account.
        let entry = ledger.entry(&keylet::unl_report()).expect("an entry");
        for (_, one) in entry.array(sf::ACTIVE_VALIDATORS).expect("a list") {
            let key = PublicKey::parse(one.blob(sf::PUBLIC_KEY).expect("a key")).expect("a key");
            assert_eq!(one.account(sf::ACCOUNT), Some(key.account()));
        }
    }
}

// Spec: 15.2. Transactions of a ledger have no order of their own: whichever comes first.
#[test]
fn accepts_a_vote_in_the_ledger_of_a_new_list_and_rejects_the_list_that_it_names() {
    let first = genesis(4);
    let ledger = voted(&first, 1..=4, &list([1, 2, 3, 5]));
    let wish = Wish {
        validators: keys([1, 2]),
        ..email()
    };
    for secs in 1..=40 {
        let late = cast(&ledger, &vote(2, &wish, ledger.close_time().seconds() + secs));
        let mut both = votes::list_reports(&ledger);
        both.push(late.clone());
        let next = closed(&ledger, both).ledger;
        assert_eq!(dkim::validators(&next).len(), 4);
        let standing = &votes::standing(&next)[&validator(2).public_key()];
        assert_eq!(
            standing.wish,
            email(),
            "the list was meant instead of the one before"
        );
        // Without a new list it stands.
        let next = closed(&ledger, vec![late]).ledger;
        assert_eq!(votes::standing(&next)[&validator(2).public_key()].wish, wish);
    }
}

// Spec: 15.2.
#[test]
fn rejects_the_vote_of_a_validator_that_has_left_even_when_it_comes_back() {
    let ledger = voted(&genesis(2), 1..=2, &list([1]));
    let ledger = closed(&ledger, votes::list_reports(&ledger)).ledger;
    assert_eq!(observed(&ledger, 2), None, "it counts no more");
    let late = vote(2, &email(), ledger.close_time().seconds());
    assert_eq!(results(&ledger, vec![cast(&ledger, &late)]), [Ter::TEF_BAD_AUTH]);
    let ledger = voted(&ledger, [1], &list([1, 2]));
    let entry = ledger.entry(&keylet::validator_votes()).expect("an entry");
    assert_eq!(
        entry.array(sf::VOTES).map(<[_]>::len),
        Some(1),
        "it is gone with the next vote"
    );
    let ledger = closed(&ledger, votes::list_reports(&ledger)).ledger;
    assert_eq!(dkim::validators(&ledger).len(), 2);
    assert_eq!(observed(&ledger, 2), None);
}

// Spec: 15.1: what every pseudo-transaction looks like.
#[test]
fn rejects_a_vote_with_a_fee_or_of_an_account() {
    let ledger = genesis(2);
    for (tx, code) in [
        (
            changed(&ledger, |vote| vote.with(sf::FEE, Amount::Native(1))),
            Ter::TEM_BAD_FEE,
        ),
        (
            changed(&ledger, |vote| vote.with(sf::ACCOUNT, AccountId::ONE)),
            Ter::TEM_BAD_SRC_ACCOUNT,
        ),
    ] {
        assert_eq!(results(&ledger, vec![tx]), [code]);
    }
}
