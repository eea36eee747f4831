//! Server and client over real sockets on a port that the system chooses.

use std::sync::Arc;
use std::time::Duration;

use ops::Bounds;
use rpc::server::{ServerLimits, serve};
use rpc::{Client, ClientError, Trust};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::fake_node::FakeNode;

struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(limits: ServerLimits) -> Running {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel();
    let stopped = async move {
        let _ = stopped.await;
    };
    let task = tokio::spawn(serve(
        listener,
        Arc::new(FakeNode::default()),
        limits,
        Trust::default(),
        stopped,
    ));
    Running { address, stop, task }
}

impl Running {
    async fn client(&self) -> Client {
        Client::connect(&format!("ws://{}", self.address))
            .await
            .expect("the server listens")
    }

    async fn http(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address)
            .await
            .expect("the server listens");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.expect("the server closes");
        String::from_utf8(reply).expect("text")
    }

    async fn post(&self, extra_headers: &str, body: &str) -> String {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{extra_headers}");
        self.http(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
            .await
    }
}

fn params(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[tokio::test]
async fn accepts_requests_over_websocket_and_http_on_one_port() {
    let server = start(ServerLimits::default()).await;
    let mut client = server.client().await;
    for _ in 0..3 {
        assert_eq!(
            client.request("ping", Map::new()).await.expect("a result"),
            json!({"role": "admin", "unlimited": true})
        );
    }
    let mail = params(json!({"email": "A: b\r\n\r\n"}));
    assert_eq!(
        client.request("submitEmail", mail).await.expect("a result")["kept"],
        true
    );
    let reply = server.post("", r#"{"method":"ping"}"#).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(
        reply.ends_with(r#"{"result":{"role":"admin","status":"success","unlimited":true}}"#),
        "{reply}"
    );
    client.close().await;
}

#[tokio::test]
async fn rejects_admin_methods_asked_through_a_browser_or_a_proxy() {
    let server = start(ServerLimits::default()).await;
    assert!(
        server
            .post("", r#"{"method":"ledger_accept"}"#)
            .await
            .contains("ledger_current_index")
    );
    for headers in [
        "Origin: http://a.example\r\n",
        "X-Forwarded-For: 192.0.2.1\r\n",
        "Forwarded: for=192.0.2.1\r\n",
    ] {
        assert!(
            server
                .post(headers, r#"{"method":"ledger_accept"}"#)
                .await
                .contains("noPermission")
        );
    }
}

#[tokio::test]
async fn rejects_with_an_error_that_the_client_understands() {
    let server = start(ServerLimits::default()).await;
    let mut client = server.client().await;
    let error = client.request("no_such", Map::new()).await.expect_err("refused");
    let ClientError::Refused { token, code, message } = error else {
        panic!("{error}")
    };
    assert_eq!((token.as_str(), code), ("unknownCmd", Some(32)));
    assert_eq!(message, "Unknown method 'no_such'.");
    let too_long = params(json!({"email": "x".repeat(2_000_000)}));
    assert!(matches!(
        client.request("submit_email", too_long).await,
        Err(ClientError::TooLong { .. })
    ));
    assert!(
        client.request("ping", Map::new()).await.is_ok(),
        "the connection is still good"
    );
}

#[tokio::test]
async fn rejects_two_megabytes_over_each_transport() {
    let server = start(ServerLimits::default()).await;
    let body = format!("{{\"method\":\"ping\",\"id\":\"{}\"}}", "x".repeat(2_000_000));
    let mut stream = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut status = [0; 12];
    stream
        .read_exact(&mut status)
        .await
        .expect("an answer before the body");
    assert_eq!(&status, b"HTTP/1.1 413");

    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}", server.address))
        .await
        .expect("connected");
    use futures_util::{SinkExt, StreamExt};
    // The server may close before all of it is sent.
    let _ = socket
        .send(tokio_tungstenite::tungstenite::Message::text(body))
        .await;
    let closed = match socket.next().await {
        None | Some(Err(_)) => true,
        Some(Ok(message)) => message.is_close(),
    };
    assert!(closed);
    assert!(server.client().await.request("ping", Map::new()).await.is_ok());
}

#[tokio::test]
async fn rejects_a_client_that_sends_nothing() {
    let limits = ServerLimits {
        idle: Duration::from_millis(50),
        ..ServerLimits::default()
    };
    let server = start(limits).await;
    let mut silent = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    let mut nothing = [0; 1];
    let read = tokio::time::timeout(Duration::from_secs(20), silent.read(&mut nothing))
        .await
        .expect("dropped in time");
    assert!(matches!(read, Ok(0) | Err(_)), "the connection is closed");

    let mut half = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    half.write_all(b"POST / HTTP/1.1\r\nContent-Le")
        .await
        .expect("sent");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), half.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the half request is dropped");

    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{}", server.address))
        .await
        .expect("connected");
    use futures_util::StreamExt;
    let end = tokio::time::timeout(Duration::from_secs(20), socket.next())
        .await
        .expect("dropped in time");
    assert!(!matches!(end, Some(Ok(message)) if message.is_text()));
}

#[tokio::test]
async fn rejects_a_client_that_drips_its_first_request() {
    let limits = ServerLimits {
        first_request: Duration::from_millis(50),
        ..ServerLimits::default()
    };
    let server = start(limits).await;
    let mut drip = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    drip.write_all(b"POST / HTTP/1.1\r\nX: ").await.expect("sent");
    let dripping = async { while drip.write_all(b"x").await.is_ok() {} };
    assert!(
        tokio::time::timeout(Duration::from_secs(20), dripping)
            .await
            .is_ok(),
        "dropped in time"
    );

    // Who has asked once may be silent for as long as the idle limit says.
    let mut client = server.client().await;
    client.request("ping", Map::new()).await.expect("a result");
    let mut half = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    half.write_all(b"POST ").await.expect("sent");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), half.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "dropped after the limit of the first request");
    client
        .request("ping", Map::new())
        .await
        .expect("the older connection is still good");
}

#[tokio::test]
async fn accepts_a_stop_and_ends_with_connections_open() {
    let server = start(ServerLimits::default()).await;
    let mut client = server.client().await;
    client.request("ping", Map::new()).await.expect("a result");
    server.stop.send(()).expect("running");
    let ended = tokio::time::timeout(Duration::from_secs(20), server.task)
        .await
        .expect("stops in time");
    assert!(ended.expect("no panic").is_ok());
    assert!(matches!(
        client.request("ping", Map::new()).await,
        Err(ClientError::Closed | ClientError::Broken(_))
    ));
}

#[tokio::test]
async fn rejects_connections_over_the_bound_until_one_ends() {
    let server = start(ServerLimits {
        connections: Bounds {
            total: 1,
            for_operator: 0,
            per_peer: 1,
            per_network: 1,
        },
        ..ServerLimits::default()
    })
    .await;
    let mut first = server.client().await;
    first.request("ping", Map::new()).await.expect("a result");
    let url = format!("ws://{}", server.address);
    let second = Client::connect_with_patience(&url, Duration::from_millis(50)).await;
    assert!(second.is_err(), "the first was busy just now");
    first.close().await;
    assert!(Client::connect(&url).await.is_ok());
}

#[tokio::test]
async fn silent_connections_keep_nobody_out() {
    let server = start(ServerLimits::default()).await;
    let mut silent = Vec::new();
    for _ in 0..2 * rpc::limits::CONNECTIONS_MAX {
        silent.push(
            TcpStream::connect(server.address)
                .await
                .expect("the server listens"),
        );
    }
    let mut client = server.client().await;
    client.request("ping", Map::new()).await.expect("a result");
}

/// A guest that a proxy names has a share of its own: it keeps neither another guest nor the operator out.
#[tokio::test]
async fn rejects_more_connections_than_its_share_from_a_guest_behind_a_proxy() {
    let server = start(ServerLimits::default()).await;
    let url = format!("ws://{}", server.address);
    let connect = |guest: &'static str| {
        let mut request = url.as_str().into_client_request().expect("a request");
        let name = HeaderValue::from_static(guest);
        request.headers_mut().insert("x-forwarded-for", name);
        tokio_tungstenite::connect_async(request)
    };
    let mut open = Vec::new();
    for _ in 0..rpc::limits::CONNECTIONS_PER_PEER_MAX {
        open.push(connect("198.51.100.1").await.expect("within its share"));
    }
    assert!(
        connect("198.51.100.1").await.is_err(),
        "all of its own were busy just now"
    );
    assert!(connect("203.0.113.1").await.is_ok());
    let mut operator = server.client().await;
    operator.request("ping", Map::new()).await.expect("a result");
}

#[tokio::test]
async fn rejects_a_server_that_is_not_there() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    assert!(matches!(
        Client::connect(&format!("ws://{address}")).await,
        Err(ClientError::Connect { .. })
    ));
}
