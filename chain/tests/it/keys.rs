//! Keys that end while mails and ledgers go on. The provider here signs with keys of its own (RFC 8463).

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use chain::peers::Peer;
use chain::{Event, Fact, KeyChange, KeyFinding, MailReply, OnRetry, Standing, TxRequest};
use codec::format::TxType;
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Hash256, Object, Ter, flags, sf};
use ledger::dkim::{Answer, Attestation};
use ledger::{Ledger, OpenLedger, Transaction};
use testkit::sign::{DkimKey, Draft, Form};

use crate::driver::{CLOCK, Driver, GENESIS_SEED, NETWORK, first_ledger, payment, validator};

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;
pub(crate) const BOB_AT: &str = "bob@example.net";

/// The account of an address.
pub(crate) fn account_of(address: &str) -> AccountId {
    amendment::address::parse_recipient(address)
        .expect("an address")
        .account()
}

/// A ledger of so many validators in which bob and these senders have 1,000 XAH each.
pub(crate) fn funded(validators: u8, senders: &[String]) -> Ledger {
    let first = first_ledger(validators);
    let mut open = OpenLedger::new(&first);
    let bob = BOB_AT.to_owned();
    for (sequence, address) in (2..).zip(senders.iter().chain([&bob])) {
        let to = account_of(address).to_string();
        let paid = open
            .submit(&payment(&to, sequence, 1_000_000_000))
            .expect("submitted");
        assert!(paid.applied, "{:?}", paid.ter);
    }
    let transactions = open.accepted().iter().cloned();
    ledger::close(&first, transactions, CloseTime::new(CLOCK)).ledger
}

/// A Date of RFC 5322.
fn date_of(time: u32) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (mut day, second) = (time / DAY, time % DAY);
    let (mut year, mut month) = (2000_u32, 0);
    loop {
        let february = if year.is_multiple_of(4) { 29 } else { 28 };
        let days = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
        if day < days {
            break;
        }
        day -= days;
        (year, month) = if month == 11 {
            (year + 1, 0)
        } else {
            (year, month + 1)
        };
    }
    format!(
        "{} {} {year} {:02}:{:02}:{:02} +0000",
        day + 1,
        MONTHS[month],
        second / HOUR,
        second / 60 % 60,
        second % 60
    )
}

/// A mail that pays bob a little, signed under `selector`.
pub(crate) fn mail(key: &DkimKey, selector: &str, from: &str, time: u32) -> Vec<u8> {
    let (_, domain) = from.split_once('@').expect("an address");
    let fields = format!("from:{from}\r\ndate:{}\r\n", date_of(time));
    let draft = Draft {
        form: Form::Relaxed,
        domain,
        selector,
        names: "From:Date",
        fields: fields.into_bytes(),
        body: format!("REMIT 0.001 XAH TO <{BOB_AT}>\r\n").into_bytes(),
    };
    draft.signed(key)
}

pub(crate) fn found(key: &DkimKey) -> KeyFinding {
    KeyFinding::Usable(PublishedKey::parse(key.record().into_bytes()).expect("a key"))
}

fn name() -> KeyName {
    KeyName::new(b"mail.test", b"s1").expect("a name")
}

const ALICE_AT: &str = "alice@mail.test";

/// A node whose ledger had the provider's key attested a moment ago.
fn with_key(key: &DkimKey) -> Driver {
    let mut driver = Driver::on(funded(1, &[ALICE_AT.to_owned()]));
    let first = mail(key, "s1", ALICE_AT, driver.now);
    assert_eq!(driver.hand_in(&first).standing, Some(Standing::Kept));
    driver.answer_with(&found(key));
    driver.close();
    driver.close();
    driver.settle();
    assert_eq!(driver.settled().len(), 1, "validated");
    driver
}

impl Driver {
    /// Hand in a mail of the operator's, and hear what becomes of it.
    pub(crate) fn hand_in(&mut self, raw: &[u8]) -> MailReply {
        let request = self.send_raw(raw, Peer::Operator);
        self.settle();
        self.mail_reply(request)
    }

    /// DNS gives one answer to all that was asked. How much that was.
    fn answer_with(&mut self, finding: &KeyFinding) -> usize {
        let asked = std::mem::take(&mut self.looked_up);
        for name in &asked {
            self.handle(Event::Answer {
                name: name.clone(),
                finding: finding.clone(),
            });
        }
        self.settle();
        asked.len()
    }

    /// Time passes in which the idle ledger closes again and again.
    fn idle(&mut self, secs: u32) {
        let until = self.now + secs;
        while self.now < until {
            self.now = until.min(self.now + 600);
            self.close_now();
            self.settle();
        }
    }

    fn paid(&self) -> usize {
        self.settled().len()
    }
}

// Spec: 7.3, 7.4.
#[test]
fn accepts_a_mail_under_a_key_that_has_ended_one_ledger_later() {
    let key = DkimKey::ed25519(&[1; 32]);
    let mut driver = with_key(&key);
    driver.idle(7 * HOUR);
    // It was in use, so it was asked for; DNS was silent, and the key has ended.
    assert!(driver.answer_with(&KeyFinding::NoAnswer) > 0);
    driver.idle(12 * HOUR);
    driver.looked_up.clear();
    let mail = mail(&key, "s1", ALICE_AT, driver.now);
    let reply = driver.hand_in(&mail);
    assert_eq!(
        (reply.engine, reply.standing),
        (Ter::TER_NO_DKIM_KEY, Some(Standing::Kept))
    );
    assert_eq!(
        driver.answer_with(&found(&key)),
        1,
        "its name is asked for at once"
    );
    driver.close();
    driver.settle();
    assert_eq!(driver.proposed_types(), [TxType::Remit]);
    driver.close();
    driver.settle();
    assert_eq!(driver.paid(), 2);
}

// Spec: 7.4.
#[test]
fn accepts_a_renewal_of_a_key_in_use_and_rejects_one_of_a_key_that_nobody_uses() {
    let key = DkimKey::ed25519(&[1; 32]);
    let mut driver = with_key(&key);
    driver.idle(5 * HOUR - 600);
    assert!(driver.looked_up.is_empty(), "it is too early");
    driver.idle(1_200);
    assert_eq!(driver.looked_up, [name()]);
    driver.answer_with(&found(&key));
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
    driver.idle(3 * DAY);
    assert!(driver.looked_up.is_empty(), "nobody has used it since");
}

#[test]
fn tells_when_dns_has_another_key_than_the_ledger() {
    let [key, other] = [1, 2].map(|seed| DkimKey::ed25519(&[seed; 32]));
    let changes = |driver: &Driver| -> Vec<KeyChange> {
        let change = |fact: &Fact| match fact {
            Fact::KeyChange { change, .. } => Some(*change),
            _ => None,
        };
        driver.facts.iter().filter_map(change).collect()
    };
    for (finding, change) in [
        (found(&key), None),
        (found(&other), Some(KeyChange::OtherKey)),
        (KeyFinding::Absent, Some(KeyChange::Withdrawn)),
        (KeyFinding::Unusable, Some(KeyChange::Withdrawn)),
        (KeyFinding::NoAnswer, None),
    ] {
        let mut driver = with_key(&key);
        assert_eq!(changes(&driver), [], "the first key of a domain");
        driver.idle(5 * HOUR + 600);
        driver.answer_with(&finding);
        assert_eq!(changes(&driver), Vec::from_iter(change), "{finding:?}");
    }
    let mut driver = with_key(&key);
    driver.hand_in(&mail(&other, "s2", ALICE_AT, driver.now));
    driver.answer_with(&found(&key));
    assert_eq!(
        changes(&driver),
        [],
        "no mail verifies under it: a stranger made it up"
    );
    let later = driver.now + HOUR;
    driver.now = later;
    driver.hand_in(&mail(&other, "s2", ALICE_AT, later));
    driver.answer_with(&found(&other));
    assert_eq!(changes(&driver), [KeyChange::NewSelector]);
}

// Spec: 7.4. What was withdrawn while the node was away pays nothing, whatever date the mail bears.
#[test]
fn rejects_a_mail_dated_while_the_node_was_away_under_a_key_that_ended_meanwhile() {
    let key = DkimKey::ed25519(&[1; 32]);
    let mut driver = with_key(&key);
    let stood_still = driver.now;
    driver.now += DAY;
    let thief = mail(&key, "s1", ALICE_AT, stood_still + 60);
    assert_eq!(
        driver.hand_in(&thief).engine,
        Ter::TES_SUCCESS,
        "by the last ledger's time"
    );
    assert_eq!(driver.proposed_types(), []);
    driver.close();
    driver.settle();
    assert_eq!(driver.proposed_types(), [], "it waits for its key");
    assert_eq!(driver.answer_with(&KeyFinding::Absent), 1);
    for _ in 0..3 {
        driver.close();
        driver.settle();
    }
    assert_eq!(driver.paid(), 1);
    assert_eq!(driver.chain.shown().pool.counts().for_key, 0, "given up");
}

#[test]
fn accepts_a_mail_dated_while_the_node_was_away_under_a_key_that_is_still_there() {
    let key = DkimKey::ed25519(&[1; 32]);
    let mut driver = with_key(&key);
    let honest = mail(&key, "s1", ALICE_AT, driver.now + 60);
    driver.now += DAY;
    driver.hand_in(&honest);
    driver.close();
    driver.settle();
    assert_eq!(driver.answer_with(&found(&key)), 1);
    driver.close();
    driver.close();
    driver.settle();
    assert_eq!(driver.paid(), 2);
}

/// Evidence against a key, by the genesis account. The bytes are those of spec 7.9.
fn evidence(key: &DkimKey, sequence: u32) -> Transaction {
    let hash = codec::hash::sha512_half(&[&key.public_key()]);
    let message = [b"DKL\0".as_slice(), &NETWORK.to_be_bytes(), hash.as_bytes()].concat();
    let signer = KeyPair::from_seed(GENESIS_SEED).expect("a seed");
    let tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::DkimKeyLeak.code())
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::FEE, Amount::Native(10))
        .with(sf::SIGNING_PUB_KEY, signer.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, signer.account())
        .with(sf::DOMAIN, b"mail.test".as_slice())
        .with(sf::SELECTOR, b"s1".as_slice())
        .with(sf::KEY_SIGNATURE, key.sign(&message));
    let signature = signer.sign(&codec::tx::signing_bytes(&tx));
    Transaction::from_object(&tx.with(sf::TXN_SIGNATURE, signature)).expect("a transaction")
}

fn hand_in_evidence(driver: &mut Driver, key: &DkimKey) {
    let request = driver.request();
    driver.handle(Event::Transaction(TxRequest {
        request,
        peer: Peer::Operator,
        // After the payments to alice and bob.
        tx: evidence(key, 4),
        on_retry: OnRetry::Drop,
    }));
    assert_eq!(driver.proposed_types(), [TxType::DkimKeyLeak]);
}

/// What is said of the last mail that was given up.
fn failed_with(driver: &Driver, reply: &MailReply) -> Option<Ter> {
    let email_id: Hash256 = reply.mail.explanation().email_id.expect("an EmailID").hash();
    match driver.chain.shown().standing(&email_id)? {
        Standing::Failed { code, .. } => Ter::from_code(code),
        Standing::Kept | Standing::Submitted { .. } => None,
    }
}

// Spec: 7.9.
#[test]
fn rejects_mails_that_wait_under_a_key_that_is_shown_to_be_leaked() {
    let key = DkimKey::ed25519(&[1; 32]);
    let mut driver = with_key(&key);
    driver.idle(12 * HOUR);
    driver.looked_up.clear();
    let waiting = mail(&key, "s1", ALICE_AT, driver.now);
    let reply = driver.hand_in(&waiting);
    assert_eq!(reply.standing, Some(Standing::Kept));
    hand_in_evidence(&mut driver, &key);
    driver.close();
    driver.settle();
    assert_eq!(failed_with(&driver, &reply), Some(Ter::TEF_DKIM_REVOKED));
    // The same key under another name, whose record DNS still has.
    let other = mail(&key, "s2", ALICE_AT, driver.now);
    let reply = driver.hand_in(&other);
    assert_eq!(reply.standing, Some(Standing::Kept));
    driver.answer_with(&found(&key));
    assert_eq!(failed_with(&driver, &reply), Some(Ter::TEF_DKIM_REVOKED));
    assert_eq!(driver.proposed_types(), [], "nothing is attested for it");
}

// Spec: 7.2, 7.4. A validator that has just started learns from another one which keys are in use.
#[test]
fn accepts_a_renewal_that_another_validator_began() {
    let key = DkimKey::ed25519(&[1; 32]);
    let ledger = funded(5, &[ALICE_AT.to_owned()]);
    let record = Answer::Record(key.record().into_bytes());
    let word = |number: u8, time: u32| {
        let time = CloseTime::new(time);
        Attestation::sign(NETWORK, name(), record.clone(), time, &validator(number)).expect("signed")
    };
    let words: Vec<Attestation> = (1..=4).map(|number| word(number, CLOCK + 1)).collect();
    let set = ledger::dkim::build_key_set(&ledger, NETWORK, &words).expect("a quorum");
    let ledger = ledger::close(&ledger, [set], CloseTime::new(CLOCK + 4)).ledger;
    let ledger = ledger::close(&ledger, [], CloseTime::new(CLOCK + 5 * HOUR + 60)).ledger;
    let mut driver = Driver::on(ledger);
    driver.now = CLOCK + 5 * HOUR + 60;
    driver.close();
    driver.settle();
    assert!(driver.looked_up.is_empty(), "it knows of no use");
    driver.handle(Event::Attestation(word(2, driver.now)));
    assert_eq!(driver.looked_up, [name()]);
    driver.answer_with(&found(&key));
    for number in 3..=4 {
        driver.handle(Event::Attestation(word(number, driver.now)));
    }
    assert_eq!(driver.proposed_types(), [TxType::DkimKeySet]);
}
