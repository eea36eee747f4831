//! The sockets: one port for WebSocket upgrades and HTTP POST on `/`.
//!
//! Connections, bytes and requests at work are shared fairly between callers ([`ops::listener`]); who a caller
//! is, [`Trust`] says. It knows no method.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ops::Bounds;
use ops::listener::{BoundedListener, Connection, ListenerBounds};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::api::{Node, Peer};
use crate::at_work::{AtWork, Busy, Place};
use crate::envelope::{HttpReply, answer_post};
use crate::limits;
use crate::methods;
use crate::session::{Input, Output, Session};
use crate::trust::Trust;

/// The bounds of one server; the defaults are those of [`crate::limits`].
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// A connection on which no byte moves for this long is dropped.
    pub idle: Duration,
    /// A connection whose first request is not complete after this time is dropped, however slowly its bytes
    /// arrive.
    pub first_request: Duration,
    /// Connections at one time.
    pub connections: Bounds,
    /// How long connections may take to finish when the server stops.
    pub shutdown: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(limits::IDLE_SECS_MAX),
            first_request: Duration::from_secs(limits::FIRST_REQUEST_SECS_MAX),
            connections: Bounds {
                total: limits::CONNECTIONS_MAX,
                for_operator: limits::CONNECTIONS_OF_OPERATOR,
                per_peer: limits::CONNECTIONS_PER_PEER_MAX,
                per_network: limits::CONNECTIONS_PER_NETWORK_MAX,
            },
            shutdown: Duration::from_secs(limits::SHUTDOWN_SECS_MAX),
        }
    }
}

/// Serve `node` on `listener` until `stop` resolves; then let open requests finish, for a bounded time.
pub async fn serve(
    listener: TcpListener,
    node: Arc<dyn Node>,
    limits: ServerLimits,
    trust: Trust,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = watch::channel(false);
    let trust = Arc::new(trust);
    let shared = Shared {
        node,
        trust: Arc::clone(&trust),
        at_work: AtWork::new(),
        stopped: stopped.clone(),
    };
    let app = Router::new()
        .route("/", get(upgrade).post(post))
        .with_state(shared);
    let counted_as = Arc::new(move |address| trust.at_the_door(address));
    let bounded = BoundedListener::new(listener, listener_bounds(limits), counted_as);
    let service = app.into_make_service_with_connect_info::<Connection>();
    let mut until_stop = stopped.clone();
    let serving = axum::serve(bounded, service).with_graceful_shutdown(async move {
        let _ = until_stop.wait_for(|stop| *stop).await;
    });
    let mut after_stop = stopped;
    let give_up = async move {
        let _ = after_stop.wait_for(|stop| *stop).await;
        sleep(limits.shutdown).await;
    };
    let announce = async move {
        stop.await;
        let _ = stopping.send(true);
        // Keeps `stopping` alive: a dropped sender would look like a stop.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = serving => result,
        () = give_up => Ok(()),
        () = announce => Ok(()),
    }
}

fn listener_bounds(limits: ServerLimits) -> ListenerBounds {
    ListenerBounds {
        places: limits.connections,
        spared: Duration::from_secs(limits::CONNECTION_SPARED_SECS),
        bytes: Bounds {
            total: limits::BYTES_UNDER_WAY_MAX,
            for_operator: limits::BYTES_OF_OPERATOR,
            per_peer: limits::BYTES_PER_PEER_MAX,
            per_network: limits::BYTES_PER_NETWORK_MAX,
        },
        idle: limits.idle,
        first_request: limits.first_request,
    }
}

/// What every handler shares.
#[derive(Clone)]
struct Shared {
    node: Arc<dyn Node>,
    trust: Arc<Trust>,
    at_work: Arc<AtWork>,
    stopped: watch::Receiver<bool>,
}

impl Shared {
    /// Runs one request on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        job: impl FnOnce(&dyn Node) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let node = Arc::clone(&self.node);
        let work = tokio::task::spawn_blocking(move || {
            let outcome = job(node.as_ref());
            drop(place);
            outcome
        });
        work.await.map_err(|error| {
            tracing::error!(%error, "a request panicked: a defect; the client is told that the server is busy");
            Busy
        })
    }

    /// Answers the body of one HTTP POST.
    async fn answer_post(&self, peer: Peer, body: Bytes) -> Result<HttpReply, Busy> {
        let place = self.at_work.place(peer.visitor()).await?;
        let job = move |node: &dyn Node| answer_post(&methods::Context { node, peer: &peer }, &body);
        self.run(place, job).await
    }

    /// Lets a session answer one frame; one that is not text is `None`. A request that panics ends its
    /// session; a new one takes its place.
    async fn answer(&self, mut session: Session, peer: Peer, text: Option<Utf8Bytes>) -> Session {
        let Ok(place) = self.at_work.place(peer.visitor()).await else {
            session.push(BUSY.to_owned());
            return session;
        };
        let handling = self.run(place, move |node| {
            session.handle(node, text.as_deref().map_or(Input::Binary, Input::Text));
            session
        });
        handling.await.unwrap_or_else(|Busy| {
            let mut session = Session::new(peer);
            session.push(BUSY.to_owned());
            session
        })
    }
}

async fn upgrade(
    State(shared): State<Shared>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let peer = shared.trust.peer(connection.address, &headers);
    if connection.asks(peer.visitor()).is_err() {
        return http_response(overloaded());
    }
    upgrade
        .read_buffer_size(limits::READ_BYTES)
        .max_message_size(limits::REQUEST_BYTES_MAX)
        .max_frame_size(limits::REQUEST_BYTES_MAX)
        .on_upgrade(move |socket| talk(socket, shared, connection, peer))
}

/// One WebSocket: requests are answered in their order, one at a time.
async fn talk(mut socket: WebSocket, shared: Shared, connection: Connection, peer: Peer) {
    let mut stopped = shared.stopped.clone();
    let mut session = Session::new(peer);
    'talk: loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let text = match message {
            Some(Ok(Message::Text(text))) => Some(text),
            Some(Ok(Message::Binary(_))) => None,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => break,
        };
        if connection.asks(peer.visitor()).is_err() {
            break;
        }
        session = shared.answer(session, peer, text).await;
        while let Some(output) = session.next_output() {
            let Output::Text(frame) = output else {
                break 'talk;
            };
            // An answer counts until its peer has read it.
            if connection.holds(frame.len()).is_err()
                || socket.send(Message::Text(frame.into())).await.is_err()
            {
                break 'talk;
            }
        }
        connection.answered();
    }
    // The peer may have closed first.
    let _ = socket.send(Message::Close(None)).await;
}

/// The reply where no thread is free; the request was not read.
const BUSY: &str = r#"{"type":"response","status":"error","error":"tooBusy","error_code":9,"error_message":"The server is too busy to help you now."}"#;

async fn post(
    State(shared): State<Shared>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let peer = shared.trust.peer(connection.address, &headers);
    // The answer before it has been read.
    connection.answered();
    if connection.asks(peer.visitor()).is_err() {
        return http_response(overloaded());
    }
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits::REQUEST_BYTES_MAX) {
        return http_response(HttpReply::text(413, "Request too large."));
    }
    let arriving = axum::body::to_bytes(body, limits::REQUEST_BYTES_MAX);
    let reply = match tokio::time::timeout(Duration::from_secs(limits::BODY_SECS_MAX), arriving).await {
        Ok(Ok(bytes)) => shared
            .answer_post(peer, bytes)
            .await
            .unwrap_or_else(|Busy| overloaded()),
        Ok(Err(_)) => HttpReply::text(413, "Request too large."),
        Err(_) => HttpReply::text(408, "Request took too long."),
    };
    if connection.holds(reply.body.len()).is_err() {
        return http_response(overloaded());
    }
    http_response(reply)
}

fn overloaded() -> HttpReply {
    HttpReply::text(503, "Server is overloaded")
}

fn http_response(reply: HttpReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body).into_response()
}
