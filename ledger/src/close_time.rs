//! Close-time rules: resolution of the next ledger, rounding, and the effective close time.
//!
//! Xahau's rules (consensus/LedgerTiming.h), no section of the spec. The caller says what was proposed.

use codec::CloseTime;

/// The legal resolutions in seconds, finest first.
const RESOLUTIONS_SECS: [u8; 6] = [10, 20, 30, 60, 90, 120];
/// A ledger with this remainder zero is tried one step finer.
const FINER_EVERY: u32 = 8;

/// Flag in `close_flags`: the validators did not agree on a close time.
pub const NO_CLOSE_TIME_CONSENSUS: u8 = 1;

/// Resolution of ledger `index`, from its parent's resolution and flags: one step coarser after a
/// disagreement, one step finer at each eighth ledger after an agreement. A resolution that is not in the
/// list stays.
#[must_use]
pub fn next_resolution(parent_secs: u8, parent_flags: u8, index: u32) -> u8 {
    let Some(step) = RESOLUTIONS_SECS.iter().position(|secs| *secs == parent_secs) else {
        return parent_secs;
    };
    let agreed = parent_flags & NO_CLOSE_TIME_CONSENSUS == 0;
    let next = if !agreed {
        step.checked_add(1)
    } else if index.checked_rem(FINER_EVERY) == Some(0) {
        step.checked_sub(1)
    } else {
        None
    };
    next.and_then(|step| RESOLUTIONS_SECS.get(step))
        .copied()
        .unwrap_or(parent_secs)
}

/// Rounds to the nearest multiple of the resolution, halves up. Zero (no time) stays zero.
#[must_use]
pub fn round(time: CloseTime, resolution_secs: u8) -> CloseTime {
    let resolution = u32::from(resolution_secs);
    if time.seconds() == 0 || resolution == 0 {
        return time;
    }
    let half_up = time
        .seconds()
        .saturating_add(resolution.checked_div(2).unwrap_or(0));
    let rest = half_up.checked_rem(resolution).unwrap_or(0);
    CloseTime::new(half_up.saturating_sub(rest))
}

/// Close time and close flags of a ledger from the proposed time: rounded, but at least one second after the
/// parent. A proposal of zero means that the validators did not agree: parent plus one second, flagged.
#[must_use]
pub fn effective(proposed: CloseTime, resolution_secs: u8, parent: CloseTime) -> (CloseTime, u8) {
    let earliest = CloseTime::new(parent.seconds().saturating_add(1));
    if proposed.seconds() == 0 {
        return (earliest, NO_CLOSE_TIME_CONSENSUS);
    }
    (round(proposed, resolution_secs).max(earliest), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_finer_resolution_at_each_eighth_ledger() {
        // Recorded: ledger 2 has 30 s as the genesis; ledger 26 has 10 s (steps at 8 and 16).
        assert_eq!(next_resolution(30, 0, 2), 30);
        assert_eq!(next_resolution(30, 0, 8), 20);
        assert_eq!(next_resolution(20, 0, 16), 10);
        assert_eq!(next_resolution(10, 0, 24), 10);
    }

    #[test]
    fn accepts_coarser_resolution_after_each_disagreement() {
        assert_eq!(next_resolution(30, 1, 5), 60);
        assert_eq!(next_resolution(60, 1, 8), 90);
        assert_eq!(next_resolution(120, 1, 9), 120);
    }

    #[test]
    fn rejects_unknown_resolutions_by_keeping_them() {
        assert_eq!(next_resolution(11, 0, 8), 11);
        assert_eq!(next_resolution(0, 1, 8), 0);
        assert_eq!(round(CloseTime::new(17), 0), CloseTime::new(17));
    }

    #[test]
    fn accepts_rounding_to_the_nearest_halves_up() {
        assert_eq!(round(CloseTime::new(104), 10), CloseTime::new(100));
        assert_eq!(round(CloseTime::new(105), 10), CloseTime::new(110));
        assert_eq!(round(CloseTime::new(0), 10), CloseTime::new(0));
    }

    #[test]
    fn rejects_a_close_time_not_after_the_parent() {
        assert_eq!(
            effective(CloseTime::new(104), 10, CloseTime::new(103)),
            (CloseTime::new(104), 0)
        );
        assert_eq!(
            effective(CloseTime::new(90), 10, CloseTime::new(103)),
            (CloseTime::new(104), 0)
        );
        assert_eq!(
            effective(CloseTime::new(120), 10, CloseTime::new(103)),
            (CloseTime::new(120), 0)
        );
        assert_eq!(
            effective(CloseTime::new(0), 10, CloseTime::new(103)),
            (CloseTime::new(104), 1)
        );
    }
}
