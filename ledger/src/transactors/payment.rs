//! Payment of XAH, directly from account to account; issued money is `payment_issued`.
//!
//! Xahau's rules (Payment.cpp), no section of the spec.

use codec::{AccountId, Amount, Object, Ter, flags, keylet, sf};

use super::{Apply, Transactor, balance_drops, check_flags, flags_of, owner_count, payment_issued};
use crate::limits::DROPS_MAX;
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

const TF_NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
const TF_PARTIAL_PAYMENT: u32 = 0x0002_0000;
const TF_LIMIT_QUALITY: u32 = 0x0004_0000;

pub(super) struct Payment;

impl Transactor for Payment {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        let special_flags = TF_NO_RIPPLE_DIRECT | TF_PARTIAL_PAYMENT | TF_LIMIT_QUALITY;
        check_flags(tx, env, special_flags)?;
        if let Some(amount) = payment_issued::amount_of(tx) {
            return payment_issued::preflight(tx, &amount, tx.flags() & special_flags);
        }
        let object = tx.object();
        let amount = native_amount(object)?;
        if object
            .amount(sf::SEND_MAX)
            .is_some_and(|max| matches!(max, Amount::Issued(_)))
        {
            return Err(Ter::TEM_DISABLED);
        }
        if amount.unsigned_abs() > DROPS_MAX {
            return Err(Ter::TEM_BAD_AMOUNT);
        }
        let destination = destination(tx);
        if destination == AccountId::ZERO {
            return Err(Ter::TEM_DST_NEEDED);
        }
        let send_max = object.amount(sf::SEND_MAX);
        if matches!(send_max, Some(Amount::Native(max)) if max <= 0) || amount <= 0 {
            return Err(Ter::TEM_BAD_AMOUNT);
        }
        if destination == tx.account() && !object.contains(sf::PATHS) {
            return Err(Ter::TEM_REDUNDANT);
        }
        check_direct(tx)
    }

    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        if payment_issued::amount_of(tx).is_some() {
            return payment_issued::preclaim(tx, sandbox);
        }
        let amount = amount_drops(tx)?;
        match sandbox.entry(&keylet::account(destination(tx))) {
            None if amount < env.fees.account_reserve_drops(0) => Err(Ter::TEC_NO_DST_INSUF_NATIVE),
            Some(account)
                if flags_of(&account) & flags::LSF_REQUIRE_DEST_TAG != 0
                    && !tx.object().contains(sf::DESTINATION_TAG) =>
            {
                Err(Ter::TEC_DST_TAG_NEEDED)
            }
            None | Some(_) => Ok(()),
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let (tx, destination) = (apply.tx, destination(apply.tx));
        if let Some(amount) = payment_issued::amount_of(tx) {
            return payment_issued::apply(apply, &amount);
        }
        let amount = amount_drops(tx)?;
        let receiver = match apply.account(destination) {
            Some(account) => account,
            None => apply.new_account(destination)?,
        };
        let reserve = apply
            .env
            .fees
            .account_reserve_drops(owner_count(&apply.sender()?));
        let kept = reserve.max(tx.fee_drops().unwrap_or(0));
        if apply.prior_balance_drops < amount.saturating_add(kept) {
            return Err(Ter::TEC_UNFUNDED_PAYMENT);
        }
        check_deposit_auth(apply, destination, &receiver, amount)?;
        apply.move_drops(tx.account(), destination, amount)?;
        let receiver = apply.account(destination).ok_or(Ter::TEF_INTERNAL)?;
        if flags_of(&receiver) & flags::LSF_PASSWORD_SPENT != 0 {
            let cleared = flags_of(&receiver) & !flags::LSF_PASSWORD_SPENT;
            apply.put_account(destination, receiver.with(sf::FLAGS, cleared));
        }
        Ok(())
    }
}

pub(super) fn destination(tx: &Transaction) -> AccountId {
    tx.object().account(sf::DESTINATION).unwrap_or(AccountId::ZERO)
}

fn native_amount(object: &Object) -> Result<i64, Ter> {
    match object.amount(sf::AMOUNT) {
        Some(Amount::Native(value)) => Ok(value),
        Some(Amount::Issued(_)) => Err(Ter::TEM_DISABLED),
        None => Err(Ter::TEM_MALFORMED),
    }
}

fn amount_drops(tx: &Transaction) -> Result<u64, Ter> {
    u64::try_from(native_amount(tx.object())?).map_err(|_| Ter::TEM_BAD_AMOUNT)
}

/// What a payment of XAH for XAH may not carry.
fn check_direct(tx: &Transaction) -> Result<(), Ter> {
    let object = tx.object();
    let refusals = [
        (object.contains(sf::SEND_MAX), Ter::TEM_BAD_SEND_NATIVE_MAX),
        (object.contains(sf::PATHS), Ter::TEM_BAD_SEND_NATIVE_PATHS),
        (
            tx.flags() & TF_PARTIAL_PAYMENT != 0,
            Ter::TEM_BAD_SEND_NATIVE_PARTIAL,
        ),
        (tx.flags() & TF_LIMIT_QUALITY != 0, Ter::TEM_BAD_SEND_NATIVE_LIMIT),
        (
            tx.flags() & TF_NO_RIPPLE_DIRECT != 0,
            Ter::TEM_BAD_SEND_NATIVE_NO_DIRECT,
        ),
        (object.contains(sf::DELIVER_MIN), Ter::TEM_BAD_AMOUNT),
    ];
    refusals
        .into_iter()
        .find(|(refused, _)| *refused)
        .map_or(Ok(()), |(_, code)| Err(code))
}

/// True where the receiver has named the sender.
pub(super) fn is_preauthorized(apply: &Apply<'_>, receiver: AccountId) -> bool {
    apply
        .sandbox
        .contains(&keylet::deposit_preauth(receiver, apply.tx.account()))
}

/// An account that wants to know its payers takes small sums from anybody while it is poor: so it cannot be locked out.
fn check_deposit_auth(
    apply: &Apply<'_>,
    destination: AccountId,
    receiver: &Object,
    amount: u64,
) -> Result<(), Ter> {
    if flags_of(receiver) & flags::LSF_DEPOSIT_AUTH == 0 || is_preauthorized(apply, destination) {
        return Ok(());
    }
    let reserve = apply.env.fees.account_reserve_drops(0);
    if amount > reserve || balance_drops(receiver) > reserve {
        Err(Ter::TEC_NO_PERMISSION)
    } else {
        Ok(())
    }
}
