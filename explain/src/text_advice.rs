//! What a mail user can do about the text: the first line, the lines around it, its network and its receiver.
//!
//! A line that stands in these texts either pays whom the mail itself names, on the network that it names, or
//! holds a word in capitals that no ledger takes (see `wrong_line`); it ends the text.
//!
//! Spec: 5, 12.

use amendment::InstructionError;
use amendment::NetworkError;
use amendment::instruction::line::{Line, is_instruction_line};
use amendment::limits::MAIN_NETWORK_ID;
use amendment::mail::text::{is_empty_line, is_wsp, lines, relaxed, trim_wsp};

use crate::evidence::{self, Evidence, TextLine};
use crate::limits::{ADVICE_BYTES_MAX, ADVICE_NAME_BYTES_MAX};
use crate::origin::{Client, Provider};
use crate::standing::until;
use crate::words::name;
use crate::wrong_line::{self, Meant, of_x_address};

/// A sentence that ends in a line to write; `None` unless the line is told in full and is one that pays.
fn with_line(sentence: &str, line: &str) -> Option<String> {
    let text = format!("{sentence}: {line}");
    let is_whole = text.len() <= ADVICE_BYTES_MAX && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    let read = Line::parse(line.as_bytes())?;
    let pays = matches!(read.meaning(), Ok(Some(_))) && read.to().is_ok();
    (is_whole && pays).then_some(text)
}

/// To is not signed, or not there. The header is not repeated: anybody on the way can have changed it.
pub(crate) fn name_receiver(evidence: &Evidence<'_>) -> Option<String> {
    let instruction = evidence.draft?.instruction.as_deref()?;
    if let Some(rest) = rest_below(evidence) {
        return Some(rest);
    }
    let order = Line::parse(instruction.as_bytes())?.without_network();
    let net = instruction.strip_prefix(order).unwrap_or_default();
    let why = match evidence.field(b"to") {
        None => "The mail has no To line".to_owned(),
        Some(_) => {
            let provider = evidence.origin.provider.map(Provider::as_str);
            format!("{} did not sign To", provider.unwrap_or("Your provider"))
        }
    };
    let text = format!("{why}, so name the receiver in the instruction: {order} TO <ADDRESS>{net}");
    (text.len() <= ADVICE_BYTES_MAX).then_some(text)
}

/// For which network the instruction is, and which one this is.
pub(crate) fn network(error: NetworkError, evidence: &Evidence<'_>) -> Option<String> {
    let instruction = evidence.draft?.instruction.as_deref()?;
    if let Some(rest) = rest_below(evidence) {
        return Some(rest);
    }
    let here = evidence.network_id;
    let until = until(evidence)
        .map(|until| format!(" until {until}"))
        .unwrap_or_default();
    match error {
        NetworkError::Unnamed => {
            let why = format!(
                "Without NET the mail is for network {MAIN_NETWORK_ID}, where whoever has a copy can hand it in{until}; this is \
                 network {here}. To pay here"
            );
            with_line(&format!("{why}, write"), &format!("{instruction} NET {here}"))
                .or_else(|| Some(format!("{why}, end the line with NET {here}.")))
        }
        NetworkError::Other => {
            let order = Line::parse(instruction.as_bytes())?.without_network();
            let named = name(instruction.strip_prefix(order)?.strip_prefix(" NET ")?.as_bytes());
            Some(format!(
                "The mail is for network {named}, where whoever has a copy can hand it in{until}; this is network {here}. To pay \
                 here instead, end the line with NET {here}."
            ))
        }
    }
}

pub(crate) fn instruction(error: InstructionError, evidence: &Evidence<'_>) -> Option<String> {
    match error {
        InstructionError::GoesOn => rest_below(evidence),
        InstructionError::Undecoded => {
            undecoded(&relaxed(evidence::first_line(&evidence.text()?)?.line), evidence)
        }
        InstructionError::Broken => Some(rest_below(evidence).unwrap_or_else(|| broken(evidence))),
        InstructionError::NotFirst => not_first(evidence),
        InstructionError::NoText => subject(evidence),
        InstructionError::Ambiguous => None,
    }
}

/// Text mail is wrapped by the program that writes it; the text part of HTML mail is encoded instead.
fn broken(evidence: &Evidence<'_>) -> String {
    if evidence.is_multipart() {
        return "Leave an empty line after the instruction, so that nothing can be read as the rest of it."
            .to_owned();
    }
    let program = evidence.origin.client.map_or("Your mail program", Client::as_str);
    format!(
        "{program} may have broken the line, as it does with plain text: send it as HTML mail, or leave an empty line after \
         the instruction."
    )
}

/// The text below the instruction goes on with it: an empty line between them would leave out a receiver or a
/// network.
fn rest_below(evidence: &Evidence<'_>) -> Option<String> {
    let text = evidence.text()?;
    let first = evidence::first_line(&text)?;
    let right_below = || evidence::line_below(&text, &first).filter(|below| goes_on(&relaxed(below.line)));
    let below = evidence::going_on(&text, &first).or_else(right_below)?;
    on_one_line(&text, &first).or_else(|| {
        Some(format!(
            "Not understood: `{}` in the line below, which reads as the rest of the instruction: write all of it on one line \
             (HTML mail is not broken into lines), and begin other text with another word.",
            name(below.line)
        ))
    })
}

/// The first line with all that goes on with it, where that makes one instruction and nothing else is left that
/// reads as a part of it.
fn on_one_line(text: &[u8], first: &TextLine<'_>) -> Option<String> {
    let mut line = relaxed(first.line);
    let mut last = *first;
    while let Some(more) = evidence::going_on(text, &last) {
        line.push(b' ');
        line.extend_from_slice(trim_wsp(&relaxed(more.line)));
        last = more;
    }
    let is_whole = evidence::line_below(text, &last).is_none_or(|below| !goes_on(&relaxed(below.line)));
    if last == *first || !is_whole || evidence::later_instruction(text, first).is_some() {
        return None;
    }
    let line = match wrong_line::read(&line) {
        _ if is_instruction_line(&line) => String::from_utf8(line).ok()?,
        Some(Meant::Line(line)) => line,
        Some(Meant::Part { .. } | Meant::Hidden(_)) | None => return None,
    };
    with_line(
        "Write the whole instruction on one line, with an empty line below it",
        &line,
    )
}

/// What begins like an account in the instruction: the account of an X-address, with its tag.
pub(crate) fn account_like(evidence: &Evidence<'_>) -> Option<String> {
    named_by_account(evidence.draft?.instruction.as_deref()?.as_bytes())
}

/// The same in any text.
pub(crate) fn named_by_account(text: &[u8]) -> Option<String> {
    let mut words = text.split(|b| !b.is_ascii_alphanumeric());
    let receiver = words.find_map(|word| of_x_address(std::str::from_utf8(word).ok()?))?;
    Some(format!(
        "X-addresses are not read: name the account and its tag in the instruction, without angle brackets: TO {receiver}"
    ))
}

/// Words with which an instruction goes on, or is meant to.
const GOES_ON: [&[u8]; 9] = [
    b"TO", b"FOR", b"NET", b"NETWORK", b"ON", b"AND", b"TAG", b"XAH", b"REKEY",
];

/// Whether a line reads as the rest of an instruction: it begins with such a word or a number, or holds an
/// address or an account.
fn goes_on(line: &[u8]) -> bool {
    let is_mark = |b: &u8| !b.is_ascii_alphanumeric();
    let word = |part: &[u8]| {
        let mut runs = part.split(is_mark).filter(|run| !run.is_empty());
        runs.next().unwrap_or_default().to_ascii_uppercase()
    };
    let mut words = trim_wsp(line).split(|b| is_wsp(*b));
    let first = words.next().map(word).unwrap_or_default();
    let is_number = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    let names = |part: &[u8]| {
        let account = part
            .split(is_mark)
            .find(|run| !run.is_empty())
            .unwrap_or_default();
        part.contains(&b'@') || is_instruction_line(&[b"REKEY ", account].concat())
    };
    GOES_ON.contains(&first.as_slice()) || is_number || line.split(|b| is_wsp(*b)).any(names)
}

/// The first line is something else than an instruction: what it may have been meant to be, and where one
/// stands.
fn not_first(evidence: &Evidence<'_>) -> Option<String> {
    let text = evidence.text()?;
    let first = evidence::first_line(&text)?;
    let line = relaxed(first.line);
    if let Some(advice) = undecoded(&line, evidence) {
        return Some(advice);
    }
    if line.starts_with(b">") {
        return Some(QUOTED.to_owned());
    }
    if is_cut(&line, &text, &first) {
        return Some(cut(evidence));
    }
    match wrong_line::read(&line) {
        Some(meant) => wrong(&meant, &text, &first, evidence),
        None => below(&text, &first).or_else(|| subject(evidence)),
    }
}

/// The first line was meant as an instruction.
fn wrong(meant: &Meant, text: &[u8], first: &TextLine<'_>, evidence: &Evidence<'_>) -> Option<String> {
    match meant {
        Meant::Hidden(hidden) => Some(format!(
            "The first line holds a character that is not shown (U+{:04X}): delete the line and type it by hand.",
            u32::from(*hidden)
        )),
        Meant::Part { part, hint } => {
            // Their pages join the line with the one below, or with the mail that is answered.
            let reply = match evidence.origin.provider {
                Some(Provider::ICloud | Provider::Yahoo) if hint.ends_with('.') => {
                    " Write a new mail instead of a reply."
                }
                _ => "",
            };
            Some(format!(
                "Not understood in the first line: `{}`. {hint}{reply}",
                name(part.as_bytes())
            ))
        }
        // Two orders: which of them is meant, nobody else can say.
        Meant::Line(_) if evidence::later_instruction(text, first).is_some() => Some(
            "Write one mail for each instruction: the first line is almost one, and another stands below it."
                .to_owned(),
        ),
        Meant::Line(line) => rest_below(evidence).or_else(|| {
            let sentence = "The first line is almost an instruction; leave an empty line below it and write exactly";
            let form = format!(
                "Not understood in the first line: `{}`. Write it in this form: REMIT AMOUNT XAH TO <ADDRESS>",
                name(line.as_bytes())
            );
            with_line(sentence, line).or(Some(form))
        }),
    }
}

const QUOTED: &str =
    "Write the instruction yourself as the very first line: quoted or forwarded text never counts.";

/// The body is no multipart, so nothing signed says how it is encoded.
fn undecoded(line: &[u8], evidence: &Evidence<'_>) -> Option<String> {
    if evidence.is_multipart() {
        return None;
    }
    let encoding = evidence.value(b"content-transfer-encoding").unwrap_or_default();
    let encoding = encoding.to_ascii_lowercase();
    let is_encoded = encoding == b"base64" || (encoding == b"quoted-printable" && line.contains(&b'='));
    if is_encoded {
        let program = evidence.origin.client.map_or("Your mail program", Client::as_str);
        return Some(format!(
            "{program} sent the text as {}, and no signed line says so: write short lines in plain ASCII, also in the signature \
             below them, or send HTML mail (make a word bold).",
            name(&encoding)
        ));
    }
    line.starts_with(b"<").then(|| HTML_ONLY.to_owned())
}

pub(crate) const HTML_ONLY: &str =
    "Send the mail as plain text, or as HTML mail with a plain text part: this one is HTML only.";

/// Both halves of an instruction are there.
fn cut(evidence: &Evidence<'_>) -> String {
    let program = evidence.origin.client.map_or("Your mail program", Client::as_str);
    format!("{program} broke the instruction into two lines: send it as HTML mail, or make it shorter.")
}

/// The first line and the one right below it are one instruction together.
fn is_cut(line: &[u8], text: &[u8], first: &TextLine<'_>) -> bool {
    let Some(next) = evidence::line_below(text, first) else {
        return false;
    };
    let mut joined = line.to_vec();
    joined.push(b' ');
    joined.extend_from_slice(trim_wsp(&relaxed(next.line)));
    is_instruction_line(&joined)
}

/// How the line above quoted or forwarded words begins, where they have no mark of their own.
const QUOTES_BEGIN: [&[u8]; 4] = [b"____", b"-----", b"Begin forwarded message", b">"];

/// An instruction stands further down: below a greeting, or in quoted text.
fn below(text: &[u8], first: &TextLine<'_>) -> Option<String> {
    let after = || lines(text).skip(first.index);
    let is_quoted = |line: &[u8]| {
        let bare = line.strip_prefix(b">").map(trim_wsp);
        bare.is_some_and(|bare| is_instruction_line(&relaxed(bare)))
    };
    let Some(later) = evidence::later_instruction(text, first) else {
        return after().any(is_quoted).then(|| QUOTED.to_owned());
    };
    let between = later.index.saturating_sub(first.index);
    let is_foreign = after()
        .take(between)
        .any(|line| QUOTES_BEGIN.iter().any(|head| line.starts_with(head)));
    if is_foreign {
        return Some(QUOTED.to_owned());
    }
    let count = after().take(between).filter(|line| !is_empty_line(line)).count();
    let plural = if count == 1 { "" } else { "s" };
    let line = relaxed(later.line);
    // Half a line would name another receiver.
    let line = if line.len() <= ADVICE_NAME_BYTES_MAX {
        format!("`{}`", name(&line))
    } else {
        "it".to_owned()
    };
    Some(format!(
        "Put the instruction on the very first line: delete the line{plural} above {line}."
    ))
}

/// The instruction stands in the Subject.
fn subject(evidence: &Evidence<'_>) -> Option<String> {
    let subject = evidence.value(b"subject")?;
    is_instruction_line(&subject).then(|| {
        "Write the instruction into the mail, as its first line: the Subject is never read.".to_owned()
    })
}
