//! Byte helpers that several rules share: white space, lines, relaxed lines, text for people. No rule of its
//! own.

use std::borrow::Cow;

use crate::limits::SHOWN_BYTES_MAX;

/// White space of RFC 6376: SP and HTAB, nothing else.
#[must_use]
pub const fn is_wsp(byte: u8) -> bool {
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
pub fn trim_wsp(bytes: &[u8]) -> &[u8] {
    trim_where(bytes, is_wsp)
}

/// Without folding white space at both ends.
pub fn trim_fws(bytes: &[u8]) -> &[u8] {
    trim_where(bytes, is_fws)
}

/// The part before and the part after the first `at`.
#[must_use]
pub fn split_at_byte(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(memchr::memchr(at, bytes)?)?;
    Some((head, rest.get(1..)?))
}

/// The first line with its line end, CRLF or LF, and what follows it. Bytes after the last line end are a
/// line too, if there are any.
pub(crate) fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at.saturating_add(1));
    bytes.split_at_checked(end)
}

/// Lines with their line ends.
pub fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (line, after) = split_line(rest)?;
        rest = after;
        Some(line)
    })
}

/// Lines without their line ends.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    whole_lines(bytes).map(without_line_end)
}

/// The lines that begin with a prefix, each with its position and without its line end. `needle` is LF and
/// the prefix: in a long text, looking for it is quicker than going from line to line.
pub(crate) fn lines_with<'a>(bytes: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
    let prefix = needle.get(1..).unwrap_or_default();
    let first = bytes.starts_with(prefix).then_some(0);
    let later = memchr::memmem::find_iter(bytes, needle).map(|at| at.saturating_add(1));
    first.into_iter().chain(later).filter_map(|start| {
        let (line, _) = split_line(bytes.get(start..)?)?;
        Some((start, without_line_end(line)))
    })
}

/// The line without the CRLF or LF at its end.
#[must_use]
pub fn without_line_end(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(rest) => rest.strip_suffix(b"\r").unwrap_or(rest),
        None => line,
    }
}

/// A line is empty if it holds only SP and HTAB. Spec: 5.4.
#[must_use]
pub fn is_empty_line(line: &[u8]) -> bool {
    line.iter().all(|b| is_wsp(*b))
}

/// Whether each byte and its follower satisfy a test. Written without an early exit, so that the compiler
/// reads many bytes at a time: these tests run over every byte of every mail.
pub(crate) fn each_pair(bytes: &[u8], test: impl Fn(u8, u8) -> bool) -> bool {
    let followers = bytes.get(1..).unwrap_or_default();
    bytes
        .iter()
        .zip(followers)
        .fold(true, |all, (byte, next)| all & test(*byte, *next))
}

/// Two tests in one pass; see `each_pair`.
pub(crate) fn each_pair_twice(
    bytes: &[u8],
    first: impl Fn(u8, u8) -> bool,
    second: impl Fn(u8, u8) -> bool,
) -> (bool, bool) {
    let followers = bytes.get(1..).unwrap_or_default();
    bytes
        .iter()
        .zip(followers)
        .fold((true, true), |(firsts, seconds), (byte, next)| {
            (firsts & first(*byte, *next), seconds & second(*byte, *next))
        })
}

/// What is known of the white space of a whole mail, so that its parts need not be read for it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Lines end in CRLF and in nothing else, no line ends in a blank, and all white space within them is single
    /// SPs: the relaxed form differs by folds, the beginning of a header value and the end of the body alone.
    Single,
    /// Nothing is known.
    Any,
}

/// Whether the relaxed form leaves white space as it is here: no tab, no second blank, none at the end of a line.
#[inline]
pub(crate) fn is_single_spaced(byte: u8, next: u8) -> bool {
    let respaced = (byte == b' ') & ((next == b' ') | (next == b'\r'));
    !respaced & (byte != b'\t')
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
#[must_use]
pub fn relaxed(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    push_relaxed(&mut out, line);
    out
}

/// A header value without its folds; the white space that follows each fold stays.
pub(crate) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = without_line_end(value);
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = value.to_vec();
    out.retain(|b| !matches!(b, b'\r' | b'\n'));
    Cow::Owned(out)
}

/// Names up to which each is compared with each; more are sorted, so that a hostile list costs almost linear
/// time.
const NAMES_COMPARED_MAX: usize = 16;

/// Whether one name stands twice, ASCII case aside.
pub(crate) fn has_twins(names: &[&[u8]]) -> bool {
    if names.len() > NAMES_COMPARED_MAX {
        let mut sorted: Vec<Vec<u8>> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        sorted.sort_unstable();
        return sorted.windows(2).any(|pair| pair.first() == pair.get(1));
    }
    let mut rest = names;
    while let Some((name, others)) = rest.split_first() {
        if others.iter().any(|other| name.eq_ignore_ascii_case(other)) {
            return true;
        }
        rest = others;
    }
    false
}

/// Foreign bytes for people: printable ASCII as it is, the rest escaped, cut at `SHOWN_BYTES_MAX`.
pub fn shown(bytes: &[u8]) -> String {
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

/// A mail as a file, a pipe or a Maildir holds it: the line with which entries of an mbox file begin is left
/// out (RFC 4155, appendix A: `From `, which is no header field; delivery agents write it into pipes and
/// Maildirs too), and line ends are read by [`lf_to_crlf_if_no_cr`].
///
/// Spec: 12.
#[must_use]
pub fn mail_of_file(raw: &[u8]) -> Cow<'_, [u8]> {
    // `From : a` is a header field with a blank in it, which rule 3.1 refuses.
    let separator = raw.split_inclusive(|b| *b == b'\n').next().filter(|line| {
        line.strip_prefix(b"From ")
            .is_some_and(|rest| !trim_wsp(rest).starts_with(b":"))
    });
    let mail = separator.and_then(|line| raw.strip_prefix(line));
    lf_to_crlf_if_no_cr(mail.unwrap_or(raw))
}

/// Where the input holds no CR at all, LF is read as CRLF. For files, pipes and Maildirs; network doors never
/// do this.
///
/// Spec: 12.
#[must_use]
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

    // The line is that of RFC 4155, appendix A.
    #[test]
    fn the_line_before_a_mail_in_an_mbox_file_is_left_out() {
        let line = b"From tony@example.com Fri Jun 23 02:56:55 2000\n";
        let of = |mail: &[u8]| mail_of_file(&[line, mail].concat()).into_owned();
        assert_eq!(of(b"To: a\n\nb\n"), b"To: a\r\n\r\nb\r\n");
        assert_eq!(of(b"To: a\r\n\nb\n"), b"To: a\r\n\nb\n");
        assert_eq!(of(b""), b"");
        for mail in [
            &b"From: a\r\n"[..],
            b"From  : a\r\n",
            b"from a\r\n",
            b"To: a\r\nFrom b\r\n",
            b"",
        ] {
            assert_eq!(&*mail_of_file(mail), mail);
        }
    }

    #[test]
    fn reads_lf_as_crlf_only_where_the_input_holds_no_cr() {
        assert_eq!(&*lf_to_crlf_if_no_cr(b"a\nb\n\nc"), b"a\r\nb\r\n\r\nc");
        assert_eq!(&*lf_to_crlf_if_no_cr(b"a\r\nb\n"), b"a\r\nb\n");
        assert_eq!(&*lf_to_crlf_if_no_cr(b""), b"");
    }

    #[test]
    fn lines_are_found_by_their_beginning() {
        for text in [
            "",
            "-a",
            "-a\r\n",
            "b-\n-a\n\n-\r\n--\r\n-",
            "\n-a",
            "\r\n-b\r\nc\r\n-",
        ] {
            let by_line: Vec<&[u8]> = lines(text.as_bytes()).filter(|l| l.starts_with(b"-")).collect();
            let found: Vec<_> = lines_with(text.as_bytes(), b"\n-").collect();
            assert!(
                found
                    .iter()
                    .all(|(at, line)| text.as_bytes()[*at..].starts_with(line))
            );
            assert_eq!(
                found.into_iter().map(|(_, line)| line).collect::<Vec<_>>(),
                by_line,
                "{text:?}"
            );
        }
    }

    #[test]
    fn twins_are_found_in_short_and_long_lists() {
        let names: Vec<String> = (0..NAMES_COMPARED_MAX + 9).map(|n| format!("x{n}")).collect();
        for count in [0, 1, NAMES_COMPARED_MAX, names.len()] {
            let mut list: Vec<&[u8]> = names.iter().take(count).map(String::as_bytes).collect();
            assert!(!has_twins(&list));
            if count > 0 {
                list.push(b"X0");
                assert!(has_twins(&list));
            }
        }
    }

    #[test]
    fn relaxed_line_keeps_one_leading_space_and_no_trailing_one() {
        assert_eq!(relaxed(b" \t a \t\tb \t"), b" a b");
        assert_eq!(relaxed(b"\t "), b"");
    }
}
