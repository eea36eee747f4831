//! One connection: carries bytes between a stream and its session.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use ops::Visit;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::intake::handler::MailHandler;
use crate::intake::smtp::session::{Action, Session};
use crate::limits;

/// How a talk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The handshake comes now.
    StartTls,
    /// The connection is over.
    Nothing,
}

/// What came from the stream.
enum Read {
    /// The session read it; bytes that it did not use yet, and what to do now.
    Bytes(Vec<u8>, Action),
    /// The client sends no more.
    End,
}

/// Talks until the connection ends or changes to TLS. `first` is what [`Session::greet`] gave, or
/// [`Action::More`].
pub async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    session: &mut Session,
    first: Action,
    handler: &dyn MailHandler,
    visit: &mut Visit,
    stop: &mut watch::Receiver<bool>,
) -> io::Result<Next> {
    let mut action = first;
    let mut rest = Vec::new();
    let mut stopping = Stopping::NotYet;
    let mut ending = Ending::OfItsOwn;
    let mut progress = session.progress();
    loop {
        if session.progress() != progress {
            progress = session.progress();
            visit.moved();
        }
        match action {
            Action::More if !rest.is_empty() => {
                let (used, next) = session.handle(&rest, now(), handler);
                rest.drain(..used.min(rest.len()));
                let is_pause = matches!(next, Action::More) && !rest.is_empty();
                action = next;
                if is_pause {
                    write(stream, session).await?;
                }
            }
            Action::More => {
                rest = Vec::new();
                write(stream, session).await?;
                let deadline = tokio::time::Instant::from_std(session.timeout_at());
                action = tokio::select! {
                    read = read(stream, session, handler) => match read? {
                        Read::Bytes(left, next) => {
                            rest = left;
                            next
                        }
                        Read::End => return Ok(Next::Nothing),
                    },
                    () = tokio::time::sleep_until(deadline) => session.handle_timeout(now()),
                    _ = stop.wait_for(|stop| *stop), if stopping == Stopping::NotYet => {
                        stopping = Stopping::Told;
                        session.handle_stop(now())
                    }
                    () = visit.told_to_go() => {
                        ending = Ending::GivesWay;
                        session.handle_full()
                    }
                };
            }
            Action::Take(incoming) => {
                let reply = handler.take(*incoming).await;
                action = session.handle_reply(&reply, now());
            }
            Action::StartTls => {
                write(stream, session).await?;
                return Ok(Next::StartTls);
            }
            Action::Close if ending == Ending::GivesWay => {
                let bound = Duration::from_secs(limits::LINGER_SECS_MAX);
                // Whether or not it reads the reason.
                let _ = timeout(bound, write(stream, session)).await;
                return Ok(Next::Nothing);
            }
            Action::Close => {
                write(stream, session).await?;
                linger(stream).await;
                return Ok(Next::Nothing);
            }
        }
    }
}

/// Whether the session was told of the stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopping {
    NotYet,
    Told,
}

/// How the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// When its talk is over.
    OfItsOwn,
    /// For another, who has its place already.
    GivesWay,
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Waits for bytes and gives them to the session at once, out of a buffer that exists only for that: a
/// connection that waits holds none.
async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    session: &mut Session,
    handler: &dyn MailHandler,
) -> io::Result<Read> {
    poll_fn(|context| {
        let mut room = [const { MaybeUninit::uninit() }; limits::READ_BYTES_MAX];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        let bytes = buffer.filled();
        if bytes.is_empty() {
            return Poll::Ready(Ok(Read::End));
        }
        let (used, action) = session.handle(bytes, now(), handler);
        let left = bytes.get(used..).unwrap_or_default().to_vec();
        Poll::Ready(Ok(Read::Bytes(left, action)))
    })
    .await
}

/// Writes what the session has to say.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, session: &mut Session) -> io::Result<()> {
    let output = session.take_output();
    if output.is_empty() {
        return Ok(());
    }
    let bound = Duration::from_secs(limits::WRITE_SECS_MAX);
    let writing = async {
        stream.write_all(&output).await?;
        stream.flush().await
    };
    timeout(bound, writing)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Reads on for a moment after the last reply: a socket that is closed with unread bytes is reset, and the
/// client would lose the reason.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let draining = async {
        stream.shutdown().await?;
        let mut left_bytes = limits::LINGER_BYTES_MAX;
        loop {
            let count = poll_fn(|context| {
                let mut room = [const { MaybeUninit::uninit() }; limits::READ_BYTES_MAX];
                let mut buffer = ReadBuf::uninit(&mut room);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
                Poll::Ready(io::Result::Ok(buffer.filled().len()))
            })
            .await?;
            left_bytes = left_bytes.saturating_sub(count);
            if count == 0 || left_bytes == 0 {
                return io::Result::Ok(());
            }
        }
    };
    // However it ends, the connection is over.
    let _ = timeout(Duration::from_secs(limits::LINGER_SECS_MAX), draining).await;
}
