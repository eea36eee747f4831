//! BALANCE and HISTORY: read-only questions, answered from a node.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value, json};

use super::compose::{Draft, Subject, compose};
use super::page::{Page, xah};
use super::texts::{self, Account, Payment};
use super::{Ask, AskError, Asking, NoticeRules};
use crate::clock::Clock;
use crate::limits::{HISTORY_PAYMENTS_MAX, HISTORY_TRANSACTIONS_MAX};
use crate::queue::{Entry, Notice, NoticeKind, Request};

/// From 1970-01-01 to 2000-01-01, the ledger's epoch, seconds.
const LEDGER_EPOCH_SECS: u64 = 946_684_800;

/// Why a node did not say what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A node answered with an error: its token, such as `actNotFound`.
    #[error("{0}")]
    Refused(String),
    /// No node answered.
    #[error("{0}")]
    NoNode(String),
}

/// A request that is being made.
pub type Requesting<'a> = Pin<Box<dyn Future<Output = Result<Value, RequestError>> + Send + 'a>>;

/// Nodes that can be asked.
pub trait Requests: Send + Sync {
    /// The `result` of a method, from whichever node answers.
    fn request<'a>(&'a self, method: &'a str, params: Map<String, Value>) -> Requesting<'a>;
}

/// Answers BALANCE and HISTORY.
pub struct Teller<N> {
    rules: NoticeRules,
    nodes: N,
    clock: Clock,
}

impl<N: Requests> Teller<N> {
    /// Asks these nodes.
    pub fn new(rules: NoticeRules, nodes: N, clock: Clock) -> Teller<N> {
        Teller { rules, nodes, clock }
    }

    async fn tell(&self, entry: &Entry) -> Result<Vec<Notice>, AskError> {
        let (kind, page) = match &entry.request {
            Request::Order { .. } => return Err(AskError::NoQuestion),
            Request::Balance => (NoticeKind::Balance, self.balance(entry).await?),
            Request::History => (NoticeKind::History, self.history(entry).await?),
        };
        let draft = Draft {
            kind,
            to: entry.from.as_str(),
            subject: Subject::OfTheMail("Your account on the Xahau ledger"),
            page,
        };
        let now = (self.clock)();
        Ok(Vec::from_iter(compose(&self.rules, entry, draft, now)))
    }

    async fn balance(&self, entry: &Entry) -> Result<Page, AskError> {
        let Some(info) = self.account_info(entry).await? else {
            return self.no_account(entry).await;
        };
        let (base, step) = self.reserves().await?;
        let account = account_of(&info, base, step)?;
        Ok(texts::balance(&self.rules, entry, &account))
    }

    async fn history(&self, entry: &Entry) -> Result<Page, AskError> {
        if self.account_info(entry).await?.is_none() {
            return self.no_account(entry).await;
        }
        let params = object(json!({
            "account": account(entry),
            "ledger_index_min": -1,
            "ledger_index_max": -1,
            "limit": HISTORY_TRANSACTIONS_MAX,
        }));
        let found = self.request("account_tx", params).await?;
        let transactions = found.get("transactions").and_then(Value::as_array);
        let transactions = transactions.ok_or(AskError::BadAnswer {
            method: "account_tx",
            what: "transactions",
        })?;
        let account = account(entry);
        let payments: Vec<Payment> = transactions
            .iter()
            .filter_map(|transaction| payment_of(transaction, &account))
            .take(HISTORY_PAYMENTS_MAX)
            .collect();
        Ok(texts::history(&self.rules, entry, &payments))
    }

    async fn no_account(&self, entry: &Entry) -> Result<Page, AskError> {
        let (base, _) = self.reserves().await?;
        Ok(texts::no_account(&self.rules, entry, base))
    }

    /// `None` where there is no such account.
    async fn account_info(&self, entry: &Entry) -> Result<Option<Value>, AskError> {
        let params = object(json!({ "account": account(entry), "ledger_index": "validated" }));
        match self.nodes.request("account_info", params).await {
            Ok(info) => Ok(Some(info)),
            Err(RequestError::Refused(token)) if token == "actNotFound" => Ok(None),
            Err(error) => Err(AskError::NoNode(error.to_string())),
        }
    }

    /// Reserve of an account and of each thing it owns, drops.
    async fn reserves(&self) -> Result<(Option<u64>, Option<u64>), AskError> {
        let found = self.request("server_info", Map::new()).await?;
        let ledger = found.pointer("/info/validated_ledger");
        let drops = |names: [&str; 2]| {
            let mut values = names.iter().filter_map(|name| ledger?.get(name));
            values.next().and_then(drops_of_xah)
        };
        Ok((
            drops(["reserve_base_native", "reserve_base_xrp"]),
            drops(["reserve_inc_native", "reserve_inc_xrp"]),
        ))
    }

    async fn request(&self, method: &str, params: Map<String, Value>) -> Result<Value, AskError> {
        let answer = self.nodes.request(method, params).await;
        answer.map_err(|error| AskError::NoNode(error.to_string()))
    }
}

impl<N: Requests> Ask for Teller<N> {
    fn ask<'a>(&'a self, entry: &'a Entry) -> Asking<'a> {
        Box::pin(self.tell(entry))
    }
}

/// The sender's account, as nodes write it.
fn account(entry: &Entry) -> String {
    entry.from.account().to_string()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A number of XAH as nodes show it, such as 0.2, in drops. Read as text: no float decides an amount.
fn drops_of_xah(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(part)
}

fn account_of(info: &Value, base: Option<u64>, step: Option<u64>) -> Result<Account, AskError> {
    let bad = |what| AskError::BadAnswer {
        method: "account_info",
        what,
    };
    let root = info.get("account_data").ok_or(bad("account_data"))?;
    let balance = root.get("Balance").and_then(Value::as_str);
    let balance_drops = balance.and_then(|text| text.parse().ok()).ok_or(bad("Balance"))?;
    let owned = root.get("OwnerCount").and_then(Value::as_u64);
    let reserve_drops = match (base, step, owned) {
        (Some(base), Some(step), Some(owned)) => {
            step.checked_mul(owned).and_then(|owned| owned.checked_add(base))
        }
        _ => None,
    };
    let flags = root.get("Flags").and_then(Value::as_u64).ok_or(bad("Flags"))?;
    let shut_out = u64::from(codec::flags::LSF_DISABLE_MASTER | codec::flags::LSF_DISABLE_EMAIL);
    let key = root.get("RegularKey").and_then(Value::as_str);
    Ok(Account {
        balance_drops,
        reserve_drops,
        regular_key: key.map(str::to_owned),
        can_mail_spend: flags & shut_out == 0,
        ledger_index: info.get("ledger_index").and_then(Value::as_u64),
    })
}

/// A payment of or to the account; `None` for all other transactions, and for what is not understood.
fn payment_of(transaction: &Value, account: &str) -> Option<Payment> {
    if transaction.get("validated") != Some(&Value::Bool(true)) {
        return None;
    }
    let tx = transaction.get("tx").or_else(|| transaction.get("tx_json"))?;
    let meta = transaction.get("meta")?;
    let text = |name: &str| tx.get(name).and_then(Value::as_str);
    let amount = match text("TransactionType")? {
        // Each amount of a Remit is delivered in full or the transaction fails; a payment may deliver a part.
        "Remit" => remitted(tx.get("Amounts").and_then(Value::as_array)),
        "Payment" => {
            let delivered = ["delivered_amount", "DeliveredAmount"];
            let delivered = delivered.iter().find_map(|name| meta.get(name));
            amount_of(delivered.or_else(|| tx.get("Amount"))?)?
        }
        _ => return None,
    };
    let (sender, receiver) = (text("Account")?, text("Destination")?);
    let (direction, other) = match (sender == account, receiver == account) {
        (true, _) => ("out", receiver),
        (false, true) => ("in", sender),
        (false, false) => return None,
    };
    let result = meta.get("TransactionResult").and_then(Value::as_str)?;
    let date = tx.get("date").and_then(Value::as_u64);
    Some(Payment {
        unix_secs: date.and_then(|date| date.checked_add(LEDGER_EPOCH_SECS)),
        direction,
        amount,
        other: other.to_owned(),
        failure: (result != "tesSUCCESS").then(|| result.to_owned()),
        hash: text("hash").map(str::to_owned),
    })
}

fn remitted(amounts: Option<&Vec<Value>>) -> String {
    let entries = amounts.map(Vec::as_slice).unwrap_or_default();
    let mut shown = entries
        .iter()
        .filter_map(|entry| amount_of(entry.pointer("/AmountEntry/Amount")?));
    let first = shown.next().unwrap_or_else(|| "no money".to_owned());
    match shown.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Drops as XAH; an issued amount with its currency and issuer.
fn amount_of(amount: &Value) -> Option<String> {
    if let Some(drops) = amount.as_str() {
        return Some(xah(drops.parse().ok()?));
    }
    let text = |name: &str| amount.get(name).and_then(Value::as_str);
    Some(format!(
        "{} {}/{}",
        text("value")?,
        text("currency")?,
        text("issuer")?
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::notices::tests::{assert_golden, entry, rules};
    use crate::queue::Dkim;

    /// Answers by method, as a node gives them.
    struct Nodes(Vec<(&'static str, Result<Value, RequestError>)>);

    impl Requests for Nodes {
        fn request<'a>(&'a self, method: &'a str, _params: Map<String, Value>) -> Requesting<'a> {
            let known = self.0.iter().find(|(name, _)| *name == method);
            let answer = known.map_or(Err(RequestError::NoNode("down".to_owned())), |(_, answer)| {
                answer.clone()
            });
            Box::pin(async move { answer })
        }
    }

    fn teller(answers: Vec<(&'static str, Result<Value, RequestError>)>) -> Teller<Nodes> {
        Teller::new(rules(), Nodes(answers), Arc::new(|| 1_795_000_009))
    }

    fn question(request: Request) -> Entry {
        let mut entry = entry();
        (entry.id, entry.request) = (entry.about(), request);
        entry.thread.subject = "Money?".to_owned();
        entry
    }

    fn server_info() -> Value {
        json!({ "info": { "validated_ledger": { "reserve_base_xrp": 1, "reserve_inc_xrp": 0.2 } } })
    }

    fn account_info(flags: u32, key: Option<&str>) -> Value {
        json!({ "account_data": { "Balance": "12500000", "OwnerCount": 2, "Flags": flags, "RegularKey": key },
                "ledger_index": 77, "validated": true })
    }

    #[tokio::test]
    async fn golden_balance() {
        let teller = teller(vec![
            ("account_info", Ok(account_info(0, None))),
            ("server_info", Ok(server_info())),
        ]);
        let answers = teller.ask(&question(Request::Balance)).await.expect("answered");
        assert_golden("balance", &answers[0]);
    }

    #[tokio::test]
    async fn keys_that_can_spend_are_told() {
        let key = Some("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
        for (flags, key, expected) in [
            (0, key, "mail from your address, and"),
            (codec::flags::LSF_DISABLE_EMAIL, key, "alone; mail is shut out"),
            (codec::flags::LSF_DISABLE_MASTER, key, "alone; mail is shut out"),
            (codec::flags::LSF_DISABLE_MASTER, None, "neither mail nor a key"),
        ] {
            let teller = teller(vec![
                ("account_info", Ok(account_info(flags, key))),
                ("server_info", Ok(json!({}))),
            ]);
            let answers = teller.ask(&question(Request::Balance)).await.expect("answered");
            let text = answers[0].mail.replace("\r\n               ", " ");
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains("Reserve"), "a reserve that no node told");
        }
    }

    /// The transactions of recorded ledgers, each as `account_tx` shows it.
    fn recorded(name: &str) -> Value {
        let path = format!(
            "{}/../fixtures/golden/xahaud/cases/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).expect("fixture");
        let case: Value = serde_json::from_str(&text).expect("JSON");
        json!({ "tx": case["tx"], "meta": case["tx"]["meta"], "validated": true })
    }

    #[tokio::test]
    async fn golden_history() {
        let names = [
            "054_remit_insufficient_native",
            "041_remit_tag_invoice",
            "037_remit_iou_over_trust_limit",
            "032_remit_iou_redeem_to_issuer",
            "039_remit_native_and_iou_create",
            "024_remit_native_existing",
            "023_pay_xah_alice_bob",
            "014_trust_alice_USD_gw2",
            "001_fund_alice",
        ];
        // An account of the recorded ledgers, in place of the one of the address.
        let (own, recorded_as) = (account(&entry()), "rQpBBqgZR4tfdU6mC8TExJFY4WLqRqvoqs");
        let transactions = json!(names.map(recorded)).to_string().replace(recorded_as, &own);
        let transactions: Value = serde_json::from_str(&transactions).expect("JSON");
        let teller = teller(vec![
            ("account_info", Ok(account_info(0, None))),
            ("account_tx", Ok(json!({ "transactions": transactions }))),
        ]);
        let mut answers = teller.ask(&question(Request::History)).await.expect("answered");
        answers[0].mail = answers[0].mail.replace(&own, recorded_as);
        assert_golden("history", &answers[0]);
    }

    #[tokio::test]
    async fn golden_no_account() {
        let teller = teller(vec![
            (
                "account_info",
                Err(RequestError::Refused("actNotFound".to_owned())),
            ),
            ("server_info", Ok(server_info())),
        ]);
        let answers = teller.ask(&question(Request::Balance)).await.expect("answered");
        assert_golden("no_account", &answers[0]);
        let answers = teller.ask(&question(Request::History)).await.expect("answered");
        assert!(answers[0].mail.contains("There is no account"));
    }

    #[tokio::test]
    async fn rejects_answers_that_are_not_understood() {
        for info in [
            json!(null),
            json!({ "account_data": [] }),
            json!({ "account_data": { "Balance": -5, "Flags": 0 } }),
            json!({ "account_data": { "Balance": "1e9", "Flags": 0 } }),
            json!({ "account_data": { "Balance": "1" } }),
        ] {
            let teller = teller(vec![
                ("account_info", Ok(info)),
                ("server_info", Ok(server_info())),
                ("account_tx", Ok(json!({ "transactions": 7 }))),
            ]);
            for kind in [Request::Balance, Request::History] {
                let error = teller.ask(&question(kind)).await.expect_err("bad answer");
                assert!(matches!(error, AskError::BadAnswer { .. }), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn a_node_that_is_down_is_asked_again() {
        let teller = teller(vec![]);
        let error = teller.ask(&question(Request::Balance)).await.expect_err("down");
        assert!(matches!(error, AskError::NoNode(_)), "{error}");
    }

    #[tokio::test]
    async fn rejects_orders_and_whom_must_not_be_answered() {
        let teller = teller(vec![
            ("account_info", Ok(account_info(0, None))),
            ("server_info", Ok(server_info())),
        ]);
        assert_eq!(teller.ask(&entry()).await, Err(AskError::NoQuestion));
        let mut unproven = question(Request::Balance);
        unproven.dkim = Dkim::Unproven;
        assert_eq!(teller.ask(&unproven).await, Ok(vec![]));
        let mut robot = question(Request::Balance);
        robot.may_answer = false;
        assert_eq!(teller.ask(&robot).await, Ok(vec![]));
    }

    #[test]
    fn hostile_transactions_are_left_out() {
        let me = "rQpBBqgZR4tfdU6mC8TExJFY4WLqRqvoqs";
        let good = recorded("024_remit_native_existing");
        assert!(payment_of(&good, me).is_some());
        for path in [
            "/validated",
            "/tx",
            "/meta",
            "/tx/Account",
            "/tx/TransactionType",
            "/meta/TransactionResult",
        ] {
            for bad in [json!(null), json!([]), json!(5), json!("x"), json!({})] {
                let mut changed = good.clone();
                *changed.pointer_mut(path).expect("member") = bad.clone();
                let is_text_where_text_belongs = path == "/meta/TransactionResult" && bad.is_string();
                let is_known = payment_of(&changed, me).is_some();
                assert_eq!(is_known, is_text_where_text_belongs, "{path} {bad}");
            }
        }
    }

    #[test]
    fn amounts_of_nodes_are_read_as_text() {
        assert_eq!(drops_of_xah(&json!(0.2)), Some(200_000));
        assert_eq!(drops_of_xah(&json!(1)), Some(1_000_000));
        assert_eq!(drops_of_xah(&json!("12.000001")), Some(12_000_001));
        for bad in [
            json!(-1),
            json!(1e-7),
            json!("1.0000001"),
            json!(""),
            json!(null),
            json!(u64::MAX),
        ] {
            assert_eq!(drops_of_xah(&bad), None, "{bad}");
        }
    }
}
