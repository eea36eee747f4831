//! The nodes: connections kept open, failing ones rested, requests in the order of preference.
//!
//! A node is used only while it is on the network of the configuration and follows it. Every request may be
//! repeated elsewhere: `submit_email` names a mail by its EmailID, so that nothing is done twice. Spec: 12.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rpc::methods::{Request, ServerInfoRequest};
use rpc::reply::BadReply;
use rpc::{Client, ClientError};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::answer::{Unfit, printable, weigh_server_info};
use crate::limits::{
    NODE_ANSWER_SECS_MAX, NODE_CONNECTIONS_MAX, NODE_IDLE_SECS_MAX, NODE_REST_MILLIS_MAX,
    NODE_REST_MILLIS_MIN, NODE_VET_SECS,
};
use crate::meter;

/// Error tokens of a node that will answer later.
const BUSY_TOKENS: [&str; 6] = [
    "tooBusy",
    "slowDown",
    "notReady",
    "noNetwork",
    "noCurrent",
    "internal",
];

/// How long things may take; the defaults are those of [`crate::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeTimes {
    /// A connection, and one answer.
    pub answer: Duration,
    /// First rest after a failure.
    pub rest_min: Duration,
    /// Longest rest.
    pub rest_max: Duration,
}

impl Default for NodeTimes {
    fn default() -> Self {
        NodeTimes {
            answer: Duration::from_secs(NODE_ANSWER_SECS_MAX),
            rest_min: Duration::from_millis(NODE_REST_MILLIS_MIN),
            rest_max: Duration::from_millis(NODE_REST_MILLIS_MAX),
        }
    }
}

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The node failed shortly before, and is left alone for a moment. Nothing was sent.
    #[error("the node is paused after a failure")]
    Resting,
    /// No connection, or the node is not fit for use. Nothing was sent.
    #[error("the node cannot be used: {0}")]
    Down(String),
    /// The request was sent, and no answer came.
    #[error("the node did not answer: {0}")]
    Silent(String),
    /// The answer is not in the envelope.
    #[error("the node's answer is not understood")]
    Unreadable,
    /// The answer lacks what its method promises.
    #[error("the node's answer has no usable member {}", .0.member())]
    Malformed(BadReply),
    /// The node has no time now.
    #[error("the node is busy: {token}")]
    Busy {
        /// Error token.
        token: String,
    },
    /// The node refuses the request.
    #[error("the node refuses the request: {token}: {message}")]
    Refused {
        /// Error token.
        token: String,
        /// Its sentence.
        message: String,
    },
}

/// No node gave a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no node answers: {}", list_of(.errors))]
pub struct NoAnswer {
    /// Each node with its error, in the order of preference.
    pub errors: Vec<(String, NodeError)>,
}

fn list_of(errors: &[(String, NodeError)]) -> String {
    let each = errors.iter().map(|(node, error)| format!("{node}: {error}"));
    each.collect::<Vec<_>>().join("; ")
}

/// Whether a request would reach a node now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// A node answers.
    Ready,
    /// No node answered lately; one may be tried, with one request.
    Trial,
    /// All rest, at least until then.
    Resting(Instant),
}

/// The nodes of the configuration.
pub struct Nodes {
    nodes: Vec<Node>,
    network: u32,
    times: NodeTimes,
}

struct Node {
    url: String,
    name: String,
    places: Semaphore,
    parked: Mutex<Vec<Connection>>,
    health: Mutex<Health>,
}

struct Connection {
    client: Client,
    used_at: Instant,
    vetted_at: Instant,
}

#[derive(Debug, Default)]
struct Health {
    /// In a row.
    failures: u32,
    rests_until: Option<Instant>,
    /// A request is finding out whether the node is back.
    has_trial: Trials,
    last_failure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Trials {
    #[default]
    None,
    One,
}

impl Nodes {
    /// The nodes at `urls`, in the order of preference, that serve `network`. Connects to none yet.
    #[must_use]
    pub fn new(urls: &[String], network: u32) -> Nodes {
        Nodes::with_times(urls, network, NodeTimes::default())
    }

    /// The same with other times.
    #[must_use]
    pub fn with_times(urls: &[String], network: u32, times: NodeTimes) -> Nodes {
        let nodes = urls.iter().map(|url| Node {
            url: url.clone(),
            name: name_of(url),
            places: Semaphore::new(NODE_CONNECTIONS_MAX),
            parked: Mutex::default(),
            health: Mutex::default(),
        });
        Nodes {
            nodes: nodes.collect(),
            network,
            times,
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Name of a node: host and port.
    #[must_use]
    pub fn name(&self, at: usize) -> &str {
        self.nodes.get(at).map_or("", |node| &node.name)
    }

    /// The node of this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// Each node with the failure that keeps it from being used, if there is one.
    #[must_use]
    pub fn states(&self) -> Vec<(String, Option<String>)> {
        let state = |node: &Node| (node.name.clone(), node.health().last_failure.clone());
        self.nodes.iter().map(state).collect()
    }

    /// Whether a request would reach a node now.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let now = Instant::now();
        let mut earliest: Option<Instant> = None;
        let mut may_try = false;
        for node in &self.nodes {
            let health = node.health();
            match health.rests_until {
                None => return Readiness::Ready,
                Some(until) if until > now => {
                    earliest = Some(earliest.map_or(until, |known| known.min(until)))
                }
                Some(_) if health.has_trial == Trials::One => {
                    earliest = Some(earliest.unwrap_or(now + self.times.rest_min));
                }
                Some(_) => may_try = true,
            }
        }
        match earliest {
            _ if may_try => Readiness::Trial,
            earliest => Readiness::Resting(earliest.unwrap_or(now + self.times.rest_max)),
        }
    }

    /// Asks the nodes in the order of preference until one gives a reply.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Reply, NoAnswer> {
        let mut errors = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            match self.call_at(at, request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => errors.push((node.name.clone(), error)),
            }
        }
        Err(NoAnswer { errors })
    }

    /// Index of the node's last validated ledger.
    pub async fn tip_at(&self, at: usize) -> Result<u32, NodeError> {
        let info = self.call_at(at, &ServerInfoRequest).await?;
        weigh_server_info(&info, self.network).map_err(|unfit| {
            if let Some(node) = self.nodes.get(at) {
                node.fail(&unfit.to_string(), self.times);
            }
            NodeError::Down(unfit.to_string())
        })
    }

    /// Asks one node.
    pub async fn call_at<R: Request>(&self, at: usize, request: &R) -> Result<R::Reply, NodeError> {
        let result = self.request_at(at, R::METHOD, &request.params()).await?;
        R::read(&result).map_err(NodeError::Malformed)
    }

    /// Asks one node, and leaves the result as it is.
    pub async fn request_at(
        &self,
        at: usize,
        method: &str,
        params: &Map<String, Value>,
    ) -> Result<Value, NodeError> {
        let Some(node) = self.nodes.get(at) else {
            return Err(NodeError::Down("there is no such node".to_owned()));
        };
        let _trial = node.enter()?;
        // The semaphore is never closed.
        let _place = node.places.acquire().await.map_err(|_| NodeError::Resting)?;
        let result = self.ask(node, method, params).await;
        match &result {
            Ok(_) | Err(NodeError::Refused { .. } | NodeError::Busy { .. }) => node.succeed(),
            Err(NodeError::Down(word) | NodeError::Silent(word)) => node.fail(word, self.times),
            // One mail may make a healthy node do that; the connection is not used again.
            Err(NodeError::Unreadable | NodeError::Malformed(_) | NodeError::Resting) => {}
        }
        metrics::counter!(meter::NODE_REQUESTS, "node" => node.name.clone(), "outcome" => outcome_of(&result))
            .increment(1);
        result
    }

    async fn ask(&self, node: &Node, method: &str, params: &Map<String, Value>) -> Result<Value, NodeError> {
        if let Some(mut connection) = node.take_parked() {
            let is_fit = connection.vetted_at.elapsed() < Duration::from_secs(NODE_VET_SECS);
            if is_fit || self.vet(&mut connection).await.is_ok() {
                match connection.client.request(method, params.clone()).await {
                    // Closed while it lay idle; every request may be sent again.
                    Err(ClientError::Closed | ClientError::Broken(_)) => {}
                    result => return node.finish(connection, result),
                }
            }
        }
        let client = Client::connect_with_patience(&node.url, self.times.answer).await;
        let now = Instant::now();
        let mut connection = Connection {
            client: client.map_err(|error| NodeError::Down(printable(&error.to_string())))?,
            used_at: now,
            vetted_at: now,
        };
        self.vet(&mut connection).await?;
        let result = connection.client.request(method, params.clone()).await;
        node.finish(connection, result)
    }

    /// Finds out whether the node at the other end is on our network, and follows it.
    async fn vet(&self, connection: &mut Connection) -> Result<(), NodeError> {
        let info = connection.client.call(&ServerInfoRequest).await;
        let info = info.map_err(|error| NodeError::Down(printable(&error.to_string())))?;
        let index: Result<u32, Unfit> = weigh_server_info(&info, self.network);
        index.map_err(|unfit| NodeError::Down(unfit.to_string()))?;
        connection.vetted_at = Instant::now();
        Ok(())
    }
}

impl Node {
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parked(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_parked(&self) -> Option<Connection> {
        let mut parked = self.parked();
        parked.retain(|connection| connection.used_at.elapsed() < Duration::from_secs(NODE_IDLE_SECS_MAX));
        parked.pop()
    }

    /// Parks the connection where it can be used again.
    fn finish(
        &self,
        mut connection: Connection,
        result: Result<Value, ClientError>,
    ) -> Result<Value, NodeError> {
        let result = result.map_err(error_of);
        if matches!(
            result,
            Ok(_) | Err(NodeError::Refused { .. } | NodeError::Busy { .. })
        ) {
            connection.used_at = Instant::now();
            self.parked().push(connection);
        }
        result
    }

    /// A node that failed is tried by one request at a time.
    fn enter(&self) -> Result<Option<Trial<'_>>, NodeError> {
        let mut health = self.health();
        match health.rests_until {
            None => Ok(None),
            Some(until) if until > Instant::now() || health.has_trial == Trials::One => {
                Err(NodeError::Resting)
            }
            Some(_) => {
                health.has_trial = Trials::One;
                Ok(Some(Trial { node: self }))
            }
        }
    }

    fn succeed(&self) {
        let mut health = self.health();
        if health.last_failure.is_some() {
            tracing::info!(node = self.name, "the node answers again");
        }
        health.failures = 0;
        health.rests_until = None;
        health.last_failure = None;
        metrics::gauge!(meter::NODE_UP, "node" => self.name.clone()).set(1);
    }

    fn fail(&self, word: &str, times: NodeTimes) {
        self.parked().clear();
        let mut health = self.health();
        if health.last_failure.as_deref() != Some(word) {
            tracing::warn!(node = self.name, word, "the node cannot be used");
        }
        health.last_failure = Some(word.to_owned());
        let now = Instant::now();
        // Requests that were under way together fail together; that is one failure.
        if health.rests_until.is_none_or(|until| until <= now) {
            let factor = 1_u32.checked_shl(health.failures.min(16)).unwrap_or(u32::MAX);
            let rest = times.rest_min.saturating_mul(factor).min(times.rest_max);
            health.rests_until = Some(now + rest);
            health.failures = health.failures.saturating_add(1);
        }
        metrics::gauge!(meter::NODE_UP, "node" => self.name.clone()).set(0);
    }
}

/// Ends the trial of a node, even where the request is cancelled.
struct Trial<'a> {
    node: &'a Node,
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.node.health().has_trial = Trials::None;
    }
}

fn error_of(error: ClientError) -> NodeError {
    match error {
        ClientError::Refused { token, message, .. } => {
            let (token, message) = (printable(&token), printable(&message));
            if BUSY_TOKENS.contains(&token.as_str()) {
                return NodeError::Busy { token };
            }
            NodeError::Refused { token, message }
        }
        ClientError::BadAnswer => NodeError::Unreadable,
        ClientError::BadReply(bad) => NodeError::Malformed(bad),
        ClientError::TooLong { .. } => NodeError::Refused {
            token: "tooLong".to_owned(),
            message: error.to_string(),
        },
        ClientError::Connect { .. } => NodeError::Down(printable(&error.to_string())),
        ClientError::Broken(_) | ClientError::Closed | ClientError::TimedOut { .. } => {
            NodeError::Silent(printable(&error.to_string()))
        }
    }
}

fn outcome_of(result: &Result<Value, NodeError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(NodeError::Resting) => "resting",
        Err(NodeError::Down(_)) => "down",
        Err(NodeError::Silent(_)) => "silent",
        Err(NodeError::Unreadable | NodeError::Malformed(_)) => "unreadable",
        Err(NodeError::Busy { .. }) => "busy",
        Err(NodeError::Refused { .. }) => "refused",
    }
}

/// Host and port of an address, without a log-in.
fn name_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    printable(host)
}
