//! Notices by mail, in the thread of the mail that they answer.
//!
//! Only a sender whose DKIM signature is proven is answered, once for one mail and kind, and never a list, a
//! robot, a null sender or the relay itself (RFC 3834). Spec: 13.
//!
//! | part | does |
//! |---|---|
//! | [`thread_of`] | what a notice needs of the mail: Message-ID, References, Subject |
//! | `texts`, `questions` | what the notices say |
//! | `suggest` | the lines that they tell people to write |
//! | `compose` | the mail around a text |
//! | [`Announcer`] | a change of state makes notices |
//! | [`Teller`] | BALANCE and HISTORY, from a node |
//! | [`Signer`] | signs |
//! | [`Desk`], [`Sender`], `lanes` | hand over what the outbox holds |
//! | `outgoing` | the way out: a smarthost, or the receivers' mail servers |

mod announce;
mod compose;
mod desk;
mod lanes;
mod outgoing;
mod page;
mod query;
mod questions;
mod sender;
mod sign;
mod suggest;
mod texts;
mod thread;
mod trial;

use std::future::Future;
use std::pin::Pin;

use crate::config::Config;
use crate::queue::{Entry, Notice};

pub use announce::Announcer;
pub use desk::Desk;
pub use outgoing::{Connection, Direct, DirectError, HandedOver, Smarthost, SmtpError, Step, Way, WayError};
pub use query::{RequestError, Requests, Teller};
pub use sender::{Pass, Reach, Sender};
pub use sign::{KeyFileError, SignError, Signer};
pub use thread::{Reading, thread_of};
pub(crate) use trial::send_test;

/// Says what a change of state is worth telling.
pub trait Announce: Send + Sync {
    /// Notices that the change from `before` to `after` gives at `now` (Unix seconds). Called inside
    /// [`crate::queue::Queue::change`], also where a try changed nothing but the time of the next: asks
    /// nothing of the queue.
    fn announce(&self, before: &Entry, after: &Entry, now: u64) -> Vec<Notice>;
}

/// Notices that are being made.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Notice>, AskError>> + Send + 'a>>;

/// Answers a question (BALANCE, HISTORY).
pub trait Ask: Send + Sync {
    /// The notices to a question; none where the sender is not to be answered. The caller puts them into the
    /// outbox with [`crate::queue::Queue::change`] and marks the entry [`crate::queue::State::Answered`] in
    /// the same change.
    fn ask<'a>(&'a self, entry: &'a Entry) -> Asking<'a>;
}

/// Why a question has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No node could be asked. To be tried again.
    #[error("no node answers: {0}")]
    NoNode(String),
    /// A node's answer is not understood. To be tried again.
    #[error("a node's answer to {method} lacks {what}")]
    BadAnswer {
        /// The method.
        method: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// The entry asks nothing. Never to be tried again.
    #[error("the mail is no question")]
    NoQuestion,
}

/// What all answers have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRules {
    /// Address that the notices come from.
    pub from: String,
    /// The relay's own addresses: never answered.
    pub own: Vec<String>,
    /// Name of this machine, for Message-IDs.
    pub hostname: String,
    /// NetworkID of the ledger.
    pub network: u32,
    /// Link to a transaction; `{hash}` is replaced. `None` where there is no explorer.
    pub transaction_link: Option<String>,
}

impl NoticeRules {
    /// From the configuration; `None` where it asks for no notices.
    #[must_use]
    pub fn of(config: &Config) -> Option<NoticeRules> {
        let notices = config.answers.as_ref()?;
        Some(NoticeRules {
            from: notices.from.clone(),
            own: config.addresses.clone(),
            hostname: config.hostname.clone(),
            network: config.network,
            transaction_link: transaction_link(notices.transaction_link.as_deref(), config.network),
        })
    }

    /// Whether an address is one of the relay's own, however it is written, with whatever tag.
    fn is_own(&self, address: &str) -> bool {
        let canonical = |text: &str| {
            let (local, domain) = text.rsplit_once('@')?;
            let mailbox = local.split('+').next().unwrap_or_default();
            let sender = amendment::address::parse_sender(&format!("{mailbox}@{domain}"));
            sender.ok().map(|address| address.as_str().to_owned())
        };
        let asked = canonical(address);
        self.own
            .iter()
            .chain([&self.from])
            .any(|own| own.eq_ignore_ascii_case(address) || (asked.is_some() && canonical(own) == asked))
    }
}

/// The link that the configuration names; else that of the network's explorer. An empty one is none.
fn transaction_link(configured: Option<&str>, network: u32) -> Option<String> {
    let link = match (configured, network) {
        (Some(configured), _) => configured,
        (None, 21_337) => "https://xahauexplorer.com/tx/{hash}",
        (None, 21_338) => "https://test.xahauexplorer.com/tx/{hash}",
        (None, _) => "",
    };
    (!link.is_empty()).then(|| link.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::mail::{Channel, TraceId};
    use crate::queue::{Dkim, Hold, MailId, Progress, Request, Said, Thread};
    use amendment::address::CanonicalAddress;
    use amendment::{EmailId, Order};
    use codec::{Amount, Drops, Hash256};

    pub(crate) fn rules() -> NoticeRules {
        NoticeRules {
            from: "relay@example.org".to_owned(),
            own: vec!["relay@example.org".to_owned()],
            hostname: "mx.example.org".to_owned(),
            network: 21_337,
            transaction_link: transaction_link(None, 21_337),
        }
    }

    /// A REMIT of alice to bob whose signature is proven, at a node.
    pub(crate) fn entry() -> Entry {
        Entry {
            id: MailId::new([0xAB; 32]),
            trace: TraceId::of([7; 10]),
            request: Request::Order {
                order: pay("bob@example.net"),
                email_id: EmailId::new(Hash256::new([0xCD; 32])),
            },
            instruction: "REMIT 10 XAH TO <bob@example.net>".to_owned(),
            from: sender("alice@example.com"),
            dkim: Dkim::Proven,
            channel: Channel::Smtp,
            message_id: "one@example.com".to_owned(),
            thread: Thread {
                subject: "dinner".to_owned(),
                references: vec!["<one@example.com>".to_owned()],
            },
            may_answer: true,
            bytes: 2_000,
            received_at: 1_795_000_000,
            executable_until: 1_795_432_000,
            next_try: 1_795_000_000,
            tries: 0,
            progress: Progress::Submitted {
                hold: Hold::Free,
                node: "node.example:6006".to_owned(),
                transaction: None,
            },
            said: Said::default(),
            auth_results: None,
        }
    }

    /// An order to pay 10 XAH to this address.
    pub(crate) fn pay(to: &str) -> Order {
        Order::Remit {
            amount: Amount::from_drops(Drops::new(10_000_000)),
            to: amendment::address::parse_recipient(to).expect("an address"),
        }
    }

    pub(crate) fn sender(address: &str) -> CanonicalAddress {
        amendment::address::parse_sender(address).expect("an address")
    }

    /// Compares a notice with `fixtures/answers/NAME.txt`, which people read and judge. Each notice also
    /// keeps the rules that all have in common.
    pub(crate) fn assert_golden(name: &str, notice: &Notice) {
        let path = format!("{}/../fixtures/answers/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("ANSWERS_WRITE").is_some() {
            std::fs::write(&path, notice.mail.replace("\r\n", "\n")).expect("fixture");
        }
        let golden = std::fs::read_to_string(&path).expect("fixture");
        assert_eq!(notice.mail, golden.replace('\n', "\r\n"), "{name}");
        assert!(notice.mail.is_ascii() && !notice.mail.replace("\r\n", "").contains(['\r', '\n']));
        let commands = ["REMIT", "REKEY", "BALANCE", "HISTORY"];
        for line in notice.mail.lines() {
            let is_command = commands
                .iter()
                .any(|command| line.trim_start().starts_with(command));
            assert!(!is_command, "{name}: an instruction in what is quoted: {line}");
            assert!(
                line.len() < 78 || line.contains("http") || line.starts_with("Transaction"),
                "{name}: {line}"
            );
        }
    }
}
