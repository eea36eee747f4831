//! Asks DNS. The only place of the project that knows a resolver library.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use amendment::KeyName;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ServerOrderingStrategy};
use hickory_resolver::lookup::Lookup as Found;
use hickory_resolver::net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver as Hickory, TokioResolver};
use tokio::time::Instant;

use crate::answer::{Answer, Published};
use crate::asker::{Asker, Said};
use crate::key_resolver::{KeyResolver, Lookup};
use crate::limits::{UPSTREAM_TRIES_MAX, UPSTREAMS_MAX};
use crate::settings::{Anchors, Dnssec, Settings, SettingsFileError, tls};
use crate::told::{Listener, Told};
use crate::upstream::{NoAddress, Upstream};

/// The port of the system's resolvers.
const PORT: u16 = 53;

/// Asks DNS. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    /// Asked for the keys of mails, in turn.
    askers: Arc<[Asker]>,
    /// All of them together, for everything else.
    hickory: TokioResolver,
    patience: Duration,
    listener: Listener,
}

/// The configuration of the resolver cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// The system names no resolvers.
    #[error("/etc/resolv.conf: {0}")]
    System(Box<NetError>),
    /// A resolver has no address.
    #[error(transparent)]
    NoAddress(#[from] NoAddress),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] SettingsFileError),
    /// Too many resolvers.
    #[error("{0} DNS resolvers are named; at most {UPSTREAMS_MAX} can be asked in turn")]
    Several(usize),
    /// The library does not start.
    #[error(transparent)]
    Library(#[from] Box<NetError>),
}

impl Resolver {
    /// Asks as the settings say, and tells the listener.
    pub fn new(settings: &Settings, listener: Listener) -> Result<Resolver, ResolverError> {
        let patience = settings.patience;
        let upstreams = upstreams(settings)?;
        let tls = tls(settings.authorities.as_deref())?;
        let anchors = Anchors::read(settings.trust_anchors.as_deref())?;
        let share = patience / u32::try_from(upstreams.len()).unwrap_or(u32::MAX);
        let asker = |(upstream, servers): &(Upstream, Vec<NameServerConfig>)| {
            let check = (settings.dnssec, &anchors);
            let telling = (share, Arc::clone(&listener));
            Asker::new(upstream.clone(), servers.clone(), check, &tls, telling)
        };
        let askers = upstreams.iter().map(asker).collect();
        let servers = upstreams.into_iter().flat_map(|(_, servers)| servers).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut builder =
            Hickory::builder_with_config(config, TokioRuntimeProvider::default()).with_tls_config(tls);
        let options = builder.options_mut();
        // The ledger and the relay keep keys themselves: an answer must be of now, and must not come from a hosts
        // file.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        // All tries end within the patience.
        options.timeout = patience * 2 / 5;
        options.attempts = UPSTREAM_TRIES_MAX - 1;
        Ok(Resolver {
            askers,
            hickory: builder.build().map_err(Box::new)?,
            patience,
            listener,
        })
    }

    /// Asks the resolvers that the system is configured with; each question takes at most `patience`. Signatures of
    /// zones are not checked.
    pub fn system(patience: Duration) -> Result<Resolver, ResolverError> {
        Self::of(Vec::new(), patience)
    }

    /// Asks one resolver; each question takes at most `patience`. Signatures of zones are not checked.
    pub fn at(server: SocketAddr, patience: Duration) -> Result<Resolver, ResolverError> {
        Self::of(vec![server.into()], patience)
    }

    /// Asks these resolvers in turn, or the system's where there are none; each question takes at most `patience`.
    /// Signatures of zones are not checked.
    pub fn of(upstreams: Vec<Upstream>, patience: Duration) -> Result<Resolver, ResolverError> {
        let settings = Settings {
            upstreams,
            dnssec: Dnssec::Off,
            patience,
            ..Settings::default()
        };
        Self::new(&settings, Arc::new(|_| {}))
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

    /// Asks one resolver after the other; each gets its share of the time that is left.
    async fn key_records(&self, name: &KeyName) -> Answer<Published> {
        let Some(wire) = wire_name(name) else {
            return Answer::Failed("DNS cannot hold such a name".to_owned());
        };
        let (resting, ready): (Vec<&Asker>, Vec<&Asker>) =
            self.askers.iter().partition(|asker| asker.rests());
        let (end, mut left) = (Instant::now() + self.patience, self.askers.len());
        let mut troubles = Vec::new();
        for asker in ready.into_iter().chain(resting) {
            let share =
                end.saturating_duration_since(Instant::now()) / u32::try_from(left).unwrap_or(u32::MAX);
            left -= 1;
            let upstream = asker.upstream();
            match asker.ask(&wire, share).await {
                Ok((said, security)) => {
                    (self.listener)(&Told::Answered {
                        name,
                        upstream,
                        security,
                    });
                    return match said {
                        Said::Records(records, ttl_secs) => Answer::of_records(records, ttl_secs),
                        Said::Absent => Answer::Absent,
                    };
                }
                Err(trouble) => {
                    (self.listener)(&Told::Failed {
                        name,
                        upstream,
                        trouble: &trouble,
                    });
                    troubles.push(format!("{upstream}: {trouble}"));
                }
            }
        }
        Answer::Failed(troubles.join("; "))
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

/// The resolvers with their servers. Each of the system's is one of its own, as each may fail.
fn upstreams(settings: &Settings) -> Result<Vec<(Upstream, Vec<NameServerConfig>)>, ResolverError> {
    let mut listed = settings.upstreams.clone();
    if listed.is_empty() {
        let (config, _) = read_system_conf().map_err(|error| ResolverError::System(Box::new(error)))?;
        listed = config
            .name_servers()
            .iter()
            .map(|server| SocketAddr::new(server.ip, PORT).into())
            .collect();
    }
    if listed.len() > UPSTREAMS_MAX {
        return Err(ResolverError::Several(listed.len()));
    }
    listed
        .into_iter()
        .map(|upstream| Ok((upstream.clone(), upstream.servers()?)))
        .collect()
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
