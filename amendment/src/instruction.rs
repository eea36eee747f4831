//! The one line that moves money or changes a key: its grammar, where it may stand, and what its words mean. Knows neither
//! mail nor ledger. No regular expressions, no locale.
//!
//! Spec: 5, 5.1, 5.2, 5.3, 5.5, 5.6.

use codec::{AccountId, Amount, Currency, Drops, IssuedAmount};
use thiserror::Error;

use crate::address::{self, Address, AddressError, Recipient};
use crate::limits::{
    INSTRUCTION_COLUMNS_MAX, INSTRUCTION_WORDS_MAX, ISSUED_DIGITS_MAX, MAIN_NETWORK_ID, XAH_DECIMALS_MAX,
    XAH_DROPS_MAX,
};
use crate::text::{is_empty_line, lines, lines_with, relaxed, split_line, without_line_end};

/// Why a text holds no usable instruction. Spec: 5.2, 5.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InstructionError {
    /// No line holds anything. Spec: 5.2.
    #[error("the mail has no text")]
    NoText,
    /// The first line is something else. Spec: 5.2.
    #[error("the first line of the mail is not an instruction")]
    NotFirst,
    /// A later line is an instruction too. Spec: 5.2.
    #[error("the mail holds more than one instruction")]
    Ambiguous,
    /// The next line could be the rest of a broken one. Spec: 5.3.
    #[error("your mail program may have broken the line: the next line goes on right below it")]
    Broken,
}

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

/// Why an instruction is for another network. Spec: 5.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// `NET` names another network.
    #[error("the instruction is for another network")]
    Other,
    /// No `NET`, which means the main network.
    #[error("the instruction names no network, which means the main network")]
    Unnamed,
}

/// Amount and currency as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money<'a> {
    amount: &'a str,
    currency: &'a str,
    issuer: Option<&'a str>,
}

/// The recipient as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target<'a> {
    Address(&'a str),
    Classic(&'a str),
}

/// What an instruction orders, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order<'a> {
    Remit {
        money: Money<'a>,
        to: Option<Target<'a>>,
    },
    Rekey {
        key: &'a str,
    },
}

/// A line that is an instruction by its grammar; its words are not yet weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    order: Order<'a>,
    network: Option<&'a str>,
}

/// Who is paid, so far as the instruction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    /// The instruction names a recipient.
    Named(Recipient),
    /// The To header does.
    Header,
}

/// What an instruction orders, with every word weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Remit(Amount),
    Rekey(AccountId),
}

/// The first non-empty line of the text in relaxed form, checked to be the only one that could be meant.
///
/// Spec: 5.1, 5.2, 5.3. Whatever stands further down may be quoted, echoed or forwarded words of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstLine {
    pub(crate) line: Vec<u8>,
    next: Vec<u8>,
    later_instruction: bool,
}

impl FirstLine {
    /// Reads the text once.
    pub(crate) fn find(text: &[u8]) -> Result<FirstLine, InstructionError> {
        let mut rest = text;
        let line = loop {
            let (line, after) = split_line(rest).ok_or(InstructionError::NoText)?;
            rest = after;
            let line = without_line_end(line);
            if !is_empty_line(line) {
                break relaxed(line);
            }
        };
        let next = lines(rest).next().map(relaxed).unwrap_or_default();
        let later_instruction = lines_with(rest, b"\nRE").any(|(_, line)| is_instruction(line));
        Ok(FirstLine {
            line,
            next,
            later_instruction,
        })
    }

    /// The grammar of the line.
    ///
    /// Spec: 5.1, 5.2.
    pub(crate) fn parse(&self) -> Result<Line<'_>, InstructionError> {
        let line = Line::parse(&self.line).ok_or(InstructionError::NotFirst)?;
        if self.later_instruction {
            Err(InstructionError::Ambiguous)
        } else {
            Ok(line)
        }
    }

    /// Mail programs break long lines, and a broken line can still be an instruction, for another amount or recipient.
    ///
    /// Spec: 5.3.
    pub(crate) fn check_unbroken(&self) -> Result<(), InstructionError> {
        let word = self
            .next
            .split(|b| *b == b' ')
            .find(|word| !word.is_empty())
            .unwrap_or_default();
        let columns = self.line.len().saturating_add(1).saturating_add(word.len());
        if word.is_empty() || columns <= INSTRUCTION_COLUMNS_MAX {
            Ok(())
        } else {
            Err(InstructionError::Broken)
        }
    }
}

fn is_instruction(line: &[u8]) -> bool {
    // Cheap test first: a long mail is read in one pass.
    (line.starts_with(b"REMIT") || line.starts_with(b"REKEY")) && Line::parse(&relaxed(line)).is_some()
}

/// Whether a relaxed line is an instruction by its grammar.
///
/// Spec: 5.1.
pub fn is_instruction_line(line: &[u8]) -> bool {
    Line::parse(line).is_some()
}

impl<'a> Line<'a> {
    /// The grammar of section 5 over one relaxed line. A classic address is known by its look here; its check digits
    /// are judged by rule 2.4.
    ///
    /// Spec: 5.1.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let line = std::str::from_utf8(line).ok()?;
        let mut words = [""; INSTRUCTION_WORDS_MAX];
        let mut slots = words.iter_mut();
        for word in line.split(' ') {
            *slots.next()? = word;
        }
        let unused = slots.len();
        let used = words.len().checked_sub(unused)?;
        match words.get(..used)? {
            ["REMIT", amount, currency, tail @ ..] => {
                let (to, tail) = match tail {
                    ["TO", target, tail @ ..] => (Some(Target::parse(target)?), tail),
                    tail => (None, tail),
                };
                let order = Order::Remit {
                    money: Money::parse(amount, currency)?,
                    to,
                };
                Some(Line {
                    order,
                    network: network(tail)?,
                })
            }
            ["REKEY", key, tail @ ..] if address::looks_classic(key.as_bytes()) => Some(Line {
                order: Order::Rekey { key },
                network: network(tail)?,
            }),
            _ => None,
        }
    }

    /// `NET n` equals the NetworkID; without it the mail is for the main network only.
    ///
    /// Spec: 5.6. So that no test mail can ever spend on the main network.
    pub(crate) fn check_network(&self, network_id: u32) -> Result<(), NetworkError> {
        match self.network {
            Some(text) if text.parse() == Ok(network_id) => Ok(()),
            Some(_) => Err(NetworkError::Other),
            None if network_id == MAIN_NETWORK_ID => Ok(()),
            None => Err(NetworkError::Unnamed),
        }
    }

    /// The money without its issuer's account: whether the number fits the ledger exactly.
    ///
    /// Spec: 5.5.
    pub(crate) fn check_money(&self) -> Result<(), MoneyError> {
        match self.order {
            // Any issuer does here: rule 2.4 judges the written one.
            Order::Remit { money, .. } => money.amount(AccountId::ONE).map(|_| ()),
            Order::Rekey { .. } => Ok(()),
        }
    }

    /// What the line orders.
    ///
    /// Spec: 5.5, 2.4. `None` where rule 5.5 refuses the amount, which `check_money` reports.
    pub(crate) fn meaning(&self) -> Result<Option<Meaning>, AddressError> {
        match self.order {
            Order::Remit { money, .. } => {
                let issuer = money
                    .issuer
                    .map_or(Ok(AccountId::ONE), address::classic_account)?;
                Ok(money.amount(issuer).ok().map(Meaning::Remit))
            }
            Order::Rekey { key } => Ok(Some(Meaning::Rekey(address::classic_account(key)?))),
        }
    }

    /// Whom the line names; `None` for REKEY.
    ///
    /// Spec: 2.1, 2.2, 2.4.
    pub(crate) fn to(&self) -> Result<Option<To>, AddressError> {
        match self.order {
            Order::Remit { to: None, .. } => Ok(Some(To::Header)),
            Order::Remit {
                to: Some(Target::Address(text)),
                ..
            } => address::recipient_of(&Address::parse(text.as_bytes())?).map(|to| Some(To::Named(to))),
            Order::Remit {
                to: Some(Target::Classic(text)),
                ..
            } => address::classic_with_tag(text).map(|to| Some(To::Named(to))),
            Order::Rekey { .. } => Ok(None),
        }
    }
}

/// `["NET" SP number]`; outer `None` where the words are something else.
fn network<'a>(words: &[&'a str]) -> Option<Option<&'a str>> {
    match words {
        [] => Some(None),
        ["NET", number] if is_canonical_number(number) => Some(Some(number)),
        _ => None,
    }
}

fn is_canonical_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> Target<'a> {
    /// Angle brackets are required around an address: some pages join lines, and `TO bob@x.com` plus `Thanks` would pay
    /// `bob@x.comThanks`. Outlook writes `<a@b<mailto:a@b>>`.
    fn parse(word: &'a str) -> Option<Target<'a>> {
        if let Some(inner) = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
            let text = match inner
                .strip_suffix('>')
                .and_then(|rest| rest.split_once("<mailto:"))
            {
                Some((text, again)) if text == again => text,
                Some(_) => return None,
                None => inner,
            };
            return (!text.is_empty() && !text.contains(['<', '>'])).then_some(Target::Address(text));
        }
        let head = word.split('+').next().unwrap_or_default();
        address::looks_classic(head.as_bytes()).then_some(Target::Classic(word))
    }
}

impl<'a> Money<'a> {
    fn parse(amount: &'a str, currency: &'a str) -> Option<Money<'a>> {
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
    fn amount(&self, issuer: AccountId) -> Result<Amount, MoneyError> {
        let (whole, decimals) = self.amount.split_once('.').unwrap_or((self.amount, ""));
        match (self.currency, self.issuer) {
            ("XAH", None) => xah(whole, decimals).map(Amount::from_drops),
            ("XAH", Some(_)) => Err(MoneyError::XahWithIssuer),
            (code, _) => issued(whole, decimals, code, issuer).map(Amount::Issued),
        }
    }
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

    fn is_line(text: &str) -> bool {
        Line::parse(&relaxed(text.as_bytes())).is_some()
    }

    // Spec: 5.1.
    #[test]
    fn accepts_the_grammar() {
        for text in [
            "REMIT 10 XAH".to_owned(),
            "REMIT\t10  XAH \t".to_owned(),
            "REMIT 0.5 XAH NET 21338".to_owned(),
            "REMIT 10 XAH TO <bob@example.com>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com<mailto:bob@example.com>> NET 1".to_owned(),
            format!("REMIT 10 XAH TO {A}+7"),
            format!("REMIT 10 EUR/{A} TO {A}"),
            format!("REKEY {A}"),
            format!("REKEY {A} NET 0"),
        ] {
            assert!(is_line(&text), "{text}");
        }
    }

    // Spec: 5.1, 5.2.
    #[test]
    fn rejects_what_is_no_instruction() {
        for text in [
            " REMIT 10 XAH".to_owned(),
            "> REMIT 10 XAH".to_owned(),
            "remit 10 XAH".to_owned(),
            "REMIT 10 xah".to_owned(),
            "REMIT -1 XAH".to_owned(),
            "REMIT +1 XAH".to_owned(),
            "REMIT 1e3 XAH".to_owned(),
            "REMIT 1,5 XAH".to_owned(),
            "REMIT .5 XAH".to_owned(),
            "REMIT 5. XAH".to_owned(),
            "REMIT 1.2.3 XAH".to_owned(),
            "REMIT 10".to_owned(),
            "REMIT 10 EUR".to_owned(),
            "REMIT 10 XAH.".to_owned(),
            "REMIT 10 XAH TO".to_owned(),
            "REMIT 10 XAH TO bob@example.com".to_owned(),
            "REMIT 10 XAH TO <bob@example.com>Thanks".to_owned(),
            "REMIT 10 XAH TO <bob@example.com> Thanks".to_owned(),
            "REMIT 10 XAH TO <bob@example.com<mailto:bob@example.org>>".to_owned(),
            "REMIT 10 XAH TO <bob@example.com<mailto:bob@example.com>".to_owned(),
            "REMIT 10 XAH NET 007".to_owned(),
            "REMIT 10 XAH NET 1 TO <bob@example.com>".to_owned(),
            "REMIT\u{a0}10 XAH".to_owned(),
            format!("REKEY {A} TO {A}"),
            "REKEY bob@example.com".to_owned(),
            format!("REKEY {A}+1"),
            String::new(),
        ] {
            assert!(!is_line(&text), "{text}");
        }
    }

    fn find(text: &str) -> Result<String, InstructionError> {
        let first = FirstLine::find(text.as_bytes())?;
        first.parse()?;
        first.check_unbroken()?;
        Ok(String::from_utf8_lossy(&first.line).into_owned())
    }

    // Spec: 5.2.
    #[test]
    fn accepts_only_the_first_line() {
        for text in [
            "REMIT 10 XAH",
            "\r\n \t\r\nREMIT  10\tXAH \r\n\r\nThanks\r\n> REMIT 5 XAH\r\n",
            "REMIT 10 XAH\nThanks\n",
        ] {
            assert_eq!(find(text).as_deref(), Ok("REMIT 10 XAH"), "{text}");
        }
    }

    // Spec: 5.2, 5.3.
    #[test]
    fn rejects_later_second_and_broken_lines() {
        for (text, error) in [
            ("", InstructionError::NoText),
            (" \n\t\n", InstructionError::NoText),
            ("Hello\nREMIT 10 XAH\n", InstructionError::NotFirst),
            ("REMIT 10 XAH\nREMIT 10 XAH\n", InstructionError::Ambiguous),
            ("REMIT 10 XAH\n\nbye\nREMIT\t11 XAH", InstructionError::Ambiguous),
            (
                "REMIT 10 XAH TO <bob@example.com>\nwwwwwwwwwwwwwwwwwwwwwwwwwww x\n",
                InstructionError::Broken,
            ),
            (
                "REMIT 10 XAH TO <bob@example.com>\n wwwwwwwwwwwwwwwwwwwwwwwwwww x\n",
                InstructionError::Broken,
            ),
        ] {
            assert_eq!(find(text), Err(error), "{text}");
        }
        assert!(find("REMIT 10 XAH TO <bob@example.com>\nwwwwwwwwwwwwwwwwwwwwwwwwww more\n").is_ok());
        assert!(find("REMIT 10 XAH TO <bob@example.com>\n\nwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\n").is_ok());
    }

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

    #[test]
    fn networks_are_named_except_the_main_one() {
        let line = |text: &'static str| Line::parse(text.as_bytes()).expect("grammar");
        assert_eq!(line("REMIT 1 XAH").check_network(21_337), Ok(()));
        assert_eq!(line("REMIT 1 XAH NET 21337").check_network(21_337), Ok(()));
        assert_eq!(line("REMIT 1 XAH NET 21338").check_network(21_338), Ok(()));
        assert_eq!(
            line("REMIT 1 XAH NET 21338").check_network(21_337),
            Err(NetworkError::Other)
        );
        assert_eq!(
            line("REMIT 1 XAH NET 99999999999").check_network(21_337),
            Err(NetworkError::Other)
        );
        assert_eq!(
            line("REMIT 1 XAH").check_network(21_338),
            Err(NetworkError::Unnamed)
        );
    }
}
