//! What is done for each command, and what is said of it.

mod act;
mod keys;
mod mails;
mod nodes;
mod rulings;

use super::mailboxes::Mailboxes;
use super::net::{Life, Localnet};
use crate::commands::Failure;
use crate::output::Format;
use codec::Hash256;
use serde_json::{Map, Value, json};
use testkit::mail::rfc5322_date;

/// A local network, and what was done on it.
pub(super) struct Session {
    pub net: Localnet,
    mailboxes: Mailboxes,
    sent: Vec<Sent>,
    /// Whether another list of validators was voted for: who they are is not known here then.
    has_voted: bool,
    pub teller: Teller,
}

/// A mail of this session.
struct Sent {
    what: String,
    text: String,
    email_id: Option<Hash256>,
}

/// Says what happens: to people at once, to machines with the answer.
pub(super) struct Teller {
    format: Format,
    said: Vec<String>,
}

impl Teller {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            said: Vec::new(),
        }
    }

    /// Says a line.
    pub(super) fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        match self.format {
            Format::Text => out!("{line}"),
            Format::Json => self.said.push(line),
        }
    }

    /// What was said since this was asked last.
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }
}

/// What came of a command.
pub(super) struct Answer {
    /// Whether what was wanted has happened.
    pub is_done: bool,
    /// What machines are told beside the lines.
    pub data: Map<String, Value>,
    /// What to look at or do next.
    pub next: Option<String>,
    /// Whether the session ends.
    pub is_last: bool,
}

impl Answer {
    fn of(data: Value) -> Self {
        Self {
            is_done: true,
            data: data.as_object().cloned().unwrap_or_default(),
            next: None,
            is_last: false,
        }
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    fn but_not_done(mut self) -> Self {
        self.is_done = false;
        self
    }
}

/// Why a command is not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// No such node.
    #[error("there is no node '{name}': {known}; 1 or v1 is validator-1, f1 is follower-1")]
    Node {
        /// What was written.
        name: String,
        /// The nodes.
        known: String,
    },
    /// No such mailbox.
    #[error("nobody is called '{who}': {known}, or write an address")]
    Who {
        /// What was written.
        who: String,
        /// Who is known.
        known: String,
    },
    /// The sender's domain has no keys here.
    #[error("no mail of {from} can be signed here: mailboxes are in {known}")]
    Sender {
        /// The address.
        from: String,
        /// The domains.
        known: String,
    },
    /// No such domain or selector.
    #[error("there is no key '{name}': {known}")]
    Key {
        /// What was written.
        name: String,
        /// The keys.
        known: String,
    },
    /// A node is in two groups.
    #[error("{0} is named twice")]
    Twice(String),
    /// A time beyond what ledgers can tell.
    #[error("no ledger can hold that time: the last one is in 2136")]
    TooFar,
    /// Nobody can be asked.
    #[error("no node runs: start one, as in 'start 1'")]
    NobodyRuns,
    /// A node does not answer as it should.
    #[error("{name}: {reason}")]
    Asked {
        /// The node.
        name: String,
        /// What it said.
        reason: String,
    },
    /// The machine refused.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The operating system refused.
    #[error("the operating system refused: {0}")]
    System(#[from] std::io::Error),
}

impl Session {
    /// Begins.
    pub(super) fn new(net: Localnet, mailboxes: Mailboxes, format: Format) -> Self {
        Self {
            net,
            mailboxes,
            sent: Vec::new(),
            has_voted: false,
            teller: Teller::new(format),
        }
    }

    /// The node that somebody means: its name, `3`, `v3` or `f1`.
    fn node(&self, name: &str) -> Result<usize, Refused> {
        let lower = name.to_ascii_lowercase();
        let number = |text: &str| text.parse::<u16>().ok();
        let long = match (lower.strip_prefix('v'), lower.strip_prefix('f')) {
            _ if number(&lower).is_some() => format!("validator-{lower}"),
            (Some(rest), _) if number(rest).is_some() => format!("validator-{rest}"),
            (_, Some(rest)) if number(rest).is_some() => format!("follower-{rest}"),
            _ => lower,
        };
        let places = self.net.places();
        let found = places.iter().position(|place| place.name == long);
        found.ok_or_else(|| {
            let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
            Refused::Node {
                name: name.to_owned(),
                known: names.join(", "),
            }
        })
    }

    fn nodes(&self, names: &[String]) -> Result<Vec<usize>, Refused> {
        let mut nodes = names
            .iter()
            .map(|name| self.node(name))
            .collect::<Result<Vec<_>, _>>()?;
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    fn name(&self, node: usize) -> &str {
        self.net.places().get(node).map_or("", |place| &place.name)
    }

    fn names(&self, nodes: impl IntoIterator<Item = usize>) -> Vec<&str> {
        nodes.into_iter().map(|node| self.name(node)).collect()
    }

    fn with_life(&self, life: impl Fn(&Life) -> bool) -> Vec<usize> {
        let nodes = 0..self.net.places().len();
        nodes.filter(|node| life(&self.net.life(*node))).collect()
    }

    /// A node that can be asked.
    fn speaker(&self) -> Result<usize, Refused> {
        Ok(self.net.speaker().ok_or(Refused::NobodyRuns)?.0)
    }

    /// Why no ledger can be made, where none can.
    fn halted(&self) -> Option<String> {
        let needed = self.net.votes_needed();
        let there = self.net.speaker().map_or(0, |(_, voters)| voters);
        (there < needed && !self.has_voted).then(|| {
            format!("no ledger closes: {there} validators reach each other, {needed} must; 'start', 'resume' or 'heal'")
        })
    }

    /// Its time, for people.
    fn time(&self) -> String {
        rfc5322_date(self.net.now_unix())
    }

    /// What a new session shows first.
    pub(super) fn places_for_machines(&self) -> Value {
        let nodes = self.net.places().iter();
        let nodes: Vec<Value> = nodes
            .map(|place| {
                json!({ "name": place.name, "part": place.part, "rpc": format!("ws://{}", place.rpc),
                "config": place.config.display().to_string() })
            })
            .collect();
        json!({ "nodes": nodes, "smtp": self.net.smtp().to_string(), "people": Mailboxes::people(),
            "domains": self.domain_names(), "time": self.net.now_unix() })
    }

    fn domain_names(&self) -> Vec<&str> {
        let domains = self.mailboxes.domains().iter();
        domains.map(|domain| domain.name.as_str()).collect()
    }
}
