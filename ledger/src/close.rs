//! Closing a ledger: the canonical order of its transactions, the passes over them, skip list, header.
//!
//! Xahau's rules (BuildLedger.cpp, CanonicalTXSet.cpp, Ledger.cpp). The result depends on the set of
//! transactions, never on the order in which they came.

use std::collections::BTreeMap;

use amendment::EmailId;
use codec::{CloseTime, Drops, Hash256, LedgerIndex, Object, Ter, TerClass};

use crate::close_time;
use crate::engine::{self, Judged};
use crate::header::Header;
use crate::ledger::Ledger;
use crate::limits::{CLOSE_PASSES, CLOSE_RETRY_PASSES};
use crate::skip_list;
use crate::state_map::{StateMap, TxMap, TxSet};
use crate::transaction::Transaction;
use crate::view::{Env, LedgerKind, Pass};

/// A ledger that was just built.
#[derive(Clone, Debug)]
pub struct Closed {
    /// The ledger.
    pub ledger: Ledger,
    /// Transactions in it, in the order in which they were applied.
    pub applied: Vec<AppliedTx>,
    /// Transactions for the next ledger (ter).
    pub retry: Vec<Transaction>,
    /// Transactions that cannot succeed (tef, tem, tel), with the reason.
    pub dropped: Vec<(Hash256, Ter)>,
    /// State entries that differ from the parent's: new bytes, or `None` where deleted.
    pub changes: Vec<(Hash256, Option<Vec<u8>>)>,
}

/// A transaction in a closed ledger.
#[derive(Clone, Debug)]
pub struct AppliedTx {
    /// Transaction id.
    pub tx_id: Hash256,
    /// The transaction.
    pub tx: Transaction,
    /// What it did.
    pub metadata: Object,
    /// tesSUCCESS or a tec.
    pub ter: Ter,
    /// Its number in the ledger, from 0.
    pub index: u32,
    /// EmailID of a transaction that a mail signed, from the proof made while applying it. Spec: 8.1
    pub email_id: Option<EmailId>,
}

impl AppliedTx {
    /// Its bytes.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        self.tx.blob()
    }
}

/// Builds the ledger after `parent` from a set of transactions. `close_time` is the agreed proposal, rounded
/// here; zero says that there was no agreement.
///
/// ```
/// use codec::CloseTime;
/// use ledger::dkim::KeyDelays;
/// use ledger::genesis::EmailAmendment;
/// use ledger::{GenesisConfig, Ledger, close};
///
/// let genesis = Ledger::genesis(&GenesisConfig {
///     network_id: 21_338,
///     validators: Vec::new(),
///     email: EmailAmendment::Enabled,
///     close_time: CloseTime::new(800_000_000),
///     key_delays: KeyDelays::NONE,
/// });
/// let closed = close(&genesis, [], CloseTime::new(800_000_030));
/// assert_eq!(closed.ledger.header().parent_hash, genesis.hash());
/// assert_eq!(closed.ledger.index().get(), 2);
/// // Even an empty ledger changes one entry: the list of its ancestors' hashes.
/// assert_eq!((closed.applied.len(), closed.changes.len()), (0, 1));
/// ```
#[must_use]
pub fn close(parent: &Ledger, txs: impl IntoIterator<Item = Transaction>, close_time: CloseTime) -> Closed {
    let (close_time, close_flags) = agreed_time(parent, close_time);
    close_at(parent, txs, close_time, close_flags)
}

/// Close time and close flags of the ledger after `parent`, of the agreed proposal.
#[must_use]
pub fn agreed_time(parent: &Ledger, proposed: CloseTime) -> (CloseTime, u8) {
    close_time::effective(proposed, resolution_after(parent), parent.close_time())
}

/// The same with a close time that needs no more rounding: one that a recorded or validated header states.
#[must_use]
pub fn close_at(
    parent: &Ledger,
    txs: impl IntoIterator<Item = Transaction>,
    close_time: CloseTime,
    close_flags: u8,
) -> Closed {
    let mut building = Building {
        env: Env::of(parent, LedgerKind::Closed),
        state: parent.state().clone(),
        txs: TxMap::new(),
        fees_drops: 0,
        applied: Vec::new(),
        dropped: Vec::new(),
        entries: BTreeMap::new(),
    };
    let retry = building.run_passes(canonical_order(txs));
    building.finish(parent, close_time, close_flags, retry)
}

fn resolution_after(parent: &Ledger) -> u8 {
    let above = parent.header();
    let index = above.index.get().saturating_add(1);
    close_time::next_resolution(above.close_resolution, above.close_flags, index)
}

struct Building {
    env: Env,
    state: StateMap,
    txs: TxMap,
    fees_drops: u64,
    applied: Vec<AppliedTx>,
    dropped: Vec<(Hash256, Ter)>,
    entries: BTreeMap<Hash256, Option<Vec<u8>>>,
}

impl Building {
    /// Goes over the transactions until nothing changes any more; returns those that may succeed later. The
    /// first passes put a tec off, as another transaction may remove its cause; the last one takes its fee.
    fn run_passes(&mut self, mut waiting: Vec<Transaction>) -> Vec<Transaction> {
        self.env.pass = Pass::Retry;
        for pass in 0..CLOSE_PASSES {
            let before = self.applied.len();
            waiting.retain(|tx| self.apply(tx) == Next::Again);
            let changed = self.applied.len() != before;
            if !changed && self.env.pass == Pass::Final {
                break;
            }
            if !changed || pass >= CLOSE_RETRY_PASSES {
                self.env.pass = Pass::Final;
            }
        }
        waiting
    }

    fn apply(&mut self, tx: &Transaction) -> Next {
        let index = u32::try_from(self.applied.len()).unwrap_or(u32::MAX);
        let judged = engine::judge(&self.env, &self.state, tx, index);
        match (judged.effects.is_some(), judged.ter.class()) {
            (true, _) => {
                self.write(tx, judged, index);
                Next::Done
            }
            (false, TerClass::Tef | TerClass::Tem | TerClass::Tel) => {
                self.dropped.push((tx.id(), judged.ter));
                Next::Done
            }
            (false, TerClass::Ter | TerClass::Tes | TerClass::Tec) => Next::Again,
        }
    }

    fn write(&mut self, tx: &Transaction, judged: Judged, index: u32) {
        let Some(effects) = judged.effects else { return };
        for (key, entry) in effects.entries {
            let bytes = entry.map(|entry| codec::encode(&entry));
            match &bytes {
                Some(bytes) => self.state.insert(key, bytes.as_slice()),
                None => {
                    self.state.remove(&key);
                }
            }
            self.entries.insert(key, bytes);
        }
        self.txs
            .insert(tx.id(), tx_leaf(tx.blob(), &codec::encode(&effects.metadata)));
        self.fees_drops = self.fees_drops.saturating_add(judged.fee_drops);
        self.applied.push(AppliedTx {
            tx_id: tx.id(),
            tx: tx.clone(),
            metadata: effects.metadata,
            ter: judged.ter,
            index,
            email_id: judged.email_id,
        });
    }

    fn finish(
        mut self,
        parent: &Ledger,
        close_time: CloseTime,
        close_flags: u8,
        retry: Vec<Transaction>,
    ) -> Closed {
        let above = parent.header();
        let parent_hash = parent.hash();
        skip_list::update(&mut self.state, above.index, parent_hash, &mut self.entries);
        let header = Header {
            index: LedgerIndex::new(above.index.get().saturating_add(1)),
            total_drops: Drops::new(above.total_drops.get().saturating_sub(self.fees_drops)),
            parent_hash,
            tx_hash: self.txs.root_hash(),
            account_hash: self.state.root_hash(),
            parent_close_time: above.close_time,
            close_time,
            close_resolution: resolution_after(parent),
            close_flags,
        };
        // An entry may have been created and deleted again, or be as it was.
        let old = parent.state();
        let changes: Vec<_> = self
            .entries
            .into_iter()
            .filter(|(key, bytes)| old.entry(key) != bytes.as_deref())
            .collect();
        Closed {
            ledger: Ledger::assemble(header, self.state, self.txs).with_keys_of(parent),
            applied: self.applied,
            retry,
            dropped: self.dropped,
            changes,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Done,
    Again,
}

/// Leaf of the transaction tree: both parts with their lengths.
pub(crate) fn tx_leaf(blob: &[u8], metadata: &[u8]) -> Vec<u8> {
    let mut leaf = Vec::with_capacity(blob.len().saturating_add(metadata.len()).saturating_add(8));
    codec::encode_vl(blob, &mut leaf);
    codec::encode_vl(metadata, &mut leaf);
    leaf
}

/// Each transaction once, in the order of their keys under a salt that nobody can choose: the hash of the set.
fn canonical_order(txs: impl IntoIterator<Item = Transaction>) -> Vec<Transaction> {
    let by_id: BTreeMap<Hash256, Transaction> = txs.into_iter().map(|tx| (tx.id(), tx)).collect();
    let set = TxSet::from_sorted_iter(by_id.keys().map(|id| (*id, Vec::new())));
    let salt = set.root_hash();
    let mut order: Vec<Transaction> = by_id.into_values().collect();
    order.sort_by_cached_key(|tx| CanonicalKey::of(tx, &salt));
    order
}

/// Where a transaction stands in a canonical set (xahaud CanonicalTXSet.cpp): by account xor the salt, then
/// Sequence before tickets, then id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CanonicalKey {
    account: [u8; 32],
    by_ticket: bool,
    number: u32,
    id: Hash256,
}

impl CanonicalKey {
    pub(crate) fn of(tx: &Transaction, salt: &Hash256) -> CanonicalKey {
        let mut account = *salt.as_bytes();
        for (byte, of_account) in account.iter_mut().zip(tx.account().as_bytes()) {
            *byte ^= of_account;
        }
        let ticket = tx.ticket().filter(|_| tx.sequence() == 0);
        CanonicalKey {
            account,
            by_ticket: ticket.is_some(),
            number: ticket.unwrap_or(tx.sequence()),
            id: tx.id(),
        }
    }

    /// Before all transactions of the account that have this one's Sequence or ticket, or a later one.
    pub(crate) fn first_alike(self) -> CanonicalKey {
        CanonicalKey {
            id: Hash256::ZERO,
            ..self
        }
    }

    pub(crate) fn is_of_same_account(&self, other: &CanonicalKey) -> bool {
        self.account == other.account
    }
}
