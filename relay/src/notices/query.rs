//! BALANCE and HISTORY: read-only questions, answered from a node.

use std::future::Future;

use codec::{AccountId, CloseTime, Drops};
use rpc::api::{AccountTxQuery, LedgerChoice, LedgerRange, TxOrder};
use rpc::methods::{
    AccountInfoReply, AccountInfoRequest, AccountTxRequest, AccountTxRow, Form, Request as NodeRequest,
    ServerInfoRequest,
};
use rpc::reply::{AmountReply, BadReply, Delivered};

use super::compose::{Draft, Subject, compose};
use super::page::{Page, xah};
use super::texts::{self, Account, Payment};
use super::{Ask, AskError, Asking, NoticeRules};
use crate::clock::Clock;
use crate::limits::{HISTORY_PAYMENTS_MAX, HISTORY_TRANSACTIONS_MAX};
use crate::queue::{Entry, Notice, NoticeKind, Request};

/// Why a node did not say what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A node answered with an error: its token, such as `actNotFound`.
    #[error("{0}")]
    Refused(String),
    /// A node's reply is not understood.
    #[error(transparent)]
    Malformed(BadReply),
    /// No node answered.
    #[error("{0}")]
    NoNode(String),
}

/// Nodes that can be asked.
pub trait Requests: Send + Sync {
    /// The reply of whichever node answers.
    fn call<R>(&self, request: R) -> impl Future<Output = Result<R::Reply, RequestError>> + Send
    where
        R: NodeRequest + Send + Sync,
        R::Reply: Send;
}

/// Answers BALANCE and HISTORY.
pub struct Teller<N> {
    rules: NoticeRules,
    nodes: N,
    clock: Clock,
}

/// Reserves of a ledger, where the node tells them.
struct Reserves {
    /// Of an account.
    base: Option<Drops>,
    /// Of each thing it owns.
    increment: Option<Drops>,
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
        let account = account_of(&info, &self.reserves().await?);
        Ok(texts::balance(&self.rules, entry, &account))
    }

    async fn history(&self, entry: &Entry) -> Result<Page, AskError> {
        if self.account_info(entry).await?.is_none() {
            return self.no_account(entry).await;
        }
        let account = entry.from.account();
        let query = AccountTxQuery {
            account,
            ledgers: LedgerRange::Between(None, None),
            order: TxOrder::Backward,
            limit: HISTORY_TRANSACTIONS_MAX,
            marker: None,
        };
        let request = AccountTxRequest {
            query,
            form: Form::Json,
        };
        let found = self.call(request).await?;
        let payments: Vec<Payment> = found
            .transactions
            .iter()
            .filter_map(|row| payment_of(row, account))
            .take(HISTORY_PAYMENTS_MAX)
            .collect();
        Ok(texts::history(&self.rules, entry, &payments))
    }

    async fn no_account(&self, entry: &Entry) -> Result<Page, AskError> {
        let base = self.reserves().await?.base;
        Ok(texts::no_account(&self.rules, entry, base.map(Drops::get)))
    }

    /// `None` where there is no such account.
    async fn account_info(&self, entry: &Entry) -> Result<Option<AccountInfoReply>, AskError> {
        let request = AccountInfoRequest {
            account: entry.from.account(),
            ledger: LedgerChoice::Validated,
        };
        match self.nodes.call(request).await {
            Ok(info) => Ok(Some(info)),
            Err(RequestError::Refused(token)) if token == "actNotFound" => Ok(None),
            Err(error) => Err(ask_error(AccountInfoRequest::METHOD, error)),
        }
    }

    async fn reserves(&self) -> Result<Reserves, AskError> {
        let ledger = self.call(ServerInfoRequest).await?.validated_ledger;
        Ok(Reserves {
            base: ledger.as_ref().and_then(|ledger| ledger.reserve_base),
            increment: ledger.as_ref().and_then(|ledger| ledger.reserve_increment),
        })
    }

    async fn call<R>(&self, request: R) -> Result<R::Reply, AskError>
    where
        R: NodeRequest + Send + Sync,
        R::Reply: Send,
    {
        let reply = self.nodes.call(request).await;
        reply.map_err(|error| ask_error(R::METHOD, error))
    }
}

fn ask_error(method: &'static str, error: RequestError) -> AskError {
    match error {
        RequestError::Malformed(bad) => AskError::BadAnswer {
            method,
            what: bad.member(),
        },
        RequestError::Refused(_) | RequestError::NoNode(_) => AskError::NoNode(error.to_string()),
    }
}

impl<N: Requests> Ask for Teller<N> {
    fn ask<'a>(&'a self, entry: &'a Entry) -> Asking<'a> {
        Box::pin(self.tell(entry))
    }
}

fn account_of(info: &AccountInfoReply, reserves: &Reserves) -> Account {
    let reserve_drops = match (reserves.base, reserves.increment, info.owner_count) {
        (Some(base), Some(increment), Some(owned)) => {
            let owned = increment.get().checked_mul(u64::from(owned));
            owned.and_then(|owned| owned.checked_add(base.get()))
        }
        _ => None,
    };
    let shut_out = codec::flags::LSF_DISABLE_MASTER | codec::flags::LSF_DISABLE_EMAIL;
    Account {
        balance_drops: info.balance.get(),
        reserve_drops,
        regular_key: info.regular_key.map(|key| key.to_string()),
        can_mail_spend: info.flags & shut_out == 0,
        ledger_index: info.ledger_index.map(|index| u64::from(index.get())),
    }
}

/// A payment of or to the account; `None` for all other transactions, and for what is not understood.
fn payment_of(row: &AccountTxRow, account: AccountId) -> Option<Payment> {
    let (tx, meta) = (row.transaction.as_ref()?, row.meta.as_ref()?);
    if !row.validated {
        return None;
    }
    let amount = match tx.transaction_type.as_deref()? {
        // Each amount of a Remit is delivered in full or the transaction fails; a payment may deliver a part.
        "Remit" => remitted(&tx.amounts),
        "Payment" => match &meta.delivered {
            Delivered::Amount(amount) => amount_text(amount)?,
            Delivered::Unsaid => amount_text(tx.amount.as_ref()?)?,
            Delivered::Unreadable => return None,
        },
        _ => return None,
    };
    let (sender, receiver) = (tx.account?, tx.destination?);
    let (direction, other) = match (sender == account, receiver == account) {
        (true, _) => ("out", receiver),
        (false, true) => ("in", sender),
        (false, false) => return None,
    };
    let result = meta.result.as_deref()?;
    Some(Payment {
        unix_secs: tx.date.map(CloseTime::to_unix),
        direction,
        amount,
        other: other.to_string(),
        failure: (result != "tesSUCCESS").then(|| result.to_owned()),
        hash: tx.hash.map(|hash| hash.to_string()),
    })
}

fn remitted(amounts: &[AmountReply]) -> String {
    let mut shown = amounts.iter().filter_map(amount_text);
    let first = shown.next().unwrap_or_else(|| "no money".to_owned());
    match shown.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Drops as XAH; an issued amount with its currency and issuer.
fn amount_text(amount: &AmountReply) -> Option<String> {
    match amount {
        AmountReply::Native(drops) => Some(xah(drops.get())),
        AmountReply::Issued {
            value,
            currency,
            issuer,
        } => Some(format!("{value} {currency}/{}", issuer.as_ref()?)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::notices::tests::{assert_golden, entry, rules};
    use crate::queue::Dkim;

    /// Answers by method, as a node gives them.
    struct Nodes(Vec<(&'static str, Result<Value, RequestError>)>);

    impl Requests for Nodes {
        async fn call<R>(&self, _request: R) -> Result<R::Reply, RequestError>
        where
            R: NodeRequest + Send + Sync,
            R::Reply: Send,
        {
            let known = self.0.iter().find(|(name, _)| *name == R::METHOD);
            let (_, answer) = known.ok_or(RequestError::NoNode("down".to_owned()))?;
            R::read(&answer.clone()?).map_err(RequestError::Malformed)
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
            (0, key, "email from your address, and"),
            (codec::flags::LSF_DISABLE_EMAIL, key, "email is turned off"),
            (codec::flags::LSF_DISABLE_MASTER, key, "email is turned off"),
            (codec::flags::LSF_DISABLE_MASTER, None, "neither email nor a key"),
        ] {
            let teller = teller(vec![
                ("account_info", Ok(account_info(flags, key))),
                ("server_info", Ok(json!({ "info": {} }))),
            ]);
            let answers = teller.ask(&question(Request::Balance)).await.expect("answered");
            let text = answers[0].mail.replace("\r\n               ", " ");
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains("Reserve"), "a reserve that no node named");
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
        let own = entry().from.account().to_string();
        let recorded_as = "rQpBBqgZR4tfdU6mC8TExJFY4WLqRqvoqs";
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
        assert!(answers[0].mail.contains("Your address has no account"));
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
        let me = AccountId::parse_classic("rQpBBqgZR4tfdU6mC8TExJFY4WLqRqvoqs").expect("an account");
        let is_shown = |row: &Value| {
            let reply = AccountTxRequest::read(&json!({ "transactions": [row] })).expect("a list");
            payment_of(&reply.transactions[0], me).is_some()
        };
        let good = recorded("024_remit_native_existing");
        assert!(is_shown(&good));
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
                assert_eq!(is_shown(&changed), is_text_where_text_belongs, "{path} {bad}");
            }
        }
    }
}
