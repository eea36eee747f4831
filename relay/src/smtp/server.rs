//! The sockets of the SMTP and LMTP doors: one task a connection, and none for those turned away.

use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config::Limits;
use crate::desk::{Desk, Reply};
use crate::letter::{Peer, TraceId, Way};
use crate::limits;
use crate::meter;
use crate::smtp::connection::{Next, talk};
use crate::smtp::gate::{Full, Gate, Pass};
use crate::smtp::reply::write_reply;
use crate::smtp::session::{Action, Session, Settings, StartTls};
use crate::smtp::tls::{TlsFiles, describe};

/// Mode of the Unix socket: its owner and its group may connect.
const SOCKET_MODE: u32 = 0o660;

/// A bound listener.
#[derive(Debug)]
pub enum Door {
    /// SMTP.
    Smtp(TcpListener),
    /// LMTP over TCP.
    Lmtp(TcpListener),
    /// LMTP over a Unix socket.
    LmtpUnix(UnixDoor),
}

/// A Unix socket that removes its file when it goes.
#[derive(Debug)]
pub struct UnixDoor {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixDoor {
    /// Binds `path` with mode 0660. A socket that nobody listens on any more is replaced; one in use, or a file of another
    /// kind, is an error.
    pub fn bind(path: &Path) -> io::Result<UnixDoor> {
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
        Ok(UnixDoor { listener, path })
    }
}

impl Drop for UnixDoor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What all doors share.
pub struct Server {
    hostname: Arc<str>,
    tls: Option<Arc<TlsFiles>>,
    idle: Duration,
    session: Duration,
    gate: Arc<Gate>,
    desk: Arc<dyn Desk>,
}

impl Server {
    /// Of the configuration.
    pub fn new(
        hostname: &str,
        limits: &Limits,
        tls: Option<Arc<TlsFiles>>,
        desk: Arc<dyn Desk>,
    ) -> Arc<Server> {
        Arc::new(Server {
            hostname: hostname.into(),
            tls,
            idle: Duration::from_secs(limits.idle_secs),
            session: Duration::from_secs(limits.session_secs),
            gate: Gate::new(limits.connections, limits.connections_per_network),
            desk,
        })
    }

    /// Open connections of all doors.
    pub fn open(&self) -> usize {
        self.gate.open()
    }

    /// Serves until `stop` holds true or its sender is gone; then lets mails under way finish, for a bounded time.
    pub async fn serve(self: Arc<Self>, door: Door, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        let until_stop = stop.clone();
        let mut is_refused = false;
        loop {
            let arrived = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
                arrived = accept(&door) => arrived,
            };
            match arrived {
                Ok(arrived) => {
                    is_refused = false;
                    self.admit(arrived, &mut tasks, &until_stop);
                }
                Err(error) => {
                    // Once, not ten times a second.
                    if !is_refused {
                        tracing::warn!(%error, "no connection can be accepted; trying again until one can");
                    }
                    is_refused = true;
                    sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MILLIS)).await;
                }
            }
        }
        drop(door);
        let bound = Duration::from_secs(limits::STOP_SECS_MAX + limits::LINGER_SECS_MAX);
        let drained = timeout(bound, async { while tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!(
                open = tasks.len(),
                "connections that did not end in time are dropped"
            );
        }
    }

    /// Starts a task for the connection, or turns it away at once.
    fn admit(self: &Arc<Self>, arrived: Arrived, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let way = arrived.way;
        match self.gate.enter(arrived.ip) {
            Ok(pass) => {
                let server = Arc::clone(self);
                tasks.spawn(server.converse(arrived, Counted::new(way, pass), stop.clone()));
            }
            Err(full) => {
                metrics::counter!(meter::CONNECTIONS_REFUSED, "way" => way.to_string(), "why" => full.to_string())
                    .increment(1);
                tracing::debug!(%way, ip = ?arrived.ip, why = %full, "connection turned away");
                turn_away(arrived.stream, full);
            }
        }
    }

    async fn converse(self: Arc<Self>, arrived: Arrived, counted: Counted, mut stop: watch::Receiver<bool>) {
        let Arrived { stream, way, ip } = arrived;
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
            way,
            ip,
            helo: String::new(),
            tls: None,
        };
        let now = tokio::time::Instant::now().into_std();
        let mut session = Session::new(settings, peer, now);
        let first = session.greet(&*self.desk);
        let result = match stream {
            Stream::Unix(mut stream) => talk(&mut stream, &mut session, first, &*self.desk, &mut stop)
                .await
                .map(|_| ()),
            Stream::Tcp(stream) => self.converse_tcp(stream, session, first, &mut stop).await,
        };
        if let Err(error) = result {
            tracing::debug!(%way, ?ip, %error, "connection broke off");
        }
        drop(counted);
    }

    async fn converse_tcp(
        &self,
        mut stream: TcpStream,
        mut session: Session,
        first: Action,
        stop: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        let next = talk(&mut stream, &mut session, first, &*self.desk, stop).await?;
        let (Next::StartTls, Some(files)) = (next, &self.tls) else {
            return Ok(());
        };
        let acceptor = files.acceptor().await;
        let bound = Duration::from_secs(limits::HANDSHAKE_SECS_MAX);
        let ip = stream.peer_addr().map(|address| address.ip()).ok();
        let accepted = timeout(bound, acceptor.accept(stream)).await;
        let accepted = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let mut stream = accepted.inspect_err(|error| tracing::info!(?ip, %error, "TLS handshake failed"))?;
        let now = tokio::time::Instant::now().into_std();
        session.handle_tls(describe(stream.get_ref().1), now);
        let first = Action::More;
        // Inside TLS, the session offers no STARTTLS again.
        talk(&mut stream, &mut session, first, &*self.desk, stop)
            .await
            .map(|_| ())
    }
}

/// A new connection.
struct Arrived {
    stream: Stream,
    way: Way,
    ip: Option<IpAddr>,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

async fn accept(door: &Door) -> io::Result<Arrived> {
    let (listener, way) = match door {
        Door::Smtp(listener) => (listener, Way::Smtp),
        Door::Lmtp(listener) => (listener, Way::Lmtp),
        Door::LmtpUnix(door) => {
            let (stream, _) = door.listener.accept().await?;
            return Ok(Arrived {
                stream: Stream::Unix(stream),
                way: Way::Lmtp,
                ip: None,
            });
        }
    };
    let (stream, address) = listener.accept().await?;
    // Replies are written whole, so there is nothing to wait for. Failure costs time only.
    let _ = stream.set_nodelay(true);
    Ok(Arrived {
        stream: Stream::Tcp(stream),
        way,
        ip: Some(address.ip().to_canonical()),
    })
}

/// Writes the reason into the empty buffer of the socket, without waiting, and closes it.
fn turn_away(stream: Stream, full: Full) {
    let text = match full {
        Full::Total => "Too many connections; try again later",
        Full::Network => "Too many connections from your network; try again later",
    };
    let mut out = Vec::new();
    write_reply(&mut out, &Reply::new(421, "4.7.0", text));
    // Whoever does not get the reason is turned away all the same.
    let _ = match stream {
        Stream::Tcp(stream) => stream.into_std().and_then(|mut stream| stream.write_all(&out)),
        Stream::Unix(stream) => stream.into_std().and_then(|mut stream| stream.write_all(&out)),
    };
}

/// A connection in the metrics, for as long as it is open.
struct Counted {
    way: Way,
    _pass: Pass,
}

impl Counted {
    fn new(way: Way, pass: Pass) -> Counted {
        metrics::gauge!(meter::CONNECTIONS, "way" => way.to_string()).increment(1.0);
        Counted { way, _pass: pass }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(meter::CONNECTIONS, "way" => self.way.to_string()).decrement(1.0);
    }
}
