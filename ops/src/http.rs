//! `/metrics` for Prometheus, `/healthz` and `/readyz` for service managers and load balancers.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

use crate::health::{Condition, Health};
use crate::limits::{self, METRICS_UPKEEP_SECS, PROBE_SECS_MAX};
use crate::listener::{BoundedListener, Connection, ListenerBounds};
use crate::metrics::PrometheusHandle;
use crate::visitor::{Bounds, Visitor};

#[derive(Clone)]
struct Shared {
    health: Arc<dyn Health>,
    metrics: PrometheusHandle,
}

const BOUNDS: ListenerBounds = ListenerBounds {
    places: Bounds {
        total: limits::HTTP_CONNECTIONS_MAX,
        for_operator: limits::HTTP_CONNECTIONS_OWN,
        per_peer: limits::HTTP_CONNECTIONS_PER_PEER_MAX,
        per_network: limits::HTTP_CONNECTIONS_PER_NETWORK_MAX,
    },
    spared: Duration::from_secs(limits::HTTP_SPARED_SECS),
    bytes: Bounds {
        total: limits::HTTP_BYTES_MAX,
        for_operator: 0,
        per_peer: limits::HTTP_BYTES_MAX,
        per_network: limits::HTTP_BYTES_MAX,
    },
    idle: Duration::from_secs(limits::HTTP_IDLE_SECS_MAX),
    first_request: Duration::from_secs(limits::HTTP_FIRST_REQUEST_SECS_MAX),
};

/// Only for places: nobody may more than others here.
fn counted_as(address: IpAddr) -> Visitor {
    if address.to_canonical().is_loopback() {
        Visitor::Operator
    } else {
        Visitor::Guest(address)
    }
}

/// Tells a connection that asks from a silent one.
async fn count(ConnectInfo(connection): ConnectInfo<Connection>, request: Request, next: Next) -> Response {
    if connection.asks(counted_as(connection.address)).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let response = next.run(request).await;
    connection.answered();
    response
}

/// Serves until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    health: Arc<dyn Health>,
    metrics: PrometheusHandle,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let upkeep = metrics.clone();
    let shared = Shared { health, metrics };
    let app = Router::new()
        .route("/metrics", get(render_metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .layer(axum::middleware::from_fn(count))
        .with_state(shared);
    let bounded = BoundedListener::new(listener, BOUNDS, Arc::new(counted_as));
    let serving = axum::serve(bounded, app.into_make_service_with_connect_info::<Connection>());
    let tidying = async move {
        let mut every = tokio::time::interval(Duration::from_secs(METRICS_UPKEEP_SECS));
        loop {
            every.tick().await;
            upkeep.run_upkeep();
        }
    };
    // An answer that is cut short does no harm, so the stop does not wait for slow readers.
    tokio::select! {
        result = serving => result,
        () = stop => Ok(()),
        () = tidying => Ok(()),
    }
}

async fn render_metrics(State(shared): State<Shared>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, shared.metrics.render()).into_response()
}

async fn healthz(State(shared): State<Shared>) -> Response {
    answer(shared.health, "alive", |health| health.alive()).await
}

async fn readyz(State(shared): State<Shared>) -> Response {
    answer(shared.health, "ready", |health| health.ready()).await
}

/// 200 where every condition holds, else 503; the conditions in both cases.
async fn answer(
    health: Arc<dyn Health>,
    word: &str,
    ask: impl FnOnce(&dyn Health) -> Vec<Condition> + Send + 'static,
) -> Response {
    // A health that hangs is a health that fails; it must not hold the threads that serve either.
    let asking = tokio::task::spawn_blocking(move || ask(health.as_ref()));
    let conditions = match tokio::time::timeout(Duration::from_secs(PROBE_SECS_MAX), asking).await {
        Ok(Ok(conditions)) => conditions,
        Ok(Err(_)) => vec![Condition::fails("probe", "the probe failed; see the log")],
        Err(_) => vec![Condition::fails("probe", "no answer in time; the process hangs")],
    };
    let holds = conditions.iter().all(|condition| condition.ok);
    let status = if holds {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({ word: holds, "conditions": conditions });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, format!("{body}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Fake {
        alive: Vec<Condition>,
        ready: Vec<Condition>,
    }

    impl Health for Fake {
        fn alive(&self) -> Vec<Condition> {
            self.alive.clone()
        }
        fn ready(&self) -> Vec<Condition> {
            self.ready.clone()
        }
    }

    /// The reply to the last of `silent` and one connections.
    async fn get_after(silent: usize, health: Fake, path: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let address = listener.local_addr().expect("address");
        let recorder = PrometheusBuilder::new().build_recorder();
        ::metrics::with_local_recorder(&recorder, || {
            ::metrics::counter!("requests_total", "by" => "smtp").increment(3);
        });
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let until = async move {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(serve(listener, Arc::new(health), recorder.handle(), until));
        let mut held = Vec::new();
        for _ in 0..silent {
            held.push(tokio::net::TcpStream::connect(address).await.expect("connect"));
        }
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("connect");
        let request = format!("GET {path} HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("send");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.expect("reply");
        stop.send(()).expect("serving");
        serving.await.expect("task").expect("served");
        reply
    }

    async fn get(health: Fake, path: &str) -> String {
        get_after(0, health, path).await
    }

    fn well() -> Fake {
        Fake {
            alive: vec![Condition::holds("writer", "it writes")],
            ready: vec![Condition::holds("queue", "3 mails wait")],
        }
    }

    #[tokio::test]
    async fn readyz_accepts_what_holds_and_rejects_what_does_not_with_its_reason() {
        let reply = get(well(), "/readyz").await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
        assert!(reply.contains(r#""ready":true"#), "{reply}");
        let mut ill = well();
        ill.ready
            .push(Condition::fails("nodes", "no node answers. Start one"));
        let reply = get(ill, "/readyz").await;
        assert!(reply.starts_with("HTTP/1.1 503 "), "{reply}");
        let body = reply.split("\r\n\r\n").nth(1).expect("body");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["ready"], false);
        assert_eq!(
            body["conditions"][1],
            json!({"name": "nodes", "ok": false, "reason": "no node answers. Start one"})
        );
    }

    #[tokio::test]
    async fn silent_connections_keep_nobody_out() {
        let reply = get_after(3 * limits::HTTP_CONNECTIONS_MAX, well(), "/healthz").await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    }

    #[tokio::test]
    async fn healthz_looks_at_life_only() {
        let mut unready = well();
        unready.ready.push(Condition::fails("nodes", "no node"));
        let reply = get(unready, "/healthz").await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
        let mut dead = well();
        dead.alive = vec![Condition::fails("writer", "the writer is gone")];
        let reply = get(dead, "/healthz").await;
        assert!(reply.starts_with("HTTP/1.1 503 "), "{reply}");
    }

    #[tokio::test]
    async fn metrics_are_in_the_text_form_of_prometheus() {
        let reply = get(well(), "/metrics").await;
        assert!(reply.contains("requests_total{by=\"smtp\"} 3\n"), "{reply}");
        assert!(reply.contains("# TYPE requests_total counter\n"), "{reply}");
        assert!(get(well(), "/").await.starts_with("HTTP/1.1 404 "));
    }
}
