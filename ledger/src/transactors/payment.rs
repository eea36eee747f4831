//! Payment of XAH, directly from account to account; issued money is `payment_issued`.
//!
//! Xahau's rules (Payment.cpp), no section of the spec.

use codec::{AccountId, Amount, Currency, Object, Ter, flags, keylet, sf};

use super::{
    Apply, Transactor, balance_drops, check_flags, destination, flags_of, is_legal, is_preauthorized,
    owner_count, payment_issued,
};
use crate::fees::drops;
use crate::lines;
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct Payment;

impl Transactor for Payment {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(
            tx,
            env,
            flags::TF_NO_RIPPLE_DIRECT | flags::TF_PARTIAL_PAYMENT | flags::TF_LIMIT_QUALITY,
        )?;
        let object = tx.object();
        let amount = object.amount(sf::AMOUNT).ok_or(Ter::TEM_MALFORMED)?;
        let send_max = object.amount(sf::SEND_MAX);
        if !is_legal(&amount) || send_max.is_some_and(|max| !is_legal(&max)) {
            return Err(Ter::TEM_BAD_AMOUNT);
        }
        let destination = destination(tx);
        if destination == AccountId::ZERO {
            return Err(Ter::TEM_DST_NEEDED);
        }
        if send_max.is_some_and(|max| !max.is_positive()) || !amount.is_positive() {
            return Err(Ter::TEM_BAD_AMOUNT);
        }
        let source = send_max.unwrap_or(amount);
        if [source, amount].iter().any(has_bad_currency) {
            return Err(Ter::TEM_BAD_CURRENCY);
        }
        let same_currency = currency(&source) == currency(&amount);
        let paths = object.contains(sf::PATHS);
        if destination == tx.account() && same_currency && !paths {
            return Err(Ter::TEM_REDUNDANT);
        }
        if source.is_native() && amount.is_native() {
            check_direct(tx)?;
        }
        check_deliver_min(tx, &amount)?;
        // Other currencies and paths need order books: not supported here.
        if paths || !same_currency {
            return Err(Ter::TEM_DISABLED);
        }
        Ok(())
    }

    fn preclaim(&self, tx: &Transaction, env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let amount = tx.object().amount(sf::AMOUNT).ok_or(Ter::TEM_MALFORMED)?;
        let reserve = env.fees.account_reserve_drops(0);
        match (sandbox.entry(&keylet::account(destination(tx))), amount) {
            (None, Amount::Issued(_)) => Err(Ter::TEC_NO_DST),
            (None, Amount::Native(_)) if amount_drops(tx)? < reserve => Err(Ter::TEC_NO_DST_INSUF_NATIVE),
            (Some(account), _)
                if flags_of(&account) & flags::LSF_REQUIRE_DEST_TAG != 0
                    && !tx.object().contains(sf::DESTINATION_TAG) =>
            {
                Err(Ter::TEC_DST_TAG_NEEDED)
            }
            (None | Some(_), _) => Ok(()),
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let (tx, destination) = (apply.tx, destination(apply.tx));
        if let Some(Amount::Issued(amount)) = tx.object().amount(sf::AMOUNT) {
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

fn amount_drops(tx: &Transaction) -> Result<u64, Ter> {
    drops(tx.object(), sf::AMOUNT).ok_or(Ter::TEM_BAD_AMOUNT)
}

/// The currency; `None` for XAH.
fn currency(amount: &Amount) -> Option<Currency> {
    match amount {
        Amount::Native(_) => None,
        Amount::Issued(issued) => Some(issued.currency()),
    }
}

fn has_bad_currency(amount: &Amount) -> bool {
    currency(amount).is_some_and(|currency| currency.is_bad())
}

/// The least that a partial payment has to deliver.
fn check_deliver_min(tx: &Transaction, amount: &Amount) -> Result<(), Ter> {
    let Some(least) = tx.object().amount(sf::DELIVER_MIN) else {
        return Ok(());
    };
    let fits = match (&least, amount) {
        (Amount::Native(least), Amount::Native(amount)) => least <= amount,
        (Amount::Issued(least), Amount::Issued(amount)) => {
            least.currency() == amount.currency()
                && least.issuer() == amount.issuer()
                && lines::is_at_least(amount, least)
        }
        (Amount::Native(_), Amount::Issued(_)) | (Amount::Issued(_), Amount::Native(_)) => false,
    };
    if tx.flags() & flags::TF_PARTIAL_PAYMENT != 0 && is_legal(&least) && least.is_positive() && fits {
        Ok(())
    } else {
        Err(Ter::TEM_BAD_AMOUNT)
    }
}

/// What a payment of XAH for XAH may not carry.
fn check_direct(tx: &Transaction) -> Result<(), Ter> {
    let object = tx.object();
    let refusals = [
        (object.contains(sf::SEND_MAX), Ter::TEM_BAD_SEND_NATIVE_MAX),
        (object.contains(sf::PATHS), Ter::TEM_BAD_SEND_NATIVE_PATHS),
        (
            tx.flags() & flags::TF_PARTIAL_PAYMENT != 0,
            Ter::TEM_BAD_SEND_NATIVE_PARTIAL,
        ),
        (
            tx.flags() & flags::TF_LIMIT_QUALITY != 0,
            Ter::TEM_BAD_SEND_NATIVE_LIMIT,
        ),
        (
            tx.flags() & flags::TF_NO_RIPPLE_DIRECT != 0,
            Ter::TEM_BAD_SEND_NATIVE_NO_DIRECT,
        ),
    ];
    refusals
        .into_iter()
        .find(|(refused, _)| *refused)
        .map_or(Ok(()), |(_, code)| Err(code))
}

/// Strangers may pay small sums even to an account with DepositAuth while it is below its reserve: else it
/// could be locked out for lack of XAH.
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
