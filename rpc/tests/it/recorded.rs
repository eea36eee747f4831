//! What clients of xahaud send and meet, with the answers that a real server gave (commit 08f13b7, stand-alone,
//! its port for the public). Members that depend on its ledgers are left out.

use rpc::api::Peer;
use serde_json::{Value, json};

use crate::fake_node::{FakeNode, GENESIS, answer_frame, operator, post_body, stranger};

fn ask_as(peer: Peer, request: &Value) -> Value {
    let reply = answer_frame(&FakeNode::default(), peer, &request.to_string());
    serde_json::from_str(&reply).expect("replies are JSON")
}

fn ask(request: &Value) -> Value {
    ask_as(stranger(), request)
}

/// The default requests of xahau-py 3.0.0: each optional member with false.
#[test]
fn accepts_members_that_clients_always_send() {
    for request in [
        json!({"command": "account_info", "account": GENESIS, "ledger_index": "validated", "queue": false,
            "signer_lists": false, "strict": false, "api_version": 1}),
        json!({"command": "ledger", "ledger_index": "validated", "transactions": false, "expand": false,
            "owner_funds": false, "binary": false, "queue": false, "full": false, "accounts": false,
            "type": "state"}),
        json!({"command": "account_tx", "account": GENESIS, "binary": false, "forward": false}),
        json!({"command": "ledger_entry", "account_root": GENESIS, "binary": false}),
        json!({"command": "fee", "tx_blob": "00"}),
        json!({"command": "server_info", "counters": false}),
        json!({"command": "server_definitions"}),
        json!({"command": "ping", "nosuchfield": 1}),
    ] {
        let reply = ask(&request);
        assert_eq!(reply["status"], "success", "{reply}");
    }
    let envelope = br#"{"method":"ping","params":[{}],"jsonrpc":"2.0","ripplerpc":"1.0","id":1}"#;
    let reply = post_body(&FakeNode::default(), stranger(), envelope);
    assert_eq!(reply.status, 200);
    let no_params = br#"{"method":"ping","params":[]}"#;
    assert_eq!(post_body(&FakeNode::default(), stranger(), no_params).status, 200);
}

#[test]
fn answers_lists_of_signers_and_the_queue_of_an_account_as_empty() {
    let asked = |more: Value| {
        let mut request = json!({"command": "account_info", "account": GENESIS});
        let more = more.as_object().expect("an object").clone();
        request.as_object_mut().expect("an object").extend(more);
        ask(&request)
    };
    for value in [json!(true), json!("yes")] {
        let reply = asked(json!({"signer_lists": value}));
        assert_eq!(reply["result"]["account_data"]["signer_lists"], json!([]));
    }
    let current = asked(json!({"queue": true, "ledger_index": "current"}));
    assert_eq!(current["result"]["queue_data"], json!({"txn_count": 0}));
    let validated = asked(json!({"queue": true, "ledger_index": "validated"}));
    assert_eq!(
        (
            &validated["error"],
            &validated["error_code"],
            &validated["error_message"]
        ),
        (&json!("invalidParams"), &json!(31), &json!("Invalid parameters."))
    );
}

#[test]
fn rejects_whole_states_to_the_public() {
    for member in ["accounts", "full"] {
        let request = json!({"command": "ledger", "ledger_index": "validated", member: true});
        assert_eq!(ask(&request)["error"], "noPermission");
        let reply = ask_as(operator(), &request);
        assert_eq!(
            (&reply["error"], &reply["error_code"]),
            (&json!("notImpl"), &json!(74))
        );
    }
}

#[test]
fn rejects_other_versions_of_the_protocol_and_repeats_the_version() {
    let accepted = ask(&json!({"command": "ping", "api_version": 1, "id": 197}));
    assert_eq!(
        accepted,
        json!({"api_version": 1, "id": 197, "result": {}, "status": "success", "type": "response"})
    );
    for version in [json!(0), json!(2), json!(3), json!("x")] {
        let request = json!({"command": "ping", "api_version": version, "id": 198});
        let refused = json!({
            "api_version": version, "error": "invalid_API_version", "id": 198, "request": request,
            "status": "error", "type": "response",
        });
        assert_eq!(ask(&request), refused);
    }
    let reply = post_body(
        &FakeNode::default(),
        stranger(),
        br#"{"method":"ping","params":[{"api_version":2}]}"#,
    );
    assert_eq!(
        (reply.status, reply.content_type, reply.body.as_str()),
        (400, "application/json; charset=UTF-8", "invalid_API_version\r\n")
    );
}

#[test]
fn answers_the_range_that_a_transaction_was_not_found_in() {
    let asked = |first: u32, last: u32| {
        ask(&json!({"command": "tx", "transaction": "0".repeat(64), "min_ledger": first, "max_ledger": last}))
    };
    for (range, error, code) in [
        ((1, 5), "txnNotFound", 29),
        ((1, 5_000), "excessiveLgrRange", 78),
        ((5, 1), "invalidLgrRange", 79),
    ] {
        let reply = asked(range.0, range.1);
        assert_eq!(
            (&reply["error"], &reply["error_code"]),
            (&json!(error), &json!(code))
        );
    }
    assert_eq!(asked(1, 5)["searched_all"], true, "the ledgers are 1 to 9");
    assert_eq!(asked(5, 10)["searched_all"], false);
}

/// A guest cannot ask for less than ten transactions a page, the operator can.
#[test]
fn raises_the_limit_of_a_page_for_the_public() {
    let request = json!({"command": "account_tx", "account": GENESIS, "limit": 2});
    assert_eq!(ask(&request)["result"]["limit"], 10);
    assert_eq!(ask_as(operator(), &request)["result"]["limit"], 2);
    let none = json!({"command": "account_tx", "account": GENESIS});
    assert_eq!(ask(&none)["result"]["limit"], 0);
}

/// A request of many small values is refused at the first that is too many, whatever it would take in memory.
#[test]
fn rejects_a_megabyte_of_small_values() {
    let body = format!(r#"{{"command":"ping","x":[{}0]}}"#, r#"{"":0},"#.repeat(140_000));
    let reply = ask_text(&body);
    assert_eq!(reply["error"], "jsonInvalid");
    let message = reply["error_message"].as_str().expect("a message");
    assert!(message.starts_with("more than 1000 values"), "{message}");
}

fn ask_text(text: &str) -> Value {
    let reply = answer_frame(&FakeNode::default(), stranger(), text);
    serde_json::from_str(&reply).expect("replies are JSON")
}
