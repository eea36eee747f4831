//! What the relay reads in a header beside the verifier: how many signatures there are, and signs that no
//! notice should be sent. Nothing here decides about money, so unsigned lines count too.

use crate::limits::HEADER_FIELDS_READ_MAX;
use crate::mail::IncomingMail;

/// Whether an automatic answer may go to the sender: no list, no robot, no null sender.
///
/// RFC 3834 section 2; RFC 5321 section 4.5.5.
#[must_use]
pub fn may_answer(incoming: &IncomingMail, from: &str) -> bool {
    !has_null_sender(incoming)
        && !is_robot(from)
        && !fields(&incoming.raw).any(|(name, value)| forbids(name, value))
}

/// Where the envelope's sender is not known, Return-Path is read, if the last hop wrote it.
fn has_null_sender(incoming: &IncomingMail) -> bool {
    match &incoming.reverse_path {
        Some(path) => path.is_empty(),
        None => {
            fields(&incoming.raw).any(|(name, value)| is(name, "return-path") && value.trim_ascii() == b"<>")
        }
    }
}

fn forbids(name: &[u8], value: &[u8]) -> bool {
    if is(name, "auto-submitted") {
        let word = value
            .split(|b| matches!(b, b';' | b'('))
            .next()
            .unwrap_or_default();
        return !word.trim_ascii().eq_ignore_ascii_case(b"no");
    }
    if is(name, "precedence") {
        let value = value.trim_ascii();
        return [&b"bulk"[..], b"list", b"junk", b"auto_reply"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word));
    }
    if is(name, "x-auto-response-suppress") {
        let mut words = value.split(|b| matches!(b, b',' | b' ')).map(<[u8]>::trim_ascii);
        return words
            .any(|word| word.eq_ignore_ascii_case(b"all") || word.eq_ignore_ascii_case(b"autoreply"));
    }
    // Auto-responders older than RFC 3834 write these.
    let is_responder = ["x-autoreply", "x-autorespond", "x-autoresponse", "x-loop"];
    is_responder.iter().any(|known| is(name, known))
        || is(name, "mailing-list")
        || name.get(..5).is_some_and(|head| is(head, "list-"))
}

/// How many signatures of either kind the header holds, DKIM and ARC.
#[must_use]
pub fn signatures(raw: &[u8]) -> usize {
    let is_signature =
        |name: &[u8]| is(name, "dkim-signature") || is(name, "arc-message-signature") || is(name, "arc-seal");
    fields(raw).filter(|(name, _)| is_signature(name)).count()
}

/// Local parts whose mail no one reads.
const ROBOTS: [&str; 10] = [
    "mailer-daemon",
    "postmaster",
    "no-reply",
    "noreply",
    "donotreply",
    "do-not-reply",
    "bounce",
    "bounces",
    "listserv",
    "majordomo",
];

/// Whether a canonical address is that of a program.
pub(crate) fn is_robot(from: &str) -> bool {
    let local = from.split('@').next().unwrap_or_default();
    ROBOTS.contains(&local)
        || local.starts_with("owner-")
        || local.ends_with("-owner")
        || local.ends_with("-request")
}

fn is(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}

/// Names and values of the header fields, folds left in, up to the first empty line and to a bound.
fn fields(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = raw;
    let field = std::iter::from_fn(move || {
        if rest.starts_with(b"\r\n") {
            return None;
        }
        let mut end = 0;
        loop {
            let tail = rest.get(end..)?;
            let line = memchr::memchr(b'\n', tail).map_or(tail.len(), |at| at + 1);
            end += line;
            let next = rest.get(end);
            if line == 0 || !matches!(next, Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, after) = rest.split_at_checked(end)?;
        rest = after;
        let colon = memchr::memchr(b':', field)?;
        Some((field.get(..colon)?, field.get(colon + 1..)?))
    });
    field.take(HEADER_FIELDS_READ_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Channel, Peer, TraceId};

    fn incoming(channel: Channel, reverse_path: Option<&str>, header: &str) -> IncomingMail {
        IncomingMail {
            trace: TraceId::of([0; 10]),
            peer: Peer {
                channel,
                ip: None,
                helo: String::new(),
                tls: None,
            },
            reverse_path: reverse_path.map(str::to_owned),
            recipients: Vec::new(),
            raw: format!("{header}From: a@b.example\r\n\r\n x: y\r\nList-Id: body\r\n").into_bytes(),
        }
    }

    #[test]
    fn signatures_are_counted_in_the_header_alone() {
        let header = "DKIM-Signature: a\r\n b\r\nARC-Seal: x\r\ndkim-signature: c\r\n";
        let mut incoming = incoming(Channel::Smtp, Some(""), header);
        incoming.raw.extend_from_slice(b"DKIM-Signature: d\r\n");
        assert_eq!(signatures(&incoming.raw), 3);
    }

    // RFC 3834 section 2.
    #[test]
    fn accepts_an_answer_to_a_person() {
        for header in [
            "",
            "Auto-Submitted: no\r\n",
            "Auto-Submitted: No (a person)\r\n",
            "Precedence: first-class\r\n",
            "Subject: List-Id: no\r\n",
        ] {
            let incoming = incoming(Channel::Smtp, Some("a@b.example"), header);
            assert!(may_answer(&incoming, "a@b.example"), "{header}");
        }
        assert!(may_answer(&incoming(Channel::Pipe, None, ""), "a@b.example"));
        assert!(may_answer(
            &incoming(Channel::Imap, None, "Return-Path: <a@b.example>\r\n"),
            "a@b.example"
        ));
    }

    #[test]
    fn rejects_an_answer_to_lists_robots_and_null_senders() {
        for header in [
            "Auto-Submitted: auto-replied\r\n",
            "auto-submitted:\r\n auto-generated; x=no\r\n",
            "List-Unsubscribe: <x>\r\n",
            "LIST-ID: x\r\n",
            "Mailing-List: x\r\n",
            "Precedence: Bulk\r\n",
            "Precedence: list\r\n",
            "Precedence:junk\r\n",
            "Precedence: auto_reply\r\n",
            "X-Autoreply: yes\r\n",
            "X-Loop: alice@example.com\r\n",
            "X-Auto-Response-Suppress: DR, AutoReply\r\n",
            "X-Auto-Response-Suppress: All\r\n",
        ] {
            let incoming = incoming(Channel::Smtp, Some("a@b.example"), header);
            assert!(!may_answer(&incoming, "a@b.example"), "{header}");
        }
        for from in [
            "mailer-daemon@b.example",
            "no-reply@b.example",
            "owner-x@b.example",
            "x-request@b.example",
        ] {
            assert!(
                !may_answer(&incoming(Channel::Smtp, Some("a@b.example"), ""), from),
                "{from}"
            );
        }
        for channel in [Channel::Smtp, Channel::Lmtp, Channel::Pipe] {
            assert!(
                !may_answer(&incoming(channel, Some(""), ""), "a@b.example"),
                "{channel}"
            );
        }
        let bounced = incoming(Channel::Maildir, None, "Return-Path: <>\r\n");
        assert!(!may_answer(&bounced, "a@b.example"));
    }
}
