//! The stored ledger, put together again and compared with its own hashes; and the way back to the last good
//! one.

use codec::{Hash256, LedgerIndex};
use ledger::{Header, Ledger, LedgerError, StateMap, TxMap};

use crate::limits::UNDO_LEDGERS_MAX;
use crate::store::{Store, StoreError, StoredLedger, StoredTx, Tip};

/// What is wrong with a stored ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerDamage {
    /// The header is unreadable.
    #[error("its header is unreadable")]
    Header,
    /// The header does not hash to the ledger's hash.
    #[error("its header hashes to {computed}, the store says {stated}")]
    Hash {
        /// What the header hashes to.
        computed: Hash256,
        /// What the store says.
        stated: Hash256,
    },
    /// State or transactions are not those of the header.
    #[error(transparent)]
    Content(#[from] LedgerError),
}

/// Why there is no ledger to start from.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The last ledger of the store is not what was validated.
    #[error("ledger {index} of the store is damaged: {source}; {}", way_out(*last_good))]
    Damaged {
        /// The ledger.
        index: LedgerIndex,
        /// What differs.
        source: LedgerDamage,
        /// The newest ledger before it that is whole, if the store can go back to one.
        last_good: Option<LedgerIndex>,
    },
    /// The operator wants to go back, but there is nothing to repair.
    #[error(
        "ledger {tip} of the store is intact; start without --rollback-to {wanted}, or take intact ledgers back with 'xahau-email ledger rollback': nothing was changed"
    )]
    RollbackNotNeeded {
        /// The last ledger.
        tip: LedgerIndex,
        /// What was asked for.
        wanted: LedgerIndex,
    },
    /// The way back to a ledger is not in the store, or that ledger is damaged.
    #[error(
        "the store cannot go back to ledger {wanted}: it keeps the way back over its last {UNDO_LEDGERS_MAX} ledgers; restore the data folder from a copy: nothing was changed"
    )]
    TooFarBack {
        /// What was asked for.
        wanted: LedgerIndex,
    },
    /// There is no ledger after the one that the operator wants to go back to.
    #[error("the last ledger of the store is {tip}; name an earlier one than {wanted}: nothing was changed")]
    NothingToRollBack {
        /// The last ledger.
        tip: LedgerIndex,
        /// What was asked for.
        wanted: LedgerIndex,
    },
    /// The folder has no ledger.
    #[error("the data folder has no ledger: nothing was changed")]
    NoLedger,
    /// The operator wants to go back to a ledger that is not whole or not within reach.
    #[error("the store cannot go back to ledger {wanted}; {}: nothing was changed", way_out(*last_good))]
    RollbackOutOfReach {
        /// What was asked for.
        wanted: LedgerIndex,
        /// The newest ledger that is whole, if there is one.
        last_good: Option<LedgerIndex>,
    },
}

/// What the operator can do about a damaged ledger.
fn way_out(last_good: Option<LedgerIndex>) -> String {
    match last_good {
        Some(good) => {
            format!("the last good one is ledger {good}: start with --rollback-to {good}, or restore a copy")
        }
        None => "no earlier ledger is intact either; restore the data folder from a copy".to_owned(),
    }
}

/// Put the last ledger of the store together. Where it is damaged, go back to the one that the operator
/// names, or say which one he could name.
pub(crate) fn restored(
    store: &dyn Store,
    tip: &Tip,
    rollback_to: Option<LedgerIndex>,
) -> Result<Ledger, RestoreError> {
    let index = tip.ledger.index;
    let mut state = StateMap::new();
    store.read_state(&mut |key, bytes| state.insert(key, bytes))?;
    let damage = match whole(&tip.ledger, &tip.transactions, &state) {
        Ok(ledger) => {
            return match rollback_to.filter(|wanted| *wanted != index) {
                Some(wanted) => Err(RestoreError::RollbackNotNeeded { tip: index, wanted }),
                None => Ok(ledger),
            };
        }
        Err(damage) => damage,
    };
    let newest = last_good(store, index, state.clone(), index)?;
    let last_good_index = newest.as_ref().map(Ledger::index);
    let Some(wanted) = rollback_to else {
        return Err(RestoreError::Damaged {
            index,
            source: damage,
            last_good: last_good_index,
        });
    };
    let good = last_good(store, index, state, wanted)?.filter(|ledger| ledger.index() == wanted);
    let good = good.ok_or(RestoreError::RollbackOutOfReach {
        wanted,
        last_good: last_good_index,
    })?;
    store.roll_back(wanted)?;
    tracing::warn!(from = %index, to = %wanted, "the store was rolled back: later ledgers are removed");
    Ok(good)
}

/// Take the last ledgers of a store back, whole or not, because the operator says so: one that a wrong clock
/// closed, for example. Answers the ledger that was the last one.
pub(crate) fn taken_back(store: &dyn Store, wanted: LedgerIndex) -> Result<LedgerIndex, RestoreError> {
    let tip = store.tip()?.ok_or(RestoreError::NoLedger)?.ledger.index;
    if wanted >= tip {
        return Err(RestoreError::NothingToRollBack { tip, wanted });
    }
    let mut state = StateMap::new();
    store.read_state(&mut |key, bytes| state.insert(key, bytes))?;
    let good = last_good(store, tip, state, wanted)?;
    if good.is_none_or(|ledger| ledger.index() != wanted) {
        return Err(RestoreError::TooFarBack { wanted });
    }
    store.roll_back(wanted)?;
    Ok(tip)
}

/// The newest whole ledger before `tip`, and not after `last`, within reach of the store.
fn last_good(
    store: &dyn Store,
    tip: LedgerIndex,
    mut state: StateMap,
    last: LedgerIndex,
) -> Result<Option<Ledger>, StoreError> {
    for back in 1..=UNDO_LEDGERS_MAX {
        let undone = LedgerIndex::new(tip.get().saturating_sub(back - 1));
        let index = LedgerIndex::new(tip.get().saturating_sub(back));
        let (Some(changes), Some(ledger)) = (store.undo(undone)?, store.ledger(index)?) else {
            return Ok(None);
        };
        for (key, bytes) in changes {
            match bytes {
                Some(bytes) => state.insert(key, bytes),
                None => {
                    state.remove(&key);
                }
            }
        }
        if index > last {
            continue;
        }
        let transactions = store.transactions(index)?;
        if let Ok(ledger) = whole(&ledger, &transactions, &state) {
            return Ok(Some(ledger));
        }
    }
    Ok(None)
}

/// A ledger from its parts: they must hash to what the header says, and the header to the ledger's hash.
fn whole(stored: &StoredLedger, transactions: &[StoredTx], state: &StateMap) -> Result<Ledger, LedgerDamage> {
    let header = Header::decode(&stored.header).ok_or(LedgerDamage::Header)?;
    let computed = header.hash();
    if computed != stored.hash || header.index != stored.index {
        return Err(LedgerDamage::Hash {
            computed,
            stated: stored.hash,
        });
    }
    let mut leaves: Vec<_> = transactions.iter().map(|tx| (tx.id, tx_leaf(tx))).collect();
    leaves.sort_by_key(|(id, _)| *id);
    Ok(Ledger::from_parts(
        header,
        state.clone(),
        TxMap::from_sorted_iter(leaves),
    )?)
}

/// A transaction as the ledger's tree holds it: both parts with their lengths.
fn tx_leaf(tx: &StoredTx) -> Vec<u8> {
    let mut leaf = Vec::with_capacity(tx.blob.len() + tx.meta.len() + 8);
    codec::encode_vl(&tx.blob, &mut leaf);
    codec::encode_vl(&tx.meta, &mut leaf);
    leaf
}
