//! The methods, one per file: which parameters each knows, and its answer.

mod account_info;
mod account_tx;
mod feature;
mod fee;
mod ledger;
mod ledger_accept;
mod ledger_entry;
mod ping;
mod server_definitions;
mod server_info;
mod submit;
mod submit_email;
mod tx;

use serde_json::{Map, Value};

use crate::api::{Node, Peer, Role};
use crate::error::RpcError;
use crate::params::{Params, bounded_word};

/// What a method works with.
pub struct Context<'a> {
    /// The node that is asked.
    pub node: &'a dyn Node,
    /// Who asks.
    pub peer: &'a Peer,
}

/// A method's answer, before the envelope.
pub type Answer = Result<Map<String, Value>, RpcError>;

/// One method.
#[derive(Clone, Copy)]
pub struct Method {
    /// The names it answers to.
    names: &'static [&'static str],
    /// Its parameters.
    fields: &'static [&'static str],
    /// The least role that may call it.
    role: Role,
    /// The method itself.
    run: fn(&Context<'_>, &Params) -> Answer,
}

/// All methods.
const METHODS: [Method; 13] = [
    account_info::METHOD,
    account_tx::METHOD,
    feature::METHOD,
    fee::METHOD,
    ledger::METHOD,
    ledger_accept::METHOD,
    ledger_entry::METHOD,
    ping::METHOD,
    server_definitions::METHOD,
    server_info::METHOD,
    submit::METHOD,
    submit_email::METHOD,
    tx::METHOD,
];

/// Find the method, check the caller's role and the names of the parameters, and run it.
pub fn dispatch(context: &Context<'_>, method: &str, members: Map<String, Value>) -> Answer {
    let method = METHODS
        .iter()
        .find(|candidate| candidate.names.contains(&method))
        .ok_or_else(|| RpcError::UnknownCommand {
            method: bounded_word(method),
        })?;
    if method.role == Role::Admin && context.peer.role != Role::Admin {
        return Err(RpcError::NoPermission);
    }
    let params = Params::new(members, method.fields)?;
    (method.run)(context, &params)
}
