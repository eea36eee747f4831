//! One file per transaction type; this one holds what they have in common, `dispatch` the table of them.

mod account_set;
mod deposit_preauth;
mod direct_flow;
pub(crate) mod dispatch;
mod dkim_key_leak;
mod dkim_key_set;
mod enable_amendment;
mod payment;
mod payment_issued;
mod remit;
mod set_fee;
mod set_regular_key;
mod strand_checks;
pub(crate) mod ticket_create;
mod trust_set;
mod unl_report;
mod uri_token_burn;
mod uri_tokens;
mod validator_vote;

use amendment::Write;
use codec::format::TxType;
use codec::limits::DROPS_MAX;
use codec::{AccountId, Amount, Field, Object, Ter, flags, keylet, sf};

use crate::fees::{Fees, drops};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

/// Flags that every type may carry.
pub(crate) const TF_UNIVERSAL: u32 = flags::TF_FULLY_CANONICAL_SIG;

/// Who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    /// The account's own key.
    MasterKey,
    /// The account's regular key.
    RegularKey,
    /// The sender's mail provider. Spec: 1
    Email,
    /// The validators: a pseudo-transaction.
    Validators,
}

/// A transaction on its way into a ledger.
pub(crate) struct Apply<'a> {
    pub(crate) env: &'a Env,
    pub(crate) tx: &'a Transaction,
    pub(crate) sandbox: Sandbox<'a>,
    pub(crate) signer: Signer,
    /// Balance of the sender before the fee.
    pub(crate) prior_balance_drops: u64,
    /// What a partial payment delivered, for the metadata.
    pub(crate) delivered: Option<Amount>,
}

/// What a transaction type does. Each step refuses with the first code that applies.
pub(crate) trait Transactor: Sync {
    /// Checks that need no ledger, between the common ones and the signature.
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter>;

    /// The fee that the open ledger asks for.
    fn base_fee_drops(&self, tx: &Transaction, env: &Env, _sender: Option<&Object>) -> u64 {
        base_fee_drops(tx, &env.fees)
    }

    /// Checks against the ledger before anything is written; a tec takes the fee.
    fn preclaim(&self, _tx: &Transaction, _env: &Env, _sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        Ok(())
    }

    /// Writes. A tec takes the fee and throws the writes away; any other code throws everything away.
    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter>;
}

/// Refuses flags outside of `allowed` and the universal ones. tfEmailSig passes where the mail was already
/// judged: the caller hands over only such transactions with the flag set and the amendment on.
pub(crate) fn check_flags(tx: &Transaction, env: &Env, allowed: u32) -> Result<(), Ter> {
    let comes_from_mails = matches!(tx.tx_type(), TxType::Remit | TxType::SetRegularKey);
    let email = if comes_from_mails && env.email_enabled() {
        flags::TF_EMAIL_SIG
    } else {
        0
    };
    if tx.flags() & !(allowed | TF_UNIVERSAL | email) == 0 {
        Ok(())
    } else {
        Err(Ter::TEM_INVALID_FLAG)
    }
}

impl Apply<'_> {
    /// The sender's AccountRoot as it is now.
    pub(crate) fn sender(&self) -> Result<Object, Ter> {
        self.account(self.tx.account()).ok_or(Ter::TEF_INTERNAL)
    }

    /// An AccountRoot as it is now.
    pub(crate) fn account(&self, id: AccountId) -> Option<Object> {
        self.sandbox.entry(&keylet::account(id))
    }

    /// Writes what the rules of `amendment` came to.
    fn write(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put(index, entry) => self.sandbox.put(index, entry),
                Write::Erase(index) => self.sandbox.erase(&index),
            }
        }
    }

    /// Writes an AccountRoot.
    pub(crate) fn put_account(&mut self, id: AccountId, entry: Object) {
        self.sandbox.put(keylet::account(id), entry);
    }

    /// Changes how many objects an account owns.
    pub(crate) fn change_owner_count(&mut self, id: AccountId, change: OwnerCount) -> Result<(), Ter> {
        let account = self.account(id).ok_or(Ter::TEF_INTERNAL)?;
        let owned = match change {
            OwnerCount::Up(by) => owner_count(&account).checked_add(by).ok_or(Ter::TEC_INTERNAL)?,
            OwnerCount::Down(by) => owner_count(&account).saturating_sub(by),
        };
        self.put_account(id, account.with(sf::OWNER_COUNT, owned));
        Ok(())
    }

    /// Makes an AccountRoot without money: Sequence is the parent's close time, AccountIndex the running
    /// number that FeeSettings keeps (XahauGenesis).
    pub(crate) fn new_account(&mut self, id: AccountId) -> Result<Object, Ter> {
        let mut settings = self.sandbox.entry(&keylet::fees()).ok_or(Ter::TEF_INTERNAL)?;
        let index = settings.u64(sf::ACCOUNT_COUNT).unwrap_or(0);
        settings.set(sf::ACCOUNT_COUNT, index.checked_add(1).ok_or(Ter::TEF_INTERNAL)?);
        self.sandbox.put(keylet::fees(), settings);
        let entry = Object::new()
            .with(
                sf::LEDGER_ENTRY_TYPE,
                codec::format::EntryType::AccountRoot.code(),
            )
            .with(sf::FLAGS, 0u32)
            .with(sf::SEQUENCE, self.env.now().seconds())
            .with(sf::OWNER_COUNT, 0u32)
            .with(sf::BALANCE, Amount::Native(0))
            .with(sf::ACCOUNT, id)
            .with(sf::ACCOUNT_INDEX, index);
        self.put_account(id, entry.clone());
        Ok(entry)
    }

    /// Moves drops between two accounts; both are written even where nothing else changed. The caller has
    /// checked that the sender has them.
    pub(crate) fn move_drops(&mut self, from: AccountId, to: AccountId, amount: u64) -> Result<(), Ter> {
        for (id, change) in [(from, Move::Out), (to, Move::In)] {
            let entry = self.account(id).ok_or(Ter::TEF_INTERNAL)?;
            let balance = balance_drops(&entry);
            let balance = match change {
                Move::Out => balance.checked_sub(amount),
                Move::In => balance.checked_add(amount),
            };
            let entry = with_balance(entry, balance.ok_or(Ter::TEC_INTERNAL)?)?;
            self.put_account(id, entry);
        }
        Ok(())
    }
}

/// Objects that an account comes to own or owns no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnerCount {
    Up(u32),
    Down(u32),
}

enum Move {
    Out,
    In,
}

/// True for amounts that can exist: drops up to 10^17 either way, and all issued ones.
pub(crate) fn is_legal(amount: &Amount) -> bool {
    match amount {
        Amount::Native(value) => value.unsigned_abs() <= DROPS_MAX,
        Amount::Issued(_) => true,
    }
}

/// The receiver; account zero where there is none.
pub(super) fn destination(tx: &Transaction) -> AccountId {
    tx.object().account(sf::DESTINATION).unwrap_or(AccountId::ZERO)
}

/// True where the receiver has preauthorized the sender.
pub(super) fn is_preauthorized(apply: &Apply<'_>, receiver: AccountId) -> bool {
    apply
        .sandbox
        .contains(&keylet::deposit_preauth(receiver, apply.tx.account()))
}

/// Balance of an AccountRoot.
pub(crate) fn balance_drops(account: &Object) -> u64 {
    drops(account, sf::BALANCE).unwrap_or(0)
}

/// The AccountRoot with another balance.
pub(crate) fn with_balance(account: Object, balance: u64) -> Result<Object, Ter> {
    let balance = i64::try_from(balance).map_err(|_| Ter::TEC_INTERNAL)?;
    Ok(account.with(sf::BALANCE, Amount::Native(balance)))
}

/// Flags of an entry.
pub(crate) fn flags_of(entry: &Object) -> u32 {
    entry.u32(sf::FLAGS).unwrap_or(0)
}

/// OwnerCount of an AccountRoot.
pub(crate) fn owner_count(account: &Object) -> u32 {
    account.u32(sf::OWNER_COUNT).unwrap_or(0)
}

/// The ordinary base fee (xahaud `calculateBaseFee`): one drop for each byte of memos and hook parameters,
/// and of a Remit's Blob, on top of the ledger's base fee. A free SetRegularKey is judged by its transactor,
/// a mail's fee by the crate `amendment` (spec section 9).
pub(crate) fn base_fee_drops(tx: &Transaction, fees: &Fees) -> u64 {
    let memos = bytes_in(
        tx.object(),
        sf::MEMOS,
        &[sf::MEMO_TYPE, sf::MEMO_DATA, sf::MEMO_FORMAT],
    );
    let parameters = bytes_in(
        tx.object(),
        sf::HOOK_PARAMETERS,
        &[sf::HOOK_PARAMETER_NAME, sf::HOOK_PARAMETER_VALUE],
    );
    let blob = if tx.tx_type() == TxType::Remit {
        bytes_of(tx.object(), sf::BLOB)
    } else {
        0
    };
    fees.base_drops
        .saturating_add(memos)
        .saturating_add(parameters)
        .saturating_add(blob)
}

/// Bytes of the given fields over all elements of an array.
fn bytes_in(object: &Object, array: Field, fields: &[Field]) -> u64 {
    let elements = object.array(array).unwrap_or(&[]);
    let sizes = elements
        .iter()
        .flat_map(|(_, element)| fields.iter().map(|field| bytes_of(element, *field)));
    sizes.fold(0, u64::saturating_add)
}

fn bytes_of(object: &Object, field: Field) -> u64 {
    object
        .blob(field)
        .and_then(|bytes| u64::try_from(bytes.len()).ok())
        .unwrap_or(0)
}
