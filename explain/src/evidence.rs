//! What a refusal is explained from: the mail, the signature under which it was judged, the words in it, and
//! traces of those through whose hands it went. Read after the verdict; no rule looks at it.
//!
//! Spec: 12.

use std::borrow::Cow;

use amendment::dkim::canon;
use amendment::dkim::signature::HashAlgorithm;
use amendment::instruction::first_line::goes_on;
use amendment::instruction::line::is_instruction_line;
use amendment::mail::message::{HeaderField, Mail};
use amendment::mail::mime::{self, Text};
use amendment::mail::text::{is_empty_line, lines, relaxed, whole_lines};
use amendment::reading::draft::Draft;
use aws_lc_rs::digest;
use codec::CloseTime;

use crate::limits::APPENDED_LINES_MAX;
use crate::origin::{Origin, is_named};

/// The mail and what was made of it.
pub(crate) struct Evidence<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) mail: Option<&'a Mail<'a>>,
    /// Position of the signature under which it was judged.
    pub(crate) chosen: Option<usize>,
    pub(crate) draft: Option<&'a Draft<'a>>,
    /// The body in canonical form: as many lines as the raw one, but for empty ones at its end.
    pub(crate) body: &'a [u8],
    pub(crate) network_id: u32,
    pub(crate) now: CloseTime,
    pub(crate) origin: Origin,
}

/// Header fields that mailing lists and group services add. RFC 2369, RFC 2919, and the names of rule 4.8.
const LIST_NAMES: [&[u8]; 6] = [
    b"list-id",
    b"list-post",
    b"list-unsubscribe",
    b"list-help",
    b"mailing-list",
    b"x-google-group-id",
];
/// Header fields that forwarding adds. RFC 5322 3.6.6, and what forwarders are seen to write.
const FORWARDER_NAMES: [&[u8]; 5] = [
    b"resent-from",
    b"resent-to",
    b"x-forwarded-to",
    b"x-forwarded-for",
    b"x-forwarded-encrypted",
];

/// A line of the instruction text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextLine<'t> {
    /// From 0.
    pub(crate) index: usize,
    pub(crate) line: &'t [u8],
}

/// The canonical body under the signature of a draft, or the body as it is.
pub(crate) fn body_of<'m>(mail: &Mail<'m>, draft: Option<&Draft<'m>>) -> Cow<'m, [u8]> {
    draft
        .and_then(|draft| draft.candidate.scheme)
        .map_or(Cow::Borrowed(mail.body), |scheme| canon::body(mail, scheme.body))
}

impl<'a> Evidence<'a> {
    /// The DKIM-Signature field under which the mail was judged.
    pub(crate) fn signature(&self) -> Option<&'a HeaderField<'a>> {
        self.mail?.fields.get(self.chosen?)
    }

    /// The instance of a header that a signature selects first: the last one.
    pub(crate) fn field(&self, name: &[u8]) -> Option<&'a HeaderField<'a>> {
        self.mail?.fields.iter().rev().find(|field| is_named(field, name))
    }

    fn first_of(&self, names: &[&[u8]]) -> Option<&'a HeaderField<'a>> {
        let mut fields = self.mail?.fields.iter();
        fields.find(|field| names.iter().any(|name| is_named(field, name)))
    }

    /// A field that a mailing list added.
    pub(crate) fn list(&self) -> Option<&'a HeaderField<'a>> {
        self.first_of(&LIST_NAMES)
    }

    /// A field that a forwarder added.
    pub(crate) fn forwarder(&self) -> Option<&'a HeaderField<'a>> {
        self.first_of(&FORWARDER_NAMES)
    }

    /// The instruction text, where there is one.
    pub(crate) fn text(&self) -> Option<Text<'a>> {
        self.draft?;
        mime::instruction_text(self.body).ok()
    }

    /// Whether the body has parts.
    pub(crate) fn is_multipart(&self) -> bool {
        !matches!(mime::instruction_text(self.body), Ok(Text::Raw(_)))
    }

    /// The value of a header field in relaxed form.
    pub(crate) fn value(&self, name: &[u8]) -> Option<Vec<u8>> {
        let value = relaxed(canon::value(self.field(name)?.raw));
        Some(value.strip_prefix(b" ").unwrap_or(&value).to_vec())
    }

    /// How many lines somebody added below the signed body, and the index of the first of them, where leaving
    /// them out makes `bh=` fit. Hashes the body once.
    pub(crate) fn appended(&self) -> Option<(usize, usize)> {
        let candidate = &self.draft?.candidate;
        if candidate.scheme?.hash != HashAlgorithm::Sha256 {
            return None;
        }
        let expected = &candidate.proofs.as_ref()?.body_hash;
        let total = lines(self.body).count();
        let from = total.saturating_sub(APPENDED_LINES_MAX);
        let mut hash = digest::Context::new(&digest::SHA256);
        for (index, line) in whole_lines(self.body).enumerate() {
            hash.update(line);
            let after = index.saturating_add(1);
            let is_end = after >= from && after < total && line != b"\r\n";
            if is_end && hash.clone().finish().as_ref() == expected {
                return Some((total.saturating_sub(after), after));
            }
        }
        None
    }
}

/// The first line that holds anything.
pub(crate) fn first_line(text: &[u8]) -> Option<TextLine<'_>> {
    let mut all = lines(text).enumerate();
    let (index, line) = all.find(|(_, line)| !is_empty_line(line))?;
    Some(TextLine { index, line })
}

/// What stands below a line.
pub(crate) fn below<'t>(text: &'t [u8], line: &TextLine<'_>) -> &'t [u8] {
    let above = whole_lines(text).take(line.index.saturating_add(1));
    let end = above.map(<[u8]>::len).fold(0, usize::saturating_add);
    text.get(end..).unwrap_or_default()
}

/// The first line below a line with a letter or a digit, where it goes on with an instruction (rule 5.3).
pub(crate) fn going_on<'t>(text: &'t [u8], line: &TextLine<'_>) -> Option<TextLine<'t>> {
    if !goes_on(below(text, line)) {
        return None;
    }
    let all = lines(text).enumerate().skip(line.index.saturating_add(1));
    let mut written = all.map(|(index, line)| TextLine { index, line });
    written.find(|below| below.line.iter().any(u8::is_ascii_alphanumeric))
}

/// The line right below a line.
pub(crate) fn line_below<'t>(text: &'t [u8], line: &TextLine<'_>) -> Option<TextLine<'t>> {
    let index = line.index.saturating_add(1);
    let line = lines(text).nth(index)?;
    Some(TextLine { index, line })
}

/// The first line below a line that is an instruction by its grammar.
pub(crate) fn later_instruction<'t>(text: &'t [u8], first: &TextLine<'_>) -> Option<TextLine<'t>> {
    lines(text)
        .enumerate()
        .skip(first.index.saturating_add(1))
        .map(|(index, line)| TextLine { index, line })
        .find(|found| found.line.starts_with(b"RE") && is_instruction_line(&relaxed(found.line)))
}
