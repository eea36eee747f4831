//! The DKIM keys of the ledger.

use amendment::{Domain, Freeze};
use codec::CloseTime;

use super::ledger::LedgerId;

/// All DKIM keys of the last validated ledger, by domain and selector, and the domains whose mail it stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysAnswer {
    /// The ledger.
    pub ledger: LedgerId,
    /// Its close time.
    pub close_time: CloseTime,
    /// At most [`crate::limits::REPLY_LIST_MAX`].
    pub keys: Vec<KeyOnLedger>,
    /// How many there are.
    pub count: usize,
    /// Domains whose mail was ever stopped, by name; at most [`crate::limits::REPLY_LIST_MAX`].
    pub freezes: Vec<FrozenDomain>,
}

/// What the ledger says of a domain whose mail was stopped. Spec: 7.10
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenDomain {
    /// The domain.
    pub domain: Domain,
    /// Since when, and whether it was lifted.
    pub freeze: Freeze,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOnLedger {
    /// Its domain.
    pub domain: String,
    /// Its selector.
    pub selector: String,
    /// What it is good for at the ledger's time.
    pub state: KeyStanding,
    /// When validators attested last what DNS says of it.
    pub last_attested: CloseTime,
    /// When the state ends by itself, if it does.
    pub until: Option<CloseTime>,
}

/// What a key of the ledger is good for. Spec: 7.3, 7.4, 7.8, 7.9
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// It proves mails.
    Usable,
    /// It proves mails, and is old enough that another one may be in DNS.
    Due,
    /// It is not in force yet.
    Waiting,
    /// It was not attested in time.
    Ended,
    /// DNS has it no more.
    Revoked,
    /// Somebody has shown that its secret is known.
    Leaked,
}

impl KeyStanding {
    /// All of them, with their words.
    const WORDS: [(Self, &str); 6] = [
        (Self::Usable, "usable"),
        (Self::Due, "due"),
        (Self::Waiting, "waiting"),
        (Self::Ended, "ended"),
        (Self::Revoked, "revoked"),
        (Self::Leaked, "leaked"),
    ];

    /// Its word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(state, _)| *state == self);
        found.map_or("", |(_, word)| word)
    }

    /// The one with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(state, _)| *state)
    }
}
