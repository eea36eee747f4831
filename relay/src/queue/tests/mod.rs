//! What the queue promises.

mod crash;
mod disk;
mod keeping;
mod operators;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::mail::{Channel, TraceId};

/// Unix seconds at which the mails of these tests came.
pub(crate) const CAME: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// An entry of its own for each number, one second after the other.
pub(crate) fn entry(number: u8) -> Entry {
    Entry {
        id: MailId::new([number; 32]),
        email_id: Some(MailId::new([number; 32])),
        trace: TraceId::of([number; 10]),
        kind: Kind::Order,
        state: State::Received,
        is_held: false,
        dkim: Dkim::Proven,
        channel: Channel::Smtp,
        from: "alice@mail.example".to_owned(),
        from_account: "rAlice".to_owned(),
        to: None,
        to_account: None,
        instruction: "REMIT 10 XAH".to_owned(),
        message_id: format!("{number}@mail.example"),
        thread: Thread::default(),
        may_answer: true,
        bytes: 5,
        received_at: CAME + u64::from(number),
        executable_until: CAME + 5 * DAY,
        next_try: CAME + u64::from(number),
        tries: 0,
        code: None,
        rule: None,
        word: None,
        fix: None,
        node: None,
        hash: None,
        ledger_index: None,
        amount: None,
        fee_drops: None,
        is_first_payment: false,
        final_at: None,
        auth_results: None,
    }
}

/// The mail of an entry.
pub(crate) fn mail(number: u8) -> Vec<u8> {
    vec![number; 5]
}

/// An answer about an entry.
pub(crate) fn notice(number: u8, kind: NoticeKind) -> Notice {
    Notice {
        about: MailId::new([number; 32]),
        kind,
        trace: TraceId::of([number; 10]),
        to: "alice@mail.example".to_owned(),
        mail: "Subject: Re: hi\r\n\r\npaid\r\n".to_owned(),
        state: NoticeState::Waiting,
        next_try: CAME,
        tries: 0,
        made_at: CAME,
        word: None,
    }
}

/// A clock that tests set.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(crate) fn at(now: u64) -> Hand {
        Hand(Arc::new(AtomicU64::new(now)))
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Arc::new(move || now.load(Ordering::Relaxed))
    }
}

/// Limits that a small disk meets too.
pub(crate) fn limits() -> QueueConfig {
    QueueConfig {
        free_mib_min: 0,
        ..QueueConfig::default()
    }
}

pub(crate) fn open(data: &Path) -> Queue {
    Queue::open(data, &limits(), Hand::at(CAME).clock()).expect("opens")
}

pub(crate) fn finish(state: State) -> Change {
    Box::new(move |entry| {
        entry.state = state;
        Vec::new()
    })
}

fn ids(entries: &[Entry]) -> Vec<u8> {
    entries.iter().map(|entry| entry.id.as_bytes()[0]).collect()
}
