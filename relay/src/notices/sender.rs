//! Drains the outbox: signs each notice and hands it to the smarthost.
//!
//! A notice is [`NoticeState::Sending`] on disk before it is handed over. Found so after a crash, it is not
//! sent again: no one gets a notice twice.

use std::time::Duration;

use futures_util::future::join_all;
use lettre::Address;
use tokio::sync::watch;

use super::sign::Signer;
use super::smarthost::{Connection, HandedOver, Smarthost};
use crate::clock::Clock;
use crate::limits::{
    ANSWER_TRIED_SECS, ANSWER_WAIT_SECS, DAY_SECS, OUTBOX_PASS_MAX, SMARTHOST_CONNECTIONS_MAX,
    SMARTHOST_WAIT_SECS,
};
use crate::meter;
use crate::queue::{Notice, NoticeKind, NoticeState, Queue, QueueError};

/// How long answers are gathered, so that several go over one connection.
const GATHER: Duration = Duration::from_millis(100);
/// How long at most until the outbox is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What came of a look at the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Nothing is due.
    Idle,
    /// All that was due was dealt with; there may be more.
    Worked,
    /// The smarthost cannot be reached, or the disk not be written. What is left waits.
    Down,
}

/// Sends answers.
pub struct Sender {
    queue: Queue,
    clock: Clock,
    signer: Signer,
    smarthost: Smarthost,
    per_address_day: u32,
}

impl Sender {
    /// Sends what the queue holds; at most `per_address_day` answers to one address in 24 hours.
    pub fn new(
        queue: Queue,
        clock: Clock,
        signer: Signer,
        smarthost: Smarthost,
        per_address_day: u32,
    ) -> Sender {
        Sender {
            queue,
            clock,
            signer,
            smarthost,
            per_address_day,
        }
    }

    /// Sends until `stop` says true, or its other side is gone. What was begun is finished.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.queue.changes();
        let mut failures = 0;
        while !*stop.borrow() {
            let wait = match self.pass(&stop).await {
                Pass::Worked => {
                    failures = 0;
                    GATHER
                }
                Pass::Idle => LOOK_AGAIN,
                Pass::Down => {
                    failures += 1;
                    Duration::from_secs(wait_secs(failures, SMARTHOST_WAIT_SECS))
                }
            };
            let is_down = failures > 0;
            tokio::select! {
                changed = stop.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {}
                _ = changes.changed(), if !is_down => tokio::time::sleep(GATHER).await,
            }
        }
    }

    /// One look at the outbox.
    pub async fn pass(&self, stop: &watch::Receiver<bool>) -> Pass {
        let now = (self.clock)();
        let due = self.queue.notices_due(now, OUTBOX_PASS_MAX);
        if due.is_empty() {
            return Pass::Idle;
        }
        let mut to_send = Vec::new();
        for notice in due {
            match self.why_not(&notice, now) {
                None => to_send.push(notice),
                Some((why, word)) => {
                    if self.withhold(notice, why, word.to_owned()).await.is_err() {
                        return Pass::Down;
                    }
                }
            }
        }
        let share = to_send.len().div_ceil(SMARTHOST_CONNECTIONS_MAX).max(1);
        let lanes = to_send.chunks(share).map(|lane| self.send_all(lane, stop));
        if join_all(lanes).await.contains(&Pass::Down) {
            return Pass::Down;
        }
        Pass::Worked
    }

    /// Why a notice is no longer sent: the label for the metrics, and the sentence.
    fn why_not(&self, notice: &Notice, now: u64) -> Option<(&'static str, &'static str)> {
        if now.saturating_sub(notice.made_at) > ANSWER_TRIED_SECS {
            return Some(("age", "it could not be sent within two days"));
        }
        let is_of_end = |other: &Notice| other.kind != NoticeKind::Waiting;
        if !is_of_end(notice) && self.queue.notices_about(notice.about).iter().any(is_of_end) {
            return Some(("stale", "the email no longer waits, and another answer says so"));
        }
        let since = now.saturating_sub(DAY_SECS);
        // Questions leave room for what becomes of money.
        let most = match notice.kind {
            NoticeKind::Balance | NoticeKind::History => self.per_address_day.div_ceil(2),
            NoticeKind::Waiting
            | NoticeKind::Validated
            | NoticeKind::Refused
            | NoticeKind::Expired
            | NoticeKind::Welcome => self.per_address_day,
        };
        let is_full = self.queue.notices_before(notice, since) >= most;
        is_full.then_some(("cap", "its address has received the daily maximum of answers"))
    }

    /// Sends one after the other over one connection.
    async fn send_all(&self, notices: &[Notice], stop: &watch::Receiver<bool>) -> Pass {
        let mut open: Option<Connection> = None;
        for notice in notices {
            if *stop.borrow() {
                break;
            }
            let mut connection = match open.take().filter(Connection::is_usable) {
                Some(connection) => connection,
                None => match self.smarthost.connect().await {
                    Ok(connection) => connection,
                    Err(error) => {
                        tracing::warn!(%error, "the smarthost cannot be reached; notices wait");
                        return Pass::Down;
                    }
                },
            };
            let sent = self.send(notice.clone(), &mut connection).await;
            open = Some(connection);
            if let Err(error) = sent {
                tracing::error!(%error, "the outbox cannot be written; answers wait");
                return Pass::Down;
            }
        }
        if let Some(connection) = open {
            connection.close().await;
        }
        Pass::Worked
    }

    async fn send(&self, mut notice: Notice, connection: &mut Connection) -> Result<(), QueueError> {
        let signed = self.signer.sign(&notice.mail);
        let (Ok(signed), Ok(to)) = (signed, notice.to.parse::<Address>()) else {
            let word = "it cannot be signed or addressed".to_owned();
            return self.withhold(notice, "unsigned", word).await;
        };
        notice.state = NoticeState::Sending;
        notice.tries = notice.tries.saturating_add(1);
        self.queue.set_notice(notice.clone()).await?;
        match connection.hand_over(&to, &signed).await {
            HandedOver::Taken => {
                metrics::counter!(meter::ANSWERS_SENT, "kind" => notice.kind.as_str()).increment(1);
                tracing::info!(trace = %notice.trace, kind = notice.kind.as_str(), "answer sent");
                notice.state = NoticeState::Sent;
                notice.word = None;
                self.queue.set_notice(notice).await
            }
            HandedOver::Later(word) => {
                tracing::info!(trace = %notice.trace, kind = notice.kind.as_str(), "answer put off");
                notice.state = NoticeState::Waiting;
                notice.next_try = (self.clock)() + wait_secs(notice.tries, ANSWER_WAIT_SECS);
                notice.word = Some(word);
                self.queue.set_notice(notice).await
            }
            HandedOver::Never(word) => self.withhold(notice, "refused", word).await,
            HandedOver::Unknown(word) => {
                let word = format!("whether the smarthost took it is unknown: {word}");
                self.withhold(notice, "unknown", word).await
            }
        }
    }

    async fn withhold(&self, mut notice: Notice, why: &'static str, word: String) -> Result<(), QueueError> {
        metrics::counter!(meter::ANSWERS_WITHHELD, "why" => why).increment(1);
        tracing::info!(trace = %notice.trace, kind = notice.kind.as_str(), why, "answer withheld");
        notice.state = NoticeState::Withheld;
        notice.word = Some(word);
        self.queue.set_notice(notice).await
    }
}

/// The first wait, doubled with each try up to the longest.
fn wait_secs(tries: u32, (first, longest): (u64, u64)) -> u64 {
    let doublings = tries.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
