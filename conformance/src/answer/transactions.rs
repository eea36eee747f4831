//! Transactions of mails, on a ledger and without one.

use amendment::{
    Effect, Ready, Rule, Rules, authenticate, next_replay_entry, preclaim, preflight, screen, wrap,
};
use codec::{Drops, LedgerIndex, Object, Ter, keylet, tx};
use serde_json::{Value, json};

use super::input::{AnswerError, Input};
use super::mails::derived;
use super::view::View;

pub(super) fn transaction(input: Input<'_>) -> Result<Value, AnswerError> {
    let mail = derived(input)?.map_err(|refusal| AnswerError::None(refusal.to_string()))?;
    let fee = Drops::new(input.u64("fee")?);
    let last = LedgerIndex::new(input.u32("last_ledger_sequence")?);
    let blob = codec::encode(&wrap(&mail, input.u32("sequence")?, fee, last));
    Ok(json!({"tx_blob": codec::hex_upper(&blob), "hash": tx::id_of_blob(&blob).to_string()}))
}

pub(super) fn email(input: Input<'_>) -> Result<Value, AnswerError> {
    let tx = input.object("tx_blob")?;
    let view = View {
        network_id: input.u32("network_id")?,
        is_email_enabled: input.flag("amendment")?,
        ledger_index: LedgerIndex::new(input.u32("ledger_index")?),
        now: input.time("now")?,
        parent_hash: input.hash("parent_hash")?,
        base_fee: Drops::new(input.u64("base_fee")?),
        reserve_base: Drops::new(input.u64("reserve_base")?),
        reserve_increment: Drops::new(input.u64("reserve_increment")?),
        entries: input.entries("entries")?,
        parent_entries: input.entries("parent_entries")?,
    };
    Ok(match judged(&tx, &view) {
        Ok(ready) => executed(&ready, &view),
        Err((code, rule)) => json!({"result": code.token(), "rule": rule.as_str()}),
    })
}

/// All phases, as a ledger takes them.
fn judged(tx: &Object, view: &View) -> Result<Ready, (Ter, Rule)> {
    let parsed = preflight(tx, &Rules::of(view)).map_err(|error| (error.code(), error.rule()))?;
    let screened = screen(parsed, view).map_err(|error| (error.code(), error.rule()))?;
    let proven = authenticate(screened, view).map_err(|error| (error.code(), error.rule()))?;
    preclaim(proven, view).map_err(|error| (error.code(), error.rule()))
}

fn executed(ready: &Ready, view: &View) -> Value {
    let current = view.entries.get(&keylet::email_replay(ready.account()));
    let after = |effect| codec::hex_upper(&codec::encode(&next_replay_entry(current, ready, effect)));
    json!({
        "result": Ter::TES_SUCCESS.token(),
        "account": ready.account().to_string(),
        "email_id": ready.email_id().to_string(),
        "signature_hash": ready.signature_hash().to_string(),
        "date": ready.signed_date().seconds(),
        "replay_entry": after(Effect::Applied),
        "replay_entry_of_tec": after(Effect::FeeOnly),
    })
}
