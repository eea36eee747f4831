//! Look-ups for `relay check`: what is published, as the world sees it.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError, runtime::TokioRuntimeProvider};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};

use crate::config::rules::DnsServer;
use crate::limits::CHECK_SECS_MAX;

/// What DNS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// These records; one at least.
    Found(Vec<T>),
    /// There are none.
    Absent,
    /// No answer; says nothing about the name.
    Failed(String),
}

/// Asks DNS; nothing is cached.
pub struct Names {
    resolver: TokioResolver,
}

impl Names {
    /// Asks that server; `None` where look-ups are off.
    pub fn of(server: DnsServer) -> Result<Option<Names>, Box<NetError>> {
        let mut builder = match server {
            DnsServer::Off => return Ok(None),
            DnsServer::System => Resolver::builder_tokio()?,
            DnsServer::At(address) => {
                let mut config = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut config.connections {
                    connection.port = address.port();
                }
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
                Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        fresh_answers(builder.options_mut());
        let resolver = builder.build()?;
        Ok(Some(Names { resolver }))
    }

    /// Names of the mail servers of a domain, the preferred first.
    pub async fn mail_servers(&self, domain: &str) -> Answer<String> {
        let mut found = answer(
            self.resolver.mx_lookup(absolute(domain)).await,
            |data| match data {
                RData::MX(mx) => Some((mx.preference, plain(&mx.exchange.to_ascii()))),
                _ => None,
            },
        );
        if let Answer::Found(servers) = &mut found {
            servers.sort();
        }
        match found {
            Answer::Found(servers) => Answer::Found(servers.into_iter().map(|(_, name)| name).collect()),
            Answer::Absent => Answer::Absent,
            Answer::Failed(why) => Answer::Failed(why),
        }
    }

    /// TXT records of a name, the strings of each joined.
    pub async fn texts(&self, name: &str) -> Answer<String> {
        answer(
            self.resolver.txt_lookup(absolute(name)).await,
            |data| match data {
                RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
                _ => None,
            },
        )
    }

    /// Addresses of a machine.
    pub async fn addresses(&self, host: &str) -> Answer<IpAddr> {
        let v4 = answer(
            self.resolver.ipv4_lookup(absolute(host)).await,
            |data| match data {
                RData::A(a) => Some(IpAddr::V4(a.0)),
                _ => None,
            },
        );
        let v6 = answer(
            self.resolver.ipv6_lookup(absolute(host)).await,
            |data| match data {
                RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
                _ => None,
            },
        );
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
    pub async fn names_of(&self, ip: IpAddr) -> Answer<String> {
        answer(self.resolver.reverse_lookup(ip).await, |data| match data {
            RData::PTR(name) => Some(plain(&name.0.to_ascii())),
            _ => None,
        })
    }
}

fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn answer<T>(lookup: Result<Lookup, NetError>, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
    match lookup {
        Ok(lookup) => {
            let found: Vec<T> = lookup
                .answers()
                .iter()
                .filter_map(|record| read(&record.data))
                .collect();
            if found.is_empty() {
                Answer::Absent
            } else {
                Answer::Found(found)
            }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none)))
            if matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) =>
        {
            Answer::Absent
        }
        Err(error) => Answer::Failed(error.to_string()),
    }
}

fn fresh_answers(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = Duration::from_secs(CHECK_SECS_MAX / 2);
    options.attempts = 1;
}
