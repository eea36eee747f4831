//! Asks DNS. The only place of the project that knows a resolver library.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use amendment::KeyName;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup as Found;
use hickory_resolver::net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record};
use hickory_resolver::{Resolver as Hickory, TokioResolver};

use crate::answer::{Answer, Published};
use crate::key_resolver::{KeyResolver, Lookup};
use crate::limits::TRIES_MAX;

/// Asks DNS. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    hickory: TokioResolver,
    patience: Duration,
}

/// The configuration of the resolver cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ResolverError(#[from] Box<NetError>);

impl Resolver {
    /// Asks the resolvers that the system is configured with; each question takes at most `patience`.
    pub fn system(patience: Duration) -> Result<Resolver, ResolverError> {
        let mut builder = Hickory::builder_tokio().map_err(Box::new)?;
        ask_afresh(builder.options_mut(), patience);
        let hickory = builder.build().map_err(Box::new)?;
        Ok(Resolver { hickory, patience })
    }

    /// Asks one resolver; each question takes at most `patience`.
    pub fn at(server: SocketAddr, patience: Duration) -> Result<Resolver, ResolverError> {
        let mut config = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut config.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
        let mut builder = Hickory::builder_with_config(config, TokioRuntimeProvider::default());
        ask_afresh(builder.options_mut(), patience);
        let hickory = builder.build().map_err(Box::new)?;
        Ok(Resolver { hickory, patience })
    }

    /// The same resolver for mail-auth, which asks by itself.
    #[must_use]
    pub fn for_mail_auth(&self) -> TokioResolver {
        self.hickory.clone()
    }

    /// Mail servers of a domain, each with its preference, the least and so the preferred first. A name that
    /// is empty is the root: the domain takes no mail (RFC 7505).
    pub async fn mail_servers(&self, domain: &str) -> Answer<Vec<(u16, String)>> {
        let read = |record: &Record| match &record.data {
            RData::MX(mx) => Some((mx.preference, plain(&mx.exchange))),
            _ => None,
        };
        let found = self.ask(self.hickory.mx_lookup(absolute(domain)), read).await;
        found.map(|mut servers| {
            servers.sort();
            servers
        })
    }

    /// TXT records of a name, the strings of each joined.
    pub async fn texts(&self, name: &str) -> Answer<Vec<String>> {
        let read = |record: &Record| match &record.data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        self.ask(self.hickory.txt_lookup(absolute(name)), read).await
    }

    /// Addresses of a machine, of both families.
    pub async fn addresses(&self, host: &str) -> Answer<Vec<IpAddr>> {
        let read = |record: &Record| match &record.data {
            RData::A(a) => Some(IpAddr::V4(a.0)),
            RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
            _ => None,
        };
        let v4 = self.ask(self.hickory.ipv4_lookup(absolute(host)), read).await;
        let v6 = self.ask(self.hickory.ipv6_lookup(absolute(host)), read).await;
        match (v4, v6) {
            (Answer::Found(mut v4), Answer::Found(v6)) => {
                v4.extend(v6);
                Answer::Found(v4)
            }
            (Answer::Found(ips), _) | (_, Answer::Found(ips)) => Answer::Found(ips),
            (Answer::Failed(why), _) | (_, Answer::Failed(why)) => Answer::Failed(why),
            (Answer::Absent, Answer::Absent) => Answer::Absent,
        }
    }

    /// Names of an address.
    pub async fn names_of(&self, ip: IpAddr) -> Answer<Vec<String>> {
        let read = |record: &Record| match &record.data {
            RData::PTR(name) => Some(plain(&name.0)),
            _ => None,
        };
        self.ask(self.hickory.reverse_lookup(ip), read).await
    }

    async fn key_records(&self, name: &KeyName) -> Answer<Published> {
        let Some(name) = wire_name(name) else {
            return Answer::Failed("DNS cannot hold such a name".to_owned());
        };
        let read = |record: &Record| match &record.data {
            RData::TXT(txt) => Some((record.ttl, txt.txt_data.concat())),
            _ => None,
        };
        match self.ask(self.hickory.txt_lookup(name), read).await {
            Answer::Found(found) => {
                let (ttls, records): (Vec<u32>, Vec<Vec<u8>>) = found.into_iter().unzip();
                Answer::of_records(records, ttls.into_iter().min().unwrap_or_default())
            }
            Answer::Absent => Answer::Absent,
            Answer::Failed(why) => Answer::Failed(why),
        }
    }

    /// One question, within the patience.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<Found, NetError>>,
        read: impl Fn(&Record) -> Option<T>,
    ) -> Answer<Vec<T>> {
        match tokio::time::timeout(self.patience, question).await {
            Ok(Ok(found)) => records(&found, read),
            Ok(Err(error)) => no_records(&error),
            Err(_) => Answer::Failed(format!("no answer within {} s", self.patience.as_secs())),
        }
    }
}

impl KeyResolver for Resolver {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        Box::pin(self.key_records(name))
    }
}

/// The records that were asked for, behind whatever aliases.
fn records<T>(found: &Found, read: impl Fn(&Record) -> Option<T>) -> Answer<Vec<T>> {
    let records: Vec<T> = found.answers().iter().filter_map(read).collect();
    let code = found.message().metadata.response_code;
    match (records.is_empty(), code) {
        (false, _) => Answer::Found(records),
        // An alias that leads nowhere.
        (true, ResponseCode::NoError) => Answer::Absent,
        (true, code) => Answer::Failed(format!("the resolver answers {code}")),
    }
}

/// What an answer without records says. Only NXDOMAIN and NODATA (NOERROR without answers) speak of the name;
/// SERVFAIL, REFUSED and all others are trouble of the resolver.
///
/// Spec: 7.2
fn no_records<T>(error: &NetError) -> Answer<T> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if none.response_code == ResponseCode::NXDomain
                || (none.response_code == ResponseCode::NoError && !is_referral(none)) =>
        {
            Answer::Absent
        }
        other => Answer::Failed(other.to_string()),
    }
}

/// Whether a resolver only named others to ask (RFC 2308, 2.2): that is no word about the name.
fn is_referral(none: &NoRecords) -> bool {
    none.ns.is_some() && none.soa.is_none()
}

/// The ledger and the relay keep keys themselves: an answer must be of now, and must not come from a hosts
/// file.
fn ask_afresh(options: &mut ResolverOpts, patience: Duration) {
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    // Both tries end within the patience.
    options.timeout = patience * 2 / 5;
    options.attempts = usize::try_from(TRIES_MAX).unwrap_or(1);
}

/// The name in wire form, label by label, absolute: no search list, no escapes. Spec: 4.4
fn wire_name(name: &KeyName) -> Option<Name> {
    let labels = name
        .selector()
        .split('.')
        .chain(["_domainkey"])
        .chain(name.domain().split('.'));
    let mut wire = Name::from_labels(labels.map(str::as_bytes)).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}

fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn plain(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}
