//! A whole node as its callers meet it: WebSocket client, server, node, ledger.

use std::sync::Arc;

use rpc::Client;
use rpc::server::{ServerLimits, serve};
use serde_json::{Map, Value, json};

use crate::world::{ALICE, BOB, Keys, World, vector_mail};

pub(crate) async fn client_of(world: &World) -> Client {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    let url = format!("ws://{}", listener.local_addr().expect("bound"));
    let node = Arc::new(world.node.clone());
    tokio::spawn(serve(
        listener,
        node,
        ServerLimits::default(),
        rpc::Trust::default(),
        std::future::pending(),
    ));
    Client::connect(&url).await.expect("it listens")
}

pub(crate) async fn ask(client: &mut Client, method: &str, params: Value) -> Value {
    let params: Map<String, Value> = params.as_object().expect("an object").clone();
    client.request(method, params).await.expect("a result")
}

fn text_of(mail: &str) -> String {
    String::from_utf8(vector_mail(mail)).expect("text")
}

/// The EmailID and the parties are those that the independent reading of the vectors gives.
const EMAIL_ID: &str = "5B56D075927BE03121CF009EDB48EA86D908B084C5B03EA6CA02A1D9FF7FDEC8";

#[tokio::test(flavor = "multi_thread")]
async fn accepts_a_mail_over_websocket_and_shows_its_whole_way() {
    let world = World::new(Keys::vectors());
    let mut client = client_of(&world).await;
    let kept = ask(&mut client, "submitEmail", json!({"email": text_of("c044.eml")})).await;
    assert_eq!(
        (&kept["engine_result"], &kept["kept"]),
        (&json!("terNO_DKIM_KEY"), &json!(true))
    );
    assert_eq!(
        (&kept["qualifies"], &kept["rule"], &kept["state"]),
        (&Value::Null, &json!("7.3"), &json!("kept"))
    );
    assert_eq!(kept["email_id"], EMAIL_ID);
    assert_eq!(
        kept["from"],
        json!({"address": "alice@mail.test", "account": ALICE})
    );
    assert_eq!(kept["to"], json!({"address": "bob@example.com", "account": BOB}));
    assert_eq!(kept["executable_until"], 848_138_400 + 432_000);
    assert!(kept["checks"].as_array().is_some_and(|checks| checks.len() > 20));

    let current = ask(&mut client, "ledger_accept", json!({})).await["ledger_current_index"].clone();
    assert_eq!(current, 4, "genesis is 1, the first payments are in 2");
    ask(&mut client, "ledger_accept", json!({})).await;

    let tx = ask(&mut client, "tx", json!({"email_id": EMAIL_ID})).await;
    assert_eq!(
        (&tx["state"], &tx["validated"]),
        (&json!("validated"), &json!(true))
    );
    assert_eq!(
        (&tx["TransactionType"], &tx["ledger_index"]),
        (&json!("Remit"), &json!(4))
    );
    assert_eq!((&tx["Account"], &tx["Destination"]), (&json!(ALICE), &json!(BOB)));
    assert_eq!(tx["meta"]["TransactionResult"], "tesSUCCESS");
    let by_hash = ask(&mut client, "tx", json!({"transaction": tx["hash"]})).await;
    assert_eq!(by_hash["meta"], tx["meta"]);

    let ledger = ask(
        &mut client,
        "ledger",
        json!({"ledger_index": 4, "transactions": true}),
    )
    .await;
    assert_eq!(ledger["ledger"]["transactions"], json!([tx["hash"]]));
    let bob = ask(
        &mut client,
        "account_info",
        json!({"account": BOB, "ledger_index": "validated"}),
    )
    .await;
    assert_eq!(bob["account_data"]["Balance"], "11000000");
    let info = ask(&mut client, "server_info", json!({})).await["info"].clone();
    assert_eq!(
        (&info["network_id"], &info["validated_ledger"]["seq"]),
        (&json!(21_337), &json!(4))
    );
    assert_eq!(info["complete_ledgers"], "1-4");

    let again = ask(&mut client, "submit_email", json!({"email": text_of("c184.eml")})).await;
    assert_eq!(
        (&again["engine_result"], &again["state"]),
        (&json!("tefEMAIL_REPLAY"), &json!("validated"))
    );
    assert_eq!((&again["hash"], &again["ledger_index"]), (&tx["hash"], &json!(4)));
    for member in ["meta", "validated", "date", "inLedger", "ctid"] {
        assert_eq!(again[member], tx[member], "{member}");
    }
    for member in ["hash", "Sequence", "Fee", "LastLedgerSequence", "Memos"] {
        assert_eq!(again["tx_json"][member], tx[member], "{member}");
    }
    let binary = ask(&mut client, "tx", json!({"email_id": EMAIL_ID, "binary": true})).await;
    assert_eq!(again["tx_blob"], binary["tx"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_a_mail_without_a_key_record_in_words_and_not_as_failed() {
    let world = World::new(dns::KeyTable::from_records(&[]));
    let mut client = client_of(&world).await;
    let kept = ask(&mut client, "submit_email", json!({"email": text_of("c044.eml")})).await;
    assert_eq!((&kept["state"], kept.get("not_kept")), (&json!("kept"), None));
    ask(&mut client, "ledger_accept", json!({})).await;
    let again = ask(&mut client, "submit_email", json!({"email": text_of("c044.eml")})).await;
    assert_eq!(
        (&again["engine_result"], &again["kept"], &again["state"]),
        (&json!("terNO_DKIM_KEY"), &json!(false), &Value::Null)
    );
    let why = again["not_kept"].as_str().expect("a sentence");
    assert!(
        why.contains("Hand the same mail in again in ten minutes"),
        "{why}"
    );
}
