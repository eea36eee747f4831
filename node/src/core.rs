//! The node's state behind its lock: the validated ledger, the open one, and what is on its way into it.
//!
//! No thread, no socket, no waiting: every function here takes the time as an argument and returns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codec::keys::KeyPair;
use codec::{CloseTime, Hash256, format::EntryType};
use ledger::dkim::{self, Attestation};
use ledger::{Closed, Ledger, OpenLedger, Transaction};

use crate::node::NodeConfig;
use crate::store::{Commit, MailChange, Settled, SettledState, Store, StoreError, Vote};
use chain::limits::{
    FAILURES_REMEMBERED_MAX, HELD_BYTES_MAX, HELD_MAX, HELD_PER_ACCOUNT_MAX, HELD_TRIES_MAX, IDLE_CLOSE_SECS,
    KEY_SETS_PER_LEDGER_MAX, REMOVAL_SCAN_LEDGERS, REMOVALS_PER_LEDGER_MAX,
};
use chain::mail_pool::MailPool;
use chain::names::Names;
use chain::peers::PeerCounts;
use chain::rules;
use chain::votes::{self, Votes};
use ledger::dkim::DkimName;

/// A transaction that a later ledger may take.
#[derive(Debug, Clone)]
struct Held {
    tx: Transaction,
    tries: u32,
}

/// Whether the store can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// It can.
    HasRoom,
    /// The disk is full: nothing is accepted until a close finds room again.
    Full,
}

/// The node's state.
pub(crate) struct Core {
    pub(crate) network_id: u32,
    history_ledgers: Option<u32>,
    majority_secs: u32,
    /// What the validator votes about amendments.
    pub(crate) votes: Votes,
    /// Whether the last write found room.
    pub(crate) disk: Disk,
    pub(crate) key: KeyPair,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) ledger: Ledger,
    pub(crate) open: OpenLedger,
    pub(crate) pool: MailPool,
    pub(crate) names: Names,
    pub(crate) attestations: BTreeMap<DkimName, Attestation>,
    pub(crate) peers: PeerCounts,
    /// Keylets of all DKIMKey entries, so that renewals need no walk over the state.
    pub(crate) dkim_keys: BTreeSet<Hash256>,
    held: Vec<Held>,
    failures: BTreeMap<Hash256, Settled>,
    last_close: CloseTime,
}

impl Core {
    /// Go on from the last validated ledger.
    pub(crate) fn new(
        config: &NodeConfig,
        key: KeyPair,
        store: Arc<dyn Store>,
        ledger: Ledger,
        now: CloseTime,
    ) -> Result<Self, StoreError> {
        let dkim_keys = ledger
            .state()
            .iter()
            .filter(|(_, bytes)| is_dkim_key(bytes))
            .map(|(key, _)| key)
            .collect();
        let mut core = Self {
            network_id: config.network_id,
            history_ledgers: config.history_ledgers,
            majority_secs: config.majority_secs,
            votes: store.votes()?.into_iter().collect(),
            disk: Disk::HasRoom,
            key,
            open: OpenLedger::new(&ledger),
            ledger,
            pool: MailPool::default(),
            names: Names::default(),
            attestations: BTreeMap::new(),
            peers: PeerCounts::default(),
            dkim_keys,
            held: Vec::new(),
            failures: BTreeMap::new(),
            last_close: now,
            store,
        };
        core.restore_mails()?;
        Ok(core)
    }

    /// Whether the open ledger has anything to close for, or has been open for long enough.
    pub(crate) fn is_close_due(&self, now: CloseTime) -> bool {
        let has_work = !self.open.accepted().is_empty() || !self.attestations.is_empty();
        has_work || now.seconds().saturating_sub(self.last_close.seconds()) >= IDLE_CLOSE_SECS
    }

    /// Close the open ledger. The store has it before anybody sees it.
    pub(crate) fn close(&mut self, now: CloseTime) -> Result<(), StoreError> {
        let of_validator = self.validator_transactions();
        let transactions = self.open.accepted().iter().cloned().chain(of_validator);
        let closed = ledger::close(&self.ledger, transactions, now);
        let mut commit = Commit::of(&closed);
        let settled = self.validated_mails(&closed);
        commit.mails = self.mail_changes(&settled);
        commit.forget_below = self.history_ledgers.map_or(0, |kept| {
            commit.index.saturating_add(1).saturating_sub(kept.max(1))
        });
        let committed = self.store.commit(self.network_id, &[commit]);
        self.note_room(committed)?;
        for (id, code) in &closed.dropped {
            tracing::info!(%id, code = code.token(), "a transaction of the open ledger is not in the closed one");
        }
        let adopted = self.adopt(closed, &settled, now);
        self.note_room(adopted)
    }

    /// Remember whether the disk had room for a write. A full one stops acceptance; the next write that finds room lets
    /// it go on.
    pub(crate) fn note_room(&mut self, written: Result<(), StoreError>) -> Result<(), StoreError> {
        match &written {
            Ok(()) if self.disk == Disk::Full => {
                tracing::warn!("the disk has room again: transactions are accepted");
                self.disk = Disk::HasRoom;
            }
            Err(StoreError::Full(error)) if self.disk == Disk::HasRoom => {
                tracing::error!(%error, "the disk is full: no transactions are accepted until there is room");
                self.disk = Disk::Full;
            }
            Ok(()) | Err(_) => {}
        }
        written
    }

    /// Change a vote; it counts in the ledger after the next flag ledger.
    pub(crate) fn set_vote(&mut self, amendment: Hash256, vote: Vote) -> Result<(), StoreError> {
        let written = self.store.set_vote(amendment, vote);
        self.note_room(written)?;
        self.votes.insert(amendment, vote);
        Ok(())
    }

    /// What only validators put into a ledger: DKIMKeySets of this validator's attestations, the removal of keys that
    /// nobody renewed, and what the votes about amendments come to.
    fn validator_transactions(&self) -> Vec<Transaction> {
        let of_attestations = self
            .attestations
            .values()
            .take(KEY_SETS_PER_LEDGER_MAX)
            .filter_map(|word| {
                dkim::build_key_set(&self.ledger, self.network_id, std::slice::from_ref(word))
            });
        let mut sets: Vec<Transaction> = of_attestations.collect();
        if self.ledger.index().get().is_multiple_of(REMOVAL_SCAN_LEDGERS) {
            sets.extend(dkim::build_removals(&self.ledger, REMOVALS_PER_LEDGER_MAX));
        }
        sets.extend(votes::changes(&self.ledger, &self.votes, self.majority_secs));
        sets
    }

    /// EmailIDs that a closed ledger validates.
    fn validated_mails(&self, closed: &Closed) -> Vec<(Hash256, Settled)> {
        let ledger_index = closed.ledger.index();
        closed
            .applied
            .iter()
            .filter(|applied| applied.tx.is_email_signed())
            .filter_map(|applied| {
                let email_id = rules::email_id_of(applied.tx.object(), &self.open)?;
                let state = SettledState::Validated { ledger_index };
                Some((
                    email_id,
                    Settled {
                        state,
                        code: applied.ter.code(),
                        hash: applied.tx_id,
                    },
                ))
            })
            .collect()
    }

    fn mail_changes(&self, settled: &[(Hash256, Settled)]) -> Vec<MailChange> {
        let mut changes = Vec::new();
        for (email_id, settled) in settled {
            changes.push(MailChange::Settle {
                email_id: *email_id,
                settled: *settled,
            });
            let waiting = self.pool.of_email(email_id);
            changes.extend(
                waiting
                    .into_iter()
                    .map(|(mail_id, _)| MailChange::Forget { mail_id }),
            );
        }
        changes
    }

    /// A closed ledger is stored: go on from it.
    fn adopt(
        &mut self,
        closed: Closed,
        settled: &[(Hash256, Settled)],
        now: CloseTime,
    ) -> Result<(), StoreError> {
        for (email_id, _) in settled {
            let ids: Vec<Hash256> = self
                .pool
                .of_email(email_id)
                .into_iter()
                .map(|(id, _)| id)
                .collect();
            ids.iter().for_each(|id| {
                self.pool.remove(id);
            });
        }
        let used: Vec<DkimName> = self
            .attestations
            .keys()
            .take(KEY_SETS_PER_LEDGER_MAX)
            .cloned()
            .collect();
        used.iter().for_each(|name| {
            self.attestations.remove(name);
        });
        for (key, bytes) in &closed.changes {
            match bytes {
                Some(bytes) if is_dkim_key(bytes) => self.dkim_keys.insert(*key),
                Some(_) => false,
                None => self.dkim_keys.remove(key),
            };
        }
        let retry = closed.retry;
        self.ledger = closed.ledger;
        self.open = OpenLedger::new(&self.ledger);
        self.last_close = now;
        self.retry_held(retry);
        self.retry_mails()
    }

    /// Hold a transaction for a later ledger; `false` where there is no room.
    pub(crate) fn hold(&mut self, tx: Transaction) -> bool {
        if self.held.iter().any(|held| held.tx.id() == tx.id()) {
            return true;
        }
        let of_account = self.held_of(tx.account()).count();
        let bytes: usize = self.held.iter().map(|held| held.tx.blob().len()).sum();
        let has_room = self.held.len() < HELD_MAX
            && of_account < HELD_PER_ACCOUNT_MAX
            && bytes + tx.blob().len() <= HELD_BYTES_MAX;
        if has_room {
            self.held.push(Held { tx, tries: 0 });
        }
        has_room
    }

    /// Transactions held for later ledgers.
    pub(crate) fn held_count(&self) -> usize {
        self.held.len()
    }

    /// Held transactions of an account, for its next free sequence.
    pub(crate) fn held_of(&self, account: codec::AccountId) -> impl Iterator<Item = &Transaction> {
        self.held
            .iter()
            .map(|held| &held.tx)
            .filter(move |tx| tx.account() == account)
    }

    /// Whether a transaction waits for a later ledger.
    pub(crate) fn held_transaction(&self, id: &Hash256) -> Option<&Transaction> {
        self.held.iter().map(|held| &held.tx).find(|tx| tx.id() == *id)
    }

    /// Try what is held again, lower sequences first. Mails are not held as transactions: they are wrapped anew.
    fn retry_held(&mut self, retry: Vec<Transaction>) {
        let mut waiting = std::mem::take(&mut self.held);
        waiting.extend(
            retry
                .into_iter()
                .filter(|tx| !tx.is_email_signed())
                .map(|tx| Held { tx, tries: 0 }),
        );
        waiting.sort_by_key(|held| (held.tx.account(), held.tx.sequence()));
        for held in waiting {
            let tries = held.tries.saturating_add(1);
            let outcome = self.open.submit(&held.tx);
            let is_kept = outcome.is_ok_and(|outcome| outcome.retriable && !outcome.applied);
            if is_kept && tries < HELD_TRIES_MAX && self.held.len() < HELD_MAX {
                self.held.push(Held { tx: held.tx, tries });
            }
        }
    }

    /// Remember a failure for those who ask; the oldest EmailIDs are forgotten first.
    pub(crate) fn remember_failure(&mut self, email_id: Hash256, settled: Settled) {
        if self.failures.len() >= FAILURES_REMEMBERED_MAX {
            self.failures.pop_first();
        }
        self.failures.insert(email_id, settled);
    }

    /// A failure that is remembered.
    pub(crate) fn failure(&self, email_id: &Hash256) -> Option<Settled> {
        self.failures.get(email_id).copied()
    }
}

/// Whether bytes of the state are a DKIMKey. The type is the first field of every entry.
pub(crate) fn is_dkim_key(bytes: &[u8]) -> bool {
    bytes.get(..3) == Some(&[0x11, 0, 0x4B])
        && codec::decode(bytes).is_ok_and(|entry| EntryType::of(&entry) == Some(EntryType::DkimKey))
}
