//! Random histories of an account whose mailbox somebody else holds until its owner takes it back: whatever was signed
//! before the owner's REKEY changes nothing after it, no money is made or lost, and within 72 hours the owner signs
//! alone (spec 6.3, 8.5, 8.6, 11).
//!
//! Assumptions: the provider's clock does not run backwards, and somebody sends the owner the fee where the account
//! cannot pay it. `PROPTEST_CASES=1000000 cargo test --release -p ledger --test it histories` plays a million.

use std::sync::LazyLock;

use amendment::{ProvenMail, RekeyMark, TxtRecords};
use codec::format::EntryType;
use codec::{Amount, CloseTime, Object, Ter, TerClass, flags, keylet, sf};
use ledger::dkim::Answer;
use ledger::{Ledger, OpenLedger};
use proptest::prelude::*;

use super::common::{World, XAH, account_set, id, key, master, native, payment};
use super::mails::{CLOCK, DAY, NETWORK, alice, key_set, mail, record, stamped, tx, world};

/// How a provider signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    /// With `t=`.
    SignsTime,
    /// Without.
    SignsDate,
}

/// What a mail says, as far as it matters here.
#[derive(Clone, Copy, Debug)]
enum Says {
    /// A payment of one drop.
    PaysLittle,
    /// One of all that may go.
    PaysAll,
    /// The thief's key, naming no REKEY.
    Rekeys,
    /// The same, naming the last one.
    RekeysAfterLast,
    /// The same, naming what the ledger's own hash gives.
    RekeysAfterGuess,
}

/// What the thief does next.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Signs a mail, dated so far ahead as its provider lets him, and has it executed or withholds it.
    Signs {
        says: Says,
        ahead_secs: u32,
        hands_in: bool,
    },
    /// Hands in one that he withheld.
    HandsIn(prop::sample::Index),
    /// Fills the 64 places.
    Fills,
    /// Waits.
    Waits(u32),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let says = prop_oneof![
        Just(Says::PaysLittle),
        Just(Says::PaysAll),
        Just(Says::Rekeys),
        Just(Says::RekeysAfterLast),
        Just(Says::RekeysAfterGuess),
    ];
    let ahead_secs = prop_oneof![Just(0), 0..300_u32, 0..5 * DAY];
    let deed = prop_oneof![
        6 => (says, ahead_secs, any::<bool>())
            .prop_map(|(says, ahead_secs, hands_in)| Deed::Signs { says, ahead_secs, hands_in }),
        2 => any::<prop::sample::Index>().prop_map(Deed::HandsIn),
        1 => Just(Deed::Fills),
        2 => (1..5_000_u32).prop_map(Deed::Waits),
    ];
    prop::collection::vec(deed, 1..14)
}

/// The account and what the thief has signed.
struct Scene {
    world: World,
    provider: Provider,
    records: TxtRecords,
    signed: Vec<ProvenMail>,
}

/// Begun once: alice has 100 XAH, and the provider's key is on the ledger.
static BEGIN: LazyLock<Ledger> = LazyLock::new(|| world().ledger);

impl Scene {
    fn new(provider: Provider) -> Scene {
        let mut records = TxtRecords::new();
        records.insert("own._domainkey.mail.test", &record());
        let ledger = BEGIN.clone();
        Scene {
            world: World { ledger, last: None },
            provider,
            records,
            signed: Vec::new(),
        }
    }

    fn now(&self) -> u32 {
        self.world.ledger.close_time().seconds()
    }

    /// The provider's clock: a ledger's time lies seconds behind.
    fn clock(&self) -> u32 {
        self.now() + 4
    }

    fn wait(&mut self, secs: u32) {
        self.world.close_empty_at(self.now() + secs);
        let set = key_set(&self.world, "mail.test", "own", Answer::Record(record()));
        assert_eq!(self.world.close([set]), Ter::TES_SUCCESS);
    }

    fn replay(&self) -> Option<Object> {
        self.world.ledger.entry(&keylet::email_replay(alice()))
    }

    fn last_mark(&self) -> Option<RekeyMark> {
        let mark = self.replay()?.hash256(sf::REKEY_MARK)?;
        Some(RekeyMark::of(&mark))
    }

    /// A mail signed now; `None` where no rule lets it be.
    fn sign(&self, line: &str, ahead_secs: u32) -> Option<ProvenMail> {
        let clock = self.clock();
        let (date, memo) = match self.provider {
            Provider::SignsTime => {
                let date = clock + ahead_secs.min(300);
                (date, stamped(date, clock, line))
            }
            Provider::SignsDate => (clock + ahead_secs, mail(clock + ahead_secs, line)),
        };
        amendment::derive(&memo, NETWORK, CloseTime::new(date), &self.records).ok()
    }

    fn line(&self, says: Says) -> String {
        let rekey = format!("REKEY {}", id(66));
        match says {
            Says::PaysLittle => "REMIT 0.000001 XAH TO <bob@example.com>".to_owned(),
            Says::PaysAll => {
                let all = self.world.balance(alice()).saturating_sub(2 * XAH + 3_000).max(1);
                let (whole, rest) = (all / XAH, all % XAH);
                format!("REMIT {whole}.{rest:06} XAH TO <bob@example.com>")
            }
            Says::Rekeys => rekey,
            Says::RekeysAfterLast => match self.last_mark() {
                Some(mark) => format!("{rekey} AFTER {mark}"),
                None => rekey,
            },
            Says::RekeysAfterGuess => {
                let parent = self.world.ledger.hash();
                let guess = codec::hash::sha512_half(&[b"RKM\0", parent.as_bytes(), alice().as_bytes()]);
                format!("{rekey} AFTER {}", RekeyMark::of(&guess))
            }
        }
    }

    /// Hands a mail in; a ledger is closed over what the open one takes.
    fn hand_in(&mut self, mail: &ProvenMail) -> Ter {
        let mut open = OpenLedger::new(&self.world.ledger);
        let object = amendment::submission(mail, &open.view()).expect("an account");
        let tx = tx(&object);
        let outcome = open.submit(&tx).expect("a mail");
        if outcome.applied {
            let closed = self.world.close([tx]);
            assert_eq!(closed, outcome.ter);
        }
        outcome.ter
    }

    /// 64 payments that are still in their window.
    fn fill(&mut self) {
        let entry = |n: u8| {
            Object::new()
                .with(sf::EMAIL_ID, codec::Hash256::new([n; 32]))
                .with(sf::SIGNATURE_HASH, codec::Hash256::new([n; 32]))
                .with(sf::SIGNED_DATE, self.now())
        };
        let entries: Vec<_> = (0..64).map(|n| (sf::EMAIL_REPLAY_ENTRY, entry(n))).collect();
        if let Some(replay) = self.replay() {
            let full = replay.with(sf::EMAIL_REPLAY_ENTRIES, entries);
            self.world.put_entry(keylet::email_replay(alice()), &full);
        }
    }

    fn steal(&mut self, deed: &Deed) {
        match deed {
            Deed::Signs {
                says,
                ahead_secs,
                hands_in,
            } => {
                let Some(mail) = self.sign(&self.line(*says), *ahead_secs) else {
                    return;
                };
                if *hands_in {
                    self.hand_in(&mail);
                }
                self.signed.push(mail);
            }
            Deed::HandsIn(which) => {
                if !self.signed.is_empty() {
                    let mail = which.get(&self.signed).clone();
                    self.hand_in(&mail);
                }
            }
            Deed::Fills => self.fill(),
            Deed::Waits(secs) => self.wait(*secs),
        }
    }

    /// Somebody sends the owner the fee.
    fn send_fee(&mut self) {
        let gift = payment(alice(), XAH).with(sf::NETWORK_ID, NETWORK);
        assert_eq!(self.world.apply(&master(), gift), Ter::TES_SUCCESS);
    }

    /// The owner sets his key, by as many mails as it takes.
    fn take_back(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..3 {
            let line = match (self.last_mark(), self.provider) {
                (Some(mark), Provider::SignsDate) => format!("REKEY {} AFTER {mark}", id(50)),
                (Some(_), Provider::SignsTime) | (None, _) => format!("REKEY {}", id(50)),
            };
            let mail = self.sign(&line, 0).expect("an honest mail");
            match self.hand_in(&mail) {
                Ter::TES_SUCCESS => return Ok(()),
                // A REKEY that is dated ahead keeps others out for five minutes.
                Ter::TEF_EMAIL_EXPIRED => self.wait(300),
                Ter::TER_INSUF_FEE_B => self.send_fee(),
                other => return Err(TestCaseError::fail(format!("{other}"))),
            }
        }
        Err(TestCaseError::fail("the owner stays out"))
    }

    fn drops(&self) -> u64 {
        let state = self.world.ledger.state().iter();
        let entries = state.map(|(_, bytes)| codec::decode(bytes).expect("an entry"));
        let roots = entries.filter(|entry| EntryType::of(entry) == Some(EntryType::AccountRoot));
        let balances = roots.filter_map(|root| root.amount(sf::BALANCE));
        balances
            .map(|balance| match balance {
                Amount::Native(drops) => u64::try_from(drops).expect("not negative"),
                Amount::Issued(_) => 0,
            })
            .sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() })]

    // Spec: 8.6, 11.
    #[test]
    fn accepts_nothing_signed_before_a_rekey_and_its_owner_alone_after_72_hours(
        provider in prop_oneof![Just(Provider::SignsTime), Just(Provider::SignsDate)],
        deeds in deeds(),
        tries in prop::collection::vec((any::<prop::sample::Index>(), 0..2 * DAY), 0..8),
    ) {
        let mut scene = Scene::new(provider);
        for deed in &deeds {
            scene.steal(deed);
        }
        scene.take_back()?;
        let rekeyed = scene.now();
        let of = |scene: &Scene| (scene.world.account(alice()), scene.replay());
        let before = of(&scene);
        prop_assert_eq!(before.0.as_ref().and_then(|root| root.account(sf::REGULAR_KEY)), Some(id(50)));

        // Whatever was signed until then is tried: all of it at once, and some of it over the days.
        for at in 0..scene.signed.len() {
            let mail = scene.signed[at].clone();
            let ter = scene.hand_in(&mail);
            prop_assert!(matches!(ter.class(), TerClass::Tef | TerClass::Ter), "{}", ter);
        }
        for (which, wait) in &tries {
            if scene.now() + wait > CLOCK + 12 * DAY || scene.signed.is_empty() {
                break;
            }
            scene.wait(*wait + 1);
            let mail = which.get(&scene.signed).clone();
            let ter = scene.hand_in(&mail);
            prop_assert!(matches!(ter.class(), TerClass::Tef | TerClass::Ter), "{}", ter);
        }
        prop_assert_eq!(of(&scene), before);
        prop_assert_eq!(scene.drops(), scene.world.ledger.header().total_drops.get());

        // 72 hours after it, with the five minutes by which a REKEY may be dated ahead.
        let free = rekeyed + 3 * DAY + 300;
        if scene.now() < free {
            scene.wait(free - scene.now());
        }
        if scene.world.balance(alice()) < 10 {
            scene.send_fee();
        }
        let leaves = account_set(flags::ASF_DISABLE_EMAIL).with(sf::FEE, native(10));
        prop_assert_eq!(scene.world.by_key(&key(50), alice(), leaves), Ter::TES_SUCCESS);
        scene.wait(1);
        let late = scene.sign("REMIT 0.000001 XAH TO <bob@example.com>", 0).expect("an honest mail");
        prop_assert_eq!(scene.hand_in(&late), Ter::TEF_EMAIL_DISABLED);
    }
}
