//! What a mail user can do about a refusal, in the words of the provider, the mail program and this very
//! mail; else the sentence of `fix`. Printable ASCII, one or two sentences, at most `ADVICE_BYTES_MAX` bytes.
//!
//! Spec: 12. What providers sign: counts over public list mail, the rows of `xahau-email providers`.

use amendment::instruction::line::is_instruction_line;
use amendment::limits::EMAIL_WINDOW_SECS;
use amendment::mail::text::{is_empty_line, is_wsp, lines, relaxed, trim_wsp};
use amendment::{InstructionError, MimeError, NetworkError, Refusal, WindowError};

use crate::evidence::{self, Evidence, TextLine};
use crate::fix::fix;
use crate::limits::{ADVICE_BYTES_MAX, ADVICE_NAME_BYTES_MAX};
use crate::origin::{Client, Provider, is_named, tag};
use crate::place;
use crate::repair;

/// What to do about a refusal of this mail.
pub(crate) fn of(refusal: &Refusal, evidence: &Evidence<'_>) -> String {
    use Refusal as R;
    let special = match refusal {
        R::NotSigned("To") => Some(name_receiver(evidence)),
        R::NotSigned(name) => missing(name, evidence),
        R::NotAligned => not_aligned(evidence),
        R::NoSignature => no_signature(evidence),
        R::BodyHash => body_changed(evidence),
        R::Signature => header_changed(evidence),
        R::ListOrRobot => list_or_robot(evidence),
        R::Algorithm => old_algorithm(evidence),
        R::KeyUnknown | R::KeyRecord(_) => key(refusal, evidence),
        R::Mime(error) => mime(*error, evidence),
        R::Instruction(error) => instruction(*error, evidence),
        R::Network(error) => network(*error, evidence),
        R::Window(WindowError::Expired) => expired(evidence),
        // The same advice in every mail.
        _ => None,
    };
    let advice = special.unwrap_or_else(|| fix(refusal).to_owned());
    printable(advice.as_bytes(), ADVICE_BYTES_MAX)
}

/// Printable ASCII, other bytes as `?`, cut at a bound.
fn printable(bytes: &[u8], bytes_max: usize) -> String {
    let text = bytes.iter().take(bytes_max).map(|b| {
        if (b' '..=b'~').contains(b) {
            char::from(*b)
        } else {
            '?'
        }
    });
    text.collect()
}

/// A name out of the mail, short enough to stand in a sentence.
fn name(bytes: &[u8]) -> String {
    printable(trim_wsp(&relaxed(bytes)), ADVICE_NAME_BYTES_MAX)
}

fn provider_or(evidence: &Evidence<'_>, other: &str) -> String {
    let provider = evidence.origin.provider.map(Provider::as_str);
    provider.unwrap_or(other).to_owned()
}

/// The domain of From, once its address could be read.
fn from_domain(evidence: &Evidence<'_>) -> Option<String> {
    let sender = evidence.draft?.candidate.sender.as_ref()?;
    Some(name(sender.as_str().rsplit('@').next()?.as_bytes()))
}

/// The instruction of the mail as its order and its ` NET n`.
fn order_and_net(evidence: &Evidence<'_>) -> (String, String) {
    let line = evidence.draft.and_then(|draft| draft.instruction.as_deref());
    let line = line.unwrap_or("REMIT 10 XAH");
    let order = line.split(" NET ").next().unwrap_or(line);
    let net = line.strip_prefix(order).unwrap_or_default();
    (order.to_owned(), net.to_owned())
}

/// To is not signed. The header is not repeated: anybody on the way can have changed it.
fn name_receiver(evidence: &Evidence<'_>) -> String {
    let (order, net) = order_and_net(evidence);
    let line = format!("{order} TO <bob@example.com>{net}");
    if evidence.field(b"to").is_none() {
        return format!("The mail has no To line, so name the receiver in the instruction: {line}");
    }
    let provider = provider_or(evidence, "Your provider");
    format!("{provider} did not sign To, so name the receiver in the instruction: {line}")
}

fn missing(header: &str, evidence: &Evidence<'_>) -> Option<String> {
    evidence.field(header.as_bytes()).is_none().then(|| {
        format!("This copy has no {header} line: submit the whole mail as it was received (`Show original`).")
    })
}

/// Signed, but not by the domain of From.
fn not_aligned(evidence: &Evidence<'_>) -> Option<String> {
    let signer = tag(evidence.signature()?, "d")?;
    let (from, signer) = (from_domain(evidence)?, name(signer).to_ascii_lowercase());
    if signer.ends_with(".gappssmtp.com") {
        return Some(format!(
            "Google has no DKIM key for {from} yet. Its administrator: Admin console > Apps > Google Workspace > Gmail > \
             Authenticate email; publish the TXT record, then press Start authentication."
        ));
    }
    if signer.ends_with(".onmicrosoft.com") {
        return Some(format!(
            "Microsoft 365 has no DKIM key for {from} yet. Its administrator: security.microsoft.com > Email \
             authentication settings > DKIM; publish the two CNAME records, then switch signing on."
        ));
    }
    if evidence.list().is_some() {
        return Some(format!(
            "Send the mail directly, not through a mailing list: {signer} signed this copy, not {from}."
        ));
    }
    let is_of = |domain: &str| {
        let provider = evidence.origin.provider;
        provider.is_some_and(|provider| provider.domains().any(|known| known == domain))
    };
    if is_of(&from) && is_of(&signer) {
        return Some(format!(
            "Submit the copy that was received first: this one has a signature of {signer}, but none of {from}."
        ));
    }
    Some(match evidence.origin.provider {
        Some(provider) if provider.domains().any(|domain| domain == signer) => format!(
            "{} signs as {signer}, but From is at {from}: send from your address at {signer}, or through the provider of \
             {from}.",
            provider.as_str()
        ),
        _ => format!("Send the mail through the provider of {from}: this one was signed by {signer}."),
    })
}

fn no_signature(evidence: &Evidence<'_>) -> Option<String> {
    let holds = |header: &[u8]| evidence.field(header).is_some();
    (holds(b"x-google-dkim-signature") || holds(b"arc-message-signature")).then(|| {
        "Submit the copy that was received first: this one has no DKIM-Signature (any more), and its ARC and \
         X-Google-DKIM-Signature lines do not count as one."
            .to_owned()
    })
}

/// Who may have changed a mail on its way, by what they wrote into its header.
fn changer(evidence: &Evidence<'_>) -> Option<String> {
    if let Some(list) = evidence.list() {
        return Some(format!("A mailing list ({})", name(list.name)));
    }
    let forwarder = evidence.forwarder()?;
    Some(format!("A forwarder ({})", name(forwarder.name)))
}

fn body_changed(evidence: &Evidence<'_>) -> Option<String> {
    let changer = changer(evidence);
    if let Some((count, _)) = evidence.appended() {
        let who = changer.unwrap_or_else(|| "A mailing list or a gateway".to_owned());
        let plural = if count == 1 { "" } else { "s" };
        return Some(format!(
            "{who} added {count} line{plural} below the text that was signed: send the mail directly to the relay."
        ));
    }
    changer.map(|who| format!("{who} changed the text that was signed: send the mail directly to the relay."))
}

fn header_changed(evidence: &Evidence<'_>) -> Option<String> {
    changer(evidence).map(|who| {
        format!("{who} changed a signed header line, often the Subject: send the mail directly to the relay.")
    })
}

fn list_or_robot(evidence: &Evidence<'_>) -> Option<String> {
    let field = place::list_or_robot(evidence)?;
    Some(if is_named(field, b"auto-submitted") {
        "Write and send the mail yourself: this one says that a program made it (Auto-Submitted).".to_owned()
    } else {
        format!(
            "Send the mail yourself and directly: its signed line {} says that a mailing list or a robot handled it.",
            name(field.name)
        )
    })
}

fn old_algorithm(evidence: &Evidence<'_>) -> Option<String> {
    let algorithm = tag(evidence.signature()?, "a")?;
    (algorithm == b"rsa-sha1").then(|| {
        "Ask the administrator of your mail server to sign with rsa-sha256; rsa-sha1 is no longer safe."
            .to_owned()
    })
}

fn key(refusal: &Refusal, evidence: &Evidence<'_>) -> Option<String> {
    let dns_name = evidence.draft?.candidate.key_name.as_ref()?.dns_name();
    let dns_name = printable(dns_name.as_bytes(), ADVICE_NAME_BYTES_MAX);
    Some(if let Refusal::KeyRecord(error) = refusal {
        format!("Ask the administrator of the domain to correct its DNS record {dns_name}: {error}.")
    } else {
        format!(
            "Wait: a node keeps the mail and looks up {dns_name}; if the key stays unknown, ask your provider."
        )
    })
}

fn mime(error: MimeError, evidence: &Evidence<'_>) -> Option<String> {
    if error != MimeError::NotPlainText {
        return None;
    }
    Some(match evidence.origin.client.map(Client::as_str) {
        Some(program) => format!(
            "Write the instruction as text above everything else: {program} put something other than plain text first."
        ),
        None => "Send the mail as plain text, or as HTML mail with a plain text part first.".to_owned(),
    })
}

fn network(error: NetworkError, evidence: &Evidence<'_>) -> Option<String> {
    evidence.draft?.instruction.as_ref()?;
    let (order, _) = order_and_net(evidence);
    let network = evidence.network_id;
    Some(match error {
        NetworkError::Unnamed => format!("Write the network's number too: {order} NET {network}"),
        NetworkError::Other => format!("To pay on this network, write: {order} NET {network}"),
    })
}

/// Seconds of an hour and of a day.
const HOUR_SECS: i64 = 3_600;
const DAY_SECS: i64 = 86_400;

/// Some providers let a signature end before the five days are over: Fastmail after a day, Proton after
/// three.
fn expired(evidence: &Evidence<'_>) -> Option<String> {
    let times = evidence.draft?.candidate.times?;
    let life = times.expiry?.checked_sub(times.timestamp?)?;
    if life >= i64::from(EMAIL_WINDOW_SECS) {
        return None;
    }
    let span = match (life.checked_div(DAY_SECS)?, life.checked_div(HOUR_SECS)?) {
        (days @ 2.., _) => format!("{days} days"),
        (_, hours @ 2..) => format!("{hours} hours"),
        _ => "an hour or less".to_owned(),
    };
    let provider = provider_or(evidence, "your provider");
    Some(format!(
        "Send the instruction again in a new mail, and submit it sooner: a signature of {provider} expires after {span}."
    ))
}

fn instruction(error: InstructionError, evidence: &Evidence<'_>) -> Option<String> {
    match error {
        InstructionError::Broken => Some(broken(evidence)),
        InstructionError::NotFirst => not_first(evidence),
        InstructionError::NoText => subject(evidence),
        InstructionError::Ambiguous => None,
    }
}

/// Text mail is wrapped by the program that writes it; the text part of HTML mail is encoded instead.
fn broken(evidence: &Evidence<'_>) -> String {
    // With an empty line between them the first half would pay whom To names, or on the main network.
    if goes_on(evidence).unwrap_or_default() {
        return cut(evidence);
    }
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
    if let Some(meant) = repair::repaired(&line) {
        return Some(format!(
            "The first line is almost an instruction; write exactly: {meant}"
        ));
    }
    if is_cut(&line, &text, &first) {
        return Some(cut(evidence));
    }
    if has_more(&line) {
        // Their pages join the line with the one below, or with the mail that is answered.
        let reply = match evidence.origin.provider {
            Some(Provider::ICloud | Provider::Yahoo) => ", in a new mail instead of a reply",
            _ => "",
        };
        return Some(format!(
            "Write nothing after the instruction on its line, and leave an empty line below it{reply}."
        ));
    }
    below(&text, &first).or_else(|| subject(evidence))
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
        return Some(format!(
            "Send HTML mail, or short lines of plain ASCII: this text is encoded as {}, and no signed header says so.",
            name(&encoding)
        ));
    }
    line.starts_with(b"<").then(|| {
        "Send the mail as plain text, or as HTML mail with a plain text part: this one is HTML only."
            .to_owned()
    })
}

/// Both halves of an instruction are there.
fn cut(evidence: &Evidence<'_>) -> String {
    let program = evidence.origin.client.map_or("Your mail program", Client::as_str);
    format!("{program} broke the instruction into two lines: send it as HTML mail, or make it shorter.")
}

/// The line right below the instruction begins with a word that would go on with it.
fn goes_on(evidence: &Evidence<'_>) -> Option<bool> {
    let text = evidence.text()?;
    let below = evidence::line_below(&text, &evidence::first_line(&text)?)?;
    let word = below
        .line
        .split(|byte| is_wsp(*byte))
        .find(|word| !word.is_empty())?;
    Some(word == b"TO" || word == b"NET")
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

/// The line begins with an instruction and goes on.
fn has_more(line: &[u8]) -> bool {
    let blanks = line.iter().enumerate().filter(|(_, b)| **b == b' ');
    let mut heads = blanks.filter_map(|(at, _)| line.get(..at)).take(9);
    heads.any(is_instruction_line)
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
    Some(format!(
        "Put the instruction on the very first line: delete the line{plural} above `{}`.",
        name(later.line)
    ))
}

/// The instruction stands in the Subject.
fn subject(evidence: &Evidence<'_>) -> Option<String> {
    let subject = evidence.value(b"subject")?;
    is_instruction_line(&subject).then(|| {
        "Write the instruction into the mail, as its first line: the Subject is never read.".to_owned()
    })
}
