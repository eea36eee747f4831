//! How fast the queue is: durable puts by many callers, restart after kill -9, listing.
//!
//! `cargo run --release -p relay --example queue_load -- FOLDER [MAILS] [CALLERS]`, on the disk that matters;
//! the folder must be new. Mails have 10 KB and ids that are spread like hashes.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use amendment::address::{parse_recipient, parse_sender};
use amendment::{EmailId, Order};
use codec::{Amount, Drops, Hash256};
use relay::config::QueueConfig;
use relay::mail::{Channel, TraceId};
use relay::queue::{Dkim, Entry, Filter, MailId, Progress, Put, Queue, Request, Said};

type Failure = Box<dyn Error + Send + Sync>;

const MAIL_BYTES: usize = 10 * 1024;
const CAME: u64 = 1_800_000_000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    let number = |at: usize, other: u64| argument(at).map_or(Ok(other), str::parse);
    let Some(folder) = argument(1) else {
        return Err("usage: queue_load FOLDER [MAILS] [CALLERS]".into());
    };
    let (mails, callers) = (number(2, 100_000)?, number(3, 50)?);
    match argument(4) {
        Some("fill") => fill(Path::new(folder), mails, callers),
        Some("read") => read(Path::new(folder), mails),
        _ => run(folder, mails, callers),
    }
}

/// Fills a queue in a process of its own, kills that, and reads in another.
fn run(folder: &str, mails: u64, callers: u64) -> Result<(), Failure> {
    let program = std::env::current_exe()?;
    let (mails, callers) = (mails.to_string(), callers.to_string());
    let mut child = Command::new(&program)
        .args([folder, &mails, &callers, "fill"])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if line == "full" {
            break;
        }
        println!("{line}");
    }
    child.kill()?;
    child.wait()?;
    println!("killed (-9)");
    let read = Command::new(&program)
        .args([folder, &mails, &callers, "read"])
        .status()?;
    if read.success() {
        Ok(())
    } else {
        Err("reading failed".into())
    }
}

fn open(folder: &Path) -> Result<Queue, Failure> {
    Ok(Queue::open(folder, &QueueConfig::default(), Arc::new(|| CAME))?)
}

fn fill(folder: &Path, mails: u64, callers: u64) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let queue = open(folder)?;
    let started = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..callers)
            .map(|_| tokio::spawn(put_some(queue.clone(), Arc::clone(&next), mails)))
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok::<(), Failure>(())
    })?;
    let secs = started.elapsed().as_secs_f64();
    let file = std::fs::metadata(folder.join("queue.redb"))?.len();
    println!(
        "{mails} durable puts of {MAIL_BYTES} bytes by {callers} callers: {secs:.2} s, {:.0} per second; file {} MiB; {}",
        mails as f64 / secs,
        file >> 20,
        memory()?
    );
    println!("full");
    // Until it is killed.
    loop {
        std::thread::park();
    }
}

async fn put_some(queue: Queue, next: Arc<AtomicU64>, mails: u64) -> Result<(), Failure> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= mails {
            return Ok(());
        }
        let put = queue.put(entry(number), vec![b'm'; MAIL_BYTES]).await?;
        if put != Put::New {
            return Err("the folder is not new".into());
        }
    }
}

fn read(folder: &Path, mails: u64) -> Result<(), Failure> {
    let started = Instant::now();
    let queue = open(folder)?;
    let due = queue.due(u64::MAX, 64).len();
    println!(
        "restart until the first entries are due ({due}): {:.0?}",
        started.elapsed()
    );
    let started = Instant::now();
    let listed = queue.list(&Filter::default())?.len();
    println!("list of {listed}: {:.0?}; {}", started.elapsed(), memory()?);
    if u64::try_from(listed)? == mails {
        Ok(())
    } else {
        Err("mails are missing".into())
    }
}

/// Largest resident memory so far.
fn memory() -> Result<String, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    Ok(line
        .unwrap_or("memory unknown")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" "))
}

fn entry(number: u64) -> Entry {
    let mut id = [0; 32];
    let mut state = number;
    for byte in &mut id {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *byte = state.to_be_bytes()[0];
    }
    id[24..].copy_from_slice(&number.to_be_bytes());
    let received_at = CAME + number / 4_000;
    Entry {
        id: MailId::new(id),
        trace: TraceId::fresh(),
        request: Request::Order {
            order: Order::Remit {
                amount: Amount::from_drops(Drops::new(10_000_000)),
                to: parse_recipient("bob@friends.example").expect("an address"),
            },
            email_id: EmailId::new(Hash256::new(id)),
        },
        instruction: "REMIT 10 XAH".to_owned(),
        from: parse_sender(&format!("user{number}@mail.example")).expect("an address"),
        dkim: Dkim::Proven,
        channel: Channel::Smtp,
        message_id: format!("CAF{number:020}@mail.example"),
        thread: relay::queue::Thread::default(),
        may_answer: true,
        bytes: MAIL_BYTES as u64,
        received_at,
        executable_until: received_at + 432_000,
        next_try: received_at,
        tries: 0,
        progress: Progress::new(),
        said: Said::default(),
        auth_results: None,
    }
}
