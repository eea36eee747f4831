//! Payment of issued money without paths: from the issuer, to the issuer, or over one or two issuers of a
//! currency.
//!
//! Xahau's rules for the default path (Payment.cpp); the money moves in `direct_flow`.

use codec::{AccountId, Amount, IssuedAmount, Object, Ter, flags, sf};

use super::direct_flow::{Completeness, Transfer, deliver};
use super::{Apply, destination, flags_of, is_preauthorized};
use crate::issued;
use crate::lines;
use crate::quality::Quality;

pub(super) fn apply(apply: &mut Apply<'_>, amount: &IssuedAmount) -> Result<(), Ter> {
    let (tx, sender, receiver) = (apply.tx, apply.tx.account(), destination(apply.tx));
    let account = apply.account(receiver).ok_or(Ter::TEC_NO_DST)?;
    let guarded = flags_of(&account) & flags::LSF_DEPOSIT_AUTH != 0 && receiver != sender;
    // xahaud counts the receiver as changed from here on: metadata shows it where the receiver owns what is
    // deleted.
    apply.put_account(receiver, account);
    if guarded && !is_preauthorized(apply, receiver) {
        return Err(Ter::TEC_NO_PERMISSION);
    }
    if tx.flags() & flags::TF_NO_RIPPLE_DIRECT != 0 {
        return Err(Ter::TEM_RIPPLE_EMPTY);
    }
    let completeness = if tx.flags() & flags::TF_PARTIAL_PAYMENT == 0 {
        Completeness::Whole
    } else {
        Completeness::Partial
    };
    let send_max = send_max(tx.object(), amount, sender)?;
    let is_limited = tx.flags() & flags::TF_LIMIT_QUALITY != 0;
    let transfer = Transfer {
        sender,
        receiver,
        amount: *amount,
        send_max,
        completeness,
        limit: is_limited.then(|| Quality::of(&send_max, amount)),
    };
    let delivered = deliver(apply, &transfer)?;
    if delivered == *amount {
        return Ok(());
    }
    let least = issued_field(tx.object(), sf::DELIVER_MIN);
    if least.is_some_and(|least| !lines::is_at_least(&delivered, &least)) {
        return Err(Ter::TEC_PATH_PARTIAL);
    }
    apply.delivered = Some(Amount::Issued(delivered));
    Ok(())
}

/// The limit on what leaves the sender; without one the amount itself, of the sender's own issue.
fn send_max(tx: &Object, amount: &IssuedAmount, sender: AccountId) -> Result<IssuedAmount, Ter> {
    match issued_field(tx, sf::SEND_MAX) {
        Some(most) => Ok(most),
        None => Ok(issued::with_issuer(amount, sender)?),
    }
}

fn issued_field(tx: &Object, field: codec::Field) -> Option<IssuedAmount> {
    match tx.amount(field)? {
        Amount::Issued(amount) => Some(amount),
        Amount::Native(_) => None,
    }
}
