//! A mailbox that the operator has elsewhere: each message is offered once, by UIDVALIDITY and UID.
//!
//! The mailbox is opened to read only and left as it is: what was read stands in a mark in the queue, set
//! after the handler has answered. A message that the handler puts off, or that the server cannot hand over,
//! stands in the mark by its UID and is tried again, so that it holds up no other. A changed UIDVALIDITY
//! starts from the first message; the queue knows the mails already. There is no peer to tell of a refusal:
//! it is logged.
//!
//! The client is the few commands below and no more. A mail must not be lost because a listing ended early,
//! so it must be seen whether FETCH ended in OK, and the server is bounded before anything is kept; the usual
//! library does neither (its FETCH stream ends the same way for OK, NO and a lost connection, and its buffer
//! grows to the size that a literal announces).

mod frame;
mod mark;
mod response;
mod session;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::config::{self, Protection};
use crate::intake::bare;
use crate::intake::handler::MailHandler;
use crate::limits::{
    IMAP_BACK_OFF_SECS_MAX, IMAP_CONNECT_SECS_MAX, IMAP_FAILURES_MAX, IMAP_IDLE_SECS_MAX, IMAP_LISTED_MAX,
    IMAP_PUT_OFF_MAX, MAIL_BYTES_MAX, OFFERED_AGAIN_MAX, PASSWORD_BYTES_MAX, PUT_OFF_SECS,
};
use crate::mail::Channel;
use crate::queue::Queue;
use mark::Mark;
use session::{Idle, ImapError, Session};

/// Any stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

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
        let kept = self.queue.mark(&self.name)?;
        let mark = kept.and_then(|text| text.parse::<Mark>().ok());
        match mark {
            Some(mark) if mark.validity == validity => Ok(mark),
            other => {
                tracing::info!(host = self.config.host, validity, was = ?other.map(|mark| mark.validity), "mailbox read from its first message");
                Ok(Mark::start(validity))
            }
        }
    }

    /// Offers what was put off, if it is time, and then what is new. Gives how many messages it settled.
    async fn pass<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        mark: &mut Mark,
    ) -> Result<usize, ImapError> {
        let mut settled = 0;
        if !mark.put_off.is_empty() && Instant::now() >= self.retry_at {
            self.retry_at = Instant::now() + Duration::from_secs(PUT_OFF_SECS);
            let after = mark.put_off.range(self.retried.saturating_add(1)..);
            let all = after.chain(mark.put_off.range(..=self.retried)).copied();
            for uid in all.take(OFFERED_AGAIN_MAX).collect::<Vec<u32>>() {
                self.retried = uid;
                settled += usize::from(self.message(session, mark, uid).await? == Verdict::Settled);
            }
        }
        for (uid, size) in session.list_after(mark.last, IMAP_LISTED_MAX).await? {
            if usize::try_from(size).unwrap_or(usize::MAX) > MAIL_BYTES_MAX {
                tracing::warn!(uid, size, most = MAIL_BYTES_MAX, "message passed over: too large");
                self.keep(mark, uid, Verdict::Settled).await?;
                settled += 1;
                continue;
            }
            let verdict = self.message(session, mark, uid).await?;
            if mark.last < uid {
                tracing::warn!(
                    host = self.config.host,
                    "too many messages are put off; the rest waits"
                );
                break;
            }
            settled += usize::from(verdict == Verdict::Settled);
        }
        Ok(settled)
    }

    /// Fetches a message, offers it, and sets the mark; but not where too many are put off and it would be
    /// one of them.
    async fn message<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        mark: &mut Mark,
        uid: u32,
    ) -> Result<Verdict, ImapError> {
        let failures = match self.failing {
            Some((failing, failures)) if failing == uid => failures,
            _ => 0,
        };
        let verdict = if failures >= IMAP_FAILURES_MAX {
            tracing::warn!(
                uid,
                failures,
                "message put off: the connection ended each time it was fetched"
            );
            self.failing = None;
            Verdict::PutOff
        } else {
            self.failing = Some((uid, failures + 1));
            let fetched = session.fetch(uid).await;
            if let Ok(_) | Err(ImapError::No { .. }) = fetched {
                self.failing = None;
            }
            self.offer(uid, fetched).await?
        };
        self.keep(mark, uid, verdict).await?;
        Ok(verdict)
    }

    /// Offers what was fetched.
    async fn offer(
        &self,
        uid: u32,
        fetched: Result<Option<Vec<u8>>, ImapError>,
    ) -> Result<Verdict, ImapError> {
        let raw = match fetched {
            Ok(Some(raw)) => raw,
            Ok(None) => return Ok(Verdict::Settled),
            Err(error @ ImapError::No { .. }) => {
                tracing::warn!(uid, %error, "message put off");
                return Ok(Verdict::PutOff);
            }
            Err(error) => return Err(error),
        };
        if raw.len() > MAIL_BYTES_MAX {
            tracing::warn!(uid, most = MAIL_BYTES_MAX, "message passed over: too large");
            return Ok(Verdict::Settled);
        }
        let incoming = bare::incoming(Channel::Imap, raw);
        let trace = incoming.trace.clone();
        let reply = self.handler.take(incoming).await;
        tracing::info!(%trace, uid, code = reply.code, "message offered");
        tracing::debug!(%trace, reason = reply.lines.join(" "), "the handler's reply");
        Ok(match () {
            () if reply.is_later_for_sender() => Verdict::PutOffForSender,
            () if reply.is_later() => Verdict::PutOff,
            () => Verdict::Settled,
        })
    }

    async fn keep(&mut self, mark: &mut Mark, uid: u32, verdict: Verdict) -> Result<(), ImapError> {
        let before = mark.clone();
        let is_full = mark.put_off.len() >= IMAP_PUT_OFF_MAX && !mark.put_off.contains(&uid);
        match verdict {
            Verdict::Settled => mark.settle(uid),
            Verdict::PutOffForSender if is_full => {
                tracing::warn!(
                    uid,
                    "message passed over: it is over its sender's limit, and too many are put off"
                );
                mark.settle(uid);
            }
            // It stays new.
            Verdict::PutOff if is_full => {}
            Verdict::PutOff | Verdict::PutOffForSender => {
                if mark.put_off.is_empty() {
                    self.retry_at = Instant::now() + Duration::from_secs(PUT_OFF_SECS);
                }
                mark.put_off(uid);
            }
        }
        if *mark != before {
            self.queue.set_mark(&self.name, mark.to_string()).await?;
        }
        Ok(())
    }

    /// Waits for news.
    async fn wait<S: Stream>(
        &self,
        session: &mut Session<S>,
        mark: &Mark,
        idle: Idle,
    ) -> Result<(), ImapError> {
        let poll = Duration::from_secs(self.config.poll_secs.max(1));
        let mut most = match idle {
            Idle::Offered => Duration::from_secs(IMAP_IDLE_SECS_MAX),
            Idle::Missing => poll,
        };
        if !mark.put_off.is_empty() {
            let retry = self.retry_at.saturating_duration_since(Instant::now());
            most = most.min(retry.max(Duration::from_secs(1)));
        }
        if idle == Idle::Offered && !session.has_news {
            return session.idle(most).await;
        }
        // News without new mail, again and again, must not become a busy loop.
        let pause = if session.has_news {
            Duration::from_secs(1)
        } else {
            most
        };
        sleep(pause).await;
        session.noop().await
    }
}

/// Connects, protects the connection and logs in.
async fn connect(config: &config::Imap) -> Result<(Session<Box<dyn Stream>>, Idle), ImapError> {
    let password = read_password(&config.password_file).await?;
    let most = Duration::from_secs(IMAP_CONNECT_SECS_MAX);
    let tcp = TcpStream::connect((config.host.as_str(), config.port));
    let tcp = timeout(most, tcp).await.map_err(|_| ImapError::Silent)??;
    let mut session: Session<Box<dyn Stream>> = match config.protection {
        Protection::None => Session::new(Box::new(tcp)),
        Protection::Tls => Session::new(secure(config, tcp).await?),
        Protection::Starttls => {
            let mut session = Session::new(tcp);
            session.greeting().await?;
            session.starttls().await?;
            Session::new(secure(config, session.into_stream()?).await?)
        }
    };
    if config.protection != Protection::Starttls {
        session.greeting().await?;
    }
    let idle = session.log_in(&config.user, &password).await?;
    tracing::info!(
        host = config.host,
        mailbox = config.mailbox,
        has_idle = (idle == Idle::Offered),
        "mailbox open"
    );
    Ok((session, idle))
}

/// TLS around a connection, with the server's certificate checked.
async fn secure(config: &config::Imap, tcp: TcpStream) -> Result<Box<dyn Stream>, ImapError> {
    let tls = |error: &dyn std::fmt::Display| ImapError::Tls(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = &config.authorities {
        let file = |error: &dyn std::fmt::Display| ImapError::File {
            path: path.display().to_string(),
            error: error.to_string(),
        };
        let pem = tokio::fs::read(path).await.map_err(|error| file(&error))?;
        for authority in CertificateDer::pem_slice_iter(&pem) {
            let authority = authority.map_err(|error| file(&error))?;
            roots.add(authority).map_err(|error| file(&error))?;
        }
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(config.host.clone()).map_err(|error| tls(&error))?;
    let most = Duration::from_secs(IMAP_CONNECT_SECS_MAX);
    let handshake = TlsConnector::from(Arc::new(client)).connect(name, tcp);
    let stream = timeout(most, handshake).await.map_err(|_| ImapError::Silent)?;
    Ok(Box::new(stream.map_err(|error| tls(&error))?))
}

/// The first line of the file; it is read at each connection, so that a changed password needs no restart.
async fn read_password(path: &Path) -> Result<String, ImapError> {
    let file = |error: String| ImapError::File {
        path: path.display().to_string(),
        error,
    };
    let mut text = String::new();
    let opened = tokio::fs::File::open(path)
        .await
        .map_err(|error| file(error.to_string()))?;
    opened
        .take(PASSWORD_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .await
        .map_err(|error| file(error.to_string()))?;
    match text.lines().next() {
        Some(line) if text.len() <= PASSWORD_BYTES_MAX.try_into().unwrap_or(usize::MAX) => {
            Ok(line.to_owned())
        }
        _ => Err(file("it has no password, or is too large".to_owned())),
    }
}

#[cfg(test)]
mod tests;
