//! `ping`: whether the server answers.

use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::Role;
use crate::params::Params;
use crate::reply::{BadReply, Members};

pub(super) const METHOD: Method = Method {
    names: &["ping"],
    only: None,
    role: Role::Guest,
    run,
};

/// Asks for a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingRequest;

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingReply {
    /// What the caller may do there.
    pub role: Role,
}

impl Request for PingRequest {
    const METHOD: &'static str = "ping";
    type Reply = PingReply;

    fn params(&self) -> Map<String, Value> {
        Map::new()
    }

    fn read(result: &Value) -> Result<PingReply, BadReply> {
        let role = Members::of(result).checked("role", |role| {
            (role.as_str() == Some("admin")).then_some(Role::Admin)
        })?;
        Ok(PingReply {
            role: role.unwrap_or(Role::Guest),
        })
    }
}

fn run(context: &Context<'_>, _params: &Params<'_>) -> Answer {
    let mut out = Map::new();
    if context.peer.role == Role::Admin {
        out.insert("role".to_owned(), json!("admin"));
        out.insert("unlimited".to_owned(), json!(true));
    }
    Ok(out.into())
}
