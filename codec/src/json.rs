//! Xahau's JSON forms (STObject::getJson): numbers, hex, names and addresses.

use crate::amount::{Amount, IssuedAmount, POSITIVE};
use crate::field::{Field, FieldType};
use crate::format::{EntryType, TxType};
use crate::hash::Hash256;
use crate::hex_text::hex_upper;
use crate::limits::JSON_DEPTH_MAX;
use crate::object::{Object, Value};
use crate::paths::{NEXT_PATH, PATHS_END, STEP_ACCOUNT, STEP_CURRENCY, STEP_ISSUER};
use crate::sf;
use crate::ter::Ter;
use crate::types::{AccountId, Currency};
use serde_json::{Map, Value as Json, json};

/// Why JSON is no object of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not a JSON object where one is needed.
    #[error("an object is needed")]
    NotAnObject,
    /// A name that no field has.
    #[error("unknown field {0:?}")]
    UnknownField(String),
    /// A value that the field's type cannot hold.
    #[error("field {0}: not a value of its type")]
    Value(&'static str),
    /// Nested too deep.
    #[error("nested too deep")]
    TooDeep,
}

/// JSON form of an object.
///
/// ```
/// use codec::format::TxType;
/// use codec::{Amount, Drops, Object, json, sf};
///
/// let object = Object::new()
///     .with(sf::TRANSACTION_TYPE, TxType::Payment.code())
///     .with(sf::FEE, Amount::from_drops(Drops::new(10)));
/// let shown = json::to_json(&object);
/// assert_eq!(shown, serde_json::json!({"TransactionType": "Payment", "Fee": "10"}));
/// assert_eq!(json::from_json(&shown), Ok(object));
/// ```
#[must_use]
pub fn to_json(object: &Object) -> Json {
    let fields = object
        .iter()
        .map(|(field, value)| (field.name().to_owned(), value_to_json(field, value)));
    Json::Object(fields.collect())
}

/// JSON form of an amount: drops as text, or `{currency, issuer, value}`.
#[must_use]
pub fn amount_to_json(amount: &Amount) -> Json {
    match amount {
        Amount::Native(drops) => Json::String(drops.to_string()),
        Amount::Issued(issued) => json!({
            "currency": issued.currency().to_string(),
            "issuer": issued.issuer().to_string(),
            "value": issued.value_text(),
        }),
    }
}

fn value_to_json(field: Field, value: &Value) -> Json {
    match value {
        Value::UInt8(value) if field == sf::TRANSACTION_RESULT => {
            Ter::from_code(i32::from(*value)).map_or(json!(value), |ter| json!(ter.token()))
        }
        Value::UInt8(value) => json!(value),
        Value::UInt16(value) if field == sf::TRANSACTION_TYPE => {
            TxType::from_code(*value).map_or(json!(value), |kind| json!(kind.name()))
        }
        Value::UInt16(value) if field == sf::LEDGER_ENTRY_TYPE => {
            EntryType::from_code(*value).map_or(json!(value), |kind| json!(kind.name()))
        }
        Value::UInt16(value) => json!(value),
        Value::UInt32(value) => json!(value),
        Value::UInt64(value) => json!(format!("{value:x}")),
        Value::Hash128(value) => json!(hex_upper(value)),
        Value::Hash160(value) => json!(hex_upper(value)),
        Value::Hash256(value) => json!(value.to_string()),
        Value::Amount(value) => amount_to_json(value),
        Value::Blob(value) => json!(hex_upper(value)),
        Value::Account(value) => json!(value.map_or(String::new(), |account| account.to_string())),
        Value::Object(value) => to_json(value),
        Value::Array(elements) => elements
            .iter()
            .map(|(name, element)| Json::Object(Map::from_iter([(name.name().to_owned(), to_json(element))])))
            .collect(),
        Value::PathSet(value) => path_set_to_json(value),
        Value::Vector256(hashes) => hashes.iter().map(|hash| json!(hash.to_string())).collect(),
    }
}

/// Paths as xahaud shows them. The bytes were checked by the reader; odd ones end the list.
fn path_set_to_json(bytes: &[u8]) -> Json {
    let mut paths = vec![Vec::new()];
    let mut rest = bytes;
    while let Some((kind, tail)) = rest.split_first() {
        rest = tail;
        match *kind {
            PATHS_END => break,
            NEXT_PATH => paths.push(Vec::new()),
            kind => {
                let Some(step) = step_to_json(kind, &mut rest) else {
                    break;
                };
                if let Some(path) = paths.last_mut() {
                    path.push(step);
                }
            }
        }
    }
    json!(paths)
}

/// A step, whose ids are taken off `rest`; `None` where they are not all there.
fn step_to_json(kind: u8, rest: &mut &[u8]) -> Option<Json> {
    type Text = fn([u8; 20]) -> String;
    let account = |id: [u8; 20]| AccountId::new(id).to_string();
    let currency = |id: [u8; 20]| Currency::new(id).to_string();
    let named: [(u8, &str, Text); 3] = [
        (STEP_ACCOUNT, "account", account),
        (STEP_CURRENCY, "currency", currency),
        (STEP_ISSUER, "issuer", account),
    ];
    let mut step = Map::new();
    for (bit, name, text) in named {
        if kind & bit != 0 {
            let (id, tail) = rest.split_first_chunk()?;
            *rest = tail;
            step.insert(name.to_owned(), json!(text(*id)));
        }
    }
    step.insert("type".to_owned(), json!(kind));
    Some(Json::Object(step))
}

/// Reads the JSON form. Every name must be a field; paths are not read (nothing here submits any).
///
/// ```
/// use codec::json::{JsonError, from_json};
///
/// let error = from_json(&serde_json::json!({"Amout": "1"})).unwrap_err();
/// assert_eq!(error, JsonError::UnknownField("Amout".to_owned()));
/// ```
pub fn from_json(json: &Json) -> Result<Object, JsonError> {
    object_from_json(json, 0)
}

fn object_from_json(json: &Json, depth: usize) -> Result<Object, JsonError> {
    if depth > JSON_DEPTH_MAX {
        return Err(JsonError::TooDeep);
    }
    let map = json.as_object().ok_or(JsonError::NotAnObject)?;
    let mut object = Object::new();
    for (name, value) in map {
        let field = Field::by_name(name).ok_or_else(|| JsonError::UnknownField(name.clone()))?;
        object.set(field, value_from_json(field, value, depth)?);
    }
    Ok(object)
}

fn value_from_json(field: Field, json: &Json, depth: usize) -> Result<Value, JsonError> {
    let wrong = JsonError::Value(field.name());
    let value = match field.field_type() {
        FieldType::Object => return Ok(Value::Object(object_from_json(json, depth.saturating_add(1))?)),
        FieldType::Array => return elements_from_json(field, json, depth),
        FieldType::UInt8 if field == sf::TRANSACTION_RESULT && json.is_string() => json
            .as_str()
            .and_then(Ter::from_token)
            .and_then(Ter::as_result_byte)
            .map(Value::UInt8),
        FieldType::UInt8 => uint(json).map(Value::UInt8),
        FieldType::UInt16 if field == sf::TRANSACTION_TYPE && json.is_string() => json
            .as_str()
            .and_then(TxType::from_name)
            .map(|kind| Value::UInt16(kind.code())),
        FieldType::UInt16 if field == sf::LEDGER_ENTRY_TYPE && json.is_string() => json
            .as_str()
            .and_then(EntryType::from_name)
            .map(|kind| Value::UInt16(kind.code())),
        FieldType::UInt16 => uint(json).map(Value::UInt16),
        FieldType::UInt32 => uint(json).map(Value::UInt32),
        FieldType::UInt64 => json.as_str().and_then(hex_u64).map(Value::UInt64),
        FieldType::Hash128 => hex_array(json).map(Value::Hash128),
        FieldType::Hash160 => hex_array(json).map(Value::Hash160),
        FieldType::Hash256 => json.as_str().and_then(Hash256::from_hex).map(Value::Hash256),
        FieldType::Amount => amount_from_json(json).map(Value::Amount),
        FieldType::Blob => json
            .as_str()
            .and_then(|text| hex::decode(text).ok())
            .map(Value::Blob),
        FieldType::Account => match json.as_str() {
            Some("") => Some(Value::Account(None)),
            Some(text) => AccountId::parse_classic(text)
                .ok()
                .map(|account| Value::Account(Some(account))),
            None => None,
        },
        FieldType::Vector256 => json
            .as_array()
            .and_then(|list| {
                list.iter()
                    .map(|hash| hash.as_str().and_then(Hash256::from_hex))
                    .collect::<Option<_>>()
            })
            .map(Value::Vector256),
        FieldType::PathSet => None,
    };
    value.ok_or(wrong)
}

fn elements_from_json(field: Field, json: &Json, depth: usize) -> Result<Value, JsonError> {
    let wrong = || JsonError::Value(field.name());
    let mut elements = Vec::new();
    for element in json.as_array().ok_or_else(wrong)? {
        let map = element
            .as_object()
            .filter(|map| map.len() == 1)
            .ok_or_else(wrong)?;
        let (name, inner) = map.iter().next().ok_or_else(wrong)?;
        let name = Field::by_name(name).ok_or_else(|| JsonError::UnknownField(name.clone()))?;
        if name.field_type() != FieldType::Object {
            return Err(wrong());
        }
        elements.push((name, object_from_json(inner, depth.saturating_add(2))?));
    }
    Ok(Value::Array(elements))
}

/// Reads an amount: drops as text, of at most 62 bits as the format has them, or `{currency, issuer, value}`
/// and nothing else.
pub fn amount_from_json(json: &Json) -> Option<Amount> {
    if let Some(text) = json.as_str() {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let drops = text.parse::<i64>().ok().filter(|_| plain);
        return drops
            .filter(|drops| drops.unsigned_abs() < POSITIVE)
            .map(Amount::Native);
    }
    let map = json.as_object().filter(|map| map.len() == 3)?;
    let text = |name: &str| map.get(name).and_then(Json::as_str);
    let currency = Currency::parse(text("currency")?)?;
    let issuer = AccountId::parse_classic(text("issuer")?).ok()?;
    IssuedAmount::parse(text("value")?, currency, issuer)
        .ok()
        .map(Amount::Issued)
}

fn uint<T: TryFrom<u64>>(json: &Json) -> Option<T> {
    json.as_u64().and_then(|value| T::try_from(value).ok())
}

fn hex_u64(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| plain)
}

fn hex_array<const N: usize>(json: &Json) -> Option<[u8; N]> {
    let mut out = [0; N];
    hex::decode_to_slice(json.as_str()?, &mut out).ok()?;
    Some(out)
}
