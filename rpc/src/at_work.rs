//! Places of requests at work, shared so that one caller's do not keep others waiting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ops::{Bounds, Shares, Visitor};
use tokio::time::{Instant, sleep};

use crate::limits;

/// The requests at work.
#[derive(Debug)]
pub(crate) struct AtWork {
    shares: Mutex<Shares>,
}

/// No place is free in time.
#[derive(Debug)]
pub(crate) struct Busy;

impl AtWork {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            shares: Mutex::new(Shares::new(Bounds {
                total: limits::REQUESTS_AT_WORK_MAX,
                for_operator: limits::REQUESTS_OF_OPERATOR,
                per_peer: limits::REQUESTS_PER_PEER_MAX,
                per_network: limits::REQUESTS_PER_NETWORK_MAX,
            })),
        })
    }

    /// Waits for a place, a bounded time. Whoever has requests enough at work looks for one ever less often.
    pub(crate) async fn place(self: &Arc<Self>, visitor: Visitor) -> Result<Place, Busy> {
        let until = Instant::now() + Duration::from_millis(limits::PLACE_WAIT_MILLIS_MAX);
        let mut pause = Duration::from_millis(1);
        while self.lock().take(visitor, 1).is_err() {
            if Instant::now() >= until {
                return Err(Busy);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(limits::PLACE_PAUSE_MILLIS_MAX));
        }
        Ok(Place {
            at_work: Arc::clone(self),
            visitor,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one request; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    at_work: Arc<AtWork>,
    visitor: Visitor,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.at_work.lock().give_back(self.visitor, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(text: &str) -> Visitor {
        Visitor::Guest(text.parse().expect("an address"))
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_waits_for_its_own_requests_and_for_nobody_elses() {
        let at_work = AtWork::new();
        let mut places = Vec::new();
        for _ in 0..limits::REQUESTS_PER_PEER_MAX {
            places.push(at_work.place(guest("192.0.2.1")).await.expect("a place"));
        }
        assert!(
            at_work.place(guest("192.0.2.1")).await.is_err(),
            "none came free in time"
        );
        assert!(at_work.place(guest("198.51.100.1")).await.is_ok());
        let waiting = tokio::spawn({
            let at_work = Arc::clone(&at_work);
            async move { at_work.place(guest("192.0.2.1")).await.is_ok() }
        });
        tokio::task::yield_now().await;
        places.pop();
        assert!(waiting.await.expect("no panic"), "it waited for a place");
    }

    #[tokio::test(start_paused = true)]
    async fn guests_of_many_networks_leave_places_for_the_operator() {
        let at_work = AtWork::new();
        let mut places = Vec::new();
        for network in 0..limits::REQUESTS_AT_WORK_MAX {
            places.extend(at_work.place(guest(&format!("10.0.{network}.1"))).await);
        }
        assert_eq!(
            places.len(),
            limits::REQUESTS_AT_WORK_MAX - limits::REQUESTS_OF_OPERATOR
        );
        assert!(at_work.place(Visitor::Operator).await.is_ok());
    }
}
