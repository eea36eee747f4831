//! What the rules may read while a ledger is built: its parent, its fees and rules, and the entries as they
//! are now.

use amendment::{Amendment, KeyCache, ReadView};
use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object, keylet, sf};

use crate::fees::Fees;
use crate::ledger::Ledger;
use crate::sandbox::Sandbox;
use crate::state_map::StateMap;

/// Whether a ledger still takes submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerKind {
    /// Takes submissions: local rules apply, such as the smallest fee.
    Open,
    /// Is being closed: only what all nodes agree on applies.
    Closed,
}

/// Whether a tec may be put off to a later pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It is: nothing is applied, the transaction comes again.
    Retry,
    /// It is not: a tec takes its fee.
    Final,
}

/// What is fixed while a ledger is built. All of it comes from the parent (a ledger's rules are its
/// parent's).
#[derive(Clone, Debug)]
pub(crate) struct Env {
    pub(crate) parent: Ledger,
    pub(crate) index: LedgerIndex,
    pub(crate) fees: Fees,
    pub(crate) network_id: u32,
    pub(crate) amendments: Vec<Hash256>,
    pub(crate) kind: LedgerKind,
    pub(crate) pass: Pass,
}

impl Env {
    pub(crate) fn of(parent: &Ledger, kind: LedgerKind) -> Env {
        let settings = parent.entry(&keylet::fees()).unwrap_or_default();
        let amendments = parent.entry(&keylet::amendments()).unwrap_or_default();
        Env {
            parent: parent.clone(),
            index: LedgerIndex::new(parent.index().get().saturating_add(1)),
            fees: Fees::of(parent.state()),
            network_id: settings.u32(sf::NETWORK_ID).unwrap_or(0),
            amendments: amendments.vector256(sf::AMENDMENTS).unwrap_or(&[]).to_vec(),
            kind,
            pass: Pass::Final,
        }
    }

    /// "Now" of every rule: the parent's close time.
    pub(crate) fn now(&self) -> CloseTime {
        self.parent.close_time()
    }

    pub(crate) fn is_enabled(&self, amendment: &Hash256) -> bool {
        self.amendments.contains(amendment)
    }

    pub(crate) fn email_enabled(&self) -> bool {
        self.email() == Amendment::On
    }

    /// Whether the amendment `Email` is enabled.
    pub(crate) fn email(&self) -> Amendment {
        if self.is_enabled(&amendment::AMENDMENT_EMAIL) {
            Amendment::On
        } else {
            Amendment::Off
        }
    }
}

/// A ledger in the making as the mail rules see it: the parent, and the entries as they are now.
#[derive(Debug)]
pub struct View<'a> {
    env: &'a Env,
    entries: Entries<'a>,
}

/// The entries as they are now.
#[derive(Debug)]
enum Entries<'a> {
    State(&'a StateMap),
    Changed(&'a Sandbox<'a>),
}

impl<'a> View<'a> {
    pub(crate) fn new(env: &'a Env, state: &'a StateMap) -> View<'a> {
        let entries = Entries::State(state);
        View { env, entries }
    }

    /// With what a transaction has changed so far.
    pub(crate) fn over(env: &'a Env, sandbox: &'a Sandbox<'a>) -> View<'a> {
        let entries = Entries::Changed(sandbox);
        View { env, entries }
    }
}

impl ReadView for View<'_> {
    fn network_id(&self) -> u32 {
        self.env.network_id
    }

    fn ledger_index(&self) -> LedgerIndex {
        self.env.index
    }

    fn parent_close_time(&self) -> CloseTime {
        self.env.now()
    }

    fn parent_hash(&self) -> Hash256 {
        self.env.parent.hash()
    }

    fn base_fee(&self) -> Drops {
        Drops::new(self.env.fees.base_drops)
    }

    fn reserve_base(&self) -> Drops {
        Drops::new(self.env.fees.reserve_base_drops)
    }

    fn reserve_increment(&self) -> Drops {
        Drops::new(self.env.fees.reserve_increment_drops)
    }

    fn is_open(&self) -> bool {
        self.env.kind == LedgerKind::Open
    }

    fn amendment_enabled(&self, id: &Hash256) -> bool {
        self.env.is_enabled(id)
    }

    fn entry(&self, key: &Hash256) -> Option<Object> {
        match self.entries {
            Entries::State(state) => codec::decode(state.entry(key)?).ok(),
            Entries::Changed(sandbox) => sandbox.entry(key),
        }
    }

    fn parent_entry(&self, key: &Hash256) -> Option<Object> {
        self.env.parent.entry(key)
    }

    fn key_cache(&self) -> Option<&KeyCache> {
        Some(self.env.parent.key_cache())
    }
}
