//! The commands.

use std::borrow::Cow;
use std::time::Instant;

use smtp_proto::{Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MailFrom, RcptTo, Request};

use super::{Action, Chunk, Fate, Mode, Session, StartTls, Transaction, too_large};
use crate::intake::handler::{MailHandler, Reply};
use crate::intake::smtp::content::{Content, DataReader};
use crate::limits::{self, PATH_BYTES_MAX};
use crate::mail::Channel;

/// First words of other protocols, which a browser or proxy can be made to speak to us. A peer that speaks
/// them is not a mail server, and what it sends next was put there by someone else.
const FOREIGN_WORDS: [&str; 7] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

impl Session {
    /// One command line, without its CRLF.
    pub(super) fn handle_line(
        &mut self,
        mut line: Vec<u8>,
        now: Instant,
        handler: &dyn MailHandler,
    ) -> Action {
        if let Some(refusal) = check_bytes(&line) {
            return self.refuse(&refusal);
        }
        let word = first_word(&line);
        if FOREIGN_WORDS
            .iter()
            .any(|foreign| word.eq_ignore_ascii_case(foreign.as_bytes()))
        {
            return self.close_with(&Reply::new(421, "4.7.0", "This is a mail server; closing"));
        }
        if word.eq_ignore_ascii_case(b"BDAT") {
            return match parse_bdat(&line) {
                Some((chunk_bytes, part)) => self.bdat(chunk_bytes, part, now),
                // Its content follows, of unknown length.
                None => self.close_with(&Reply::new(501, "5.5.4", "Syntax: BDAT size [LAST]; closing")),
            };
        }
        let has_argument = word.len() < line.trim_ascii_end().len();
        // The parser wants to see the end of the line.
        line.push(b'\n');
        let plain = with_plain_path(&line);
        let request = match (Request::parse(&mut line.iter()), &plain) {
            (Err(Error::InvalidSenderAddress), Some((path, plain))) => {
                with_path(Request::parse(&mut plain.iter()), path)
            }
            (request, _) => request,
        };
        let request = match request {
            Ok(request) => request,
            Err(error) => return self.refuse(&syntax(error)),
        };
        if has_argument && let Request::Data | Request::Rset | Request::Quit | Request::StartTls = request {
            let text = format!("{} takes no argument", request.name());
            return self.refuse(&Reply::new(501, "5.5.4", text));
        }
        if let Some(reply) = self.count_idle(&request) {
            return self.close_with(&reply);
        }
        self.dispatch(request, &line, now, handler)
    }

    fn dispatch(
        &mut self,
        request: Request<Cow<'_, str>>,
        line: &[u8],
        now: Instant,
        handler: &dyn MailHandler,
    ) -> Action {
        let is_lmtp = self.peer.channel == Channel::Lmtp;
        match request {
            Request::Ehlo { host } if !is_lmtp => self.greet_back(&host, Greeting::Extended),
            Request::Helo { host } if !is_lmtp => self.greet_back(&host, Greeting::Plain),
            Request::Lhlo { host } if is_lmtp => self.greet_back(&host, Greeting::Extended),
            Request::Ehlo { .. } | Request::Helo { .. } => {
                self.refuse(&Reply::new(500, "5.5.1", "This is LMTP; use LHLO"))
            }
            Request::Lhlo { .. } => self.refuse(&Reply::new(500, "5.5.1", "This is SMTP; use EHLO")),
            Request::Mail { from } => self.mail(from, line, handler),
            Request::Rcpt { to } => self.rcpt(to, line, handler),
            Request::Data => self.data(now),
            Request::StartTls => self.start_tls(),
            Request::Rset => {
                self.transaction = None;
                self.fine(250, "2.0.0", "Reset")
            }
            Request::Noop { .. } => self.fine(250, "2.0.0", "OK"),
            Request::Vrfy { .. } => self.fine(252, "2.5.0", "Cannot verify; send the mail to find out"),
            Request::Help { .. } => self.fine(
                214,
                "2.0.0",
                "EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP STARTTLS QUIT",
            ),
            Request::Quit => self.close_with(&Reply::new(221, "2.0.0", "Bye")),
            Request::Auth { .. }
            | Request::Expn { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Bdat { .. }
            | Request::Burl { .. } => {
                let text = format!("{} is not offered", request.name());
                self.refuse(&Reply::new(502, "5.5.1", text))
            }
        }
    }

    fn fine(&mut self, code: u16, enhanced: &'static str, text: &str) -> Action {
        self.say(&Reply::new(code, enhanced, text));
        Action::More
    }

    /// Commands that lead to no mail hold a slot for nothing.
    fn count_idle(&mut self, request: &Request<Cow<'_, str>>) -> Option<Reply> {
        if let Request::Rcpt { .. } | Request::Data | Request::Quit = request {
            return None;
        }
        self.idle_commands = self.idle_commands.saturating_add(1);
        (self.idle_commands > limits::IDLE_COMMANDS_MAX)
            .then(|| Reply::new(421, "4.7.0", "Too many commands without a mail; closing"))
    }

    fn greet_back(&mut self, host: &str, greeting: Greeting) -> Action {
        if self.peer.helo.is_empty() {
            self.step();
        }
        host.clone_into(&mut self.peer.helo);
        self.transaction = None;
        let mut lines = vec![self.settings.hostname.to_string()];
        if greeting == Greeting::Extended {
            lines.extend(["PIPELINING", "8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES"].map(str::to_owned));
            lines.push(format!("SIZE {}", limits::MAIL_BYTES_MAX));
            if self.settings.start_tls == StartTls::Offered && self.peer.tls.is_none() {
                lines.push("STARTTLS".to_owned());
            }
        }
        self.say(&Reply {
            code: 250,
            enhanced: "",
            lines,
        });
        Action::More
    }

    fn mail(&mut self, from: MailFrom<Cow<'_, str>>, line: &[u8], handler: &dyn MailHandler) -> Action {
        let refusal = if self.peer.helo.is_empty() {
            Some(say_hello_first(self.peer.channel))
        } else if self.transaction.is_some() {
            Some(Reply::new(503, "5.5.1", "A mail is in progress; send RSET first"))
        } else if from.address.is_empty() && !path_of(line).is_empty() {
            Some(Reply::new(553, "5.1.7", "The sender's address has no domain"))
        } else {
            check_mail_parameters(&from)
        };
        if let Some(refusal) = refusal {
            return self.refuse(&refusal);
        }
        if let Err(refusal) = handler.check_sender(&self.peer, &from.address) {
            return self.refuse(&refusal);
        }
        self.transaction = Some(Transaction {
            reverse_path: from.address.into_owned(),
            declared_bytes: from.size,
            recipients: Vec::new(),
            asked: 0,
            chunks: None,
        });
        self.step();
        self.fine(250, "2.1.0", "Sender OK")
    }

    fn rcpt(&mut self, to: RcptTo<Cow<'_, str>>, line: &[u8], handler: &dyn MailHandler) -> Action {
        let Some(open) = &mut self.transaction else {
            return self.refuse(&Reply::new(503, "5.5.1", "Send MAIL first"));
        };
        open.asked = open.asked.saturating_add(1);
        if open.asked > limits::RECIPIENT_COMMANDS_MAX {
            return self.close_with(&Reply::new(421, "4.5.3", "Too many recipients; closing"));
        }
        if open.chunks.is_some() {
            return self.refuse(&Reply::new(503, "5.5.1", "The content has already begun"));
        }
        if to.orcpt.is_some() || to.rrvs != 0 || to.flags != 0 {
            return self.refuse(&Reply::new(555, "5.5.4", "RCPT parameter not supported"));
        }
        let address = match to.address.as_ref() {
            // The parser gives nothing for the one address that needs no domain (RFC 5321 section 4.5.1).
            "" if path_of(line).eq_ignore_ascii_case(b"postmaster") => "postmaster",
            "" => return self.refuse(&Reply::new(553, "5.1.3", "Not an address")),
            address => address,
        };
        if open.recipients.len() >= limits::RECIPIENTS_MAX {
            let text = format!("At most {} recipients a mail", limits::RECIPIENTS_MAX);
            return self.refuse(&Reply::new(452, "4.5.3", text));
        }
        if let Err(refusal) = handler.check_recipient(&self.peer, address) {
            return self.refuse(&refusal);
        }
        open.recipients.push(address.to_owned());
        self.step();
        self.fine(250, "2.1.5", "Recipient OK")
    }

    /// Whether content may come now; else the refusal.
    fn check_envelope(&self) -> Result<&Transaction, Reply> {
        match &self.transaction {
            None => Err(Reply::new(503, "5.5.1", "Send MAIL first")),
            Some(open) if open.recipients.is_empty() => {
                Err(Reply::new(503, "5.5.1", "No recipient was accepted"))
            }
            Some(open) => Ok(open),
        }
    }

    fn data(&mut self, now: Instant) -> Action {
        let declared_bytes = match self.check_envelope() {
            Err(refusal) => return self.refuse(&refusal),
            // RFC 3030 section 2: DATA may not follow BDAT.
            Ok(open) if open.chunks.is_some() => {
                return self.refuse(&Reply::new(
                    503,
                    "5.5.1",
                    "The content has already begun with BDAT",
                ));
            }
            Ok(open) => open.declared_bytes,
        };
        self.mode = Mode::Data(DataReader::default(), Content::expecting(declared_bytes));
        self.content_began = now;
        self.step();
        self.fine(354, "", "End the mail with CRLF.CRLF")
    }

    /// A chunk is always read to its end, also where it is refused: its bytes must never pass for commands.
    /// RFC 3030 section 2.
    fn bdat(&mut self, chunk_bytes: u64, part: Part, now: Instant) -> Action {
        let chunk_bytes = match usize::try_from(chunk_bytes) {
            Ok(fits) if chunk_bytes <= limits::CONTENT_SKIPPED_BYTES_MAX => fits,
            _ => return self.close_with(&too_large()),
        };
        let fate = match (self.check_envelope().err(), part) {
            (Some(refusal), _) => Fate::Skip(refusal),
            (None, Part::Inner) => Fate::Keep,
            (None, Part::Last) => Fate::KeepLast,
        };
        if let Some(open) = &mut self.transaction
            && !matches!(fate, Fate::Skip(_))
        {
            let declared_bytes = open.declared_bytes.max(chunk_bytes);
            open.chunks
                .get_or_insert_with(|| Content::expecting(declared_bytes));
        }
        self.content_began = now;
        self.mode = Mode::Chunk(Chunk {
            left_bytes: chunk_bytes,
            fate,
        });
        if chunk_bytes == 0 {
            return self.finish_chunk();
        }
        Action::More
    }

    fn start_tls(&mut self) -> Action {
        if self.peer.tls.is_some() {
            return self.refuse(&Reply::new(503, "5.5.1", "TLS is already active"));
        }
        if self.settings.start_tls == StartTls::NotOffered {
            return self.refuse(&Reply::new(502, "5.5.1", "STARTTLS is not offered"));
        }
        self.say(&Reply::new(220, "2.0.0", "Ready to start TLS"));
        self.mode = Mode::Handshake;
        Action::StartTls
    }
}

/// HELO, or EHLO and LHLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Plain,
    Extended,
}

/// Whether a chunk is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Inner,
    Last,
}

fn say_hello_first(channel: Channel) -> Reply {
    let verb = match channel {
        Channel::Lmtp => "LHLO",
        Channel::Smtp | Channel::Imap | Channel::Maildir | Channel::Pipe => "EHLO",
    };
    Reply::new(503, "5.5.1", format!("Send {verb} first"))
}

/// Printable ASCII and nothing else; addresses beyond it would need SMTPUTF8 (RFC 6531), which is not
/// offered.
fn check_bytes(line: &[u8]) -> Option<Reply> {
    if line.first() == Some(&b' ') {
        return Some(Reply::new(500, "5.5.2", "A line must begin with a command"));
    }
    if line.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let word = first_word(line);
    let is_address = word.eq_ignore_ascii_case(b"MAIL") || word.eq_ignore_ascii_case(b"RCPT");
    if is_address && line.iter().all(|byte| matches!(byte, b' '..=b'~' | 0x80..)) {
        let text = "Non-ASCII addresses are not supported here; use an ASCII address";
        return Some(Reply::new(553, "5.6.7", text));
    }
    Some(Reply::new(
        500,
        "5.5.2",
        "Control or non-ASCII characters in a command",
    ))
}

/// `BDAT size [LAST]`, RFC 3030 section 2. Not by the parser crate: beyond 64 bits it keeps the last digits
/// only, and then the rest of the chunk would pass for commands.
fn parse_bdat(line: &[u8]) -> Option<(u64, Part)> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace().skip(1);
    let size = words.next()?;
    if !size.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = match words.next() {
        None => Part::Inner,
        Some(word) if word.eq_ignore_ascii_case("LAST") => Part::Last,
        Some(_) => return None,
    };
    let size = size.parse().ok()?;
    words.next().is_none().then_some((size, part))
}

/// Up to the first space.
fn first_word(line: &[u8]) -> &[u8] {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    line.get(..end).unwrap_or(line)
}

/// What stands between the first pair of angle brackets.
fn path_of(line: &[u8]) -> &[u8] {
    let after = memchr::memchr(b'<', line).and_then(|at| line.get(at.saturating_add(1)..));
    let after = after.unwrap_or_default();
    let end = memchr::memchr(b'>', after).unwrap_or(after.len());
    after.get(..end).unwrap_or_default().trim_ascii()
}

/// A sender's address that the parser does not read, and the line with another in its place. Who the sender is
/// decides nothing here, and real ones break the grammar: address literals are in it (RFC 5321 section 4.1.3),
/// dots before the @ or one after another come from Japanese carriers.
fn with_plain_path(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let path = std::str::from_utf8(path_of(line)).ok()?;
    let (local, domain) = path.rsplit_once('@')?;
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"\\<>@,;".contains(&byte) || byte == b'@');
    if local.is_empty()
        || domain.is_empty()
        || local.contains('@')
        || !is_plain
        || path.len() > PATH_BYTES_MAX
    {
        return None;
    }
    let start = memchr::memchr(b'<', line)?;
    let end = memchr::memchr(b'>', line)?;
    let plain = [line.get(..start)?, b"<a@b.example", line.get(end..)?].concat();
    Some((path.to_owned(), plain))
}

/// The request with that sender.
fn with_path<'x>(
    request: Result<Request<Cow<'x, str>>, Error>,
    path: &str,
) -> Result<Request<Cow<'x, str>>, Error> {
    let mut request = request?;
    if let Request::Mail { from } = &mut request {
        from.address = Cow::Owned(path.to_owned());
    }
    Ok(request)
}

/// SIZE, and BODY where it is not BINARYMIME: nothing else is offered.
fn check_mail_parameters(from: &MailFrom<Cow<'_, str>>) -> Option<Reply> {
    if from.size > limits::MAIL_BYTES_MAX {
        return Some(too_large());
    }
    let offered = MailFrom {
        address: from.address.clone(),
        flags: from.flags & (MAIL_BODY_7BIT | MAIL_BODY_8BITMIME),
        size: from.size,
        ..MailFrom::default()
    };
    (*from != offered).then(|| Reply::new(555, "5.5.4", "MAIL parameter not supported"))
}

/// What the parser did not understand.
fn syntax(error: Error) -> Reply {
    match error {
        Error::InvalidSenderAddress => Reply::new(553, "5.1.7", "The sender's address is malformed"),
        Error::InvalidRecipientAddress => Reply::new(553, "5.1.3", "The recipient's address is malformed"),
        Error::SyntaxError { syntax } => Reply::new(501, "5.5.4", format!("Syntax: {syntax}")),
        Error::InvalidParameter { param } => {
            Reply::new(501, "5.5.4", format!("The value of {param} is malformed"))
        }
        Error::UnsupportedParameter { .. } => Reply::new(555, "5.5.4", "Parameter not supported"),
        _ => Reply::new(500, "5.5.1", "Unknown command"),
    }
}
