//! How many mails a second a node takes: distinct signed mails of funded senders, each verified, in the open
//! ledger and on disk before its answer.
//!
//! `cargo run --release -p node --example submit_load`, on a file system that syncs. It asks the node by its
//! trait, then through its server over WebSocket, from one caller and from fifty. Each line
//! `ratio NAME VALUE` compares with the target; 1 or less holds it.

use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use codec::CloseTime;
use dns::KeyTable;
use node::{Fund, Node, NodeConfig};
use rpc::api::{MailState, Node as _, Peer, Role, SubmitEmail, SubmitMode};
use rpc::server::{ServerLimits, serve};
use serde_json::{Map, Value};
use testkit::sign::{DkimKey, Draft, Form};

const NETWORK: u32 = 21_337;
/// 2026-11-16T10:00:00Z, the date of the mails.
const CLOCK: u32 = 848_138_400;
const DOMAIN: &str = "load.test";
const SENDERS: usize = 160;
/// Fewer than an account may send in five days (spec 8.5).
const MAILS_PER_SENDER: usize = 50;
const CALLERS: usize = 50;
/// One caller waits for a sync with each mail.
const MAILS_OF_ONE: usize = 500;
/// Mails a second over fifty connections.
const TARGET: f64 = 5_000.0;

type Failure = Box<dyn Error + Send + Sync>;

/// Mails that nobody has sent yet.
type Mails = Mutex<VecDeque<Vec<u8>>>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let key = DkimKey::fresh_rsa();
    let mails: Vec<Vec<u8>> = (0..MAILS_PER_SENDER)
        .flat_map(|round| (0..SENDERS).map(move |sender| (sender, round)))
        .map(|(sender, round)| mail(&key, sender, round))
        .collect();
    println!(
        "{} mails of {} senders, {} bytes each",
        mails.len(),
        SENDERS,
        mails.first().map_or(0, Vec::len)
    );
    for (callers, count) in [(1, MAILS_OF_ONE), (CALLERS, mails.len())] {
        let some = mails.iter().take(count).cloned();
        let by_trait = measure(&runtime, &key, some.clone(), |node, mails| {
            through_trait(node, callers, mails)
        })?;
        println!("{callers} callers of the trait: {by_trait:.0} a second");
        let by_socket = measure(&runtime, &key, some, |node, mails| {
            runtime.block_on(through_server(node, callers, mails))
        })?;
        println!("{callers} connections to the server: {by_socket:.0} a second");
        if callers == CALLERS {
            println!("ratio submit-{CALLERS}-callers {:.2}", TARGET / by_trait);
            println!("ratio submit-{CALLERS}-connections {:.2}", TARGET / by_socket);
        }
    }
    Ok(())
}

/// Mails a second.
fn measure(
    runtime: &tokio::runtime::Runtime,
    key: &DkimKey,
    mails: impl ExactSizeIterator<Item = Vec<u8>>,
    send_all: impl FnOnce(&Node, Arc<Mails>) -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let node = start(folder.path(), key, runtime)?;
    let count = u32::try_from(mails.len())?;
    let mails = Arc::new(Mutex::new(mails.collect()));
    let (begun, worked) = (Instant::now(), processor_secs());
    send_all(&node, mails)?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some((before, after)) = worked.zip(processor_secs()) {
        let millis = (after - before) * 1_000.0 / f64::from(count);
        println!("  {millis:.3} ms of processor time a mail, the callers' included");
    }
    let closing = Instant::now();
    node.accept_ledger().map_err(|error| error.to_string())?;
    println!(
        "  closed with {count} mails in {:.2} s",
        closing.elapsed().as_secs_f64()
    );
    Ok(f64::from(count) / seconds)
}

/// Processor time of this process so far, where the system tells it as Linux does: in hundredths of a second, as
/// the 12th and 13th word behind the program's name.
fn processor_secs() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let words = behind_name.split_whitespace().skip(11).take(2);
    let hundredths: Result<Vec<u32>, _> = words.map(str::parse).collect();
    Some(f64::from(hundredths.ok()?.iter().sum::<u32>()) / 100.0)
}

/// A node whose ledger has the senders and the key of their domain.
fn start(folder: &Path, key: &DkimKey, runtime: &tokio::runtime::Runtime) -> Result<Node, Failure> {
    let funds: Result<Vec<Fund>, _> = (0..=SENDERS)
        .map(|sender| Fund::parse(&format!("{}=1000", address(sender))))
        .collect();
    let config = NodeConfig {
        funds: funds?,
        ..NodeConfig::new(folder.to_owned(), NETWORK)
    };
    let keys = KeyTable::from_records(&[(&format!("s1._domainkey.{DOMAIN}"), &key.record())]);
    let node = Node::start(
        &config,
        Arc::new(|| CloseTime::new(CLOCK)),
        Arc::new(keys),
        runtime.handle().clone(),
    )?;
    // One more sender's mail brings the key onto the ledger.
    submit(&node, mail(key, SENDERS, 0), MailState::Kept)?;
    for _ in 0..2 {
        node.accept_ledger().map_err(|error| error.to_string())?;
    }
    Ok(node)
}

fn through_trait(node: &Node, callers: usize, mails: Arc<Mails>) -> Result<(), Failure> {
    let threads: Vec<_> = (0..callers)
        .map(|_| {
            let (node, mails) = (node.clone(), Arc::clone(&mails));
            std::thread::spawn(move || {
                while let Some(mail) = next(&mails) {
                    submit(&node, mail, MailState::Submitted)?;
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a caller broke")??;
    }
    Ok(())
}

fn submit(node: &Node, mail: Vec<u8>, expected: MailState) -> Result<(), Failure> {
    let peer = Peer::new(std::net::Ipv4Addr::LOCALHOST.into(), Role::Admin);
    let mode = SubmitMode::Submit;
    let answer = node
        .submit_email(SubmitEmail { mail, mode }, &peer)
        .map_err(|error| error.to_string())?;
    match answer.status.map(|status| status.state) {
        Some(state) if state == expected => Ok(()),
        other => Err(format!("{}: {other:?}", answer.engine.token()).into()),
    }
}

async fn through_server(node: &Node, callers: usize, mails: Arc<Mails>) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("ws://{}", listener.local_addr()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(
        listener,
        Arc::new(node.clone()),
        ServerLimits::default(),
        rpc::Trust::default(),
        async move {
            let _ = stopped.await;
        },
    ));
    let mut connections = Vec::new();
    for _ in 0..callers {
        let mut client = rpc::Client::connect(&url).await?;
        let mails = Arc::clone(&mails);
        connections.push(tokio::spawn(async move {
            while let Some(mail) = next(&mails) {
                let mail = String::from_utf8(mail)?;
                let params = Map::from_iter([("email".to_owned(), Value::String(mail))]);
                let answer = client.request("submit_email", params).await?;
                if answer["state"] != "submitted" {
                    return Err(format!("{}: {}", answer["engine_result"], answer["state"]).into());
                }
            }
            Ok::<(), Failure>(())
        }));
    }
    for connection in connections {
        connection.await??;
    }
    let _ = stop.send(());
    serving.await??;
    Ok(())
}

fn next(mails: &Mails) -> Option<Vec<u8>> {
    mails.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn address(sender: usize) -> String {
    format!("sender{sender}@{DOMAIN}")
}

/// A signed mail of the usual fields. No two pay the same amount.
fn mail(key: &DkimKey, sender: usize, round: usize) -> Vec<u8> {
    let fields = format!(
        "From: Sender {sender} <{}>\r\nTo: pay@relay.test\r\nSubject: pay\r\n\
         Date: Mon, 16 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{round}.{sender}@{DOMAIN}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n",
        address(sender)
    );
    let draft = Draft {
        form: Form::Simple,
        domain: DOMAIN,
        selector: "s1",
        names: "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type",
        fields: fields.into_bytes(),
        body: format!("REMIT 1.{:06} XAH TO <bob@example.com>\r\n", round + 1).into_bytes(),
    };
    draft.signed(key)
}
