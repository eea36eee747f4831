//! The daemon: the parts put together, started in the order in which they need each other, stopped in the reverse.
//!
//! Starts: queue, desk, courier, answers, control and HTTP, doors. Stops: doors first, so that nothing more is taken and what is under
//! way gets its reply; then the courier and the answers; then what only tells. Everything taken is on disk, so an end without
//! a stop loses nothing either. A part that ends although nobody stopped it ends the daemon: a relay that takes mail and
//! hands none on, or the reverse, would stand so until somebody looks; a process that ends is started anew.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::control::{Context, Control};
use crate::courier::Courier;
use crate::courier::nodes::{NodeError, Nodes};
use crate::descriptors::connections_that_fit;
use crate::http::{self, Condition, Health};
use crate::intake::accept::{Intake, IntakeError};
use crate::intake::handler::MailHandler;
use crate::intake::imap;
use crate::intake::maildir;
use crate::intake::smtp::server::{self, Server, UnixSocket};
use crate::intake::smtp::tls::{TlsError, TlsFiles};
use crate::limits::{DAEMON_STOP_SECS_MAX, UPKEEP_SECS};
use crate::meter;
use crate::notices::{
    Announcer, NoticeRules, RequestError, Requesting, Requests, Sender, SignError, Signer, Smarthost,
    SmarthostError, Teller,
};
use crate::queue::{OpenError, Queue, State};

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The queue.
    #[error(transparent)]
    Queue(#[from] OpenError),
    /// The desk.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A listener.
    #[error(
        "cannot listen on {place}: {source}. Is another program there? Ports below 1024 need CAP_NET_BIND_SERVICE, and \
         the path of a socket has to be shorter than 108 bytes"
    )]
    Listen {
        /// Where.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// A file.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The key that signs answers.
    #[error("{}: {source}", path.display())]
    NoticeKey {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: SignError,
    },
    /// The smarthost.
    #[error(transparent)]
    Smarthost(#[from] SmarthostError),
}

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

/// A part of the daemon ended although nobody stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay stops: {part} ended by itself, which is a defect. See the log, and start the relay anew")]
pub struct PartEnded {
    /// Which.
    pub part: &'static str,
}

/// A running daemon.
pub struct Daemon {
    listening: Vec<Listening>,
    queue: Queue,
    channels: Tasks,
    work: Tasks,
    telling: Tasks,
}

/// Tasks that end together.
struct Tasks {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Tasks {
    fn new() -> Tasks {
        Tasks {
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        }
    }

    fn until_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error says that the daemon is gone: then it is time too.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Runs until the stop; may be dropped at any moment.
    fn spawn_until_stop(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.until_stop();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop => {}
            }
        });
    }

    async fn end(mut self, what: &'static str) {
        // Nobody may listen any more; then there is nobody to tell.
        let _ = self.stop.send(true);
        let ending = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(Duration::from_secs(DAEMON_STOP_SECS_MAX), ending)
            .await
            .is_err()
        {
            tracing::warn!(
                what,
                "did not end in time and is cut off; what was taken is on disk"
            );
        }
    }
}

/// What the daemon is made of, while it starts.
struct Parts {
    config: Config,
    clock: Clock,
    queue: Queue,
    nodes: Arc<Nodes>,
    handler: Arc<dyn MailHandler>,
    channels_open: Arc<AtomicUsize>,
}

/// Doors that are bound and not open yet.
struct Bound {
    server: Arc<Server>,
    listening: Vec<Listening>,
    listeners: Vec<server::Listener>,
}

impl Daemon {
    /// Starts everything that the configuration asks for. It serves when this returns.
    ///
    /// `metrics` comes from [`http::install_metrics`], which a process calls once.
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
            config,
            clock,
            queue,
        };
        let (mut channels, mut work, mut telling) = (Tasks::new(), Tasks::new(), Tasks::new());
        let bound = parts.bind_listeners().await?;
        parts.start_work(&mut work)?;
        let telling_at = parts.start_telling(&mut telling, metrics).await?;
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
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// Its queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Resolves when a part has ended although nobody stopped it; never, if all goes well. May be dropped and called again.
    pub async fn broken(&mut self) -> PartEnded {
        let part = tokio::select! {
            Some(_) = self.channels.tasks.join_next() => "a door",
            Some(_) = self.work.tasks.join_next() => "the courier or the answers",
            Some(_) = self.telling.tasks.join_next() => "the control socket, the upkeep or health",
            else => "everything",
        };
        PartEnded { part }
    }

    /// Ends it: nothing more is taken, what is under way is finished, for a bounded time.
    pub async fn stop(self) {
        self.channels.end("doors").await;
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
        limits.connections = connections_that_fit(limits.connections);
        let server = Server::new(&config.hostname, &limits, tls, Arc::clone(&self.handler));
        let (mut listening, mut listeners) = (Vec::new(), Vec::new());
        for address in config.smtp.iter().flat_map(|smtp| &smtp.listen) {
            let (listener, at) = bind(&address.to_string()).await?;
            listening.push(Listening::Smtp(at));
            listeners.push(server::Listener::Smtp(listener));
        }
        for place in config.lmtp.iter().flat_map(|lmtp| &lmtp.listen) {
            if let Some(path) = place.strip_prefix("unix:") {
                let listener = UnixSocket::bind(path.as_ref()).map_err(|source| DaemonError::Listen {
                    place: place.clone(),
                    source,
                })?;
                listening.push(Listening::LmtpUnix(path.into()));
                listeners.push(server::Listener::LmtpUnix(listener));
            } else {
                let (listener, at) = bind(place).await?;
                listening.push(Listening::Lmtp(at));
                listeners.push(server::Listener::Lmtp(listener));
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

    /// How many doors the configuration asks for.
    fn channels(&self) -> usize {
        let config = &self.config;
        let smtp = config.smtp.as_ref().map_or(0, |smtp| smtp.listen.len());
        let lmtp = config.lmtp.as_ref().map_or(0, |lmtp| lmtp.listen.len());
        smtp + lmtp + usize::from(config.imap.is_some()) + usize::from(config.maildir.is_some())
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
        if let (Some(answers), Some(rules)) = (&self.config.answers, NoticeRules::of(&self.config)) {
            let sender = self.sender(answers)?;
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

    fn sender(&self, answers: &config::Answers) -> Result<Sender, DaemonError> {
        let path = &answers.dkim_key;
        let pem = std::fs::read(path).map_err(|source| DaemonError::File {
            path: path.clone(),
            source,
        })?;
        let signer = Signer::from_pem(&pem, &answers.from, &answers.dkim_selector).map_err(|source| {
            DaemonError::NoticeKey {
                path: path.clone(),
                source,
            }
        })?;
        Ok(Sender::new(
            self.queue.clone(),
            self.clock.clone(),
            signer,
            Smarthost::new(answers, &self.config.hostname)?,
            answers.per_address_day,
        ))
    }

    async fn start_telling(
        &self,
        tasks: &mut Tasks,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Vec<Listening>, DaemonError> {
        let control = Control::bind(&self.config.data).map_err(|source| DaemonError::Listen {
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
        ));
        let (Some(config), Some(metrics)) = (&self.config.http, metrics) else {
            return Ok(Vec::new());
        };
        let (listener, at) = bind(&config.listen.to_string()).await?;
        let health = Arc::new(Conditions {
            queue: self.queue.clone(),
            nodes: Arc::clone(&self.nodes),
            channels_open: Arc::clone(&self.channels_open),
            channels: self.channels(),
        });
        let serving = http::serve(listener, health, metrics, tasks.until_stop());
        tasks.tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "metrics and health are not served any more");
            }
        });
        Ok(vec![Listening::Http(at)])
    }
}

async fn bind(place: &str) -> Result<(TcpListener, SocketAddr), DaemonError> {
    let wrong = |source| DaemonError::Listen {
        place: place.to_owned(),
        source,
    };
    let listener = TcpListener::bind(place).await.map_err(wrong)?;
    let at = listener.local_addr().map_err(wrong)?;
    Ok((listener, at))
}

/// Counts a door for as long as it is open.
struct Opened(Arc<AtomicUsize>);

impl Opened {
    fn new(count: &Arc<AtomicUsize>) -> Opened {
        count.fetch_add(1, Ordering::Relaxed);
        Opened(Arc::clone(count))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What has its time: forgetting, and the gauges of queue and nodes. Ends where the queue can never be written again.
async fn keep_up(queue: Queue, nodes: Arc<Nodes>, clock: Clock) {
    let mut every = tokio::time::interval(Duration::from_secs(UPKEEP_SECS));
    while queue.is_alive() {
        every.tick().await;
        let now = clock();
        if let Err(error) = queue.clean(now).await {
            tracing::warn!(%error, "old mails cannot be forgotten now");
        }
        let counts = queue.counts();
        for state in State::ALL {
            let count = counts.get(&state).copied().unwrap_or_default();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!(meter::QUEUE_ENTRIES, "state" => state.as_str()).set(f64::from(count));
        }
        // Sets the gauge of the oldest entry; it reads the file.
        let reading = queue.clone();
        let stats = tokio::task::spawn_blocking(move || reading.stats(now)).await;
        if let Ok(Err(error)) = stats {
            tracing::warn!(%error, "the queue cannot be read now");
        }
        for at in 0..nodes.count() {
            // Whether it answers is noted by the nodes themselves.
            let _ = nodes.tip_at(at).await;
        }
        for (node, failure) in nodes.states() {
            let is_up = if failure.is_none() { 1.0 } else { 0.0 };
            metrics::gauge!(meter::NODE_UP, "node" => node).set(is_up);
        }
    }
}

/// The nodes, asked for balances and histories.
struct Asked(Arc<Nodes>);

impl Requests for Asked {
    fn request<'a>(
        &'a self,
        method: &'a str,
        params: serde_json::Map<String, serde_json::Value>,
    ) -> Requesting<'a> {
        Box::pin(async move {
            let answer = self.0.request(method, &params).await;
            answer.map(|(_, value)| value).map_err(|none| {
                let refused = none.errors.iter().find_map(|(_, error)| match error {
                    NodeError::Refused { token, .. } => Some(token.clone()),
                    _ => None,
                });
                refused.map_or_else(|| RequestError::NoNode(none.to_string()), RequestError::Refused)
            })
        })
    }
}

/// What the health checks look at.
struct Conditions {
    queue: Queue,
    nodes: Arc<Nodes>,
    channels_open: Arc<AtomicUsize>,
    channels: usize,
}

impl Conditions {
    fn queue(&self) -> Condition {
        match self.queue.check() {
            Ok(()) => Condition::holds("queue", "it can be written, and the disk has room"),
            Err(error) => Condition::fails("queue", error.to_string()),
        }
    }
}

impl Health for Conditions {
    fn alive(&self) -> Vec<Condition> {
        vec![if self.queue.is_alive() {
            Condition::holds("queue", "its writer runs")
        } else {
            Condition::fails(
                "queue",
                "its writer has stopped: see the log, then start the relay anew",
            )
        }]
    }

    fn ready(&self) -> Vec<Condition> {
        let states = self.nodes.states();
        let failing: Vec<String> = states
            .iter()
            .filter_map(|(node, failure)| failure.as_ref().map(|failure| format!("{node}: {failure}")))
            .collect();
        let nodes = if failing.len() < states.len() {
            Condition::holds(
                "nodes",
                format!("{} of {} answer", states.len() - failing.len(), states.len()),
            )
        } else {
            Condition::fails("nodes", failing.join("; "))
        };
        let open = self.channels_open.load(Ordering::Relaxed);
        let channels = if open == self.channels {
            Condition::holds("doors", format!("{open} open"))
        } else {
            Condition::fails("doors", format!("{open} of {} open: see the log", self.channels))
        };
        vec![self.queue(), nodes, channels]
    }
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
        for (part, expected) in [(0, "a door"), (1, "the courier or the answers")] {
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
