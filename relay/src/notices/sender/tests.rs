//! The sender against a smarthost that does as it is told.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use amendment::TxtRecords;
use explain::{CheckVerdict, ExplainEnv};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use amendment::EmailId;
use codec::Hash256;

use super::*;
use crate::clock::Clock;
use crate::config::{Answers, Config, Protection};
use crate::limits::{ANSWER_TRIED_SECS, DAY_SECS};
use crate::notices::outgoing::HandedOver;
use crate::notices::outgoing::WayError;
use crate::notices::sign::Signer;
use crate::notices::sign::tests::ed25519;
use crate::notices::tests::{entry, rules};
use crate::notices::{Announce, Announcer};
use crate::queue::{MailId, NoticeKind, NoticeState, Progress, Queue, Request};

pub(crate) const START: u64 = 1_795_000_000;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

/// What the smarthost does at a step, which is the first word of a command, `GREETING`, or `END` of the mail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Say(&'static str),
    Bytes(&'static [u8]),
    Drop,
    Hang,
}

#[derive(Default)]
pub(crate) struct Seen {
    script: Vec<(&'static str, Deed)>,
    pub(crate) commands: Vec<String>,
    mails: Vec<Vec<u8>>,
    connections: usize,
    pub(crate) with_tls: bool,
}

/// A smarthost that takes everything, but for what its script says.
#[derive(Clone)]
pub(crate) struct Host {
    seen: Arc<Mutex<Seen>>,
    mail_came: Arc<Notify>,
    pub(crate) port: u16,
}

impl Host {
    async fn start(tls: Protection) -> Host {
        Host::start_at("127.0.0.1:0", tls, "localhost").await
    }

    /// At an address, with a certificate of `fixtures/tls`.
    pub(crate) async fn start_at(address: &str, tls: Protection, certificate: &str) -> Host {
        let listener = TcpListener::bind(address).await.expect("port");
        let host = Host {
            seen: Arc::default(),
            mail_came: Arc::default(),
            port: listener.local_addr().expect("address").port(),
        };
        let acceptor = acceptor(certificate);
        let shared = host.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (host, acceptor) = (shared.clone(), acceptor.clone());
                host.seen().connections += 1;
                tokio::spawn(async move {
                    let _ = match tls {
                        Protection::None => host.serve(stream).await.map(drop),
                        Protection::Tls => match acceptor.accept(stream).await {
                            Ok(stream) => {
                                host.seen().with_tls = true;
                                host.serve(stream).await.map(drop)
                            }
                            Err(error) => Err(error),
                        },
                        Protection::Starttls => host.serve_starttls(stream, acceptor).await,
                    };
                });
            }
        });
        host
    }

    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("not poisoned")
    }

    pub(crate) fn script(&self, script: &[(&'static str, Deed)]) {
        self.seen().script = script.to_vec();
    }

    pub(crate) fn mails(&self) -> usize {
        self.seen().mails.len()
    }

    async fn serve_starttls(&self, stream: tokio::net::TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
        if let Some(stream) = self.serve(stream).await? {
            let stream = acceptor.accept(stream).await?;
            self.seen().with_tls = true;
            self.dialogue(&mut BufReader::new(stream)).await?;
        }
        Ok(())
    }

    /// The stream, if STARTTLS was said.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<Option<S>> {
        let mut stream = BufReader::new(stream);
        self.act("GREETING", "220 host ready", &mut stream).await?;
        let wants_tls = self.dialogue(&mut stream).await?;
        Ok(wants_tls.then(|| stream.into_inner()))
    }

    async fn dialogue<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
    ) -> io::Result<bool> {
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(false);
            }
            self.seen().commands.push(line.trim_end().to_owned());
            let verb = line.split([' ', '\r']).next().unwrap_or_default().to_owned();
            let reply = match verb.as_str() {
                "EHLO" => "250-host\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS",
                "AUTH" => "235 welcome",
                "DATA" => "354 go on",
                "STARTTLS" | "QUIT" => "220 yes",
                _ => "250 yes",
            };
            let said = self.act(&verb, reply, stream).await?;
            match verb.as_str() {
                "STARTTLS" => return Ok(true),
                "QUIT" => return Ok(false),
                "DATA" if said.starts_with("354") => self.take(stream).await?,
                _ => {}
            }
        }
    }

    async fn take<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufReader<S>) -> io::Result<()> {
        let mut mail = Vec::new();
        while !mail.ends_with(b"\r\n.\r\n") {
            if stream.read_until(b'\n', &mut mail).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        mail.truncate(mail.len() - 3);
        self.seen().mails.push(mail);
        self.mail_came.notify_one();
        self.act("END", "250 taken", stream).await.map(drop)
    }

    async fn act<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        step: &str,
        usual: &'static str,
        stream: &mut BufReader<S>,
    ) -> io::Result<&'static str> {
        let deed = self
            .seen()
            .script
            .iter()
            .find(|(at, _)| *at == step)
            .map(|(_, deed)| *deed);
        let reply = match deed.unwrap_or(Deed::Say(usual)) {
            Deed::Say(reply) => reply,
            Deed::Bytes(reply) => {
                stream.write_all(reply).await?;
                stream.write_all(b"\r\n").await?;
                stream.flush().await?;
                return Ok(usual);
            }
            Deed::Drop => return Err(io::ErrorKind::ConnectionAborted.into()),
            Deed::Hang => std::future::pending().await,
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        stream.flush().await?;
        Ok(reply)
    }
}

pub(crate) fn tls_file(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/../fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR")))
}

pub(crate) fn acceptor(name: &str) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(tls_file(&format!("{name}.pem"))).expect("certificate");
    let key = PrivateKeyDer::from_pem_file(tls_file(&format!("{name}.key"))).expect("key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map(|part| part.expect("PEM")).collect(), key)
        .expect("TLS");
    TlsAcceptor::from(Arc::new(config))
}

/// A sender with its queue, clock and smarthost.
pub(crate) struct Bench {
    pub(crate) queue: Queue,
    now: Arc<AtomicU64>,
    pub(crate) sender: Sender,
    record: String,
    stop: watch::Sender<bool>,
}

pub(crate) fn config(port: u16, protection: Protection) -> Answers {
    Answers {
        host: Some("localhost".to_owned()),
        port: Some(port),
        protection,
        authorities: None,
        user: None,
        password_file: None,
        from: "relay@example.org".to_owned(),
        envelope_from: String::new(),
        dkim_selector: None,
        dkim_key: None,
        per_address_day: 20,
        transaction_link: Some(String::new()),
    }
}

/// A configuration with this section.
pub(crate) fn with_answers(answers: &Answers) -> Config {
    let text =
        "addresses = [\"relay@example.org\"]\nhostname = \"mx.example.org\"\ndata = \"d\"\nnodes = []\n";
    let mut config: Config = toml::from_str(text).expect("a configuration");
    config.answers = Some(answers.clone());
    config
}

fn way(answers: &Answers) -> Result<Way, WayError> {
    Way::new(&with_answers(answers), Arc::new(|| START)).map(|way| way.expect("a way"))
}

fn bench_with(config: &Answers, per_address_day: u32) -> Bench {
    let way = way(config).expect("a way");
    bench_of(config, per_address_day, way.with_patience(PATIENCE, PATIENCE))
}

pub(crate) fn bench_of(config: &Answers, per_address_day: u32, way: Way) -> Bench {
    let (pem, record) = ed25519();
    let (queue, now) = (Queue::in_memory(), Arc::new(AtomicU64::new(START)));
    let clock_now = Arc::clone(&now);
    let clock: Clock = Arc::new(move || clock_now.load(Ordering::Relaxed));
    let desk = Desk {
        queue: queue.clone(),
        clock,
        signer: Some(Signer::from_pem(&pem, "relay@example.org", "sel").expect("key")),
        envelope_from: config.envelope_from.clone(),
        per_address_day,
    };
    Bench {
        sender: Sender::new(desk, way),
        queue,
        now,
        record,
        stop: watch::Sender::new(false),
    }
}

fn bench(host: &Host) -> Bench {
    bench_with(&config(host.port, Protection::None), 20)
}

impl Bench {
    /// A notice in the outbox, as a change of state makes it.
    pub(crate) async fn notice(&self, number: u8) -> MailId {
        self.notice_of(number, NoticeKind::Refused).await
    }

    /// The same of another kind.
    async fn notice_of(&self, number: u8, kind: NoticeKind) -> MailId {
        let mut entry = entry();
        let email_id = EmailId::new(Hash256::new([number; 32]));
        if let Request::Order { email_id: own, .. } = &mut entry.request {
            *own = email_id;
        }
        entry.id = MailId::from(email_id);
        let id = entry.id;
        self.queue.put(entry, Vec::new()).await.expect("kept");
        let now = self.now.load(Ordering::Relaxed);
        let change = move |entry: &mut crate::queue::Entry| {
            let before = entry.clone();
            if kind != NoticeKind::Waiting {
                entry.progress = Progress::Refused(entry.end(now));
            }
            let mut notices =
                Announcer::new(rules()).announce(&before, entry, now.max(entry.received_at + 61));
            for notice in &mut notices {
                (notice.kind, notice.made_at, notice.next_try) = (kind, now, now);
            }
            notices
        };
        self.queue.change(id, Box::new(change)).await.expect("changed");
        id
    }

    pub(crate) fn state(&self, id: MailId) -> (NoticeState, String) {
        let notices = self.queue.notices_about(id);
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].kind, NoticeKind::Refused);
        (notices[0].state, notices[0].word.clone().unwrap_or_default())
    }

    pub(crate) async fn pass(&mut self) -> Pass {
        self.sender.pass(&self.stop.subscribe()).await
    }

    pub(crate) fn later(&self, secs: u64) {
        self.now.fetch_add(secs, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn accepts_an_answer_and_sends_it_once() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench(&host);
    let id = bench.notice(1).await;
    assert_eq!(bench.pass().await, Pass::Worked);
    assert_eq!(bench.state(id).0, NoticeState::Sent);
    assert_eq!(bench.pass().await, Pass::Idle);
    let seen = host.seen();
    assert_eq!(seen.mails.len(), 1);
    let envelope: Vec<&str> = seen.commands.iter().map(String::as_str).take(4).collect();
    assert_eq!(
        envelope,
        [
            "EHLO mx.example.org",
            "MAIL FROM:<>",
            "RCPT TO:<alice@example.com>",
            "DATA"
        ]
    );
    let mut keys = TxtRecords::new();
    keys.insert("sel._domainkey.example.org", bench.record.as_bytes());
    let env = ExplainEnv {
        keys: &keys,
        network_id: 21_337,
        now: codec::CloseTime::from_unix(START).expect("time"),
    };
    let explanation = explain::explain(&seen.mails[0], &env);
    let signature = explanation
        .checks
        .iter()
        .filter(|check| check.rule == amendment::Rule::R4_5);
    assert!(signature.clone().count() > 0);
    assert!(signature.clone().all(|check| check.verdict == CheckVerdict::Pass));
}

#[tokio::test]
async fn answers_share_a_few_connections() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench(&host);
    for number in 0..20 {
        bench.notice(number).await;
    }
    assert_eq!(bench.pass().await, Pass::Worked);
    assert_eq!(host.mails(), 20);
    assert!(host.seen().connections <= SMARTHOST_CONNECTIONS_MAX);
}

#[tokio::test]
async fn an_answer_that_is_put_off_is_sent_later() {
    for step in ["MAIL", "RCPT", "DATA", "END"] {
        let host = Host::start(Protection::None).await;
        let mut bench = bench(&host);
        let id = bench.notice(1).await;
        host.script(&[(step, Deed::Say("451 4.7.1 later"))]);
        assert_eq!(bench.pass().await, Pass::Worked);
        let (state, word) = bench.state(id);
        assert_eq!(state, NoticeState::Waiting, "{step}");
        assert!(word.contains("later"), "{word}");
        assert_eq!(bench.pass().await, Pass::Idle, "not before its time");
        host.script(&[]);
        bench.later(60);
        assert_eq!(bench.pass().await, Pass::Worked);
        assert_eq!(bench.state(id).0, NoticeState::Sent, "{step}");
    }
}

#[tokio::test]
async fn an_answer_that_is_refused_is_withheld() {
    for step in ["RCPT", "DATA", "END"] {
        let host = Host::start(Protection::None).await;
        let mut bench = bench(&host);
        let id = bench.notice(1).await;
        host.script(&[(step, Deed::Say("550 5.1.1 never"))]);
        assert_eq!(bench.pass().await, Pass::Worked);
        assert_eq!(bench.state(id).0, NoticeState::Withheld, "{step}");
        assert_eq!(bench.pass().await, Pass::Idle);
    }
}

/// A smarthost without a taste for the empty envelope sender: nothing is lost, and a setting mends it.
#[tokio::test]
async fn a_refused_envelope_sender_costs_no_answer() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench(&host);
    let id = bench.notice(1).await;
    host.script(&[("MAIL", Deed::Say("550 5.7.1 null sender not allowed"))]);
    assert_eq!(bench.pass().await, Pass::Worked);
    let (state, word) = bench.state(id);
    assert_eq!(state, NoticeState::Waiting);
    assert!(word.contains("envelope sender") && word.contains("550"), "{word}");
    let mut config = config(host.port, Protection::None);
    config.envelope_from = "bounces@example.org".to_owned();
    let mut other = bench_with(&config, 20);
    host.script(&[]);
    other.notice(1).await;
    other.pass().await;
    let commands = host.seen().commands.clone();
    assert!(
        commands.contains(&"MAIL FROM:<bounces@example.org>".to_owned()),
        "{commands:?}"
    );
}

/// Replies in Latin-1 and GBK, as real servers give them.
#[tokio::test]
async fn accepts_replies_in_any_bytes() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench(&host);
    let id = bench.notice(1).await;
    host.script(&[
        (
            "GREETING",
            Deed::Bytes(b"220-mx \xbb\xb6\xd3\xad\r\n220 bienvenue \xe0 vous"),
        ),
        ("END", Deed::Bytes(b"250 2.0.0 re\xe7u")),
    ]);
    assert_eq!(bench.pass().await, Pass::Worked);
    assert_eq!((bench.state(id).0, host.mails()), (NoticeState::Sent, 1));
}

/// Several answers over one connection, of which the first is refused.
#[tokio::test]
async fn one_that_is_refused_does_not_stop_the_next() {
    let host = Host::start(Protection::None).await;
    let bench = bench(&host);
    host.script(&[("RCPT", Deed::Say("550 5.1.1 never"))]);
    let Exit::Smarthost(smarthost) = &bench.sender.exit else {
        panic!("a smarthost");
    };
    let mut connection = smarthost.connect().await.expect("connected");
    let to = "alice@example.com";
    let refused = connection.hand_over("", to, b"a: b\r\n\r\n").await;
    assert!(matches!(refused, HandedOver::Never(_)), "{refused:?}");
    host.script(&[]);
    assert!(connection.is_usable());
    let taken = connection.hand_over("", to, b"a: b\r\n\r\n").await;
    assert_eq!(taken, HandedOver::Taken);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_mail_costs_nothing() {
    for step in ["MAIL", "RCPT", "DATA"] {
        let host = Host::start(Protection::None).await;
        let mut bench = bench(&host);
        let id = bench.notice(1).await;
        host.script(&[(step, Deed::Drop)]);
        assert_eq!(bench.pass().await, Pass::Worked);
        assert_eq!(bench.state(id).0, NoticeState::Waiting, "{step}");
        host.script(&[]);
        bench.later(60);
        bench.pass().await;
        assert_eq!(
            (bench.state(id).0, host.mails()),
            (NoticeState::Sent, 1),
            "{step}"
        );
    }
}

#[tokio::test]
async fn rejects_a_second_hand_over_where_the_first_is_unknown() {
    for deed in [Deed::Drop, Deed::Hang, Deed::Say("rubbish")] {
        let host = Host::start(Protection::None).await;
        let config = config(host.port, Protection::None);
        let way = way(&config).expect("a way").with_patience(PATIENCE, SHORT);
        let mut bench = bench_of(&config, 20, way);
        let id = bench.notice(1).await;
        host.script(&[("END", deed)]);
        assert_eq!(bench.pass().await, Pass::Worked);
        let (state, word) = bench.state(id);
        assert_eq!(state, NoticeState::Withheld, "{deed:?}");
        assert!(word.contains("unknown"), "{word}");
        // The host may still be about to note the mail that it got.
        while host.mails() == 0 {
            tokio::task::yield_now().await;
        }
        host.script(&[]);
        bench.later(100_000);
        assert_eq!((bench.pass().await, host.mails()), (Pass::Idle, 1));
    }
}

#[tokio::test]
async fn a_smarthost_that_is_down_leaves_the_outbox_as_it_is() {
    let ways = [
        ("GREETING", Deed::Drop),
        ("GREETING", Deed::Say("421 full")),
        ("GREETING", Deed::Say("554 go away")),
        ("EHLO", Deed::Say("550 who")),
        ("EHLO", Deed::Drop),
    ];
    for (step, deed) in ways {
        let host = Host::start(Protection::None).await;
        let mut bench = bench(&host);
        let id = bench.notice(1).await;
        let before = bench.queue.notices_about(id);
        host.script(&[(step, deed)]);
        assert_eq!(bench.pass().await, Pass::Down, "{step} {deed:?}");
        assert_eq!(bench.queue.notices_about(id), before);
        host.script(&[]);
        assert_eq!(bench.pass().await, Pass::Worked);
        assert_eq!(bench.state(id).0, NoticeState::Sent);
    }
}

#[tokio::test]
async fn a_smarthost_that_says_nothing_is_down() {
    let host = Host::start(Protection::None).await;
    let config = config(host.port, Protection::None);
    let way = way(&config).expect("a way").with_patience(SHORT, SHORT);
    let mut bench = bench_of(&config, 20, way);
    let id = bench.notice(1).await;
    host.script(&[("GREETING", Deed::Hang)]);
    assert_eq!(bench.pass().await, Pass::Down);
    host.script(&[("RCPT", Deed::Hang)]);
    assert_eq!(bench.pass().await, Pass::Worked);
    assert_eq!(bench.state(id).0, NoticeState::Waiting);
}

#[tokio::test]
async fn after_two_days_without_a_smarthost_an_answer_is_withheld() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("port");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let mut bench = bench_with(&config(port, Protection::None), 20);
    let id = bench.notice(1).await;
    bench.later(ANSWER_TRIED_SECS);
    assert_eq!(bench.pass().await, Pass::Down);
    assert_eq!(bench.state(id).0, NoticeState::Waiting);
    bench.later(1);
    assert_eq!(bench.pass().await, Pass::Worked);
    assert_eq!(bench.state(id).0, NoticeState::Withheld);
}

#[tokio::test]
async fn an_address_gets_no_more_answers_than_the_cap_in_a_day() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench_with(&config(host.port, Protection::None), 3);
    for number in 0..5 {
        bench.notice(number).await;
    }
    bench.pass().await;
    assert_eq!(host.mails(), 3);
    bench.later(DAY_SECS - 1);
    let id = bench.notice(5).await;
    bench.pass().await;
    let (state, word) = bench.state(id);
    assert_eq!((state, host.mails()), (NoticeState::Withheld, 3));
    assert!(word.contains("daily maximum of answers"), "{word}");
    bench.later(2);
    bench.notice(6).await;
    bench.pass().await;
    assert_eq!(host.mails(), 4);
}

/// Those that came first are sent, whether the smarthost was there or not; and questions leave room for
/// payments.
#[tokio::test]
async fn the_cap_leaves_out_the_newest_and_more_of_the_questions() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench_with(&config(host.port, Protection::None), 4);
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(bench.notice_of(number, NoticeKind::Balance).await);
        bench.later(1);
    }
    for number in 4..7 {
        ids.push(bench.notice(number).await);
        bench.later(1);
    }
    bench.pass().await;
    let states = ids.iter().map(|id| bench.queue.notices_about(*id)[0].state);
    let sent: Vec<bool> = states.map(|state| state == NoticeState::Sent).collect();
    assert_eq!(sent, [true, true, false, false, true, true, false]);
}

/// A reader of "it waits" below "it is paid" sends it again.
#[tokio::test]
async fn rejects_to_say_that_a_mail_waits_when_its_end_is_known() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench_with(&config(host.port, Protection::None), 20);
    let id = bench.notice_of(1, NoticeKind::Waiting).await;
    let change = |entry: &mut crate::queue::Entry| {
        let before = entry.clone();
        entry.progress = Progress::Expired(entry.end(START));
        Announcer::new(rules()).announce(&before, entry, START)
    };
    bench.queue.change(id, Box::new(change)).await.expect("changed");
    bench.pass().await;
    let mut states = Vec::new();
    for notice in bench.queue.notices_about(id) {
        states.push((notice.kind, notice.state));
    }
    assert_eq!(
        states,
        [
            (NoticeKind::Waiting, NoticeState::Withheld),
            (NoticeKind::Expired, NoticeState::Sent)
        ]
    );
    assert_eq!(host.mails(), 1);
}

/// The process ends after the hand-over and before the smarthost's reply is on disk.
#[tokio::test]
async fn rejects_a_second_hand_over_after_a_crash() {
    let host = Host::start(Protection::None).await;
    let mut bench = bench(&host);
    let id = bench.notice(1).await;
    host.script(&[("END", Deed::Hang)]);
    tokio::select! {
        _ = bench.pass() => panic!("the smarthost hangs"),
        () = host.mail_came.notified() => {}
    }
    assert_eq!(bench.state(id).0, NoticeState::Sending);
    host.script(&[]);
    bench.later(100_000);
    assert_eq!((bench.pass().await, host.mails()), (Pass::Idle, 1));
}

#[tokio::test]
async fn tls_and_log_in_as_configured() {
    let folder = tempfile::tempdir().expect("folder");
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, "secret\nurl: smtp.example.org\n").expect("written");
    for protection in [Protection::Tls, Protection::Starttls] {
        let host = Host::start(protection).await;
        let mut config = config(host.port, protection);
        config.authorities = Some(tls_file("authority.pem"));
        config.user = Some("relay".to_owned());
        config.password_file = Some(password_file.clone());
        let mut bench = bench_with(&config, 20);
        let id = bench.notice(1).await;
        assert_eq!(bench.pass().await, Pass::Worked);
        assert_eq!(bench.state(id).0, NoticeState::Sent);
        let seen = host.seen();
        assert!(seen.with_tls);
        // RFC 4616: base64 of NUL relay NUL secret.
        assert!(
            seen.commands
                .iter()
                .any(|line| line == "AUTH PLAIN AHJlbGF5AHNlY3JldA==")
        );
    }
}

#[tokio::test]
async fn rejects_a_smarthost_without_the_tls_that_is_configured() {
    let stranger = Host::start(Protection::Tls).await;
    let mut bench = bench_with(&config(stranger.port, Protection::Tls), 20);
    bench.notice(1).await;
    assert_eq!(
        bench.pass().await,
        Pass::Down,
        "a certificate of an unknown authority"
    );
    let plain = Host::start(Protection::None).await;
    plain.script(&[("EHLO", Deed::Say("250 host"))]);
    let mut bench = bench_with(&config(plain.port, Protection::Starttls), 20);
    bench.notice(1).await;
    assert_eq!(bench.pass().await, Pass::Down, "no STARTTLS offered");
    assert_eq!((stranger.mails(), plain.mails()), (0, 0));
}

#[tokio::test]
async fn runs_until_it_is_stopped() {
    let host = Host::start(Protection::None).await;
    let bench = bench(&host);
    let Bench {
        queue,
        now,
        sender,
        record,
        stop,
    } = bench;
    let running = tokio::spawn(sender.run(stop.subscribe()));
    // The same queue, with a sender that stays idle.
    let mut other = bench_with(&config(host.port, Protection::None), 20);
    (other.queue, other.now, other.record) = (queue, now, record);
    let id = other.notice(1).await;
    host.mail_came.notified().await;
    stop.send_replace(true);
    running.await.expect("ended");
    assert_eq!(other.state(id).0, NoticeState::Sent);
}

#[test]
fn rejects_a_configuration_whose_files_are_missing() {
    let mut bad = config(25, Protection::Tls);
    bad.authorities = Some(PathBuf::from("/nonexistent/authorities.pem"));
    let error = way(&bad).err().expect("no file").to_string();
    assert!(
        error.contains("cannot read /nonexistent/authorities.pem"),
        "{error}"
    );
    let mut bad = config(25, Protection::None);
    (bad.user, bad.password_file) = (Some("u".to_owned()), Some(PathBuf::from("/nonexistent/password")));
    let error = way(&bad).err().expect("no file").to_string();
    assert!(
        error.starts_with("answers.password_file: ") && error.contains("/nonexistent/password"),
        "{error}"
    );
}
