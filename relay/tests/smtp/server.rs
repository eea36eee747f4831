//! Real sockets, certificates and limits.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use relay::config::Limits;
use relay::intake::smtp::connection::{Next, talk};
use relay::intake::smtp::server::{Listener, Server, UnixSocket};
use relay::intake::smtp::session::{Session, Settings, StartTls};
use relay::intake::smtp::tls::TlsFiles;
use relay::mail::{Channel, Peer, TraceId};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::handler::FakeHandler;

/// A server on a port of its own.
struct Running {
    handler: Arc<FakeHandler>,
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    address: std::net::SocketAddr,
}

async fn run(limits: Limits, tls: Option<Arc<TlsFiles>>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    let handler = Arc::new(FakeHandler::default());
    let server = Server::new("mx.example.org", &limits, tls, handler.clone());
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(server.clone().serve(Listener::Smtp(listener), stopped));
    Running {
        handler,
        server,
        stop,
        serving,
        address,
    }
}

impl Running {
    async fn connect(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.address).await.expect("connection");
        Client(BufReader::new(stream))
    }

    fn mails(&self) -> usize {
        self.handler.mails.lock().expect("lock").len()
    }
}

struct Client<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("written");
        self.0.flush().await.expect("written");
    }

    /// The next reply, lines joined; empty at the end of the connection.
    async fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            if self.0.read_line(&mut reply).await.unwrap_or(0) == 0 {
                return reply;
            }
            if reply.as_bytes().get(start + 3) != Some(&b'-') {
                return reply;
            }
        }
    }

    async fn ask(&mut self, text: &str) -> String {
        self.say(text).await;
        self.hear().await
    }

    /// Sends a mail in an open session, and gives the last reply.
    async fn mail(&mut self) -> String {
        self.say("MAIL FROM:<alice@example.com>\r\nRCPT TO:<relay@example.org>\r\nDATA\r\n")
            .await;
        for expected in ["250 2.1.0", "250 2.1.5", "354"] {
            let reply = self.hear().await;
            assert!(reply.starts_with(expected), "{reply}");
        }
        self.ask("Subject: x\r\n\r\nREMIT 10 XAH\r\n.\r\n").await
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn tls_files(name: &str) -> Arc<TlsFiles> {
    let certificate = data(&format!("{name}.cert.pem"));
    Arc::new(TlsFiles::load(&certificate, &data(&format!("{name}.key.pem"))).expect("certificate"))
}

/// STARTTLS, and a handshake that trusts `name` alone.
async fn start_tls(
    mut client: Client<TcpStream>,
    name: &str,
    version: &'static rustls::SupportedProtocolVersion,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    assert!(client.hear().await.starts_with("220 mx.example.org ESMTP"));
    assert!(client.ask("EHLO client\r\n").await.ends_with("250 STARTTLS\r\n"));
    assert!(client.ask("STARTTLS\r\n").await.starts_with("220 "));
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(data(&format!("{name}.cert.pem"))).expect("PEM");
    roots.add(certificate).expect("root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = ServerName::try_from(format!("{name}.example.org")).expect("name");
    let stream = client.0.into_inner();
    let stream = TlsConnector::from(Arc::new(config)).connect(host, stream).await?;
    Ok(Client(BufReader::new(stream)))
}

#[tokio::test]
async fn accepts_mail_inside_tls_1_2_and_1_3() {
    let running = run(Limits::default(), Some(tls_files("old"))).await;
    for (version, name) in [
        (&rustls::version::TLS12, "TLSv1_2"),
        (&rustls::version::TLS13, "TLSv1_3"),
    ] {
        let client = running.connect().await;
        let mut client = start_tls(client, "old", version).await.expect("handshake");
        let hello = client.ask("EHLO client\r\n").await;
        assert!(
            hello.contains("CHUNKING") && !hello.contains("STARTTLS"),
            "{hello}"
        );
        assert!(client.mail().await.starts_with("250 2.0.0 Kept"));
        let kept = running.handler.mails.lock().expect("lock").pop().expect("mail");
        let tls = kept.peer.tls.expect("TLS");
        assert!(tls.starts_with(name), "{tls}");
        assert_eq!(kept.peer.channel, Channel::Smtp);
        assert_eq!(kept.raw, b"Subject: x\r\n\r\nREMIT 10 XAH\r\n");
    }
}

#[tokio::test]
async fn rejects_plaintext_behind_starttls_and_garbage_for_a_handshake() {
    let running = run(Limits::default(), Some(tls_files("old"))).await;
    let mut client = running.connect().await;
    client.hear().await;
    client
        .say("EHLO a\r\nSTARTTLS\r\nMAIL FROM:<a@example.com>\r\n")
        .await;
    client.hear().await;
    assert!(client.hear().await.starts_with("220 "));
    assert_eq!(client.hear().await, "");

    let mut client = running.connect().await;
    client.hear().await;
    client.ask("EHLO a\r\n").await;
    client.ask("STARTTLS\r\n").await;
    client.say(&"GET / HTTP/1.1\r\n".repeat(100)).await;
    let mut rest = Vec::new();
    let _ = client.0.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"2"), "{}", rest.escape_ascii());

    let mut client = running.connect().await;
    client.hear().await;
    client.ask("EHLO a\r\n").await;
    assert!(client.mail().await.starts_with("250 "));
}

#[tokio::test]
async fn accepts_a_new_certificate_without_restart_and_rejects_a_broken_one() {
    let folder = tempfile::tempdir().expect("folder");
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let put = |name: &str| {
        std::fs::copy(data(&format!("{name}.cert.pem")), &certificate).expect("copy");
        std::fs::copy(data(&format!("{name}.key.pem")), &key).expect("copy");
    };
    put("old");
    let files = Arc::new(TlsFiles::load(&certificate, &key).expect("certificate"));
    let running = run(Limits::default(), Some(files.clone())).await;
    let version = &rustls::version::TLS13;
    assert!(start_tls(running.connect().await, "old", version).await.is_ok());

    std::fs::write(&certificate, "-----BEGIN CERTIFICATE-----\nbroken").expect("written");
    files.reload_if_changed();
    assert!(start_tls(running.connect().await, "old", version).await.is_ok());

    // The key alone does not fit the certificate.
    std::fs::copy(data("new.cert.pem"), &certificate).expect("copy");
    files.reload_if_changed();
    assert!(start_tls(running.connect().await, "old", version).await.is_ok());

    std::fs::remove_file(&key).expect("removed");
    files.reload_if_changed();
    assert!(start_tls(running.connect().await, "old", version).await.is_ok());

    put("new");
    files.reload_if_changed();
    assert!(start_tls(running.connect().await, "old", version).await.is_err());
    assert!(start_tls(running.connect().await, "new", version).await.is_ok());
}

#[test]
fn rejects_certificate_files_that_cannot_be_used() {
    let folder = tempfile::tempdir().expect("folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").expect("written");
    let missing = folder.path().join("missing.pem");
    for (certificate, key) in [
        (data("old.cert.pem"), data("new.key.pem")),
        (empty.clone(), data("old.key.pem")),
        (data("old.cert.pem"), empty),
        (missing.clone(), data("old.key.pem")),
        (data("old.cert.pem"), missing),
    ] {
        let error = TlsFiles::load(&certificate, &key)
            .expect_err("refused")
            .to_string();
        assert!(error.contains(".pem: "), "{error}");
    }
}

// The attack: silence costs a client nothing, so it takes all places and keeps them.
#[tokio::test]
async fn silent_clients_shut_nobody_out() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let running = run(limits, None).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        let mut client = running.connect().await;
        assert!(client.hear().await.starts_with("220 "));
        silent.push(client);
    }
    // The operator's mail server has places of its own.
    let lmtp = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = lmtp.local_addr().expect("address");
    let server = Arc::clone(&running.server);
    tokio::spawn(server.serve(Listener::Lmtp(lmtp), running.stop.subscribe()));
    let mut own = Client(BufReader::new(
        TcpStream::connect(address).await.expect("connection"),
    ));
    assert!(own.hear().await.starts_with("220 "));
    // A newcomer is turned away only as long as all others were busy a moment ago.
    let mut newcomer = loop {
        let mut client = running.connect().await;
        let reply = client.hear().await;
        if reply.starts_with("220 ") {
            break client;
        }
        assert_eq!(reply, "421 4.7.0 Too many connections; try again later\r\n");
        assert_eq!(client.hear().await, "");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(running.server.open(), 5);
    newcomer.ask("EHLO a\r\n").await;
    assert!(newcomer.mail().await.starts_with("250 "));
    // The first that came went for it, and was told.
    let told = silent[0].hear().await;
    assert!(told.starts_with("421 4.7.0 All places are taken"), "{told}");
    assert_eq!(silent[0].hear().await, "");
}

#[tokio::test]
async fn rejects_a_line_of_a_megabyte_and_the_client_reads_why() {
    let running = run(Limits::default(), None).await;
    let mut client = running.connect().await;
    client.hear().await;
    client.say(&"x".repeat(1_000_000)).await;
    assert_eq!(client.hear().await, "500 5.5.6 Line too long; closing\r\n");
    assert_eq!(client.hear().await, "");
}

#[tokio::test]
async fn rejects_a_hundred_thousand_recipients() {
    let running = run(Limits::default(), None).await;
    let client = running.connect().await;
    let (read, mut write) = client.0.into_inner().into_split();
    let writing = tokio::spawn(async move {
        let opening = "EHLO a\r\nMAIL FROM:<a@example.com>\r\n";
        let _ = write.write_all(opening.as_bytes()).await;
        for _ in 0..100 {
            let some = "RCPT TO:<relay@example.org>\r\n".repeat(1_000);
            // The server stops reading at some point.
            let _ = write.write_all(some.as_bytes()).await;
        }
    });
    let mut heard = String::new();
    let mut read = BufReader::new(read);
    while !heard.contains("421 ") && read.read_line(&mut heard).await.expect("reply") > 0 {}
    assert_eq!(heard.matches("250 2.1.5").count(), 100);
    assert_eq!(heard.matches("452 4.5.3").count(), 900);
    assert!(heard.ends_with("421 4.5.3 Too many recipients; closing\r\n"));
    writing.await.expect("writer");
    assert_eq!(running.mails(), 0);
}

#[tokio::test]
async fn rejects_a_chunk_larger_than_told_without_losing_step() {
    let running = run(Limits::default(), None).await;
    let mut client = running.connect().await;
    client.hear().await;
    client.ask("EHLO a\r\n").await;
    client
        .say("MAIL FROM:<a@example.com>\r\nRCPT TO:<relay@example.org>\r\nBDAT 3 LAST\r\na\r\nRCPT\r\n")
        .await;
    for expected in ["250 2.1.0", "250 2.1.5", "250 2.0.0 Kept", "501 5.5.4"] {
        let reply = client.hear().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
    assert!(client.mail().await.starts_with("250 "));
}

#[tokio::test]
async fn accepts_a_mail_under_way_when_the_server_stops() {
    let running = run(Limits::default(), None).await;
    let mut idle = running.connect().await;
    idle.hear().await;
    let mut busy = running.connect().await;
    busy.hear().await;
    busy.ask("EHLO a\r\n").await;
    busy.ask("MAIL FROM:<a@example.com>\r\n").await;
    running.stop.send(true).expect("told");
    assert!(idle.hear().await.starts_with("421 4.3.2"));
    assert_eq!(idle.hear().await, "");
    drop(idle);
    assert!(
        busy.ask("RCPT TO:<relay@example.org>\r\n")
            .await
            .starts_with("250 ")
    );
    assert!(busy.ask("DATA\r\n").await.starts_with("354 "));
    assert!(busy.ask("a\r\n.\r\n").await.starts_with("250 "));
    assert!(busy.hear().await.starts_with("421 4.3.2"));
    drop(busy);
    running.serving.await.expect("served");
    assert_eq!(running.handler.mails.lock().expect("lock").len(), 1);
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn accepts_lmtp_on_a_unix_socket_and_replaces_a_stale_one() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("lmtp");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("socket"));
    let listener = UnixSocket::bind(&path).expect("the stale one is replaced");
    let mode = std::fs::metadata(&path).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let error = UnixSocket::bind(&path).expect_err("in use");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);

    let handler = Arc::new(FakeHandler::default());
    let server = Server::new(
        "mx.example.org",
        &Limits::default(),
        Some(tls_files("old")),
        handler.clone(),
    );
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(server.serve(Listener::LmtpUnix(listener), stopped));
    let mut client = Client(BufReader::new(
        UnixStream::connect(&path).await.expect("connection"),
    ));
    assert!(client.hear().await.starts_with("220 mx.example.org LMTP"));
    let hello = client.ask("LHLO client\r\n").await;
    assert!(!hello.contains("STARTTLS"), "{hello}");
    assert!(client.mail().await.starts_with("250 "));
    let channel = handler
        .mails
        .lock()
        .expect("lock")
        .first()
        .map(|incoming| incoming.peer.channel);
    assert_eq!(channel, Some(Channel::Lmtp));
    stop.send(true).expect("told");
    assert!(client.hear().await.starts_with("421 "));
    drop(client);
    serving.await.expect("served");
    assert!(!path.exists());
}

#[test]
fn rejects_a_socket_path_that_is_another_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("lmtp");
    std::fs::write(&path, "mine").expect("written");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let _entered = runtime.as_ref().expect("runtime").enter();
    assert!(UnixSocket::bind(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).expect("file"), "mine");
}

/// A session over a pipe in memory, whose time is the test's.
fn piped(buffer_bytes: usize) -> (tokio::io::DuplexStream, JoinHandle<std::io::Result<Next>>) {
    let (client, mut stream) = tokio::io::duplex(buffer_bytes);
    let serving = tokio::spawn(async move {
        let settings = Settings {
            hostname: Arc::from("mx.example.org"),
            start_tls: StartTls::NotOffered,
            idle: Duration::from_secs(300),
            session: Duration::from_secs(3_600),
            trace: TraceId::fresh,
        };
        let peer = Peer {
            channel: Channel::Smtp,
            ip: None,
            helo: String::new(),
            tls: None,
        };
        let handler = FakeHandler::default();
        let mut session = Session::new(settings, peer, tokio::time::Instant::now().into_std());
        let first = session.greet(&handler);
        let (_stop, mut stopped) = watch::channel(false);
        let bounds = ops::Bounds {
            total: 1,
            for_operator: 0,
            per_peer: 1,
            per_network: 1,
        };
        let door = ops::Door::new(bounds, Duration::from_secs(1));
        let mut visit = door.enter(ops::Visitor::Operator).expect("a place");
        talk(
            &mut stream,
            &mut session,
            first,
            &handler,
            &mut visit,
            &mut stopped,
        )
        .await
    });
    (client, serving)
}

#[tokio::test(start_paused = true)]
async fn rejects_a_client_of_one_byte_a_minute() {
    let (client, serving) = piped(4_096);
    let mut client = Client(BufReader::new(client));
    client.hear().await;
    client.ask("EHLO a\r\n").await;
    client.ask("MAIL FROM:<a@example.com>\r\n").await;
    client.ask("RCPT TO:<relay@example.org>\r\n").await;
    client.ask("DATA\r\n").await;
    for _ in 0..10 {
        let _ = client.0.write_all(b"x").await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert!(client.hear().await.starts_with("421 4.4.2"));
    assert_eq!(client.hear().await, "");
    assert_eq!(serving.await.expect("task").expect("talk"), Next::Nothing);
}

#[tokio::test(start_paused = true)]
async fn rejects_a_client_that_does_not_read() {
    let (mut client, serving) = piped(256);
    client.write_all(&b"HELP\r\n".repeat(20)).await.expect("written");
    let error = serving.await.expect("task").expect_err("dropped");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn rejects_silence_and_a_half_open_connection() {
    let (client, serving) = piped(4_096);
    let mut client = Client(BufReader::new(client));
    client.hear().await;
    assert!(client.hear().await.starts_with("421 4.4.2"));
    // The client never closes its side.
    assert_eq!(serving.await.expect("task").expect("talk"), Next::Nothing);
}
