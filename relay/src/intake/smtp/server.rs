//! The sockets of the SMTP and LMTP listeners: one task per connection, and none for those turned away.

use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ops::{Bounds, Door, Full, Visit, Visitor};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config::Limits;
use crate::intake::handler::{MailHandler, Reply};
use crate::intake::smtp::connection::{Next, talk};
use crate::intake::smtp::reply::write_reply;
use crate::intake::smtp::session::{Action, Session, Settings, StartTls};
use crate::intake::smtp::tls::{TlsFiles, describe};
use crate::limits;
use crate::mail::{Channel, Peer, TraceId};
use crate::meter;

/// Mode of the Unix socket: its owner and its group may connect.
const SOCKET_MODE: u32 = 0o660;

/// A bound listener.
#[derive(Debug)]
pub enum Listener {
    /// SMTP.
    Smtp(TcpListener),
    /// LMTP over TCP.
    Lmtp(TcpListener),
    /// LMTP over a Unix socket.
    LmtpUnix(UnixSocket),
}

/// A Unix socket that removes its file when it goes.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// Binds `path` with mode 0660. A socket without a listener is replaced; one in use, or a file of another
    /// kind, is an error.
    pub fn bind(path: &Path) -> io::Result<UnixSocket> {
        if let Ok(metadata) = std::fs::symlink_metadata(path)
            && metadata.file_type().is_socket()
        {
            match std::os::unix::net::UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path)?;
                }
                _ => return Err(io::ErrorKind::AddrInUse.into()),
            }
        }
        let listener = UnixListener::bind(path)?;
        let path = path.to_owned();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(SOCKET_MODE))?;
        Ok(UnixSocket { listener, path })
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What all listeners share.
pub struct Server {
    hostname: Arc<str>,
    tls: Option<Arc<TlsFiles>>,
    idle: Duration,
    session: Duration,
    /// Strangers come by SMTP: they share no places with the operator's mail server.
    smtp: Arc<Door>,
    lmtp: Arc<Door>,
    handler: Arc<dyn MailHandler>,
}

impl Server {
    /// Of the configuration.
    pub fn new(
        hostname: &str,
        limits: &Limits,
        tls: Option<Arc<TlsFiles>>,
        handler: Arc<dyn MailHandler>,
    ) -> Arc<Server> {
        Arc::new(Server {
            hostname: hostname.into(),
            tls,
            idle: Duration::from_secs(limits.idle_secs),
            session: Duration::from_secs(limits.session_secs),
            smtp: door(
                limits.connections,
                limits.connections / limits::OPERATOR_PLACES,
                limits,
            ),
            lmtp: door(limits::LMTP_CONNECTIONS_MAX, 0, limits),
            handler,
        })
    }

    /// Open connections of all listeners.
    #[must_use]
    pub fn open(&self) -> usize {
        self.smtp.taken().saturating_add(self.lmtp.taken())
    }

    /// Serves until `stop` holds true or its sender is gone; then lets open mails finish, within a bounded
    /// time.
    pub async fn serve(self: Arc<Self>, listener: Listener, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        let until_stop = stop.clone();
        let mut is_refused = false;
        loop {
            let arrived = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
                arrived = accept(&listener) => arrived,
            };
            match arrived {
                Ok(arrived) => {
                    is_refused = false;
                    self.admit(arrived, &mut tasks, &until_stop);
                }
                Err(error) => {
                    // Once, not ten times a second.
                    if !is_refused {
                        tracing::warn!(%error, "cannot accept connections; retrying");
                    }
                    is_refused = true;
                    sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLIS)).await;
                }
            }
        }
        drop(listener);
        let bound = Duration::from_secs(limits::STOP_SECS_MAX + limits::LINGER_SECS_MAX);
        let drained = timeout(bound, async { while tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!(
                open = tasks.len(),
                "connections that did not end in time are dropped"
            );
        }
    }

    /// Starts a task for the connection, or turns it away.
    fn admit(self: &Arc<Self>, arrived: Arrived, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let channel = arrived.channel;
        let door = match channel {
            Channel::Lmtp => &self.lmtp,
            Channel::Smtp | Channel::Imap | Channel::Maildir | Channel::Pipe => &self.smtp,
        };
        match door.enter(visitor(arrived.ip)) {
            Ok(visit) => {
                let server = Arc::clone(self);
                tasks.spawn(server.converse(arrived, Counted::new(channel, visit), stop.clone()));
            }
            Err(full) => {
                metrics::counter!(meter::CONNECTIONS_REFUSED, "way" => channel.to_string(), "why" => full.to_string())
                    .increment(1);
                tracing::debug!(way = %channel, ip = ?arrived.ip, why = %full, "connection turned away");
                turn_away(arrived.stream, full);
            }
        }
    }

    async fn converse(
        self: Arc<Self>,
        arrived: Arrived,
        mut counted: Counted,
        mut stop: watch::Receiver<bool>,
    ) {
        let Arrived { stream, channel, ip } = arrived;
        let start_tls = match (&self.tls, &stream) {
            (Some(_), Stream::Tcp(_)) => StartTls::Offered,
            _ => StartTls::NotOffered,
        };
        let settings = Settings {
            hostname: Arc::clone(&self.hostname),
            start_tls,
            idle: self.idle,
            session: self.session,
            trace: TraceId::fresh,
        };
        let peer = Peer {
            channel,
            ip,
            helo: String::new(),
            tls: None,
        };
        let now = tokio::time::Instant::now().into_std();
        let mut session = Session::new(settings, peer, now);
        let first = session.greet(&*self.handler);
        let visit = &mut counted.visit;
        let result = match stream {
            Stream::Unix(mut stream) => {
                talk(&mut stream, &mut session, first, &*self.handler, visit, &mut stop)
                    .await
                    .map(|_| ())
            }
            Stream::Tcp(stream) => self.converse_tcp(stream, session, first, visit, &mut stop).await,
        };
        if let Err(error) = result {
            tracing::debug!(way = %channel, ?ip, %error, "connection broke off");
        }
        drop(counted);
    }

    async fn converse_tcp(
        &self,
        mut stream: TcpStream,
        mut session: Session,
        first: Action,
        visit: &mut Visit,
        stop: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        let next = talk(&mut stream, &mut session, first, &*self.handler, visit, stop).await?;
        let (Next::StartTls, Some(files)) = (next, &self.tls) else {
            return Ok(());
        };
        let acceptor = files.acceptor().await;
        let bound = Duration::from_secs(limits::HANDSHAKE_SECS_MAX);
        let ip = stream.peer_addr().map(|address| address.ip()).ok();
        let accepted = tokio::select! {
            accepted = timeout(bound, acceptor.accept(stream)) => accepted,
            () = visit.told_to_go() => return Ok(()),
        };
        let accepted = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let mut stream = accepted.inspect_err(|error| tracing::info!(?ip, %error, "TLS handshake failed"))?;
        let now = tokio::time::Instant::now().into_std();
        session.handle_tls(describe(stream.get_ref().1), now);
        let first = Action::More;
        // Inside TLS, the session offers no STARTTLS again.
        talk(&mut stream, &mut session, first, &*self.handler, visit, stop)
            .await
            .map(|_| ())
    }
}

/// A door with so many places, some of them for this machine alone.
fn door(total: usize, for_operator: usize, limits: &Limits) -> Arc<Door> {
    let bounds = Bounds {
        total,
        for_operator,
        per_peer: (limits.connections_per_network / limits::PEER_PLACES).max(1),
        per_network: limits.connections_per_network,
    };
    Door::new(bounds, Duration::from_millis(limits::IDLE_SPARED_MILLIS))
}

/// Clients of this machine are the operator's own.
fn visitor(ip: Option<IpAddr>) -> Visitor {
    match ip {
        Some(ip) if !ip.to_canonical().is_loopback() => Visitor::Guest(ip),
        _ => Visitor::Operator,
    }
}

/// A new connection.
struct Arrived {
    stream: Stream,
    channel: Channel,
    ip: Option<IpAddr>,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

async fn accept(listener: &Listener) -> io::Result<Arrived> {
    let (listener, channel) = match listener {
        Listener::Smtp(listener) => (listener, Channel::Smtp),
        Listener::Lmtp(listener) => (listener, Channel::Lmtp),
        Listener::LmtpUnix(listener) => {
            let (stream, _) = listener.listener.accept().await?;
            return Ok(Arrived {
                stream: Stream::Unix(stream),
                channel: Channel::Lmtp,
                ip: None,
            });
        }
    };
    let (stream, address) = listener.accept().await?;
    // Replies are written whole, so there is nothing to wait for. Failure costs time only.
    let _ = stream.set_nodelay(true);
    Ok(Arrived {
        stream: Stream::Tcp(stream),
        channel,
        ip: Some(address.ip().to_canonical()),
    })
}

/// Writes the reason into the empty buffer of the socket, without waiting, and closes it.
fn turn_away(stream: Stream, full: Full) {
    let text = match full {
        Full::Total => "Too many connections; try again later",
        Full::Peer => "Too many connections from your address; try again later",
        Full::Network => "Too many connections from your network; try again later",
    };
    let mut out = Vec::new();
    write_reply(&mut out, &Reply::new(421, "4.7.0", text));
    // A peer that does not read the reason is turned away all the same.
    let _ = match stream {
        Stream::Tcp(stream) => stream.into_std().and_then(|mut stream| stream.write_all(&out)),
        Stream::Unix(stream) => stream.into_std().and_then(|mut stream| stream.write_all(&out)),
    };
}

/// A connection in the metrics, for as long as it is open.
struct Counted {
    channel: Channel,
    visit: Visit,
}

impl Counted {
    fn new(channel: Channel, visit: Visit) -> Counted {
        metrics::gauge!(meter::CONNECTIONS, "way" => channel.to_string()).increment(1.0);
        Counted { channel, visit }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(meter::CONNECTIONS, "way" => self.channel.to_string()).decrement(1.0);
    }
}
