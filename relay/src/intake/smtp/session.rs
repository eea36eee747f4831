//! The protocol: bytes in, replies and actions out. It knows no socket and no clock; time is handed in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::intake::handler::{MailHandler, Reply};
use crate::intake::smtp::content::{Content, DataReader, Ended, Flaw, Source};
use crate::intake::smtp::line::{Cut, LineCutter};
use crate::intake::smtp::reply::write_reply;
use crate::limits;
use crate::mail::{Channel, IncomingMail, Peer, TraceId};
use crate::meter;

mod command;

/// Whether STARTTLS is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// There is a certificate.
    Offered,
    /// There is none, or the connection does not leave this machine.
    NotOffered,
}

/// What a session is told about its server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name in the banner.
    pub hostname: Arc<str>,
    /// STARTTLS.
    pub start_tls: StartTls,
    /// Longest silence between two commands, or between two pieces of content.
    pub idle: Duration,
    /// Longest session.
    pub session: Duration,
    /// Makes trace ids.
    pub trace: fn() -> TraceId,
}

/// What the owner of the session has to do. Before each, what [`Session::take_output`] gives is written.
#[derive(Debug)]
pub enum Action {
    /// Hand in the bytes that were not used, then read more.
    More,
    /// Have the mail taken, and call [`Session::handle_reply`].
    Take(Box<IncomingMail>),
    /// Make a TLS handshake, and call [`Session::handle_tls`].
    StartTls,
    /// Close the connection.
    Close,
}

/// A mail that is being received, from MAIL on.
#[derive(Debug)]
struct Transaction {
    reverse_path: String,
    /// SIZE of MAIL, bytes; 0 where it was not given.
    declared_bytes: usize,
    recipients: Vec<String>,
    /// RCPT commands, the refused ones included.
    asked: usize,
    /// Content of the chunks so far; `None` before the first.
    chunks: Option<Content>,
}

/// What the next bytes are.
#[derive(Debug)]
enum Mode {
    /// Commands.
    Commands,
    /// Content after DATA.
    Data(DataReader, Content),
    /// The rest of a chunk after BDAT.
    Chunk(Chunk),
    /// None: the handler has the mail.
    Handler,
    /// None: the handshake.
    Handshake,
    /// None: the connection is closed.
    Closed,
}

/// A chunk that is being received.
#[derive(Debug)]
struct Chunk {
    left_bytes: usize,
    fate: Fate,
}

/// What becomes of a chunk.
#[derive(Debug)]
enum Fate {
    /// It is added to the content, and more will come.
    Keep,
    /// It is added, and is the last.
    KeepLast,
    /// It is read only to find its end; this is its reply.
    Skip(Reply),
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    peer: Peer,
    mode: Mode,
    line: LineCutter,
    transaction: Option<Transaction>,
    output: Vec<u8>,
    /// How many replies are owed for the mail that the handler has: one, or in LMTP one for each recipient.
    replies_owed: usize,
    errors: usize,
    idle_commands: usize,
    /// Commands that brought a mail nearer.
    steps: u64,
    started: Instant,
    /// When the last command was complete, or content last came.
    moved: Instant,
    /// When the content began.
    content_began: Instant,
    /// Since when the server is stopping.
    stopping: Option<Instant>,
}

impl Session {
    /// A new connection from `peer`, whose `channel` is [`Channel::Smtp`] or [`Channel::Lmtp`].
    #[must_use]
    pub fn new(settings: Settings, peer: Peer, now: Instant) -> Session {
        Session {
            settings,
            peer,
            mode: Mode::Commands,
            line: LineCutter::default(),
            transaction: None,
            output: Vec::new(),
            replies_owed: 0,
            errors: 0,
            idle_commands: 0,
            steps: 0,
            started: now,
            moved: now,
            content_began: now,
            stopping: None,
        }
    }

    /// Writes the banner, or the reason why there is none.
    pub fn greet(&mut self, handler: &dyn MailHandler) -> Action {
        if let Err(reply) = handler.check_peer(&self.peer) {
            return self.close_with(&reply);
        }
        let protocol = match self.peer.channel {
            Channel::Lmtp => "LMTP",
            Channel::Smtp | Channel::Imap | Channel::Maildir | Channel::Pipe => "ESMTP",
        };
        let text = format!("{} {protocol} mail that pays", self.settings.hostname);
        self.say(&Reply::new(220, "", text));
        Action::More
    }

    /// Replies to be written; empties them.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Reads bytes of the client, until they are used up or something has to be done. Gives how many were
    /// used.
    pub fn handle(&mut self, input: &[u8], now: Instant, handler: &dyn MailHandler) -> (usize, Action) {
        let mut rest = input;
        let used = |rest: &[u8]| input.len().saturating_sub(rest.len());
        while !rest.is_empty() && self.output.len() < limits::OUTPUT_BYTES_MAX {
            let (step, action) = match &self.mode {
                Mode::Commands => self.handle_command_bytes(rest, now, handler),
                Mode::Data(..) => self.handle_data_bytes(rest, now),
                Mode::Chunk(_) => self.handle_chunk_bytes(rest, now),
                Mode::Handler => return (used(rest), Action::More),
                // What was sent in the clear behind STARTTLS could pass for commands inside TLS
                // (CVE-2011-0411).
                Mode::Handshake => (rest.len(), self.close()),
                Mode::Closed => (rest.len(), Action::Close),
            };
            rest = rest.get(step..).unwrap_or(&[]);
            match action {
                Action::More => {}
                // The loop finds out whether anything was sent behind the command.
                Action::StartTls if !rest.is_empty() => {}
                Action::Take(_) | Action::StartTls | Action::Close => return (used(rest), action),
            }
        }
        (used(rest), Action::More)
    }

    /// What the handler said about the mail of [`Action::Take`].
    pub fn handle_reply(&mut self, reply: &Reply, now: Instant) -> Action {
        for _ in 0..self.replies_owed {
            self.say(reply);
        }
        self.replies_owed = 0;
        self.idle_commands = 0;
        self.step();
        self.moved = now;
        if reply.code == 421 {
            return self.close();
        }
        self.mode = Mode::Commands;
        if self.stopping.is_some() {
            return self.close_with(&stopping(&self.settings.hostname));
        }
        Action::More
    }

    /// The handshake is done: all that was said before is forgotten. RFC 3207 section 4.2.
    pub fn handle_tls(&mut self, version_and_cipher: String, now: Instant) {
        self.peer.tls = Some(version_and_cipher);
        self.peer.helo.clear();
        self.transaction = None;
        self.mode = Mode::Commands;
        self.moved = now;
    }

    /// When [`Session::handle_timeout`] has something to do, if nothing else happens before.
    #[must_use]
    pub fn timeout_at(&self) -> Instant {
        let mut at = (self.moved + self.settings.idle).min(self.started + self.settings.session);
        if let Some(length) = self.content_length() {
            let allowed_secs = limits::CONTENT_GRACE_SECS + length / limits::CONTENT_BYTES_PER_SEC_MIN;
            at = at.min(self.content_began + Duration::from_secs(allowed_secs));
        }
        if let Some(since) = self.stopping {
            at = at.min(since + Duration::from_secs(limits::STOP_SECS_MAX));
        }
        at
    }

    /// Ends the session if its time is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Action {
        if now < self.timeout_at() {
            return Action::More;
        }
        let reply = if self.stopping.is_some() {
            stopping(&self.settings.hostname)
        } else {
            Reply::new(
                421,
                "4.4.2",
                "Timeout or session too long; closing. Connect again to continue",
            )
        };
        self.close_with(&reply)
    }

    /// The server stops: immediately where no mail is being received, else after it, or after
    /// [`limits::STOP_SECS_MAX`].
    pub fn handle_stop(&mut self, now: Instant) -> Action {
        self.stopping = self.stopping.or(Some(now));
        match self.mode {
            Mode::Commands if self.transaction.is_none() => {
                self.close_with(&stopping(&self.settings.hostname))
            }
            Mode::Commands
            | Mode::Data(..)
            | Mode::Chunk(_)
            | Mode::Handler
            | Mode::Handshake
            | Mode::Closed => Action::More,
        }
    }

    /// Changes whenever the client brings a mail nearer. One whose progress stays the same is idle, whatever
    /// it says.
    #[must_use]
    pub fn progress(&self) -> u64 {
        let content = self.content_length().unwrap_or(0) / limits::PROGRESS_BYTES;
        self.steps.saturating_add(content)
    }

    fn step(&mut self) {
        self.steps = self.steps.saturating_add(1);
    }

    /// Its place is another's: all are taken, and this client was idle for longest.
    pub fn handle_full(&mut self) -> Action {
        let channel = self.peer.channel.to_string();
        metrics::counter!(meter::CONNECTIONS_REFUSED, "way" => channel, "why" => "idle").increment(1);
        let text = "All places are taken, and you were idle; connect again to continue";
        self.close_with(&Reply::new(421, "4.7.0", text))
    }

    /// Bytes of the content so far; `None` where a command is expected.
    fn content_length(&self) -> Option<u64> {
        match &self.mode {
            Mode::Data(_, content) => Some(content.length()),
            Mode::Chunk(_) => {
                let chunks = self.transaction.as_ref().and_then(|open| open.chunks.as_ref());
                Some(chunks.map_or(0, Content::length))
            }
            Mode::Commands | Mode::Handler | Mode::Handshake | Mode::Closed => None,
        }
    }

    fn say(&mut self, reply: &Reply) {
        write_reply(&mut self.output, reply);
    }

    /// A refusal, which counts if it is final.
    fn refuse(&mut self, reply: &Reply) -> Action {
        if reply.code == 421 {
            return self.close_with(reply);
        }
        self.say(reply);
        if reply.code < 500 {
            return Action::More;
        }
        self.errors = self.errors.saturating_add(1);
        if self.errors >= limits::SESSION_ERRORS_MAX {
            return self.close_with(&Reply::new(421, "4.7.0", "Too many errors; closing"));
        }
        Action::More
    }

    fn close_with(&mut self, reply: &Reply) -> Action {
        if reply.code >= 400 {
            let (channel, ip) = (self.peer.channel, self.peer.ip);
            tracing::info!(way = %channel, ?ip, code = reply.code, enhanced = reply.enhanced, "session ended by the relay");
        }
        self.say(reply);
        self.close()
    }

    fn close(&mut self) -> Action {
        self.mode = Mode::Closed;
        self.transaction = None;
        Action::Close
    }

    fn handle_command_bytes(
        &mut self,
        input: &[u8],
        now: Instant,
        handler: &dyn MailHandler,
    ) -> (usize, Action) {
        let (cut, used) = self.line.handle(input);
        let action = match cut {
            Cut::More => Action::More,
            Cut::Line(line) => {
                self.moved = now;
                self.handle_line(line, now, handler)
            }
            Cut::TooLong => {
                self.moved = now;
                self.refuse(&Reply::new(500, "5.5.6", "Line too long; at most 2048 bytes"))
            }
            Cut::Endless => self.close_with(&Reply::new(500, "5.5.6", "Line too long; closing")),
            Cut::Bare => self.close_with(&Reply::new(
                500,
                "5.5.2",
                "Bare CR or LF; end lines with CRLF. Closing",
            )),
        };
        (used, action)
    }

    fn handle_data_bytes(&mut self, input: &[u8], now: Instant) -> (usize, Action) {
        self.moved = now;
        let Mode::Data(reader, content) = &mut self.mode else {
            return (0, Action::More);
        };
        let (used, ended) = reader.handle(input, content);
        if content.is_endless() {
            return (used, self.close_with(&too_large()));
        }
        if ended == Ended::No {
            return (used, Action::More);
        }
        let content = std::mem::take(content);
        self.mode = Mode::Commands;
        (used, self.finish_content(content, Source::Data))
    }

    fn handle_chunk_bytes(&mut self, input: &[u8], now: Instant) -> (usize, Action) {
        self.moved = now;
        let Mode::Chunk(chunk) = &mut self.mode else {
            return (0, Action::More);
        };
        let piece = input.get(..chunk.left_bytes).unwrap_or(input);
        chunk.left_bytes = chunk.left_bytes.saturating_sub(piece.len());
        let is_over = chunk.left_bytes == 0;
        if let Fate::Keep | Fate::KeepLast = chunk.fate
            && let Some(open) = &mut self.transaction
        {
            open.chunks.get_or_insert_default().push(piece);
        }
        let action = if is_over {
            self.finish_chunk()
        } else {
            Action::More
        };
        (piece.len(), action)
    }

    /// All bytes of a chunk are there.
    fn finish_chunk(&mut self) -> Action {
        let Mode::Chunk(chunk) = std::mem::replace(&mut self.mode, Mode::Commands) else {
            return Action::More;
        };
        match chunk.fate {
            Fate::Skip(reply) => self.refuse(&reply),
            Fate::Keep => {
                let chunks = self.transaction.as_ref().and_then(|open| open.chunks.as_ref());
                let length = chunks.map_or(0, Content::length);
                if chunks.is_some_and(|content| content.flaw() == Some(Flaw::TooLarge)) {
                    // What still comes has no beginning: it is refused until the client starts a new mail.
                    self.transaction = None;
                    return self.refuse(&too_large());
                }
                self.say(&Reply::new(250, "2.0.0", format!("{length} bytes received")));
                Action::More
            }
            Fate::KeepLast => {
                let chunks = self.transaction.as_mut().and_then(|open| open.chunks.take());
                self.finish_content(chunks.unwrap_or_default(), Source::Chunks)
            }
        }
    }

    /// The content is complete: it goes to the handler, or is refused. In LMTP each recipient gets its reply
    /// (RFC 2033 section 4.2).
    fn finish_content(&mut self, content: Content, from: Source) -> Action {
        let Some(open) = self.transaction.take() else {
            return Action::More;
        };
        self.replies_owed = match self.peer.channel {
            Channel::Lmtp => open.recipients.len(),
            Channel::Smtp | Channel::Imap | Channel::Maildir | Channel::Pipe => 1,
        };
        let raw = match content.finish(from) {
            Ok(raw) => raw,
            Err(flaw) => return self.refuse_content(flaw, from),
        };
        self.mode = Mode::Handler;
        Action::Take(Box::new(IncomingMail {
            trace: (self.settings.trace)(),
            peer: self.peer.clone(),
            reverse_path: Some(open.reverse_path),
            recipients: open.recipients,
            raw,
        }))
    }

    /// After a bare CR or LF in DATA nothing more is read: the client may have meant an end of content that
    /// we did not see, so what follows may be no commands.
    fn refuse_content(&mut self, flaw: Flaw, from: Source) -> Action {
        let reply = match flaw {
            Flaw::TooLarge => too_large(),
            Flaw::BareCr | Flaw::BareLf => Reply::new(
                550,
                "5.6.11",
                format!("The mail has {flaw}; end every line with CRLF"),
            ),
        };
        for _ in 0..self.replies_owed {
            self.say(&reply);
        }
        self.replies_owed = 0;
        self.errors = self.errors.saturating_add(1);
        match (flaw, from) {
            (Flaw::BareCr | Flaw::BareLf, Source::Data) => self.close(),
            _ if self.errors >= limits::SESSION_ERRORS_MAX => {
                self.close_with(&Reply::new(421, "4.7.0", "Too many errors; closing"))
            }
            _ if self.stopping.is_some() => self.close_with(&stopping(&self.settings.hostname)),
            _ => Action::More,
        }
    }
}

fn too_large() -> Reply {
    let text = format!("The mail is too large; at most {} bytes", limits::MAIL_BYTES_MAX);
    Reply::new(552, "5.3.4", text)
}

fn stopping(hostname: &str) -> Reply {
    Reply::new(
        421,
        "4.3.2",
        format!("{hostname} is shutting down; connect again later"),
    )
}
