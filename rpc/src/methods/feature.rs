//! `feature`: the amendments, and the validator's vote about one. For the operator alone.

use std::collections::BTreeMap;

use codec::Hash256;
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::{AmendmentState, AmendmentStatus, Role, Stance, Vote};
use crate::error::RpcError;
use crate::limits::REPLY_LIST_MAX;
use crate::params::Params;
use crate::reply::{self, BadReply, Members};

pub(super) const METHOD: Method = Method {
    names: &["feature"],
    only: None,
    role: Role::Admin,
    run,
};

/// Asks for all amendments, or for one, or changes the vote about one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureRequest {
    /// All of them.
    All,
    /// One, by its name or by its id in hex.
    One(String),
    /// One, after the validator's vote about it is changed.
    Vote(String, Vote),
}

/// Amendments by id, at most [`REPLY_LIST_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureReply {
    /// Their states.
    pub features: BTreeMap<Hash256, FeatureRow>,
}

/// The state of an amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureRow {
    /// Its name, if the node knows it.
    pub name: Option<String>,
    /// Whether the ledger has it.
    pub enabled: bool,
    /// Whether the node's program knows it.
    pub supported: Option<bool>,
    /// Whether the validator votes against it; `None` where there is no vote.
    pub vetoed: Option<bool>,
}

impl FeatureRequest {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let vetoed = params.has("vetoed");
        let Some(word) = params.text("feature")? else {
            return match vetoed {
                true => Err(RpcError::MissingField { field: "feature" }),
                false => Ok(Self::All),
            };
        };
        if !vetoed {
            return Ok(Self::One(word.to_owned()));
        }
        let vote = if params.is_set("vetoed")? {
            Vote::Against
        } else {
            Vote::For
        };
        Ok(Self::Vote(word.to_owned(), vote))
    }
}

impl Request for FeatureRequest {
    const METHOD: &'static str = "feature";
    type Reply = FeatureReply;

    fn params(&self) -> Map<String, Value> {
        let mut out = Map::new();
        match self {
            Self::All => {}
            Self::One(word) => {
                out.insert("feature".to_owned(), json!(word));
            }
            Self::Vote(word, vote) => {
                out.insert("feature".to_owned(), json!(word));
                out.insert("vetoed".to_owned(), json!(*vote == Vote::Against));
            }
        }
        out
    }

    /// A single amendment is a member of the result itself, named after its id.
    fn read(result: &Value) -> Result<FeatureReply, BadReply> {
        let all = result.get("features").unwrap_or(result);
        let rows = all.as_object().ok_or(BadReply::Malformed("features"))?;
        let rows = rows
            .iter()
            .filter_map(|(id, row)| Some((Hash256::from_hex(id)?, FeatureRow::read(row))))
            .take(REPLY_LIST_MAX);
        let features = rows
            .map(|(id, row)| Ok((id, row?)))
            .collect::<Result<_, BadReply>>()?;
        Ok(FeatureReply { features })
    }
}

impl FeatureRow {
    fn read(value: &Value) -> Result<FeatureRow, BadReply> {
        let members = Members::of(value);
        Ok(FeatureRow {
            name: members.shown("features.name", reply::text),
            enabled: members.required("features.enabled", reply::flag)?,
            supported: members.shown("features.supported", reply::flag),
            vetoed: members.shown("features.vetoed", reply::flag),
        })
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    let known = context.node.amendments()?;
    let id = |word: &str| {
        find(&known, word)
            .map(|found| found.id)
            .ok_or(RpcError::BadFeature)
    };
    let id = match FeatureRequest::parse(params)? {
        FeatureRequest::All => {
            return Ok(Map::from_iter([("features".to_owned(), features_json(&known))]).into());
        }
        FeatureRequest::One(word) => id(&word)?,
        FeatureRequest::Vote(word, vote) => {
            let id = id(&word)?;
            context.node.vote(id, vote)?;
            id
        }
    };
    let amendments = context.node.amendments()?;
    let amendment = amendments
        .iter()
        .find(|amendment| amendment.id == id)
        .ok_or(RpcError::BadFeature)?;
    Ok(Map::from_iter([(id.to_string(), state_json(amendment))]).into())
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

/// Votes that an amendment needs more than, and of one validator just that one (xahaud AmendmentTable.cpp).
fn threshold(validators: u32) -> u32 {
    let share = u64::from(validators) * 80 / 100;
    u32::try_from(share).unwrap_or(u32::MAX).max(1)
}

/// Votes about an enabled amendment are over.
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
        if matches!(amendment.stance, Stance::Voting(_)) {
            out.insert("count".to_owned(), json!(amendment.supporters));
            out.insert("threshold".to_owned(), json!(threshold(amendment.validators)));
            out.insert("validations".to_owned(), json!(amendment.validators));
        }
        out.insert("vetoed".to_owned(), vetoed);
    }
    Value::Object(out)
}
