//! Base64 as RFC 4648 section 4 has it: exact alphabet, padding and zero unused bits; line ends are skipped, since the
//! usual tools wrap their output.

/// Decode; `None` where a byte, the padding or the unused bits are wrong. The output is shorter than the input.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut held = 0_u32;
    let mut digits = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        digits += 1;
        if byte == b'=' {
            padding += 1;
            continue;
        }
        if padding > 0 {
            return None;
        }
        bits = (bits << 6) | u32::from(sextet(byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xFF).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    let padding_due = match held {
        0 => 0,
        4 => 2,
        2 => 1,
        _ => return None,
    };
    (padding == padding_due && digits.is_multiple_of(4) && bits == 0).then_some(out)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

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
            "Zm-_",
            "=",
            "====",
            "Zg==Zg==",
            "Zm9v=",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
