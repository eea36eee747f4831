//! Who comes through a door, and as whom he is counted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// The operator's own programs.
    Operator,
    /// A proxy that the operator named, as long as it has not said for whom it comes.
    Proxy,
    /// Anybody else.
    Guest(IpAddr),
}

/// Bounds of what visitors share: places, requests at work, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In all.
    pub total: usize,
    /// Of these, kept free of guests and proxies.
    pub for_operator: usize,
    /// For one guest: an IPv4 address, or the /64 network of an IPv6 address.
    pub per_peer: usize,
    /// For the guests of one network: an IPv4 /24 or an IPv6 /48, what one provider gives to one customer.
    pub per_network: usize,
}

/// Which bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// That in all.
    #[error("total")]
    Total,
    /// That of the guest.
    #[error("peer")]
    Peer,
    /// That of the guest's network.
    #[error("network")]
    Network,
}

/// What one guest controls for certain: an IPv4 address, or the /64 network of an IPv6 address.
#[must_use]
pub fn peer_of(address: IpAddr) -> IpAddr {
    masked(address, 32, 64)
}

/// What one guest may well control: an IPv4 /24, or an IPv6 /48.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    masked(address, 24, 48)
}

/// This machine's own addresses are told apart as they are.
fn masked(address: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    match address.to_canonical() {
        own if own.is_loopback() => own,
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(
            address.to_bits() & (u32::MAX << (32 - v4_bits)),
        )),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & (u128::MAX << (128 - v6_bits)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// RFC 5737 and RFC 3849 addresses; the prefixes by hand.
    #[test]
    fn peers_and_networks_are_what_one_guest_controls() {
        for (address, peer, network) in [
            ("192.0.2.77", "192.0.2.77", "192.0.2.0"),
            ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
            ("127.0.0.9", "127.0.0.9", "127.0.0.9"),
            ("::1", "::1", "::1"),
        ] {
            assert_eq!(
                (peer_of(ip(address)), network_of(ip(address))),
                (ip(peer), ip(network))
            );
        }
    }
}
