//! The signed Date of a mail, in one strict grammar, as seconds since 2000-01-01 UTC. Knows no clock and no
//! window.
//!
//! Spec: 4.6. Leaves RFC 5322 3.3: no two-digit years, no named zones but GMT, UT, UTC and Z, one comment at
//! the end only.

use thiserror::Error;

use crate::mail::text::{is_wsp, trim_wsp, unfold};

/// Seconds from 1970-01-01 to 2000-01-01 UTC.
pub(crate) const SECS_1970_TO_2000: i64 = 946_684_800;

/// Why a Date is refused. Spec: 4.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DateError {
    /// Not day, month, year, time and zone in the one allowed form.
    #[error("not of the form `Mon, 16 Nov 2026 10:00:00 +0000`")]
    Form,
    /// A name before the comma that is no day.
    #[error("not a day name before the comma")]
    DayName,
    /// No such day in that month.
    #[error("no such day in that month")]
    Day,
    /// Hour over 23, minute or second over 59.
    #[error("no such time of day")]
    Time,
    /// A zone other than +hhmm, -hhmm, GMT, UT, UTC and Z, or with minutes over 59.
    #[error("not a zone of the form +hhmm, -hhmm, GMT, UT, UTC or Z")]
    Zone,
    /// Something other than one comment after the zone.
    #[error("text after the zone that is not one comment")]
    AfterZone,
    /// Before 2000 or after 2136.
    #[error("outside the years that the ledger can count")]
    Range,
}

/// Seconds since 2000-01-01 UTC of a Date value.
///
/// Spec: 4.6. `[day-name ","] 1*2DIGIT month 4DIGIT hh:mm[:ss] (+hhmm / -hhmm / GMT / UT / UTC / Z) [one
/// comment]`; the day name is ignored, names compare without case. One mail must have one date on every node,
/// for replay entries live by it.
pub(crate) fn parse(value: &[u8]) -> Result<u32, DateError> {
    let value = unfold(value);
    let mut rest = trim_wsp(&value);
    // A comma behind the opening of the comment is the comment's.
    if let Some(comma) = rest
        .iter()
        .position(|b| matches!(b, b',' | b'('))
        .filter(|at| rest.get(*at) == Some(&b','))
    {
        let name = rest.get(..comma).unwrap_or_default();
        if position_of(&DAYS, trim_wsp(name)).is_none() {
            return Err(DateError::DayName);
        }
        rest = trim_wsp(rest.get(comma.saturating_add(1)..).unwrap_or_default());
    }
    let day = digits(word(&mut rest)?, 1, 2).ok_or(DateError::Form)?;
    let month = position_of(&MONTHS, word(&mut rest)?).ok_or(DateError::Form)?;
    let year = digits(word(&mut rest)?, 4, 4).ok_or(DateError::Form)?;
    let time = time_of_day(word(&mut rest)?)?;
    let zone_end = rest
        .iter()
        .position(|b| is_wsp(*b) || *b == b'(')
        .unwrap_or(rest.len());
    let (zone_text, tail) = rest.split_at_checked(zone_end).unwrap_or((rest, b""));
    let offset = zone(zone_text)?;
    check_comment(trim_wsp(tail))?;
    let days = days_since_2000(year, month, day).ok_or(DateError::Day)?;
    days.checked_mul(86_400)
        .and_then(|secs| secs.checked_add(time))
        .and_then(|secs| secs.checked_sub(offset))
        .and_then(|secs| u32::try_from(secs).ok())
        .ok_or(DateError::Range)
}

const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// Names of the zone +0000. RFC 5322 4.3 has GMT, UT and Z; programs write UTC.
const ZERO_ZONES: [&[u8]; 4] = [b"GMT", b"UT", b"UTC", b"Z"];

fn position_of(names: &[&[u8]], name: &[u8]) -> Option<i64> {
    names
        .iter()
        .position(|n| n.eq_ignore_ascii_case(name))
        .and_then(|at| i64::try_from(at).ok())
}

/// Takes the next word and the white space after it.
fn word<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DateError> {
    let end = rest.iter().position(|b| is_wsp(*b)).ok_or(DateError::Form)?;
    let (word, tail) = rest.split_at_checked(end).ok_or(DateError::Form)?;
    *rest = trim_wsp(tail);
    Ok(word)
}

fn digits(text: &[u8], length_min: usize, length_max: usize) -> Option<i64> {
    if text.len() < length_min || text.len() > length_max || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.iter().try_fold(0_i64, |number, digit| {
        number.checked_mul(10)?.checked_add(i64::from(digit & 0x0F))
    })
}

fn time_of_day(text: &[u8]) -> Result<i64, DateError> {
    let mut fields = text
        .split(|b| *b == b':')
        .map(|field| digits(field, 2, 2).ok_or(DateError::Form));
    let hour = fields.next().ok_or(DateError::Form)??;
    let minute = fields.next().ok_or(DateError::Form)??;
    let second = fields.next().unwrap_or(Ok(0))?;
    if fields.next().is_some() {
        return Err(DateError::Form);
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(DateError::Time);
    }
    hour.checked_mul(3_600)
        .and_then(|secs| secs.checked_add(minute.checked_mul(60)?))
        .and_then(|secs| secs.checked_add(second))
        .ok_or(DateError::Time)
}

/// Seconds east of UTC.
fn zone(text: &[u8]) -> Result<i64, DateError> {
    if ZERO_ZONES.iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Ok(0);
    }
    let (sign, number) = text.split_first().ok_or(DateError::Zone)?;
    let (hours, minutes) = number.split_at_checked(2).ok_or(DateError::Zone)?;
    let hours = digits(hours, 2, 2).ok_or(DateError::Zone)?;
    let minutes = digits(minutes, 2, 2)
        .filter(|m| *m <= 59)
        .ok_or(DateError::Zone)?;
    let secs = hours
        .checked_mul(3_600)
        .and_then(|s| s.checked_add(minutes.checked_mul(60)?))
        .ok_or(DateError::Zone)?;
    match sign {
        b'+' => Ok(secs),
        b'-' => Ok(secs.saturating_neg()),
        _ => Err(DateError::Zone),
    }
}

fn check_comment(tail: &[u8]) -> Result<(), DateError> {
    if tail.is_empty() {
        return Ok(());
    }
    let inner = tail
        .strip_prefix(b"(")
        .and_then(|t| t.strip_suffix(b")"))
        .ok_or(DateError::AfterZone)?;
    let legal = |b: &u8| (b.is_ascii_graphic() && !matches!(b, b'(' | b')')) || is_wsp(*b);
    if inner.iter().all(legal) {
        Ok(())
    } else {
        Err(DateError::AfterZone)
    }
}

/// Days from 2000-01-01; `month` counts from 0. `None` where there is no such day.
fn days_since_2000(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year.checked_rem(4)? == 0 && (year.checked_rem(100)? != 0 || year.checked_rem(400)? == 0);
    let lengths = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let month = usize::try_from(month).ok()?;
    let length: i64 = *lengths.get(month)?;
    if day < 1 || day > length {
        return None;
    }
    // Leap days before this year, counted from the year 0 in the Gregorian rule; 2000 itself is the base.
    let leap_days = |y: i64| -> Option<i64> {
        let y = y.checked_sub(1)?;
        y.div_euclid(4)
            .checked_sub(y.div_euclid(100))?
            .checked_add(y.div_euclid(400))
    };
    let years = year.checked_sub(2000)?.checked_mul(365)?;
    let leaps = leap_days(year)?.checked_sub(leap_days(2000)?)?;
    let months: i64 = lengths.iter().take(month).sum();
    years
        .checked_add(leaps)?
        .checked_add(months)?
        .checked_add(day)?
        .checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values by `date -u -d ... +%s` minus 946684800.
    #[test]
    fn accepts_the_forms_of_the_rule() {
        for (text, secs) in [
            ("Mon, 16 Nov 2026 10:00:00 +0000", 848_138_400),
            ("mon, 16 nov 2026 10:00:00 gmt", 848_138_400),
            ("Tue, 16 Nov 2026 10:00 UT", 848_138_400),
            ("Mon, 16 Nov 2026 10:00:00 UTC", 848_138_400),
            ("Mon, 16 Nov 2026 10:00:00 Z", 848_138_400),
            ("Mon, 16 Nov 2026 10:00:00 utc (Z)", 848_138_400),
            ("16 Nov 2026 12:00:00 +0200 (CEST)", 848_138_400),
            ("16 Nov 2026 05:30:00 -0430(x)", 848_138_400),
            ("Mon,16  Nov\t2026 10:00:00\r\n +0000 ( )", 848_138_400),
            ("1 Jan 2000 00:00:00 -0000", 0),
            ("31 Dec 1999 23:00:00 -0100", 0),
            ("29 Feb 2000 00:00:00 +0000", 5_097_600),
            ("29 Feb 2024 00:00:00 +0000", 762_480_000),
            ("07 Feb 2136 06:28:15 +0000", 4_294_967_295),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(secs), "{text}");
        }
    }

    #[test]
    fn rejects_everything_else() {
        for (text, error) in [
            ("", DateError::Form),
            ("Mon, 16 Nov 26 10:00:00 +0000", DateError::Form),
            ("Mon, 16 November 2026 10:00:00 +0000", DateError::Form),
            ("Mon, 016 Nov 2026 10:00:00 +0000", DateError::Form),
            ("Mon 16 Nov 2026 10:00:00 +0000", DateError::Form),
            ("Noday, 16 Nov 2026 10:00:00 +0000", DateError::DayName),
            ("16 Nov 2026 1:00:00 +0000", DateError::Form),
            ("16 Nov 2026 10:00:00:00 +0000", DateError::Form),
            ("16 Nov 2026 10 +0000", DateError::Form),
            ("16 Nov 2026 10:00:00", DateError::Form),
            ("16 Nov 2026 24:00:00 +0000", DateError::Time),
            ("16 Nov 2026 23:60:00 +0000", DateError::Time),
            ("16 Nov 2026 23:59:60 +0000", DateError::Time),
            ("16 Nov 2026 10:00:00 EST", DateError::Zone),
            ("16 Nov 2026 10:00:00 A", DateError::Zone),
            ("16 Nov 2026 10:00:00 ZZ", DateError::Zone),
            ("16 Nov 2026 10:00:00 UTC+0", DateError::Zone),
            ("16 Nov 2026 10:00:00 UTC Z", DateError::AfterZone),
            ("16 Nov 2026 10:00:00 +0060", DateError::Zone),
            ("16 Nov 2026 10:00:00 0000", DateError::Zone),
            ("16 Nov 2026 10:00:00 +00000", DateError::Zone),
            ("16 Nov 2026 10:00:00 +0000 x", DateError::AfterZone),
            ("16 Nov 2026 10:00:00 +0000 (a) (b)", DateError::AfterZone),
            ("16 Nov 2026 10:00:00 +0000 (a(b))", DateError::AfterZone),
            ("31 Nov 2026 10:00:00 +0000", DateError::Day),
            ("0 Nov 2026 10:00:00 +0000", DateError::Day),
            ("29 Feb 2026 10:00:00 +0000", DateError::Day),
            ("29 Feb 2100 10:00:00 +0000", DateError::Day),
            ("31 Dec 1999 23:59:59 +0000", DateError::Range),
            ("07 Feb 2136 06:28:16 +0000", DateError::Range),
            ("1 Jan 0000 00:00:00 +0000", DateError::Range),
            ("31 Dec 9999 23:59:59 +0000", DateError::Range),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
