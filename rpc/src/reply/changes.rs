//! By how much a transaction changed the balances of accounts, from its metadata.

use codec::{AccountId, Amount};
use serde_json::Value;

use super::members::{Members, account};
use super::money::{Decimal, Sum, Unit, unit_of};
use crate::limits::REPLY_LIST_MAX;

/// By how much the balances of accounts differ after a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes(Vec<(AccountId, Sum)>);

impl Changes {
    /// Those that metadata shows; `None` where it is not understood, or has more entries than are read.
    pub(crate) fn read(meta: &Value) -> Option<Changes> {
        let nodes = meta.get("AffectedNodes")?.as_array()?;
        if nodes.len() > REPLY_LIST_MAX {
            return None;
        }
        let mut changes = Changes::default();
        for node in nodes {
            changes.read_node(Members::of(node))?;
        }
        Some(changes)
    }

    fn read_node(&mut self, node: Members<'_>) -> Option<()> {
        let (kind, fields, before) = match (
            node.value("CreatedNode"),
            node.value("ModifiedNode").or(node.value("DeletedNode")),
        ) {
            (Some(made), None) => (made.get("LedgerEntryType")?, made.get("NewFields"), None),
            (None, Some(node)) => {
                let before = node
                    .get("PreviousFields")
                    .and_then(|fields| fields.get("Balance"));
                // An entry whose balance stays as it is.
                let Some(before) = before else {
                    return Some(());
                };
                (
                    node.get("LedgerEntryType")?,
                    node.get("FinalFields"),
                    Some(before),
                )
            }
            (None, None) | (Some(_), Some(_)) => return None,
        };
        match kind.as_str()? {
            "AccountRoot" => self.read_account(Members::of(fields?), before),
            "RippleState" => self.read_line(Members::of(fields?), before),
            _ => Some(()),
        }
    }

    fn read_account(&mut self, fields: Members<'_>, before: Option<&Value>) -> Option<()> {
        let account = fields.value("Account").and_then(account)?;
        let native = |value: &Value| {
            let amount = codec::json::amount_from_json(value)?;
            Decimal::of(&amount).filter(|_| amount.is_native())
        };
        let after = fields.value("Balance").map_or(Some(Decimal::ZERO), native)?;
        let before = before.map_or(Some(Decimal::ZERO), native)?;
        self.add(account, Unit::Xah, after.plus(before.negative())?)
    }

    /// The balance of a line is that of its low account: above zero the high account owes it, below zero it
    /// owes the high account.
    fn read_line(&mut self, fields: Members<'_>, before: Option<&Value>) -> Option<()> {
        let issued = |value: &Value| match codec::json::amount_from_json(value)? {
            Amount::Issued(issued) => Some(issued),
            Amount::Native(_) => None,
        };
        let limit = |path| fields.value(path).and_then(issued);
        let (low, high) = (limit("LowLimit")?.issuer(), limit("HighLimit")?.issuer());
        let balance = limit("Balance")?;
        let after = Decimal::of(&Amount::Issued(balance))?;
        let before = match before {
            Some(before) => Decimal::of(&Amount::Issued(issued(before)?))?,
            None => Decimal::ZERO,
        };
        for (account, other, sign) in [(low, high, 1), (high, low, -1)] {
            let side = |number: Decimal| if sign > 0 { number } else { number.negative() };
            let (before, after) = (side(before), side(after));
            let holds = after.above_zero().plus(before.above_zero().negative())?;
            self.add(account, unit_of(&balance, other), holds)?;
            let owes = |number: Decimal| number.negative().above_zero();
            let owed = owes(before).plus(owes(after).negative())?;
            self.add(account, unit_of(&balance, account), owed)?;
        }
        Some(())
    }

    fn add(&mut self, account: AccountId, unit: Unit, value: Decimal) -> Option<()> {
        let more = Sum::new(value, unit);
        let known = self.0.iter_mut();
        let mut known = known.filter(|(of, sum)| (*of, sum.unit()) == (account, unit));
        match known.next() {
            Some((_, sum)) => *sum = sum.plus(more)?,
            None => self.0.push((account, more)),
        }
        Some(())
    }

    /// Those of one account.
    pub(super) fn of(&self, account: AccountId) -> impl Iterator<Item = Sum> {
        let own = self.0.iter().filter(move |(of, _)| *of == account);
        own.map(|(_, sum)| *sum).filter(|sum| !sum.is_zero())
    }
}
