//! Evidence against leaked keys (spec 7.9). The evidence is made here from the text of the rule, not by the program.

use amendment::KeyName;
use codec::format::{EntryType, TxType};
use codec::hash::sha512_half;
use codec::{CloseTime, Hash256, Object, Ter, keylet, sf};
use ledger::dkim::{Answer, Attestation, KeyDelays, build_key_set};
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Ledger};
use testkit::sign::DkimKey;

use super::common::{World, XAH, id, key, master, of_type, payment};
use super::mails::{self, CLOCK, NETWORK, alice, key_set, mail, provider, wrapped};

/// Bytes before the RSAPublicKey in the SubjectPublicKeyInfo of an RSA key of 2048 bits.
const SPKI_HEAD_BYTES: usize = 24;
/// Bytes before the modulus in such an RSAPublicKey, its zero byte included.
const MODULUS_HEAD_BYTES: usize = 9;
const MODULUS_BYTES: usize = 256;

/// SHA-512Half of the modulus, or of the 32 bytes.
fn hash_of(key: &DkimKey) -> Hash256 {
    let public = key.public_key();
    match key {
        DkimKey::Rsa(_) => {
            let modulus = &public[SPKI_HEAD_BYTES + MODULUS_HEAD_BYTES..][..MODULUS_BYTES];
            sha512_half(&[modulus])
        }
        DkimKey::Ed25519(_) => sha512_half(&[&public]),
    }
}

/// `DKL`, a NUL, the network, the hash.
fn message(network: u32, key: &DkimKey) -> Vec<u8> {
    [
        b"DKL\0".as_slice(),
        &network.to_be_bytes(),
        hash_of(key).as_bytes(),
    ]
    .concat()
}

pub(crate) fn evidence(key: &DkimKey) -> Vec<u8> {
    key.sign(&message(NETWORK, key))
}

pub(crate) fn leak(domain: &str, selector: &str, signature: &[u8]) -> Object {
    of_type(TxType::DkimKeyLeak)
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::DOMAIN, domain.as_bytes())
        .with(sf::SELECTOR, selector.as_bytes())
        .with(sf::KEY_SIGNATURE, signature)
}

impl World {
    /// Account 1, which nobody of these domains has, hands evidence in.
    fn leak(&mut self, domain: &str, selector: &str, signature: &[u8]) -> Ter {
        let tx = self.sign(&key(1), id(1), leak(domain, selector, signature));
        self.close_one(tx)
    }

    fn publish(&mut self, domain: &str, selector: &str, record: &str) -> Ter {
        let set = key_set(self, domain, selector, Answer::Record(record.as_bytes().to_vec()));
        self.close([set])
    }

    fn key_entry(&self, domain: &str, selector: &str) -> Object {
        let index = keylet::dkim_key(domain.as_bytes(), selector.as_bytes());
        self.ledger.entry(&index).expect("on the ledger")
    }
}

// Spec: 7.9, 1.
#[test]
fn accepts_evidence_of_both_kinds_of_key() {
    for key in [DkimKey::ed25519(&[3; 32]), DkimKey::fresh_rsa()] {
        let mut world = mails::world();
        assert_eq!(
            world.publish("old.example", "s1", &key.record()),
            Ter::TES_SUCCESS
        );
        let before = (world.balance(id(1)), world.key_entry("old.example", "s1"));
        assert_eq!(world.leak("old.example", "s1", &evidence(&key)), Ter::TES_SUCCESS);
        assert_eq!(world.balance(id(1)), before.0 - 10, "the ordinary fee");
        // half('z' || hash of the key), the letter as a u16.
        let index = sha512_half(&[&[0, b'z'], hash_of(&key).as_bytes()]);
        let applied = &world.last.as_ref().unwrap().applied[0];
        let index_in_ledger = world.ledger.index().get();
        let entry = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, 0x6Du16)
            .with(sf::FLAGS, 0u32)
            .with(sf::PREVIOUS_TXN_ID, applied.tx_id)
            .with(sf::PREVIOUS_TXN_LGR_SEQ, index_in_ledger);
        assert_eq!(world.ledger.entry(&index), Some(entry));
        assert_eq!(EntryType::DkimLeak.code(), 0x6D);
        let ended = world.key_entry("old.example", "s1");
        assert!(ended.contains(sf::REVOKED_AT));
        assert_eq!(ended.blob(sf::PUBLIC_KEY), before.1.blob(sf::PUBLIC_KEY));
        assert_eq!(ended.u32(sf::LAST_ATTESTED), before.1.u32(sf::LAST_ATTESTED));
    }
}

// Spec: 7.9.
#[test]
fn accepts_evidence_against_a_key_that_was_withdrawn() {
    let mut world = mails::world();
    let key = DkimKey::ed25519(&[3; 32]);
    assert_eq!(
        world.publish("old.example", "s1", &key.record()),
        Ter::TES_SUCCESS
    );
    let gone = key_set(&world, "old.example", "s1", Answer::Absent);
    assert_eq!(world.close([gone]), Ter::TES_SUCCESS);
    let revoked_at = world.key_entry("old.example", "s1").u32(sf::REVOKED_AT);
    assert_eq!(world.leak("old.example", "s1", &evidence(&key)), Ter::TES_SUCCESS);
    assert_eq!(
        world.key_entry("old.example", "s1").u32(sf::REVOKED_AT),
        revoked_at
    );
}

// Spec: 7.9, 7.8.
#[test]
fn accepts_evidence_against_a_key_that_waits() {
    let ledger = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: vec![key(200).public_key()],
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays {
            first_secs: 3_600,
            next_secs: 21_600,
        },
    });
    let mut world = World { ledger, last: None };
    let pay = payment(id(1), 100 * XAH).with(sf::NETWORK_ID, NETWORK);
    assert_eq!(world.apply(&master(), pay), Ter::TES_SUCCESS);
    let key = DkimKey::ed25519(&[3; 32]);
    let record = format!("{}; t=s", key.record());
    assert_eq!(world.publish("old.example", "s1", &record), Ter::TES_SUCCESS);
    assert!(world.key_entry("old.example", "s1").contains(sf::NEXT_KEY));
    assert_eq!(world.leak("old.example", "s1", &evidence(&key)), Ter::TES_SUCCESS);
    let ended = world.key_entry("old.example", "s1");
    assert!(!ended.contains(sf::NEXT_KEY) && !ended.contains(sf::ACTIVE_AFTER));
    assert_eq!(ended.blob(sf::PUBLIC_KEY), Some(key.public_key().as_slice()));
    assert_eq!(world.leak("old.example", "s1", &evidence(&key)), Ter::TEF_ALREADY);
}

// Spec: 7.9.
#[test]
fn rejects_what_is_no_evidence() {
    let (mut world, own) = (mails::world(), provider());
    let other = DkimKey::ed25519(&[3; 32]);
    let mut refused = |selector: &str, signature: &[u8], expected: Ter| {
        let before = world.balance(id(1));
        assert_eq!(world.leak("mail.test", selector, signature), expected);
        let fee = if expected == Ter::TEC_NO_ENTRY { 10 } else { 0 };
        assert_eq!(world.balance(id(1)), before - fee, "{expected:?}");
    };
    refused("nobody", &evidence(&own), Ter::TEC_NO_ENTRY);
    refused("own", &evidence(&other), Ter::TEF_BAD_SIGNATURE);
    refused(
        "own",
        &other.sign(&message(NETWORK, &own)),
        Ter::TEF_BAD_SIGNATURE,
    );
    refused(
        "own",
        &own.sign(&message(NETWORK + 1, &own)),
        Ter::TEF_BAD_SIGNATURE,
    );
    refused(
        "own",
        &own.sign(&message(NETWORK, &other)),
        Ter::TEF_BAD_SIGNATURE,
    );
    // Another kind of key has another length of signature.
    refused("s1", &evidence(&own), Ter::TEF_BAD_SIGNATURE);
    // What a mail can have signed: the bytes of evidence after the name of a field, as a relaxed header has them.
    let in_a_mail = [b"from:".as_slice(), &message(NETWORK, &own), b"\r\n"].concat();
    refused("own", &own.sign(&in_a_mail), Ter::TEF_BAD_SIGNATURE);
    for signature in [vec![], vec![0; 513]] {
        refused("own", &signature, Ter::TEM_MALFORMED);
    }
    for selector in ["OWN", "", "a..b"] {
        refused(selector, &evidence(&own), Ter::TEM_MALFORMED);
    }
    let flagged = leak("mail.test", "own", &evidence(&own)).with(sf::FLAGS, 1u32);
    let flagged = world.sign(&key(1), id(1), flagged);
    assert_eq!(world.close_one(flagged), Ter::TEM_INVALID_FLAG);
    assert_eq!(world.leak("mail.test", "own", &evidence(&own)), Ter::TES_SUCCESS);
}

// Spec: 7.9.
#[test]
fn rejects_a_key_that_is_known_as_leaked_under_every_name_and_in_every_encoding() {
    let mut world = mails::world();
    let key = DkimKey::fresh_rsa();
    let bare = testkit::base64(&key.public_key()[SPKI_HEAD_BYTES..]);
    for (domain, record) in [
        ("one.example", key.record()),
        ("two.example", format!("p={bare}")),
    ] {
        assert_eq!(world.publish(domain, "s1", &record), Ter::TES_SUCCESS);
    }
    assert_eq!(world.leak("one.example", "s1", &evidence(&key)), Ter::TES_SUCCESS);
    for domain in ["one.example", "two.example"] {
        assert_eq!(world.leak(domain, "s1", &evidence(&key)), Ter::TEF_ALREADY);
    }
    // A record of it is as good as none: it ends a key, waits for nothing, and makes no entry.
    assert_eq!(
        world.publish("two.example", "s1", &format!("p={bare}")),
        Ter::TES_SUCCESS
    );
    assert!(world.key_entry("two.example", "s1").contains(sf::REVOKED_AT));
    assert_eq!(
        world.publish("new.example", "s1", &key.record()),
        Ter::TEF_FAILURE
    );
    // Another key takes the place of the leaked one.
    let fresh = DkimKey::ed25519(&[5; 32]);
    assert_eq!(
        world.publish("one.example", "s1", &fresh.record()),
        Ter::TES_SUCCESS
    );
    assert!(!world.key_entry("one.example", "s1").contains(sf::REVOKED_AT));
}

// Spec: 7.3, 7.9. A mail is judged by the parent ledger.
#[test]
fn accepts_a_mail_in_the_ledger_of_the_evidence_and_rejects_the_next() {
    let mut world = mails::world();
    let pays = |world: &World, date: u32| {
        mails::tx(&wrapped(
            world,
            &mail(date, "REMIT 1 XAH TO <bob@example.net>"),
            0,
        ))
    };
    let first = pays(&world, CLOCK - 60);
    let evidence = world.sign(&key(1), id(1), leak("mail.test", "own", &evidence(&provider())));
    let closed_at = CloseTime::new(world.ledger.close_time().seconds() + 5);
    let closed = ledger::close(&world.ledger, [first, evidence], closed_at);
    assert_eq!(closed.applied.len(), 2, "{:?}", closed.dropped);
    world.ledger = closed.ledger;
    let second = pays(&world, CLOCK - 50);
    let before = world.balance(alice());
    assert_eq!(world.close_one(second), Ter::TEF_DKIM_REVOKED);
    assert_eq!(world.balance(alice()), before);
}

// Spec: 7.9, 1.
#[test]
fn rejects_evidence_on_a_network_without_the_amendment() {
    let config = |email| GenesisConfig {
        network_id: NETWORK,
        validators: vec![key(200).public_key()],
        email,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    };
    let of = |email| World {
        ledger: Ledger::genesis(&config(email)),
        last: None,
    };
    let own = DkimKey::ed25519(&[3; 32]);
    let mut without = of(EmailAmendment::Absent);
    let tx = without.sign(
        &master(),
        master().account(),
        leak("old.example", "s1", &evidence(&own)),
    );
    assert_eq!(without.close_one(tx.clone()), Ter::TEM_DISABLED);
    let mut with = of(EmailAmendment::Enabled);
    assert_eq!(with.close_one(tx), Ter::TEC_NO_ENTRY);
}

// Spec: 7.7, 7.9. Evidence and an attestation in one ledger: whichever comes first, the key has ended.
#[test]
fn rejects_a_leaked_key_that_is_attested_in_the_ledger_of_the_evidence() {
    for number in 0..8 {
        let mut world = mails::world();
        let own = DkimKey::ed25519(&[3; 32]);
        assert_eq!(
            world.publish("old.example", "s1", &own.record()),
            Ter::TES_SUCCESS
        );
        let name = KeyName::new(b"old.example", b"s1").expect("legal");
        let observed = CloseTime::new(world.ledger.close_time().seconds() + 1 + number);
        let answer = Answer::Record(own.record().into_bytes());
        let word = Attestation::sign(NETWORK, name, answer, observed, &key(200)).expect("short");
        let set = build_key_set(&world.ledger, NETWORK, &[word]).expect("quorum of one");
        let evidence = world.sign(&key(1), id(1), leak("old.example", "s1", &evidence(&own)));
        world.close([set, evidence]);
        assert!(world.key_entry("old.example", "s1").contains(sf::REVOKED_AT));
    }
}
