//! What people are told about money equals the ledger: figures from the metadata of recorded transactions of
//! the real server, against the balances of its state before and after.

use std::collections::BTreeMap;
use std::path::PathBuf;

use codec::{AccountId, Amount, IssuedAmount, Object, sf};
use rpc::methods::{AccountTxRequest, AccountTxRow, Request};
use rpc::reply::{Made, Movement, Receipt, Sum};
use serde_json::{Value, json};

/// Digits behind the point that the figures here have: more than any recorded amount.
const PLACES: i32 = 24;

/// How much of each money; what an account issued itself counts below zero.
type Purse = BTreeMap<String, i128>;

fn scaled(mantissa: i128, exponent: i32) -> i128 {
    let power = u32::try_from(PLACES + exponent).expect("few places");
    mantissa * 10_i128.pow(power)
}

fn text_scaled(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mantissa = format!("{whole}{part}").parse().expect("digits");
    scaled(mantissa, -i32::try_from(part.len()).expect("few places"))
}

fn issued(object: &Object, name: codec::Field) -> IssuedAmount {
    match object.amount(name) {
        Some(Amount::Issued(issued)) => issued,
        other => panic!("a line with {other:?}"),
    }
}

/// What an account has in a recorded state.
fn purse(state: &Value, account: AccountId) -> Purse {
    let mut purse = Purse::new();
    let mut add = |unit: String, value: i128| *purse.entry(unit).or_default() += value;
    for entry in state.as_array().expect("entries") {
        let bytes = hex::decode(entry["data"].as_str().expect("hex")).expect("hex");
        let object = codec::decode(&bytes).expect("an entry");
        match codec::format::EntryType::of(&object) {
            Some(codec::format::EntryType::AccountRoot) if object.account(sf::ACCOUNT) == Some(account) => {
                let drops = object.amount(sf::BALANCE).and_then(|balance| balance.as_drops());
                add("XAH".to_owned(), scaled(drops.expect("drops").get().into(), -6));
            }
            Some(codec::format::EntryType::RippleState) => {
                let (low, high) = (issued(&object, sf::LOW_LIMIT), issued(&object, sf::HIGH_LIMIT));
                let balance = issued(&object, sf::BALANCE);
                let value = scaled(balance.mantissa().into(), balance.exponent());
                let (other, value) = match account {
                    of if of == low.issuer() => (high.issuer(), value),
                    of if of == high.issuer() => (low.issuer(), -value),
                    _ => continue,
                };
                let issuer = if value > 0 { other } else { account };
                add(format!("{}/{issuer}", balance.currency()), value);
            }
            _ => {}
        }
    }
    purse
}

/// By how much a purse grew. Zeros are left out.
fn growth(case: &Value, account: AccountId) -> Purse {
    let (before, mut grown) = (
        purse(&case["state_before"], account),
        purse(&case["state_after"], account),
    );
    for (unit, value) in before {
        *grown.entry(unit).or_default() -= value;
    }
    grown.retain(|_, value| *value != 0);
    grown
}

/// The same of what is told.
fn told(movement: &Movement) -> Purse {
    let mut purse = Purse::new();
    let parts = |sum: &Sum| {
        let text = sum.to_string();
        let (value, unit) = text.split_once(' ').expect("two words");
        (unit.to_owned(), text_scaled(value))
    };
    for (unit, value) in movement.came.iter().map(parts) {
        *purse.entry(unit).or_default() += value;
    }
    for (unit, value) in movement.left.iter().map(parts) {
        *purse.entry(unit).or_default() -= value;
    }
    *purse.entry("XAH".to_owned()).or_default() -= scaled(movement.fee.get().into(), -6);
    purse.retain(|_, value| *value != 0);
    purse
}

fn cases() -> impl Iterator<Item = (String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/golden/xahaud/cases");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("recordings")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).expect("a recording");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("JSON"))
    })
}

/// A recorded transaction as a node shows it; `None` where it is in no ledger.
fn row(case: &Value) -> Option<AccountTxRow> {
    case["tx"]["meta"].as_object()?;
    let row = json!({ "tx": case["tx"], "meta": case["tx"]["meta"], "validated": true });
    let reply = AccountTxRequest::read(&json!({ "transactions": [row] })).expect("a reply");
    reply.transactions.into_iter().next()
}

fn text(sum: Sum) -> String {
    sum.to_string()
}

#[test]
fn told_figures_are_the_differences_of_balances_in_every_recording() {
    let mut told_of = 0;
    for (name, case) in cases() {
        let Some(AccountTxRow {
            transaction: Some(tx),
            meta: Some(meta),
            ..
        }) = row(&case)
        else {
            continue;
        };
        for account in tx.account.into_iter().chain(tx.destination) {
            let movement = Movement::of(account, &tx, &meta).expect("understood");
            assert_eq!(told(&movement), growth(&case, account), "{name}: {account}");
            told_of += 1;
        }
        let Some(receipt) = Receipt::of(&tx, &meta) else {
            continue;
        };
        let (sender, receiver) = (tx.account.expect("a sender"), tx.destination.expect("a receiver"));
        for (account, amount, xah, sign) in [
            (sender, receipt.left(), receipt.xah_left(), -1),
            (receiver, receipt.arrived(), receipt.xah_arrived(), 1),
        ] {
            let mut purse = Purse::new();
            for sum in [amount, xah] {
                let text = text(sum);
                let (value, unit) = text.split_once(' ').expect("two words");
                // XAH in all holds the amount, where that is XAH.
                purse.insert(unit.to_owned(), sign * text_scaled(value));
            }
            purse.retain(|_, value| *value != 0);
            assert_eq!(purse, growth(&case, account), "{name}: {account}");
        }
    }
    assert!(told_of > 100, "{told_of}");
}

fn receipt(name: &str) -> Option<Receipt> {
    let (_, case) = cases().find(|(known, _)| known == name).expect("a recording");
    let row = row(&case).expect("in a ledger");
    Receipt::of(&row.transaction?, &row.meta?)
}

/// A Remit pays the reserve of what it makes on top of its amount; the figures are those of the recordings.
#[test]
fn accepts_reserves_of_a_new_account_and_a_new_line() {
    let issuer = "rpVbtmW3WgZAgs3fUixHCW3fz7JYc8WMgC";
    for (name, left, xah_left, xah_arrived, made) in [
        (
            "024_remit_native_existing",
            "7 XAH".to_owned(),
            "7.00001 XAH",
            "7 XAH",
            Made::Nothing,
        ),
        (
            "028_remit_native_create",
            "5 XAH".to_owned(),
            "6.00001 XAH",
            "6 XAH",
            Made::Account,
        ),
        (
            "036_remit_iou_issuer_creates_line_on_existing",
            format!("3 USD/{issuer}"),
            "0.20001 XAH",
            "0.2 XAH",
            Made::Lines,
        ),
    ] {
        let receipt = receipt(name).expect("a payment");
        assert_eq!(text(receipt.left()), left, "{name}");
        assert_eq!(text(receipt.xah_left()), xah_left, "{name}");
        assert_eq!(text(receipt.xah_arrived()), xah_arrived, "{name}");
        assert_eq!(receipt.made, made, "{name}");
    }
}

/// Issuer gw2 takes a hundredth of what others send each other.
#[test]
fn accepts_a_transfer_rate_as_what_left_above_what_arrived() {
    let receipt = receipt("033_remit_iou_holder_holder_transfer_rate").expect("a payment");
    let issuer = "rJ3fECb6u9h48TdJJH9zaG2Xoqw8icv4T6";
    assert_eq!(text(receipt.left()), format!("101 USD/{issuer}"));
    assert_eq!(text(receipt.arrived()), format!("100 USD/{issuer}"));
}

#[test]
fn rejects_a_receipt_for_what_failed_or_moved_several_amounts() {
    for name in [
        "054_remit_insufficient_native",
        "055_remit_insufficient_iou",
        "039_remit_native_and_iou_create",
        "084_setregularkey",
    ] {
        assert_eq!(receipt(name), None, "{name}");
    }
}

#[test]
fn rejects_metadata_that_is_not_understood() {
    let (_, case) = cases()
        .find(|(name, _)| name == "024_remit_native_existing")
        .expect("a recording");
    let nodes = case["tx"]["meta"]["AffectedNodes"].as_array().expect("nodes");
    for bad in [
        json!(null),
        json!(7),
        json!("1e9"),
        json!({ "value": "1" }),
        json!(""),
    ] {
        let mut changed = case.clone();
        let mut count = 0;
        for at in 0..nodes.len() {
            let path = format!("/tx/meta/AffectedNodes/{at}/ModifiedNode/FinalFields/Balance");
            if let Some(balance) = changed.pointer_mut(&path) {
                *balance = bad.clone();
                count += 1;
            }
        }
        assert!(count > 0);
        let row = row(&changed).expect("in a ledger");
        let (tx, meta) = (row.transaction.expect("shown"), row.meta.expect("shown"));
        let is_gone = bad.is_null();
        // A balance that is left out is zero, as in the ledger's own form; anything else is not understood.
        assert_eq!(Receipt::of(&tx, &meta), None, "{bad}");
        assert_eq!(
            Movement::of(tx.account.expect("a sender"), &tx, &meta).is_some(),
            is_gone,
            "{bad}"
        );
    }
}

#[test]
fn sums_are_read_as_they_are_shown() {
    let issuer = "rJ3fECb6u9h48TdJJH9zaG2Xoqw8icv4T6";
    for shown in [
        "10 XAH".to_owned(),
        "0.000001 XAH".to_owned(),
        format!("899999999999999.8765 USD/{issuer}"),
        format!("9999999999999999e80 USD/{issuer}"),
        format!("0.0000000000001 USD/{issuer}"),
    ] {
        let sum: Sum = shown.parse().expect("a sum");
        assert_eq!(sum.to_string(), shown);
    }
    for bad in ["", "10", "10 USD", "ten XAH", "10 XAH/rX", " XAH", "1e XAH"] {
        assert!(bad.parse::<Sum>().is_err(), "{bad}");
    }
}
