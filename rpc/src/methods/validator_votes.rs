//! `validator_votes`: what the validators want of amendments and of their list; and, for the operator alone, the list
//! that this node's validator votes for.

use std::collections::BTreeSet;

use codec::base58::{self, TYPE_NODE_PUBLIC};
use codec::keys::PublicKey;
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method};
use crate::api::{Role, ValidatorVotes, VoteWish};
use crate::error::RpcError;
use crate::limits::VOTED_VALIDATORS_MAX;
use crate::params::Params;

pub(super) const METHOD: Method = Method {
    names: &["validator_votes"],
    only: Some(&["validators"]),
    role: Role::Guest,
    run,
};

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    if let Some(wanted) = params.value("validators") {
        if context.peer.role != Role::Admin {
            return Err(RpcError::NoPermission);
        }
        context.node.want_validators(keys(wanted)?)?;
    }
    Ok(votes_json(&context.node.validator_votes()?).into())
}

/// Public keys of nodes; none: the list as it is. Spec: 15.1
fn keys(wanted: &Value) -> Result<BTreeSet<PublicKey>, RpcError> {
    let wrong = RpcError::InvalidField {
        field: "validators",
        expected: "not a list of up to 64 public keys of nodes (n..., ed25519)",
    };
    let listed = wanted
        .as_array()
        .filter(|list| list.len() <= VOTED_VALIDATORS_MAX);
    let key = |text: &Value| {
        let bytes = base58::decode::<33>(&[TYPE_NODE_PUBLIC], text.as_str()?)?;
        PublicKey::parse(&bytes).ok().filter(PublicKey::is_ed25519)
    };
    let keys = listed.and_then(|list| list.iter().map(key).collect::<Option<BTreeSet<_>>>());
    keys.ok_or(wrong)
}

fn text(key: &PublicKey) -> String {
    base58::encode(&[TYPE_NODE_PUBLIC], key.as_bytes())
}

fn texts<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Vec<String> {
    keys.into_iter().map(text).collect()
}

fn votes_json(votes: &ValidatorVotes) -> Map<String, Value> {
    let rows: Vec<Value> = votes
        .votes
        .iter()
        .map(|row| {
            let mut value = wish_json(&row.wish);
            value.insert("public_key".to_owned(), json!(text(&row.validator)));
            value.insert("observed_at".to_owned(), json!(row.observed_at.seconds()));
            Value::Object(value)
        })
        .collect();
    let mut out = Map::new();
    out.insert("ledger_index".to_owned(), json!(votes.ledger.get()));
    out.insert("validators".to_owned(), json!(texts(&votes.validators)));
    out.insert("quorum".to_owned(), json!(votes.quorum));
    if let Some(next) = votes.next_change {
        out.insert("next_change".to_owned(), json!(next.get()));
    }
    out.insert("votes".to_owned(), json!(rows));
    if let Some(agreed) = &votes.agreed {
        out.insert("agreed".to_owned(), json!(texts(agreed)));
    }
    out.insert("public_key".to_owned(), json!(text(&votes.own)));
    out.insert("wish".to_owned(), Value::Object(wish_json(&votes.wish)));
    out
}

/// Amendments by name, or by id where the node does not know them; the list only where it shall be another.
fn wish_json(wish: &VoteWish) -> Map<String, Value> {
    let name = |(id, name): &(codec::Hash256, Option<&'static str>)| {
        name.map_or_else(|| id.to_string(), str::to_owned)
    };
    let mut out = Map::new();
    let amendments: Vec<String> = wish.amendments.iter().map(name).collect();
    out.insert("amendments".to_owned(), json!(amendments));
    if !wish.validators.is_empty() {
        out.insert("validators".to_owned(), json!(texts(&wish.validators)));
    }
    out
}
