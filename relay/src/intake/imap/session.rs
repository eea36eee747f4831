//! Commands to the server, one after the other, over any stream.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::frame::{Frames, TooLong};
use super::mailbox_name;
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

/// Whether the server wants to know who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Welcome {
    /// By a log-in.
    Stranger,
    /// It knows already (PREAUTH).
    Known,
}

/// What is known of a UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// A message has it, of so many bytes where the server says so.
    Message(Option<u32>),
    /// A message may have it.
    Maybe,
}

/// What came of fetching a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fetched {
    /// Its bytes, or the first of them where it is larger than any mail may be.
    Mail(Vec<u8>),
    /// The server knows it, and gives nothing of it.
    Empty,
    /// It is there no more.
    Gone,
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
    #[error(
        "the server logged in by itself (PREAUTH) before STARTTLS, so that the connection cannot be protected; set `imap.protection` to \"tls\""
    )]
    KnownBeforeTls,
    #[error(
        "the server offers no log-in by password on this connection (LOGINDISABLED, and no AUTH=PLAIN); set `imap.protection` to \"tls\" or \"starttls\""
    )]
    NoLogIn,
    #[error("the {0} holds a line end, which IMAP cannot carry")]
    LineEnd(&'static str),
    #[error(
        "the {0} has characters beyond ASCII, and the server offers no AUTH=PLAIN, which could carry them"
    )]
    BeyondAscii(&'static str),
    #[error("{path}: {error}")]
    File { path: String, error: String },
    #[error("{0}")]
    Password(#[from] crate::config::secret::PasswordError),
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
    /// Messages in the mailbox, as far as the server told.
    messages: u32,
    /// The server told of messages since it was last looked at.
    pub(super) has_news: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn new(stream: S) -> Session<S> {
        Session {
            stream,
            frames: Frames::default(),
            tags: 0,
            messages: 0,
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
                if let Response::Exists(messages) = response {
                    (self.messages, self.has_news) = (messages, true);
                }
                if response == Response::Expunge {
                    self.messages = self.messages.saturating_sub(1);
                }
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
        each: impl FnMut(Response),
    ) -> Result<(), ImapError> {
        self.command_with(name, line, None, each).await
    }

    /// The same, with the line to send where the server asks for one.
    async fn command_with(
        &mut self,
        name: &'static str,
        line: &str,
        mut more: Option<&str>,
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
                    Response::Continue if more.is_some() => {
                        self.send(more.take().unwrap_or_default()).await?;
                    }
                    response => each(response),
                }
            }
        })
        .await
    }

    /// Reads the line with which a server begins.
    pub(super) async fn greeting(&mut self) -> Result<Welcome, ImapError> {
        let response = in_time(self.next()).await?;
        if response == Response::Preauth {
            return Ok(Welcome::Known);
        }
        match matches!(response, Response::Remark | Response::UidValidity(_)) {
            true => Ok(Welcome::Stranger),
            false => Err(ImapError::Malformed(Malformed)),
        }
    }

    /// Asks for TLS. After it the stream must be taken with [`Session::into_stream`].
    pub(super) async fn starttls(&mut self) -> Result<(), ImapError> {
        self.command("STARTTLS", "STARTTLS", |_| {}).await
    }

    /// What the server offers now, in upper case. It may offer more after the log-in.
    async fn capabilities(&mut self) -> Result<Vec<String>, ImapError> {
        let mut offered = Vec::new();
        self.command("CAPABILITY", "CAPABILITY", |response| {
            if let Response::Capability(names) = response {
                offered = names;
            }
        })
        .await?;
        Ok(offered)
    }

    /// Whether the server offers IDLE.
    pub(super) async fn idle_offered(&mut self) -> Result<Idle, ImapError> {
        let offered = self.capabilities().await?;
        Ok(match offered.iter().any(|name| name == "IDLE") {
            true => Idle::Offered,
            false => Idle::Missing,
        })
    }

    /// Logs in: by AUTH=PLAIN (RFC 4616), which carries any text, or else by LOGIN.
    pub(super) async fn log_in(&mut self, user: &str, password: &str) -> Result<(), ImapError> {
        check_line("user", user)?;
        check_line("password", password)?;
        let offered = self.capabilities().await?;
        let offers = |wanted: &str| offered.iter().any(|name| name == wanted);
        if offers("AUTH=PLAIN") {
            let secret = STANDARD.encode(format!("\0{user}\0{password}"));
            // RFC 4959: the answer in the command itself.
            let (line, more) = match offers("SASL-IR") {
                true => (format!("AUTHENTICATE PLAIN {secret}"), None),
                false => ("AUTHENTICATE PLAIN".to_owned(), Some(secret.as_str())),
            };
            return self.command_with("AUTHENTICATE", &line, more, |_| {}).await;
        }
        if offers("LOGINDISABLED") {
            return Err(ImapError::NoLogIn);
        }
        let line = format!(
            "LOGIN {} {}",
            quoted("user", user)?,
            quoted("password", password)?
        );
        self.command("LOGIN", &line, |_| {}).await
    }

    /// Opens a mailbox to read only. Its UIDVALIDITY.
    pub(super) async fn examine(&mut self, mailbox: &str) -> Result<u32, ImapError> {
        let mut validity = None;
        let line = format!("EXAMINE {}", quoted("mailbox", &mailbox_name::encode(mailbox))?);
        self.command("EXAMINE", &line, |response| {
            if let Response::UidValidity(number) = response {
                validity = Some(number);
            }
        })
        .await?;
        validity.ok_or(ImapError::NoUidValidity)
    }

    /// UIDs after `last`, the smallest `max` of them.
    ///
    /// A listing that ends in NO has what the server could read (RFC 3501 section 6.4.5). A message that it
    /// could not read may have any of the UIDs between.
    pub(super) async fn list_after(
        &mut self,
        last: u32,
        max: usize,
    ) -> Result<BTreeMap<u32, Listed>, ImapError> {
        let mut listed = BTreeMap::new();
        let Some(first) = last.checked_add(1) else {
            return Ok(listed);
        };
        let line = format!("UID FETCH {first}:* (UID RFC822.SIZE)");
        let ended = self.command("UID FETCH", &line, |response| {
            if let Response::Row(Row { uid: Some(uid), size, .. }) = response
                // `first:*` names the last message even where its UID is smaller. RFC 9051 section 9,
                // seq-range.
                && uid >= first
            {
                listed.insert(uid, Listed::Message(size));
                if listed.len() > max {
                    listed.pop_last();
                }
            }
        });
        match ended.await {
            Ok(()) => {}
            // There is no `*` in an empty mailbox, which some servers call an error.
            Err(ImapError::No { .. }) if self.messages == 0 => return Ok(BTreeMap::new()),
            Err(ImapError::No { text, .. }) if !listed.is_empty() => {
                tracing::warn!(
                    text,
                    "the server could not list all messages; each is asked for on its own"
                );
                let end = listed.keys().next_back().copied().unwrap_or(first);
                for uid in (first..=end).take(max) {
                    listed.entry(uid).or_insert(Listed::Maybe);
                }
                while listed.len() > max {
                    listed.pop_last();
                }
            }
            Err(error) => return Err(error),
        }
        Ok(listed)
    }

    /// A message. Its body is asked for up to one byte more than any mail may have.
    pub(super) async fn fetch(&mut self, uid: u32) -> Result<Fetched, ImapError> {
        let mut fetched = Fetched::Gone;
        let line = format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{}>)", MAIL_BYTES_MAX + 1);
        self.command("UID FETCH", &line, |response| {
            let Response::Row(row) = response else { return };
            if row.uid != Some(uid) {
                return;
            }
            match row.body {
                Some(body) if !body.is_empty() => fetched = Fetched::Mail(body),
                _ if fetched == Fetched::Gone => fetched = Fetched::Empty,
                _ => {}
            }
        })
        .await?;
        Ok(fetched)
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
                    | Response::Preauth
                    | Response::Bye(_)
                    | Response::UidValidity(_)
                    | Response::Capability(_)
                    | Response::Exists(_)
                    | Response::Expunge
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

fn check_line(what: &'static str, text: &str) -> Result<(), ImapError> {
    match text.contains(['\r', '\n', '\0']) {
        true => Err(ImapError::LineEnd(what)),
        false => Ok(()),
    }
}

/// A quoted string. RFC 3501 section 9: ASCII, and no line end.
fn quoted(what: &'static str, text: &str) -> Result<String, ImapError> {
    check_line(what, text)?;
    if !text.is_ascii() {
        return Err(ImapError::BeyondAscii(what));
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}
