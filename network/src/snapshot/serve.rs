//! Answers other nodes' questions about snapshots, one after the other and no faster than it may, so that votes
//! and blocks go first. Each peer has its turn, whatever the others ask.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codec::LedgerIndex;
use commonware_consensus::types::Height;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Spawner};
use rand_core::CryptoRng;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, oneshot};

use super::points::Points;
use super::wire::Message;
use crate::commits::EpochEnd;
use crate::complaints::Complaints;
use crate::engine::Kept;
use crate::limits::{
    CERTIFICATE_TRIES_MAX, CERTIFICATE_WAIT, QUESTIONS_PER_PEER_MAX, SNAPSHOT_BYTES_PER_SECOND,
};
use crate::meter;

/// Questions that wait, by who asks.
#[derive(Debug)]
struct Questions<P> {
    of: BTreeMap<P, VecDeque<Message>>,
    /// Whose turn it is: each peer that has a question, once.
    turns: VecDeque<P>,
}

impl<P: Clone + Ord> Questions<P> {
    fn new() -> Self {
        Self {
            of: BTreeMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// One more; false where the peer has too many.
    fn push(&mut self, from: P, question: Message) -> bool {
        let waiting = self.of.entry(from.clone()).or_default();
        if waiting.len() >= QUESTIONS_PER_PEER_MAX {
            return false;
        }
        if waiting.is_empty() {
            self.turns.push_back(from);
        }
        waiting.push_back(question);
        true
    }

    fn pop(&mut self) -> Option<(P, Message)> {
        let from = self.turns.pop_front()?;
        let waiting = self.of.get_mut(&from)?;
        let question = waiting.pop_front()?;
        if waiting.is_empty() {
            self.of.remove(&from);
        } else {
            self.turns.push_back(from.clone());
        }
        Some((from, question))
    }
}

/// Questions as the two tasks share them.
#[derive(Clone)]
struct Waiting {
    questions: Arc<Mutex<Questions<PublicKey>>>,
    more: Arc<Notify>,
}

/// Where what a node gives to others comes from.
pub(crate) struct Source {
    /// What the engine keeps, as soon as it can be asked.
    pub(crate) kept: oneshot::Receiver<Kept>,
    /// The last blocks of epochs.
    pub(crate) ends: UnboundedReceiver<EpochEnd>,
}

/// Start to keep the ledgers at the ends of epochs, and to answer questions about them on a channel.
/// `last` tells the last ledger here.
pub(crate) fn start<E, S, R>(
    context: &E,
    last: impl Fn() -> LedgerIndex + Send + 'static,
    points: Points,
    source: Source,
    channel: (S, R),
) where
    E: Spawner + Clock + CryptoRng,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let (sender, receiver) = channel;
    let waiting = Waiting {
        questions: Arc::new(Mutex::new(Questions::new())),
        more: Arc::new(Notify::new()),
    };
    let heard = waiting.clone();
    context
        .child("questions")
        .spawn(move |clock| hear(clock, heard, receiver));
    let reached = points.clone();
    context
        .child("ends")
        .spawn(move |context| gather(context, reached, source));
    let answers = move |question: &Message| points.answer(question, last());
    context
        .child("answers")
        .spawn(move |clock| answer(clock, waiting, answers, sender));
}

/// Keeps the ledgers at the ends of epochs, as soon as their certificates are here.
async fn gather(mut context: impl Clock + CryptoRng, points: Points, mut source: Source) {
    let Ok(kept) = source.kept.await else { return };
    while let Some(end) = source.ends.recv().await {
        let height = Height::new(end.block.inner().height);
        for _ in 0..CERTIFICATE_TRIES_MAX {
            let Some(certificate) = kept.get_finalization(height).await else {
                context.sleep(CERTIFICATE_WAIT).await;
                continue;
            };
            if let Err(error) = points.reach(&mut context, end, certificate) {
                tracing::error!(%error, "this node cannot prove to others who the validators are");
            }
            break;
        }
    }
}

async fn hear(clock: impl Clock, waiting: Waiting, mut receiver: impl Receiver<PublicKey = PublicKey>) {
    let mut complaints = Complaints::default();
    while let Ok((peer, message)) = receiver.recv().await {
        match Message::decode(message.as_ref()) {
            Some(question @ (Message::WantBorder { .. } | Message::WantPiece(_))) => {
                let mut questions = waiting.questions.lock().unwrap_or_else(PoisonError::into_inner);
                if !questions.push(peer.clone(), question) {
                    meter::unanswered(&peer);
                }
                drop(questions);
                waiting.more.notify_one();
            }
            // An answer that came too late.
            Some(Message::Border { .. } | Message::Piece(..)) => {}
            None => {
                meter::garbage(&peer);
                if let Some(times) = complaints.add(&peer, clock.current()) {
                    tracing::warn!(%peer, times, "a message about snapshots that is none");
                }
            }
        }
    }
}

async fn answer(
    clock: impl Clock,
    waiting: Waiting,
    answers: impl Fn(&Message) -> Option<Message>,
    mut sender: impl Sender<PublicKey = PublicKey>,
) {
    loop {
        let next = waiting
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let Some((peer, question)) = next else {
            waiting.more.notified().await;
            continue;
        };
        // What has no place in a message is as good as not there.
        let answer = answers(&question).and_then(|answer| answer.encode());
        let Some(bytes) = answer else { continue };
        meter::sent(bytes.len());
        let pause = Duration::from_secs(1).saturating_mul(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        let _ = sender.send(Recipients::One(peer), bytes, false);
        clock
            .sleep(pause / u32::try_from(SNAPSHOT_BYTES_PER_SECOND).unwrap_or(u32::MAX))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(from: u64) -> Message {
        Message::WantBorder { from }
    }

    #[test]
    fn accepts_each_peer_in_turn_and_rejects_what_one_asks_too_much() {
        let mut questions = Questions::new();
        for number in 0..QUESTIONS_PER_PEER_MAX as u64 {
            assert!(questions.push(1, question(number)));
        }
        assert!(!questions.push(1, question(99)));
        assert!(questions.push(2, question(50)));
        let answered: Vec<_> = std::iter::from_fn(|| questions.pop()).collect();
        assert_eq!(answered.len(), QUESTIONS_PER_PEER_MAX + 1);
        assert_eq!(
            answered[..3],
            [(1, question(0)), (2, question(50)), (1, question(1))]
        );
        assert!(questions.of.is_empty() && questions.turns.is_empty());
        assert!(questions.push(1, question(7)), "there is room again");
    }
}
