//! The daemon's side of the socket.

use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Context, Gone, Line, Refusal, Request, SOCKET, Why, execute};
use crate::limits::{CONTROL_CLIENTS_MAX, CONTROL_IDLE_SECS, CONTROL_LINES_MAX, CONTROL_REQUEST_BYTES_MAX};

/// The socket, listening.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Listens in the data folder of an open queue. A socket that is there was left by a process that is
    /// gone: the queue would be in use otherwise. Errors: the folder cannot be written, or its path is too
    /// long for a socket (108 bytes).
    pub fn bind(data: &Path) -> io::Result<Control> {
        let (path, unfinished) = (data.join(SOCKET), data.join("control.new"));
        if let Err(error) = fs::remove_file(&unfinished)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let listener = UnixListener::bind(&unfinished)?;
        // It gets its name only once its mode keeps others out.
        fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o600))?;
        fs::rename(&unfinished, &path)?;
        Ok(Control { listener, path })
    }

    /// Serves clients until `stop` is ready.
    pub async fn serve(self, context: Context, stop: impl Future<Output = ()>) {
        let room = Arc::new(Semaphore::new(CONTROL_CLIENTS_MAX));
        let mut clients = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
                Some(_) = clients.join_next() => continue,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept clients; retrying in a second");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            match Arc::clone(&room).try_acquire_owned() {
                Ok(place) => {
                    let context = context.clone();
                    clients.spawn(async move {
                        // A client that goes away or stays silent is no event.
                        let _ = talk(stream, &context).await;
                        drop(place);
                    });
                }
                Err(_) => turn_away(&stream),
            }
        }
        // What they asked the queue for is done, unheard.
        clients.abort_all();
        drop(fs::remove_file(&self.path));
    }
}

/// Tells a client that there are too many, as far as its socket takes it at once.
fn turn_away(stream: &UnixStream) {
    let text = format!("{CONTROL_CLIENTS_MAX} other clients are using the control socket; try again");
    let line = encode_line(&Line::Error(Refusal::new(Why::Busy, text)));
    drop(stream.try_write(&line));
}

async fn talk(stream: UnixStream, context: &Context) -> Result<(), Gone> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(line) = read_line(&mut reader).await? {
        let request = match line {
            Ok(line) => serde_json::from_slice::<Request>(&line).map_err(|error| {
                let text = format!("not a request: {error}; use the command line of the daemon's version");
                Refusal::new(Why::Request, text)
            }),
            Err(refusal) => {
                write_line(&mut writer, &Line::Error(refusal)).await?;
                return Err(Gone);
            }
        };
        let last = match request {
            Ok(request) => answer(context, request, &mut writer).await?,
            Err(refusal) => Line::Error(refusal),
        };
        write_line(&mut writer, &last).await?;
    }
    Ok(())
}

/// A line without its end; `None` when the client has no more to ask; a refusal where it is too long.
async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> Result<Option<Result<Vec<u8>, Refusal>>, Gone> {
    let bytes_max = u64::try_from(CONTROL_REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let mut bounded = reader.take(bytes_max);
    let reading = bounded.read_until(b'\n', &mut line);
    let read = timeout(Duration::from_secs(CONTROL_IDLE_SECS), reading).await;
    let count = read.map_err(|_| Gone)?.map_err(|_| Gone)?;
    if count == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Some(Ok(line)));
    }
    if count < CONTROL_REQUEST_BYTES_MAX {
        return Err(Gone);
    }
    let text = format!("the request has more than {CONTROL_REQUEST_BYTES_MAX} bytes");
    Ok(Some(Err(Refusal::new(Why::Request, text))))
}

/// Does what is asked, writes the lines as they come, and gives the last one.
async fn answer(context: &Context, request: Request, writer: &mut OwnedWriteHalf) -> Result<Line, Gone> {
    let (sender, mut lines) = mpsc::channel(CONTROL_LINES_MAX);
    let work = async {
        let done = execute(context, request, &sender).await;
        drop(sender);
        done
    };
    // Both to their ends, unless the client is gone: then the channel is too, which ends a list; a change is
    // done first.
    let write = async move {
        while let Some(line) = lines.recv().await {
            write_line(writer, &line).await?;
        }
        Ok(())
    };
    let (done, written) = tokio::join!(work, write);
    written?;
    Ok(done.map_or_else(Line::Error, |()| Line::Done))
}

async fn write_line(writer: &mut OwnedWriteHalf, line: &Line) -> Result<(), Gone> {
    let line = encode_line(line);
    let written = timeout(Duration::from_secs(CONTROL_IDLE_SECS), writer.write_all(&line)).await;
    written.map_err(|_| Gone)?.map_err(|_| Gone)
}

fn encode_line(line: &Line) -> Vec<u8> {
    // Writing JSON into memory fails for maps with odd keys alone, and there are none.
    let mut bytes = serde_json::to_vec(line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
