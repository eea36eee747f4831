//! DKIM keys for the judgement: looked up, kept for as long as their records say, parsed once.
//!
//! They only save nodes work and tell senders early: what counts is the key on the ledger. Spec: 7.3.
//!
//! | DNS says | kept |
//! |---|---|
//! | a record, whether it makes a key or not | its time to live, at most [`crate::limits::KEY_KEPT_SECS_MAX`]; asked again earlier where it does not fit a mail |
//! | no such record, or nothing | no |

use std::sync::{Mutex, PoisonError};

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, KeyName, KeySource, candidates};
use dns::{Answer, KeyResolver, Published};
use futures_util::future::join_all;

use super::recent::Recent;
use crate::limits::{KEY_AGAIN_SECS_MIN, KEY_KEPT_SECS_MAX, KEYS_KEPT_MAX};

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

    fn kept(&self, name: &KeyName, freshness: Freshness, now: u64) -> Option<KeyAnswer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get(name)?;
        let until = match freshness {
            Freshness::Kept => known.until,
            Freshness::Fresh => known.until.min(known.asked_at.saturating_add(KEY_AGAIN_SECS_MIN)),
        };
        (known.asked_at <= now && now < until).then(|| known.answer.clone())
    }

    /// Keeps what a record says for as long as it allows. That there is none is not kept: its owner may
    /// publish one now.
    async fn ask(&self, name: &KeyName, now: u64) -> KeyAnswer {
        let found = self.source.look_up(name).await;
        let answer = key_of(&found);
        let ttl = match found {
            Answer::Found(published) => Some(u64::from(published.ttl_secs).min(KEY_KEPT_SECS_MAX)),
            Answer::Absent | Answer::Failed(_) => None,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match ttl {
            None => {
                kept.remove(name);
            }
            Some(0) => {}
            Some(ttl) => kept.insert(
                name.clone(),
                Kept {
                    answer: answer.clone(),
                    asked_at: now,
                    until: now.saturating_add(ttl),
                },
            ),
        }
        answer
    }
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
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
