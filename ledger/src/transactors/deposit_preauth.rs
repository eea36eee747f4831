//! DepositPreauth: who may pay an account that refuses strangers.
//!
//! Xahau's rules (DepositPreauth.cpp), no section of the spec.

use codec::format::EntryType;
use codec::{AccountId, Object, Ter, keylet, sf};

use super::{Apply, OwnerCount, Transactor, check_flags, owner_count};
use crate::directory::{self, EmptyRoot};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct DepositPreauth;

/// What a transaction asks for.
enum Request {
    Authorize(AccountId),
    Unauthorize(AccountId),
}

/// Exactly one of the two fields.
fn request(tx: &Transaction) -> Result<Request, Ter> {
    match (
        tx.object().account(sf::AUTHORIZE),
        tx.object().account(sf::UNAUTHORIZE),
    ) {
        (Some(account), None) => Ok(Request::Authorize(account)),
        (None, Some(account)) => Ok(Request::Unauthorize(account)),
        _ => Err(Ter::TEM_MALFORMED),
    }
}

impl Transactor for DepositPreauth {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(tx, env, 0)?;
        match request(tx)? {
            Request::Authorize(AccountId::ZERO) | Request::Unauthorize(AccountId::ZERO) => {
                Err(Ter::TEM_INVALID_ACCOUNT_ID)
            }
            Request::Authorize(account) if account == tx.account() => Err(Ter::TEM_CANNOT_PREAUTH_SELF),
            Request::Authorize(_) | Request::Unauthorize(_) => Ok(()),
        }
    }

    fn preclaim(&self, tx: &Transaction, _env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let given = |account| sandbox.contains(&keylet::deposit_preauth(tx.account(), account));
        match request(tx)? {
            Request::Authorize(account) if !sandbox.contains(&keylet::account(account)) => {
                Err(Ter::TEC_NO_TARGET)
            }
            Request::Authorize(account) if given(account) => Err(Ter::TEC_DUPLICATE),
            Request::Unauthorize(account) if !given(account) => Err(Ter::TEC_NO_ENTRY),
            Request::Authorize(_) | Request::Unauthorize(_) => Ok(()),
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let owner = apply.tx.account();
        match request(apply.tx)? {
            Request::Authorize(account) => {
                let owned = owner_count(&apply.sender()?).saturating_add(1);
                if apply.prior_balance_drops < apply.env.fees.account_reserve_drops(owned) {
                    return Err(Ter::TEC_INSUFFICIENT_RESERVE);
                }
                let key = keylet::deposit_preauth(owner, account);
                let page = directory::insert(&mut apply.sandbox, owner, key)?;
                let entry = Object::new()
                    .with(sf::LEDGER_ENTRY_TYPE, EntryType::DepositPreauth.code())
                    .with(sf::FLAGS, 0u32)
                    .with(sf::ACCOUNT, owner)
                    .with(sf::AUTHORIZE, account)
                    .with(sf::OWNER_NODE, page);
                apply.sandbox.put(key, entry);
                apply.change_owner_count(owner, OwnerCount::Up(1))
            }
            Request::Unauthorize(account) => {
                let key = keylet::deposit_preauth(owner, account);
                let entry = apply.sandbox.entry(&key).ok_or(Ter::TEC_NO_ENTRY)?;
                let page = entry.u64(sf::OWNER_NODE).unwrap_or(0);
                directory::remove(&mut apply.sandbox, owner, page, key, EmptyRoot::Erase)?;
                apply.sandbox.erase(&key);
                apply.change_owner_count(owner, OwnerCount::Down(1))
            }
        }
    }
}
