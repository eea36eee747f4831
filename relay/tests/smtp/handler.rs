//! A handler whose verdicts are written in the mails.

use std::sync::Mutex;

use relay::intake::handler::{MailHandler, Reply, Taking};
use relay::mail::{IncomingMail, Peer};

/// Keeps what it takes.
#[derive(Debug, Default)]
pub(crate) struct FakeHandler {
    pub mails: Mutex<Vec<IncomingMail>>,
}

impl FakeHandler {
    pub(crate) fn verdict(&self, incoming: IncomingMail) -> Reply {
        let text = String::from_utf8_lossy(&incoming.raw).into_owned();
        let asks = |word: &str| text.contains(&format!("X-Verdict: {word}\r\n"));
        let reply = if asks("refuse") {
            Reply {
                code: 550,
                enhanced: "5.7.1",
                lines: vec!["NET is missing".into(), "Write NET 21337".into()],
            }
        } else if asks("later") {
            Reply::new(451, "4.3.0", "The disk is full")
        } else if asks("leave") {
            Reply::new(421, "4.3.2", "Gone")
        } else {
            Reply::new(250, "2.0.0", format!("Kept as {}", incoming.trace))
        };
        self.mails.lock().expect("lock").push(incoming);
        reply
    }
}

impl MailHandler for FakeHandler {
    fn check_peer(&self, peer: &Peer) -> Result<(), Reply> {
        if peer.ip == Some([192, 0, 2, 66].into()) {
            return Err(Reply::new(554, "5.7.1", "Your network is not welcome"));
        }
        Ok(())
    }

    fn check_sender(&self, _: &Peer, reverse_path: &str) -> Result<(), Reply> {
        match reverse_path {
            "slow@example.com" => Err(Reply::new(450, "4.7.1", "Too many mails; try again later")),
            "banned@example.com" => Err(Reply::new(550, "5.7.1", "Not you")),
            "gone@example.com" => Err(Reply::new(421, "4.7.0", "Not now")),
            _ => Ok(()),
        }
    }

    fn check_recipient(&self, _: &Peer, recipient: &str) -> Result<(), Reply> {
        match recipient {
            "relay@example.org" | "pay@example.org" | "postmaster" | "quoted one@example.org" => Ok(()),
            "full@example.org" => Err(Reply::new(452, "4.2.2", "The queue is full")),
            _ => Err(Reply::new(550, "5.7.1", "Not an address of this relay")),
        }
    }

    fn take(&self, incoming: IncomingMail) -> Taking<'_> {
        let reply = self.verdict(incoming);
        Box::pin(async move { reply })
    }
}
