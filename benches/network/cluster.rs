//! A network of validators as processes of the built program, and what the system says of them.

use rpc::Client;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Processor time is told in hundredths of a second, as Linux does.
const TICKS_PER_SEC: f64 = 100.0;

/// A network and its running nodes; they are killed with the value.
pub(crate) struct Cluster {
    program: PathBuf,
    folder: PathBuf,
    nodes: Vec<Node>,
}

/// One node.
struct Node {
    name: String,
    url: String,
    place: Place,
    running: Option<Child>,
}

/// Where a node runs.
#[derive(Clone)]
pub(crate) struct Place {
    /// Its address.
    pub(crate) address: String,
    /// What its command line begins with.
    pub(crate) before: Vec<String>,
}

impl Place {
    /// This machine, as it is.
    pub(crate) fn here() -> Place {
        Place {
            address: "127.0.0.1".to_owned(),
            before: Vec::new(),
        }
    }
}

impl Cluster {
    /// Makes a network of validators at these places, whose nodes know these DKIM keys and whose first ledger makes
    /// these payments. None of them runs yet.
    pub(crate) fn new(
        program: &Path,
        folder: &Path,
        places: Vec<Place>,
        keys: &Path,
        funds: &[String],
    ) -> Cluster {
        let validators = places.len();
        let network = folder.join("network");
        let first_port = free_ports(2 * validators);
        let mut init = Command::new(program);
        init.args([
            "network",
            "init",
            "--key-delay-first",
            "0",
            "--key-delay-next",
            "0",
        ])
        .args([
            "--port",
            &first_port.to_string(),
            "--validators",
            &validators.to_string(),
        ])
        .arg("--out")
        .arg(&network)
        .arg("--keys")
        .arg(keys);
        for fund in funds {
            init.args(["--fund", fund]);
        }
        let made = init.output().expect("the program runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = |number: usize| usize::from(first_port) + 2 * number;
        let node = |(number, place): (usize, Place)| Node {
            name: format!("validator-{}", number + 1),
            url: format!("ws://{}:{}", place.address, port(number) + 1),
            place,
            running: None,
        };
        let cluster = Cluster {
            program: program.to_owned(),
            folder: network,
            nodes: places.into_iter().enumerate().map(node).collect(),
        };
        for reader in &cluster.nodes {
            let file = cluster.folder.join(&reader.name).join("node.toml");
            let mut text = std::fs::read_to_string(&file).expect("written");
            for (number, node) in cluster.nodes.iter().enumerate() {
                for port in [port(number), port(number) + 1] {
                    text = text.replace(
                        &format!("127.0.0.1:{port}"),
                        &format!("{}:{port}", node.place.address),
                    );
                }
            }
            std::fs::write(&file, text).expect("written");
        }
        cluster
    }

    /// Starts a node and waits until it listens.
    pub(crate) fn start(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let program = self.program.to_string_lossy().into_owned();
        let mut words = node.place.before.iter().chain([&program]);
        let mut command = Command::new(words.next().expect("a program"));
        let mut child = command
            .args(words)
            .args(["validator", "--config"])
            .arg(self.folder.join(&node.name).join("node.toml"))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let listens = lines.any(|line| line.expect("text").starts_with("listening "));
        assert!(
            listens,
            "{} ended before it listened: {:?}",
            node.name,
            child.wait()
        );
        node.running = Some(child);
    }

    /// Starts all nodes that do not run.
    pub(crate) fn start_all(&mut self) {
        for number in 0..self.nodes.len() {
            if self.nodes[number].running.is_none() {
                self.start(number);
            }
        }
    }

    /// Ends a node as a power cut would.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some(mut child) = self.nodes[number].running.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends all nodes so.
    pub(crate) fn kill_all(&mut self) {
        (0..self.nodes.len()).for_each(|number| self.kill(number));
    }

    /// How many nodes it has.
    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Where a node serves.
    pub(crate) fn url(&self, number: usize) -> String {
        self.nodes[number].url.clone()
    }

    /// What the running nodes keep in memory now, MiB: the largest of them.
    pub(crate) fn memory_mib(&self) -> f64 {
        let kib = self.processes().filter_map(|id| {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        });
        kib.fold(0.0, f64::max) / 1024.0
    }

    /// Processor time of the running nodes so far, seconds.
    pub(crate) fn processor_secs(&self) -> f64 {
        let ticks = self.processes().filter_map(|id| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (_, behind_name) = stat.rsplit_once(')')?;
            let words = behind_name.split_whitespace().skip(11).take(2);
            let ticks: Result<Vec<f64>, _> = words.map(str::parse).collect();
            Some(ticks.ok()?.iter().sum::<f64>())
        });
        ticks.sum::<f64>() / TICKS_PER_SEC
    }

    fn processes(&self) -> impl Iterator<Item = u32> {
        self.nodes
            .iter()
            .filter_map(|node| Some(node.running.as_ref()?.id()))
    }

    /// All running nodes have the same hash for each ledger that all of them have; how many those are.
    pub(crate) async fn assert_same_ledgers(&self) -> u64 {
        let mut clients = Vec::new();
        for node in self.nodes.iter().filter(|node| node.running.is_some()) {
            clients.push((&node.name, connect(&node.url).await));
        }
        let mut lowest = u64::MAX;
        for (_, client) in &mut clients {
            lowest = lowest.min(last_ledger(client).await);
        }
        for index in 2..=lowest {
            let mut hashes = Vec::new();
            for (name, client) in &mut clients {
                let ledger = request(client, "ledger", json!({ "ledger_index": index })).await;
                hashes.push((*name, ledger["ledger_hash"].clone()));
            }
            let agree = hashes.windows(2).all(|pair| pair[0].1 == pair[1].1);
            assert!(agree, "ledger {index}: {hashes:?}");
        }
        lowest
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// The first of so many ports in a row that nobody listens on, below those that a system gives to whoever asks for
/// any, so that they are still free after a node was killed.
fn free_ports(count: usize) -> u16 {
    let count = u16::try_from(count).expect("few");
    let mut first = 10_000 + u16::try_from(std::process::id() % 1_000).expect("few") * 20;
    while !(first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
        first += count;
        assert!(first < 32_000, "no free ports");
    }
    first
}

/// A connection to a node that runs or is about to.
pub(crate) async fn connect(url: &str) -> Client {
    let connecting = async {
        loop {
            match Client::connect_with_patience(url, PATIENCE).await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let connected = tokio::time::timeout(PATIENCE, connecting).await;
    connected.unwrap_or_else(|_| panic!("no connection to {url}"))
}

/// Asks a node that runs.
pub(crate) async fn request(client: &mut Client, method: &str, params: Value) -> Value {
    let params = params.as_object().cloned().unwrap_or_else(Map::new);
    let answer = client.request(method, params).await;
    answer.unwrap_or_else(|error| panic!("{method}: {error}"))
}

/// Index of its last ledger.
pub(crate) async fn last_ledger(client: &mut Client) -> u64 {
    let info = request(client, "server_info", json!({})).await;
    let index = info["info"]["validated_ledger"]["seq"].as_u64();
    index.expect("an index")
}
