//! The one writer: gathers what many callers want, commits it as one transaction, and answers each.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot, watch};

use super::audit::AuditLog;
use super::batch::{Batch, Tally};
use super::entry::State;
use super::error::QueueError;
use super::store::{Store, Written};
use super::tables::{StateCounts, count_states, state_number};
use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::limits::{
    COMMIT_BYTES_MAX, COMMIT_GATHER_MICROS, COMMIT_JOBS_MAX, COMPACT_BYTES_MIN, COMPACT_SHORT_BYTES_MIN,
    QUEUE_JOBS_MAX,
};
use crate::meter;

/// Gives a caller its answer, once what it wanted is durable. Dropped where the commit fails.
pub(super) type Deliver = Box<dyn FnOnce() + Send>;
/// What a caller wants of a transaction.
type Work = Box<dyn FnOnce(&mut Batch<'_, '_>) -> Result<Deliver, redb::Error> + Send>;

/// What a caller wants, and how much mail text it brings.
pub(super) struct Job {
    bytes: usize,
    work: Work,
}

/// Free space of the data folder's disk, bytes.
pub(super) type Space = Box<dyn Fn() -> std::io::Result<u64> + Send + Sync>;

/// What writer and readers share.
pub(super) struct Core {
    pub(super) store: Store,
    pub(super) limits: QueueConfig,
    pub(super) clock: Clock,
    pub(super) space: Space,
    /// The data folder; `None` in memory.
    pub(super) data: Option<PathBuf>,
    pub(super) changes: watch::Sender<u64>,
    pub(super) tallies: Tallies,
    room: Room,
    /// Unix seconds.
    pub(super) opened_at: u64,
    /// `None` in memory. Locked for the length of a commit, so that one commit runs at a time.
    audit: Mutex<Option<AuditLog>>,
    counts: Mutex<StateCounts>,
    /// Why the last commit failed.
    fault: Mutex<QueueError>,
}

/// Free pages of the file, as far as this process freed them.
#[derive(Debug, Default)]
struct Room {
    bytes: AtomicU64,
    /// The file was compacted since the start: all of its free pages are counted.
    is_known: AtomicBool,
}

/// Keeps commits away while it lives.
pub(super) type Pause<'a> = MutexGuard<'a, Option<AuditLog>>;

/// What was done since the start.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) put: AtomicU64,
    pub(super) finals: AtomicU64,
    pub(super) commits: AtomicU64,
}

impl Core {
    pub(super) fn new(
        store: Store,
        audit: Option<AuditLog>,
        limits: QueueConfig,
        clock: Clock,
    ) -> Result<Core, QueueError> {
        let counts = store.read(count_states)?;
        Ok(Core {
            store,
            opened_at: clock(),
            limits,
            clock,
            space: Box::new(|| Ok(u64::MAX)),
            data: None,
            changes: watch::Sender::new(0),
            tallies: Tallies::default(),
            room: Room::default(),
            audit: Mutex::new(audit),
            counts: Mutex::new(counts),
            fault: Mutex::new(QueueError::Disk("the queue's writer has stopped".to_owned())),
        })
    }

    /// How many entries are in a state.
    pub(super) fn count(&self, state: State) -> u64 {
        let counts = *lock(&self.counts);
        counts.get(usize::from(state_number(state))).copied().unwrap_or(0)
    }

    /// Why nothing new may be kept: the disk is nearly full, and the file has no free pages to make up for it.
    pub(super) fn check_space(&self) -> Result<(), QueueError> {
        const MIB: u64 = 1024 * 1024;
        let unknown = |error| QueueError::Disk(format!("free space is not known: {error}"));
        let free = (self.space)().map_err(unknown)?;
        let in_file = self.room.bytes.load(Ordering::Relaxed);
        if free.saturating_add(in_file) >= self.least_free() {
            return Ok(());
        }
        Err(QueueError::Space(format!(
            "{} MiB are free on the disk of the data folder and {} MiB in the queue's file, but {} must stay free",
            free / MIB,
            in_file / MIB,
            self.limits.free_mib_min
        )))
    }

    /// Bytes that must stay free.
    fn least_free(&self) -> u64 {
        self.limits.free_mib_min.saturating_mul(1024 * 1024)
    }

    /// Gives free pages of the file back to the disk, where that is worth the while in which all others wait:
    /// the disk is nearly full, or most of a large file is free.
    pub(super) fn compact(&self, path: &Path) -> Result<(), QueueError> {
        let bytes = || std::fs::metadata(path).map_or(0, |file| file.len());
        let (before, free) = (bytes(), self.room.bytes.load(Ordering::Relaxed));
        let is_short = (self.space)().is_ok_and(|left| left < self.least_free());
        let is_known = self.room.is_known.load(Ordering::Relaxed);
        let has_some = free >= COMPACT_SHORT_BYTES_MIN || !is_known;
        let is_mostly_free = free >= COMPACT_BYTES_MIN && free >= before / 2;
        if !(is_mostly_free || is_short && has_some) {
            return Ok(());
        }
        self.store.compact()?;
        self.room.bytes.store(0, Ordering::Relaxed);
        self.room.is_known.store(true, Ordering::Relaxed);
        tracing::info!(before, after = bytes(), "the queue's file is compacted");
        Ok(())
    }

    /// Keeps commits away. What was committed is in the audit log then, or among the lines that wait for it
    /// in the queue.
    pub(super) fn pause(&self) -> Pause<'_> {
        lock(&self.audit)
    }

    /// One transaction for all jobs.
    pub(super) fn commit(&self, jobs: Vec<Job>) {
        let mut audit = lock(&self.audit);
        let mut deliveries = Vec::with_capacity(jobs.len());
        let started = Instant::now();
        // The kill test follows these two lines to aim its kills.
        tracing::trace!("commit begins");
        let run = self.run(jobs, audit.as_ref(), &mut deliveries);
        tracing::trace!("commit ends");
        let lines = match run {
            Ok(done) => self.account(done, started),
            Err(error) => {
                tracing::error!(%error, "the queue cannot write; clients are told to try again later");
                *lock(&self.fault) = error;
                // Whether the last commit reached the disk is not known: the file knows.
                if let Ok(counts) = self.store.read(count_states) {
                    *lock(&self.counts) = counts;
                }
                return;
            }
        };
        for deliver in deliveries {
            deliver();
        }
        if let Some(audit) = audit.as_mut()
            && let Err(error) = audit.write(lines)
        {
            tracing::error!(%error, "the audit log cannot be written; its lines wait");
        }
    }

    fn run(
        &self,
        jobs: Vec<Job>,
        audit: Option<&AuditLog>,
        deliveries: &mut Vec<Deliver>,
    ) -> Result<Done, QueueError> {
        let mut done = Done::default();
        self.store.write(|tables| {
            let mut batch = Batch {
                tables,
                limits: &self.limits,
                now: (self.clock)(),
                counts: *lock(&self.counts),
                audit: audit.map(AuditLog::pending).unwrap_or_default().to_vec(),
                refusal: self.check_space().err(),
                tally: Tally::default(),
            };
            for job in jobs {
                deliveries.push((job.work)(&mut batch)?);
            }
            let written = if batch.tally.writes == 0 {
                Written::Nothing
            } else {
                Written::Something
            };
            if written == Written::Something && audit.is_some() {
                batch.keep_audit()?;
            }
            done = Done {
                counts: batch.counts,
                audit: batch.audit,
                tally: batch.tally,
            };
            Ok(written)
        })?;
        Ok(done)
    }

    /// Notes what a commit did; gives the lines for the audit log.
    fn account(&self, done: Done, started: Instant) -> Vec<u8> {
        if done.tally.writes == 0 {
            return done.audit;
        }
        *lock(&self.counts) = done.counts;
        let room = self.room.bytes.load(Ordering::Relaxed);
        let room = room
            .saturating_add(done.tally.freed)
            .saturating_sub(done.tally.used);
        self.room.bytes.store(room, Ordering::Relaxed);
        self.tallies.put.fetch_add(done.tally.put, Ordering::Relaxed);
        self.tallies
            .finals
            .fetch_add(done.tally.finals, Ordering::Relaxed);
        self.tallies.commits.fetch_add(1, Ordering::Relaxed);
        metrics::histogram!(meter::COMMIT_SECS).record(started.elapsed().as_secs_f64());
        if let Ok(mails) = u32::try_from(done.tally.put)
            && mails > 0
        {
            metrics::histogram!(meter::COMMIT_LETTERS).record(f64::from(mails));
        }
        metrics::counter!(meter::QUEUE_DAMAGED).increment(done.tally.damaged);
        for state in State::ALL {
            let count = u32::try_from(self.count(state)).unwrap_or(u32::MAX);
            metrics::gauge!(meter::QUEUE_ENTRIES, "state" => state.as_str()).set(f64::from(count));
        }
        self.changes.send_modify(|count| *count += 1);
        done.audit
    }
}

#[derive(Default)]
struct Done {
    counts: StateCounts,
    audit: Vec<u8>,
    tally: Tally,
}

/// Who runs the transactions.
pub(super) enum Writer {
    /// A thread of its own, which gathers callers.
    Thread {
        /// `None` while the queue is dropped.
        jobs: Option<Sender<Job>>,
        room: Arc<Semaphore>,
        thread: Option<JoinHandle<()>>,
    },
    /// The caller itself: in memory, where there is no sync to share.
    Caller,
}

impl Writer {
    pub(super) fn spawn(core: &Arc<Core>) -> std::io::Result<Writer> {
        let (jobs, receiver) = channel();
        let core = Arc::clone(core);
        let thread = std::thread::Builder::new()
            .name("queue-writer".to_owned())
            .spawn(move || serve(&core, &receiver))?;
        Ok(Writer::Thread {
            jobs: Some(jobs),
            room: Arc::new(Semaphore::new(QUEUE_JOBS_MAX)),
            thread: Some(thread),
        })
    }

    /// Does some work in a transaction that others share. Durable when it returns.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        core: &Core,
        bytes: usize,
        work: impl FnOnce(&mut Batch<'_, '_>) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (sender, notice) = oneshot::channel();
        let work: Work = Box::new(move |batch| {
            let done = work(batch)?;
            Ok(Box::new(move || {
                // The caller may have gone meanwhile; what it wanted is done.
                let _ = sender.send(done);
            }))
        });
        let job = Job { bytes, work };
        match self {
            Writer::Caller => {
                core.commit(vec![job]);
                notice.await.map_err(|_| core.fault())
            }
            Writer::Thread { jobs, room, .. } => {
                let _place = room.acquire().await.map_err(|_| core.fault())?;
                let jobs = jobs.as_ref().ok_or_else(|| core.fault())?;
                jobs.send(job).map_err(|_| core.fault())?;
                notice.await.map_err(|_| core.fault())
            }
        }
    }

    /// Asks for some work whose end nobody waits for.
    pub(super) fn ask(
        &self,
        core: &Core,
        work: impl FnOnce(&mut Batch<'_, '_>) -> Result<(), redb::Error> + Send + 'static,
    ) {
        let work: Work = Box::new(move |batch| {
            work(batch)?;
            Ok(Box::new(|| ()))
        });
        let job = Job { bytes: 0, work };
        match self {
            Writer::Caller => core.commit(vec![job]),
            // Where the writer has stopped, the next start finds what there is to do.
            Writer::Thread { jobs, .. } => drop(jobs.as_ref().map(|jobs| jobs.send(job))),
        }
    }

    /// Whether writes are taken at all.
    pub(super) fn is_alive(&self) -> bool {
        match self {
            Writer::Caller => true,
            Writer::Thread { thread, .. } => thread.as_ref().is_some_and(|thread| !thread.is_finished()),
        }
    }
}

impl Core {
    fn fault(&self) -> QueueError {
        lock(&self.fault).clone()
    }
}

impl Drop for Writer {
    /// Waits for what is under way, so that the file is free when the queue is gone.
    fn drop(&mut self) {
        let Writer::Thread { jobs, thread, .. } = self else {
            return;
        };
        drop(jobs.take());
        if let Some(thread) = thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// The writer's thread: until the last queue is gone.
fn serve(core: &Core, jobs: &Receiver<Job>) {
    let mut expected = 1;
    while let Ok(first) = jobs.recv() {
        let mut bytes = first.bytes;
        let mut batch = vec![first];
        // Those who shared the last commit are told at one time and come again within moments: a commit for
        // the first of them alone would keep the others waiting for a whole sync.
        let until = Instant::now() + Duration::from_micros(COMMIT_GATHER_MICROS);
        while batch.len() < COMMIT_JOBS_MAX && bytes < COMMIT_BYTES_MAX {
            let next = match batch.len() < expected {
                true => jobs.recv_timeout(until.saturating_duration_since(Instant::now())),
                false => jobs.try_recv().map_err(|_| RecvTimeoutError::Timeout),
            };
            let Ok(next) = next else { break };
            bytes = bytes.saturating_add(next.bytes);
            batch.push(next);
        }
        expected = batch.len();
        core.commit(batch);
    }
}

/// A lock whose holder panicked is taken over: what it guards is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
