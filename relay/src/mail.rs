//! A mail with its envelope, from any channel.

use std::fmt;
use std::net::IpAddr;

/// How a mail comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// SMTP, from anyone.
    Smtp,
    /// LMTP, from the operator's mail server.
    Lmtp,
    /// A mailbox.
    Imap,
    /// A watched folder.
    Maildir,
    /// `relay pipe`.
    Pipe,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Channel::Smtp => "smtp",
            Channel::Lmtp => "lmtp",
            Channel::Imap => "imap",
            Channel::Maildir => "maildir",
            Channel::Pipe => "pipe",
        })
    }
}

/// Who hands the mail in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// How the mail comes in.
    pub channel: Channel,
    /// Its network address; `None` for Unix sockets, pipes, folders and mailboxes.
    pub ip: Option<IpAddr>,
    /// The name it gave in EHLO, HELO or LHLO; empty where there is none.
    pub helo: String,
    /// TLS version and cipher, where there is TLS.
    pub tls: Option<String>,
}

/// One name for one mail, from the reply to its sender to the transaction. Upper-case base32, 16 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct TraceId(String);

impl TraceId {
    /// From eighty random bits.
    #[must_use]
    pub fn of(random: [u8; 10]) -> TraceId {
        const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let number = random
            .iter()
            .fold(0u128, |number, byte| number << 8 | u128::from(*byte));
        let digit = |at: u32| char::from(DIGITS[(number >> (75 - 5 * at) & 31) as usize]);
        TraceId((0..16).map(digit).collect())
    }

    /// A new one.
    #[must_use]
    pub fn fresh() -> TraceId {
        let mut random = [0; 10];
        // Without random numbers ids would repeat and logs would be harder to read; TLS would not have
        // started.
        let _ = aws_lc_rs::rand::fill(&mut random);
        TraceId::of(random)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mail with its envelope.
#[derive(Debug, Clone)]
pub struct IncomingMail {
    /// Its name.
    pub trace: TraceId,
    /// Who hands it in.
    pub peer: Peer,
    /// MAIL FROM without its brackets, empty for the null sender; `None` where it is not known.
    pub reverse_path: Option<String>,
    /// Own addresses it was handed in for, each accepted by
    /// [`crate::intake::handler::MailHandler::check_recipient`]; may be empty for channels without an
    /// envelope.
    pub recipients: Vec<String>,
    /// The mail as it came: CRLF lines, dot-stuffing removed, nothing added.
    pub raw: Vec<u8>,
}

impl IncomingMail {
    /// The reverse path as text: empty for the null sender, and where it is not known.
    #[must_use]
    pub fn reverse_path(&self) -> &str {
        self.reverse_path.as_deref().unwrap_or_default()
    }
}
