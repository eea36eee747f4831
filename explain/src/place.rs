//! Where in the raw mail a refusal points: line, offset, and what stands there. For people; no rule looks at
//! it.
//!
//! Spec: 12.

use std::borrow::Cow;
use std::collections::BTreeSet;

use amendment::dkim::canon;
use amendment::dkim::tags::{TagList, TagListError};
use amendment::limits::{EMAIL_SKEW_SECS, EMAIL_WINDOW_SECS, HEADER_LINES_MAX, SHOWN_BYTES_MAX};
use amendment::mail::base64;
use amendment::mail::foreign;
use amendment::mail::message::HeaderField;
use amendment::mail::mime::Text;
use amendment::mail::text::{is_empty_line, lines, relaxed, shown, trim_fws, whole_lines, without_line_end};
use amendment::{Foreign, InstructionError, MimeError, Refusal, WindowError};

use crate::evidence::{self, Evidence, TextLine};
use crate::origin::{is_named, tag};

/// A place in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line of the mail, from 1.
    pub line: usize,
    /// Byte of the mail, from 0, its line ends being CRLF.
    pub offset: usize,
    /// What stands there: printable ASCII, other bytes escaped, folds as one blank, cut at `SHOWN_BYTES_MAX`
    /// bytes. In an encoded part: the decoded line.
    pub excerpt: String,
}

/// Where a part lies within the whole, both being slices of one buffer.
fn offset_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let offset = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (offset.checked_add(part.len())? <= whole.len()).then_some(offset)
}

impl Place {
    /// The place of a slice of the mail.
    fn of(raw: &[u8], part: &[u8]) -> Option<Place> {
        let offset = offset_in(raw, part)?;
        let before = raw.get(..offset)?;
        Some(Place {
            line: memchr::memchr_iter(b'\n', before).count().saturating_add(1),
            offset,
            excerpt: shown(&relaxed(part)),
        })
    }

    /// A byte that may not stand there, with what stands before it on its line.
    fn of_byte(raw: &[u8], offset: usize) -> Option<Place> {
        let before = raw.get(..offset)?;
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at.saturating_add(1));
        let start = start.max(offset.saturating_sub(SHOWN_BYTES_MAX / 2));
        let end = offset.saturating_add(SHOWN_BYTES_MAX / 4).min(raw.len());
        Some(Place {
            excerpt: shown(raw.get(start..end)?),
            ..Place::of(raw, raw.get(offset..=offset)?)?
        })
    }
}

/// Where a refusal points; `None` where it is about the whole mail, about something that is not there, or
/// about a transaction.
pub(crate) fn of(refusal: &Refusal, evidence: &Evidence<'_>) -> Option<Place> {
    use Refusal as R;
    match refusal {
        R::BareCr | R::BareLf | R::Nul => Place::of_byte(evidence.raw, first_control(evidence.raw)?),
        R::HeaderLinesTooMany | R::HeaderLineWithoutName | R::SpaceBeforeColon | R::ContinuationFirst => {
            header_line(refusal, evidence.raw)
        }
        R::NoEmptyLine => Place::of(evidence.raw, whole_lines(evidence.raw).last()?),
        R::Tags(error) => wrong_tag(*error, evidence),
        R::TagMissing(_) => Place::of(evidence.raw, evidence.signature()?.raw),
        R::Version => in_signature("v", evidence),
        R::Algorithm => in_signature("a", evidence),
        R::Canonicalization => in_signature("c", evidence),
        R::QueryMethod => in_signature("q", evidence),
        R::BodyLength => in_signature("l", evidence),
        R::Selector | R::KeyNameTooLong | R::KeyUnknown | R::KeyRevoked | R::KeyRecord(_) => {
            in_signature("s", evidence)
        }
        R::SigningDomain | R::NotAligned | R::DomainFrozen(_) => in_signature("d", evidence),
        R::SignatureSigned | R::SignedHeadersMalformed | R::SignedHeadersTooMany | R::NotSigned(_) => {
            in_signature("h", evidence)
        }
        R::Signature => in_signature("h", evidence),
        R::TimestampMalformed => in_signature("t", evidence),
        R::ExpiryMalformed | R::ExpiryNotAfterTimestamp => in_signature("x", evidence),
        R::SignatureBase64(name) => in_signature(name, evidence),
        R::IdentityMalformed | R::IdentityOutside | R::IdentityBelowStrictKey => in_signature("i", evidence),
        R::SignedTwice(name) => {
            let mut fields = evidence.mail?.fields.iter();
            of_field(evidence, fields.find(|field| is_named(field, name.as_bytes()))?)
        }
        R::From(_) => of_field(evidence, evidence.field(b"from")?),
        R::To(_) => of_field(evidence, evidence.field(b"to")?),
        R::Date(_) | R::DatedAhead => of_field(evidence, evidence.field(b"date")?),
        R::Window(error) => window(*error, evidence),
        R::Foreign(error) => of_field(evidence, foreign_field(*error, evidence)?),
        R::BodyHash => match evidence.appended() {
            Some((_, index)) => raw_line(evidence, index, None),
            None => in_signature("bh", evidence),
        },
        R::Mime(error) => part(*error, evidence),
        R::Instruction(error) => instruction(*error, evidence),
        R::Network(_) | R::Money(_) | R::Named(_) | R::PaysItself | R::KeyIsItself => {
            text_line(evidence, evidence::first_line)
        }
        R::MailTooLarge | R::MemoTooLarge | R::NoSignature => None,
        R::NotNormalForm | R::NotDerived | R::NoLastLedgerSequence => None,
        R::FlagNotAllowed | R::NotEnabled => None,
    }
}

fn of_field(evidence: &Evidence<'_>, field: &HeaderField<'_>) -> Option<Place> {
    Place::of(evidence.raw, without_line_end(field.raw))
}

/// The first byte that rule 3.4 refuses.
fn first_control(raw: &[u8]) -> Option<usize> {
    let mut previous = 0;
    for (at, byte) in raw.iter().copied().enumerate() {
        match byte {
            b'\n' if previous != b'\r' => return Some(at),
            _ if previous == b'\r' && byte != b'\n' => return at.checked_sub(1),
            0 => return Some(at),
            _ => {}
        }
        previous = byte;
    }
    raw.len().checked_sub(1)
}

/// The first header line that is refused.
fn header_line(refusal: &Refusal, raw: &[u8]) -> Option<Place> {
    let line = if *refusal == Refusal::HeaderLinesTooMany {
        whole_lines(raw).nth(HEADER_LINES_MAX)
    } else {
        // Each line on its own: the first that is no field. A continuation is one only where a line stands
        // above it.
        whole_lines(raw).enumerate().find_map(|(at, line)| {
            let is_continuation = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
            let refused = if is_continuation {
                at == 0
            } else {
                !is_header_line(line)
            };
            refused.then_some(line)
        })
    };
    Place::of(raw, without_line_end(line?))
}

fn is_header_line(line: &[u8]) -> bool {
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    !name.is_empty() && name.len() < line.len() && name.iter().all(u8::is_ascii_graphic)
}

/// A tag of the signature, name and value; the whole field where the tag is not there.
fn in_signature(name: &str, evidence: &Evidence<'_>) -> Option<Place> {
    let field = evidence.signature()?;
    let value = tag(field, name).and_then(|value| Some((offset_in(field.raw, value)?, value)));
    let Some((start, value)) = value else {
        return of_field(evidence, field);
    };
    // From the name on: white space may stand around the equals sign.
    let head = field.raw.get(..start)?;
    let from = head.iter().rposition(|b| matches!(b, b';' | b':'));
    let from = from.map_or(0, |at| at.saturating_add(1));
    let part = field.raw.get(from..start.saturating_add(value.len()))?;
    Place::of(evidence.raw, trim_fws(part))
}

/// The first tag that breaks the syntax of tag lists.
fn wrong_tag(error: TagListError, evidence: &Evidence<'_>) -> Option<Place> {
    let field = evidence.signature()?;
    let value = canon::value(field.raw);
    let mut seen = BTreeSet::new();
    let mut found = None;
    for tag in value.split(|b| *b == b';') {
        let name = trim_fws(tag.split(|b| *b == b'=').next().unwrap_or_default());
        let is_wrong = match error {
            TagListError::Duplicate => !seen.insert(name),
            TagListError::EmptyTag | TagListError::NoEquals | TagListError::Name | TagListError::Value => {
                TagList::parse(tag) == Err(error)
            }
        };
        if is_wrong {
            found = Some(tag);
            break;
        }
    }
    let tag = found.filter(|tag| !trim_fws(tag).is_empty());
    Place::of(evidence.raw, trim_fws(tag.unwrap_or(without_line_end(field.raw))))
}

/// Date, `t=` or `x=`: whichever the window excludes.
fn window(error: WindowError, evidence: &Evidence<'_>) -> Option<Place> {
    let draft = evidence.draft?;
    let times = draft.candidate.times.as_ref()?;
    let now = i64::try_from(evidence.now.to_unix()).ok()?;
    let date = codec::CloseTime::new(draft.date?).to_unix();
    let is_out = |at: i64| match error {
        WindowError::Expired => at.saturating_add(i64::from(EMAIL_WINDOW_SECS)) < now,
        WindowError::Early => at > now.saturating_add(i64::from(EMAIL_SKEW_SECS)),
    };
    if i64::try_from(date).is_ok_and(is_out) {
        of_field(evidence, evidence.field(b"date")?)
    } else if times.timestamp.is_some_and(is_out) {
        in_signature("t", evidence)
    } else {
        in_signature("x", evidence)
    }
}

/// The field that rule 4.8 refuses: of several instances the last, which a signature selects first.
pub(crate) fn foreign_field<'a>(error: Foreign, evidence: &Evidence<'a>) -> Option<&'a HeaderField<'a>> {
    let signed = tag(evidence.signature()?, "h")?;
    let is_signed = |field: &HeaderField<'_>| {
        let mut names = signed.split(|b| *b == b':');
        names.any(|name| is_named(field, trim_fws(name)))
    };
    let from = evidence.draft?.candidate.sender.as_ref();
    let is_refused =
        |field: &HeaderField<'_>| foreign::check(field.name, canon::value(field.raw), from) == Err(error);
    let mut fields = evidence.mail?.fields.iter().rev();
    fields.find(|field| is_signed(field) && is_refused(field))
}

/// A line of the body, by its index; `excerpt` where the line stands there encoded.
fn raw_line(evidence: &Evidence<'_>, index: usize, excerpt: Option<&[u8]>) -> Option<Place> {
    let line = whole_lines(evidence.mail?.body).nth(index)?;
    let place = Place::of(evidence.raw, without_line_end(line))?;
    Some(match excerpt {
        Some(text) => Place {
            excerpt: shown(&relaxed(text)),
            ..place
        },
        None => place,
    })
}

/// The headers on the way to the first leaf, and where its content begins, by the look of the lines.
struct Leaf<'b> {
    header: Vec<(usize, &'b [u8])>,
    content: Option<usize>,
}

fn leaf(body: &[u8]) -> Leaf<'_> {
    let mut header: Vec<(usize, &[u8])> = Vec::new();
    let mut inside = false;
    let mut start = 0;
    for (at, line) in lines(body).enumerate() {
        if !inside {
            if line.starts_with(b"--") {
                inside = true;
                start = header.len();
            }
        } else if !is_empty_line(line) {
            header.push((at, line));
        } else if header
            .iter()
            .skip(start)
            .any(|(_, line)| holds(line, b"multipart/"))
        {
            inside = false;
        } else {
            let content = Some(at.saturating_add(1));
            return Leaf { header, content };
        }
    }
    Leaf {
        header,
        content: None,
    }
}

fn holds(line: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(&line.to_ascii_lowercase(), word).is_some()
}

/// The line of the first part that is wrong.
fn part(error: MimeError, evidence: &Evidence<'_>) -> Option<Place> {
    let leaf = leaf(evidence.body);
    let field = |words: &[&[u8]]| {
        let mut header = leaf.header.iter();
        header.find(|(_, line)| words.iter().any(|word| holds(line, word)))
    };
    let last = |word: &[u8]| leaf.header.iter().rev().find(|(_, line)| holds(line, word));
    let content_line = |is_wrong: fn(&[u8]) -> bool| {
        let from = leaf.content?;
        let mut content = lines(evidence.body).enumerate().skip(from);
        let wrong = content.find(|(_, line)| line.starts_with(b"--") || is_wrong(line));
        wrong.filter(|(_, line)| !line.starts_with(b"--"))
    };
    let found = match error {
        MimeError::NotPlainText => last(b"content-type:").copied(),
        MimeError::Boundary | MimeError::TooDeep | MimeError::Digest => last(b"multipart/").copied(),
        MimeError::Duplicate => twin(&leaf.header),
        MimeError::ContentHeader => field(&[b"content-"]).copied(),
        MimeError::Attachment => field(&[b"name", b"content-disposition:"]).copied(),
        MimeError::Encoding => field(&[b"content-transfer-encoding:"]).copied(),
        MimeError::QuotedPrintable => content_line(is_broken_quoted_printable),
        MimeError::Base64 => content_line(|line| base64::decode_part(line).is_none()),
        MimeError::BareCr => content_line(|_| true),
        MimeError::PartHeader => None,
    };
    let index = found.or(leaf.header.first().copied()).map(|(index, _)| index);
    raw_line(evidence, index.unwrap_or_default(), None)
}

/// The first line whose name stands above already.
fn twin<'b>(header: &[(usize, &'b [u8])]) -> Option<(usize, &'b [u8])> {
    let name = |line: &[u8]| {
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        name.to_ascii_lowercase()
    };
    let mut above = BTreeSet::new();
    header.iter().find(|(_, line)| !above.insert(name(line))).copied()
}

fn is_broken_quoted_printable(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'=', rest) {
        rest = match rest.get(at.saturating_add(1)..).unwrap_or_default() {
            [] => return false,
            [a, b, after @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => after,
            _ => return true,
        };
    }
    false
}

/// A line of the instruction text.
fn text_line<'t>(
    evidence: &Evidence<'_>,
    pick: impl for<'x> FnOnce(&'x [u8]) -> Option<TextLine<'x>>,
) -> Option<Place> {
    let text = evidence.text()?;
    let picked = pick(&text)?;
    let index = match &text {
        Text::Raw(part) | Text::Part(Cow::Borrowed(part)) => {
            let start = offset_in(evidence.body, part)?;
            let above = memchr::memchr_iter(b'\n', evidence.body.get(..start)?).count();
            above.saturating_add(picked.index)
        }
        Text::Part(Cow::Owned(_)) => encoded_line(evidence.body, picked.index)?,
    };
    raw_line(evidence, index, Some(picked.line))
}

/// Where a line of an encoded part stands in the body; in base64 the beginning of the part.
fn encoded_line(body: &[u8], index: usize) -> Option<usize> {
    let leaf = leaf(body);
    let start = leaf.content?;
    if leaf.header.iter().any(|(_, line)| holds(line, b"base64")) {
        return Some(start);
    }
    let mut ends = lines(body)
        .enumerate()
        .skip(start)
        .filter(|(_, line)| !line.ends_with(b"="))
        .map(|(at, _)| at);
    match index.checked_sub(1) {
        None => Some(start),
        Some(above) => ends.nth(above).map(|at| at.saturating_add(1)),
    }
}

fn instruction(error: InstructionError, evidence: &Evidence<'_>) -> Option<Place> {
    match error {
        InstructionError::NoText => None,
        InstructionError::NotFirst | InstructionError::Undecoded => text_line(evidence, evidence::first_line),
        InstructionError::Ambiguous => text_line(evidence, |text| {
            evidence::later_instruction(text, &evidence::first_line(text)?)
        }),
        InstructionError::GoesOn => text_line(evidence, |text| {
            evidence::going_on(text, &evidence::first_line(text)?)
        }),
        InstructionError::Broken => text_line(evidence, |text| {
            evidence::line_below(text, &evidence::first_line(text)?)
        }),
    }
}
