//! `feature`: the amendments, and the validator's vote about one. For the operator alone.

use codec::Hash256;
use serde_json::{Map, Value, json};

use super::{Answer, Context, Method};
use crate::api::{AmendmentState, AmendmentStatus, Role, Stance, Vote};
use crate::error::RpcError;
use crate::params::Params;

pub(super) const METHOD: Method = Method {
    names: &["feature"],
    fields: &["feature", "vetoed"],
    role: Role::Admin,
    run,
};

fn run(context: &Context<'_>, params: &Params) -> Answer {
    let Some(word) = params.text("feature")? else {
        if params.has("vetoed") {
            return Err(RpcError::MissingField { field: "feature" });
        }
        let features = features_json(&context.node.amendments()?);
        return Ok(Map::from_iter([("features".to_owned(), features)]));
    };
    let id = find(&context.node.amendments()?, word)
        .ok_or(RpcError::BadFeature)?
        .id;
    if params.has("vetoed") {
        let vote = if params.is_set("vetoed")? {
            Vote::Against
        } else {
            Vote::For
        };
        context.node.vote(id, vote)?;
    }
    let amendments = context.node.amendments()?;
    let amendment = amendments
        .iter()
        .find(|amendment| amendment.id == id)
        .ok_or(RpcError::BadFeature)?;
    Ok(Map::from_iter([(id.to_string(), state_json(amendment))]))
}

/// All amendments, by id.
pub(super) fn features_json(amendments: &[AmendmentState]) -> Value {
    let members = amendments
        .iter()
        .map(|amendment| (amendment.id.to_string(), state_json(amendment)));
    Value::Object(members.collect())
}

/// The amendment of a name or of an id in hex.
fn find<'a>(amendments: &'a [AmendmentState], word: &str) -> Option<&'a AmendmentState> {
    let id = Hash256::from_hex(word);
    amendments
        .iter()
        .find(|amendment| amendment.name == Some(word) || Some(amendment.id) == id)
}

/// An enabled amendment is not voted about any more. With one validator its vote is the whole count.
fn state_json(amendment: &AmendmentState) -> Value {
    let is_enabled = amendment.status == AmendmentStatus::Enabled;
    let mut out = Map::new();
    out.insert("enabled".to_owned(), json!(is_enabled));
    if let Some(name) = amendment.name {
        out.insert("name".to_owned(), json!(name));
    }
    out.insert("supported".to_owned(), json!(amendment.stance != Stance::Unknown));
    if let AmendmentStatus::Majority { since } = amendment.status {
        out.insert("majority".to_owned(), json!(since.seconds()));
    }
    let vetoed = match amendment.stance {
        Stance::Voting(Vote::For) => json!(false),
        Stance::Voting(Vote::Against) => json!(true),
        Stance::Obsolete => json!("Obsolete"),
        Stance::Unknown => return Value::Object(out),
    };
    if !is_enabled {
        if let Stance::Voting(vote) = amendment.stance {
            out.insert("count".to_owned(), json!(u32::from(vote == Vote::For)));
            out.insert("threshold".to_owned(), json!(1));
            out.insert("validations".to_owned(), json!(1));
        }
        out.insert("vetoed".to_owned(), vetoed);
    }
    Value::Object(out)
}
