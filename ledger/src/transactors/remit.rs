//! Remit: pushes money and URI tokens to an account; a missing account or trust line is created.
//!
//! Xahau's rules (Remit.cpp), in its order.

use std::collections::BTreeSet;

use codec::{AccountId, Amount, IssuedAmount, Object, Ter, flags, keylet, sf};

use super::{
    Apply, TF_UNIVERSAL, Transactor, balance_drops, check_flags, flags_of, is_legal, owner_count, uri_tokens,
};
use crate::issued;
use crate::limits::{
    REMIT_AMOUNTS_MAX, REMIT_BLOB_BYTES_MAX, REMIT_URITOKENS_MAX, TRANSFER_RATE_ONE, URI_BYTES_MAX,
};
use crate::lines;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct Remit;

impl Transactor for Remit {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(tx, env, 0)?;
        let object = tx.object();
        let destination = destination(tx);
        if destination == tx.account() {
            return Err(Ter::TEM_REDUNDANT);
        }
        let inform = object.account(sf::INFORM);
        if inform.is_some_and(|inform| inform == tx.account() || inform == destination) {
            return Err(Ter::TEM_MALFORMED);
        }
        if object
            .blob(sf::BLOB)
            .is_some_and(|blob| blob.len() > REMIT_BLOB_BYTES_MAX)
        {
            return Err(Ter::TEM_MALFORMED);
        }
        check_amounts(object)?;
        check_mint(object)?;
        check_token_ids(object)
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let (tx, env) = (apply.tx, apply.env);
        let object = tx.object();
        let destination = destination(tx);
        if object
            .account(sf::INFORM)
            .is_some_and(|inform| !apply.sandbox.contains(&keylet::account(inform)))
        {
            return Err(Ter::TEC_NO_TARGET);
        }
        let mut drops: u64 = 0;
        match apply.account(destination) {
            Some(receiver) => check_receiver(apply, destination, &receiver)?,
            None => {
                apply.new_account(destination)?;
                drops = env.fees.account_reserve_drops(0);
            }
        }
        let object_reserve = env.fees.reserve_increment_drops;
        if let Some(order) = object.object(sf::MINT_URI_TOKEN) {
            uri_tokens::mint(apply, destination, order)?;
            drops = drops.saturating_add(object_reserve);
        }
        for token in object.vector256(sf::URI_TOKEN_IDS).unwrap_or(&[]) {
            uri_tokens::transfer(apply, destination, *token)?;
            drops = drops.saturating_add(object_reserve);
        }
        for (_, entry) in object.array(sf::AMOUNTS).unwrap_or(&[]) {
            let more = match entry.amount(sf::AMOUNT).ok_or(Ter::TEC_INTERNAL)? {
                Amount::Native(value) => u64::try_from(value).map_err(|_| Ter::TEC_INTERNAL)?,
                Amount::Issued(amount) => send_issued(apply, destination, &amount)?,
            };
            drops = drops.checked_add(more).ok_or(Ter::TEC_INTERNAL)?;
        }
        if balance_drops(&apply.sender()?) < drops {
            return Err(Ter::TEC_UNFUNDED_PAYMENT);
        }
        if drops > 0 {
            apply.move_drops(tx.account(), destination, drops)?;
        }
        let sender = apply.sender()?;
        if balance_drops(&sender) < env.fees.account_reserve_drops(owner_count(&sender)) {
            return Err(Ter::TEC_INSUFFICIENT_RESERVE);
        }
        // xahaud writes the receiver even where nothing changed, which shows in metadata.
        let receiver = apply.account(destination).ok_or(Ter::TEF_INTERNAL)?;
        apply.put_account(destination, receiver);
        Ok(())
    }
}

fn destination(tx: &Transaction) -> AccountId {
    tx.object().account(sf::DESTINATION).unwrap_or(AccountId::ZERO)
}

fn check_amounts(object: &Object) -> Result<(), Ter> {
    let amounts = object.array(sf::AMOUNTS).unwrap_or(&[]);
    if amounts.len() > REMIT_AMOUNTS_MAX {
        return Err(Ter::TEM_MALFORMED);
    }
    let mut seen = BTreeSet::new();
    for (name, entry) in amounts {
        if *name != sf::AMOUNT_ENTRY {
            return Err(Ter::TEM_MALFORMED);
        }
        let kind = match entry.amount(sf::AMOUNT).ok_or(Ter::TEM_MALFORMED)? {
            amount if !is_legal(&amount) || !amount.is_positive() => return Err(Ter::TEM_BAD_AMOUNT),
            Amount::Native(_) => None,
            Amount::Issued(amount) if amount.currency().is_bad() => return Err(Ter::TEM_BAD_CURRENCY),
            Amount::Issued(amount) => Some((amount.currency(), amount.issuer())),
        };
        if !seen.insert(kind) {
            return Err(Ter::TEM_MALFORMED);
        }
    }
    Ok(())
}

fn check_mint(object: &Object) -> Result<(), Ter> {
    let Some(mint) = object.object(sf::MINT_URI_TOKEN) else {
        return Ok(());
    };
    let uri = mint.blob(sf::URI).unwrap_or(&[]);
    if uri.is_empty() || uri.len() > URI_BYTES_MAX || !is_plain_utf8(uri) {
        return Err(Ter::TEM_MALFORMED);
    }
    if flags_of(mint) & !(flags::TF_BURNABLE | TF_UNIVERSAL) != 0 {
        return Err(Ter::TEM_INVALID_FLAG);
    }
    Ok(())
}

/// UTF-8 without U+FFFE and U+FFFF, which xahaud's check does not let pass.
fn is_plain_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(['\u{FFFE}', '\u{FFFF}']))
}

fn check_token_ids(object: &Object) -> Result<(), Ter> {
    let Some(ids) = object.vector256(sf::URI_TOKEN_IDS) else {
        return Ok(());
    };
    let distinct: BTreeSet<_> = ids.iter().collect();
    if ids.is_empty() || ids.len() > REMIT_URITOKENS_MAX || distinct.len() != ids.len() {
        return Err(Ter::TEM_MALFORMED);
    }
    Ok(())
}

/// Sends issued money and says what the receiver's new line costs the sender in reserve.
fn send_issued(apply: &mut Apply<'_>, destination: AccountId, amount: &IssuedAmount) -> Result<u64, Ter> {
    let (sender, issuer, currency) = (apply.tx.account(), amount.issuer(), amount.currency());
    let direct = sender == issuer || destination == issuer;
    if !direct {
        lines::check_transfer(apply, [sender, destination], issuer, currency)?;
    }
    let rate = if direct {
        TRANSFER_RATE_ONE
    } else {
        lines::transfer_rate(apply, issuer)
    };
    let with_rate = if rate == TRANSFER_RATE_ONE {
        *amount
    } else {
        issued::times_rate(amount, rate)?
    };
    let twice = issued::add(amount, amount)?;
    if !lines::is_at_least(&with_rate, amount) || !lines::is_at_least(&twice, &with_rate) {
        return Err(Ter::TEC_INTERNAL);
    }
    let can_send = sender == issuer
        || lines::is_at_least(&lines::spendable(apply, sender, issuer, currency)?, &with_rate);
    if !can_send {
        return Err(Ter::TEC_UNFUNDED_PAYMENT);
    }
    // An issuer has no line with itself: sending money back to the issuer costs a reserve too, as in xahaud.
    let line = keylet::line(destination, issuer, currency);
    let reserve = if apply.sandbox.contains(&line) {
        0
    } else {
        apply.env.fees.reserve_increment_drops
    };
    lines::send(apply, sender, destination, amount, &with_rate)?;
    Ok(reserve)
}

/// What an existing receiver may require.
fn check_receiver(apply: &Apply<'_>, destination: AccountId, receiver: &Object) -> Result<(), Ter> {
    let set = |flag: u32| flags_of(receiver) & flag != 0;
    let preauth = keylet::deposit_preauth(destination, apply.tx.account());
    if set(flags::LSF_DISALLOW_INCOMING_REMIT) {
        return Err(Ter::TEC_NO_PERMISSION);
    }
    if set(flags::LSF_DEPOSIT_AUTH) && !apply.sandbox.contains(&preauth) {
        return Err(Ter::TEC_NO_PERMISSION);
    }
    if set(flags::LSF_REQUIRE_DEST_TAG) && !apply.tx.object().contains(sf::DESTINATION_TAG) {
        return Err(Ter::TEC_DST_TAG_NEEDED);
    }
    Ok(())
}
