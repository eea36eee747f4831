//! Base64 as RFC 4648 section 4 has it: exact alphabet, padding and zero unused bits; line ends are skipped,
//! since the usual tools wrap their output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Decode; `None` where a byte, the padding or the unused bits are wrong. The output is shorter than the
/// input.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let digits: Vec<u8> = text.bytes().filter(|byte| !is_line_end(byte)).collect();
    STANDARD.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648 section 10.
    #[test]
    fn accepts_rfc_4648_vectors() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9v\r\nYmFy\n", "foobar"),
            ("Zg=\n=", "f"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
    }

    #[test]
    fn rejects_what_is_not_canonical() {
        for text in [
            "Zg=",
            "Zg",
            "Zg===",
            "Zh==",
            "Zm9=",
            "Z",
            "Zm9v Zm9v",
            "Zm9v\tZm9v",
            "Zm-_",
            "=",
            "====",
            "Zg==Zg==",
            "Zm9v=",
            "Zm9v\0",
            "Zm9v\u{e9}",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    /// Every text of up to five of these characters is accepted exactly where it is what encoding gives.
    #[test]
    fn accepts_exactly_what_encoding_gives() {
        const CHARACTERS: [char; 6] = ['A', 'Q', 'g', '/', '=', '\n'];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = texts
                .iter()
                .flat_map(|text| CHARACTERS.map(|character| format!("{text}{character}")));
            texts = longer.chain([String::new()]).collect();
        }
        for text in texts {
            let digits = text.replace('\n', "");
            let canonical = decode(&text).map(|bytes| STANDARD.encode(bytes));
            match canonical {
                Some(encoded) => assert_eq!(encoded, digits, "{text:?}"),
                None => assert!(!is_canonical(&digits), "{text:?}"),
            }
        }
    }

    /// By the letter of RFC 4648: groups of four, padding at the end alone, unused bits zero.
    fn is_canonical(digits: &str) -> bool {
        let data = digits.trim_end_matches('=');
        let unused_is_zero = match digits.len() - data.len() {
            0 => true,
            1 => data.len() % 4 == 3 && data.ends_with(['A', 'Q', 'g']),
            2 => data.len() % 4 == 2 && data.ends_with(['A', 'Q', 'g']),
            _ => false,
        };
        digits.len().is_multiple_of(4) && !data.contains('=') && unused_is_zero
    }
}
