//! Questions and answers about domains whose mail is stopped.

use amendment::{Domain, Freeze};

/// What an operator wants of the mail of a domain. Spec: 7.10
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It proves nothing from now on.
    Frozen,
    /// It proves again, after the delay.
    Lifted,
}

/// All domains about which something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezesAnswer {
    /// Validators of the ledger's list.
    pub validators: usize,
    /// How many of them have to say the same.
    pub quorum: usize,
    /// The domains, by name.
    pub domains: Vec<DomainState>,
}

/// What is said about the mail of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainState {
    /// The domain.
    pub domain: Domain,
    /// What the ledger says; `None` where its mail was never stopped.
    pub freeze: Option<Freeze>,
    /// What the operator of this node wants, where the ledger says otherwise.
    pub wish: Option<Ruling>,
    /// Validators that want it frozen, which no ledger has yet.
    pub for_freeze: usize,
    /// Validators that want it lifted, which no ledger has yet.
    pub for_lift: usize,
}
