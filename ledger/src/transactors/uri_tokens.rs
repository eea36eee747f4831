//! URI tokens: made and moved by a Remit, destroyed by a burn.
//!
//! Xahau's rules (Remit.cpp, URIToken.cpp), no section of the spec.

use codec::format::EntryType;
use codec::{AccountId, Hash256, Object, Ter, flags, keylet, sf};

use super::{Apply, OwnerCount, flags_of};
use crate::directory::{self, EmptyRoot};
use crate::sandbox::Sandbox;

/// A token by its index.
pub(super) fn find(sandbox: &Sandbox<'_>, key: &Hash256) -> Result<Object, Ter> {
    sandbox
        .entry(key)
        .filter(|entry| EntryType::of(entry) == Some(EntryType::UriToken))
        .ok_or(Ter::TEC_NO_ENTRY)
}

/// Mints a token of the sender for the receiver.
pub(super) fn mint(apply: &mut Apply<'_>, receiver: AccountId, order: &Object) -> Result<(), Ter> {
    let issuer = apply.tx.account();
    let uri = order.blob(sf::URI).unwrap_or(&[]);
    let key = keylet::uri_token(issuer, uri);
    if apply.sandbox.contains(&key) {
        return Err(Ter::TEC_DUPLICATE);
    }
    let page = directory::insert(&mut apply.sandbox, receiver, key)?;
    let mut token = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::UriToken.code())
        .with(sf::FLAGS, flags_of(order))
        .with(sf::OWNER, receiver)
        .with(sf::OWNER_NODE, page)
        .with(sf::ISSUER, issuer)
        .with(sf::URI, uri);
    if let Some(digest) = order.hash256(sf::DIGEST) {
        token.set(sf::DIGEST, digest);
    }
    apply.sandbox.put(key, token);
    let sender = apply.sender()?;
    let issuing = flags_of(&sender) | flags::LSF_URI_TOKEN_ISSUER;
    apply.put_account(issuer, sender.with(sf::FLAGS, issuing));
    apply.change_owner_count(receiver, OwnerCount::Up(1))
}

/// Moves a token of the sender; an offer to sell it ends.
pub(super) fn transfer(apply: &mut Apply<'_>, receiver: AccountId, key: Hash256) -> Result<(), Ter> {
    let sender = apply.tx.account();
    let token = find(&apply.sandbox, &key)?;
    if token.account(sf::OWNER) != Some(sender) {
        return Err(Ter::TEC_NO_PERMISSION);
    }
    let page = token.u64(sf::OWNER_NODE).unwrap_or(0);
    directory::remove(&mut apply.sandbox, sender, page, key, EmptyRoot::Keep)?;
    let page = directory::insert(&mut apply.sandbox, receiver, key)?;
    let mut token = token.with(sf::OWNER, receiver).with(sf::OWNER_NODE, page);
    for offer in [sf::AMOUNT, sf::DESTINATION] {
        token.remove(offer);
    }
    apply.sandbox.put(key, token);
    apply.change_owner_count(sender, OwnerCount::Down(1))?;
    apply.change_owner_count(receiver, OwnerCount::Up(1))
}

/// Destroys a token; its owner owns one object less.
pub(super) fn burn(apply: &mut Apply<'_>, key: Hash256) -> Result<(), Ter> {
    let token = find(&apply.sandbox, &key)?;
    let owner = token.account(sf::OWNER).ok_or(Ter::TEF_INTERNAL)?;
    let page = token.u64(sf::OWNER_NODE).unwrap_or(0);
    directory::remove(&mut apply.sandbox, owner, page, key, EmptyRoot::Keep)?;
    apply.sandbox.erase(&key);
    apply.change_owner_count(owner, OwnerCount::Down(1))
}
