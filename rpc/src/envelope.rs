//! Envelopes of both transports, without any socket: a text comes in, a reply goes out.
//!
//! | transport | request | success | error |
//! |---|---|---|---|
//! | WebSocket | `{id?, command, ...}` | `{id, type:"response", status:"success", result}` | `{id, type:"response", status:"error", error..., request}` |
//! | HTTP POST | `{method, params:[{...}]}` | `{result:{..., status:"success"}}` | `{result:{error..., request, status:"error"}}`, HTTP status 200 |
//!
//! It does not know what a method means, nor how long a caller may stay silent.

use serde_json::{Map, Value, json};

use crate::error::RpcError;
use crate::json;
use crate::limits::{ECHO_BYTES_MAX, ECHO_VALUE_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::methods::{Context, dispatch};

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
    fn json(value: &Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json; charset=UTF-8",
            body: value.to_string(),
        }
    }

    /// A refusal that is no JSON, as Xahau gives it where it could not read a request at all.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=UTF-8",
            body: body.to_owned(),
        }
    }
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
    match run_command(context, &request) {
        Ok(result) => {
            reply.insert("result".to_owned(), Value::Object(result));
            reply.insert("status".to_owned(), json!("success"));
        }
        Err(error) => {
            error.write_into(&mut reply);
            reply.insert("request".to_owned(), echo(&request));
            reply.insert("status".to_owned(), json!("error"));
        }
    }
    if let Some(id) = id {
        reply.insert("id".to_owned(), id);
    }
    reply.insert("type".to_owned(), json!("response"));
    Value::Object(reply).to_string()
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
    let mut request = match json::parse(body) {
        Ok(Value::Object(request)) => request,
        Ok(_) => return HttpReply::text(400, "Unable to parse request: not an object"),
        Err(error) => return HttpReply::text(400, &format!("Unable to parse request: {error}")),
    };
    let method = match request.remove("method") {
        None | Some(Value::Null) => return HttpReply::text(400, "Null method"),
        Some(Value::String(method)) if method.is_empty() => {
            return HttpReply::text(400, "method is empty");
        }
        Some(Value::String(method)) => method,
        Some(_) => return HttpReply::text(400, "method is not string"),
    };
    let params = match request.remove("params") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Array(list)) => match <[Value; 1]>::try_from(list) {
            Ok([Value::Object(params)]) => params,
            _ => return HttpReply::text(400, "params unparseable"),
        },
        Some(_) => return HttpReply::text(400, "params unparseable"),
    };
    reply_to_post(context, &method, params, request)
}

fn reply_to_post(
    context: &Context<'_>,
    method: &str,
    params: Map<String, Value>,
    envelope: Map<String, Value>,
) -> HttpReply {
    let mut echoed = params.clone();
    echoed.insert("command".to_owned(), json!(method));
    let mut outer = Map::new();
    for name in ["id", "jsonrpc"] {
        if let Some(value) = envelope.get(name).filter(|value| is_scalar(value)) {
            outer.insert(name.to_owned(), value.clone());
        }
    }
    let outcome = check_members(envelope, &["id", "jsonrpc"]).and_then(|()| {
        let mut params = params;
        take_api_version(&mut params)?;
        dispatch(context, method, params)
    });
    let mut result = Map::new();
    match outcome {
        Ok(answer) => {
            result = answer;
            result.insert("status".to_owned(), json!("success"));
        }
        Err(error) => {
            error.write_into(&mut result);
            result.insert("request".to_owned(), echo(&echoed));
            result.insert("status".to_owned(), json!("error"));
        }
    }
    outer.insert("result".to_owned(), Value::Object(result));
    HttpReply::json(&Value::Object(outer))
}

fn run_command(context: &Context<'_>, request: &Map<String, Value>) -> Result<Map<String, Value>, RpcError> {
    let mut params = request.clone();
    let command = match (params.remove("command"), params.remove("method")) {
        (Some(command), Some(method)) if command != method => return Err(RpcError::MissingCommand),
        (Some(word), _) | (None, Some(word)) => word,
        (None, None) => return Err(RpcError::MissingCommand),
    };
    let Value::String(command) = command else {
        return Err(RpcError::MissingCommand);
    };
    if params.remove("id").is_some_and(|id| !is_scalar(&id)) {
        return Err(RpcError::InvalidField {
            field: "id",
            expected: "not a string or number",
        });
    }
    params.remove("jsonrpc");
    take_api_version(&mut params)?;
    dispatch(context, &command, params)
}

/// Version 1 is the only one.
fn take_api_version(params: &mut Map<String, Value>) -> Result<(), RpcError> {
    match params.remove("api_version") {
        None => Ok(()),
        Some(version) if version.as_u64() == Some(1) => Ok(()),
        Some(_) => Err(RpcError::InvalidField {
            field: "api_version",
            expected: "not 1",
        }),
    }
}

fn check_members(members: Map<String, Value>, known: &[&'static str]) -> Result<(), RpcError> {
    crate::params::Params::new(members, known).map(drop)
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
fn echo(request: &Map<String, Value>) -> Value {
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
    Value::Object(members.collect())
}

/// The longest prefix of at most `bytes_max` bytes that ends between two characters.
fn prefix(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}
