//! The word that ties a REKEY to the one before it.
//!
//! Spec: 5, 8.6.

use std::fmt;

use codec::Hash256;

/// Hex digits of a mark in an instruction.
const DIGITS: usize = 8;

/// The beginning of the RekeyMark of an account, as `AFTER` names it: 8 hex digits in upper case.
///
/// ```
/// use amendment::RekeyMark;
/// assert_eq!(RekeyMark::parse("0A2B3C4D").map(|mark| mark.to_string()), Some("0A2B3C4D".to_owned()));
/// assert_eq!(RekeyMark::parse("0a2b3c4d"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RekeyMark(u32);

impl RekeyMark {
    /// The mark that an instruction writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<RekeyMark> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        let is_mark = text.len() == DIGITS && text.bytes().all(is_digit);
        let value = is_mark.then(|| u32::from_str_radix(text, 16).ok())?;
        value.map(RekeyMark)
    }

    /// The beginning of what an account's EmailReplay entry holds.
    #[must_use]
    pub fn of(mark: &Hash256) -> RekeyMark {
        let [a, b, c, d, ..] = *mark.as_bytes();
        RekeyMark(u32::from_be_bytes([a, b, c, d]))
    }
}

impl fmt::Display for RekeyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: 5, 8.6.
    #[test]
    fn accepts_the_first_eight_digits_in_upper_case_and_rejects_every_other_form() {
        let mut bytes = [0xEE; 32];
        bytes[..4].copy_from_slice(&[0x0A, 0x2B, 0x3C, 0x4D]);
        let mark = RekeyMark::of(&Hash256::new(bytes));
        assert_eq!(mark.to_string(), "0A2B3C4D");
        assert_eq!(RekeyMark::parse("0A2B3C4D"), Some(mark));
        for text in [
            "",
            "A2B3C4D",
            "00A2B3C4D",
            "0a2b3c4d",
            "+A2B3C4D",
            "0A2B3C4G",
            "0x2B3C4D",
        ] {
            assert_eq!(RekeyMark::parse(text), None, "{text}");
        }
    }
}
