//! What nodes tell each other before a ledger has it, each on a channel of its own. No message is sure to arrive,
//! so all of it is said again until a ledger has it.
//!
//! All nodes of a network are connected with each other: what came in is told by the node where it came in, once
//! to each, and not passed on by the others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use codec::Hash256;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Spawner};
use tokio::sync::Semaphore;

use crate::host::id_of;
use crate::limits::{
    AT_WORK_MAX, HEARD_MAX, SPREAD_AGAIN_TURNS, SPREAD_BYTES_PER_TURN_MAX, SPREAD_EVERY, SPREAD_PER_TURN_MAX,
    WORDS_EVERY, WORDS_PER_TURN_MAX,
};
use crate::machine::{Submission, Talker};
use crate::wire::{SUBMISSION_BYTES_MAX, decode_submission, decode_words, encode_submission, encode_words};

/// What came from other nodes: those pass it on themselves. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(BTreeSet<Hash256>, VecDeque<Hash256>)>>);

impl Heard {
    fn insert(&self, id: Hash256) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (ids, order) = &mut *heard;
        if !ids.insert(id) {
            return;
        }
        order.push_back(id);
        if order.len() > HEARD_MAX
            && let Some(oldest) = order.pop_front()
        {
            ids.remove(&oldest);
        }
    }

    fn contains(&self, id: &Hash256) -> bool {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.0.contains(id)
    }
}

/// Which of what is pending is told in which turn.
#[derive(Default)]
struct Told {
    turn: u64,
    /// When each was told last.
    last: BTreeMap<Hash256, u64>,
}

impl Told {
    /// What to tell in the next turn.
    fn next(&mut self, pending: Vec<(Hash256, Submission)>, heard: &Heard) -> Vec<Submission> {
        self.turn += 1;
        let is_pending: BTreeSet<Hash256> = pending.iter().map(|(id, _)| *id).collect();
        self.last.retain(|id, _| is_pending.contains(id));
        let (mut chosen, mut bytes) = (Vec::new(), 0);
        for (id, submission) in pending {
            let is_due = self
                .last
                .get(&id)
                .is_none_or(|last| last + SPREAD_AGAIN_TURNS <= self.turn);
            if !is_due || heard.contains(&id) || submission.bytes().len() >= SUBMISSION_BYTES_MAX {
                continue;
            }
            bytes += submission.bytes().len();
            if chosen.len() == SPREAD_PER_TURN_MAX
                || (bytes > SPREAD_BYTES_PER_TURN_MAX && !chosen.is_empty())
            {
                break;
            }
            self.last.insert(id, self.turn);
            chosen.push(submission);
        }
        chosen
    }
}

/// Start to tell and to hear: words on one channel, submissions on another. `addresses` are those of the peers.
pub fn start<E, T, S, R>(
    context: &E,
    talker: &Arc<T>,
    addresses: BTreeMap<PublicKey, IpAddr>,
    words: (S, R),
    submissions: (S, R),
) where
    E: Spawner + Clock,
    T: Talker,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let heard = Heard::default();
    let (tell, told) = words;
    let (pass, passed) = submissions;
    let of_words = Arc::clone(talker);
    context
        .child("speak")
        .spawn(move |clock| speak(clock, of_words, tell));
    let of_words = Arc::clone(talker);
    context.child("listen").spawn(move |_| listen(of_words, told));
    let (of_mails, known) = (Arc::clone(talker), heard.clone());
    context
        .child("spread")
        .spawn(move |clock| spread(clock, of_mails, known, pass));
    let of_mails = Arc::clone(talker);
    context
        .child("take")
        .spawn(move |context| take(context, of_mails, heard, addresses, passed));
}

/// Tells what came in here.
async fn spread<T: Talker>(
    clock: impl Clock,
    talker: Arc<T>,
    heard: Heard,
    mut sender: impl Sender<PublicKey = PublicKey>,
) {
    let mut told = Told::default();
    loop {
        clock.sleep(SPREAD_EVERY).await;
        for submission in told.next(talker.pending(), &heard) {
            let _ = sender.send(Recipients::All, encode_submission(&submission), false);
        }
    }
}

/// Takes what came in at other nodes, several at one time, so that they share a commit.
async fn take<T: Talker>(
    context: impl Spawner,
    talker: Arc<T>,
    heard: Heard,
    addresses: BTreeMap<PublicKey, IpAddr>,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) {
    let at_work = Arc::new(Semaphore::new(AT_WORK_MAX));
    while let Ok((peer, message)) = receiver.recv().await {
        let submission = decode_submission(message.as_ref());
        let (Some(submission), Some(address)) = (submission, addresses.get(&peer)) else {
            tracing::warn!(%peer, "a message that is no submission");
            continue;
        };
        let Some(id) = id_of(&submission) else {
            continue;
        };
        if heard.contains(&id) {
            continue;
        }
        heard.insert(id);
        let Ok(permit) = Arc::clone(&at_work).acquire_owned().await else {
            return;
        };
        let (talker, address) = (Arc::clone(&talker), *address);
        context
            .child("submission")
            .shared(true)
            .spawn(move |_| async move {
                talker.submit(address, submission);
                drop(permit);
            });
    }
}

/// Says what DNS told this validator, until a ledger has it.
async fn speak<T: Talker>(clock: impl Clock, talker: Arc<T>, mut sender: impl Sender<PublicKey = PublicKey>) {
    let mut turn = 0;
    loop {
        clock.sleep(WORDS_EVERY).await;
        let words = talker.words();
        if words.is_empty() {
            continue;
        }
        let groups: Vec<_> = words.chunks(WORDS_PER_TURN_MAX).collect();
        let group = groups[turn % groups.len()];
        turn = turn.wrapping_add(1);
        let _ = sender.send(Recipients::All, encode_words(group), false);
    }
}

/// Hears what DNS told other validators. Whether a word counts, the machine decides.
async fn listen<T: Talker>(talker: Arc<T>, mut receiver: impl Receiver<PublicKey = PublicKey>) {
    while let Ok((peer, message)) = receiver.recv().await {
        match decode_words(message.as_ref()) {
            Some(words) => words.into_iter().for_each(|word| talker.hear(word)),
            None => tracing::warn!(%peer, "a message that is no attestation"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(count: u8, bytes: usize) -> Vec<(Hash256, Submission)> {
        let one = |byte| {
            (
                Hash256::new([byte; 32]),
                Submission::Mail(vec![byte; bytes].into()),
            )
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn accepts_each_once_then_again_after_some_turns_while_it_is_pending() {
        let (mut told, heard) = (Told::default(), Heard::default());
        assert_eq!(told.next(pending(2, 10), &heard).len(), 2);
        for _ in 1..SPREAD_AGAIN_TURNS {
            assert!(told.next(pending(2, 10), &heard).is_empty());
        }
        assert_eq!(told.next(pending(2, 10), &heard).len(), 2);
        assert!(told.next(Vec::new(), &heard).is_empty());
        assert_eq!(
            told.next(pending(1, 10), &heard).len(),
            1,
            "it was not pending meanwhile"
        );
    }

    #[test]
    fn rejects_what_others_pass_on_and_what_is_too_much_for_a_turn() {
        let (mut told, heard) = (Told::default(), Heard::default());
        heard.insert(Hash256::new([1; 32]));
        assert_eq!(told.next(pending(3, 10), &heard).len(), 2);
        let many = u8::try_from(SPREAD_PER_TURN_MAX).expect("few") + 1;
        let mut told = Told::default();
        assert_eq!(
            told.next(pending(many, 10), &Heard::default()).len(),
            SPREAD_PER_TURN_MAX
        );
        assert_eq!(
            told.next(pending(many, 10), &Heard::default()).len(),
            1,
            "the rest follows"
        );
        let mut told = Told::default();
        let large = told.next(pending(3, SPREAD_BYTES_PER_TURN_MAX - 1), &Heard::default());
        assert_eq!(large.len(), 1);
    }

    #[test]
    fn rejects_more_memories_than_it_has_room_for() {
        let heard = Heard::default();
        for number in 0..=HEARD_MAX {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(number as u64).to_be_bytes());
            heard.insert(Hash256::new(id));
        }
        assert!(!heard.contains(&Hash256::ZERO), "the oldest is forgotten");
        assert_eq!(heard.0.lock().expect("whole").0.len(), HEARD_MAX);
    }
}
