//! A request in JSON, over WebSocket and over HTTP, from anybody and from the operator; the same bytes as the
//! JSON of a transaction and, where the relay is built, as a node's answer that it reads.

#![no_main]

use explain::Qualifies;
use fuzz::mail::{NETWORK, NoKeys, explained};
use fuzz::node::{Answering, operator, stranger};
use libfuzzer_sys::fuzz_target;
#[cfg(feature = "relay")]
use relay::courier::answer::{NodeAnswer, weigh_server_info};
use rpc::api::{Peer, Role, SubmitMode};
use rpc::limits::JSON_VALUES_MAX;
use rpc::methods::Context;
use rpc::session::{Input, Output};
use rpc::{Session, answer_post};
#[cfg(feature = "relay")]
use rpc::{
    api::SubmitEmail,
    methods::{Request as _, ServerInfoRequest},
};
use serde_json::{Map, Value, json};

/// Members of the envelope, beside which WebSocket writes the parameters.
const ENVELOPE: [&str; 4] = ["command", "id", "jsonrpc", "method"];

/// How many values there are, as the bound of a request counts them.
fn values_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values_in).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(values_in).sum::<usize>(),
        _ => 1,
    }
}

/// Strict JSON. A reply may hold more values than a request, as the list of definitions does.
fn read_strict(bytes: &[u8]) -> Option<Value> {
    rpc::json::parse(bytes).ok().or_else(|| {
        let value = serde_json::from_slice(bytes).ok()?;
        (values_in(&value) > JSON_VALUES_MAX).then_some(value)
    })
}

/// The reply is strict JSON and complete; a refusal is not much longer than the request.
fn reply_to(node: &Answering, peer: Peer, text: &str) -> Value {
    let mut session = Session::new(peer);
    session.handle(node, Input::Text(text));
    let Some(Output::Text(reply)) = session.next_output() else {
        panic!("no reply");
    };
    let value = read_strict(reply.as_bytes()).expect("strict JSON");
    match value["type"].as_str() {
        Some("response") => assert!(value["result"].is_object() == (value["status"] == "success")),
        kind => assert_eq!((kind, &value["error"]), (Some("error"), &json!("jsonInvalid"))),
    }
    if value["status"] != "success" {
        assert!(value["error"].is_string());
        assert!(reply.len() < 2_048 + 8 * text.len(), "{}", reply.len());
    }
    value
}

/// The same over HTTP, where the method and its parameters can be written there.
fn check_post(context: &Context<'_>, request: &Map<String, Value>, reply: &Value) {
    let (Some(Value::String(method)), None) = (request.get("command"), request.get("method")) else {
        return;
    };
    let mut params = request.clone();
    params.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    let post = json!({ "method": method, "params": [params] });
    if values_in(&post) > JSON_VALUES_MAX {
        return;
    }
    let answer = answer_post(context, post.to_string().as_bytes());
    let Some(body) = read_strict(answer.body.as_bytes()).map(|body| body["result"].clone()) else {
        // These two are text over HTTP, as xahaud's are.
        let is_text = method.is_empty() || reply["error"] == "invalid_API_version";
        return assert!(is_text, "{}", answer.body);
    };
    assert_eq!(body["status"], reply["status"]);
    assert_eq!(body["error"], reply["error"]);
    if let Some(result) = reply["result"].as_object() {
        assert!(result.iter().all(|(name, value)| body[name] == *value));
    }
}

/// The node was given the mail that was written, for the purpose that was written.
fn check_mails(node: &Answering, request: &Map<String, Value>, reply: &Value) {
    let mut mails = node.mails.lock().expect("one thread");
    for asked in mails.drain(..) {
        let is_dry = request.get("dry_run") == Some(&Value::Bool(true));
        assert_eq!(asked.mode == SubmitMode::DryRun, is_dry);
        if let Some(text) = request.get("email") {
            assert_eq!(text.as_str().map(str::as_bytes), Some(asked.mail.as_slice()));
        }
        let explanation = explained(&asked.mail, NETWORK, &NoKeys);
        let result = &reply["result"];
        assert_eq!(
            result["qualifies"].is_null(),
            explanation.qualifies == Qualifies::Unknown
        );
        #[cfg(feature = "relay")]
        check_read_by_relay(result, &explanation);
    }
}

/// The relay reads what a node writes.
#[cfg(feature = "relay")]
fn check_read_by_relay(result: &Value, explanation: &explain::Explanation) {
    let read = SubmitEmail::read(result)
        .map(NodeAnswer::from)
        .expect("an answer");
    assert_eq!(read.code.as_str(), explanation.code.token());
}

fn check_caller(peer: Peer, text: &str) {
    let node = Answering::default();
    let reply = reply_to(&node, peer, text);
    if let Ok(Value::Object(request)) = rpc::json::parse(text.as_bytes()) {
        let id = request.get("id").filter(|id| !id.is_array() && !id.is_object());
        let is_short = id.and_then(Value::as_str).is_none_or(|id| id.len() <= 256);
        // serde_json reads what is no integer to within the last bit.
        if !id.is_some_and(Value::is_f64) {
            assert_eq!(reply.get("id"), id.filter(|_| is_short));
        }
        check_mails(&node, &request, &reply);
        let (node, peer) = (&node, &peer);
        check_post(&Context { node, peer }, &request, &reply);
    }
    let commands = *node.commands.lock().expect("one thread");
    assert!(commands == 0 || peer.role == Role::Admin);
}

/// What is read as a transaction stays what it is.
fn check_transaction(value: &Value) {
    if let Ok(read) = codec::json::from_json(value) {
        let again = codec::json::from_json(&codec::json::to_json(&read));
        assert_eq!(again.as_ref(), Ok(&read));
        assert_eq!(codec::decode(&codec::encode(&read)), Ok(read));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let node = Answering::default();
    for peer in [operator(), stranger()] {
        let context = Context {
            node: &node,
            peer: &peer,
        };
        let reply = answer_post(&context, bytes);
        assert!(matches!(reply.status, 200 | 400 | 413));
        if reply.status == 200 {
            let body = read_strict(reply.body.as_bytes()).expect("strict JSON");
            assert!(body["result"]["status"].is_string());
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    check_caller(operator(), text);
    check_caller(stranger(), text);
    if let Ok(value) = rpc::json::parse(bytes) {
        check_transaction(&value);
        // Any bytes may come from a node: all that counts is that the relay survives them.
        #[cfg(feature = "relay")]
        {
            let _ = SubmitEmail::read(&value).map(NodeAnswer::from);
            let _ = ServerInfoRequest::read(&value).map(|reply| weigh_server_info(&reply, NETWORK));
        }
    }
});
