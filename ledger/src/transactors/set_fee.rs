//! SetFee: base fee and reserves as the validators agreed on them.
//!
//! Xahau's rules (Change.cpp `applyFee`, with XRPFees), no section of the spec.

use codec::format::EntryType;
use codec::{Field, Object, Ter, keylet, sf};

use super::{Apply, Transactor, is_legal};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

const NEW: [Field; 3] = [
    sf::BASE_FEE_DROPS,
    sf::RESERVE_BASE_DROPS,
    sf::RESERVE_INCREMENT_DROPS,
];
const OLD: [Field; 4] = [
    sf::BASE_FEE,
    sf::REFERENCE_FEE_UNITS,
    sf::RESERVE_BASE,
    sf::RESERVE_INCREMENT,
];

pub(super) struct SetFee;

impl Transactor for SetFee {
    fn preflight(&self, _tx: &Transaction, _env: &Env) -> Result<(), Ter> {
        Ok(())
    }

    fn preclaim(&self, tx: &Transaction, _env: &Env, _sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let all_legal = NEW.iter().all(|field| {
            tx.object()
                .amount(*field)
                .is_some_and(|amount| amount.is_native() && is_legal(&amount))
        });
        if all_legal {
            Ok(())
        } else {
            Err(Ter::TEM_MALFORMED)
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let mut settings = apply.sandbox.entry(&keylet::fees()).unwrap_or_else(|| {
            Object::new()
                .with(sf::LEDGER_ENTRY_TYPE, EntryType::FeeSettings.code())
                .with(sf::FLAGS, 0u32)
        });
        for field in NEW {
            let amount = apply.tx.object().amount(field).ok_or(Ter::TEM_MALFORMED)?;
            settings.set(field, amount);
        }
        for field in OLD {
            settings.remove(field);
        }
        apply.sandbox.put(keylet::fees(), settings);
        Ok(())
    }
}
