//! How much work each guest and each other node has made this one do within the last minute.
//!
//! Spec: 7.5 (look-ups and failed verifications are limited per peer). The operator is not counted.

use core::net::IpAddr;
use std::collections::BTreeMap;

use codec::CloseTime;
use codec::keys::PublicKey;

use crate::limits::{COUNTED_PEERS_MAX, FAILURES_PER_PEER_MAX, LOOKUPS_PER_NODE_MAX, LOOKUPS_PER_PEER_MAX};

/// Seconds of one count.
const COUNT_SECS: u32 = 60;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// The operator of this machine.
    Operator,
    /// Anybody else, by what one caller commands: an IPv4 address, or the /64 network of an IPv6 address.
    Guest(IpAddr),
    /// Another node of the network, which passes on what came in there.
    Node(PublicKey),
}

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

impl Peer {
    /// How much of this kind of work a peer may make within a minute; `None` where that is not counted here. What
    /// failed of a node's was in order where it came in, and a ledger may have overtaken it since: those who talk to
    /// the node count that.
    fn most(&self, work: Work) -> Option<u32> {
        match (self, work) {
            (Self::Operator, _) | (Self::Node(_), Work::Failure) => None,
            (Self::Guest(_), Work::Failure) => Some(FAILURES_PER_PEER_MAX),
            (Self::Guest(_), Work::Lookup) => Some(LOOKUPS_PER_PEER_MAX),
            (Self::Node(_), Work::Lookup) => Some(LOOKUPS_PER_NODE_MAX),
        }
    }
}

/// Counts by peer.
#[derive(Debug, Clone, Default)]
pub struct PeerCounts {
    counts: BTreeMap<Peer, Count>,
}

impl PeerCounts {
    /// Whether the peer may make the node do this kind of work now.
    #[must_use]
    pub fn allows(&self, peer: &Peer, work: Work, now: CloseTime) -> bool {
        let Some(most) = peer.most(work) else {
            return true;
        };
        let Some(count) = self.counts.get(peer).filter(|count| is_current(count, now)) else {
            return true;
        };
        match work {
            Work::Failure => count.failures < most,
            Work::Lookup => count.lookups < most,
        }
    }

    /// Count one piece of work.
    pub fn record(&mut self, peer: &Peer, work: Work, now: CloseTime) {
        if peer.most(work).is_none() {
            return;
        }
        if self.counts.len() >= COUNTED_PEERS_MAX && !self.counts.contains_key(peer) {
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
        let count = self.counts.entry(*peer).or_insert(fresh);
        if !is_current(count, now) {
            *count = fresh;
        }
        match work {
            Work::Failure => count.failures = count.failures.saturating_add(1),
            Work::Lookup => count.lookups = count.lookups.saturating_add(1),
        }
    }
}

/// A clock that went back ends a count: else it would last as long as the clock was ahead.
fn is_current(count: &Count, now: CloseTime) -> bool {
    let age_secs = now.seconds().checked_sub(count.since.seconds());
    age_secs.is_some_and(|secs| secs < COUNT_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::Guest(text.parse().expect("an address"))
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
    fn accepts_work_again_where_the_clock_went_back() {
        let mut counts = PeerCounts::default();
        let stranger = peer("192.0.2.1");
        for _ in 0..FAILURES_PER_PEER_MAX {
            counts.record(&stranger, Work::Failure, CloseTime::new(1_000_000));
        }
        assert!(!counts.allows(&stranger, Work::Failure, CloseTime::new(1_000_000)));
        assert!(counts.allows(&stranger, Work::Failure, CloseTime::new(999_999)));
        counts.record(&stranger, Work::Failure, CloseTime::new(1_000));
        assert!(counts.allows(&stranger, Work::Failure, CloseTime::new(1_001)));
    }

    #[test]
    fn accepts_the_work_of_each_node_by_itself() {
        let node = |number| Peer::Node(codec::keys::KeyPair::ed25519([number; 16]).public_key());
        let (mut counts, now) = (PeerCounts::default(), CloseTime::new(1_000));
        for _ in 0..LOOKUPS_PER_NODE_MAX {
            assert!(counts.allows(&node(1), Work::Lookup, now));
            counts.record(&node(1), Work::Lookup, now);
        }
        assert!(!counts.allows(&node(1), Work::Lookup, now));
        assert!(
            counts.allows(&node(2), Work::Lookup, now),
            "another node on the same machine"
        );
    }

    #[test]
    fn accepts_any_work_of_the_operator() {
        let mut counts = PeerCounts::default();
        let now = CloseTime::new(0);
        for _ in 0..1_000 {
            counts.record(&Peer::Operator, Work::Failure, now);
        }
        assert!(counts.allows(&Peer::Operator, Work::Failure, now));
    }
}
