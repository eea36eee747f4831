//! Five validators on one machine, as processes, with blocks of one second: how long a mail takes, how many a second
//! the network takes, what a node needs for it, and how fast one that was away catches up.
//!
//! `cargo bench --bench network`, on a file system that syncs and a machine that has nothing else to do: about four
//! minutes. Clients and nodes share the processors. Each line `ratio NAME VALUE` compares with a target; 1 or less
//! holds it. XAHAU_EMAIL_NETWORK_MAILS says how many mails the second part sends, XAHAU_EMAIL_NETWORK_SENDERS of how
//! many senders, XAHAU_EMAIL_NETWORK_AWAY_SECS how long the node is away; XAHAU_EMAIL_NETWORK_PARTS names the parts
//! that run: idle, latency, throughput, away.

mod cluster;
mod mails;

use cluster::{Cluster, Place, connect, last_ledger, request};
use mails::{RECEIVER, Senders, paid_drops};
use rpc::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

const VALIDATORS: usize = 5;
/// Mails a second of the first part.
const RATE: usize = 100;
const LATENCY_SECS: usize = 30;
/// Half a block interval and 150 ms.
const LATENCY_TARGET: Duration = Duration::from_millis(650);
/// Connections that submit as fast as they are answered.
const CALLERS: usize = 50;
/// Mails a second of the second part.
const RATE_TARGET: f64 = 500.0;
const MEMORY_TARGET_MIB: f64 = 512.0;
const IDLE_TARGET_MIB: f64 = 100.0;
/// Mails in each block that a node misses.
const MAILS_PER_MISSED_BLOCK: usize = 10;
/// How much faster than they were made it makes them.
const CATCHING_UP_TARGET: f64 = 50.0;
/// How often a node is asked for its last ledger.
const WATCH_EVERY: Duration = Duration::from_millis(5);
/// How long payments may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// A network, its senders, and what they have sent so far.
struct Load {
    cluster: Cluster,
    senders: Senders,
    sent: usize,
}

impl Load {
    /// The next mails, signed.
    fn next_mails(&mut self, count: usize) -> Vec<String> {
        let first = self.sent;
        self.sent += count;
        signed(&self.senders, first..self.sent)
    }

    /// Waits until a node shows that each mail that was sent is paid, once.
    async fn until_paid(&self) {
        until_balance(&self.cluster.url(0), paid_drops(self.sent)).await;
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run());
}

fn setting(name: &str, default: usize) -> usize {
    let value = std::env::var(format!("XAHAU_EMAIL_NETWORK_{name}"));
    value.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}: {text} is no number"))
    })
}

fn is_wanted(part: &str) -> bool {
    let wanted = std::env::var("XAHAU_EMAIL_NETWORK_PARTS");
    wanted.map_or(true, |wanted| wanted.split(',').any(|name| name == part))
}

async fn run() {
    let folder = tempfile::tempdir_in(std::env::current_dir().expect("a folder")).expect("a folder");
    let senders = Senders::new(setting("SENDERS", 1_700));
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, senders.keys_json()).expect("written");
    let program = Path::new(env!("CARGO_BIN_EXE_xahau-email"));
    let mut cluster = Cluster::new(
        program,
        folder.path(),
        vec![Place::here(); VALIDATORS],
        &keys,
        &senders.funds(),
    );
    cluster.start_all();
    let mut load = Load {
        cluster,
        senders,
        sent: 0,
    };
    // The first mail brings the key onto the ledger.
    let mails = load.next_mails(1);
    submit_all(&load.cluster, mails).await;
    load.until_paid().await;
    if is_wanted("idle") {
        sleep(Duration::from_secs(10)).await;
        let idle = load.cluster.memory_mib();
        println!("idle: {idle:.0} MiB");
        println!("ratio network-idle-memory {:.2}", idle / IDLE_TARGET_MIB);
    }
    if is_wanted("latency") {
        latency(&mut load).await;
    }
    if is_wanted("throughput") {
        throughput(&mut load, setting("MAILS", 20_000)).await;
    }
    if is_wanted("away") {
        away(&mut load, setting("AWAY_SECS", 60)).await;
    }
    let ledgers = load.cluster.assert_same_ledgers().await;
    println!(
        "{ledgers} ledgers, the same on all {VALIDATORS} nodes; each of {} mails of {} senders paid once",
        load.sent,
        load.senders.count()
    );
    load.cluster.kill_all();
}

/// The mails with these numbers, signed on two threads.
fn signed(senders: &Senders, numbers: Range<usize>) -> Vec<String> {
    let middle = numbers.start.midpoint(numbers.end);
    let sign = |numbers: Range<usize>| numbers.map(|number| senders.mail(number)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let later = scope.spawn(|| sign(middle..numbers.end));
        let mut mails = sign(numbers.start..middle);
        mails.extend(later.join().expect("mails are signed"));
        mails
    })
}

/// Mails at a steady rate, to one node after the other.
async fn latency(load: &mut Load) {
    let (first, mails) = (load.sent, load.next_mails(RATE * LATENCY_SECS));
    let (count, worked) = (mails.len(), load.cluster.processor_secs());
    let seen = Arc::default();
    let watching = tokio::spawn(watch(load.cluster.url(0), Arc::clone(&seen)));
    let step = Duration::from_secs(1) / u32::try_from(RATE).expect("few");
    // Enough connections that none waits for an answer when its next mail is due.
    let lanes = 4 * load.cluster.count();
    let mut by_lane = vec![Vec::new(); lanes];
    let begin = Instant::now() + Duration::from_secs(1);
    for (number, mail) in mails.into_iter().enumerate() {
        let due = begin + step * u32::try_from(number).expect("few");
        by_lane[number % lanes].push((number, due, mail));
    }
    let mut tasks = Vec::new();
    for (lane, mails) in by_lane.into_iter().enumerate() {
        let mut client = connect(&load.cluster.url(lane % load.cluster.count())).await;
        tasks.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for (number, due, mail) in mails {
                sleep_until(due).await;
                sent.push((number, due));
                submit(&mut client, mail).await;
            }
            sent
        }));
    }
    let mut sent = Vec::new();
    for task in tasks {
        sent.extend(task.await.expect("submitted"));
    }
    load.until_paid().await;
    // The watcher reads the last ledger to its end.
    sleep(Duration::from_secs(1)).await;
    watching.abort();
    let seen: std::sync::MutexGuard<'_, BTreeMap<usize, Instant>> = seen.lock().expect("whole");
    let mut waits: Vec<Duration> = sent
        .iter()
        .map(|(number, due)| seen[&(first + number)] - *due)
        .collect();
    waits.sort_unstable();
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100];
    let millis = (load.cluster.processor_secs() - worked) * 1_000.0 / count as f64;
    println!(
        "{count} mails, {RATE} a second: validated after p50 {} ms, p90 {} ms, most {} ms; {millis:.2} ms of \
         processor time a mail on all nodes together",
        at(50).as_millis(),
        at(90).as_millis(),
        at(100).as_millis(),
    );
    println!(
        "ratio network-latency {:.2}",
        at(50).as_secs_f64() / LATENCY_TARGET.as_secs_f64()
    );
}

/// Mails as fast as the nodes take them.
async fn throughput(load: &mut Load, count: usize) {
    let mails = load.next_mails(count);
    let (begun, worked) = (Instant::now(), load.cluster.processor_secs());
    submit_all(&load.cluster, mails).await;
    let taken = begun.elapsed();
    load.until_paid().await;
    let (done, worked) = (begun.elapsed(), load.cluster.processor_secs() - worked);
    let (rate, memory) = (count as f64 / done.as_secs_f64(), load.cluster.memory_mib());
    println!(
        "{count} mails over {CALLERS} connections: taken in {:.1} s, validated in {:.1} s, {rate:.0} a second; {:.2} ms \
         of processor time a mail on all nodes together, {:.0} % of one processor; {memory:.0} MiB",
        taken.as_secs_f64(),
        done.as_secs_f64(),
        worked * 1_000.0 / count as f64,
        worked * 100.0 / done.as_secs_f64(),
    );
    println!("ratio network-throughput {:.2}", RATE_TARGET / rate);
    println!("ratio network-memory {:.2}", memory / MEMORY_TARGET_MIB);
}

/// A node is killed, misses blocks, and comes back.
async fn away(load: &mut Load, secs: usize) {
    let last = load.cluster.count() - 1;
    load.cluster.kill(last);
    let mut client = connect(&load.cluster.url(1)).await;
    let (left, begun, sent) = (last_ledger(&mut client).await, Instant::now(), load.sent);
    for second in 1..=u32::try_from(secs).expect("few") {
        for mail in load.next_mails(MAILS_PER_MISSED_BLOCK) {
            submit(&mut client, mail).await;
        }
        sleep_until(begun + Duration::from_secs(1) * second).await;
    }
    load.until_paid().await;
    let (goal, made_in) = (last_ledger(&mut client).await, begun.elapsed());
    let started = Instant::now();
    load.cluster.start(last);
    let mut behind = connect(&load.cluster.url(last)).await;
    let mut first = None;
    let mut index = left;
    while index < goal {
        index = last_ledger(&mut behind).await;
        if index > left && first.is_none() {
            first = Some((index, Instant::now()));
        }
        sleep(Duration::from_millis(2)).await;
    }
    let (from, since) = first.unwrap_or((left, started));
    let (blocks, mails) = (goal - left, load.sent - sent);
    let made = made_in.as_secs_f64() * (goal.saturating_sub(from)).max(1) as f64 / blocks as f64;
    let speed = made / since.elapsed().as_secs_f64();
    println!(
        "{blocks} blocks with {mails} mails, made in {:.1} s: caught up {:.2} s after the start, {speed:.0} times as \
         fast as they were made once it had the first",
        made_in.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );
    println!("ratio network-catching-up {:.2}", CATCHING_UP_TARGET / speed);
}

/// Submits mails over many connections, to all nodes.
async fn submit_all(cluster: &Cluster, mails: Vec<String>) {
    let mails = Arc::new(Mutex::new(VecDeque::from(mails)));
    let mut tasks = Vec::new();
    for caller in 0..CALLERS {
        let (url, mails) = (cluster.url(caller % cluster.count()), Arc::clone(&mails));
        tasks.push(tokio::spawn(async move {
            let mut client = connect(&url).await;
            loop {
                let mail = mails.lock().expect("whole").pop_front();
                let Some(mail) = mail else { return };
                submit(&mut client, mail).await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("submitted");
    }
}

/// Submits a mail, again while the node has no room.
async fn submit(client: &mut Client, mail: String) {
    let params = json!({ "email": mail });
    let params = params.as_object().expect("an object");
    loop {
        match client.request("submit_email", params.clone()).await {
            Ok(answer) => {
                let is_taken = matches!(answer["state"].as_str(), Some("submitted" | "kept" | "validated"));
                assert!(is_taken, "{answer}");
                return;
            }
            Err(rpc::ClientError::Refused { token, .. }) if token == "tooBusy" => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Notes when each mail, by its number, was in a ledger that a node calls validated.
async fn watch(url: String, seen: Arc<Mutex<BTreeMap<usize, Instant>>>) {
    let mut client = connect(&url).await;
    let mut next = last_ledger(&mut client).await;
    loop {
        let last = last_ledger(&mut client).await;
        let now = Instant::now();
        while next <= last {
            let params = json!({ "ledger_index": next, "transactions": true });
            let ledger = request(&mut client, "ledger", params).await;
            for hash in ledger["ledger"]["transactions"].as_array().into_iter().flatten() {
                let tx = request(&mut client, "tx", json!({ "transaction": hash })).await;
                if let Some(number) = number_of(&tx) {
                    seen.lock().expect("whole").insert(number, now);
                }
            }
            next += 1;
        }
        sleep(WATCH_EVERY).await;
    }
}

/// The number of the mail that signs a transaction: the drops that it pays beyond 1 XAH.
fn number_of(tx: &Value) -> Option<usize> {
    let amount = &tx["Amounts"][0]["AmountEntry"]["Amount"];
    amount.as_str()?.parse::<usize>().ok()?.checked_sub(1_000_000)
}

/// Waits until the receiver has so much on a node.
async fn until_balance(url: &str, drops: u64) {
    let mut client = connect(url).await;
    let account = amendment::address::parse_recipient(RECEIVER)
        .expect("an address")
        .account();
    let params = json!({ "account": account.to_string(), "ledger_index": "validated" });
    let params = params.as_object().expect("an object");
    let (deadline, mut has) = (Instant::now() + PATIENCE, 0);
    while has != drops {
        assert!(
            has < drops && Instant::now() < deadline,
            "{has} drops of {drops} are paid"
        );
        sleep(WATCH_EVERY).await;
        // Before the first payment there is no account.
        let Ok(answer) = client.request("account_info", params.clone()).await else {
            continue;
        };
        let balance = answer["account_data"]["Balance"].as_str();
        has = balance
            .and_then(|balance| balance.parse().ok())
            .expect("a balance");
    }
}
