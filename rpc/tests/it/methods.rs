//! The methods that show ledgers and amendments. Forms and values are those of recorded xahaud answers.

use codec::{AccountId, Currency, Hash256, LedgerIndex, keylet};
use rpc::api::{LedgerChoice, LedgerRange, TxMarker, TxOrder};
use serde_json::{Map, Value, json};

use crate::fake_node::{FakeNode, GENESIS, answer_frame, operator, stranger};

const OTHER: &str = "rrrrrrrrrrrrrrrrrrrrBZbvji";

fn ask_at(node: &FakeNode, request: &Value) -> Value {
    let reply = answer_frame(node, operator(), &request.to_string());
    serde_json::from_str(&reply).expect("replies are JSON")
}

fn ask(request: Value) -> Value {
    ask_at(&FakeNode::default(), &request)
}

fn recorded(name: &str) -> Value {
    let path = format!("{}/../fixtures/golden/xahaud/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("recorded")).expect("JSON")
}

fn genesis() -> AccountId {
    AccountId::parse_classic(GENESIS).expect("an address")
}

#[test]
fn accepts_account_tx_in_both_forms() {
    let node = FakeNode::default();
    let reply = ask_at(&node, &json!({"command": "account_tx", "account": GENESIS}));
    let result = &reply["result"];
    assert_eq!(
        (&result["account"], &result["limit"], &result["validated"]),
        (&json!(GENESIS), &json!(0), &json!(true))
    );
    assert_eq!(
        (&result["ledger_index_min"], &result["ledger_index_max"]),
        (&json!(1), &json!(9))
    );
    assert_eq!(result["marker"], json!({"ledger": 7, "seq": 3}));
    let entry = &result["transactions"][0];
    assert_eq!(
        (
            &entry["tx"]["Sequence"],
            &entry["tx"]["ledger_index"],
            &entry["tx"]["date"]
        ),
        (&json!(7), &json!(8), &json!(77))
    );
    assert!(entry["tx"]["hash"].is_string() && entry["validated"] == true);
    assert_eq!(entry["meta"], json!({"TransactionIndex": 2}));
    let asked = node.asked_txs.lock().expect("unpoisoned").expect("asked");
    assert_eq!(
        (asked.ledgers, asked.order, asked.limit, asked.marker),
        (LedgerRange::Between(None, None), TxOrder::Backward, 200, None)
    );

    let request = json!({
        "command": "account_tx", "account": GENESIS, "binary": true, "forward": true, "limit": 1_000_000,
        "ledger_index_min": -1, "ledger_index_max": 5, "marker": {"ledger": 4, "seq": 0},
    });
    let reply = ask_at(&node, &request);
    assert_eq!(
        reply["result"]["transactions"],
        json!([{"ledger_index": 8, "meta": "EE", "tx_blob": "ABCD", "validated": true}])
    );
    assert_eq!(reply["result"]["limit"], 400);
    let asked = node.asked_txs.lock().expect("unpoisoned").expect("asked");
    let marker = TxMarker {
        ledger: LedgerIndex::new(4),
        position: 0,
    };
    assert_eq!(
        (asked.ledgers, asked.order, asked.limit, asked.marker),
        (
            LedgerRange::Between(None, Some(LedgerIndex::new(5))),
            TxOrder::Forward,
            400,
            Some(marker)
        )
    );
    ask_at(
        &node,
        &json!({"command": "account_tx", "account": GENESIS, "limit": 1, "ledger_index": "validated"}),
    );
    let asked = node.asked_txs.lock().expect("unpoisoned").expect("asked");
    assert_eq!(
        (asked.ledgers, asked.limit),
        (LedgerRange::One(LedgerChoice::Validated), 1)
    );
}

#[test]
fn rejects_malformed_account_tx() {
    for (more, error) in [
        (json!({}), "invalidParams"),
        (json!({"account": "r"}), "actMalformed"),
        (
            json!({"account": GENESIS, "ledger_index_min": "x"}),
            "lgrIdxMalformed",
        ),
        (
            json!({"account": GENESIS, "ledger_index_max": -2}),
            "lgrIdxMalformed",
        ),
        (
            json!({"account": GENESIS, "ledger_index_max": 5_000_000_000_u64}),
            "lgrIdxMalformed",
        ),
        (json!({"account": GENESIS, "limit": -1}), "invalidParams"),
        (json!({"account": GENESIS, "marker": 7}), "invalidParams"),
        (
            json!({"account": GENESIS, "marker": {"ledger": 7}}),
            "invalidParams",
        ),
        (
            json!({"account": GENESIS, "ledger_index_min": 1, "ledger_index": 1}),
            "invalidParams",
        ),
        (json!({"account": GENESIS, "forward": 1}), "invalidParams"),
    ] {
        let mut request = more.as_object().expect("an object").clone();
        request.insert("command".to_owned(), json!("account_tx"));
        assert_eq!(ask(Value::Object(request))["error"], error, "{more}");
    }
}

#[test]
fn accepts_each_name_of_a_ledger_entry() {
    let other = AccountId::parse_classic(OTHER).expect("an address");
    let usd = Currency::from_iso(*b"USD");
    let ee = Hash256::new([0xAB; 32]);
    let rows = [
        (json!({"index": ee.to_string()}), ee),
        (json!({"account_root": GENESIS}), keylet::account(genesis())),
    ];
    for (name, key) in rows {
        let node = FakeNode::default();
        let mut request = name.as_object().expect("an object").clone();
        request.insert("command".to_owned(), json!("ledger_entry"));
        let reply = ask_at(&node, &Value::Object(request));
        assert_eq!(
            reply["result"],
            json!({
                "index": key.to_string(), "ledger_current_index": 10, "validated": false,
                "node": {"LedgerEntryType": "AccountRoot", "index": key.to_string()},
            }),
            "{name}"
        );
    }
    let page = keylet::dir_page(keylet::owner_dir(genesis()), 1);
    for (name, key) in [
        (
            json!({"ticket": {"account": GENESIS, "ticket_seq": 7}}),
            keylet::ticket(genesis(), 7),
        ),
        (json!({"ticket": ee.to_string()}), ee),
        (
            json!({"deposit_preauth": {"owner": GENESIS, "authorized": OTHER}}),
            keylet::deposit_preauth(genesis(), other),
        ),
        (
            json!({"directory": {"owner": GENESIS}}),
            keylet::owner_dir(genesis()),
        ),
        (json!({"directory": {"owner": GENESIS, "sub_index": 1}}), page),
        (
            json!({"directory": {"dir_root": keylet::owner_dir(genesis()).to_string(), "sub_index": 1}}),
            page,
        ),
        (
            json!({"ripple_state": {"accounts": [OTHER, GENESIS], "currency": "USD"}}),
            keylet::line(genesis(), other, usd),
        ),
        (
            json!({"uri_token": {"issuer": GENESIS, "uri": "ipfs://x"}}),
            keylet::uri_token(genesis(), b"ipfs://x"),
        ),
        (
            json!({"dkim_key": {"domain": "Example.com", "selector": "S1"}}),
            keylet::dkim_key(b"example.com", b"s1"),
        ),
        (json!({"email_replay": GENESIS}), keylet::email_replay(genesis())),
    ] {
        let node = FakeNode::default();
        let mut request = name.as_object().expect("an object").clone();
        request.insert("command".to_owned(), json!("ledger_entry"));
        request.insert("ledger_index".to_owned(), json!("validated"));
        // The fake node has AccountRoots only: the type is compared after the key was found.
        assert_eq!(
            ask_at(&node, &Value::Object(request))["error"],
            "unexpectedLedgerType",
            "{name}"
        );
        let asked = *node.asked_entry.lock().expect("unpoisoned");
        assert_eq!(asked, Some((key, LedgerChoice::Validated)), "{name}");
    }
    let key = Hash256::new([0xEE; 32]).to_string();
    let reply = ask(json!({"command": "ledger_entry", "dkim_key": key, "binary": true}));
    assert_eq!(reply["result"]["node_binary"], "110061");
}

// Spec: 7.9.
#[test]
fn accepts_the_hash_of_a_key_as_the_name_of_its_leak() {
    let (node, hash) = (FakeNode::default(), Hash256::new([7; 32]));
    let request =
        json!({"command": "ledger_entry", "dkim_leak": hash.to_string(), "ledger_index": "validated"});
    assert_eq!(ask_at(&node, &request)["error"], "unexpectedLedgerType");
    let asked = *node.asked_entry.lock().expect("unpoisoned");
    assert_eq!(asked, Some((keylet::dkim_leak(&hash), LedgerChoice::Validated)));
}

// Spec: 7.10.
#[test]
fn accepts_a_domain_as_the_name_of_its_freeze() {
    let node = FakeNode::default();
    let request =
        json!({"command": "ledger_entry", "dkim_freeze": "Mail.Example", "ledger_index": "validated"});
    assert_eq!(ask_at(&node, &request)["error"], "unexpectedLedgerType");
    let asked = *node.asked_entry.lock().expect("unpoisoned");
    assert_eq!(
        asked,
        Some((keylet::dkim_freeze(b"mail.example"), LedgerChoice::Validated))
    );
}

#[test]
fn rejects_malformed_names_of_ledger_entries() {
    for (name, error) in [
        (json!({}), "invalidParams"),
        (json!({"index": "00", "account_root": GENESIS}), "invalidParams"),
        (json!({"index": "00"}), "malformedRequest"),
        (json!({"index": 7}), "malformedRequest"),
        (json!({"index": "0".repeat(64)}), "entryNotFound"),
        (json!({"account_root": "rX"}), "malformedAddress"),
        (json!({"account_root": []}), "malformedAddress"),
        (json!({"ticket": {"account": GENESIS}}), "malformedRequest"),
        (
            json!({"ticket": {"account": GENESIS, "ticket_seq": "x"}}),
            "invalidParams",
        ),
        (
            json!({"ticket": {"account": GENESIS, "ticket": 7}}),
            "malformedRequest",
        ),
        (
            json!({"deposit_preauth": {"owner": "x", "authorized": OTHER}}),
            "malformedOwner",
        ),
        (json!({"directory": {}}), "malformedRequest"),
        (
            json!({"directory": {"owner": GENESIS, "dir_root": "00"}}),
            "malformedRequest",
        ),
        (
            json!({"ripple_state": {"accounts": [GENESIS], "currency": "USD"}}),
            "malformedRequest",
        ),
        (
            json!({"ripple_state": {"accounts": [GENESIS, GENESIS], "currency": "USD"}}),
            "malformedRequest",
        ),
        (
            json!({"ripple_state": {"accounts": [GENESIS, OTHER], "currency": "U"}}),
            "malformedCurrency",
        ),
        (json!({"dkim_key": {"domain": "a.example"}}), "malformedRequest"),
        (json!({"dkim_freeze": 7}), "malformedRequest"),
        (json!({"email_replay": 7}), "malformedAddress"),
        (json!({"check": "00"}), "invalidParams"),
    ] {
        let mut request = name.as_object().expect("an object").clone();
        request.insert("command".to_owned(), json!("ledger_entry"));
        assert_eq!(ask(Value::Object(request))["error"], error, "{name}");
    }
}

#[test]
fn accepts_the_recorded_fee() {
    assert_eq!(
        ask(json!({"command": "fee"}))["result"],
        recorded("fee_start.json")
    );
}

#[test]
fn accepts_features_in_the_recorded_form() {
    let all = ask(json!({"command": "feature"}))["result"]["features"].clone();
    let recorded = recorded("feature.json")["features"].clone();
    let id = |name: &str| codec::hash::sha512_half(&[name.as_bytes()]).to_string();
    for name in ["Remit", "Escrow"] {
        assert_eq!(all[id(name)], recorded[id(name)], "{name}");
    }
    let unknown = Hash256::new([0xFE; 32]).to_string();
    assert_eq!(all[unknown], json!({"enabled": true, "supported": false}));

    let node = FakeNode::default();
    let voting = |vetoed: bool| {
        json!({
            "enabled": false, "name": "Email", "supported": true, "vetoed": vetoed, "majority": 5,
            "count": u32::from(!vetoed), "threshold": 1, "validations": 1,
        })
    };
    for word in ["Email", &id("Email")] {
        let one = ask_at(&node, &json!({"command": "feature", "feature": word}));
        assert_eq!(one["result"], json!({ id("Email"): voting(true) }));
    }
    let voted = ask_at(
        &node,
        &json!({"command": "feature", "feature": "Email", "vetoed": false}),
    );
    assert_eq!(voted["result"], json!({ id("Email"): voting(false) }));
}

#[test]
fn rejects_unknown_features_and_strangers() {
    for (request, error) in [
        (json!({"command": "feature", "feature": "NoSuch"}), "badFeature"),
        (json!({"command": "feature", "feature": 7}), "invalidParams"),
        (json!({"command": "feature", "vetoed": true}), "invalidParams"),
        (
            json!({"command": "feature", "feature": "Email", "vetoed": "yes"}),
            "invalidParams",
        ),
    ] {
        assert_eq!(ask(request.clone())["error"], error, "{request}");
    }
    let node = FakeNode::default();
    let reply = answer_frame(&node, stranger(), "{\"command\": \"feature\"}");
    assert!(reply.contains("noPermission"), "{reply}");
}

#[test]
fn accepts_the_recorded_definitions_with_ours_besides() {
    let ours = ask(json!({"command": "server_definitions"}))["result"].clone();
    let recorded = recorded("server_definitions.json");
    let rows = |value: &Value| -> Vec<Value> { value["FIELDS"].as_array().expect("rows").clone() };
    let (our_rows, their_rows) = (rows(&ours), rows(&recorded));
    for row in &their_rows {
        assert!(our_rows.contains(row), "{row}");
    }
    let new: Vec<&Value> = our_rows.iter().filter(|row| !their_rows.contains(row)).collect();
    assert_eq!(new.len(), 25, "the fields of spec 1: {new:?}");
    for table in [
        "TYPES",
        "LEDGER_ENTRY_TYPES",
        "TRANSACTION_TYPES",
        "TRANSACTION_RESULTS",
        "TRANSACTION_FLAGS",
        "TRANSACTION_FLAGS_INDICES",
    ] {
        let (ours, theirs) = (&ours[table], recorded[table].as_object().expect("a table"));
        for (name, value) in theirs {
            match (value, &ours[name]) {
                (Value::Object(flags), Value::Object(ours)) => {
                    let missing: Map<String, Value> = flags
                        .iter()
                        .filter(|(flag, bit)| ours.get(*flag) != Some(bit))
                        .map(|(flag, bit)| (flag.clone(), bit.clone()))
                        .collect();
                    assert!(missing.is_empty(), "{table} {name} {missing:?}");
                }
                (value, ours) => assert_eq!(ours, value, "{table} {name}"),
            }
        }
    }
    assert_eq!(ours["TRANSACTION_TYPES"]["DKIMKeySet"], 110);
    assert_eq!(ours["LEDGER_ENTRY_TYPES"]["DKIMKey"], 0x4B);
    assert_eq!(ours["TRANSACTION_TYPES"]["DKIMKeyLeak"], 111);
    assert_eq!(ours["LEDGER_ENTRY_TYPES"]["DKIMLeak"], 0x6D);
    assert_eq!(ours["TRANSACTION_TYPES"]["ValidatorVote"], 112);
    assert_eq!(ours["LEDGER_ENTRY_TYPES"]["ValidatorVotes"], 0x4A);
    assert_eq!(ours["LEDGER_ENTRY_TYPES"]["DKIMFreeze"], 0x6A);
    assert_eq!(ours["TRANSACTION_RESULTS"]["tefDKIM_FROZEN"], -153);
    assert!(ours["TRANSACTION_RESULTS"]["tefEMAIL_REPLAY"].is_i64());
    assert_eq!(ours["TRANSACTION_FLAGS"]["Remit"]["tfEmailSig"], 0x2000_0000);
    assert_eq!(ours["native_currency_code"], recorded["native_currency_code"]);
    assert!(ours["features"].is_object());

    let again = ask(json!({"command": "server_definitions", "hash": ours["hash"]}));
    assert_eq!(again["result"], json!({"hash": ours["hash"]}));
    let other = ask(json!({"command": "server_definitions", "hash": recorded["hash"]}));
    assert!(other["result"]["FIELDS"].is_array());
}

// Spec: 7.10.
#[test]
fn rejects_rulings_of_guests_and_malformed_ones() {
    let node = FakeNode::default();
    let rule = json!({"command": "dkim_freeze", "domain": "mail.example", "ruling": "frozen"});
    let by_guest: Value =
        serde_json::from_str(&answer_frame(&node, stranger(), &rule.to_string())).expect("JSON");
    assert_eq!(by_guest["error"], "noPermission");
    for bad in [
        json!({"domain": "mail.example"}),
        json!({"ruling": "frozen"}),
        json!({"domain": "Mail.example", "ruling": "frozen"}),
        json!({"domain": "example", "ruling": "frozen"}),
        json!({"domain": "mail.example", "ruling": "thawed"}),
        json!({"domain": "mail.example", "ruling": true}),
        json!({"domian": "mail.example", "ruling": "frozen"}),
    ] {
        let mut request = bad.as_object().expect("members").clone();
        request.insert("command".to_owned(), json!("dkim_freeze"));
        assert_eq!(
            ask_at(&node, &Value::Object(request))["error"],
            "invalidParams",
            "{bad}"
        );
    }
    assert_eq!(*node.rule.lock().expect("unpoisoned"), None);
    assert_eq!(ask_at(&node, &rule)["status"], "success");
    assert!(node.rule.lock().expect("unpoisoned").is_some());
}
