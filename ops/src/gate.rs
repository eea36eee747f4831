//! The places behind a door, as a pure value: who may come in, and who goes for it.
//!
//! Silence costs a client nothing, so a door that only counts is shut by whoever comes first and stays. Here
//! nobody keeps others out:
//!
//! - A guest whose own places, or those of its network, are taken gets the one among them that has been idle
//!   for longest.
//! - Where all are taken, the group that holds most gives up its longest idle one. A group is a network, the
//!   proxies, or the operator with what he holds above the places that are kept for him.
//! - Those that never did anything count as idle for longest. One that was busy a moment ago keeps its place,
//!   unless its group holds more than the newcomer's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::visitor::{Bounds, Full, Visitor, network_of, peer_of};

/// Names one place of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlaceId(u64);

/// Whose places are weighed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Operator,
    Proxy,
    Network(IpAddr),
}

#[derive(Debug)]
struct Place<T> {
    visitor: Visitor,
    /// When it last did something that counts; `None`: never.
    busy: Option<Instant>,
    handle: T,
}

/// The places of one door. `T` is what its owner needs to show a visitor out.
#[derive(Debug)]
pub struct Gate<T> {
    bounds: Bounds,
    /// One that was busy less than this ago is not idle.
    spared: Duration,
    places: BTreeMap<PlaceId, Place<T>>,
    next: u64,
}

/// A visitor that came in.
#[derive(Debug)]
pub struct Entered<T> {
    /// Its place.
    pub place: PlaceId,
    /// Who has to go for it; its place is free already.
    pub goes: Option<T>,
}

impl<T> Gate<T> {
    /// A gate that nobody came through yet.
    #[must_use]
    pub fn new(bounds: Bounds, spared: Duration) -> Self {
        Self {
            bounds,
            spared,
            places: BTreeMap::new(),
            next: 0,
        }
    }

    /// Takes a place for a visitor.
    pub fn enter(&mut self, visitor: Visitor, now: Instant, handle: T) -> Result<Entered<T>, Full> {
        let goes = self.make_room(visitor, now)?;
        let place = PlaceId(self.next);
        self.next = self.next.wrapping_add(1);
        let taken = Place {
            visitor,
            busy: None,
            handle,
        };
        self.places.insert(place, taken);
        Ok(Entered { place, goes })
    }

    /// A proxy, or a program on the operator's machine, says for whom it comes. Answers who has to go for it.
    pub fn rename(&mut self, place: PlaceId, visitor: Visitor, now: Instant) -> Result<Option<T>, Full> {
        let Some(held) = self.places.remove(&place) else {
            return Ok(None);
        };
        if held.visitor == visitor {
            self.places.insert(place, held);
            return Ok(None);
        }
        let room = self.make_room(visitor, now);
        let visitor = if room.is_ok() { visitor } else { held.visitor };
        self.places.insert(place, Place { visitor, ..held });
        room
    }

    /// The visitor did something that counts: it is not idle.
    pub fn moved(&mut self, place: PlaceId, now: Instant) {
        if let Some(place) = self.places.get_mut(&place) {
            place.busy = Some(now);
        }
    }

    /// The visitor is gone.
    pub fn leave(&mut self, place: PlaceId) {
        self.places.remove(&place);
    }

    /// Places that are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.places.len()
    }

    /// Frees a place where that is needed for a newcomer.
    fn make_room(&mut self, newcomer: Visitor, now: Instant) -> Result<Option<T>, Full> {
        if let Visitor::Guest(address) = newcomer {
            let (peer, network) = (peer_of(address), network_of(address));
            let is_peer =
                |visitor: Visitor| matches!(visitor, Visitor::Guest(other) if peer_of(other) == peer);
            let is_near =
                |visitor: Visitor| matches!(visitor, Visitor::Guest(other) if network_of(other) == network);
            if self.count(is_peer) >= self.bounds.per_peer {
                return self.give_up_idle(is_peer, now).ok_or(Full::Peer).map(Some);
            }
            if self.count(is_near) >= self.bounds.per_network {
                return self.give_up_idle(is_near, now).ok_or(Full::Network).map(Some);
            }
        }
        let is_operator = |visitor: Visitor| visitor == Visitor::Operator;
        let others = self.count(|visitor| !is_operator(visitor));
        let for_others = self.bounds.total.saturating_sub(self.bounds.for_operator);
        if self.taken() >= self.bounds.total {
            return self.give_up_heaviest(newcomer, now, |_| true);
        }
        if !is_operator(newcomer) && others >= for_others {
            return self.give_up_heaviest(newcomer, now, |visitor| !is_operator(visitor));
        }
        Ok(None)
    }

    /// Frees a place of the group that holds most, among those that `counts`.
    fn give_up_heaviest(
        &mut self,
        newcomer: Visitor,
        now: Instant,
        counts: impl Fn(Visitor) -> bool,
    ) -> Result<Option<T>, Full> {
        let mut weights: BTreeMap<Group, usize> = BTreeMap::new();
        for place in self.places.values().filter(|place| counts(place.visitor)) {
            *weights.entry(group_of(place.visitor)).or_insert(0) += 1;
        }
        if let Some(weight) = weights.get_mut(&Group::Operator) {
            *weight = weight.saturating_sub(self.bounds.for_operator);
        }
        let heaviest = weights.values().copied().max().unwrap_or(0);
        let own = weights.get(&group_of(newcomer)).copied().unwrap_or(0);
        let is_heaviest = |visitor: Visitor| {
            let weight = weights.get(&group_of(visitor)).copied().unwrap_or(0);
            counts(visitor) && weight == heaviest && weight > 0
        };
        let freed = if heaviest > own.saturating_add(1) {
            self.give_up(is_heaviest, |_| true)
        } else {
            self.give_up_idle(is_heaviest, now)
        };
        freed.ok_or(Full::Total).map(Some)
    }

    /// Frees the place of the longest idle among some visitors, if one is idle.
    fn give_up_idle(&mut self, among: impl Fn(Visitor) -> bool, now: Instant) -> Option<T> {
        let spared = self.spared;
        self.give_up(among, |busy| {
            busy.is_none_or(|busy| now.saturating_duration_since(busy) >= spared)
        })
    }

    fn give_up(
        &mut self,
        among: impl Fn(Visitor) -> bool,
        is_idle: impl Fn(Option<Instant>) -> bool,
    ) -> Option<T> {
        let candidates = self.places.iter();
        let candidates = candidates.filter(|(_, place)| among(place.visitor) && is_idle(place.busy));
        let (longest, _) = candidates.min_by_key(|(id, place)| (place.busy, **id))?;
        let longest = *longest;
        self.places.remove(&longest).map(|place| place.handle)
    }

    fn count(&self, counts: impl Fn(Visitor) -> bool) -> usize {
        self.places.values().filter(|place| counts(place.visitor)).count()
    }
}

fn group_of(visitor: Visitor) -> Group {
    match visitor {
        Visitor::Operator => Group::Operator,
        Visitor::Proxy => Group::Proxy,
        Visitor::Guest(address) => Group::Network(network_of(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPARED: Duration = Duration::from_secs(5);
    const BOUNDS: Bounds = Bounds {
        total: 8,
        for_operator: 2,
        per_peer: 2,
        per_network: 3,
    };

    fn guest(text: &str) -> Visitor {
        Visitor::Guest(text.parse().expect("an address"))
    }

    /// A gate, and a clock that the test moves.
    struct Scene {
        gate: Gate<&'static str>,
        now: Instant,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                gate: Gate::new(BOUNDS, SPARED),
                now: Instant::now(),
            }
        }

        /// Comes in and stays silent.
        fn silent(&mut self, visitor: Visitor, name: &'static str) -> Result<Option<&'static str>, Full> {
            self.gate
                .enter(visitor, self.now, name)
                .map(|entered| entered.goes)
        }

        /// Comes in and does something.
        fn busy(&mut self, visitor: Visitor, name: &'static str) -> PlaceId {
            let entered = self.gate.enter(visitor, self.now, name).expect("room");
            assert_eq!(entered.goes, None);
            self.gate.moved(entered.place, self.now);
            entered.place
        }

        fn pass(&mut self, time: Duration) {
            self.now += time;
        }
    }

    #[test]
    fn accepts_again_after_one_left() {
        let mut scene = Scene::new();
        let first = scene.busy(guest("192.0.2.1"), "a");
        scene.busy(guest("192.0.2.1"), "b");
        assert_eq!(scene.silent(guest("192.0.2.1"), "c"), Err(Full::Peer));
        scene.gate.leave(first);
        assert_eq!(scene.silent(guest("192.0.2.1"), "c"), Ok(None));
        assert_eq!(scene.gate.taken(), 2);
    }

    #[test]
    fn rejects_more_than_its_share_from_one_peer_and_from_one_network() {
        let mut scene = Scene::new();
        for (address, name) in [("192.0.2.1", "a"), ("192.0.2.1", "b"), ("192.0.2.2", "c")] {
            scene.busy(guest(address), name);
        }
        assert_eq!(scene.silent(guest("192.0.2.1"), "d"), Err(Full::Peer));
        assert_eq!(scene.silent(guest("192.0.2.3"), "d"), Err(Full::Network));
        assert_eq!(scene.silent(guest("198.51.100.1"), "d"), Ok(None));
    }

    #[test]
    fn the_longest_idle_of_a_full_peer_goes_for_a_newcomer_of_the_same() {
        let mut scene = Scene::new();
        let first = scene.busy(guest("192.0.2.1"), "a");
        scene.busy(guest("192.0.2.1"), "b");
        scene.pass(SPARED);
        scene.gate.moved(first, scene.now);
        assert_eq!(scene.silent(guest("192.0.2.1"), "c"), Ok(Some("b")));
        assert_eq!(
            scene.silent(guest("192.0.2.1"), "d"),
            Ok(Some("c")),
            "it never did anything"
        );
    }

    #[test]
    fn silent_guests_of_two_networks_keep_no_third_one_out() {
        let mut scene = Scene::new();
        for (address, name) in [
            ("192.0.2.1", "a"),
            ("192.0.2.2", "b"),
            ("192.0.2.3", "c"),
            ("198.51.100.1", "d"),
            ("198.51.100.2", "e"),
            ("198.51.100.3", "f"),
        ] {
            assert_eq!(scene.silent(guest(address), name), Ok(None));
        }
        for (address, goes) in [("203.0.113.1", "a"), ("203.0.113.2", "d"), ("203.0.113.3", "b")] {
            assert_eq!(scene.silent(guest(address), "honest"), Ok(Some(goes)));
        }
    }

    #[test]
    fn those_that_hold_more_give_way_even_where_they_are_busy_and_equals_do_not() {
        let mut scene = Scene::new();
        for (address, name) in [
            ("192.0.2.1", "a"),
            ("192.0.2.2", "b"),
            ("192.0.2.3", "c"),
            ("198.51.100.1", "d"),
            ("198.51.100.2", "e"),
            ("203.0.113.1", "f"),
        ] {
            scene.busy(guest(address), name);
        }
        assert_eq!(scene.silent(guest("10.0.0.1"), "g"), Ok(Some("a")));
        assert_eq!(
            scene.silent(guest("192.0.2.4"), "h"),
            Err(Full::Total),
            "it would hold most itself"
        );
        scene.pass(SPARED);
        assert_eq!(scene.silent(guest("192.0.2.4"), "h"), Ok(Some("b")));
    }

    #[test]
    fn guests_and_proxies_keep_no_operator_out() {
        let mut scene = Scene::new();
        for (name, octet) in ["a", "b", "c", "d", "e"].into_iter().zip(1..) {
            scene.busy(guest(&format!("10.0.{octet}.1")), name);
        }
        scene.busy(Visitor::Proxy, "f");
        assert_eq!(scene.silent(guest("10.0.9.1"), "g"), Err(Full::Total));
        scene.busy(Visitor::Operator, "h");
        scene.busy(Visitor::Operator, "i");
        // Beyond what is kept for him the operator is one group among others.
        assert_eq!(scene.silent(Visitor::Operator, "j"), Err(Full::Total));
        scene.pass(SPARED);
        assert_eq!(scene.silent(Visitor::Operator, "j"), Ok(Some("a")));
    }

    #[test]
    fn an_operator_who_holds_all_gives_way_to_a_guest() {
        let mut scene = Scene::new();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            scene.busy(Visitor::Operator, name);
        }
        assert_eq!(scene.silent(guest("192.0.2.1"), "guest"), Ok(Some("a")));
    }

    #[test]
    fn silent_programs_of_the_operator_keep_none_of_his_others_out() {
        let mut scene = Scene::new();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            assert_eq!(scene.silent(Visitor::Operator, name), Ok(None));
        }
        assert_eq!(scene.silent(Visitor::Operator, "i"), Ok(Some("a")));
    }

    #[test]
    fn a_proxy_is_counted_as_the_guest_whom_it_names() {
        let mut scene = Scene::new();
        let [a, b, c] = ["a", "b", "c"].map(|name| scene.busy(Visitor::Proxy, name));
        let named = guest("192.0.2.1");
        assert_eq!(scene.gate.rename(a, named, scene.now), Ok(None));
        assert_eq!(scene.gate.rename(b, named, scene.now), Ok(None));
        assert_eq!(scene.gate.rename(c, named, scene.now), Err(Full::Peer));
        assert_eq!(scene.gate.rename(c, guest("192.0.2.2"), scene.now), Ok(None));
        scene.pass(SPARED);
        assert_eq!(scene.silent(named, "d"), Ok(Some("a")));
        assert_eq!(scene.gate.taken(), 3);
    }
}
