//! Sums of money as people are told them: exact, and issued money never without its issuer.

use std::fmt;
use std::str::FromStr;

use codec::{AccountId, Amount, Currency, Drops, IssuedAmount};

use crate::limits::PLAIN_DIGITS_MAX;

/// A kind of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// XAH.
    Xah,
    /// A promise of an issuer.
    Issued {
        /// Its currency.
        currency: Currency,
        /// Who promises.
        issuer: AccountId,
    },
}

/// An exact number: mantissa times ten to the exponent. A difference of two balances may have more digits than
/// an amount of the ledger can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: i64,
    exponent: i32,
}

impl Decimal {
    pub(super) const ZERO: Decimal = Decimal {
        mantissa: 0,
        exponent: 0,
    };

    /// `None` where the digits do not fit.
    fn new(mut mantissa: i128, mut exponent: i32) -> Option<Decimal> {
        if mantissa == 0 {
            return Some(Decimal::ZERO);
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent = exponent.checked_add(1)?;
        }
        let mantissa = i64::try_from(mantissa).ok()?;
        Some(Decimal { mantissa, exponent })
    }

    pub(super) fn of(amount: &Amount) -> Option<Decimal> {
        match amount {
            Amount::Native(drops) => Decimal::new(i128::from(*drops), -6),
            Amount::Issued(issued) => Decimal::new(i128::from(issued.mantissa()), issued.exponent()),
        }
    }

    /// `None` where the digits do not fit.
    pub(super) fn plus(self, other: Decimal) -> Option<Decimal> {
        if self.mantissa == 0 {
            return Some(other);
        }
        if other.mantissa == 0 {
            return Some(self);
        }
        let exponent = self.exponent.min(other.exponent);
        let aligned = |number: Decimal| {
            let factor = 10_i128.checked_pow(u32::try_from(number.exponent - exponent).ok()?)?;
            i128::from(number.mantissa).checked_mul(factor)
        };
        let mantissa = aligned(self)?.checked_add(aligned(other)?)?;
        Decimal::new(mantissa, exponent)
    }

    pub(super) fn negative(self) -> Decimal {
        Decimal {
            mantissa: self.mantissa.saturating_neg(),
            ..self
        }
    }

    /// Of a balance, the part above zero.
    pub(super) fn above_zero(self) -> Decimal {
        if self.mantissa > 0 { self } else { Decimal::ZERO }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let power = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
        if self.exponent >= 0 {
            if digits.len().saturating_add(power) > PLAIN_DIGITS_MAX {
                return write!(f, "{sign}{digits}e{}", self.exponent);
            }
            return write!(f, "{sign}{digits}{}", "0".repeat(power));
        }
        let padded = format!("{digits:0>width$}", width = power.saturating_add(1));
        let (whole, part) = padded.split_at(padded.len() - power);
        write!(f, "{sign}{whole}.{part}")
    }
}

impl FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Decimal, ()> {
        let (number, power) = match text.split_once('e') {
            Some((number, power)) => (number, power.parse::<i32>().map_err(drop)?),
            None => (text, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let places = i32::try_from(part.len()).map_err(drop)?;
        let mantissa = format!("{whole}{part}").parse().map_err(drop)?;
        Decimal::new(mantissa, power.checked_sub(places).ok_or(())?).ok_or(())
    }
}

/// How much of one kind of money; shown as `10 XAH` or `12.5 USD/rIssuer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    pub(super) value: Decimal,
    unit: Unit,
}

/// A text is no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sum of money")]
pub struct NoSum;

impl Sum {
    pub(super) fn new(value: Decimal, unit: Unit) -> Sum {
        Sum { value, unit }
    }

    /// Of XAH.
    #[must_use]
    pub fn of_drops(drops: Drops) -> Sum {
        // All XAH in existence fits.
        let value = Decimal::new(i128::from(drops.get()), -6).unwrap_or(Decimal::ZERO);
        let unit = Unit::Xah;
        Sum { value, unit }
    }

    /// The same as an amount of the ledger.
    #[must_use]
    pub fn of_amount(amount: &Amount) -> Option<Sum> {
        let unit = match amount {
            Amount::Native(_) => Unit::Xah,
            Amount::Issued(issued) => unit_of(issued, issued.issuer()),
        };
        let value = Decimal::of(amount)?;
        Some(Sum { value, unit })
    }

    /// What kind of money it is.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Who promises it; `None` for XAH.
    #[must_use]
    pub fn issuer(&self) -> Option<AccountId> {
        match self.unit {
            Unit::Xah => None,
            Unit::Issued { issuer, .. } => Some(issuer),
        }
    }

    /// What issued money is, in one sentence; nothing for XAH.
    #[must_use]
    pub fn promise(&self) -> Option<String> {
        let issuer = self.issuer()?;
        Some(format!(
            "This is not XAH. It is a promise of the account {issuer}, which issued it, and is worth what that account \
             gives for it."
        ))
    }

    /// So much at an issuer's transfer rate, in billionths; `None` where the digits do not fit.
    #[must_use]
    pub fn at_rate(self, billionths: u32) -> Option<Sum> {
        let mantissa = i128::from(self.value.mantissa).checked_mul(i128::from(billionths))?;
        let value = Decimal::new(mantissa, self.value.exponent.checked_sub(9)?)?;
        Some(Sum { value, ..self })
    }

    /// Drops of XAH that are no debt.
    #[must_use]
    pub fn drops(&self) -> Option<Drops> {
        let factor = 10_i128.checked_pow(u32::try_from(self.value.exponent.checked_add(6)?).ok()?)?;
        let drops = u64::try_from(i128::from(self.value.mantissa).checked_mul(factor)?).ok()?;
        (self.unit == Unit::Xah).then_some(Drops::new(drops))
    }

    /// Both together, where they are of one kind.
    #[must_use]
    pub fn plus(self, other: Sum) -> Option<Sum> {
        let value = self.value.plus(other.value)?;
        (self.unit == other.unit).then_some(Sum { value, ..self })
    }

    pub(super) fn is_zero(&self) -> bool {
        self.value == Decimal::ZERO
    }

    pub(super) fn is_above_zero(&self) -> bool {
        self.value.mantissa > 0
    }

    pub(super) fn negative(self) -> Sum {
        Sum {
            value: self.value.negative(),
            ..self
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Xah => write!(f, "{} XAH", self.value),
            Unit::Issued { currency, issuer } => write!(f, "{} {currency}/{issuer}", self.value),
        }
    }
}

impl FromStr for Sum {
    type Err = NoSum;

    fn from_str(text: &str) -> Result<Sum, NoSum> {
        let (value, unit) = text.split_once(' ').ok_or(NoSum)?;
        let unit = match unit.split_once('/') {
            None if unit == "XAH" => Unit::Xah,
            None => return Err(NoSum),
            Some((currency, issuer)) => Unit::Issued {
                currency: Currency::parse(currency).ok_or(NoSum)?,
                issuer: AccountId::parse_classic(issuer).map_err(|_| NoSum)?,
            },
        };
        let value = value.parse().map_err(|()| NoSum)?;
        Ok(Sum { value, unit })
    }
}

/// What an issuer promises in the currency of an amount.
pub(super) fn unit_of(issued: &IssuedAmount, issuer: AccountId) -> Unit {
    Unit::Issued {
        currency: issued.currency(),
        issuer,
    }
}
