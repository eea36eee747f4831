//! The control socket: the command line works on the live daemon through it.
//!
//! `control.sock` in the data folder, for its owner alone (0600). One JSON object a line: a [`Request`] is
//! answered by lines of [`Line`], the last of which is `"done"` or an `error`. Where no daemon runs,
//! [`Operator`] does the same on the queue itself.

mod client;
mod server;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::intake::handler::MailHandler;
use crate::limits::{CONTROL_PAGE_ENTRIES, MAIL_BYTES_MAX};
use crate::mail::{Channel, IncomingMail, Peer, TraceId};
use crate::queue::backup::Verified;
use crate::queue::ops::{OpError, Shown, Stats, Text};
use crate::queue::{Damaged, Entry, EntryView, Filter, MailId, Queue, QueueError};

pub use client::{Client, ControlError, Operator};
pub use server::Control;

/// Name of the socket in the data folder.
const SOCKET: &str = "control.sock";

/// What an operator asks. Mails are named by id or trace id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// Entries, oldest first, a line each; damaged ones after them where the filter is empty.
    List {
        /// Which entries; empty for all.
        #[serde(default)]
        filter: Filter,
    },
    /// All about a mail.
    Show {
        /// Its name.
        name: String,
        /// Whether the mail itself is wanted.
        #[serde(default)]
        text: Text,
    },
    /// Makes a mail due now.
    Retry {
        /// Its name.
        name: String,
    },
    /// Keeps a mail from being tried.
    Hold {
        /// Its name.
        name: String,
        /// The operator's reason; it stands in the entry.
        reason: String,
    },
    /// Ends a hold.
    Release {
        /// Its name.
        name: String,
    },
    /// Gives a mail up.
    Drop {
        /// Its name.
        name: String,
        /// The operator's reason; it stands in the entry.
        reason: String,
    },
    /// The queue in numbers.
    Stats,
    /// Hands a mail in.
    Put {
        /// MAIL FROM without brackets, empty for the null sender; absent where it is not known.
        reverse_path: Option<String>,
        /// The mail, hex.
        mail_hex: String,
    },
    /// Copies the data folder into a new one. The daemon writes there, so the path is absolute.
    Backup {
        /// The new folder.
        to: PathBuf,
    },
    /// Walks through the whole queue.
    Verify,
}

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// An entry: of a list, or after it was changed.
    Entry(Box<EntryView>),
    /// An entry that could not be read.
    Damaged(Damaged),
    /// All about a mail.
    Shown(Box<Shown>),
    /// The queue in numbers.
    Stats(Box<Stats>),
    /// What the handler says to a mail.
    Told(Told),
    /// What a walk through the queue found.
    Verified(Verified),
    /// The last line: it is done.
    Done,
    /// The last line: it is not done.
    Error(Refusal),
}

/// What the handler says to a mail: a [`crate::intake::handler::Reply`] that crossed the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// RFC 5321 code.
    pub code: u16,
    /// RFC 3463 code.
    pub enhanced: String,
    /// Text.
    pub lines: Vec<String>,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of reason.
    pub why: Why,
    /// A sentence for people, with the remedy.
    pub text: String,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The request is none, or too long.
    Request,
    /// No mail has this name.
    Unknown,
    /// The mail is final.
    Final,
    /// The queue, the disk or a copy failed; the same may work later.
    Failed,
    /// Too many clients; or no daemon runs, and this needs one.
    Busy,
}

impl Refusal {
    fn new(why: Why, text: impl Into<String>) -> Refusal {
        Refusal {
            why,
            text: text.into(),
        }
    }

    fn failed(error: &dyn std::error::Error) -> Refusal {
        Refusal::new(Why::Failed, error.to_string())
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Refusal {
        Refusal::failed(&error)
    }
}

impl From<OpError> for Refusal {
    fn from(error: OpError) -> Refusal {
        let why = match &error {
            OpError::Queue(_) => Why::Failed,
            OpError::Unknown(_) => Why::Unknown,
            OpError::Final { .. } => Why::Final,
        };
        Refusal::new(why, error.to_string())
    }
}

/// What requests work on.
#[derive(Clone)]
pub struct Context {
    /// The queue.
    pub queue: Queue,
    /// What takes mails; `None` where no daemon runs.
    pub handler: Option<Arc<dyn MailHandler>>,
    /// Time.
    pub clock: Clock,
}

/// The client no longer reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gone;

/// Does what is asked, and gives the lines of the answer but for the last.
async fn execute(context: &Context, request: Request, lines: &mpsc::Sender<Line>) -> Result<(), Refusal> {
    let line = match request {
        Request::List { filter } => return list(&context.queue, filter, lines).await,
        Request::Show { name, text } => {
            let queue = context.queue.clone();
            let shown = aside(move || queue.show(queue.find(&name)?, text)).await??;
            Line::Shown(Box::new(shown))
        }
        Request::Retry { name } => {
            let id = find(context, name).await?;
            changed(&context.queue.retry(id, (context.clock)()).await?)
        }
        Request::Hold { name, reason } => {
            let id = find(context, name).await?;
            changed(&context.queue.hold(id, reason).await?)
        }
        Request::Release { name } => {
            let id = find(context, name).await?;
            changed(&context.queue.release(id, (context.clock)()).await?)
        }
        Request::Drop { name, reason } => {
            let id = find(context, name).await?;
            let now = (context.clock)();
            changed(&context.queue.drop_mail(id, reason, now).await?)
        }
        Request::Stats => Line::Stats(Box::new(context.queue.stats((context.clock)())?)),
        Request::Put {
            reverse_path,
            mail_hex,
        } => Line::Told(put(context, reverse_path, &mail_hex).await?),
        Request::Backup { to } => {
            let queue = context.queue.clone();
            let copied = aside(move || queue.backup(&to)).await?;
            return copied.map_err(|error| Refusal::failed(&error));
        }
        Request::Verify => {
            let queue = context.queue.clone();
            Line::Verified(aside(move || queue.verify()).await??)
        }
    };
    // What was asked is done even where the client no longer reads.
    let _ = lines.send(line).await;
    Ok(())
}

fn changed(entry: &Entry) -> Line {
    Line::Entry(Box::new(EntryView::from(entry)))
}

async fn find(context: &Context, name: String) -> Result<MailId, Refusal> {
    let queue = context.queue.clone();
    Ok(aside(move || queue.find(&name)).await??)
}

/// Runs what may take long away from the threads that serve the listeners.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Refusal::failed(&error))
}

/// Lists page by page, so that memory holds one page at most.
async fn list(queue: &Queue, filter: Filter, lines: &mpsc::Sender<Line>) -> Result<(), Refusal> {
    let with_damaged = filter == Filter::default();
    let mut left = filter.max.unwrap_or(usize::MAX);
    let mut after = None;
    while left > 0 {
        let page = Filter {
            max: Some(left.min(CONTROL_PAGE_ENTRIES)),
            ..filter.clone()
        };
        let reader = queue.clone();
        let (found, end) = aside(move || reader.list_page(&page, after)).await??;
        if end.is_none() {
            break;
        }
        after = end;
        left = left.saturating_sub(found.len());
        for entry in found {
            if lines.send(changed(&entry)).await.is_err() {
                return Ok(());
            }
        }
    }
    if with_damaged {
        for damaged in queue.damaged()? {
            if lines.send(Line::Damaged(damaged)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn put(context: &Context, reverse_path: Option<String>, mail_hex: &str) -> Result<Told, Refusal> {
    let Some(handler) = &context.handler else {
        let text = "no daemon runs on this data folder, and only the daemon can judge a mail; start it with `relay run`";
        return Err(Refusal::new(Why::Busy, text));
    };
    let raw = hex::decode(mail_hex)
        .map_err(|_| Refusal::new(Why::Request, "mail_hex is not hex: send two digits a byte"))?;
    if raw.len() > MAIL_BYTES_MAX {
        let text = format!("the mail has more than {MAIL_BYTES_MAX} bytes; send a smaller one");
        return Err(Refusal::new(Why::Request, text));
    }
    let peer = Peer {
        channel: Channel::Pipe,
        ip: None,
        helo: String::new(),
        tls: None,
    };
    if let Err(reply) = handler
        .check_peer(&peer)
        .and_then(|()| handler.check_sender(&peer, reverse_path.as_deref().unwrap_or_default()))
    {
        return Ok(reply.into());
    }
    let incoming = IncomingMail {
        trace: TraceId::fresh(),
        peer,
        reverse_path,
        recipients: Vec::new(),
        raw,
    };
    Ok(handler.take(incoming).await.into())
}

impl From<crate::intake::handler::Reply> for Told {
    fn from(reply: crate::intake::handler::Reply) -> Told {
        Told {
            code: reply.code,
            enhanced: reply.enhanced.to_owned(),
            lines: reply.lines,
        }
    }
}
