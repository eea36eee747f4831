//! A door that tasks go through: the gate behind a lock, and the word to those who have to go.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::gate::{Gate, PlaceId};
use crate::visitor::{Bounds, Full, Visitor};

/// One door: a listener, or several that share their places.
#[derive(Debug)]
pub struct Door {
    gate: Mutex<Gate<oneshot::Sender<()>>>,
}

impl Door {
    /// An open door. A visitor that was busy less than `spared` ago is not idle.
    #[must_use]
    pub fn new(bounds: Bounds, spared: Duration) -> Arc<Door> {
        Arc::new(Door {
            gate: Mutex::new(Gate::new(bounds, spared)),
        })
    }

    /// Takes a place, for as long as the visit lives. Whoever has to go for it is told.
    pub fn enter(self: &Arc<Self>, visitor: Visitor) -> Result<Visit, Full> {
        let (handle, told_to_go) = oneshot::channel();
        let entered = self.lock().enter(visitor, now(), handle)?;
        tell(entered.goes);
        let badge = Badge {
            door: Arc::clone(self),
            place: entered.place,
        };
        Ok(Visit { badge, told_to_go })
    }

    /// Places that are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.lock().taken()
    }

    fn lock(&self) -> MutexGuard<'_, Gate<oneshot::Sender<()>>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A visitor's place; free again when it is dropped.
#[derive(Debug)]
pub struct Visit {
    badge: Badge,
    told_to_go: oneshot::Receiver<()>,
}

/// What a visitor shows to those who serve it. It frees no place, and means nothing any more when the visit
/// is over.
#[derive(Debug, Clone)]
pub struct Badge {
    door: Arc<Door>,
    place: PlaceId,
}

impl Badge {
    /// The visitor did something that counts, such as a whole request. Single bytes should not count: they
    /// cost a silent client nothing.
    pub fn moved(&self) {
        self.door.lock().moved(self.place, now());
    }

    /// The visitor says for whom it comes.
    pub fn rename(&self, visitor: Visitor) -> Result<(), Full> {
        let goes = self.door.lock().rename(self.place, visitor, now())?;
        tell(goes);
        Ok(())
    }
}

impl Visit {
    /// For those who serve the visitor.
    #[must_use]
    pub fn badge(&self) -> &Badge {
        &self.badge
    }

    /// See [`Badge::moved`].
    pub fn moved(&self) {
        self.badge.moved();
    }

    /// Resolves when the visitor has to go for another.
    pub async fn told_to_go(&mut self) {
        std::future::poll_fn(|cx| self.poll_told_to_go(cx)).await;
    }

    /// Whether the visitor has to go, for those who poll.
    pub fn poll_told_to_go(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // An error is the other half that was dropped, which only a place given up does.
        Pin::new(&mut self.told_to_go).poll(cx).map(drop)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.badge.door.lock().leave(self.badge.place);
    }
}

/// Whoever has gone already need not hear it.
fn tell(goes: Option<oneshot::Sender<()>>) {
    if let Some(goes) = goes {
        let _ = goes.send(());
    }
}

/// tokio's clock, which tests can stop.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        total: 2,
        for_operator: 0,
        per_peer: 1,
        per_network: 1,
    };

    fn guest(text: &str) -> Visitor {
        Visitor::Guest(text.parse().expect("an address"))
    }

    #[tokio::test]
    async fn the_longest_idle_is_told_to_go_and_others_are_not() {
        let door = Door::new(BOUNDS, Duration::ZERO);
        let mut first = door.enter(guest("192.0.2.1")).expect("room");
        let mut second = door.enter(guest("198.51.100.1")).expect("room");
        first.moved();
        let _third = door.enter(guest("203.0.113.1")).expect("room");
        second.told_to_go().await;
        let asked = std::future::poll_fn(|cx| Poll::Ready(first.poll_told_to_go(cx))).await;
        assert_eq!(asked, Poll::Pending);
        assert_eq!(door.taken(), 2);
        drop(second);
        assert_eq!(door.taken(), 2, "its place has another visitor");
        drop(first);
        assert_eq!(door.taken(), 1);
    }

    #[tokio::test]
    async fn a_place_is_free_when_its_visit_ends() {
        let door = Door::new(BOUNDS, Duration::from_secs(60));
        let first = door.enter(guest("192.0.2.1")).expect("room");
        first.moved();
        assert_eq!(door.enter(guest("192.0.2.1")).err(), Some(Full::Peer));
        drop(first);
        assert!(door.enter(guest("192.0.2.1")).is_ok());
        assert_eq!(door.taken(), 0);
    }
}
