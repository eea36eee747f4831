//! Canonical forms of RFC 6376 3.4: what a signature covers, byte for byte. Knows no policy.
//!
//! Spec: 3.2, 3.3.

use std::borrow::Cow;

use crate::mail::message::{HeaderField, Mail};
use crate::mail::text::{
    Spacing, each_byte, each_pair, is_empty_line, is_fws, is_relaxed, is_single_spaced, lines, push_relaxed,
    split_at_byte, trim_fws,
};

/// A canonicalisation algorithm, of the header or of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canon {
    /// RFC 6376 3.4.1 and 3.4.3.
    Simple,
    /// RFC 6376 3.4.2 and 3.4.4.
    Relaxed,
}

/// A header field in canonical form, CRLF included. What a memo holds is canonical already and is not copied.
/// `spacing` is that of the mail.
pub(crate) fn header<'a>(field: &HeaderField<'a>, canon: Canon, spacing: Spacing) -> Cow<'a, [u8]> {
    if canon == Canon::Simple || is_relaxed_header(field, spacing) {
        return Cow::Borrowed(field.raw);
    }
    let mut out = Vec::with_capacity(field.raw.len());
    out.extend(field.name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    push_relaxed(&mut out, trim_fws(after_name(field)));
    out.extend_from_slice(b"\r\n");
    Cow::Owned(out)
}

/// What follows the colon, final CRLF included.
fn after_name<'a>(field: &HeaderField<'a>) -> &'a [u8] {
    let start = field.name.len().saturating_add(1);
    field.raw.get(start..).unwrap_or_default()
}

/// Whether a field is its own relaxed form.
fn is_relaxed_header(field: &HeaderField<'_>, spacing: Spacing) -> bool {
    let Some(value) = after_name(field).strip_suffix(b"\r\n") else {
        return false;
    };
    each_byte(field.name, |byte| !byte.is_ascii_uppercase())
        && value.first() != Some(&b' ')
        && match spacing {
            Spacing::Single => memchr::memchr(b'\n', value).is_none(),
            Spacing::Any => is_relaxed(value),
        }
}

/// The value of a canonical header field: what follows the colon, without the final CRLF.
#[must_use]
pub fn value(field: &[u8]) -> &[u8] {
    let start = field
        .iter()
        .position(|b| *b == b':')
        .map_or(field.len(), |colon| colon.saturating_add(1));
    let value = field.get(start..).unwrap_or_default();
    value.strip_suffix(b"\r\n").unwrap_or(value)
}

/// A canonical DKIM-Signature field as what stands before its `b=` value, that value, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignatureField<'f> {
    before: &'f [u8],
    value: &'f [u8],
    after: &'f [u8],
}

/// Where the value of `b=` stands in a canonical DKIM-Signature field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SignatureValue {
    start: usize,
    end: usize,
}

impl SignatureValue {
    /// Finds the value of `b=`; without one it is empty and stands at the end.
    pub(crate) fn find(field: &[u8]) -> SignatureValue {
        let content = field.strip_suffix(b"\r\n").unwrap_or(field);
        let mut start = content
            .iter()
            .position(|b| *b == b':')
            .map_or(content.len(), |at| at.saturating_add(1));
        while let Some(rest) = content.get(start..).filter(|rest| !rest.is_empty()) {
            let tag = split_at_byte(rest, b';').map_or(rest, |(tag, _)| tag);
            let end = start.saturating_add(tag.len());
            if tag.iter().find(|b| !is_fws(**b)) == Some(&b'b')
                && let Some((name, value)) = split_at_byte(tag, b'=')
                && trim_fws(name) == b"b"
            {
                let start = end.saturating_sub(value.len());
                return SignatureValue { start, end };
            }
            start = end.saturating_add(1);
        }
        let end = field.len();
        SignatureValue { start: end, end }
    }
}

impl<'f> SignatureField<'f> {
    /// A field and where its signature stands.
    pub(crate) fn new(field: &'f [u8], at: SignatureValue) -> SignatureField<'f> {
        SignatureField {
            before: field.get(..at.start).unwrap_or(field),
            value: field.get(at.start..at.end).unwrap_or_default(),
            after: field.get(at.end..).unwrap_or_default(),
        }
    }

    /// Its parts in the normal form: the `b=` value has its white space removed, all other bytes stay.
    ///
    /// Spec: 3.2.
    pub(crate) fn compacted(self) -> [Cow<'f, [u8]>; 3] {
        let value = if each_byte(self.value, |b| !is_fws(b)) {
            Cow::Borrowed(self.value)
        } else {
            self.value.iter().copied().filter(|b| !is_fws(*b)).collect()
        };
        [Cow::Borrowed(self.before), value, Cow::Borrowed(self.after)]
    }

    /// Its parts as the signature covers them: without the `b=` value and the final CRLF. RFC 6376 3.5, 3.7.
    pub(crate) fn signed(self) -> [&'f [u8]; 2] {
        match self.after {
            b"" => [self.before.strip_suffix(b"\r\n").unwrap_or(self.before), b""],
            after => [self.before, after.strip_suffix(b"\r\n").unwrap_or(after)],
        }
    }
}

/// The body of a mail in canonical form.
///
/// Spec: 3.3. Relaxed: white space is SP and HTAB, runs become one SP, none at line ends, no empty lines at
/// the end, CRLF at the end of a non-empty body, an empty body is zero bytes. Simple: an empty body is one
/// CRLF.
#[must_use]
pub fn body<'m>(mail: &Mail<'m>, canon: Canon) -> Cow<'m, [u8]> {
    // What a memo holds is canonical already, and it is on that path that time counts.
    if is_canonical_body(mail.body, canon, mail.spacing) {
        Cow::Borrowed(mail.body)
    } else {
        Cow::Owned(canonical_body(mail.body, canon))
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
fn is_canonical_body(body: &[u8], canon: Canon, spacing: Spacing) -> bool {
    let ends_well = body.ends_with(b"\r\n") && !body.ends_with(b"\r\n\r\n") && body != b"\r\n";
    match canon {
        Canon::Simple => ends_well || body == b"\r\n",
        Canon::Relaxed if body.is_empty() => true,
        Canon::Relaxed => ends_well && (spacing == Spacing::Single || has_single_spacing(body)),
    }
}

/// Whether all white space is as the relaxed form has it, and no line end is bare, which the slow path would repair
/// (among them an LF after a space).
fn has_single_spacing(body: &[u8]) -> bool {
    let pair = |byte: u8, next: u8| {
        let broken = (byte == b'\r') != (next == b'\n');
        is_single_spaced(byte, next) & !broken
    };
    body.first() != Some(&b'\n') && each_pair(body, pair)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mail::message::{Source, check_controls};

    fn field(raw: &[u8]) -> HeaderField<'_> {
        let colon = raw.iter().position(|b| *b == b':').expect("a colon");
        HeaderField {
            raw,
            name: &raw[..colon],
        }
    }

    /// The canonical body of a mail of which nothing is known.
    fn body(body: &[u8], canon: Canon) -> Cow<'_, [u8]> {
        let mail = Mail {
            fields: Vec::new(),
            body,
            spacing: Spacing::Any,
        };
        super::body(&mail, canon)
    }

    // RFC 6376 3.4.5, examples 1 and 2 (with the colon written as rule 3.1 wants it).
    #[test]
    fn canonical_forms_equal_the_examples_of_the_rfc() {
        assert_eq!(
            &*header(&field(b"A: X\r\n"), Canon::Relaxed, Spacing::Any),
            b"a:X\r\n"
        );
        assert_eq!(
            &*header(&field(b"B: Y\t\r\n\tZ  \r\n"), Canon::Relaxed, Spacing::Any),
            b"b:Y Z\r\n"
        );
        assert_eq!(
            &*header(&field(b"B: Y\t\r\n\tZ  \r\n"), Canon::Simple, Spacing::Any),
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
            assert!(is_canonical_body(canonical, Canon::Relaxed, Spacing::Any));
            assert!(is_canonical_body(canonical, Canon::Simple, Spacing::Any));
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
            assert!(!is_canonical_body(other, Canon::Relaxed, Spacing::Any));
        }
        assert!(is_canonical_body(b"\r\n", Canon::Simple, Spacing::Any));
        assert!(!is_canonical_body(b"", Canon::Simple, Spacing::Any));
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
        let found = |field| SignatureField::new(field, SignatureValue::find(field));
        let compact = |field| found(field).compacted().concat();
        let signed = |field| found(field).signed().concat();
        assert_eq!(
            compact(raw),
            b"DKIM-Signature: v=1; bh=a b=;\r\n\tb =Zm9v; z=b=1\r\n"
        );
        assert_eq!(signed(raw), b"DKIM-Signature: v=1; bh=a b=;\r\n\tb =; z=b=1");
        assert_eq!(compact(b"x:b=Zm\r\n 9v\r\n"), b"x:b=Zm9v\r\n");
        assert_eq!(signed(b"x:b=Zm9v\r\n"), b"x:b=");
        assert_eq!(signed(b"x:b=Zm9v"), b"x:b=");
        assert_eq!(compact(b"x: v=1; c\r\n"), b"x: v=1; c\r\n");
        assert_eq!(signed(b"x: v=1; c\r\n"), b"x: v=1; c");
    }

    /// Forms of every field and of the body, by what is known of the white space.
    fn forms(input: &[u8], spacing: Spacing, canon: Canon) -> Vec<Vec<u8>> {
        let mail = Mail::split(input, Source::Door)
            .expect("a header")
            .with_spacing(spacing);
        let fields = mail
            .fields
            .iter()
            .map(|field| header(field, canon, spacing).into_owned());
        fields.chain([super::body(&mail, canon).into_owned()]).collect()
    }

    fn some_of(texts: Vec<&'static str>) -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(texts), 0..4)
    }

    proptest! {
        #[test]
        fn the_quick_path_is_the_slow_one(
            bytes in prop::collection::vec(prop::sample::select(vec!["a", " ", "\t", "\r\n", "\n", "\r"]), 0..12),
        ) {
            let bytes = bytes.concat().into_bytes();
            for canon in [Canon::Simple, Canon::Relaxed] {
                let slow = canonical_body(&bytes, canon);
                let well_formed = check_controls(&bytes).is_ok();
                prop_assert!(!well_formed || *body(&bytes, canon) == slow);
                prop_assert!(!well_formed || *body(&slow, canon) == slow);
            }
        }

        // Mostly without a tab or a second blank, so that half of the mails have single spacing.
        #[test]
        fn what_is_known_of_the_white_space_changes_no_form(
            fields in prop::collection::vec(("[aA]b?", some_of(vec!["a", " a", "a ", "a", "\r\n a", "\t"])), 0..4),
            lines in some_of(vec!["a", " a b", "a ", "a", "", "  a", "\ta"]),
            end in prop::sample::select(vec!["", "\r\n", " ", "\t"]),
        ) {
            let field = |(name, value): &(String, Vec<&str>)| format!("{name}:{}\r\n", value.concat());
            let mut input: String = fields.iter().map(field).collect();
            input.push_str("\r\n");
            input.push_str(&lines.join("\r\n"));
            input.push_str(end);
            let known = check_controls(input.as_bytes()).expect("CRLF alone");
            for canon in [Canon::Simple, Canon::Relaxed] {
                prop_assert_eq!(
                    forms(input.as_bytes(), known, canon),
                    forms(input.as_bytes(), Spacing::Any, canon)
                );
            }
        }
    }
}
