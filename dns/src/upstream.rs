//! A resolver to ask, as an operator writes it.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::Arc;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig};

/// The path of DNS over HTTPS where none is given (RFC 8484, 4.1.1).
const PATH: &str = "/dns-query";
const PORT: u16 = 53;
const TLS_PORT: u16 = 853;
const HTTPS_PORT: u16 = 443;

/// How a resolver is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Transport {
    /// UDP, and TCP where an answer is too long for it.
    UdpAndTcp,
    /// UDP alone: what does not fit is no answer.
    Udp,
    /// TCP alone.
    Tcp,
    /// DNS over TLS (RFC 7858), with a certificate for this name.
    Tls(String),
    /// DNS over HTTPS (RFC 8484), with a certificate for this name, under this path.
    Https(String, String),
}

/// Where a resolver is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// The system is asked for its address, once, when the program starts.
    Name(String),
}

/// A resolver to ask.
///
/// ```
/// for text in ["9.9.9.9", "[2620:fe::fe]:53", "tcp://127.0.0.1:5353", "tls://dns.quad9.net", "https://9.9.9.9/q"] {
///     let upstream: dns::Upstream = text.parse()?;
///     assert_eq!(upstream.to_string(), text);
/// }
/// assert!("ftp://9.9.9.9".parse::<dns::Upstream>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// As it was written.
    text: String,
    transport: Transport,
    host: Host,
    port: u16,
}

/// Why a text names no resolver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' names no DNS resolver: {why}. Write ADDRESS[:PORT], udp://ADDRESS, tcp://ADDRESS, tls://HOST or \
     https://HOST/dns-query; ADDRESS#NAME behind tls:// and https:// gives the name in the certificate"
)]
pub struct UpstreamError {
    text: String,
    why: &'static str,
}

/// Why a resolver has no address.
#[derive(Debug, thiserror::Error)]
#[error(
    "the system finds no address of the DNS resolver {upstream}: {source}. Name it by its address: \
     tls://ADDRESS#{name} or https://ADDRESS/dns-query#{name}"
)]
pub struct NoAddress {
    upstream: String,
    name: String,
    source: std::io::Error,
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        parse(text).map_err(|why| UpstreamError {
            text: text.to_owned(),
            why,
        })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Self {
            text: address.to_string(),
            transport: Transport::UdpAndTcp,
            host: Host::Address(address.ip()),
            port: address.port(),
        }
    }
}

fn parse(text: &str) -> Result<Upstream, &'static str> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (rest, name) = match rest.split_once('#') {
        Some((rest, name)) => (rest, Some(name)),
        None => (rest, None),
    };
    let (place, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = host_and_port(place)?;
    let certified = || match (name, &host) {
        (Some(name), _) if is_host_name(name) || name.parse::<IpAddr>().is_ok() => Ok(name.to_owned()),
        (Some(_), _) => Err("the name behind # is no host name"),
        (None, Host::Name(name)) => Ok(name.clone()),
        (None, Host::Address(address)) => Ok(address.to_string()),
    };
    let (transport, usual_port) = match scheme {
        "" => (Transport::UdpAndTcp, PORT),
        "udp" => (Transport::Udp, PORT),
        "tcp" => (Transport::Tcp, PORT),
        "tls" => (Transport::Tls(certified()?), TLS_PORT),
        "https" if path.is_empty() => (Transport::Https(certified()?, PATH.to_owned()), HTTPS_PORT),
        "https" if path.bytes().all(|byte| byte.is_ascii_graphic()) => {
            (Transport::Https(certified()?, path.to_owned()), HTTPS_PORT)
        }
        "https" => return Err("its path has characters that no URL has"),
        _ => return Err("no such way to ask DNS"),
    };
    let is_plain = matches!(transport, Transport::UdpAndTcp | Transport::Udp | Transport::Tcp);
    if is_plain && (name.is_some() || matches!(host, Host::Name(_))) {
        return Err("without TLS nothing proves a name: an address is needed");
    }
    if !path.is_empty() && !matches!(transport, Transport::Https(..)) {
        return Err("only https:// has a path");
    }
    Ok(Upstream {
        text: text.to_owned(),
        transport,
        host,
        port: port.unwrap_or(usual_port),
    })
}

/// A host with or without a port. An IPv6 address with a port stands in brackets.
fn host_and_port(place: &str) -> Result<(Host, Option<u16>), &'static str> {
    if let Ok(address) = place.parse::<SocketAddr>() {
        return match address.port() {
            0 => Err("0 is no port"),
            port => Ok((Host::Address(address.ip()), Some(port))),
        };
    }
    let bare = place
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(place);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok((Host::Address(address), None));
    }
    let (name, port) = match place.rsplit_once(':') {
        Some((name, port)) => match port.parse::<u16>() {
            Ok(port) if port > 0 => (name, Some(port)),
            _ => return Err("its port is no number from 1 to 65535"),
        },
        None => (place, None),
    };
    match is_host_name(name) {
        true => Ok((Host::Name(name.to_owned()), port)),
        false => Err("its host is neither an address nor a name"),
    }
}

/// Letters, digits and hyphens in labels of 1 to 63 bytes (RFC 1123, 2.1), of which the last is no number.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

impl Upstream {
    /// What the library needs to ask it, at each of its addresses.
    pub(crate) fn servers(&self) -> Result<Vec<NameServerConfig>, NoAddress> {
        let addresses = match &self.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.addresses(name)?,
        };
        let connections = self.connections();
        let server = |address| NameServerConfig::new(address, true, connections.clone());
        Ok(addresses.into_iter().map(server).collect())
    }

    fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NoAddress> {
        let none = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let found = (name, self.port).to_socket_addrs().and_then(|found| {
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            addresses.dedup();
            (!addresses.is_empty()).then_some(addresses).ok_or_else(none)
        });
        found.map_err(|source| NoAddress {
            upstream: self.text.clone(),
            name: name.to_owned(),
            source,
        })
    }

    fn connections(&self) -> Vec<ConnectionConfig> {
        let mut connections = match &self.transport {
            Transport::UdpAndTcp => vec![ConnectionConfig::udp(), ConnectionConfig::tcp()],
            Transport::Udp => vec![ConnectionConfig::udp()],
            Transport::Tcp => vec![ConnectionConfig::tcp()],
            Transport::Tls(name) => vec![ConnectionConfig::tls(Arc::from(name.as_str()))],
            Transport::Https(name, path) => {
                let (name, path) = (Arc::from(name.as_str()), Arc::from(path.as_str()));
                vec![ConnectionConfig::https(name, Some(path))]
            }
        };
        for connection in &mut connections {
            connection.port = self.port;
        }
        connections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(text: &str) -> Upstream {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn tls(name: &str) -> Transport {
        Transport::Tls(name.to_owned())
    }

    fn https(name: &str, path: &str) -> Transport {
        Transport::Https(name.to_owned(), path.to_owned())
    }

    /// Ports: RFC 1035 4.2, RFC 7858 3.1, RFC 8484 8.1.
    #[test]
    fn accepts_each_way_to_ask_with_its_own_port() {
        for (text, transport, port) in [
            ("192.0.2.1", Transport::UdpAndTcp, 53),
            ("192.0.2.1:5353", Transport::UdpAndTcp, 5353),
            ("::1", Transport::UdpAndTcp, 53),
            ("[::1]", Transport::UdpAndTcp, 53),
            ("[::1]:5353", Transport::UdpAndTcp, 5353),
            ("udp://192.0.2.1", Transport::Udp, 53),
            ("tcp://[2001:db8::1]:5353", Transport::Tcp, 5353),
            ("tls://192.0.2.1", tls("192.0.2.1"), 853),
            (
                "tls://192.0.2.1:8853#dns.example.net",
                tls("dns.example.net"),
                8853,
            ),
            ("tls://dns.example.net", tls("dns.example.net"), 853),
            (
                "https://dns.example.net:8443",
                https("dns.example.net", "/dns-query"),
                8443,
            ),
            (
                "https://192.0.2.1/q#dns.example.net",
                https("dns.example.net", "/q"),
                443,
            ),
        ] {
            let upstream = upstream(text);
            assert_eq!((&upstream.transport, upstream.port), (&transport, port), "{text}");
            assert_eq!(upstream.to_string(), text);
            let ports: Vec<u16> = upstream.connections().iter().map(|way| way.port).collect();
            assert!(
                !ports.is_empty() && ports.iter().all(|of_way| *of_way == port),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_what_names_no_resolver() {
        for text in [
            "",
            "dns.example.net",
            "udp://dns.example.net",
            "192.0.2.1:0",
            "192.0.2.1:65536",
            "tls://dns.example.net:0",
            "192.0.2",
            "999.0.2.1",
            "tls://999.0.2.1",
            "quic://192.0.2.1",
            "tls://",
            "tls://-a.example",
            "tls://a b.example",
            "tls://192.0.2.1/path",
            "tls://192.0.2.1#",
            "192.0.2.1#dns.example.net",
            "192.0.2.1/24",
            "https://192.0.2.1/a b",
            "tls://[::1",
        ] {
            let refused = text.parse::<Upstream>().expect_err(text).to_string();
            assert!(refused.contains(&format!("'{text}'")), "{refused}");
        }
    }

    #[test]
    fn a_name_without_an_address_is_told_with_what_to_write() {
        let none = NoAddress {
            upstream: "tls://dns.example.net".to_owned(),
            name: "dns.example.net".to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        };
        let told = none.to_string();
        assert!(told.contains("tls://ADDRESS#dns.example.net"), "{told}");
    }
}
