//! URITokenBurn: destroys a URI token.
//!
//! Xahau's rules (URIToken.cpp, with fixXahauV1), no section of the spec.

use codec::{Hash256, Ter, flags, keylet, sf};

use super::{Apply, Transactor, check_flags, flags_of, uri_tokens};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct UriTokenBurn;

impl Transactor for UriTokenBurn {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(tx, env, 0)
    }

    /// The owner may destroy a token, and its issuer where it was minted burnable.
    fn preclaim(&self, tx: &Transaction, _env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let token = uri_tokens::find(sandbox, &token_id(tx)?)?;
        let (owner, issuer) = (token.account(sf::OWNER), token.account(sf::ISSUER));
        let sender = Some(tx.account());
        let has_owner = owner.is_some_and(|owner| sandbox.contains(&keylet::account(owner)));
        if !has_owner {
            return Err(Ter::TEC_NO_ENTRY);
        }
        if sender == owner || (sender == issuer && flags_of(&token) == flags::LSF_BURNABLE) {
            Ok(())
        } else {
            Err(Ter::TEC_NO_PERMISSION)
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let key = token_id(apply.tx)?;
        uri_tokens::burn(apply, key)
    }
}

fn token_id(tx: &Transaction) -> Result<Hash256, Ter> {
    tx.object().hash256(sf::URI_TOKEN_ID).ok_or(Ter::TEM_MALFORMED)
}
