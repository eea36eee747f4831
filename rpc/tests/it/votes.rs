//! `validator_votes`: what the validators want, and the operator's word about their list.

use std::collections::BTreeSet;

use codec::base58::{self, TYPE_NODE_PUBLIC};
use codec::keys::{KeyPair, PublicKey};
use serde_json::{Value, json};

use crate::fake_node::{FakeNode, answer_frame, operator, stranger};

fn key(number: u8) -> PublicKey {
    KeyPair::ed25519([number; 16]).public_key()
}

fn text(number: u8) -> String {
    base58::encode(&[TYPE_NODE_PUBLIC], key(number).as_bytes())
}

fn ask(node: &FakeNode, request: &Value) -> Value {
    let reply = answer_frame(node, operator(), &request.to_string());
    serde_json::from_str(&reply).expect("JSON")
}

#[test]
fn accepts_the_votes_of_the_ledger_for_everybody_and_a_list_from_the_operator() {
    let node = FakeNode::default();
    let unknown = "FE".repeat(32);
    let wish = json!({ "amendments": [unknown, "Email"] });
    let row = json!({ "amendments": [unknown, "Email"], "public_key": text(1), "observed_at": 5 });
    let shown = json!({
        "ledger_index": 9, "validators": [text(1)], "quorum": 1, "next_change": 17, "votes": [row],
        "agreed": [], "public_key": text(1), "wish": wish,
    });
    let reply = answer_frame(&node, stranger(), "{\"command\": \"validator_votes\"}");
    let reply: Value = serde_json::from_str(&reply).expect("JSON");
    assert_eq!(reply["result"], shown);

    let list = json!({ "command": "validator_votes", "validators": [text(2), text(1)] });
    let voted = ask(&node, &list)["result"].clone();
    assert_eq!(
        *node.wanted.lock().expect("no panic"),
        BTreeSet::from([key(1), key(2)])
    );
    let sorted: BTreeSet<PublicKey> = [key(1), key(2)].into();
    let sorted: Vec<String> = sorted
        .iter()
        .map(|key| base58::encode(&[TYPE_NODE_PUBLIC], key.as_bytes()))
        .collect();
    assert_eq!(voted["wish"]["validators"], json!(sorted));
    ask(&node, &json!({ "command": "validator_votes", "validators": [] }));
    assert!(node.wanted.lock().expect("no panic").is_empty());
}

#[test]
fn rejects_lists_of_strangers_and_what_is_no_list_of_keys() {
    let node = FakeNode::default();
    let of_a_stranger = json!({ "command": "validator_votes", "validators": [text(1)] });
    let reply = answer_frame(&node, stranger(), &of_a_stranger.to_string());
    assert!(reply.contains("noPermission"), "{reply}");
    let many: Vec<String> = (0..65).map(text).collect();
    for validators in [
        json!(text(1)),
        json!([7]),
        json!(["n9"]),
        json!(["rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"]),
        json!([text(1).to_lowercase()]),
        json!(many),
        json!(null),
    ] {
        let request = json!({ "command": "validator_votes", "validators": validators });
        assert_eq!(ask(&node, &request)["error"], "invalidParams", "{request}");
    }
    let misspelt = ask(
        &node,
        &json!({ "command": "validator_votes", "validator": [text(2)] }),
    );
    assert_eq!(misspelt["error"], "invalidParams");
    assert!(node.wanted.lock().expect("no panic").is_empty());
}
