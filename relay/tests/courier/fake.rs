//! A node that says what a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::NETWORK;

/// What the fake node says to a request.
pub(crate) enum Says {
    /// A result in the envelope.
    Result(Value),
    /// An error token in the envelope.
    Error(&'static str),
    /// This text, whatever it is.
    Raw(&'static str),
    /// Nothing, ever.
    Nothing,
    /// It closes the connection.
    Goodbye,
}

type Script = Arc<dyn Fn(&str, &Value) -> Says + Send + Sync>;

/// A running fake node.
pub(crate) struct Fake {
    pub url: String,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Fake {
    /// Answers by a script of method and request.
    pub(crate) async fn start(script: impl Fn(&str, &Value) -> Says + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("ws://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(BTreeMap::new()));
        let (script, counts): (Script, _) = (Arc::new(script), Arc::clone(&asked));
        let app = Router::new().route(
            "/",
            get(move |upgrade: WebSocketUpgrade| async move {
                upgrade.on_upgrade(move |socket| talk(socket, script, counts))
            }),
        );
        tokio::spawn(async move { axum::serve(listener, app).await });
        Fake { url, asked }
    }

    /// How often a method was asked for.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.asked
            .lock()
            .expect("unpoisoned")
            .get(method)
            .copied()
            .unwrap_or(0)
    }
}

async fn talk(mut socket: WebSocket, script: Script, counts: Arc<Mutex<BTreeMap<String, usize>>>) {
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let request: Value = serde_json::from_str(&text).expect("JSON");
        let method = request["command"].as_str().expect("a command").to_owned();
        *counts
            .lock()
            .expect("unpoisoned")
            .entry(method.clone())
            .or_insert(0) += 1;
        let reply = match script(&method, &request) {
            Says::Result(result) => {
                json!({"id": request["id"], "status": "success", "type": "response", "result": result})
                    .to_string()
            }
            Says::Error(token) => {
                json!({"id": request["id"], "status": "error", "type": "response", "error": token})
                    .to_string()
            }
            Says::Raw(text) => text.to_owned(),
            Says::Nothing => std::future::pending().await,
            Says::Goodbye => return,
        };
        if socket.send(Message::Text(reply.into())).await.is_err() {
            return;
        }
    }
}

/// `server_info` of a node in good order.
pub(crate) fn well() -> Says {
    info(NETWORK, "full", 2)
}

pub(crate) fn info(network: u32, state: &str, age_secs: u64) -> Says {
    Says::Result(json!({"info": {
        "network_id": network, "server_state": state, "validated_ledger": {"age": age_secs, "seq": 7},
    }}))
}

/// `ledger` with this close time, Unix seconds.
pub(crate) fn closed_at(unix_secs: u64) -> Says {
    let close_time = codec::CloseTime::from_unix(unix_secs).expect("after 2000");
    Says::Result(json!({"ledger": {"ledger_index": 7, "close_time": close_time.seconds()}}))
}

/// `submit_email` with a result and a state.
pub(crate) fn said(code: &str, state: Value) -> Says {
    Says::Result(json!({"engine_result": code, "state": state}))
}
