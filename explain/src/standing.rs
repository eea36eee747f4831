//! Until when a refused mail can still be executed: by a later ledger, by another node, or in a copy that nobody
//! changed. Who then sends a second mail pays twice, so every such refusal says it.
//!
//! Spec: 4.6, 7.3, 14.

use amendment::limits::EMAIL_WINDOW_SECS;
use amendment::{Refusal, WindowError};
use codec::CloseTime;

use crate::evidence::Evidence;
use crate::limits::ADVICE_BYTES_MAX;

/// Seconds of a day, an hour and a minute.
const DAY_SECS: u32 = 86_400;
const HOUR_SECS: u32 = 3_600;
const MINUTE_SECS: u32 = 60;

/// The advice, and what is still to be expected of the mail.
pub(crate) fn with_standing(advice: String, refusal: &Refusal, evidence: &Evidence<'_>) -> String {
    let Some((mail, until)) = subject(refusal).and_then(|mail| Some((mail, until(evidence)?))) else {
        return advice;
    };
    let told = format!(
        "{advice} {mail} until {until}: whoever has a copy can hand it in, and a second mail would be executed as well."
    );
    if told.len() <= ADVICE_BYTES_MAX {
        return told;
    }
    let short = format!("{advice} {mail} until {until}, for whoever has a copy.");
    if short.len() <= ADVICE_BYTES_MAX {
        short
    } else {
        advice
    }
}

/// What stays good, and how; `None` where the refusal is for ever, in every copy.
fn subject(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Window(WindowError::Early) | Refusal::KeyUnknown => Some("The mail stays good"),
        Refusal::KeyRevoked | Refusal::KeyRecord(_) | Refusal::IdentityBelowStrictKey => {
            Some("With a usable key it is good")
        }
        Refusal::BodyHash | Refusal::Signature => Some("An unchanged copy stays good"),
        // The signed words themselves are refused, or there is nothing that could be proven.
        _ => None,
    }
}

/// The last moment at which the window lets the mail pass, as `21 Nov 2026 10:00 UTC`.
pub(crate) fn until(evidence: &Evidence<'_>) -> Option<String> {
    let draft = evidence.draft?;
    let date = i64::try_from(CloseTime::new(draft.date?).to_unix()).ok()?;
    let times = draft.candidate.times?;
    let window = i64::from(EMAIL_WINDOW_SECS);
    let last = date.min(times.timestamp.unwrap_or(date)).checked_add(window)?;
    let last = last.min(times.expiry.unwrap_or(last));
    let last = CloseTime::from_unix(u64::try_from(last).ok()?)?;
    moment(last).filter(|_| last >= evidence.now)
}

/// A day and a minute, UTC.
pub(crate) fn moment(time: CloseTime) -> Option<String> {
    const MONTHS: [(&str, u32); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let seconds = time.seconds();
    let mut day = seconds / DAY_SECS;
    // The ledger's time ends in 2136; 2100 is no leap year.
    let is_leap = |year: u32| year.is_multiple_of(4) && year != 2100;
    let mut months = (2000_u32..).flat_map(|year| MONTHS.map(|(month, days)| (year, month, days)));
    let (year, month, _) = months.find(|(year, month, days)| {
        let days = if *month == "Feb" && is_leap(*year) {
            29
        } else {
            *days
        };
        let is_here = day < days;
        if !is_here {
            day = day.saturating_sub(days);
        }
        is_here
    })?;
    let day = day.saturating_add(1);
    let (hour, minute) = (seconds % DAY_SECS / HOUR_SECS, seconds % HOUR_SECS / MINUTE_SECS);
    Some(format!("{day} {month} {year} {hour:02}:{minute:02} UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: `date -u -d @UNIX '+%-d %b %Y %H:%M'`.
    #[test]
    fn moments_are_those_of_the_calendar() {
        for (unix, text) in [
            (946_684_800, "1 Jan 2000 00:00 UTC"),
            (951_782_400, "29 Feb 2000 00:00 UTC"),
            (1_794_823_200, "16 Nov 2026 10:00 UTC"),
            (1_798_761_599, "31 Dec 2026 23:59 UTC"),
            (1_835_438_400, "29 Feb 2028 12:00 UTC"),
            (4_107_542_400, "1 Mar 2100 00:00 UTC"),
            (5_241_652_095, "7 Feb 2136 06:28 UTC"),
        ] {
            let time = CloseTime::from_unix(unix).expect("in range");
            assert_eq!(moment(time).as_deref(), Some(text), "{unix}");
        }
    }
}
