//! The bytes of an SMTP or LMTP client: however they are cut, they give the same replies and the same
//! mails.
//!
//! The first byte chooses the protocol (bit 0), whether there is no certificate (1), whether TLS has begun
//! (2) and whether the server stops half-way (3); the second one into pieces of how many bytes the rest is
//! cut.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use relay::intake::handler::{MailHandler, Reply, Taking};
use relay::intake::smtp::session::{Action, Session, Settings, StartTls};
use relay::limits;
use relay::mail::{Channel, IncomingMail, Peer, TraceId};

/// A handler whose verdicts are written in the mails.
struct WrittenVerdicts;

impl WrittenVerdicts {
    fn verdict(incoming: &IncomingMail) -> Reply {
        let asks = |word: &[u8]| incoming.raw.windows(word.len()).any(|piece| piece == word);
        if asks(b"X-Verdict: refuse\r\n") {
            Reply {
                code: 550,
                enhanced: "5.7.1",
                lines: vec!["NET is missing".into(), "Write NET 21337".into()],
            }
        } else if asks(b"X-Verdict: later\r\n") {
            Reply::new(451, "4.3.0", "The disk is full")
        } else if asks(b"X-Verdict: leave\r\n") {
            Reply::new(421, "4.3.2", "Gone")
        } else {
            Reply::new(250, "2.0.0", "Kept")
        }
    }
}

impl MailHandler for WrittenVerdicts {
    fn check_peer(&self, _: &Peer) -> Result<(), Reply> {
        Ok(())
    }

    fn check_sender(&self, _: &Peer, reverse_path: &str) -> Result<(), Reply> {
        match reverse_path {
            "slow@example.com" => Err(Reply::new(450, "4.7.1", "Too many mails; try again later")),
            "gone@example.com" => Err(Reply::new(421, "4.7.0", "Not now")),
            _ => Ok(()),
        }
    }

    fn check_recipient(&self, _: &Peer, recipient: &str) -> Result<(), Reply> {
        match recipient {
            "relay@example.org" | "postmaster" | "quoted one@example.org" => Ok(()),
            _ => Err(Reply::new(550, "5.7.1", "Not an address of this relay")),
        }
    }

    fn take(&self, incoming: IncomingMail) -> Taking<'_> {
        Box::pin(async move { Self::verdict(&incoming) })
    }
}

/// One time for all: nothing here lasts.
static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A session and all that it did.
struct Stage {
    session: Session,
    heard: Vec<u8>,
    mails: Vec<IncomingMail>,
    is_closed: bool,
}

impl Stage {
    fn new(choice: u8) -> Stage {
        let settings = Settings {
            hostname: Arc::from("mx.example.org"),
            start_tls: if choice & 2 == 0 {
                StartTls::Offered
            } else {
                StartTls::NotOffered
            },
            idle: Duration::from_secs(300),
            session: Duration::from_secs(3_600),
            trace: || TraceId::of([0; 10]),
        };
        let peer = Peer {
            channel: if choice & 1 == 0 {
                Channel::Smtp
            } else {
                Channel::Lmtp
            },
            ip: Some([192, 0, 2, 1].into()),
            helo: String::new(),
            tls: None,
        };
        let mut stage = Stage {
            session: Session::new(settings, peer, *NOW),
            heard: Vec::new(),
            mails: Vec::new(),
            is_closed: false,
        };
        let action = stage.session.greet(&WrittenVerdicts);
        stage.follow(action);
        if choice & 6 == 4 {
            stage.say(b"EHLO a\r\nLHLO a\r\nSTARTTLS\r\n");
            stage.session.handle_tls("TLSv1.3 TEST".into(), *NOW);
        }
        stage
    }

    fn follow(&mut self, action: Action) {
        self.heard.extend(self.session.take_output());
        match action {
            Action::More | Action::StartTls => {}
            Action::Take(incoming) => {
                let reply = WrittenVerdicts::verdict(&incoming);
                self.mails.push(*incoming);
                let action = self.session.handle_reply(&reply, *NOW);
                self.follow(action);
            }
            Action::Close => self.is_closed = true,
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_closed {
            let (used, action) = self.session.handle(rest, *NOW, &WrittenVerdicts);
            assert!(used > 0 || matches!(action, Action::Close), "no step forward");
            rest = &rest[used..];
            self.follow(action);
        }
    }

    fn stop(&mut self) {
        if !self.is_closed {
            let action = self.session.handle_stop(*NOW);
            self.follow(action);
        }
    }
}

/// RFC 5321 section 4.5.3.1.5: a reply line has at most 512 bytes.
fn check_replies(heard: &[u8]) {
    let heard = std::str::from_utf8(heard).expect("replies are ASCII");
    assert!(heard.ends_with("\r\n"));
    for line in heard.split_terminator("\r\n") {
        assert!(
            line.len() <= 510 && line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{line:?}"
        );
        let (code, rest) = line.split_at(3);
        assert!(code.parse::<u16>().is_ok_and(|code| (200..600).contains(&code)));
        assert!(rest.starts_with([' ', '-']));
    }
}

/// A mail is for recipients of the relay, within its bounds, and holds no bare CR or LF: nothing that
/// another server could read as the end of the mail.
fn check_mail(incoming: &IncomingMail) {
    assert!(incoming.raw.len() <= limits::MAIL_BYTES_MAX);
    assert!(!incoming.recipients.is_empty());
    for recipient in &incoming.recipients {
        assert_eq!(WrittenVerdicts.check_recipient(&incoming.peer, recipient), Ok(()));
    }
    let bare = incoming.raw.iter().enumerate().any(|(at, byte)| match byte {
        b'\r' => incoming.raw.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || incoming.raw[at - 1] != b'\r',
        _ => false,
    });
    assert!(!bare, "{}", incoming.raw.escape_ascii());
}

fn shown(incoming: &IncomingMail) -> impl PartialEq + std::fmt::Debug {
    (
        incoming.peer.clone(),
        incoming.reverse_path().to_owned(),
        incoming.recipients.clone(),
        incoming.raw.clone(),
    )
}

fn played(choice: u8, words: &[u8], step: usize) -> Stage {
    let mut stage = Stage::new(choice);
    let half = if choice & 8 == 0 {
        words.len()
    } else {
        words.len() / 2
    };
    let (before, after) = words.split_at(half);
    before.chunks(step).for_each(|piece| stage.say(piece));
    if choice & 8 != 0 {
        stage.stop();
    }
    after.chunks(step).for_each(|piece| stage.say(piece));
    stage
}

fuzz_target!(|bytes: &[u8]| {
    let [choice, step, words @ ..] = bytes else {
        return;
    };
    let whole = played(*choice, words, usize::MAX);
    check_replies(&whole.heard);
    whole.mails.iter().for_each(check_mail);
    for step in [usize::from(*step).max(1), 1] {
        let cut = played(*choice, words, step);
        assert_eq!(
            cut.heard.escape_ascii().to_string(),
            whole.heard.escape_ascii().to_string()
        );
        assert!(cut.mails.iter().map(shown).eq(whole.mails.iter().map(shown)));
        assert_eq!(cut.is_closed, whole.is_closed);
    }
});
