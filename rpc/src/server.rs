//! The sockets: one port for WebSocket upgrades and HTTP POST on `/`.
//!
//! Every connection lives inside `Guarded`, which ends it when nothing moves, and which holds the
//! connection's share of the bounds. It knows no method.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep};

use crate::api::{Node, Peer, Via, network_of};
use crate::envelope::{HttpReply, answer_post};
use crate::limits;
use crate::methods;
use crate::session::{Input, Output, Session};

/// The bounds of one server; the defaults are those of [`crate::limits`].
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// A connection on which no byte moves for this long is dropped.
    pub idle: Duration,
    /// A connection whose first request is not complete after this time is dropped, however slowly its bytes
    /// arrive.
    pub first_request: Duration,
    /// Connections at one time.
    pub connections_max: usize,
    /// Connections from one address that is not loopback.
    pub connections_per_peer_max: usize,
    /// How long connections may take to finish when the server stops.
    pub shutdown: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(limits::IDLE_SECS_MAX),
            first_request: Duration::from_secs(limits::FIRST_REQUEST_SECS_MAX),
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_peer_max: limits::CONNECTIONS_PER_PEER_MAX,
            shutdown: Duration::from_secs(limits::SHUTDOWN_SECS_MAX),
        }
    }
}

/// Serve `node` on `listener` until `stop` resolves; then let open requests finish, for a bounded time.
pub async fn serve(
    listener: TcpListener,
    node: Arc<dyn Node>,
    limits: ServerLimits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = watch::channel(false);
    let shared = Shared {
        node,
        at_work: Arc::new(Semaphore::new(limits::REQUESTS_AT_WORK_MAX)),
        stopped: stopped.clone(),
    };
    let app = Router::new()
        .route("/", get(upgrade).post(post))
        .with_state(shared);
    let bounded = BoundedListener {
        listener,
        limits,
        open: Arc::new(Semaphore::new(limits.connections_max)),
        by_peer: Arc::new(Mutex::new(BTreeMap::new())),
    };
    let service = app.into_make_service_with_connect_info::<RemoteAddress>();
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

/// What every handler shares.
#[derive(Clone)]
struct Shared {
    node: Arc<dyn Node>,
    at_work: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Shared {
    /// A place among the requests at work.
    fn place(&self) -> Result<OwnedSemaphorePermit, Busy> {
        Arc::clone(&self.at_work).try_acquire_owned().map_err(|_| Busy)
    }

    /// Runs one request on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
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
        let place = self.place()?;
        let job = move |node: &dyn Node| answer_post(&methods::Context { node, peer: &peer }, &body);
        self.run(place, job).await
    }

    /// Lets a session answer one frame; one that is not text is `None`. A request that panics ends its
    /// session; a new one takes its place.
    async fn answer(&self, mut session: Session, peer: Peer, text: Option<Utf8Bytes>) -> Session {
        let Ok(place) = self.place() else {
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

/// No thread is free for a request.
#[derive(Debug)]
struct Busy;

/// Where a connection comes from, and whether it has sent a request yet.
#[derive(Debug, Clone)]
struct RemoteAddress {
    address: IpAddr,
    has_asked: Arc<AtomicBool>,
}

impl Connected<IncomingStream<'_, BoundedListener>> for RemoteAddress {
    fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
        Self {
            address: stream.remote_addr().ip(),
            has_asked: Arc::clone(&stream.io().has_asked),
        }
    }
}

/// A browser page and a proxy act for others, even where they run on the operator's machine.
fn peer_of(remote: &RemoteAddress, headers: &HeaderMap) -> Peer {
    remote.has_asked.store(true, Ordering::Relaxed);
    let speaks_for_another = ["origin", "forwarded", "x-forwarded-for", "x-real-ip"]
        .iter()
        .any(|name| headers.contains_key(*name));
    let via = if speaks_for_another {
        Via::Intermediary
    } else {
        Via::Direct
    };
    Peer::new(remote.address, via)
}

async fn upgrade(
    State(shared): State<Shared>,
    ConnectInfo(remote): ConnectInfo<RemoteAddress>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let peer = peer_of(&remote, &headers);
    upgrade
        .max_message_size(limits::REQUEST_BYTES_MAX)
        .max_frame_size(limits::REQUEST_BYTES_MAX)
        .on_upgrade(move |socket| talk(socket, shared, peer))
}

/// One WebSocket: requests are answered in their order, one at a time.
async fn talk(mut socket: WebSocket, shared: Shared, peer: Peer) {
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
        session = shared.answer(session, peer, text).await;
        while let Some(output) = session.next_output() {
            let Output::Text(frame) = output else {
                break 'talk;
            };
            if socket.send(Message::Text(frame.into())).await.is_err() {
                break 'talk;
            }
        }
    }
    // The peer may have closed first.
    let _ = socket.send(Message::Close(None)).await;
}

/// The reply where no thread is free; the request was not read.
const BUSY: &str = r#"{"type":"response","status":"error","error":"tooBusy","error_code":9,"error_message":"The server is too busy to help you now."}"#;

async fn post(
    State(shared): State<Shared>,
    ConnectInfo(remote): ConnectInfo<RemoteAddress>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let peer = peer_of(&remote, &headers);
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
            .unwrap_or_else(|Busy| HttpReply::text(503, "Server is overloaded")),
        Ok(Err(_)) => HttpReply::text(413, "Request too large."),
        Err(_) => HttpReply::text(408, "Request took too long."),
    };
    http_response(reply)
}

fn http_response(reply: HttpReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, reply.content_type)], reply.body).into_response()
}

/// The listener with its bounds.
struct BoundedListener {
    listener: TcpListener,
    limits: ServerLimits,
    open: Arc<Semaphore>,
    by_peer: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl axum::serve::Listener for BoundedListener {
    type Io = Guarded;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok(permit) = Arc::clone(&self.open).acquire_owned().await else {
                return std::future::pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small answers must not wait for a full packet; without the option they are only slower.
                    let _ = stream.set_nodelay(true);
                    if let Some(place) = PeerPlace::take(&self.by_peer, address.ip(), self.limits) {
                        return (Guarded::new(stream, self.limits, permit, place), address);
                    }
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give connections time to end.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection's share of its address's bound; given back when it ends.
struct PeerPlace {
    by_peer: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl PeerPlace {
    fn take(
        by_peer: &Arc<Mutex<BTreeMap<IpAddr, usize>>>,
        address: IpAddr,
        limits: ServerLimits,
    ) -> Option<Self> {
        let address = network_of(address);
        let mut counts = by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if !address.is_loopback() && *count >= limits.connections_per_peer_max {
            return None;
        }
        *count += 1;
        Some(Self {
            by_peer: Arc::clone(by_peer),
            address,
        })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut counts = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// A connection that ends when nothing moves on it.
struct Guarded {
    stream: TcpStream,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    first_request_until: Instant,
    has_asked: Arc<AtomicBool>,
    _permit: OwnedSemaphorePermit,
    _place: PeerPlace,
}

impl Guarded {
    fn new(stream: TcpStream, limits: ServerLimits, permit: OwnedSemaphorePermit, place: PeerPlace) -> Self {
        Self {
            stream,
            idle: limits.idle,
            deadline: Box::pin(sleep(limits.idle.min(limits.first_request))),
            first_request_until: Instant::now() + limits.first_request,
            has_asked: Arc::new(AtomicBool::new(false)),
            _permit: permit,
            _place: place,
        }
    }

    /// Bytes moved: the wait starts again.
    fn extend(&mut self) {
        let idle_until = Instant::now() + self.idle;
        let until = if self.has_asked.load(Ordering::Relaxed) {
            idle_until
        } else {
            idle_until.min(self.first_request_until)
        };
        self.deadline.as_mut().reset(until);
    }

    /// Whether the first request should have been complete by now.
    fn is_late(&self) -> bool {
        !self.has_asked.load(Ordering::Relaxed) && Instant::now() >= self.first_request_until
    }

    /// Nothing moved: end the connection when the wait is over.
    fn check_idle<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(_) if self.is_late() => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Ready(result) => {
                self.extend();
                Poll::Ready(result)
            }
            Poll::Pending => self.check_idle(cx),
        }
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Ready(result) => {
                self.extend();
                Poll::Ready(result)
            }
            Poll::Pending => self.check_idle(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
