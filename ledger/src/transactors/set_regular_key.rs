//! SetRegularKey: the key that signs besides the account's own.
//!
//! Xahau's rules (SetRegularKey.cpp). Once per account, and again after a direct payment to it, it is free
//! where the account's own key signs. The mail's REKEY is this transaction (spec 6.1); what it ends and marks is
//! written with the replay entry (spec 8.6).

use codec::{Object, Ter, flags, keylet, sf};

use super::{Apply, Transactor, base_fee_drops, check_flags, flags_of};
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct SetRegularKey;

impl Transactor for SetRegularKey {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(tx, env, 0)?;
        if tx.object().account(sf::REGULAR_KEY) == Some(tx.account()) {
            return Err(Ter::TEM_BAD_REGKEY);
        }
        Ok(())
    }

    fn base_fee_drops(&self, tx: &Transaction, env: &Env, sender: Option<&Object>) -> u64 {
        let own_key = tx.signing_key().is_some_and(|key| key.account() == tx.account());
        let unspent = sender.is_some_and(|account| flags_of(account) & flags::LSF_PASSWORD_SPENT == 0);
        if own_key && unspent {
            0
        } else {
            base_fee_drops(tx, &env.fees)
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let mut account = apply.sender()?;
        if self.base_fee_drops(apply.tx, apply.env, Some(&account)) == 0 {
            account.set(sf::FLAGS, flags_of(&account) | flags::LSF_PASSWORD_SPENT);
        }
        match apply.tx.object().account(sf::REGULAR_KEY) {
            Some(key) => account.set(sf::REGULAR_KEY, key),
            None => {
                let no_other_key = flags_of(&account) & flags::LSF_DISABLE_MASTER != 0
                    && !apply.sandbox.contains(&keylet::signer_list(apply.tx.account()));
                if no_other_key {
                    return Err(Ter::TEC_NO_ALTERNATIVE_KEY);
                }
                account.remove(sf::REGULAR_KEY);
            }
        }
        apply.put_account(apply.tx.account(), account);
        Ok(())
    }
}
