//! A year of a provider's rotations, in the ledger's time: what a withdrawn key still pays, how long an honest mail
//! takes, and what it costs in DKIMKeySets.
//!
//! The chain is driven as an idle node drives it, but with a ledger every 20 minutes where nothing happens, and every
//! four seconds while a mail is on its way. A thief has every key that the provider ever had.

use std::collections::BTreeMap;

use amendment::KeyName;
use chain::commit::Change;
use chain::{Event, KeyFinding};
use codec::format::TxType;
use codec::{Hash256, Ter, sf};
use testkit::sign::DkimKey;

use crate::driver::{CLOCK, Driver};
use crate::keys::{found, funded, mail};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;
/// Seconds from one ledger of an idle node to the next.
const IDLE: u32 = 20 * 60;
/// Spec: 7.4.
const KEY_LIFE: u32 = 6 * HOUR;
const DOMAIN: &str = "mail.test";
/// So many that nobody fills his 64 places.
const SENDERS: u32 = 16;

/// How the provider changes its keys.
#[derive(Debug, Clone, Copy)]
enum Habit {
    /// Each month a new selector; the old one goes at once.
    Monthly,
    /// Each month a new selector; the old one stays for a quarter of it.
    Overlapping,
    /// Each month another key under the same selector.
    Replaced,
    /// Two records under one name, in turns of 1 to 12 hours.
    Flapping,
    /// The record is gone and comes back, for hours or days each.
    OnAndOff,
}

const HABITS: [Habit; 5] = [
    Habit::Monthly,
    Habit::Overlapping,
    Habit::Replaced,
    Habit::Flapping,
    Habit::OnAndOff,
];

/// How often somebody writes a mail.
const EVERY: [u32; 2] = [HOUR, DAY];

/// Days from one rotation to the next: a month, or a third of a shorter run.
fn month(days: u32) -> u32 {
    30.min(days / 3)
}

/// A number that looks random and is the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

/// What DNS has from a time on.
struct Zone(BTreeMap<u32, Vec<(String, Option<usize>)>>);

/// A provider: its keys, and where they are when.
struct Provider {
    keys: Vec<DkimKey>,
    zone: Zone,
}

impl Provider {
    fn of(habit: Habit, days: u32, random: &mut Random) -> Self {
        let mut provider = Provider {
            keys: Vec::new(),
            zone: Zone(BTreeMap::new()),
        };
        match habit {
            Habit::Monthly => provider.rotate(days, 0),
            Habit::Overlapping => provider.rotate(days, month(days) * DAY / 4),
            Habit::Replaced => {
                for number in 0..days.div_ceil(month(days)) {
                    let key = provider.new_key();
                    provider.set(number * month(days) * DAY, "s", Some(key));
                }
            }
            Habit::Flapping => {
                let keys = [provider.new_key(), provider.new_key()];
                let mut at = 0;
                for turn in (0..2).cycle() {
                    provider.set(at, "s", Some(keys[turn]));
                    at += HOUR + random.below(11 * HOUR);
                    if at > days * DAY {
                        break;
                    }
                }
            }
            Habit::OnAndOff => {
                let key = provider.new_key();
                let mut at = 0;
                while at < days * DAY {
                    provider.set(at, "s", Some(key));
                    at += 2 * HOUR + random.below(5 * DAY);
                    provider.set(at, "s", None);
                    at += 2 * HOUR + random.below(2 * DAY);
                }
            }
        }
        provider
    }

    fn rotate(&mut self, days: u32, overlap: u32) {
        for number in 0..days.div_ceil(month(days)) {
            let key = self.new_key();
            let selector = format!("s{number}");
            self.set(number * month(days) * DAY, &selector, Some(key));
            self.set((number + 1) * month(days) * DAY + overlap, &selector, None);
        }
    }

    fn new_key(&mut self) -> usize {
        let number = u8::try_from(self.keys.len()).expect("few keys");
        self.keys.push(DkimKey::ed25519(&[number + 1; 32]));
        self.keys.len() - 1
    }

    fn set(&mut self, after: u32, selector: &str, key: Option<usize>) {
        let changes = self.zone.0.entry(CLOCK + after).or_default();
        changes.push((selector.to_owned(), key));
    }

    /// The records at a time.
    fn records(&self, time: u32) -> BTreeMap<&str, usize> {
        let mut records = BTreeMap::new();
        for (selector, key) in self.zone.0.range(..=time).flat_map(|(_, changes)| changes) {
            match key {
                Some(key) => records.insert(selector.as_str(), *key),
                None => records.remove(selector.as_str()),
            };
        }
        records
    }

    fn finding(&self, name: &KeyName, time: u32) -> KeyFinding {
        let records = self.records(time);
        let key = records.get(name.selector());
        key.map_or(KeyFinding::Absent, |key| found(&self.keys[*key]))
    }

    /// When a key was last taken out of DNS before a time, under a name; `None` while it is there.
    fn withdrawn(&self, selector: &str, key: usize, time: u32) -> Option<u32> {
        let mut last = None;
        for (at, changes) in self.zone.0.range(..=time) {
            for (of, now) in changes.iter().filter(|(of, _)| of == selector) {
                let (was, is) = (last, of == selector && *now == Some(key));
                last = match (was, is) {
                    (_, true) => Some(None),
                    (Some(None), false) => Some(Some(*at)),
                    (was, false) => was,
                };
            }
        }
        last.flatten()
    }
}

/// A year, so far.
struct Year {
    driver: Driver,
    provider: Provider,
    sent: u32,
    key_sets: usize,
    paid: usize,
    /// Mails of the thief, by EmailID: the name and the key that signed.
    stolen: BTreeMap<Hash256, (String, usize)>,
    /// Of the thief's mails, those that paid within six hours.
    paid_to_thief: usize,
}

impl Year {
    fn new(provider: Provider) -> Self {
        let senders: Vec<String> = (0..SENDERS)
            .map(|number| format!("user{number}@{DOMAIN}"))
            .collect();
        Self {
            driver: Driver::on(funded(1, &senders)),
            provider,
            sent: 0,
            key_sets: 0,
            paid: 0,
            stolen: BTreeMap::new(),
            paid_to_thief: 0,
        }
    }

    /// A ledger, after DNS has answered all that was asked.
    fn close(&mut self, secs: u32) {
        for name in std::mem::take(&mut self.driver.looked_up) {
            let finding = self.provider.finding(&name, self.driver.now);
            self.driver.handle(Event::Answer { name, finding });
        }
        let judged_at = self.driver.chain.shown().ledger.close_time().seconds();
        self.driver.now += secs;
        self.driver.close_now();
        self.driver.settle();
        for change in std::mem::take(&mut self.driver.disk) {
            if let Change::Ledger(commit) = change {
                self.note(&commit, judged_at);
            }
        }
    }

    fn note(&mut self, commit: &chain::commit::Commit, judged_at: u32) {
        for tx in &commit.transactions {
            let tx = codec::decode(&tx.blob).expect("a transaction");
            self.key_sets += usize::from(TxType::of(&tx) == Some(TxType::DkimKeySet));
            assert!(tx.contains(sf::TRANSACTION_TYPE));
        }
        for change in &commit.mails {
            let chain::commit::MailChange::Settle { email_id, settled } = change else {
                continue;
            };
            assert_eq!(settled.code, Ter::TES_SUCCESS.code());
            self.paid += 1;
            if let Some((selector, key)) = self.stolen.remove(email_id) {
                self.paid_to_thief += 1;
                let withdrawn = self.provider.withdrawn(&selector, key, judged_at);
                let late = withdrawn.is_some_and(|at| judged_at > at + KEY_LIFE);
                assert!(!late, "a key withdrawn at {withdrawn:?} paid at {judged_at}");
            }
        }
    }

    fn write(&mut self, selector: &str, key: usize) -> chain::MailReply {
        let from = format!("user{}@{DOMAIN}", self.sent % SENDERS);
        self.sent += 1;
        let raw = mail(&self.provider.keys[key], selector, &from, self.driver.now);
        self.driver.hand_in(&raw)
    }

    /// An honest mail under the newest key that DNS has; the ledgers that it takes.
    fn honest(&mut self) -> Option<u32> {
        let records = self.provider.records(self.driver.now);
        let (selector, key) = records
            .iter()
            .next_back()
            .map(|(name, key)| ((*name).to_owned(), *key))?;
        let before = self.paid;
        self.write(&selector, key);
        for ledgers in 1..=3 {
            self.close(4);
            if self.paid > before {
                return Some(ledgers);
            }
        }
        Some(u32::MAX)
    }

    /// A mail under any key that the provider ever had, under any name that it ever had it.
    fn thief(&mut self, random: &mut Random) {
        let past = self
            .provider
            .zone
            .0
            .range(..=self.driver.now)
            .flat_map(|(_, changes)| changes);
        let past: Vec<(String, usize)> = past
            .filter_map(|(selector, key)| Some((selector.clone(), (*key)?)))
            .collect();
        let bound = u32::try_from(past.len()).expect("few");
        let at = usize::try_from(random.below(bound)).expect("small");
        let (selector, key) = past[at].clone();
        let reply = self.write(&selector, key);
        // Without an EmailID it is refused for good.
        if let Some(email_id) = reply.mail.explanation().email_id {
            self.stolen.insert(email_id.hash(), (selector, key));
        }
        for _ in 0..3 {
            self.close(4);
        }
    }
}

/// Mails that were turned away for good within an hour of a change under the same name, where the ledger had seen
/// the record before it less than an hour ago (spec 7.3). Whoever has the mail sends it anew.
fn is_just_replaced(provider: &Provider, time: u32) -> bool {
    provider
        .zone
        .0
        .range(time.saturating_sub(HOUR)..=time)
        .next()
        .is_some()
}

// Spec: 7.3, 7.4. XAHAU_EMAIL_ROTATION_DAYS is for how long; a year is the measurement of docs/measurements.md.
#[test]
fn rejects_what_a_withdrawn_key_signs_after_six_hours_and_accepts_honest_mails_within_two_ledgers() {
    let days = std::env::var("XAHAU_EMAIL_ROTATION_DAYS");
    let days = days.map_or(3, |text| text.parse().expect("days"));
    for habit in HABITS {
        for every in EVERY {
            let mut random = Random(u64::from(every) + 1);
            let mut year = Year::new(Provider::of(habit, days, &mut random));
            let (mut next_honest, mut next_thief) = (CLOCK + HOUR, CLOCK + 2 * HOUR);
            let mut took = BTreeMap::new();
            while year.driver.now < CLOCK + days * DAY {
                if year.driver.now >= next_honest && !is_just_replaced(&year.provider, year.driver.now) {
                    next_honest = year.driver.now + every / 2 + random.below(every);
                    if let Some(ledgers) = year.honest() {
                        *took.entry(ledgers).or_insert(0) += 1;
                    }
                }
                if year.driver.now >= next_thief {
                    next_thief = year.driver.now + HOUR + random.below(2 * DAY);
                    year.thief(&mut random);
                }
                year.close(IDLE);
            }
            println!(
                "{habit:?}, a mail every {} h, {days} days: {} DKIMKeySets, {} of {} mails paid, ledgers by number {took:?}, \
                 {} for the thief",
                every / HOUR,
                year.key_sets,
                year.paid,
                year.sent,
                year.paid_to_thief
            );
            assert!(took.keys().all(|ledgers| *ledgers <= 2), "{habit:?}: {took:?}");
            assert!(year.paid > 0);
        }
    }
}
