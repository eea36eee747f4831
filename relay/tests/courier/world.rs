//! A queue, a clock that is moved by hand, mails of a provider with fresh keys, and a real node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use amendment::TxtRecords;
use codec::CloseTime;
use dns::KeyTable;
use dns::{KeyResolver, NoResolver};
use explain::{ExplainEnv, Explanation};
use node::{Fund, Node, NodeConfig};
use relay::clock::Clock;
use relay::courier::Courier;
use relay::courier::nodes::{NodeTimes, Nodes};
use relay::mail::{Channel, TraceId};
use relay::queue::{Dkim, Entry, EntryView, Filter, MailId, Progress, Put, Queue, Request, Said, State};
use rpc::server::{ServerLimits, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use testkit::mail::{Headers, plain};
use testkit::sign::{DkimKey, Draft, Form};

pub(crate) const NETWORK: u32 = 21_338;
const DOMAIN: &str = "mail.example";
const SELECTOR: &str = "s2026";

/// Unix seconds, moved by hand.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(crate) fn new() -> Hand {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        Hand(Arc::new(AtomicU64::new(now.as_secs())))
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, secs: u64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }

    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let hand = self.clone();
        Arc::new(move || hand.now())
    }
}

/// A mail provider, and what the relay makes of its mails.
pub(crate) struct Post {
    key: DkimKey,
    records: [(String, String); 1],
}

impl Post {
    pub(crate) fn new() -> Post {
        let key = DkimKey::fresh_rsa();
        let records = [(format!("{SELECTOR}._domainkey.{DOMAIN}"), key.record())];
        Post { key, records }
    }

    pub(crate) fn records(&self) -> Vec<(&str, &str)> {
        let records = self.records.iter();
        records
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect()
    }

    pub(crate) fn keys(&self) -> Arc<dyn KeyResolver> {
        Arc::new(KeyTable::from_records(&self.records()))
    }

    /// `REMIT <amount> XAH` from a local part of the domain to bob, dated and signed at `date` (Unix seconds).
    pub(crate) fn write(&self, from: &str, amount: u32, date: u64) -> Vec<u8> {
        let from = format!("{from}@{DOMAIN}");
        let headers = Headers {
            from: &from,
            to: "bob@example.com",
            subject: "money",
            date,
        };
        let line = format!("REMIT {amount} XAH NET {NETWORK}");
        let text = plain(headers, &[&line]);
        let (fields, body) = text.split_once("\r\n\r\n").expect("header and body");
        let names: Vec<&str> = fields
            .lines()
            .filter_map(|field| Some(field.split_once(':')?.0))
            .collect();
        let draft = Draft {
            form: Form::Simple,
            domain: DOMAIN,
            selector: SELECTOR,
            names: &names.join(":"),
            fields: format!("{fields}\r\n").into_bytes(),
            body: body.as_bytes().to_vec(),
        };
        draft.signed_at(&self.key, date)
    }

    fn explain(&self, mail: &[u8], now: u64) -> Explanation {
        let mut keys = TxtRecords::new();
        for (name, text) in self.records() {
            keys.insert(name, text.as_bytes());
        }
        let now = CloseTime::from_unix(now).expect("after 2000");
        let env = ExplainEnv {
            network_id: NETWORK,
            now,
            keys: &keys,
        };
        explain::explain(mail, &env)
    }

    /// What the intake makes of a mail.
    pub(crate) fn entry(&self, mail: &[u8], now: u64) -> Entry {
        let told = self.explain(mail, now);
        let email_id = told.email_id.expect("an EmailID");
        let from = told.from.and_then(|from| from.address).expect("an address");
        Entry {
            id: MailId::from(email_id),
            trace: TraceId::fresh(),
            request: Request::Order {
                order: told.order.expect("an order"),
                email_id,
            },
            instruction: told.instruction.expect("an instruction"),
            from: amendment::address::parse_sender(&from).expect("canonical"),
            dkim: Dkim::Proven,
            channel: Channel::Smtp,
            message_id: "x@mail.example".to_owned(),
            thread: relay::queue::Thread::default(),
            may_answer: true,
            bytes: mail.len() as u64,
            received_at: now,
            executable_until: told.executable_until.expect("dated").to_unix(),
            next_try: now,
            tries: 0,
            progress: Progress::new(),
            said: Said::default(),
            auth_results: None,
        }
    }
}

/// Puts a mail into the queue.
pub(crate) async fn put(queue: &Queue, entry: Entry, mail: Vec<u8>) -> MailId {
    let id = entry.id;
    assert_eq!(queue.put(entry, mail).await, Ok(Put::New));
    id
}

/// An entry as operators see it.
pub(crate) fn entry(queue: &Queue, id: MailId) -> EntryView {
    EntryView::from(&queue.entry(id).expect("readable").expect("there"))
}

/// Waits until the queue is as wished; a test that waits for two minutes has failed.
pub(crate) async fn until(queue: &Queue, wish: impl Fn(&Queue) -> bool) {
    let mut changes = queue.changes();
    let waiting = async {
        while !wish(queue) {
            changes.changed().await.expect("the queue lives");
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(120), waiting).await;
    let first = queue.list(&Filter {
        max: Some(2),
        ..Filter::default()
    });
    assert!(
        waited.is_ok(),
        "the queue has {:?}, first {first:?}",
        queue.counts()
    );
}

pub(crate) async fn until_state(queue: &Queue, id: MailId, state: State) -> EntryView {
    until(queue, |queue| entry(queue, id).state == state).await;
    entry(queue, id)
}

/// Short times, so that tests of failures end soon.
pub(crate) const TIMES: NodeTimes = NodeTimes {
    answer: Duration::from_millis(500),
    rest_min: Duration::from_millis(50),
    rest_max: Duration::from_millis(200),
};

/// A courier at work.
pub(crate) struct Working {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Working {
    pub(crate) fn start(queue: &Queue, urls: &[String], hand: &Hand, times: NodeTimes) -> Working {
        let nodes = Arc::new(Nodes::with_times(urls, NETWORK, times));
        Working::run(Courier::new(queue.clone(), nodes, hand.clock()))
    }

    pub(crate) fn run(courier: Courier) -> Working {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(courier.run(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }));
        Working { stop, task }
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        self.task.await.expect("no panic");
    }
}

/// A real node with its folder.
pub(crate) struct World {
    folder: tempfile::TempDir,
    hand: Hand,
    funds: Vec<Fund>,
}

/// A node that serves and closes.
pub(crate) struct Served {
    pub url: String,
    pub node: Node,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    closing: Option<JoinHandle<()>>,
}

/// How a node closes ledgers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closes {
    Often,
    ByHand,
}

impl World {
    /// Every name gets 1,000 XAH.
    pub(crate) fn new(hand: &Hand, names: &[&str]) -> World {
        let fund = |name: &&str| Fund::parse(&format!("{name}@{DOMAIN}=1000")).expect("a fund");
        World {
            folder: tempfile::tempdir().expect("a folder"),
            hand: hand.clone(),
            funds: names.iter().map(fund).collect(),
        }
    }

    pub(crate) async fn serve(&self, keys: Arc<dyn KeyResolver>, closes: Closes) -> Served {
        self.serve_at("127.0.0.1:0".parse().expect("an address"), keys, closes)
            .await
    }

    /// Serves at the same address again.
    pub(crate) async fn serve_again(&self, address: SocketAddr, keys: Arc<dyn KeyResolver>) -> Served {
        self.serve_at(address, keys, Closes::Often).await
    }

    async fn serve_at(&self, address: SocketAddr, keys: Arc<dyn KeyResolver>, closes: Closes) -> Served {
        let config = NodeConfig {
            funds: self.funds.clone(),
            ..NodeConfig::new(self.folder.path().to_owned(), NETWORK)
        };
        let hand = self.hand.clone();
        let clock = Arc::new(move || CloseTime::from_unix(hand.now()).expect("after 2000"));
        let runtime = tokio::runtime::Handle::current();
        // A look-up or request that is just ending may hold the old node's folder a moment longer.
        let node = loop {
            match Node::start(&config, clock.clone(), Arc::clone(&keys), runtime.clone()) {
                Err(node::StartError::InUse { .. }) => tokio::task::yield_now().await,
                started => break started.expect("starts"),
            }
        };
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = watch::channel(false);
        let until = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let server = tokio::spawn(serve(
            listener,
            Arc::new(node.clone()),
            ServerLimits::default(),
            rpc::Trust::default(),
            until(stopped.clone()),
        ));
        let closer = node.clone();
        let closing = (closes == Closes::Often).then(|| {
            tokio::spawn(async move {
                let closing = closer.run_close_loop(Duration::from_millis(100), until(stopped));
                closing.await.expect("the store writes");
            })
        });
        Served {
            url: format!("ws://{address}"),
            node,
            address,
            stop,
            server,
            closing,
        }
    }
}

impl Served {
    pub(crate) async fn close(&self) {
        let node = self.node.clone();
        let closing = tokio::task::spawn_blocking(move || rpc::Node::accept_ledger(&node));
        closing.await.expect("no panic").expect("closes");
    }

    /// Stops, as if it were gone; its address can be used again.
    pub(crate) async fn stop(self) -> SocketAddr {
        let _ = self.stop.send(true);
        self.server.await.expect("no panic").expect("ends");
        if let Some(closing) = self.closing {
            closing.await.expect("no panic");
        }
        self.address
    }
}

pub(crate) fn no_keys() -> Arc<dyn KeyResolver> {
    Arc::new(NoResolver)
}
