//! Transactions signed by mail, on the ledger (spec 6.3, 7.3, 8, 9, 11). Mails: fixtures/vectors/mail, and
//! mails signed here with Ed25519 after RFC 8463. Expected values: the vectors and hand work.

use amendment::KeyName;
use std::sync::LazyLock;

use amendment::EmailId;
use codec::format::TxType;
use codec::keys::KeyPair;
use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, flags, keylet, sf};
use ledger::dkim::{Answer, Attestation, KeyDelays, build_key_set};
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Header, Ledger, OpenLedger, Transaction};
use testkit::sign::{DkimKey, Draft, Form};

use super::common::{World, XAH, account_set, id, key, master, native, of_type, payment, remit};

/// 2026-11-01 00:00:00 UTC, in seconds since 2000.
const NOVEMBER: u32 = 846_806_400;
/// 2026-11-16 12:00:00 UTC: the clock of the vectors.
pub(super) const CLOCK: u32 = 848_145_600;
const DAY: u32 = 86_400;
pub(super) const NETWORK: u32 = 21_337;

/// The provider's key of this file's own mails.
pub(super) fn provider() -> DkimKey {
    DkimKey::ed25519(&[99; 32])
}

fn record() -> Vec<u8> {
    provider().record().into_bytes()
}

/// A mail of alice@mail.test in normal form, dated within November 2026.
pub(super) fn mail(date: u32, line: &str) -> Vec<u8> {
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
    .signed(&provider())
}

pub(super) fn alice() -> AccountId {
    AccountId::parse_classic("rfbRDkaJNbLnpGc5941gkNEBcshX1Z198z").expect("vector")
}

/// The clock of the vectors, alice with 100 XAH, and no key on the ledger.
fn world_without_keys() -> World {
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

pub(super) fn key_set(world: &World, domain: &str, selector: &str, answer: Answer) -> Transaction {
    let name = KeyName::new(domain.as_bytes(), selector.as_bytes()).expect("legal");
    let observed = CloseTime::new(world.ledger.close_time().seconds() + 1);
    let word = Attestation::sign(NETWORK, name, answer, observed, &key(200)).expect("short");
    build_key_set(&world.ledger, NETWORK, &[word]).expect("quorum of one")
}

/// The same, with the keys of the vectors' s1 and of this file's mails on the ledger.
pub(super) fn world() -> World {
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

fn vectors() -> &'static serde_json::Value {
    static VECTORS: LazyLock<serde_json::Value> = LazyLock::new(|| {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/vectors/mail/vectors.json"
        );
        serde_json::from_slice(&std::fs::read(path).expect("fixtures")).expect("JSON")
    });
    &VECTORS
}

fn vector_record(name: &str) -> Vec<u8> {
    vectors()["keys"][name]
        .as_str()
        .expect("record")
        .as_bytes()
        .to_vec()
}

/// Normal form and EmailID of a vector.
fn vector(file: &str) -> (Vec<u8>, Hash256) {
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

/// Wraps as submitEmail does, so many transactions ahead of the account.
pub(super) fn wrapped(world: &World, memo: &[u8], ahead: u32) -> Object {
    let keys = [
        ("own", record()),
        ("s1", vector_record("s1._domainkey.mail.test")),
    ];
    let mut records = amendment::TxtRecords::new();
    for (selector, record) in keys {
        records.insert(&format!("{selector}._domainkey.mail.test"), &record);
    }
    // The mail as of its own time: the window is the ledger's business here.
    let days = (0..30).map(|day| NOVEMBER + day * DAY);
    let mut times = std::iter::once(CLOCK).chain(days).map(CloseTime::new);
    let derived = times
        .find_map(|now| amendment::derive(memo, NETWORK, now, &records).ok())
        .expect("a mail that qualifies at some time of the month");
    let replay = world.ledger.entry(&keylet::email_replay(alice()));
    let live = amendment::live_entries(replay.as_ref(), world.ledger.close_time());
    let required = amendment::required_fee(Drops::new(10), memo.len(), live)
        .unwrap()
        .get();
    let last = LedgerIndex::new(world.ledger.index().get() + 20);
    amendment::wrap(
        &derived,
        world.sequence(alice()) + ahead,
        Drops::new(required + 100),
        last,
    )
}

pub(super) fn tx(object: &Object) -> Transaction {
    Transaction::from_object(object).expect("template")
}

impl World {
    fn mail(&mut self, memo: &[u8]) -> Ter {
        let tx = tx(&wrapped(self, memo, 0));
        self.close_one(tx)
    }

    /// Result of one transaction, a ter included.
    pub(super) fn close_one(&mut self, tx: Transaction) -> Ter {
        let open = self.submit(&tx);
        let closed = self.close([tx]);
        if closed == Ter::TER_RETRY { open } else { closed }
    }

    /// A ledger whose state differs in one entry: what no transaction of this file could bring about.
    fn put_entry(&mut self, index: Hash256, entry: &Object) {
        let mut state = self.ledger.state().clone();
        state.insert(index, codec::encode(entry));
        let header = Header {
            account_hash: state.root_hash(),
            ..*self.ledger.header()
        };
        self.ledger =
            Ledger::from_parts(header, state, self.ledger.transactions().clone()).expect("consistent");
    }

    fn close_empty_at(&mut self, time: u32) {
        self.ledger = ledger::close(&self.ledger, [], CloseTime::new(time)).ledger;
    }

    fn replay_entry(&self) -> Option<Object> {
        self.ledger.entry(&keylet::email_replay(alice()))
    }

    fn replay_ids(&self) -> Vec<Hash256> {
        let entry = self.replay_entry().unwrap_or_default();
        let entries = entry.array(sf::EMAIL_REPLAY_ENTRIES).unwrap_or(&[]);
        entries
            .iter()
            .filter_map(|(_, entry)| entry.hash256(sf::EMAIL_ID))
            .collect()
    }

    fn by_key(&mut self, signer: &KeyPair, sender: AccountId, object: Object) -> Ter {
        let tx = self.sign(signer, sender, object.with(sf::NETWORK_ID, NETWORK));
        self.close_one(tx)
    }
}

// Spec: 6.1, 9.
#[test]
fn accepts_a_signed_mail_as_a_remit() {
    let mut world = world();
    let (memo, email_id) = vector("c002.eml");
    let sequence = world.sequence(alice());
    let bob = AccountId::parse_classic("rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o").unwrap();
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    assert_eq!(
        world.balance(bob),
        11 * XAH,
        "10 XAH and the reserve of a new account"
    );
    // Fee: 10 + 756 memo bytes + no live entry, and the margin of 10 base fees.
    assert_eq!(world.balance(alice()), 100 * XAH - 11 * XAH - 866);
    assert_eq!(world.sequence(alice()), sequence + 1);
    assert_eq!(world.replay_ids(), [email_id]);
    let applied = &world.last.as_ref().unwrap().applied[0];
    assert_eq!(applied.email_id, Some(EmailId::new(email_id)));
    let metadata = &applied.metadata;
    let nodes = metadata.array(sf::AFFECTED_NODES).unwrap();
    let hidden = codec::json::to_json(metadata).to_string();
    assert_eq!(
        nodes.len(),
        4,
        "alice, bob, the running number of accounts, the replay entry"
    );
    assert!(hidden.contains("EmailReplay") && !hidden.contains(&email_id.to_string()));
}

// Spec: 6.1, 8.2.
#[test]
fn accepts_every_vector_of_xah_and_of_rekey_once() {
    let (mut remits, mut seen) = (0, std::collections::BTreeSet::new());
    let mut world = world();
    for case in vectors()["cases"].as_array().unwrap() {
        let s1 = case["normal_form_hex"].as_str().is_some_and(|memo| {
            let text = String::from_utf8_lossy(&hex::decode(memo).unwrap()).into_owned();
            text.contains("d=mail.test") && text.contains("s=s1;")
        });
        let native = case["tx"]["Amounts"][0]["AmountEntry"]["Amount"].is_string();
        if case["accept"] != true || !s1 || !native || case["network_id"] != 21_337 {
            continue;
        }
        let memo = hex::decode(case["normal_form_hex"].as_str().unwrap()).unwrap();
        let new = seen.insert(case["email_id"].as_str().unwrap().to_owned());
        let expected = if new {
            Ter::TES_SUCCESS
        } else {
            Ter::TEF_EMAIL_REPLAY
        };
        assert_eq!(world.mail(&memo), expected, "{}", case["file"]);
        remits += 1;
    }
    assert!(remits > 20, "{remits} vectors");
}

// Spec: 7.3.
#[test]
fn rejects_a_mail_until_the_parent_ledger_holds_its_key() {
    let mut world = world_without_keys();
    let (memo, _) = vector("c002.eml");
    let mail = tx(&wrapped(&world, &memo, 0));
    assert_eq!(world.submit(&mail), Ter::TER_NO_DKIM_KEY);
    let set = key_set(
        &world,
        "mail.test",
        "s1",
        Answer::Record(vector_record("s1._domainkey.mail.test")),
    );
    assert_eq!(world.close([mail.clone(), set]), Ter::TES_SUCCESS);
    let closed = world.last.as_ref().unwrap();
    assert_eq!(
        closed.applied.len(),
        1,
        "the key alone, although it comes in the same ledger"
    );
    assert_eq!(closed.applied[0].email_id, None, "no mail signed it");
    assert_eq!(
        closed.retry.iter().map(Transaction::id).collect::<Vec<_>>(),
        [mail.id()]
    );
    assert_eq!(world.close([mail]), Ter::TES_SUCCESS);
}

// Spec: 8.1, 8.2.
#[test]
fn rejects_the_same_mail_and_the_other_copy_of_it() {
    let mut world = world();
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    let before = world.balance(alice());
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_REPLAY);
    assert_eq!(world.mail(&vector("c002.eml").0), Ter::TES_SUCCESS);
    let after = world.balance(alice());
    assert_eq!(
        world.mail(&vector("c184.eml").0),
        Ter::TEF_EMAIL_REPLAY,
        "another signature, the same EmailID"
    );
    assert_eq!(
        (world.balance(alice()), before - after > 10 * XAH),
        (after, true),
        "no fee"
    );
}

// Spec: 6.1, 6.2, 6.3, 10.
#[test]
fn rejects_what_the_mail_does_not_say() {
    let mut world = world();
    let object = wrapped(&world, &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"), 0);
    let entry = Object::new().with(sf::AMOUNT, native(2 * XAH));
    let cases = [
        (
            object.clone().with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)]),
            Ter::TEM_MALFORMED,
        ),
        (object.clone().with(sf::DESTINATION, id(1)), Ter::TEM_MALFORMED),
        (object.clone().with(sf::DESTINATION_TAG, 1u32), Ter::TEM_MALFORMED),
        (object.clone().with(sf::ACCOUNT, id(1)), Ter::TEM_MALFORMED),
        (object.clone().with(sf::SOURCE_TAG, 1u32), Ter::TEM_MALFORMED),
        (
            object.clone().with(sf::FLAGS, flags::TF_EMAIL_SIG),
            Ter::TEM_MALFORMED,
        ),
        (object.clone().with(sf::FEE, native(10)), Ter::TEF_BAD_EMAIL_FEE),
        (
            object.clone().with(sf::FEE, native(10 * XAH)),
            Ter::TEF_BAD_EMAIL_FEE,
        ),
        (
            object.clone().with(sf::NETWORK_ID, 21_338u32),
            Ter::TEL_WRONG_NETWORK,
        ),
        (object.clone().with(sf::SEQUENCE, 1u32), Ter::TEF_PAST_SEQ),
        (
            object.clone().with(sf::LAST_LEDGER_SEQUENCE, 1u32),
            Ter::TEF_MAX_LEDGER,
        ),
    ];
    for (object, code) in cases {
        let tx = tx(&object);
        assert_eq!((world.submit(&tx), world.close([tx])), (code, code), "{object:?}");
    }
    assert_eq!(world.balance(alice()), 100 * XAH);
    assert_eq!(world.close([tx(&object)]), Ter::TES_SUCCESS);
}

// Spec: 4.5, 7.4.
#[test]
fn rejects_a_forged_signature_and_a_withdrawn_key() {
    let mut world = world();
    let object = wrapped(&world, &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"), 0);
    let memo = object.array(sf::MEMOS).unwrap()[0]
        .1
        .blob(sf::MEMO_DATA)
        .unwrap()
        .to_vec();
    let at = memo.windows(3).rposition(|part| part == b" b=").unwrap() + 3;
    let mut forged = memo.clone();
    forged[at] = if memo[at] == b'A' { b'B' } else { b'A' };
    let element = Object::new().with(sf::MEMO_DATA, forged);
    let forged = object.clone().with(sf::MEMOS, vec![(sf::MEMO, element)]);
    assert_eq!(world.close([tx(&forged)]), Ter::TEF_BAD_SIGNATURE);
    let absent = key_set(&world, "mail.test", "own", Answer::Absent);
    assert_eq!(world.close([absent]), Ter::TES_SUCCESS);
    assert_eq!(world.close([tx(&object)]), Ter::TEF_DKIM_REVOKED);
    assert_eq!(world.balance(alice()), 100 * XAH);
}

// Spec: 8.3.
#[test]
fn rejects_a_tec_as_a_way_to_drain_fees() {
    let mut world = world();
    let memo = mail(CLOCK, "REMIT 1000 XAH TO <bob@example.com>");
    let sequence = world.sequence(alice());
    let fee = 10 + memo.len() as u64 + 100;
    assert_eq!(world.mail(&memo), Ter::TEC_UNFUNDED_PAYMENT);
    assert_eq!(
        (world.balance(alice()), world.sequence(alice())),
        (100 * XAH - fee, sequence + 1)
    );
    assert_eq!(world.replay_ids().len(), 1, "kept by the reset");
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_REPLAY);
    assert_eq!(world.balance(alice()), 100 * XAH - fee);
}

// Spec: 6.3.
#[test]
fn rejects_a_fee_above_the_balance_without_taking_what_is_there() {
    let mut world = world();
    let account = world.account(alice()).unwrap().with(sf::BALANCE, native(100));
    world.put_entry(keylet::account(alice()), &account);
    assert_eq!(
        world.mail(&mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>")),
        Ter::TER_INSUF_FEE_B
    );
    assert_eq!(world.balance(alice()), 100, "in closed ledgers too");
}

fn bob() -> AccountId {
    AccountId::parse_classic("rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o").unwrap()
}

// Spec: 4.6.
#[test]
fn rejects_mails_outside_their_window() {
    let mut world = world();
    let now = world.ledger.close_time().seconds();
    let line = "REMIT 1 XAH TO <bob@example.com>";
    assert_eq!(world.mail(&mail(now + 300 + 20, line)), Ter::TER_EMAIL_EARLY);
    assert_eq!(world.mail(&mail(now - 5 * DAY - 1, line)), Ter::TEF_EMAIL_EXPIRED);
    assert_eq!(world.mail(&mail(now - 5 * DAY + 60, line)), Ter::TES_SUCCESS);
    assert_eq!(world.mail(&mail(now + 290, line)), Ter::TES_SUCCESS);
}

// Spec: 8.6, 11.
#[test]
fn accepts_a_rekey_and_the_way_out_of_email() {
    let mut world = world();
    let rekey = mail(CLOCK, &format!("REKEY {}", id(50)));
    let withheld = mail(CLOCK - 60, "REMIT 1 XAH TO <bob@example.com>");
    let later = mail(CLOCK + 1, "REMIT 1 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&rekey), Ter::TES_SUCCESS);
    let account = world.account(alice()).unwrap();
    assert_eq!(account.account(sf::REGULAR_KEY), Some(id(50)));
    assert_eq!(
        world.flags(alice()) & flags::LSF_PASSWORD_SPENT,
        0,
        "not the free change"
    );
    assert_eq!(world.replay_entry().unwrap().u32(sf::LAST_REKEY), Some(CLOCK));
    assert_eq!(
        world.mail(&withheld),
        Ter::TEF_EMAIL_EXPIRED,
        "older than the REKEY"
    );
    assert_eq!(world.mail(&later), Ter::TES_SUCCESS);
    assert_eq!(
        world.by_key(&key(50), alice(), remit(id(1), XAH)),
        Ter::TES_SUCCESS
    );

    assert_eq!(
        world.by_key(&key(50), alice(), account_set(flags::ASF_DISABLE_EMAIL)),
        Ter::TEC_TOO_SOON
    );
    // The last ledger whose parent closed within 72 hours of the one that applied the REKEY, and the first
    // after.
    let free = world.replay_entry().unwrap().u32(sf::ACTIVE_AFTER).unwrap();
    assert!(free >= CLOCK + 3 * DAY, "whatever the date of the mail");
    world.close_empty_at(free - 30);
    assert!(world.ledger.close_time().seconds() < free);
    assert_eq!(
        world.by_key(&key(50), alice(), account_set(flags::ASF_DISABLE_EMAIL)),
        Ter::TEC_TOO_SOON
    );
    world.close_empty_at(free + 30);
    assert_eq!(
        world.by_key(&key(50), alice(), account_set(flags::ASF_DISABLE_EMAIL)),
        Ter::TES_SUCCESS
    );
    assert_ne!(world.flags(alice()) & flags::LSF_DISABLE_EMAIL, 0);

    let set = key_set(&world, "mail.test", "own", Answer::Record(record()));
    assert_eq!(world.close([set]), Ter::TES_SUCCESS);
    let now = world.ledger.close_time().seconds();
    let line = "REMIT 1 XAH TO <bob@example.com>";
    assert_eq!(world.mail(&mail(now, line)), Ter::TEF_EMAIL_DISABLED);
    let back = of_type(TxType::AccountSet).with(sf::CLEAR_FLAG, flags::ASF_DISABLE_EMAIL);
    assert_eq!(world.by_key(&key(50), alice(), back), Ter::TES_SUCCESS);
    assert_eq!(world.mail(&mail(now, line)), Ter::TES_SUCCESS);
}

// Spec: 11.
#[test]
fn accepts_disabling_email_at_once_without_a_rekey() {
    let mut world = world();
    assert_eq!(
        world.by_key(&key(1), id(1), account_set(flags::ASF_DISABLE_EMAIL)),
        Ter::TES_SUCCESS
    );
    assert_ne!(world.flags(id(1)) & flags::LSF_DISABLE_EMAIL, 0);
}

// Spec: 8.4, 8.5, 9.
#[test]
fn accepts_64_mails_and_rejects_the_65th_until_the_window_has_passed() {
    let mut world = world();
    let mails: Vec<Vec<u8>> = (0..65)
        .map(|n| mail(CLOCK + n, "REMIT 0.000001 XAH TO <bob@example.com>"))
        .collect();
    assert_eq!(world.by_key(&key(1), id(1), remit(bob(), XAH)), Ter::TES_SUCCESS);
    for (n, memo) in mails.iter().take(64).enumerate() {
        assert_eq!(world.mail(memo), Ter::TES_SUCCESS, "mail {n}");
    }
    assert_eq!(world.replay_ids().len(), 64);
    assert!(world.replay_ids().is_sorted());
    assert_eq!(world.mail(&mails[64]), Ter::TEF_EMAIL_FULL);
    // All are dead after five days: the next mail removes eight of them and pays for none.
    world.close_empty_at(CLOCK + 5 * DAY + 600);
    let set = key_set(&world, "mail.test", "own", Answer::Record(record()));
    assert_eq!(world.close([set]), Ter::TES_SUCCESS);
    let now = world.ledger.close_time().seconds();
    let before = world.balance(alice());
    let memo = mail(now, "REMIT 0.000001 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    assert_eq!(before - world.balance(alice()), 1 + 10 + memo.len() as u64 + 100);
    assert_eq!(world.replay_ids().len(), 64 - 8 + 1);
}

// Spec: 1.
#[test]
fn rejects_the_flag_where_it_is_not_legal() {
    let mut world = world();
    let flag = flags::TF_EMAIL_SIG | flags::TF_FULLY_CANONICAL_SIG;
    assert_eq!(
        world.by_key(&key(1), id(1), payment(bob(), XAH).with(sf::FLAGS, flag)),
        Ter::TEM_INVALID_FLAG
    );
    assert_eq!(
        world.by_key(&key(1), id(1), account_set(1).with(sf::FLAGS, flag)),
        Ter::TEM_INVALID_FLAG
    );
    let without = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: Vec::new(),
        email: EmailAmendment::Absent,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    });
    let mail = tx(&wrapped(
        &world,
        &mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>"),
        0,
    ));
    let closed = ledger::close(&without, [mail.clone()], CloseTime::new(CLOCK + 5));
    assert_eq!(closed.dropped, [(mail.id(), Ter::TEM_INVALID_FLAG)]);
    let key_signed = world.sign(
        &key(1),
        id(1),
        remit(bob(), XAH)
            .with(sf::FLAGS, flag)
            .with(sf::NETWORK_ID, NETWORK),
    );
    assert_eq!(
        world.close([key_signed]),
        Ter::TEM_MALFORMED,
        "a key never replaces the mail"
    );
}

// Spec: 11.
#[test]
fn rejects_mail_where_the_master_key_is_disabled() {
    let mut world = world();
    // Only a key can switch it off, and a mail account has none: the flag is put into the state by hand.
    let account = world
        .account(alice())
        .unwrap()
        .with(sf::FLAGS, flags::LSF_DISABLE_MASTER);
    world.put_entry(keylet::account(alice()), &account);
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_DISABLED);
}

fn usd_of_one(value: &str) -> codec::Amount {
    let usd = codec::Currency::from_iso(*b"USD");
    codec::Amount::Issued(codec::IssuedAmount::parse(value, usd, id(1)).expect("an amount"))
}

/// Account 1 issues dollars, of which alice has 20.
fn world_with_dollars() -> World {
    let mut world = world();
    let ripple = account_set(flags::ASF_DEFAULT_RIPPLE);
    assert_eq!(world.by_key(&key(1), id(1), ripple), Ter::TES_SUCCESS);
    let entry = Object::new().with(sf::AMOUNT, usd_of_one("20"));
    let gift = of_type(TxType::Remit)
        .with(sf::DESTINATION, alice())
        .with(sf::AMOUNTS, vec![(sf::AMOUNT_ENTRY, entry)]);
    assert_eq!(world.by_key(&key(1), id(1), gift), Ter::TES_SUCCESS);
    world
}

fn dollars(world: &World, holder: AccountId) -> Option<codec::Amount> {
    let line = keylet::line(holder, id(1), codec::Currency::from_iso(*b"USD"));
    world.ledger.entry(&line)?.amount(sf::BALANCE)
}

#[test]
fn accepts_a_mail_of_issued_money_that_makes_account_and_line() {
    let mut world = world_with_dollars();
    let before = world.balance(alice());
    let line = format!("REMIT 5 USD/{} TO <bob@example.com>", id(1));
    let memo = mail(CLOCK, &line);
    assert_eq!(world.mail(&memo), Ter::TES_SUCCESS);
    let fee = 10 + memo.len() as u64 + 100;
    // The reserves of an account and of a line go with it: 1 XAH and 0.2 XAH.
    assert_eq!(world.balance(bob()), XAH + XAH / 5);
    assert_eq!(world.balance(alice()), before - XAH - XAH / 5 - fee);
    let Some(codec::Amount::Issued(balance)) = dollars(&world, bob()) else {
        panic!("a line");
    };
    assert_eq!(
        (balance.mantissa().abs(), balance.exponent()),
        (5_000_000_000_000_000, -15)
    );
    assert_eq!(world.replay_ids().len(), 1);
}

// Spec: 8.3.
#[test]
fn rejects_a_mail_of_issued_money_that_is_not_there_and_keeps_its_entry() {
    let mut world = world_with_dollars();
    let (before, sequence) = (world.balance(alice()), world.sequence(alice()));
    let line = format!("REMIT 21 USD/{} TO <bob@example.com>", id(1));
    let memo = mail(CLOCK, &line);
    let fee = 10 + memo.len() as u64 + 100;
    assert_eq!(world.mail(&memo), Ter::TEC_UNFUNDED_PAYMENT);
    assert_eq!(
        (world.balance(alice()), world.sequence(alice())),
        (before - fee, sequence + 1)
    );
    assert!(world.account(bob()).is_none(), "nothing is made");
    assert_eq!(world.replay_ids().len(), 1, "the mail is used up");
    assert_eq!(world.mail(&memo), Ter::TEF_EMAIL_REPLAY);
    // Frozen by the issuer: the same, with another code.
    let frozen = of_type(TxType::TrustSet)
        .with(sf::FLAGS, 0x0010_0000u32)
        .with(sf::LIMIT_AMOUNT, {
            let usd = codec::Currency::from_iso(*b"USD");
            codec::Amount::Issued(codec::IssuedAmount::new(0, 0, usd, alice()).expect("zero"))
        });
    assert_eq!(world.by_key(&key(1), id(1), frozen), Ter::TES_SUCCESS);
    let line = format!("REMIT 1 USD/{} TO <bob@example.com>", id(1));
    assert_eq!(world.mail(&mail(CLOCK, &line)), Ter::TEC_FROZEN);
    assert_eq!(world.replay_ids().len(), 2);
}

// Spec: 2.5, 10.
#[test]
fn rejects_a_mail_to_oneself_whoever_wraps_it() {
    let mut world = world();
    // No node makes a transaction of such a mail: it is put around another one's.
    let around = |world: &World, like: &str, memo: Vec<u8>, field, account: AccountId| {
        let element = Object::new().with(sf::MEMO_DATA, memo);
        let object = wrapped(world, &mail(CLOCK, like), 0)
            .with(sf::MEMOS, vec![(sf::MEMO, element)])
            .with(field, account);
        tx(&object)
    };
    let to_self = around(
        &world,
        "REMIT 1 XAH TO <bob@example.com>",
        mail(CLOCK, "REMIT 1 XAH TO <alice@mail.test>"),
        sf::DESTINATION,
        alice(),
    );
    assert_eq!(world.close_one(to_self), Ter::TEM_REDUNDANT);
    let own_key = around(
        &world,
        &format!("REKEY {}", id(1)),
        mail(CLOCK, &format!("REKEY {}", alice())),
        sf::REGULAR_KEY,
        alice(),
    );
    assert_eq!(world.close_one(own_key), Ter::TEM_BAD_REGKEY);
    assert_eq!(world.balance(alice()), 100 * XAH, "no fee");
    assert_eq!(world.replay_ids(), []);
}

// Spec: 6.4.
#[test]
fn accepts_a_memo_above_the_bound_of_other_memos() {
    let world = world();
    let lines = ["REMIT 1 XAH TO <bob@example.com>", ""]
        .into_iter()
        .chain(std::iter::repeat_n("more", 300));
    let memo = mail(CLOCK, &lines.collect::<Vec<_>>().join("\r\n"));
    assert!(memo.len() > 1_024);
    assert_eq!(world.submit(&tx(&wrapped(&world, &memo, 0))), Ter::TES_SUCCESS);
}

// Spec: 9.
#[test]
fn accepts_the_cost_of_a_mail_with_its_bytes_and_its_entry() {
    let world = world();
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    let mut open = OpenLedger::new(&world.ledger);
    let tx = tx(&wrapped(&world, &memo, 0));
    assert!(open.submit(&tx).expect("the door lets it in").applied);
    assert_eq!(
        open.cost_drops(&tx),
        10 + memo.len() as u64 + 10,
        "with this mail's own entry"
    );
}

// Spec: 6.2.
#[test]
fn accepts_a_network_id_above_1024_alone_in_the_transaction() {
    let mut records = amendment::TxtRecords::new();
    records.insert("own._domainkey.mail.test", &record());
    for (network_id, written) in [(1_024, None), (1_025, Some(1_025))] {
        let memo = mail(
            CLOCK,
            &format!("REMIT 1 XAH TO <bob@example.com> NET {network_id}"),
        );
        let derived = amendment::derive(&memo, network_id, CloseTime::new(CLOCK), &records);
        let transaction = derived.expect("a mail that qualifies").transaction.clone();
        assert_eq!(transaction.u32(sf::NETWORK_ID), written);
    }
}

// Spec: 9. What a mail pays is a rule of its own, so a crowd of others must not price it out.
#[test]
fn accepts_a_mail_at_its_own_fee_where_transactions_of_keys_crowd_the_open_ledger() {
    let mut world = world();
    for number in 2..=12 {
        let pay = payment(id(number), 5 * XAH);
        assert_eq!(world.by_key(&master(), master().account(), pay), Ter::TES_SUCCESS);
    }
    let mut open = OpenLedger::new(&world.ledger);
    let deed = |world: &World, number: u8, ahead: u32| {
        let object = account_set(flags::ASF_REQUIRE_DEST)
            .with(sf::NETWORK_ID, NETWORK)
            .with(sf::SEQUENCE, world.sequence(id(number)) + ahead);
        world.sign(&key(number), id(number), object)
    };
    for number in 2..=11 {
        for ahead in 0..=100 {
            let outcome = open
                .submit_at_its_price(&deed(&world, number, ahead))
                .expect("local");
            if !outcome.applied {
                assert_eq!(outcome.ter, Ter::TER_QUEUED);
                break;
            }
        }
    }
    assert_eq!(
        open.accepted().len(),
        1_001,
        "the target and one more, as xahaud counts"
    );
    let other = deed(&world, 12, 0);
    assert_eq!(
        open.submit_at_its_price(&other).expect("local").ter,
        Ter::TER_QUEUED
    );
    assert_eq!(open.cost_drops(&other), 128_256 * 10 / 256);
    let memo = mail(CLOCK, "REMIT 1 XAH TO <bob@example.com>");
    let by_mail = open
        .submit_at_its_price(&tx(&wrapped(&world, &memo, 0)))
        .expect("local");
    assert_eq!((by_mail.ter, by_mail.applied), (Ter::TES_SUCCESS, true));
}
