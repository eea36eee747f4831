//! Canonical forms of RFC 6376 3.4: what a signature covers, byte for byte. Knows no policy.
//!
//! Spec: 3.2, 3.3.

use std::borrow::Cow;

use crate::message::HeaderField;
use crate::text::{is_empty_line, is_fws, lines, push_relaxed, trim_fws};

/// A canonicalisation algorithm, of the header or of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canon {
    Simple,
    Relaxed,
}

/// What becomes of the `b=` value of a DKIM-Signature field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureValue {
    /// White space inside it goes (the normal form).
    Compact,
    /// All of it goes (what is signed).
    Removed,
}

/// A header field in canonical form, CRLF included.
pub(crate) fn header(field: &HeaderField<'_>, canon: Canon) -> Vec<u8> {
    match canon {
        Canon::Simple => field.raw.to_vec(),
        Canon::Relaxed => {
            let mut out = Vec::with_capacity(field.raw.len());
            out.extend(field.name.iter().map(u8::to_ascii_lowercase));
            out.push(b':');
            let value = field
                .raw
                .get(field.name.len().saturating_add(1)..)
                .unwrap_or_default();
            push_relaxed(&mut out, trim_fws(value));
            out.extend_from_slice(b"\r\n");
            out
        }
    }
}

/// The value of a canonical header field: what follows the colon, without the final CRLF.
pub(crate) fn value(field: &[u8]) -> &[u8] {
    let start = field
        .iter()
        .position(|b| *b == b':')
        .map_or(field.len(), |colon| colon.saturating_add(1));
    let value = field.get(start..).unwrap_or_default();
    value.strip_suffix(b"\r\n").unwrap_or(value)
}

/// A canonical DKIM-Signature field with its `b=` value compacted or removed; all other bytes stay.
pub(crate) fn signature_field(field: &[u8], treatment: SignatureValue) -> Vec<u8> {
    let (content, end) = match field.strip_suffix(b"\r\n") {
        Some(content) => (content, &b"\r\n"[..]),
        None => (field, &b""[..]),
    };
    let colon = content
        .iter()
        .position(|b| *b == b':')
        .map_or(content.len(), |at| at.saturating_add(1));
    let (head, value) = content.split_at_checked(colon).unwrap_or((content, b""));
    let mut out = Vec::with_capacity(field.len());
    out.extend_from_slice(head);
    for tag in value.split_inclusive(|b| *b == b';') {
        let equals = tag
            .iter()
            .position(|b| *b == b'=')
            .map_or(tag.len(), |at| at.saturating_add(1));
        let (name, rest) = tag.split_at_checked(equals).unwrap_or((tag, b""));
        out.extend_from_slice(name);
        if name.strip_suffix(b"=").map(trim_fws) != Some(b"b") {
            out.extend_from_slice(rest);
            continue;
        }
        match treatment {
            SignatureValue::Compact if rest.iter().any(|b| is_fws(*b)) => {
                out.extend(rest.iter().copied().filter(|b| !is_fws(*b)));
            }
            SignatureValue::Compact => out.extend_from_slice(rest),
            SignatureValue::Removed if rest.ends_with(b";") => out.push(b';'),
            SignatureValue::Removed => {}
        }
    }
    out.extend_from_slice(end);
    out
}

/// The body in canonical form.
///
/// Spec: 3.3. Relaxed: white space is SP and HTAB, runs become one SP, none at line ends, no empty lines at the end,
/// CRLF at the end of a non-empty body, an empty body is zero bytes. Simple: an empty body is one CRLF.
pub(crate) fn body(body: &[u8], canon: Canon) -> Cow<'_, [u8]> {
    // What a memo holds is canonical already, and it is on that path that time counts.
    if is_canonical_body(body, canon) {
        Cow::Borrowed(body)
    } else {
        Cow::Owned(canonical_body(body, canon))
    }
}

fn canonical_body(body: &[u8], canon: Canon) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len().saturating_add(2));
    match canon {
        Canon::Simple => {
            let mut content = body;
            while let Some(rest) = content.strip_suffix(b"\r\n") {
                content = rest;
            }
            out.extend_from_slice(content);
            out.extend_from_slice(b"\r\n");
        }
        Canon::Relaxed => {
            let mut empty_lines: usize = 0;
            for line in lines(body) {
                if is_empty_line(line) {
                    empty_lines = empty_lines.saturating_add(1);
                    continue;
                }
                for _ in 0..empty_lines {
                    out.extend_from_slice(b"\r\n");
                }
                empty_lines = 0;
                push_relaxed(&mut out, line);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    out
}

/// Whether a body is its own canonical form. May say no where it is.
fn is_canonical_body(body: &[u8], canon: Canon) -> bool {
    let ends_well = body.ends_with(b"\r\n") && !body.ends_with(b"\r\n\r\n") && body != b"\r\n";
    match canon {
        Canon::Simple => ends_well || body == b"\r\n",
        Canon::Relaxed if body.is_empty() => true,
        Canon::Relaxed => {
            let mut previous = 0;
            let mut canonical = ends_well;
            for byte in body.iter().copied() {
                // A tab, a second space, a space before a line end, or a bare line end that the slow path would mend.
                let spaced = previous == b' ' && matches!(byte, b' ' | b'\r' | b'\n');
                let broken = (previous == b'\r') != (byte == b'\n');
                canonical &= byte != b'\t' && !spaced && !broken;
                previous = byte;
            }
            canonical
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(raw: &[u8]) -> HeaderField<'_> {
        let colon = raw.iter().position(|b| *b == b':').expect("a colon");
        HeaderField {
            raw,
            name: &raw[..colon],
        }
    }

    // RFC 6376 3.4.5, examples 1 and 2 (with the colon written as rule 3.1 wants it).
    #[test]
    fn canonical_forms_equal_the_examples_of_the_rfc() {
        assert_eq!(header(&field(b"A: X\r\n"), Canon::Relaxed), b"a:X\r\n");
        assert_eq!(
            header(&field(b"B: Y\t\r\n\tZ  \r\n"), Canon::Relaxed),
            b"b:Y Z\r\n"
        );
        assert_eq!(
            header(&field(b"B: Y\t\r\n\tZ  \r\n"), Canon::Simple),
            b"B: Y\t\r\n\tZ  \r\n"
        );
        assert_eq!(
            &*body(b" C \r\nD \t E\r\n\r\n\r\n", Canon::Relaxed),
            b" C\r\nD E\r\n"
        );
        assert_eq!(
            &*body(b" C \r\nD \t E\r\n\r\n\r\n", Canon::Simple),
            b" C \r\nD \t E\r\n"
        );
    }

    #[test]
    fn the_quick_path_knows_canonical_bodies_from_others() {
        for canonical in [&b"a\r\n"[..], b" a b\r\n", b"\r\n\r\na\r\n\r\nb\r\n"] {
            assert!(is_canonical_body(canonical, Canon::Relaxed));
            assert!(is_canonical_body(canonical, Canon::Simple));
            assert_eq!(&*body(&[canonical, b"\r\n"].concat(), Canon::Relaxed), canonical);
        }
        for other in [
            &b"a"[..],
            b"a\r\n\r\n",
            b"\r\n",
            b"a \r\n",
            b"a\tb\r\n",
            b"a  b\r\n",
            b" \r\n",
            b"a\nb\r\n",
        ] {
            assert!(!is_canonical_body(other, Canon::Relaxed));
        }
        assert!(is_canonical_body(b"\r\n", Canon::Simple));
        assert!(!is_canonical_body(b"", Canon::Simple));
    }

    #[test]
    fn empty_bodies_are_zero_bytes_or_one_line_end() {
        for empty in [&b""[..], b"\r\n", b"\r\n\r\n"] {
            assert_eq!(&*body(empty, Canon::Relaxed), b"");
            assert_eq!(&*body(empty, Canon::Simple), b"\r\n");
        }
        assert_eq!(&*body(b" \t\r\n \r\n", Canon::Relaxed), b"");
        assert_eq!(&*body(b"a", Canon::Relaxed), b"a\r\n");
        assert_eq!(&*body(b"a\r\n\r\nb\r\n \r\n", Canon::Relaxed), b"a\r\n\r\nb\r\n");
        assert_eq!(&*body(b"a", Canon::Simple), b"a\r\n");
    }

    #[test]
    fn signature_value_is_compacted_or_removed_and_nothing_else() {
        let raw = b"DKIM-Signature: v=1; bh=a b=;\r\n\tb = Zm\r\n 9v ; z=b=1\r\n";
        let compact = signature_field(raw, SignatureValue::Compact);
        assert_eq!(compact, b"DKIM-Signature: v=1; bh=a b=;\r\n\tb =Zm9v; z=b=1\r\n");
        let removed = signature_field(raw, SignatureValue::Removed);
        assert_eq!(removed, b"DKIM-Signature: v=1; bh=a b=;\r\n\tb =; z=b=1\r\n");
        assert_eq!(
            signature_field(b"x:b=Zm\r\n 9v\r\n", SignatureValue::Compact),
            b"x:b=Zm9v\r\n"
        );
        assert_eq!(signature_field(b"x:b=Zm9v", SignatureValue::Removed), b"x:b=");
    }

    proptest! {
        #[test]
        fn the_quick_path_is_the_slow_one(
            bytes in prop::collection::vec(prop::sample::select(vec!["a", " ", "\t", "\r\n", "\n", "\r"]), 0..12),
        ) {
            let bytes = bytes.concat().into_bytes();
            for canon in [Canon::Simple, Canon::Relaxed] {
                let slow = canonical_body(&bytes, canon);
                let well_formed = crate::message::check_controls(&bytes).is_ok();
                prop_assert!(!well_formed || *body(&bytes, canon) == slow);
                prop_assert!(!well_formed || *body(&slow, canon) == slow);
            }
        }
    }
}
