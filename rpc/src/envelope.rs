//! Envelopes of both transports, without any socket: a text comes in, a reply goes out.
//!
//! | transport | request | success | error |
//! |---|---|---|---|
//! | WebSocket | `{id?, command, ...}` | `{id, type:"response", status:"success", result}` | `{id, type:"response", status:"error", error..., request}` |
//! | HTTP POST | `{method, params:[{...}]}` | `{result:{..., status:"success"}}` | `{result:{error..., request, status:"error"}}`, HTTP status 200 |
//!
//! It does not know what a method means, nor how long a caller may stay silent.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::RpcError;
use crate::json;
use crate::limits::{ECHO_BYTES_MAX, ECHO_VALUE_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::methods::{Answer, Answered, Context, dispatch};
use crate::params::bounded_word;

/// The reply to one HTTP POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl HttpReply {
    fn json(value: &Enveloped) -> Self {
        Self {
            status: 200,
            content_type: CONTENT_TYPE,
            body: json::text(value),
        }
    }

    /// A refusal that is no JSON, as Xahau gives it where it could not read a request at all; it calls it JSON
    /// all the same.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: CONTENT_TYPE,
            body: format!("{body}\r\n"),
        }
    }
}

const CONTENT_TYPE: &str = "application/json; charset=UTF-8";

/// A reply: a result, or an error among the other members.
#[derive(Serialize)]
struct Enveloped {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Answered>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// The answer to a frame that is no request, with the reason.
fn json_invalid(reason: &str, frame: &str) -> String {
    let value = prefix(frame, ECHO_VALUE_BYTES_MAX);
    json!({ "type": "error", "error": "jsonInvalid", "error_message": reason, "value": value }).to_string()
}

/// The reply to one WebSocket text message.
pub(crate) fn answer_text(context: &Context<'_>, frame: &str) -> String {
    let parsed = if frame.len() > REQUEST_BYTES_MAX {
        Err(format!("longer than {REQUEST_BYTES_MAX} bytes"))
    } else {
        json::parse(frame.as_bytes()).map_err(|error| error.to_string())
    };
    let request = match parsed {
        Ok(Value::Object(request)) => request,
        Ok(_) => return json_invalid("a request is one JSON object", frame),
        Err(reason) => return json_invalid(&reason, frame),
    };
    let id = request.get("id").filter(|id| is_scalar(id)).cloned();
    let mut reply = Map::new();
    let answer = run_command(context, &request);
    match &answer {
        Ok(_) => {
            reply.insert("status".to_owned(), json!("success"));
        }
        Err(error) => {
            error.write_into(&mut reply);
            reply.insert("request".to_owned(), Value::Object(echo(&request)));
            reply.insert("status".to_owned(), json!("error"));
        }
    }
    if let Some(id) = id {
        reply.insert("id".to_owned(), id);
    }
    if let Some(version) = request.get("api_version").filter(|version| is_scalar(version)) {
        reply.insert("api_version".to_owned(), version.clone());
    }
    reply.insert("type".to_owned(), json!("response"));
    json::text(&Enveloped {
        result: answer.ok(),
        others: reply,
    })
}

/// The reply to a WebSocket message that is not text.
pub(crate) fn refuse_binary() -> String {
    json_invalid("requests are text frames", "")
}

/// Answer the body of one HTTP POST.
#[must_use]
pub fn answer_post(context: &Context<'_>, body: &[u8]) -> HttpReply {
    if body.len() > REQUEST_BYTES_MAX {
        return HttpReply::text(413, "Request too large.");
    }
    let request = match json::parse(body) {
        Ok(Value::Object(request)) => request,
        Ok(_) => return HttpReply::text(400, "Unable to parse request: not an object"),
        Err(error) => return HttpReply::text(400, &format!("Unable to parse request: {error}")),
    };
    let method = match request.get("method") {
        None | Some(Value::Null) => return HttpReply::text(400, "Null method"),
        Some(Value::String(method)) if method.is_empty() => {
            return HttpReply::text(400, "method is empty");
        }
        Some(Value::String(method)) => method,
        Some(_) => return HttpReply::text(400, "method is not string"),
    };
    let none = Map::new();
    let params = match request.get("params") {
        None | Some(Value::Null) => &none,
        Some(Value::Array(list)) => match &list[..] {
            [] => &none,
            [Value::Object(params)] => params,
            _ => return HttpReply::text(400, "params unparseable"),
        },
        Some(_) => return HttpReply::text(400, "params unparseable"),
    };
    if let Err(error) = check_api_version(params) {
        return HttpReply::text(400, error.token());
    }
    reply_to_post(context, method, params, &request)
}

fn reply_to_post(
    context: &Context<'_>,
    method: &str,
    params: &Map<String, Value>,
    envelope: &Map<String, Value>,
) -> HttpReply {
    let mut outer = Map::new();
    for name in ["id", "jsonrpc"] {
        if let Some(value) = envelope.get(name).filter(|value| is_scalar(value)) {
            outer.insert(name.to_owned(), value.clone());
        }
    }
    let result = match dispatch(context, method, params) {
        Ok(mut answer) => {
            answer.members.insert("status".to_owned(), json!("success"));
            answer
        }
        Err(error) => {
            let mut result = Map::new();
            error.write_into(&mut result);
            let mut echoed = echo(params);
            echoed.insert("command".to_owned(), json!(bounded_word(method)));
            result.insert("request".to_owned(), Value::Object(echoed));
            result.insert("status".to_owned(), json!("error"));
            result.into()
        }
    };
    HttpReply::json(&Enveloped {
        result: Some(result),
        others: outer,
    })
}

fn run_command(context: &Context<'_>, request: &Map<String, Value>) -> Answer {
    let command = match (request.get("command"), request.get("method")) {
        (Some(command), Some(method)) if command != method => return Err(RpcError::MissingCommand),
        (Some(word), _) | (None, Some(word)) => word,
        (None, None) => return Err(RpcError::MissingCommand),
    };
    let Value::String(command) = command else {
        return Err(RpcError::MissingCommand);
    };
    if request.get("id").is_some_and(|id| !is_scalar(id)) {
        return Err(RpcError::InvalidField {
            field: "id",
            expected: "not a string or number",
        });
    }
    check_api_version(request)?;
    dispatch(context, command, request)
}

/// Version 1 is the only one, as in xahaud without `beta_rpc_api`.
fn check_api_version(params: &Map<String, Value>) -> Result<(), RpcError> {
    match params.get("api_version") {
        None => Ok(()),
        Some(version) if version.as_u64() == Some(1) => Ok(()),
        Some(_) => Err(RpcError::InvalidApiVersion),
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= ECHO_BYTES_MAX,
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// A request as an error repeats it: secrets masked, long strings replaced by their length, and nothing
/// nested, so that no caller makes the node repeat a mail.
fn echo(request: &Map<String, Value>) -> Map<String, Value> {
    const SECRETS: [&str; 5] = ["passphrase", "secret", "seed", "seed_hex", "tx_json"];
    const NAMES_MAX: usize = 16;
    let members = request.iter().take(NAMES_MAX).map(|(name, value)| {
        let shown = match value {
            _ if SECRETS.contains(&name.as_str()) => json!("<masked>"),
            Value::String(text) if text.len() > ECHO_BYTES_MAX => json!(format!("<{} bytes>", text.len())),
            Value::Array(_) => json!("<array>"),
            Value::Object(_) => json!("<object>"),
            short => short.clone(),
        };
        (prefix(name, ECHO_BYTES_MAX).to_owned(), shown)
    });
    members.collect()
}

/// The longest prefix of at most `bytes_max` bytes that ends between two characters.
fn prefix(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}
