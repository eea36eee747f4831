//! A DNS responder on a loopback port, over UDP: a table of TXT records that can be changed, everything else
//! NXDOMAIN.

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record, RecordType};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Largest query that is read, bytes.
const QUERY_BYTES_MAX: usize = 1_500;
/// Longest string in a TXT record, bytes (RFC 1035 3.3.14).
const TXT_STRING_BYTES_MAX: usize = 255;
/// Time to live of answers by default, seconds.
const TTL_SECS: u32 = 60;

/// What is published: the text of each name, in lower case.
type Table = BTreeMap<String, String>;

/// A running responder; it ends with the value.
pub struct Responder {
    address: SocketAddr,
    table: Arc<RwLock<Table>>,
    task: JoinHandle<()>,
}

impl Responder {
    /// Serves `records` (name without final dot, text) on a free loopback port.
    pub async fn start(records: &[(String, String)]) -> std::io::Result<Self> {
        Self::start_with(records, TTL_SECS).await
    }

    /// The same with another time to live, seconds: 0 where the records will change.
    pub async fn start_with(records: &[(String, String)], ttl_secs: u32) -> std::io::Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
        let address = socket.local_addr()?;
        let table = Arc::new(RwLock::new(table_of(records)));
        let task = tokio::spawn(serve(socket, Arc::clone(&table), ttl_secs));
        Ok(Responder { address, table, task })
    }

    /// Serves these records from now on, and no others.
    pub fn publish(&self, records: &[(String, String)]) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = table_of(records);
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn table_of(records: &[(String, String)]) -> Table {
    let lower = |(name, text): &(String, String)| (name.to_ascii_lowercase(), text.clone());
    records.iter().map(lower).collect()
}

async fn serve(socket: UdpSocket, table: Arc<RwLock<Table>>, ttl_secs: u32) {
    let mut buffer = [0; QUERY_BYTES_MAX];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let reply = {
            let table = table.read().unwrap_or_else(PoisonError::into_inner);
            answer(&buffer[..length], &table, ttl_secs)
        };
        let Some(reply) = reply else {
            continue;
        };
        // A resolver repeats a query whose answer is lost.
        let _ = socket.send_to(&reply, peer).await;
    }
}

/// Answer to one query; `None` for what is no query.
fn answer(query: &[u8], table: &Table, ttl_secs: u32) -> Option<Vec<u8>> {
    let query = Message::from_vec(query)
        .ok()
        .filter(|query| query.metadata.message_type == MessageType::Query)?;
    let question = query.queries.first()?.clone();
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.add_query(question.clone());
    let name = question
        .name()
        .to_ascii()
        .trim_end_matches('.')
        .to_ascii_lowercase();
    match table.get(&name) {
        None => reply.metadata.response_code = ResponseCode::NXDomain,
        Some(text) if question.query_type() == RecordType::TXT => {
            let strings = text.as_bytes().chunks(TXT_STRING_BYTES_MAX).collect();
            let data = RData::TXT(TXT::from_bytes(strings));
            reply.add_answer(Record::from_rdata(question.name().clone(), ttl_secs, data));
        }
        Some(_) => {}
    }
    reply.to_vec().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::{OpCode, Query};
    use hickory_proto::rr::Name;

    fn ask(name: &str) -> Message {
        let mut query = Message::new(7, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(
            Name::from_ascii(name).expect("name"),
            RecordType::TXT,
        ));
        let table = BTreeMap::from([("s._domainkey.mail.example".to_owned(), "v=DKIM1; ".repeat(60))]);
        let reply = answer(&query.to_vec().expect("bytes"), &table, TTL_SECS).expect("reply");
        Message::from_vec(&reply).expect("message")
    }

    #[test]
    fn serves_its_table_and_nothing_else() {
        let reply = ask("S._domainkey.mail.example.");
        assert_eq!(
            (reply.metadata.response_code, reply.answers.len()),
            (ResponseCode::NoError, 1)
        );
        let reply = ask("other.example.");
        assert_eq!(
            (reply.metadata.response_code, reply.answers.len()),
            (ResponseCode::NXDomain, 0)
        );
        assert_eq!(answer(b"junk", &BTreeMap::new(), TTL_SECS), None);
    }
}
