//! What nodes tell each other before a ledger has it, each on a channel of its own. No message is sure to arrive,
//! so all of it is said again until a ledger has it.
//!
//! All nodes of a network are connected with each other: what came in is told by the node where it came in, at once
//! and to each. The others pass it on only where it is still on its way long after.
//!
//! Each peer has a lane of its own here: its submissions wait and are looked at one message after the other, those of
//! several peers beside each other. So one that sends junk for ever is bounded by its own lane.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use codec::Hash256;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Spawner};
use node::{Submission, Taken};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::complaints::Complaints;
use crate::host::id_of;
use crate::limits::{
    HEARD_MAX, LANE_BYTES_MAX, SPREAD_AGAIN_SCANS, SPREAD_BYTES_PER_SCAN_MAX, SPREAD_GAP,
    SPREAD_OTHERS_AGAIN_SCANS, SPREAD_SCAN_EVERY, USELESS_PER_MINUTE_MAX, WORDS_EVERY, WORDS_PER_TURN_MAX,
};
use crate::machine::Talker;
use crate::meter;
use crate::wire::{
    SUBMISSIONS_BYTES_MAX, Said, decode_said, decode_submissions, encode_said, encode_submissions,
};

/// Submissions of other nodes that were looked at. Cheap to clone: all clones are the same.
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

/// Which of what is on its way is told when.
#[derive(Default)]
struct Told {
    scan: u64,
    /// The look since which each counts as told.
    last: BTreeMap<Hash256, u64>,
}

impl Told {
    /// Something came in here: whether it is to be told now.
    fn is_new(&mut self, id: Hash256) -> bool {
        self.last.insert(id, self.scan).is_none()
    }

    /// What to tell again, of all that is on its way.
    fn again(&mut self, pending: Vec<(Hash256, Submission)>, heard: &Heard) -> Vec<Submission> {
        self.scan += 1;
        let is_pending: BTreeSet<Hash256> = pending.iter().map(|(id, _)| *id).collect();
        self.last.retain(|id, _| is_pending.contains(id));
        let (mut chosen, mut bytes) = (Vec::new(), 0);
        for (id, submission) in pending {
            let is_others = heard.contains(&id);
            let last = match self.last.get(&id) {
                Some(last) => *last,
                None if is_others => *self.last.entry(id).or_insert(self.scan),
                // It was here before the start, or came in faster than it could be told.
                None => 0,
            };
            let rest = if is_others {
                SPREAD_OTHERS_AGAIN_SCANS
            } else {
                SPREAD_AGAIN_SCANS
            };
            let is_due = last == 0 || last + rest < self.scan;
            bytes += if is_due { submission.bytes().len() } else { 0 };
            if !is_due || (bytes > SPREAD_BYTES_PER_SCAN_MAX && !chosen.is_empty()) {
                continue;
            }
            self.last.insert(id, self.scan);
            chosen.push(submission);
        }
        chosen
    }
}

/// Start to tell and to hear: words on one channel, submissions on another.
pub fn start<E, T, S, R>(context: &E, talker: &Arc<T>, words: (S, R), submissions: (S, R))
where
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
    context
        .child("listen")
        .spawn(move |clock| listen(clock, of_words, told));
    let (of_mails, known) = (Arc::clone(talker), heard.clone());
    context
        .child("spread")
        .spawn(move |clock| spread(clock, of_mails, known, pass));
    let of_mails = Arc::clone(talker);
    context
        .child("take")
        .spawn(move |context| take(context, of_mails, heard, passed));
}

/// Tells what comes in here at once, and again what stays on its way.
async fn spread<T: Talker>(
    clock: impl Clock,
    talker: Arc<T>,
    heard: Heard,
    mut sender: impl Sender<PublicKey = PublicKey>,
) {
    let (mut told, mut arrivals) = (Told::default(), talker.arrivals());
    let mut next_scan = clock.current();
    loop {
        let mut chosen = Vec::new();
        tokio::select! {
            biased;
            () = clock.sleep_until(next_scan) => {
                next_scan = clock.current() + SPREAD_SCAN_EVERY;
                chosen = told.again(talker.pending(), &heard);
            }
            arrival = arrivals.recv() => match arrival {
                Ok((id, submission)) if told.is_new(id) => chosen.push(submission),
                // What was missed is found by the next look.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
        while let Ok((id, submission)) = arrivals.try_recv() {
            if told.is_new(id) {
                chosen.push(submission);
            }
        }
        let mut rest = chosen.as_slice();
        while !rest.is_empty() {
            let (message, count) = encode_submissions(rest);
            rest = &rest[count..];
            // The library panics over a message that is too long.
            if message.len() <= SUBMISSIONS_BYTES_MAX {
                let _ = sender.send(Recipients::All, message, false);
            }
        }
        clock.sleep(SPREAD_GAP).await;
    }
}

/// What waits for its turn in the lane of one peer, with its place there.
type Waiting = (Vec<Submission>, OwnedSemaphorePermit);

/// The lane of one peer.
struct Lane {
    queue: UnboundedSender<Waiting>,
    bytes: Arc<Semaphore>,
}

/// Sorts what came in at other nodes into lanes.
async fn take<E: Spawner + Clock, T: Talker>(
    context: E,
    talker: Arc<T>,
    heard: Heard,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) {
    let mut lanes: BTreeMap<PublicKey, Lane> = BTreeMap::new();
    let (mut garbage, mut beyond) = (Complaints::default(), Complaints::default());
    while let Ok((peer, message)) = receiver.recv().await {
        let Some(submissions) = decode_submissions(message.as_ref()) else {
            meter::garbage(&peer);
            if let Some(times) = garbage.add(&peer, context.current()) {
                tracing::warn!(%peer, times, "a peer sends what are no submissions");
            }
            continue;
        };
        let lane = lanes.entry(peer.clone()).or_insert_with(|| {
            let (queue, waiting) = unbounded_channel();
            let (talker, heard, peer) = (Arc::clone(&talker), heard.clone(), peer.clone());
            context
                .child("lane")
                .spawn(move |context| work(context, talker, heard, peer, waiting));
            let bytes = Arc::new(Semaphore::new(LANE_BYTES_MAX));
            Lane { queue, bytes }
        });
        let length = u32::try_from(message.as_ref().len()).unwrap_or(u32::MAX);
        match Arc::clone(&lane.bytes).try_acquire_many_owned(length) {
            Ok(place) => {
                let _ = lane.queue.send((submissions, place));
            }
            Err(_) => {
                meter::dropped(&peer, submissions.len());
                if let Some(times) = beyond.add(&peer, context.current()) {
                    tracing::warn!(%peer, times, "a peer passes on more than this node takes in time");
                }
            }
        }
    }
}

/// Looks at what one peer passes on.
async fn work<E: Spawner + Clock, T: Talker>(
    context: E,
    talker: Arc<T>,
    heard: Heard,
    peer: PublicKey,
    mut waiting: UnboundedReceiver<Waiting>,
) {
    let Some(from) = crate::host::node_key(&peer) else {
        return;
    };
    let (mut useless, mut complaints) = (Useless::default(), Complaints::default());
    while let Some((submissions, place)) = waiting.recv().await {
        let ids: Vec<Hash256> = submissions.iter().map(id_of).collect();
        let fresh = ids
            .into_iter()
            .zip(submissions)
            .filter(|(id, _)| !heard.contains(id));
        let (ids, submissions): (Vec<Hash256>, Vec<Submission>) = fresh.unzip();
        let now = context.current();
        if submissions.is_empty() {
            continue;
        }
        if useless.is_too_much(now) {
            meter::dropped(&peer, submissions.len());
            if let Some(times) = complaints.add(&peer, now) {
                tracing::warn!(%peer, times, "a peer passes on what no ledger takes, more than {USELESS_PER_MINUTE_MAX} in a minute");
            }
            continue;
        }
        let talker = Arc::clone(&talker);
        let looking = context
            .child("submissions")
            .shared(true)
            .spawn(move |_| async move { talker.submit(from, submissions) });
        let Ok(taken) = looking.await else { return };
        for (id, taken) in ids.into_iter().zip(taken) {
            meter::taken(taken);
            match taken {
                Taken::Known | Taken::Yes => heard.insert(id),
                Taken::Never => {
                    heard.insert(id);
                    useless.add(now);
                }
                // The peer says it again.
                Taken::NotNow => {}
            }
        }
        drop(place);
    }
}

/// What a peer passed on for nothing within the last minute.
#[derive(Default)]
struct Useless {
    since: Option<SystemTime>,
    count: usize,
}

impl Useless {
    /// Seconds of one count.
    const MINUTE: Duration = Duration::from_secs(60);

    /// A clock that went back ends a count.
    fn begin(&mut self, now: SystemTime) {
        let age = self.since.and_then(|since| now.duration_since(since).ok());
        if age.is_none_or(|age| age >= Self::MINUTE) {
            *self = Self {
                since: Some(now),
                count: 0,
            };
        }
    }

    fn add(&mut self, now: SystemTime) {
        self.begin(now);
        self.count += 1;
    }

    fn is_too_much(&mut self, now: SystemTime) -> bool {
        self.begin(now);
        self.count >= USELESS_PER_MINUTE_MAX
    }
}

/// Says what DNS told this validator and what it votes for, until a ledger has it.
async fn speak<T: Talker>(clock: impl Clock, talker: Arc<T>, mut sender: impl Sender<PublicKey = PublicKey>) {
    let mut turn = 0;
    loop {
        clock.sleep(WORDS_EVERY).await;
        if let Some(vote) = talker.ballot() {
            let _ = sender.send(Recipients::All, encode_said(&Said::Ballot(vote)), false);
        }
        let words = talker.words();
        if words.is_empty() {
            continue;
        }
        let groups: Vec<_> = words.chunks(WORDS_PER_TURN_MAX).collect();
        let group = groups[turn % groups.len()];
        turn = turn.wrapping_add(1);
        let _ = sender.send(Recipients::All, encode_said(&Said::Words(group.to_vec())), false);
    }
}

/// Hears what DNS told other validators and what they vote for. What of it counts, the machine decides.
async fn listen<T: Talker>(
    clock: impl Clock,
    talker: Arc<T>,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) {
    let mut complaints = Complaints::default();
    while let Ok((peer, message)) = receiver.recv().await {
        match decode_said(message.as_ref()) {
            Some(Said::Words(words)) => words.into_iter().for_each(|word| talker.hear(word)),
            Some(Said::Ballot(vote)) => talker.hear_ballot(vote),
            None => {
                meter::garbage(&peer);
                if let Some(times) = complaints.add(&peer, clock.current()) {
                    tracing::warn!(%peer, times, "a peer sends what are no attestations and no votes");
                }
            }
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

    /// Looks until something is told again.
    fn scans_until_told(told: &mut Told, count: u8, heard: &Heard) -> u64 {
        (1..=1_000)
            .find(|_| !told.again(pending(count, 10), heard).is_empty())
            .expect("told again")
    }

    #[test]
    fn accepts_what_comes_in_once_and_again_while_it_is_on_its_way() {
        let (mut told, heard) = (Told::default(), Heard::default());
        assert!(told.again(Vec::new(), &heard).is_empty());
        let id = Hash256::new([0; 32]);
        assert!(told.is_new(id));
        assert!(!told.is_new(id), "handed in a second time");
        assert_eq!(scans_until_told(&mut told, 1, &heard), SPREAD_AGAIN_SCANS + 1);
        assert_eq!(scans_until_told(&mut told, 1, &heard), SPREAD_AGAIN_SCANS + 1);
        assert!(told.again(Vec::new(), &heard).is_empty());
        assert!(told.is_new(id), "it was not on its way meanwhile");
    }

    #[test]
    fn accepts_at_once_what_was_here_at_the_start_and_late_what_others_tell() {
        let (mut told, heard) = (Told::default(), Heard::default());
        heard.insert(Hash256::new([1; 32]));
        assert_eq!(told.again(pending(2, 10), &heard).len(), 1, "its own");
        let others = vec![pending(2, 10).remove(1)];
        let scans = (1..=1_000).find(|_| !told.again(others.clone(), &heard).is_empty());
        assert_eq!(scans, Some(SPREAD_OTHERS_AGAIN_SCANS + 1));
    }

    #[test]
    fn rejects_more_bytes_than_one_look_may_tell_and_tells_the_rest_later() {
        let (mut told, heard) = (Told::default(), Heard::default());
        let large = || pending(3, SPREAD_BYTES_PER_SCAN_MAX - 1);
        for _ in 0..3 {
            assert_eq!(told.again(large(), &heard).len(), 1);
        }
        assert!(told.again(large(), &heard).is_empty());
    }

    #[test]
    fn rejects_what_a_peer_passes_on_after_too_much_for_nothing_until_a_minute_is_over() {
        let (mut useless, begin) = (Useless::default(), SystemTime::UNIX_EPOCH);
        for _ in 0..USELESS_PER_MINUTE_MAX {
            assert!(!useless.is_too_much(begin));
            useless.add(begin);
        }
        assert!(useless.is_too_much(begin + Duration::from_secs(59)));
        assert!(!useless.is_too_much(begin + Duration::from_secs(60)));
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
