//! TrustSet: how much of an issuer's money an account is willing to hold, and the flags of the line.
//!
//! Xahau's rules (SetTrust.cpp), no section of the spec.

use codec::{AccountId, Amount, IssuedAmount, Object, Ter, flags, keylet, sf};

use super::{Apply, OwnerCount, Transactor, check_flags, flags_of, is_legal, owner_count};
use crate::issued;
use crate::limits::TRANSFER_RATE_ONE;
use crate::lines::{self, NewLine, Side, balance_of, issued_in};
use crate::sandbox::Sandbox;
use crate::transaction::Transaction;
use crate::view::Env;

/// Accounts that own fewer objects make lines without a reserve.
const FREE_OBJECTS: u32 = 2;

pub(super) struct TrustSet;

fn limit_of(tx: &Transaction) -> Result<IssuedAmount, Ter> {
    match tx.object().amount(sf::LIMIT_AMOUNT) {
        Some(Amount::Issued(limit)) => Ok(limit),
        Some(Amount::Native(_)) | None => Err(Ter::TEM_BAD_LIMIT),
    }
}

/// Exactly one of two opposite flags.
fn wants(tx: &Transaction, this: u32, opposite: u32) -> bool {
    tx.flags() & this != 0 && tx.flags() & opposite == 0
}

impl Transactor for TrustSet {
    fn preflight(&self, tx: &Transaction, env: &Env) -> Result<(), Ter> {
        let own = flags::TF_SETF_AUTH
            | flags::TF_SET_NO_RIPPLE
            | flags::TF_CLEAR_NO_RIPPLE
            | flags::TF_SET_FREEZE
            | flags::TF_CLEAR_FREEZE;
        check_flags(tx, env, own)?;
        if tx
            .object()
            .amount(sf::LIMIT_AMOUNT)
            .is_some_and(|limit| !is_legal(&limit))
        {
            return Err(Ter::TEM_BAD_AMOUNT);
        }
        let limit = limit_of(tx)?;
        if limit.currency().is_bad() {
            return Err(Ter::TEM_BAD_CURRENCY);
        }
        if limit.mantissa() < 0 {
            return Err(Ter::TEM_BAD_LIMIT);
        }
        if limit.issuer() == AccountId::ONE || limit.issuer() == AccountId::ZERO {
            return Err(Ter::TEM_DST_NEEDED);
        }
        Ok(())
    }

    fn preclaim(&self, tx: &Transaction, _env: &Env, sandbox: &Sandbox<'_>) -> Result<(), Ter> {
        let limit = limit_of(tx)?;
        let account = sandbox
            .entry(&keylet::account(tx.account()))
            .ok_or(Ter::TER_NO_ACCOUNT)?;
        if tx.flags() & flags::TF_SETF_AUTH != 0 && flags_of(&account) & flags::LSF_REQUIRE_AUTH == 0 {
            return Err(Ter::TEF_NO_AUTH_REQUIRED);
        }
        if limit.issuer() == tx.account() {
            return Err(Ter::TEM_DST_IS_SRC);
        }
        let peer = sandbox
            .entry(&keylet::account(limit.issuer()))
            .ok_or(Ter::TEC_NO_DST)?;
        let line = keylet::line(tx.account(), limit.issuer(), limit.currency());
        if flags_of(&peer) & flags::LSF_DISALLOW_INCOMING_TRUSTLINE != 0 && !sandbox.contains(&line) {
            return Err(Ter::TEC_NO_PERMISSION);
        }
        Ok(())
    }

    fn apply(&self, apply: &mut Apply<'_>) -> Result<(), Ter> {
        let (tx, limit) = (apply.tx, limit_of(apply.tx)?);
        let owned = owner_count(&apply.sender()?);
        let reserve = match owned {
            0..FREE_OBJECTS => 0,
            _ => apply.env.fees.account_reserve_drops(owned.saturating_add(1)),
        };
        let key = keylet::line(tx.account(), limit.issuer(), limit.currency());
        if let Some(line) = apply.sandbox.entry(&key) {
            let mut change = Change::new(apply, line, &limit)?;
            change.write_terms(tx)?;
            change.write_flags(tx)?;
            return change.settle(apply, reserve);
        }
        // As in xahaud, a quality out of one means none, but a quality in of one is written.
        let quality = |field| tx.object().u32(field).unwrap_or(0);
        let quality_in = quality(sf::QUALITY_IN);
        let quality_out = match quality(sf::QUALITY_OUT) {
            TRANSFER_RATE_ONE => 0,
            given => given,
        };
        let asks_nothing = limit.mantissa() == 0 && quality_in == 0 && quality_out == 0;
        if asks_nothing && tx.flags() & flags::TF_SETF_AUTH == 0 {
            return Err(Ter::TEC_NO_LINE_REDUNDANT);
        }
        if apply.prior_balance_drops < reserve {
            return Err(Ter::TEC_NO_LINE_INSUF_RESERVE);
        }
        let side = Side::of(tx.account(), limit.issuer());
        let chosen = [
            (tx.flags() & flags::TF_SETF_AUTH != 0, side.auth_flag()),
            (
                wants(tx, flags::TF_SET_NO_RIPPLE, flags::TF_CLEAR_NO_RIPPLE),
                side.no_ripple_flag(),
            ),
            (
                wants(tx, flags::TF_SET_FREEZE, flags::TF_CLEAR_FREEZE),
                side.freeze_flag(),
            ),
        ];
        let holder_flags = chosen
            .into_iter()
            .filter(|(chosen, _)| *chosen)
            .fold(0, |all, (_, flag)| all | flag);
        let new = NewLine {
            holder: tx.account(),
            peer: limit.issuer(),
            balance: issued::zero(limit.currency(), limit.issuer())?,
            limit: issued::with_issuer(&limit, tx.account())?,
            holder_flags,
            quality_in,
            quality_out,
        };
        lines::create(apply, &new)
    }
}

/// A line that exists, while its owner changes it.
struct Change {
    line: Object,
    side: Side,
    owner: AccountId,
    peer: AccountId,
    limit: IssuedAmount,
    owner_never_freezes: bool,
}

impl Change {
    fn new(apply: &Apply<'_>, line: Object, limit: &IssuedAmount) -> Result<Change, Ter> {
        let owner = apply.tx.account();
        Ok(Change {
            line,
            side: Side::of(owner, limit.issuer()),
            owner,
            peer: limit.issuer(),
            limit: issued::with_issuer(limit, owner)?,
            owner_never_freezes: flags_of(&apply.sender()?) & flags::LSF_NO_FREEZE != 0,
        })
    }

    /// Limit and qualities; zero means none, and so does a quality out of one.
    fn write_terms(&mut self, tx: &Transaction) -> Result<(), Ter> {
        self.line.set(self.side.limit(), Amount::Issued(self.limit));
        let fields = [
            (sf::QUALITY_IN, self.side.quality_in()),
            (sf::QUALITY_OUT, self.side.quality_out()),
        ];
        for (asked, field) in fields {
            match tx.object().u32(asked) {
                None => {}
                Some(0) => {
                    self.line.remove(field);
                }
                Some(TRANSFER_RATE_ONE) if asked == sf::QUALITY_OUT => {
                    self.line.remove(field);
                }
                Some(quality) => self.line.set(field, quality),
            }
        }
        Ok(())
    }

    /// NoRipple only where the owner owes nothing; no freeze by an account that gave it up.
    fn write_flags(&mut self, tx: &Transaction) -> Result<(), Ter> {
        let mut now = flags_of(&self.line);
        if wants(tx, flags::TF_SET_NO_RIPPLE, flags::TF_CLEAR_NO_RIPPLE) {
            if balance_of(&self.line, self.side)?.mantissa() < 0 {
                return Err(Ter::TEC_NO_PERMISSION);
            }
            now |= self.side.no_ripple_flag();
        } else if wants(tx, flags::TF_CLEAR_NO_RIPPLE, flags::TF_SET_NO_RIPPLE) {
            now &= !self.side.no_ripple_flag();
        }
        if wants(tx, flags::TF_SET_FREEZE, flags::TF_CLEAR_FREEZE) && !self.owner_never_freezes {
            now |= self.side.freeze_flag();
        } else if wants(tx, flags::TF_CLEAR_FREEZE, flags::TF_SET_FREEZE) {
            now &= !self.side.freeze_flag();
        }
        if tx.flags() & flags::TF_SETF_AUTH != 0 {
            now |= self.side.auth_flag();
        }
        self.line.set(sf::FLAGS, now);
        Ok(())
    }

    /// Each side's reserve follows from what it wants of the line; a line that neither wants is deleted.
    fn settle(mut self, apply: &mut Apply<'_>, reserve_drops: u64) -> Result<(), Ter> {
        let key = keylet::line(self.owner, self.peer, self.limit.currency());
        let mut wanted = false;
        let mut owner_reserves_more = false;
        for (side, account) in [(self.side, self.owner), (self.side.other(), self.peer)] {
            let needs = self.needs_reserve(apply, side, account)?;
            let has = flags_of(&self.line) & side.reserve_flag() != 0;
            wanted |= needs;
            match (needs, has) {
                (true, false) => {
                    apply.change_owner_count(account, OwnerCount::Up(1))?;
                    owner_reserves_more |= account == self.owner;
                    self.line
                        .set(sf::FLAGS, flags_of(&self.line) | side.reserve_flag());
                }
                (false, true) => {
                    apply.change_owner_count(account, OwnerCount::Down(1))?;
                    self.line
                        .set(sf::FLAGS, flags_of(&self.line) & !side.reserve_flag());
                }
                (true, true) | (false, false) => {}
            }
        }
        if owner_reserves_more && apply.prior_balance_drops < reserve_drops {
            return Err(Ter::TEC_INSUF_RESERVE_LINE);
        }
        apply.sandbox.put(key, self.line.clone());
        if wanted {
            Ok(())
        } else {
            lines::delete(apply, key, &self.line)
        }
    }

    fn needs_reserve(&self, apply: &Apply<'_>, side: Side, account: AccountId) -> Result<bool, Ter> {
        let set = |flag: u32| flags_of(&self.line) & flag != 0;
        let is_special = |field| {
            self.line
                .u32(field)
                .is_some_and(|quality| quality != 0 && quality != TRANSFER_RATE_ONE)
        };
        Ok(is_special(side.quality_in())
            || is_special(side.quality_out())
            || set(side.no_ripple_flag()) == lines::ripples_by_default(apply, account)
            || set(side.freeze_flag())
            || issued_in(&self.line, side.limit())?.mantissa() != 0
            || balance_of(&self.line, side)?.mantissa() > 0)
    }
}
