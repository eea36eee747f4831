//! What a transaction did to the money of its sender and its receiver. All that people are told about money
//! they sent or got comes from here.

use codec::{AccountId, Drops, TerClass};

use super::money::{Decimal, Sum, Unit};
use super::result_code::ResultCode;
use super::transaction::{MetaReply, TransactionReply};

/// What a transaction did to the money of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Fee that the account paid; zero where another one did.
    pub fee: Drops,
    /// What left it, the fee not counted. Money that it issued itself is what it owes more.
    pub left: Vec<Sum>,
    /// What it got.
    pub came: Vec<Sum>,
}

impl Movement {
    /// `None` where the node does not show it, or not in a form that is understood.
    #[must_use]
    pub fn of(account: AccountId, tx: &TransactionReply, meta: &MetaReply) -> Option<Movement> {
        let mut movement = Movement {
            fee: Drops::default(),
            left: Vec::new(),
            came: Vec::new(),
        };
        let mut sums: Vec<Sum> = meta.changes.as_ref()?.of(account).collect();
        if tx.account? == account {
            movement.fee = tx.fee?;
            let fee = Sum::of_drops(movement.fee);
            match sums.iter_mut().find(|sum| sum.unit() == Unit::Xah) {
                Some(xah) => *xah = xah.plus(fee)?,
                None => sums.push(fee),
            }
        }
        for sum in sums.into_iter().filter(|sum| !sum.is_zero()) {
            if sum.is_above_zero() {
                movement.came.push(sum);
            } else {
                movement.left.push(sum.negative());
            }
        }
        Some(movement)
    }
}

/// What a payment made for its receiver; the ledger wants a reserve for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Nothing.
    Nothing,
    /// The account.
    Account,
    /// Trust lines.
    Lines,
    /// The account, with trust lines.
    AccountAndLines,
}

impl Made {
    /// Whether it made the receiver's account: this is a first payment.
    #[must_use]
    pub fn is_account(self) -> bool {
        matches!(self, Made::Account | Made::AccountAndLines)
    }
}

/// What a sender pays on top of an amount for what is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// How much.
    pub drops: Drops,
    /// For what.
    pub made: Made,
}

/// What the payment of one amount took from its sender and gave to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    unit: Unit,
    left: Decimal,
    arrived: Decimal,
    /// XAH that left the sender on top and is the receiver's: the reserve of what was made for it.
    pub reserve: Drops,
    /// What was made.
    pub made: Made,
    /// The fee, which nobody got.
    pub fee: Drops,
}

impl Receipt {
    /// `None` where it is no payment of one amount that succeeded, or its metadata is not understood.
    #[must_use]
    pub fn of(tx: &TransactionReply, meta: &MetaReply) -> Option<Receipt> {
        let code = meta.result.as_deref().and_then(ResultCode::parse)?;
        if code.class() != TerClass::Tes {
            return None;
        }
        let receiver = tx.destination?;
        let sender = Movement::of(tx.account?, tx, meta)?;
        let came = Movement::of(receiver, tx, meta)?.came;
        let reserve = reserve_of(tx, &came)?;
        let reserved = Reserved {
            drops: reserve,
            made: made_for(receiver, meta),
        };
        let amounts = (without(sender.left, reserve)?, without(came, reserve)?);
        Receipt::new(amounts, reserved, sender.fee)
    }

    /// Of what left and what arrived; `None` where these are of two kinds.
    #[must_use]
    pub fn new((left, arrived): (Sum, Sum), reserved: Reserved, fee: Drops) -> Option<Receipt> {
        (left.unit() == arrived.unit()).then_some(Receipt {
            unit: left.unit(),
            left: left.value,
            arrived: arrived.value,
            reserve: reserved.drops,
            made: reserved.made,
            fee,
        })
    }

    /// What left the sender, besides the reserve and the fee. Above what arrived by the issuer's transfer rate.
    #[must_use]
    pub fn left(&self) -> Sum {
        Sum::new(self.left, self.unit)
    }

    /// What reached the receiver, besides the reserve.
    #[must_use]
    pub fn arrived(&self) -> Sum {
        Sum::new(self.arrived, self.unit)
    }

    /// XAH that left the sender in all: amount, reserve and fee.
    #[must_use]
    pub fn xah_left(&self) -> Sum {
        let besides = Sum::of_drops(Drops::new(self.reserve.get().saturating_add(self.fee.get())));
        self.left().plus(besides).unwrap_or(besides)
    }

    /// XAH that the receiver has more.
    #[must_use]
    pub fn xah_arrived(&self) -> Sum {
        let reserve = Sum::of_drops(self.reserve);
        self.arrived().plus(reserve).unwrap_or(reserve)
    }

    /// All of it in words, for people: name and value of each row.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("Amount", self.arrived().to_string())];
        if let Some(fee) = self.transfer_fee() {
            rows.push(("Transfer fee", format!("{fee} on top, which the issuer takes")));
        }
        if self.reserve != Drops::default() {
            let what = match self.made {
                Made::Account => "for the receiver's new account",
                Made::Lines => "for the receiver's new trust line",
                Made::AccountAndLines => "for the receiver's new account and trust line",
                Made::Nothing => "which the ledger asks for here",
            };
            let reserve = Sum::of_drops(self.reserve);
            rows.push((
                "Reserve",
                format!("{reserve} on top, {what}; it goes to the receiver"),
            ));
        }
        rows.push(("Fee", Sum::of_drops(self.fee).to_string()));
        rows.push((
            "Sender pays",
            format!("{} in all", with_xah(self.left(), self.xah_left())),
        ));
        rows.push(("Receiver gets", with_xah(self.arrived(), self.xah_arrived())));
        rows
    }

    /// What the issuer keeps of a transfer.
    #[must_use]
    pub fn transfer_fee(&self) -> Option<Sum> {
        let fee = self.left().plus(self.arrived().negative())?;
        fee.is_above_zero().then_some(fee)
    }
}

/// An amount with the XAH that goes with it; XAH in all holds the amount, where that is XAH.
fn with_xah(amount: Sum, xah: Sum) -> String {
    match amount.unit() {
        Unit::Xah => xah.to_string(),
        Unit::Issued { .. } if xah.is_zero() => amount.to_string(),
        Unit::Issued { .. } => format!("{amount} and {xah}"),
    }
}

/// Of a Remit, the XAH that came beyond its amounts. A Payment gives no more than its amount.
fn reserve_of(tx: &TransactionReply, came: &[Sum]) -> Option<Drops> {
    if tx.transaction_type.as_deref()? != "Remit" {
        return Some(Drops::default());
    }
    let native = tx.amounts.iter().filter_map(|amount| amount.drops());
    let ordered = native.fold(0_u64, |sum, drops| sum.saturating_add(drops.get()));
    let came = came.iter().find_map(Sum::drops).unwrap_or_default();
    came.get().checked_sub(ordered).map(Drops::new)
}

/// The one sum that is left without a reserve; `None` where there are more, or none.
fn without(sums: Vec<Sum>, reserve: Drops) -> Option<Sum> {
    let reserve = Sum::of_drops(reserve).negative();
    let mut rest = Vec::new();
    for sum in sums {
        let sum = if sum.unit() == Unit::Xah {
            sum.plus(reserve)?
        } else {
            sum
        };
        if !sum.is_zero() {
            rest.push(sum);
        }
    }
    match rest.as_slice() {
        [one] if one.is_above_zero() => Some(*one),
        _ => None,
    }
}

fn made_for(receiver: AccountId, meta: &MetaReply) -> Made {
    let is_line = meta.made_lines.iter().any(|line| line.contains(&receiver));
    match (meta.made_accounts.contains(&receiver), is_line) {
        (true, true) => Made::AccountAndLines,
        (true, false) => Made::Account,
        (false, true) => Made::Lines,
        (false, false) => Made::Nothing,
    }
}
