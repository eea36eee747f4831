//! The outbox at work: what is due, what is no longer sent, and handing one notice over.
//!
//! A notice is [`NoticeState::Sending`] on disk before it is handed over. Found so after a crash, it is not
//! sent again: no one gets a notice twice.

use amendment::address::Address;

use super::outgoing::{Connection, HandedOver};
use super::sign::Signer;
use crate::clock::Clock;
use crate::limits::{ANSWER_TRIED_SECS, ANSWER_WAIT_SECS, DAY_SECS, OUTBOX_PASS_MAX};
use crate::meter;
use crate::queue::{Notice, NoticeKind, NoticeState, Queue, QueueError};

/// The outbox, and what all notices have in common.
pub struct Desk {
    /// The queue that holds it.
    pub queue: Queue,
    /// Unix seconds.
    pub clock: Clock,
    /// Signs; `None` where whoever delivers signs, or nobody.
    pub signer: Option<Signer>,
    /// Envelope sender; empty for the null reverse path.
    pub envelope_from: String,
    /// Most answers to one address in 24 hours.
    pub per_address_day: u32,
}

impl Desk {
    /// Notices to be sent now, without those that are no longer sent; whether there were any at all.
    pub(super) async fn due(&self) -> Result<(Vec<Notice>, bool), QueueError> {
        let now = (self.clock)();
        let due = self.queue.notices_due(now, OUTBOX_PASS_MAX);
        let has_work = !due.is_empty();
        let mut to_send = Vec::new();
        for notice in due {
            match self.why_not(&notice, now) {
                None => to_send.push(notice),
                Some((why, word)) => self.withhold(notice, why, word.to_owned()).await?,
            }
        }
        Ok((to_send, has_work))
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

    /// Signs one notice and hands it over.
    pub(super) async fn send(
        &self,
        mut notice: Notice,
        connection: &mut Connection,
    ) -> Result<(), QueueError> {
        let signed = match &self.signer {
            Some(signer) => signer.sign(&notice.mail),
            None => Ok(notice.mail.clone().into_bytes()),
        };
        let (Ok(signed), Ok(_)) = (signed, Address::parse(notice.to.as_bytes())) else {
            let word = "it cannot be signed or addressed".to_owned();
            return self.withhold(notice, "unsigned", word).await;
        };
        notice.state = NoticeState::Sending;
        notice.tries = notice.tries.saturating_add(1);
        self.queue.set_notice(notice.clone()).await?;
        let handed_over = connection.hand_over(&self.envelope_from, &notice.to, &signed);
        match handed_over.await {
            HandedOver::Taken => {
                metrics::counter!(meter::ANSWERS_SENT, "kind" => notice.kind.as_str()).increment(1);
                tracing::info!(trace = %notice.trace, kind = notice.kind.as_str(), "answer sent");
                notice.state = NoticeState::Sent;
                notice.word = None;
                self.queue.set_notice(notice).await
            }
            HandedOver::Later(word) => self.put_off(notice, word).await,
            HandedOver::Never(word) => self.withhold(notice, "refused", word).await,
            HandedOver::Unknown(word) => {
                let word = format!("whether the server took it is unknown: {word}");
                self.withhold(notice, "unknown", word).await
            }
        }
    }

    /// Tries it again after a pause that grows with its tries.
    pub(super) async fn put_off(&self, mut notice: Notice, word: String) -> Result<(), QueueError> {
        tracing::info!(trace = %notice.trace, kind = notice.kind.as_str(), why = word, "answer put off");
        notice.state = NoticeState::Waiting;
        notice.next_try = (self.clock)() + wait_secs(notice.tries, ANSWER_WAIT_SECS);
        notice.word = Some(word);
        self.queue.set_notice(notice).await
    }

    /// Never sends it.
    pub(super) async fn withhold(
        &self,
        mut notice: Notice,
        why: &'static str,
        word: String,
    ) -> Result<(), QueueError> {
        metrics::counter!(meter::ANSWERS_WITHHELD, "why" => why).increment(1);
        tracing::info!(trace = %notice.trace, kind = notice.kind.as_str(), why, "answer withheld");
        notice.state = NoticeState::Withheld;
        notice.word = Some(word);
        self.queue.set_notice(notice).await
    }
}

/// The first wait, doubled with each try up to the longest.
pub(super) fn wait_secs(tries: u32, (first, longest): (u64, u64)) -> u64 {
    let doublings = tries.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 7, 100, u32::MAX].map(|tries| wait_secs(tries, (60, 3_600)));
        assert_eq!(waits, [60, 120, 240, 3_600, 3_600, 3_600]);
    }
}
