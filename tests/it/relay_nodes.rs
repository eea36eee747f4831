//! The running relay and nodes that are away for a while, or answer one mail with nonsense.

use crate::support::{NodeProcess, RelayProcess, run};
use crate::world::{RELAY, Smtp, World, configure, wait_for, wait_for_payments};
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use rpc::{Client, ClientError};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// What the node does not understand.
const POISON: &str = "REMIT 666 XAH";

fn start_node(world: &World) -> NodeProcess {
    let arguments = world.node_arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    NodeProcess::start(&world.path("node"), &arguments)
}

fn start_relay(config: &Path) -> RelayProcess {
    RelayProcess::start_with(config, Stdio::inherit(), "error")
}

/// A relay's configuration with SMTP alone.
fn config(world: &World, node: &str) -> PathBuf {
    let folder = world.path("relay");
    std::fs::create_dir(&folder).expect("folder");
    let sections = "[smtp]\nlisten = [\"127.0.0.1:0\"]\n";
    configure(
        &folder,
        &world.keys(),
        node,
        &format!("addresses = [\"{RELAY}\"]"),
        sections,
    )
}

fn deliver(world: &World, relay: &RelayProcess, line: &str) {
    let reply = Smtp::deliver(&relay.smtp, &world.mail(line));
    assert!(reply.starts_with("250 2.0.0 Taken as "), "{reply}");
}

/// `queue WORDS.. --json`.
fn queue(config: &Path, words: &[&str]) -> Value {
    let place = ["--json", "--config", config.to_str().expect("text")];
    run(&[&["queue"], words, &place].concat()).json()
}

/// The address of a node, whether it runs or not: a node that is started again has another port.
struct Front {
    url: String,
    /// ADDR:PORT of the node; `None` while it is away.
    node: Arc<Mutex<Option<String>>>,
    /// Connections that came while it was away.
    in_vain: Arc<AtomicUsize>,
}

impl Front {
    async fn open() -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}", listener.local_addr().expect("an address"));
        let node = Arc::new(Mutex::new(None::<String>));
        let in_vain = Arc::new(AtomicUsize::new(0));
        let (target, counter) = (Arc::clone(&node), Arc::clone(&in_vain));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let Some(node) = target.lock().expect("lock").clone() else {
                    counter.fetch_add(1, Ordering::SeqCst);
                    continue;
                };
                tokio::spawn(async move {
                    // The node may be gone already, or go at any moment.
                    if let Ok(mut node) = TcpStream::connect(node).await {
                        let _ = copy_bidirectional(&mut client, &mut node).await;
                    }
                });
            }
        });
        Front { url, node, in_vain }
    }

    fn lead_to(&self, node: Option<&NodeProcess>) {
        let address = node.and_then(|node| node.url.strip_prefix("ws://"));
        *self.node.lock().expect("lock") = address.map(str::to_owned);
    }
}

/// What the clock of an hour adds is in relay/tests/courier, whose clock is moved by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepts_mail_while_no_node_runs_and_pays_it_later_over_restarts_of_the_relay() {
    let world = World::new();
    let front = Front::open().await;
    let node = start_node(&world);
    front.lead_to(Some(&node));
    let config = config(&world, &front.url);
    let relay = start_relay(&config);
    deliver(&world, &relay, "REMIT 1 XAH");
    wait_for_payments(&node.url, 1).await;

    front.lead_to(None);
    node.kill();
    for amount in 2..=10 {
        deliver(&world, &relay, &format!("REMIT {amount} XAH"));
    }
    relay.kill();
    let relay = start_relay(&config);
    deliver(&world, &relay, "REMIT 11 XAH");
    let before = front.in_vain.load(Ordering::SeqCst);
    wait_for("tries in vain", async || {
        (front.in_vain.load(Ordering::SeqCst) > before + 2).then_some(())
    })
    .await;
    let listed = queue(&config, &["list", "--state", "received"]);
    assert_eq!(listed["entries"].as_array().map(Vec::len), Some(10));
    assert!(relay.stop(), "it ends well");
    let relay = start_relay(&config);

    let node = start_node(&world);
    front.lead_to(Some(&node));
    wait_for_payments(&node.url, 66).await;
    wait_for("the word of each payment", async || {
        let stats = queue(&config, &["stats"]);
        (stats["entries"]["validated"] == 11).then_some(())
    })
    .await;
    assert!(relay.stop(), "it ends well");
}

/// A node that answers [`POISON`] with nonsense until it is cured, and passes all else on to a real one.
/// Gives its address.
async fn start_babbling_node(node: &str, is_cured: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let node = node.to_owned();
    let app = Router::new().route(
        "/",
        get(move |upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |socket| babble(socket, node, is_cured))
        }),
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn babble(mut socket: WebSocket, node: String, is_cured: Arc<AtomicBool>) {
    let mut client = Client::connect(&node).await.expect("connects");
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let mut request: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
        let id = request.remove("id");
        let method = request.remove("command").expect("a command");
        let mail = request.get("email_hex").and_then(Value::as_str).map(hex::decode);
        let mail = mail.map(|mail| String::from_utf8(mail.expect("hex")).expect("text"));
        let is_poison = mail.is_some_and(|mail| mail.contains(POISON));
        let answer = if is_poison && !is_cured.load(Ordering::SeqCst) {
            "{\"id\":".to_owned()
        } else {
            match client.request(method.as_str().expect("text"), request).await {
                Ok(result) => {
                    json!({"id": id, "status": "success", "type": "response", "result": result}).to_string()
                }
                Err(ClientError::Refused { token, .. }) => {
                    json!({"id": id, "status": "error", "type": "response", "error": token}).to_string()
                }
                Err(_) => return,
            }
        };
        if socket.send(Message::Text(answer.into())).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejects_a_poison_mail_with_its_reason_and_pays_the_others() {
    let world = World::new();
    let node = start_node(&world);
    let is_cured = Arc::new(AtomicBool::new(false));
    let babbling = start_babbling_node(&node.url, Arc::clone(&is_cured)).await;
    let config = config(&world, &babbling);
    let relay = start_relay(&config);
    deliver(&world, &relay, POISON);
    let mut paid = 0;
    let mut amount = 0;
    let held = wait_for("a mail that is held", async || {
        amount += 1;
        deliver(&world, &relay, &format!("REMIT {amount} XAH"));
        paid += amount;
        wait_for_payments(&node.url, paid).await;
        let listed = queue(&config, &["list", "--held"]);
        listed["entries"].get(0).cloned()
    })
    .await;
    assert_eq!(held["instruction"], POISON);
    assert_eq!(held["state"], "received");
    let word = held["word"].as_str().expect("a reason");
    assert!(word.contains("not understood"), "{word}");

    // Held it stays over a restart, while the queue goes on; released it is paid.
    relay.kill();
    let relay = start_relay(&config);
    deliver(&world, &relay, "REMIT 100 XAH");
    wait_for_payments(&node.url, paid + 100).await;
    assert_eq!(
        queue(&config, &["list", "--held"])["entries"][0]["trace"],
        held["trace"]
    );
    is_cured.store(true, Ordering::SeqCst);
    let trace = held["trace"].as_str().expect("a trace");
    assert_eq!(queue(&config, &["release", trace])["is_held"], false);
    wait_for_payments(&node.url, paid + 766).await;
    assert!(relay.stop(), "it ends well");
}
