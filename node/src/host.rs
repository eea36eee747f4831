//! What drives the chain: one thread that owns it, one that writes its commits, and the look-ups.
//!
//! Events queue up in a channel. The chain's thread takes all that wait, publishes what may be seen, and
//! carries out the effects; a commit goes to the writer's thread, which reports back through the same
//! channel. So no reader waits for a close or for a disk, and mails that come in while the disk syncs share
//! the next sync.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use amendment::KeyName;
use chain::commit::Change;
use chain::{Chain, CommitFailure, Effect, Event, Fact, KeyFinding, Reply, RequestId, State};
use dns::{Answer, KeyResolver, Published};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Timekeeper;
use crate::config::NodeConfig;
use crate::limits::EVENTS_PER_TURN_MAX;
use crate::store::{Store, StoreError};
use crate::watcher::Providers;

/// What comes to the chain's thread.
enum Input {
    /// Something for the chain; the one who asked waits for its answer.
    Ask(RequestId, SyncSender<Reply>, Event),
    /// Something that nobody waits for.
    Event(Event),
    /// Close the open ledger with the chain's own proposal.
    Close(RequestId, SyncSender<Reply>, When),
    /// What became of a commit.
    Written(Result<(), StoreError>),
    /// The writer has ended: nothing can be committed any more.
    WriterEnded,
    /// The node is dropped.
    Stop,
}

/// When a ledger is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Where there is something in it, or it has been open for long enough.
    Due,
    /// Now.
    Now,
}

/// The chain's thread has ended, by a panic: nothing of the chain can be trusted to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node failed: its chain has stopped; committed ledgers are kept, start it again")]
pub struct ChainStopped;

/// The running chain, as the rest of the node sees it.
pub(crate) struct Host {
    inputs: Sender<Input>,
    shared: Arc<Shared>,
    next_request: AtomicU64,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Its sender lives as long as the chain's thread.
    ended: watch::Receiver<()>,
}

/// What the threads share with readers.
struct Shared {
    shown: RwLock<Arc<State>>,
    /// Look-ups under way, with those that wait for a commit.
    looking_up: Mutex<usize>,
    /// A look-up has ended.
    looked_up: Condvar,
    /// Why the last commit failed.
    failure: Mutex<Option<StoreError>>,
}

/// What look-ups need.
#[derive(Clone)]
pub(crate) struct LookUps {
    pub(crate) resolver: Arc<dyn KeyResolver>,
    pub(crate) providers: Providers,
    pub(crate) runtime: Handle,
}

impl LookUps {
    pub(crate) fn new(config: &NodeConfig, resolver: Arc<dyn KeyResolver>, runtime: Handle) -> Self {
        let providers = config.providers.clone();
        Self {
            resolver,
            providers,
            runtime,
        }
    }
}

impl Host {
    /// Start the two threads.
    pub(crate) fn start(
        chain: Chain,
        network_id: u32,
        store: Arc<dyn Store>,
        clock: Arc<Timekeeper>,
        look_ups: LookUps,
    ) -> std::io::Result<Self> {
        let (inputs, received) = channel();
        let shared = Arc::new(Shared {
            shown: RwLock::new(Arc::clone(chain.shown())),
            looking_up: Mutex::new(0),
            looked_up: Condvar::new(),
            failure: Mutex::new(None),
        });
        let (commits, to_write) = channel();
        let alarm = Alarm(inputs.clone());
        let writer = spawn("commit-writer", move || {
            write_commits(&alarm, store.as_ref(), network_id, &to_write);
        })?;
        let turns = Turns {
            chain,
            clock,
            look_ups,
            shared: Arc::clone(&shared),
            inputs: inputs.clone(),
            commits,
            waiting: BTreeMap::new(),
        };
        let (alive, ended) = watch::channel(());
        let chain = spawn("chain", move || {
            let _alive = alive;
            turns.run(&received);
        })?;
        Ok(Self {
            inputs,
            shared,
            next_request: AtomicU64::new(0),
            threads: Mutex::new(vec![chain, writer]),
            ended,
        })
    }

    /// The last validated ledger, the open one, and what is on its way, as far as it is on disk.
    pub(crate) fn shown(&self) -> Arc<State> {
        let shown = self.shared.shown.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shown)
    }

    /// Give the chain an event and wait for its answer.
    pub(crate) fn ask(&self, event: impl FnOnce(RequestId) -> Event) -> Result<Reply, ChainStopped> {
        let (request, reply, answer) = self.request();
        self.send(Input::Ask(request, reply, event(request)))?;
        answer.recv().map_err(|_| ChainStopped)
    }

    /// Give the chain several events at once, so that they share a commit, and wait for their answers.
    pub(crate) fn ask_all<E: FnOnce(RequestId) -> Event>(
        &self,
        events: Vec<E>,
    ) -> Result<Vec<Reply>, ChainStopped> {
        let mut answers = Vec::with_capacity(events.len());
        for event in events {
            let (request, reply, answer) = self.request();
            self.send(Input::Ask(request, reply, event(request)))?;
            answers.push(answer);
        }
        let replies: Result<_, _> = answers.iter().map(Receiver::recv).collect();
        replies.map_err(|_| ChainStopped)
    }

    /// Give the chain an event that nobody waits for.
    pub(crate) fn tell(&self, event: Event) -> Result<(), ChainStopped> {
        self.send(Input::Event(event))
    }

    /// Close the open ledger and wait until the closed one is on disk.
    pub(crate) fn close(&self, when: When) -> Result<Reply, ChainStopped> {
        let (request, reply, answer) = self.request();
        self.send(Input::Close(request, reply, when))?;
        answer.recv().map_err(|_| ChainStopped)
    }

    /// Wait until no look-up is under way, for a bounded time.
    pub(crate) fn wait_for_look_ups(&self, patience: Duration) {
        let shared = &self.shared;
        let _ended = shared
            .looked_up
            .wait_timeout_while(lock(&shared.looking_up), patience, |count| *count > 0);
    }

    /// Why the last commit failed, told once.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        lock(&self.shared.failure).take()
    }

    /// Whether the chain runs.
    pub(crate) fn is_running(&self) -> bool {
        self.ended.has_changed().is_ok()
    }

    /// Resolves when the chain has stopped.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    fn request(&self) -> (RequestId, SyncSender<Reply>, Receiver<Reply>) {
        let request = RequestId::new(self.next_request.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = sync_channel(1);
        (request, reply, answer)
    }

    fn send(&self, input: Input) -> Result<(), ChainStopped> {
        self.inputs.send(input).map_err(|_| ChainStopped)
    }
}

impl Drop for Host {
    /// Waits for what is under way, so that the file is free when the node is gone.
    fn drop(&mut self) {
        // Where the chain has ended already, there is nobody to tell.
        let _ = self.inputs.send(Input::Stop);
        for thread in lock(&self.threads).drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Tells the chain's thread that the writer has ended, however it did.
struct Alarm(Sender<Input>);

impl Drop for Alarm {
    fn drop(&mut self) {
        // Where the chain has ended first, there is nobody to tell.
        let _ = self.0.send(Input::WriterEnded);
    }
}

/// The writer: one commit after the other, each in one transaction of the store.
fn write_commits(chain: &Alarm, store: &dyn Store, network_id: u32, commits: &Receiver<Vec<Change>>) {
    while let Ok(changes) = commits.recv() {
        let written = store.write(network_id, &changes);
        // Nothing can be built on a damaged file: the node ends, and says what to do.
        let is_over = matches!(written, Err(StoreError::Corrupted(_)));
        if chain.0.send(Input::Written(written)).is_err() || is_over {
            return;
        }
    }
}

/// The chain's thread.
struct Turns {
    chain: Chain,
    clock: Arc<Timekeeper>,
    look_ups: LookUps,
    shared: Arc<Shared>,
    inputs: Sender<Input>,
    commits: Sender<Vec<Change>>,
    waiting: BTreeMap<RequestId, SyncSender<Reply>>,
}

/// Whether the thread takes another turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Turn,
    End,
}

impl Turns {
    fn run(mut self, inputs: &Receiver<Input>) {
        while let Ok(first) = inputs.recv() {
            let mut batch = vec![first];
            batch.extend(inputs.try_iter().take(EVENTS_PER_TURN_MAX - 1));
            if self.turn(batch) == Next::End {
                return;
            }
        }
    }

    fn turn(&mut self, batch: Vec<Input>) -> Next {
        let mut events = Vec::with_capacity(batch.len());
        for input in batch {
            match input {
                Input::Ask(request, reply, event) => {
                    self.waiting.insert(request, reply);
                    events.push(event);
                }
                Input::Event(event) => events.push(event),
                Input::Written(written) => events.push(Event::Committed(self.note(written))),
                Input::Close(request, reply, when) => {
                    // The proposal is made of what came before.
                    if self.handle(std::mem::take(&mut events)) == Next::End {
                        return Next::End;
                    }
                    self.waiting.insert(request, reply);
                    events.push(self.close(request, when));
                }
                Input::WriterEnded | Input::Stop => return Next::End,
            }
        }
        self.handle(events)
    }

    /// The event that closes the open ledger. Where it is not to be closed, names whose rest has ended are asked
    /// for.
    fn close(&mut self, request: RequestId, when: When) -> Event {
        let now = self.clock.now();
        self.clock.tell(self.chain.shown().ledger.close_time());
        if when == When::Due && !self.chain.is_close_due(now) {
            return Event::LookUp { request };
        }
        Event::Close {
            request,
            closed: Arc::new(self.chain.propose(now)),
        }
    }

    fn handle(&mut self, events: Vec<Event>) -> Next {
        if events.is_empty() {
            return Next::Turn;
        }
        let effects = self.chain.handle_all(events, self.clock.now());
        let shown = Arc::clone(self.chain.shown());
        // The state before is freed after the lock.
        let before = {
            let mut published = self.shared.shown.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *published, shown)
        };
        drop(before);
        // Counted before anybody is told, so that one who is told can wait for them.
        *lock(&self.shared.looking_up) = self.chain.look_ups();
        self.shared.looked_up.notify_all();
        for effect in effects {
            match effect {
                Effect::Commit(changes) => {
                    if self.commits.send(changes).is_err() {
                        return Next::End;
                    }
                }
                Effect::LookUp(name) => self.look_up(name),
                Effect::Tell { request, reply } => self.answer(request, reply),
                Effect::Log(fact) => log(&fact, &self.look_ups.providers),
            }
        }
        Next::Turn
    }

    /// The one who asked may have gone meanwhile; what it wanted is done.
    fn answer(&mut self, request: RequestId, reply: Reply) {
        if let Some(waiting) = self.waiting.remove(&request) {
            let _ = waiting.send(reply);
        }
    }

    /// What the chain has to know of a failed commit; the error itself is kept for those who end because of
    /// it.
    fn note(&self, written: Result<(), StoreError>) -> Result<(), CommitFailure> {
        written.map_err(|error| {
            tracing::error!(%error, "a commit failed; its changes are rolled back");
            let failure = if matches!(error, StoreError::Full(_)) {
                CommitFailure::DiskFull
            } else {
                CommitFailure::Broken
            };
            *lock(&self.shared.failure) = Some(error);
            failure
        })
    }

    fn look_up(&self, name: KeyName) {
        let (resolver, inputs) = (Arc::clone(&self.look_ups.resolver), self.inputs.clone());
        self.look_ups.runtime.spawn(async move {
            let finding = finding_of(resolver.look_up(&name).await);
            // Where the node is gone, nobody wants to know.
            let _ = inputs.send(Input::Event(Event::Answer { name, finding }));
        });
    }
}

fn finding_of(answer: Answer<Published>) -> KeyFinding {
    match answer {
        Answer::Found(published) => published.record.map_or(KeyFinding::Unusable, KeyFinding::Usable),
        Answer::Absent => KeyFinding::Absent,
        Answer::Failed(_) => KeyFinding::NoAnswer,
    }
}

fn log(fact: &Fact, providers: &Providers) {
    match fact {
        Fact::Dropped { id, code } => {
            tracing::info!(%id, code = code.token(), "a transaction of the open ledger is not in the closed one");
        }
        Fact::GivenUp { email_id, code } => {
            tracing::info!(%email_id, code = code.token(), "a mail is given up");
        }
        Fact::NoAnswer(name) => {
            tracing::warn!(
                name = name.dns_name(),
                "DNS gave no answer; the name is asked again later"
            );
        }
        Fact::NoUsableRecord(name) => {
            tracing::info!(name = name.dns_name(), "DNS has no usable key record");
        }
        Fact::KeyChange { name, change } => providers.note(name, *change),
        Fact::DiskFull => {
            tracing::error!("the disk is full: no transactions are accepted until there is room");
        }
        Fact::RoomAgain => tracing::warn!("the disk has room again: transactions are accepted"),
    }
}

/// A lock whose holder panicked is taken over: what it guards is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
