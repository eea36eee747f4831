//! BALANCE and HISTORY: read-only questions, answered from a node.

use std::future::Future;

use codec::{AccountId, Amount, CloseTime, Drops, Hash256, IssuedAmount, Ter, TerClass, keylet};
use rpc::api::{AccountTxQuery, LedgerChoice, LedgerRange, TxOrder};
use rpc::methods::{
    AccountInfoReply, AccountInfoRequest, AccountTxRequest, AccountTxRow, Form, LedgerEntryRequest,
    Request as NodeRequest, ServerInfoRequest, ValidatedLedger,
};
use rpc::reply::{BadReply, Movement, Receipt, ResultCode, Sum};
use serde_json::{Map, Value};

use super::compose::{Draft, Subject, compose};
use super::page::Page;
use super::questions::{self, Account, Listed, Payment, Reserves, Tokens};
use super::texts::BASE_FEE;
use super::{Ask, AskError, Asking, NoticeRules};
use crate::clock::Clock;
use crate::limits::{BALANCE_ENTRIES_MAX, HISTORY_PAYMENTS_MAX, HISTORY_TRANSACTIONS_MAX};
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
        let ledger = self.call(ServerInfoRequest).await?.validated_ledger;
        let shut_out = codec::flags::LSF_DISABLE_MASTER | codec::flags::LSF_DISABLE_EMAIL;
        let account = Account {
            balance: info.balance,
            reserves: ledger.and_then(|ledger| reserves_of(&info, &ledger)),
            tokens: self.tokens(entry.from.account(), info.owner_count).await?,
            regular_key: info.regular_key,
            can_mail_spend: info.flags & shut_out == 0,
            ledger_index: info.ledger_index.map(|index| index.get()),
        };
        Ok(questions::balance(&self.rules, entry, &account))
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
        Ok(questions::history(&self.rules, entry, &payments))
    }

    /// The issued money that an account holds: the trust lines among what it owns. Each is asked for by
    /// itself, so only so many are looked at.
    async fn tokens(&self, account: AccountId, owned: Option<u32>) -> Result<Tokens, AskError> {
        let mut tokens = Tokens::default();
        if owned == Some(0) {
            return Ok(tokens);
        }
        let root = keylet::owner_dir(account);
        let (mut page, mut looked_at) = (root, 0);
        while let Some(node) = self.entry(page).await? {
            looked_at += 1;
            let (indexes, next) = page_of(&node);
            for index in indexes {
                looked_at += 1;
                if looked_at > BALANCE_ENTRIES_MAX {
                    tokens.listed = Listed::Some;
                    return Ok(tokens);
                }
                let entry = self.entry(index).await?;
                tokens.held.extend(entry.and_then(|entry| held(&entry, account)));
            }
            match next {
                Some(next) if looked_at <= BALANCE_ENTRIES_MAX => page = keylet::dir_page(root, next),
                Some(_) | None => break,
            }
        }
        Ok(tokens)
    }

    /// An entry of the last ledger; `None` where there is none.
    async fn entry(&self, index: Hash256) -> Result<Option<Map<String, Value>>, AskError> {
        let request = LedgerEntryRequest {
            index,
            ledger: LedgerChoice::Validated,
            form: Form::Json,
        };
        match self.nodes.call(request).await {
            Ok(reply) => Ok(reply.node),
            Err(RequestError::Refused(token)) if token == "entryNotFound" => Ok(None),
            Err(error) => Err(ask_error(LedgerEntryRequest::METHOD, error)),
        }
    }

    async fn no_account(&self, entry: &Entry) -> Result<Page, AskError> {
        let ledger = self.call(ServerInfoRequest).await?.validated_ledger;
        let reserve = ledger.and_then(|ledger| ledger.reserve_base);
        Ok(questions::no_account(&self.rules, entry, reserve))
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

fn reserves_of(info: &AccountInfoReply, ledger: &ValidatedLedger) -> Option<Reserves> {
    let (new_account, increment) = (ledger.reserve_base?, ledger.reserve_increment?);
    let owned = increment.get().checked_mul(u64::from(info.owner_count?))?;
    Some(Reserves {
        own: Drops::new(owned.checked_add(new_account.get())?),
        new_account,
        base_fee: ledger.base_fee.unwrap_or(BASE_FEE),
    })
}

/// What the account holds on a trust line.
fn held(node: &Map<String, Value>, account: AccountId) -> Option<Sum> {
    let issued = |name: &str| match codec::json::amount_from_json(node.get(name)?)? {
        Amount::Issued(issued) => Some(issued),
        Amount::Native(_) => None,
    };
    if node.get("LedgerEntryType")?.as_str()? != "RippleState" {
        return None;
    }
    let (low, high) = (issued("LowLimit")?.issuer(), issued("HighLimit")?.issuer());
    let balance = issued("Balance")?;
    let (mantissa, issuer) = if account == low {
        (balance.mantissa(), high)
    } else {
        (balance.mantissa().checked_neg()?, low)
    };
    let held = IssuedAmount::new(mantissa, balance.exponent(), balance.currency(), issuer).ok()?;
    let held = Amount::Issued(held);
    Sum::of_amount(&held).filter(|_| held.is_positive())
}

/// The entries that a page of an owner's directory names, and the number of the next page.
fn page_of(node: &Map<String, Value>) -> (Vec<Hash256>, Option<u64>) {
    let indexes = node.get("Indexes").and_then(Value::as_array);
    let hashes = indexes.into_iter().flatten().filter_map(Value::as_str);
    let next = node.get("IndexNext").and_then(Value::as_str);
    let next = next.and_then(|next| u64::from_str_radix(next, 16).ok());
    (
        hashes.filter_map(Hash256::from_hex).collect(),
        next.filter(|next| *next > 0),
    )
}

/// A transaction that moved money of the account, or failed to; `None` for all others, and for what is not
/// understood.
fn payment_of(row: &AccountTxRow, account: AccountId) -> Option<Payment> {
    let (tx, meta) = (row.transaction.as_ref()?, row.meta.as_ref()?);
    if !row.validated {
        return None;
    }
    let result = ResultCode::parse(meta.result.as_deref()?)?;
    let sender = tx.account?;
    let is_payment = matches!(tx.transaction_type.as_deref()?, "Payment" | "Remit");
    let movement = Movement::of(account, tx, meta)?;
    let is_still = movement.left.is_empty() && movement.came.is_empty();
    let has_failed = result.class() != TerClass::Tes;
    if is_still && !(is_payment && has_failed && sender == account) {
        return None;
    }
    let receipt = Receipt::of(tx, meta).filter(|receipt| receipt.reserve != Drops::default());
    Some(Payment {
        unix_secs: tx.date.map(CloseTime::to_unix),
        movement,
        reserve: receipt
            .filter(|_| sender == account)
            .map(|receipt| (receipt.reserve, receipt.made)),
        other: if sender == account {
            tx.destination
        } else {
            Some(sender)
        },
        failure: has_failed.then(|| match result.ter().map(Ter::message) {
            Some(message) if !message.is_empty() => format!("{message} ({})", result.as_str()),
            Some(_) | None => result.as_str().to_owned(),
        }),
        hash: tx.hash.map(|hash| hash.to_string()),
    })
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
            (
                "ledger_entry",
                Err(RequestError::Refused("entryNotFound".to_owned())),
            ),
        ]);
        let answers = teller.ask(&question(Request::Balance)).await.expect("answered");
        assert_golden("balance", &answers[0]);
    }

    /// A node with the state of a recorded ledger.
    struct Recorded(Value);

    impl Requests for Recorded {
        async fn call<R>(&self, request: R) -> Result<R::Reply, RequestError>
        where
            R: NodeRequest + Send + Sync,
            R::Reply: Send,
        {
            let result = match R::METHOD {
                "account_info" => account_info(0, None),
                "server_info" => server_info(),
                _ => {
                    let asked = &request.params()["index"];
                    let mut entries = self.0.as_array().expect("entries").iter();
                    let found = entries.find(|entry| entry["index"] == *asked);
                    let found = found.ok_or(RequestError::Refused("entryNotFound".to_owned()))?;
                    let blob = hex::decode(found["data"].as_str().expect("hex")).expect("hex");
                    let node = codec::json::to_json(&codec::decode(&blob).expect("an entry"));
                    json!({ "index": asked, "node": node })
                }
            };
            R::read(&result).map_err(RequestError::Malformed)
        }
    }

    /// The lines of alice in a recorded ledger: 4,899 USD of one issuer and 4,913.76543211 of another.
    #[tokio::test]
    async fn tokens_are_listed_each_with_its_issuer() {
        let alice = AccountId::parse_classic("rQpBBqgZR4tfdU6mC8TExJFY4WLqRqvoqs").expect("an account");
        let state = case("039_remit_native_and_iou_create")["state_before"].clone();
        let teller = Teller::new(rules(), Recorded(state), Arc::new(|| 1_795_000_009));
        let tokens = teller.tokens(alice, Some(2)).await.expect("answered");
        let mut held: Vec<String> = tokens.held.iter().map(Sum::to_string).collect();
        held.sort();
        assert_eq!(
            held,
            [
                "4899 USD/rJ3fECb6u9h48TdJJH9zaG2Xoqw8icv4T6",
                "4913.76543211 USD/rpVbtmW3WgZAgs3fUixHCW3fz7JYc8WMgC"
            ]
        );
        // The issuer owes on the same lines, which is no money of its own.
        let issuer = AccountId::parse_classic("rpVbtmW3WgZAgs3fUixHCW3fz7JYc8WMgC").expect("an account");
        assert_eq!(teller.tokens(issuer, None).await, Ok(Tokens::default()));
    }

    #[tokio::test]
    async fn rejects_a_directory_without_end() {
        let page = json!({ "index": Hash256::ZERO.to_string(), "node": { "Indexes": [], "IndexNext": "1" } });
        let teller = teller(vec![("ledger_entry", Ok(page))]);
        let tokens = teller
            .tokens(entry().from.account(), None)
            .await
            .expect("answered");
        assert_eq!(tokens.held, []);
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
                (
                    "ledger_entry",
                    Err(RequestError::Refused("entryNotFound".to_owned())),
                ),
            ]);
            let answers = teller.ask(&question(Request::Balance)).await.expect("answered");
            let text = answers[0].mail.replace("\r\n               ", " ");
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains("eserve"), "a reserve that no node named");
        }
    }

    /// The transactions of recorded ledgers, each as `account_tx` shows it.
    fn recorded(name: &str) -> Value {
        let case = case(name);
        json!({ "tx": case["tx"], "meta": case["tx"]["meta"], "validated": true })
    }

    fn case(name: &str) -> Value {
        let path = format!(
            "{}/../fixtures/golden/xahaud/cases/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).expect("fixture");
        serde_json::from_str(&text).expect("JSON")
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
            (
                "ledger_entry",
                Err(RequestError::Refused("entryNotFound".to_owned())),
            ),
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
                // A type that we do not know moves money all the same.
                let is_known = path == "/tx/TransactionType" && bad.is_string();
                assert_eq!(is_shown(&changed), is_known, "{path} {bad}");
            }
        }
    }
}
