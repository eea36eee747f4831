//! `ping`: the server is there.

use serde_json::{Map, json};

use super::{Answer, Context, Method};
use crate::api::Role;
use crate::params::Params;

pub(super) const METHOD: Method = Method {
    names: &["ping"],
    fields: &[],
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, _params: &Params) -> Answer {
    let mut out = Map::new();
    if context.peer.role == Role::Admin {
        out.insert("role".to_owned(), json!("admin"));
    }
    Ok(out)
}
