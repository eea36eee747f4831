//! A provider, its mails, and a ledger that knows its keys: what the tests of transactions that a mail signs have in
//! common. Mails: fixtures/vectors/mail, and mails signed here with Ed25519 after RFC 8463.

use std::sync::LazyLock;

use amendment::{KeyName, ProvenMail};
use codec::keys::KeyPair;
use codec::{AccountId, CloseTime, Hash256, Object, Ter, keylet, sf};
use ledger::dkim::{Answer, Attestation, KeyDelays, build_key_set};
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Header, Ledger, OpenLedger, Transaction};
use testkit::sign::{DkimKey, Draft, Form};

use super::common::{World, XAH, id, key, master, payment};

/// 2026-11-01 00:00:00 UTC, in seconds since 2000.
pub(crate) const NOVEMBER: u32 = 846_806_400;
/// 2026-11-16 12:00:00 UTC: the clock of the vectors.
pub(crate) const CLOCK: u32 = 848_145_600;
pub(crate) const DAY: u32 = 86_400;
pub(crate) const NETWORK: u32 = 21_337;

/// The provider's key of this file's own mails.
pub(crate) fn provider() -> DkimKey {
    DkimKey::ed25519(&[99; 32])
}

pub(crate) fn record() -> Vec<u8> {
    provider().record().into_bytes()
}

/// A mail of alice@mail.test in normal form, dated within November 2026, of a provider that does not sign the time.
pub(crate) fn mail(date: u32, line: &str) -> Vec<u8> {
    draft(date, line).signed(&provider())
}

/// The same of a provider that does (`t=`).
pub(crate) fn stamped(date: u32, signed_at: u32, line: &str) -> Vec<u8> {
    draft(date, line).signed_at(&provider(), CloseTime::new(signed_at).to_unix())
}

fn draft(date: u32, line: &str) -> Draft<'static> {
    let (day, second) = ((date - NOVEMBER) / DAY + 1, (date - NOVEMBER) % DAY);
    let time = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    let headers = format!("from:alice@mail.test\r\ndate:{day} Nov 2026 {time} +0000\r\n");
    Draft {
        form: Form::Relaxed,
        domain: "mail.test",
        selector: "own",
        names: "From:Date",
        fields: headers.into_bytes(),
        body: format!("{line}\r\n").into_bytes(),
    }
}

pub(crate) fn alice() -> AccountId {
    AccountId::parse_classic("rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z").expect("vector")
}

/// The clock of the vectors, alice with 100 XAH, and no key on the ledger.
pub(crate) fn world_without_keys() -> World {
    let ledger = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: vec![key(200).public_key()],
        email: EmailAmendment::Enabled,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    });
    let mut world = World { ledger, last: None };
    for account in [alice(), id(1)] {
        let pay = payment(account, 100 * XAH).with(sf::NETWORK_ID, NETWORK);
        assert_eq!(world.apply(&master(), pay), Ter::TES_SUCCESS);
    }
    world
}

pub(crate) fn key_set(world: &World, domain: &str, selector: &str, answer: Answer) -> Transaction {
    let name = KeyName::new(domain.as_bytes(), selector.as_bytes()).expect("legal");
    let observed = CloseTime::new(world.ledger.close_time().seconds() + 1);
    let word = Attestation::sign(NETWORK, name, answer, observed, &key(200)).expect("short");
    build_key_set(&world.ledger, NETWORK, &[word]).expect("quorum of one")
}

/// The same, with the keys of the vectors' s1 and of this file's mails on the ledger.
pub(crate) fn world() -> World {
    let mut world = world_without_keys();
    for (selector, record) in [
        ("own", record()),
        ("s1", vector_record("s1._domainkey.mail.test")),
    ] {
        let set = key_set(&world, "mail.test", selector, Answer::Record(record));
        assert_eq!(world.close([set]), Ter::TES_SUCCESS);
    }
    world
}

pub(crate) fn vectors() -> &'static serde_json::Value {
    static VECTORS: LazyLock<serde_json::Value> = LazyLock::new(|| {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/vectors/mail/vectors.json"
        );
        serde_json::from_slice(&std::fs::read(path).expect("fixtures")).expect("JSON")
    });
    &VECTORS
}

pub(crate) fn vector_record(name: &str) -> Vec<u8> {
    vectors()["keys"][name]
        .as_str()
        .expect("record")
        .as_bytes()
        .to_vec()
}

/// Normal form and EmailID of a vector.
pub(crate) fn vector(file: &str) -> (Vec<u8>, Hash256) {
    let vectors = vectors();
    let case = vectors["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["file"] == file)
        .expect("a vector");
    let memo = hex::decode(case["normal_form_hex"].as_str().unwrap()).unwrap();
    (
        memo,
        Hash256::from_hex(case["email_id"].as_str().unwrap()).unwrap(),
    )
}

/// The mail under the keys of this file, as of its own time: the window is the ledger's business here.
pub(crate) fn derived(memo: &[u8]) -> ProvenMail {
    let keys = [
        ("own", record()),
        ("s1", vector_record("s1._domainkey.mail.test")),
    ];
    let mut records = amendment::TxtRecords::new();
    for (selector, record) in keys {
        records.insert(&format!("{selector}._domainkey.mail.test"), &record);
    }
    let times = [CloseTime::new(CLOCK), end_of_its_day(memo)];
    times
        .into_iter()
        .find_map(|now| amendment::derive(memo, NETWORK, now, &records).ok())
        .expect("a mail that qualifies at some time of the month")
}

/// The end of the day of November on which a mail of this file is dated.
fn end_of_its_day(memo: &[u8]) -> CloseTime {
    let text = String::from_utf8_lossy(memo);
    let day = text
        .split("\r\ndate:")
        .nth(1)
        .and_then(|date| date.split(' ').next());
    let day: u32 = day.and_then(|day| day.parse().ok()).unwrap_or_default();
    CloseTime::new(NOVEMBER + day * DAY)
}

/// Wraps as submitEmail does, so many transactions ahead of the account.
pub(crate) fn wrapped(world: &World, memo: &[u8], ahead: u32) -> Object {
    let open = OpenLedger::new(&world.ledger);
    let object = amendment::submission(&derived(memo), &open.view()).expect("an account");
    object.with(sf::SEQUENCE, world.sequence(alice()) + ahead)
}

pub(crate) fn tx(object: &Object) -> Transaction {
    Transaction::from_object(object).expect("template")
}

impl World {
    pub(crate) fn mail(&mut self, memo: &[u8]) -> Ter {
        let tx = tx(&wrapped(self, memo, 0));
        self.close_one(tx)
    }

    /// Result of one transaction, a ter included.
    pub(crate) fn close_one(&mut self, tx: Transaction) -> Ter {
        let open = self.submit(&tx);
        let closed = self.close([tx]);
        if closed == Ter::TER_RETRY { open } else { closed }
    }

    /// A ledger whose state differs in one entry: what no transaction of this file could bring about.
    pub(crate) fn put_entry(&mut self, index: Hash256, entry: &Object) {
        let mut state = self.ledger.state().clone();
        state.insert(index, codec::encode(entry));
        let header = Header {
            account_hash: state.root_hash(),
            ..*self.ledger.header()
        };
        self.ledger =
            Ledger::from_parts(header, state, self.ledger.transactions().clone()).expect("consistent");
    }

    pub(crate) fn close_empty_at(&mut self, time: u32) {
        self.ledger = ledger::close(&self.ledger, [], CloseTime::new(time)).ledger;
    }

    pub(crate) fn replay_entry(&self) -> Option<Object> {
        self.ledger.entry(&keylet::email_replay(alice()))
    }

    pub(crate) fn replay_ids(&self) -> Vec<Hash256> {
        let entry = self.replay_entry().unwrap_or_default();
        let entries = entry.array(sf::EMAIL_REPLAY_ENTRIES).unwrap_or(&[]);
        entries
            .iter()
            .filter_map(|(_, entry)| entry.hash256(sf::EMAIL_ID))
            .collect()
    }

    pub(crate) fn by_key(&mut self, signer: &KeyPair, sender: AccountId, object: Object) -> Ter {
        let tx = self.sign(signer, sender, object.with(sf::NETWORK_ID, NETWORK));
        self.close_one(tx)
    }
}

pub(crate) fn bob() -> AccountId {
    AccountId::parse_classic("rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o").unwrap()
}
