//! The courier: hands the queue's mails to nodes until they are validated, refused or out of time.
//!
//! A new mail is handed in at once, so that it gets into the ledger that closes next. While a node has mails,
//! it is asked for its last validated ledger a few times a second, and at each new one for those mails; while
//! no mail waits, no node is asked anything. Where no node can be used, nothing is written and nothing is
//! lost: the entries stay due. Spec: 7.3, 12, 13.
//!
//! | part | does |
//! |---|---|
//! | [`answer`] | weighs what nodes reply |
//! | [`decide`] | what an answer means for an entry |
//! | [`nodes`] | connections, failover |
//! | `tend` | what time alone brings: senders told that their mails wait, holds that end |
//! | `watch` | which mails are asked for at the next ledger |
//! | `work` | one entry: handed in, asked for, written back |

pub mod answer;
pub mod decide;
pub mod nodes;
mod tend;
mod watch;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock::Clock;
use crate::limits::{
    COURIER_AT_WORK_MAX, COURIER_BATCH, COURIER_PAUSE_MILLIS, COURIER_RELEASE_SECS, COURIER_STOP_SECS_MAX,
    COURIER_TELL_SECS, POISON_COUNTED_MAX, POISON_TRIES, TIP_POLL_MILLIS, WATCHED_MAX,
};
use crate::notices::{Announce, Ask, Asking};
use crate::queue::{Cursor, Entry, Filter, MailId, Notice, Queue, QueueError, State};

use nodes::{NodeError, Nodes, Readiness};
use tend::Told;
use watch::Watch;
use work::{Context, Outcome};

/// Tells nobody anything: a relay without notices.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Announce for Silent {
    fn announce(&self, _before: &Entry, _after: &Entry, _now: u64) -> Vec<Notice> {
        Vec::new()
    }
}

impl Ask for Silent {
    fn ask<'a>(&'a self, _entry: &'a Entry) -> Asking<'a> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The courier.
pub struct Courier {
    context: Context,
}

impl Courier {
    /// A courier that tells nobody.
    pub fn new(queue: Queue, nodes: Arc<Nodes>, clock: Clock) -> Courier {
        Courier {
            context: Context {
                queue,
                nodes,
                clock,
                announce: Arc::new(Silent),
                ask: Arc::new(Silent),
                ledger: Arc::default(),
            },
        }
    }

    /// With somebody who tells senders what became of their mails.
    #[must_use]
    pub fn announcing(mut self, announce: Arc<dyn Announce>) -> Courier {
        self.context.announce = announce;
        self
    }

    /// With somebody who answers questions.
    #[must_use]
    pub fn asking(mut self, ask: Arc<dyn Ask>) -> Courier {
        self.context.ask = ask;
        self
    }

    /// Works until `stop` resolves; then lets requests finish, for a bounded time.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut changes = self.context.queue.changes();
        let mut round = Round::new(self.context);
        round.take_up();
        tokio::pin!(stop);
        loop {
            changes.borrow_and_update();
            round.start_work();
            let wake = round.wake_at();
            tokio::select! {
                () = &mut stop => break,
                Ok(()) = changes.changed() => {}
                Some(done) = round.work.join_next_with_id() => round.handle(done).await,
                () = sleep_until(wake) => {}
            }
        }
        let finishing = async { while round.work.join_next().await.is_some() {} };
        if timeout(Duration::from_secs(COURIER_STOP_SECS_MAX), finishing)
            .await
            .is_err()
        {
            tracing::info!(
                "requests to nodes are left unfinished; their mails are tried again at the next start"
            );
        }
    }
}

/// What a job is for: all that is known of one that panicked.
#[derive(Debug, Clone, Copy)]
enum Job {
    /// An entry.
    Entry(MailId),
    /// The last ledger of a node.
    Tip(usize),
    /// Telling those that wait.
    Tell,
    /// Letting go of held mails whose time is over.
    Release,
}

/// What a job brought.
enum Done {
    Entry(MailId, Outcome),
    Tip(usize, Result<u32, NodeError>),
    Told(Result<Told, QueueError>),
    Released,
}

/// A mail to which nodes reply nonsense.
struct Poison {
    tries: u32,
    /// Mails that had been answered well when the first nonsense came.
    answered: u64,
}

/// The state of a courier that runs.
struct Round {
    context: Context,
    work: JoinSet<Done>,
    jobs: HashMap<Id, Job>,
    /// Mails in work, with the tip of each node as it was known when the work began.
    at_work: BTreeMap<MailId, Vec<Option<u32>>>,
    ready: VecDeque<MailId>,
    watch: Watch,
    tips_at_work: BTreeSet<usize>,
    next_tips: BTreeMap<usize, Instant>,
    paused_until: Option<Instant>,
    /// Up to where those that wait were told.
    told: Option<Cursor>,
    /// `None` while it is done.
    next_tell: Option<Instant>,
    /// The same.
    next_release: Option<Instant>,
    poison: BTreeMap<MailId, Poison>,
    answered: u64,
}

impl Round {
    fn new(context: Context) -> Round {
        Round {
            context,
            work: JoinSet::new(),
            jobs: HashMap::new(),
            at_work: BTreeMap::new(),
            ready: VecDeque::new(),
            watch: Watch::default(),
            tips_at_work: BTreeSet::new(),
            next_tips: BTreeMap::new(),
            paused_until: None,
            told: None,
            next_tell: Some(Instant::now()),
            next_release: Some(Instant::now()),
            poison: BTreeMap::new(),
            answered: 0,
        }
    }

    /// Watches what nodes had before the last stop.
    fn take_up(&mut self) {
        let filter = Filter {
            state: Some(State::Submitted),
            held: Some(false),
            max: Some(WATCHED_MAX),
            ..Filter::default()
        };
        let entries = self.context.queue.list(&filter).unwrap_or_default();
        for entry in entries {
            let holder = entry.progress.holder();
            let node = holder.and_then(|name| self.context.nodes.position(name));
            if let Some(node) = node {
                self.watch.add(node, entry.id, None);
            }
        }
    }

    /// Starts as many jobs as may run.
    fn start_work(&mut self) {
        let now = Instant::now();
        self.start_tips(now);
        self.start_tending(now);
        if self.paused_until.is_some_and(|until| until > now) {
            return;
        }
        self.paused_until = None;
        let places = match self.context.nodes.readiness() {
            Readiness::Ready => COURIER_AT_WORK_MAX,
            Readiness::Trial => 1,
            Readiness::Resting(until) => {
                self.paused_until = Some(until);
                return;
            }
        };
        while self.at_work.len() < places {
            if let Some((id, node)) = self.watch.next_to_ask() {
                let context = self.context.clone();
                self.start(id, async move { context.ask_for(id, node).await });
                continue;
            }
            let Some(id) = self.next_due() else {
                return;
            };
            let context = self.context.clone();
            self.start(id, async move { context.try_entry(id).await });
        }
    }

    fn start(&mut self, id: MailId, job: impl Future<Output = Outcome> + Send + 'static) {
        if self.at_work.contains_key(&id) {
            return;
        }
        let tips = (0..self.context.nodes.count()).map(|node| self.watch.tip(node));
        self.at_work.insert(id, tips.collect());
        let started = self.work.spawn(async move { Done::Entry(id, job.await) });
        self.jobs.insert(started.id(), Job::Entry(id));
    }

    fn next_due(&mut self) -> Option<MailId> {
        if self.ready.is_empty() {
            let most = COURIER_BATCH + self.at_work.len();
            let due = self.context.queue.due((self.context.clock)(), most);
            self.ready = due
                .into_iter()
                .filter(|id| !self.at_work.contains_key(id))
                .collect();
        }
        self.ready.pop_front()
    }

    fn start_tips(&mut self, now: Instant) {
        let nodes: Vec<usize> = self.watch.nodes().collect();
        self.next_tips.retain(|node, _| nodes.contains(node));
        for node in nodes {
            let at = *self.next_tips.entry(node).or_insert(now);
            if at > now || !self.tips_at_work.insert(node) {
                continue;
            }
            let nodes = Arc::clone(&self.context.nodes);
            let started = self
                .work
                .spawn(async move { Done::Tip(node, nodes.tip_at(node).await) });
            self.jobs.insert(started.id(), Job::Tip(node));
        }
    }

    /// What is done whether or not a node can be used.
    fn start_tending(&mut self, now: Instant) {
        if self.next_tell.take_if(|at| *at <= now).is_some() {
            let (context, told) = (self.context.clone(), self.told);
            let started = self
                .work
                .spawn(async move { Done::Told(context.tell_waiting(told).await) });
            self.jobs.insert(started.id(), Job::Tell);
        }
        if self.next_release.take_if(|at| *at <= now).is_some() {
            let context = self.context.clone();
            let started = self.work.spawn(async move {
                if let Err(error) = context.release_over().await {
                    tracing::error!(%error, "held mails cannot be looked through");
                }
                Done::Released
            });
            self.jobs.insert(started.id(), Job::Release);
        }
    }

    fn handle_told(&mut self, told: Option<Told>) {
        let now = Instant::now();
        let wait = Duration::from_secs(COURIER_TELL_SECS);
        let next = match told {
            Some(Told::All(end)) => {
                self.told = Some(end);
                now + wait
            }
            Some(Told::Some(end)) => {
                self.told = Some(end);
                now
            }
            None => now + wait,
        };
        self.next_tell = Some(next);
    }

    /// When to look again although nothing happened: entries come due by the second.
    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let tips = self
            .next_tips
            .iter()
            .filter(|(node, _)| !self.tips_at_work.contains(node))
            .map(|(_, at)| *at);
        let pause = Duration::from_millis(COURIER_PAUSE_MILLIS);
        let wakes = tips.chain(self.paused_until).chain([now + pause]);
        wakes.min().unwrap_or(now + pause)
    }

    async fn handle(&mut self, done: Result<(Id, Done), JoinError>) {
        let (id, done) = match done {
            Ok((id, done)) => (id, Ok(done)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(job) = self.jobs.remove(&id) else {
            return;
        };
        match done {
            Ok(Done::Entry(mail, outcome)) => self.handle_entry(mail, outcome).await,
            Ok(Done::Tip(node, tip)) => self.handle_tip(node, tip.ok()),
            Ok(Done::Told(told)) => self.handle_told(told.ok()),
            Ok(Done::Released) => self.handle_released(),
            Err(error) => match job {
                Job::Entry(mail) => {
                    self.at_work.remove(&mail);
                    self.handle_broken(mail, &error).await;
                }
                Job::Tip(node) => self.handle_tip(node, None),
                Job::Tell => self.handle_told(None),
                Job::Release => self.handle_released(),
            },
        }
    }

    fn handle_tip(&mut self, node: usize, tip: Option<u32>) {
        self.tips_at_work.remove(&node);
        let millis = match tip {
            Some(_) => TIP_POLL_MILLIS,
            None => COURIER_PAUSE_MILLIS,
        };
        let next = Instant::now() + Duration::from_millis(millis);
        self.next_tips.insert(node, next);
        if let Some(tip) = tip {
            self.watch.see_tip(node, tip);
        }
    }

    fn handle_released(&mut self) {
        self.next_release = Some(Instant::now() + Duration::from_secs(COURIER_RELEASE_SECS));
    }

    async fn handle_entry(&mut self, id: MailId, outcome: Outcome) {
        let tips = self.at_work.remove(&id).unwrap_or_default();
        match outcome {
            Outcome::Submitted { node } => {
                self.answered += 1;
                self.poison.remove(&id);
                self.watch.remove(&id);
                self.watch.add(node, id, tips.get(node).copied().flatten());
            }
            Outcome::Rests => {
                self.answered += 1;
                self.poison.remove(&id);
                self.watch.remove(&id);
            }
            Outcome::Unchanged => {}
            Outcome::NoDisk(error @ QueueError::Broken) => self.handle_broken(id, &error).await,
            Outcome::Senseless(word) => self.handle_senseless(id, word).await,
            failed @ (Outcome::NoNode | Outcome::NoDisk(_)) => self.pause_after(Some(failed)),
        }
    }

    /// A mail that breaks the relay's own work is set aside.
    async fn handle_broken(&mut self, id: MailId, error: &(dyn std::error::Error + Sync)) {
        self.watch.remove(&id);
        tracing::error!(%id, %error, "the courier panicked on a mail: a defect");
        let word = "The relay failed while processing this mail: a defect of the relay.".to_owned();
        let held = self.context.hold(id, word).await;
        self.pause_after(held.err().map(Outcome::NoDisk));
    }

    /// A mail that makes nodes answer senselessly while they answer well to others is set aside.
    async fn handle_senseless(&mut self, id: MailId, word: String) {
        if self.poison.len() < POISON_COUNTED_MAX || self.poison.contains_key(&id) {
            let fresh = Poison {
                tries: 0,
                answered: self.answered,
            };
            let poison = self.poison.entry(id).or_insert(fresh);
            poison.tries = poison.tries.saturating_add(1);
            if poison.tries >= POISON_TRIES && self.answered > poison.answered {
                self.poison.remove(&id);
                let held = self.context.hold(id, word).await;
                return self.pause_after(held.err().map(Outcome::NoDisk));
            }
        }
        let put_off = self.context.put_off(id, word).await;
        self.pause_after(put_off.err().map(Outcome::NoDisk));
    }

    fn pause_after(&mut self, failed: Option<Outcome>) {
        let Some(failed) = failed else {
            return;
        };
        let mut millis = TIP_POLL_MILLIS;
        if let Outcome::NoDisk(error) = failed {
            tracing::error!(%error, "the result of a mail cannot be stored; it will be asked for again");
            millis = COURIER_PAUSE_MILLIS;
        }
        // What was due is still due; without a pause it would be tried again at once.
        self.ready.clear();
        self.paused_until = Some(Instant::now() + Duration::from_millis(millis));
    }
}
