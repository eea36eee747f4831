//! Byte helpers that several rules share: white space, lines, relaxed lines, text for people. No rule of its own.

use std::borrow::Cow;

use crate::limits::SHOWN_BYTES_MAX;

/// White space of RFC 6376: SP and HTAB, nothing else.
pub(crate) const fn is_wsp(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What folding white space is made of.
pub(crate) const fn is_fws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `atext` of RFC 5322 3.2.3.
pub(crate) const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
        )
        || matches!(byte, b'{' | b'|' | b'}' | b'~')
}

fn trim_where(bytes: &[u8], strip: impl Fn(u8) -> bool) -> &[u8] {
    let start = bytes.iter().position(|b| !strip(*b)).unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|b| !strip(*b))
        .map_or(start, |last| last.saturating_add(1));
    bytes.get(start..end).unwrap_or_default()
}

/// Without SP and HTAB at both ends.
pub(crate) fn trim_wsp(bytes: &[u8]) -> &[u8] {
    trim_where(bytes, is_wsp)
}

/// Without folding white space at both ends.
pub(crate) fn trim_fws(bytes: &[u8]) -> &[u8] {
    trim_where(bytes, is_fws)
}

/// The part before and the part after the first `at`.
pub(crate) fn split_at_byte(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(memchr::memchr(at, bytes)?)?;
    Some((head, rest.get(1..)?))
}

/// The first line with its line end, CRLF or LF, and what follows it. Bytes after the last line end are a line too, if
/// there are any.
pub(crate) fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at.saturating_add(1));
    bytes.split_at_checked(end)
}

/// Lines with their line ends.
pub(crate) fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (line, after) = split_line(rest)?;
        rest = after;
        Some(line)
    })
}

/// Lines without their line ends.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    whole_lines(bytes).map(without_line_end)
}

/// The line without the CRLF or LF at its end.
pub(crate) fn without_line_end(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(rest) => rest.strip_suffix(b"\r").unwrap_or(rest),
        None => line,
    }
}

/// A line is empty if it holds only SP and HTAB. Spec: 5.4.
pub(crate) fn is_empty_line(line: &[u8]) -> bool {
    line.iter().all(|b| is_wsp(*b))
}

/// Whether each byte and its follower satisfy a test. Written without an early exit, so that the compiler reads many bytes
/// at a time: these tests run over every byte of every mail.
pub(crate) fn each_pair(bytes: &[u8], test: impl Fn(u8, u8) -> bool) -> bool {
    let followers = bytes.get(1..).unwrap_or_default();
    bytes
        .iter()
        .zip(followers)
        .fold(true, |all, (byte, next)| all & test(*byte, *next))
}

/// Whether each byte satisfies a test; see `each_pair`.
pub(crate) fn each_byte(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & test(*byte))
}

/// Whether `push_relaxed` would leave the bytes as they are.
pub(crate) fn is_relaxed(bytes: &[u8]) -> bool {
    let line_byte = |b: u8| (b != b'\t') & (b != b'\r') & (b != b'\n');
    bytes.last().is_none_or(|last| line_byte(*last) && *last != b' ')
        && each_pair(bytes, |a, b| line_byte(a) & ((a != b' ') | (b != b' ')))
}

/// Runs of SP and HTAB become one SP, none at the end. CR and LF vanish (unfolding). Spec: 3.3, 5.1.
pub(crate) fn push_relaxed(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_relaxed(bytes) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut pending = false;
    for byte in bytes.iter().copied() {
        if is_wsp(byte) {
            pending = true;
        } else if !matches!(byte, b'\r' | b'\n') {
            if pending {
                out.push(b' ');
                pending = false;
            }
            out.push(byte);
        }
    }
}

/// The relaxed form of one line.
pub(crate) fn relaxed(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    push_relaxed(&mut out, line);
    out
}

/// A header value without its folds; the white space that follows each fold stays.
pub(crate) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if value.iter().any(|b| matches!(b, b'\r' | b'\n')) {
        Cow::Owned(
            value
                .iter()
                .copied()
                .filter(|b| !matches!(b, b'\r' | b'\n'))
                .collect(),
        )
    } else {
        Cow::Borrowed(value)
    }
}

/// Foreign bytes for people: printable ASCII as it is, the rest escaped, cut at `SHOWN_BYTES_MAX`.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut text: String = bytes
        .iter()
        .take(SHOWN_BYTES_MAX)
        .flat_map(|b| std::ascii::escape_default(*b))
        .map(char::from)
        .collect();
    if bytes.len() > SHOWN_BYTES_MAX {
        text.push_str("...");
    }
    text
}

/// Where the input holds no CR at all, LF is read as CRLF. For files, pipes and Maildirs; network doors never do this.
///
/// Spec: 12.
pub fn lf_to_crlf_if_no_cr(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'\r') || !raw.contains(&b'\n') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len().saturating_add(raw.len() / 32));
    for line in raw.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(rest) => {
                out.extend_from_slice(rest);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lf_as_crlf_only_where_the_input_holds_no_cr() {
        assert_eq!(&*lf_to_crlf_if_no_cr(b"a\nb\n\nc"), b"a\r\nb\r\n\r\nc");
        assert_eq!(&*lf_to_crlf_if_no_cr(b"a\r\nb\n"), b"a\r\nb\n");
        assert_eq!(&*lf_to_crlf_if_no_cr(b""), b"");
    }

    #[test]
    fn relaxed_line_keeps_one_leading_space_and_no_trailing_one() {
        assert_eq!(relaxed(b" \t a \t\tb \t"), b" a b");
        assert_eq!(relaxed(b"\t "), b"");
    }
}
