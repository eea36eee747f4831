//! Base64 of RFC 4648 section 4, canonical only: exact alphabet, exact padding, unused bits zero. Refuses,
//! never repairs, so that one octet string has one text form and nobody can make a second copy of a
//! signature.
//!
//! Spec: 3.2, 4.5, 5.4: `b=` and `bh=`, `p=`, body parts.

use crate::mail::text::is_fws;

#[allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "runs in the compiler only"
)]
/// Value of each byte as the first, second, third and fourth character of a group of 24 bits; `NO_VALUE` for
/// bytes outside the alphabet of RFC 4648 section 4.
const VALUES: [[u32; 256]; 4] = {
    let alphabet = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [[NO_VALUE; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut value: u32 = 0;
        while value < 64 {
            values[place][alphabet[value as usize] as usize] = value << (18 - 6 * place);
            value += 1;
        }
        place += 1;
    }
    values
};
/// A bit above those of a group, so that it shows in an OR.
const NO_VALUE: u32 = 1 << 24;

/// The bits of four characters; not below `NO_VALUE` if one is outside the alphabet.
fn group_of([a, b, c, d]: [u8; 4]) -> u32 {
    let [first, second, third, fourth] = &VALUES;
    let value = |values: &[u32; 256], byte| values.get(usize::from(byte)).copied().unwrap_or(NO_VALUE);
    value(first, a) | value(second, b) | value(third, c) | value(fourth, d)
}

fn value_of(byte: u8) -> u32 {
    let [.., last] = &VALUES;
    last.get(usize::from(byte)).copied().unwrap_or(NO_VALUE)
}

/// Decodes groups of four from the start, four at a time while there are as many, and returns what is left from the
/// first group on that holds another byte.
fn push_blocks<'a>(out: &mut Vec<u8>, text: &'a [u8]) -> &'a [u8] {
    let mut rest = text;
    while let Some((block, after)) = rest.split_first_chunk::<16>() {
        let mut bytes = [0; 12];
        let mut seen = 0;
        for (to, group) in bytes
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .zip(block.as_chunks::<4>().0)
        {
            let group = group_of(*group);
            seen |= group;
            let [_, x, y, z] = group.to_be_bytes();
            *to = [x, y, z];
        }
        if seen >= NO_VALUE {
            break;
        }
        out.extend_from_slice(&bytes);
        rest = after;
    }
    while let Some((group, after)) = rest.split_first_chunk::<4>() {
        let group = group_of(*group);
        if group >= NO_VALUE {
            break;
        }
        let [_, x, y, z] = group.to_be_bytes();
        out.extend_from_slice(&[x, y, z]);
        rest = after;
    }
    rest
}

/// Decodes `text`, in which `skip` bytes do not count. `None` where it is not canonical.
fn decode_skipping(text: &[u8], skip: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let text = push_blocks(&mut out, text);
    let mut group: u32 = 0;
    let mut filled: u8 = 0;
    let mut padding: u8 = 0;
    for byte in text.iter().copied().filter(|b| !skip(*b)) {
        if byte == b'=' {
            padding = padding.checked_add(1)?;
            // Padding fills a group that holds two or three characters, to exactly four.
            if filled < 2 || filled.checked_add(padding)? > 4 {
                return None;
            }
            continue;
        }
        if padding != 0 {
            return None;
        }
        let value = value_of(byte);
        if value == NO_VALUE {
            return None;
        }
        group = (group << 6) | value;
        filled = filled.checked_add(1)?;
        if filled == 4 {
            let [_, a, b, c] = group.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            group = 0;
            filled = 0;
        }
    }
    match (filled, padding) {
        (0, 0) => {}
        (2, 2) if group & 0x0F == 0 => {
            let [_, _, _, a] = (group >> 4).to_be_bytes();
            out.push(a);
        }
        (3, 1) if group & 0x03 == 0 => {
            let [_, _, a, b] = (group >> 2).to_be_bytes();
            out.extend_from_slice(&[a, b]);
        }
        _ => return None,
    }
    Some(out)
}

/// A tag value: folding white space does not count.
pub(crate) fn decode_tag(text: &[u8]) -> Option<Vec<u8>> {
    decode_skipping(text, is_fws)
}

/// A body part: line ends do not count, white space is refused.
#[must_use]
pub fn decode_part(text: &[u8]) -> Option<Vec<u8>> {
    decode_skipping(text, |b| matches!(b, b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4648 section 10.
    #[test]
    fn accepts_the_vectors_of_the_rfc() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode_tag(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(
            decode_tag(b"Zm 9v\r\n\tYg =\r\n =").as_deref(),
            Some(&b"foob"[..])
        );
        assert_eq!(decode_part(b"Zm9v\r\nYg==\r\n").as_deref(), Some(&b"foob"[..]));
    }

    // The quick path takes blocks of 16 and groups of 4: every length, and white space at every place in it.
    #[test]
    fn accepts_every_length_with_white_space_anywhere() {
        use base64::Engine as _;
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(37)).collect();
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            assert_eq!(decode_part(text.as_bytes()).as_deref(), Some(bytes.as_slice()));
            for at in 0..=text.len() {
                let (head, tail) = text.split_at(at);
                let folded = [head, "\r\n ", tail].concat();
                assert_eq!(
                    decode_tag(folded.as_bytes()).as_deref(),
                    Some(bytes.as_slice()),
                    "{folded}"
                );
                let wrong = [head, "*", tail].concat();
                assert_eq!(decode_tag(wrong.as_bytes()), None, "{wrong}");
            }
        }
    }

    #[test]
    fn rejects_what_is_not_canonical() {
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm8==", "=", "====", "Zg==Zg==", "Zm9v=",
            "Zm*v", "Zm9v-",
        ] {
            assert_eq!(decode_tag(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode_part(b"Zm9v YmFy"), None);
    }
}
