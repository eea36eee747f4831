//! The instruction text: which bytes of the signed body a sender wrote as the beginning of his mail. Reads
//! structure from the signed body alone, because anybody who holds a mail can change the outer Content-Type
//! and the outer transfer encoding of most providers. Knows nothing of instructions.
//!
//! Spec: 5.4. Narrower than RFC 2045 and 2046 on purpose.

use std::borrow::Cow;
use std::ops::Deref;

use thiserror::Error;

use crate::limits::{BOUNDARY_BYTES_MAX, MULTIPART_DEPTH_MAX};
use crate::mail::base64;
use crate::mail::text::{
    each_pair, has_twins, is_empty_line, is_wsp, lines_with, relaxed, split_at_byte, split_line, trim_wsp,
    unfold, without_line_end,
};

/// Why a multipart body has no text. Spec: 5.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MimeError {
    /// More than four multiparts within each other.
    #[error("its parts are nested more than four deep")]
    TooDeep,
    /// Header lines of a part that are no header fields, or no empty line after them.
    #[error("the header of its first part is malformed")]
    PartHeader,
    /// One header field twice.
    #[error("a header field of its first part appears twice")]
    Duplicate,
    /// A Content-Type, Content-Disposition or Content-Transfer-Encoding that is malformed or holds a comment.
    #[error("a Content header of its first part is malformed")]
    ContentHeader,
    /// A nested multipart without a boundary, or whose boundary does not occur.
    #[error("a nested multipart has no usable boundary")]
    Boundary,
    /// A nested digest, whose parts are mails.
    #[error("its first part is a digest of other mails")]
    Digest,
    /// The first part is no plain text.
    #[error("its first part is not plain text")]
    NotPlainText,
    /// The first part is a file.
    #[error("its first part is an attachment or has a file name")]
    Attachment,
    /// A transfer encoding that is not allowed there.
    #[error("the transfer encoding of its first part is not allowed")]
    Encoding,
    /// Broken quoted-printable.
    #[error("its quoted-printable is broken")]
    QuotedPrintable,
    /// Broken base64.
    #[error("its base64 is broken")]
    Base64,
    /// A bare CR in the decoded text.
    #[error("its decoded text holds a bare CR")]
    BareCr,
}

/// The text in which the instruction is looked for; lines end in CRLF or LF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text<'b> {
    /// The body itself: it is no multipart, and nothing signed says how it is encoded.
    Raw(&'b [u8]),
    /// The first part, decoded by its own header.
    Part(Cow<'b, [u8]>),
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Text::Raw(text) => text,
            Text::Part(text) => text,
        }
    }
}

/// The instruction text of a body.
///
/// Spec: 5.4. A body that does not begin as a multipart is read raw, undecoded.
pub fn instruction_text(body: &[u8]) -> Result<Text<'_>, MimeError> {
    let Some((boundary, rest)) = opening(body) else {
        return Ok(Text::Raw(body));
    };
    let mut part = until_delimiter(rest, boundary);
    for _ in 0..MULTIPART_DEPTH_MAX {
        let (header, content) = split_part(part)?;
        match header.boundary()? {
            None => return header.decode(content).map(Text::Part),
            Some(boundary) => part = first_child(content, &boundary)?,
        }
    }
    Err(MimeError::TooDeep)
}

/// How the lines begin that programs write above the first part, in relaxed form. A closed list: the sender
/// never sees these lines, and words of his own there would be no preamble.
const PREAMBLES: [&[&[u8]]; 8] = [
    // Mozilla (nsMsgSend), git send-email's callers, PHPMailer.
    &[b"This is a multi-part message in MIME format"],
    // Enigmail and Thunderbird, mail signed with OpenPGP.
    &[b"This is an OpenPGP/MIME signed message"],
    // Outlook 12 to 16 by SMTP, HCL Notes: public list mail of 2019 to 2026.
    &[b"This is a multipart message in MIME format."],
    // Mozilla (nsMsgComposeSecure), mail signed with S/MIME.
    &[b"This is a cryptographically signed message in MIME format."],
    // GroupWise (`boundary="=__Part..."`): public list mail of 2003 to 2012.
    &[
        b"This is a MIME message. If you are reading this text, you may want to",
        b"consider changing to a mail reader or gateway that understands how to",
        b"properly handle MIME multipart messages.",
    ],
    // Alpine 2.2x, with an attachment or text beyond ASCII: public list mail of 2009 to 2026.
    &[
        b" This message is in MIME format. The first part should be readable text,",
        b" while the remaining parts are likely unreadable without MIME-aware tools.",
    ],
    // Exchange 5.5, Internet Mail Service: public list mail of 2005.
    &[
        b"This message is in MIME format. Since your mail reader does not understand",
        b"this format, some or all of this message may not be legible.",
    ],
    // Horde (Horde_Mime_Part).
    &[b"This message is in MIME format."],
];

/// What follows a preamble, if the text begins with one.
fn after_preamble(text: &[u8]) -> Option<&[u8]> {
    // Cheap test first: hardly any text begins so.
    if !trim_wsp(text).starts_with(b"This ") {
        return None;
    }
    PREAMBLES.iter().find_map(|preamble| {
        preamble.iter().try_fold(text, |rest, begin| {
            let (line, after) = next_line(rest)?;
            relaxed(line).starts_with(begin).then_some(after)
        })
    })
}

/// The first line of `rest` without its line end, and what follows; `None` at the end.
fn next_line(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, after) = split_line(rest)?;
    Some((without_line_end(line), after))
}

/// The boundary and what follows its first line, if the body begins as a multipart.
fn opening(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = body;
    let mut preamble_seen = false;
    let (boundary, after) = loop {
        let (line, after) = next_line(rest)?;
        if is_empty_line(line) {
            rest = after;
        } else if let Some(after) = after_preamble(rest).filter(|_| !preamble_seen) {
            preamble_seen = true;
            rest = after;
        } else {
            break (line.strip_prefix(b"--").filter(|text| is_boundary(text))?, after);
        }
    };
    let mut has_content_field = false;
    let mut fields: usize = 0;
    let mut rest = after;
    loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        if is_empty_line(line) {
            break;
        }
        if line.first().copied().is_some_and(is_wsp) {
            if fields == 0 {
                return None;
            }
            continue;
        }
        let (name, _) = field(line)?;
        fields = fields.saturating_add(1);
        has_content_field |= name
            .get(..8)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"content-"));
    }
    has_content_field.then_some((boundary, after))
}

/// 1 to 70 boundary characters of RFC 2046, no space at the end.
fn is_boundary(text: &[u8]) -> bool {
    let legal = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'\'' | b'(' | b')' | b'+' | b'_' | b',' | b'-' | b'.' | b'/' | b':' | b'=' | b'?' | b' '
            )
    };
    !text.is_empty()
        && text.len() <= BOUNDARY_BYTES_MAX
        && text.iter().all(legal)
        && text.last() != Some(&b' ')
}

/// Name and value of a header line.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = split_at_byte(line, b':')?;
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some((name, value))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Open,
    Close,
}

fn delimiter(line: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    match line.strip_prefix(b"--")?.strip_prefix(boundary)? {
        b"" => Some(Delimiter::Open),
        b"--" => Some(Delimiter::Close),
        _ => None,
    }
}

/// The lines before the next delimiter line; all of them if there is none.
fn until_delimiter<'a>(bytes: &'a [u8], boundary: &[u8]) -> &'a [u8] {
    lines_with(bytes, b"\n--")
        .find(|(_, line)| delimiter(line, boundary).is_some())
        .and_then(|(end, _)| bytes.get(..end))
        .unwrap_or(bytes)
}

/// The first part of a nested multipart.
fn first_child<'a>(content: &'a [u8], boundary: &[u8]) -> Result<&'a [u8], MimeError> {
    let mut rest = content;
    while let Some((line, after)) = next_line(rest) {
        match delimiter(line, boundary) {
            Some(Delimiter::Open) => return Ok(until_delimiter(after, boundary)),
            Some(Delimiter::Close) => return Err(MimeError::Boundary),
            None => rest = after,
        }
    }
    Err(MimeError::Boundary)
}

/// What the header of a part says.
#[derive(Default)]
struct PartHeader<'a> {
    content_type: Option<Cow<'a, [u8]>>,
    disposition: Option<Cow<'a, [u8]>>,
    encoding: Option<Cow<'a, [u8]>>,
}

/// Header and content of a part.
fn split_part(part: &[u8]) -> Result<(PartHeader<'_>, &[u8]), MimeError> {
    let mut header = PartHeader::default();
    let mut names = Vec::new();
    let mut rest = part;
    loop {
        let (line, mut after) = next_line(rest).ok_or(MimeError::PartHeader)?;
        if is_empty_line(line) {
            return if has_twins(&names) {
                Err(MimeError::Duplicate)
            } else {
                Ok((header, after))
            };
        }
        // The field with its continuation lines.
        while let Some((continuation, next)) = next_line(after) {
            if is_empty_line(continuation) || !continuation.first().copied().is_some_and(is_wsp) {
                break;
            }
            after = next;
        }
        let end = rest.len().saturating_sub(after.len());
        let (name, value) = field(rest.get(..end).unwrap_or_default()).ok_or(MimeError::PartHeader)?;
        let slots = [
            (&b"content-type"[..], &mut header.content_type),
            (b"content-disposition", &mut header.disposition),
            (b"content-transfer-encoding", &mut header.encoding),
        ];
        for (known, slot) in slots {
            if name.eq_ignore_ascii_case(known) {
                *slot = Some(unfold(value));
            }
        }
        names.push(name);
        rest = after;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    QuotedPrintable,
    Base64,
}

/// The transfer encodings of rule 5.4; `binary` is none of them.
const ENCODINGS: [(&[u8], Encoding); 4] = [
    (b"7bit", Encoding::Identity),
    (b"8bit", Encoding::Identity),
    (b"quoted-printable", Encoding::QuotedPrintable),
    (b"base64", Encoding::Base64),
];

impl PartHeader<'_> {
    /// The boundary, if the part is a multipart. Checks what holds for every part on the path.
    fn boundary(&self) -> Result<Option<Cow<'_, [u8]>>, MimeError> {
        let Some(value) = &self.content_type else {
            self.is_inline()?;
            return Ok(None);
        };
        let (media_type, parameters) = content_type(value)?;
        self.is_inline()?;
        match media_type {
            MediaType::PlainText => return Ok(None),
            MediaType::Multipart(subtype) if subtype.eq_ignore_ascii_case(b"digest") => {
                return Err(MimeError::Digest);
            }
            MediaType::Multipart(_) => {}
            MediaType::Other => return Err(MimeError::NotPlainText),
        }
        if self.encoding()? != Encoding::Identity {
            return Err(MimeError::Encoding);
        }
        let boundary = parameters
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(b"boundary"))
            .map(|(_, value)| value);
        boundary
            .filter(|text| is_boundary(text))
            .map(Some)
            .ok_or(MimeError::Boundary)
    }

    /// Whether the part is no attachment; a file name in its disposition refuses it.
    fn is_inline(&self) -> Result<bool, MimeError> {
        self.disposition.as_deref().map_or(Ok(true), is_inline)
    }

    fn encoding(&self) -> Result<Encoding, MimeError> {
        let Some(value) = &self.encoding else {
            return Ok(Encoding::Identity);
        };
        let (kind, parameters) = structured(value)?;
        if !parameters.is_empty() || !is_token(kind) {
            return Err(MimeError::ContentHeader);
        }
        ENCODINGS
            .iter()
            .find(|(name, _)| kind.eq_ignore_ascii_case(name))
            .map(|(_, encoding)| *encoding)
            .ok_or(MimeError::Encoding)
    }

    /// The text of a leaf.
    fn decode<'a>(&self, content: &'a [u8]) -> Result<Cow<'a, [u8]>, MimeError> {
        if !self.is_inline()? {
            return Err(MimeError::Attachment);
        }
        // The last line end belongs to the delimiter (RFC 2046 5.1.1).
        let content = without_line_end(content);
        let text = match self.encoding()? {
            Encoding::Identity => Cow::Borrowed(content),
            Encoding::QuotedPrintable => quoted_printable(content)?,
            Encoding::Base64 => Cow::Owned(base64::decode_part(content).ok_or(MimeError::Base64)?),
        };
        if text.last() == Some(&b'\r') || !each_pair(&text, |byte, next| (byte != b'\r') | (next == b'\n')) {
            return Err(MimeError::BareCr);
        }
        Ok(text)
    }
}

/// What a Content-Type says, as far as rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType<'v> {
    /// text/plain.
    PlainText,
    /// A multipart, by its subtype.
    Multipart(&'v [u8]),
    /// Any other.
    Other,
}

/// What the value of a Content-Type says; a file name in it refuses.
pub(crate) fn media_type(value: &[u8]) -> Result<MediaType<'_>, MimeError> {
    content_type(value).map(|(media_type, _)| media_type)
}

/// Whether the value of a Content-Disposition is `inline`; a file name in it refuses.
pub(crate) fn is_inline(value: &[u8]) -> Result<bool, MimeError> {
    let (kind, parameters) = structured(value)?;
    check_no_file_name(&parameters)?;
    if is_token(kind) {
        Ok(kind.eq_ignore_ascii_case(b"inline"))
    } else {
        Err(MimeError::ContentHeader)
    }
}

/// The media type and the parameters of a Content-Type.
fn content_type(value: &[u8]) -> Result<(MediaType<'_>, Parameters<'_>), MimeError> {
    let (main, parameters) = structured(value)?;
    check_no_file_name(&parameters)?;
    let (kind, subtype) = split_at_byte(main, b'/').ok_or(MimeError::ContentHeader)?;
    if !is_token(kind) || !is_token(subtype) {
        return Err(MimeError::ContentHeader);
    }
    let media_type = if kind.eq_ignore_ascii_case(b"multipart") {
        MediaType::Multipart(subtype)
    } else if main.eq_ignore_ascii_case(b"text/plain") {
        MediaType::PlainText
    } else {
        MediaType::Other
    };
    Ok((media_type, parameters))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'/'
        )
        && !matches!(byte, b'[' | b']' | b'?' | b'=')
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Parameter names as written, and their values without quotes.
type Parameters<'v> = Vec<(&'v [u8], Cow<'v, [u8]>)>;

/// A value of the form `main; name=value; name="value"[;]`: the main part and the parameters. Names compare
/// without case.
fn structured(value: &[u8]) -> Result<(&[u8], Parameters<'_>), MimeError> {
    let (main, mut rest) = split_at_byte(value, b';').unwrap_or((value, b""));
    let mut parameters = Parameters::new();
    loop {
        rest = trim_wsp(rest);
        if rest.is_empty() {
            break;
        }
        let (name, after) = split_at_byte(rest, b'=').ok_or(MimeError::ContentHeader)?;
        if !is_token(name) {
            return Err(MimeError::ContentHeader);
        }
        let (text, after) = parameter_value(after)?;
        parameters.push((name, text));
        rest = match trim_wsp(after) {
            b"" => b"",
            [b';', rest @ ..] => rest,
            _ => return Err(MimeError::ContentHeader),
        };
    }
    let twins = parameters.len() > 1 && {
        let names: Vec<&[u8]> = parameters.iter().map(|(name, _)| *name).collect();
        has_twins(&names)
    };
    if twins {
        Err(MimeError::ContentHeader)
    } else {
        Ok((trim_wsp(main), parameters))
    }
}

fn parameter_value(bytes: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), MimeError> {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        let end = bytes
            .iter()
            .position(|b| !is_token_byte(*b))
            .unwrap_or(bytes.len());
        let (token, rest) = bytes.split_at_checked(end).ok_or(MimeError::ContentHeader)?;
        return if token.is_empty() {
            Err(MimeError::ContentHeader)
        } else {
            Ok((Cow::Borrowed(token), rest))
        };
    };
    let mut escaped = false;
    for (at, byte) in quoted.iter().copied().enumerate() {
        if !byte.is_ascii_graphic() && !is_wsp(byte) {
            return Err(MimeError::ContentHeader);
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let (text, rest) = quoted.split_at_checked(at).ok_or(MimeError::ContentHeader)?;
                return Ok((unescaped(text), rest.get(1..).unwrap_or_default()));
            }
            _ => {}
        }
    }
    Err(MimeError::ContentHeader)
}

/// A quoted string without its quotes and the backslashes of its quoted pairs. RFC 5322 3.2.4.
fn unescaped(quoted: &[u8]) -> Cow<'_, [u8]> {
    if !quoted.contains(&b'\\') {
        return Cow::Borrowed(quoted);
    }
    let mut text = Vec::with_capacity(quoted.len());
    let mut escaped = false;
    for byte in quoted.iter().copied() {
        escaped = byte == b'\\' && !escaped;
        if !escaped {
            text.push(byte);
        }
    }
    Cow::Owned(text)
}

/// Neither `name` nor `filename`, in any form of RFC 2231 (`name*`, `filename*0`, `filename*0*`).
fn check_no_file_name(parameters: &Parameters<'_>) -> Result<(), MimeError> {
    let names_a_file = |name: &[u8]| {
        let base = name.split(|b| *b == b'*').next().unwrap_or_default();
        base.eq_ignore_ascii_case(b"name") || base.eq_ignore_ascii_case(b"filename")
    };
    if parameters.iter().any(|(name, _)| names_a_file(name)) {
        Err(MimeError::Attachment)
    } else {
        Ok(())
    }
}

/// Quoted-printable: hex of either case; `=` at the end of a line or of the part is soft; any other `=`
/// refuses.
fn quoted_printable(content: &[u8]) -> Result<Cow<'_, [u8]>, MimeError> {
    if memchr::memchr(b'=', content).is_none() {
        return Ok(Cow::Borrowed(content));
    }
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (plain, escape) = rest.split_at_checked(at).ok_or(MimeError::QuotedPrintable)?;
        out.extend_from_slice(plain);
        rest = match escape {
            [b'='] => b"",
            [b'=', b'\n', after @ ..] | [b'=', b'\r', b'\n', after @ ..] => after,
            [b'=', high, low, after @ ..] => {
                out.push(hex_digit(*high)? << 4 | hex_digit(*low)?);
                after
            }
            _ => return Err(MimeError::QuotedPrintable),
        };
    }
    out.extend_from_slice(rest);
    Ok(Cow::Owned(out))
}

fn hex_digit(byte: u8) -> Result<u8, MimeError> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(MimeError::QuotedPrintable)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Spec: 5.4. RFC 2046 5.1.5: the parts of a digest are mails, also without a type.
    #[test]
    fn rejects_the_first_mail_of_a_digest_in_a_multipart() {
        let in_a = |subtype: &str| {
            text(&multipart(
                &format!("Content-Type: multipart/{subtype}; boundary=c"),
                "--c\n\nREMIT 1 XAH\n--c--",
            ))
        };
        assert_eq!(in_a("mixed").as_deref(), Ok("REMIT 1 XAH"));
        assert_eq!(in_a("digest"), Err(MimeError::Digest));
    }

    fn text(body: &str) -> Result<String, MimeError> {
        let body = body.replace('\n', "\r\n");
        instruction_text(body.as_bytes()).map(|text| String::from_utf8_lossy(&text).replace("\r\n", "\n"))
    }

    fn multipart(header: &str, content: &str) -> String {
        format!("--b\n{header}\n\n{content}\n--b\nContent-Type: text/html\n\n<p>x</p>\n--b--\n")
    }

    // RFC 5322 3.2.4.
    #[test]
    fn accepts_quoted_pairs_in_a_parameter_and_rejects_an_open_quote() {
        let value = |text: &'static str| parameter_value(text.as_bytes());
        for (written, meant) in [
            (r#""";x"#, ""),
            (r#""a b";x"#, "a b"),
            (r#""a\"b";x"#, r#"a"b"#),
            (r#""a\\";x"#, r"a\"),
            (r#""\\\"\a";x"#, r#"\"a"#),
        ] {
            let (text, rest) = value(written).expect("a parameter");
            assert_eq!((&*text, rest), (meant.as_bytes(), &b";x"[..]), "{written}");
        }
        for open in [r#"""#, r#""a"#, r#""a\""#, "\"\u{1}\""] {
            assert_eq!(value(open), Err(MimeError::ContentHeader), "{open}");
        }
    }

    #[test]
    fn accepts_a_plain_body_raw() {
        for body in [
            "REMIT 1 XAH\n",
            "",
            "\n\n",
            "a=3D\n",
            "--b\n",
            "--b\nx\n\n",
            "--b\n\nContent-Type: a\n\n",
            "--b\nX: y\n\nz\n",
        ] {
            assert_eq!(text(body).as_deref(), Ok(body));
        }
        let long = format!("--{}\nContent-Type: text/html\n\nx\n", "b".repeat(71));
        assert_eq!(text(&long).as_deref(), Ok(long.as_str()));
    }

    #[test]
    fn accepts_first_text_parts_of_every_encoding() {
        for (header, content, expected) in [
            ("Content-Type: text/plain; charset=utf-8", "a\nb", "a\nb"),
            ("Content-Type: TEXT/Plain;\n charset=\"utf-8\";", "a", "a"),
            ("Content-Language: en", "a", "a"),
            ("content-transfer-encoding: 7BIT", "a=3D", "a=3D"),
            ("Content-Transfer-Encoding: 8bit;", "a", "a"),
            (
                "Content-Transfer-Encoding: quoted-printable",
                "a=3db=3Dc=\nd=",
                "a=b=cd",
            ),
            ("Content-Transfer-Encoding: base64", "YQpi\nCg==", "a\nb\n"),
            ("Content-Disposition: Inline\nContent-Type: text/plain", "a", "a"),
        ] {
            assert_eq!(
                text(&multipart(header, content)).as_deref(),
                Ok(expected),
                "{header}"
            );
        }
        let part = multipart("Content-ID: <1>", "a");
        for preamble in PREAMBLES {
            let lines: Vec<_> = preamble
                .iter()
                .map(|line| String::from_utf8_lossy(line))
                .collect();
            let body = format!("\n \n{} \n\n{part}", lines.join(" \n"));
            assert_eq!(text(&body).as_deref(), Ok("a"), "{body}");
        }
        assert_eq!(text("--b\nContent-ID: <1>\n\na\n").as_deref(), Ok("a"));
        assert_eq!(text("--b\nContent-ID: <1>\n\n--b--\n").as_deref(), Ok(""));
    }

    /// What is no fixed line of a program may be the sender's own words: read as text, they stand first.
    #[test]
    fn rejects_other_words_above_the_first_part() {
        let part = multipart("Content-ID: <1>", "a");
        for above in [
            "Please pay:",
            " This is a multi-part message in MIME format.",
            "this is a multi-part message in MIME format.",
            "This is a MIME message. If you are reading this text, you may want to",
            "This message is in MIME format.\nThis message is in MIME format.",
            "This is a multipart message in MIME format.\nREMIT 9 XAH",
        ] {
            let body = format!("{above}\n\n{part}");
            assert_eq!(text(&body).as_deref(), Ok(body.as_str()), "{above}");
        }
    }

    #[test]
    fn rejects_first_parts_that_are_no_plain_text() {
        for (header, error) in [
            ("Content-Type: text/html", MimeError::NotPlainText),
            ("Content-Type: message/rfc822", MimeError::NotPlainText),
            ("Content-Type: text", MimeError::ContentHeader),
            ("Content-Type: text/plain (x)", MimeError::ContentHeader),
            (
                "Content-Type: text/plain; charset=utf-8 (x)",
                MimeError::ContentHeader,
            ),
            (
                "Content-Type: text/plain; charset=a; CHARSET=b",
                MimeError::ContentHeader,
            ),
            ("Content-Type: text/plain;; charset=a", MimeError::ContentHeader),
            ("Content-Type: text/plain; charset=\"a", MimeError::ContentHeader),
            ("Content-Type: text/plain; name=a", MimeError::Attachment),
            ("Content-Type: text/plain; NAME*=utf-8''a", MimeError::Attachment),
            ("Content-Disposition: attachment", MimeError::Attachment),
            ("Content-Disposition: inline; filename=a", MimeError::Attachment),
            (
                "Content-Disposition: inline; filename*0=\"a\"",
                MimeError::Attachment,
            ),
            (
                "Content-Disposition: inline; filename*0*=a",
                MimeError::Attachment,
            ),
            (
                "Content-Type: text/plain\nContent-Type: text/plain",
                MimeError::Duplicate,
            ),
            ("Content-ID: a\nX-A: 1\nx-a: 2", MimeError::Duplicate),
            ("Content-Transfer-Encoding: binary", MimeError::Encoding),
            ("Content-Transfer-Encoding: x-uuencode", MimeError::Encoding),
            ("Content-Transfer-Encoding: 7bit (x)", MimeError::ContentHeader),
            ("Content-Type: multipart/mixed", MimeError::Boundary),
            ("Content-Type: multipart/digest; boundary=b", MimeError::Digest),
            ("Content-Type: Multipart/DIGEST", MimeError::Digest),
            (
                "Content-Type: multipart/mixed; boundary=\"\"",
                MimeError::Boundary,
            ),
            ("Content-Type: multipart/mixed; boundary=zz", MimeError::Boundary),
            ("Content-Type: multipart/mixed; boundary*=zz", MimeError::Boundary),
            (
                "Content-Type: multipart/mixed; boundary=zz\nContent-Transfer-Encoding: base64",
                MimeError::Encoding,
            ),
            (
                "Content-Type: multipart/mixed; boundary=zz; name=a",
                MimeError::Attachment,
            ),
        ] {
            assert_eq!(text(&multipart(header, "a")), Err(error), "{header}");
        }
    }

    #[test]
    fn rejects_broken_encodings() {
        for (encoding, content, error) in [
            ("quoted-printable", "a=XY", MimeError::QuotedPrintable),
            ("quoted-printable", "a=4", MimeError::QuotedPrintable),
            ("quoted-printable", "a= \nb", MimeError::QuotedPrintable),
            ("quoted-printable", "a=0Db", MimeError::BareCr),
            ("quoted-printable", "a=0D", MimeError::BareCr),
            ("base64", "YQ", MimeError::Base64),
            ("base64", "YQ==YQ==", MimeError::Base64),
            ("base64", "YR==", MimeError::Base64),
            ("base64", "Y Q==", MimeError::Base64),
        ] {
            let header = format!("Content-Transfer-Encoding: {encoding}");
            assert_eq!(text(&multipart(&header, content)), Err(error), "{content}");
        }
    }

    fn nested(depth: usize) -> String {
        let mut body = String::from("--b1\n");
        for level in 2..=depth {
            body.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=\"b{level}\"\n\npreamble\n--b{level}\n"
            ));
        }
        body.push_str("Content-Type: text/plain\n\na\n");
        (1..=depth)
            .rev()
            .for_each(|level| body.push_str(&format!("--b{level}--\n")));
        body
    }

    #[test]
    fn accepts_four_multiparts_and_rejects_the_fifth() {
        for depth in 1..=4 {
            assert_eq!(text(&nested(depth)).as_deref(), Ok("a"), "{depth}");
        }
        assert_eq!(text(&nested(5)), Err(MimeError::TooDeep));
        assert_eq!(text(&nested(4_000)), Err(MimeError::TooDeep));
    }
}
