//! How many connections may be open: in all, and from one network.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Too many are open.
    #[error("total")]
    Total,
    /// Too many are open from this network.
    #[error("network")]
    Network,
}

/// IPv4 /24 or IPv6 /48; what one provider gives to one customer, or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 3]),
    V6([u16; 3]),
}

impl Network {
    /// `None` for this machine itself, which is not limited by network.
    fn of(ip: IpAddr) -> Option<Network> {
        let ip = ip.to_canonical();
        if ip.is_loopback() {
            return None;
        }
        Some(match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                Network::V4([a, b, c])
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = Ipv6Addr::segments(&ip);
                Network::V6([a, b, c])
            }
        })
    }
}

/// The count of open connections, for all listeners together.
#[derive(Debug)]
pub struct Gate {
    connections_max: usize,
    per_network_max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    /// Never more entries than connections: one that falls to 0 is removed.
    networks: HashMap<Network, usize>,
}

impl Gate {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(connections_max: usize, per_network_max: usize) -> Arc<Gate> {
        Arc::new(Gate {
            connections_max,
            per_network_max,
            open: Mutex::default(),
        })
    }

    /// Counts a connection for as long as the pass lives. `None`: from this machine.
    pub fn enter(self: &Arc<Self>, ip: Option<IpAddr>) -> Result<Pass, Full> {
        let network = ip.and_then(Network::of);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.connections_max {
            return Err(Full::Total);
        }
        if let Some(network) = network {
            let count = open.networks.get(&network).copied().unwrap_or(0);
            if count >= self.per_network_max {
                return Err(Full::Network);
            }
            open.networks.insert(network, count.saturating_add(1));
        }
        open.total = open.total.saturating_add(1);
        Ok(Pass {
            gate: Arc::clone(self),
            network,
        })
    }

    /// Open connections.
    pub fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

/// One counted connection.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    network: Option<Network>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut open = self.gate.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let Some(network) = self.network else {
            return;
        };
        let left = open
            .networks
            .get(&network)
            .map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.networks.remove(&network);
        } else {
            open.networks.insert(network, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("address"))
    }

    #[test]
    fn accepts_again_after_one_left() {
        let gate = Gate::new(2, 2);
        let first = gate.enter(None).expect("room");
        let _second = gate.enter(ip("192.0.2.1")).expect("room");
        assert_eq!(gate.enter(ip("198.51.100.1")).err(), Some(Full::Total));
        drop(first);
        assert!(gate.enter(ip("198.51.100.1")).is_ok());
        assert_eq!(gate.open(), 1);
    }

    #[test]
    fn rejects_more_than_its_share_from_one_network() {
        let gate = Gate::new(100, 2);
        for [a, b, c, other] in [
            ["192.0.2.1", "192.0.2.200", "::ffff:192.0.2.7", "192.0.3.1"],
            [
                "2001:db8:1::1",
                "2001:db8:1:2::1",
                "2001:db8:1:ffff::",
                "2001:db8:2::1",
            ],
        ] {
            let _open = [gate.enter(ip(a)), gate.enter(ip(b))].map(|pass| pass.expect("room"));
            assert_eq!(gate.enter(ip(c)).err(), Some(Full::Network));
            assert!(gate.enter(ip(other)).is_ok());
        }
        assert!(gate.open.lock().expect("lock").networks.is_empty());
    }

    #[test]
    fn accepts_any_number_from_this_machine_up_to_the_total() {
        let gate = Gate::new(3, 1);
        let open = ["127.0.0.1", "127.0.0.1", "::1"].map(|text| gate.enter(ip(text)).expect("room"));
        assert_eq!(gate.enter(ip("127.0.0.1")).err(), Some(Full::Total));
        drop(open);
    }
}
