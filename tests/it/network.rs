//! Networks of several validators, as processes on this machine: one story of a payment, of deaths and of returns.

mod amendment;
mod snapshot;

use crate::support::{Run, program, run};
use crate::world::{RECEIVER, RESERVE_XAH, World, balance, wait_for};
use rpc::{Client, ClientError};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Long enough for a network to go on that can: a dead leader's view ends after 4.5 s, the next may be dead too.
const TIME_TO_GO_ON: Duration = Duration::from_secs(15);

/// Ledgers of an epoch: of three seconds each where nothing happens.
const EPOCH: &str = "5";

/// A network and its running nodes; they are killed with the value.
struct Network {
    folder: PathBuf,
    names: Vec<String>,
    running: Vec<Option<(Child, String)>>,
}

impl Network {
    /// Makes a network whose nodes know the keys of the world, where Alice has money. Its nodes do not run yet.
    fn new(world: &World, validators: usize, followers: usize) -> Network {
        Network::with(world, validators, followers, &[])
    }

    /// The same, with more options.
    fn with(world: &World, validators: usize, followers: usize, more: &[&str]) -> Network {
        let folder = world.path("network");
        let keys = world.keys();
        let port = free_ports(2 * (validators + followers)).to_string();
        let (validators_text, followers_text) = (validators.to_string(), followers.to_string());
        let usual = [
            "network",
            "init",
            "--out",
            folder.to_str().expect("text"),
            "--validators",
            &validators_text,
            "--followers",
            &followers_text,
            "--port",
            &port,
            "--fund",
            "alice@mail.example=10000",
            "--key-delay-first",
            "0",
            "--key-delay-next",
            "0",
            "--epoch",
            EPOCH,
            "--keys",
            keys.to_str().expect("text"),
        ];
        let made = run(&[&usual, more].concat());
        assert_eq!(made.code, 0, "{}", made.err);
        let names = (1..=validators).map(|number| format!("validator-{number}"));
        let names: Vec<String> = names
            .chain((1..=followers).map(|number| format!("follower-{number}")))
            .collect();
        let running = names.iter().map(|_| None).collect();
        Network {
            folder,
            names,
            running,
        }
    }

    fn config(&self, node: usize) -> PathBuf {
        self.folder.join(&self.names[node]).join("node.toml")
    }

    fn start(&mut self, node: usize) {
        self.start_with(node, &[]);
    }

    fn start_with(&mut self, node: usize, options: &[&str]) {
        let mut child = program()
            .args(["validator", "--config"])
            .arg(self.config(node))
            .args(options)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let url =
            lines.find_map(|line| Some(line.expect("text").strip_prefix("listening ")?.trim().to_owned()));
        let url = url.unwrap_or_else(|| panic!("the node ended before it listened: {:?}", child.wait()));
        self.running[node] = Some((child, url));
    }

    fn start_all(&mut self) {
        for node in 0..self.names.len() {
            self.start(node);
        }
    }

    /// Ends a node as a power cut would.
    fn kill(&mut self, node: usize) {
        let (mut child, _) = self.running[node].take().expect("it runs");
        child.kill().expect("kill");
        child.wait().expect("wait");
    }

    /// Makes one more node, and tells all others of it, which read their files by themselves.
    fn add(&mut self, name: &str) {
        let folder = self.folder.join(name);
        let ports = free_ports(2);
        let [peer, rpc] = [ports, ports + 1].map(|port| format!("127.0.0.1:{port}"));
        let config = self.config(0);
        let config = config.to_str().expect("text");
        let out = folder.to_str().expect("text");
        let added = run(&[
            "network", "add", "--json", "--config", config, "--name", name, "--peer", &peer, "--rpc", &rpc,
            "--out", out,
        ]);
        assert_eq!(added.code, 0, "{}", added.err);
        let node = &added.json()["node"];
        let text = |key: &str| node[key].as_str().expect("text").to_owned();
        let entry = format!(
            "\n[[nodes]]\nname = \"{}\"\npart = \"follower\"\npublic_key = \"{}\"\npeer = \"{}\"\nrpc = \"{}\"\n",
            text("name"),
            text("public_key"),
            text("peer"),
            text("rpc"),
        );
        for other in 0..self.names.len() {
            let path = self.config(other);
            let before = std::fs::read_to_string(&path).expect("a configuration");
            std::fs::write(path, before + &entry).expect("written");
        }
        self.names.push(name.to_owned());
        self.running.push(None);
    }

    /// The operators of these nodes vote about the list of validators.
    fn vote(&self, nodes: &[usize], change: &[&str]) {
        for node in nodes {
            let config = self.config(*node);
            let arguments = [
                &["network", "vote", "--config", config.to_str().expect("text")],
                change,
            ]
            .concat();
            // A node that was just started, or a busy machine, may not answer in time. It may have heard all the
            // same, and with its vote the list changes.
            let is_done = |voted: &Run| {
                let is_changed = ["it is in the list already", "it is not in the list"];
                voted.code == 0 || is_changed.iter().any(|said| voted.err.contains(said))
            };
            let mut voted = run(&arguments);
            assert!(voted.code == 0 || !is_done(&voted), "{}", voted.err);
            for _ in 0..10 {
                if is_done(&voted) {
                    break;
                }
                std::thread::sleep(Duration::from_secs(1));
                voted = run(&arguments);
            }
            assert!(is_done(&voted), "{}{}", voted.out, voted.err);
        }
    }

    /// Waits until the running nodes have made so many more ledgers.
    async fn wait_for_ledgers(&self, count: u64) {
        let begin = last_ledger(self.urls()[0]).await;
        for url in self.urls() {
            wait_for(&format!("{count} ledgers after {begin} on {url}"), async || {
                (last_ledger(url).await >= begin + count).then_some(())
            })
            .await;
        }
    }

    /// A start that is refused.
    fn refused_start(&self, node: usize) -> Run {
        let config = self.config(node);
        run(&["validator", "--config", config.to_str().expect("text")])
    }

    fn url(&self, node: usize) -> &str {
        &self.running[node].as_ref().expect("it runs").1
    }

    fn urls(&self) -> Vec<&str> {
        self.running
            .iter()
            .flatten()
            .map(|(_, url)| url.as_str())
            .collect()
    }

    fn status(&self) -> (i32, Value) {
        let config = self.config(0);
        let status = run(&[
            "network",
            "status",
            "--json",
            "--config",
            config.to_str().expect("text"),
        ]);
        (status.code, status.json())
    }

    /// Waits until every running node shows that Bob was paid so much.
    async fn wait_for_payments(&self, xah: u64) {
        for url in self.urls() {
            wait_for(&format!("{xah} XAH on {url}"), async || {
                (balance(url, RECEIVER).await == RESERVE_XAH + xah).then_some(())
            })
            .await;
        }
    }

    /// All running nodes have the same hash for each ledger that all of them have.
    async fn assert_same_ledgers(&self) {
        let mut lowest = u64::MAX;
        for url in self.urls() {
            lowest = lowest.min(last_ledger(url).await);
        }
        for index in 2..=lowest {
            let mut hashes = Vec::new();
            for url in self.urls() {
                let ledger = request(url, "ledger", json!({ "ledger_index": index })).await;
                hashes.push(ledger["ledger_hash"].as_str().expect("a hash").to_owned());
            }
            hashes.dedup();
            assert_eq!(hashes.len(), 1, "ledger {index}: {hashes:?}");
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for (child, _) in self.running.iter_mut().flatten() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The first of so many ports in a row that nobody listens on, for this process alone. They lie below those that a
/// system gives to whoever asks for any, so that they are still free after a node was killed.
pub(crate) fn free_ports(count: usize) -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let count = u16::try_from(count).expect("few");
    let begin = 10_000 + u16::try_from(std::process::id() % 900).expect("few") * 20;
    loop {
        let first = begin + TAKEN.fetch_add(count, Ordering::Relaxed);
        assert!(first < 32_000, "no free ports");
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

async fn ask(url: &str, method: &str, params: Value) -> Result<Value, ClientError> {
    let mut client = Client::connect(url).await.expect("connects");
    let Value::Object(params) = params else {
        panic!("an object")
    };
    client.request(method, params).await
}

async fn request(url: &str, method: &str, params: Value) -> Value {
    ask(url, method, params).await.expect("an answer")
}

async fn last_ledger(url: &str) -> u64 {
    let info = request(url, "server_info", json!({})).await;
    info["info"]["validated_ledger"]["seq"]
        .as_u64()
        .expect("an index")
}

/// A mail of Alice that pays Bob.
fn pay(world: &World, xah: u64) -> String {
    world.mail(&format!("REMIT {xah} XAH TO <{RECEIVER}>"))
}

async fn submit(url: &str, mail: &str) {
    let answer = request(url, "submit_email", json!({ "email": mail })).await;
    let state = answer["state"].as_str();
    assert!(matches!(state, Some("kept" | "submitted")), "{answer}");
}

#[tokio::test]
async fn four_validators_pay_by_mail_go_on_without_one_stop_without_two_and_come_back() {
    let world = World::new();
    let mut network = Network::new(&world, 4, 0);
    network.start_all();

    // One node hears of the mail; each looks the key up for itself, and all of them have the payment.
    submit(network.url(0), &pay(&world, 5)).await;
    network.wait_for_payments(5).await;
    network.assert_same_ledgers().await;
    let (code, status) = network.status();
    assert_eq!((code, &status["agree"]), (0, &json!(true)), "{status}");
    assert_eq!(status["nodes"].as_array().map(Vec::len), Some(4));
    let views = &status["keys"][0]["views"];
    assert_eq!(
        (views.as_array().map(Vec::len), &views[0]["state"]),
        (Some(1), &json!("usable")),
        "{status}"
    );
    assert_eq!(views[0]["nodes"].as_array().map(Vec::len), Some(4), "{status}");
    let refused = ask(network.url(1), "ledger_accept", json!({})).await;
    assert!(
        matches!(refused, Err(ClientError::Refused { .. })),
        "no node closes a ledger by itself"
    );

    // A second process on the same folder is refused.
    let second = network.refused_start(2);
    assert_eq!(second.code, 2, "{}", second.out);
    assert!(second.err.contains("in use by another node"), "{}", second.err);

    // Without one they go on: its mail comes in at another node.
    network.kill(3);
    submit(network.url(1), &pay(&world, 7)).await;
    network.wait_for_payments(12).await;
    let (code, status) = network.status();
    assert_eq!(
        (code, &status["agree"]),
        (1, &json!(true)),
        "one does not answer: {status}"
    );

    // Without two they stop: what comes in waits.
    network.kill(2);
    submit(network.url(0), &pay(&world, 11)).await;
    tokio::time::sleep(TIME_TO_GO_ON).await;
    let stopped_at = [
        last_ledger(network.url(0)).await,
        last_ledger(network.url(1)).await,
    ];
    tokio::time::sleep(TIME_TO_GO_ON).await;
    let later = [
        last_ledger(network.url(0)).await,
        last_ledger(network.url(1)).await,
    ];
    assert_eq!(later, stopped_at, "two of four make no ledger");

    // They come back, catch up, and what waited is paid once.
    network.start(2);
    network.start(3);
    network.wait_for_payments(23).await;
    network.assert_same_ledgers().await;
}

#[tokio::test]
async fn a_key_whose_votes_are_gone_is_refused_and_a_follower_has_what_validators_have() {
    let world = World::new();
    let mut network = Network::new(&world, 4, 1);
    network.start_all();
    // A mail that comes in at the follower reaches those who propose.
    submit(network.url(4), &pay(&world, 3)).await;
    network.wait_for_payments(3).await;
    network.assert_same_ledgers().await;

    network.kill(3);
    let data = network.folder.join("validator-4").join("data");
    std::fs::remove_dir_all(&data).expect("wiped");
    let refused = network.refused_start(3);
    assert_eq!(refused.code, 2, "{}", refused.out);
    assert!(
        refused.err.contains("the key of this validator has voted"),
        "{}",
        refused.err
    );

    // It rejoins: without its vote until the next epoch. Then the network can do without another.
    network.start_with(3, &["--rejoin"]);
    network
        .wait_for_ledgers(2 * EPOCH.parse::<u64>().expect("a number"))
        .await;
    network.kill(3);
    network.start(3);
    network.kill(0);
    submit(network.url(4), &pay(&world, 5)).await;
    network.wait_for_payments(8).await;
    network.start(0);

    // Where its ledgers alone are gone, it makes them again from the blocks.
    network.kill(2);
    let store = network
        .folder
        .join("validator-3")
        .join("data")
        .join("ledger.redb");
    std::fs::remove_file(&store).expect("removed");
    network.start(2);
    submit(network.url(4), &pay(&world, 4)).await;
    network.wait_for_payments(12).await;
    network.assert_same_ledgers().await;
}

#[tokio::test]
async fn validators_join_sleep_over_epochs_leave_and_replace_their_keys() {
    let world = World::new();
    let mut network = Network::new(&world, 4, 0);
    network.start_all();

    // A fifth joins: it follows at first, and votes when all four have voted for it.
    network.add("validator-5");
    network.start(4);
    network.wait_for_ledgers(1).await;
    network.vote(&[0, 1, 2, 3], &["--add", "validator-5"]);
    network
        .wait_for_ledgers(2 * EPOCH.parse::<u64>().expect("a number"))
        .await;
    // Of five, four votes make a block: without one of the old ones, that of the new one is needed.
    network.kill(3);
    submit(network.url(4), &pay(&world, 5)).await;
    network.wait_for_payments(5).await;

    // The one that sleeps misses several epochs, and comes back to vote: another can go.
    network
        .wait_for_ledgers(2 * EPOCH.parse::<u64>().expect("a number"))
        .await;
    network.start(3);
    network.wait_for_ledgers(1).await;
    network.kill(1);
    submit(network.url(3), &pay(&world, 7)).await;
    network.wait_for_payments(12).await;
    network.start(1);

    // The second leaves, and a new key of the third takes the place of the old one, with the same vote.
    network.add("validator-3b");
    network.start(5);
    network.wait_for_ledgers(1).await;
    let change = [
        "--remove",
        "validator-2",
        "--remove",
        "validator-3",
        "--add",
        "validator-3b",
    ];
    network.vote(&[0, 1, 3, 4], &change);
    network
        .wait_for_ledgers(2 * EPOCH.parse::<u64>().expect("a number"))
        .await;
    network.kill(1);
    network.kill(2);
    // The four that are left are a whole network: three of them suffice.
    network.kill(0);
    submit(network.url(5), &pay(&world, 11)).await;
    network.start(0);
    network.wait_for_payments(23).await;
    network.assert_same_ledgers().await;
}
