//! `ledger_accept`: close the open ledger now. For the operator alone.

use serde_json::{Map, json};

use super::{Answer, Context, Method};
use crate::api::Role;
use crate::params::Params;

pub(super) const METHOD: Method = Method {
    names: &["ledger_accept"],
    fields: &[],
    role: Role::Admin,
    run,
};

fn run(context: &Context<'_>, _params: &Params) -> Answer {
    let current = context.node.accept_ledger()?;
    Ok(Map::from_iter([(
        "ledger_current_index".to_owned(),
        json!(current.get()),
    )]))
}
