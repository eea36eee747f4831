//! What the node shows of its history and its state: `account_tx`, `ledger_entry`, `fee`, history that ends.

use rpc::Client;
use rpc::api::Node as _;
use serde_json::{Map, Value, json};

use crate::served::{ask, client_of};
use crate::world::{ALICE, BOB, Keys, World, vector_mail};

/// A world in which alice has sent some mails, each in a ledger of its own from 4 on.
async fn with_mails(world: &World) {
    for mail in ["c044.eml", "c010.eml", "c014.eml"] {
        let answer = world.send(vector_mail(mail)).await;
        world.close().await;
        if answer.wrapped.is_none() {
            world.close().await;
        }
    }
}

/// Which transactions come first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

/// All pages of `account_tx` in an order, as ledgers.
async fn pages(client: &mut Client, account: &str, order: Order) -> Vec<u64> {
    let mut ledgers = Vec::new();
    let mut marker = Value::Null;
    loop {
        let mut params = json!({"account": account, "forward": order == Order::OldestFirst, "limit": 10});
        if !marker.is_null() {
            params["marker"] = marker;
        }
        let page = ask(client, "account_tx", params).await;
        let list = page["transactions"].as_array().expect("a list");
        assert!(list.len() <= 10);
        ledgers.extend(list.iter().filter_map(|tx| tx["tx"]["ledger_index"].as_u64()));
        marker = page["marker"].clone();
        if marker.is_null() {
            return ledgers;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_account_tx_of_all_whom_a_transaction_affects() {
    let world = World::new(Keys::vectors());
    with_mails(&world).await;
    let mut client = client_of(&world).await;
    assert_eq!(pages(&mut client, ALICE, Order::OldestFirst).await, [2, 4, 5, 6]);
    assert_eq!(pages(&mut client, ALICE, Order::NewestFirst).await, [6, 5, 4, 2]);
    let bob = ask(
        &mut client,
        "account_tx",
        json!({"account": BOB, "ledger_index_min": 4}),
    )
    .await;
    let first = &bob["transactions"]
        .as_array()
        .expect("a list")
        .last()
        .expect("one")["tx"];
    let by_hash = ask(&mut client, "tx", json!({"transaction": first["hash"]})).await;
    assert_eq!(
        (&by_hash["Account"], &first["Account"], &first["Destination"]),
        (&json!(ALICE), &json!(ALICE), &json!(BOB))
    );
    assert_eq!(
        (&bob["ledger_index_min"], &bob["ledger_index_max"]),
        (&json!(4), &json!(6))
    );
    let one = ask(
        &mut client,
        "account_tx",
        json!({"account": ALICE, "ledger_index": 5, "binary": true}),
    )
    .await;
    assert_eq!(one["transactions"].as_array().map(Vec::len), Some(1));
    let nobody = ask(
        &mut client,
        "account_tx",
        json!({"account": "rrrrrrrrrrrrrrrrrrrrBZbvji"}),
    )
    .await;
    assert_eq!(nobody["transactions"], json!([]));
    for (min, max) in [(6, 5), (7, 9), (100, -1)] {
        let params = json!({"account": ALICE, "ledger_index_min": min, "ledger_index_max": max});
        let Value::Object(params) = params else { panic!() };
        let error = client
            .request("account_tx", params)
            .await
            .expect_err("no such range");
        assert!(error.to_string().contains("lgrIdxsInvalid"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_page_that_ends_within_a_ledger() {
    let world = World::with(Keys::vectors(), |config| {
        let fund = |i: u8| {
            let account = codec::AccountId::new([i; 20]);
            node::Fund::parse(&format!("{account}=10")).expect("a fund")
        };
        config.funds = (1..=25).map(fund).collect();
    });
    let mut client = client_of(&world).await;
    let genesis = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    for forward in [true, false] {
        let mut seen = Vec::new();
        let mut params = json!({"account": genesis, "forward": forward, "limit": 10});
        for expected in [10, 10, 5] {
            let page = ask(&mut client, "account_tx", params.clone()).await;
            let list = page["transactions"].as_array().expect("a list");
            assert_eq!(list.len(), expected);
            seen.extend(list.iter().map(|tx| tx["tx"]["hash"].clone()));
            params["marker"] = page["marker"].clone();
        }
        assert!(params["marker"].is_null());
        seen.sort_by_key(Value::to_string);
        seen.dedup();
        assert_eq!(seen.len(), 25, "no transaction twice, none left out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_questions_for_our_entries_and_for_xahaus() {
    let world = World::new(Keys::vectors());
    with_mails(&world).await;
    let mut client = client_of(&world).await;
    let mut entry = async |name: Value| {
        let mut params = name;
        params["ledger_index"] = json!("validated");
        ask(&mut client, "ledger_entry", params).await["node"].clone()
    };
    let replay = entry(json!({"email_replay": ALICE})).await;
    assert_eq!(
        (
            &replay["LedgerEntryType"],
            replay["EmailReplayEntries"].as_array().map(Vec::len)
        ),
        (&json!("EmailReplay"), Some(3))
    );
    let key = entry(json!({"dkim_key": {"domain": "mail.test", "selector": "s1"}})).await;
    assert_eq!(key["LedgerEntryType"], "DKIMKey");
    let by_index = entry(json!({"index": key["index"]})).await;
    assert_eq!(by_index, key);
    let root = entry(json!({"account_root": ALICE})).await;
    assert_eq!(
        (&root["Account"], &root["LedgerEntryType"]),
        (&json!(ALICE), &json!("AccountRoot"))
    );

    let missing = json!({"ticket": {"account": ALICE, "ticket_seq": 1}});
    let Value::Object(missing) = missing else { panic!() };
    let error = client
        .request("ledger_entry", missing)
        .await
        .expect_err("no ticket");
    assert!(error.to_string().contains("entryNotFound"), "{error}");
    let keys = ask(&mut client, "dkim_keys", json!({})).await;
    let name = |key: &Value| (key["selector"].clone(), key["domain"].clone());
    let listed: Vec<_> = keys["keys"]
        .as_array()
        .expect("a list")
        .iter()
        .map(name)
        .collect();
    assert!(listed.contains(&(json!("s1"), json!("mail.test"))), "{keys}");
    assert_eq!(
        keys["count"],
        json!(listed.len()),
        "the delays of keys are no key"
    );
    // Attested in these ledgers, good for six hours (spec 7.4).
    let first = &keys["keys"][0];
    assert_eq!(first["state"], "usable", "{keys}");
    let life = first["until"].as_u64().expect("a time") - first["last_attested"].as_u64().expect("a time");
    assert_eq!(life, 21_600);
    let fee = ask(&mut client, "fee", json!({})).await;
    assert_eq!(
        (&fee["ledger_current_index"], &fee["drops"]["base_fee"]),
        (&json!(7), &json!("10"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_end_of_history_by_age() {
    let world = World::with(Keys::vectors(), |config| config.history_ledgers = Some(3));
    with_mails(&world).await;
    let mut client = client_of(&world).await;
    let complete = async |client: &mut Client| {
        ask(client, "server_info", json!({})).await["info"]["complete_ledgers"].clone()
    };
    assert_eq!(complete(&mut client).await, "4-6");
    assert_eq!(pages(&mut client, ALICE, Order::OldestFirst).await, [4, 5, 6]);
    let gone: Map<String, Value> = [("ledger_index".to_owned(), json!(3))].into_iter().collect();
    let error = client.request("ledger", gone).await.expect_err("forgotten");
    assert!(error.to_string().contains("lgrNotFound"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_restart_after_the_end_of_history() {
    let world = World::with(Keys::vectors(), |config| config.history_ledgers = Some(1));
    with_mails(&world).await;
    let tip = world.tip().await;
    let world = world.restart(Keys::vectors()).await;
    assert_eq!(world.tip().await, tip);
    let server = world.ask(|node| node.server()).await.expect("an answer");
    assert_eq!(server.first_ledger, tip.0);
}
