//! Who asks.

use std::net::{IpAddr, Ipv6Addr};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address that the connection comes from.
    pub address: IpAddr,
    /// What the caller may do.
    pub role: Role,
}

impl Peer {
    /// A program that connects from this machine is the operator's; a web page in the operator's browser is
    /// not.
    #[must_use]
    pub fn new(address: IpAddr, via: Via) -> Self {
        let address = address.to_canonical();
        let role = if address.is_loopback() && via == Via::Direct {
            Role::Admin
        } else {
            Role::Guest
        };
        Self { address, role }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator of this machine.
    Admin,
    /// Anybody.
    Guest,
}

/// Who sent a request, as far as its role depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The program that connects.
    Direct,
    /// A browser page (`Origin`) or a proxy (`Forwarded`, `X-Forwarded-For`) on behalf of another.
    Intermediary,
}

/// What one caller controls: an IPv4 address, or the /64 network of an IPv6 address. Bounds per caller count
/// these.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
