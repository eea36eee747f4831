//! Commands to the server, one after the other, over any stream.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::frame::{Frames, TooLong};
use super::response::{Malformed, Response, Row, Status, parse};
use crate::limits::{IMAP_COMMAND_SECS_MAX, MAIL_BYTES_MAX};

/// Whether the server tells of new mail by itself (RFC 2177).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// It offers IDLE.
    Offered,
    /// It does not, or refuses it.
    Missing,
}

/// Why a mailbox cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImapError {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the server closed the connection{}", if .0.is_empty() { String::new() } else { format!(": {}", .0) })]
    Closed(String),
    #[error("the server did not answer in time")]
    Silent,
    #[error("{0}")]
    TooLong(#[from] TooLong),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("the server refused {command}: {text}")]
    No { command: &'static str, text: String },
    #[error("the server names no UIDVALIDITY, so its messages have no lasting numbers")]
    NoUidValidity,
    #[error("the server sent text after its answer to STARTTLS, outside of TLS")]
    TextBeforeTls,
    #[error("the {0} holds a line end, which IMAP cannot carry")]
    LineEnd(&'static str),
    #[error("{path}: {error}")]
    File { path: String, error: String },
    #[error("TLS: {0}")]
    Tls(String),
    #[error("the queue: {0}")]
    Queue(#[from] crate::queue::QueueError),
}

/// A connection to the server.
pub(super) struct Session<S> {
    stream: S,
    frames: Frames,
    tags: u32,
    /// The server told of messages since it was last looked at.
    pub(super) has_news: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn new(stream: S) -> Session<S> {
        Session {
            stream,
            frames: Frames::default(),
            tags: 0,
            has_news: false,
        }
    }

    /// The stream, where nothing was received that is not yet read.
    pub(super) fn into_stream(self) -> Result<S, ImapError> {
        match self.frames.is_empty() {
            true => Ok(self.stream),
            false => Err(ImapError::TextBeforeTls),
        }
    }

    /// The next response. It may be dropped while it waits.
    async fn next(&mut self) -> Result<Response, ImapError> {
        loop {
            if let Some(frame) = self.frames.next() {
                let response = parse(&frame)?;
                if let Response::Bye(text) = response {
                    return Err(ImapError::Closed(text));
                }
                self.has_news |= response == Response::Exists;
                return Ok(response);
            }
            let mut bytes = [0; 8 * 1024];
            let read = self.stream.read(&mut bytes).await?;
            if read == 0 {
                return Err(ImapError::Closed(String::new()));
            }
            self.frames.handle(bytes.get(..read).unwrap_or_default())?;
        }
    }

    async fn send(&mut self, line: &str) -> Result<(), ImapError> {
        self.stream.write_all(line.as_bytes()).await?;
        self.stream.write_all(b"\r\n").await?;
        Ok(self.stream.flush().await?)
    }

    fn tag(&mut self) -> String {
        self.tags = self.tags.wrapping_add(1);
        format!("r{}", self.tags)
    }

    /// Sends a command and hands over what comes until its end. `name` stands in errors in its place, since
    /// it may hold a password.
    async fn command(
        &mut self,
        name: &'static str,
        line: &str,
        mut each: impl FnMut(Response),
    ) -> Result<(), ImapError> {
        in_time(async {
            let tag = self.tag();
            self.send(&format!("{tag} {line}")).await?;
            loop {
                match self.next().await? {
                    Response::Done {
                        tag: done,
                        status,
                        text,
                    } if done == tag => {
                        return match status {
                            Status::Ok => Ok(()),
                            Status::No | Status::Bad => Err(ImapError::No { command: name, text }),
                        };
                    }
                    response => each(response),
                }
            }
        })
        .await
    }

    /// Reads the line with which a server begins.
    pub(super) async fn greeting(&mut self) -> Result<(), ImapError> {
        let response = in_time(self.next()).await?;
        if matches!(response, Response::Remark | Response::UidValidity(_)) {
            Ok(())
        } else {
            Err(ImapError::Malformed(Malformed))
        }
    }

    /// Asks for TLS. After it the stream must be taken with [`Session::into_stream`].
    pub(super) async fn starttls(&mut self) -> Result<(), ImapError> {
        self.command("STARTTLS", "STARTTLS", |_| {}).await
    }

    /// Logs in.
    pub(super) async fn log_in(&mut self, user: &str, password: &str) -> Result<Idle, ImapError> {
        let line = format!(
            "LOGIN {} {}",
            quoted("user", user)?,
            quoted("password", password)?
        );
        self.command("LOGIN", &line, |_| {}).await?;
        let mut idle = Idle::Missing;
        self.command("CAPABILITY", "CAPABILITY", |response| {
            if let Response::Capability(names) = response
                && names.iter().any(|name| name == "IDLE")
            {
                idle = Idle::Offered;
            }
        })
        .await?;
        Ok(idle)
    }

    /// Opens a mailbox to read only. Its UIDVALIDITY.
    pub(super) async fn examine(&mut self, mailbox: &str) -> Result<u32, ImapError> {
        let mut validity = None;
        let line = format!("EXAMINE {}", quoted("mailbox", mailbox)?);
        self.command("EXAMINE", &line, |response| {
            if let Response::UidValidity(number) = response {
                validity = Some(number);
            }
        })
        .await?;
        validity.ok_or(ImapError::NoUidValidity)
    }

    /// UIDs after `last`, the smallest `max` of them, with their sizes in bytes.
    pub(super) async fn list_after(
        &mut self,
        last: u32,
        max: usize,
    ) -> Result<BTreeMap<u32, u32>, ImapError> {
        let mut listed = BTreeMap::new();
        let Some(first) = last.checked_add(1) else {
            return Ok(listed);
        };
        let line = format!("UID FETCH {first}:* (UID RFC822.SIZE)");
        self.command("UID FETCH", &line, |response| {
            if let Response::Row(Row {
                uid: Some(uid),
                size: Some(size),
                ..
            }) = response
                // `first:*` names the last message even where its UID is smaller. RFC 9051 section 9,
                // seq-range.
                && uid >= first
            {
                listed.insert(uid, size);
                if listed.len() > max {
                    listed.pop_last();
                }
            }
        })
        .await?;
        Ok(listed)
    }

    /// The message, or its first bytes where it is larger than any mail may be; `None` where it is there no
    /// more.
    pub(super) async fn fetch(&mut self, uid: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let mut found = None;
        let line = format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{}>)", MAIL_BYTES_MAX + 1);
        self.command("UID FETCH", &line, |response| {
            if let Response::Row(row) = response
                && row.uid == Some(uid)
                && row.body.is_some()
            {
                found = row.body;
            }
        })
        .await?;
        Ok(found)
    }

    /// Gives the server a chance to tell of messages.
    pub(super) async fn noop(&mut self) -> Result<(), ImapError> {
        self.command("NOOP", "NOOP", |_| {}).await
    }

    /// Waits in IDLE until the server tells of messages, or the time is over. RFC 2177.
    pub(super) async fn idle(&mut self, most: Duration) -> Result<(), ImapError> {
        let tag = self.tag();
        self.send(&format!("{tag} IDLE")).await?;
        in_time(async {
            loop {
                match self.next().await? {
                    Response::Continue => return Ok(()),
                    Response::Done { text, .. } => {
                        return Err(ImapError::No {
                            command: "IDLE",
                            text,
                        });
                    }
                    Response::Remark
                    | Response::Bye(_)
                    | Response::UidValidity(_)
                    | Response::Capability(_)
                    | Response::Exists
                    | Response::Row(_)
                    | Response::Other => {}
                }
            }
        })
        .await?;
        let waiting = async {
            while !self.has_news {
                self.next().await?;
            }
            Ok::<(), ImapError>(())
        };
        if let Ok(ended) = timeout(most, waiting).await {
            ended?;
        }
        self.send("DONE").await?;
        in_time(async {
            loop {
                if let Response::Done { tag: done, .. } = self.next().await?
                    && done == tag
                {
                    return Ok(());
                }
            }
        })
        .await
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, ImapError>>) -> Result<T, ImapError> {
    timeout(Duration::from_secs(IMAP_COMMAND_SECS_MAX), work)
        .await
        .unwrap_or(Err(ImapError::Silent))
}

/// A quoted string. RFC 9051 section 9.
fn quoted(what: &'static str, text: &str) -> Result<String, ImapError> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(ImapError::LineEnd(what));
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}
