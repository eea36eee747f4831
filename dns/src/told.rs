//! What an operator learns of look-ups, for the log and the metrics. It changes no answer.

use std::sync::Arc;

use amendment::KeyName;

use crate::upstream::Upstream;

/// How far an answer is proven by the signatures of its zone (RFC 4033, 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Security {
    /// Nobody looked: DNSSEC is off, or the resolver passes no signatures on.
    Unchecked,
    /// It is proven that the zone is not signed.
    Insecure,
    /// Signed, up to a trust anchor.
    Secure,
}

impl Security {
    /// The word for log and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Insecure => "insecure",
            Self::Secure => "secure",
        }
    }
}

/// Why a resolver gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It did not answer at all: nobody there, silence, a wrong certificate.
    Unreachable(String),
    /// It answers, but no word about the name: SERVFAIL, a wrong question, a loop of aliases.
    NoWord(String),
    /// Signatures that do not verify, or are missing where the zone is signed (RFC 4033, 5).
    Bogus,
}

impl Trouble {
    /// The word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NoWord(_) => "no_word",
            Self::Bogus => "bogus",
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) | Self::NoWord(why) => f.write_str(why),
            Self::Bogus => f.write_str("DNSSEC: the answer is not signed as its zone has to be (bogus)"),
        }
    }
}

/// One thing worth telling.
#[derive(Debug)]
pub enum Told<'a> {
    /// A resolver gave the answer about a key's name.
    Answered {
        /// The name.
        name: &'a KeyName,
        /// Who.
        upstream: &'a Upstream,
        /// How far it is proven.
        security: Security,
    },
    /// A resolver gave none; the next one is asked, if there is one.
    Failed {
        /// The name.
        name: &'a KeyName,
        /// Who.
        upstream: &'a Upstream,
        /// Why.
        trouble: &'a Trouble,
    },
    /// A resolver is asked after the others from now on.
    Down {
        /// Who.
        upstream: &'a Upstream,
        /// What it was the last time.
        trouble: &'a Trouble,
    },
    /// It answers again.
    Up {
        /// Who.
        upstream: &'a Upstream,
    },
    /// Its answers can be checked from now on.
    Checked {
        /// Who.
        upstream: &'a Upstream,
    },
    /// It passes no signatures on: its answers cannot be checked.
    NotChecked {
        /// Who.
        upstream: &'a Upstream,
    },
}

/// Whom to tell.
pub type Listener = Arc<dyn Fn(&Told<'_>) + Send + Sync>;
