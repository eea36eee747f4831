//! `ledger_accept`: close the open ledger now. For the operator alone.

use codec::LedgerIndex;
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::Role;
use crate::params::Params;
use crate::reply::{self, BadReply, Members};

pub(super) const METHOD: Method = Method {
    names: &["ledger_accept"],
    only: None,
    role: Role::Admin,
    run,
};

/// Asks to close the open ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerAcceptRequest;

/// It is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerAcceptReply {
    /// Index of the next open ledger.
    pub ledger_current_index: LedgerIndex,
}

impl Request for LedgerAcceptRequest {
    const METHOD: &'static str = "ledger_accept";
    type Reply = LedgerAcceptReply;

    fn params(&self) -> Map<String, Value> {
        Map::new()
    }

    fn read(result: &Value) -> Result<LedgerAcceptReply, BadReply> {
        let current = Members::of(result).required("ledger_current_index", reply::ledger_index)?;
        Ok(LedgerAcceptReply {
            ledger_current_index: current,
        })
    }
}

fn run(context: &Context<'_>, _params: &Params<'_>) -> Answer {
    let current = context.node.accept_ledger()?;
    Ok(Map::from_iter([("ledger_current_index".to_owned(), json!(current.get()))]).into())
}
