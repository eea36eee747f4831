//! `node`: the one-machine ledger, from arguments to a running server.

use super::{Failure, Outcome, keys, providers};
use crate::clock::RehearsedClock;
use crate::output::Format;
use crate::{cli, clock};
use ::ledger::genesis::EmailAmendment;
use codec::{CloseTime, LedgerIndex};
use node::{Clock, Fund, Node, NodeConfig, note_dns};
use ops::PrometheusHandle;
use rpc::Trust;
use rpc::server::{ServerLimits, serve};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Runs until the operator ends it.
pub(crate) async fn run(args: &cli::Node, format: Format) -> Result<Outcome, Failure> {
    // The counters, where somebody looks at them.
    let metrics = args.http.map(|_| ops::install(&[])).transpose();
    let metrics = metrics.map_err(std::io::Error::other)?;
    let mut running = start(args, "--listen").await?;
    let mut places = vec![running.url()];
    if let (Some(address), Some(metrics)) = (args.http, metrics) {
        places.push(running.watch(address, metrics).await?);
    }
    if format.is_json() {
        out!(
            "{}",
            json!({ "listening": places[0], "http": places.get(1), "network_id": args.network })
        );
    } else {
        for place in &places {
            out!("listening {place}");
        }
    }
    tracing::info!(listening = %places.join(" "), network = args.network, "the node serves");
    running.until_stopped().await?;
    tracing::info!("the node has stopped");
    Ok(Outcome::Yes)
}

/// A node with its server and close loop.
pub(crate) struct RunningNode {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    node: Node,
    server: JoinHandle<std::io::Result<()>>,
    /// What the operator's tools look at: gauges, and their port where there is one.
    watched: Vec<JoinHandle<()>>,
    closing: JoinHandle<Result<(), Failure>>,
}

/// Starts a node as the arguments say; it serves when this returns. `flag` is the one that says where.
pub(crate) async fn start(args: &cli::Node, flag: &'static str) -> Result<RunningNode, Failure> {
    outlive_full_disks()?;
    say_what_a_later_start_ignores(args);
    let funds: Vec<Fund> = args
        .fund
        .iter()
        .map(|text| Fund::parse(text))
        .collect::<Result<_, _>>()?;
    let resolver = keys::resolver(&args.keys, Arc::new(note_dns))?;
    let clock = clock_from(args.clock.map_or(Source::Wall, Source::Given))?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|source| Failure::Listen {
            flag,
            address: args.listen,
            source,
        })?;
    let address = listener.local_addr()?;
    let config = NodeConfig {
        funds,
        email: if args.without_email {
            EmailAmendment::Absent
        } else {
            EmailAmendment::Enabled
        },
        history_ledgers: args.history_ledgers,
        rollback_to: args.rollback_to.map(LedgerIndex::new),
        majority_secs: args.majority_secs,
        providers: providers::domains()?,
        ..NodeConfig::new(args.data.clone(), args.network)
    };
    let runtime = tokio::runtime::Handle::current();
    let starting = tokio::task::spawn_blocking(move || Node::start(&config, clock, resolver, runtime));
    let node = starting.await.map_err(std::io::Error::other)??;
    let every_secs = args.close_secs;
    let closing = |node, stopped| tokio::spawn(close_ledgers(node, every_secs, stopped));
    Ok(RunningNode::serve(
        node,
        listener,
        address,
        trust(&args.callers),
        closing,
    ))
}

/// Closes ledgers, or leaves that to `ledger_accept`.
async fn close_ledgers(node: Node, every_secs: u64, stopped: watch::Receiver<bool>) -> Result<(), Failure> {
    if every_secs == 0 {
        return tokio::select! {
            () = until(stopped) => Ok(()),
            failure = node.failed() => Err(failure.into()),
        };
    }
    let every = Duration::from_secs(every_secs);
    Ok(node.run_close_loop(every, until(stopped)).await?)
}

/// Shows the state of the node in its gauges, every second.
async fn record(node: Node, stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = &mut stop => return,
        }
        let node = node.clone();
        // Its failure is told by those who close ledgers.
        let _ = tokio::task::spawn_blocking(move || node.record()).await;
    }
}

impl RunningNode {
    /// Serves a node, and starts what makes its ledgers.
    pub(super) fn serve(
        node: Node,
        listener: TcpListener,
        address: SocketAddr,
        trust: Trust,
        closing: impl FnOnce(Node, watch::Receiver<bool>) -> JoinHandle<Result<(), Failure>>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let serving = serve(
            listener,
            Arc::new(node.clone()),
            ServerLimits::default(),
            trust,
            until(stopped.clone()),
        );
        Self {
            address,
            server: tokio::spawn(serving),
            watched: vec![tokio::spawn(record(node.clone(), stopped.clone()))],
            closing: closing(node.clone(), stopped),
            stop,
            node,
        }
    }

    /// Address of the WebSocket.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Serves metrics and health; answers where.
    pub(super) async fn watch(
        &mut self,
        address: SocketAddr,
        metrics: PrometheusHandle,
    ) -> Result<String, Failure> {
        let listening = TcpListener::bind(address).await;
        let listener = listening.map_err(|source| Failure::Listen {
            flag: "--http",
            address,
            source,
        })?;
        let url = format!("http://{}", listener.local_addr()?);
        let health = Arc::new(self.node.clone());
        let serving = ops::serve(listener, health, metrics, until(self.stop.subscribe()));
        self.watched.push(tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "metrics and health are served no more");
            }
        }));
        Ok(url)
    }

    /// Ends when the operator asks for it, or when the store fails.
    pub(super) async fn until_stopped(self) -> Result<(), Failure> {
        self.until_stopped_or(std::future::pending()).await
    }

    /// The same, or when something else ends.
    pub(super) async fn until_stopped_or(mut self, ended: impl Future<Output = ()>) -> Result<(), Failure> {
        let asked = async {
            tokio::select! {
                () = stop_signal() => {}
                () = ended => {}
            }
        };
        tokio::select! {
            () = asked => tracing::info!("stopping: open requests finish first"),
            failed = self.failed() => failed?,
        }
        self.stop().await
    }

    /// Ends when the node can close no more ledgers.
    pub(crate) async fn failed(&mut self) -> Result<(), Failure> {
        (&mut self.closing).await.map_err(std::io::Error::other)??;
        Ok(())
    }

    /// Lets open requests finish and ends.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        // Fails where no receiver is left: then both tasks have ended.
        let _ = self.stop.send(true);
        self.server.await.map_err(std::io::Error::other)??;
        for task in self.watched {
            task.await.map_err(std::io::Error::other)?;
        }
        if !self.closing.is_finished() {
            self.closing.await.map_err(std::io::Error::other)??;
        }
        Ok(())
    }
}

/// Who is the operator, and who speaks for others.
pub(super) fn trust(callers: &cli::Callers) -> Trust {
    let default = Trust::default();
    let operators = if callers.operator.is_empty() {
        default.operators
    } else {
        callers.operator.iter().flat_map(|given| given.0).collect()
    };
    Trust {
        operators,
        proxies: callers.proxy.clone(),
        proxy_header: callers
            .proxy_header
            .as_ref()
            .map_or(default.proxy_header, |name| name.to_ascii_lowercase()),
    }
}

/// An argument that shapes a new ledger only; a payment that comes too late (`--fund`) is refused by the start.
fn say_what_a_later_start_ignores(args: &cli::Node) {
    let is_there = std::fs::read_dir(&args.data).is_ok_and(|mut entries| entries.next().is_some());
    if is_there && args.without_email {
        eprintln!(
            "notice: {} already holds a ledger; --without-email applies only at the first start",
            args.data.display()
        );
    }
}

/// A file size limit kills a process that has no handler for its signal; with one, writing fails and the
/// store says so.
pub(crate) fn outlive_full_disks() -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    {
        use tokio::signal::unix::{SignalKind, signal};
        const SIGXFSZ: i32 = 25;
        // The handler stays for the life of the process, without this value too.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
    }
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // Fails where the sender is gone, which is an end too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Resolves when the operator asks for an end: SIGTERM, Ctrl-C, or SIGHUP, which a terminal sends when it is
/// closed.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
        if let (Ok(mut terminate), Ok(mut hangup)) = signals {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// A clock of this machine; it runs as fast as the wall clock.
pub(super) fn clock_from(source: Source) -> Result<Arc<dyn Clock>, Failure> {
    let unix = match &source {
        Source::Wall => clock::now_unix(),
        Source::Given(unix) => *unix,
        Source::Rehearsed(clock) => clock.now_unix(),
    };
    let start = CloseTime::from_unix(unix).ok_or(Failure::Time(unix))?;
    Ok(Arc::new(MachineClock {
        start,
        started: Instant::now(),
        source,
    }))
}

/// The machine's clocks.
struct MachineClock {
    start: CloseTime,
    started: Instant,
    source: Source,
}

/// Where the time comes from.
pub(super) enum Source {
    /// The wall clock.
    Wall,
    /// This time at the start, Unix seconds.
    Given(u64),
    /// That of a rehearsal.
    Rehearsed(RehearsedClock),
}

impl Clock for MachineClock {
    fn now(&self) -> CloseTime {
        let unix = match &self.source {
            Source::Wall => clock::now_unix(),
            Source::Given(unix) => unix.saturating_add(self.steady_secs()),
            Source::Rehearsed(clock) => clock.now_unix(),
        };
        CloseTime::from_unix(unix).unwrap_or(self.start)
    }

    fn steady_secs(&self) -> u64 {
        let passed = self.started.elapsed().as_secs();
        match &self.source {
            Source::Wall | Source::Given(_) => passed,
            Source::Rehearsed(clock) => passed.saturating_add(clock.ahead_secs()),
        }
    }

    fn is_rehearsed(&self) -> bool {
        match self.source {
            Source::Wall | Source::Given(_) => false,
            Source::Rehearsed(_) => true,
        }
    }
}
