//! UNLReport: the validators seen active, one transaction for each.
//!
//! Where the votes of the parent ledger agree on a list, each makes the list more like it, so that all of them
//! together make it the list (spec 15.4). Else Xahau's rules hold (Change.cpp `applyUNLReport`): the first in a ledger
//! replaces the list. It tells that by the entry's PreviousTxnLgrSeq, which stands still where the first one names the
//! only validator that there was: the second then replaces the list again.
//!
//! The quorum of a DKIMKeySet counts this list, and votes about the list before it are done with.
//! Spec: 7.2, 15.2, 15.4

use std::collections::BTreeMap;

use codec::format::EntryType;
use codec::keys::PublicKey;
use codec::{AccountId, Field, Object, Ter, keylet, sf};

use super::{Apply, Transactor};
use crate::transaction::Transaction;
use crate::view::Env;
use crate::votes;

/// A list in the entry, and the field of the transaction that adds to it.
const LISTS: [(Field, Field); 2] = [
    (sf::ACTIVE_VALIDATORS, sf::ACTIVE_VALIDATOR),
    (sf::IMPORT_VL_KEYS, sf::IMPORT_VL_KEY),
];

pub(super) struct UnlReport;

impl Transactor for UnlReport {
    fn preflight(&self, tx: &Transaction, _env: &Env) -> Result<(), Ter> {
        let names_one = LISTS.iter().any(|(_, one)| tx.object().contains(*one));
        if names_one {
            Ok(())
        } else {
            Err(Ter::TEM_MALFORMED)
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let known = apply.sandbox.entry(&keylet::unl_report());
        let is_old = known
            .as_ref()
            .and_then(|entry| entry.u32(sf::PREVIOUS_TXN_LGR_SEQ))
            .is_some_and(|changed| changed < apply.env.index.get());
        let mut entry = known.unwrap_or_else(|| {
            Object::new()
                .with(sf::LEDGER_ENTRY_TYPE, EntryType::UnlReport.code())
                .with(sf::FLAGS, 0u32)
        });
        let agreed = votes::agreed_list(&apply.env.parent);
        for (list, one) in LISTS {
            let Some(added) = apply.tx.object().object(one) else {
                continue;
            };
            let mut listed = entry.array(list).unwrap_or(&[]).to_vec();
            match &agreed {
                Some(agreed) => {
                    listed.retain(|(_, one)| key_of(one).is_some_and(|key| agreed.contains(&key)))
                }
                None if is_old => listed.clear(),
                None => {}
            }
            entry.set(list, with_added(&listed, added, one));
        }
        apply.sandbox.put(keylet::unl_report(), entry);
        end_votes_about_the_list(apply);
        Ok(())
    }
}

/// What validators wanted instead of the list before, they have, or have to say again. Spec: 15.2
fn end_votes_about_the_list(apply: &mut Apply<'_>) {
    let Some(entry) = apply.sandbox.entry(&keylet::validator_votes()) else {
        return;
    };
    let mut standing = votes::votes_in(&entry);
    if standing.values().all(|vote| vote.wish.validators.is_empty()) {
        return;
    }
    for vote in standing.values_mut() {
        vote.wish.validators.clear();
    }
    let entry = votes::entry_with(Some(entry), &standing);
    apply.sandbox.put(keylet::validator_votes(), entry);
}

fn key_of(one: &Object) -> Option<PublicKey> {
    PublicKey::parse(one.blob(sf::PUBLIC_KEY)?).ok()
}

/// The list in order of the keys, each with its account.
fn with_added(listed: &[(Field, Object)], added: &Object, name: Field) -> Vec<(Field, Object)> {
    let mut keys: BTreeMap<[u8; 33], AccountId> = BTreeMap::new();
    for one in listed.iter().map(|(_, one)| one).chain([added]) {
        if let Some(key) = key_of(one) {
            let account = one.account(sf::ACCOUNT).unwrap_or(key.account());
            keys.entry(*key.as_bytes()).or_insert(account);
        }
    }
    keys.into_iter()
        .map(|(key, account)| {
            let one = Object::new()
                .with(sf::PUBLIC_KEY, key.as_slice())
                .with(sf::ACCOUNT, account);
            (name, one)
        })
        .collect()
}
