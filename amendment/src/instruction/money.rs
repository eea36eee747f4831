//! The amount of an instruction: what its digits are worth on the ledger, exactly.
//!
//! Spec: 5.5.

use std::fmt;

use codec::{AccountId, Amount, Currency, Drops, IssuedAmount};
use thiserror::Error;

use crate::limits::{ISSUED_DIGITS_MAX, XAH_DECIMALS_MAX, XAH_DROPS_MAX};
use crate::mail::address;

/// Why an amount is refused. Spec: 5.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Zero.
    #[error("the amount is zero")]
    Zero,
    /// More than six decimals of XAH, or more than 15 digits of an issued currency.
    #[error("the amount has more digits than the ledger can hold")]
    Digits,
    /// More than the ledger can hold.
    #[error("the amount is out of range")]
    Range,
    /// XAH with an issuer.
    #[error("XAH has no issuer")]
    XahWithIssuer,
}

/// Amount and currency as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money<'a> {
    amount: &'a str,
    currency: &'a str,
    pub(crate) issuer: Option<&'a str>,
}

/// As it is written.
impl fmt::Display for Money<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)?;
        match self.issuer {
            Some(issuer) => write!(f, "/{issuer}"),
            None => Ok(()),
        }
    }
}

impl<'a> Money<'a> {
    /// The two words by the grammar; what they are worth is not yet asked.
    ///
    /// Spec: 5.1, 5.2.
    pub(crate) fn parse(amount: &'a str, currency: &'a str) -> Option<Money<'a>> {
        let (whole, decimals) = match amount.split_once('.') {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (amount, None),
        };
        if !is_digits(whole) || !decimals.is_none_or(is_digits) {
            return None;
        }
        if currency == "XAH" {
            return Some(Money {
                amount,
                currency,
                issuer: None,
            });
        }
        let (code, issuer) = currency.split_once('/')?;
        let legal = code.len() == 3
            && code.bytes().all(|b| b.is_ascii_uppercase())
            && address::looks_classic(issuer.as_bytes());
        legal.then_some(Money {
            amount,
            currency: code,
            issuer: Some(issuer),
        })
    }

    /// The amount on the ledger. Nothing is rounded: what does not fit is refused.
    ///
    /// Spec: 5.5.
    pub(crate) fn amount(&self, issuer: AccountId) -> Result<Amount, MoneyError> {
        let (whole, decimals) = self.amount.split_once('.').unwrap_or((self.amount, ""));
        match (self.currency, self.issuer) {
            ("XAH", None) => xah(whole, decimals).map(Amount::from_drops),
            ("XAH", Some(_)) => Err(MoneyError::XahWithIssuer),
            (code, _) => issued(whole, decimals, code, issuer).map(Amount::Issued),
        }
    }
}

/// Whether a text is one digit or more, and nothing else.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Decimals are counted as written: `1.0000000 XAH` is refused.
fn xah(whole: &str, decimals: &str) -> Result<Drops, MoneyError> {
    if decimals.len() > XAH_DECIMALS_MAX {
        return Err(MoneyError::Digits);
    }
    let digits = whole.bytes().chain(decimals.bytes());
    let padding = XAH_DECIMALS_MAX.saturating_sub(decimals.len());
    let mut drops: u64 = 0;
    for digit in digits.chain(std::iter::repeat_n(b'0', padding)) {
        let digit = u64::from(digit.saturating_sub(b'0'));
        drops = drops
            .checked_mul(10)
            .and_then(|d| d.checked_add(digit))
            .ok_or(MoneyError::Range)?;
    }
    match drops {
        0 => Err(MoneyError::Zero),
        1..=XAH_DROPS_MAX => Ok(Drops::new(drops)),
        _ => Err(MoneyError::Range),
    }
}

/// At most 15 significant digits, zeros at either end not counted; mantissa 10^15..10^16-1, exponent -96..80.
fn issued(whole: &str, decimals: &str, code: &str, issuer: AccountId) -> Result<IssuedAmount, MoneyError> {
    let digits: Vec<u8> = whole
        .bytes()
        .chain(decimals.bytes())
        .skip_while(|b| *b == b'0')
        .collect();
    let length = digits
        .iter()
        .rposition(|b| *b != b'0')
        .map_or(0, |at| at.saturating_add(1));
    let significant = digits.get(..length).unwrap_or_default();
    if significant.is_empty() {
        return Err(MoneyError::Zero);
    }
    if significant.len() > ISSUED_DIGITS_MAX {
        return Err(MoneyError::Digits);
    }
    let mut mantissa: i64 = 0;
    for digit in significant
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(MANTISSA_DIGITS)
    {
        let digit = i64::from(digit.saturating_sub(b'0'));
        mantissa = mantissa
            .checked_mul(10)
            .and_then(|m| m.checked_add(digit))
            .ok_or(MoneyError::Range)?;
    }
    // value = 0.d1d2d3... x 10^point; the mantissa holds 16 of those digits.
    let trailing = i64::try_from(digits.len()).map_err(|_| MoneyError::Range)?;
    let fraction = i64::try_from(decimals.len()).map_err(|_| MoneyError::Range)?;
    let exponent = trailing
        .checked_sub(fraction)
        .and_then(|point| point.checked_sub(16))
        .and_then(|exponent| i32::try_from(exponent).ok())
        .ok_or(MoneyError::Range)?;
    let code: [u8; 3] = code.as_bytes().try_into().map_err(|_| MoneyError::Range)?;
    IssuedAmount::new(mantissa, exponent, Currency::from_iso(code), issuer).map_err(|_| MoneyError::Range)
}

/// Digits of a canonical mantissa.
const MANTISSA_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "rUMKBg7wRVE9DWzcfCdajLfw5mXVTzHC5o";

    fn money(text: &str) -> Result<Amount, MoneyError> {
        let (amount, currency) = text.split_once(' ').expect("two words");
        let money = Money::parse(amount, currency).expect("grammar");
        money.amount(AccountId::parse_classic(A).expect("valid"))
    }

    #[test]
    fn accepts_amounts_that_fit_exactly() {
        for (text, drops) in [
            ("1 XAH", 1_000_000),
            ("0.000001 XAH", 1),
            ("1.500000 XAH", 1_500_000),
            ("0001 XAH", 1_000_000),
            ("100000000000 XAH", XAH_DROPS_MAX),
        ] {
            assert_eq!(
                money(text).map(|m| m.as_drops()),
                Ok(Some(Drops::new(drops))),
                "{text}"
            );
        }
        for (text, mantissa, exponent) in [
            ("1", 1_000_000_000_000_000, -15),
            ("000123456789012345.000000", 1_234_567_890_123_450, -1),
            ("0.00100", 1_000_000_000_000_000, -18),
            ("1200000000000000000000", 1_200_000_000_000_000, 6),
            ("0.5", 5_000_000_000_000_000, -16),
        ] {
            match money(&format!("{text} EUR/{A}")) {
                Ok(Amount::Issued(m)) => {
                    assert_eq!((m.mantissa(), m.exponent()), (mantissa, exponent), "{text}")
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(money(&format!("1{} EUR/{A}", "0".repeat(95))).is_ok());
        assert!(money(&format!("0.{}1 EUR/{A}", "0".repeat(80))).is_ok());
    }

    #[test]
    fn rejects_amounts_that_do_not_fit() {
        for (text, error) in [
            ("0 XAH".to_owned(), MoneyError::Zero),
            ("0.000000 XAH".to_owned(), MoneyError::Zero),
            ("1.0000000 XAH".to_owned(), MoneyError::Digits),
            ("100000000000.000001 XAH".to_owned(), MoneyError::Range),
            (format!("{} XAH", "9".repeat(40)), MoneyError::Range),
            (format!("1 XAH/{A}"), MoneyError::XahWithIssuer),
            (format!("0.0 EUR/{A}"), MoneyError::Zero),
            (format!("1234567890123456 EUR/{A}"), MoneyError::Digits),
            (format!("1{} EUR/{A}", "0".repeat(96)), MoneyError::Range),
            (format!("0.{}1 EUR/{A}", "0".repeat(81)), MoneyError::Range),
        ] {
            assert_eq!(money(&text), Err(error), "{text}");
        }
    }
}
