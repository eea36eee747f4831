//! UNLReport: the validators seen active, one transaction for each.
//!
//! Xahau's rules (Change.cpp `applyUNLReport`), no section of the spec. The first in a ledger replaces the
//! list. The quorum of a DKIMKeySet counts this list (spec 7.2).

use std::collections::BTreeMap;

use codec::format::EntryType;
use codec::keys::PublicKey;
use codec::{AccountId, Field, Object, Ter, keylet, sf};

use super::{Apply, Transactor};
use crate::transaction::Transaction;
use crate::view::Env;

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
        for (list, one) in LISTS {
            let Some(added) = apply.tx.object().object(one) else {
                continue;
            };
            let listed = entry.array(list).unwrap_or(&[]);
            let listed = if is_old { &[] } else { listed };
            entry.set(list, with_added(listed, added, one));
        }
        apply.sandbox.put(keylet::unl_report(), entry);
        Ok(())
    }
}

/// The list in order of the keys, each with its account.
fn with_added(listed: &[(Field, Object)], added: &Object, name: Field) -> Vec<(Field, Object)> {
    let mut keys: BTreeMap<[u8; 33], AccountId> = BTreeMap::new();
    for one in listed.iter().map(|(_, one)| one).chain([added]) {
        let key = one.blob(sf::PUBLIC_KEY).map(PublicKey::parse);
        if let Some(Ok(key)) = key {
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
