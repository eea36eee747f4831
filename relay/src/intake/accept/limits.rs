//! How many mails, and how many bytes of mail, a network, an address and a domain may hand in: token buckets
//! that hold one hour's worth. No clock and no socket: `now` is an argument.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::recent::Recent;
use crate::config::Limits;
use crate::limits::{ADDRESS_KIB_HOUR, BUCKETS_MAX, NETWORK_KIB_HOUR};

const HOUR_SECS: u64 = 3_600;

/// The network of an address: IPv4 /24, IPv6 /48. `None` for loopback, which is the operator's own.
#[must_use]
pub fn network_of(ip: IpAddr) -> Option<IpAddr> {
    let ip = ip.to_canonical();
    if ip.is_loopback() {
        return None;
    }
    Some(match ip {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & 0xFFFF_FF00)),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 80))),
    })
}

/// Which limit is reached, and when there is room again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// What is counted.
    pub what: Counted,
    /// Seconds until the next mail has room.
    pub wait_secs: u64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Mails of one network.
    Network,
    /// Mails of one sender address.
    Address,
    /// Mails of one sender domain.
    Domain,
    /// Bytes of mail of one network.
    NetworkBytes,
    /// Bytes of mail of one sender address.
    AddressBytes,
}

impl Counted {
    /// Its word, for metrics and replies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Counted::Network => "network",
            Counted::Address => "address",
            Counted::Domain => "domain",
            Counted::NetworkBytes => "network-bytes",
            Counted::AddressBytes => "address-bytes",
        }
    }

    /// What there is too much of, for replies.
    #[must_use]
    pub fn too_much(self) -> &'static str {
        match self {
            Counted::Network => "Too many mails from this network",
            Counted::Address => "Too many mails from this address",
            Counted::Domain => "Too many mails from this domain",
            Counted::NetworkBytes => "Too much mail (bytes) from this network",
            Counted::AddressBytes => "Too much mail (bytes) from this address",
        }
    }
}

/// The buckets of all channels together.
#[derive(Debug)]
pub struct Allowance {
    network: Buckets<IpAddr>,
    /// A reverse path is no proof of who sends: it counts within its network alone, so that no one can use up
    /// another's.
    path: Buckets<(IpAddr, String)>,
    path_domain: Buckets<(IpAddr, String)>,
    address: Buckets<String>,
    domain: Buckets<String>,
    network_kib: Buckets<IpAddr>,
    address_kib: Buckets<String>,
}

impl Allowance {
    /// Full buckets.
    #[must_use]
    pub fn new(limits: &Limits) -> Allowance {
        Allowance {
            network: Buckets::new(limits.letters_per_network_hour),
            path: Buckets::new(limits.letters_per_address_hour),
            path_domain: Buckets::new(limits.letters_per_domain_hour),
            address: Buckets::new(limits.letters_per_address_hour),
            domain: Buckets::new(limits.letters_per_domain_hour),
            network_kib: Buckets::new(NETWORK_KIB_HOUR),
            address_kib: Buckets::new(ADDRESS_KIB_HOUR),
        }
    }

    /// Whether a network may hand in a mail now. Takes nothing.
    pub fn check_network(&self, ip: Option<IpAddr>, now: u64) -> Result<(), Exceeded> {
        match ip.and_then(network_of) {
            Some(network) => self
                .network
                .check(&network, 1, now)
                .map_err(exceeded(Counted::Network)),
            None => Ok(()),
        }
    }

    /// Whether a reverse path may send a mail now. Takes nothing.
    pub fn check_path(&self, ip: Option<IpAddr>, reverse_path: &str, now: u64) -> Result<(), Exceeded> {
        let Some(network) = ip.and_then(network_of) else {
            return Ok(());
        };
        let path = reverse_path.to_ascii_lowercase();
        let domain = (network, domain_of(&path).to_owned());
        self.path
            .check(&(network, path), 1, now)
            .map_err(exceeded(Counted::Address))?;
        self.path_domain
            .check(&domain, 1, now)
            .map_err(exceeded(Counted::Domain))
    }

    /// Counts a mail for its network and reverse path; beyond a limit nothing is counted.
    pub fn take_envelope(
        &mut self,
        ip: Option<IpAddr>,
        reverse_path: &str,
        mail_bytes: usize,
        now: u64,
    ) -> Result<(), Exceeded> {
        self.check_network(ip, now)?;
        self.check_path(ip, reverse_path, now)?;
        if let Some(network) = ip.and_then(network_of) {
            let (path, kib) = (reverse_path.to_ascii_lowercase(), kib(mail_bytes));
            let domain = domain_of(&path).to_owned();
            self.network_kib
                .check(&network, kib, now)
                .map_err(exceeded(Counted::NetworkBytes))?;
            self.network_kib.take(network, kib, now);
            self.network.take(network, 1, now);
            self.path.take((network, path), 1, now);
            self.path_domain.take((network, domain), 1, now);
        }
        Ok(())
    }

    /// Whether the canonical address that DKIM has proved may hand in a mail now. Takes nothing.
    pub fn check_proven(&self, from: &str, mail_bytes: usize, now: u64) -> Result<(), Exceeded> {
        self.address
            .check(from, 1, now)
            .map_err(exceeded(Counted::Address))?;
        self.domain
            .check(domain_of(from), 1, now)
            .map_err(exceeded(Counted::Domain))?;
        self.address_kib
            .check(from, kib(mail_bytes), now)
            .map_err(exceeded(Counted::AddressBytes))
    }

    /// Counts a mail for the canonical address that DKIM has proved.
    pub fn take_proven(&mut self, from: &str, mail_bytes: usize, now: u64) {
        self.address.take(from.to_owned(), 1, now);
        self.domain.take(domain_of(from).to_owned(), 1, now);
        self.address_kib.take(from.to_owned(), kib(mail_bytes), now);
    }
}

/// Begun KiB.
fn kib(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(1_024)).unwrap_or(u64::MAX)
}

fn exceeded(what: Counted) -> impl Fn(u64) -> Exceeded {
    move |wait_secs| Exceeded { what, wait_secs }
}

fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

/// Buckets of one kind. A mail (or a KiB) costs as many units as an hour has seconds, and each second brings as
/// many units as an hour allows mails: whole numbers throughout.
#[derive(Debug)]
struct Buckets<K> {
    per_hour: u64,
    buckets: Recent<K, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    units: u64,
    at: u64,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(per_hour: u32) -> Buckets<K> {
        Buckets {
            per_hour: u64::from(per_hour),
            buckets: Recent::new(BUCKETS_MAX),
        }
    }

    fn units<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: u64) -> u64
    where
        K: std::borrow::Borrow<Q>,
    {
        let full = self.per_hour.saturating_mul(HOUR_SECS);
        // No bucket is empty for longer than an hour: one of a later hour was filled while the clock was
        // wrong.
        let is_of_now = |bucket: &&Bucket| bucket.at <= now.saturating_add(HOUR_SECS);
        let Some(bucket) = self.buckets.get(key).filter(is_of_now) else {
            return full;
        };
        let brought = now.saturating_sub(bucket.at).saturating_mul(self.per_hour);
        bucket.units.saturating_add(brought).min(full)
    }

    /// Seconds to wait where the bucket holds less than that. A limit of 0 is none.
    fn check<Q: Hash + Eq + ?Sized>(&self, key: &Q, amount: u64, now: u64) -> Result<(), u64>
    where
        K: std::borrow::Borrow<Q>,
    {
        if self.per_hour == 0 {
            return Ok(());
        }
        let wanted = amount.min(self.per_hour).saturating_mul(HOUR_SECS);
        let missing = wanted.saturating_sub(self.units(key, now));
        match missing {
            0 => Ok(()),
            _ => Err(missing.div_ceil(self.per_hour)),
        }
    }

    fn take(&mut self, key: K, amount: u64, now: u64) {
        if self.per_hour == 0 {
            return;
        }
        let cost = amount.saturating_mul(HOUR_SECS);
        let units = self.units(&key, now).saturating_sub(cost);
        self.buckets.insert(key, Bucket { units, at: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_794_830_400;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    fn allowance(network: u32, address: u32, domain: u32) -> Allowance {
        Allowance::new(&Limits {
            letters_per_network_hour: network,
            letters_per_address_hour: address,
            letters_per_domain_hour: domain,
            ..Limits::default()
        })
    }

    #[test]
    fn networks_are_24_and_48_bits_wide() {
        for (one, other) in [
            ("192.0.2.1", "192.0.2.254"),
            ("::ffff:192.0.2.1", "192.0.2.9"),
            ("2001:db8:1:2::1", "2001:db8:1:ffff::2"),
        ] {
            assert_eq!(
                network_of(ip(one).unwrap()),
                network_of(ip(other).unwrap()),
                "{one}"
            );
        }
        for (one, other) in [("192.0.2.1", "192.0.3.1"), ("2001:db8:1::1", "2001:db8:2::1")] {
            assert_ne!(
                network_of(ip(one).unwrap()),
                network_of(ip(other).unwrap()),
                "{one}"
            );
        }
        for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(network_of(ip(own).unwrap()), None, "{own}");
        }
    }

    #[test]
    fn accepts_an_hours_letters_and_one_more_when_its_time_comes() {
        let mut allowance = allowance(3, 0, 0);
        for _ in 0..3 {
            assert_eq!(
                allowance.take_envelope(ip("192.0.2.1"), "a@b.example", 1, NOW),
                Ok(())
            );
        }
        let over = Exceeded {
            what: Counted::Network,
            wait_secs: 1_200,
        };
        assert_eq!(
            allowance.take_envelope(ip("192.0.2.9"), "c@d.example", 1, NOW),
            Err(over)
        );
        assert_eq!(allowance.check_network(ip("192.0.2.1"), NOW), Err(over));
        assert_eq!(allowance.check_network(ip("192.0.3.1"), NOW), Ok(()));
        assert!(allowance.check_network(ip("192.0.2.1"), NOW + 1_199).is_err());
        assert_eq!(
            allowance.take_envelope(ip("192.0.2.1"), "a@b.example", 1, NOW + 1_200),
            Ok(())
        );
        assert!(allowance.check_network(ip("192.0.2.1"), NOW + 1_200).is_err());
    }

    #[test]
    fn accepts_anything_of_this_machine_and_without_a_limit() {
        let mut allowance = allowance(1, 1, 1);
        for _ in 0..9 {
            assert_eq!(
                allowance.take_envelope(ip("127.0.0.1"), "a@b.example", 1, NOW),
                Ok(())
            );
            assert_eq!(allowance.take_envelope(None, "a@b.example", 1, NOW), Ok(()));
        }
        let mut allowance = self::allowance(0, 0, 0);
        for _ in 0..9 {
            assert_eq!(
                allowance.take_envelope(ip("192.0.2.1"), "a@b.example", 1, NOW),
                Ok(())
            );
            assert_eq!(allowance.check_proven("a@b.example", 1, NOW), Ok(()));
            allowance.take_proven("a@b.example", 1, NOW);
        }
    }

    #[test]
    fn rejects_the_same_path_in_another_case_but_not_from_another_network() {
        let mut allowance = allowance(0, 1, 0);
        assert_eq!(
            allowance.take_envelope(ip("192.0.2.1"), "A@b.example", 1, NOW),
            Ok(())
        );
        let again = allowance.take_envelope(ip("192.0.2.1"), "a@B.example", 1, NOW);
        assert_eq!(again.map_err(|over| over.what), Err(Counted::Address));
        assert_eq!(
            allowance.take_envelope(ip("198.51.100.1"), "a@b.example", 1, NOW),
            Ok(())
        );
        assert_eq!(allowance.check_proven("a@b.example", 1, NOW), Ok(()));
    }

    #[test]
    fn rejects_a_domain_beyond_its_hour() {
        let mut allowance = allowance(0, 5, 2);
        for from in ["a@b.example", "c@b.example"] {
            assert_eq!(allowance.check_proven(from, 1, NOW), Ok(()));
            allowance.take_proven(from, 1, NOW);
        }
        let over = allowance.check_proven("d@b.example", 1, NOW);
        assert_eq!(over.map_err(|over| over.what), Err(Counted::Domain));
        assert_eq!(allowance.check_proven("d@b.example", 1, NOW + 1_800), Ok(()));
        assert_eq!(allowance.check_proven("a@e.example", 1, NOW), Ok(()));
    }

    // The attack: few mails, each as large as a mail may be.
    #[test]
    fn rejects_bytes_beyond_an_hours_and_no_others() {
        const LARGE: usize = 256 * 1_024;
        let mut allowance = allowance(0, 0, 0);
        let most = NETWORK_KIB_HOUR / 256;
        for _ in 0..most {
            assert_eq!(
                allowance.take_envelope(ip("192.0.2.1"), "a@b.example", LARGE, NOW),
                Ok(())
            );
        }
        let over = allowance.take_envelope(ip("192.0.2.2"), "c@b.example", LARGE, NOW);
        assert_eq!(over.map_err(|over| over.what), Err(Counted::NetworkBytes));
        assert_eq!(
            allowance.take_envelope(ip("192.0.3.1"), "a@b.example", LARGE, NOW),
            Ok(())
        );
        assert_eq!(
            allowance.take_envelope(ip("127.0.0.1"), "a@b.example", LARGE, NOW),
            Ok(())
        );
        let until = NOW + 3_600 / u64::from(most) + 1;
        assert_eq!(
            allowance.take_envelope(ip("192.0.2.2"), "c@b.example", LARGE, until),
            Ok(())
        );
        for _ in 0..ADDRESS_KIB_HOUR / 256 {
            assert_eq!(allowance.check_proven("a@b.example", LARGE, NOW), Ok(()));
            allowance.take_proven("a@b.example", LARGE, NOW);
        }
        let over = allowance.check_proven("a@b.example", LARGE, NOW);
        assert_eq!(over.map_err(|over| over.what), Err(Counted::AddressBytes));
        assert_eq!(allowance.check_proven("c@b.example", LARGE, NOW), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_and_takes_nothing() {
        let mut allowance = allowance(1, 0, 0);
        assert_eq!(allowance.take_envelope(ip("192.0.2.1"), "", 1, NOW), Ok(()));
        assert!(allowance.check_network(ip("192.0.2.1"), NOW - 1).is_err());
        assert!(allowance.check_network(ip("192.0.2.1"), NOW - 3_600).is_err());
    }

    #[test]
    fn a_clock_that_was_a_year_ahead_holds_nobody_up() {
        let mut allowance = allowance(1, 0, 0);
        let ahead = NOW + 365 * 86_400;
        assert_eq!(allowance.take_envelope(ip("192.0.2.1"), "", 1, ahead), Ok(()));
        assert!(allowance.check_network(ip("192.0.2.1"), ahead).is_err());
        assert_eq!(allowance.take_envelope(ip("192.0.2.1"), "", 1, NOW), Ok(()));
        assert!(allowance.check_network(ip("192.0.2.1"), NOW).is_err());
    }

    #[test]
    fn strangers_beyond_the_bound_push_out_the_oldest() {
        let mut buckets = Buckets::new(1);
        for number in 0..2 * BUCKETS_MAX {
            buckets.take(number, 1, NOW);
            assert!(buckets.buckets.len() <= BUCKETS_MAX);
        }
        assert!(buckets.check(&(2 * BUCKETS_MAX - 1), 1, NOW).is_err());
        assert!(buckets.check(&0, 1, NOW).is_ok());
    }
}
