//! Look-ups through DNS servers that others wrote: knot with signed zones, unbound as the resolver
//! (tests/dns-servers.sh, which says what stands in the zones). What is expected is what RFC 4033 to 4035 and 5155
//! say of such zones. Where a program is missing a test passes with a notice, except on CI.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, KeyName};
use dns::{Answer, Dnssec, KeyResolver, Published, Resolver, Security, Settings, Told, Upstream};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{CNAME, NS, NULL, SOA, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::BinEncodable as _;
use serde_json::Value;
use tokio::net::UdpSocket;

const PATIENCE: Duration = Duration::from_secs(10);
// RFC 8463 A.2; every name of the zones has it.
const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder")
}

fn can_run() -> bool {
    let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let is_there = |program: &str| {
        folders
            .split(':')
            .any(|folder| Path::new(folder).join(program).exists())
    };
    let missing: Vec<&str> = ["knotd", "kdig", "unbound"]
        .into_iter()
        .filter(|program| !is_there(program))
        .collect();
    if missing.is_empty() {
        return true;
    }
    let why = format!("missing: {missing:?} (tests/tools.sh installs it)");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{why}");
    // Not eprintln, whose words are not shown where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "\nNOTICE: no test against real DNS servers: {why}\n"
    );
    false
}

/// The running script; the servers end with it.
struct Servers {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
    ready: Value,
    folder: PathBuf,
    _kept: tempfile::TempDir,
}

impl Servers {
    fn start() -> Servers {
        let kept = tempfile::tempdir().expect("a folder");
        let folder = kept.path().join("dns");
        let mut child = Command::new(root().join("tests/dns-servers.sh"))
            .arg(&folder)
            .arg(free_ports().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        Servers {
            input: child.stdin.take(),
            child,
            lines,
            ready: serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}")),
            folder,
            _kept: kept,
        }
    }

    fn upstream(&self, what: &str) -> Upstream {
        let text = self.ready[what].as_str().expect("an address");
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn command(&mut self, command: &str) {
        let input = self.input.as_mut().expect("standard input");
        writeln!(input, "{command}").expect("the script reads");
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), "done", "{command}");
    }

    fn settings(&self, upstreams: &[&str], dnssec: Dnssec) -> Settings {
        Settings {
            upstreams: upstreams.iter().map(|what| self.upstream(what)).collect(),
            dnssec,
            trust_anchors: Some(self.folder.join("anchor.key")),
            authorities: Some(root().join("fixtures/tls/authority.pem")),
            patience: PATIENCE,
        }
    }

    fn asking(&self, upstreams: &[&str], dnssec: Dnssec) -> Asking {
        Asking::new(&self.settings(upstreams, dnssec))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The first of four ports that nobody listens on. They lie below those that the system gives away, and no other test
/// of this process gets them.
fn free_ports() -> u16 {
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    let mut next = NEXT.lock().expect("no panic");
    let own = u16::try_from(std::process::id() % 1_000).expect("small");
    let start = next.unwrap_or(20_000 + own * 8);
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = (start..32_000)
        .step_by(4)
        .find(|first| (*first..*first + 4).all(is_free));
    let first = first.expect("four free ports");
    *next = Some(first + 4);
    first
}

/// A resolver, and what it told.
struct Asking {
    resolver: Resolver,
    told: Arc<Mutex<Vec<String>>>,
}

impl Asking {
    fn new(settings: &Settings) -> Asking {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&told);
        let listener = move |told: &Told<'_>| {
            let line = match told {
                Told::Answered {
                    upstream, security, ..
                } => format!("{upstream} {}", security.word()),
                Told::Failed {
                    upstream, trouble, ..
                } => format!("{upstream} {}", trouble.word()),
                Told::Down { upstream, .. } => format!("{upstream} down"),
                Told::Up { upstream } => format!("{upstream} up"),
                Told::Checked { upstream } => format!("{upstream} checked"),
                Told::NotChecked { upstream } => format!("{upstream} not checked"),
            };
            kept.lock().expect("no panic").push(line);
        };
        Asking {
            resolver: Resolver::new(settings, Arc::new(listener)).expect("a resolver"),
            told,
        }
    }

    async fn ask(&self, name: &str) -> (Answer<Published>, Vec<String>) {
        self.told.lock().expect("no panic").clear();
        let name = KeyName::parse(name).expect("a name");
        let answer = self.resolver.look_up(&name).await;
        (answer, self.told.lock().expect("no panic").clone())
    }
}

/// What is expected of an answer.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Key(Security),
    Several(Security),
    Absent(Security),
    Bogus,
    NoWord,
}
use Expected::{Absent, Bogus, Key, NoWord, Several};
use Security::{Insecure, Secure};

fn check(answer: &Answer<Published>, told: &[String], expected: Expected, what: &str) {
    let last = told.last().map(String::as_str).unwrap_or_default();
    let (is_right, word) = match expected {
        Key(security) => {
            let is_key = matches!(answer, Answer::Found(found)
                if found.record.as_ref().is_ok_and(|key| key.text() == RECORD.as_bytes()));
            (is_key, security.word())
        }
        Several(security) => {
            let is_several = answer.key() == KeyAnswer::Unusable(KeyRecordError::Several);
            (is_several, security.word())
        }
        Absent(security) => (*answer == Answer::Absent, security.word()),
        Bogus => (matches!(answer, Answer::Failed(_)), "bogus"),
        NoWord => (matches!(answer, Answer::Failed(_)), "no_word"),
    };
    assert!(is_right, "{what}: {answer:?}, {told:?}, expected {expected:?}");
    assert!(
        last.ends_with(&format!(" {word}")),
        "{what}: {told:?}, expected {expected:?}"
    );
}

/// Zones as tests/dns-servers.sh has them, with what is expected through unbound, and of knot alone: unbound gives no
/// word where it finds a forgery, knot gives the forgery itself.
const NAMES: [(&str, Expected, Expected); 23] = [
    ("s1._domainkey.signed.test", Key(Secure), Key(Secure)),
    ("none._domainkey.signed.test", Absent(Secure), Absent(Secure)),
    ("empty._domainkey.signed.test", Absent(Secure), Absent(Secure)),
    ("two._domainkey.signed.test", Several(Secure), Several(Secure)),
    ("s1._domainkey.mail.nsec3.test", Key(Secure), Key(Secure)),
    ("none._domainkey.mail.nsec3.test", Absent(Secure), Absent(Secure)),
    ("empty._domainkey.mail.nsec3.test", Absent(Secure), Absent(Secure)),
    ("s1._domainkey.mail.unsigned.test", Key(Insecure), Key(Insecure)),
    (
        "none._domainkey.mail.unsigned.test",
        Absent(Insecure),
        Absent(Insecure),
    ),
    (
        "empty._domainkey.mail.unsigned.test",
        Absent(Insecure),
        Absent(Insecure),
    ),
    ("back._domainkey.mail.unsigned.test", Key(Insecure), Key(Insecure)),
    ("s1._domainkey.mail.broken.test", NoWord, Bogus),
    ("none._domainkey.mail.broken.test", NoWord, Bogus),
    ("secure._domainkey.alias.test", Key(Secure), Key(Secure)),
    ("nsec3._domainkey.alias.test", Key(Secure), Key(Secure)),
    ("unsigned._domainkey.alias.test", Key(Insecure), Key(Insecure)),
    ("broken._domainkey.alias.test", NoWord, Bogus),
    ("nowhere._domainkey.alias.test", Absent(Secure), Absent(Secure)),
    ("nodata._domainkey.alias.test", Absent(Secure), Absent(Secure)),
    ("outside._domainkey.alias.test", Absent(Secure), Absent(Secure)),
    ("long._domainkey.alias.test", Key(Secure), Key(Secure)),
    ("loop._domainkey.alias.test", NoWord, NoWord),
    ("s1._domainkey.branch.test", Key(Secure), Key(Secure)),
];

#[tokio::test(flavor = "multi_thread")]
async fn checks_the_signatures_of_zones() {
    if !can_run() {
        return;
    }
    let servers = Servers::start();
    let through_unbound = servers.asking(&["plain"], Dnssec::Log);
    let of_knot = servers.asking(&["knot"], Dnssec::Require);
    for (name, by_unbound, by_knot) in NAMES {
        let (answer, told) = through_unbound.ask(name).await;
        check(&answer, &told, by_unbound, name);
        let (answer, told) = of_knot.ask(name).await;
        check(&answer, &told, by_knot, name);
    }
    // Whoever does not look is not told.
    let unchecked = servers.asking(&["knot"], Dnssec::Off);
    let (answer, told) = unchecked.ask("s1._domainkey.mail.broken.test").await;
    check(&answer, &told, Key(Security::Unchecked), "off");
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_by_udp_tcp_tls_and_https_and_sees_a_key_change() {
    if !can_run() {
        return;
    }
    let mut servers = Servers::start();
    let name = "rotated._domainkey.signed.test";
    let tcp = format!("tcp://{}", servers.upstream("plain"));
    servers.ready["tcp"] = Value::String(tcp);
    let ways: Vec<Asking> = ["plain", "tcp", "tls", "https"]
        .into_iter()
        .map(|way| servers.asking(&[way], Dnssec::Require))
        .collect();
    let of_knot = servers.asking(&["knot"], Dnssec::Require);
    for way in ways.iter().chain([&of_knot]) {
        let (answer, told) = way.ask(name).await;
        check(&answer, &told, Key(Secure), "before");
    }
    servers.command(&format!("set {name} \"v=DKIM1; p=\""));
    // Nothing is kept here: what the server says counts at once.
    let (answer, told) = of_knot.ask(name).await;
    assert_eq!(
        answer.key(),
        KeyAnswer::Unusable(KeyRecordError::Revoked),
        "{told:?}"
    );
    servers.command("flush");
    for way in &ways {
        let (answer, told) = way.ask(name).await;
        assert_eq!(
            answer.key(),
            KeyAnswer::Unusable(KeyRecordError::Revoked),
            "{told:?}"
        );
    }
    servers.command(&format!("remove {name}"));
    servers.command("flush");
    for way in &ways {
        let (answer, told) = way.ask(name).await;
        check(&answer, &told, Absent(Secure), "removed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_certificate_of_others_and_of_another_name() {
    if !can_run() {
        return;
    }
    let servers = Servers::start();
    let name = "s1._domainkey.signed.test";
    for way in ["tls", "https"] {
        let ours = servers.settings(&[way], Dnssec::Log);
        let other_name = format!("{}#dns.example.net", servers.upstream(way));
        for settings in [
            Settings {
                authorities: Some(root().join("fixtures/tls/example-authority.pem")),
                ..ours.clone()
            },
            Settings {
                authorities: None,
                ..ours.clone()
            },
            Settings {
                upstreams: vec![other_name.parse().expect("a resolver")],
                ..ours.clone()
            },
        ] {
            let (answer, told) = Asking::new(&settings).ask(name).await;
            assert!(matches!(answer, Answer::Failed(_)), "{answer:?}, {told:?}");
            assert!(told.iter().all(|line| line.ends_with(" unreachable")), "{told:?}");
        }
        let (answer, told) = Asking::new(&ours).ask(name).await;
        check(&answer, &told, Key(Secure), way);
    }
}

/// Stands between resolver and knot, and changes what comes back.
async fn between(servers: &Servers, change: impl Fn(&mut Message) + Send + 'static) -> Upstream {
    let knot = servers.ready["knot"].as_str().expect("an address").to_owned();
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 4_096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let onward = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a port");
            onward.send_to(&buffer[..length], &knot).await.expect("sent");
            let length = onward.recv(&mut buffer).await.expect("an answer");
            let mut message = Message::from_vec(&buffer[..length]).expect("a message");
            change(&mut message);
            let bytes = message.to_vec().expect("encodes");
            socket.send_to(&bytes, peer).await.expect("sent");
        }
    });
    address.into()
}

fn is_question(message: &Message, name: &str) -> bool {
    let question = message.queries.first().expect("a question");
    question.query_type() == RecordType::TXT && question.name().to_ascii() == format!("{name}.")
}

fn record(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 1, data)
}

/// A signed name of the zones, and one that is proven to be in an unsigned zone.
const SIGNED: &str = "s1._domainkey.signed.test";
const UNSIGNED: &str = "s1._domainkey.mail.unsigned.test";

fn without_signatures(message: &mut Message) {
    for section in [&mut message.answers, &mut message.authorities] {
        section.retain(|record| record.record_type() != RecordType::RRSIG);
    }
}

fn emptied(message: &mut Message, code: ResponseCode) {
    message.answers.clear();
    message.authorities.clear();
    message.metadata.response_code = code;
}

/// What somebody between the resolver and this program can make of an answer.
type Forgery = (&'static str, fn(&mut Message));

const FORGERIES: [Forgery; 8] = [
    ("signatures taken away", without_signatures),
    ("another text", with_another_text),
    ("a denial without proof", |message| {
        emptied(message, ResponseCode::NXDomain);
    }),
    ("no data, without proof", |message| {
        emptied(message, ResponseCode::NoError);
    }),
    ("a denial by a zone that is not signed", denied_by_another_zone),
    ("a referral", referred),
    ("an alias into a zone that is not signed", aliased),
    ("a branch that stands elsewhere", branched),
];

fn with_another_text(message: &mut Message) {
    for record in &mut message.answers {
        if let RData::TXT(text) = &mut record.data {
            *text = TXT::new(vec!["v=DKIM1; p=".to_owned()]);
        }
    }
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn denied_by_another_zone(message: &mut Message) {
    emptied(message, ResponseCode::NXDomain);
    let soa = SOA::new(name("ns.test."), name("admin.test."), 1, 3_600, 600, 86_400, 1);
    message.authorities = vec![record("unsigned.test.", RData::SOA(soa))];
}

fn referred(message: &mut Message) {
    emptied(message, ResponseCode::NoError);
    message.authorities = vec![record("unsigned.test.", RData::NS(NS(name("ns.test."))))];
}

fn aliased(message: &mut Message) {
    emptied(message, ResponseCode::NoError);
    let end = name(&format!("{UNSIGNED}."));
    message.answers = vec![record(&format!("{SIGNED}."), RData::CNAME(CNAME(end)))];
}

fn branched(message: &mut Message) {
    emptied(message, ResponseCode::NoError);
    let top = name("evil.test.").to_bytes().expect("encodes");
    let dname = RData::Unknown {
        code: RecordType::DNAME,
        rdata: NULL::with(top),
    };
    message.answers = vec![
        record("_domainkey.signed.test.", dname),
        record(&format!("{SIGNED}."), RData::CNAME(CNAME(name("s1.evil.test.")))),
    ];
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_what_is_changed_on_the_way() {
    if !can_run() {
        return;
    }
    let servers = Servers::start();
    for (what, forge) in FORGERIES {
        let forging = between(&servers, move |message| {
            if is_question(message, SIGNED) {
                forge(message);
            }
        });
        let settings = Settings {
            upstreams: vec![forging.await],
            ..servers.settings(&[], Dnssec::Log)
        };
        let asking = Asking::new(&settings);
        let (answer, told) = asking.ask(SIGNED).await;
        assert!(
            matches!(answer, Answer::Failed(_)),
            "{what}: {answer:?}, {told:?}"
        );
        let (answer, told) = asking.ask("s1._domainkey.mail.nsec3.test").await;
        check(&answer, &told, Key(Secure), what);
    }
    // That a zone is not signed has to be proven.
    let unproven = between(&servers, |message| {
        let question = message.queries.first().expect("a question");
        if question.query_type() == RecordType::DS {
            message
                .authorities
                .retain(|record| record.record_type() == RecordType::SOA);
        }
    });
    let settings = Settings {
        upstreams: vec![unproven.await],
        ..servers.settings(&[], Dnssec::Log)
    };
    let (answer, told) = Asking::new(&settings).ask(UNSIGNED).await;
    check(&answer, &told, Bogus, "no proof that the zone is not signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resolver_that_passes_no_signatures_is_told_and_refused_where_they_are_required() {
    if !can_run() {
        return;
    }
    let servers = Servers::start();
    let plain = between(&servers, without_signatures).await;
    let settings = |dnssec, upstreams| Settings {
        upstreams,
        ..servers.settings(&[], dnssec)
    };
    let asking = Asking::new(&settings(Dnssec::Log, vec![plain.clone()]));
    let (answer, told) = asking.ask(SIGNED).await;
    check(&answer, &told, Key(Security::Unchecked), "log");
    assert_eq!(told[0], format!("{plain} not checked"));
    let (_, told) = asking.ask(SIGNED).await;
    assert_eq!(told.len(), 1, "told once: {told:?}");
    // The next resolver does better.
    let asking = Asking::new(&settings(
        Dnssec::Require,
        vec![plain.clone(), servers.upstream("plain")],
    ));
    let (answer, told) = asking.ask(SIGNED).await;
    check(&answer, &told, Key(Secure), "require");
    assert!(told.contains(&format!("{plain} no_word")), "{told:?}");
}
