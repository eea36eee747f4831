//! Hostile requests: each is bounded, and refused with a name.

use rpc::HttpReply;
use rpc::limits::{JSON_DEPTH_MAX, MAIL_BYTES_MAX, REQUEST_BYTES_MAX};
use serde_json::{Value, json};

use crate::fake_node::{FakeNode, answer_frame, post_body, stranger};

fn reply_to(text: &str) -> Value {
    let node = FakeNode::default();
    let reply = answer_frame(&node, stranger(), text);
    assert!(
        reply.len() < 4096,
        "a refusal is short, whatever the request was: {} bytes",
        reply.len()
    );
    assert!(node.mails.lock().expect("unpoisoned").is_empty());
    serde_json::from_str(&reply).expect("replies are JSON")
}

fn post(body: &[u8]) -> HttpReply {
    post_body(&FakeNode::default(), stranger(), body)
}

#[test]
fn rejects_two_megabytes() {
    let text = format!("{{\"command\":\"ping\",\"id\":\"{}\"}}", "x".repeat(2_000_000));
    assert_eq!(reply_to(&text)["error"], "jsonInvalid");
    assert_eq!(post(text.as_bytes()).status, 413);
    assert!(text.len() > REQUEST_BYTES_MAX);
}

#[test]
fn rejects_ten_thousand_levels() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let nested = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let request = format!("{{\"command\":\"ping\",\"x\":{nested}}}");
        assert_eq!(reply_to(&request)["error"], "jsonInvalid");
        let reply = post(request.as_bytes());
        assert_eq!(reply.status, 400);
        assert!(reply.body.contains(&JSON_DEPTH_MAX.to_string()), "{}", reply.body);
    }
}

#[test]
fn rejects_what_is_not_strict_json() {
    for text in [
        "",
        "ping",
        "[]",
        "1",
        "null",
        "{\"command\":NaN}",
        "{\"command\":\"ping\",\"id\":NaN}",
        "{\"command\":\"ping\",\"id\":1e999}",
        "{\"command\":\"ping\",\"command\":\"ping\"}",
        "{\"command\":\"submit_email\",\"email\":\"a\",\"email\":\"b\"}",
        "{\"command\":\"ping\"}{\"command\":\"ping\"}",
        "{\"command\":\"ping\"",
        "{\"command\":\"\\ud800\"}",
        "{'command':'ping'}",
    ] {
        assert_eq!(reply_to(text)["error"], "jsonInvalid", "{text}");
    }
}

#[test]
fn rejects_mails_over_their_bound_in_each_form() {
    let raw = "a".repeat(MAIL_BYTES_MAX + 1);
    let hex = "61".repeat(MAIL_BYTES_MAX + 1);
    let base64 = format!("{}YWE=", "YWFh".repeat(MAIL_BYTES_MAX / 3));
    for (form, text) in [("email", raw), ("email_hex", hex), ("email_base64", base64)] {
        let reply = reply_to(&json!({"command": "submit_email", form: text}).to_string());
        assert_eq!(reply["error"], "invalidParams", "{form}");
        let message = reply["error_message"].as_str().expect("a message");
        assert!(message.contains(&(MAIL_BYTES_MAX + 1).to_string()), "{message}");
        assert!(!reply.to_string().contains("aaaa"), "the mail is not repeated");
    }
}

#[test]
fn rejects_without_repeating_secrets_or_nested_values() {
    let reply =
        reply_to(&json!({"command": "sign", "secret": "s3cret", "tx_json": {"a": "s3cret"}}).to_string());
    assert_eq!(
        reply["request"],
        json!({"command": "sign", "secret": "<masked>", "tx_json": "<masked>"})
    );
    let many: serde_json::Map<String, Value> = (0..10_000).map(|i| (format!("field{i}"), json!(i))).collect();
    reply_to(&Value::Object(many).to_string());
    reply_to(&json!({"command": "p".repeat(900_000)}).to_string());
    reply_to(&json!({"command": "ping", "k".repeat(900_000): 1}).to_string());
}

#[test]
fn rejects_unreadable_bytes_of_http() {
    for body in [
        &b"\xff\xfe"[..],
        b"",
        b"\0",
        b"{\"method\":\"ping\",\"method\":\"ping\"}",
    ] {
        assert_eq!(post(body).status, 400);
    }
}

/// Requests that a few wrong bytes were written into, by a fixed sequence of numbers.
#[test]
fn rejects_or_answers_any_bytes_in_the_envelope() {
    let samples = [
        json!({"id": 1, "command": "ping"}).to_string(),
        json!({"id": 1, "command": "submit_email", "email_hex": "00ff", "dry_run": true}).to_string(),
        json!({"command": "ledger", "ledger_index": "validated", "transactions": true}).to_string(),
        json!({"method": "tx", "params": [{"transaction": "A1".repeat(32)}]}).to_string(),
    ];
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let node = FakeNode::default();
    for _ in 0..20_000 {
        let mut bytes = samples[next(samples.len())].clone().into_bytes();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] = b"\"{}[]:,\\ \x00\xffe-19"[next(15)],
                1 => bytes.truncate(at + 1),
                2 => bytes.insert(at, b"\"{}[]0"[next(6)]),
                _ => bytes[at] ^= 1 << next(8),
            }
        }
        let reply = answer_frame(&node, stranger(), &String::from_utf8_lossy(&bytes));
        let reply: Value = serde_json::from_str(&reply).expect("replies are JSON");
        assert!(
            reply["type"] == "response" || reply["error"] == "jsonInvalid",
            "{reply}"
        );
        let reply = post_body(&node, stranger(), &bytes);
        assert!(matches!(reply.status, 200 | 400), "{reply:?}");
    }
}
