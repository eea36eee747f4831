//! Payment of issued money without paths: from the issuer, to the issuer, or between two holders of one issuer's money.
//!
//! Xahau's rules for the default path (Payment.cpp, DirectStep.cpp). Paths, partial payments, other currencies, qualities
//! and, between holders, a transfer rate are temDISABLED: they need the payment engine.

use codec::{AccountId, Amount, IssuedAmount, Object, Ter, flags, keylet, sf};

use super::payment::{destination, is_preauthorized};
use super::{Apply, flags_of};
use crate::issued;
use crate::limits::TRANSFER_RATE_ONE;
use crate::lines::{self, Side, balance_of, issued_in};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;

/// Checks without a ledger; the flags were checked before.
pub(super) fn preflight(tx: &Transaction, amount: &IssuedAmount, special_flags: u32) -> Result<(), Ter> {
    let object = tx.object();
    if destination(tx) == AccountId::ZERO {
        return Err(Ter::TEM_DST_NEEDED);
    }
    if amount.mantissa() <= 0 {
        return Err(Ter::TEM_BAD_AMOUNT);
    }
    if amount.currency().is_bad() {
        return Err(Ter::TEM_BAD_CURRENCY);
    }
    if destination(tx) == tx.account() && !object.contains(sf::PATHS) && !object.contains(sf::SEND_MAX) {
        return Err(Ter::TEM_REDUNDANT);
    }
    let needs_engine = [sf::PATHS, sf::SEND_MAX, sf::DELIVER_MIN]
        .into_iter()
        .any(|field| object.contains(field));
    if needs_engine || special_flags != 0 {
        Err(Ter::TEM_DISABLED)
    } else {
        Ok(())
    }
}

/// Checks of the receiver.
pub(super) fn preclaim(tx: &Transaction, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
    let receiver = sandbox
        .entry(&keylet::account(destination(tx)))
        .ok_or(Ter::TEC_NO_DST)?;
    let wants_tag = flags_of(&receiver) & flags::LSF_REQUIRE_DEST_TAG != 0;
    if wants_tag && !tx.object().contains(sf::DESTINATION_TAG) {
        return Err(Ter::TEC_DST_TAG_NEEDED);
    }
    Ok(())
}

pub(super) fn apply(apply: &mut Apply<'_>, amount: &IssuedAmount) -> Result<(), Ter> {
    let (sender, receiver, issuer) = (apply.tx.account(), destination(apply.tx), amount.issuer());
    let account = apply.account(receiver).ok_or(Ter::TEC_NO_DST)?;
    let guarded = flags_of(&account) & flags::LSF_DEPOSIT_AUTH != 0;
    if guarded && !is_preauthorized(apply, receiver) {
        return Err(Ter::TEC_NO_PERMISSION);
    }
    if sender != issuer && receiver != issuer {
        if lines::transfer_rate(apply, issuer) != TRANSFER_RATE_ONE {
            return Err(Ter::TEM_DISABLED);
        }
        // Whatever keeps the money from passing through the issuer makes the path dry.
        let passes = lines::check_transfer(apply, [sender, receiver], issuer, amount.currency());
        passes.map_err(|_| Ter::TEC_PATH_DRY)?;
    }
    if sender != issuer {
        check_step(apply, sender, issuer, amount)?;
    }
    if receiver != issuer {
        check_step(apply, issuer, receiver, amount)?;
    }
    lines::send(apply, sender, receiver, amount, amount)
}

/// One step gives what its giver holds, and then what its taker is willing to be owed. Nothing at all is tecPATH_DRY, too
/// little tecPATH_PARTIAL.
fn check_step(
    apply: &Apply<'_>,
    giver: AccountId,
    taker: AccountId,
    amount: &IssuedAmount,
) -> Result<(), Ter> {
    let key = keylet::line(giver, taker, amount.currency());
    let line = apply.sandbox.entry(&key).ok_or(Ter::TEC_PATH_DRY)?;
    if has_qualities(&line) {
        return Err(Ter::TEM_DISABLED);
    }
    let side = Side::of(giver, taker);
    let has = balance_of(&line, side)?;
    let asks_auth = apply
        .account(giver)
        .is_some_and(|account| flags_of(&account) & flags::LSF_REQUIRE_AUTH != 0);
    if asks_auth && has.mantissa() == 0 && flags_of(&line) & side.auth_flag() == 0 {
        return Err(Ter::TEC_PATH_DRY);
    }
    // What he has plus the taker's limit: the balance may sink to minus the limit.
    let limit = issued_in(&line, side.other().limit())?;
    let room = issued::subtract(&has, &issued::negated(&limit)?)?;
    if room.mantissa() <= 0 {
        return Err(Ter::TEC_PATH_DRY);
    }
    if lines::is_at_least(&room, amount) {
        Ok(())
    } else {
        Err(Ter::TEC_PATH_PARTIAL)
    }
}

fn has_qualities(line: &Object) -> bool {
    [Side::Low, Side::High]
        .into_iter()
        .flat_map(|side| [side.quality_in(), side.quality_out()])
        .any(|field| {
            line.u32(field)
                .is_some_and(|quality| quality != 0 && quality != TRANSFER_RATE_ONE)
        })
}

/// The amount where a payment is of issued money.
pub(super) fn amount_of(tx: &Transaction) -> Option<IssuedAmount> {
    match tx.object().amount(sf::AMOUNT)? {
        Amount::Issued(amount) => Some(amount),
        Amount::Native(_) => None,
    }
}
