//! One entry at the nodes: handed in, asked for, written back.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use amendment::EmailId;
use rpc::api::{LedgerChoice, SubmitEmail, SubmitMode, Transactions, TxKey};
use rpc::methods::{Form, LedgerReply, LedgerRequest, TxRequest};
use rpc::reply::ResultCode;

use super::answer::{NodeAnswer, TxAnswer, Unreadable, weigh_tx};
use super::decide::{Next, Step, Times, decide, decide_validated, is_contradicted, is_over};
use super::nodes::{NodeError, Nodes};
use crate::clock::Clock;
use crate::meter;
use crate::notices::{Announce, Ask, AskError};
use crate::queue::{Dkim, End, Entry, MailId, Notice, Progress, Queue, QueueError, Request, State};

/// What the jobs share.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) queue: Queue,
    pub(super) nodes: Arc<Nodes>,
    pub(super) clock: Clock,
    pub(super) announce: Arc<dyn Announce>,
    pub(super) ask: Arc<dyn Ask>,
    /// Close time of the last ledger that a node told, Unix seconds; zero before that.
    pub(super) ledger: Arc<AtomicU64>,
}

/// What became of one entry.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is final, held, gone, or waits for its next try.
    Rests,
    /// A node has it.
    Submitted {
        /// The node.
        node: usize,
    },
    /// A node had it when asked, and still has it.
    Unchanged,
    /// No node could be asked; nothing was written.
    NoNode,
    /// Every node that answered replied nonsense; nothing was written yet.
    Senseless(String),
    /// The queue's disk refuses.
    NoDisk(QueueError),
}

impl From<QueueError> for Outcome {
    fn from(error: QueueError) -> Self {
        Outcome::NoDisk(error)
    }
}

const LAST_LEDGER: LedgerRequest = LedgerRequest {
    ledger: LedgerChoice::Validated,
    transactions: Transactions::Omitted,
};

fn tx_of(email_id: EmailId) -> TxRequest {
    TxRequest {
        key: TxKey::Email(email_id.hash()),
        form: Form::Json,
    }
}

/// What the nodes say of one mail.
enum Consulted {
    /// This, by that node.
    Said(Box<Next>, usize),
    /// None could be asked.
    Nobody,
    /// Nothing that makes sense.
    Senseless(String),
    /// The request went out and no answer came, or the nodes are busy.
    NoWord(String),
}

impl Context {
    /// Hands in an entry that is due.
    pub(super) async fn try_entry(&self, id: MailId) -> Outcome {
        self.try_known(id).await.unwrap_or_else(Outcome::from)
    }

    async fn try_known(&self, id: MailId) -> Result<Outcome, QueueError> {
        let Some(entry) = self.live_entry(id)? else {
            return Ok(Outcome::Rests);
        };
        if entry.next_try > (self.clock)() {
            // Its place in the list of due entries is older than its last try.
            return Ok(Outcome::Unchanged);
        }
        match &entry.request {
            Request::Order { .. } => self.hand_in(entry).await,
            Request::Balance | Request::History => self.answer_question(entry).await,
        }
    }

    /// Asks what became of a submitted entry, at the node that has it.
    pub(super) async fn ask_for(&self, id: MailId, node: usize) -> Outcome {
        self.ask_known(id, node).await.unwrap_or_else(Outcome::from)
    }

    async fn ask_known(&self, id: MailId, node: usize) -> Result<Outcome, QueueError> {
        let Some(entry) = self.live_entry(id)? else {
            return Ok(Outcome::Rests);
        };
        let Some(email_id) = entry.email_id() else {
            return self.hand_in(entry).await;
        };
        match self.nodes.call_at(node, &tx_of(email_id)).await {
            Ok(reply) => match weigh_tx(&entry, &reply) {
                // Of a mail that is not proven, only the answer to the mail itself tells whether it is the
                // one.
                Ok(TxAnswer::Validated(found)) if entry.dkim == Dkim::Proven => {
                    self.write(&entry, decide_validated(found), Some(node)).await
                }
                Ok(TxAnswer::OnItsWay) => Ok(Outcome::Unchanged),
                Ok(TxAnswer::Validated(_) | TxAnswer::Failed) | Err(_) => self.hand_in(entry).await,
            },
            Err(NodeError::Refused { .. } | NodeError::Malformed(_)) => self.hand_in(entry).await,
            // The next try of the entry comes in any case.
            Err(_) => Ok(Outcome::Unchanged),
        }
    }

    fn live_entry(&self, id: MailId) -> Result<Option<Entry>, QueueError> {
        let entry = self.queue.entry(id)?;
        Ok(entry.filter(|entry| !entry.is_final() && !entry.is_held()))
    }

    async fn hand_in(&self, entry: Entry) -> Result<Outcome, QueueError> {
        let Some(mail) = self.queue.mail(entry.id)? else {
            let next = Next::hold("The text of the mail is no longer in the queue.".to_owned());
            return self.write(&entry, next, None).await;
        };
        match self.consult(&entry, mail).await {
            Consulted::Said(next, node) => self.write(&entry, *next, Some(node)).await,
            Consulted::Nobody => Ok(Outcome::NoNode),
            Consulted::Senseless(word) => Ok(Outcome::Senseless(word)),
            Consulted::NoWord(word) => self.write_later(&entry, word).await,
        }
    }

    /// Tried again: no node could say anything about the mail.
    pub(super) async fn write_later(&self, entry: &Entry, word: String) -> Result<Outcome, QueueError> {
        let next = Next::no_word(entry, word, (self.clock)());
        self.write(entry, next, None).await
    }

    /// Hands the mail to the nodes, the one that has it already first, until one takes it.
    async fn consult(&self, entry: &Entry, mail: Vec<u8>) -> Consulted {
        let request = SubmitEmail {
            mail,
            mode: SubmitMode::Submit,
        };
        let first = entry.progress.holder().and_then(|name| self.nodes.position(name));
        let others = (0..self.nodes.count()).filter(|at| Some(*at) != first);
        let mut best: Option<(Next, usize)> = None;
        let mut failed = Consulted::Nobody;
        let mut absent = false;
        for at in first.into_iter().chain(others) {
            let read = match self.nodes.call_at(at, &request).await {
                Ok(reply) => Ok(NodeAnswer::from(reply)),
                Err(NodeError::Resting | NodeError::Down(_)) => {
                    absent = true;
                    continue;
                }
                Err(error @ (NodeError::Silent(_) | NodeError::Busy { .. })) => {
                    failed = Consulted::NoWord(error.to_string());
                    continue;
                }
                Err(
                    error @ (NodeError::Unreadable | NodeError::Malformed(_) | NodeError::Refused { .. }),
                ) => Err(error.to_string()),
            };
            let next = match read {
                Ok(answer) => self.next_of(entry, &answer, at).await,
                Err(word) => Err(word),
            };
            match next {
                Ok(next) if next.step.is_taken() => return Consulted::Said(Box::new(next), at),
                Ok(next) => {
                    let is_better = best
                        .as_ref()
                        .is_none_or(|(known, _)| next.step.rank() > known.step.rank());
                    if is_better {
                        best = Some((next, at));
                    }
                }
                Err(word) => {
                    tracing::warn!(trace = %entry.trace, id = %entry.id, node = self.nodes.name(at), word, "an answer is not understood");
                    if matches!(failed, Consulted::Nobody) {
                        failed = Consulted::Senseless(word);
                    }
                }
            }
        }
        match (best, failed) {
            // A node that was asked and said nothing might have taken it: its silence outweighs a refusal.
            (Some((next, _)), Consulted::NoWord(word)) if next.step.rank() < 2 => Consulted::NoWord(word),
            (Some((next, at)), _) if absent => {
                Consulted::Said(Box::new(next.without_absent(entry, (self.clock)())), at)
            }
            (Some((next, at)), _) => Consulted::Said(Box::new(next), at),
            (None, failed) => failed,
        }
    }

    async fn next_of(&self, entry: &Entry, answer: &NodeAnswer, at: usize) -> Result<Next, String> {
        // The window seems to be over: a ledger has to say so.
        if (self.clock)() > entry.executable_until {
            let ledger = self.nodes.call_at(at, &LAST_LEDGER).await;
            self.see_ledger(ledger.ok());
        }
        let next = decide(entry, answer, self.times());
        let (Step::LookUp, Some(email_id)) = (next.step, entry.email_id()) else {
            return Ok(next);
        };
        let Ok(found) = self.nodes.call_at(at, &tx_of(email_id)).await else {
            return Ok(next);
        };
        match weigh_tx(entry, &found) {
            Ok(TxAnswer::Validated(found)) => Ok(Next {
                proof: next.proof,
                ..decide_validated(found)
            }),
            Ok(TxAnswer::OnItsWay | TxAnswer::Failed) => Ok(next),
            Err(error @ Unreadable::OtherTransaction(_)) => Err(error.to_string()),
            Err(Unreadable::Member(_)) => Ok(next),
        }
    }

    /// The time by the relay's clock, and by the last ledger that a node told.
    fn times(&self) -> Times {
        let ledger = self.ledger.load(Ordering::Relaxed);
        Times {
            now: (self.clock)(),
            ledger: (ledger > 0).then_some(ledger),
        }
    }

    fn see_ledger(&self, reply: Option<LedgerReply>) -> Option<u64> {
        let closed_at = reply?.close_time?.to_unix();
        self.ledger.store(closed_at, Ordering::Relaxed);
        Some(closed_at)
    }

    /// Close time of the last ledger of whichever node answers, Unix seconds.
    pub(super) async fn ledger_time(&self) -> Option<u64> {
        self.see_ledger(self.nodes.call(&LAST_LEDGER).await.ok())
    }

    async fn answer_question(&self, entry: Entry) -> Result<Outcome, QueueError> {
        let now = (self.clock)();
        let is_over = is_over(&entry, self.times());
        let (end, notices): (fn(End) -> Progress, _) = match self.ask.ask(&entry).await {
            Ok(notices) => (Progress::Answered, notices),
            Err(AskError::NoQuestion) => (Progress::Refused, Vec::new()),
            Err(_) if is_over => (Progress::Expired, Vec::new()),
            Err(error) => return self.write_later(&entry, error.to_string()).await,
        };
        let mut notices = Some(notices);
        let made = move |entry: &mut Entry| {
            entry.progress = end(entry.end(now));
            entry.tries = entry.tries.saturating_add(1);
            notices.take().unwrap_or_default()
        };
        self.change(entry.id, made).await?;
        Ok(Outcome::Rests)
    }

    async fn write(&self, entry: &Entry, next: Next, node: Option<usize>) -> Result<Outcome, QueueError> {
        let times = self.times();
        let name = node.map(|at| self.nodes.name(at).to_owned());
        let mut next = Some(next);
        let made = move |entry: &mut Entry| {
            if let Some(next) = next.take() {
                next.write(entry, name.as_deref(), times);
            }
            Vec::new()
        };
        let changed = self.change(entry.id, made).await?;
        if changed.is_none_or(|entry| entry.state() != State::Submitted) {
            return Ok(Outcome::Rests);
        }
        Ok(node.map_or(Outcome::Unchanged, |node| Outcome::Submitted { node }))
    }

    /// Sets an entry aside: it would stop the others. Nobody is told, since telling may be what broke.
    pub(super) async fn hold(&self, id: MailId, word: String) -> Result<(), QueueError> {
        tracing::warn!(%id, word, "a mail is set aside");
        let times = self.times();
        let hold = move |entry: &mut Entry| {
            if !entry.is_final() {
                Next::hold(word).write(entry, None, times);
            }
            Vec::new()
        };
        self.queue.change(id, Box::new(hold)).await?;
        Ok(())
    }

    /// Tries an entry later whose answers made no sense.
    pub(super) async fn put_off(&self, id: MailId, word: String) -> Result<Outcome, QueueError> {
        let Some(entry) = self.live_entry(id)? else {
            return Ok(Outcome::Rests);
        };
        self.write_later(&entry, word).await
    }

    /// Changes an entry that is not final, with the notices that the change gives, and logs it.
    async fn change(
        &self,
        id: MailId,
        mut made: impl FnMut(&mut Entry) -> Vec<Notice> + Send + 'static,
    ) -> Result<Option<Entry>, QueueError> {
        let announce = Arc::clone(&self.announce);
        let now = (self.clock)();
        let was = Arc::new(OnceLock::new());
        let tell = Arc::clone(&was);
        let change = move |entry: &mut Entry| {
            if entry.is_final() {
                return Vec::new();
            }
            let before = entry.clone();
            let mut answers = made(entry);
            answers.extend(announce.announce(&before, entry, now));
            // Nobody else sets it.
            let _ = tell.set((before.state(), before.is_held()));
            answers
        };
        let changed = self.queue.change(id, Box::new(change)).await?;
        if let (Some(entry), Some((state, is_held))) = (&changed, was.get()) {
            self.say(entry, *state, now);
            if entry.is_held() && !is_held {
                let word = entry.said.word.as_deref().unwrap_or_default();
                tracing::warn!(trace = %entry.trace, id = %entry.id, word, "a mail is set aside");
            }
        }
        Ok(changed)
    }

    fn say(&self, entry: &Entry, before: State, now: u64) {
        let code = entry
            .said
            .code
            .as_ref()
            .map(ResultCode::as_str)
            .unwrap_or_default();
        if is_contradicted(entry) {
            metrics::counter!(meter::MAILS_CONTRADICTED).increment(1);
        }
        let state = entry.state();
        if state == before {
            tracing::debug!(trace = %entry.trace, id = %entry.id, code, tries = entry.tries, "tried");
            return;
        }
        let hash = entry.progress.trail().transaction.map(|hash| hash.to_string());
        tracing::info!(
            trace = %entry.trace,
            id = %entry.id,
            state = state.as_str(),
            code,
            hash = hash.as_deref().unwrap_or_default(),
            "a mail is {}", state.as_str()
        );
        if state.is_final() {
            metrics::counter!(meter::MAILS_FINAL, "state" => state.as_str()).increment(1);
        }
        if entry.progress.outcome().is_some() {
            let secs = u32::try_from(now.saturating_sub(entry.received_at)).unwrap_or(u32::MAX);
            metrics::histogram!(meter::VALIDATED_SECS).record(f64::from(secs));
        }
    }
}
