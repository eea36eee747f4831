//! The command line's side of the socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Context, Line, Refusal, Request, SOCKET, execute};
use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::limits::{CONTROL_ANSWER_BYTES_MAX, CONTROL_ANSWER_SECS, CONTROL_LINES_MAX};
use crate::queue::{self, OpenError, Queue};

/// Why a request was not answered with `done`.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket does not answer.
    #[error("{path}: {source}; is the relay running, and this user its owner?", path = path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The daemon's answer is none.
    #[error("the daemon's answer cannot be read ({0}); use the command line of its version")]
    Answer(String),
    /// The folder holds no queue.
    #[error("{path} holds no queue; name the data folder of a relay", path = .0.display())]
    NoQueue(PathBuf),
    /// The queue does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is not done.
    #[error("{}", .0.text)]
    Refused(Refusal),
}

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Client {
    /// Connects to the daemon of a data folder.
    pub async fn connect(data: &Path) -> Result<Client, ControlError> {
        let path = data.join(SOCKET);
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                let (reader, writer) = stream.into_split();
                let reader = BufReader::new(reader);
                Ok(Client { path, reader, writer })
            }
            Err(source) => Err(ControlError::Socket { path, source }),
        }
    }

    /// Asks, and hands over the lines of the answer but for the last.
    pub async fn request(
        &mut self,
        request: &Request,
        mut take: impl FnMut(Line),
    ) -> Result<(), ControlError> {
        let mut line =
            serde_json::to_vec(request).map_err(|error| ControlError::Answer(error.to_string()))?;
        line.push(b'\n');
        // A daemon that turns clients away has said why before it reads anything.
        let written = self.writer.write_all(&line).await;
        loop {
            match (self.read_line().await, &written) {
                (Ok(Line::Done), _) => return Ok(()),
                (Ok(Line::Error(refusal)), _) => return Err(ControlError::Refused(refusal)),
                (Ok(line), _) => take(line),
                (Err(_), Err(error)) => return Err(self.socket_error(error.kind().into())),
                (Err(error), Ok(())) => return Err(error),
            }
        }
    }

    async fn read_line(&mut self) -> Result<Line, ControlError> {
        let mut line = Vec::new();
        let bytes_max = u64::try_from(CONTROL_ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bounded = (&mut self.reader).take(bytes_max);
        let reading = bounded.read_until(b'\n', &mut line);
        let read = timeout(Duration::from_secs(CONTROL_ANSWER_SECS), reading).await;
        match read {
            Err(_) => Err(self.socket_error(io::ErrorKind::TimedOut.into())),
            Ok(Err(error)) => Err(self.socket_error(error)),
            Ok(Ok(0)) => Err(self.socket_error(io::ErrorKind::UnexpectedEof.into())),
            Ok(Ok(_)) => {
                serde_json::from_slice(&line).map_err(|error| ControlError::Answer(error.to_string()))
            }
        }
    }

    fn socket_error(&self, source: io::Error) -> ControlError {
        ControlError::Socket {
            path: self.path.clone(),
            source,
        }
    }
}

/// Who does what an operator asks: the daemon where one runs, else this process.
pub enum Operator {
    /// The daemon.
    Live(Client),
    /// This process, on the queue itself.
    Direct(Context),
}

impl Operator {
    /// Of a data folder: through the socket where a daemon listens, else on the queue itself, which no one
    /// else can open meanwhile.
    pub async fn open(data: &Path, limits: &QueueConfig, clock: Clock) -> Result<Operator, ControlError> {
        match Client::connect(data).await {
            Ok(client) => return Ok(Operator::Live(client)),
            Err(ControlError::Socket { source, .. }) if is_nobody(&source) => {}
            Err(error) => return Err(error),
        }
        if !queue::is_queue(data) {
            return Err(ControlError::NoQueue(data.to_owned()));
        }
        let queue = Queue::open(data, limits, clock.clone())?;
        Ok(Operator::Direct(Context {
            queue,
            handler: None,
            clock,
        }))
    }

    /// Asks, and hands over the lines of the answer but for the last.
    pub async fn request(
        &mut self,
        request: Request,
        mut take: impl FnMut(Line),
    ) -> Result<(), ControlError> {
        let context = match self {
            Operator::Live(client) => return client.request(&request, take).await,
            Operator::Direct(context) => context,
        };
        let (sender, mut lines) = mpsc::channel(CONTROL_LINES_MAX);
        let work = async {
            let done = execute(context, request, &sender).await;
            drop(sender);
            done
        };
        let (done, ()) = tokio::join!(work, async {
            while let Some(line) = lines.recv().await {
                take(line);
            }
        });
        done.map_err(ControlError::Refused)
    }
}

/// No daemon listens: there is no socket, or one that a daemon left when it was killed.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}
