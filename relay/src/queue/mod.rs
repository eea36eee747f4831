//! The durable queue: one entry for one mail, its text, the outbox of answers, and marks of the doors.
//!
//! What a method has answered is on disk: one writer gathers what many sessions want and syncs once for all of them.

mod entry;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

pub use entry::{Answer, AnswerKind, AnswerState, Dkim, Entry, Kind, MailId, MailIdError, State, Thread};

/// Why the queue cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The disk refused, or is nearly full. Nothing was kept.
    #[error("the disk refused: {0}")]
    Disk(String),
    /// Too many mails wait. Nothing was kept.
    #[error("{waiting} mails wait already, which is the most that the configuration allows")]
    Full {
        /// How many.
        waiting: usize,
    },
}

/// What became of a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is new, and on disk.
    New,
    /// The mail was there before, in this state and under this name; nothing was written.
    Known(State, crate::letter::TraceId),
}

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Held or not held.
    pub held: Option<bool>,
    /// From this address (canonical).
    pub from: Option<String>,
    /// At most so many, oldest first; `None` for all.
    pub max: Option<usize>,
}

/// The queue. Clones are the same queue.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<Memory>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Memory {
    entries: BTreeMap<MailId, Entry>,
    mails: BTreeMap<MailId, Vec<u8>>,
    answers: BTreeMap<(MailId, AnswerKind), Answer>,
    marks: BTreeMap<String, String>,
}

/// What a change does.
pub type Change = Box<dyn FnOnce(&mut Entry) -> Vec<Answer> + Send>;

impl Queue {
    /// An empty queue that forgets everything.
    pub fn in_memory() -> Queue {
        Queue {
            inner: Arc::new(Inner {
                state: Mutex::default(),
                changes: watch::Sender::new(0),
            }),
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed_now(&self) {
        self.inner.changes.send_modify(|count| *count += 1);
    }

    /// Keeps a mail. Durable when it returns.
    pub async fn put(&self, entry: Entry, mail: Vec<u8>) -> Result<Put, QueueError> {
        {
            let mut memory = self.memory();
            if let Some(known) = memory.entries.get(&entry.id) {
                return Ok(Put::Known(known.state, known.trace.clone()));
            }
            memory.mails.insert(entry.id, mail);
            memory.entries.insert(entry.id, entry);
        }
        self.changed_now();
        Ok(Put::New)
    }

    /// Changes an entry and puts the answers that the change gives into the outbox, both or neither; an answer whose key
    /// is there already is left as it is. `None` where there is no such entry. Durable when it returns.
    pub async fn change(&self, id: MailId, change: Change) -> Result<Option<Entry>, QueueError> {
        let changed = {
            let mut memory = self.memory();
            let Some(mut entry) = memory.entries.get(&id).cloned() else {
                return Ok(None);
            };
            for answer in change(&mut entry) {
                memory
                    .answers
                    .entry((answer.about, answer.kind))
                    .or_insert(answer);
            }
            memory.entries.insert(id, entry.clone());
            entry
        };
        self.changed_now();
        Ok(Some(changed))
    }

    /// One entry.
    pub fn entry(&self, id: MailId) -> Result<Option<Entry>, QueueError> {
        Ok(self.memory().entries.get(&id).cloned())
    }

    /// The mail of an entry, while it is kept.
    pub fn mail(&self, id: MailId) -> Result<Option<Vec<u8>>, QueueError> {
        Ok(self.memory().mails.get(&id).cloned())
    }

    /// Entries, oldest first.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Entry>, QueueError> {
        let memory = self.memory();
        let mut found: Vec<Entry> = memory
            .entries
            .values()
            .filter(|entry| filter.state.is_none_or(|state| entry.state == state))
            .filter(|entry| filter.held.is_none_or(|held| entry.is_held == held))
            .filter(|entry| filter.from.as_ref().is_none_or(|from| entry.from == *from))
            .cloned()
            .collect();
        found.sort_by_key(|entry| (entry.received_at, entry.id));
        found.truncate(filter.max.unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Entries to be tried at `now` (Unix seconds), the longest due first: not final, not held.
    pub fn due(&self, now: u64, max: usize) -> Vec<MailId> {
        let memory = self.memory();
        let mut due: Vec<(u64, MailId)> = memory
            .entries
            .values()
            .filter(|entry| !entry.state.is_final() && !entry.is_held && entry.next_try <= now)
            .map(|entry| (entry.next_try, entry.id))
            .collect();
        due.sort_unstable();
        due.into_iter().take(max).map(|(_, id)| id).collect()
    }

    /// A number that grows whenever something was written.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// How many entries are in each state.
    pub fn counts(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.memory().entries.values() {
            *counts.entry(entry.state).or_insert(0) += 1;
        }
        counts
    }

    /// Answers to be sent at `now`, the longest due first.
    pub fn answers_due(&self, now: u64, max: usize) -> Vec<Answer> {
        let memory = self.memory();
        let due = memory.answers.values();
        due.filter(|answer| answer.state == AnswerState::Waiting && answer.next_try <= now)
            .take(max)
            .cloned()
            .collect()
    }

    /// Answers made for an address since `since` (Unix seconds), withheld ones left out.
    pub fn answers_to(&self, address: &str, since: u64) -> u32 {
        let memory = self.memory();
        let made = memory.answers.values().filter(|answer| {
            answer.to == address && answer.made_at >= since && answer.state != AnswerState::Withheld
        });
        u32::try_from(made.count()).unwrap_or(u32::MAX)
    }

    /// Answers about a mail.
    pub fn answers_about(&self, about: MailId) -> Vec<Answer> {
        let memory = self.memory();
        memory
            .answers
            .values()
            .filter(|answer| answer.about == about)
            .cloned()
            .collect()
    }

    /// Replaces an answer. Durable when it returns.
    pub async fn set_answer(&self, answer: Answer) -> Result<(), QueueError> {
        self.memory().answers.insert((answer.about, answer.kind), answer);
        self.changed_now();
        Ok(())
    }

    /// A mark of a door, such as the last UID of a mailbox.
    pub fn mark(&self, name: &str) -> Result<Option<String>, QueueError> {
        Ok(self.memory().marks.get(name).cloned())
    }

    /// Sets a mark. Durable when it returns.
    pub async fn set_mark(&self, name: &str, value: String) -> Result<(), QueueError> {
        self.memory().marks.insert(name.to_owned(), value);
        Ok(())
    }
}
