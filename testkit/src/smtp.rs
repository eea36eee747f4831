//! A client that hands mails to a relay by SMTP as a mail server does, and a smarthost that keeps what it
//! gets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Sends one mail; gives the reply to its end: its code, and its lines.
pub async fn send(
    relay: SocketAddr,
    from: &str,
    to: &str,
    mail: &str,
) -> std::io::Result<(u16, Vec<String>)> {
    let mut line = Line::new(TcpStream::connect(relay).await?);
    line.reply().await?;
    line.ask("EHLO mail.example\r\n").await?;
    for command in [
        format!("MAIL FROM:<{from}>\r\n"),
        format!("RCPT TO:<{to}>\r\n"),
        "DATA\r\n".to_owned(),
    ] {
        let (code, lines) = line.ask(&command).await?;
        if code >= 400 {
            return Ok((code, lines));
        }
    }
    // A dot that begins a line is doubled. RFC 5321 section 4.5.2.
    line.ask(&format!("{}.\r\n", mail.replace("\r\n.", "\r\n..")))
        .await
}

/// Mails that were taken.
type Mails = Arc<Mutex<Vec<String>>>;

/// A smarthost that keeps what it gets; it ends with the value.
pub struct Inbox {
    address: SocketAddr,
    mails: Mails,
    task: JoinHandle<()>,
}

impl Inbox {
    /// Listens on a free loopback port.
    pub async fn start() -> std::io::Result<Inbox> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mails = Mails::default();
        let kept = Arc::clone(&mails);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                // A broken connection ends this session alone.
                tokio::spawn(async move { drop(serve(Line::new(stream), &kept).await) });
            }
        });
        Ok(Inbox { address, mails, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All mails, oldest first; lines end in LF.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first mail whose headers have these lines; lines end in LF.
    pub fn find(&self, headers: &[&str]) -> Option<String> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |mail: &&String| {
            let head = mail.split("\n\n").next().unwrap_or_default();
            headers
                .iter()
                .all(|wanted| head.lines().any(|line| line == *wanted))
        };
        mails.iter().find(fits).cloned()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut line: Line, kept: &Mails) -> std::io::Result<()> {
    line.say("220 inbox.example\r\n").await?;
    let mut mail: Option<String> = None;
    while let Some(text) = line.read().await? {
        let reply = match (&mut mail, text.as_str()) {
            (Some(lines), ".") => {
                let mut mails = kept.lock().unwrap_or_else(PoisonError::into_inner);
                mails.push(std::mem::take(lines));
                mail = None;
                "250 2.0.0 taken\r\n"
            }
            (Some(lines), text) => {
                lines.push_str(text.strip_prefix('.').unwrap_or(text));
                lines.push('\n');
                continue;
            }
            (None, "DATA") => {
                mail = Some(String::new());
                "354 go on\r\n"
            }
            (None, "QUIT") => return line.say("221 2.0.0 bye\r\n").await,
            (None, _) => "250 2.0.0 ok\r\n",
        };
        line.say(reply).await?;
    }
    Ok(())
}

/// A connection, line by line.
struct Line(BufReader<TcpStream>);

impl Line {
    fn new(stream: TcpStream) -> Line {
        Line(BufReader::new(stream))
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.0.get_mut().write_all(text.as_bytes()).await
    }

    async fn ask(&mut self, text: &str) -> std::io::Result<(u16, Vec<String>)> {
        self.say(text).await?;
        self.reply().await
    }

    async fn reply(&mut self) -> std::io::Result<(u16, Vec<String>)> {
        let mut lines = Vec::new();
        while let Some(line) = self.read().await? {
            let (code, rest) = line.split_at_checked(3).unwrap_or((&line, ""));
            let is_last = !rest.starts_with('-');
            lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if is_last {
                return Ok((code.parse().unwrap_or_default(), lines));
            }
        }
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }

    /// A line without its end; `None` where the connection ended.
    async fn read(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).await?;
        Ok((length > 0).then(|| line.trim_end().to_owned()))
    }
}
