//! The daemon: the parts put together, started in the order in which they need each other, stopped in the
//! reverse.
//!
//! Starts: queue, intake, courier, notices, control and HTTP, then the channels. Stops: channels first, so
//! that nothing more is taken and every open session gets its reply; then courier and notices; then control
//! and health. Everything taken is on disk, so an end without a stop loses nothing either. A part that ends
//! by itself ends the daemon: otherwise a relay that takes mail and hands none on, or the reverse, would go
//! unnoticed; a process that ends is restarted.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::clock::Clock;
use crate::config::rules::{LmtpListen, parse_lmtp_listen};
use crate::config::{self, Config};
use crate::control::{Context, Control};
use crate::courier::Courier;
use crate::courier::nodes::Nodes;
use crate::intake::accept::Intake;
use crate::intake::handler::MailHandler;
use crate::intake::imap;
use crate::intake::maildir;
use crate::intake::smtp::server::{self, Server, UnixSocket};
use crate::intake::smtp::tls::TlsFiles;
use crate::limits::{FILES_RESERVED, LMTP_CONNECTIONS_MAX};
use crate::notices::{Announcer, Desk, NoticeRules, Reach, Sender, Signer, Teller, Way};
use crate::queue::Queue;
use ops::PrometheusHandle;

mod asked;
mod error;
mod health;
mod listen;
mod tasks;
mod upkeep;

pub use error::{DaemonError, PartEnded};

use asked::Asked;
use health::{Conditions, Opened, Seen};
use tasks::Tasks;
use upkeep::keep_up;

/// A place where the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listening {
    /// SMTP.
    Smtp(SocketAddr),
    /// LMTP over TCP.
    Lmtp(SocketAddr),
    /// LMTP over a Unix socket.
    LmtpUnix(PathBuf),
    /// Metrics and health.
    Http(SocketAddr),
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listening::Smtp(address) => write!(f, "smtp://{address}"),
            Listening::Lmtp(address) => write!(f, "lmtp://{address}"),
            Listening::LmtpUnix(path) => write!(f, "lmtp+unix://{}", path.display()),
            Listening::Http(address) => write!(f, "http://{address}"),
        }
    }
}

/// A running daemon.
pub struct Daemon {
    listening: Vec<Listening>,
    queue: Queue,
    channels: Tasks,
    work: Tasks,
    telling: Tasks,
}

/// What the daemon is made of, while it starts.
struct Parts {
    config: Config,
    clock: Clock,
    queue: Queue,
    nodes: Arc<Nodes>,
    handler: Arc<dyn MailHandler>,
    channels_open: Arc<AtomicUsize>,
    /// Whether answers can be handed over.
    reach: Arc<Reach>,
    /// What was seen of the queue last.
    seen: Arc<Seen>,
}

/// Listeners that are bound and not served yet.
struct Bound {
    server: Arc<Server>,
    listening: Vec<Listening>,
    listeners: Vec<server::Listener>,
}

impl Daemon {
    /// Starts everything that the configuration asks for. It serves when this returns.
    ///
    /// `metrics` comes from [`crate::meter::install`], which a process calls once.
    pub async fn start(
        config: Config,
        clock: Clock,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Daemon, DaemonError> {
        let (data, limits, time) = (config.data.clone(), config.queue.clone(), clock.clone());
        let opening = tokio::task::spawn_blocking(move || Queue::open(&data, &limits, time));
        let queue = opening.await.map_err(|error| DaemonError::File {
            path: config.data.clone(),
            source: io::Error::other(error),
        })??;
        let parts = Parts {
            nodes: Arc::new(Nodes::new(&config.nodes, config.network)),
            handler: Arc::new(Intake::open(&config, queue.clone(), clock.clone())?),
            channels_open: Arc::default(),
            reach: Arc::default(),
            seen: Arc::default(),
            config,
            clock,
            queue,
        };
        let (mut channels, mut work, mut telling) = (Tasks::new(), Tasks::new(), Tasks::new());
        let bound = parts.bind_listeners().await?;
        parts.start_work(&mut work)?;
        let doors = bound.listeners.len() + parts.readers();
        let telling_at = parts.start_telling(&mut telling, metrics, doors).await?;
        // Nothing fails any more: a start that fails takes no mail.
        let mut listening = parts.open_channels(bound, &mut channels);
        listening.extend(telling_at);
        Ok(Daemon {
            listening,
            queue: parts.queue,
            channels,
            work,
            telling,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// Its queue.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Resolves when a part has ended although it was not stopped; otherwise never. May be dropped and called
    /// again.
    pub async fn broken(&mut self) -> PartEnded {
        let part = tokio::select! {
            Some(_) = self.channels.tasks.join_next() => "a mail channel",
            Some(_) = self.work.tasks.join_next() => "the courier or the answers",
            Some(_) = self.telling.tasks.join_next() => "the control socket, the upkeep or health",
            else => "everything",
        };
        PartEnded { part }
    }

    /// Stops it: nothing more is taken; what was begun is finished, within a bounded time.
    pub async fn stop(self) {
        self.channels.end("mail channels").await;
        self.work.end("courier and answers").await;
        self.telling.end("control and health").await;
    }
}

impl Parts {
    async fn bind_listeners(&self) -> Result<Bound, DaemonError> {
        let config = &self.config;
        let tls = match &config.tls {
            Some(files) => Some(Arc::new(TlsFiles::load(&files.certificate, &files.key)?)),
            None => None,
        };
        let mut limits = config.limits.clone();
        let for_lmtp = if config.lmtp.is_some() {
            LMTP_CONNECTIONS_MAX
        } else {
            0
        };
        limits.connections = connections_that_fit(limits.connections, FILES_RESERVED + for_lmtp);
        let server = Server::new(&config.hostname, &limits, tls, Arc::clone(&self.handler));
        let (mut listening, mut listeners) = (Vec::new(), Vec::new());
        if let Some(smtp) = &config.smtp {
            for (listener, at) in listen::open_all("smtp.listen", &smtp.listen)? {
                listening.push(Listening::Smtp(at));
                listeners.push(server::Listener::Smtp(listener));
            }
        }
        for place in config.lmtp.iter().flat_map(|lmtp| &lmtp.listen) {
            let wrong = |source| DaemonError::Listen {
                setting: "lmtp.listen",
                place: place.clone(),
                source,
            };
            match parse_lmtp_listen(place) {
                Some(LmtpListen::Unix(path)) => {
                    let listener = UnixSocket::bind(&path).map_err(wrong)?;
                    listening.push(Listening::LmtpUnix(path));
                    listeners.push(server::Listener::LmtpUnix(listener));
                }
                Some(LmtpListen::Tcp(address)) => {
                    let (listener, at) = listen::open("lmtp.listen", address)?;
                    listening.push(Listening::Lmtp(at));
                    listeners.push(server::Listener::Lmtp(listener));
                }
                None => {
                    let what = "write ADDR:PORT or unix:/whole/path";
                    return Err(wrong(io::Error::new(io::ErrorKind::InvalidInput, what)));
                }
            }
        }
        Ok(Bound {
            server,
            listening,
            listeners,
        })
    }

    fn open_channels(&self, bound: Bound, tasks: &mut Tasks) -> Vec<Listening> {
        for listener in bound.listeners {
            let (open, serving) = (
                Opened::new(&self.channels_open),
                Arc::clone(&bound.server).serve(listener, tasks.stop.subscribe()),
            );
            tasks.tasks.spawn(async move {
                serving.await;
                drop(open);
            });
        }
        self.open_readers(tasks);
        bound.listening
    }

    /// How many readers the configuration asks for.
    fn readers(&self) -> usize {
        usize::from(self.config.imap.is_some()) + usize::from(self.config.maildir.is_some())
    }

    fn open_readers(&self, tasks: &mut Tasks) {
        if let Some(mailbox) = self.config.imap.clone() {
            let open = Opened::new(&self.channels_open);
            let reading = imap::run(mailbox, Arc::clone(&self.handler), self.queue.clone());
            tasks.spawn_until_stop(async move {
                reading.await;
                drop(open);
            });
        }
        if let Some(folder) = self.config.maildir.clone() {
            let open = Opened::new(&self.channels_open);
            let watching = maildir::run(folder, Arc::clone(&self.handler));
            tasks.spawn_until_stop(async move {
                watching.await;
                drop(open);
            });
        }
    }

    fn start_work(&self, tasks: &mut Tasks) -> Result<(), DaemonError> {
        let mut courier = Courier::new(self.queue.clone(), Arc::clone(&self.nodes), self.clock.clone());
        let way = Way::new(&self.config, self.clock.clone())?;
        if let (Some(answers), Some(rules), Some(way)) =
            (&self.config.answers, NoticeRules::of(&self.config), way)
        {
            let sender = self.sender(answers, way)?.noting(Arc::clone(&self.reach));
            let stop = tasks.stop.subscribe();
            tasks.tasks.spawn(sender.run(stop));
            let teller = Teller::new(rules.clone(), Asked(Arc::clone(&self.nodes)), self.clock.clone());
            courier = courier
                .announcing(Arc::new(Announcer::new(rules)))
                .asking(Arc::new(teller));
        }
        let stop = tasks.until_stop();
        tasks.tasks.spawn(courier.run(stop));
        Ok(())
    }

    fn sender(&self, answers: &config::Answers, way: Way) -> Result<Sender, DaemonError> {
        let desk = Desk {
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            signer: Signer::of(answers)?,
            envelope_from: answers.envelope_from.clone(),
            per_address_day: answers.per_address_day,
        };
        Ok(Sender::new(desk, way))
    }

    async fn start_telling(
        &self,
        tasks: &mut Tasks,
        metrics: Option<PrometheusHandle>,
        doors: usize,
    ) -> Result<Vec<Listening>, DaemonError> {
        let control = Control::bind(&self.config.data).map_err(|source| DaemonError::Listen {
            setting: "data",
            place: self.config.data.join("control.sock").display().to_string(),
            source,
        })?;
        let context = Context {
            queue: self.queue.clone(),
            handler: Some(Arc::clone(&self.handler)),
            clock: self.clock.clone(),
        };
        let stop = tasks.until_stop();
        tasks.tasks.spawn(control.serve(context, stop));
        tasks.spawn_until_stop(keep_up(
            self.queue.clone(),
            Arc::clone(&self.nodes),
            self.clock.clone(),
            Arc::clone(&self.seen),
        ));
        let (Some(config), Some(metrics)) = (&self.config.http, metrics) else {
            return Ok(Vec::new());
        };
        let (listener, at) = listen::open("http.listen", config.listen)?;
        let health = Arc::new(Conditions {
            queue: self.queue.clone(),
            nodes: Arc::clone(&self.nodes),
            channels_open: Arc::clone(&self.channels_open),
            channels: doors,
            reach: self.config.answers.is_some().then(|| Arc::clone(&self.reach)),
            seen: Arc::clone(&self.seen),
        });
        let serving = ops::serve(listener, health, metrics, tasks.until_stop());
        tasks.tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "metrics and health are no longer served");
            }
        });
        Ok(vec![Listening::Http(at)])
    }
}

/// How many of the connections wanted the process has file descriptors for; where they are fewer, the log
/// says so.
fn connections_that_fit(wanted: usize, reserved: usize) -> usize {
    let room = ops::descriptors::make_room(wanted, reserved);
    let (fit, open_files) = (room.connections, room.open_files);
    if fit < wanted {
        tracing::warn!(
            wanted,
            fit,
            open_files,
            "fewer connections are taken than `limits.connections`: raise the limit of open files (LimitNOFILE, ulimit -n)"
        );
    }
    fit
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn text(folder: &std::path::Path) -> String {
        format!(
            "addresses = [\"relay@relay.example\"]\nhostname = \"mx.relay.example\"\ndata = {folder:?}\n\
             nodes = [\"ws://127.0.0.1:9\"]\n[smtp]\nlisten = [\"127.0.0.1:0\"]\n[dns]\nserver = \"off\"\n"
        )
    }

    async fn daemon(folder: &std::path::Path) -> Daemon {
        let config: Config = toml::from_str(&text(folder)).expect("a configuration");
        let daemon = Daemon::start(config, Arc::new(|| 1_794_830_400), None).await;
        daemon.expect("a daemon")
    }

    #[tokio::test]
    async fn a_part_that_breaks_is_noticed() {
        for (part, expected) in [(0, "a mail channel"), (1, "the courier or the answers")] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut daemon = daemon(folder.path()).await;
            assert_eq!(daemon.broken().now_or_never(), None);
            let tasks = [&mut daemon.channels, &mut daemon.work];
            let tasks = tasks.into_iter().nth(part).expect("a part");
            tasks.tasks.spawn(async { panic!("broken on purpose") });
            assert_eq!(daemon.broken().await.part, expected);
            daemon.stop().await;
        }
    }

    #[tokio::test]
    async fn a_stop_of_all_that_is_well_is_no_break() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut daemon = daemon(folder.path()).await;
        let Some(Listening::Smtp(at)) = daemon.listening().first().cloned() else {
            panic!("no door");
        };
        let client = tokio::net::TcpStream::connect(at).await.expect("a door");
        assert_eq!(daemon.broken().now_or_never(), None);
        daemon.stop().await;
        drop(client);
    }
}
