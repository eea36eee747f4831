//! Transactions on their way: in the open ledger, or held where a later one may take them and tried again as
//! xahaud tries its local transactions (LocalTxs.cpp). The store has them too, so that a restart loses none.

use std::collections::BTreeSet;

use amendment::ReadView as _;
use codec::{AccountId, Hash256, LedgerIndex, sf};
use ledger::{OpenLedger, Transaction};

use crate::commit::Came;
use crate::event::Held;
use crate::limits::{HELD_BYTES_MAX, HELD_LEDGERS, HELD_MAX, HELD_PER_ACCOUNT_MAX, HELD_PER_PEER_MAX};
use crate::peers::Peer;
use crate::shared_map::SharedMap;

/// A held transaction.
#[derive(Debug, Clone)]
struct Entry {
    tx: Transaction,
    /// Who handed it in; the operator where nobody remembers.
    peer: Peer,
    /// Once a later ledger than this is closed, it is dropped.
    until: u32,
}

impl Entry {
    /// For the ledgers after the one that was open when it came, and no longer than the transaction itself allows.
    fn new(tx: Transaction, open: LedgerIndex, peer: Peer) -> Self {
        let until = open.get().saturating_add(HELD_LEDGERS);
        let last = tx.object().u32(sf::LAST_LEDGER_SEQUENCE);
        let last = last.map_or(until, |last| last.saturating_add(1));
        Self {
            tx,
            peer,
            until: until.min(last),
        }
    }

    /// By account; Sequences before tickets, as a ticket may come from one of them.
    fn order(&self) -> (AccountId, Option<u32>, u32, Hash256) {
        let ticket = self.tx.ticket().filter(|_| self.tx.sequence() == 0);
        (self.tx.account(), ticket, self.tx.sequence(), self.tx.id())
    }
}

/// All transactions on their way.
#[derive(Debug, Clone, Default)]
pub struct HeldTransactions {
    held: Vec<Entry>,
    /// When each came that is held or in the open ledger: what the store has.
    came: SharedMap<Came>,
    next_number: u64,
}

impl HeldTransactions {
    /// Hold a transaction that came for this open ledger, if there is room.
    pub(crate) fn hold(&mut self, tx: Transaction, open: LedgerIndex, peer: Peer) -> Held {
        if self.transaction(&tx.id()).is_some() {
            return Held::Yes;
        }
        let of_account = self.of_account(tx.account()).count();
        let bytes = self.held.iter().map(|entry| entry.tx.blob().len());
        let bytes = bytes.chain([tx.blob().len()]).fold(0, usize::saturating_add);
        if self.held.len() >= HELD_MAX || of_account >= HELD_PER_ACCOUNT_MAX || bytes > HELD_BYTES_MAX {
            return Held::No;
        }
        let of_peer = self.held.iter().filter(|entry| entry.peer == peer).count();
        if peer != Peer::Operator && of_peer >= HELD_PER_PEER_MAX {
            return Held::No;
        }
        self.held.push(Entry::new(tx, open, peer));
        Held::Yes
    }

    /// Note that a transaction came which is held or in the open ledger now. Answers when, where that is to be stored.
    pub(crate) fn note(&mut self, id: Hash256, open: LedgerIndex, next_mail: u64) -> Option<Came> {
        if self.came.contains_key(&id) {
            return None;
        }
        let came = Came {
            open,
            next_mail,
            number: self.next_number,
        };
        self.take_number(id, came);
        Some(came)
    }

    fn take_number(&mut self, id: Hash256, came: Came) {
        self.next_number = self.next_number.max(came.number.saturating_add(1));
        self.came.insert(id, came);
    }

    /// Take a transaction back from the store. It is held until it is tried.
    pub(crate) fn restore(&mut self, tx: Transaction, came: Came) {
        self.take_number(tx.id(), came);
        self.held.push(Entry::new(tx, came.open, Peer::Operator));
    }

    /// Take out those that came for this open ledger, in the order in which they came.
    pub(crate) fn take_since(&mut self, open: LedgerIndex) -> Vec<(Came, Transaction)> {
        let came = |entry: &Entry| self.came.get(&entry.tx.id()).copied();
        let (since, before): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|entry| came(entry).is_some_and(|came| came.open >= open));
        let mut since: Vec<_> = since
            .into_iter()
            .filter_map(|entry| Some((came(&entry)?, entry.tx)))
            .collect();
        since.sort_by_key(|(came, _)| *came);
        self.held = before;
        since
    }

    /// Forget those that are neither held nor in the open ledger any more; answers their ids.
    pub(crate) fn forget_gone(&mut self, open: &OpenLedger) -> Vec<Hash256> {
        let held: BTreeSet<Hash256> = self.held.iter().map(|entry| entry.tx.id()).collect();
        let is_gone = |id: &Hash256| !held.contains(id) && !open.contains(id);
        let gone: Vec<Hash256> = self.came.iter().map(|(id, _)| *id).filter(is_gone).collect();
        for id in &gone {
            self.came.remove(id);
        }
        gone
    }

    /// How many are held.
    #[must_use]
    pub fn count(&self) -> usize {
        self.held.len()
    }

    /// All that are held.
    pub fn iter(&self) -> impl Iterator<Item = &Transaction> {
        self.held.iter().map(|entry| &entry.tx)
    }

    /// Those of an account, for its next free sequence.
    pub(crate) fn of_account(&self, account: AccountId) -> impl Iterator<Item = &Transaction> {
        self.held
            .iter()
            .map(|entry| &entry.tx)
            .filter(move |tx| tx.account() == account)
    }

    /// One of them.
    #[must_use]
    pub fn transaction(&self, id: &Hash256) -> Option<&Transaction> {
        self.held.iter().map(|entry| &entry.tx).find(|tx| tx.id() == *id)
    }

    /// A transaction of this account got a place: those that waited for it follow at once (NetworkOPs.cpp
    /// `popAcctTransaction`).
    pub(crate) fn follow(&mut self, account: AccountId, open: &mut OpenLedger) {
        let (mut waiting, others): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|entry| entry.tx.account() == account);
        waiting.sort_by_key(Entry::order);
        waiting.retain(|entry| may_succeed_later(open, &entry.tx));
        self.held = others;
        self.held.append(&mut waiting);
    }

    /// Try all that are held and `more` in a new open ledger, lower sequences first; hold on to those that may
    /// still succeed and whose time has not passed.
    pub(crate) fn retry(&mut self, more: impl Iterator<Item = Transaction>, open: &mut OpenLedger) {
        let index = open.view().ledger_index();
        let closed = open.parent().index().get();
        let mut waiting = std::mem::take(&mut self.held);
        waiting.extend(more.map(|tx| {
            let came = self.came.get(&tx.id()).map_or(index, |came| came.open);
            Entry::new(tx, came, Peer::Operator)
        }));
        waiting.sort_by_key(Entry::order);
        for entry in waiting {
            let is_to_wait = may_succeed_later(open, &entry.tx);
            if is_to_wait && closed <= entry.until && self.held.len() < HELD_MAX {
                self.held.push(entry);
            }
        }
    }
}

/// Tries a transaction; true where it gets no place and a later ledger may take it.
fn may_succeed_later(open: &mut OpenLedger, tx: &Transaction) -> bool {
    let outcome = open.submit_at_its_price(tx);
    outcome.is_ok_and(|outcome| outcome.retriable && !outcome.applied)
}
