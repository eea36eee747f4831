//! What goes to the library's check of signatures: of each message only what answers its question.
//!
//! The library checks a message as a whole, against the rules for denials too. It takes the right answers of real
//! servers for forged where they carry more than was asked for: the end of an alias, the proof that there is nothing
//! nearer, hints. So an answer goes to it alone, and each alias is asked for by itself.

use std::pin::Pin;

use futures_util::{FutureExt as _, Stream, stream};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer as _};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, Message, Query};
use hickory_resolver::proto::rr::{RData, Record, RecordType};

use crate::limits::DENIAL_RECORDS_MAX;

/// Asks as the other does, and gives only what answers the question.
#[derive(Clone)]
pub(crate) struct Trimmed<H>(pub(crate) H);

impl<H: DnsHandle> DnsHandle for Trimmed<H> {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = H::Runtime;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let question = request.queries.first().cloned();
        let came = self.0.send(request).first_answer();
        let came = came.map(move |came| match question {
            Some(question) => trimmed(&question, came),
            None => came,
        });
        Box::pin(stream::once(came))
    }
}

fn trimmed(question: &Query, came: Result<DnsResponse, NetError>) -> Result<DnsResponse, NetError> {
    match came {
        Ok(response) => {
            let message = answer(question, response.into_message());
            DnsResponse::from_message(message).map_err(NetError::from)
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(mut none))) => {
            none.authorities = none.authorities.map(|all| denial(all.to_vec()).into());
            Err(none.into())
        }
        Err(error) => Err(error),
    }
}

fn answer(question: &Query, mut message: Message) -> Message {
    message.additionals.clear();
    let owner = question.name();
    let answers = |kind| kind == question.query_type() || kind == RecordType::CNAME;
    message.answers.retain(|record| {
        let kind = signature(record).map_or(record.record_type(), |signature| signature.input().type_covered);
        record.name == *owner && answers(kind)
    });
    let is_positive = message.answers.iter().any(|record| answers(record.record_type()));
    if !is_positive {
        message.answers.clear();
        message.authorities = denial(message.authorities);
        return message;
    }
    // A record made of a wildcard needs the proof that there is nothing nearer (RFC 4035, 5.3.4); no other answer does.
    let is_of_wildcard = |record: &Record| {
        signature(record).is_some_and(|signature| signature.input().num_labels < owner.num_labels())
    };
    message.authorities = match message.answers.iter().any(is_of_wildcard) {
        true => denial(message.authorities),
        false => Vec::new(),
    };
    message
}

/// What denies a name or a type, or shows that nobody does.
fn denial(mut authorities: Vec<Record>) -> Vec<Record> {
    authorities.retain(|record| {
        let kind = record.record_type();
        let kinds = [
            RecordType::SOA,
            RecordType::NS,
            RecordType::NSEC,
            RecordType::NSEC3,
            RecordType::RRSIG,
        ];
        kinds.contains(&kind)
    });
    authorities.truncate(DENIAL_RECORDS_MAX);
    authorities
}

fn signature(record: &Record) -> Option<&RRSIG> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
        _ => None,
    }
}
