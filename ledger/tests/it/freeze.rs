//! Domains whose mail a quorum stops (spec 7.10). Messages, entries and times are made here from the text of the rule.

use amendment::Domain;
use codec::format::EntryType;
use codec::hash::sha512_half;
use codec::{CloseTime, Hash256, Object, Ter, sf};
use ledger::dkim::{Answer, Attestation, KeyDelays, Ruling, Statement, build_key_set};
use ledger::genesis::EmailAmendment;
use ledger::{Closed, GenesisConfig, Ledger, Transaction, close};

use super::common::{World, XAH, key, master, payment};
use super::mails::{self, CLOCK, NETWORK, alice, key_set, mail, record, wrapped};

const DELAY: u32 = 21_600;

fn domain() -> Domain {
    Domain::new(b"mail.test").expect("a domain")
}

fn genesis(validators: u8, next_secs: u32) -> Ledger {
    Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: (0..validators).map(|n| key(200 + n).public_key()).collect(),
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays {
            first_secs: 0,
            next_secs,
        },
    })
}

fn word(number: u8, ruling: Ruling, at: u32) -> Attestation {
    let statement = Statement::Domain(domain(), ruling);
    Attestation::of(NETWORK, statement, CloseTime::new(at), &key(200 + number)).expect("short")
}

/// A set that nothing was checked for: by hand, after the text of 7.7 and 7.10.
fn set_by_hand(ledger: &Ledger, flags: u32, answer: u8, words: &[(u8, u32)]) -> Object {
    let mut elements: Vec<(codec::Field, Object)> = words
        .iter()
        .map(|(number, at)| {
            let message = [
                b"DKA\0".as_slice(),
                &NETWORK.to_be_bytes(),
                b"\x09mail.test",
                &[0, answer],
                &at.to_be_bytes(),
                &[0, 0],
            ]
            .concat();
            let validator = key(200 + number);
            let element = Object::new()
                .with(sf::OBSERVED_AT, *at)
                .with(sf::PUBLIC_KEY, validator.public_key().as_bytes().as_slice())
                .with(sf::SIGNATURE, validator.sign(&message));
            (sf::DKIM_ATTESTATION, element)
        })
        .collect();
    elements.sort_by_key(|(_, element)| element.blob(sf::PUBLIC_KEY).map(<[u8]>::to_vec));
    Object::new()
        .with(sf::TRANSACTION_TYPE, 110u16)
        .with(sf::FLAGS, flags)
        .with(sf::ACCOUNT, codec::AccountId::ZERO)
        .with(sf::SEQUENCE, 0u32)
        .with(sf::FEE, codec::Amount::Native(0))
        .with(sf::SIGNING_PUB_KEY, b"".as_slice())
        .with(sf::LEDGER_SEQUENCE, ledger.index().get() + 1)
        .with(sf::DOMAIN, b"mail.test".as_slice())
        .with(sf::SELECTOR, b"".as_slice())
        .with(sf::DKIM_ATTESTATIONS, elements)
}

/// half('j' || SHA512Half(domain)), the letter as a u16.
fn index() -> Hash256 {
    sha512_half(&[&[0, b'j'], sha512_half(&[b"mail.test"]).as_bytes()])
}

fn closed_with(ledger: &Ledger, set: &Object, time: u32) -> (Closed, Ter) {
    let tx = Transaction::from_object(set).expect("template");
    let closed = close(ledger, [tx], CloseTime::new(time));
    let applied = closed.applied.first().map(|applied| applied.ter);
    let dropped = closed.dropped.first().map(|(_, ter)| *ter);
    let ter = applied.or(dropped).expect("judged");
    (closed, ter)
}

const FREEZE: (u32, u8) = (2, 3);
const LIFT: (u32, u8) = (4, 4);

/// The next ledger, 5 s later, with a ruling of the only validator; what became of it.
fn ruled(ledger: &mut Ledger, (flags, answer): (u32, u8), at: u32) -> Ter {
    let set = set_by_hand(ledger, flags, answer, &[(0, at)]);
    let (closed, ter) = closed_with(ledger, &set, at + 5);
    *ledger = closed.ledger;
    ter
}

/// FirstSeen, LastAttested and ActiveAfter of the entry.
fn times(ledger: &Ledger) -> (u32, u32, Option<u32>) {
    let entry = ledger.entry(&index()).expect("there");
    let time = |field| entry.u32(field);
    (
        time(sf::FIRST_SEEN).expect("required"),
        time(sf::LAST_ATTESTED).expect("required"),
        time(sf::ACTIVE_AFTER),
    )
}

// Spec: 7.7, 7.10.
#[test]
fn accepts_a_freeze_of_a_quorum_in_its_one_spelling() {
    let ledger = genesis(5, DELAY);
    let words: Vec<(u8, u32)> = [(0, 9), (1, 3), (2, 2), (3, 1)]
        .map(|(n, at)| (n, CLOCK + at))
        .to_vec();
    let by_hand = set_by_hand(&ledger, 2, 3, &words);
    let own: Vec<Attestation> = words
        .iter()
        .map(|(n, at)| word(*n, Ruling::Frozen, *at))
        .collect();
    let built = build_key_set(&ledger, NETWORK, &own).expect("four of five");
    assert_eq!(*built.object(), by_hand);
    assert!(
        build_key_set(&ledger, NETWORK, &own[..3]).is_none(),
        "three of five"
    );
    let (closed, ter) = closed_with(&ledger, &by_hand, CLOCK + 10);
    assert_eq!(ter, Ter::TES_SUCCESS);
    let expected = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, 0x6Au16)
        .with(sf::FLAGS, 0u32)
        .with(sf::DOMAIN, b"mail.test".as_slice())
        .with(sf::FIRST_SEEN, CLOCK + 2)
        .with(sf::LAST_ATTESTED, CLOCK + 2)
        .with(sf::PREVIOUS_TXN_ID, closed.applied[0].tx_id)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, closed.ledger.index().get());
    assert_eq!(closed.ledger.entry(&index()), Some(expected));
    assert_eq!(EntryType::DkimFreeze.code(), 0x6A);
}

// Spec: 7.10.
#[test]
fn accepts_freeze_lift_and_freeze_again_and_rejects_what_changes_nothing() {
    let mut ledger = genesis(1, DELAY);
    let start = CLOCK + 10;
    assert_eq!(ruled(&mut ledger, LIFT, start), Ter::TEF_ALREADY, "never frozen");
    assert_eq!(ledger.entry(&index()), None);
    assert_eq!(ruled(&mut ledger, FREEZE, start + 10), Ter::TES_SUCCESS);
    assert_eq!(times(&ledger), (start + 10, start + 10, None));
    assert_eq!(ruled(&mut ledger, FREEZE, start + 20), Ter::TEF_ALREADY);
    assert_eq!(times(&ledger), (start + 10, start + 10, None));
    assert_eq!(ruled(&mut ledger, LIFT, start + 30), Ter::TES_SUCCESS);
    let lifting = (start + 10, start + 30, Some(start + 30 + DELAY));
    assert_eq!(times(&ledger), lifting);
    assert_eq!(
        ruled(&mut ledger, LIFT, start + 40),
        Ter::TEF_ALREADY,
        "its time does not move"
    );
    assert_eq!(times(&ledger), lifting);
    // While it is being lifted, and long after.
    for at in [start + 50, start + 50 + 2 * DELAY] {
        let mut ledger = ledger.clone();
        assert_eq!(ruled(&mut ledger, FREEZE, at), Ter::TES_SUCCESS);
        assert_eq!(times(&ledger), (at, at, None));
    }
}

// Spec: 7.10, 1.
#[test]
fn accepts_a_lift_without_delay_where_the_network_has_none() {
    let mut ledger = genesis(1, 0);
    assert_eq!(ruled(&mut ledger, FREEZE, CLOCK + 10), Ter::TES_SUCCESS);
    assert_eq!(ruled(&mut ledger, LIFT, CLOCK + 20), Ter::TES_SUCCESS);
    assert_eq!(times(&ledger), (CLOCK + 10, CLOCK + 20, Some(CLOCK + 20)));
}

// Spec: 7.7, 7.10.
#[test]
fn rejects_other_spellings_of_a_freeze() {
    let ledger = genesis(1, 0);
    let good = || set_by_hand(&ledger, 2, 3, &[(0, CLOCK + 1)]);
    let judged = |set: &Object| closed_with(&ledger, set, CLOCK + 10).1;
    assert_eq!(judged(&good()), Ter::TES_SUCCESS);
    let mut of_none = good();
    of_none.remove(sf::FLAGS);
    for set in [
        of_none,
        good().with(sf::FLAGS, 1u32),
        good().with(sf::FLAGS, 3u32),
        good().with(sf::FLAGS, 6u32),
        good().with(sf::FLAGS, 0x8000_0002u32),
        good().with(sf::SELECTOR, b"s1".as_slice()),
        good().with(sf::DKIM_RECORD, b"p=".as_slice()),
        good().with(sf::DOMAIN, b"Mail.test".as_slice()),
        good().with(sf::DOMAIN, b"test".as_slice()),
        good().with(sf::DOMAIN, b"".as_slice()),
        // Only the removal of a key that nobody renewed has no attestation.
        good().with(sf::DKIM_ATTESTATIONS, Vec::<(codec::Field, Object)>::new()),
    ] {
        assert_eq!(judged(&set), Ter::TEM_MALFORMED, "{set:?}");
    }
    // What was signed is the answer: a freeze is no lift.
    let lift = good().with(sf::FLAGS, 4u32);
    assert_eq!(judged(&lift), Ter::TEF_BAD_SIGNATURE);
    let other = good().with(sf::DOMAIN, b"other.test".as_slice());
    assert_eq!(judged(&other), Ter::TEF_BAD_SIGNATURE);
}

// Spec: 7.2, 7.7, 7.10.
#[test]
fn rejects_a_freeze_of_too_few_of_strangers_or_of_another_time() {
    let ledger = genesis(5, 0);
    let judged = |words: &[(u8, u32)]| {
        let set = set_by_hand(&ledger, 2, 3, words);
        closed_with(&ledger, &set, CLOCK + 10).1
    };
    let at = CLOCK + 1;
    assert_eq!(judged(&[(0, at), (1, at), (2, at), (3, at)]), Ter::TES_SUCCESS);
    assert_eq!(judged(&[(0, at), (1, at), (2, at)]), Ter::TEF_BAD_QUORUM);
    assert_eq!(judged(&[(0, at), (1, at), (2, at), (9, at)]), Ter::TEF_BAD_AUTH);
    assert_eq!(
        judged(&[(0, at), (1, at), (2, at), (3, CLOCK - 600)]),
        Ter::TES_SUCCESS
    );
    assert_eq!(
        judged(&[(0, at), (1, at), (2, at), (3, CLOCK - 601)]),
        Ter::TEF_PAST_SEQ
    );
    // Words from before the last quorum: an old freeze undoes no lift.
    let mut ledger = genesis(1, 0);
    assert_eq!(ruled(&mut ledger, FREEZE, CLOCK + 10), Ter::TES_SUCCESS);
    assert_eq!(ruled(&mut ledger, LIFT, CLOCK + 20), Ter::TES_SUCCESS);
    assert_eq!(ruled(&mut ledger, FREEZE, CLOCK + 20), Ter::TEF_PAST_SEQ);
    assert_eq!(ruled(&mut ledger, FREEZE, CLOCK + 21), Ter::TES_SUCCESS);
}

// Spec: 7.10, 7.7. Both in one ledger would let no time pass between them.
#[test]
fn rejects_a_second_ruling_about_a_domain_in_one_ledger() {
    let mut ledger = genesis(1, 0);
    assert_eq!(ruled(&mut ledger, FREEZE, CLOCK + 10), Ter::TES_SUCCESS);
    let sets = (0..4u32).map(|n| set_by_hand(&ledger, 4, 4, &[(0, CLOCK + 20 + n)]));
    let sets = sets.map(|set| Transaction::from_object(&set).expect("template"));
    let closed = close(&ledger, sets, CLOSE);
    assert_eq!((closed.applied.len(), closed.dropped.len()), (1, 3));
    assert!(closed.dropped.iter().all(|(_, ter)| *ter == Ter::TEF_PAST_SEQ));
}
const CLOSE: CloseTime = CloseTime::new(CLOCK + 30);

/// alice with 100 XAH, the key of her provider, and a delay for what comes back.
fn world() -> World {
    let mut world = World {
        ledger: genesis(1, DELAY),
        last: None,
    };
    let pay = payment(alice(), 100 * XAH).with(sf::NETWORK_ID, NETWORK);
    assert_eq!(world.apply(&master(), pay), Ter::TES_SUCCESS);
    let set = key_set(&world, "mail.test", "own", Answer::Record(record()));
    assert_eq!(world.close([set]), Ter::TES_SUCCESS);
    world
}

impl World {
    fn rule(&mut self, (flags, answer): (u32, u8)) {
        let set = set_by_hand(&self.ledger, flags, answer, &[(0, self.now() + 1)]);
        let set = Transaction::from_object(&set).expect("template");
        assert_eq!(self.close([set]), Ter::TES_SUCCESS);
    }

    fn pays(&self, date: u32) -> Transaction {
        let memo = mail(date, "REMIT 1 XAH TO <bob@example.net>");
        mails::tx(&wrapped(self, &memo, 0))
    }

    /// Another quorum for the same record.
    fn renew_key(&mut self) -> Ter {
        let set = key_set(self, "mail.test", "own", Answer::Record(record()));
        self.close([set])
    }
}

// Spec: 7.3, 7.10. A mail is judged by the parent ledger.
#[test]
fn accepts_a_mail_in_the_ledger_of_the_freeze_and_rejects_the_next() {
    let mut world = world();
    let first = world.pays(CLOCK - 60);
    let set = set_by_hand(&world.ledger, 2, 3, &[(0, world.now() + 1)]);
    let set = Transaction::from_object(&set).expect("template");
    let closed = close(&world.ledger, [first, set], CloseTime::new(world.now() + 5));
    assert_eq!(closed.applied.len(), 2, "{:?}", closed.dropped);
    world.ledger = closed.ledger;
    let before = world.balance(alice());
    for memo in [
        mail(CLOCK - 50, "REMIT 1 XAH TO <bob@example.net>"),
        mail(CLOCK - 40, "REKEY rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o"),
    ] {
        assert_eq!(world.mail(&memo), Ter::TEF_DKIM_FROZEN);
    }
    assert_eq!(world.balance(alice()), before, "no fee");
    assert_eq!(world.replay_ids().len(), 1, "and no place");
}

// Spec: 7.10. Keys go on under a freeze, and prove again what is dated after it.
#[test]
fn rejects_mails_dated_before_the_end_of_a_freeze_for_ever_and_accepts_later_ones() {
    let mut world = world();
    world.rule(FREEZE);
    assert_eq!(world.renew_key(), Ter::TES_SUCCESS);
    let frozen = world.pays(world.now());
    assert_eq!(world.close_one(frozen), Ter::TEF_DKIM_FROZEN);
    world.rule(LIFT);
    let until = times(&world.ledger).2.expect("lifted");
    let early = world.pays(until - 60);
    world.close_empty_at(until - 30);
    assert_eq!(world.close_one(early), Ter::TEF_DKIM_FROZEN);
    world.close_empty_at(until + 60);
    assert_eq!(world.renew_key(), Ter::TES_SUCCESS);
    let before = world.pays(until - 1);
    assert_eq!(world.close_one(before), Ter::TEF_DKIM_FROZEN);
    let after = world.pays(until);
    assert_eq!(world.close_one(after), Ter::TES_SUCCESS);
    // A second freeze: what was good between the two is stopped with the rest.
    world.rule(FREEZE);
    let between = world.pays(until + 20);
    assert_eq!(world.close_one(between), Ter::TEF_DKIM_FROZEN);
}

// Spec: 7.10, 7.4. Its keys are revoked as ever.
#[test]
fn accepts_what_becomes_of_keys_under_a_freeze() {
    let mut world = world();
    world.rule(FREEZE);
    let entry = || codec::keylet::dkim_key(b"mail.test", b"own");
    let observed = world.now() + 1;
    assert_eq!(world.renew_key(), Ter::TES_SUCCESS);
    let attested = world
        .ledger
        .entry(&entry())
        .and_then(|key| key.u32(sf::LAST_ATTESTED));
    assert_eq!(attested, Some(observed));
    let gone = key_set(&world, "mail.test", "own", Answer::Absent);
    assert_eq!(world.close([gone]), Ter::TES_SUCCESS);
    let key = world.ledger.entry(&entry()).expect("a tombstone");
    assert!(key.contains(sf::REVOKED_AT));
}

// Spec: 7.10, 1.
#[test]
fn rejects_a_freeze_on_a_network_without_the_amendment() {
    let ledger = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: vec![key(200).public_key()],
        email: EmailAmendment::Absent,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    });
    let set = set_by_hand(&ledger, 2, 3, &[(0, CLOCK + 1)]);
    assert_eq!(closed_with(&ledger, &set, CLOCK + 10).1, Ter::TEM_DISABLED);
}
