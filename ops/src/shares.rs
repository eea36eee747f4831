//! What visitors share beside places: requests at work, bytes that wait. A pure count.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::visitor::{Bounds, Full, Visitor, network_of, peer_of};

/// How much of something is taken, and by whom. Never more entries than there are takers: a count that falls
/// to 0 is removed.
#[derive(Debug)]
pub struct Shares {
    bounds: Bounds,
    operator: usize,
    others: usize,
    by_peer: BTreeMap<IpAddr, usize>,
    by_network: BTreeMap<IpAddr, usize>,
}

impl Shares {
    /// Nothing is taken yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            operator: 0,
            others: 0,
            by_peer: BTreeMap::new(),
            by_network: BTreeMap::new(),
        }
    }

    /// Takes an amount for a visitor, the whole of it or nothing.
    pub fn take(&mut self, visitor: Visitor, amount: usize) -> Result<(), Full> {
        let is_over = |taken: usize, bound: usize| taken.saturating_add(amount) > bound;
        let Bounds {
            total,
            for_operator,
            per_peer,
            per_network,
        } = self.bounds;
        let taken = self.operator.saturating_add(self.others);
        let for_others = total.saturating_sub(for_operator);
        match visitor {
            _ if is_over(taken, total) => return Err(Full::Total),
            Visitor::Operator => {
                self.operator += amount;
                return Ok(());
            }
            Visitor::Proxy | Visitor::Guest(_) if is_over(self.others, for_others) => {
                return Err(Full::Total);
            }
            Visitor::Proxy => {}
            Visitor::Guest(address) => {
                let (peer, network) = (peer_of(address), network_of(address));
                let of_peer = self.by_peer.get(&peer).copied().unwrap_or(0);
                let of_network = self.by_network.get(&network).copied().unwrap_or(0);
                if is_over(of_peer, per_peer) {
                    return Err(Full::Peer);
                }
                if is_over(of_network, per_network) {
                    return Err(Full::Network);
                }
                self.by_peer.insert(peer, of_peer + amount);
                self.by_network.insert(network, of_network + amount);
            }
        }
        self.others += amount;
        Ok(())
    }

    /// Gives back what a visitor took.
    pub fn give_back(&mut self, visitor: Visitor, amount: usize) {
        match visitor {
            Visitor::Operator => self.operator = self.operator.saturating_sub(amount),
            Visitor::Proxy => self.others = self.others.saturating_sub(amount),
            Visitor::Guest(address) => {
                self.others = self.others.saturating_sub(amount);
                lower(&mut self.by_peer, peer_of(address), amount);
                lower(&mut self.by_network, network_of(address), amount);
            }
        }
    }

    /// How much is taken in all.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.operator.saturating_add(self.others)
    }
}

fn lower(counts: &mut BTreeMap<IpAddr, usize>, key: IpAddr, amount: usize) {
    let left = counts.get(&key).map_or(0, |count| count.saturating_sub(amount));
    if left == 0 {
        counts.remove(&key);
    } else {
        counts.insert(key, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        total: 100,
        for_operator: 40,
        per_peer: 20,
        per_network: 30,
    };

    fn guest(text: &str) -> Visitor {
        Visitor::Guest(text.parse().expect("an address"))
    }

    #[test]
    fn accepts_up_to_each_bound_and_rejects_beyond() {
        let mut shares = Shares::new(BOUNDS);
        assert_eq!(shares.take(guest("192.0.2.1"), 21), Err(Full::Peer));
        assert_eq!(shares.take(guest("192.0.2.1"), 20), Ok(()));
        assert_eq!(shares.take(guest("192.0.2.2"), 11), Err(Full::Network));
        assert_eq!(shares.take(guest("192.0.2.2"), 10), Ok(()));
        assert_eq!(shares.take(guest("198.51.100.1"), 20), Ok(()));
        assert_eq!(
            shares.take(Visitor::Proxy, 11),
            Err(Full::Total),
            "40 are the operator's"
        );
        assert_eq!(shares.take(Visitor::Operator, 50), Ok(()));
        assert_eq!(
            shares.take(guest("203.0.113.1"), 1),
            Err(Full::Total),
            "he holds more than these"
        );
        assert_eq!(shares.taken(), 100);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_leaves_no_trace() {
        let mut shares = Shares::new(BOUNDS);
        for visitor in [guest("2001:db8::1"), Visitor::Proxy, Visitor::Operator] {
            assert_eq!(shares.take(visitor, 20), Ok(()));
            shares.give_back(visitor, 20);
        }
        assert_eq!(shares.taken(), 0);
        assert!(shares.by_peer.is_empty() && shares.by_network.is_empty());
        assert_eq!(shares.take(guest("2001:db8::2"), 20), Ok(()));
    }
}
