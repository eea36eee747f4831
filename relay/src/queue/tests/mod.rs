//! What the queue promises.

mod crash;
mod disk;
mod keeping;
mod migration;
mod operators;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amendment::address::CanonicalAddress;
use amendment::{EmailId, Order};
use codec::{Amount, Drops, Hash256};

use super::store::Store;
use super::writer::Core;
use super::*;
use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::mail::{Channel, TraceId};

/// Unix seconds at which the mails of these tests came.
pub(crate) const CAME: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// An entry of its own for each number, one second after the other.
pub(crate) fn entry(number: u8) -> Entry {
    let bob = amendment::address::parse_recipient("bob@friends.example").expect("an address");
    Entry {
        id: MailId::new([number; 32]),
        trace: TraceId::of([number; 10]),
        request: Request::Order {
            order: Order::Remit {
                amount: Amount::from_drops(Drops::new(10_000_000)),
                to: bob,
            },
            email_id: EmailId::new(Hash256::new([number; 32])),
        },
        instruction: "REMIT 10 XAH".to_owned(),
        from: sender("alice@mail.example"),
        dkim: Dkim::Proven,
        channel: Channel::Smtp,
        message_id: format!("{number}@mail.example"),
        thread: Thread::default(),
        may_answer: true,
        bytes: 5,
        received_at: CAME + u64::from(number),
        executable_until: CAME + 5 * DAY,
        next_try: CAME + u64::from(number),
        tries: 0,
        progress: Progress::new(),
        said: Said::default(),
        auth_results: None,
    }
}

pub(crate) fn sender(address: &str) -> CanonicalAddress {
    amendment::address::parse_sender(address).expect("an address")
}

/// Progress of that state, at this time where it is final.
pub(crate) fn progress(state: State, at: u64) -> Progress {
    let trail = Trail {
        node: Some("node.example:6006".to_owned()),
        transaction: None,
    };
    let outcome = Outcome::Replayed { transaction: None };
    match state {
        State::Received => Progress::new(),
        State::Submitted => Progress::submitted(Hold::Free, trail),
        State::Validated => Progress::Validated {
            at,
            node: trail.node,
            outcome,
        },
        State::Failed => Progress::Validated {
            at,
            node: trail.node,
            outcome: Outcome::Charged {
                transaction: InLedger {
                    hash: Hash256::new([7; 32]),
                    ledger_index: Some(4),
                    fee: Some(Drops::new(1_234)),
                },
            },
        },
        State::Refused => Progress::Refused(End { at, trail }),
        State::Expired => Progress::Expired(End { at, trail }),
        State::Answered => Progress::Answered(End { at, trail }),
        State::Dropped => Progress::Dropped(End { at, trail }),
    }
}

/// The mail of an entry.
pub(crate) fn mail(number: u8) -> Vec<u8> {
    vec![number; 5]
}

/// A notice about an entry.
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
        entry.progress = progress(state, CAME);
        Vec::new()
    })
}

fn ids(entries: &[Entry]) -> Vec<u8> {
    entries.iter().map(|entry| entry.id.as_bytes()[0]).collect()
}
