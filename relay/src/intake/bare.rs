//! Mail without an envelope: what comes from a mailbox, a folder or a pipe.
//!
//! The last mail server before a mailbox writes MAIL FROM as the first header field, `Return-Path` (RFC 5321
//! section 4.4). Further down the field would be the sender's own words, so only the first line counts.
//! Limits are the intake's: it knows the sender once the signature is proved.

use crate::mail::{Channel, IncomingMail, Peer, TraceId};

/// A mail made of the bytes that were found.
pub(crate) fn incoming(channel: Channel, raw: Vec<u8>) -> IncomingMail {
    IncomingMail {
        trace: TraceId::fresh(),
        peer: Peer {
            channel,
            ip: None,
            helo: String::new(),
            tls: None,
        },
        reverse_path: return_path(&raw).map(str::to_owned),
        recipients: Vec::new(),
        raw,
    }
}

/// MAIL FROM without its brackets, where the first line is a Return-Path; empty for the null sender.
fn return_path(raw: &[u8]) -> Option<&str> {
    let (name, value) = line(raw)?.split_once(':')?;
    if !name.eq_ignore_ascii_case("return-path") {
        return None;
    }
    value.trim().strip_prefix('<')?.strip_suffix('>')
}

/// The first line without its end; `None` where it is no text.
fn line(raw: &[u8]) -> Option<&str> {
    let line = raw.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::intake::handler::{MailHandler, Reply, Taking};

    /// A handler that replies by what stands in the mail, and remembers what it was given.
    #[derive(Default)]
    pub(crate) struct FakeHandler {
        /// Mails taken, or offered and not taken, in order.
        pub(crate) offered: Mutex<Vec<IncomingMail>>,
    }

    impl FakeHandler {
        pub(crate) fn texts(&self) -> Vec<String> {
            let offered = self.offered.lock().unwrap();
            offered
                .iter()
                .map(|incoming| String::from_utf8(incoming.raw.clone()).unwrap())
                .collect()
        }
    }

    impl MailHandler for FakeHandler {
        fn check_peer(&self, _: &Peer) -> Result<(), Reply> {
            Ok(())
        }
        fn check_sender(&self, _: &Peer, _: &str) -> Result<(), Reply> {
            Ok(())
        }
        fn check_recipient(&self, _: &Peer, _: &str) -> Result<(), Reply> {
            Ok(())
        }
        fn take(&self, incoming: IncomingMail) -> Taking<'_> {
            let text = String::from_utf8_lossy(&incoming.raw).into_owned();
            self.offered.lock().unwrap().push(incoming);
            Box::pin(async move {
                if text.contains("SLOW") {
                    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
                }
                match () {
                    () if text.contains("OVER LIMIT") => Reply::new(451, "4.7.1", "too many letters"),
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
        assert_eq!(incoming(Channel::Imap, raw.to_vec()).reverse_path, None);
        assert_eq!(return_path(b"Return-Path: a@example.com\r\n"), None);
        assert_eq!(return_path(b""), None);
    }
}
