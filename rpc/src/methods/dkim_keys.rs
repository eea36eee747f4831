//! `dkim_keys`, ours: the DKIM keys of the last validated ledger, each with its state at that ledger's time, and the
//! domains whose mail that ledger stops.

use codec::CloseTime;
use serde_json::{Map, Value, json};

use super::dkim_freeze::{read_freeze, read_name, write_freeze};
use super::method::{Answer, Context, Method, Request};
use crate::api::{FrozenDomain, KeyOnLedger, KeyStanding, Role};
use crate::limits::REPLY_LIST_MAX;
use crate::params::Params;
use crate::reply::{self, BadReply, Members};
use crate::wire::write_ledger_id;

pub(super) const METHOD: Method = Method {
    names: &["dkim_keys"],
    only: None,
    role: Role::Guest,
    run,
};

/// Asks for the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DkimKeysRequest;

/// The keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKeysReply {
    /// Close time of the ledger.
    pub close_time: CloseTime,
    /// The keys, at most [`REPLY_LIST_MAX`].
    pub keys: Vec<KeyOnLedger>,
    /// How many there are.
    pub count: u32,
    /// Domains whose mail was ever stopped; a node of an earlier version names none.
    pub freezes: Vec<FrozenDomain>,
}

impl Request for DkimKeysRequest {
    const METHOD: &'static str = "dkim_keys";
    type Reply = DkimKeysReply;

    fn params(&self) -> Map<String, Value> {
        Map::new()
    }

    fn read(result: &Value) -> Result<DkimKeysReply, BadReply> {
        let members = Members::of(result);
        let rows = members.required("keys", reply::list)?;
        Ok(DkimKeysReply {
            close_time: members.required("close_time", reply::close_time)?,
            keys: rows
                .take(REPLY_LIST_MAX)
                .map(read_row)
                .collect::<Result<_, _>>()?,
            count: members.required("count", reply::u32_number)?,
            freezes: members
                .checked("freezes", reply::list)?
                .into_iter()
                .flatten()
                .take(REPLY_LIST_MAX)
                .map(read_frozen)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn read_row(row: &Value) -> Result<KeyOnLedger, BadReply> {
    let members = Members::of(row);
    Ok(KeyOnLedger {
        domain: members.required("keys.domain", reply::text)?,
        selector: members.required("keys.selector", reply::text)?,
        state: members.required("keys.state", |word| KeyStanding::of_word(word.as_str()?))?,
        last_attested: members.required("keys.last_attested", reply::close_time)?,
        until: members.shown("keys.until", reply::close_time),
    })
}

fn read_frozen(row: &Value) -> Result<FrozenDomain, BadReply> {
    let members = Members::of(row);
    Ok(FrozenDomain {
        domain: members.required("freezes.domain", read_name)?,
        freeze: read_freeze(members, ["freezes.since", "freezes.until"])?
            .ok_or(BadReply::Missing("freezes.since"))?,
    })
}

fn run(context: &Context<'_>, _params: &Params<'_>) -> Answer {
    let answer = context.node.keys()?;
    let mut out = Map::new();
    write_ledger_id(answer.ledger, &mut out);
    out.insert("close_time".to_owned(), json!(answer.close_time.seconds()));
    out.insert("count".to_owned(), json!(answer.count));
    out.insert("keys".to_owned(), answer.keys.iter().map(row).collect());
    out.insert("freezes".to_owned(), answer.freezes.iter().map(frozen).collect());
    Ok(out.into())
}

fn frozen(row: &FrozenDomain) -> Value {
    let mut out = json!({ "domain": row.domain.as_str() });
    write_freeze(row.freeze, &mut out);
    out
}

fn row(key: &KeyOnLedger) -> Value {
    let mut row = Map::new();
    row.insert("domain".to_owned(), json!(key.domain));
    row.insert("selector".to_owned(), json!(key.selector));
    row.insert("state".to_owned(), json!(key.state.word()));
    row.insert("last_attested".to_owned(), json!(key.last_attested.seconds()));
    if let Some(until) = key.until {
        row.insert("until".to_owned(), json!(until.seconds()));
    }
    Value::Object(row)
}
