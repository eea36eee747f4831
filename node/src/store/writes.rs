//! What one redb transaction writes: a closed ledger, mails, the end of history, the way back.
//!
//! Nothing here commits: the caller does, once.

use codec::{AccountId, Hash256};
use ledger::dkim::Ruling;
use redb::{ReadableTable, WriteTransaction};

use super::record::{StoredLedger, UndoRecord, pending_mail, pending_tx, settled_mail, stored_tx, tx_place};
use super::tables::{
    ACCOUNTS, INSTEAD_OF, LEDGER_HASHES, LEDGERS, LIST_WISH, NETWORK, NUMBERS, POSITIONS, SETTLED, STATE,
    TIP, TRANSACTIONS, UNDO, VOTES, WAITING, WAITING_TXS, WANTED, WISHES,
};
use super::{Change, Commit, ListWish, MailChange, SettledState, StateChange, TxChange, Vote};
use crate::limits::{FORGET_LEDGERS_PER_COMMIT_MAX, FORGET_TXS_PER_COMMIT_MAX, UNDO_LEDGERS_MAX};

/// Whether a ledger can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    /// The store has its parent.
    Kept,
    /// It is the first one.
    None,
}

/// How a wish about a domain is stored.
pub(super) const WISH_FROZEN: u8 = 3;
/// How a wish about a domain is stored.
pub(super) const WISH_LIFTED: u8 = 4;

/// Write changes in their order.
pub(super) fn write_changes(
    writing: &WriteTransaction,
    network_id: u32,
    changes: &[Change],
    mut undo: Undo,
) -> Result<(), redb::Error> {
    let is_mail = |change: &Change| matches!(change, Change::Mail(_));
    let is_tx = |change: &Change| matches!(change, Change::Transaction(_));
    // Mails and transactions come in long runs: their tables are opened once for each run.
    let is_run = |one: &Change, next: &Change| (is_mail(one) && is_mail(next)) || (is_tx(one) && is_tx(next));
    for run in changes.chunk_by(is_run) {
        match run {
            [Change::Ledger(commit)] => {
                write_commit(writing, commit, undo)?;
                undo = Undo::Kept;
                writing.open_table(NUMBERS)?.insert(NETWORK, network_id)?;
            }
            [Change::Vote { amendment, vote }] => {
                let value = match vote {
                    Vote::For => 1,
                    Vote::Against => 0,
                };
                writing.open_table(VOTES)?.insert(amendment.as_bytes(), value)?;
            }
            [Change::Wish { domain, wish }] => {
                let mut wishes = writing.open_table(WISHES)?;
                match wish {
                    Some(Ruling::Frozen) => wishes.insert(domain.as_str(), WISH_FROZEN)?,
                    Some(Ruling::Lifted) => wishes.insert(domain.as_str(), WISH_LIFTED)?,
                    None => wishes.remove(domain.as_str())?,
                };
            }
            [Change::List(wish)] => write_list_wish(writing, wish.as_ref())?,
            [Change::Transaction(_), ..] => {
                let transactions = run.iter().filter_map(|change| match change {
                    Change::Transaction(tx) => Some(tx),
                    Change::Ledger(_)
                    | Change::Mail(_)
                    | Change::Vote { .. }
                    | Change::List(_)
                    | Change::Wish { .. } => None,
                });
                write_waiting(writing, transactions)?;
            }
            mails => {
                let mails = mails.iter().filter_map(|change| match change {
                    Change::Mail(mail) => Some(mail),
                    Change::Ledger(_)
                    | Change::Transaction(_)
                    | Change::Vote { .. }
                    | Change::List(_)
                    | Change::Wish { .. } => None,
                });
                write_mails(writing, mails)?;
            }
        }
    }
    Ok(())
}

fn write_list_wish(writing: &WriteTransaction, wish: Option<&ListWish>) -> Result<(), redb::Error> {
    let mut table = writing.open_table(LIST_WISH)?;
    let Some(wish) = wish else {
        table.retain(|_, _| false)?;
        return Ok(());
    };
    for (name, list) in [(WANTED, &wish.wanted), (INSTEAD_OF, &wish.instead_of)] {
        let bytes: Vec<u8> = list.iter().flat_map(|key| *key.as_bytes()).collect();
        table.insert(name, bytes.as_slice())?;
    }
    Ok(())
}

/// Write one closed ledger.
fn write_commit(writing: &WriteTransaction, commit: &Commit, undo: Undo) -> Result<(), redb::Error> {
    let before = write_state(writing, &commit.changes)?;
    if undo == Undo::Kept {
        let mut table = writing.open_table(UNDO)?;
        table.insert(commit.index, UndoRecord::encode(&before).as_slice())?;
        let oldest = commit.index.saturating_sub(UNDO_LEDGERS_MAX);
        while table.first()?.is_some_and(|(index, _)| index.value() <= oldest) {
            table.pop_first()?;
        }
    }
    write_ledger(writing, commit)?;
    write_mails(writing, &commit.mails)?;
    writing.open_table(NUMBERS)?.insert(TIP, commit.index)?;
    forget(writing, commit.forget_below.min(commit.index))
}

/// Write state entries; answers what was there before.
fn write_state(writing: &WriteTransaction, changes: &[StateChange]) -> Result<Vec<StateChange>, redb::Error> {
    let mut state = writing.open_table(STATE)?;
    let mut before = Vec::with_capacity(changes.len());
    for (key, value) in changes {
        let old = match value {
            Some(value) => state.insert(key.as_bytes(), value.as_slice())?,
            None => state.remove(key.as_bytes())?,
        };
        before.push((*key, old.map(|old| old.value().to_vec())));
    }
    Ok(before)
}

fn write_ledger(writing: &WriteTransaction, commit: &Commit) -> Result<(), redb::Error> {
    let record = StoredLedger::encode(&commit.hash, &commit.header);
    writing
        .open_table(LEDGERS)?
        .insert(commit.index, record.as_slice())?;
    writing
        .open_table(LEDGER_HASHES)?
        .insert(commit.hash.as_bytes(), commit.index)?;
    let mut transactions = writing.open_table(TRANSACTIONS)?;
    let mut positions = writing.open_table(POSITIONS)?;
    let mut accounts = writing.open_table(ACCOUNTS)?;
    for tx in &commit.transactions {
        transactions.insert(tx.id.as_bytes(), stored_tx::encode(tx).as_slice())?;
        let affected: &[AccountId] = commit.affected.get(&tx.tx_index).map_or(&[], Vec::as_slice);
        let place = tx_place::encode(&tx.id, affected);
        positions.insert((commit.index, tx.tx_index), place.as_slice())?;
        for account in affected {
            accounts.insert((account.as_bytes(), commit.index, tx.tx_index), ())?;
        }
    }
    Ok(())
}

/// Write changes of mails.
fn write_mails<'a>(
    writing: &WriteTransaction,
    changes: impl IntoIterator<Item = &'a MailChange>,
) -> Result<(), redb::Error> {
    let mut waiting = writing.open_table(WAITING)?;
    let mut settled_mails = writing.open_table(SETTLED)?;
    for change in changes {
        match change {
            MailChange::Keep { mail_id, mail } => {
                waiting.insert(mail_id.as_bytes(), pending_mail::encode(mail).as_slice())?;
            }
            MailChange::Forget { mail_id } => {
                waiting.remove(mail_id.as_bytes())?;
            }
            MailChange::Settle { email_id, settled } => {
                settled_mails.insert(email_id.as_bytes(), settled_mail::encode(settled).as_slice())?;
            }
        }
    }
    Ok(())
}

/// Write changes of the transactions on their way.
fn write_waiting<'a>(
    writing: &WriteTransaction,
    changes: impl IntoIterator<Item = &'a TxChange>,
) -> Result<(), redb::Error> {
    let mut waiting = writing.open_table(WAITING_TXS)?;
    for change in changes {
        match change {
            TxChange::Keep { id, tx } => {
                waiting.insert(id.as_bytes(), pending_tx::encode(tx).as_slice())?;
            }
            TxChange::Forget { id } => {
                waiting.remove(id.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Forget the oldest ledgers below an index, a bounded piece of them.
fn forget(writing: &WriteTransaction, below: u32) -> Result<(), redb::Error> {
    let mut txs = 0;
    for _ in 0..FORGET_LEDGERS_PER_COMMIT_MAX {
        let oldest = writing
            .open_table(LEDGERS)?
            .first()?
            .map(|(index, _)| index.value());
        let Some(oldest) = oldest.filter(|oldest| *oldest < below && txs < FORGET_TXS_PER_COMMIT_MAX) else {
            return Ok(());
        };
        txs += remove_ledger(writing, oldest)?;
    }
    Ok(())
}

/// Remove a ledger with its transactions; answers how many those were.
fn remove_ledger(writing: &WriteTransaction, index: u32) -> Result<usize, redb::Error> {
    let hash = match writing.open_table(LEDGERS)?.remove(index)? {
        Some(record) => StoredLedger::decode(index, record.value()).map(|ledger| ledger.hash),
        None => None,
    };
    if let Some(hash) = hash {
        writing.open_table(LEDGER_HASHES)?.remove(hash.as_bytes())?;
    }
    let mut positions = writing.open_table(POSITIONS)?;
    let mut places = Vec::new();
    for place in positions.range((index, 0)..=(index, u32::MAX))? {
        let (at, place) = place?;
        places.push((at.value().1, tx_place::decode(place.value())));
    }
    let mut transactions = writing.open_table(TRANSACTIONS)?;
    let mut accounts = writing.open_table(ACCOUNTS)?;
    for (tx_index, place) in &places {
        positions.remove((index, *tx_index))?;
        let Some((id, affected)) = place else { continue };
        transactions.remove(id.as_bytes())?;
        for account in affected {
            accounts.remove((account.as_bytes(), index, *tx_index))?;
        }
    }
    Ok(places.len())
}

/// Take the last ledger back: its parent is the tip then. `None` where there is no way back.
pub(super) fn take_back(writing: &WriteTransaction, index: u32) -> Result<Option<()>, redb::Error> {
    let changes = {
        let mut table = writing.open_table(UNDO)?;
        let record = table.remove(index)?;
        record.and_then(|record| UndoRecord::decode(record.value()))
    };
    let Some(changes) = changes else {
        return Ok(None);
    };
    write_state(writing, &changes)?;
    remove_ledger(writing, index)?;
    writing
        .open_table(NUMBERS)?
        .insert(TIP, index.saturating_sub(1))?;
    Ok(Some(()))
}

/// Forget what was said about mails in ledgers after `tip`: those ledgers are gone.
pub(super) fn unsettle_after(writing: &WriteTransaction, tip: u32) -> Result<(), redb::Error> {
    let mut settled = writing.open_table(SETTLED)?;
    settled.retain(
        |_, record| match settled_mail::decode(record).map(|settled| settled.state) {
            Some(SettledState::Validated { ledger_index }) => ledger_index.get() <= tip,
            Some(SettledState::Failed) | None => true,
        },
    )?;
    Ok(())
}

/// The id at a position of a ledger.
pub(super) fn id_at(place: &[u8]) -> Option<Hash256> {
    tx_place::decode(place).map(|(id, _)| id)
}
