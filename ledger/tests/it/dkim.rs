//! DKIM keys on the ledger: attestations, quorum, delays, revocation, removal (spec 7). Expected values are
//! hand work.

use amendment::KeyName;
use codec::keys::KeyPair;
use codec::{CloseTime, Object, Ter, keylet, sf};
use ledger::dkim::{Answer, Attestation, KeyDelays, Statement, build_key_set, build_removals, quorum};
use ledger::genesis::EmailAmendment;
use ledger::{Closed, GenesisConfig, Ledger, Transaction, close};

const NETWORK: u32 = 21_338;
const START: u32 = 800_000_000;
/// RFC 8463 A.2, and another point of the curve (RFC 8032 7.1, test 1).
const RECORD: &[u8] = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const OTHER: &[u8] = b"v=DKIM1; k=ed25519; p=PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";

fn validator(number: u8) -> KeyPair {
    KeyPair::ed25519([number; 16])
}

fn genesis(validators: u8, delays_secs: (u32, u32)) -> Ledger {
    Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: (0..validators).map(|n| validator(n).public_key()).collect(),
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(START),
        key_delays: KeyDelays {
            first_secs: delays_secs.0,
            next_secs: delays_secs.1,
        },
    })
}

fn name() -> KeyName {
    KeyName::new(b"mail.example", b"s1").expect("legal")
}

fn attest(number: u8, name: &KeyName, answer: &Answer, observed: u32) -> Attestation {
    let observed = CloseTime::new(observed);
    Attestation::sign(
        NETWORK,
        name.clone(),
        answer.clone(),
        observed,
        &validator(number),
    )
    .expect("short")
}

fn record(bytes: &[u8]) -> Answer {
    Answer::Record(bytes.to_vec())
}

/// Closes a ledger over the attestations of one validator, observed and closed at `time`.
fn seen(ledger: &Ledger, name: &KeyName, answer: &Answer, time: u32) -> Closed {
    let set = build_key_set(ledger, NETWORK, &[attest(0, name, answer, time)]).expect("quorum");
    close(ledger, [set], CloseTime::new(time))
}

fn key(ledger: &Ledger) -> Object {
    ledger.entry(&name().keylet()).expect("on the ledger")
}

fn is_usable(ledger: &Ledger) -> bool {
    key(ledger).contains(sf::PUBLIC_KEY) && !key(ledger).contains(sf::REVOKED_AT)
}

// Spec: 7.7.
#[test]
fn accepts_the_attestation_message_of_the_table() {
    // By hand after the table in the module doc.
    let message = Statement::Key(name(), record(b"p=x")).message(21_338, CloseTime::new(0x0102_0304));
    let by_hand = [
        b"DKA\0".as_slice(),
        &[0, 0, 0x53, 0x5A],
        b"\x0Cmail.example",
        b"\x02s1",
        &[2],
        &[1, 2, 3, 4],
        b"\x00\x03p=x",
    ]
    .concat();
    assert_eq!(message, Some(by_hand));
}

// Spec: 4.4, 7.1.
#[test]
fn accepts_names_as_dns_has_them() {
    assert!(KeyName::new(b"mail.example", b"s1").is_some());
    assert!(KeyName::new(b"a-b.c.example", b"_x.2024-01").is_some());
    assert_eq!(name().keylet(), keylet::dkim_key(b"mail.example", b"s1"));
}

// Spec: 4.4, 7.1.
#[test]
fn rejects_names_that_dns_or_the_ledger_would_not_have() {
    let long = [b'a'; 64];
    let cases: [(&[u8], &[u8]); 9] = [
        (b"Mail.example", b"s1"),
        (b"mail.example", b"S1"),
        (b"mail", b"s1"),
        (b"mail.example", b""),
        (b"", b""),
        (b"mail..example", b"s1"),
        (b"-mail.example", b"s1"),
        (b"mail_x.example", b"s1"),
        (b"mail.example", &long),
    ];
    for (domain, selector) in cases {
        assert_eq!(KeyName::new(domain, selector), None, "{domain:?} {selector:?}");
    }
}

// Spec: 7.2.
#[test]
fn accepts_four_of_five_as_a_quorum() {
    let counts: Vec<usize> = [1, 2, 3, 4, 5, 6, 10].into_iter().map(quorum).collect();
    assert_eq!(counts, [1, 2, 3, 4, 4, 5, 8]);
}

// Spec: 7.1, 7.2, 7.7.
#[test]
fn accepts_a_key_by_quorum_and_a_usable_one_without_delay() {
    let ledger = genesis(5, (0, 0));
    let attestations: Vec<_> = (0..4)
        .map(|n| attest(n, &name(), &record(RECORD), START + 5))
        .collect();
    let set = build_key_set(&ledger, NETWORK, &attestations).expect("four of five");
    let closed = close(&ledger, [set], CloseTime::new(START + 10));
    assert_eq!(closed.applied[0].ter, Ter::TES_SUCCESS);
    let entry = key(&closed.ledger);
    assert!(is_usable(&closed.ledger));
    assert_eq!(entry.u8(sf::DKIM_KEY_TYPE), Some(2));
    assert_eq!(entry.blob(sf::PUBLIC_KEY).map(<[u8]>::len), Some(32));
    assert_eq!(entry.u32(sf::LAST_ATTESTED), Some(START + 5));
    assert_eq!(entry.hash256(sf::PREVIOUS_TXN_ID), Some(closed.applied[0].tx_id));
    assert_eq!(closed.ledger.header().total_drops, ledger.header().total_drops);
}

// Spec: 7.2.
#[test]
fn rejects_less_than_a_quorum_and_what_does_not_count() {
    let ledger = genesis(5, (0, 0));
    let build = |attestations: &[Attestation]| build_key_set(&ledger, NETWORK, attestations);
    let good = |n: u8| attest(n, &name(), &record(RECORD), START + 5);
    assert_eq!(
        build(&[good(0), good(1), good(2)]).map(|set| set.id()),
        None,
        "three of five"
    );
    assert!(
        build(&[good(0), good(0), good(1), good(2)]).is_none(),
        "one validator twice"
    );
    assert!(
        build(&[good(0), good(1), good(2), good(9)]).is_none(),
        "not in the list"
    );
    assert!(
        build(&[
            good(0),
            good(1),
            good(2),
            attest(3, &name(), &record(OTHER), START + 5)
        ])
        .is_none()
    );
    assert!(
        build(&[
            good(0),
            good(1),
            good(2),
            attest(3, &name(), &record(RECORD), START - 601)
        ])
        .is_none()
    );
    let mut forged = good(3);
    forged.signature[0] ^= 1;
    assert!(build(&[good(0), good(1), good(2), forged]).is_none());
    assert!(
        build_key_set(&genesis(0, (0, 0)), NETWORK, &[good(0)]).is_none(),
        "no list"
    );
}

/// The set that build_key_set makes, with one thing changed; closing says what became of it.
fn tampered(change: impl FnOnce(&mut Object)) -> Ter {
    let ledger = genesis(2, (0, 0));
    let attestations: Vec<_> = (0..2)
        .map(|n| attest(n, &name(), &record(RECORD), START + 5))
        .collect();
    let mut object = build_key_set(&ledger, NETWORK, &attestations)
        .expect("quorum")
        .object()
        .clone();
    change(&mut object);
    let tx = Transaction::from_object(&object).expect("template");
    let closed = close(&ledger, [tx], CloseTime::new(START + 10));
    closed.dropped.first().map_or(Ter::TES_SUCCESS, |(_, ter)| *ter)
}

// Spec: 7.2, 7.7.
#[test]
fn rejects_a_set_that_validators_did_not_make_so() {
    let attestations = |object: &Object| object.array(sf::DKIM_ATTESTATIONS).expect("array").to_vec();
    assert_eq!(tampered(|_| {}), Ter::TES_SUCCESS);
    assert_eq!(
        tampered(|set| set.set(sf::DKIM_RECORD, OTHER)),
        Ter::TEF_BAD_SIGNATURE
    );
    assert_eq!(
        tampered(|set| set.set(sf::SELECTOR, b"s2".as_slice())),
        Ter::TEF_BAD_SIGNATURE
    );
    assert_eq!(
        tampered(|set| set.set(sf::LEDGER_SEQUENCE, 3u32)),
        Ter::TEF_PAST_SEQ
    );
    assert_eq!(
        tampered(|set| set.set(sf::DOMAIN, b"Mail.example".as_slice())),
        Ter::TEM_MALFORMED
    );
    assert_eq!(tampered(|set| set.set(sf::SOURCE_TAG, 1u32)), Ter::TEM_MALFORMED);
    assert_eq!(tampered(|set| set.set(sf::SEQUENCE, 1u32)), Ter::TEM_BAD_SEQUENCE);
    assert_eq!(
        tampered(|set| set.set(sf::ACCOUNT, codec::AccountId::ONE)),
        Ter::TEM_BAD_SRC_ACCOUNT
    );
    let reversed = |set: &mut Object| {
        set.set(
            sf::DKIM_ATTESTATIONS,
            attestations(set).into_iter().rev().collect::<Vec<_>>(),
        )
    };
    assert_eq!(tampered(reversed), Ter::TEM_MALFORMED);
    let one = |set: &mut Object| set.set(sf::DKIM_ATTESTATIONS, attestations(set)[..1].to_vec());
    assert_eq!(tampered(one), Ter::TEF_BAD_QUORUM);
    let twice = |set: &mut Object| {
        let first = attestations(set)[0].clone();
        set.set(sf::DKIM_ATTESTATIONS, vec![first.clone(), first]);
    };
    assert_eq!(tampered(twice), Ter::TEM_MALFORMED);
}

#[test]
fn rejects_a_set_on_a_network_without_the_amendment() {
    let mut config = GenesisConfig {
        network_id: NETWORK,
        validators: vec![validator(0).public_key()],
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(START),
        key_delays: KeyDelays::NONE,
    };
    let attestations = [attest(0, &name(), &record(RECORD), START + 5)];
    let set = build_key_set(&Ledger::genesis(&config), NETWORK, &attestations).expect("quorum");
    config.email = EmailAmendment::Absent;
    let closed = close(
        &Ledger::genesis(&config),
        [set.clone()],
        CloseTime::new(START + 10),
    );
    assert_eq!(closed.dropped, [(set.id(), Ter::TEM_DISABLED)]);
}

// Spec: 7.4, 7.8.
#[test]
fn accepts_a_first_key_after_two_quorums_a_delay_apart() {
    let one = seen(&genesis(1, (3_600, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    assert!(!is_usable(&one));
    assert_eq!(key(&one).u32(sf::ACTIVE_AFTER), Some(START + 3_610));
    let two = seen(&one, &name(), &record(RECORD), START + 3_609).ledger;
    assert!(!is_usable(&two), "one second early");
    let three = seen(&two, &name(), &record(RECORD), START + 3_610).ledger;
    assert!(is_usable(&three));
    // A further selector of a known domain waits longer.
    let further = KeyName::new(b"mail.example", b"s2").expect("legal");
    let four = seen(&three, &further, &record(OTHER), START + 3_620).ledger;
    assert_eq!(
        four.entry(&further.keylet()).unwrap().u32(sf::ACTIVE_AFTER),
        Some(START + 25_220)
    );
}

// Spec: 7.4.
#[test]
fn rejects_a_key_whose_quorums_differed_in_between() {
    let one = seen(&genesis(1, (3_600, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &record(OTHER), START + 3_000).ledger;
    let three = seen(&two, &name(), &record(RECORD), START + 3_700).ledger;
    assert!(!is_usable(&three), "the count starts again");
    let four = seen(&three, &name(), &record(RECORD), START + 7_300).ledger;
    assert!(is_usable(&four));
}

/// The fields of an entry that say what it holds.
fn holds(ledger: &Ledger) -> Vec<&'static str> {
    let of_keys = [
        sf::DKIM_KEY_TYPE,
        sf::PUBLIC_KEY,
        sf::NEXT_KEY_TYPE,
        sf::NEXT_KEY,
        sf::NEXT_AFTER,
        sf::ACTIVE_AFTER,
        sf::REVOKED_AT,
    ];
    let entry = key(ledger);
    let fields = of_keys.into_iter().filter(|field| entry.contains(*field));
    fields.map(codec::Field::name).collect()
}

const KEY: [&str; 2] = ["DKIMKeyType", "PublicKey"];
const WAITING: [&str; 3] = ["NextKeyType", "NextKey", "ActiveAfter"];

// Spec: 7.4, 7.8.
#[test]
fn accepts_a_changed_record_after_its_delay() {
    let one = seen(&genesis(1, (0, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    let old = key(&one).blob(sf::PUBLIC_KEY).unwrap().to_vec();
    let two = seen(&one, &name(), &record(OTHER), START + 100).ledger;
    let early = seen(&two, &name(), &record(OTHER), START + 21_699).ledger;
    assert_eq!(holds(&early), WAITING);
    let three = seen(&early, &name(), &record(OTHER), START + 21_700).ledger;
    assert_ne!(key(&three).blob(sf::PUBLIC_KEY), Some(old.as_slice()));
    assert_eq!(holds(&three), KEY);
    // Without a delay, at once.
    let one = seen(&genesis(1, (0, 0)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &record(OTHER), START + 20).ledger;
    assert_eq!(holds(&two), KEY);
    assert_ne!(key(&two).blob(sf::PUBLIC_KEY), Some(old.as_slice()));
}

// Spec: 7.4, 7.8.
#[test]
fn rejects_the_old_key_once_a_quorum_has_seen_another_record() {
    let one = seen(&genesis(1, (0, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &record(OTHER), START + 100).ledger;
    assert_eq!(holds(&two), WAITING);
    assert_eq!(key(&two).u32(sf::ACTIVE_AFTER), Some(START + 21_700));
    // It waits like any other when it comes back, and both start again each time.
    let three = seen(&two, &name(), &record(RECORD), START + 200).ledger;
    assert_eq!(holds(&three), WAITING);
    assert_eq!(key(&three).u32(sf::ACTIVE_AFTER), Some(START + 21_800));
    let four = seen(&three, &name(), &record(OTHER), START + 21_750).ledger;
    assert_eq!(key(&four).u32(sf::ACTIVE_AFTER), Some(START + 43_350));
    let five = seen(&four, &name(), &record(OTHER), START + 43_350).ledger;
    assert_eq!(holds(&five), KEY);
}

// Spec: 7.8. A key that is withdrawn stays beside RevokedAt; what comes back takes its place.
#[test]
fn rejects_a_revoked_key_beside_a_record_that_waits() {
    let one = seen(&genesis(1, (0, 60)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &Answer::Absent, START + 20).ledger;
    assert_eq!(holds(&two), ["DKIMKeyType", "PublicKey", "RevokedAt"]);
    let three = seen(&two, &name(), &record(RECORD), START + 30).ledger;
    assert_eq!(holds(&three), WAITING);
    let gone = seen(&three, &name(), &Answer::Absent, START + 40).ledger;
    assert_eq!(holds(&gone), ["RevokedAt"], "it never became a key");
    let four = seen(&three, &name(), &record(RECORD), START + 90).ledger;
    assert_eq!(holds(&four), KEY);
}

// Spec: 7.4, 7.8.
#[test]
fn accepts_absence_and_broken_records_as_the_end_of_a_key() {
    for answer in [Answer::Absent, Answer::Unusable, record(b"v=DKIM1; p=")] {
        let one = seen(&genesis(1, (0, 0)), &name(), &record(RECORD), START + 10).ledger;
        let two = seen(&one, &name(), &answer, START + 20).ledger;
        assert_eq!(key(&two).u32(sf::REVOKED_AT), Some(START + 20), "{answer:?}");
        assert!(!is_usable(&two));
    }
    // A provider that puts its record back has its key back, after the delay.
    let one = seen(&genesis(1, (0, 60)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &Answer::Absent, START + 20).ledger;
    let three = seen(&two, &name(), &record(RECORD), START + 30).ledger;
    assert!(!is_usable(&three));
    let four = seen(&three, &name(), &record(RECORD), START + 90).ledger;
    assert!(is_usable(&four));
}

#[test]
fn rejects_absence_of_a_name_that_nobody_knows() {
    let ledger = genesis(1, (0, 0));
    for answer in [Answer::Absent, Answer::Unusable, record(b"p=")] {
        let closed = seen(&ledger, &name(), &answer, START + 10);
        assert_eq!(
            closed.dropped.first().map(|(_, ter)| *ter),
            Some(Ter::TEF_FAILURE)
        );
    }
}

// Spec: 7.2.
#[test]
fn rejects_the_same_attestations_twice() {
    let one = seen(&genesis(1, (0, 0)), &name(), &record(RECORD), START + 10).ledger;
    let same = [attest(0, &name(), &record(RECORD), START + 10)];
    assert!(build_key_set(&one, NETWORK, &same).is_none());
}

// Spec: 7.5, 7.8.
#[test]
fn rejects_a_ninth_live_key_of_a_domain() {
    let mut ledger = genesis(1, (0, 0));
    let nth = |n: u32| KeyName::new(b"mail.example", format!("s{n}").as_bytes()).expect("legal");
    for n in 0..8 {
        ledger = seen(&ledger, &nth(n), &record(RECORD), START + 10 + n).ledger;
    }
    let ninth = seen(&ledger, &nth(8), &record(RECORD), START + 30);
    assert_eq!(ninth.dropped.first().map(|(_, ter)| *ter), Some(Ter::TEF_FAILURE));
    let room = seen(&ledger, &nth(0), &Answer::Absent, START + 30).ledger;
    let ninth = seen(&room, &nth(8), &record(RECORD), START + 40);
    assert_eq!(ninth.applied.first().map(|tx| tx.ter), Some(Ter::TES_SUCCESS));
    // The withdrawn one cannot come back as a ninth.
    let full = ninth.ledger;
    let back = seen(&full, &nth(0), &record(RECORD), START + 50);
    assert_eq!(back.dropped.first().map(|(_, ter)| *ter), Some(Ter::TEF_FAILURE));
}

// Spec: 7.4, 7.8.
#[test]
fn accepts_removal_after_30_days_and_a_domain_stays_known() {
    let days = 24 * 3_600;
    let one = seen(&genesis(1, (3_600, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    assert!(build_removals(&one, 4).is_empty(), "renewed just now");
    let month = close(&one, [], CloseTime::new(START + 31 * days)).ledger;
    let removals = build_removals(&month, 4);
    assert_eq!(removals.len(), 1);
    let gone = close(&month, removals, CloseTime::new(START + 31 * days + 10));
    assert_eq!(gone.applied[0].ter, Ter::TES_SUCCESS);
    assert!(gone.ledger.entry(&name().keylet()).is_none());
    let again = seen(&gone.ledger, &name(), &record(RECORD), START + 31 * days + 20).ledger;
    let delay = key(&again).u32(sf::ACTIVE_AFTER).unwrap() - key(&again).u32(sf::FIRST_SEEN).unwrap();
    assert_eq!(delay, 21_600, "the longer delay: the domain was known");
}

// Spec: 7.4, 7.8.
#[test]
fn rejects_removal_of_a_renewed_key() {
    let one = seen(&genesis(1, (0, 0)), &name(), &record(RECORD), START + 10).ledger;
    let month = close(&one, [], CloseTime::new(START + 31 * 24 * 3_600)).ledger;
    let removal = build_removals(&month, 4).remove(0);
    let renewed = build_key_set(
        &month,
        NETWORK,
        &[attest(0, &name(), &record(RECORD), START + 31 * 24 * 3_600)],
    );
    let one = close(
        &month,
        [removal.clone()],
        CloseTime::new(START + 31 * 24 * 3_600 + 10),
    );
    assert_eq!(one.applied.len(), 1);
    // In one ledger the two contradict each other: whichever comes second is dropped or starts again, never
    // both kept.
    let both = close(
        &month,
        [removal, renewed.expect("quorum")],
        CloseTime::new(START + 31 * 24 * 3_600 + 10),
    );
    let entry = both.ledger.entry(&name().keylet());
    assert_eq!(both.applied.len() + both.dropped.len(), 2);
    assert!(entry.is_some());
}

// Spec: 4.4.
#[test]
fn accepts_names_of_253_bytes_in_all_and_rejects_longer_ones() {
    let domain = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(48)].join(".");
    assert_eq!(domain.len() + "._domainkey.".len() + 1, 253);
    assert!(KeyName::new(domain.as_bytes(), b"s").is_some());
    assert!(KeyName::new(domain.as_bytes(), b"s1").is_none());
}

// Spec: 7.7.
#[test]
fn accepts_records_up_to_their_bound_and_rejects_longer_ones() {
    let message =
        |bytes: usize| Statement::Key(name(), record(&vec![b'x'; bytes])).message(NETWORK, CloseTime::new(1));
    assert!(message(4_096).is_some());
    assert!(message(4_097).is_none());
}

// Spec: 7.7.
#[test]
fn accepts_the_lower_median_as_the_time_of_observation() {
    let ledger = genesis(5, (0, 0));
    let times = [9, 3, 2, 1];
    let attestations: Vec<_> = (0..4)
        .map(|n| attest(n, &name(), &record(RECORD), START + times[usize::from(n)]))
        .collect();
    let set = build_key_set(&ledger, NETWORK, &attestations).expect("four of five");
    let closed = close(&ledger, [set], CloseTime::new(START + 10));
    assert_eq!(key(&closed.ledger).u32(sf::LAST_ATTESTED), Some(START + 2));
}

/// The elements of a DKIMKeySet for these attestations, sorted by key.
fn elements(attestations: &[Attestation]) -> Vec<(codec::Field, Object)> {
    let mut attestations = attestations.to_vec();
    attestations.sort_by_key(|attestation| *attestation.public_key.as_bytes());
    let element = |attestation: &Attestation| {
        Object::new()
            .with(sf::OBSERVED_AT, attestation.observed_at.seconds())
            .with(sf::PUBLIC_KEY, attestation.public_key.as_bytes().as_slice())
            .with(sf::SIGNATURE, attestation.signature.as_slice())
    };
    attestations
        .iter()
        .map(|attestation| (sf::DKIM_ATTESTATION, element(attestation)))
        .collect()
}

// Spec: 7.2, 7.7.
#[test]
fn rejects_a_set_of_strangers_of_old_attestations_or_of_none() {
    let with = |attestations: [(u8, u32); 2]| {
        let attestations = attestations.map(|(number, time)| attest(number, &name(), &record(RECORD), time));
        tampered(|set| set.set(sf::DKIM_ATTESTATIONS, elements(&attestations)))
    };
    let now = START + 5;
    assert_eq!(with([(0, now), (1, now)]), Ter::TES_SUCCESS);
    assert_eq!(with([(0, now), (9, now)]), Ter::TEF_BAD_AUTH);
    assert_eq!(with([(0, now), (1, START - 600)]), Ter::TES_SUCCESS);
    assert_eq!(with([(0, now), (1, START - 601)]), Ter::TEF_PAST_SEQ);
    assert_eq!(
        tampered(|set| set.set(sf::DKIM_ATTESTATIONS, elements(&[]))),
        Ter::TEM_MALFORMED
    );
}

// Spec: 7.2.
#[test]
fn rejects_a_set_where_the_ledger_lists_no_validators() {
    let attestations = [attest(0, &name(), &record(RECORD), START + 5)];
    let set = build_key_set(&genesis(1, (0, 0)), NETWORK, &attestations).expect("quorum");
    let closed = close(&genesis(0, (0, 0)), [set.clone()], CloseTime::new(START + 10));
    assert_eq!(closed.dropped, [(set.id(), Ter::TEF_BAD_QUORUM)]);
}

// Spec: 7.7.
#[test]
fn rejects_a_second_set_for_a_name_in_one_ledger() {
    let ledger = genesis(1, (0, 0));
    let names: Vec<_> = (0..8)
        .map(|n| KeyName::new(b"mail.example", format!("s{n}").as_bytes()).expect("legal"))
        .collect();
    let set = |name: &KeyName, observed| {
        build_key_set(&ledger, NETWORK, &[attest(0, name, &record(RECORD), observed)]).expect("quorum")
    };
    // The order within a ledger is that of the transactions' ids: some later set comes second.
    let sets = names
        .iter()
        .flat_map(|name| [set(name, START + 5), set(name, START + 6)]);
    let closed = close(&ledger, sets, CloseTime::new(START + 10));
    assert_eq!((closed.applied.len(), closed.dropped.len()), (8, 8));
    assert!(closed.dropped.iter().all(|(_, ter)| *ter == Ter::TEF_PAST_SEQ));
}

// Spec: 7.8.
#[test]
fn rejects_a_33rd_entry_of_a_domain() {
    let mut ledger = genesis(1, (0, 0));
    let nth = |n: u32| KeyName::new(b"mail.example", format!("s{n}").as_bytes()).expect("legal");
    for n in 0..32 {
        ledger = seen(&ledger, &nth(n), &record(RECORD), START + 10 + 2 * n).ledger;
        ledger = seen(&ledger, &nth(n), &Answer::Absent, START + 11 + 2 * n).ledger;
    }
    let one_more = seen(&ledger, &nth(32), &record(RECORD), START + 90);
    assert_eq!(
        one_more.dropped.first().map(|(_, ter)| *ter),
        Some(Ter::TEF_FAILURE)
    );
    let known = seen(&ledger, &nth(0), &record(RECORD), START + 90);
    assert_eq!(known.applied.first().map(|tx| tx.ter), Some(Ter::TES_SUCCESS));
}

fn strict() -> Answer {
    record(&[RECORD, b"; t=s"].concat())
}

// Spec: 7.4, 7.8.
#[test]
fn rejects_another_strictness_until_its_second_quorum() {
    let one = seen(&genesis(1, (0, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &strict(), START + 100).ledger;
    assert!(key(&two).contains(sf::NEXT_KEY));
    assert_eq!(key(&two).u32(sf::FLAGS), Some(2), "the waiting record says t=s");
    let three = seen(&two, &name(), &strict(), START + 21_700).ledger;
    assert_eq!(key(&three).u32(sf::FLAGS), Some(1));
    assert_eq!(holds(&three), KEY);
}

// Spec: 7.4, 7.8.
#[test]
fn rejects_a_waiting_record_whose_strictness_changes() {
    let one = seen(&genesis(1, (0, 21_600)), &name(), &record(OTHER), START + 10).ledger;
    let two = seen(&one, &name(), &strict(), START + 100).ledger;
    let three = seen(&two, &name(), &record(RECORD), START + 21_700).ledger;
    assert_eq!(holds(&three), WAITING);
    assert_eq!(
        key(&three).u32(sf::FIRST_SEEN),
        Some(START + 21_700),
        "the count starts again"
    );
}

// Spec: 7.8.
#[test]
fn rejects_the_short_delay_of_a_first_key_that_was_withdrawn() {
    let one = seen(&genesis(1, (3_600, 21_600)), &name(), &record(RECORD), START + 10).ledger;
    let two = seen(&one, &name(), &Answer::Absent, START + 20).ledger;
    let three = seen(&two, &name(), &record(RECORD), START + 30).ledger;
    let four = seen(&three, &name(), &record(RECORD), START + 3_700).ledger;
    assert!(!is_usable(&four));
    let five = seen(&four, &name(), &record(RECORD), START + 21_630).ledger;
    assert!(is_usable(&five));
}

// Spec: 7.2.
#[test]
fn rejects_a_set_of_attestations_about_two_names() {
    let other = KeyName::new(b"mail.example", b"s2").expect("legal");
    let attestation = |number: u8, name: &KeyName| attest(number, name, &record(RECORD), START + 5);
    let build = |attestations: &[Attestation]| build_key_set(&genesis(2, (0, 0)), NETWORK, attestations);
    assert!(build(&[attestation(0, &name()), attestation(1, &name())]).is_some());
    assert!(build(&[attestation(0, &name()), attestation(1, &other)]).is_none());
}

// Spec: 7.4.
#[test]
fn rejects_removal_before_its_time() {
    let days = 24 * 3_600;
    let month = |ledger: &Ledger| close(ledger, [], CloseTime::new(START + 31 * days)).ledger;
    let one = seen(&genesis(1, (0, 0)), &name(), &record(RECORD), START + 10).ledger;
    let removal = build_removals(&month(&one), 4).remove(0);
    // The same for a ledger in which the key was renewed.
    let renewed = seen(&one, &name(), &record(RECORD), START + 31 * days).ledger;
    let gone = close(
        &renewed,
        [removal.clone()],
        CloseTime::new(START + 31 * days + 10),
    );
    assert_eq!(gone.dropped, [(removal.id(), Ter::TEF_FAILURE)]);
}
