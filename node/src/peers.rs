//! How much work each address has made the node do within the last minute.
//!
//! Spec: 7.5 (look-ups and failed verifications are limited per peer). The operator is not counted.

use std::collections::BTreeMap;
use std::net::IpAddr;

use codec::CloseTime;
use rpc::api::{Peer, Role, network_of};

use crate::limits::{COUNTED_PEERS_MAX, FAILURES_PER_PEER_MAX, LOOKUPS_PER_PEER_MAX};

/// Seconds of one count.
const COUNT_SECS: u32 = 60;

/// Work that is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A mail that failed its checks.
    Failure,
    /// A name looked up for a mail.
    Lookup,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: CloseTime,
    failures: u32,
    lookups: u32,
}

/// Counts by address; by the /64 network for IPv6, since one host commands all of it.
#[derive(Debug, Default)]
pub struct PeerCounts {
    counts: BTreeMap<IpAddr, Count>,
}

impl PeerCounts {
    /// Whether the peer may make the node do this kind of work now.
    #[must_use]
    pub fn allows(&self, peer: &Peer, work: Work, now: CloseTime) -> bool {
        if peer.role == Role::Admin {
            return true;
        }
        let Some(count) = self
            .counts
            .get(&network_of(peer.address))
            .filter(|count| is_current(count, now))
        else {
            return true;
        };
        match work {
            Work::Failure => count.failures < FAILURES_PER_PEER_MAX,
            Work::Lookup => count.lookups < LOOKUPS_PER_PEER_MAX,
        }
    }

    /// Count one piece of work.
    pub fn record(&mut self, peer: &Peer, work: Work, now: CloseTime) {
        let address = network_of(peer.address);
        if self.counts.len() >= COUNTED_PEERS_MAX && !self.counts.contains_key(&address) {
            self.counts.retain(|_, count| is_current(count, now));
            if self.counts.len() >= COUNTED_PEERS_MAX {
                self.counts.clear();
            }
        }
        let fresh = Count {
            since: now,
            failures: 0,
            lookups: 0,
        };
        let count = self.counts.entry(address).or_insert(fresh);
        if !is_current(count, now) {
            *count = fresh;
        }
        match work {
            Work::Failure => count.failures = count.failures.saturating_add(1),
            Work::Lookup => count.lookups = count.lookups.saturating_add(1),
        }
    }
}

fn is_current(count: &Count, now: CloseTime) -> bool {
    now.seconds().saturating_sub(count.since.seconds()) < COUNT_SECS
}

#[cfg(test)]
mod tests {
    use super::*;
    use rpc::api::Via;

    fn peer(text: &str) -> Peer {
        Peer::new(text.parse().expect("an address"), Via::Direct)
    }

    #[test]
    fn accepts_work_up_to_the_bound_and_again_after_a_minute() {
        let mut counts = PeerCounts::default();
        let (stranger, now) = (peer("192.0.2.1"), CloseTime::new(1_000));
        for _ in 0..LOOKUPS_PER_PEER_MAX {
            assert!(counts.allows(&stranger, Work::Lookup, now));
            counts.record(&stranger, Work::Lookup, now);
        }
        assert!(!counts.allows(&stranger, Work::Lookup, CloseTime::new(1_059)));
        assert!(
            counts.allows(&stranger, Work::Failure, now),
            "the kinds are counted apart"
        );
        assert!(
            counts.allows(&peer("192.0.2.2"), Work::Lookup, now),
            "other addresses are not touched"
        );
        assert!(counts.allows(&stranger, Work::Lookup, CloseTime::new(1_060)));
    }

    #[test]
    fn rejects_a_second_address_of_the_same_ipv6_network() {
        let mut counts = PeerCounts::default();
        let now = CloseTime::new(0);
        for host in 0..FAILURES_PER_PEER_MAX {
            counts.record(&peer(&format!("2001:db8:0:1::{host:x}")), Work::Failure, now);
        }
        assert!(!counts.allows(&peer("2001:db8:0:1:ffff::1"), Work::Failure, now));
        assert!(counts.allows(&peer("2001:db8:0:2::1"), Work::Failure, now));
    }

    #[test]
    fn accepts_any_work_of_the_operator() {
        let mut counts = PeerCounts::default();
        let now = CloseTime::new(0);
        for _ in 0..1_000 {
            counts.record(&peer("127.0.0.1"), Work::Failure, now);
        }
        assert!(counts.allows(&peer("127.0.0.1"), Work::Failure, now));
    }
}
