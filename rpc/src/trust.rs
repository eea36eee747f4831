//! Who is the operator, and who speaks for others. Both are settings: what a header leaves out decides
//! nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ops::Visitor;

use crate::api::{Peer, Role};

/// Whom the server trusts with what.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Programs that connect from here are the operator's, unless they say that they speak for somebody else.
    pub operators: Vec<IpAddr>,
    /// Proxies of the operator's. Whoever comes through one is a guest, whatever it says or leaves out.
    pub proxies: Vec<IpAddr>,
    /// The header in which proxies name their guest, in lower case. The last address of it counts, which the
    /// proxy wrote itself; those before it are what the guest says.
    pub proxy_header: String,
}

impl Default for Trust {
    /// The programs of this machine are the operator's; nothing is a proxy.
    fn default() -> Self {
        Self {
            operators: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            proxies: Vec::new(),
            proxy_header: "x-forwarded-for".to_owned(),
        }
    }
}

/// Headers that browsers and proxies add. A web page in the operator's browser acts for others, and so does a
/// proxy that was not configured as one.
const SPEAKS_FOR_ANOTHER: [&str; 12] = [
    "cdn-loop",
    "cf-connecting-ip",
    "fastly-client-ip",
    "forwarded",
    "origin",
    "referer",
    "sec-fetch-site",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
];

impl Trust {
    /// As whom a connection is counted before it has asked anything.
    #[must_use]
    pub fn at_the_door(&self, address: IpAddr) -> Visitor {
        let address = address.to_canonical();
        if self.proxies.contains(&address) {
            Visitor::Proxy
        } else if self.operators.contains(&address) {
            Visitor::Operator
        } else {
            Visitor::Guest(address)
        }
    }

    /// Who asks, by a request's headers.
    #[must_use]
    pub fn peer(&self, address: IpAddr, headers: &HeaderMap) -> Peer {
        let address = address.to_canonical();
        match self.at_the_door(address) {
            Visitor::Operator if !self.speaks_for_another(headers) => Peer::new(address, Role::Admin),
            // A program at an operator's address could be the operator: to count it as the one whom it names
            // gives it nothing.
            Visitor::Operator | Visitor::Proxy => {
                Peer::new(self.named(headers).unwrap_or(address), Role::Guest)
            }
            Visitor::Guest(address) => Peer::new(address, Role::Guest),
        }
    }

    fn speaks_for_another(&self, headers: &HeaderMap) -> bool {
        headers.keys().any(|name| {
            let name = name.as_str();
            name.starts_with("x-forwarded") || name == self.proxy_header || SPEAKS_FOR_ANOTHER.contains(&name)
        })
    }

    /// The address that a proxy names.
    fn named(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let last = headers.get_all(&self.proxy_header).iter().next_back()?;
        let last = last.to_str().ok()?.rsplit(',').next()?;
        address_of(last)
    }
}

impl Peer {
    /// As whom it is counted.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        match self.role {
            Role::Admin => Visitor::Operator,
            Role::Guest => Visitor::Guest(self.address),
        }
    }
}

/// An address, with or without a port; also in the form of `Forwarded` (RFC 7239), `for="[2001:db8::1]:4711"`.
fn address_of(text: &str) -> Option<IpAddr> {
    let pairs = || text.split(';').filter_map(|pair| pair.trim().split_once('='));
    let named = pairs().find(|(name, _)| name.eq_ignore_ascii_case("for"));
    let text = named.map_or(text, |(_, value)| value).trim().trim_matches('"');
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let address: IpAddr = bare.parse().or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn peer(trust: &Trust, address: &str, lines: &[(&str, &str)]) -> (String, Role) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let peer = trust.peer(ip(address), &headers);
        (peer.address.to_string(), peer.role)
    }

    fn guest(address: &str) -> (String, Role) {
        (address.to_owned(), Role::Guest)
    }

    #[test]
    fn accepts_programs_of_the_operators_addresses_as_the_operator() {
        let trust = Trust::default();
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(
                peer(&trust, address, &[("host", "x")]).1,
                Role::Admin,
                "{address}"
            );
        }
        let other = Trust {
            operators: vec![ip("192.0.2.1")],
            ..Trust::default()
        };
        assert_eq!(peer(&other, "192.0.2.1", &[]).1, Role::Admin);
        assert_eq!(peer(&other, "127.0.0.1", &[]), guest("127.0.0.1"));
        assert_eq!(peer(&other, "::1", &[]), guest("::1"));
    }

    #[test]
    fn rejects_the_role_for_all_others_and_for_those_who_speak_for_another() {
        let trust = Trust::default();
        assert_eq!(peer(&trust, "192.0.2.1", &[]), guest("192.0.2.1"));
        for name in SPEAKS_FOR_ANOTHER
            .iter()
            .chain(&["x-forwarded-host", "x-forwarded-for"])
        {
            assert_eq!(
                peer(&trust, "127.0.0.1", &[(name, "null")]),
                guest("127.0.0.1"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_proxy_never_has_the_role_and_its_guest_is_the_one_that_it_wrote_itself() {
        let trust = Trust {
            proxies: vec![ip("127.0.0.1"), ip("192.0.2.9")],
            ..Trust::default()
        };
        for proxy in ["127.0.0.1", "192.0.2.9"] {
            assert_eq!(peer(&trust, proxy, &[]), guest(proxy), "a header that is missing");
            assert_eq!(
                peer(&trust, proxy, &[("x-forwarded-for", "unknown")]),
                guest(proxy)
            );
            for (lines, named) in [
                (vec![("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
                (
                    vec![("x-forwarded-for", "127.0.0.1, 198.51.100.2")],
                    "198.51.100.2",
                ),
                (
                    vec![
                        ("x-forwarded-for", "127.0.0.1"),
                        ("x-forwarded-for", "198.51.100.3:4711"),
                    ],
                    "198.51.100.3",
                ),
                (vec![("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
                (vec![("x-forwarded-for", "127.0.0.1")], "127.0.0.1"),
            ] {
                assert_eq!(peer(&trust, proxy, &lines), guest(named));
            }
        }
        assert_eq!(
            peer(&trust, "::1", &[]).1,
            Role::Admin,
            "the operator's other address"
        );
        let spoofed = [("x-forwarded-for", "198.51.100.1")];
        assert_eq!(peer(&trust, "203.0.113.1", &spoofed), guest("203.0.113.1"));
    }

    /// The examples of RFC 7239 section 4.
    #[test]
    fn accepts_the_header_of_rfc_7239() {
        let trust = Trust {
            proxies: vec![ip("127.0.0.1")],
            proxy_header: "forwarded".to_owned(),
            ..Trust::default()
        };
        for (value, named) in [
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
            ("for=_hidden", "127.0.0.1"),
        ] {
            assert_eq!(peer(&trust, "127.0.0.1", &[("forwarded", value)]), guest(named));
        }
    }
}
