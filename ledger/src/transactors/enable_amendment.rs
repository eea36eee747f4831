//! EnableAmendment: an amendment gains or loses its majority, or becomes a rule.
//!
//! Xahau's rules (Change.cpp `applyAmendment`), no section of the spec. A ledger's rules are its parent's, so
//! what is enabled here acts from the next ledger on. Who may make one is decided by those who agree on the
//! set of transactions.

use codec::format::EntryType;
use codec::{Object, Ter, flags, keylet, sf};

use super::{Apply, Transactor};
use crate::amendments;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct EnableAmendment;

impl Transactor for EnableAmendment {
    fn preflight(&self, _tx: &Transaction, _env: &Env) -> Result<(), Ter> {
        Ok(())
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let tx = apply.tx;
        let id = tx.object().hash256(sf::AMENDMENT).ok_or(Ter::TEM_MALFORMED)?;
        let mut entry = apply.sandbox.entry(&keylet::amendments()).unwrap_or_else(|| {
            Object::new()
                .with(sf::LEDGER_ENTRY_TYPE, EntryType::Amendments.code())
                .with(sf::FLAGS, 0u32)
        });
        let mut enabled = amendments::enabled_in(&entry);
        if enabled.contains(&id) {
            return Err(Ter::TEF_ALREADY);
        }
        let (gained, lost) = (
            tx.flags() & flags::TF_GOT_MAJORITY != 0,
            tx.flags() & flags::TF_LOST_MAJORITY != 0,
        );
        let old = entry.array(sf::MAJORITIES).unwrap_or(&[]);
        let had = old
            .iter()
            .any(|(_, majority)| majority.hash256(sf::AMENDMENT) == Some(id));
        match (gained, lost, had) {
            (true, true, _) => return Err(Ter::TEM_INVALID_FLAG),
            (true, false, true) | (false, true, false) => return Err(Ter::TEF_ALREADY),
            _ => {}
        }
        let mut majorities: Vec<_> = old
            .iter()
            .filter(|(_, majority)| majority.hash256(sf::AMENDMENT) != Some(id))
            .cloned()
            .collect();
        if gained {
            let majority = Object::new()
                .with(sf::AMENDMENT, id)
                .with(sf::CLOSE_TIME, apply.env.now().seconds());
            majorities.push((sf::MAJORITY, majority));
        } else if !lost {
            enabled.push(id);
            entry.set(sf::AMENDMENTS, enabled);
        }
        if majorities.is_empty() {
            entry.remove(sf::MAJORITIES);
        } else {
            entry.set(sf::MAJORITIES, majorities);
        }
        apply.sandbox.put(keylet::amendments(), entry);
        Ok(())
    }
}
