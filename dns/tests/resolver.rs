//! The look-ups against a DNS responder in this process.

use std::net::SocketAddr;
use std::time::Duration;

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, KeyName};
use dns::{Answer, KeyResolver, NoResolver, Published, Resolver};
use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, NS, NULL, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::proto::serialize::binary::BinEncodable;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const PATIENCE: Duration = Duration::from_secs(4);
const TTL_SECS: u32 = 60;
// RFC 8463 A.2.
const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// What the responder says to any question.
#[derive(Clone)]
enum Says {
    Code(ResponseCode),
    Records(Vec<RData>),
    /// An alias, and the records at its end.
    Alias(Vec<RData>),
    /// An alias alone; whoever asks for its end gets the records.
    AliasAlone(Vec<RData>),
    /// A whole branch that stands elsewhere (RFC 6672), with the alias that a server makes of it.
    Branch(Vec<RData>),
    /// Too much for UDP: the records by TCP alone (RFC 7766 section 5).
    Truncated(Vec<RData>),
    /// Only the name of another server to ask.
    Referral,
    Nothing,
}

/// A port that is free for UDP and TCP.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a free port");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("bound")).await {
            return (udp, tcp);
        }
    }
}

/// Answers by TCP: each message has its length before it (RFC 1035 section 4.2.2).
async fn serve_tcp(listener: TcpListener, says: Says) {
    while let Ok((mut stream, _)) = listener.accept().await {
        while let Ok(length) = stream.read_u16().await {
            let mut query = vec![0; usize::from(length)];
            stream.read_exact(&mut query).await.expect("a query");
            let query = Message::from_vec(&query).expect("a query");
            let says = match says.clone() {
                Says::Truncated(records) => Says::Records(records),
                says => says,
            };
            let reply = answer(&query, &says)
                .expect("an answer")
                .to_vec()
                .expect("encodes");
            stream
                .write_u16(reply.len().try_into().expect("short"))
                .await
                .expect("sent");
            stream.write_all(&reply).await.expect("sent");
        }
    }
}

async fn responder(says: Says) -> SocketAddr {
    let (socket, listener) = sockets().await;
    let address = socket.local_addr().expect("bound");
    tokio::spawn(serve_tcp(listener, says.clone()));
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_vec(&buffer[..length]).expect("a query");
            if let Some(reply) = answer(&query, &says) {
                let reply = reply.to_vec().expect("encodes");
                socket.send_to(&reply, peer).await.expect("sent");
            }
        }
    });
    address
}

fn answer(query: &Message, says: &Says) -> Option<Message> {
    assert_eq!(query.metadata.message_type, MessageType::Query);
    let question = query.queries.first().expect("a question").clone();
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = true;
    reply.metadata.recursion_available = true;
    reply.add_query(question.clone());
    let name = question.name().clone();
    let elsewhere = Name::from_ascii("elsewhere.test.").expect("a name");
    let mut add = |name: &Name, data: RData| {
        reply.add_answer(Record::from_rdata(name.clone(), TTL_SECS, data));
    };
    match says {
        Says::Nothing => return None,
        Says::Code(code) => reply.metadata.response_code = *code,
        Says::Records(records) => records.iter().for_each(|data| add(&name, data.clone())),
        Says::Alias(records) => {
            // The end of the alias is asked for again by a careful resolver: then it has the records and no
            // alias.
            if name != elsewhere {
                add(&name, RData::CNAME(CNAME(elsewhere.clone())));
            }
            records.iter().for_each(|data| add(&elsewhere, data.clone()));
        }
        Says::AliasAlone(records) if name == elsewhere => {
            records.iter().for_each(|data| add(&elsewhere, data.clone()));
        }
        Says::AliasAlone(_) => add(&name, RData::CNAME(CNAME(elsewhere))),
        Says::Branch(records) => {
            // Keys of s1._domainkey.mail.test stand under s1.elsewhere.test.
            let end = Name::from_ascii("s1.elsewhere.test.").expect("a name");
            if name != end {
                let branch = Name::from_ascii("_domainkey.mail.test.").expect("a name");
                add(&branch, dname(&elsewhere));
                add(&name, RData::CNAME(CNAME(end.clone())));
            }
            records.iter().for_each(|data| add(&end, data.clone()));
        }
        Says::Truncated(_) => reply.metadata.truncation = true,
        Says::Referral => {
            let data = RData::NS(NS(elsewhere));
            reply.add_authority(Record::from_rdata(name.base_name(), TTL_SECS, data));
        }
    }
    Some(reply)
}

/// A DNAME record, of type 39: its data is a name (RFC 6672 section 2.1).
fn dname(target: &Name) -> RData {
    RData::Unknown {
        code: RecordType::Unknown(39),
        rdata: NULL::with(target.to_bytes().expect("encodes")),
    }
}

fn txt(strings: &[&str]) -> RData {
    RData::TXT(TXT::from_bytes(
        strings.iter().map(|text| text.as_bytes()).collect(),
    ))
}

async fn resolver(says: Says) -> Resolver {
    Resolver::at(responder(says).await, PATIENCE).expect("a resolver")
}

fn name() -> KeyName {
    KeyName::parse("s1._domainkey.mail.test").expect("a name")
}

async fn ask(says: Says) -> Answer<Published> {
    resolver(says).await.look_up(&name()).await
}

fn is_failed<T>(answer: &Answer<T>) -> bool {
    matches!(answer, Answer::Failed(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_one_record_and_joins_its_strings() {
    let (first, second) = RECORD.split_at(20);
    let answer = ask(Says::Records(vec![txt(&[first, second])])).await;
    let Answer::Found(published) = &answer else {
        panic!("{answer:?}");
    };
    let found = published.record.as_ref().expect("a key");
    assert_eq!(found.text(), RECORD.as_bytes());
    assert_eq!(published.ttl_secs, TTL_SECS);
    assert!(matches!(answer.key(), KeyAnswer::Usable(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_nxdomain_and_nodata_alone_as_absent() {
    assert_eq!(ask(Says::Code(ResponseCode::NXDomain)).await, Answer::Absent);
    assert_eq!(ask(Says::Records(Vec::new())).await, Answer::Absent);
    // NODATA with records of another type.
    let address = RData::A(A::new(127, 0, 0, 1));
    assert_eq!(ask(Says::Records(vec![address])).await, Answer::Absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_every_other_code_and_a_referral_as_answers() {
    for code in [
        ResponseCode::ServFail,
        ResponseCode::Refused,
        ResponseCode::FormErr,
        ResponseCode::NotImp,
        ResponseCode::NotAuth,
        ResponseCode::YXDomain,
        ResponseCode::Unknown(12),
    ] {
        let resolver = resolver(Says::Code(code)).await;
        assert!(is_failed(&resolver.look_up(&name()).await), "{code}");
        assert!(is_failed(&resolver.texts("mail.test").await), "{code}");
    }
    assert!(is_failed(&ask(Says::Referral).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_silence_within_the_patience() {
    let server = responder(Says::Nothing).await;
    let resolver = Resolver::at(server, Duration::from_millis(200)).expect("a resolver");
    let begun = std::time::Instant::now();
    assert!(is_failed(&resolver.look_up(&name()).await));
    assert!(is_failed(&resolver.addresses("mail.test").await));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let nobody = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = nobody.local_addr().expect("bound");
    drop(nobody);
    let resolver = Resolver::at(address, PATIENCE).expect("a resolver");
    assert!(is_failed(&resolver.look_up(&name()).await));
    assert!(is_failed(&NoResolver.look_up(&name()).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_several_records_and_records_that_make_no_key() {
    for (records, reason) in [
        (vec![txt(&[RECORD]), txt(&[RECORD])], KeyRecordError::Several),
        (
            vec![txt(&["v=spf1 -all"]), txt(&[RECORD])],
            KeyRecordError::Several,
        ),
        (vec![txt(&["v=DKIM1; p="])], KeyRecordError::Revoked),
        (vec![txt(&["v=DKIM1"])], KeyRecordError::NoKey),
    ] {
        let answer = ask(Says::Records(records)).await;
        assert_eq!(answer.key(), KeyAnswer::Unusable(reason));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_an_alias_and_takes_one_that_leads_nowhere_as_absent() {
    let answer = ask(Says::Alias(vec![txt(&[RECORD])])).await;
    assert!(matches!(answer.key(), KeyAnswer::Usable(_)), "{answer:?}");
    assert_eq!(ask(Says::Alias(Vec::new())).await, Answer::Absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_keys_behind_an_alias_alone_and_a_branch_that_stands_elsewhere() {
    for says in [
        Says::AliasAlone(vec![txt(&[RECORD])]),
        Says::Branch(vec![txt(&[RECORD])]),
    ] {
        let answer = ask(says).await;
        assert!(matches!(answer.key(), KeyAnswer::Usable(_)), "{answer:?}");
    }
    assert_eq!(ask(Says::Branch(Vec::new())).await, Answer::Absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_record_that_is_too_long_for_udp() {
    let long = format!("{RECORD}; n={}", "x".repeat(1_500));
    // Strings of 64 bytes, as some zone tools cut them.
    let strings: Vec<&str> = (0..long.len())
        .step_by(64)
        .map(|at| &long[at..(at + 64).min(long.len())])
        .collect();
    let answer = ask(Says::Truncated(vec![txt(&strings)])).await;
    let Answer::Found(published) = &answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        published.record.as_ref().map(|found| found.text()),
        Ok(long.as_bytes())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_mail_servers_texts_addresses_and_names() {
    let host = |text: &str| Name::from_ascii(text).expect("a name");
    let records = vec![
        RData::MX(MX::new(20, host("B.mail.test."))),
        RData::MX(MX::new(10, host("a.mail.test."))),
        txt(&["v=spf1 ", "-all"]),
        RData::A(A::new(192, 0, 2, 1)),
        RData::PTR(PTR(host("Host.mail.test."))),
    ];
    let resolver = resolver(Says::Records(records)).await;
    let found = |texts: &[&str]| Answer::Found(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(
        resolver.mail_servers("mail.test").await,
        Answer::Found(vec![
            (10, "a.mail.test".to_owned()),
            (20, "b.mail.test".to_owned())
        ])
    );
    assert_eq!(resolver.texts("mail.test.").await, found(&["v=spf1 -all"]));
    let ip = "192.0.2.1".parse().expect("an address");
    assert_eq!(resolver.names_of(ip).await, found(&["host.mail.test"]));
    assert!(matches!(resolver.addresses("mail.test").await, Answer::Found(ips) if ips.contains(&ip)));
}
