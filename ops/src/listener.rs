//! A listener for axum whose connections cost no more than their share: places behind a [`Door`], time, and
//! bytes of requests that are not answered yet.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

use crate::door::{Badge, Door, Visit};
use crate::limits::{ACCEPT_PAUSE_MILLIS, UNCOUNTED_BYTES};
use crate::shares::Shares;
use crate::visitor::{Bounds, Full, Visitor};

/// What the connections of one listener may take.
#[derive(Debug, Clone, Copy)]
pub struct ListenerBounds {
    /// Connections.
    pub places: Bounds,
    /// A connection that asked less than this ago is not idle.
    pub spared: Duration,
    /// Bytes of requests that are not answered yet.
    pub bytes: Bounds,
    /// A connection on which no byte moves for this long is dropped.
    pub idle: Duration,
    /// A connection whose first request is not complete after this time is dropped, however slowly its bytes
    /// arrive.
    pub first_request: Duration,
}

/// As whom a new connection is counted, until it says more.
pub type CountedAs = Arc<dyn Fn(IpAddr) -> Visitor + Send + Sync>;

/// The listener.
pub struct BoundedListener {
    listener: TcpListener,
    bounds: ListenerBounds,
    door: Arc<Door>,
    bytes: Arc<Mutex<Shares>>,
    counted_as: CountedAs,
}

impl BoundedListener {
    /// Bounds a listener.
    #[must_use]
    pub fn new(listener: TcpListener, bounds: ListenerBounds, counted_as: CountedAs) -> Self {
        Self {
            listener,
            bounds,
            door: Door::new(bounds.places, bounds.spared),
            bytes: Arc::new(Mutex::new(Shares::new(bounds.bytes))),
            counted_as,
        }
    }
}

impl axum::serve::Listener for BoundedListener {
    type Io = Guarded;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let visitor = (self.counted_as)(address.ip());
                    match self.door.enter(visitor) {
                        Ok(visit) => {
                            // Small answers must not wait for a full packet; without the option they are
                            // only slower.
                            let _ = stream.set_nodelay(true);
                            let bytes = Arc::clone(&self.bytes);
                            return (Guarded::new(stream, self.bounds, visit, visitor, bytes), address);
                        }
                        Err(full) => tracing::debug!(%address, %full, "a connection is turned away"),
                    }
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give connections time to end.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(ACCEPT_PAUSE_MILLIS)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection, to those who serve it; through axum's `ConnectInfo`.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Where it comes from.
    pub address: IpAddr,
    badge: Badge,
    asking: Arc<Asking>,
}

impl Connection {
    /// A request is here, for this visitor. Refused where the visitor holds enough already.
    pub fn asks(&self, visitor: Visitor) -> Result<(), Full> {
        self.badge.rename(visitor)?;
        self.asking.rename(visitor)?;
        self.asking.has_asked.store(true, Ordering::Relaxed);
        self.badge.moved();
        Ok(())
    }

    /// An answer waits to be read: its bytes count, too.
    pub fn holds(&self, bytes: usize) -> Result<(), Full> {
        self.asking.arrived(bytes)
    }

    /// A request is answered: its bytes are gone, and those of its answer.
    pub fn answered(&self) {
        self.asking.clear();
    }
}

impl Connected<IncomingStream<'_, BoundedListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
        Self {
            address: stream.remote_addr().ip(),
            badge: stream.io().visit.badge().clone(),
            asking: Arc::clone(&stream.io().asking),
        }
    }
}

/// What a connection makes the process hold: requests without an answer, and answers that are not read.
#[derive(Debug)]
struct Asking {
    has_asked: AtomicBool,
    /// Bytes since the last answer. The first ones are counted nowhere else, so that small
    /// requests need not wait for one another.
    bytes: AtomicUsize,
    shares: Arc<Mutex<Shares>>,
    taken: Mutex<Taken>,
}

/// What is taken of the shares.
#[derive(Debug, Clone, Copy)]
struct Taken {
    visitor: Visitor,
    bytes: usize,
}

impl Asking {
    /// Counts bytes.
    fn arrived(&self, bytes: usize) -> Result<(), Full> {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let counted = before
            .saturating_add(bytes)
            .saturating_sub(UNCOUNTED_BYTES)
            .min(bytes);
        if counted == 0 {
            return Ok(());
        }
        let mut taken = lock(&self.taken);
        lock(&self.shares).take(taken.visitor, counted)?;
        taken.bytes += counted;
        Ok(())
    }

    fn rename(&self, visitor: Visitor) -> Result<(), Full> {
        let mut taken = lock(&self.taken);
        if taken.visitor == visitor {
            return Ok(());
        }
        if taken.bytes > 0 {
            let mut shares = lock(&self.shares);
            shares.give_back(taken.visitor, taken.bytes);
            let bytes = std::mem::take(&mut taken.bytes);
            shares.take(visitor, bytes)?;
            taken.bytes = bytes;
        }
        taken.visitor = visitor;
        Ok(())
    }

    fn clear(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        let mut taken = lock(&self.taken);
        if taken.bytes > 0 {
            lock(&self.shares).give_back(taken.visitor, std::mem::take(&mut taken.bytes));
        }
    }
}

/// A connection that ends when nothing moves on it, when it takes too much, or when another needs its place.
pub struct Guarded {
    stream: TcpStream,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    first_request_until: Instant,
    visit: Visit,
    asking: Arc<Asking>,
}

impl Guarded {
    fn new(
        stream: TcpStream,
        bounds: ListenerBounds,
        visit: Visit,
        visitor: Visitor,
        shares: Arc<Mutex<Shares>>,
    ) -> Self {
        Self {
            stream,
            idle: bounds.idle,
            deadline: Box::pin(sleep(bounds.idle.min(bounds.first_request))),
            first_request_until: Instant::now() + bounds.first_request,
            visit,
            asking: Arc::new(Asking {
                has_asked: AtomicBool::new(false),
                bytes: AtomicUsize::new(0),
                shares,
                taken: Mutex::new(Taken { visitor, bytes: 0 }),
            }),
        }
    }

    /// Bytes moved: the wait starts again.
    fn extend(&mut self) {
        let idle_until = Instant::now() + self.idle;
        let until = if self.asking.has_asked.load(Ordering::Relaxed) {
            idle_until
        } else {
            idle_until.min(self.first_request_until)
        };
        self.deadline.as_mut().reset(until);
    }

    /// Whether the first request should have been complete by now.
    fn is_late(&self) -> bool {
        !self.asking.has_asked.load(Ordering::Relaxed) && Instant::now() >= self.first_request_until
    }

    /// Nothing moved: end the connection when the wait is over, or when its place is needed.
    fn check_end<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.visit.poll_told_to_go(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.asking.clear();
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(_) if self.is_late() => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Ready(result) => {
                self.extend();
                if let Err(full) = self.asking.arrived(buf.filled().len() - before) {
                    tracing::debug!(%full, "a connection is dropped: too many bytes wait");
                    return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
                }
                Poll::Ready(result)
            }
            Poll::Pending => self.check_end(cx),
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
            Poll::Pending => self.check_end(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const BYTES: Bounds = Bounds {
        total: 3 * UNCOUNTED_BYTES,
        for_operator: 0,
        per_peer: UNCOUNTED_BYTES,
        per_network: UNCOUNTED_BYTES,
    };

    async fn listener(bytes: Bounds) -> (BoundedListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let address = listener.local_addr().expect("address");
        let bounds = ListenerBounds {
            places: Bounds {
                total: 2,
                for_operator: 0,
                per_peer: 2,
                per_network: 2,
            },
            spared: Duration::from_secs(60),
            bytes,
            idle: Duration::from_secs(60),
            first_request: Duration::from_secs(60),
        };
        let counted_as: CountedAs = Arc::new(Visitor::Guest);
        (BoundedListener::new(listener, bounds, counted_as), address)
    }

    #[tokio::test]
    async fn a_silent_connection_ends_when_another_needs_its_place() {
        let (mut listener, address) = listener(BYTES).await;
        let mut clients = Vec::new();
        let mut served = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.expect("connect"));
            served.push(listener.accept().await.0);
        }
        let error = served[0].read_u8().await.expect_err("its place is taken");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        clients[1].write_all(b"x").await.expect("sent");
        assert_eq!(served[1].read_u8().await.expect("served"), b'x');
    }

    #[tokio::test]
    async fn bytes_are_counted_until_they_are_answered_and_too_many_end_the_connection() {
        let (mut listener, address) = listener(BYTES).await;
        let mut client = TcpStream::connect(address).await.expect("connect");
        let (mut served, _) = listener.accept().await;
        let asking = Arc::clone(&served.asking);
        let two_shares = vec![0; 2 * UNCOUNTED_BYTES];
        let sending = tokio::spawn(async move {
            // The other end may close meanwhile.
            while client.write_all(&two_shares).await.is_ok() {}
        });
        let mut buffer = vec![0; 2 * UNCOUNTED_BYTES];
        served.read_exact(&mut buffer).await.expect("within the share");
        assert_eq!(lock(&asking.shares).taken(), UNCOUNTED_BYTES);
        asking.clear();
        assert_eq!(lock(&asking.shares).taken(), 0);
        served
            .read_exact(&mut buffer)
            .await
            .expect("within the share again");
        let error = served.read_exact(&mut buffer).await.expect_err("over its share");
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        let shares = Arc::clone(&asking.shares);
        drop(served);
        assert_eq!(lock(&shares).taken(), 0, "what a connection took is given back");
        sending.await.expect("sent");
    }
}
