//! `relay pipe < mail.eml`: one mail from standard input to the running daemon, and its reply as the exit
//! code and the line that a mail server's pipe transport understands.
//!
//! Postfix pipe(8) takes EX_TEMPFAIL for "later" and any other code of sysexits.h for "never", and passes an
//! enhanced status code (RFC 3463) at the beginning of the output on to the sender; Exim and Sendmail read
//! the same exit codes.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::control::{Client, Line, Request, Told};
use crate::intake::bare;
use crate::limits::MAIL_BYTES_MAX;
use crate::mail::{Channel, IncomingMail};

/// Taken. sysexits.h.
pub const EX_OK: u8 = 0;
/// Something is wrong with the mail. sysexits.h.
pub const EX_DATAERR: u8 = 65;
/// Refused for another reason, such as its recipient. sysexits.h.
pub const EX_UNAVAILABLE: u8 = 69;
/// To be tried again. sysexits.h.
pub const EX_TEMPFAIL: u8 = 75;

/// A reply that is being made; an error says in one sentence why the daemon gave none.
pub type Handing<'a> = Pin<Box<dyn Future<Output = Result<Told, String>> + Send + 'a>>;

/// The way to the running daemon.
pub trait Hand: Send + Sync {
    /// Gives it the mail.
    fn hand(&self, incoming: IncomingMail) -> Handing<'_>;
}

/// The daemon of a data folder, through its control socket.
#[derive(Debug, Clone)]
pub struct ToDaemon {
    /// The data folder.
    pub data: PathBuf,
}

impl Hand for ToDaemon {
    fn hand(&self, incoming: IncomingMail) -> Handing<'_> {
        Box::pin(async move {
            let wrong = |error: crate::control::ControlError| error.to_string();
            let mut client = Client::connect(&self.data).await.map_err(wrong)?;
            let request = Request::Put {
                reverse_path: incoming.reverse_path,
                mail_hex: hex::encode(&incoming.raw),
            };
            let mut told = None;
            let take = |line| {
                if let Line::Told(reply) = line {
                    told = Some(reply);
                }
            };
            client.request(&request, take).await.map_err(wrong)?;
            told.ok_or_else(|| "it said nothing".to_owned())
        })
    }
}

/// What the command ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code.
    pub code: u8,
    /// One line of printable ASCII, for standard output where `code` is 0, else for standard error.
    pub line: String,
}

impl Outcome {
    fn later(line: String) -> Outcome {
        Outcome {
            code: EX_TEMPFAIL,
            line,
        }
    }
}

/// The envelope as the transport tells it on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL FROM without brackets, empty for the null sender; `None` where it was not told.
    pub sender: Option<String>,
    /// Recipients.
    pub recipients: Vec<String>,
}

/// Reads a mail to its end and hands it in.
///
/// Line ends, and the `From ` line that Postfix local(8) writes before the header, are read as in any file.
pub async fn hand_in(input: impl AsyncRead + Unpin, envelope: Envelope, hand: &dyn Hand) -> Outcome {
    let mut raw = Vec::new();
    let most = u64::try_from(MAIL_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    if let Err(error) = input.take(most).read_to_end(&mut raw).await {
        return Outcome::later(format!("4.3.0 the mail could not be read: {error}"));
    }
    if raw.len() > MAIL_BYTES_MAX {
        return Outcome {
            code: EX_DATAERR,
            line: format!(
                "5.3.4 the mail is larger than {MAIL_BYTES_MAX} bytes; send a shorter one, without attachments"
            ),
        };
    }
    let mail = amendment::mail_of_file(&raw).into_owned();
    if mail.is_empty() {
        return Outcome {
            code: EX_DATAERR,
            line: "5.6.0 there is no mail on standard input".to_owned(),
        };
    }
    let mut incoming = bare::incoming(Channel::Pipe, mail);
    if envelope.sender.is_some() {
        incoming.reverse_path = envelope.sender;
    }
    incoming.recipients = envelope.recipients;
    match hand.hand(incoming).await {
        Ok(reply) => outcome_of(&reply),
        Err(error) => Outcome::later(format!("4.3.2 the relay did not answer: {error}")),
    }
}

/// An SMTP reply as exit code and line.
#[must_use]
pub fn outcome_of(reply: &Told) -> Outcome {
    let code = match reply.enhanced.as_str() {
        _ if (200..300).contains(&reply.code) => EX_OK,
        _ if (400..500).contains(&reply.code) => EX_TEMPFAIL,
        of_the_mail if of_the_mail.starts_with("5.6.") || of_the_mail.starts_with("5.7.") => EX_DATAERR,
        "5.3.4" => EX_DATAERR,
        _ => EX_UNAVAILABLE,
    };
    let line = format!("{} {}", reply.enhanced, reply.lines.join(" "));
    let line = line.trim().chars();
    Outcome {
        code,
        line: line
            .map(|c| if (' '..='~').contains(&c) { c } else { '?' })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::intake::handler::Reply;

    struct Daemon {
        reply: Result<Reply, String>,
        mails: Mutex<Vec<IncomingMail>>,
    }

    impl Daemon {
        fn that_says(reply: Result<Reply, String>) -> Daemon {
            Daemon {
                reply,
                mails: Mutex::default(),
            }
        }
    }

    impl Hand for Daemon {
        fn hand(&self, incoming: IncomingMail) -> Handing<'_> {
            self.mails.lock().unwrap().push(incoming);
            Box::pin(async { self.reply.clone().map(Told::from) })
        }
    }

    async fn outcome(reply: Reply) -> Outcome {
        hand_in(
            &b"From: a@b\n\nx\n"[..],
            Envelope::default(),
            &Daemon::that_says(Ok(reply)),
        )
        .await
    }

    #[tokio::test]
    async fn rejects_for_later_where_no_daemon_runs() {
        let folder = tempfile::tempdir().expect("folder");
        let to = ToDaemon {
            data: folder.path().to_owned(),
        };
        let outcome = hand_in(&b"From: a@b\n\nx\n"[..], Envelope::default(), &to).await;
        assert_eq!(outcome.code, EX_TEMPFAIL);
    }

    #[tokio::test]
    async fn accepts_with_exit_code_0() {
        let taken = outcome(Reply::new(250, "2.0.0", "taken as AAAA")).await;
        assert_eq!((taken.code, taken.line.as_str()), (0, "2.0.0 taken as AAAA"));
    }

    // Numbers of sysexits.h.
    #[tokio::test]
    async fn rejects_with_the_code_and_line_that_pipe_transports_pass_on() {
        let of = |outcome: Outcome| (outcome.code, outcome.line);
        let refused = Reply {
            code: 550,
            enhanced: "5.7.1",
            lines: vec!["rule 3.1".into(), "write REMIT\u{e9}".into()],
        };
        assert_eq!(
            of(outcome(refused).await),
            (65, "5.7.1 rule 3.1 write REMIT?".into())
        );
        let unknown = Reply::new(550, "5.1.1", "not ours");
        assert_eq!(of(outcome(unknown).await), (69, "5.1.1 not ours".into()));
        let full = Reply::new(452, "4.3.1", "disk");
        assert_eq!(of(outcome(full).await), (75, "4.3.1 disk".into()));
        let nobody = Daemon::that_says(Err("no socket".into()));
        let down = hand_in(&b"x"[..], Envelope::default(), &nobody).await;
        assert_eq!(of(down), (75, "4.3.2 the relay did not answer: no socket".into()));
    }

    #[tokio::test]
    async fn accepts_what_transports_do_to_lines() {
        let daemon = Daemon::that_says(Ok(Reply::new(250, "2.0.0", "")));
        let mail =
            &b"From a@example.com Mon Jan  5 10:00:00 2026\nReturn-Path: <a@example.com>\nSubject: x\n\ny\n"
                [..];
        let envelope = Envelope {
            sender: None,
            recipients: vec!["relay@example.org".into()],
        };
        hand_in(mail, envelope, &daemon).await;
        let told = Envelope {
            sender: Some(String::new()),
            recipients: Vec::new(),
        };
        hand_in(&b"Subject: x\r\n\r\ny\nz"[..], told, &daemon).await;
        let mails = daemon.mails.lock().unwrap();
        assert_eq!(
            mails[0].raw,
            b"Return-Path: <a@example.com>\r\nSubject: x\r\n\r\ny\r\n"
        );
        assert_eq!(mails[0].reverse_path.as_deref(), Some("a@example.com"));
        assert_eq!(mails[0].recipients, ["relay@example.org"]);
        assert_eq!(mails[1].raw, b"Subject: x\r\n\r\ny\nz");
        assert_eq!(mails[1].reverse_path.as_deref(), Some(""));
    }

    #[tokio::test]
    async fn accepts_the_largest_mail_and_rejects_one_byte_more() {
        let daemon = Daemon::that_says(Ok(Reply::new(250, "2.0.0", "")));
        let code = |bytes: usize| {
            let daemon = &daemon;
            async move {
                let mail = vec![b'x'; bytes];
                hand_in(&mail[..], Envelope::default(), daemon).await.code
            }
        };
        assert_eq!(code(MAIL_BYTES_MAX).await, EX_OK);
        assert_eq!(code(MAIL_BYTES_MAX + 1).await, EX_DATAERR);
        assert_eq!(code(0).await, EX_DATAERR);
        assert_eq!(daemon.mails.lock().unwrap().len(), 1);
    }
}
