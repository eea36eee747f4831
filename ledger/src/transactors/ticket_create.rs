//! TicketCreate, and how a ticket is used up: numbers set aside, to be used in any order.
//!
//! Xahau's rules (CreateTicket.cpp, Transactor.cpp `ticketDelete`), no section of the spec.

use codec::format::EntryType;
use codec::{AccountId, Object, Ter, keylet, sf};

use super::{Apply, OwnerCount, Transactor, check_flags, owner_count};
use crate::directory::{self, EmptyRoot};
use crate::limits::TICKETS_MAX;
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

pub(super) struct TicketCreate;

fn count(tx: &Transaction) -> u32 {
    tx.object().u32(sf::TICKET_COUNT).unwrap_or(0)
}

impl Transactor for TicketCreate {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        check_flags(tx, env, 0)?;
        if (1..=TICKETS_MAX).contains(&count(tx)) {
            Ok(())
        } else {
            Err(Ter::TEM_INVALID_COUNT)
        }
    }

    fn preclaim(&self, tx: &Transaction, _env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let account = sandbox
            .entry(&keylet::account(tx.account()))
            .ok_or(Ter::TER_NO_ACCOUNT)?;
        let used = u32::from(tx.ticket().is_some());
        let held = account
            .u32(sf::TICKET_COUNT)
            .unwrap_or(0)
            .saturating_add(count(tx))
            .saturating_sub(used);
        if held > TICKETS_MAX {
            Err(Ter::TEC_DIR_FULL)
        } else {
            Ok(())
        }
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let (owner, count) = (apply.tx.account(), count(apply.tx));
        let account = apply.sender()?;
        let owned = owner_count(&account).saturating_add(count);
        if apply.prior_balance_drops < apply.env.fees.account_reserve_drops(owned) {
            return Err(Ter::TEC_INSUFFICIENT_RESERVE);
        }
        let first = account.u32(sf::SEQUENCE).unwrap_or(0);
        let end = first.checked_add(count).ok_or(Ter::TEF_INTERNAL)?;
        for number in first..end {
            let key = keylet::ticket(owner, number);
            let page = directory::insert(&mut apply.sandbox, owner, key)?;
            let entry = Object::new()
                .with(sf::LEDGER_ENTRY_TYPE, EntryType::Ticket.code())
                .with(sf::FLAGS, 0u32)
                .with(sf::ACCOUNT, owner)
                .with(sf::TICKET_SEQUENCE, number)
                .with(sf::OWNER_NODE, page);
            apply.sandbox.put(key, entry);
        }
        apply.change_owner_count(owner, OwnerCount::Up(count))?;
        let account = apply.sender()?;
        let held = account.u32(sf::TICKET_COUNT).unwrap_or(0).saturating_add(count);
        apply.put_account(
            owner,
            account.with(sf::TICKET_COUNT, held).with(sf::SEQUENCE, end),
        );
        Ok(())
    }
}

/// Uses a ticket up instead of a Sequence.
pub(crate) fn consume_ticket(apply: &mut Apply<'_>, owner: AccountId, ticket: u32) -> Result<(), Ter> {
    let key = keylet::ticket(owner, ticket);
    let entry = apply.sandbox.entry(&key).ok_or(Ter::TEF_BAD_LEDGER)?;
    let page = entry.u64(sf::OWNER_NODE).unwrap_or(0);
    directory::remove(&mut apply.sandbox, owner, page, key, EmptyRoot::Keep)?;
    apply.sandbox.erase(&key);
    let mut account = apply.sender()?;
    match account.u32(sf::TICKET_COUNT).unwrap_or(0) {
        0 | 1 => {
            account.remove(sf::TICKET_COUNT);
        }
        held => account.set(sf::TICKET_COUNT, held.saturating_sub(1)),
    }
    apply.put_account(owner, account);
    apply.change_owner_count(owner, OwnerCount::Down(1))
}
