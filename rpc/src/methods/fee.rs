//! `fee`: what transactions cost now. The median is what xahaud shows before any transaction.

use codec::{Drops, LedgerIndex};
use serde_json::{Map, Value, json};

use super::method::{Answer, Context, Method, Request};
use crate::api::Role;
use crate::params::Params;
use crate::reply::{self, BadReply, Members};

pub(super) const METHOD: Method = Method {
    names: &["fee"],
    only: None,
    role: Role::Guest,
    run,
};

/// Fee level of a transaction that pays the base fee (xahaud TxQ.h).
pub(super) const REFERENCE_LEVEL: u64 = 256;

/// Times the reference level that xahaud takes as the median at least (TxQ.h, minimumEscalationMultiplier).
const MEDIAN_FACTOR: u64 = 500;

/// Asks what transactions cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRequest;

/// What transactions cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeReply {
    /// What the cheapest transaction costs without load.
    pub base_fee: Drops,
    /// What it costs to get into the open ledger.
    pub open_ledger_fee: Drops,
    /// Index of the open ledger.
    pub ledger_current_index: Option<LedgerIndex>,
}

impl Request for FeeRequest {
    const METHOD: &'static str = "fee";
    type Reply = FeeReply;

    fn params(&self) -> Map<String, Value> {
        Map::new()
    }

    fn read(result: &Value) -> Result<FeeReply, BadReply> {
        let members = Members::of(result);
        let drops = members.object("drops")?;
        Ok(FeeReply {
            base_fee: drops.required("drops.base_fee", reply::drops)?,
            open_ledger_fee: drops.required("drops.open_ledger_fee", reply::drops)?,
            ledger_current_index: members.shown("ledger_current_index", reply::ledger_index),
        })
    }
}

fn run(context: &Context<'_>, _params: &Params<'_>) -> Answer {
    let fee = context.node.fee()?;
    let base = fee.base_fee.get().to_string();
    let median = fee.base_fee.get().saturating_mul(MEDIAN_FACTOR).to_string();
    let level = REFERENCE_LEVEL.to_string();
    let mut out = Map::new();
    out.insert(
        "current_ledger_size".to_owned(),
        json!(fee.current_size.to_string()),
    );
    out.insert("current_queue_size".to_owned(), json!(fee.queue_size.to_string()));
    out.insert(
        "drops".to_owned(),
        json!({
            "base_fee": base, "base_fee_no_hooks": base, "median_fee": median, "minimum_fee": base,
            "open_ledger_fee": fee.open_ledger_fee.get().to_string(),
        }),
    );
    out.insert(
        "expected_ledger_size".to_owned(),
        json!(fee.expected_size.to_string()),
    );
    out.insert("ledger_current_index".to_owned(), json!(fee.current.get()));
    out.insert(
        "levels".to_owned(),
        json!({
            "median_level": (REFERENCE_LEVEL * MEDIAN_FACTOR).to_string(), "minimum_level": level,
            "open_ledger_level": fee.open_ledger_level.to_string(), "reference_level": level,
        }),
    );
    Ok(out.into())
}
