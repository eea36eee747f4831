//! Load for a mail server: makes distinct signed mails, and sends them over many connections at once.
//!
//! ```text
//! cargo run --release --example relay_load -- make FILE --count 50000 --bytes 10000
//! cargo run --release --example relay_load -- send FILE 127.0.0.1:2525 --connections 50
//!
//! cargo run --release --example relay_load -- idle 127.0.0.1:2525 --connections 1000 --pid PID
//! cargo run --release --example relay_load -- latency FILE 127.0.0.1:2525 ws://127.0.0.1:6006 --count 60
//! ```
//!
//! `make` writes the mails, and beside them `FILE.keys.json`, the DKIM key that signs them. `send` counts a
//! mail when its 250 has come, and prints mails a second and the times that single mails took. It speaks
//! plain RFC 5321 with PIPELINING, so any mail server can be measured with the same stream. `idle` opens
//! connections that say EHLO and nothing more, and prints what memory the process holds (Linux). `latency`
//! sends mails one by one at odd moments and prints how long each took from its last byte to validated.

use std::io::{BufWriter, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use testkit::mail::{Headers, plain};
use testkit::provider::{MailError, Provider, Signing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sender addresses that take turns.
const SENDERS: usize = 1_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Makes mails, or sends them.
#[derive(clap::Parser)]
enum Arguments {
    /// Write distinct signed mails into a file
    Make {
        /// Where to
        file: PathBuf,
        /// How many
        #[arg(long, default_value_t = 50_000)]
        count: usize,
        /// Size of each, about, bytes
        #[arg(long, default_value_t = 10_000)]
        bytes: usize,
    },
    /// Send them
    Send {
        /// Where from
        file: PathBuf,
        /// Where to
        server: SocketAddr,
        /// Connections at one time
        #[arg(long, default_value_t = 50)]
        connections: usize,
        /// Recipient of all of them
        #[arg(long, default_value = "relay@relay.example")]
        recipient: String,
        /// Only so many
        #[arg(long)]
        count: Option<usize>,
    },
    /// Hold silent connections
    Idle {
        /// Where to
        server: SocketAddr,
        /// How many
        #[arg(long, default_value_t = 1_000)]
        connections: usize,
        /// Process of the server
        #[arg(long)]
        pid: u32,
    },
    /// Time mails until they are validated
    Latency {
        /// Where from
        file: PathBuf,
        /// Where to
        server: SocketAddr,
        /// WebSocket of the node
        node: String,
        /// Recipient of all of them
        #[arg(long, default_value = "relay@relay.example")]
        recipient: String,
        /// How many
        #[arg(long, default_value_t = 60)]
        count: usize,
    },
}

fn main() -> Result<(), Failure> {
    match <Arguments as clap::Parser>::parse() {
        Arguments::Make { file, count, bytes } => make(&file, count, bytes),
        Arguments::Send {
            file,
            server,
            connections,
            recipient,
            count,
        } => {
            let mut mails = read(&file)?;
            mails.truncate(count.unwrap_or(usize::MAX));
            runtime()?.block_on(send(Arc::new(mails), server, connections, recipient))
        }
        Arguments::Idle {
            server,
            connections,
            pid,
        } => runtime()?.block_on(idle(server, connections, pid)),
        Arguments::Latency {
            file,
            server,
            node,
            recipient,
            count,
        } => {
            let mut mails = read(&file)?;
            mails.truncate(count);
            runtime()?.block_on(latency(&mails, server, &node, &recipient))
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn make(file: &Path, count: usize, bytes: usize) -> Result<(), Failure> {
    let provider = Provider::new("mail.example")?;
    let keys_file = format!("{}.keys.json", file.display());
    std::fs::write(&keys_file, provider.keys_json())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    // Ledger times count whole seconds, so that one order of one sender needs a second of its own.
    let rounds = count.div_ceil(SENDERS) as u64;
    let filler: Vec<String> = (0..bytes / 78)
        .map(|line| {
            format!("Line {line:04} of what people write below an instruction, about as long as this.")
        })
        .collect();
    let next = AtomicUsize::new(0);
    let parts: Vec<Vec<(usize, String)>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..std::thread::available_parallelism().map_or(1, |n| n.get()))
            .map(|_| {
                scope.spawn(|| {
                    let mut made = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= count {
                            return Ok::<_, MailError>(made);
                        }
                        if at.is_multiple_of(5_000) {
                            eprintln!("{at} of {count} mails signed");
                        }
                        let date = now - rounds + (at / SENDERS) as u64;
                        made.push((at, one(&provider, at, date, &filler)?));
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .map_err(|_| Failure::from("a worker failed"))?
                    .map_err(Failure::from)
            })
            .collect::<Result<_, Failure>>()
    })?;
    let mut all: Vec<(usize, String)> = parts.into_iter().flatten().collect();
    all.sort_unstable();
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    for (_, mail) in &all {
        out.write_all(&u32::try_from(mail.len())?.to_be_bytes())?;
        out.write_all(mail.as_bytes())?;
    }
    out.flush()?;
    println!(
        "{} mails in {}, their key in {keys_file}",
        all.len(),
        file.display()
    );
    Ok(())
}

fn one(provider: &Provider, at: usize, date: u64, filler: &[String]) -> Result<String, MailError> {
    let from = format!("u{}@mail.example", at % SENDERS);
    let headers = Headers {
        from: &from,
        to: "Bob <bob@friends.example>",
        subject: &format!("Mail {at}"),
        date,
    };
    let mut lines = vec!["REMIT 1 XAH"];
    lines.extend(filler.iter().map(String::as_str));
    provider.sign(&plain(headers, &lines), Signing::Gmail)
}

/// Sender, the mail as it is, and its content with dots doubled and the end added.
struct Ready {
    sender: String,
    mail: String,
    content: Vec<u8>,
}

fn read(file: &Path) -> Result<Vec<Ready>, Failure> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut mails = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (mail, tail) = tail
            .split_at_checked(u32::from_be_bytes(*length) as usize)
            .ok_or("the file ends inside a mail")?;
        let text = std::str::from_utf8(mail)?;
        let content = text.replace("\r\n.", "\r\n..") + ".\r\n";
        mails.push(Ready {
            sender: format!("u{}@mail.example", mails.len() % SENDERS),
            mail: text.to_owned(),
            content: content.into_bytes(),
        });
        rest = tail;
    }
    Ok(mails)
}

async fn send(
    mails: Arc<Vec<Ready>>,
    server: SocketAddr,
    connections: usize,
    recipient: String,
) -> Result<(), Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (mails, next, recipient) = (Arc::clone(&mails), Arc::clone(&next), recipient.clone());
        tasks.spawn(async move { one_connection(&mails, &next, server, &recipient).await });
    }
    let mut times = Vec::with_capacity(mails.len());
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let elapsed = started.elapsed();
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    };
    println!(
        "accepted {} mails over {connections} connections in {:.2} s: {:.0} a second; one mail p50 {:.1} ms, p99 {:.1} ms",
        times.len(),
        elapsed.as_secs_f64(),
        times.len() as f64 / elapsed.as_secs_f64(),
        at(50),
        at(99)
    );
    Ok(())
}

async fn idle(server: SocketAddr, connections: usize, pid: u32) -> Result<(), Failure> {
    let before = resident_kib(pid)?;
    let mut held = Vec::new();
    for _ in 0..connections {
        held.push(Connection::open(server).await?);
    }
    println!(
        "{} silent connections: the server holds {:.1} MiB, {:.1} before",
        held.len(),
        resident_kib(pid)? as f64 / 1024.0,
        before as f64 / 1024.0
    );
    Ok(())
}

fn resident_kib(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.ok_or("no VmRSS")?.trim().parse()?)
}

async fn latency(mails: &[Ready], server: SocketAddr, node: &str, recipient: &str) -> Result<(), Failure> {
    let mut client = rpc::Client::connect(node).await?;
    let mut line = Connection::open(server).await?;
    let mut times = Vec::new();
    for (at, mail) in mails.iter().enumerate() {
        // Odd moments of the interval between ledgers, the same in each run.
        tokio::time::sleep(Duration::from_millis((at as u64 * 379) % 1_000)).await;
        line.mail(mail, recipient).await?;
        let sent = Instant::now();
        loop {
            let question = serde_json::json!({ "email": mail.mail, "dry_run": true });
            let question = question.as_object().cloned().unwrap_or_default();
            let answer = client.request("submit_email", question).await?;
            if answer["state"] == "validated" {
                break;
            }
            if sent.elapsed() > Duration::from_secs(60) {
                return Err(format!("not validated within a minute: {answer}").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The first brings the key of its domain to the ledger, which takes one ledger more.
        if at > 0 {
            times.push(sent.elapsed());
        }
    }
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    };
    println!(
        "mail to validated, {} mails: p50 {:.0} ms, p90 {:.0} ms, most {:.0} ms",
        times.len(),
        at(50),
        at(90),
        times.last().copied().unwrap_or_default().as_secs_f64() * 1e3
    );
    Ok(())
}

async fn one_connection(
    mails: &[Ready],
    next: &AtomicUsize,
    server: SocketAddr,
    recipient: &str,
) -> Result<Vec<Duration>, Failure> {
    let mut line = Connection::open(server).await?;
    let mut times = Vec::new();
    while let Some(mail) = mails.get(next.fetch_add(1, Ordering::Relaxed)) {
        let started = Instant::now();
        line.mail(mail, recipient).await?;
        times.push(started.elapsed());
    }
    line.say(b"QUIT\r\n").await?;
    Ok(times)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects and says EHLO.
    async fn open(server: SocketAddr) -> Result<Connection, Failure> {
        let mut line = Connection {
            stream: TcpStream::connect(server).await?,
            buffer: Vec::new(),
        };
        line.stream.set_nodelay(true)?;
        line.expect("220").await?;
        line.say(b"EHLO load.example\r\n").await?;
        line.expect("250").await?;
        Ok(line)
    }

    /// Sends one mail; its 250 has come when this returns.
    async fn mail(&mut self, mail: &Ready, recipient: &str) -> Result<(), Failure> {
        let envelope = format!("MAIL FROM:<{}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n", mail.sender);
        self.say(envelope.as_bytes()).await?;
        for code in ["250", "250", "354"] {
            self.expect(code).await?;
        }
        self.say(&mail.content).await?;
        self.expect("250").await
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads one reply, which must have this code.
    async fn expect(&mut self, code: &str) -> Result<(), Failure> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if line.get(3) == Some(&b'-') {
                    continue;
                }
                let line = String::from_utf8_lossy(&line).into_owned();
                if !line.starts_with(code) {
                    return Err(format!("expected {code}, the server said {line}").into());
                }
                return Ok(());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}
