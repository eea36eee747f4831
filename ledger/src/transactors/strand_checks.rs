//! What must hold of each step before a strand is used.
//!
//! Xahau's rules (paths/impl/StepChecks.h, DirectStep.cpp `check`), no section of the spec.

use codec::{AccountId, Currency, Ter, flags, keylet};

use super::{Apply, flags_of};
use crate::issued;
use crate::lines::{self, Side, balance_of, issued_in};

/// Freezes and NoRipple of a step. A strand of one step is pure issuing or redeeming and cannot be frozen.
pub(super) fn check_step(
    apply: &Apply<'_>,
    previous: Option<AccountId>,
    giver: AccountId,
    taker: AccountId,
    currency: Currency,
    steps: usize,
) -> Result<(), Ter> {
    if !apply.sandbox.contains(&keylet::account(giver)) {
        return Err(Ter::TER_NO_ACCOUNT);
    }
    let line = apply.sandbox.entry(&keylet::line(giver, taker, currency));
    let frozen_by_taker = Side::of(taker, giver).freeze_flag();
    if steps > 1 {
        let global = apply
            .account(taker)
            .is_some_and(|account| flags_of(&account) & flags::LSF_GLOBAL_FREEZE != 0);
        let frozen = line
            .as_ref()
            .is_some_and(|line| flags_of(line) & frozen_by_taker != 0);
        if global || frozen {
            return Err(Ter::TER_NO_LINE);
        }
    }
    let Some(previous) = previous else { return Ok(()) };
    let line_in = apply.sandbox.entry(&keylet::line(previous, giver, currency));
    let (Some(line_in), Some(line_out)) = (line_in, line) else {
        return Err(Ter::TER_NO_LINE);
    };
    let no_ripple_in = flags_of(&line_in) & Side::of(giver, previous).no_ripple_flag() != 0;
    let no_ripple_out = flags_of(&line_out) & Side::of(giver, taker).no_ripple_flag() != 0;
    if no_ripple_in && no_ripple_out {
        return Err(Ter::TER_NO_RIPPLE);
    }
    Ok(())
}

/// The line must be there, authorised where the giver asks for that, and have room.
pub(super) fn check_line(
    apply: &Apply<'_>,
    giver: AccountId,
    taker: AccountId,
    currency: Currency,
) -> Result<(), Ter> {
    let line = apply
        .sandbox
        .entry(&keylet::line(giver, taker, currency))
        .ok_or(Ter::TER_NO_LINE)?;
    let side = Side::of(giver, taker);
    let held = balance_of(&line, side)?;
    let asks_auth = apply
        .account(giver)
        .is_some_and(|account| flags_of(&account) & flags::LSF_REQUIRE_AUTH != 0);
    if asks_auth && flags_of(&line) & side.auth_flag() == 0 && held.mantissa() == 0 {
        return Err(Ter::TER_NO_AUTH);
    }
    if held.mantissa() <= 0 {
        let limit = issued_in(&line, side.other().limit())?;
        if lines::is_at_least(&issued::negated(&held)?, &limit) {
            return Err(Ter::TEC_PATH_DRY);
        }
    }
    Ok(())
}
