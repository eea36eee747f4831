//! What must hold after each transaction, checked apart from the transactors.
//!
//! Xahau's invariants as far as this ledger's types need them, and spec 8.3: a replay entry exactly when a
//! mail claimed a fee, with what its order writes. A violation never reaches a ledger: first the changes are
//! thrown away and the fee is taken, then not even that.

use codec::format::{EntryType, TxType};
use codec::{Drops, Field, Object, keylet, sf};

use crate::email;
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
    /// A replay entry that no mail writes: a place for a REKEY, none for a REMIT, a REKEY forgotten.
    ReplayShape,
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
        let before = original.as_deref().map_or(Ok(0), balance)?;
        let after = change.current().map_or(Ok(0), balance)?;
        sum = sum
            .saturating_add(i128::from(after))
            .saturating_sub(i128::from(before));
        check_types(change, original.as_deref())?;
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
    let drops = entry.amount(sf::BALANCE).and_then(|balance| balance.as_drops());
    drops.map(Drops::get).ok_or(Violation::BalanceRange)
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
    let key = keylet::email_replay(tx.account());
    let is_email = email::is_email(tx, env);
    if !written.eq(is_email.then_some((key, true))) {
        return Err(Violation::ReplayEntry);
    }
    let changed = sandbox.changes().find(|(changed, _)| **changed == key);
    let after = changed.and_then(|(_, change)| change.current());
    let is_written = |after| is_written_by(tx, sandbox.original(&key).as_deref(), after);
    if after.is_none_or(is_written) {
        Ok(())
    } else {
        Err(Violation::ReplayShape)
    }
}

/// What a REKEY leaves behind.
const OF_REKEY: [Field; 4] = [
    sf::LAST_REKEY,
    sf::LAST_REKEY_ID,
    sf::SIGNATURE_HASH,
    sf::REKEY_MARK,
];

/// Whether a mail's transaction can have made this replay entry of that one. Spec: 8.2, 8.6. Attack: a REMIT, or a
/// failure, that makes the account forget its REKEY.
fn is_written_by(tx: &Transaction, before: Option<&Object>, after: &Object) -> bool {
    let entries = after.array(sf::EMAIL_REPLAY_ENTRIES);
    let ids = entries
        .unwrap_or_default()
        .iter()
        .map(|(_, entry)| entry.hash256(sf::EMAIL_ID));
    let is_well_formed = after.account(sf::ACCOUNT) == Some(tx.account())
        && entries.is_none_or(|entries| !entries.is_empty())
        && ids.clone().is_sorted_by(|one, next| one < next);
    let is_kept = |field: Field| before.and_then(|before| before.value(field)) == after.value(field);
    let of_order = if tx.tx_type() == TxType::Remit {
        entries.is_some() && OF_REKEY.into_iter().all(is_kept)
    } else {
        let last = |entry: &Object| entry.u32(sf::LAST_REKEY);
        let had_mark = before.is_some_and(|before| before.contains(sf::REKEY_MARK));
        [sf::LAST_REKEY, sf::LAST_REKEY_ID, sf::SIGNATURE_HASH]
            .into_iter()
            .all(|field| after.contains(field))
            && last(after) >= before.and_then(last)
            && (after.contains(sf::REKEY_MARK) || !had_mark)
    };
    is_well_formed && of_order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::KeyDelays;
    use crate::ledger::Ledger;
    use crate::state_map::StateMap;
    use crate::view::LedgerKind;
    use codec::{AccountId, Amount, CloseTime, Hash256, flags};

    fn id(byte: u8) -> AccountId {
        AccountId::new([byte; 20])
    }

    fn account(byte: u8, drops: i64) -> Object {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::AccountRoot.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::SEQUENCE, 800_000_000u32)
            .with(sf::OWNER_COUNT, 0u32)
            .with(sf::BALANCE, Amount::Native(drops))
            .with(sf::ACCOUNT, id(byte))
            .with(sf::PREVIOUS_TXN_ID, Hash256::ZERO)
            .with(sf::PREVIOUS_TXN_LGR_SEQ, 1u32)
    }

    fn replay(byte: u8) -> Object {
        Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, EntryType::EmailReplay.code())
            .with(sf::FLAGS, 0u32)
            .with(sf::ACCOUNT, id(byte))
    }

    fn remit(tx_flags: u32) -> Transaction {
        let object = Object::new()
            .with(sf::TRANSACTION_TYPE, TxType::Remit.code())
            .with(sf::FLAGS, tx_flags)
            .with(sf::SEQUENCE, 1u32)
            .with(sf::FEE, Amount::Native(10))
            .with(sf::SIGNING_PUB_KEY, b"".as_slice())
            .with(sf::ACCOUNT, id(1))
            .with(sf::DESTINATION, id(2));
        Transaction::from_object(&object).unwrap()
    }

    fn env() -> Env {
        let config = crate::GenesisConfig {
            network_id: 21_338,
            validators: Vec::new(),
            email: crate::genesis::EmailAmendment::Enabled,
            close_time: CloseTime::new(800_000_000),
            key_delays: KeyDelays::NONE,
        };
        Env::of(&Ledger::genesis(&config), LedgerKind::Closed)
    }

    /// Accounts 1 and 2 with 100 drops each; a transaction with a fee of 10 changes them as told.
    fn after(tx: &Transaction, change: impl FnOnce(&mut Sandbox<'_>)) -> Result<(), Violation> {
        let entries = [1, 2].map(|byte| (keylet::account(id(byte)), codec::encode(&account(byte, 100))));
        let base = StateMap::from_sorted_iter(entries);
        let mut sandbox = Sandbox::new(&base);
        change(&mut sandbox);
        check(&sandbox, tx, &env(), 10)
    }

    fn put(sandbox: &mut Sandbox<'_>, byte: u8, drops: i64) {
        sandbox.put(keylet::account(id(byte)), account(byte, drops));
    }

    #[test]
    fn accepts_a_transfer_that_destroys_the_fee() {
        let result = after(&remit(0), |sandbox| {
            put(sandbox, 1, 40);
            put(sandbox, 2, 110);
            put(sandbox, 3, 40);
        });
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn rejects_money_from_nowhere_and_money_lost() {
        assert_eq!(
            after(&remit(0), |sandbox| put(sandbox, 1, 91)),
            Err(Violation::MoneyMade)
        );
        assert_eq!(
            after(&remit(0), |sandbox| put(sandbox, 1, 89)),
            Err(Violation::MoneyMade)
        );
        assert_eq!(after(&remit(0), |_| {}), Err(Violation::MoneyMade));
        assert_eq!(
            after(&remit(0), |sandbox| put(sandbox, 1, -10)),
            Err(Violation::BalanceRange)
        );
    }

    #[test]
    fn rejects_deleted_and_wrongly_made_accounts() {
        let gone = after(&remit(0), |sandbox| sandbox.erase(&keylet::account(id(1))));
        assert_eq!(gone, Err(Violation::AccountDeleted));
        let two = after(&remit(0), |sandbox| {
            put(sandbox, 1, 70);
            put(sandbox, 3, 10);
            put(sandbox, 4, 10);
        });
        assert_eq!(two, Err(Violation::NewAccount));
        let sequence = after(&remit(0), |sandbox| {
            put(sandbox, 1, 80);
            sandbox.put(keylet::account(id(3)), account(3, 10).with(sf::SEQUENCE, 1u32));
        });
        assert_eq!(sequence, Err(Violation::NewAccount));
    }

    #[test]
    fn rejects_unknown_entries_and_changed_types() {
        let key = Hash256::new([7; 32]);
        let unknown = Object::new()
            .with(sf::LEDGER_ENTRY_TYPE, 0x99u16)
            .with(sf::FLAGS, 0u32);
        let pay = |sandbox: &mut Sandbox<'_>| put(sandbox, 1, 90);
        let made = |entry: Object| {
            after(&remit(0), |sandbox| {
                pay(sandbox);
                sandbox.put(key, entry);
            })
        };
        assert_eq!(made(unknown), Err(Violation::EntryType));
        assert_eq!(
            made(account(3, 0).with(sf::DESTINATION, id(1))),
            Err(Violation::EntryType)
        );
        let retyped = after(&remit(0), |sandbox| {
            sandbox.put(keylet::account(id(1)), replay(1));
        });
        assert_eq!(retyped, Err(Violation::EntryType));
    }

    /// The replay entry of an account that paid by mails of these ids.
    fn paid(byte: u8, ids: &[u8]) -> Object {
        let entry = |id: &u8| {
            Object::new()
                .with(sf::EMAIL_ID, Hash256::new([*id; 32]))
                .with(sf::SIGNATURE_HASH, Hash256::new([*id; 32]))
                .with(sf::SIGNED_DATE, 800_000_000u32)
        };
        let entries: Vec<_> = ids.iter().map(|id| (sf::EMAIL_REPLAY_ENTRY, entry(id))).collect();
        replay(byte).with(sf::EMAIL_REPLAY_ENTRIES, entries)
    }

    /// The same after a REKEY at this time.
    fn rekeyed(entry: Object, last: u32) -> Object {
        entry
            .with(sf::LAST_REKEY, last)
            .with(sf::LAST_REKEY_ID, Hash256::new([7; 32]))
            .with(sf::SIGNATURE_HASH, Hash256::new([8; 32]))
            .with(sf::REKEY_MARK, Hash256::new([9; 32]))
    }

    // Spec: 8.3.
    #[test]
    fn accepts_a_replay_entry_exactly_with_a_mail() {
        let mail = remit(flags::TF_EMAIL_SIG);
        let with_entry = |sandbox: &mut Sandbox<'_>| {
            put(sandbox, 1, 90);
            sandbox.put(keylet::email_replay(id(1)), paid(1, &[1]));
        };
        assert_eq!(after(&mail, with_entry), Ok(()));
        assert_eq!(
            after(&mail, |sandbox| put(sandbox, 1, 90)),
            Err(Violation::ReplayEntry)
        );
        assert_eq!(after(&remit(0), with_entry), Err(Violation::ReplayEntry));
        let of_another = after(&mail, |sandbox| {
            put(sandbox, 1, 90);
            sandbox.put(keylet::email_replay(id(2)), paid(2, &[1]));
        });
        assert_eq!(of_another, Err(Violation::ReplayEntry));
    }

    // Spec: 8.2, 8.6.
    #[test]
    fn accepts_what_a_mail_writes_into_a_replay_entry_and_rejects_all_else() {
        let pays = remit(flags::TF_EMAIL_SIG);
        let object = Object::new()
            .with(sf::TRANSACTION_TYPE, TxType::SetRegularKey.code())
            .with(sf::FLAGS, flags::TF_EMAIL_SIG)
            .with(sf::SEQUENCE, 1u32)
            .with(sf::FEE, Amount::Native(10))
            .with(sf::SIGNING_PUB_KEY, b"".as_slice())
            .with(sf::ACCOUNT, id(1))
            .with(sf::REGULAR_KEY, id(2));
        let rekey = Transaction::from_object(&object).unwrap();
        let before = rekeyed(paid(1, &[1]), 100);
        let writes = |tx, entry: &Object| is_written_by(tx, Some(&before), entry);
        assert!(writes(&pays, &rekeyed(paid(1, &[1, 2]), 100)));
        assert!(writes(&rekey, &rekeyed(paid(1, &[1]), 101)));
        assert!(
            writes(&rekey, &rekeyed(replay(1), 101)),
            "its last entries were dead"
        );
        let without = |field| {
            let mut entry = rekeyed(paid(1, &[1, 2]), 100);
            entry.remove(field);
            entry
        };
        for field in OF_REKEY {
            assert!(
                !writes(&pays, &without(field)),
                "a REMIT forgets {}",
                field.name()
            );
            assert!(
                !writes(&rekey, &without(field)),
                "a REKEY without {}",
                field.name()
            );
        }
        assert!(
            !writes(&pays, &rekeyed(replay(1), 100)),
            "a REMIT without a place"
        );
        assert!(
            !writes(&pays, &rekeyed(paid(1, &[1, 2]), 101)),
            "a REMIT as a REKEY"
        );
        assert!(
            !writes(&rekey, &rekeyed(paid(1, &[1]), 99)),
            "an older REKEY than the last"
        );
        for ids in [[2, 1], [1, 1]] {
            assert!(!writes(&pays, &rekeyed(paid(1, &ids), 100)), "{ids:?}");
        }
        assert!(!writes(&pays, &rekeyed(paid(1, &[]), 100)), "an empty list");
        assert!(
            !writes(&pays, &rekeyed(paid(2, &[1, 2]), 100)),
            "another's account"
        );
    }
}
