//! Envelopes and refusals. Expected tokens and numbers are those of xahaud's error table.

use rpc::HttpReply;
use rpc::api::{Peer, Role, SubmitMode};
use serde_json::{Value, json};

use crate::fake_node::{FakeNode, GENESIS, answer_frame, operator, post_body, stranger};

fn ask_as(peer: Peer, request: &Value) -> Value {
    let node = FakeNode::default();
    serde_json::from_str(&answer_frame(&node, peer, &request.to_string())).expect("replies are JSON")
}

fn ask(request: &Value) -> Value {
    ask_as(operator(), request)
}

fn post(request: &Value) -> HttpReply {
    post_body(&FakeNode::default(), operator(), request.to_string().as_bytes())
}

fn post_json(request: &Value) -> Value {
    let reply = post(request);
    assert_eq!(reply.status, 200);
    serde_json::from_str(&reply.body).expect("replies are JSON")
}

#[test]
fn accepts_websocket_requests_and_returns_their_id() {
    for id in [json!(1), json!("a"), json!(null)] {
        let reply = ask(&json!({"id": id, "command": "ping"}));
        assert_eq!(
            reply,
            json!({"id": id, "type": "response", "status": "success", "result": {"role": "admin", "unlimited": true}})
        );
    }
    let without_id = ask(&json!({"command": "ping", "api_version": 1}));
    assert_eq!(
        without_id,
        json!({"type": "response", "status": "success", "result": {"role": "admin", "unlimited": true}, "api_version": 1})
    );
    assert_eq!(ask(&json!({"method": "ping"}))["status"], "success");
}

#[test]
fn accepts_http_requests_with_and_without_params() {
    let expected = json!({"result": {"role": "admin", "status": "success", "unlimited": true}});
    assert_eq!(post_json(&json!({"method": "ping"})), expected);
    assert_eq!(post_json(&json!({"method": "ping", "params": [{}]})), expected);
    let with_id = post_json(&json!({"method": "ping", "params": [{}], "id": 5, "jsonrpc": "2.0"}));
    assert_eq!((&with_id["id"], &with_id["jsonrpc"]), (&json!(5), &json!("2.0")));
}

#[test]
fn rejects_websocket_requests_in_the_error_envelope() {
    let reply = ask(&json!({"id": 3, "command": "no_such", "x": 1}));
    assert_eq!(
        reply,
        json!({
            "id": 3, "type": "response", "status": "error", "error": "unknownCmd", "error_code": 32,
            "error_message": "Unknown method 'no_such'.", "request": {"id": 3, "command": "no_such", "x": 1},
        })
    );
}

#[test]
fn rejects_http_requests_in_the_error_envelope_with_status_200() {
    let reply = post_json(&json!({"method": "no_such", "params": [{"x": 1}]}));
    assert_eq!(
        reply,
        json!({"result": {
            "status": "error", "error": "unknownCmd", "error_code": 32,
            "error_message": "Unknown method 'no_such'.", "request": {"command": "no_such", "x": 1},
        }})
    );
}

#[test]
fn rejects_requests_without_a_command() {
    for request in [
        json!({}),
        json!({"id": 1}),
        json!({"command": 7}),
        json!({"command": "ping", "method": "tx"}),
    ] {
        let reply = ask(&request);
        assert_eq!(reply["error"], "missingCommand", "{request}");
        assert_eq!(reply["status"], "error");
    }
}

#[test]
fn rejects_unreadable_http_requests_in_plain_text() {
    let session_post = |body: &[u8]| post_body(&FakeNode::default(), operator(), body);
    assert_eq!(session_post(b"{").status, 400);
    assert_eq!(session_post(b"[]").status, 400);
    assert_eq!(post(&json!({})), HttpReply::text(400, "Null method"));
    assert_eq!(
        post(&json!({"method": null})),
        HttpReply::text(400, "Null method")
    );
    assert_eq!(
        post(&json!({"method": 1})),
        HttpReply::text(400, "method is not string")
    );
    assert_eq!(
        post(&json!({"method": ""})),
        HttpReply::text(400, "method is empty")
    );
    for params in [json!({}), json!([1]), json!([{}, {}]), json!("x")] {
        assert_eq!(
            post(&json!({"method": "ping", "params": params})),
            HttpReply::text(400, "params unparseable")
        );
    }
}

#[test]
fn accepts_ledger_accept_from_the_operator() {
    assert_eq!(
        ask(&json!({"command": "ledger_accept"}))["result"],
        json!({"ledger_current_index": 11})
    );
    let v6 = Peer::new("::1".parse().expect("an address"), Role::Admin);
    assert_eq!(
        ask_as(v6, &json!({"command": "ledger_accept"}))["status"],
        "success"
    );
    let mapped = Peer::new("::ffff:127.0.0.1".parse().expect("an address"), Role::Admin);
    assert_eq!(
        ask_as(mapped, &json!({"command": "ledger_accept"}))["status"],
        "success"
    );
}

#[test]
fn rejects_ledger_accept_from_anybody_else() {
    let page = Peer::new("127.0.0.1".parse().expect("an address"), Role::Guest);
    for peer in [stranger(), page] {
        let reply = ask_as(peer, &json!({"command": "ledger_accept"}));
        assert_eq!(
            (&reply["error"], &reply["error_code"]),
            (&json!("noPermission"), &json!(6))
        );
        assert_eq!(ask_as(peer, &json!({"command": "ping"}))["result"], json!({}));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn rejects_each_kind_of_bad_parameter() {
    let zero = "0".repeat(64);
    let refused = |request: Value| (request.clone(), ask(&request)["error"].clone());
    for (request, token) in [
        (
            json!({"command": "ping", "api_version": 2}),
            "invalid_API_version",
        ),
        (json!({"command": "ping", "id": [1]}), "invalidParams"),
        (json!({"command": "tx"}), "invalidParams"),
        (json!({"command": "tx", "transaction": "00"}), "invalidParams"),
        (
            json!({"command": "tx", "transaction": zero, "email_id": zero}),
            "invalidParams",
        ),
        (json!({"command": "tx", "transaction": zero}), "txnNotFound"),
        (json!({"command": "tx", "email_id": zero}), "txnNotFound"),
        (json!({"command": "account_info"}), "invalidParams"),
        (json!({"command": "account_info", "account": 1}), "invalidParams"),
        (
            json!({"command": "account_info", "account": "rHb9"}),
            "actMalformed",
        ),
        (
            json!({"command": "account_info", "account": "alice@example.com"}),
            "actMalformed",
        ),
        (
            json!({"command": "account_info", "account": "rrrrrrrrrrrrrrrrrrrrrhoLvTp"}),
            "actNotFound",
        ),
        (
            json!({"command": "account_info", "account": GENESIS, "ledger_index": 77}),
            "lgrNotFound",
        ),
        (
            json!({"command": "account_info", "account": GENESIS, "ledger_index": "last"}),
            "invalidParams",
        ),
        (json!({"command": "ledger", "ledger_index": 10}), "lgrNotFound"),
        (
            json!({"command": "ledger", "transactions": "yes"}),
            "invalidParams",
        ),
        (json!({"command": "submit"}), "invalidParams"),
        (json!({"command": "submit", "tx_blob": "0"}), "invalidParams"),
        (
            json!({"command": "submit", "tx_blob": "00"}),
            "invalidTransaction",
        ),
        (json!({"command": "submit_email"}), "invalidParams"),
        (json!({"command": "submit_email", "email": 1}), "invalidParams"),
        (
            json!({"command": "submit_email", "email": "x", "email_hex": "00"}),
            "invalidParams",
        ),
        (
            json!({"command": "submit_email", "email_hex": "0"}),
            "invalidParams",
        ),
        (
            json!({"command": "submit_email", "email_base64": "!"}),
            "invalidParams",
        ),
        (
            json!({"command": "submit_email", "email": "x", "dry_run": 1}),
            "invalidParams",
        ),
        (
            json!({"command": "submit_email", "email": "x", "dryrun": true}),
            "invalidParams",
        ),
    ] {
        assert_eq!(refused(request.clone()), (request, json!(token)));
    }
    let reply = ask(&json!({"command": "submit_email", "email": "x", "dryrun": true}));
    assert_eq!(
        reply["error_message"],
        "Unknown field 'dryrun'; the nearest known one is 'dry_run'."
    );
    let reply = ask(&json!({"command": "submit", "tx_blob": "00"}));
    assert_eq!(reply["error_exception"], "fails local checks: Too short.");
    assert_eq!(reply.get("error_code"), None);
}

#[test]
fn accepts_a_mail_in_each_of_its_three_forms() {
    let node = FakeNode::default();
    for (form, text) in [
        ("email", "A: b\r\n\r\n"),
        ("email_hex", "413a20620d0a0d0a"),
        ("email_base64", "QTogYg0KDQo="),
    ] {
        for method in ["submit_email", "submitEmail"] {
            let reply = answer_frame(
                &node,
                stranger(),
                &json!({"command": method, form: text, "dry_run": true}).to_string(),
            );
            assert!(reply.contains("success"), "{reply}");
        }
    }
    let mails = node.mails.lock().expect("unpoisoned");
    assert_eq!(mails.len(), 6);
    assert!(
        mails
            .iter()
            .all(|mail| mail.mail == b"A: b\r\n\r\n" && mail.mode == SubmitMode::DryRun)
    );
}

#[test]
fn accepts_a_mail_and_answers_with_the_names_of_spec_12() {
    let result = ask(&json!({"command": "submit_email", "email": "x"}))["result"].clone();
    assert_eq!(result["qualifies"], Value::Null);
    assert_eq!(
        (&result["rule"], &result["code"]),
        (&json!("7.3"), &json!("terNO_DKIM_KEY"))
    );
    assert_eq!(
        result["from"],
        json!({"address": "alice@example.com", "account": GENESIS})
    );
    assert_eq!(
        (&result["to"], &result["transaction"], &result["email_id"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(result["instruction"], "REMIT 10 XAH");
    assert_eq!(result["executable_until"], 5);
    assert_eq!(
        result["checks"],
        json!([{"rule": "7.3", "read": "sel._domainkey.example.com", "verdict": "unknown", "fix": "Wait."}])
    );
    assert_eq!(
        (&result["engine_result"], &result["engine_result_code"]),
        (&json!("terNO_DKIM_KEY"), &json!(-80))
    );
    assert_eq!(
        (&result["kept"], &result["state"]),
        (&json!(true), &json!("kept"))
    );
    assert_eq!(
        (&result["hash"], &result["ledger_index"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn accepts_submit_and_answers_with_xahaud_names() {
    let result = ask(&json!({"command": "submit", "tx_blob": "ABCD", "fail_hard": true}))["result"].clone();
    assert_eq!(result["engine_result"], "tesSUCCESS");
    assert_eq!(result["tx_blob"], "ABCD");
    assert_eq!(result["tx_json"], json!({"Sequence": 7, "hash": "A1".repeat(32)}));
    assert_eq!(
        (&result["applied"], &result["kept"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(result["open_ledger_cost"], "10");
}

#[test]
fn accepts_tx_by_hash_and_by_email_id() {
    let by_hash = ask(&json!({"command": "tx", "transaction": "a1".repeat(32)}))["result"].clone();
    assert_eq!(
        (&by_hash["hash"], &by_hash["validated"]),
        (&json!("A1".repeat(32)), &json!(false))
    );
    let by_id = ask(&json!({"command": "tx", "email_id": "E1".repeat(32)}))["result"].clone();
    assert_eq!(
        (&by_id["state"], &by_id["email_id"]),
        (&json!("kept"), &json!("E1".repeat(32)))
    );
    assert_eq!(by_id["validated"], false);
}

#[test]
fn accepts_account_info_with_flags_as_booleans() {
    let result = ask(&json!({"command": "account_info", "account": GENESIS}))["result"].clone();
    assert_eq!(
        result["account_data"],
        json!({"Balance": "12500000", "Flags": 0x0010_0000, "index": "2B".repeat(32)})
    );
    assert_eq!(result["account_flags"]["disableMasterKey"], true);
    let set = result["account_flags"]
        .as_object()
        .expect("an object")
        .values()
        .filter(|flag| **flag == json!(true));
    assert_eq!(set.count(), 1);
    assert_eq!(
        (&result["ledger_current_index"], &result["validated"]),
        (&json!(10), &json!(false))
    );
    let validated = json!({"command": "account_info", "account": GENESIS, "ledger_index": "validated"});
    assert_eq!(ask(&validated)["result"]["ledger_hash"], "09".repeat(32));
}

#[test]
fn accepts_ledger_in_each_form() {
    let result =
        ask(&json!({"command": "ledger", "ledger_index": 9, "transactions": true}))["result"].clone();
    assert_eq!(
        result["ledger"]["close_time_human"],
        "2026-Nov-20 10:43:30.000000000 UTC"
    );
    assert_eq!(result["ledger"]["totalCoins"], "100000000000000");
    assert_eq!(result["ledger"]["transactions"], json!(["A1".repeat(32)]));
    assert_eq!(
        (&result["ledger_index"], &result["validated"]),
        (&json!(9), &json!(true))
    );
    let binary =
        ask(&json!({"command": "ledger", "ledger_index": "closed", "binary": true}))["result"].clone();
    assert_eq!(binary["ledger"], json!({"closed": true, "ledger_data": "010203"}));
    let both = ask(&json!({"command": "ledger"}))["result"].clone();
    assert_eq!(both["closed"]["ledger"]["ledger_index"], "9");
    assert_eq!(both["open"]["ledger"]["closed"], false);
}

#[test]
fn accepts_server_info() {
    let info = ask(&json!({"command": "server_info"}))["result"]["info"].clone();
    assert_eq!(
        (&info["network_id"], &info["complete_ledgers"]),
        (&json!(21_338), &json!("1-9"))
    );
    let ledger = &info["validated_ledger"];
    assert_eq!((&ledger["age"], &ledger["seq"]), (&json!(3), &json!(9)));
    assert_eq!(ledger["base_fee_native"].as_f64(), Some(0.000_01));
    assert_eq!(ledger["reserve_inc_native"].as_f64(), Some(0.2));
}
