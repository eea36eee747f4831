//! 10,000 forged mails an hour from 1,000 funded senders' addresses, and an honest first mail of a new provider.
//!
//! Simulated second by second: mails come, DNS answers or stays silent, ledgers close every three seconds.
//! Anybody can write such mails; the addresses of those who have an account stand in the ledger.

use std::collections::BTreeMap;

use amendment::{KeyName, address};
use chain::peers::Peer;
use chain::{KeyFinding, Standing};
use codec::{AccountId, CloseTime, Hash256};
use ledger::{Ledger, OpenLedger};

use crate::driver::{CLOCK, Driver, finding, first_ledger, payment, vector_mail};

/// Forged mails an hour.
const FORGED_PER_HOUR: u32 = 10_000;
/// Accounts that the forged mails name.
const SENDERS: u32 = 1_000;
/// Signatures of each, under names that nobody has asked for before.
const SIGNATURES: u32 = 4;
/// Seconds from one close to the next.
const CLOSE_SECS: u32 = 3;
/// Seconds until DNS answers, or until it is known that it does not.
const ANSWER_SECS: u32 = 1;
const SILENT_SECS: u32 = 4;
/// bh= of the body of the forged mails.
const BODY: &str = "REMIT 1 XAH TO <bob@example.net>\r\n";
const BODY_HASH: &str = "OEDe5dtUkfN99VX/9q3nyLrRJuRlJ4c0qs+9HtWoa5M=";

/// What DNS makes of the names of forged mails.
#[derive(Debug, Clone, Copy)]
enum Dns {
    /// It says nothing: the forger keeps it silent.
    Silent,
    /// There is no such name.
    Absent,
    /// There is another key.
    OtherKey,
}

/// Where forged mails come from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// The relay that the honest mail comes from too.
    SameRelay,
    /// One network of a stranger.
    Stranger,
}

fn sender(number: u32) -> String {
    format!("user{number}@p{number}.example")
}

/// A mail that nobody signed: its signatures are noise of the right length.
fn forged(number: u32) -> Vec<u8> {
    let of = number % SENDERS;
    let noise = "A".repeat(342) + "==";
    let mut mail = String::new();
    for signature in 0..SIGNATURES {
        mail += &format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=p{of}.example; s=x{number}y{signature};\r\n \
             h=From:Date; bh={BODY_HASH}; b={noise}\r\n"
        );
    }
    let (minute, second) = (number / 60 % 60, number % 60);
    mail += &format!(
        "From: {}\r\nDate: Mon, 16 Nov 2026 11:{minute:02}:{second:02} +0000\r\n\r\n{BODY}",
        sender(of)
    );
    mail.into_bytes()
}

/// A ledger that has all the senders' accounts.
fn funded() -> Ledger {
    let first = first_ledger(1);
    let mut open = OpenLedger::new(&first);
    for number in 0..SENDERS {
        let account = address::parse_recipient(&sender(number))
            .expect("an address")
            .account();
        let paid = open
            .submit(&payment(&account.to_string(), 2 + number, 5_000_000))
            .expect("submitted");
        assert!(paid.applied, "{:?}", paid.ter);
    }
    let transactions = open.accepted().iter().cloned();
    ledger::close(&first, transactions, CloseTime::new(CLOCK)).ledger
}

/// The world around a chain.
struct World {
    driver: Driver,
    dns: Dns,
    from: From,
    sent: u32,
    /// Look-ups under way, by the second of their answer.
    answers: BTreeMap<u32, Vec<KeyName>>,
}

impl World {
    fn new(ledger: Ledger, dns: Dns, from: From) -> Self {
        Self {
            driver: Driver::on(ledger),
            dns,
            from,
            sent: 0,
            answers: BTreeMap::new(),
        }
    }

    /// One second: mails, answers, perhaps a ledger.
    fn second(&mut self) {
        let driver = &mut self.driver;
        driver.now += 1;
        let passed = driver.now - CLOCK;
        let peer = match self.from {
            From::SameRelay => Peer::Operator,
            From::Stranger => Peer::Guest("192.0.2.1".parse().expect("an address")),
        };
        while self.sent < FORGED_PER_HOUR * passed / 3_600 {
            let request = driver.send_raw(&forged(self.sent), peer);
            self.sent += 1;
            driver.settle();
            driver.told(request);
        }
        for name in self.answers.remove(&passed).unwrap_or_default() {
            let finding = self.found(&name);
            self.driver.handle(chain::Event::Answer { name, finding });
            self.driver.settle();
        }
        if passed.is_multiple_of(CLOSE_SECS) {
            self.driver.close_now();
            self.driver.settle();
        }
        for name in std::mem::take(&mut self.driver.looked_up) {
            let is_silent = is_forged(&name) && matches!(self.dns, Dns::Silent);
            let secs = if is_silent { SILENT_SECS } else { ANSWER_SECS };
            self.answers.entry(passed + secs).or_default().push(name);
        }
    }

    fn found(&self, name: &KeyName) -> KeyFinding {
        if !is_forged(name) {
            return finding(name);
        }
        match self.dns {
            Dns::Silent => KeyFinding::NoAnswer,
            Dns::Absent => KeyFinding::Absent,
            Dns::OtherKey => {
                let other = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_vec();
                let other = amendment::key_record::PublishedKey::parse(other);
                KeyFinding::Usable(other.expect("a key"))
            }
        }
    }

    /// Ledgers from an honest mail to the one that holds it.
    fn ledgers_of_an_honest_mail(&mut self) -> u32 {
        let request = self.driver.send_raw(&vector_mail("c044.eml"), Peer::Operator);
        self.driver.settle();
        let reply = self.driver.mail_reply(request);
        assert_eq!(
            reply.standing,
            Some(Standing::Kept),
            "{:?} {:?}",
            reply.engine,
            reply.not_kept
        );
        let before = self.driver.chain.shown().ledger.index().get();
        let bob = address::parse_recipient("bob@example.com")
            .expect("an address")
            .account();
        while !self.is_there(bob) {
            self.second();
            assert!(
                self.driver.chain.shown().ledger.index().get() < before + 20,
                "never"
            );
        }
        self.driver.chain.shown().ledger.index().get() - before
    }

    fn is_there(&self, account: AccountId) -> bool {
        let key: Hash256 = codec::keylet::account(account);
        self.driver.chain.shown().ledger.entry(&key).is_some()
    }
}

fn is_forged(name: &KeyName) -> bool {
    name.domain().ends_with(".example")
}

/// The key comes with the next ledger, the payment with the one after it. A ledger that closes before DNS
/// answers does not count: the mail came too late for it. XAHAU_EMAIL_FORGERY_MINUTES is for how long forged mails
/// come before the honest one.
#[test]
fn accepts_an_honest_first_mail_within_two_ledgers_among_ten_thousand_forged_ones_an_hour() {
    let minutes = std::env::var("XAHAU_EMAIL_FORGERY_MINUTES");
    let minutes = minutes.map_or(1, |text| text.parse().expect("minutes"));
    let ledger = funded();
    for from in [From::SameRelay, From::Stranger] {
        for dns in [Dns::Silent, Dns::Absent, Dns::OtherKey] {
            let mut world = World::new(ledger.clone(), dns, from);
            // Not a multiple of the closes: DNS answers before the next one.
            while world.driver.now < CLOCK + 60 * minutes + 1 {
                world.second();
            }
            let kept = world.driver.chain.shown().pool.kept_count();
            let ledgers = world.ledgers_of_an_honest_mail();
            println!(
                "{dns:?}, {from:?}, {minutes} min: {} forged mails, {kept} kept, {ledgers} ledgers for the honest one",
                world.sent
            );
            assert!(ledgers <= 2, "{dns:?}, {from:?}: {ledgers} ledgers");
        }
    }
}
