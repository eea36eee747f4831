//! What an account owes and may, and the numbers of results.

use amendment::{fee_ceiling, live_entries, may_disable_email, required_fee, submit_fee};
use codec::{Drops, Ter};
use serde_json::{Value, json};

use super::input::{AnswerError, Input};

pub(super) fn fee(input: Input<'_>) -> Result<Value, AnswerError> {
    let base = Drops::new(input.u64("base_fee")?);
    let memo_bytes =
        usize::try_from(input.u64("memo_bytes")?).map_err(|_| AnswerError::Member("memo_bytes"))?;
    let entry = input.optional_object("replay_entry")?;
    let live = live_entries(entry.as_ref(), input.time("now")?);
    let paid = match input.text("order")? {
        "remit" => live,
        "rekey" => 0,
        _ => return Err(AnswerError::Member("order")),
    };
    let too_much = || AnswerError::None("the fee is out of range".to_owned());
    let required = required_fee(base, memo_bytes, paid).ok_or_else(too_much)?;
    let submitted = submit_fee(base, memo_bytes, paid).ok_or_else(too_much)?;
    Ok(json!({
        "live_entries": live,
        "required": required.get(),
        "ceiling": fee_ceiling(required, base).get(),
        "submitted": submitted.get(),
    }))
}

pub(super) fn disable_email(input: Input<'_>) -> Result<Value, AnswerError> {
    let entry = input.optional_object("replay_entry")?;
    let allowed = may_disable_email(entry.as_ref(), input.time("now")?);
    Ok(json!({"allowed": allowed}))
}

pub(super) fn result_code(input: Input<'_>) -> Result<Value, AnswerError> {
    let name = input.text("name")?;
    let code =
        Ter::from_token(name).ok_or_else(|| AnswerError::None(format!("no result is named {name}")))?;
    Ok(json!({"number": code.code()}))
}
