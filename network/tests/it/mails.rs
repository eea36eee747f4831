//! What is handed in during a run, and what must come of it: mails of four senders at two providers, forgeries, and
//! payments that a key signs. All of it is the same in each run.

use std::collections::BTreeMap;

use codec::keys::KeyPair;
use codec::{AccountId, Amount, CloseTime, Object, flags, format::TxType, sf};
use ledger::dkim::KeyDelays;
use ledger::genesis::EmailAmendment;
use ledger::{GenesisConfig, Ledger, OpenLedger, Transaction};
use network::Submission;
use testkit::sign::{DkimKey, Draft, Form};

/// NetworkID.
pub(crate) const NETWORK: u32 = 21_337;
/// 2026-11-16 12:00:00 UTC, in seconds since 2000: when the first ledger closed.
pub(crate) const CLOCK: u32 = 848_145_600;
/// Gets what the mails pay.
pub(crate) const MERCHANT: &str = "merchant@shop.test";
/// The domain whose mail operators stop, and let through again.
pub(crate) const RULED: &str = "three.test";
/// Sends mails from there.
pub(crate) const ERIN: &str = "erin@three.test";
/// Gets what the forgeries would pay.
const THIEF: &str = "thief@shop.test";
/// Who has an account, with so many XAH. Dave has less than one of his mails pays.
const FUNDED: [(&str, i64); 6] = [
    ("alice@one.test", 1_000),
    ("bob@two.test", 1_000),
    ("carol@one.test", 1_000),
    ("dave@two.test", 30),
    (ERIN, 1_000),
    (MERCHANT, 100),
];
/// Drops of the merchant at the start.
pub(crate) const MERCHANT_HAD: u64 = 100_000_000;
/// XAH of the merchant when all mails are executed.
const MERCHANT_HAS: u64 = 100 + 1 + 2 + 3 + 4 + 5 + 6 + 1;
/// Payments of the genesis account in a run, each to an account that it makes.
pub(crate) const PAYMENTS: u32 = 12;
/// What each of them pays.
const PAYMENT_DROPS: i64 = 30_000_000;
/// The seed of the genesis account, public as in xahaud.
const GENESIS_SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

/// What a mail says, whichever copy of it: its sender and its date, which no two of ours have in common.
pub(crate) type Meaning = (String, String);

/// A selector of a provider, with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selector {
    One,
    Two,
    Three,
    /// Published by two.test in the course of the run.
    TwoNext,
    /// No provider's: only where DNS lies there is such a record.
    Evil,
}

impl Selector {
    fn parts(self) -> (&'static str, &'static str, u8) {
        match self {
            Self::One => ("one.test", "s1", 1),
            Self::Two => ("two.test", "s1", 2),
            Self::TwoNext => ("two.test", "s2", 3),
            Self::Three => (RULED, "s1", 4),
            Self::Evil => ("one.test", "evil", 66),
        }
    }

    fn key(self) -> DkimKey {
        DkimKey::ed25519(&[self.parts().2; 32])
    }

    fn record(self) -> (String, Vec<u8>) {
        let (domain, selector, _) = self.parts();
        (
            format!("{selector}._domainkey.{domain}"),
            self.key().record().into_bytes(),
        )
    }
}

/// Whether a mail names the time of its signature: another signature, and so another copy, of the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamp {
    None,
    OfDate,
}

/// A mail: sender, minute of its date, instruction, selector, stamp.
type Letter = (&'static str, u32, &'static str, Selector, Stamp);

const LETTERS: [Letter; 11] = [
    (
        "alice@one.test",
        1,
        "REMIT 1 XAH TO <merchant@shop.test>",
        Selector::One,
        Stamp::None,
    ),
    (
        "bob@two.test",
        2,
        "REMIT 2 XAH TO <merchant@shop.test>",
        Selector::Two,
        Stamp::None,
    ),
    // More than he has: it costs him the fee, and may not come again.
    (
        "dave@two.test",
        3,
        "REMIT 500 XAH TO <merchant@shop.test>",
        Selector::Two,
        Stamp::None,
    ),
    (
        "alice@one.test",
        1,
        "REMIT 1 XAH TO <merchant@shop.test>",
        Selector::One,
        Stamp::OfDate,
    ),
    (
        "carol@one.test",
        4,
        "REMIT 3 XAH TO <merchant@shop.test>",
        Selector::One,
        Stamp::None,
    ),
    (
        "dave@two.test",
        3,
        "REMIT 500 XAH TO <merchant@shop.test>",
        Selector::Two,
        Stamp::OfDate,
    ),
    (
        "alice@one.test",
        5,
        "REMIT 5 XAH TO <merchant@shop.test>",
        Selector::One,
        Stamp::OfDate,
    ),
    (
        "carol@one.test",
        6,
        "REMIT 6 XAH TO <merchant@shop.test>",
        Selector::One,
        Stamp::None,
    ),
    (
        "bob@two.test",
        7,
        "REMIT 4 XAH TO <merchant@shop.test>",
        Selector::TwoNext,
        Stamp::None,
    ),
    (
        "dave@two.test",
        8,
        "REMIT 1 XAH TO <merchant@shop.test>",
        Selector::TwoNext,
        Stamp::None,
    ),
    (
        "alice@one.test",
        9,
        "REMIT 50 XAH TO <thief@shop.test>",
        Selector::Evil,
        Stamp::None,
    ),
];

/// Mails that are executed: all but copies and forgeries.
pub(crate) const EXECUTED: usize = 8;

fn mail((from, minute, line, selector, stamp): Letter) -> Vec<u8> {
    let (domain, name, _) = selector.parts();
    let draft = Draft {
        form: Form::Relaxed,
        domain,
        selector: name,
        names: "From:Date",
        fields: format!("from:{from}\r\ndate:16 Nov 2026 11:{minute:02}:00 +0000\r\n").into_bytes(),
        body: format!("{line}\r\n").into_bytes(),
    };
    match stamp {
        Stamp::None => draft.signed(&selector.key()),
        Stamp::OfDate => {
            let date = CloseTime::new(CLOCK - 3_600 + minute * 60);
            draft.signed_at(&selector.key(), date.to_unix())
        }
    }
}

/// What a mail within a transaction says; `None` where it has no mail.
pub(crate) fn meaning_of(tx: &Object) -> Option<Meaning> {
    let (_, memo) = tx.array(sf::MEMOS)?.first()?;
    let text = String::from_utf8_lossy(memo.blob(sf::MEMO_DATA)?).into_owned();
    let field = |name: &str| Some(text.lines().find_map(|line| line.strip_prefix(name))?.to_owned());
    Some((field("from:")?, field("date:")?))
}

/// What the providers publish from the start, and what two.test publishes later.
pub(crate) fn records() -> (BTreeMap<String, Vec<u8>>, (String, Vec<u8>)) {
    let first = [Selector::One, Selector::Two, Selector::Three].map(Selector::record);
    (BTreeMap::from(first), Selector::TwoNext.record())
}

/// The record that no provider publishes.
pub(crate) fn evil_record() -> (String, Vec<u8>) {
    Selector::Evil.record()
}

/// All that is submitted in a run, in its order: what needs the later record comes last.
pub(crate) fn submissions() -> Vec<Submission> {
    let mails = LETTERS.map(|letter| Submission::Mail(mail(letter).into()));
    let payments = (0..PAYMENTS).map(|number| {
        let to = KeyPair::ed25519([100 + u8::try_from(number).expect("few"); 16]).account();
        let tx = payment(to, sequence_after_funding() + number, PAYMENT_DROPS);
        Submission::Transaction(tx.blob().into())
    });
    let mut all: Vec<Submission> = payments.collect();
    for (number, mail) in mails.into_iter().enumerate() {
        all.insert(number * 2, mail);
    }
    all
}

/// A mail of Erin at this time, of which no other has the date. All pay the same.
pub(crate) fn mail_of_erin(date: CloseTime) -> Submission {
    let (domain, selector, _) = Selector::Three.parts();
    let draft = Draft {
        form: Form::Relaxed,
        domain,
        selector,
        names: "From:Date",
        fields: format!("from:{ERIN}\r\ndate:{}\r\n", date_text(date)).into_bytes(),
        body: b"REMIT 1 XAH TO <till@shop.test>\r\n".to_vec(),
    };
    Submission::Mail(draft.signed(&Selector::Three.key()).into())
}

/// A time within the hour after `CLOCK`, as mails have it.
pub(crate) fn date_text(date: CloseTime) -> String {
    let secs = date.seconds() - CLOCK;
    assert!(secs < 3_600, "runs are shorter");
    format!("16 Nov 2026 12:{:02}:{:02} +0000", secs / 60, secs % 60)
}

/// The time of such a text.
pub(crate) fn time_of(text: &str) -> Option<CloseTime> {
    let time = text.strip_prefix("16 Nov 2026 12:")?.strip_suffix(" +0000")?;
    let (minutes, secs) = time.split_once(':')?;
    let (minutes, secs): (u32, u32) = (minutes.parse().ok()?, secs.parse().ok()?);
    Some(CloseTime::new(CLOCK + minutes * 60 + secs))
}

/// The mail that comes first: Alice pays the merchant 1 XAH.
pub(crate) fn first_mail() -> Submission {
    let [letter, ..] = LETTERS;
    Submission::Mail(mail(letter).into())
}

/// What a thief hands in who has a record that DNS does not have.
pub(crate) fn forgery() -> Submission {
    let [.., letter] = LETTERS;
    Submission::Mail(mail(letter).into())
}

/// How many of the submissions need nothing that is published later.
pub(crate) const AT_FIRST: usize = 16;

fn sequence_after_funding() -> u32 {
    1 + u32::try_from(FUNDED.len()).expect("few")
}

/// What a healed network has: the genesis account's next Sequence, and the merchant's drops.
pub(crate) fn goal() -> (u32, u64) {
    (sequence_after_funding() + PAYMENTS, MERCHANT_HAS * 1_000_000)
}

/// What a ledger has of that.
pub(crate) fn reached(ledger: &Ledger) -> (u32, u64) {
    let genesis = AccountId::new(ledger::genesis::GENESIS_ACCOUNT);
    let sequence = ledger
        .entry(&codec::keylet::account(genesis))
        .and_then(|root| root.u32(sf::SEQUENCE));
    (sequence.unwrap_or(0), drops_of(ledger, MERCHANT))
}

/// What the thief has.
pub(crate) fn stolen(ledger: &Ledger) -> u64 {
    drops_of(ledger, THIEF)
}

fn drops_of(ledger: &Ledger, address: &str) -> u64 {
    let root = ledger.entry(&codec::keylet::account(account_of(address)));
    let balance = root.and_then(|root| root.amount(sf::BALANCE)?.as_drops());
    balance.map_or(0, |drops| drops.get())
}

fn account_of(address: &str) -> AccountId {
    amendment::address::parse_recipient(address)
        .expect("an address")
        .account()
}

/// Key of a validator.
pub(crate) fn validator(number: u8) -> KeyPair {
    KeyPair::ed25519([number; 16])
}

/// A payment of the genesis account.
fn payment(to: AccountId, sequence: u32, drops: i64) -> Transaction {
    let key = KeyPair::from_seed(GENESIS_SEED).expect("a seed");
    signed_payment(&key, to, sequence, drops)
}

/// A payment that a key signs.
pub(crate) fn signed_payment(key: &KeyPair, to: AccountId, sequence: u32, drops: i64) -> Transaction {
    let mut tx = Object::new()
        .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
        .with(sf::NETWORK_ID, NETWORK)
        .with(sf::FLAGS, flags::TF_FULLY_CANONICAL_SIG)
        .with(sf::SEQUENCE, sequence)
        .with(sf::AMOUNT, Amount::Native(drops))
        .with(sf::FEE, Amount::Native(10_000))
        .with(sf::SIGNING_PUB_KEY, key.public_key().as_bytes().to_vec())
        .with(sf::ACCOUNT, key.account())
        .with(sf::DESTINATION, to);
    let signature = key.sign(&codec::tx::signing_bytes(&tx));
    tx.set(sf::TXN_SIGNATURE, signature);
    Transaction::from_object(&tx).expect("a payment")
}

/// The first ledger of a network of so many validators: who has an account has it there.
pub(crate) fn first_ledger(validators: u8, email: EmailAmendment) -> Ledger {
    let keys = (1..=validators).map(|number| validator(number).public_key());
    let genesis = Ledger::genesis(&GenesisConfig {
        network_id: NETWORK,
        validators: keys.collect(),
        email,
        close_time: CloseTime::new(CLOCK),
        key_delays: KeyDelays::NONE,
    });
    let mut open = OpenLedger::new(&genesis);
    for (sequence, (address, xah)) in (1..).zip(FUNDED) {
        let paid = payment(account_of(address), sequence, xah * 1_000_000);
        let paid = open.submit(&paid).expect("submitted");
        assert!(paid.applied, "{address}: {:?}", paid.ter);
    }
    ledger::close(&genesis, open.accepted().iter().cloned(), CloseTime::new(CLOCK)).ledger
}
