//! The phases of a ledger over recorded mails: each refusal of state, time, key, fee and balance, with its
//! code.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![allow(clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use amendment::key_record::{KeyRecord, parse_txt};
use amendment::{
    AMENDMENT_EMAIL, Amendment, Derived, Effect, KeyState, LedgerKeys, ProvenMail, ReadView, Ready, Rules,
    TxtRecords, authenticate, derive, key_state, next_replay_entry, preclaim, preflight, screen, submission,
    wrap,
};
use codec::format::EntryType;
use codec::{Amount, CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, Value, flags, keylet, sf};
use proptest::prelude::*;

const NETWORK: u32 = 21_337;
/// Clock of the recorded mails, seconds since 2000.
const NOW: u32 = 848_145_600;
const SEQUENCE: u32 = 5;
/// Of an account that owns nothing; a fifth of it for each object.
const RESERVE: u64 = 1_000_000;

struct Ledger {
    now: u32,
    index: u32,
    amendment: bool,
    state: BTreeMap<Hash256, Object>,
    parent: BTreeMap<Hash256, Object>,
}

impl ReadView for Ledger {
    fn network_id(&self) -> u32 {
        NETWORK
    }
    fn ledger_index(&self) -> LedgerIndex {
        LedgerIndex::new(self.index)
    }
    fn parent_close_time(&self) -> CloseTime {
        CloseTime::new(self.now)
    }
    fn parent_hash(&self) -> Hash256 {
        Hash256::new([0xAB; 32])
    }
    fn base_fee(&self) -> Drops {
        Drops::new(10)
    }
    fn reserve_base(&self) -> Drops {
        Drops::new(RESERVE)
    }
    fn reserve_increment(&self) -> Drops {
        Drops::new(RESERVE / 5)
    }
    fn is_open(&self) -> bool {
        true
    }
    fn amendment_enabled(&self, id: &Hash256) -> bool {
        self.amendment && *id == AMENDMENT_EMAIL
    }
    fn entry(&self, key: &Hash256) -> Option<Object> {
        self.state.get(key).cloned()
    }
    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.parent.get(key).cloned()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/mail")
}

fn txt(name: &str) -> Vec<u8> {
    let vectors: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder().join("vectors.json")).unwrap()).unwrap();
    vectors["keys"][name].as_str().unwrap().as_bytes().to_vec()
}

const KEY: &str = "s1._domainkey.mail.test";
/// A payment and a change of key, dated NOW or a little before.
const REMIT_MAIL: &str = "c002.eml";
const REKEY_MAIL: &str = "c036.eml";

fn mail(file: &str) -> ProvenMail {
    let raw = std::fs::read(folder().join(file)).unwrap();
    let mut keys = TxtRecords::new();
    keys.insert(KEY, &txt(KEY));
    derive(&raw, NETWORK, CloseTime::new(NOW), &keys).unwrap()
}

fn key_entry(key: &KeyRecord) -> Object {
    Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimKey.code())
        .with(sf::FLAGS, key.flags())
        .with(sf::DOMAIN, &b"mail.test"[..])
        .with(sf::SELECTOR, &b"s1"[..])
        .with(sf::DKIM_KEY_TYPE, key.key_type().code())
        .with(sf::PUBLIC_KEY, key.public_key())
        .with(sf::FIRST_SEEN, NOW - 100)
        .with(sf::LAST_ATTESTED, NOW - 100)
}

fn dkim_keylet() -> Hash256 {
    keylet::dkim_key(b"mail.test", b"s1")
}

/// A ledger with the sender's account and the key.
fn ledger(mail: &Derived) -> Ledger {
    let root = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
        .with(sf::FLAGS, 0_u32)
        .with(sf::ACCOUNT, mail.account)
        .with(sf::SEQUENCE, SEQUENCE)
        .with(sf::BALANCE, Amount::from_drops(Drops::new(100 * RESERVE)));
    let key = parse_txt(&txt(KEY)).unwrap();
    Ledger {
        now: NOW,
        index: 100,
        amendment: true,
        state: BTreeMap::from([(keylet::account(mail.account), root)]),
        parent: BTreeMap::from([(dkim_keylet(), key_entry(&key))]),
    }
}

fn required(mail: &Derived) -> u64 {
    10 + mail.memo.len() as u64
}

fn wrapped(mail: &Derived) -> Object {
    wrap(mail, SEQUENCE, Drops::new(required(mail)), LedgerIndex::new(120))
}

fn run(tx: &Object, ledger: &Ledger) -> Result<Ready, (Ter, &'static str)> {
    let parsed = preflight(tx, &Rules::of(ledger)).map_err(|e| (e.code(), e.rule().as_str()))?;
    let screened = screen(parsed, ledger).map_err(|e| (e.code(), e.rule().as_str()))?;
    let proven = authenticate(screened, ledger).map_err(|e| (e.code(), e.rule().as_str()))?;
    preclaim(proven, ledger).map_err(|e| (e.code(), e.rule().as_str()))
}

fn refusal(tx: &Object, ledger: &Ledger) -> Option<(Ter, &'static str)> {
    run(tx, ledger).err()
}

// Spec: 6.1, 6.2, 10.
#[test]
fn accepts_a_mail_and_hands_on_what_it_orders() {
    let mail = mail("c002.eml");
    let ledger = ledger(&mail);
    let ready = run(&wrapped(&mail), &ledger).unwrap();
    assert_eq!((ready.account(), ready.sequence()), (mail.account, SEQUENCE));
    assert_eq!(ready.fee(), Drops::new(required(&mail)));
    assert_eq!(ready.order(), &mail.order);
    assert_eq!(
        (ready.email_id(), ready.signed_date()),
        (mail.email_id, mail.signed_date)
    );
    let keys = LedgerKeys(&ledger);
    let raw = std::fs::read(folder().join("c002.eml")).unwrap();
    assert_eq!(derive(&raw, NETWORK, CloseTime::new(NOW), &keys), Ok(mail));
}

// Spec: 6.1, 6.2, 6.3.
#[test]
fn rejects_a_wrapper_that_says_anything() {
    let mail = mail("c002.eml");
    let ledger = ledger(&mail);
    let good = wrapped(&mail);
    let without = |field| {
        let mut tx = good.clone();
        tx.remove(field);
        tx
    };
    let malformed = |rule| Some((Ter::TEM_MALFORMED, rule));
    let other = Amount::from_drops(Drops::new(10_000_001));
    let amounts = vec![(sf::AMOUNT_ENTRY, Object::new().with(sf::AMOUNT, other))];
    let memo = Object::new().with(sf::MEMO_DATA, mail.memo.clone());
    for tx in [
        good.clone().with(sf::AMOUNTS, amounts),
        good.clone().with(sf::DESTINATION, mail.account),
        good.clone().with(sf::DESTINATION_TAG, 1_u32),
        good.clone().with(sf::ACCOUNT, codec::AccountId::new([9; 20])),
        good.clone().with(sf::SOURCE_TAG, 1_u32),
        good.clone().with(sf::TXN_SIGNATURE, vec![1]),
        good.clone().with(sf::SIGNING_PUB_KEY, vec![2; 33]),
        good.clone().with(sf::NETWORK_ID, 21_338_u32),
        good.clone().with(sf::FLAGS, flags::TF_EMAIL_SIG),
        good.clone().with(
            sf::MEMOS,
            vec![(sf::MEMO, memo.clone().with(sf::MEMO_TYPE, vec![1]))],
        ),
        good.clone().with(
            sf::MEMOS,
            vec![(sf::MEMO, memo.clone()), (sf::MEMO, memo.clone())],
        ),
        good.clone().with(sf::MEMOS, Value::Array(Vec::new())),
        without(sf::MEMOS),
        without(sf::NETWORK_ID),
        without(sf::SEQUENCE),
        without(sf::SIGNING_PUB_KEY),
        without(sf::AMOUNTS),
    ] {
        assert_eq!(refusal(&tx, &ledger), malformed("6.2"), "{tx:?}");
    }
    assert_eq!(
        refusal(&without(sf::LAST_LEDGER_SEQUENCE), &ledger),
        malformed("6.3")
    );
    let large = Object::new().with(sf::MEMO_DATA, vec![b'a'; 64 * 1024 + 1]);
    assert_eq!(
        refusal(&good.clone().with(sf::MEMOS, vec![(sf::MEMO, large)]), &ledger),
        malformed("1")
    );
}

// Spec: 1.
#[test]
fn rejects_the_flag_on_other_types_and_without_the_amendment() {
    let mail = mail("c002.eml");
    let mut ledger = ledger(&mail);
    let payment = wrapped(&mail).with(sf::TRANSACTION_TYPE, 0_u16);
    assert_eq!(refusal(&payment, &ledger), Some((Ter::TEM_INVALID_FLAG, "1")));
    ledger.amendment = false;
    assert_eq!(
        refusal(&wrapped(&mail), &ledger),
        Some((Ter::TEM_INVALID_FLAG, "1"))
    );
    let rules = Rules {
        network_id: 21_338,
        amendment: Amendment::On,
    };
    assert_eq!(
        preflight(&wrapped(&mail), &rules)
            .err()
            .map(|e| e.rule().as_str()),
        Some("5.6")
    );
}

// Spec: 10, 11.
#[test]
fn rejects_by_account_sequence_and_ledger() {
    let mail = mail("c002.eml");
    let good = wrapped(&mail);
    let key = keylet::account(mail.account);
    let changed = |change: &dyn Fn(&mut Ledger)| {
        let mut ledger = ledger(&mail);
        change(&mut ledger);
        refusal(&good, &ledger)
    };
    let with_root = |field, value: u32| {
        changed(&|l| {
            l.state.get_mut(&key).unwrap().set(field, value);
        })
    };
    assert_eq!(changed(&|l| l.state.clear()), Some((Ter::TER_NO_ACCOUNT, "10")));
    assert_eq!(
        with_root(sf::FLAGS, flags::LSF_DISABLE_EMAIL),
        Some((Ter::TEF_EMAIL_DISABLED, "11"))
    );
    assert_eq!(
        with_root(sf::FLAGS, flags::LSF_DISABLE_MASTER),
        Some((Ter::TEF_EMAIL_DISABLED, "11"))
    );
    assert_eq!(
        with_root(sf::SEQUENCE, SEQUENCE + 1),
        Some((Ter::TEF_PAST_SEQ, "6.2"))
    );
    assert_eq!(
        with_root(sf::SEQUENCE, SEQUENCE - 1),
        Some((Ter::TER_PRE_SEQ, "6.2"))
    );
    assert_eq!(changed(&|l| l.index = 121), Some((Ter::TEF_MAX_LEDGER, "6.2")));
    assert_eq!(changed(&|l| l.index = 120), None);
}

// Spec: 4.6.
#[test]
fn accepts_within_the_window_and_rejects_outside() {
    let mail = mail("c002.eml");
    let good = wrapped(&mail);
    let date = mail.signed_date.seconds();
    let at = |now: u32| {
        let mut ledger = ledger(&mail);
        ledger.now = now;
        let attested = key_entry(&parse_txt(&txt(KEY)).unwrap()).with(sf::LAST_ATTESTED, now);
        ledger.parent.insert(dkim_keylet(), attested);
        refusal(&good, &ledger)
    };
    assert_eq!(at(date + 432_000), None);
    assert_eq!(at(date + 432_001), Some((Ter::TEF_EMAIL_EXPIRED, "4.6")));
    // `t=` of this mail is 12 seconds after its Date.
    assert_eq!(at(date - 288), None);
    assert_eq!(at(date - 289), Some((Ter::TER_EMAIL_EARLY, "4.6")));
}

/// The ledger, with this EmailReplay entry of the sender.
fn ledger_with(mail: &Derived, entry: Object) -> Ledger {
    let mut ledger = ledger(mail);
    ledger.state.insert(keylet::email_replay(mail.account), entry);
    ledger
}

/// So many live entries beside what `entry` holds.
fn filled(entry: &Object, count: u8) -> Object {
    let fake = |n: u8| {
        Object::new()
            .with(sf::EMAIL_ID, Hash256::new([n; 32]))
            .with(sf::SIGNATURE_HASH, Hash256::new([n; 32]))
            .with(sf::SIGNED_DATE, NOW)
    };
    let entries: Vec<_> = (0..count).map(|n| (sf::EMAIL_REPLAY_ENTRY, fake(n))).collect();
    entry.clone().with(sf::EMAIL_REPLAY_ENTRIES, entries)
}

// Spec: 8.2, 8.5, 9.
#[test]
fn rejects_replays_and_remits_of_a_full_account_and_accepts_its_rekey() {
    let first = mail("c002.eml");
    let ready = run(&wrapped(&first), &ledger(&first)).unwrap();
    let entry = next_replay_entry(None, &ready, Effect::FeeOnly);
    assert_eq!(
        refusal(&wrapped(&first), &ledger_with(&first, entry.clone())),
        Some((Ter::TEF_EMAIL_REPLAY, "8.2"))
    );

    let full = |count: u8| ledger_with(&first, filled(&entry, count));
    assert_eq!(
        refusal(&wrapped(&first), &full(64)),
        Some((Ter::TEF_EMAIL_FULL, "8.5"))
    );
    assert_eq!(
        refusal(&wrapped(&first), &full(63)),
        Some((Ter::TEF_BAD_EMAIL_FEE, "6.3"))
    );
    let fee = Drops::new(required(&first) + 630);
    assert_eq!(
        refusal(&wrap(&first, SEQUENCE, fee, LedgerIndex::new(120)), &full(63)),
        None
    );
    // A REKEY needs no place and pays for none.
    let rekey = mail("c036.eml");
    let full = ledger_with(&rekey, filled(&entry, 64));
    assert_eq!(refusal(&wrapped(&rekey), &full), None);
    let submitted = submission(&rekey, &full).unwrap();
    let fee = Drops::new(required(&rekey) + 100);
    assert_eq!(submitted.amount(sf::FEE), Some(Amount::from_drops(fee)));
}

// Spec: 8.6.
#[test]
fn rejects_mails_signed_up_to_the_last_rekey_and_accepts_later_ones() {
    let (first, rekey) = (mail("c002.eml"), mail("c036.eml"));
    let ready = run(&wrapped(&rekey), &ledger(&rekey)).unwrap();
    for effect in [Effect::Applied, Effect::FeeOnly] {
        let entry = next_replay_entry(None, &ready, effect);
        let last = entry.u32(sf::LAST_REKEY).unwrap();
        assert!(last >= NOW.max(rekey.signed_date.seconds()), "{last}");
        assert_eq!(
            refusal(&wrapped(&rekey), &ledger_with(&rekey, entry.clone())),
            Some((Ter::TEF_EMAIL_REPLAY, "8.2"))
        );
        assert_eq!(
            refusal(&wrapped(&first), &ledger_with(&first, entry.clone())),
            Some((Ter::TEF_EMAIL_EXPIRED, "8.6"))
        );
        // Both mails have t=, which is 12 seconds after the Date of c002.
        let signed = first.signed_date.seconds() + 12;
        let before = |last: u32| {
            let entry = entry.clone().with(sf::LAST_REKEY, last);
            refusal(&wrapped(&first), &ledger_with(&first, entry))
        };
        assert_eq!(before(signed), Some((Ter::TEF_EMAIL_EXPIRED, "8.6")));
        assert_eq!(before(signed - 1), None);
    }
}

// Spec: 7.3, 7.4.
#[test]
fn accepts_keys_of_the_parent_ledger_alone() {
    let mail = mail("c002.eml");
    let good = wrapped(&mail);
    let other = parse_txt(&txt("e1._domainkey.mail.test")).unwrap();
    let with_key = |change: &dyn Fn(Object) -> Object| {
        let mut ledger = ledger(&mail);
        let entry = ledger.parent.remove(&dkim_keylet()).unwrap();
        ledger.parent.insert(dkim_keylet(), change(entry));
        refusal(&good, &ledger)
    };
    let mut without = ledger(&mail);
    let entry = without.parent.remove(&dkim_keylet()).unwrap();
    without.state.insert(dkim_keylet(), entry.clone());
    let no_key = Some((Ter::TER_NO_DKIM_KEY, "7.3"));
    let bad = Some((Ter::TEF_BAD_SIGNATURE, "4.5"));
    assert_eq!(refusal(&good, &without), no_key);
    assert_eq!(
        with_key(&|k| k.with(sf::REVOKED_AT, NOW - 1)),
        Some((Ter::TEF_DKIM_REVOKED, "7.4"))
    );
    let wrong = |k: Object| {
        k.with(sf::DKIM_KEY_TYPE, other.key_type().code())
            .with(sf::PUBLIC_KEY, other.public_key())
    };
    assert_eq!(with_key(&wrong), bad);
    assert_eq!(
        with_key(&|k| wrong(k).with(sf::LAST_ATTESTED, NOW - 3_601)),
        no_key
    );
    assert_eq!(with_key(&waiting), no_key);
    let strict = |k: Object| k.with(sf::FLAGS, amendment::key_record::LSF_DKIM_STRICT);
    assert_eq!(with_key(&strict), None);
}

/// What the ledger says to the transaction of a mail, and what is said of the mail itself, under one changed
/// key.
fn verdicts(change: impl Fn(Object) -> Object) -> [Ter; 2] {
    let mail = mail("c002.eml");
    let mut ledger = ledger(&mail);
    let entry = ledger.parent.remove(&dkim_keylet()).unwrap();
    ledger.parent.insert(dkim_keylet(), change(entry));
    let raw = std::fs::read(folder().join("c002.eml")).unwrap();
    let derived = derive(&raw, NETWORK, CloseTime::new(NOW), &LedgerKeys(&ledger));
    let of_mail = derived.err().map_or(Ter::TES_SUCCESS, |refusal| refusal.code());
    let of_transaction = refusal(&wrapped(&mail), &ledger).map_or(Ter::TES_SUCCESS, |(code, _)| code);
    [of_transaction, of_mail]
}

/// Another key than that of the mail.
fn with_other_key(entry: Object) -> Object {
    let other = parse_txt(&txt("e1._domainkey.mail.test")).unwrap();
    entry
        .with(sf::DKIM_KEY_TYPE, other.key_type().code())
        .with(sf::PUBLIC_KEY, other.public_key())
}

/// The key of the mail as a record that waits for its second quorum, also after its time.
fn waiting(mut entry: Object) -> Object {
    let key = parse_txt(&txt(KEY)).unwrap();
    entry.remove(sf::DKIM_KEY_TYPE);
    entry.remove(sf::PUBLIC_KEY);
    entry
        .with(sf::ACTIVE_AFTER, NOW - 1)
        .with(sf::NEXT_KEY_TYPE, key.key_type().code())
        .with(sf::NEXT_KEY, key.public_key())
}

// Spec: 7.3.
#[test]
fn accepts_failures_under_keys_that_may_have_changed_as_open() {
    let open = [Ter::TER_NO_DKIM_KEY; 2];
    let stale = |entry: Object| entry.with(sf::LAST_ATTESTED, NOW - 3_601);
    assert_eq!(verdicts(|entry| stale(with_other_key(entry))), open);
    // What such a key proves is proven.
    assert_eq!(verdicts(stale), [Ter::TES_SUCCESS; 2]);
}

// Spec: 7.3.
#[test]
fn rejects_failures_under_settled_keys_for_good() {
    let refused = [Ter::TEF_BAD_SIGNATURE; 2];
    assert_eq!(verdicts(with_other_key), refused);
    let fresh = |entry: Object| entry.with(sf::LAST_ATTESTED, NOW - 3_600);
    assert_eq!(verdicts(|entry| fresh(with_other_key(entry))), refused);
}

// Spec: 7.3. A key lives for six hours after it was attested.
#[test]
fn accepts_a_key_until_its_life_ends() {
    let attested = |secs_ago: u32| verdicts(|entry| entry.with(sf::LAST_ATTESTED, NOW - secs_ago));
    assert_eq!(attested(21_600), [Ter::TES_SUCCESS; 2]);
}

// Spec: 7.3.
#[test]
fn rejects_a_key_that_nobody_attested_for_six_hours() {
    let attested = |secs_ago: u32| verdicts(|entry| entry.with(sf::LAST_ATTESTED, NOW - secs_ago));
    assert_eq!(attested(21_601), [Ter::TER_NO_DKIM_KEY; 2]);
    // Nor is a mail refused for good under it.
    let other = |entry: Object| with_other_key(entry).with(sf::LAST_ATTESTED, NOW - 21_601);
    assert_eq!(verdicts(other), [Ter::TER_NO_DKIM_KEY; 2]);
}

/// What the ledger says under a key of which it has the evidence that it is leaked: in the parent ledger, and in
/// the one that is being built.
fn verdicts_with_leak(leaked: &KeyRecord) -> [Ter; 2] {
    let mail = mail("c002.eml");
    let evidence = Object::new().with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimLeak.code());
    let keylet = keylet::dkim_leak(&leaked.hash());
    let mut parent = ledger(&mail);
    parent.parent.insert(keylet, evidence.clone());
    let mut built = ledger(&mail);
    built.state.insert(keylet, evidence);
    [parent, built].map(|ledger| refusal(&wrapped(&mail), &ledger).map_or(Ter::TES_SUCCESS, |(code, _)| code))
}

// Spec: 7.9, 7.3.
#[test]
fn accepts_a_mail_in_the_ledger_that_takes_the_evidence_and_under_another_key() {
    let key = parse_txt(&txt(KEY)).unwrap();
    assert_eq!(verdicts_with_leak(&key)[1], Ter::TES_SUCCESS);
    let other = parse_txt(&txt("e1._domainkey.mail.test")).unwrap();
    assert_eq!(verdicts_with_leak(&other), [Ter::TES_SUCCESS; 2]);
}

// Spec: 7.9.
#[test]
fn rejects_a_leaked_key_in_either_encoding() {
    let key = parse_txt(&txt(KEY)).unwrap();
    assert_eq!(verdicts_with_leak(&key)[0], Ter::TEF_DKIM_REVOKED);
    // SubjectPublicKeyInfo of a 2048-bit RSA key is 24 bytes before the RSAPublicKey of PKCS#1.
    let bare = KeyRecord::from_entry(key.key_type(), &key.public_key()[24..], 0).unwrap();
    assert_ne!(bare.public_key(), key.public_key());
    assert_eq!(verdicts_with_leak(&bare)[0], Ter::TEF_DKIM_REVOKED);
    // For ever, however long ago the key was attested or ended.
    for field in [sf::LAST_ATTESTED, sf::REVOKED_AT] {
        let mail = mail("c002.eml");
        let mut ledger = ledger(&mail);
        let entry = key_entry(&key)
            .with(sf::LAST_ATTESTED, NOW - 90_000)
            .with(field, NOW - 90_000);
        ledger.parent.insert(dkim_keylet(), entry);
        let evidence = Object::new().with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimLeak.code());
        ledger.parent.insert(keylet::dkim_leak(&key.hash()), evidence);
        let code = refusal(&wrapped(&mail), &ledger).map(|(code, _)| code);
        assert_eq!(code, Some(Ter::TEF_DKIM_REVOKED));
    }
    let raw = std::fs::read(folder().join("c002.eml")).unwrap();
    let mut ledger = ledger(&mail("c002.eml"));
    let evidence = Object::new().with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimLeak.code());
    ledger.parent.insert(keylet::dkim_leak(&bare.hash()), evidence);
    let derived = derive(&raw, NETWORK, CloseTime::new(NOW), &LedgerKeys(&ledger));
    assert_eq!(derived.map(drop), Err(amendment::Refusal::KeyRevoked));
}

/// What is said under a key, its evidence, or a freeze of its domain that a transaction of ledger `written` wrote;
/// 100 is being built.
fn verdicts_where_written(written: u32) -> [Option<(Ter, &'static str)>; 3] {
    let mail = mail(REMIT_MAIL);
    let key = parse_txt(&txt(KEY)).unwrap();
    let evidence = Object::new().with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimLeak.code());
    let entries = [
        (dkim_keylet(), key_entry(&key)),
        (keylet::dkim_leak(&key.hash()), evidence),
        (keylet::dkim_freeze(b"mail.test"), freeze(Some(0))),
    ];
    entries.map(|(index, entry)| {
        let mut ledger = ledger(&mail);
        let entry = entry.with(sf::PREVIOUS_TXN_LGR_SEQ, written);
        ledger.parent.insert(index, entry);
        refusal(&wrapped(&mail), &ledger)
    })
}

// Spec: 7.3, 7.9, 7.10, 16.
#[test]
fn accepts_what_an_earlier_ledger_wrote_and_evidence_that_this_one_wrote() {
    let leaked = Some((Ter::TEF_DKIM_REVOKED, "7.4"));
    assert_eq!(verdicts_where_written(99), [None, leaked, None]);
    // Evidence is never changed: what this ledger wrote, the parent did not have.
    assert_eq!(verdicts_where_written(100)[1], None);
}

// Spec: 7.3, 7.10, 16.
#[test]
fn rejects_what_this_ledger_wrote_where_the_parent_is_asked() {
    for written in [100, 101] {
        let [key, _, freeze] = verdicts_where_written(written);
        assert_eq!(key, Some((Ter::TER_NO_DKIM_KEY, "7.3")));
        assert_eq!(freeze, Some((Ter::TEF_DKIM_FROZEN, "7.10")));
    }
}

/// A DKIMFreeze of the domain of the mails.
fn freeze(until: Option<u32>) -> Object {
    let entry = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::DkimFreeze.code())
        .with(sf::DOMAIN, &b"mail.test"[..])
        .with(sf::FIRST_SEEN, NOW - 90_000)
        .with(sf::LAST_ATTESTED, NOW - 90_000);
    match until {
        Some(until) => entry.with(sf::ACTIVE_AFTER, until),
        None => entry,
    }
}

/// What the ledger says to a transaction, and what is said of its mail, where the ledger has such an entry.
fn verdicts_with_freeze(file: &str, domain: &str, entry: &Object) -> [(Ter, &'static str); 2] {
    let mail = mail(file);
    let mut ledger = ledger(&mail);
    ledger
        .parent
        .insert(keylet::dkim_freeze(domain.as_bytes()), entry.clone());
    let raw = std::fs::read(folder().join(file)).unwrap();
    let derived = derive(&raw, NETWORK, CloseTime::new(NOW), &LedgerKeys(&ledger));
    let passed = (Ter::TES_SUCCESS, "");
    let of_mail = derived
        .err()
        .map_or(passed, |refusal| (refusal.code(), refusal.rule().as_str()));
    [refusal(&wrapped(&mail), &ledger).unwrap_or(passed), of_mail]
}

// Spec: 7.10.
#[test]
fn accepts_mails_dated_from_the_end_of_a_freeze_on_and_those_of_other_domains() {
    let passed = [(Ter::TES_SUCCESS, ""); 2];
    for file in [REMIT_MAIL, REKEY_MAIL] {
        let date = mail(file).signed_date.seconds();
        for until in [date, date - 1, 0] {
            assert_eq!(
                verdicts_with_freeze(file, "mail.test", &freeze(Some(until))),
                passed
            );
        }
        // d= alone counts: neither what is above it nor what is below.
        for other in ["test", "sub.mail.test", "mail.test.example"] {
            assert_eq!(
                verdicts_with_freeze(file, other, &freeze(None)),
                passed,
                "{other}"
            );
        }
    }
    // A mail is judged by the parent ledger.
    let mail = mail(REMIT_MAIL);
    let mut ledger = ledger(&mail);
    ledger
        .state
        .insert(keylet::dkim_freeze(b"mail.test"), freeze(None));
    assert_eq!(refusal(&wrapped(&mail), &ledger), None);
}

// Spec: 7.10, 10.
#[test]
fn rejects_every_mail_of_a_frozen_domain_and_after_it_those_dated_before_its_end() {
    let frozen = [(Ter::TEF_DKIM_FROZEN, "7.10"); 2];
    for file in [REMIT_MAIL, REKEY_MAIL] {
        let date = mail(file).signed_date.seconds();
        for until in [None, Some(date + 1), Some(NOW + 21_600), Some(u32::MAX)] {
            assert_eq!(
                verdicts_with_freeze(file, "mail.test", &freeze(until)),
                frozen,
                "{until:?}"
            );
        }
    }
    // It stands before the key: none, one that was withdrawn, one that does not prove.
    let mail = mail(REMIT_MAIL);
    let raw = std::fs::read(folder().join(REMIT_MAIL)).unwrap();
    let key = key_entry(&parse_txt(&txt(KEY)).unwrap());
    let keys = [
        None,
        Some(key.clone().with(sf::REVOKED_AT, NOW)),
        Some(with_other_key(key)),
    ];
    for key in keys {
        let mut ledger = ledger(&mail);
        ledger.parent.remove(&dkim_keylet());
        ledger.parent.extend(key.map(|key| (dkim_keylet(), key)));
        ledger
            .parent
            .insert(keylet::dkim_freeze(b"mail.test"), freeze(None));
        assert_eq!(refusal(&wrapped(&mail), &ledger), Some(frozen[0]));
        let derived = derive(&raw, NETWORK, CloseTime::new(NOW), &LedgerKeys(&ledger));
        assert_eq!(derived.map_err(|refusal| refusal.code()).err(), Some(frozen[1].0));
    }
}

// Spec: 4.7, 7.10. The domain of every signature that counts is that of From.
#[test]
fn rejects_a_mail_of_a_frozen_domain_however_many_others_signed_it() {
    let raw = std::fs::read(folder().join(REMIT_MAIL)).unwrap();
    let text = String::from_utf8(raw).unwrap();
    let at = text.find("DKIM-Signature:").unwrap();
    let field = &text[at..];
    let end = field
        .match_indices("\r\n")
        .find(|(at, _)| !field[at + 2..].starts_with([' ', '\t']))
        .unwrap()
        .0;
    let field = &field[..end + 2];
    let foreign = field.replace("d=mail.test", "d=relay.example");
    assert_ne!(foreign, field);
    let mail = mail(REMIT_MAIL);
    for several in [
        format!("{foreign}{text}"),
        format!("{field}{foreign}{text}"),
        format!("{field}{text}"),
    ] {
        let judged = |ledger: &Ledger| {
            let derived = derive(
                several.as_bytes(),
                NETWORK,
                CloseTime::new(NOW),
                &LedgerKeys(ledger),
            );
            derived.map_or_else(|refusal| refusal.code(), |_| Ter::TES_SUCCESS)
        };
        let mut ledger = ledger(&mail);
        assert_eq!(judged(&ledger), Ter::TES_SUCCESS);
        // Who signed it besides is no matter.
        ledger
            .parent
            .insert(keylet::dkim_freeze(b"relay.example"), freeze(None));
        assert_eq!(judged(&ledger), Ter::TES_SUCCESS);
        ledger
            .parent
            .insert(keylet::dkim_freeze(b"mail.test"), freeze(None));
        assert_eq!(judged(&ledger), Ter::TEF_DKIM_FROZEN);
    }
}

// Spec: 4.5, 7.3. What one key proved is remembered with the transaction; every other key judges again.
#[test]
fn accepts_a_proof_again_under_an_equal_key_and_rejects_it_under_every_other() {
    let mail = mail("c002.eml");
    let good = ledger(&mail);
    let parsed = preflight(&wrapped(&mail), &Rules::of(&good)).unwrap();
    let code = |ledger: &Ledger| {
        let screened = screen(parsed.clone(), ledger).unwrap();
        authenticate(screened, ledger).map_or_else(|error| error.code(), |_| Ter::TES_SUCCESS)
    };
    let with_key = |change: &dyn Fn(Object) -> Object| {
        let mut ledger = ledger(&mail);
        let entry = ledger.parent.remove(&dkim_keylet()).unwrap();
        ledger.parent.insert(dkim_keylet(), change(entry));
        ledger
    };
    for _ in 0..2 {
        assert_eq!(code(&good), Ter::TES_SUCCESS);
        assert_eq!(code(&with_key(&with_other_key)), Ter::TEF_BAD_SIGNATURE);
        let revoked = with_key(&|entry| entry.with(sf::REVOKED_AT, NOW - 1));
        assert_eq!(code(&revoked), Ter::TEF_DKIM_REVOKED);
        let mut without = ledger(&mail);
        without.parent.remove(&dkim_keylet());
        assert_eq!(code(&without), Ter::TER_NO_DKIM_KEY);
    }
    // Under the wrong key first, nothing is remembered.
    let fresh = preflight(&wrapped(&mail), &Rules::of(&good)).unwrap();
    let bad = with_key(&with_other_key);
    for _ in 0..2 {
        let screened = screen(fresh.clone(), &bad).unwrap();
        assert!(authenticate(screened, &bad).is_err());
    }
}

// Spec: 4.5. What proved the mail that was read proves its transaction, under the same key; of another signature it
// says nothing.
#[test]
fn accepts_the_proof_of_the_mail_that_was_read_and_rejects_that_of_another_signature() {
    let mail = mail("c002.eml");
    let good = ledger(&mail);
    let mut bad = ledger(&mail);
    let entry = bad.parent.remove(&dkim_keylet()).unwrap();
    bad.parent.insert(dkim_keylet(), with_other_key(entry));
    let code = |tx: &Object, ledger: &Ledger| {
        let parsed = preflight(tx, &Rules::of(ledger)).unwrap();
        parsed.remember_proof(&mail);
        let proven = authenticate(screen(parsed, ledger).unwrap(), ledger);
        proven.map_or_else(|error| error.code(), |_| Ter::TES_SUCCESS)
    };
    assert_eq!(code(&wrapped(&mail), &good), Ter::TES_SUCCESS);
    assert_eq!(code(&wrapped(&mail), &bad), Ter::TEF_BAD_SIGNATURE);
    let mut memo = mail.memo.clone();
    let at = memo.windows(3).position(|bytes| bytes == b" b=").unwrap() + 23;
    memo[at] = if memo[at] == b'A' { b'B' } else { b'A' };
    let memo = Object::new().with(sf::MEMO_DATA, memo);
    let forged = wrapped(&mail).with(sf::MEMOS, vec![(sf::MEMO, memo)]);
    assert_eq!(code(&forged, &good), Ter::TEF_BAD_SIGNATURE);
}

// Spec: 7.3, 7.4.
#[test]
fn key_states_are_those_of_the_entry() {
    let entry = key_entry(&parse_txt(&txt(KEY)).unwrap());
    let state = |entry: &Object| key_state(Some(entry), CloseTime::new(NOW));
    assert_eq!(key_state(None, CloseTime::new(NOW)), KeyState::Missing);
    assert_eq!(state(&entry), KeyState::Settled);
    assert_eq!(state(&waiting(entry.clone())), KeyState::Missing);
    let with = |field, value: u32| state(&entry.clone().with(field, value));
    assert_eq!(with(sf::LAST_ATTESTED, NOW - 3_601), KeyState::Unsettled);
    assert_eq!(with(sf::LAST_ATTESTED, NOW - 21_600), KeyState::Unsettled);
    assert_eq!(with(sf::LAST_ATTESTED, NOW - 21_601), KeyState::Missing);
    assert_eq!(with(sf::REVOKED_AT, NOW), KeyState::Revoked);
    let long_ago = entry.clone().with(sf::REVOKED_AT, NOW - 3_601);
    let state = |attested: u32| state(&long_ago.clone().with(sf::LAST_ATTESTED, attested));
    assert_eq!(state(NOW - 3_600), KeyState::Revoked);
    assert_eq!(state(NOW - 3_601), KeyState::Missing, "it may be back");
}

// Spec: 6.3.
#[test]
fn accepts_what_submission_wraps() {
    let mail = mail("c002.eml");
    let ledger = ledger(&mail);
    let tx = submission(&mail, &ledger).unwrap();
    let fee = Drops::new(required(&mail) + 100);
    assert_eq!(tx, wrap(&mail, SEQUENCE, fee, LedgerIndex::new(119)));
    assert_eq!(refusal(&tx, &ledger), None);
}

// Spec: 6.3, 10.
#[test]
fn rejects_submission_for_an_account_that_is_not_there() {
    let mail = mail("c002.eml");
    let mut ledger = ledger(&mail);
    ledger.state.clear();
    let error = submission(&mail, &ledger).unwrap_err();
    assert_eq!(error.code(), Ter::TER_NO_ACCOUNT);
}

/// What becomes of a mail that pays this fee out of this balance, from an account that owns one object.
fn paid(file: &str, fee: u64, balance: u64) -> Option<(Ter, &'static str)> {
    let mail = mail(file);
    let mut ledger = ledger(&mail);
    let root = ledger.state.get_mut(&keylet::account(mail.account)).unwrap();
    root.set(sf::BALANCE, Amount::from_drops(Drops::new(balance)));
    root.set(sf::OWNER_COUNT, 1_u32);
    refusal(
        &wrap(&mail, SEQUENCE, Drops::new(fee), LedgerIndex::new(120)),
        &ledger,
    )
}

// Spec: 6.3, 9.
#[test]
fn accepts_fees_up_to_100_base_fees_more_and_rejects_others() {
    for file in ["c002.eml", "c036.eml"] {
        let least = required(&mail(file));
        let with = |fee: u64| paid(file, fee, 100 * RESERVE);
        let bad_fee = Some((Ter::TEF_BAD_EMAIL_FEE, "6.3"));
        assert_eq!(with(least - 1), bad_fee);
        assert_eq!(with(least), None);
        assert_eq!(with(least + 1_000), None);
        assert_eq!(with(least + 1_001), bad_fee);
    }
}

// Spec: 6.3.
#[test]
fn accepts_the_fee_of_a_rekey_out_of_the_reserve_and_rejects_that_of_a_remit() {
    let short = Some((Ter::TER_INSUF_FEE_B, "6.3"));
    let stays = RESERVE + RESERVE / 5;
    let remit = required(&mail("c002.eml"));
    assert_eq!(paid("c002.eml", remit, stays + remit), None);
    assert_eq!(paid("c002.eml", remit, stays + remit - 1), short);
    assert_eq!(paid("c002.eml", remit, remit - 1), short);
    let rekey = required(&mail("c036.eml"));
    assert_eq!(paid("c036.eml", rekey, rekey), None);
    assert_eq!(paid("c036.eml", rekey, rekey - 1), short);
}

/// The transaction with another memo and the fee that it needs.
fn with_memo(tx: &Object, memo: Vec<u8>) -> Object {
    let fee = Amount::from_drops(Drops::new(10 + memo.len() as u64));
    let memo = Object::new().with(sf::MEMO_DATA, memo);
    tx.clone()
        .with(sf::MEMOS, vec![(sf::MEMO, memo)])
        .with(sf::FEE, fee)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    // Spec 3.5, 4.5, 6.2: one mail makes one transaction; no other memo gets through under its signature.
    #[test]
    fn no_changed_memo_is_ever_ready(
        file in prop::sample::select(vec!["c002.eml", "c010.eml", "c036.eml"]),
        at in any::<prop::sample::Index>(),
        kind in 0..4_u8,
        byte in any::<u8>(),
    ) {
        let mail = mail(file);
        let ledger = ledger(&mail);
        let tx = wrapped(&mail);
        prop_assert!(run(&with_memo(&tx, mail.memo.clone()), &ledger).is_ok());
        let mut memo = mail.memo.clone();
        let at = at.index(memo.len());
        match kind {
            0 => memo[at] = byte,
            1 => memo.insert(at, byte),
            2 => { memo.remove(at); }
            _ => memo.extend_from_slice(&[b"\r\n"[..].to_vec(), vec![byte]].concat()),
        }
        prop_assume!(memo != mail.memo);
        prop_assert!(run(&with_memo(&tx, memo), &ledger).is_err());
    }
}
