//! DKIM keys for the judgement: looked up, kept for as long as their records say, parsed once.
//!
//! They save nodes work and tell senders early: what counts is the key on the ledger. Spec: 7.3, 13.
//!
//! | DNS says | kept |
//! |---|---|
//! | a record, whether it makes a key or not | its time to live, at most [`crate::limits::KEY_KEPT_SECS_MAX`]; asked again earlier where it does not fit a mail; used for up to [`crate::limits::KEY_STALE_SECS_MAX`] while DNS does not answer (RFC 8767) |
//! | no such record | no: its owner may publish one now |
//! | nothing | that it is silent, for [`crate::limits::KEY_REST_SECS`] |
//!
//! Whoever writes mails names the servers that are asked. So one name is asked for once at a time, whatever
//! number of mails wait for it, and a domain has few places: what finds none counts as silent, at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, KeyName, KeySource, candidates};
use dns::{Answer, KeyResolver, Published};
use futures_util::future::join_all;
use tokio::sync::OnceCell;

use super::recent::Recent;
use crate::limits::{
    KEY_AGAIN_SECS_MIN, KEY_KEPT_SECS_MAX, KEY_REST_SECS, KEY_STALE_SECS_MAX, KEYS_KEPT_MAX,
    LOOKUPS_AT_ONCE_MAX, LOOKUPS_PER_DOMAIN_MAX,
};

/// Keys of one mail.
#[derive(Debug, Clone, Default)]
pub struct MailKeys {
    keys: Vec<(KeyName, KeyAnswer)>,
    /// Whether one of them was not asked for just now.
    pub has_kept: bool,
}

impl MailKeys {
    /// Whether both hold the same answers.
    #[must_use]
    pub fn agree(&self, other: &MailKeys) -> bool {
        self.keys == other.keys
    }
}

impl KeySource for MailKeys {
    fn key(&self, domain: &str, selector: &str) -> KeyAnswer {
        let mut keys = self.keys.iter();
        keys.find(|(name, _)| name.domain() == domain && name.selector() == selector)
            .map_or(KeyAnswer::Absent, |(_, answer)| answer.clone())
    }
}

struct Kept {
    answer: KeyAnswer,
    asked_at: u64,
    until: u64,
}

/// Looks keys up and keeps what it found.
pub struct Keys {
    source: Box<dyn KeyResolver>,
    kept: Mutex<Recent<KeyName, Kept>>,
    /// Names that DNS was silent about, and when they are asked for again.
    resting: Mutex<Recent<KeyName, u64>>,
    at_work: Mutex<HashMap<KeyName, Arc<OnceCell<KeyAnswer>>>>,
}

/// How old a kept answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As its record allows.
    Kept,
    /// Looked up again, unless that was done a moment ago: a provider may have changed its key.
    Fresh,
}

impl Keys {
    /// Keys of a source.
    #[must_use]
    pub fn new(source: Box<dyn KeyResolver>) -> Keys {
        Keys {
            source,
            kept: Mutex::new(Recent::new(KEYS_KEPT_MAX)),
            resting: Mutex::new(Recent::new(KEYS_KEPT_MAX)),
            at_work: Mutex::default(),
        }
    }

    /// The keys that decide about a mail: at most four names, five seconds for all of them together.
    ///
    /// Spec: 4.7.
    pub async fn of_mail(&self, raw: &[u8], freshness: Freshness, now: u64) -> MailKeys {
        let mut found = MailKeys::default();
        let mut missing: Vec<KeyName> = Vec::new();
        for candidate in candidates(raw) {
            let name = candidate.name;
            if missing.contains(&name) || found.keys.iter().any(|(known, _)| *known == name) {
                continue;
            }
            match self.kept(&name, freshness, now) {
                Some(answer) => {
                    found.has_kept = true;
                    found.keys.push((name, answer));
                }
                None => missing.push(name),
            }
        }
        let asked = join_all(missing.iter().map(|name| self.ask(name, now))).await;
        found.keys.extend(missing.into_iter().zip(asked));
        found
    }

    /// The answer that needs no look-up now.
    fn kept(&self, name: &KeyName, freshness: Freshness, now: u64) -> Option<KeyAnswer> {
        if let Some(known) = lock(&self.kept).get(name) {
            let until = match freshness {
                Freshness::Kept => known.until,
                Freshness::Fresh => known.until.min(known.asked_at.saturating_add(KEY_AGAIN_SECS_MIN)),
            };
            if known.asked_at <= now && now < until {
                return Some(known.answer.clone());
            }
        }
        let is_resting = |until: &u64| now < *until && *until <= now.saturating_add(KEY_REST_SECS);
        let is_resting = lock(&self.resting).get(name).is_some_and(is_resting);
        is_resting.then(|| self.in_silence(name, now))
    }

    /// What counts while DNS is silent: its last answer, if it is not too old.
    fn in_silence(&self, name: &KeyName, now: u64) -> KeyAnswer {
        let kept = lock(&self.kept);
        let is_young = |known: &&Kept| known.asked_at <= now && now - known.asked_at <= KEY_STALE_SECS_MAX;
        let known = kept.get(name).filter(is_young);
        known.map_or(KeyAnswer::Unknown, |known| known.answer.clone())
    }

    async fn ask(&self, name: &KeyName, now: u64) -> KeyAnswer {
        match self.enter(name) {
            Some(place) => place.cell.get_or_init(|| self.look_up(name, now)).await.clone(),
            None => self.in_silence(name, now),
        }
    }

    /// A place among the look-ups, shared with those who wait for the same name; `None` where its domain has
    /// too many, or all together have.
    fn enter(&self, name: &KeyName) -> Option<Place<'_>> {
        let mut at_work = lock(&self.at_work);
        if !at_work.contains_key(name) {
            let of_domain = at_work.keys().filter(|other| other.domain() == name.domain());
            if of_domain.count() >= LOOKUPS_PER_DOMAIN_MAX || at_work.len() >= LOOKUPS_AT_ONCE_MAX {
                return None;
            }
        }
        let cell = Arc::clone(at_work.entry(name.clone()).or_default());
        Some(Place {
            keys: self,
            name: name.clone(),
            cell,
        })
    }

    async fn look_up(&self, name: &KeyName, now: u64) -> KeyAnswer {
        let found = self.source.look_up(name).await;
        let answer = key_of(&found);
        match found {
            Answer::Found(published) => {
                let kept_secs = u64::from(published.ttl_secs).min(KEY_KEPT_SECS_MAX);
                let kept = Kept {
                    answer: answer.clone(),
                    asked_at: now,
                    until: now.saturating_add(kept_secs),
                };
                lock(&self.kept).insert(name.clone(), kept);
                answer
            }
            Answer::Absent => {
                lock(&self.kept).remove(name);
                answer
            }
            Answer::Failed(why) => {
                tracing::debug!(name = name.dns_name(), why, "DNS is silent about a key");
                lock(&self.resting).insert(name.clone(), now.saturating_add(KEY_REST_SECS));
                self.in_silence(name, now)
            }
        }
    }
}

/// A look-up under way, for one of those who wait for it.
struct Place<'k> {
    keys: &'k Keys,
    name: KeyName,
    cell: Arc<OnceCell<KeyAnswer>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut at_work = lock(&self.keys.at_work);
        // The map holds one, and this is the last other.
        if Arc::strong_count(&self.cell) <= 2 {
            at_work.remove(&self.name);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What DNS says, as the verifier takes it. An empty `p=` withdraws a key (RFC 6376 section 3.6.1): the
/// senders are told so, as a node will tell them once its ledger has the withdrawal. Spec: 7.4.
fn key_of(found: &Answer<Published>) -> KeyAnswer {
    match found {
        Answer::Found(published) if published.record == Err(KeyRecordError::Revoked) => KeyAnswer::Revoked,
        Answer::Found(_) | Answer::Absent | Answer::Failed(_) => found.key(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::accept::testing;
    use crate::limits::LOOKUP_SECS_MAX;
    use dns::KeyTable;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;
    use testkit::dns::Responder;

    const NOW: u64 = 1_794_830_400;

    /// Counts look-ups; the TTL is 100 seconds.
    struct Counting {
        table: KeyTable,
        asked: Arc<AtomicUsize>,
    }

    impl KeyResolver for Counting {
        fn look_up<'a>(&'a self, name: &'a KeyName) -> dns::Lookup<'a> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let answer = self.table.answer(name).map(|published| Published {
                ttl_secs: 100,
                ..published
            });
            Box::pin(std::future::ready(answer))
        }
    }

    fn counting(table: KeyTable) -> (Keys, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let source = Counting {
            table,
            asked: Arc::clone(&asked),
        };
        (Keys::new(Box::new(source)), asked)
    }

    #[tokio::test]
    async fn a_key_is_asked_for_once_in_its_life() {
        let (keys, asked) = counting(testing::table());
        let raw = testing::mail(&["REMIT 10 XAH"]);
        for (now, expected) in [(NOW, 1), (NOW + 99, 1), (NOW + 100, 2), (NOW + 101, 2)] {
            let found = keys.of_mail(&raw, Freshness::Kept, now).await;
            assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
            assert_eq!(asked.load(Ordering::SeqCst), expected, "{now}");
        }
    }

    #[tokio::test]
    async fn a_key_that_does_not_fit_is_looked_up_again_but_not_at_once() {
        let (keys, asked) = counting(testing::table());
        let raw = testing::mail(&["REMIT 10 XAH"]);
        for (now, expected) in [(NOW, 1), (NOW + 1, 1), (NOW + KEY_AGAIN_SECS_MIN, 2)] {
            let _ = keys.of_mail(&raw, Freshness::Fresh, now).await;
            assert_eq!(asked.load(Ordering::SeqCst), expected, "{now}");
        }
    }

    #[tokio::test]
    async fn a_missing_key_is_not_kept() {
        let (keys, asked) = counting(KeyTable::default());
        let raw = testing::mail(&["REMIT 10 XAH"]);
        for expected in [1, 2] {
            let found = keys.of_mail(&raw, Freshness::Kept, NOW).await;
            assert_eq!((found.has_kept, asked.load(Ordering::SeqCst)), (false, expected));
        }
    }

    /// Silent while told so, and counts the look-ups.
    struct Silent {
        is_silent: Arc<AtomicBool>,
        asked: Arc<AtomicUsize>,
    }

    impl KeyResolver for Silent {
        fn look_up<'a>(&'a self, name: &'a KeyName) -> dns::Lookup<'a> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let is_silent = Arc::clone(&self.is_silent);
            Box::pin(async move {
                if is_silent.load(Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_secs(LOOKUP_SECS_MAX)).await;
                    return Answer::Failed("no answer".to_owned());
                }
                testing::table().answer(name)
            })
        }
    }

    fn silent() -> (Keys, Arc<AtomicBool>, Arc<AtomicUsize>) {
        let (is_silent, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let source = Silent {
            is_silent: Arc::clone(&is_silent),
            asked: Arc::clone(&asked),
        };
        (Keys::new(Box::new(source)), is_silent, asked)
    }

    // The attack: many mails whose key has a server that never answers.
    #[tokio::test(start_paused = true)]
    async fn a_silent_name_is_asked_for_once_and_then_rests() {
        let (keys, is_silent, asked) = silent();
        let raw = testing::mail(&["REMIT 10 XAH"]);
        let many = (0..100).map(|_| keys.of_mail(&raw, Freshness::Kept, NOW));
        for found in join_all(many).await {
            assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Unknown)]));
        }
        is_silent.store(false, Ordering::SeqCst);
        let _ = keys.of_mail(&raw, Freshness::Kept, NOW + KEY_REST_SECS - 1).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let found = keys.of_mail(&raw, Freshness::Kept, NOW + KEY_REST_SECS).await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
        assert!(lock(&keys.at_work).is_empty());
    }

    // The same with a name of its own in each mail: those of other domains are looked up all the same.
    #[tokio::test(start_paused = true)]
    async fn a_silent_domain_has_few_places() {
        let (keys, is_silent, asked) = silent();
        let name = |at: usize| KeyName::parse(&format!("s{at}._domainkey.evil.example")).expect("a name");
        let names: Vec<KeyName> = (0..100).map(name).collect();
        let began = tokio::time::Instant::now();
        let asking = join_all(names.iter().map(|name| keys.ask(name, NOW)));
        let good = async {
            tokio::task::yield_now().await;
            is_silent.store(false, Ordering::SeqCst);
            let found = keys
                .of_mail(&testing::mail(&["REMIT 1 XAH"]), Freshness::Kept, NOW)
                .await;
            assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
        };
        let (answers, ()) = tokio::join!(asking, good);
        assert_eq!(answers, vec![KeyAnswer::Unknown; 100]);
        assert_eq!(asked.load(Ordering::SeqCst), LOOKUPS_PER_DOMAIN_MAX + 1);
        assert_eq!(began.elapsed(), Duration::from_secs(LOOKUP_SECS_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_counts_for_a_day_while_dns_is_silent() {
        let (keys, is_silent, _) = silent();
        is_silent.store(false, Ordering::SeqCst);
        let raw = testing::mail(&["REMIT 10 XAH"]);
        let _ = keys.of_mail(&raw, Freshness::Kept, NOW).await;
        is_silent.store(true, Ordering::SeqCst);
        let found = keys
            .of_mail(&raw, Freshness::Kept, NOW + KEY_STALE_SECS_MAX)
            .await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
        let found = keys
            .of_mail(&raw, Freshness::Kept, NOW + 2 * KEY_STALE_SECS_MAX)
            .await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Unknown)]));
    }

    #[tokio::test]
    async fn a_mail_that_cannot_qualify_asks_for_nothing() {
        let (keys, asked) = counting(testing::table());
        for raw in [
            &b""[..],
            b"From: a@b.example\r\n\r\nREMIT 10 XAH\r\n",
            b"DKIM-Signature: v=1; d=x.example; s=y\r\nFrom: a@b.example\r\n\r\nREMIT 10 XAH\r\n",
        ] {
            let _ = keys.of_mail(raw, Freshness::Kept, NOW).await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn reads_dns() {
        let records: Vec<_> = testing::provider().records().to_vec();
        let responder = Responder::start(&records).await.expect("a socket");
        let patience = Duration::from_secs(LOOKUP_SECS_MAX);
        let resolver = dns::Resolver::at(responder.address(), patience).expect("a resolver");
        let keys = Keys::new(Box::new(resolver));
        let raw = testing::mail(&["REMIT 10 XAH"]);
        let found = keys.of_mail(&raw, Freshness::Kept, NOW).await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Usable(_))]));
        let again = keys.of_mail(&raw, Freshness::Kept, NOW + 59).await;
        assert!(again.has_kept);
        let other = String::from_utf8(raw)
            .expect("text")
            .replacen("s2026", "other", 1);
        let found = keys.of_mail(other.as_bytes(), Freshness::Kept, NOW).await;
        assert!(matches!(found.keys.as_slice(), [(_, KeyAnswer::Absent)]));
    }

    #[test]
    fn several_records_are_no_key_and_an_empty_one_is_withdrawn() {
        let record = testing::provider().records()[0].1.clone().into_bytes();
        let found = |records: &[&[u8]]| {
            let records = records.iter().map(|record| record.to_vec()).collect();
            key_of(&Answer::of_records(records, 60))
        };
        assert!(matches!(found(&[&record]), KeyAnswer::Usable(_)));
        let several = KeyAnswer::Unusable(KeyRecordError::Several);
        assert_eq!(found(&[&record, &record]), several);
        assert_eq!(found(&[b"v=DKIM1; p="]), KeyAnswer::Revoked);
        assert_eq!(found(&[]), KeyAnswer::Absent);
    }
}
