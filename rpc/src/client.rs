//! A WebSocket client for the same envelope: the command line, the demo and the relay speak through it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tokio_tungstenite::tungstenite::client::{IntoClientRequest, uri_mode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::stream::Mode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::json::text as json_text;
use crate::limits::{ANSWER_BYTES_MAX, CLIENT_SECS_MAX, READ_BYTES, REQUEST_BYTES_MAX, SKIPPED_MESSAGES_MAX};
use crate::methods::Request;
use crate::reply::BadReply;

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// One connection to a server. Requests go one after the other.
pub struct Client {
    socket: WebSocketStream<Box<dyn Stream>>,
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
    #[error("the request has {bytes} bytes, but at most {REQUEST_BYTES_MAX} are accepted")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A member of the answer is missing or malformed.
    #[error("the server's answer is not understood: {0}")]
    BadReply(#[from] BadReply),
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
    /// Connect to `ws://host:port`, or to `wss://host` where a public authority vouches for the host's
    /// certificate.
    pub async fn connect(url: &str) -> Result<Self, ClientError> {
        Self::connect_with_patience(url, Duration::from_secs(CLIENT_SECS_MAX)).await
    }

    /// Connect, and wait at most `patience` for the connection and for each answer.
    pub async fn connect_with_patience(url: &str, patience: Duration) -> Result<Self, ClientError> {
        let roots = || RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::connect_trusting(roots, url, patience).await
    }

    /// Connect, trusting these authorities.
    async fn connect_trusting(
        roots: impl FnOnce() -> RootCertStore,
        url: &str,
        patience: Duration,
    ) -> Result<Self, ClientError> {
        let connected = timeout(patience, open(roots, url))
            .await
            .map_err(|_| timed_out(patience))?;
        let socket = connected.map_err(|error| ClientError::Connect {
            url: url.to_owned(),
            source: Box::new(error),
        })?;
        Ok(Self {
            socket,
            next_id: 1,
            patience,
        })
    }

    /// Sends one request and waits for its reply.
    pub async fn call<R: Request>(&mut self, request: &R) -> Result<R::Reply, ClientError> {
        let result = self.request(R::METHOD, request.params()).await?;
        Ok(R::read(&result)?)
    }

    /// Sends one request and waits for its result as it is.
    pub async fn request(&mut self, method: &str, params: Map<String, Value>) -> Result<Value, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        let mut request = params;
        request.insert("id".to_owned(), json!(id));
        request.insert("command".to_owned(), json!(method));
        let text = json_text(&Value::Object(request));
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

    /// Closes the connection.
    pub async fn close(mut self) {
        // The server may have closed first.
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

async fn open(
    roots: impl FnOnce() -> RootCertStore,
    url: &str,
) -> Result<WebSocketStream<Box<dyn Stream>>, WsError> {
    let request = url.into_client_request()?;
    let uri = request.uri();
    let mode = uri_mode(uri)?;
    let host = uri.host().unwrap_or_default();
    // An IPv6 address stands in brackets there, and nowhere else.
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16().unwrap_or(match mode {
        Mode::Plain => 80,
        Mode::Tls => 443,
    });
    let tcp = TcpStream::connect((host.as_str(), port)).await?;
    tcp.set_nodelay(true)?;
    let stream: Box<dyn Stream> = match mode {
        Mode::Plain => Box::new(tcp),
        Mode::Tls => {
            let provider = Arc::new(crypto::aws_lc_rs::default_provider());
            let tls = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(roots())
                .with_no_client_auth();
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            Box::new(TlsConnector::from(Arc::new(tls)).connect(name, tcp).await?)
        }
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(ANSWER_BYTES_MAX))
        .max_frame_size(Some(ANSWER_BYTES_MAX));
    let (socket, _response) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
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

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_tungstenite::accept_async;

    use super::*;

    fn tls_file(name: &str) -> String {
        format!("{}/../fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    /// A server that knows one answer, behind TLS. Gives its port.
    async fn server() -> u16 {
        let chain = CertificateDer::pem_file_iter(tls_file("localhost.pem")).expect("certificate");
        let key = PrivateKeyDer::from_pem_file(tls_file("localhost.key")).expect("key");
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain.map(|part| part.expect("PEM")).collect(), key)
            .expect("TLS");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("localhost", 0)).await.expect("port");
        let port = listener.local_addr().expect("address").port();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                // A client that does not trust the certificate closes the connection.
                let Ok(tls) = acceptor.accept(tcp).await else {
                    continue;
                };
                let mut socket = accept_async(tls).await.expect("WebSocket");
                while let Some(Ok(Message::Text(_))) = socket.next().await {
                    let answer = json!({ "id": 1, "status": "success", "result": { "pong": true } });
                    let answer = Message::Text(answer.to_string().into());
                    socket.send(answer).await.expect("sent");
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn accepts_wss_where_an_authority_vouches() {
        let url = format!("wss://localhost:{}", server().await);
        let roots = || {
            let mut roots = RootCertStore::empty();
            let authority = CertificateDer::from_pem_file(tls_file("authority.pem")).expect("PEM");
            roots.add(authority).expect("authority");
            roots
        };
        let patience = Duration::from_secs(60);
        let client = Client::connect_trusting(roots, &url, patience).await;
        let answer = client.expect("connects").request("ping", Map::new()).await;
        assert_eq!(answer.expect("answered"), json!({ "pong": true }));
    }

    #[tokio::test]
    async fn rejects_wss_where_no_authority_vouches() {
        let url = format!("wss://localhost:{}", server().await);
        let Err(ClientError::Connect { source, .. }) = Client::connect(&url).await else {
            panic!("a stranger is trusted");
        };
        assert!(source.to_string().contains("UnknownIssuer"), "{source}");
    }
}
