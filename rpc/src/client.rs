//! A WebSocket client for the same envelope: the command line, the demo and the relay speak through it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::limits::{ANSWER_BYTES_MAX, CLIENT_SECS_MAX, REQUEST_BYTES_MAX, SKIPPED_MESSAGES_MAX};

/// One connection to a server. Requests go one after the other.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    patience: Duration,
}

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("cannot connect to {url}: {source}")]
    Connect {
        /// Where to.
        url: String,
        /// Why not.
        source: Box<WsError>,
    },
    /// The connection broke. Whether the request was carried out is unknown.
    #[error("the connection broke: {0}")]
    Broken(Box<WsError>),
    /// The server closed the connection. Whether the request was carried out is unknown.
    #[error("the server closed the connection")]
    Closed,
    /// No answer in time. Whether the request was carried out is unknown.
    #[error("no answer within {secs} s")]
    TimedOut {
        /// How long the client waited.
        secs: u64,
    },
    /// The request is larger than a server accepts; nothing was sent.
    #[error("the request holds {bytes} bytes, at most {REQUEST_BYTES_MAX} are accepted")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The answer is not in the envelope.
    #[error("the server's answer is not understood")]
    BadAnswer,
    /// The server refused the request.
    #[error("{token}: {message}")]
    Refused {
        /// Error token.
        token: String,
        /// Error number, if there is one.
        code: Option<i64>,
        /// The server's sentence.
        message: String,
    },
}

impl Client {
    /// Connect to `ws://host:port`.
    pub async fn connect(url: &str) -> Result<Self, ClientError> {
        Self::connect_with_patience(url, Duration::from_secs(CLIENT_SECS_MAX)).await
    }

    /// Connect, and wait at most `patience` for the connection and for each answer.
    pub async fn connect_with_patience(url: &str, patience: Duration) -> Result<Self, ClientError> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(ANSWER_BYTES_MAX))
            .max_frame_size(Some(ANSWER_BYTES_MAX));
        let connecting = connect_async_with_config(url, Some(config), true);
        let connected = timeout(patience, connecting)
            .await
            .map_err(|_| timed_out(patience))?;
        let (socket, _response) = connected.map_err(|error| ClientError::Connect {
            url: url.to_owned(),
            source: Box::new(error),
        })?;
        Ok(Self {
            socket,
            next_id: 1,
            patience,
        })
    }

    /// Send one request and wait for its result.
    pub async fn request(&mut self, method: &str, params: Map<String, Value>) -> Result<Value, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        let mut request = params;
        request.insert("id".to_owned(), json!(id));
        request.insert("command".to_owned(), json!(method));
        let text = Value::Object(request).to_string();
        if text.len() > REQUEST_BYTES_MAX {
            return Err(ClientError::TooLong { bytes: text.len() });
        }
        let deadline = Instant::now() + self.patience;
        match timeout_at(deadline, self.socket.send(Message::Text(text.into()))).await {
            Ok(sent) => sent.map_err(broken)?,
            Err(_) => return Err(timed_out(self.patience)),
        }
        match timeout_at(deadline, self.answer_to(id)).await {
            Ok(answer) => answer,
            Err(_) => Err(timed_out(self.patience)),
        }
    }

    /// Say goodbye.
    pub async fn close(mut self) {
        // The server may be gone already; then there is nobody to tell.
        let _ = timeout(self.patience, self.socket.close(None)).await;
    }

    /// Read until the answer to request `id`. Late answers to requests that timed out are skipped.
    async fn answer_to(&mut self, id: u64) -> Result<Value, ClientError> {
        for _ in 0..SKIPPED_MESSAGES_MAX {
            let text = match self.socket.next().await {
                None | Some(Ok(Message::Close(_))) => return Err(ClientError::Closed),
                Some(Err(error)) => return Err(broken(error)),
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(_)) => continue,
            };
            let Ok(Value::Object(mut reply)) = serde_json::from_str(&text) else {
                return Err(ClientError::BadAnswer);
            };
            match reply.get("id") {
                Some(reply_id) if reply_id.as_u64() == Some(id) => {}
                None if reply.contains_key("error") => {}
                _ => continue,
            }
            return match reply.remove("result") {
                Some(result) if reply.get("status") == Some(&json!("success")) => Ok(result),
                _ => Err(refused(&reply)),
            };
        }
        Err(ClientError::BadAnswer)
    }
}

fn refused(reply: &Map<String, Value>) -> ClientError {
    let text = |name: &str| reply.get(name).and_then(Value::as_str);
    let Some(token) = text("error") else {
        return ClientError::BadAnswer;
    };
    let message = text("error_message")
        .or_else(|| text("error_exception"))
        .unwrap_or(token)
        .to_owned();
    let code = reply.get("error_code").and_then(Value::as_i64);
    ClientError::Refused {
        token: token.to_owned(),
        code,
        message,
    }
}

fn timed_out(patience: Duration) -> ClientError {
    ClientError::TimedOut {
        secs: patience.as_secs(),
    }
}

fn broken(error: WsError) -> ClientError {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => ClientError::Closed,
        other => ClientError::Broken(Box::new(other)),
    }
}
