//! Arithmetic of issued money: decimal numbers of 16 digits, rounded half to even, exactly as xahaud rounds
//! them.
//!
//! Xahau's Number (basics/impl/Number.cpp, with fixUniversalNumber), no section of the spec. Digits that do
//! not fit go to a guard of 16 more; whether a digit other than zero fell out of that is remembered, for it
//! decides ties.

use std::cmp::Ordering;

use codec::limits::{self, EXPONENT_MIN};
use codec::{AccountId, AmountError, Currency, IssuedAmount};

#[expect(clippy::as_conversions, reason = "u64 to u128 in a constant")]
const MANTISSA_MIN: u128 = limits::MANTISSA_MIN as u128;
#[expect(clippy::as_conversions, reason = "u64 to u128 in a constant")]
const MANTISSA_MAX: u128 = limits::MANTISSA_MAX as u128;
/// A transfer rate counts billionths.
const RATE_EXPONENT: i32 = -9;

/// A value outside what an amount can hold: 10^96 and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

impl From<AmountError> for Overflow {
    fn from(_: AmountError) -> Overflow {
        Overflow
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// Sign, digits and power of ten; zero has no digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number {
    sign: Sign,
    digits: u128,
    exponent: i32,
}

/// Digits cut off on the right, four bits each, the latest in the highest bits.
#[derive(Clone, Copy, Debug, Default)]
struct Guard {
    digits: u64,
    more: bool,
}

const GUARD_DIGIT_BITS: u32 = 4;
const GUARD_TOP_SHIFT: u32 = 60;
const GUARD_HALF: u64 = 0x5000_0000_0000_0000;

impl Guard {
    fn push(&mut self, digit: u128) {
        self.more |= self.digits & 0xF != 0;
        let top = u64::try_from(digit).unwrap_or(0) << GUARD_TOP_SHIFT;
        self.digits = (self.digits >> GUARD_DIGIT_BITS) | top;
    }

    fn pop(&mut self) -> u128 {
        let digit = self.digits >> GUARD_TOP_SHIFT;
        self.digits <<= GUARD_DIGIT_BITS;
        u128::from(digit)
    }

    /// The cut-off part against one half.
    fn against_half(&self) -> Ordering {
        self.digits.cmp(&GUARD_HALF).then(if self.more {
            Ordering::Greater
        } else {
            Ordering::Equal
        })
    }

    /// True where the kept digits move by one: more than a half is cut off, or a half and they are odd.
    fn rounds(&self, kept: u128) -> bool {
        match self.against_half() {
            Ordering::Greater => true,
            Ordering::Equal => kept & 1 == 1,
            Ordering::Less => false,
        }
    }
}

impl Number {
    const ZERO: Number = Number {
        sign: Sign::Plus,
        digits: 0,
        exponent: 0,
    };

    fn of(amount: &IssuedAmount) -> Number {
        let sign = if amount.mantissa() < 0 {
            Sign::Minus
        } else {
            Sign::Plus
        };
        Number {
            sign,
            digits: u128::from(amount.mantissa().unsigned_abs()),
            exponent: amount.exponent(),
        }
    }

    /// Cuts the lowest digit into the guard.
    fn cut(&mut self, guard: &mut Guard) {
        guard.push(self.digits.checked_rem(10).unwrap_or(0));
        self.digits = self.digits.checked_div(10).unwrap_or(0);
        self.exponent = self.exponent.saturating_add(1);
    }

    /// Rounds up by the guard, keeping 16 digits.
    fn rounded(mut self, guard: Guard) -> Number {
        if guard.rounds(self.digits) {
            self.digits = self.digits.saturating_add(1);
            if self.digits > MANTISSA_MAX {
                self.cut(&mut Guard::default());
            }
        }
        self
    }

    fn plus(self, other: Number) -> Number {
        if self.digits == 0 {
            return other;
        }
        if other.digits == 0 {
            return self;
        }
        let (mut a, mut b, mut guard) = (self, other, Guard::default());
        while a.exponent < b.exponent {
            a.cut(&mut guard);
        }
        while b.exponent < a.exponent {
            b.cut(&mut guard);
        }
        if a.sign == b.sign {
            a.digits = a.digits.saturating_add(b.digits);
            if a.digits > MANTISSA_MAX {
                a.cut(&mut guard);
            }
            return a.rounded(guard);
        }
        match a.digits.cmp(&b.digits) {
            Ordering::Equal if guard.digits == 0 && !guard.more => Number::ZERO,
            Ordering::Greater => a.minus_smaller(b.digits, guard),
            Ordering::Less | Ordering::Equal => b.minus_smaller(a.digits, guard),
        }
    }

    /// The difference to a smaller number of the other sign, whose cut-off digits are in the guard.
    fn minus_smaller(mut self, digits: u128, mut guard: Guard) -> Number {
        self.digits = self.digits.saturating_sub(digits);
        while self.digits < MANTISSA_MIN && self.exponent > EXPONENT_MIN.saturating_sub(32) {
            self.digits = self.digits.saturating_mul(10).saturating_sub(guard.pop());
            self.exponent = self.exponent.saturating_sub(1);
        }
        if guard.rounds(self.digits) {
            self.digits = self.digits.saturating_sub(1);
            if self.digits < MANTISSA_MIN {
                self.digits = self.digits.saturating_mul(10);
                self.exponent = self.exponent.saturating_sub(1);
            }
        }
        self
    }

    /// The product; both have at most 16 digits, so it fits.
    fn times(self, other: Number) -> Number {
        if self.digits == 0 || other.digits == 0 {
            return Number::ZERO;
        }
        let mut product = Number {
            sign: if self.sign == other.sign {
                Sign::Plus
            } else {
                Sign::Minus
            },
            digits: self.digits.saturating_mul(other.digits),
            exponent: self.exponent.saturating_add(other.exponent),
        };
        let mut guard = Guard::default();
        while product.digits > MANTISSA_MAX {
            product.cut(&mut guard);
        }
        product.rounded(guard).stretched()
    }

    /// The same value with 16 digits.
    fn stretched(mut self) -> Number {
        while self.digits != 0 && self.digits < MANTISSA_MIN {
            self.digits = self.digits.saturating_mul(10);
            self.exponent = self.exponent.saturating_sub(1);
        }
        self
    }

    /// The value brought to 16 digits, rounded where it has more.
    fn normal(self) -> Number {
        let (mut number, mut guard) = (self.stretched(), Guard::default());
        while number.digits > MANTISSA_MAX {
            number.cut(&mut guard);
        }
        number.rounded(guard)
    }

    /// As an amount: too small is zero, too large is refused.
    fn amount(self, currency: Currency, issuer: AccountId) -> Result<IssuedAmount, Overflow> {
        if self.digits == 0 || self.exponent < EXPONENT_MIN {
            return Ok(IssuedAmount::new(0, 0, currency, issuer)?);
        }
        let mantissa = i64::try_from(self.digits).map_err(|_| Overflow)?;
        let mantissa = match self.sign {
            Sign::Plus => mantissa,
            Sign::Minus => mantissa.saturating_neg(),
        };
        Ok(IssuedAmount::new(mantissa, self.exponent, currency, issuer)?)
    }
}

/// Zero.
pub(crate) fn zero(currency: Currency, issuer: AccountId) -> Result<IssuedAmount, Overflow> {
    Ok(IssuedAmount::new(0, 0, currency, issuer)?)
}

/// The same value under another issuer.
pub(crate) fn with_issuer(amount: &IssuedAmount, issuer: AccountId) -> Result<IssuedAmount, Overflow> {
    Ok(IssuedAmount::new(
        amount.mantissa(),
        amount.exponent(),
        amount.currency(),
        issuer,
    )?)
}

/// The value with the other sign.
pub(crate) fn negated(amount: &IssuedAmount) -> Result<IssuedAmount, Overflow> {
    let mantissa = amount.mantissa().saturating_neg();
    Ok(IssuedAmount::new(
        mantissa,
        amount.exponent(),
        amount.currency(),
        amount.issuer(),
    )?)
}

/// `a - b`, under the issuer of `a`.
pub(crate) fn subtract(a: &IssuedAmount, b: &IssuedAmount) -> Result<IssuedAmount, Overflow> {
    Number::of(a)
        .plus(Number::of(&negated(b)?))
        .amount(a.currency(), a.issuer())
}

/// `a + b`, under the issuer of `a`.
pub(crate) fn add(a: &IssuedAmount, b: &IssuedAmount) -> Result<IssuedAmount, Overflow> {
    Number::of(a).plus(Number::of(b)).amount(a.currency(), a.issuer())
}

/// How digits that an amount cannot hold are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Up,
    Down,
}

/// Digits that the payment engine keeps of an intermediate result.
const RATIO_DIGITS: u32 = 18;

/// The smallest power of ten that is at least `value`.
fn digits_up(value: u128) -> u32 {
    let below = value.saturating_sub(1).checked_ilog10();
    below.map_or(0, |power| power.saturating_add(1))
}

fn ten_to(power: u32) -> u128 {
    10u128.checked_pow(power).unwrap_or(u128::MAX)
}

/// A positive amount times a ratio of qualities or rates, as the payment engine rounds it (IOUAmount.cpp
/// `mulRatio`).
pub(crate) fn times_ratio(
    amount: &IssuedAmount,
    numerator: u32,
    denominator: u32,
    rounding: Rounding,
) -> Result<IssuedAmount, Overflow> {
    let mut number = Number::of(amount);
    let product = number.digits.saturating_mul(u128::from(numerator));
    let divisor = u128::from(denominator);
    let split = |value: u128| Some((value.checked_div(divisor)?, value.checked_rem(divisor)?));
    let (mut low, mut rest) = split(product).ok_or(Overflow)?;
    if rest != 0 {
        let room = RATIO_DIGITS.saturating_sub(digits_up(low));
        number.exponent = number.exponent.saturating_sub_unsigned(room);
        low = low.saturating_mul(ten_to(room));
        let (more, left) = split(rest.saturating_mul(ten_to(room))).ok_or(Overflow)?;
        low = low.saturating_add(more);
        rest = left;
    }
    let shrink = digits_up(low).saturating_sub(RATIO_DIGITS);
    let unit = ten_to(shrink);
    let has_rest = rest != 0 || low.checked_rem(unit).is_some_and(|cut| cut != 0);
    number.digits = low.checked_div(unit).unwrap_or(0);
    number.exponent = number.exponent.saturating_add_unsigned(shrink);
    let result = number.normal().amount(amount.currency(), amount.issuer())?;
    if !has_rest || rounding == Rounding::Down {
        return Ok(result);
    }
    let mut up = Number::of(&result);
    if up.digits == 0 {
        up = Number {
            sign: Sign::Plus,
            digits: MANTISSA_MIN,
            exponent: EXPONENT_MIN,
        };
    } else {
        up.digits = up.digits.saturating_add(1);
    }
    up.normal().amount(amount.currency(), amount.issuer())
}

/// The amount times a transfer rate in billionths.
pub(crate) fn times_rate(amount: &IssuedAmount, rate: u32) -> Result<IssuedAmount, Overflow> {
    let rate = Number {
        sign: Sign::Plus,
        digits: u128::from(rate),
        exponent: RATE_EXPONENT,
    };
    Number::of(amount)
        .times(rate.stretched())
        .amount(amount.currency(), amount.issuer())
}

/// Digits that a quotient gets beyond those of its dividend (STAmount.cpp `divide`).
const QUOTIENT_DIGITS: u32 = 17;
/// Added to the last of those digits, so that a quotient is cut off a little above itself.
const QUOTIENT_NUDGE: u128 = 5;

/// `a / b` of positive values, under the issuer of `a`; nothing divides by zero.
pub(crate) fn divide(a: &IssuedAmount, b: &IssuedAmount) -> Result<IssuedAmount, Overflow> {
    let (a_number, b_number) = (Number::of(a), Number::of(b));
    let digits = a_number
        .digits
        .saturating_mul(ten_to(QUOTIENT_DIGITS))
        .checked_div(b_number.digits)
        .ok_or(Overflow)?;
    let quotient = Number {
        sign: Sign::Plus,
        digits: if digits == 0 {
            0
        } else {
            digits.saturating_add(QUOTIENT_NUDGE)
        },
        exponent: a_number
            .exponent
            .saturating_sub(b_number.exponent)
            .saturating_sub_unsigned(QUOTIENT_DIGITS),
    };
    quotient.normal().amount(a.currency(), a.issuer())
}

/// Compares the values.
pub(crate) fn compare(a: &IssuedAmount, b: &IssuedAmount) -> Ordering {
    let sign = |amount: &IssuedAmount| amount.mantissa().signum();
    let size = |amount: &IssuedAmount| (amount.exponent(), amount.mantissa().unsigned_abs());
    sign(a).cmp(&sign(b)).then_with(|| match sign(a) {
        1 => size(a).cmp(&size(b)),
        -1 => size(b).cmp(&size(a)),
        _ => Ordering::Equal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str) -> IssuedAmount {
        IssuedAmount::parse(text, Currency::from_iso(*b"USD"), AccountId::new([7; 20])).unwrap()
    }

    fn any_amount() -> impl Strategy<Value = IssuedAmount> {
        (
            1_000_000_000_000_000i64..=9_999_999_999_999_999,
            -30i32..=30,
            any::<bool>(),
        )
            .prop_map(|(mantissa, exponent, minus)| {
                let mantissa = if minus { -mantissa } else { mantissa };
                IssuedAmount::new(
                    mantissa,
                    exponent,
                    Currency::from_iso(*b"USD"),
                    AccountId::new([7; 20]),
                )
                .unwrap()
            })
    }

    #[test]
    fn accepts_sums_as_by_hand() {
        let rows = [
            ("10000", "99", "9901"),
            ("5000", "5000", "0"),
            ("1", "0.000000000000001", "0.999999999999999"),
            // 16 digits less a half of the last: ties to even.
            ("1000000000000001", "0.5", "1000000000000000"),
            ("1000000000000003", "0.5", "1000000000000002"),
            ("1000000000000001", "0.50001", "1000000000000000"),
            ("-5", "5", "-10"),
            ("0", "3", "-3"),
        ];
        for (a, b, difference) in rows {
            assert_eq!(
                subtract(&amount(a), &amount(b)).unwrap(),
                amount(difference),
                "{a} - {b}"
            );
        }
    }

    #[test]
    fn accepts_rates_as_recorded() {
        // Remit_test: 100 at 1.005 (billionths 1004999999) leaves 899.5000001 of 1000; case 33: 100 at 1.01
        // costs 101.
        assert_eq!(times_rate(&amount("100"), 1_010_000_000).unwrap(), amount("101"));
        let sent = times_rate(&amount("100"), 1_004_999_999).unwrap();
        assert_eq!(subtract(&amount("1000"), &sent).unwrap(), amount("899.5000001"));
        assert_eq!(times_rate(&amount("0.1"), 2_000_000_000).unwrap(), amount("0.2"));
        assert_eq!(
            times_rate(&amount("9999999999999999"), 1_500_000_000).unwrap(),
            amount("15e15")
        );
    }

    #[test]
    fn accepts_ratios_as_by_hand() {
        let one = 1_000_000_000;
        let rate = 1_010_000_000;
        let ratio = |text, numerator, denominator, rounding| {
            times_ratio(&amount(text), numerator, denominator, rounding).unwrap()
        };
        assert_eq!(ratio("10", rate, one, Rounding::Up), amount("10.1"));
        // 1/1.01 = 0.990099009900990099009...: 18 digits are kept, and brought to 16 to the nearest.
        assert_eq!(
            ratio("1", one, rate, Rounding::Down),
            amount("0.9900990099009901")
        );
        assert_eq!(ratio("1", one, rate, Rounding::Up), amount("0.9900990099009902"));
        // 1/3 = 0.33333333333333333...
        assert_eq!(ratio("1", 1, 3, Rounding::Down), amount("0.3333333333333333"));
        assert_eq!(ratio("1", 1, 3, Rounding::Up), amount("0.3333333333333334"));
    }

    #[test]
    fn accepts_quotients_as_by_hand() {
        let rows = [
            ("12", "10", "1.2"),
            // 17 digits and 5 more in the last of them, to the nearest of 16: ...3338, ...6671.
            ("1", "3", "0.3333333333333334"),
            ("2", "3", "0.6666666666666667"),
            ("10", "12", "0.8333333333333334"),
            ("0", "7", "0"),
        ];
        for (a, b, quotient) in rows {
            assert_eq!(
                divide(&amount(a), &amount(b)).unwrap(),
                amount(quotient),
                "{a} / {b}"
            );
        }
        assert_eq!(divide(&amount("1"), &amount("0")), Err(Overflow));
        assert_eq!(divide(&amount("1e90"), &amount("1e-10")), Err(Overflow));
    }

    #[test]
    fn rejects_what_is_too_large_and_drops_what_is_too_small() {
        let large = amount("9999999999999999e80");
        assert_eq!(times_rate(&large, 2_000_000_000), Err(Overflow));
        assert_eq!(subtract(&large, &negated(&large).unwrap()), Err(Overflow));
        let small = amount("1000000000000000e-96");
        let near = amount("1000000000000001e-96");
        assert_eq!(subtract(&near, &small).unwrap(), amount("0"));
    }

    proptest! {
        #[test]
        fn accepts_sums_in_either_order(a in any_amount(), b in any_amount()) {
            let minus_b = negated(&b).unwrap();
            let one = Number::of(&a).plus(Number::of(&minus_b));
            let two = Number::of(&minus_b).plus(Number::of(&a));
            prop_assert_eq!(one, two);
            prop_assert_eq!(subtract(&a, &a).unwrap(), amount("0"));
            prop_assert_eq!(subtract(&a, &b).is_ok(), true);
        }

        #[test]
        fn rejects_money_made_by_a_rate(a in any_amount(), rate in 1_000_000_000u32..=2_000_000_000) {
            let a = if a.mantissa() < 0 { negated(&a).unwrap() } else { a };
            let sent = times_rate(&a, rate).unwrap();
            prop_assert_ne!(compare(&sent, &a), Ordering::Less);
            let twice = times_rate(&a, 2_000_000_000).unwrap();
            prop_assert_ne!(compare(&sent, &twice), Ordering::Greater);
        }

        #[test]
        fn rejects_money_made_by_a_ratio(a in any_amount(), rate in 1_000_000_000u32..=2_000_000_000) {
            let a = if a.mantissa() < 0 { negated(&a).unwrap() } else { a };
            let one = 1_000_000_000;
            let up = times_ratio(&a, rate, one, Rounding::Up).unwrap();
            let down = times_ratio(&a, rate, one, Rounding::Down).unwrap();
            prop_assert_ne!(compare(&up, &down), Ordering::Less);
            prop_assert_ne!(compare(&down, &a), Ordering::Less);
            // What a sender pays for an output, sent back through the rate, is at most one unit in the last
            // place off.
            let back = times_ratio(&up, one, rate, Rounding::Down).unwrap();
            let off = Number::of(&back).plus(Number::of(&negated(&a).unwrap()));
            prop_assert!(off.digits == 0 || off.exponent <= a.exponent() - 14, "{off:?}");
            prop_assert_eq!(times_ratio(&a, rate, rate, Rounding::Up).unwrap(), a);
        }

        #[test]
        fn accepts_comparison_as_the_sign_of_the_difference(a in any_amount(), b in any_amount()) {
            let difference = Number::of(&a).plus(Number::of(&negated(&b).unwrap()));
            let sign = match (difference.digits, difference.sign) {
                (0, _) => Ordering::Equal,
                (_, Sign::Plus) => Ordering::Greater,
                (_, Sign::Minus) => Ordering::Less,
            };
            prop_assert_eq!(compare(&a, &b), sign);
        }
    }
}
