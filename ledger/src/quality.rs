//! Quality of an exchange: what goes in for one that comes out. Less is better.
//!
//! Xahau's rules (protocol/impl/Quality.cpp, STAmount.cpp `getRate`), no section of the spec.

use codec::IssuedAmount;

use crate::issued;

/// A quality as an order book orders it: the exponent, then the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quality {
    /// `None`: too good or too bad to be written. xahaud writes 0 for both, which is better than any other.
    written: Option<(i32, i64)>,
}

impl Quality {
    /// What `input` for `output` comes to.
    pub(crate) fn of(input: &IssuedAmount, output: &IssuedAmount) -> Quality {
        let rate = issued::divide(input, output).ok();
        Quality {
            written: rate
                .filter(|rate| rate.mantissa() != 0)
                .map(|rate| (rate.exponent(), rate.mantissa())),
        }
    }

    /// True where more goes in for the same than `other` says.
    pub(crate) fn is_worse_than(self, other: Quality) -> bool {
        self.written > other.written
    }
}

#[cfg(test)]
mod tests {
    use codec::{AccountId, Currency};

    use super::*;

    fn quality(input: &str, output: &str) -> Quality {
        let amount =
            |text| IssuedAmount::parse(text, Currency::from_iso(*b"USD"), AccountId::new([7; 20])).unwrap();
        Quality::of(&amount(input), &amount(output))
    }

    #[test]
    fn orders_rates_by_what_goes_in() {
        assert!(quality("12.5", "10").is_worse_than(quality("12", "10")));
        assert!(!quality("12", "10").is_worse_than(quality("12.5", "10")));
        assert!(!quality("6", "5").is_worse_than(quality("12", "10")));
        assert!(quality("10", "1").is_worse_than(quality("9.999999999999999", "1")));
        // Beyond what can be written either way: as good as can be.
        assert!(!quality("1e90", "1e-10").is_worse_than(quality("1", "1")));
        assert!(quality("1", "1").is_worse_than(quality("1e-80", "1e20")));
    }
}
