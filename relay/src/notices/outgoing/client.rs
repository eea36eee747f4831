//! A client of SMTP: for the smarthost, and for the mail servers of receivers. RFC 5321, RFC 3207, RFC 4954.
//!
//! What matters is at which moment a connection breaks. Before the end of the mail it is certain that the
//! server has not taken it; after it, and before its reply, it is not known. The texts of replies may hold
//! any bytes: nothing but their codes decides.

use std::fmt;
use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::tls::Tls;
use crate::limits::{REPLY_LINE_BYTES_READ_MAX, REPLY_LINES_READ_MAX};
use crate::notices::page::clean;

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// Whether the server will say the same next time. RFC 5321 section 4.2.1.
    pub(super) fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// The server closes the connection. RFC 5321 section 3.8.
    fn is_farewell(&self) -> bool {
        self.code == 421
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, clean(&self.lines.join(" ")))
    }
}

/// What the client was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Connecting, up to the greeting.
    Greeting,
    /// EHLO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    LogIn,
    /// MAIL.
    Sender,
    /// RCPT.
    Receiver,
    /// DATA.
    Data,
    /// The mail itself.
    Mail,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Greeting => "the connection",
            Step::Hello => "EHLO",
            Step::StartTls => "STARTTLS",
            Step::LogIn => "the log-in",
            Step::Sender => "the envelope sender",
            Step::Receiver => "the receiver",
            Step::Data => "DATA",
            Step::Mail => "the mail",
            Step::Reset => "RSET",
            Step::Quit => "QUIT",
        })
    }
}

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The connection broke.
    #[error("the connection failed at {step}: {source}")]
    Broken {
        /// Where.
        step: Step,
        /// The system's reason.
        source: io::Error,
    },
    /// The server said nothing for too long.
    #[error("no answer to {step} within {secs} s")]
    Silent {
        /// To what.
        step: Step,
        /// The patience.
        secs: u64,
    },
    /// The server refused.
    #[error("{step} was refused: {reply}")]
    Refused {
        /// What.
        step: Step,
        /// With these words.
        reply: Reply,
    },
    /// What came is no reply.
    #[error("the answer to {step} is not SMTP: {said}")]
    Malformed {
        /// To what.
        step: Step,
        /// Its beginning.
        said: String,
    },
    /// The handshake failed.
    #[error("TLS: {0}")]
    Tls(io::Error),
    /// Someone put text where TLS should begin. RFC 3207 section 6.
    #[error("the server sent text after its answer to STARTTLS, outside of TLS")]
    TextBeforeTls,
    /// TLS is required.
    #[error("the server does not offer STARTTLS")]
    NoStarttls,
    /// A log-in is configured.
    #[error("the server offers no log-in by PLAIN or LOGIN")]
    NoLogIn,
}

/// What became of a mail that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOver {
    /// The server has it.
    Taken,
    /// Certainly not taken; may be tried again.
    Later(String),
    /// Certainly not taken, and never will be.
    Never(String),
    /// The connection broke between the end of the mail and the reply: the outcome is not known.
    Unknown(String),
}

/// How a connection is protected.
pub(super) enum Security {
    /// TLS from the first byte.
    Tls(Tls),
    /// STARTTLS, required.
    Starttls(Tls),
    /// STARTTLS where the server offers it.
    Offered(Tls),
    /// None.
    Open,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the reply to a command.
    pub(super) command: Duration,
    /// For the reply to a whole mail.
    pub(super) takes: Duration,
}

/// A name and a password.
pub(super) struct LogIn {
    pub(super) user: String,
    pub(super) password: String,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What the server said of itself in its answer to EHLO.
#[derive(Default)]
struct Offers {
    name: String,
    has_starttls: bool,
    log_ins: Vec<String>,
}

/// A connection to a mail server.
pub struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    offers: Offers,
    patience: Patience,
    is_usable: bool,
}

impl Connection {
    /// Greeting, EHLO, TLS. `hello` is our name.
    pub(super) async fn open(
        tcp: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        security: &Security,
        hello: &str,
        patience: Patience,
    ) -> Result<Connection, SmtpError> {
        let stream: Box<dyn Stream> = match security {
            Security::Tls(tls) => Box::new(secured(tls, tcp, patience).await?),
            Security::Starttls(_) | Security::Offered(_) | Security::Open => Box::new(tcp),
        };
        let mut connection = Connection {
            stream: BufReader::new(stream),
            offers: Offers::default(),
            patience,
            is_usable: true,
        };
        connection.answer(Step::Greeting, 2).await?;
        connection.hello(hello).await?;
        match security {
            Security::Starttls(tls) => connection.starttls(tls, hello).await,
            Security::Offered(tls) if connection.offers.has_starttls => connection.starttls(tls, hello).await,
            Security::Tls(_) | Security::Offered(_) | Security::Open => Ok(connection),
        }
    }

    /// Whether another mail can go over it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// The name by which the server answered EHLO.
    pub(super) fn server_name(&self) -> &str {
        &self.offers.name
    }

    /// EHLO; HELO where the server does not know it. RFC 5321 section 3.2.
    async fn hello(&mut self, name: &str) -> Result<(), SmtpError> {
        let reply = match self.ask(Step::Hello, &format!("EHLO {name}"), 2).await {
            Err(SmtpError::Refused { reply, .. }) if matches!(reply.code, 500 | 502 | 504) => {
                self.ask(Step::Hello, &format!("HELO {name}"), 2).await?
            }
            reply => reply?,
        };
        self.offers = Offers::read(&reply.lines);
        Ok(())
    }

    async fn starttls(mut self, tls: &Tls, hello: &str) -> Result<Connection, SmtpError> {
        if !self.offers.has_starttls {
            return Err(SmtpError::NoStarttls);
        }
        self.ask(Step::StartTls, "STARTTLS", 2).await?;
        if !self.stream.buffer().is_empty() {
            return Err(SmtpError::TextBeforeTls);
        }
        let stream = secured(tls, self.stream.into_inner(), self.patience).await?;
        let mut connection = Connection {
            stream: BufReader::new(Box::new(stream)),
            offers: Offers::default(),
            patience: self.patience,
            is_usable: true,
        };
        connection.hello(hello).await?;
        Ok(connection)
    }

    /// AUTH, by PLAIN (RFC 4616) or LOGIN.
    pub(super) async fn log_in(&mut self, log_in: &LogIn) -> Result<(), SmtpError> {
        let offers = |way: &str| self.offers.log_ins.iter().any(|known| known == way);
        if offers("PLAIN") {
            let words = STANDARD.encode(format!("\0{}\0{}", log_in.user, log_in.password));
            self.ask(Step::LogIn, &format!("AUTH PLAIN {words}"), 2).await?;
            return Ok(());
        }
        if !offers("LOGIN") {
            return Err(SmtpError::NoLogIn);
        }
        self.ask(Step::LogIn, "AUTH LOGIN", 3).await?;
        self.ask(Step::LogIn, &STANDARD.encode(&log_in.user), 3).await?;
        self.ask(Step::LogIn, &STANDARD.encode(&log_in.password), 2)
            .await?;
        Ok(())
    }

    /// Hands over a mail with CRLF lines. An empty `from` is the null reverse path, so that no one replies to
    /// a notice (RFC 3834 section 3.3).
    pub async fn hand_over(&mut self, from: &str, to: &str, mail: &[u8]) -> HandedOver {
        if let Err(error) = self.announce(from, to).await {
            return self.refused(error).await;
        }
        if let Err(error) = self.write(Step::Mail, &stuffed(mail)).await {
            self.is_usable = false;
            return HandedOver::Later(error.to_string());
        }
        match self.ask(Step::Mail, ".", 2).await {
            Ok(_) => HandedOver::Taken,
            Err(SmtpError::Refused { reply, step }) => {
                self.is_usable = !reply.is_farewell();
                let word = SmtpError::Refused {
                    step,
                    reply: reply.clone(),
                }
                .to_string();
                match reply.is_permanent() {
                    true => HandedOver::Never(word),
                    false => HandedOver::Later(word),
                }
            }
            Err(error) => {
                self.is_usable = false;
                HandedOver::Unknown(error.to_string())
            }
        }
    }

    /// MAIL, RCPT and DATA.
    async fn announce(&mut self, from: &str, to: &str) -> Result<(), SmtpError> {
        self.envelope(from, to).await?;
        self.ask(Step::Data, "DATA", 3).await.map(drop)
    }

    /// MAIL and RCPT: whether the server would take a mail of this envelope.
    pub(crate) async fn envelope(&mut self, from: &str, to: &str) -> Result<(), SmtpError> {
        self.ask(Step::Sender, &format!("MAIL FROM:<{from}>"), 2).await?;
        self.ask(Step::Receiver, &format!("RCPT TO:<{to}>"), 2)
            .await
            .map(drop)
    }

    /// After a refusal before the mail. What the server has against the envelope's sender is no word about
    /// this mail: its operator has to change a setting, so the mail waits.
    async fn refused(&mut self, error: SmtpError) -> HandedOver {
        let word = error.to_string();
        let SmtpError::Refused { step, reply } = error else {
            self.is_usable = false;
            return HandedOver::Later(word);
        };
        self.is_usable = !reply.is_farewell() && self.ask(Step::Reset, "RSET", 2).await.is_ok();
        match step {
            Step::Receiver | Step::Data if reply.is_permanent() => HandedOver::Never(word),
            _ => HandedOver::Later(word),
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if self.is_usable {
            // It has all that it took; whether it hears the goodbye changes nothing.
            let _ = self.ask(Step::Quit, "QUIT", 2).await;
        }
    }

    /// One command and its reply, whose code must begin with this digit.
    async fn ask(&mut self, step: Step, line: &str, wanted: u16) -> Result<Reply, SmtpError> {
        self.write(step, format!("{line}\r\n").as_bytes()).await?;
        self.answer(step, wanted).await
    }

    async fn write(&mut self, step: Step, bytes: &[u8]) -> Result<(), SmtpError> {
        let writing = async {
            self.stream.get_mut().write_all(bytes).await?;
            self.stream.get_mut().flush().await
        };
        within(step, self.patience, writing).await
    }

    async fn answer(&mut self, step: Step, wanted: u16) -> Result<Reply, SmtpError> {
        let lines = within(step, self.patience, read_reply(&mut self.stream)).await?;
        match lines {
            Ok(reply) if reply.code / 100 == wanted => Ok(reply),
            Ok(reply) => Err(SmtpError::Refused { step, reply }),
            Err(said) => Err(SmtpError::Malformed {
                step,
                said: clean(&said),
            }),
        }
    }
}

async fn secured<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &Tls,
    stream: S,
    patience: Patience,
) -> Result<tokio_rustls::client::TlsStream<S>, SmtpError> {
    let silent = SmtpError::Silent {
        step: Step::StartTls,
        secs: patience.command.as_secs(),
    };
    match timeout(patience.command, tls.around(stream)).await {
        Ok(stream) => stream.map_err(SmtpError::Tls),
        Err(_) => Err(silent),
    }
}

/// Work with the connection within the patience that its step has.
async fn within<T>(
    step: Step,
    patience: Patience,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, SmtpError> {
    let most = match step {
        Step::Mail => patience.takes,
        Step::Greeting
        | Step::Hello
        | Step::StartTls
        | Step::LogIn
        | Step::Sender
        | Step::Receiver
        | Step::Data
        | Step::Reset
        | Step::Quit => patience.command,
    };
    match timeout(most, work).await {
        Ok(done) => done.map_err(|source| SmtpError::Broken { step, source }),
        Err(_) => Err(SmtpError::Silent {
            step,
            secs: most.as_secs(),
        }),
    }
}

/// A whole reply; or, where it is none, what came instead. RFC 5321 section 4.2.
async fn read_reply(stream: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Result<Reply, String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut *stream).take(REPLY_LINE_BYTES_READ_MAX);
        if bounded.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let code = line
            .get(..3)
            .and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        let Some(code @ 200..=599) = code else {
            return Ok(Err(text));
        };
        if !line.ends_with(b"\n") || lines.len() >= REPLY_LINES_READ_MAX {
            return Ok(Err(text));
        }
        let is_last = line.get(3) != Some(&b'-');
        lines.push(text.get(4..).unwrap_or_default().to_owned());
        if is_last {
            return Ok(Ok(Reply { code, lines }));
        }
    }
}

impl Offers {
    /// Keywords of EHLO (RFC 5321 section 4.1.1.1); `AUTH=` is how servers of old wrote it.
    fn read(lines: &[String]) -> Offers {
        let mut offers = Offers::default();
        for (at, line) in lines.iter().enumerate() {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some(name) if at == 0 => offers.name = name.to_ascii_lowercase(),
                Some("STARTTLS") => offers.has_starttls = true,
                Some("AUTH") => offers.log_ins.extend(words.map(str::to_owned)),
                Some(_) | None => {}
            }
        }
        offers
    }
}

/// The mail with a dot before each line that begins with one, up to its last line end. RFC 5321 section
/// 4.5.2.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + 16);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> io::Result<Result<Reply, String>> {
        read_reply(&mut BufReader::new(bytes)).await
    }

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply {
            code,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[tokio::test]
    async fn accepts_replies_of_any_bytes() {
        let one = read(b"250 2.0.0 ok\r\n").await.expect("read");
        assert_eq!(one, Ok(reply(250, &["2.0.0 ok"])));
        let several = read(b"250-a\r\n250-b\r\n250 c\r\nrest").await.expect("read");
        assert_eq!(several, Ok(reply(250, &["a", "b", "c"])));
        let bare = read(b"250\r\n").await.expect("read");
        assert_eq!(bare, Ok(reply(250, &[""])));
        // Latin-1 and GBK.
        for text in [&b"250 re\xe7u\r\n"[..], b"550-\xbb\xb6\xd3\xad\r\n550 \xff\r\n"] {
            let found = read(text).await.expect("read").expect("a reply");
            assert!(found.to_string().is_ascii(), "{found}");
        }
    }

    #[tokio::test]
    async fn rejects_what_is_no_reply() {
        for text in [
            "rubbish\r\n",
            "25 ok\r\n",
            "2500\n".replace("2500", "099").as_str(),
            "600 x\r\n",
            "\r\n",
        ] {
            assert!(read(text.as_bytes()).await.expect("read").is_err(), "{text:?}");
        }
        assert!(read(&[b'2'; 20_000]).await.expect("read").is_err());
        assert!(
            read("250-x\r\n".repeat(1_000).as_bytes())
                .await
                .expect("read")
                .is_err()
        );
        assert!(read(b"").await.is_err());
        assert!(read(b"250-a\r\n").await.is_err());
    }

    // RFC 5321 section 4.5.2.
    #[test]
    fn dots_are_doubled_at_the_beginning_of_lines() {
        assert_eq!(stuffed(b".a\r\nb.\r\n..\r\n"), b"..a\r\nb.\r\n...\r\n");
        assert_eq!(stuffed(b"a"), b"a\r\n");
        assert_eq!(stuffed(b""), b"\r\n");
    }

    // RFC 5321 section 4.1.1.1 and RFC 4954 section 4, as servers write it.
    #[test]
    fn offers_are_read_in_any_case() {
        let lines = [
            "Mx.Example.org at your service",
            "SIZE 1000",
            "StartTLS",
            "auth plain LOGIN",
            "AUTH=CRAM-MD5",
        ];
        let offers = Offers::read(&lines.map(str::to_owned));
        assert_eq!(offers.name, "mx.example.org");
        assert!(offers.has_starttls);
        assert_eq!(offers.log_ins, ["PLAIN", "LOGIN", "CRAM-MD5"]);
    }
}
