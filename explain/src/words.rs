//! Foreign bytes in a sentence for people.

use amendment::mail::text::{relaxed, trim_wsp};

use crate::limits::ADVICE_NAME_BYTES_MAX;

/// Printable ASCII, other bytes as `?`, cut at a bound.
pub(crate) fn printable(bytes: &[u8], bytes_max: usize) -> String {
    let text = bytes.iter().take(bytes_max).map(|b| {
        if (b' '..=b'~').contains(b) {
            char::from(*b)
        } else {
            '?'
        }
    });
    text.collect()
}

/// A name or a line out of the mail, short enough to stand in a sentence, between backticks if need be.
pub(crate) fn name(bytes: &[u8]) -> String {
    printable(trim_wsp(&relaxed(bytes)), ADVICE_NAME_BYTES_MAX).replace('`', "'")
}
