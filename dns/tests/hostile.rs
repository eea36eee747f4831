//! What a broken or hostile resolver can answer, byte by byte (RFC 1035, 4). Only NXDOMAIN and NODATA about the name
//! say that there is no key; all else that is no key record is no word, and every question ends in time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, KeyName};
use dns::{Answer, KeyResolver, Published, Resolver, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const PATIENCE: Duration = Duration::from_millis(1_500);
/// No question may take longer; far more than the patience, so that a slow machine fails nothing.
const HANGS: Duration = Duration::from_secs(60);
// RFC 8463 A.2.
const RECORD: &[u8] = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const NAME: &str = "s1._domainkey.mail.test";

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const TXT: u16 = 16;

/// One way a message leaves the responder.
#[derive(Clone)]
enum Act {
    Send(Vec<u8>),
    /// From another port than the one that was asked.
    SendFromElsewhere(Vec<u8>),
    /// One byte after the other, each after a while.
    Trickle(Vec<u8>),
}

/// How a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Udp,
    Tcp,
}

type Says = Arc<dyn Fn(&[u8], Over) -> Vec<Act> + Send + Sync>;

async fn udp(socket: UdpSocket, says: Says) {
    let elsewhere = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a port");
    let mut buffer = [0; 1_500];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        for act in says(&buffer[..length], Over::Udp) {
            // Who asked may have gone.
            let _ = match act {
                Act::Send(bytes) | Act::Trickle(bytes) => socket.send_to(&bytes, peer).await,
                Act::SendFromElsewhere(bytes) => elsewhere.send_to(&bytes, peer).await,
            };
        }
    }
}

async fn tcp(mut stream: TcpStream, says: Says) -> std::io::Result<()> {
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        for act in says(&query, Over::Tcp) {
            match act {
                Act::Send(bytes) | Act::SendFromElsewhere(bytes) => {
                    stream
                        .write_u16(u16::try_from(bytes.len()).expect("short"))
                        .await?;
                    stream.write_all(&bytes).await?;
                }
                Act::Trickle(bytes) => {
                    stream
                        .write_u16(u16::try_from(bytes.len()).expect("short"))
                        .await?;
                    for byte in bytes {
                        stream.write_u8(byte).await?;
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        }
    }
}

/// A responder; by TCP too where `has_tcp`.
async fn start(says: Says, has_tcp: Listens) -> SocketAddr {
    loop {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = socket.local_addr().expect("bound");
        let Ok(listener) = TcpListener::bind(address).await else {
            continue;
        };
        tokio::spawn(udp(socket, Arc::clone(&says)));
        if has_tcp == Listens::UdpAndTcp {
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(tcp(stream, Arc::clone(&says)));
                }
            });
        }
        return address;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listens {
    UdpAlone,
    UdpAndTcp,
}

/// A message in the making.
#[derive(Clone)]
struct Draft {
    id: [u8; 2],
    flags: u16,
    question: Vec<u8>,
    sections: [Vec<Vec<u8>>; 3],
}

const ANSWER: usize = 0;
const AUTHORITY: usize = 1;
const ADDITIONAL: usize = 2;

/// QR, RD, RA.
const ANSWERED: u16 = 0x8180;
const TRUNCATED: u16 = 0x0200;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;

impl Draft {
    /// An answer without records to the question of a query.
    fn to(query: &[u8]) -> Draft {
        let mut end = 12;
        while query[end] != 0 {
            end += usize::from(query[end]) + 1;
        }
        Draft {
            id: [query[0], query[1]],
            flags: ANSWERED,
            question: query[12..end + 5].to_vec(),
            sections: Default::default(),
        }
    }

    fn flags(mut self, flags: u16) -> Draft {
        self.flags |= flags;
        self
    }

    fn with(mut self, section: usize, record: Vec<u8>) -> Draft {
        self.sections[section].push(record);
        self
    }

    fn about(mut self, name: &[u8]) -> Draft {
        let kind = self.question.split_off(self.question.len() - 4);
        self.question = [name, &kind].concat();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.id.to_vec();
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend(1_u16.to_be_bytes());
        for section in &self.sections {
            bytes.extend(u16::try_from(section.len()).expect("few").to_be_bytes());
        }
        bytes.extend(&self.question);
        bytes.extend(self.sections.concat().concat());
        bytes
    }

    fn send(self) -> Vec<Act> {
        vec![Act::Send(self.bytes())]
    }
}

/// A name in wire form, of labels between dots.
fn name(text: &str) -> Vec<u8> {
    labels(&text.split('.').map(str::as_bytes).collect::<Vec<_>>())
}

fn labels(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.push(u8::try_from(label.len()).expect("short"));
        bytes.extend(*label);
    }
    bytes.push(0);
    bytes
}

fn record_of(owner: &[u8], kind: u16, class: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = owner.to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend(class.to_be_bytes());
    bytes.extend(60_u32.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
    bytes.extend(data);
    bytes
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    record_of(&name(owner), kind, 1, data)
}

fn strings(text: &[u8]) -> Vec<u8> {
    let string = |part: &[u8]| [&[u8::try_from(part.len()).expect("short")], part].concat();
    text.chunks(255).flat_map(string).collect()
}

fn key(owner: &str) -> Vec<u8> {
    record(owner, TXT, &strings(RECORD))
}

fn alias(owner: &str, end: &str) -> Vec<u8> {
    record(owner, CNAME, &name(end))
}

fn soa(owner: &str) -> Vec<u8> {
    let numbers = [1_u32, 3_600, 600, 86_400, 60].map(u32::to_be_bytes).concat();
    let data = [name("ns.test"), name("admin.test"), numbers].concat();
    record(owner, SOA, &data)
}

/// The answer through a resolver of this kind, reached so.
async fn ask_at(
    prefix: &str,
    listens: Listens,
    says: impl Fn(&[u8], Over) -> Vec<Act> + Send + Sync + 'static,
) -> Answer<Published> {
    let address = start(Arc::new(says), listens).await;
    let settings = Settings {
        upstreams: vec![format!("{prefix}{address}").parse().expect("a resolver")],
        patience: PATIENCE,
        ..Settings::default()
    };
    let resolver = Resolver::new(&settings, Arc::new(|_| {})).expect("a resolver");
    let name = KeyName::parse(NAME).expect("a name");
    tokio::time::timeout(HANGS, resolver.look_up(&name))
        .await
        .expect("every question ends")
}

async fn ask(says: impl Fn(Draft, Over) -> Vec<Act> + Send + Sync + 'static) -> Answer<Published> {
    ask_at("", Listens::UdpAndTcp, move |query, over| {
        says(Draft::to(query), over)
    })
    .await
}

fn is_key(answer: &Answer<Published>) -> bool {
    matches!(answer, Answer::Found(found) if found.record.as_ref().is_ok_and(|key| key.text() == RECORD))
}

fn is_failed(answer: &Answer<Published>) -> bool {
    matches!(answer, Answer::Failed(_))
}

macro_rules! assert_ask {
    ($is:expr, $says:expr) => {{
        let answer = ask($says).await;
        assert!($is(&answer), "{answer:?}");
    }};
}

fn is_absent(answer: &Answer<Published>) -> bool {
    *answer == Answer::Absent
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_record_beside_whatever_else_the_message_holds() {
    assert_ask!(is_key, |draft, _| draft.with(ANSWER, key(NAME)).send());
    // Names in DNS have no case (RFC 4343).
    assert_ask!(is_key, |draft, _| draft
        .with(ANSWER, key("S1._DomainKey.MAIL.test"))
        .send());
    // Records of other names, which nobody asked for.
    assert_ask!(is_key, |draft, _| {
        draft
            .with(ANSWER, key(NAME))
            .with(ANSWER, key("s2._domainkey.mail.test"))
            .with(AUTHORITY, key(NAME))
            .with(ADDITIONAL, key(NAME))
            .with(ADDITIONAL, record("mail.test", A, &[127, 0, 0, 1]))
            .send()
    });
    // An alias of another name leads nowhere.
    assert_ask!(is_key, |draft, _| {
        let evil = "s1._domainkey.evil.test";
        draft
            .with(ANSWER, alias("www.mail.test", evil))
            .with(ANSWER, key(NAME))
            .send()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_other_sections_and_of_other_names_are_none_of_the_name() {
    let poisoned = |section| {
        move |draft: Draft, _| {
            draft
                .with(section, key(NAME))
                .with(AUTHORITY, soa("mail.test"))
                .send()
        }
    };
    assert_ask!(is_absent, poisoned(AUTHORITY));
    assert_ask!(is_absent, poisoned(ADDITIONAL));
    assert_ask!(is_absent, |draft, _| draft
        .with(ANSWER, key("s2._domainkey.mail.test"))
        .send());
    // A NUL in a label, and a dot in one, make other names (RFC 2181, 11).
    for owner in [
        labels(&[b"s1\0", b"_domainkey", b"mail", b"test"]),
        labels(&[b"s1._domainkey", b"mail", b"test"]),
        labels(&[b"s1", b"_domainkey", b"mail.test"]),
    ] {
        assert_ask!(is_absent, move |draft, _| {
            draft
                .with(ANSWER, record_of(&owner, TXT, 1, &strings(RECORD)))
                .send()
        });
    }
}

/// Such names are not asked for at all. Spec: 4.4
#[test]
fn rejects_names_that_dns_spells_otherwise() {
    let long = "s".repeat(64);
    for selector in ["s1\0", "s1\\.x", "s1..x", ".s1", "s1.", "", "s 1", "s1/", &long] {
        assert_eq!(
            KeyName::new(b"mail.test", selector.as_bytes()),
            None,
            "{selector:?}"
        );
    }
    assert!(KeyName::new(b"mail.test", "s".repeat(63).as_bytes()).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_answers_to_other_questions() {
    let other = || name("s2._domainkey.mail.test");
    for code in [0, NXDOMAIN] {
        let says = move |draft: Draft, _| draft.about(&other()).flags(code).with(ANSWER, key(NAME)).send();
        assert_ask!(is_failed, says);
        let says = move |query: &[u8], _| Draft::to(query).about(&other()).flags(code).send();
        let answer = ask_at("tcp://", Listens::UdpAndTcp, says).await;
        assert!(is_failed(&answer), "{answer:?}");
    }
    // No question at all.
    let says = |query: &[u8], _| {
        let mut bytes = Draft::to(query).flags(NXDOMAIN).bytes()[..12].to_vec();
        bytes[5] = 0;
        vec![Act::Send(bytes)]
    };
    for prefix in ["", "tcp://"] {
        let answer = ask_at(prefix, Listens::UdpAndTcp, says).await;
        assert!(is_failed(&answer), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_answers_of_others() {
    let forged = |draft: &Draft| draft.clone().flags(NXDOMAIN);
    // Another id, ten thousand times; then the right one.
    assert_ask!(is_key, move |draft: Draft, _| {
        let mut other = forged(&draft);
        other.id[0] ^= 1;
        let mut acts = vec![Act::Send(other.bytes()); 100];
        acts.extend(draft.with(ANSWER, key(NAME)).send());
        acts
    });
    // Another port.
    assert_ask!(is_key, move |draft: Draft, _| {
        let mut acts = vec![Act::SendFromElsewhere(forged(&draft).bytes())];
        acts.extend(draft.with(ANSWER, key(NAME)).send());
        acts
    });
    assert_ask!(is_failed, move |draft: Draft, _| {
        vec![Act::SendFromElsewhere(forged(&draft).bytes())]
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_loops_and_long_chains_of_aliases() {
    // Within one message.
    assert_ask!(is_failed, |draft, _| {
        draft
            .with(ANSWER, alias(NAME, "a.test"))
            .with(ANSWER, alias("a.test", NAME))
            .send()
    });
    assert_ask!(is_failed, |draft, _| draft.with(ANSWER, alias(NAME, NAME)).send());
    // Over messages, for ever on.
    assert_ask!(is_failed, |draft, _| {
        let length = usize::from(draft.question[0]);
        let next = format!("x{}.test", (length + 1) % 60);
        let own = draft.question[..draft.question.len() - 4].to_vec();
        draft.with(ANSWER, record_of(&own, CNAME, 1, &name(&next))).send()
    });
    // A thousand in one message.
    assert_ask!(is_failed, |draft, over| {
        if over == Over::Udp {
            return draft.flags(TRUNCATED).send();
        }
        let mut draft = draft.with(ANSWER, alias(NAME, "a0.test"));
        for at in 0..1_000 {
            draft = draft.with(
                ANSWER,
                alias(&format!("a{at}.test"), &format!("a{}.test", at + 1)),
            );
        }
        draft.with(ANSWER, key("a1000.test")).send()
    });
    // Two ends.
    assert_ask!(is_failed, |draft, _| {
        draft
            .with(ANSWER, alias(NAME, "a.test"))
            .with(ANSWER, alias(NAME, "b.test"))
            .with(ANSWER, key("a.test"))
            .with(ANSWER, key("b.test"))
            .send()
    });
    // Ten are followed.
    assert_ask!(is_key, |draft, _| {
        let mut draft = draft.with(ANSWER, alias(NAME, "a1.test"));
        for at in 1..10 {
            draft = draft.with(
                ANSWER,
                alias(&format!("a{at}.test"), &format!("a{}.test", at + 1)),
            );
        }
        draft.with(ANSWER, key("a10.test")).send()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_what_is_cut_short_or_never_ends() {
    let cut = |draft: Draft, over| match over {
        Over::Udp => draft.flags(TRUNCATED | NXDOMAIN).send(),
        Over::Tcp => Vec::new(),
    };
    assert_ask!(is_failed, cut);
    // Cut by TCP as well, and no TCP at all.
    assert_ask!(is_failed, |draft, _| draft.flags(TRUNCATED | NXDOMAIN).send());
    let says = |query: &[u8], _| Draft::to(query).flags(TRUNCATED).send();
    let answer = ask_at("", Listens::UdpAlone, says).await;
    assert!(is_failed(&answer), "{answer:?}");
    let answer = ask_at("udp://", Listens::UdpAndTcp, says).await;
    assert!(is_failed(&answer), "{answer:?}");
    // One byte after the other.
    let says = |query: &[u8], _| vec![Act::Trickle(Draft::to(query).flags(NXDOMAIN).bytes())];
    let answer = ask_at("tcp://", Listens::UdpAndTcp, says).await;
    assert!(is_failed(&answer), "{answer:?}");
    assert_ask!(is_failed, |_, _| Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_64_kilobytes_is_too_long() {
    let answer = ask(|draft, over| match over {
        Over::Udp => draft.flags(TRUNCATED).send(),
        Over::Tcp => draft
            .with(ANSWER, record(NAME, TXT, &strings(&[b'x'; 64_900])))
            .send(),
    })
    .await;
    assert_eq!(answer.key(), KeyAnswer::Unusable(KeyRecordError::TooLong));
    // As many records as fit.
    let answer = ask(|draft, over| match over {
        Over::Udp => draft.flags(TRUNCATED).send(),
        Over::Tcp => (0..600)
            .fold(draft, |draft, _| draft.with(ANSWER, key(NAME)))
            .send(),
    })
    .await;
    assert_eq!(answer.key(), KeyAnswer::Unusable(KeyRecordError::Several));
    // One record in 2,000 strings of one byte, and empty ones between them.
    let answer = ask(|draft, over| match over {
        Over::Udp => draft.flags(TRUNCATED).send(),
        Over::Tcp => {
            let data: Vec<u8> = RECORD.iter().flat_map(|byte| [1, *byte, 0]).collect();
            draft.with(ANSWER, record(NAME, TXT, &data)).send()
        }
    })
    .await;
    assert!(is_key(&answer), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_strings_are_records_that_make_no_key() {
    for data in [vec![0], vec![0, 0, 0]] {
        let answer = ask(move |draft, _| draft.with(ANSWER, record(NAME, TXT, &data)).send()).await;
        assert!(matches!(answer.key(), KeyAnswer::Unusable(_)), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_messages_that_are_none() {
    // A string that goes beyond its record; a record that goes beyond the message; a name that points at itself.
    assert_ask!(is_failed, |draft, _| draft
        .with(ANSWER, record(NAME, TXT, &[9, b'x']))
        .send());
    assert_ask!(is_failed, |draft, _| {
        let mut bytes = draft.with(ANSWER, key(NAME)).bytes();
        bytes.truncate(bytes.len() - 10);
        vec![Act::Send(bytes)]
    });
    assert_ask!(is_failed, |draft, _| draft
        .with(ANSWER, record_of(&[0xc0, 41], TXT, 1, &strings(RECORD)))
        .send());
    assert_ask!(is_failed, |draft, _| vec![
        Act::Send(draft.id.to_vec()),
        Act::Send(Vec::new())
    ]);
    // A query, and of another class.
    assert_ask!(is_failed, |draft, _| {
        let mut bytes = draft.with(ANSWER, key(NAME)).bytes();
        bytes[2] &= 0x7f;
        vec![Act::Send(bytes)]
    });
    assert_ask!(is_failed, |draft, _| {
        draft
            .with(ANSWER, record_of(&name(NAME), TXT, 3, &strings(RECORD)))
            .send()
    });
    // A code and records that deny each other.
    assert_ask!(is_failed, |draft, _| draft
        .flags(SERVFAIL)
        .with(ANSWER, key(NAME))
        .send());
    assert_ask!(is_failed, |draft, _| draft
        .flags(NXDOMAIN)
        .with(ANSWER, key(NAME))
        .send());
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_the_next_resolver_where_one_has_no_word() {
    let silent = start(Arc::new(|_, _| Vec::new()), Listens::UdpAndTcp).await;
    let broken = start(
        Arc::new(|query, _| Draft::to(query).flags(SERVFAIL).send()),
        Listens::UdpAndTcp,
    )
    .await;
    let right = start(
        Arc::new(|query, _| Draft::to(query).with(ANSWER, key(NAME)).send()),
        Listens::UdpAndTcp,
    )
    .await;
    let settings = Settings {
        upstreams: vec![silent.into(), broken.into(), right.into()],
        patience: PATIENCE,
        ..Settings::default()
    };
    let resolver = Resolver::new(&settings, Arc::new(|_| {})).expect("a resolver");
    let name = KeyName::parse(NAME).expect("a name");
    for _ in 0..4 {
        let answer = resolver.look_up(&name).await;
        assert!(is_key(&answer), "{answer:?}");
    }
}
