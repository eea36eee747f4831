//! What a method is, to the server and to the client.

use explain::CheckMembers;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::{Node, Peer, Role};
use crate::error::RpcError;
use crate::params::Params;
use crate::reply::BadReply;

/// A request as the client sends it, with the reply that it gets.
///
/// ```
/// use rpc::api::TxKey;
/// use rpc::methods::{Form, Request, TxRequest};
/// use serde_json::json;
///
/// let key = TxKey::Email(codec::Hash256::ZERO);
/// let request = TxRequest { key, form: Form::Json };
/// assert_eq!(TxRequest::METHOD, "tx");
/// assert_eq!(request.params()["email_id"], json!("0".repeat(64)));
/// let reply = TxRequest::read(&json!({ "state": "kept", "validated": false }))?;
/// assert!(!reply.validated);
/// let error = TxRequest::read(&json!({ "state": "lost" })).expect_err("no such state");
/// assert_eq!(error.member(), "state");
/// # Ok::<(), rpc::reply::BadReply>(())
/// ```
pub trait Request {
    /// Its method.
    const METHOD: &'static str;
    /// What the server answers.
    type Reply;

    /// The parameters on the wire.
    fn params(&self) -> Map<String, Value>;

    /// Reads the `result` of a server, which may be hostile.
    fn read(result: &Value) -> Result<Self::Reply, BadReply>;
}

/// How transactions and entries are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As JSON.
    Json,
    /// As hex of their serialization (`binary`).
    Binary,
}

impl Form {
    pub(super) fn parse(params: &Params<'_>) -> Result<Form, RpcError> {
        let is_binary = params.is_set("binary")?;
        Ok(if is_binary { Form::Binary } else { Form::Json })
    }

    pub(super) fn write(self, out: &mut Map<String, Value>) {
        if self == Form::Binary {
            out.insert("binary".to_owned(), Value::Bool(true));
        }
    }
}

/// What a method works with.
pub struct Context<'a> {
    /// The node that is asked.
    pub node: &'a dyn Node,
    /// Who asks.
    pub peer: &'a Peer,
}

/// A method's answer, before the envelope.
pub type Answer = Result<Answered, RpcError>;

/// The members of an answer.
#[derive(Debug, Default, Serialize)]
pub struct Answered {
    #[serde(flatten)]
    pub(crate) members: Map<String, Value>,
    /// Written as they are: as a tree of values they would be half of the work of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<Vec<CheckMembers>>,
}

impl From<Map<String, Value>> for Answered {
    fn from(members: Map<String, Value>) -> Self {
        Self {
            members,
            checks: None,
        }
    }
}

/// One method, to the server.
#[derive(Clone, Copy)]
pub(super) struct Method {
    /// The names it answers to.
    pub(super) names: &'static [&'static str],
    /// The parameters that it takes, where it refuses all others: those of a method of which a misspelt one
    /// would spend money. `None`: it ignores others, as Xahau does.
    pub(super) only: Option<&'static [&'static str]>,
    /// The least role that may call it.
    pub(super) role: Role,
    /// The method itself.
    pub(super) run: fn(&Context<'_>, &Params<'_>) -> Answer,
}
