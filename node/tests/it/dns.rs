//! The look-ups against a DNS responder in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record};
use node::watcher::dns::DnsResolver;
use node::watcher::{DkimName, KeyAnswer, KeyResolver, dkim_name, dns_name};
use rpc::api::MailState;
use tokio::net::UdpSocket;

use crate::world::{World, vector_keys, vector_mail};

/// What the responder says to any question.
#[derive(Clone)]
enum Says {
    Code(ResponseCode),
    Records(Vec<Vec<Vec<u8>>>),
    Vectors,
}

async fn responder(says: Says) -> SocketAddr {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let query = Message::from_vec(&buffer[..length]).expect("a query");
            let reply = answer(&query, &says).to_vec().expect("encodes");
            socket.send_to(&reply, peer).await.expect("sent");
        }
    });
    address
}

fn answer(query: &Message, says: &Says) -> Message {
    assert_eq!(query.metadata.message_type, MessageType::Query);
    let question = query.queries.first().expect("a question").clone();
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = true;
    reply.metadata.recursion_available = true;
    reply.add_query(question.clone());
    let records = match says {
        Says::Code(code) => {
            reply.metadata.response_code = *code;
            Vec::new()
        }
        Says::Records(records) => records.clone(),
        Says::Vectors => {
            let wanted = question.name().to_ascii().to_ascii_lowercase();
            let table = vector_keys();
            let found = table
                .iter()
                .find(|(name, _)| format!("{}.", dns_name(name)) == wanted);
            if found.is_none() {
                reply.metadata.response_code = ResponseCode::NXDomain;
            }
            found
                .map(|(_, record)| record.chunks(255).map(<[u8]>::to_vec).collect())
                .into_iter()
                .collect()
        }
    };
    for strings in records {
        let strings = strings.iter().map(Vec::as_slice).collect();
        let data = RData::TXT(TXT::from_bytes(strings));
        reply.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    }
    reply
}

fn name() -> DkimName {
    dkim_name("mail.test", "s1").expect("a name")
}

async fn ask(says: Says) -> KeyAnswer {
    let resolver = DnsResolver::at(responder(says).await).expect("a resolver");
    resolver.look_up(&name()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_one_record_and_joins_its_strings() {
    let record = vec![vec![b"v=DKIM1; ".to_vec(), b"p=AAAA".to_vec()]];
    assert_eq!(
        ask(Says::Records(record)).await,
        KeyAnswer::Record(b"v=DKIM1; p=AAAA".to_vec())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_nxdomain_and_nodata_alone_as_absent() {
    assert_eq!(ask(Says::Code(ResponseCode::NXDomain)).await, KeyAnswer::Absent);
    assert_eq!(ask(Says::Records(Vec::new())).await, KeyAnswer::Absent);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_servfail_and_refused_as_answers() {
    for code in [
        ResponseCode::ServFail,
        ResponseCode::Refused,
        ResponseCode::FormErr,
        ResponseCode::NotImp,
        ResponseCode::NotAuth,
        ResponseCode::YXDomain,
        ResponseCode::Unknown(12),
    ] {
        assert_eq!(ask(Says::Code(code)).await, KeyAnswer::Failed, "{code}");
    }
    let nobody = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = nobody.local_addr().expect("bound");
    drop(nobody);
    let resolver = DnsResolver::at(address).expect("a resolver");
    assert_eq!(resolver.look_up(&name()).await, KeyAnswer::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_several_records_as_unusable() {
    let one = || vec![b"v=DKIM1; p=AAAA".to_vec()];
    assert_eq!(ask(Says::Records(vec![one(), one()])).await, KeyAnswer::Unusable);
    let long = vec![vec![vec![b'x'; 250]; 4]];
    assert!(matches!(ask(Says::Records(long)).await, KeyAnswer::Record(record) if record.len() == 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_mail_whose_key_comes_from_dns() {
    let resolver = DnsResolver::at(responder(Says::Vectors).await).expect("a resolver");
    let world = World::new(resolver.clone());
    let answer = world.send(vector_mail("c044.eml")).await;
    world.close().await;
    world.close().await;
    assert_eq!(world.state_of(&answer).await, Some(MailState::Validated));
    let _: Arc<dyn KeyResolver> = Arc::new(resolver);
}
