//! A mailbox that the operator has elsewhere: each message is offered once, by UIDVALIDITY and UID.
//!
//! The mailbox is opened to read only and left as it is: what was read stands in a mark in the queue, set
//! after the handler has answered. A message that the handler puts off, or that the server cannot hand over,
//! stands in the mark by its UID and is tried again, so that it holds up no other. A changed UIDVALIDITY
//! starts from the first message; the queue knows the mails already. There is no peer to tell of a refusal:
//! it is logged.
//!
//! | part | does |
//! |---|---|
//! | `connect` | a connection, from the first byte to the log-in |
//! | `frame` | bytes to whole responses |
//! | `mailbox_name` | names of mailboxes on the wire |
//! | `mark` | how far a mailbox is read |
//! | `response` | responses to what is needed of them |
//! | `session` | the commands |
//!
//! The client is these few commands and no more: docs/dependencies.md says why no library does it.

mod connect;
mod frame;
mod mailbox_name;
mod mark;
mod response;
mod session;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::config;
use crate::intake::bare;
use crate::intake::handler::MailHandler;
use crate::limits::{
    IMAP_BACK_OFF_SECS_MAX, IMAP_FAILURES_MAX, IMAP_IDLE_SECS_MAX, IMAP_LISTED_MAX, IMAP_PUT_OFF_MAX,
    IMAP_SIZE_BYTES_MAX, JUDGED_AT_ONCE_MAX, MAIL_BYTES_MAX, OFFERED_AGAIN_MAX, PUT_OFF_SECS,
};
use crate::mail::Channel;
use crate::queue::Queue;
use connect::{Stream, connect};
use mark::Mark;
use session::{Fetched, Idle, ImapError, Listed, Session};

/// Reads the mailbox for as long as it is polled, over as many connections as it takes. It may be dropped at
/// any moment.
pub async fn run(config: config::Imap, handler: Arc<dyn MailHandler>, queue: Queue) {
    let mut reader = Reader::new(config, handler, queue);
    let mut pause_secs = 1;
    loop {
        let began = Instant::now();
        let error = match connect(&reader.config).await {
            Ok((session, idle)) => reader.read(session, idle).await,
            Err(error) => error,
        };
        if began.elapsed() > Duration::from_secs(IMAP_BACK_OFF_SECS_MAX) {
            pause_secs = 1;
        }
        tracing::warn!(host = reader.config.host, %error, pause_secs, "mailbox not read; connecting again");
        sleep(Duration::from_secs(pause_secs)).await;
        pause_secs = (pause_secs * 2).min(IMAP_BACK_OFF_SECS_MAX);
    }
}

/// Connects as the configuration says, logs in and opens the mailbox; an error says in one sentence what
/// failed.
pub async fn probe(config: &config::Imap) -> Result<(), String> {
    let probing = async {
        let (mut session, _) = connect(config).await?;
        session.examine(&config.mailbox).await
    };
    probing.await.map(drop).map_err(|error| error.to_string())
}

/// What outlives a connection.
struct Reader {
    config: config::Imap,
    handler: Arc<dyn MailHandler>,
    queue: Queue,
    /// Name of the mark.
    name: String,
    /// A message over which connections ended, and how many.
    failing: Option<(u32, u32)>,
    /// When to try what was put off.
    retry_at: Instant,
    /// The last of those that was tried again; the next ones come after it.
    retried: u32,
    /// The mark as it is kept.
    kept: String,
}

/// What is to be done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Settled,
    /// Not now, for what is wrong here or at the server.
    PutOff,
    /// Not now, for what its sender did or lacks.
    PutOffForSender,
}

/// One turn through the mailbox.
#[derive(Debug, Default)]
struct Turn {
    /// Messages that the handler judges.
    judged: JoinSet<(u32, Verdict)>,
    /// Messages that were done with.
    settled: usize,
    /// A message could be put off no more: it and those after it stay new.
    is_stuck: bool,
}

impl Turn {
    /// Whether a further message may be begun. Beyond what may be put off, one at a time.
    fn has_room(&self, mark: &Mark) -> bool {
        self.judged.is_empty()
            || (self.judged.len() < JUDGED_AT_ONCE_MAX && mark.put_off.len() < IMAP_PUT_OFF_MAX)
    }
}

impl Reader {
    fn new(config: config::Imap, handler: Arc<dyn MailHandler>, queue: Queue) -> Reader {
        let name = format!("imap:{}@{}/{}", config.user, config.host, config.mailbox);
        Reader {
            config,
            handler,
            queue,
            name,
            failing: None,
            retry_at: Instant::now(),
            retried: 0,
            kept: String::new(),
        }
    }

    /// Reads until something fails, and gives that.
    async fn read<S: Stream>(&mut self, mut session: Session<S>, mut idle: Idle) -> ImapError {
        let mut mark = match self.open(&mut session).await {
            Ok(mark) => mark,
            Err(error) => return error,
        };
        loop {
            session.has_news = false;
            let turn = match self.pass(&mut session, &mut mark).await {
                Ok(0) => self.wait(&mut session, &mark, idle).await,
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            match turn {
                Ok(()) => {}
                Err(ImapError::No {
                    command: "IDLE",
                    text,
                }) => {
                    tracing::warn!(
                        host = self.config.host,
                        text,
                        "the server offers IDLE but refuses it"
                    );
                    idle = Idle::Missing;
                }
                Err(error) => return error,
            }
        }
    }

    /// Opens the mailbox and reads the mark.
    async fn open<S: Stream>(&mut self, session: &mut Session<S>) -> Result<Mark, ImapError> {
        let validity = session.examine(&self.config.mailbox).await?;
        self.kept = self.queue.mark(&self.name)?.unwrap_or_default();
        let mark = self.kept.parse::<Mark>().ok();
        match mark {
            Some(mark) if mark.validity == validity => Ok(mark),
            other => {
                tracing::info!(host = self.config.host, validity, was = ?other.map(|mark| mark.validity), "mailbox read from its first message");
                Ok(Mark::start(validity))
            }
        }
    }

    /// Offers what was put off, if it is time, and then what is new; several at a time, so that one whose
    /// key is not found holds up no other. Gives how many messages it settled.
    async fn pass<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        mark: &mut Mark,
    ) -> Result<usize, ImapError> {
        let again = self.due_again(mark).into_iter();
        let mut tasks: VecDeque<(u32, Listed)> = again.map(|uid| (uid, Listed::Maybe)).collect();
        tasks.extend(session.list_after(mark.last, IMAP_LISTED_MAX).await?);
        let mut turn = Turn::default();
        let read = self.read_all(session, mark, &mut turn, tasks).await;
        while !turn.judged.is_empty() {
            self.collect(mark, &mut turn).await?;
        }
        read.map(|()| turn.settled)
    }

    /// What was put off and is due: some of it, in turn.
    fn due_again(&mut self, mark: &Mark) -> Vec<u32> {
        if mark.put_off.is_empty() || Instant::now() < self.retry_at {
            return Vec::new();
        }
        self.retry_at = Instant::now() + Duration::from_secs(PUT_OFF_SECS);
        let after = mark.put_off.range(self.retried.saturating_add(1)..);
        let all = after.chain(mark.put_off.range(..=self.retried)).copied();
        let due: Vec<u32> = all.take(OFFERED_AGAIN_MAX).collect();
        self.retried = due.last().copied().unwrap_or(self.retried);
        due
    }

    async fn read_all<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        mark: &mut Mark,
        turn: &mut Turn,
        tasks: VecDeque<(u32, Listed)>,
    ) -> Result<(), ImapError> {
        for (uid, listed) in tasks {
            let read = self.read_one(session, uid, listed).await?;
            // Until it is judged: what ends before, the connection or the process, leaves it to be read
            // again.
            mark.put_off(uid);
            match read {
                Ok(raw) => {
                    turn.judged.spawn(offer(Arc::clone(&self.handler), uid, raw));
                }
                Err(verdict) => self.settle(mark, turn, &[(uid, verdict)]).await?,
            }
            while !turn.has_room(mark) {
                self.collect(mark, turn).await?;
            }
            if turn.is_stuck {
                tracing::warn!(
                    host = self.config.host,
                    "too many messages are put off; the rest waits"
                );
                return Ok(());
            }
        }
        Ok(())
    }

    /// Fetches a message: its bytes, or the verdict where there is nothing to judge.
    async fn read_one<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        uid: u32,
        listed: Listed,
    ) -> Result<Result<Vec<u8>, Verdict>, ImapError> {
        if let Listed::Message(Some(size)) = listed
            && size > IMAP_SIZE_BYTES_MAX
        {
            tracing::warn!(uid, size, most = MAIL_BYTES_MAX, "message passed over: too large");
            return Ok(Err(Verdict::Settled));
        }
        let failures = match self.failing {
            Some((failing, failures)) if failing == uid => failures,
            _ => 0,
        };
        if failures >= IMAP_FAILURES_MAX {
            tracing::warn!(
                uid,
                failures,
                "message put off: the connection ended each time it was fetched"
            );
            self.failing = None;
            return Ok(Err(Verdict::PutOff));
        }
        self.failing = Some((uid, failures + 1));
        let fetched = session.fetch(uid).await;
        if let Ok(_) | Err(ImapError::No { .. }) = fetched {
            self.failing = None;
        }
        Ok(Err(match fetched {
            Ok(Fetched::Mail(raw)) if raw.len() <= MAIL_BYTES_MAX => return Ok(Ok(raw)),
            Ok(Fetched::Mail(_)) => {
                tracing::warn!(uid, most = MAIL_BYTES_MAX, "message passed over: too large");
                Verdict::Settled
            }
            Ok(Fetched::Gone) if listed == Listed::Maybe => Verdict::Settled,
            Ok(Fetched::Gone | Fetched::Empty) => {
                tracing::warn!(
                    uid,
                    "message put off: the server lists it and gives nothing of it"
                );
                Verdict::PutOff
            }
            Err(error @ ImapError::No { .. }) => {
                tracing::warn!(uid, %error, "message put off");
                Verdict::PutOff
            }
            Err(error) => return Err(error),
        }))
    }

    /// Waits for the next messages that the handler has judged. One over which the handler broke stays put
    /// off.
    async fn collect(&mut self, mark: &mut Mark, turn: &mut Turn) -> Result<(), ImapError> {
        let mut judged = Vec::new();
        judged.extend(turn.judged.join_next().await.and_then(Result::ok));
        while let Some(more) = turn.judged.try_join_next() {
            judged.extend(more.ok());
        }
        self.settle(mark, turn, &judged).await
    }

    /// Notes what became of messages that stand in the mark as put off, and keeps the mark.
    async fn settle(
        &mut self,
        mark: &mut Mark,
        turn: &mut Turn,
        judged: &[(u32, Verdict)],
    ) -> Result<(), ImapError> {
        let now = Instant::now();
        for &(uid, verdict) in judged {
            let is_over = mark.put_off.len() > IMAP_PUT_OFF_MAX;
            match verdict {
                Verdict::Settled => {
                    mark.settle(uid);
                    turn.settled += 1;
                }
                Verdict::PutOffForSender if is_over => {
                    tracing::warn!(
                        uid,
                        "message passed over: it is over its sender's limit, and too many are put off"
                    );
                    mark.settle(uid);
                }
                Verdict::PutOff if is_over && uid == mark.last => {
                    mark.leave(uid);
                    turn.is_stuck = true;
                }
                Verdict::PutOff | Verdict::PutOffForSender => {
                    if self.retry_at <= now {
                        self.retry_at = now + Duration::from_secs(PUT_OFF_SECS);
                    }
                }
            }
        }
        let text = mark.to_string();
        if text != self.kept {
            self.queue.set_mark(&self.name, text.clone()).await?;
            self.kept = text;
        }
        Ok(())
    }

    /// Waits for news, and looks for itself where the server tells none: some offer IDLE and stay silent.
    async fn wait<S: Stream>(
        &self,
        session: &mut Session<S>,
        mark: &Mark,
        idle: Idle,
    ) -> Result<(), ImapError> {
        let mut most = Duration::from_secs(self.config.poll_secs.max(1));
        if !mark.put_off.is_empty() {
            let retry = self.retry_at.saturating_duration_since(Instant::now());
            most = most.min(retry.max(Duration::from_secs(1)));
        }
        match idle {
            // News without new mail, again and again, must not become a busy loop.
            _ if session.has_news => sleep(Duration::from_secs(1)).await,
            Idle::Missing => sleep(most).await,
            Idle::Offered => {
                session
                    .idle(most.min(Duration::from_secs(IMAP_IDLE_SECS_MAX)))
                    .await?;
                if session.has_news {
                    return Ok(());
                }
            }
        }
        session.noop().await
    }
}

/// Has a message judged.
async fn offer(handler: Arc<dyn MailHandler>, uid: u32, raw: Vec<u8>) -> (u32, Verdict) {
    let incoming = bare::incoming(Channel::Imap, raw);
    let trace = incoming.trace.clone();
    let reply = handler.take(incoming).await;
    tracing::info!(%trace, uid, code = reply.code, "message offered");
    tracing::debug!(%trace, reason = reply.lines.join(" "), "the handler's reply");
    let verdict = match () {
        () if reply.is_later_for_sender() => Verdict::PutOffForSender,
        () if reply.is_later() => Verdict::PutOff,
        () => Verdict::Settled,
    };
    (uid, verdict)
}

#[cfg(test)]
mod tests;
