//! What must hold after each transaction, whatever the transactors did.
//!
//! Xahau's invariants as far as this ledger's types need them, and spec 8.3: a replay entry exactly when a mail claimed a
//! fee. A violation never reaches a ledger: first the changes are thrown away and the fee is taken, then not even that.

use codec::format::{EntryType, TxType};
use codec::{Amount, Object, keylet, sf};

use crate::email;
use crate::limits::DROPS_MAX;
use crate::sandbox::{Change, Sandbox};
use crate::transaction::Transaction;
use crate::view::Env;

/// The rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Balances changed by another sum than the fee.
    MoneyMade,
    /// A balance outside 0 to 10^17 drops, or not in drops.
    BalanceRange,
    /// An entry of an unknown type or without its fields, or whose type changed.
    EntryType,
    /// An account was deleted.
    AccountDeleted,
    /// A new account beyond the first, of a type that makes none, or with a wrong Sequence.
    NewAccount,
    /// A replay entry written without a mail, or a mail without one.
    ReplayEntry,
}

/// Checks everything that a transaction changed.
pub(crate) fn check(
    sandbox: &Sandbox<'_>,
    tx: &Transaction,
    env: &Env,
    fee_drops: u64,
) -> Result<(), Violation> {
    let mut sum: i128 = i128::from(fee_drops);
    let mut new_accounts: u32 = 0;
    for (key, change) in sandbox.changes() {
        let original = sandbox.original(key);
        let before = original.as_ref().map_or(Ok(0), balance)?;
        let after = change.current().map_or(Ok(0), balance)?;
        sum = sum
            .saturating_add(i128::from(after))
            .saturating_sub(i128::from(before));
        check_types(change, original.as_ref())?;
        match change {
            Change::Created(entry) if is_account(entry) => {
                new_accounts = new_accounts.saturating_add(1);
                check_new_account(entry, tx, env)?;
            }
            Change::Deleted(entry) if is_account(entry) => return Err(Violation::AccountDeleted),
            Change::Created(_) | Change::Modified(_) | Change::Deleted(_) => {}
        }
    }
    if sum != 0 {
        return Err(Violation::MoneyMade);
    }
    if new_accounts > 1 {
        return Err(Violation::NewAccount);
    }
    check_replay_entry(sandbox, tx, env)
}

fn is_account(entry: &Object) -> bool {
    EntryType::of(entry) == Some(EntryType::AccountRoot)
}

/// Drops in an AccountRoot; 0 for every other entry.
fn balance(entry: &Object) -> Result<u64, Violation> {
    if !is_account(entry) {
        return Ok(0);
    }
    match entry.amount(sf::BALANCE) {
        Some(Amount::Native(value)) => u64::try_from(value)
            .ok()
            .filter(|drops| *drops <= DROPS_MAX)
            .ok_or(Violation::BalanceRange),
        Some(Amount::Issued(_)) | None => Err(Violation::BalanceRange),
    }
}

/// Known types with their fields only. The PreviousTxn pair is set later, with the metadata.
fn check_types(change: &Change, original: Option<&Object>) -> Result<(), Violation> {
    let Some(entry) = change.current() else {
        return Ok(());
    };
    let entry_type = EntryType::of(entry).ok_or(Violation::EntryType)?;
    if original.is_some_and(|original| EntryType::of(original) != Some(entry_type)) {
        return Err(Violation::EntryType);
    }
    let template = entry_type.template().ok_or(Violation::EntryType)?;
    if template.is_threaded() && original.is_none() {
        let threaded = entry
            .clone()
            .with(sf::PREVIOUS_TXN_ID, codec::Hash256::ZERO)
            .with(sf::PREVIOUS_TXN_LGR_SEQ, 0u32);
        return template.check(&threaded).map_err(|_| Violation::EntryType);
    }
    template.check(entry).map_err(|_| Violation::EntryType)
}

fn check_new_account(entry: &Object, tx: &Transaction, env: &Env) -> Result<(), Violation> {
    let may_create = matches!(tx.tx_type(), TxType::Payment | TxType::Remit);
    let sequence = entry.u32(sf::SEQUENCE) == Some(env.now().seconds());
    if may_create && sequence {
        Ok(())
    } else {
        Err(Violation::NewAccount)
    }
}

/// Spec: 8.3. Attack: a mail that fails with a tec, keeps no entry and is sent again and again for its fee.
fn check_replay_entry(sandbox: &Sandbox<'_>, tx: &Transaction, env: &Env) -> Result<(), Violation> {
    let is_replay = |entry: &Object| EntryType::of(entry) == Some(EntryType::EmailReplay);
    let written = sandbox
        .changes()
        .filter(|(_, change)| {
            let (Change::Created(entry) | Change::Modified(entry) | Change::Deleted(entry)) = change;
            is_replay(entry)
        })
        .map(|(key, change)| (*key, change.current().is_some()));
    let expected = email::is_email(tx, env).then(|| (keylet::email_replay(tx.account()), true));
    if written.eq(expected) {
        Ok(())
    } else {
        Err(Violation::ReplayEntry)
    }
}
