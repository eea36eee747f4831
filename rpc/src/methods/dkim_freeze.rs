//! `dkim_freeze`: domains whose mail is stopped, and what this validator wants of one (spec 7.10). For the operator
//! alone.

use amendment::{Domain, Freeze};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::{DomainState, FreezesAnswer, Role, Ruling};
use crate::error::RpcError;
use crate::limits::REPLY_LIST_MAX;
use crate::params::Params;
use crate::reply::{self, BadReply, Members};

pub(super) const METHOD: Method = Method {
    names: &["dkim_freeze"],
    // A misspelt parameter would ask instead of stopping a thief.
    only: Some(&["domain", "ruling"]),
    role: Role::Admin,
    run,
};

/// Asks for all domains about which something is said, after what the operator wants of one is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreezeRequest {
    /// Nothing is changed.
    All,
    /// The operator wants this.
    Rule(Domain, Ruling),
}

impl FreezeRequest {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let (domain, ruling) = (params.text("domain")?, params.text("ruling")?);
        let (domain, ruling) = match (domain, ruling) {
            (None, None) => return Ok(Self::All),
            (None, Some(_)) => return Err(RpcError::MissingField { field: "domain" }),
            (Some(_), None) => return Err(RpcError::MissingField { field: "ruling" }),
            (Some(domain), Some(ruling)) => (domain, ruling),
        };
        let domain = Domain::new(domain.as_bytes()).ok_or(RpcError::InvalidField {
            field: "domain",
            expected: "a domain of several labels in lower case, as after d= in a DKIM-Signature",
        })?;
        let ruling = ruling_of(ruling).ok_or(RpcError::InvalidField {
            field: "ruling",
            expected: "frozen or lifted",
        })?;
        Ok(Self::Rule(domain, ruling))
    }
}

impl Request for FreezeRequest {
    const METHOD: &'static str = "dkim_freeze";
    type Reply = FreezesAnswer;

    fn params(&self) -> Map<String, Value> {
        match self {
            Self::All => Map::new(),
            Self::Rule(domain, ruling) => Map::from_iter([
                ("domain".to_owned(), json!(domain.as_str())),
                ("ruling".to_owned(), json!(word(*ruling))),
            ]),
        }
    }

    fn read(result: &Value) -> Result<FreezesAnswer, BadReply> {
        let members = Members::of(result);
        let count = |value: &Value| reply::u32_number(value).and_then(|count| usize::try_from(count).ok());
        let domains = members.get("domains").and_then(reply::list);
        let domains = domains.ok_or(BadReply::Malformed("domains"))?;
        Ok(FreezesAnswer {
            validators: members.required("validators", count)?,
            quorum: members.required("quorum", count)?,
            domains: domains
                .take(REPLY_LIST_MAX)
                .map(read_domain)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn read_domain(value: &Value) -> Result<DomainState, BadReply> {
    let members = Members::of(value);
    let count = |value: &Value| reply::u32_number(value).and_then(|count| usize::try_from(count).ok());
    Ok(DomainState {
        domain: members.required("domains.domain", read_name)?,
        freeze: read_freeze(members, ["domains.since", "domains.until"])?,
        wish: members.checked("domains.wish", |value| ruling_of(value.as_str()?))?,
        for_freeze: members.required("domains.for_freeze", count)?,
        for_lift: members.required("domains.for_lift", count)?,
    })
}

/// A domain as ledgers spell it.
pub(super) fn read_name(value: &Value) -> Option<Domain> {
    Domain::new(value.as_str()?.as_bytes())
}

/// What the ledger says of the domain of a row, as `write_freeze` puts it there. The names are those of the two times,
/// as an error tells them.
pub(super) fn read_freeze(
    members: Members<'_>,
    names: [&'static str; 2],
) -> Result<Option<Freeze>, BadReply> {
    let [since, until] = names;
    let since = members.checked(since, reply::close_time)?;
    let until = members.checked(until, reply::close_time)?;
    Ok(since.map(|since| Freeze { since, until }))
}

/// Times are seconds since 2000, as in the ledger's entry.
pub(super) fn write_freeze(freeze: Freeze, row: &mut Value) {
    row["since"] = json!(freeze.since.seconds());
    if let Some(until) = freeze.until {
        row["until"] = json!(until.seconds());
    }
}

fn run(context: &Context<'_>, params: &Params<'_>) -> Answer {
    if let FreezeRequest::Rule(domain, ruling) = FreezeRequest::parse(params)? {
        context.node.rule(domain, ruling)?;
    }
    let answer = context.node.freezes()?;
    let domains: Vec<Value> = answer.domains.iter().map(domain_json).collect();
    Ok(Map::from_iter([
        ("validators".to_owned(), json!(answer.validators)),
        ("quorum".to_owned(), json!(answer.quorum)),
        ("domains".to_owned(), json!(domains)),
    ])
    .into())
}

fn domain_json(state: &DomainState) -> Value {
    let mut out = json!({
        "domain": state.domain.as_str(), "for_freeze": state.for_freeze, "for_lift": state.for_lift,
    });
    if let Some(freeze) = state.freeze {
        write_freeze(freeze, &mut out);
    }
    if let Some(wish) = state.wish {
        out["wish"] = json!(word(wish));
    }
    out
}

fn word(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Frozen => "frozen",
        Ruling::Lifted => "lifted",
    }
}

fn ruling_of(word: &str) -> Option<Ruling> {
    match word {
        "frozen" => Some(Ruling::Frozen),
        "lifted" => Some(Ruling::Lifted),
        _ => None,
    }
}
