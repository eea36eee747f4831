//! What a mail user can do about a refusal, in the words of the provider, the mail program and this very
//! mail; else the sentence of `fix`. Printable ASCII, one or two sentences, at most `ADVICE_BYTES_MAX` bytes.
//!
//! Spec: 12. What providers sign: counts over public list mail, the rows of `xahau-email providers`.

use amendment::address::AddressError;
use amendment::dkim::canon;
use amendment::limits::EMAIL_WINDOW_SECS;
use amendment::mail::text::relaxed;
use amendment::{Foreign, Freeze, MimeError, Refusal, WindowError};

use crate::evidence::Evidence;
use crate::fix::fix;
use crate::limits::{ADVICE_BYTES_MAX, ADVICE_NAME_BYTES_MAX};
use crate::origin::{Client, Provider, tag};
use crate::place;
use crate::standing::{moment, with_standing};
use crate::text_advice::{self, HTML_ONLY};
use crate::words::{name, printable};

/// What to do about a refusal of this mail.
pub(crate) fn of(refusal: &Refusal, evidence: &Evidence<'_>) -> String {
    use Refusal as R;
    let special = match refusal {
        R::NotSigned("To") => text_advice::name_receiver(evidence),
        R::NotSigned(name) => missing(name, evidence),
        R::NotAligned => not_aligned(evidence),
        R::NoSignature => no_signature(evidence),
        R::BodyHash => body_changed(evidence),
        R::Signature => header_changed(evidence),
        R::Foreign(error) => foreign(*error, evidence),
        R::Named(AddressError::AccountLike) => text_advice::account_like(evidence),
        R::To(AddressError::AccountLike) => account_like_in_to(evidence),
        R::Algorithm => old_algorithm(evidence),
        R::KeyUnknown | R::KeyRecord(_) => key(refusal, evidence),
        R::DomainFrozen(freeze) => frozen(*freeze, evidence),
        R::Mime(error) => mime(*error, evidence),
        R::Instruction(error) => text_advice::instruction(*error, evidence),
        R::Network(error) => text_advice::network(*error, evidence),
        R::Window(WindowError::Expired) => expired(evidence),
        // The same advice in every mail.
        _ => None,
    };
    let advice = special.unwrap_or_else(|| fix(refusal).to_owned());
    let advice = with_standing(advice, refusal, evidence);
    printable(advice.as_bytes(), ADVICE_BYTES_MAX)
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
            "{who} added {count} line{plural} below the text that was signed: a mail to the relay goes there directly."
        ));
    }
    changer.map(|who| {
        format!("{who} changed the text that was signed: a mail to the relay goes there directly.")
    })
}

fn header_changed(evidence: &Evidence<'_>) -> Option<String> {
    changer(evidence).map(|who| {
        format!(
            "{who} changed a signed header line, often the Subject: a mail to the relay goes there directly."
        )
    })
}

/// A signed line says that the words need not be the sender's: which one, and whose they are by it.
fn foreign(error: Foreign, evidence: &Evidence<'_>) -> Option<String> {
    let field = place::foreign_field(error, evidence)?;
    let value = relaxed(canon::value(field.raw));
    let (title, value) = (name(field.name), name(&value));
    match error {
        Foreign::ListOrRobot if is_of_program(field.name) => Some(format!(
            "Write and send the mail yourself: this one says that a program made it ({title})."
        )),
        Foreign::ListOrRobot => Some(format!(
            "Send the mail yourself and directly: its signed line {title} says that a mailing list or a robot handled it."
        )),
        Foreign::Sender => Some(format!(
            "Send the mail from the mailbox of its From line: its signed Sender line names `{value}`."
        )),
        Foreign::NotText if value.to_ascii_lowercase().starts_with("text/html") => Some(HTML_ONLY.to_owned()),
        Foreign::NotText => Some(format!(
            "Send the mail as plain text: its signed {title} line says `{value}`."
        )),
        Foreign::File => Some(format!(
            "Write the instruction into the mail itself: its signed {title} line says that the mail is a file."
        )),
        Foreign::Malformed => {
            let program = evidence.origin.client.map_or("its program", Client::as_str);
            Some(format!(
                "Send the mail from another program: {program} wrote a malformed {title} line."
            ))
        }
        Foreign::Multipart => None,
    }
}

/// What programs name themselves by; lists have names of their own.
fn is_of_program(name: &[u8]) -> bool {
    let starts = |head: &[u8]| {
        name.get(..head.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(head))
    };
    starts(b"auto-submitted") || starts(b"x-auto") || starts(b"x-mail-autoreply") || starts(b"x-fc-")
}

/// The receiver in To was meant as an account.
fn account_like_in_to(evidence: &Evidence<'_>) -> Option<String> {
    text_advice::named_by_account(&evidence.value(b"to")?)
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

/// The provider was broken into, as far as the validators know: nothing that its customer did or can change.
fn frozen(freeze: Freeze, evidence: &Evidence<'_>) -> Option<String> {
    let (domain, since) = (from_domain(evidence)?, moment(freeze.since)?);
    Some(match freeze.until {
        None => format!(
            "The validators have stopped all mails of {domain} since {since}, as after a break-in there. This mail will never \
             be executed: write a new one once they let them through."
        ),
        Some(until) => format!(
            "The validators stopped the mails of {domain} on {since}. This one will never be executed: write a new mail after \
             {}.",
            moment(until)?
        ),
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
