//! `fee`: what transactions cost now. There is no fee escalation here: the open ledger costs the base fee, and the
//! median is what xahaud shows before it has seen one.

use serde_json::{Map, json};

use super::{Answer, Context, Method};
use crate::api::Role;
use crate::params::Params;

pub(super) const METHOD: Method = Method {
    names: &["fee"],
    fields: &[],
    role: Role::Guest,
    run,
};

/// Fee level of a transaction that pays the base fee (xahaud TxQ.h).
const REFERENCE_LEVEL: u64 = 256;

/// Times the reference level that xahaud takes as the median at least (TxQ.h, minimumEscalationMultiplier).
const MEDIAN_FACTOR: u64 = 500;

fn run(context: &Context<'_>, _params: &Params) -> Answer {
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
            "open_ledger_fee": base,
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
            "open_ledger_level": level, "reference_level": level,
        }),
    );
    Ok(out)
}
