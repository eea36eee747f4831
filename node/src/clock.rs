//! Time, as the node is told it, and how far it is believed. The wall clock itself is read by the binary alone.
//!
//! A wall clock can be set: by a bad time server, a dead battery, a machine that was asleep. One ledger closed
//! at a time far ahead makes all mails of now old to the ledgers after it, and a ledger's time never goes
//! back. So a jump is not believed at once: the node goes on by a clock that nobody can set, and says so, until
//! the wall clock has run steadily for some minutes.

use std::sync::{Arc, Mutex, PoisonError};

use codec::CloseTime;
use rpc::api::ClockFault;

use crate::limits::{CLOCK_AWAY_SECS_MAX, CLOCK_BEHIND_SECS_MAX, CLOCK_JUMP_SECS_MAX, CLOCK_STEADY_SECS};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in seconds since 2000-01-01 UTC.
    fn now(&self) -> CloseTime;

    /// Seconds of a clock that nobody can set, from any beginning. One that is simulated jumps in both.
    fn steady_secs(&self) -> u64 {
        u64::from(self.now().seconds())
    }

    /// Whether it is the clock of a rehearsal, which is believed however long the node was away.
    fn is_rehearsed(&self) -> bool {
        false
    }
}

impl<F: Fn() -> CloseTime + Send + Sync> Clock for F {
    fn now(&self) -> CloseTime {
        self()
    }
}

/// The time that the node goes by.
pub(crate) struct Timekeeper {
    clock: Arc<dyn Clock>,
    belief: Mutex<Belief>,
}

/// What is believed of a clock.
#[derive(Debug, Clone, Copy)]
struct Belief {
    /// A time that was believed, and what the steady clock said then.
    wall: CloseTime,
    steady_secs: u64,
    /// A jump since then.
    doubt: Option<Doubt>,
    told: Told,
}

/// A jump of the wall clock.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// How far it is away from the time that is believed.
    away_secs: i64,
    /// Since when it has been there, by the steady clock.
    since_steady_secs: u64,
}

/// What the log was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Right,
    Jumped,
    Behind,
}

impl Belief {
    /// At the start: how long the node was away nobody knows, so that only a long time is doubted.
    fn at_start(last_close: CloseTime, wall: CloseTime, steady_secs: u64) -> Self {
        let is_believed = away_secs(wall, last_close) <= CLOCK_AWAY_SECS_MAX;
        Self {
            wall: if is_believed { wall } else { last_close },
            steady_secs,
            doubt: None,
            told: Told::Right,
        }
    }

    /// The time to go by.
    fn now(&mut self, wall: CloseTime, steady_secs: u64) -> CloseTime {
        let passed = steady_secs.saturating_sub(self.steady_secs);
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        let expected = CloseTime::new(self.wall.seconds().saturating_add(passed));
        let away_secs = away_secs(wall, expected);
        let is_same = |doubt: &Doubt| (doubt.away_secs - away_secs).abs() <= CLOCK_BEHIND_SECS_MAX;
        let doubt = self.doubt.filter(is_same).unwrap_or(Doubt {
            away_secs,
            since_steady_secs: steady_secs,
        });
        let is_steady = steady_secs.saturating_sub(doubt.since_steady_secs) >= CLOCK_STEADY_SECS;
        if away_secs.abs() > CLOCK_JUMP_SECS_MAX && !is_steady {
            self.doubt = Some(doubt);
            return expected;
        }
        self.wall = wall;
        self.steady_secs = steady_secs;
        self.doubt = None;
        wall
    }

    /// What is wrong with the clock, after `now`.
    fn fault(&self, wall: CloseTime, now: CloseTime, last_close: CloseTime) -> Option<ClockFault> {
        if self.doubt.is_some() {
            return Some(ClockFault::Jumped {
                says: wall,
                believed: now,
            });
        }
        (away_secs(last_close, now) > CLOCK_BEHIND_SECS_MAX).then_some(ClockFault::Behind {
            ledger: last_close,
            says: now,
        })
    }
}

fn away_secs(time: CloseTime, from: CloseTime) -> i64 {
    i64::from(time.seconds()) - i64::from(from.seconds())
}

impl Timekeeper {
    pub(crate) fn new(clock: Arc<dyn Clock>, last_close: CloseTime) -> Self {
        let wall = clock.now();
        let seen = if clock.is_rehearsed() { wall } else { last_close };
        let belief = Belief::at_start(seen, wall, clock.steady_secs());
        Self {
            clock,
            belief: Mutex::new(belief),
        }
    }

    /// The time to go by.
    pub(crate) fn now(&self) -> CloseTime {
        self.read().0
    }

    /// The time to go by, and what is wrong with the clock.
    pub(crate) fn check(&self, last_close: CloseTime) -> (CloseTime, Option<ClockFault>) {
        let (now, wall, belief) = self.read();
        (now, belief.fault(wall, now, last_close))
    }

    /// Tell the log what is wrong with the clock, once for each fault.
    pub(crate) fn tell(&self, last_close: CloseTime) {
        let (_, fault) = self.check(last_close);
        let told = match fault {
            None => Told::Right,
            Some(ClockFault::Jumped { .. }) => Told::Jumped,
            Some(ClockFault::Behind { .. }) => Told::Behind,
        };
        let before = {
            let mut belief = self.belief.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut belief.told, told)
        };
        match fault {
            _ if before == told => {}
            None => tracing::warn!("the clock and the ledger agree again"),
            Some(ClockFault::Jumped { says, believed }) => tracing::error!(
                says = says.to_unix(),
                believed = believed.to_unix(),
                "the clock of this machine jumped; ledgers go on by the time before it until it has run steadily for {CLOCK_STEADY_SECS} seconds"
            ),
            Some(ClockFault::Behind { ledger, says }) => tracing::error!(
                ledger = ledger.to_unix(),
                says = says.to_unix(),
                "the last ledger is ahead of this machine's clock: mails of now look old to it; if the clock is right, stop the node and take such ledgers back with 'xahau-email ledger rollback'"
            ),
        }
    }

    fn read(&self) -> (CloseTime, CloseTime, Belief) {
        let (wall, steady_secs) = (self.clock.now(), self.clock.steady_secs());
        let mut belief = self.belief.lock().unwrap_or_else(PoisonError::into_inner);
        let now = belief.now(wall, steady_secs);
        (now, wall, *belief)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u32 = 848_145_600;
    const MONTH: u32 = 30 * 86_400;

    fn at(secs: u32) -> CloseTime {
        CloseTime::new(secs)
    }

    fn started() -> Belief {
        Belief::at_start(at(START - 10), at(START), 0)
    }

    #[test]
    fn accepts_a_clock_that_runs_and_one_that_is_corrected_a_little() {
        let mut belief = started();
        assert_eq!(belief.now(at(START + 5), 5), at(START + 5));
        assert_eq!(
            belief.now(at(START + 3_605), 6),
            at(START + 3_605),
            "an hour ahead"
        );
        assert_eq!(belief.now(at(START + 7), 7), at(START + 7), "and back");
        assert_eq!(belief.fault(at(START + 7), at(START + 7), at(START)), None);
    }

    #[test]
    fn rejects_a_jump_and_goes_on_by_the_steady_clock() {
        for (jump, back) in [(MONTH, 0), (0, MONTH)] {
            let mut belief = started();
            let wall = at(START + jump - back);
            let now = belief.now(wall, 3);
            assert_eq!(now, at(START + 3));
            assert_eq!(
                belief.fault(wall, now, at(START)),
                Some(ClockFault::Jumped {
                    says: wall,
                    believed: now
                })
            );
            // It comes back within minutes, as after a bad answer of a time server.
            assert_eq!(belief.now(at(START + 60), 60), at(START + 60));
            assert!(belief.doubt.is_none());
        }
    }

    #[test]
    fn accepts_a_jump_once_the_clock_has_run_steadily() {
        let mut belief = started();
        let steady = u32::try_from(CLOCK_STEADY_SECS).expect("small");
        assert_eq!(belief.now(at(START + MONTH), 10), at(START + 10));
        assert_eq!(
            belief.now(at(START + MONTH + steady - 1), CLOCK_STEADY_SECS + 9),
            at(START + 10 + steady - 1)
        );
        let wall = at(START + MONTH + steady);
        assert_eq!(belief.now(wall, CLOCK_STEADY_SECS + 10), wall);
        assert!(belief.doubt.is_none());
    }

    #[test]
    fn rejects_a_jump_that_moves_on_for_as_long_again() {
        let mut belief = started();
        belief.now(at(START + MONTH), 10);
        let elsewhere = at(START + 2 * MONTH);
        assert_eq!(
            belief.now(elsewhere, 10 + CLOCK_STEADY_SECS).seconds(),
            START + 310
        );
        assert!(belief.doubt.is_some());
    }

    #[test]
    fn accepts_a_week_away_at_the_start_and_rejects_a_month() {
        let week = at(START + 7 * 86_400);
        let mut belief = Belief::at_start(at(START), week, 50);
        assert_eq!(belief.now(week, 50), week);
        let mut belief = Belief::at_start(at(START), at(START + MONTH), 50);
        assert_eq!(belief.now(at(START + MONTH + 4), 54), at(START + 4));
    }

    #[test]
    fn rejects_a_ledger_ahead_of_the_clock() {
        let mut belief = Belief::at_start(at(START + MONTH), at(START), 0);
        let now = belief.now(at(START), 0);
        assert_eq!(
            belief.fault(now, now, at(START + MONTH)),
            Some(ClockFault::Behind {
                ledger: at(START + MONTH),
                says: at(START)
            })
        );
        assert_eq!(
            belief.fault(now, now, at(START + 20)),
            None,
            "close times are rounded"
        );
    }
}
