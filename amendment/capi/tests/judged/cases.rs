//! The cases that the programs judge, and what Rust says of each: the attack set (fixtures/cases), a transaction and
//! a submission of every mail that is accepted, and key sets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amendment::key_record::{KeyRecord, parse_txt};
use amendment::{
    AMENDMENT_EMAIL, Amendment, Answer, Attestation, Effect, KeyName, KeySet, Parsed, ProvenMail, ReadView,
    Ready, Rules, TxtRecords, Votes, Write, derive, key_set_writes, next_replay_entry, preflight, submission,
    submit_fee, wrap,
};
use codec::format::EntryType;
use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, hex_upper, keylet, sf};
use serde_json::Value;

/// Base fee of these ledgers.
const BASE_FEE: Drops = Drops::new(10);
/// Index of the ledger that is being built.
const INDEX: u32 = 100;
const SEQUENCE: u32 = 5;
const PARENT_HASH: [u8; 32] = [0xAB; 32];
const EXPLAIN: u32 = 1;
const TRANSACTION: u32 = 2;
const KEY_SET: u32 = 3;
const SUBMISSION: u32 = 4;
const RECORD: u32 = 2;
const UNUSABLE: u32 = 1;
const ABSENT: u32 = 0;

/// A ledger for one case.
#[derive(Default)]
pub(crate) struct Ledger {
    network_id: u32,
    now: u32,
    entries: BTreeMap<Hash256, Object>,
}

impl ReadView for Ledger {
    fn network_id(&self) -> u32 {
        self.network_id
    }
    fn ledger_index(&self) -> LedgerIndex {
        LedgerIndex::new(INDEX)
    }
    fn parent_close_time(&self) -> CloseTime {
        CloseTime::new(self.now)
    }
    fn parent_hash(&self) -> Hash256 {
        Hash256::new(PARENT_HASH)
    }
    fn base_fee(&self) -> Drops {
        BASE_FEE
    }
    fn reserve_base(&self) -> Drops {
        Drops::new(1_000_000)
    }
    fn reserve_increment(&self) -> Drops {
        Drops::new(200_000)
    }
    fn is_open(&self) -> bool {
        false
    }
    fn amendment_enabled(&self, id: &Hash256) -> bool {
        *id == AMENDMENT_EMAIL
    }
    fn entry(&self, key: &Hash256) -> Option<Object> {
        self.entries.get(key).cloned()
    }
    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.entry(key)
    }
}

/// What a case expects of the line that a program prints.
pub(crate) enum Expected {
    /// Of a mail: `qualifies`, `rule` and `email_id`, as expect.json has them.
    Mail(Value),
    /// The words themselves.
    Words(Vec<String>),
}

/// The cases as a program reads them, and what each is expected to come to.
#[derive(Default)]
pub(crate) struct Cases {
    /// For the programs.
    pub(crate) bytes: Vec<u8>,
    /// By name.
    pub(crate) expected: BTreeMap<String, Expected>,
}

impl Cases {
    fn number(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_ne_bytes());
    }

    fn slice(&mut self, bytes: &[u8]) {
        self.number(u32::try_from(bytes.len()).expect("short"));
        self.bytes.extend_from_slice(bytes);
    }

    fn add(
        &mut self,
        kind: u32,
        name: &str,
        input: &[u8],
        ledger: &Ledger,
        answers: &[(String, u32, Vec<u8>)],
        expected: Expected,
    ) {
        self.number(kind);
        self.slice(name.as_bytes());
        self.slice(input);
        for number in [ledger.network_id, INDEX, ledger.now, 1] {
            self.number(number);
        }
        self.bytes.extend_from_slice(&PARENT_HASH);
        for drops in [BASE_FEE, ledger.reserve_base(), ledger.reserve_increment()] {
            self.bytes.extend_from_slice(&drops.get().to_ne_bytes());
        }
        self.number(u32::try_from(answers.len()).expect("few"));
        self.number(u32::try_from(2 * ledger.entries.len()).expect("few"));
        for (name, answer, record) in answers {
            self.slice(name.as_bytes());
            self.number(*answer);
            self.slice(record);
        }
        for (index, entry) in &ledger.entries {
            for which in [0, 1] {
                self.bytes.extend_from_slice(index.as_bytes());
                self.number(which);
                self.slice(&codec::encode(entry));
            }
        }
        self.expected.insert(name.to_owned(), expected);
    }
}

/// Each character of a record is one byte.
fn record(text: &Value) -> Vec<u8> {
    let bytes = text.as_str().expect("a record").chars();
    bytes
        .map(|c| u8::try_from(u32::from(c)).expect("one byte"))
        .collect()
}

fn answers(table: &Value) -> Vec<(String, u32, Vec<u8>)> {
    let answer = |records: &Value| match records.as_array().expect("a list").as_slice() {
        [] => (ABSENT, Vec::new()),
        [one] => (RECORD, record(one)),
        _ => (UNUSABLE, Vec::new()),
    };
    let rows = table.as_object().expect("a table").iter();
    rows.map(|(name, records)| {
        let (code, record) = answer(records);
        (name.clone(), code, record)
    })
    .collect()
}

fn dkim_key(name: &KeyName, key: &KeyRecord, now: u32) -> Object {
    Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
        .with(sf::FLAGS, key.flags())
        .with(sf::DOMAIN, name.domain().as_bytes())
        .with(sf::SELECTOR, name.selector().as_bytes())
        .with(sf::DKIM_KEY_TYPE, key.key_type().code())
        .with(sf::PUBLIC_KEY, key.public_key())
        .with(sf::FIRST_SEEN, now)
        .with(sf::LAST_ATTESTED, now)
        .with(sf::PREVIOUS_TXN_ID, Hash256::ZERO)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, INDEX - 1)
}

fn account_root(account: AccountId) -> Object {
    Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
        .with(sf::FLAGS, 0_u32)
        .with(sf::ACCOUNT, account)
        .with(sf::SEQUENCE, SEQUENCE)
        .with(sf::OWNER_COUNT, 0_u32)
        .with(sf::BALANCE, Amount::from_drops(Drops::new(10_000_000_000)))
        .with(sf::PREVIOUS_TXN_ID, Hash256::ZERO)
        .with(sf::PREVIOUS_TXN_LGR_SEQ, INDEX - 1)
}

/// The attack set, and what each accepted mail makes.
fn mails(cases: &mut Cases, folder: &Path) {
    let read = |path: PathBuf| std::fs::read(path).expect("a file");
    let json = |path: PathBuf| serde_json::from_slice::<Value>(&read(path)).expect("JSON");
    for entry in std::fs::read_dir(folder).expect("fixtures/cases") {
        let path = entry.expect("an entry").path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let (mail, expect) = (read(path.join("email.eml")), json(path.join("expect.json")));
        let answers = answers(&json(path.join("keys.json")));
        let at = CloseTime::from_unix(expect["at"].as_u64().expect("a time")).expect("after 2000");
        let network = expect["network_id"].as_u64().expect("a network");
        let mut ledger = Ledger {
            network_id: u32::try_from(network).expect("32 bits"),
            now: at.seconds(),
            entries: BTreeMap::new(),
        };
        cases.add(
            EXPLAIN,
            name,
            &mail,
            &ledger,
            &answers,
            Expected::Mail(expect.clone()),
        );
        if expect["qualifies"] != "yes" {
            continue;
        }
        let mut keys = TxtRecords::new();
        for (key, code, record) in &answers {
            if let (RECORD, Some(name), Ok(parsed)) = (*code, KeyName::parse(key), parse_txt(record)) {
                keys.insert(key, record);
                ledger
                    .entries
                    .insert(name.keylet(), dkim_key(&name, &parsed, ledger.now));
            }
        }
        let proven = derive(&mail, ledger.network_id, at, &keys).expect("what expect.json says");
        ledger
            .entries
            .insert(keylet::account(proven.account), account_root(proven.account));
        transaction(cases, name, &proven, &ledger, &expect);
        let submitted = submission(&proven, &ledger).expect("an account");
        let words = ["0", "0", &hex_upper(&codec::encode(&submitted))].map(str::to_owned);
        let name = format!("{name} submitted");
        cases.add(
            SUBMISSION,
            &name,
            &mail,
            &ledger,
            &[],
            Expected::Words(words.to_vec()),
        );
    }
}

fn proven_in(parsed: Parsed, ledger: &Ledger) -> Result<Ready, Ter> {
    let screened = amendment::screen(parsed, ledger).map_err(|error| error.code())?;
    let proven = amendment::authenticate(screened, ledger).map_err(|error| error.code())?;
    amendment::preclaim(proven, ledger).map_err(|error| error.code())
}

fn transaction(cases: &mut Cases, name: &str, proven: &ProvenMail, ledger: &Ledger, expect: &Value) {
    let fee = submit_fee(BASE_FEE, proven.memo.len(), 0).expect("a fee");
    let tx = wrap(proven, SEQUENCE, fee, LedgerIndex::new(INDEX + 10));
    let rules = Rules {
        network_id: ledger.network_id,
        amendment: Amendment::On,
    };
    let parsed = preflight(&tx, &rules).expect("a mail's own transaction");
    let domain = parsed.key_name().domain().to_owned();
    let email_id = expect["email_id"].as_str().expect("an EmailID").to_owned();
    // One that names the mark of a REKEY which this ledger never saw is refused here.
    let (code, entry) = match proven_in(parsed, ledger) {
        Ok(ready) => (
            Ter::TES_SUCCESS,
            Some(next_replay_entry(None, &ready, Effect::Applied)),
        ),
        Err(ter) => (ter, None),
    };
    let entry = entry.map_or_else(String::new, |entry| hex_upper(&codec::encode(&entry)));
    let words = vec!["0".to_owned(), code.code().to_string(), email_id, domain, entry];
    let name = format!("{name} wrapped");
    cases.add(
        TRANSACTION,
        &name,
        &codec::encode(&tx),
        ledger,
        &[],
        Expected::Words(words),
    );
}

/// Key sets of one validator: a first key, its second quorum, a withdrawal, and one that nobody may make.
fn key_sets(cases: &mut Cases) {
    const NOW: u32 = 848_000_000;
    const TXT: &[u8] = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let validator = KeyPair::ed25519([7; 16]);
    let name = KeyName::new(b"example.com", b"s1").expect("a name");
    let listed = Object::new().with(sf::PUBLIC_KEY, validator.public_key().as_bytes().as_slice());
    let list = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::UnlReport.code())
        .with(sf::ACTIVE_VALIDATORS, vec![(sf::ACTIVE_VALIDATOR, listed)]);
    let mut ledger = Ledger {
        network_id: 21_338,
        now: NOW,
        entries: BTreeMap::from([(keylet::unl_report(), list)]),
    };
    let rows = [
        ("first", Answer::Record(TXT.to_vec()), 0),
        ("again", Answer::Record(TXT.to_vec()), 10),
        ("withdrawn", Answer::Absent, 20),
        ("withdrawn twice at once", Answer::Absent, 20),
    ];
    for (what, answer, later) in rows {
        ledger.now = NOW + later;
        let seen = CloseTime::new(ledger.now);
        let word =
            Attestation::sign(ledger.network_id, name.clone(), answer, seen, &validator).expect("short");
        // Built for a ledger without the entry: a node does not judge only what it would make itself.
        let bare = Ledger {
            network_id: ledger.network_id,
            now: ledger.now,
            entries: BTreeMap::from([(
                keylet::unl_report(),
                ledger.entries[&keylet::unl_report()].clone(),
            )]),
        };
        let tx = amendment::build_key_set(&bare, &[word]).expect("a quorum");
        let set =
            KeySet::preflight(&tx, Amendment::On, LedgerIndex::new(INDEX), Votes::Counted).expect("a set");
        let judged = set.preclaim(&ledger).and_then(|()| key_set_writes(&set, &ledger));
        let mut words = vec![judged.as_ref().map_or_else(|ter| ter.code(), |_| 0).to_string()];
        for write in judged.iter().flatten() {
            words.push(match write {
                Write::Put(index, entry) => format!("{index}={}", hex_upper(&codec::encode(entry))),
                Write::Erase(index) => format!("{index}="),
            });
        }
        let case = format!("key set {what}");
        cases.add(
            KEY_SET,
            &case,
            &codec::encode(&tx),
            &ledger,
            &[],
            Expected::Words(words),
        );
        for write in judged.into_iter().flatten() {
            match write {
                Write::Put(index, entry) => ledger.entries.insert(index, entry),
                Write::Erase(index) => ledger.entries.remove(&index),
            };
        }
    }
}

/// All of them.
pub(crate) fn all() -> Cases {
    let mut cases = Cases::default();
    mails(
        &mut cases,
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cases"),
    );
    key_sets(&mut cases);
    cases
}
