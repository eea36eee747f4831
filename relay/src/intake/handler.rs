//! What every channel asks: may this peer, sender, recipient; and take this mail.

use std::future::Future;
use std::pin::Pin;

use crate::mail::{IncomingMail, Peer};

/// What the peer is told: an SMTP reply; channels other than SMTP translate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// RFC 5321 code: 2yz taken, 4yz later, 5yz never.
    pub code: u16,
    /// RFC 3463 code such as `5.7.1`; empty where the reply has none (banner, EHLO, DATA's 354).
    pub enhanced: &'static str,
    /// Lines of printable ASCII; one at least.
    pub lines: Vec<String>,
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: u16, enhanced: &'static str, text: impl Into<String>) -> Reply {
        Reply {
            code,
            enhanced,
            lines: vec![text.into()],
        }
    }

    /// Taken: 2yz.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// May be tried again: 4yz.
    #[must_use]
    pub fn is_later(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Put off for what its sender did or lacks (RFC 3463 section 3.8: policy and security), and not for what
    /// is wrong here.
    #[must_use]
    pub fn is_later_for_sender(&self) -> bool {
        self.is_later() && self.enhanced.starts_with("4.7.")
    }
}

/// A reply that is being made.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Takes mails from every channel.
pub trait MailHandler: Send + Sync + 'static {
    /// Whether the peer may talk at all (limits per network).
    fn check_peer(&self, peer: &Peer) -> Result<(), Reply>;
    /// Whether this reverse path (empty: null sender) may send now (limits per address and domain).
    fn check_sender(&self, peer: &Peer, reverse_path: &str) -> Result<(), Reply>;
    /// Whether the recipient is one of the relay's own addresses, or its postmaster.
    fn check_recipient(&self, peer: &Peer, recipient: &str) -> Result<(), Reply>;
    /// Judges the mail and keeps it. A 2yz reply is given only after the mail is on disk.
    fn take(&self, incoming: IncomingMail) -> Taking<'_>;
}
