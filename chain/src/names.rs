//! Which names are being asked for, what the last answers were, and which names rest.
//!
//! Strangers name the names, and their DNS may be silent. So places go by turns: few to each domain, first to
//! domains that answer, then to who has fewest; a silent name rests longer each time; and renewals of the
//! ledger's keys have places of their own. Spec: 7.5

use std::collections::BTreeMap;

use amendment::KeyName;
use amendment::key_record::PublishedKey;
use codec::{AccountId, CloseTime};

use crate::limits::{
    ABSENT_SECS, LOOKUPS_FOR_MAILS_MAX, LOOKUPS_PER_DOMAIN_MAX, REMEMBERED_NAMES_MAX, REMEMBERED_RECORDS_MAX,
    RENEWALS_AT_WORK_MAX, SILENT_SECS_MAX, SILENT_SECS_MIN, SILENT_TRIES_MAX, UNPROVEN_SECS,
};
use crate::peers::Peer;

/// A name that a kept mail waits for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The name.
    pub name: KeyName,
    /// The sender, who has to be able to pay.
    pub account: AccountId,
    /// Who handed the mail in.
    pub peer: Peer,
    /// The mail's place in the order of arrival.
    pub order: u64,
}

/// For whom a name is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Mail(Peer),
    Renewal,
}

/// What DNS said last about a name.
#[derive(Debug, Clone)]
pub enum Known {
    /// No usable record.
    NoRecord,
    /// This record.
    Record {
        /// The record.
        found: Box<PublishedKey>,
        /// When it was seen.
        seen: CloseTime,
    },
}

/// What becomes of those who wait for a name that DNS is silent about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The name is asked for again.
    Again,
    /// It was asked for often enough.
    GivenUp,
}

/// A name at rest.
#[derive(Debug, Clone)]
struct Rest {
    since: CloseTime,
    until: CloseTime,
    /// Look-ups without an answer, one after the other.
    silent_tries: u32,
    known: Option<Known>,
}

impl Rest {
    /// Whether it still lasts. A clock that went back ends it.
    fn lasts(&self, now: CloseTime) -> bool {
        self.since <= now && now < self.until
    }
}

/// Names at work and names at rest.
#[derive(Debug, Default)]
pub struct Names {
    at_work: BTreeMap<KeyName, Work>,
    resting: BTreeMap<KeyName, Rest>,
    records: usize,
    /// When DNS was silent the last time about a name of a domain.
    silent: BTreeMap<String, CloseTime>,
}

impl Names {
    /// Whether a mail's name gets a place now.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.places(|work| work != Work::Renewal) < LOOKUPS_FOR_MAILS_MAX
    }

    /// Take up names for mails while there are places. What a name is wanted for is looked at when its turn comes,
    /// as that costs more than finding whose turn it is.
    pub fn begin(
        &mut self,
        mut wanted: Vec<Wanted>,
        now: CloseTime,
        is_needed: impl Fn(&Wanted) -> bool,
    ) -> Vec<KeyName> {
        let mut begun = Vec::new();
        wanted.retain(|wanted| self.may_begin(&wanted.name, now));
        while self.has_place() {
            wanted.retain(|wanted| self.of_domain(&wanted.name) < LOOKUPS_PER_DOMAIN_MAX);
            let next = wanted.iter().enumerate().min_by_key(|(_, wanted)| {
                let of_peer = self.places(|work| work == Work::Mail(wanted.peer));
                (self.is_silent(&wanted.name, now), of_peer, wanted.order)
            });
            let Some(at) = next.map(|(at, _)| at) else { break };
            let next = wanted.swap_remove(at);
            if self.at_work.contains_key(&next.name) || !is_needed(&next) {
                continue;
            }
            self.at_work.insert(next.name.clone(), Work::Mail(next.peer));
            begun.push(next.name);
        }
        begun
    }

    /// Take a name up whose key on the ledger is due, if it may be asked for now.
    pub fn begin_renewal(&mut self, name: &KeyName, now: CloseTime) -> bool {
        let has_place = self.places(|work| work == Work::Renewal) < RENEWALS_AT_WORK_MAX;
        let may_begin = has_place && self.may_begin(name, now);
        if may_begin {
            self.at_work.insert(name.clone(), Work::Renewal);
        }
        may_begin
    }

    fn may_begin(&self, name: &KeyName, now: CloseTime) -> bool {
        let rests = self.resting.get(name).is_some_and(|rest| rest.lasts(now));
        !rests && !self.at_work.contains_key(name)
    }

    fn places(&self, is_such: impl Fn(Work) -> bool) -> usize {
        self.at_work.values().filter(|work| is_such(**work)).count()
    }

    fn of_domain(&self, name: &KeyName) -> usize {
        let others = self
            .at_work
            .keys()
            .filter(|other| other.domain() == name.domain());
        others.count()
    }

    /// Whether DNS was silent lately about a name of this domain.
    fn is_silent(&self, name: &KeyName, now: CloseTime) -> bool {
        let last = self.silent.get(name.domain());
        let age_secs = last.and_then(|last| now.seconds().checked_sub(last.seconds()));
        age_secs.is_some_and(|secs| secs <= SILENT_SECS_MAX)
    }

    /// Names at work.
    #[must_use]
    pub fn count(&self) -> usize {
        self.at_work.len()
    }

    /// The look-up of a name has ended.
    pub fn end(&mut self, name: &KeyName) {
        self.at_work.remove(name);
    }

    /// The name has no usable record.
    pub fn rest_absent(&mut self, name: &KeyName, now: CloseTime) {
        self.rest(name, ABSENT_SECS, 0, Some(Known::NoRecord), now);
    }

    /// The name has a record that the ledger has soon.
    pub fn rest_attested(&mut self, name: &KeyName, found: PublishedKey, now: CloseTime) {
        self.rest_with(name, ABSENT_SECS, found, now);
    }

    /// The name has a record under which no waiting mail verifies. A short rest only: what comes meanwhile is
    /// judged under this record, and a newer one is seen soon.
    pub fn rest_unproven(&mut self, name: &KeyName, found: PublishedKey, now: CloseTime) {
        self.rest_with(name, UNPROVEN_SECS, found, now);
    }

    fn rest_with(&mut self, name: &KeyName, secs: u32, found: PublishedKey, now: CloseTime) {
        let known = Known::Record {
            found: Box::new(found),
            seen: now,
        };
        self.rest(name, secs, 0, Some(known), now);
    }

    /// DNS said nothing about the name: it rests twice as long as the last time.
    pub fn rest_silent(&mut self, name: &KeyName, now: CloseTime) -> Silence {
        let before = self.resting.get(name).map_or(0, |rest| rest.silent_tries);
        let doubled = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
        let secs = SILENT_SECS_MIN.saturating_mul(doubled).min(SILENT_SECS_MAX);
        let tries = before.saturating_add(1);
        if self.silent.len() >= REMEMBERED_NAMES_MAX {
            self.silent.clear();
        }
        self.silent.insert(name.domain().to_owned(), now);
        self.rest(name, secs, tries, None, now);
        if tries < SILENT_TRIES_MAX {
            Silence::Again
        } else {
            Silence::GivenUp
        }
    }

    fn rest(&mut self, name: &KeyName, secs: u32, silent_tries: u32, known: Option<Known>, now: CloseTime) {
        self.forget(name);
        let is_record = |rest: &Rest| matches!(rest.known, Some(Known::Record { .. }));
        if self.resting.len() >= REMEMBERED_NAMES_MAX {
            self.forget_first(|_| true);
        }
        let rest = Rest {
            since: now,
            until: CloseTime::new(now.seconds().saturating_add(secs)),
            silent_tries,
            known,
        };
        if is_record(&rest) {
            if self.records >= REMEMBERED_RECORDS_MAX {
                self.forget_first(is_record);
            }
            self.records = self.records.saturating_add(1);
        }
        self.resting.insert(name.clone(), rest);
    }

    /// Forget the one whose rest ends first.
    fn forget_first(&mut self, is_such: impl Fn(&Rest) -> bool) {
        let such = self.resting.iter().filter(|(_, rest)| is_such(rest));
        let first = such
            .min_by_key(|(_, rest)| rest.until)
            .map(|(name, _)| name.clone());
        if let Some(first) = first {
            self.forget(&first);
        }
    }

    fn forget(&mut self, name: &KeyName) {
        let before = self.resting.remove(name);
        if before.is_some_and(|rest| matches!(rest.known, Some(Known::Record { .. }))) {
            self.records = self.records.saturating_sub(1);
        }
    }

    /// What DNS said about a name that rests.
    #[must_use]
    pub fn known(&self, name: &KeyName, now: CloseTime) -> Option<&Known> {
        let rest = self.resting.get(name).filter(|rest| rest.lasts(now))?;
        rest.known.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(domain: &str, number: usize) -> KeyName {
        KeyName::new(domain.as_bytes(), format!("s{number}").as_bytes()).expect("a name")
    }

    fn wanted(name: KeyName, order: usize) -> Wanted {
        Wanted {
            name,
            account: AccountId::ZERO,
            peer: Peer::Operator,
            order: u64::try_from(order).expect("small"),
        }
    }

    fn at(secs: u32) -> CloseTime {
        CloseTime::new(secs)
    }

    fn record() -> PublishedKey {
        let text = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        PublishedKey::parse(text.to_vec()).expect("a key")
    }

    #[test]
    fn accepts_a_name_again_after_its_rest_and_not_before() {
        let mut names = Names::default();
        let one = || vec![wanted(name("mail.example", 1), 0)];
        assert_eq!(names.begin(one(), at(100), |_| true).len(), 1);
        assert_eq!(names.begin(one(), at(100), |_| true).len(), 0, "it is at work");
        names.end(&name("mail.example", 1));
        names.rest_absent(&name("mail.example", 1), at(100));
        assert!(matches!(
            names.known(&name("mail.example", 1), at(699)),
            Some(Known::NoRecord)
        ));
        assert_eq!(names.begin(one(), at(699), |_| true).len(), 0);
        assert_eq!(names.begin(one(), at(700), |_| true).len(), 1);
    }

    #[test]
    fn rejects_a_silent_name_for_twice_as_long_each_time() {
        let mut names = Names::default();
        let silent = name("mail.example", 1);
        let (mut now, mut rests) = (1_000, Vec::new());
        for _ in 0..SILENT_TRIES_MAX {
            assert!(names.begin_renewal(&silent, at(now)));
            names.end(&silent);
            let silence = names.rest_silent(&silent, at(now));
            let next = (now..)
                .find(|now| names.may_begin(&silent, at(*now)))
                .expect("a time");
            rests.push((next - now, silence == Silence::GivenUp));
            now = next;
        }
        assert_eq!(
            rests,
            [
                (5, false),
                (10, false),
                (20, false),
                (40, false),
                (80, false),
                (160, false),
                (320, false),
                (600, true)
            ]
        );
        names.rest_absent(&silent, at(now));
        names.rest_silent(&silent, at(now + 600));
        assert!(names.may_begin(&silent, at(now + 605)), "an answer ends the row");
    }

    // A clock that was ahead and goes back leaves no rest of years.
    #[test]
    fn accepts_a_name_at_once_where_the_clock_went_back() {
        let mut names = Names::default();
        names.rest_absent(&name("mail.example", 1), at(1_000_000));
        assert!(names.may_begin(&name("mail.example", 1), at(1_000)));
        assert!(names.known(&name("mail.example", 1), at(1_000)).is_none());
    }

    #[test]
    fn rejects_more_places_to_one_domain_and_gives_the_others_to_those_who_have_fewest() {
        let mut names = Names::default();
        let guest = Peer::Guest("192.0.2.1".parse().expect("an address"));
        let mut list: Vec<Wanted> = (0..100).map(|i| wanted(name("evil.example", i), i)).collect();
        list.extend((0..100).map(|i| wanted(name(&format!("d{i}.example"), 1), 100 + i)));
        list.push(Wanted {
            peer: guest,
            ..wanted(name("honest.example", 1), 999)
        });
        let begun = names.begin(list, at(0), |_| true);
        assert_eq!(begun.len(), LOOKUPS_FOR_MAILS_MAX);
        let of_evil = begun
            .iter()
            .filter(|name| name.domain() == "evil.example")
            .count();
        assert_eq!(of_evil, LOOKUPS_PER_DOMAIN_MAX);
        assert_eq!(
            begun[1],
            name("honest.example", 1),
            "the second turn is the other peer's"
        );
        assert!(
            names.begin_renewal(&name("old.example", 1), at(0)),
            "renewals have their own"
        );
        for i in 2..=RENEWALS_AT_WORK_MAX {
            assert!(names.begin_renewal(&name("old.example", i), at(0)));
        }
        assert!(!names.begin_renewal(&name("old.example", 99), at(0)));
    }

    #[test]
    fn accepts_a_domain_that_answers_before_one_that_is_silent() {
        let mut names = Names::default();
        names.rest_silent(&name("evil.example", 7), at(0));
        let list = vec![
            wanted(name("evil.example", 1), 1),
            wanted(name("honest.example", 1), 2),
        ];
        let begun = names.begin(list, at(1), |_| true);
        assert_eq!(begun, [name("honest.example", 1), name("evil.example", 1)]);
    }

    #[test]
    fn rejects_names_and_records_over_the_bounds() {
        let mut names = Names::default();
        for i in 0..REMEMBERED_RECORDS_MAX + 10 {
            names.rest_unproven(&name("a.example", i), record(), at(0));
        }
        assert_eq!(
            (names.resting.len(), names.records),
            (REMEMBERED_RECORDS_MAX, REMEMBERED_RECORDS_MAX)
        );
        names.rest_absent(&name("a.example", 20), at(0));
        assert_eq!(names.records, REMEMBERED_RECORDS_MAX - 1);
        for i in 0..REMEMBERED_NAMES_MAX + 10 {
            names.rest_absent(&name("b.example", i), at(0));
        }
        assert_eq!(names.resting.len(), REMEMBERED_NAMES_MAX);
    }
}
