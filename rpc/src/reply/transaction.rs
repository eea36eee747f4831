//! Transactions and their metadata as nodes show them.

use codec::{AccountId, CloseTime, Drops, Hash256};
use serde_json::Value;

use super::amount::AmountReply;
use super::changes::Changes;
use super::members::{Members, account, close_time, drops, hash, list, text, u32_number};

/// A transaction. What is missing or malformed is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionReply {
    /// `TransactionType`.
    pub transaction_type: Option<String>,
    /// `Account`.
    pub account: Option<AccountId>,
    /// `Destination`.
    pub destination: Option<AccountId>,
    /// `Sequence`.
    pub sequence: Option<u32>,
    /// `Fee`.
    pub fee: Option<Drops>,
    /// `Amount`, of a Payment.
    pub amount: Option<AmountReply>,
    /// `Amounts`, of a Remit; without those that are malformed.
    pub amounts: Vec<AmountReply>,
    /// `hash`.
    pub hash: Option<Hash256>,
    /// `date`: close time of its ledger.
    pub date: Option<CloseTime>,
}

impl TransactionReply {
    pub(crate) fn read(value: &Value) -> TransactionReply {
        let members = Members::of(value);
        let amount = |entry| {
            let entry = Members::of(entry).object("AmountEntry").ok()?;
            entry.shown("AmountEntry.Amount", AmountReply::read)
        };
        let amounts = members.shown("Amounts", list);
        TransactionReply {
            transaction_type: members.shown("TransactionType", text),
            account: members.shown("Account", account),
            destination: members.shown("Destination", account),
            sequence: members.shown("Sequence", u32_number),
            fee: members.shown("Fee", drops),
            amount: members.shown("Amount", AmountReply::read),
            amounts: amounts.into_iter().flatten().filter_map(amount).collect(),
            hash: members.shown("hash", hash),
            date: members.shown("date", close_time),
        }
    }
}

/// What a transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaReply {
    /// `TransactionResult`, as the node writes it.
    pub result: Option<String>,
    /// `delivered_amount` or `DeliveredAmount`.
    pub delivered: Delivered,
    /// Accounts that it made.
    pub made_accounts: Vec<AccountId>,
    /// Both accounts of each trust line that it made.
    pub made_lines: Vec<[AccountId; 2]>,
    /// By how much it changed balances; `None` where that is not understood.
    pub changes: Option<Changes>,
}

/// What a payment delivered: a partial payment delivers less than its `Amount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The metadata does not say it: all of the amount.
    Unsaid,
    /// This much.
    Amount(AmountReply),
    /// The metadata says it in a form that is not understood.
    Unreadable,
}

impl MetaReply {
    pub(crate) fn read(value: &Value) -> MetaReply {
        let members = Members::of(value);
        let said = members
            .get("delivered_amount")
            .or_else(|| members.get("DeliveredAmount"));
        let nodes = || members.shown("AffectedNodes", list).into_iter().flatten();
        MetaReply {
            result: members.shown("TransactionResult", text),
            delivered: said.map_or(Delivered::Unsaid, |amount| {
                AmountReply::read(amount).map_or(Delivered::Unreadable, Delivered::Amount)
            }),
            made_accounts: nodes().filter_map(made_account).collect(),
            made_lines: nodes().filter_map(made_line).collect(),
            changes: Changes::read(value),
        }
    }
}

/// The fields of an entry of this type that was made.
fn made<'a>(node: &'a Value, kind: &str) -> Option<Members<'a>> {
    let made = Members::of(node).object("CreatedNode").ok()?;
    let is_of_kind = made.shown("CreatedNode.LedgerEntryType", text)? == kind;
    let fields = made.object("CreatedNode.NewFields").ok()?;
    is_of_kind.then_some(fields)
}

fn made_account(node: &Value) -> Option<AccountId> {
    made(node, "AccountRoot")?.shown("CreatedNode.NewFields.Account", account)
}

fn made_line(node: &Value) -> Option<[AccountId; 2]> {
    let fields = made(node, "RippleState")?;
    let side = |name| Members::of(fields.value(name)?).shown("issuer", account);
    Some([side("LowLimit")?, side("HighLimit")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A transaction of a recorded ledger.
    fn recorded(name: &str) -> Value {
        let path = format!(
            "{}/../fixtures/golden/xahaud/cases/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let case: Value =
            serde_json::from_str(&std::fs::read_to_string(path).expect("recorded")).expect("JSON");
        case["tx"].clone()
    }

    #[test]
    fn accepts_recorded_transactions() {
        let tx = recorded("039_remit_native_and_iou_create");
        let read = TransactionReply::read(&tx);
        assert_eq!(read.transaction_type.as_deref(), Some("Remit"));
        assert!(read.account.is_some() && read.destination.is_some() && read.hash.is_some());
        assert_eq!(
            read.amounts.first(),
            Some(&AmountReply::Native(Drops::new(1_000_000)))
        );
        let issued = |amount: &&AmountReply| matches!(amount, AmountReply::Issued { .. });
        assert_eq!(read.amounts.iter().filter(issued).count(), 2);
        let meta = MetaReply::read(&tx["meta"]);
        assert_eq!(meta.result.as_deref(), Some("tesSUCCESS"));
        assert_eq!(meta.made_accounts.first().copied(), read.destination);
        let meta = MetaReply::read(&recorded("023_pay_xah_alice_bob")["meta"]);
        assert!(meta.made_accounts.is_empty());
    }

    #[test]
    fn rejects_an_unreadable_delivered_amount_instead_of_leaving_it_out() {
        for (meta, expected) in [
            (json!({}), Delivered::Unsaid),
            (json!({"delivered_amount": "unavailable"}), Delivered::Unreadable),
            (json!({"delivered_amount": null}), Delivered::Unreadable),
            (
                json!({"DeliveredAmount": "5"}),
                Delivered::Amount(AmountReply::Native(Drops::new(5))),
            ),
        ] {
            assert_eq!(MetaReply::read(&meta).delivered, expected, "{meta}");
        }
    }

    #[test]
    fn leaves_out_what_is_malformed() {
        for bad in [json!(null), json!([]), json!(5), json!("x"), json!({})] {
            let members =
                json!({ "Account": bad, "Fee": bad, "Amounts": [bad, { "AmountEntry": bad }], "hash": bad });
            assert_eq!(
                TransactionReply::read(&members),
                TransactionReply::default(),
                "{bad}"
            );
            let nodes = json!({ "AffectedNodes": [bad, { "CreatedNode": bad }] });
            assert_eq!(MetaReply::read(&nodes).made_accounts, [], "{bad}");
        }
    }
}
