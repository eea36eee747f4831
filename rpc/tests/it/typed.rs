//! What the server writes, the client reads: every request and reply through both directions, and replies of
//! liars.

use amendment::{Domain, Freeze};
use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex, Ter};
use explain::{CheckVerdict, Qualifies};
use rpc::api::{
    AccountTxQuery, KeyStanding, LedgerChoice, LedgerRange, MailState, OnRetry, Role, Ruling, SubmitEmail,
    SubmitMode, Transactions, TxKey, TxMarker, TxOrder, Vote,
};
use rpc::methods::{
    AccountInfoRequest, AccountTxRequest, DkimKeysRequest, FeatureRequest, FeeRequest, Form, FreezeRequest,
    LedgerAcceptRequest, LedgerEntryRequest, LedgerRequest, PingRequest, Request, ServerInfoRequest,
    SubmitRequest, TxRequest,
};
use rpc::reply::BadReply;
use serde_json::{Value, json};

use crate::fake_node::{FakeNode, GENESIS, answer_frame, operator};

fn hash(byte: u8) -> Hash256 {
    Hash256::new([byte; 32])
}

fn genesis() -> AccountId {
    AccountId::parse_classic(GENESIS).expect("an address")
}

/// The `result` of a request, as the server writes it.
fn result_of<R: Request>(node: &FakeNode, request: &R) -> Value {
    let mut frame = request.params();
    frame.insert("command".to_owned(), json!(R::METHOD));
    let reply = answer_frame(node, operator(), &Value::Object(frame).to_string());
    let mut reply: Value = serde_json::from_str(&reply).expect("JSON");
    assert_eq!(reply["status"], "success", "{reply}");
    reply["result"].take()
}

fn call<R: Request>(request: &R) -> R::Reply {
    R::read(&result_of(&FakeNode::default(), request)).expect("a reply")
}

fn whole_history() -> AccountTxQuery {
    AccountTxQuery {
        account: genesis(),
        ledgers: LedgerRange::Between(None, None),
        order: TxOrder::Backward,
        limit: 50,
        marker: None,
    }
}

#[test]
fn accepts_submit_email_through_both_directions() {
    let node = FakeNode::default();
    for mode in [SubmitMode::Submit, SubmitMode::DryRun] {
        let request = SubmitEmail {
            mail: b"From: a@b.example\r\n\xff".to_vec(),
            mode,
        };
        let reply = SubmitEmail::read(&result_of(&node, &request)).expect("a reply");
        assert_eq!(node.mails.lock().expect("unpoisoned").pop(), Some(request));
        assert!(reply.engine.is(Ter::TER_NO_DKIM_KEY));
        assert_eq!(reply.message.as_deref(), Some(Ter::TER_NO_DKIM_KEY.message()));
        assert_eq!(
            (reply.state, reply.hash, reply.not_kept),
            (Some(MailState::Kept), None, None)
        );
        let explanation = reply.explanation;
        assert_eq!(explanation.qualifies, Some(Qualifies::Unknown));
        assert_eq!(explanation.rule.as_deref(), Some("7.3"));
        assert_eq!(explanation.instruction.as_deref(), Some("REMIT 10 XAH"));
        assert_eq!(explanation.executable_until, Some(CloseTime::new(5)));
        let from = explanation.from.expect("a payer");
        assert_eq!(from.address.as_deref(), Some("alice@example.com"));
        assert_eq!((from.account, from.tag), (Some(genesis()), None));
        let [check] = &explanation.checks[..] else {
            panic!("{:?}", explanation.checks);
        };
        assert_eq!(check.verdict, Some(CheckVerdict::Unknown));
        assert_eq!(check.fix.as_deref(), Some("Wait."));
    }
}

#[test]
fn accepts_transactions_through_both_directions() {
    let kept = call(&TxRequest {
        key: TxKey::Email(hash(0xE1)),
        form: Form::Json,
    });
    assert_eq!(
        (kept.email_id, kept.state, kept.validated),
        (Some(hash(0xE1)), Some(MailState::Kept), false)
    );
    let key = TxKey::Hash(hash(0xA1));
    let found = call(&TxRequest {
        key,
        form: Form::Json,
    });
    assert_eq!(
        (found.hash, found.transaction.sequence),
        (Some(hash(0xA1)), Some(7))
    );
    assert_eq!((found.state, found.blob, found.meta), (None, None, None));
    let form = Form::Binary;
    assert_eq!(call(&TxRequest { key, form }).blob, Some(vec![0xAB, 0xCD]));
    let handed_in = call(&SubmitRequest {
        blob: vec![1],
        on_retry: OnRetry::Drop,
    });
    assert!(handed_in.engine.is(Ter::TES_SUCCESS));
    assert_eq!(
        (handed_in.hash, handed_in.accepted),
        (Some(hash(0xA1)), Some(true))
    );
}

#[test]
fn accepts_account_tx_through_both_directions() {
    let node = FakeNode::default();
    let marker = Some(TxMarker {
        ledger: LedgerIndex::new(4),
        position: 0,
    });
    let queries = [
        whole_history(),
        AccountTxQuery {
            ledgers: LedgerRange::Between(Some(LedgerIndex::new(2)), None),
            order: TxOrder::Forward,
            marker,
            ..whole_history()
        },
        AccountTxQuery {
            ledgers: LedgerRange::One(LedgerChoice::Hash(hash(9))),
            ..whole_history()
        },
    ];
    for query in queries {
        let form = Form::Json;
        let result = result_of(&node, &AccountTxRequest { query, form });
        assert_eq!(*node.asked_txs.lock().expect("unpoisoned"), Some(query));
        let page = AccountTxRequest::read(&result).expect("a reply");
        assert_eq!(page.marker.map(|marker| marker.position), Some(3));
        let [row] = &page.transactions[..] else {
            panic!("{page:?}");
        };
        let transaction = row.transaction.as_ref().expect("shown");
        assert!(row.validated && row.meta.is_some());
        assert_eq!(
            (transaction.sequence, transaction.date),
            (Some(7), Some(CloseTime::new(77)))
        );
    }
}

#[test]
fn accepts_accounts_and_entries_through_both_directions() {
    let account = call(&AccountInfoRequest {
        account: genesis(),
        ledger: LedgerChoice::Validated,
    });
    assert_eq!(account.balance, Drops::new(12_500_000));
    assert_eq!((account.flags, account.regular_key), (0x0010_0000, None));
    assert_eq!(account.ledger_index, Some(LedgerIndex::new(9)));
    for (ledger, form) in [
        (LedgerChoice::Current, Form::Json),
        (LedgerChoice::Index(LedgerIndex::new(7)), Form::Binary),
    ] {
        let node = FakeNode::default();
        let index = hash(0x61);
        let request = LedgerEntryRequest { index, ledger, form };
        let entry = LedgerEntryRequest::read(&result_of(&node, &request)).expect("a reply");
        assert_eq!(
            *node.asked_entry.lock().expect("unpoisoned"),
            Some((index, ledger))
        );
        assert_eq!(entry.index, index);
        assert_eq!(
            (entry.node.is_some(), entry.blob.is_some()),
            (form == Form::Json, form == Form::Binary)
        );
    }
}

#[test]
fn accepts_ledgers_and_the_state_of_the_node_through_both_directions() {
    let closed = call(&LedgerRequest {
        ledger: LedgerChoice::Validated,
        transactions: Transactions::Hashes,
    });
    assert_eq!((closed.index, closed.hash), (LedgerIndex::new(9), Some(hash(9))));
    assert_eq!(closed.close_time, Some(CloseTime::new(848_486_610)));
    assert_eq!(closed.transactions, [hash(0xA1)]);
    let open = call(&LedgerRequest {
        ledger: LedgerChoice::Current,
        transactions: Transactions::Omitted,
    });
    assert_eq!(
        (open.index, open.hash, open.parent_hash),
        (LedgerIndex::new(10), None, Some(hash(9)))
    );
    let server = call(&ServerInfoRequest);
    assert_eq!(
        (
            server.network_id,
            server.server_state.as_deref(),
            server.validation_quorum
        ),
        (Some(21_338), Some("full"), Some(1))
    );
    let ledger = server.validated_ledger.expect("a ledger");
    assert_eq!(
        (ledger.seq, ledger.age_secs),
        (Some(LedgerIndex::new(9)), Some(3))
    );
    assert_eq!(
        (ledger.base_fee, ledger.reserve_base, ledger.reserve_increment),
        (
            Some(Drops::new(10)),
            Some(Drops::new(1_000_000)),
            Some(Drops::new(200_000))
        )
    );
    let fee = call(&FeeRequest);
    assert_eq!(
        (fee.base_fee, fee.open_ledger_fee),
        (Drops::new(10), Drops::new(10))
    );
    let keys = call(&DkimKeysRequest);
    assert_eq!((keys.count, keys.close_time), (1, CloseTime::new(800_000_000)));
    let key = &keys.keys[0];
    assert_eq!(
        (key.domain.as_str(), key.selector.as_str(), key.state),
        ("mail.example", "s2026", KeyStanding::Usable)
    );
    assert_eq!(key.until, Some(CloseTime::new(800_020_600)));
    let freeze = Freeze {
        since: CloseTime::new(1_000),
        until: Some(CloseTime::new(2_000)),
    };
    let frozen = &keys.freezes[0];
    assert_eq!((frozen.domain.as_str(), frozen.freeze), ("fake.example", freeze));
    assert_eq!(
        call(&LedgerAcceptRequest).ledger_current_index,
        LedgerIndex::new(11)
    );
    assert_eq!(call(&PingRequest).role, Role::Admin);
}

#[test]
fn accepts_amendments_through_both_directions() {
    let node = FakeNode::default();
    let ask = |request: &FeatureRequest| FeatureRequest::read(&result_of(&node, request)).expect("a reply");
    assert_eq!(ask(&FeatureRequest::All).features.len(), 4);
    let email = codec::hash::sha512_half(&[b"Email"]);
    for (request, vetoed) in [
        (FeatureRequest::One("Email".to_owned()), true),
        (FeatureRequest::Vote("Email".to_owned(), Vote::For), false),
        (FeatureRequest::Vote(email.to_string(), Vote::Against), true),
    ] {
        let found = ask(&request).features;
        let row = found.get(&email).expect("a row");
        assert_eq!((found.len(), row.vetoed, row.enabled), (1, Some(vetoed), false));
        assert_eq!(row.name.as_deref(), Some("Email"));
    }
}

/// Each member of a reply, at any depth, replaced by what does not belong there: never a panic, and an error
/// only of a member that decides.
fn check_liars<R: Request>(request: &R, decisive: &[&str]) {
    let good = result_of(&FakeNode::default(), request);
    let mut paths = vec![String::new()];
    let mut found = Vec::new();
    while let Some(path) = paths.pop() {
        let children: Vec<String> = match good.pointer(&path) {
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            Some(Value::Array(items)) => (0..items.len()).map(|i| i.to_string()).collect(),
            _ => Vec::new(),
        };
        paths.extend(children.into_iter().map(|child| format!("{path}/{child}")));
        for bad in [
            json!(null),
            json!([]),
            json!({}),
            json!(-5),
            json!("\u{1b}x"),
            json!(true),
        ] {
            let mut lie = good.clone();
            *lie.pointer_mut(&path).expect("a member") = bad;
            if let Err(error) = R::read(&lie) {
                found.push(error.member());
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, decisive, "{}", R::METHOD);
}

#[test]
fn rejects_replies_of_liars_by_the_member() {
    let mail = SubmitEmail {
        mail: b"x".to_vec(),
        mode: SubmitMode::Submit,
    };
    check_liars(&mail, &["engine_result", "state"]);
    let key = TxKey::Email(hash(0xE1));
    check_liars(
        &TxRequest {
            key,
            form: Form::Json,
        },
        &["state"],
    );
    let account = AccountInfoRequest {
        account: genesis(),
        ledger: LedgerChoice::Validated,
    };
    check_liars(
        &account,
        &["account_data", "account_data.Balance", "account_data.Flags"],
    );
    let query = whole_history();
    let form = Form::Json;
    check_liars(&AccountTxRequest { query, form }, &["marker", "transactions"]);
    let ledger = LedgerRequest {
        ledger: LedgerChoice::Validated,
        transactions: Transactions::Hashes,
    };
    check_liars(&ledger, &["ledger", "ledger.ledger_index"]);
    check_liars(&ServerInfoRequest, &["info"]);
    check_liars(&FeeRequest, &["drops", "drops.base_fee", "drops.open_ledger_fee"]);
    let members = [
        "close_time",
        "count",
        "freezes",
        "freezes.domain",
        "freezes.since",
        "freezes.until",
        "keys",
        "keys.domain",
        "keys.last_attested",
        "keys.selector",
        "keys.state",
    ];
    check_liars(&DkimKeysRequest, &members);
    check_liars(&LedgerAcceptRequest, &["ledger_current_index"]);
}

#[test]
fn rejects_a_state_and_a_result_that_nobody_knows() {
    let error = SubmitEmail::read(&json!({ "engine_result": "tesSUCCESS", "state": "gone" }));
    assert_eq!(error.err(), Some(BadReply::Malformed("state")));
    let error = SubmitEmail::read(&json!({ "engine_result": "xyz" })).expect_err("no result");
    assert_eq!(error.to_string(), "the reply's member engine_result is malformed");
    let error = SubmitEmail::read(&json!({})).expect_err("no result");
    assert_eq!(error.to_string(), "the reply has no member engine_result");
}

// Spec: 7.10.
#[test]
fn accepts_rulings_about_domains_through_both_directions() {
    let node = FakeNode::default();
    let all = FreezeRequest::read(&result_of(&node, &FreezeRequest::All)).expect("a reply");
    assert_eq!((all.validators, all.quorum), (5, 4));
    let states: Vec<_> = all
        .domains
        .iter()
        .map(|row| (row.domain.as_str(), row.freeze))
        .collect();
    let freeze = |until| Freeze {
        since: CloseTime::new(1_000),
        until,
    };
    let until = Some(CloseTime::new(2_000));
    assert_eq!(
        states,
        [
            ("fake.example", Some(freeze(None))),
            ("was.example", Some(freeze(until)))
        ]
    );
    for ruling in [Ruling::Frozen, Ruling::Lifted] {
        let domain = Domain::new(b"mail.example").expect("a domain");
        let request = FreezeRequest::Rule(domain.clone(), ruling);
        let reply = FreezeRequest::read(&result_of(&node, &request)).expect("a reply");
        assert_eq!(*node.rule.lock().expect("unpoisoned"), Some((domain, ruling)));
        let row = reply.domains.last().expect("three");
        assert_eq!((row.wish, row.for_freeze, row.freeze), (Some(ruling), 1, None));
    }
}

#[test]
fn rejects_rulings_of_liars() {
    let good = json!({"validators": 5, "quorum": 4, "domains": [{"domain": "a.example", "for_freeze": 0, "for_lift": 0}]});
    assert!(FreezeRequest::read(&good).is_ok());
    for (path, value) in [
        ("/domains", json!({})),
        ("/validators", json!("five")),
        ("/quorum", json!(-1)),
        ("/domains/0/domain", json!("A.example\u{1b}[2J")),
        ("/domains/0/for_lift", json!(null)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).expect("there") = value;
        assert!(FreezeRequest::read(&bad).is_err(), "{path}");
    }
}
