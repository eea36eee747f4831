//! Amounts of XAH and of issued money: bits, bounds, text (xahaud STAmount.cpp, IOUAmount.cpp).
//!
//! No arithmetic: its rounding is the ledger's business.

use crate::limits::{AMOUNT_DIGITS_MAX, DROPS_MAX, EXPONENT_MAX, EXPONENT_MIN, MANTISSA_MAX, MANTISSA_MIN};
use crate::types::{AccountId, Currency, Drops};
use std::fmt;

const NOT_NATIVE: u64 = 1 << 63;
pub(crate) const POSITIVE: u64 = 1 << 62;
const EXPONENT_SHIFT: u32 = 54;
const EXPONENT_BIAS: i32 = 97;
const MANTISSA_MASK: u64 = (1 << EXPONENT_SHIFT) - 1;

/// Why an amount is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Mantissa or exponent out of the canonical range.
    #[error("issued amount out of range: mantissa 10^15 to 10^16-1, exponent -96 to 80")]
    OutOfRange,
    /// The native currency in an issued amount, or no issuer.
    #[error("an issued amount needs a currency other than XAH and an issuer")]
    NoIssuer,
    /// All-zero bytes.
    #[error("negative zero")]
    NegativeZero,
    /// Not the text of a number, or more digits than it can hold exactly.
    #[error("not a number that an amount can hold exactly")]
    Text,
}

/// XAH or issued money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// Drops; negative ones can be written down but are never legal.
    Native(i64),
    /// Issued money.
    Issued(IssuedAmount),
}

impl Amount {
    /// An amount of XAH. Values above 2^62 cannot be written; callers hold them below 10^17.
    #[must_use]
    pub fn from_drops(drops: Drops) -> Self {
        Amount::Native(i64::try_from(drops.get()).unwrap_or(i64::MAX))
    }

    /// Drops of a native amount in 0..=10^17; else `None`.
    pub fn as_drops(&self) -> Option<Drops> {
        match self {
            Amount::Native(drops) => u64::try_from(*drops)
                .ok()
                .filter(|drops| *drops <= DROPS_MAX)
                .map(Drops::new),
            Amount::Issued(_) => None,
        }
    }

    /// True for XAH.
    #[must_use]
    pub fn is_native(&self) -> bool {
        matches!(self, Amount::Native(_))
    }

    /// True for zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Amount::Native(drops) => *drops == 0,
            Amount::Issued(issued) => issued.mantissa == 0,
        }
    }

    /// True above zero.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        match self {
            Amount::Native(drops) => *drops > 0,
            Amount::Issued(issued) => issued.mantissa > 0,
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Amount::Native(drops) => {
                let sign = if *drops >= 0 { POSITIVE } else { 0 };
                out.extend_from_slice(&(drops.unsigned_abs() | sign).to_be_bytes());
            }
            Amount::Issued(issued) => {
                out.extend_from_slice(&issued.value_bits().to_be_bytes());
                out.extend_from_slice(issued.currency.as_bytes());
                out.extend_from_slice(issued.issuer.as_bytes());
            }
        }
    }

    /// True where the first 8 bytes say that currency and issuer follow.
    pub(crate) fn is_issued(bytes: [u8; 8]) -> bool {
        u64::from_be_bytes(bytes) & NOT_NATIVE != 0
    }

    pub(crate) fn read_native(bytes: [u8; 8]) -> Result<Self, AmountError> {
        let bits = u64::from_be_bytes(bytes);
        let drops = i64::try_from(bits & !POSITIVE).map_err(|_| AmountError::OutOfRange)?;
        match (bits & POSITIVE != 0, drops) {
            (true, _) => Ok(Amount::Native(drops)),
            (false, 0) => Err(AmountError::NegativeZero),
            (false, _) => Ok(Amount::Native(drops.saturating_neg())),
        }
    }

    pub(crate) fn read_issued(
        bytes: [u8; 8],
        currency: [u8; 20],
        issuer: [u8; 20],
    ) -> Result<Self, AmountError> {
        let bits = u64::from_be_bytes(bytes);
        let (currency, issuer) = (Currency::new(currency), AccountId::new(issuer));
        if bits == NOT_NATIVE {
            return IssuedAmount::new(0, 0, currency, issuer).map(Amount::Issued);
        }
        let mantissa = i64::try_from(bits & MANTISSA_MASK).map_err(|_| AmountError::OutOfRange)?;
        if mantissa == 0 {
            return Err(AmountError::OutOfRange);
        }
        let exponent = i32::try_from((bits >> EXPONENT_SHIFT) & 0xFF).map_err(|_| AmountError::OutOfRange)?;
        let signed = if bits & POSITIVE != 0 {
            mantissa
        } else {
            mantissa.saturating_neg()
        };
        let exponent = exponent.saturating_sub(EXPONENT_BIAS);
        IssuedAmount::new(signed, exponent, currency, issuer).map(Amount::Issued)
    }
}

/// Issued money: mantissa times ten to the exponent, of a currency and issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IssuedAmount {
    mantissa: i64,
    exponent: i32,
    currency: Currency,
    issuer: AccountId,
}

impl IssuedAmount {
    /// From canonical parts; zero is mantissa 0 with any exponent (kept as 0).
    pub fn new(
        mantissa: i64,
        exponent: i32,
        currency: Currency,
        issuer: AccountId,
    ) -> Result<Self, AmountError> {
        if currency.is_native() || issuer == AccountId::ZERO {
            return Err(AmountError::NoIssuer);
        }
        if mantissa == 0 {
            return Ok(IssuedAmount {
                mantissa: 0,
                exponent: 0,
                currency,
                issuer,
            });
        }
        let in_range = (MANTISSA_MIN..=MANTISSA_MAX).contains(&mantissa.unsigned_abs())
            && (EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent);
        in_range
            .then_some(IssuedAmount {
                mantissa,
                exponent,
                currency,
                issuer,
            })
            .ok_or(AmountError::OutOfRange)
    }

    /// From digits and a power of ten, brought to canonical form where that loses nothing.
    pub fn from_digits(
        digits: u64,
        mut exponent: i32,
        currency: Currency,
        issuer: AccountId,
    ) -> Result<Self, AmountError> {
        let mut mantissa = digits;
        while mantissa != 0 && mantissa < MANTISSA_MIN {
            mantissa = mantissa.saturating_mul(10);
            exponent = exponent.checked_sub(1).ok_or(AmountError::OutOfRange)?;
        }
        while mantissa > MANTISSA_MAX {
            if !mantissa.is_multiple_of(10) {
                return Err(AmountError::Text);
            }
            mantissa /= 10;
            exponent = exponent.checked_add(1).ok_or(AmountError::OutOfRange)?;
        }
        let mantissa = i64::try_from(mantissa).map_err(|_| AmountError::OutOfRange)?;
        IssuedAmount::new(mantissa, exponent, currency, issuer)
    }

    /// Reads Xahau's text of a value: sign, digits, point, exponent; exact or refused.
    ///
    /// ```
    /// use codec::{AccountId, AmountError, Currency, IssuedAmount};
    ///
    /// let usd = Currency::from_iso(*b"USD");
    /// let amount = IssuedAmount::parse("12.50", usd, AccountId::ONE)?;
    /// assert_eq!((amount.mantissa(), amount.exponent()), (1_250_000_000_000_000, -14));
    /// assert_eq!(amount.value_text(), "12.5");
    /// # Ok::<(), AmountError>(())
    /// ```
    pub fn parse(text: &str, currency: Currency, issuer: AccountId) -> Result<Self, AmountError> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (number, power) = match rest.split_once(['e', 'E']) {
            Some((number, power)) => (number, power.parse::<i32>().map_err(|_| AmountError::Text)?),
            None => (rest, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let ok = !whole.is_empty()
            && all_digits(whole)
            && all_digits(part)
            && (number.contains('.') != part.is_empty())
            && (whole == "0" || !whole.starts_with('0'))
            && whole.len().saturating_add(part.len()) <= AMOUNT_DIGITS_MAX;
        if !ok {
            return Err(AmountError::Text);
        }
        let part = part.trim_end_matches('0');
        let digits = format!("{whole}{part}")
            .parse::<u64>()
            .map_err(|_| AmountError::Text)?;
        let places = i32::try_from(part.len()).map_err(|_| AmountError::Text)?;
        let exponent = power.checked_sub(places).ok_or(AmountError::OutOfRange)?;
        let value = IssuedAmount::from_digits(digits, exponent, currency, issuer)?;
        Ok(if negative {
            IssuedAmount {
                mantissa: value.mantissa.saturating_neg(),
                ..value
            }
        } else {
            value
        })
    }

    /// Signed mantissa: 0, or 10^15 to 10^16-1 in size.
    #[must_use]
    pub fn mantissa(&self) -> i64 {
        self.mantissa
    }

    /// Exponent: 0 for zero, else -96 to 80.
    #[must_use]
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// Currency; never XAH.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Issuer; never account zero.
    #[must_use]
    pub fn issuer(&self) -> AccountId {
        self.issuer
    }

    fn value_bits(&self) -> u64 {
        if self.mantissa == 0 {
            return NOT_NATIVE;
        }
        let sign = if self.mantissa > 0 { POSITIVE } else { 0 };
        let exponent = u64::try_from(self.exponent.saturating_add(EXPONENT_BIAS)).unwrap_or(0);
        NOT_NATIVE | sign | (exponent << EXPONENT_SHIFT) | self.mantissa.unsigned_abs()
    }

    /// The value alone, as Xahau writes it (`STAmount::getText`).
    #[must_use]
    pub fn value_text(&self) -> String {
        if self.mantissa == 0 {
            return "0".to_owned();
        }
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let scientific = self.exponent != 0 && !(-25..=-5).contains(&self.exponent);
        if scientific {
            return format!("{sign}{digits}e{}", self.exponent);
        }
        let places = usize::try_from(self.exponent.saturating_neg()).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
        let point_at = padded.len().saturating_sub(places);
        let (whole, part) = padded.split_at_checked(point_at).unwrap_or((&padded, ""));
        let part = part.trim_end_matches('0');
        let point = if part.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{part}")
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Native(drops) => match u64::try_from(*drops) {
                Ok(drops) => write!(f, "{} XAH", Drops::new(drops).to_xah()),
                Err(_) => write!(f, "{drops} drops"),
            },
            Amount::Issued(issued) => {
                write!(f, "{} {}/{}", issued.value_text(), issued.currency, issued.issuer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(mantissa: i64, exponent: i32) -> Result<IssuedAmount, AmountError> {
        IssuedAmount::new(mantissa, exponent, Currency::from_iso(*b"USD"), AccountId::ONE)
    }

    // Bits: xahau-facts 1.5.
    #[test]
    fn accepts_the_sample_bits() {
        let rows = [
            (1_000_000_000_000_000, -15, 0xD483_8D7E_A4C6_8000u64, "1"),
            (-1_000_000_000_000_000, -15, 0x9483_8D7E_A4C6_8000, "-1"),
            (1_000_000_000_000_000, -14, 0xD4C3_8D7E_A4C6_8000, "10"),
            (
                9_999_999_999_999_999,
                80,
                0xEC63_86F2_6FC0_FFFF,
                "9999999999999999e80",
            ),
            (
                1_000_000_000_000_000,
                -96,
                0xC043_8D7E_A4C6_8000,
                "1000000000000000e-96",
            ),
            (0, 0, 0x8000_0000_0000_0000, "0"),
        ];
        for (mantissa, exponent, bits, text) in rows {
            let amount = issued(mantissa, exponent).expect("canonical");
            assert_eq!(amount.value_bits(), bits);
            assert_eq!(amount.value_text(), text);
            let mut bytes = Vec::new();
            Amount::Issued(amount).write(&mut bytes);
            let read = Amount::read_issued(
                bits.to_be_bytes(),
                *Currency::from_iso(*b"USD").as_bytes(),
                *AccountId::ONE.as_bytes(),
            );
            assert_eq!(read, Ok(Amount::Issued(amount)));
            assert_eq!(
                IssuedAmount::parse(text, amount.currency(), amount.issuer()),
                Ok(amount)
            );
        }
        assert_eq!(
            Amount::read_native(0x4000_0000_000F_4240u64.to_be_bytes()),
            Ok(Amount::Native(1_000_000))
        );
    }

    #[test]
    fn rejects_what_is_out_of_range() {
        assert_eq!(issued(1, 0), Err(AmountError::OutOfRange));
        assert_eq!(issued(1_000_000_000_000_000, 81), Err(AmountError::OutOfRange));
        assert_eq!(issued(1_000_000_000_000_000, -97), Err(AmountError::OutOfRange));
        assert_eq!(Amount::read_native([0; 8]), Err(AmountError::NegativeZero));
        let zero_currency = Amount::read_issued(0xD483_8D7E_A4C6_8000u64.to_be_bytes(), [0; 20], [1; 20]);
        assert_eq!(zero_currency, Err(AmountError::NoIssuer));
        let unnormal = Amount::read_issued(0x8000_0000_0000_0001u64.to_be_bytes(), [1; 20], [1; 20]);
        assert_eq!(unnormal, Err(AmountError::OutOfRange));
    }

    #[test]
    fn rejects_texts_that_are_no_exact_number() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "01",
            "1e",
            "1e1.5",
            "--1",
            "1 ",
            "0x1",
            "12345678901234567",
        ] {
            let parsed = IssuedAmount::parse(text, Currency::from_iso(*b"USD"), AccountId::ONE);
            assert_eq!(parsed, Err(AmountError::Text), "{text}");
        }
        assert!(
            IssuedAmount::parse("12345678901234560", Currency::from_iso(*b"USD"), AccountId::ONE).is_ok()
        );
    }
}
