//! Reads and plays the dialogues of fixtures/smtp; its README says what their lines mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use relay::intake::smtp::session::{Action, Session, Settings, StartTls};
use relay::mail::{Channel, IncomingMail, Peer, TraceId};

use crate::handler::FakeHandler;

/// A session with its handler, played without sockets.
pub(crate) struct Stage {
    pub handler: FakeHandler,
    session: Session,
    pub now: Instant,
    step: usize,
    pub is_closed: bool,
    pub wants_tls: bool,
    output: Vec<u8>,
}

impl Stage {
    /// `step`: into pieces of how many bytes the client's words are cut.
    pub(crate) fn new(channel: Channel, start_tls: StartTls, ip: [u8; 4], step: usize) -> Stage {
        let settings = Settings {
            hostname: Arc::from("mx.example.org"),
            start_tls,
            idle: Duration::from_secs(300),
            session: Duration::from_secs(3_600),
            trace: || TraceId::of([0; 10]),
        };
        let peer = Peer {
            channel,
            ip: Some(ip.into()),
            helo: String::new(),
            tls: None,
        };
        let now = Instant::now();
        let mut stage = Stage {
            handler: FakeHandler::default(),
            session: Session::new(settings, peer, now),
            now,
            step,
            is_closed: false,
            wants_tls: false,
            output: Vec::new(),
        };
        let action = stage.session.greet(&stage.handler);
        stage.follow(action);
        stage
    }

    fn follow(&mut self, action: Action) {
        self.output.extend(self.session.take_output());
        match action {
            Action::More => {}
            Action::Take(incoming) => {
                let reply = self.handler.verdict(*incoming);
                let action = self.session.handle_reply(&reply, self.now);
                self.follow(action);
            }
            Action::StartTls => self.wants_tls = true,
            Action::Close => {
                self.is_closed = true;
                self.wants_tls = false;
            }
        }
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.step) {
            let mut rest = piece;
            while !rest.is_empty() && !self.is_closed {
                let (used, action) = self.session.handle(rest, self.now, &self.handler);
                rest = &rest[used..];
                self.follow(action);
            }
        }
    }

    pub(crate) fn wait(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
        let action = self.session.handle_timeout(self.now);
        self.follow(action);
    }

    fn stop(&mut self) {
        let action = self.session.handle_stop(self.now);
        self.follow(action);
    }

    fn shake_hands(&mut self) {
        assert!(self.wants_tls, "the session did not ask for a handshake");
        self.wants_tls = false;
        self.session.handle_tls("TLSv1.3 TEST".into(), self.now);
    }

    /// Replies since the last call.
    pub(crate) fn heard(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.output)).expect("replies are ASCII")
    }
}

/// How a mail is written in a dialogue.
pub(crate) fn show(incoming: &IncomingMail) -> String {
    let recipients = incoming.recipients.join(" ");
    format!(
        "from={} to={recipients} helo={} tls={} raw={}",
        incoming.reverse_path(),
        incoming.peer.helo,
        incoming.peer.tls.is_some(),
        incoming.raw.escape_ascii()
    )
}

/// Plays a dialogue; panics where the session says something else.
pub(crate) fn play(name: &str, text: &str, step: usize) {
    let setting = |word: &str| text.lines().any(|line| line == format!("SET {word}"));
    let channel = if setting("lmtp") {
        Channel::Lmtp
    } else {
        Channel::Smtp
    };
    let start_tls = if setting("no-certificate") {
        StartTls::NotOffered
    } else {
        StartTls::Offered
    };
    let host = if setting("unwelcome") { 66 } else { 1 };
    let mut stage = Stage::new(channel, start_tls, [192, 0, 2, host], step);
    let mut words = Vec::new();
    let mut heard = String::new();
    let mut mails = 0;
    for (at, line) in text.lines().enumerate() {
        let place = format!("{name}:{}, pieces of {step}", at + 1);
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        if kind == "C" || kind == "RAW" {
            assert_eq!(heard, "", "{place}: said more than the dialogue knows");
            words.extend(unescape(rest));
            words.extend(if kind == "C" { &b"\r\n"[..] } else { b"" });
            continue;
        }
        if !words.is_empty() {
            stage.say(&std::mem::take(&mut words));
        }
        heard.push_str(&stage.heard());
        match kind {
            "" | "#" | "SET" => {}
            "S" => {
                let (first, others) = heard.split_once("\r\n").unwrap_or((&heard, ""));
                assert_eq!(first, rest, "{place}");
                heard = others.to_owned();
            }
            "MAIL" => {
                let kept = stage.handler.mails.lock().expect("lock");
                assert_eq!(kept.get(mails).map(show).as_deref(), Some(rest), "{place}");
                mails += 1;
            }
            "TLS" => stage.shake_hands(),
            "WAIT" => stage.wait(rest.parse().expect("seconds")),
            "STOP" => stage.stop(),
            "CLOSED" => assert!(stage.is_closed, "{place}: still open, after {heard:?}"),
            "OPEN" => assert!(!stage.is_closed, "{place}: closed, after {heard:?}"),
            other => panic!("{place}: no such line: {other}"),
        }
    }
    assert_eq!(heard, "", "{name}: said more than the dialogue knows");
    let kept = stage.handler.mails.lock().expect("lock");
    assert_eq!(kept.len(), mails, "{name}: mails");
}

/// `\r`, `\n`, `\0`, `\\`, `\xNN`, and `\{N*text}` for N times text.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = rest[at + 1..]
            .chars()
            .next()
            .expect("something after the backslash");
        rest = &rest[at + 2..];
        match escape {
            'r' => bytes.push(b'\r'),
            'n' => bytes.push(b'\n'),
            '0' => bytes.push(0),
            '\\' => bytes.push(b'\\'),
            'x' => {
                bytes.push(u8::from_str_radix(&rest[..2], 16).expect("two hex digits"));
                rest = &rest[2..];
            }
            '{' => {
                let (repeated, after) = rest.split_once('}').expect("a closing brace");
                let (times, text) = repeated.split_once('*').expect("a star");
                bytes.extend(unescape(text).repeat(times.parse().expect("a number")));
                rest = after;
            }
            other => panic!("no such escape: {other}"),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
