//! Splits a mail into header fields and body, keeping every byte. Knows no field's meaning.
//!
//! Spec: 3.1 (header syntax), 3.4 (control bytes), 1 (sizes).

use crate::limits::{HEADER_LINES_MAX, MAIL_BYTES_MAX, MEMO_BYTES_MAX};
use crate::mail::text::{Spacing, each_pair_twice, is_single_spaced, is_wsp, whole_lines, without_line_end};
use crate::refusal::Refusal;

/// Where the bytes come from, which decides the bounds they are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A mail as a client or a relay hands it in.
    Door,
    /// The memo of a transaction.
    Memo,
}

/// One header field with its folds.
#[derive(Debug, Clone, Copy)]
pub struct HeaderField<'a> {
    /// All bytes, final CRLF included.
    pub raw: &'a [u8],
    /// The name as received.
    pub name: &'a [u8],
}

/// A mail as fields and body.
#[derive(Debug, Clone)]
pub struct Mail<'a> {
    /// Header fields, top to bottom.
    pub fields: Vec<HeaderField<'a>>,
    /// What follows the first empty line.
    pub body: &'a [u8],
    /// What is known of the white space of both.
    pub spacing: Spacing,
}

impl<'a> Mail<'a> {
    /// Splits header and body at the first empty line.
    ///
    /// Spec: 3.1. A line without a name or with white space before its colon, and a continuation that
    /// continues nothing, are read differently by different programs: that is how a second From is smuggled
    /// in.
    pub fn split(input: &'a [u8], source: Source) -> Result<Mail<'a>, Refusal> {
        let mut fields = Vec::with_capacity(FIELDS_EXPECTED);
        let mut lines: usize = 0;
        let mut offset: usize = 0;
        let mut open: Option<OpenField<'a>> = None;
        for line in whole_lines(input) {
            let next = offset.saturating_add(line.len());
            let content = without_line_end(line);
            if content.is_empty() && line.ends_with(b"\n") {
                fields.extend(open.take().and_then(|field| field.close(input, offset)));
                return Ok(Mail {
                    fields,
                    body: input.get(next..).unwrap_or_default(),
                    spacing: Spacing::Any,
                });
            }
            lines = lines.saturating_add(1);
            if source == Source::Door && lines > HEADER_LINES_MAX {
                return Err(Refusal::HeaderLinesTooMany);
            }
            if content.first().copied().is_some_and(is_wsp) {
                if open.is_none() {
                    return Err(Refusal::ContinuationFirst);
                }
            } else {
                fields.extend(open.take().and_then(|field| field.close(input, offset)));
                open = Some(OpenField {
                    start: offset,
                    name: field_name(content)?,
                });
            }
            offset = next;
        }
        Err(Refusal::NoEmptyLine)
    }

    /// The same mail, with what `check_controls` found out about the white space of its input.
    #[must_use]
    pub(crate) fn with_spacing(self, spacing: Spacing) -> Mail<'a> {
        Mail { spacing, ..self }
    }

    /// The positions of the DKIM-Signature fields, top to bottom.
    pub fn signature_positions(&self) -> impl Iterator<Item = usize> {
        let named = |field: &HeaderField<'_>| field.name.eq_ignore_ascii_case(b"dkim-signature");
        self.fields
            .iter()
            .enumerate()
            .filter(move |(_, field)| named(field))
            .map(|(position, _)| position)
    }
}

/// Fields that a header has room for before it grows; a memo has 7 to 15.
const FIELDS_EXPECTED: usize = 16;

struct OpenField<'a> {
    start: usize,
    name: &'a [u8],
}

impl<'a> OpenField<'a> {
    fn close(self, input: &'a [u8], end: usize) -> Option<HeaderField<'a>> {
        Some(HeaderField {
            raw: input.get(self.start..end)?,
            name: self.name,
        })
    }
}

/// The name before the colon: printable ASCII (RFC 5322 `ftext`), nothing between name and colon.
fn field_name(line: &[u8]) -> Result<&[u8], Refusal> {
    let end = line
        .iter()
        .position(|b| *b == b':')
        .ok_or(Refusal::HeaderLineWithoutName)?;
    let name = line.get(..end).unwrap_or_default();
    if name.is_empty() {
        Err(Refusal::HeaderLineWithoutName)
    } else if name.last().copied().is_some_and(is_wsp) {
        Err(Refusal::SpaceBeforeColon)
    } else if name.iter().all(u8::is_ascii_graphic) {
        Ok(name)
    } else {
        Err(Refusal::HeaderLineWithoutName)
    }
}

/// The input stays within its bound.
///
/// Spec: 1. Everything later costs time linear in this size.
pub(crate) fn check_size(input: &[u8], source: Source) -> Result<(), Refusal> {
    match source {
        Source::Door if input.len() > MAIL_BYTES_MAX => Err(Refusal::MailTooLarge),
        Source::Memo if input.len() > MEMO_BYTES_MAX => Err(Refusal::MemoTooLarge),
        Source::Door | Source::Memo => Ok(()),
    }
}

/// No bare CR, no bare LF, no NUL. The pass over every byte that this takes also tells what white space they hold.
///
/// Spec: 3.4, 3.3. Programs disagree where such a line ends (SMTP smuggling), so two readers would see two mails.
pub(crate) fn check_controls(input: &[u8]) -> Result<Spacing, Refusal> {
    let clean = |byte: u8, next: u8| ((byte == b'\r') == (next == b'\n')) & (byte != 0);
    let (is_clean, is_single) = each_pair_twice(input, clean, is_single_spaced);
    let bounded = input.first() != Some(&b'\n') && !matches!(input.last(), Some(b'\r' | 0));
    if bounded && is_clean {
        let ends_blank = input.last().copied().is_some_and(is_wsp);
        let is_single = is_single && !ends_blank;
        return Ok(if is_single { Spacing::Single } else { Spacing::Any });
    }
    let mut previous = 0;
    for byte in input.iter().copied() {
        match byte {
            b'\n' if previous != b'\r' => return Err(Refusal::BareLf),
            _ if previous == b'\r' && byte != b'\n' => return Err(Refusal::BareCr),
            0 => return Err(Refusal::Nul),
            _ => {}
        }
        // A NUL was refused above, so this start value meets no other case.
        previous = byte;
    }
    if previous == b'\r' {
        Err(Refusal::BareCr)
    } else {
        Ok(Spacing::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(input: &[u8]) -> Result<Mail<'_>, Refusal> {
        Mail::split(input, Source::Door)
    }

    #[test]
    fn accepts_fields_with_folds_and_keeps_their_bytes() {
        let mail = split(b"A: 1\r\n 2\r\nb:\r\n\r\nbody\r\n\r\n").expect("legal");
        let raws: Vec<&[u8]> = mail.fields.iter().map(|f| f.raw).collect();
        assert_eq!(raws, [&b"A: 1\r\n 2\r\n"[..], b"b:\r\n"]);
        assert_eq!(mail.body, b"body\r\n\r\n");
        assert_eq!(split(b"A: 1\r\n\r\n").expect("empty body").body, b"");
        assert!(split(b"\r\nbody").expect("no header").fields.is_empty());
    }

    #[test]
    fn rejects_lines_that_are_no_fields() {
        for (input, refusal) in [
            (&b" A: 1\r\n\r\n"[..], Refusal::ContinuationFirst),
            (b"A: 1\r\nFrom x\r\n\r\n", Refusal::HeaderLineWithoutName),
            (b": 1\r\n\r\n", Refusal::HeaderLineWithoutName),
            (b"From : 1\r\n\r\n", Refusal::SpaceBeforeColon),
            (b"From\t: 1\r\n\r\n", Refusal::SpaceBeforeColon),
            (b"Fr om: 1\r\n\r\n", Refusal::HeaderLineWithoutName),
            (b"Fr\xc3\xb6m: 1\r\n\r\n", Refusal::HeaderLineWithoutName),
            (b"A: 1\r\n", Refusal::NoEmptyLine),
            (b"A: 1", Refusal::NoEmptyLine),
            (b"", Refusal::NoEmptyLine),
        ] {
            assert_eq!(split(input).map(|_| ()), Err(refusal));
        }
    }

    #[test]
    fn rejects_too_many_header_lines_at_the_door() {
        let mut input = b"A: 1\r\n".repeat(HEADER_LINES_MAX);
        input.extend_from_slice(b"\r\n");
        assert!(split(&input).is_ok());
        assert!(Mail::split(&input, Source::Memo).is_ok());
        let mut input = b"A: 1\r\n".repeat(10_000);
        input.extend_from_slice(b"\r\n");
        assert_eq!(split(&input).map(|_| ()), Err(Refusal::HeaderLinesTooMany));
    }

    #[test]
    fn accepts_crlf_and_rejects_bare_controls() {
        assert_eq!(check_controls(b"a\r\n\r\nb"), Ok(Spacing::Single));
        for (input, refusal) in [
            (&b"a\nb"[..], Refusal::BareLf),
            (b"\n", Refusal::BareLf),
            (b"a\rb", Refusal::BareCr),
            (b"a\r", Refusal::BareCr),
            (b"a\r\r\n", Refusal::BareCr),
            (b"a\r\0", Refusal::BareCr),
            (b"a\0b", Refusal::Nul),
        ] {
            assert_eq!(check_controls(input), Err(refusal));
        }
    }

    #[test]
    fn spacing_is_single_only_where_the_relaxed_form_changes_no_blank() {
        for single in [&b""[..], b"a", b" a\r\n b c\r\n", b"\r\n\r\n"] {
            assert_eq!(check_controls(single), Ok(Spacing::Single));
        }
        for other in [&b"a  b"[..], b"a\tb", b"a \r\n", b"\ta", b"a ", b"a\t", b" "] {
            assert_eq!(check_controls(other), Ok(Spacing::Any));
        }
    }

    #[test]
    fn rejects_mails_over_their_size() {
        assert_eq!(check_size(&vec![b'a'; MAIL_BYTES_MAX], Source::Door), Ok(()));
        assert_eq!(
            check_size(&vec![b'a'; MAIL_BYTES_MAX + 1], Source::Door),
            Err(Refusal::MailTooLarge)
        );
        assert_eq!(check_size(&vec![b'a'; MEMO_BYTES_MAX], Source::Memo), Ok(()));
        assert_eq!(
            check_size(&vec![b'a'; MEMO_BYTES_MAX + 1], Source::Memo),
            Err(Refusal::MemoTooLarge)
        );
    }
}
