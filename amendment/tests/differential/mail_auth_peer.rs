//! mail-auth in this process, offline and without a clock: keys from a table, `x=` set to none.

use std::borrow::Borrow;
use std::hash::Hash;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, DkimResult, DnsError, Error, MessageAuthenticator, Parameters, ResolverCache, Txt,
};

use crate::corpus::{Keys, Sample};
use crate::table::Peer;

/// mail-auth.
pub(crate) struct MailAuth {
    authenticator: MessageAuthenticator,
}

impl MailAuth {
    /// Opens no socket: every question is answered by the table.
    pub(crate) fn new() -> MailAuth {
        let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default());
        MailAuth {
            authenticator: authenticator.expect("an authenticator"),
        }
    }
}

struct Table<'k>(&'k Keys);

impl ResolverCache<Box<str>, Txt> for Table<'_> {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // As its own look-up does: the first record that parses, else the last error.
        let mut answer = Txt::Error(Error::Dns(DnsError::InvalidRecordType));
        for (known, records) in self.0 {
            let known: Box<str> = format!("{known}.").into();
            if Borrow::<Q>::borrow(&known) != name {
                continue;
            }
            for record in records {
                match DomainKey::parse(record) {
                    Ok(key) => return Some(key.into()),
                    Err(error) => answer = Txt::Error(error),
                }
            }
        }
        Some(answer)
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

impl Peer for MailAuth {
    fn name(&self) -> &'static str {
        "mail-auth"
    }

    fn accepts(&mut self, sample: &Sample) -> bool {
        let Some(mut message) = AuthenticatedMessage::parse(&sample.mail) else {
            return false;
        };
        for header in &mut message.dkim_headers {
            header.header.x = 0;
            header.header.r = false;
            header.header.atps = None;
        }
        let table = Table(&sample.keys);
        let run = self
            .authenticator
            .verify_dkim(Parameters::new(&message).with_txt_cache(&table));
        let Poll::Ready(outputs) = pin!(run).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("mail-auth asked DNS");
        };
        outputs.iter().any(|output| *output.result() == DkimResult::Pass)
    }
}
