//! Mail without an envelope: what comes from a mailbox, a folder or a pipe.
//!
//! The last mail server before a mailbox writes MAIL FROM as the first header field, `Return-Path` (RFC 5321 section 4.4).
//! Further down the field would be the sender's own words, so only the first line counts.

use amendment::address::parse_sender;

use crate::desk::{Desk, Reply};
use crate::letter::{Letter, Peer, TraceId, Way};

/// A letter of the bytes that were found.
pub(crate) fn letter(way: Way, raw: Vec<u8>) -> Letter {
    Letter {
        trace: TraceId::fresh(),
        peer: Peer {
            way,
            ip: None,
            helo: String::new(),
            tls: None,
        },
        reverse_path: return_path(&raw).unwrap_or_default().to_owned(),
        recipients: Vec::new(),
        raw,
    }
}

/// Asks the desk whether the sender may send now, then gives it the letter.
pub(crate) async fn hand_in(desk: &dyn Desk, letter: Letter) -> Reply {
    let sender = match return_path(&letter.raw) {
        Some(reverse_path) => Some(reverse_path.to_owned()),
        None => from(&letter.raw),
    };
    if let Some(sender) = sender
        && let Err(reply) = desk.check_sender(&letter.peer, &sender)
    {
        return reply;
    }
    desk.take(letter).await
}

/// MAIL FROM without its brackets, where the first line is a Return-Path; empty for the null sender.
fn return_path(raw: &[u8]) -> Option<&str> {
    let (name, value) = line(raw)?.split_once(':')?;
    if !name.eq_ignore_ascii_case("return-path") {
        return None;
    }
    value.trim().strip_prefix('<')?.strip_suffix('>')
}

/// Canonical address of the first From field; `None` where there is none that can own, which the verifier refuses.
fn from(raw: &[u8]) -> Option<String> {
    let mut rest = raw;
    loop {
        let here = line(rest).unwrap_or("-");
        if here.is_empty() {
            return None;
        }
        let after = rest.get(line_bytes(rest)..)?;
        if let Some((name, value)) = here.split_once(':')
            && name.trim_end().eq_ignore_ascii_case("from")
        {
            let mut value = value.to_owned();
            let mut folded = after;
            while let Some(more) = line(folded).filter(|line| line.starts_with([' ', '\t'])) {
                value.push_str(more);
                folded = folded.get(line_bytes(folded)..)?;
            }
            let bare = match value.trim().strip_suffix('>') {
                Some(named) => named.rsplit('<').next()?,
                None => value.trim(),
            };
            return Some(parse_sender(bare).ok()?.as_str().to_owned());
        }
        if after.is_empty() {
            return None;
        }
        rest = after;
    }
}

/// Length of the first line with its end.
fn line_bytes(raw: &[u8]) -> usize {
    memchr::memchr(b'\n', raw).map_or(raw.len(), |at| at + 1)
}

/// The first line without its end; `None` where it is no text.
fn line(raw: &[u8]) -> Option<&str> {
    let line = raw.get(..line_bytes(raw))?;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::desk::Taking;

    /// A desk that answers as it is told, and remembers what it was given.
    #[derive(Default)]
    pub(crate) struct Desktop {
        /// Mails taken, or offered and not taken, in order.
        pub(crate) offered: Mutex<Vec<Letter>>,
        /// Senders asked for.
        pub(crate) senders: Mutex<Vec<String>>,
    }

    impl Desktop {
        pub(crate) fn texts(&self) -> Vec<String> {
            let offered = self.offered.lock().unwrap();
            offered
                .iter()
                .map(|letter| String::from_utf8(letter.raw.clone()).unwrap())
                .collect()
        }
    }

    impl Desk for Desktop {
        fn check_peer(&self, _: &Peer) -> Result<(), Reply> {
            Ok(())
        }
        fn check_sender(&self, _: &Peer, reverse_path: &str) -> Result<(), Reply> {
            self.senders.lock().unwrap().push(reverse_path.to_owned());
            match reverse_path {
                "busy@example.com" => Err(Reply::new(451, "4.7.1", "too many")),
                _ => Ok(()),
            }
        }
        fn check_recipient(&self, _: &Peer, _: &str) -> Result<(), Reply> {
            Ok(())
        }
        fn take(&self, letter: Letter) -> Taking<'_> {
            let text = String::from_utf8_lossy(&letter.raw).into_owned();
            self.offered.lock().unwrap().push(letter);
            Box::pin(async move {
                match () {
                    () if text.contains("LATER") => Reply::new(452, "4.3.1", "disk full"),
                    () if text.contains("NEVER") => Reply::new(550, "5.7.1", "rule 3.1: no; write REMIT"),
                    () => Reply::new(250, "2.0.0", "taken"),
                }
            })
        }
    }

    #[test]
    fn accepts_a_return_path_on_the_first_line() {
        let raw = b"Return-Path: <a@example.com>\r\nFrom: b@example.com\r\n\r\n";
        assert_eq!(return_path(raw), Some("a@example.com"));
        assert_eq!(return_path(b"return-path:<>\nFrom: b@example.com\n"), Some(""));
    }

    #[test]
    fn rejects_a_return_path_further_down() {
        let raw = b"From: b@example.com\r\nReturn-Path: <a@example.com>\r\n\r\n";
        assert_eq!(return_path(raw), None);
        assert_eq!(letter(Way::Imap, raw.to_vec()).reverse_path, "");
        assert_eq!(return_path(b"Return-Path: a@example.com\r\n"), None);
        assert_eq!(return_path(b""), None);
    }

    #[test]
    fn accepts_from_folded_and_with_a_name() {
        let raw = b"Subject: \xff\r\nFROM : \"B\"\r\n <b@example.com>\r\n\r\nFrom: c@example.com\r\n";
        assert_eq!(from(raw).as_deref(), Some("b@example.com"));
    }

    #[test]
    fn rejects_from_in_the_body() {
        assert_eq!(from(b"Subject: x\r\n\r\nFrom: c@example.com\r\n"), None);
        assert_eq!(from(b"\r\n"), None);
        assert_eq!(from(b""), None);
        assert_eq!(from(b"From"), None);
    }

    #[tokio::test]
    async fn the_sender_is_asked_for_before_the_letter_is_taken() {
        let desk = Desktop::default();
        let raw = b"Return-Path: <busy@example.com>\r\n\r\n".to_vec();
        assert!(hand_in(&desk, letter(Way::Maildir, raw)).await.is_later());
        assert_eq!(desk.texts(), Vec::<String>::new());
        let raw = b"From: c@example.com\r\n\r\n".to_vec();
        assert!(hand_in(&desk, letter(Way::Maildir, raw)).await.is_yes());
        assert_eq!(
            *desk.senders.lock().unwrap(),
            ["busy@example.com", "c@example.com"]
        );
    }
}
