//! DKIM keys: records, what validators sign about them, and what becomes of that.

use amendment::key_record::parse_txt;
use amendment::{
    KeyLeak, KeySet, KeyState, Rules, Statement, Votes, Write, key_set_writes, key_state as state_of,
    leak_message,
};
use codec::format::EntryType;
use codec::{Drops, Hash256, LedgerIndex, Object, Ter, keylet, sf};
use serde_json::{Map, Value, json};

use super::input::{AnswerError, Input};
use super::view::View;
use crate::kinds::LEAK_NETWORK;

pub(super) fn dkim_record(input: Input<'_>) -> Result<Value, AnswerError> {
    let Ok(key) = parse_txt(&input.bytes("record")?) else {
        return Ok(json!({"usable": false}));
    };
    Ok(json!({
        "usable": true,
        "key_type": key.key_type().code(),
        "public_key": codec::hex_upper(key.public_key()),
        "flags": key.flags(),
        "key_hash": key.hash().to_string(),
        "leak_message": codec::hex_upper(&leak_message(LEAK_NETWORK, &key)),
    }))
}

/// The code of an answer's name.
fn answer_code(name: &str) -> Option<u8> {
    let names = ["absent", "unusable", "record", "frozen", "lifted"];
    let at = names.iter().position(|known| *known == name)?;
    u8::try_from(at).ok()
}

pub(super) fn attestation(input: Input<'_>) -> Result<Value, AnswerError> {
    let code = answer_code(input.text("answer")?).ok_or(AnswerError::Member("answer"))?;
    let (domain, selector) = (input.text("domain")?, input.text("selector")?);
    let record = input.bytes("record")?;
    let (network_id, observed_at) = (input.u32("network_id")?, input.time("observed_at")?);
    let statement = Statement::from_parts(domain.as_bytes(), selector.as_bytes(), code, &record);
    let message = statement.and_then(|statement| statement.message(network_id, observed_at));
    let message = message.ok_or_else(|| AnswerError::None("no validator says so".to_owned()))?;
    Ok(json!({"message": codec::hex_upper(&message)}))
}

pub(super) fn key_state(input: Input<'_>) -> Result<Value, AnswerError> {
    let entry = input.optional_object("entry")?;
    let state = match state_of(entry.as_ref(), input.time("now")?) {
        KeyState::Missing => "missing",
        KeyState::Revoked => "revoked",
        KeyState::Unsettled => "unsettled",
        KeyState::Settled => "settled",
    };
    Ok(json!({"state": state}))
}

pub(super) fn keylet(input: Input<'_>) -> Result<Value, AnswerError> {
    let index = match input.text("entry")? {
        "DKIMKey" => keylet::dkim_key(
            input.text("domain")?.as_bytes(),
            input.text("selector")?.as_bytes(),
        ),
        "DKIMFreeze" => keylet::dkim_freeze(input.text("domain")?.as_bytes()),
        "DKIMLeak" => keylet::dkim_leak(&input.hash("key_hash")?),
        "EmailReplay" => keylet::email_replay(input.account("account")?),
        _ => return Err(AnswerError::Member("entry")),
    };
    Ok(json!({"index": index.to_string()}))
}

pub(super) fn key_set(input: Input<'_>) -> Result<Value, AnswerError> {
    let tx = input.object("tx_blob")?;
    let mut view = view(input, LedgerIndex::new(input.u32("ledger_index")?))?;
    let list = list_of(&input.list("validators")?);
    view.parent_entries.insert(keylet::unl_report(), list);
    let writes = || {
        let set = KeySet::preflight(
            &tx,
            Rules::of(&view).amendment,
            view.ledger_index,
            Votes::Attested,
        )?;
        set.preclaim(&view)?;
        key_set_writes(&set, &view)
    };
    Ok(written(writes()))
}

pub(super) fn key_leak(input: Input<'_>) -> Result<Value, AnswerError> {
    let tx = input.object("tx_blob")?;
    let view = view(input, LedgerIndex::new(0))?;
    let writes = || {
        let leak = KeyLeak::preflight(&tx, Rules::of(&view).amendment)?;
        leak.preclaim(&view)?;
        leak.writes(&view)
    };
    Ok(written(writes()))
}

/// A ledger whose entries are those of its parent; fees and reserves do not matter here.
fn view(input: Input<'_>, ledger_index: LedgerIndex) -> Result<View, AnswerError> {
    let entries = input.entries("entries")?;
    Ok(View {
        network_id: input.u32("network_id")?,
        is_email_enabled: input.flag("amendment")?,
        ledger_index,
        now: input.time("now")?,
        parent_hash: Hash256::ZERO,
        base_fee: Drops::new(0),
        reserve_base: Drops::new(0),
        reserve_increment: Drops::new(0),
        parent_entries: entries.clone(),
        entries,
    })
}

/// A list of validators.
fn list_of(keys: &[Vec<u8>]) -> Object {
    let validators: Vec<_> = keys
        .iter()
        .map(|key| {
            (
                sf::ACTIVE_VALIDATOR,
                Object::new().with(sf::PUBLIC_KEY, key.as_slice()),
            )
        })
        .collect();
    Object::new()
        .with(sf::LEDGER_ENTRY_TYPE, EntryType::UnlReport.code())
        .with(sf::ACTIVE_VALIDATORS, validators)
}

/// A result, and entries by index, null where one goes.
fn written(writes: Result<Vec<Write>, Ter>) -> Value {
    let writes = match writes {
        Ok(writes) => writes,
        Err(code) => return json!({"result": code.token()}),
    };
    let shown = writes.into_iter().map(|write| match write {
        Write::Put(index, entry) => (index.to_string(), json!(codec::hex_upper(&codec::encode(&entry)))),
        Write::Erase(index) => (index.to_string(), Value::Null),
    });
    let shown: Map<String, Value> = shown.collect();
    json!({"result": Ter::TES_SUCCESS.token(), "writes": shown})
}
