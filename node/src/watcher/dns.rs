//! Asking DNS for a key record. The only place of the project that speaks DNS.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{Resolver, TokioResolver};

use ledger::dkim::DkimName;

use crate::limits::{LOOKUP_SECS_MAX, RECORD_BYTES_MAX};

/// What DNS says about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAnswer {
    /// One TXT record, its strings joined.
    Record(Vec<u8>),
    /// NXDOMAIN or NODATA.
    Absent,
    /// There are records, but they cannot be a key: several (spec 4.5), or one over its bound.
    Unusable,
    /// No answer: SERVFAIL, a timeout, no route. Says nothing about the name.
    Failed,
}

/// A look-up under way.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = KeyAnswer> + Send + 'a>>;

/// Where key records come from.
pub trait KeyResolver: Send + Sync {
    /// Look one name up. The answer is fresh: nothing is cached.
    fn look_up<'a>(&'a self, name: &'a DkimName) -> Lookup<'a>;
}

/// Knows nothing: every look-up fails.
#[derive(Debug, Clone, Copy)]
pub struct NoResolver;

impl KeyResolver for NoResolver {
    fn look_up<'a>(&'a self, _name: &'a DkimName) -> Lookup<'a> {
        Box::pin(std::future::ready(KeyAnswer::Failed))
    }
}

/// Asks DNS.
#[derive(Clone)]
pub struct DnsResolver {
    resolver: TokioResolver,
}

impl DnsResolver {
    /// Ask the resolvers that the system is configured with.
    pub fn system() -> Result<Self, Box<NetError>> {
        let mut builder = Resolver::builder_tokio()?;
        fresh_answers(builder.options_mut());
        Ok(Self {
            resolver: builder.build()?,
        })
    }

    /// Ask one resolver.
    pub fn at(server: SocketAddr) -> Result<Self, Box<NetError>> {
        let mut config = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut config.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
        let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        fresh_answers(builder.options_mut());
        Ok(Self {
            resolver: builder.build()?,
        })
    }

    async fn ask(&self, name: &DkimName) -> KeyAnswer {
        let Some(name) = wire_name(name) else {
            return KeyAnswer::Failed;
        };
        let lookup = match self.resolver.txt_lookup(name).await {
            Ok(lookup) => lookup,
            Err(error) => return no_lookup(&error),
        };
        let mut records = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        });
        match (records.next(), records.next()) {
            // Only a code that nobody knows comes here without records, or an alias that leads nowhere.
            (None, _) if lookup.message().metadata.response_code == ResponseCode::NoError => {
                KeyAnswer::Absent
            }
            (None, _) => KeyAnswer::Failed,
            (Some(record), None) if record.len() <= RECORD_BYTES_MAX => KeyAnswer::Record(record),
            (Some(_), _) => KeyAnswer::Unusable,
        }
    }
}

impl KeyResolver for DnsResolver {
    fn look_up<'a>(&'a self, name: &'a DkimName) -> Lookup<'a> {
        let patience = Duration::from_secs(LOOKUP_SECS_MAX);
        Box::pin(async move {
            tokio::time::timeout(patience, self.ask(name))
                .await
                .unwrap_or(KeyAnswer::Failed)
        })
    }
}

/// What an answer without records says. Only NXDOMAIN and NODATA (NOERROR without answers) speak of the name; SERVFAIL,
/// REFUSED and all others are trouble of the resolver.
///
/// Spec: 7.2
fn no_lookup(error: &NetError) -> KeyAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if none.response_code == ResponseCode::NXDomain
                || (none.response_code == ResponseCode::NoError && !is_referral(none)) =>
        {
            KeyAnswer::Absent
        }
        _ => KeyAnswer::Failed,
    }
}

/// Whether a resolver only named others to ask (RFC 2308, 2.2): that is no word about the name.
fn is_referral(none: &NoRecords) -> bool {
    none.ns.is_some() && none.soa.is_none()
}

/// The ledger is the cache: an answer must be of now, and must not come from a hosts file.
fn fresh_answers(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = Duration::from_millis(LOOKUP_SECS_MAX * 1_000 * 2 / 5);
    options.attempts = 2;
}

/// The name in wire form, label by label, absolute: no search list, no escapes (spec 4.4).
fn wire_name(name: &DkimName) -> Option<Name> {
    let dot = '.';
    let infix = std::iter::once("_domainkey");
    let labels = name
        .selector()
        .split(dot)
        .chain(infix)
        .chain(name.domain().split(dot));
    let mut wire = Name::from_labels(labels.map(str::as_bytes)).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}
