//! Trust lines: making, changing and deleting them, and moving issued money along them.
//!
//! Xahau's rules (ledger/impl/View.cpp `trustCreate`, `trustDelete`, `rippleCredit`, `rippleSend`,
//! ledger/View.h `trustTransferAllowed`). No trust limit is looked at here: a Remit does not ask.

use std::cmp::Ordering;

use codec::format::EntryType;
use codec::{AccountId, Amount, Currency, Field, Hash256, IssuedAmount, Object, Ter, flags, keylet, sf};

use crate::directory::{self, EmptyRoot};
use crate::issued::{self, Overflow};
use crate::limits::TRANSFER_RATE_ONE;
use crate::transactors::{Apply, OwnerCount, flags_of};

/// xahaud throws here, and what throws while it is applied is tefEXCEPTION. The payment engine catches:
/// tecINTERNAL.
impl From<Overflow> for Ter {
    fn from(_: Overflow) -> Ter {
        Ter::TEF_EXCEPTION
    }
}

/// One end of a line. The low end is the smaller account; the balance is written from its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Low,
    High,
}

impl Side {
    /// Which end of a line `account` is.
    pub(crate) fn of(account: AccountId, peer: AccountId) -> Side {
        if account > peer { Side::High } else { Side::Low }
    }

    pub(crate) fn other(self) -> Side {
        match self {
            Side::Low => Side::High,
            Side::High => Side::Low,
        }
    }

    fn pick<T>(self, low: T, high: T) -> T {
        match self {
            Side::Low => low,
            Side::High => high,
        }
    }

    pub(crate) fn limit(self) -> Field {
        self.pick(sf::LOW_LIMIT, sf::HIGH_LIMIT)
    }

    pub(crate) fn quality_in(self) -> Field {
        self.pick(sf::LOW_QUALITY_IN, sf::HIGH_QUALITY_IN)
    }

    pub(crate) fn quality_out(self) -> Field {
        self.pick(sf::LOW_QUALITY_OUT, sf::HIGH_QUALITY_OUT)
    }

    fn node(self) -> Field {
        self.pick(sf::LOW_NODE, sf::HIGH_NODE)
    }

    pub(crate) fn reserve_flag(self) -> u32 {
        self.pick(flags::LSF_LOW_RESERVE, flags::LSF_HIGH_RESERVE)
    }

    pub(crate) fn auth_flag(self) -> u32 {
        self.pick(flags::LSF_LOW_AUTH, flags::LSF_HIGH_AUTH)
    }

    pub(crate) fn no_ripple_flag(self) -> u32 {
        self.pick(flags::LSF_LOW_NO_RIPPLE, flags::LSF_HIGH_NO_RIPPLE)
    }

    pub(crate) fn freeze_flag(self) -> u32 {
        self.pick(flags::LSF_LOW_FREEZE, flags::LSF_HIGH_FREEZE)
    }
}

/// A line to be made, from the side of the account whose reserve it counts towards.
pub(crate) struct NewLine {
    /// The account whose limit, flags and reserve are set.
    pub(crate) holder: AccountId,
    pub(crate) peer: AccountId,
    /// What the holder has, from its side.
    pub(crate) balance: IssuedAmount,
    /// The holder's limit; its issuer is the holder.
    pub(crate) limit: IssuedAmount,
    /// The holder's flags besides the reserve, such as [`Side::no_ripple_flag`].
    pub(crate) holder_flags: u32,
    pub(crate) quality_in: u32,
    pub(crate) quality_out: u32,
}

/// An issued amount in an entry.
pub(crate) fn issued_in(entry: &Object, field: Field) -> Result<IssuedAmount, Ter> {
    match entry.amount(field) {
        Some(Amount::Issued(amount)) => Ok(amount),
        Some(Amount::Native(_)) | None => Err(Ter::TEF_INTERNAL),
    }
}

/// The balance from one side.
pub(crate) fn balance_of(line: &Object, side: Side) -> Result<IssuedAmount, Ter> {
    let balance = issued_in(line, sf::BALANCE)?;
    Ok(match side {
        Side::Low => balance,
        Side::High => issued::negated(&balance)?,
    })
}

/// True where the account lets money ripple through its lines unless a line says otherwise.
pub(crate) fn ripples_by_default(apply: &Apply<'_>, account: AccountId) -> bool {
    apply
        .account(account)
        .is_some_and(|account| flags_of(&account) & flags::LSF_DEFAULT_RIPPLE != 0)
}

/// Makes a line and lists it with both accounts.
pub(crate) fn create(apply: &mut Apply<'_>, new: &NewLine) -> Result<(), Ter> {
    let currency = new.limit.currency();
    let key = keylet::line(new.holder, new.peer, currency);
    let side = Side::of(new.holder, new.peer);
    let (low, high) = (side.pick(new.holder, new.peer), side.pick(new.peer, new.holder));
    let low_page = directory::insert(&mut apply.sandbox, low, key)?;
    let high_page = directory::insert(&mut apply.sandbox, high, key)?;
    let mut line_flags = side.reserve_flag() | new.holder_flags;
    if !ripples_by_default(apply, new.peer) {
        line_flags |= side.other().no_ripple_flag();
    }
    let balance = match side {
        Side::Low => new.balance,
        Side::High => issued::negated(&new.balance)?,
    };
    let mut line = Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::RippleState.code())
        .with(sf::FLAGS, line_flags)
        .with(sf::LOW_NODE, low_page)
        .with(sf::HIGH_NODE, high_page)
        .with(
            sf::BALANCE,
            Amount::Issued(issued::with_issuer(&balance, AccountId::ONE)?),
        )
        .with(side.limit(), Amount::Issued(new.limit))
        .with(
            side.other().limit(),
            Amount::Issued(issued::zero(currency, new.peer)?),
        );
    for (field, quality) in [
        (side.quality_in(), new.quality_in),
        (side.quality_out(), new.quality_out),
    ] {
        if quality != 0 {
            line.set(field, quality);
        }
    }
    apply.sandbox.put(key, line);
    apply.change_owner_count(new.holder, OwnerCount::Up(1))
}

/// Deletes a line that neither account needs.
pub(crate) fn delete(apply: &mut Apply<'_>, key: Hash256, line: &Object) -> Result<(), Ter> {
    for side in [Side::Low, Side::High] {
        let owner = issued_in(line, side.limit())?.issuer();
        let page = line.u64(side.node()).unwrap_or(0);
        directory::remove(&mut apply.sandbox, owner, page, key, EmptyRoot::Erase)?;
    }
    apply.sandbox.erase(&key);
    Ok(())
}

/// Sends issued money: directly where the issuer is a party, else through the issuer, whose transfer rate the
/// sender pays.
pub(crate) fn send(
    apply: &mut Apply<'_>,
    sender: AccountId,
    receiver: AccountId,
    amount: &IssuedAmount,
    amount_with_rate: &IssuedAmount,
) -> Result<(), Ter> {
    let issuer = amount.issuer();
    if sender == issuer || receiver == issuer || issuer == AccountId::ONE {
        return credit(apply, sender, receiver, amount);
    }
    credit(apply, issuer, receiver, amount)?;
    credit(apply, sender, issuer, amount_with_rate)
}

/// One step: the balance between two accounts moves. A missing line is made; one that neither side needs is
/// deleted.
pub(crate) fn credit(
    apply: &mut Apply<'_>,
    sender: AccountId,
    receiver: AccountId,
    amount: &IssuedAmount,
) -> Result<(), Ter> {
    let currency = amount.currency();
    let key = keylet::line(sender, receiver, currency);
    let Some(mut line) = apply.sandbox.entry(&key) else {
        let no_ripple = !ripples_by_default(apply, receiver);
        let new = NewLine {
            holder: receiver,
            peer: sender,
            balance: *amount,
            limit: issued::zero(currency, receiver)?,
            holder_flags: if no_ripple {
                Side::of(receiver, sender).no_ripple_flag()
            } else {
                0
            },
            quality_in: 0,
            quality_out: 0,
        };
        return create(apply, &new);
    };
    let side = Side::of(sender, receiver);
    let before = balance_of(&line, side)?;
    let after = issued::subtract(&before, amount)?;
    let mut is_unneeded = false;
    if before.mantissa() > 0 && after.mantissa() <= 0 && is_plain(apply, sender, &line, side)? {
        apply.change_owner_count(sender, OwnerCount::Down(1))?;
        let line_flags = flags_of(&line);
        line.set(sf::FLAGS, line_flags & !side.reserve_flag());
        is_unneeded = after.mantissa() == 0 && line_flags & side.other().reserve_flag() == 0;
    }
    let balance = match side {
        Side::Low => after,
        Side::High => issued::negated(&after)?,
    };
    line.set(sf::BALANCE, Amount::Issued(balance));
    apply.sandbox.put(key, line.clone());
    if is_unneeded {
        delete(apply, key, &line)
    } else {
        Ok(())
    }
}

/// True where a side has its reserve set but nothing else that would justify it.
fn is_plain(apply: &Apply<'_>, account: AccountId, line: &Object, side: Side) -> Result<bool, Ter> {
    let set = |flag: u32| flags_of(line) & flag != 0;
    let no_quality = |field| line.u32(field).unwrap_or(0) == 0;
    Ok(set(side.reserve_flag())
        && set(side.no_ripple_flag()) != ripples_by_default(apply, account)
        && !set(side.freeze_flag())
        && issued_in(line, side.limit())?.mantissa() == 0
        && no_quality(side.quality_in())
        && no_quality(side.quality_out()))
}

/// What an account can spend of an issuer's money: nothing of frozen money. Not for the issuer itself.
pub(crate) fn spendable(
    apply: &Apply<'_>,
    holder: AccountId,
    issuer: AccountId,
    currency: Currency,
) -> Result<IssuedAmount, Ter> {
    let nothing = issued::zero(currency, issuer)?;
    let Some(line) = apply.sandbox.entry(&keylet::line(holder, issuer, currency)) else {
        return Ok(nothing);
    };
    let global = apply
        .account(issuer)
        .is_some_and(|account| flags_of(&account) & flags::LSF_GLOBAL_FREEZE != 0);
    let side = Side::of(holder, issuer);
    if global || flags_of(&line) & side.other().freeze_flag() != 0 {
        return Ok(nothing);
    }
    Ok(issued::with_issuer(&balance_of(&line, side)?, issuer)?)
}

/// The issuer's transfer rate in billionths.
pub(crate) fn transfer_rate(apply: &Apply<'_>, issuer: AccountId) -> u32 {
    apply
        .account(issuer)
        .and_then(|account| account.u32(sf::TRANSFER_RATE))
        .unwrap_or(TRANSFER_RATE_ONE)
}

/// Whether the issuer lets money pass between two others.
pub(crate) fn check_transfer(
    apply: &Apply<'_>,
    parties: [AccountId; 2],
    issuer: AccountId,
    currency: Currency,
) -> Result<(), Ter> {
    if currency.is_bad() {
        return Err(Ter::TEC_NO_PERMISSION);
    }
    let issuing = apply.account(issuer).ok_or(Ter::TEC_NO_ISSUER)?;
    if flags_of(&issuing) & flags::LSF_GLOBAL_FREEZE != 0 {
        return Err(Ter::TEC_FROZEN);
    }
    let asks_auth = flags_of(&issuing) & flags::LSF_REQUIRE_AUTH != 0;
    for party in parties {
        let Some(line) = apply.sandbox.entry(&keylet::line(party, issuer, currency)) else {
            if asks_auth {
                return Err(Ter::TEC_NO_AUTH);
            }
            continue;
        };
        let side = Side::of(issuer, party);
        let set = |flag: u32| flags_of(&line) & flag != 0;
        if set(side.freeze_flag()) {
            return Err(Ter::TEC_FROZEN);
        }
        if set(side.no_ripple_flag()) {
            return Err(Ter::TEC_PATH_DRY);
        }
        if asks_auth && !set(side.auth_flag()) {
            return Err(Ter::TEC_NO_AUTH);
        }
    }
    Ok(())
}

/// True where the amount is at least `least`.
pub(crate) fn is_at_least(amount: &IssuedAmount, least: &IssuedAmount) -> bool {
    issued::compare(amount, least) != Ordering::Less
}
