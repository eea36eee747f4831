//! JSON as text; and reading that of strangers: bounded while it is parsed, and strict where `serde_json` is lenient.
//!
//! A value in memory takes up to a hundred times its bytes on the wire, so values are counted as they come: a
//! request of many small ones ends at the first that is too many.
//!
//! `serde_json` silently keeps the last of two equal names. Two readers of one request could then see two
//! different requests, so a repeated name is refused here.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};

/// Why a text is not accepted as JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonInvalid {
    /// Nested too deeply; found before parsing, so no stack is spent on it.
    #[error("nested deeper than {JSON_DEPTH_MAX} levels")]
    TooDeep,
    /// Broken JSON, one name twice in an object, or too many values.
    #[error("{0}")]
    Syntax(#[from] serde_json::Error),
}

/// Parse one JSON text.
pub fn parse(text: &[u8]) -> Result<Value, JsonInvalid> {
    check_depth(text)?;
    let left = Cell::new(JSON_VALUES_MAX);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict { left: &left }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The text of a value. `to_string` of a [`Value`] says the same by way of a formatter, in twice the time.
#[must_use]
pub fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Count brackets outside strings. One pass, no recursion.
fn check_depth(text: &[u8]) -> Result<(), JsonInvalid> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return Err(JsonInvalid::TooDeep);
        }
    }
    Ok(())
}

/// Reads a JSON value in which every object names each member once, and which holds so many values at most.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        let left = left.ok_or_else(|| D::Error::custom(format!("more than {JSON_VALUES_MAX} values")))?;
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

/// How `serde_json` begins the names that it keeps for itself.
const SERDE_JSON_PRIVATE: &str = "$serde_json::private::";

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            // With a feature that another crate may switch on, serde_json hands numbers over as objects of
            // this name; no method takes a number that is not an integer, and no caller may write such an
            // object.
            if name.starts_with(SERDE_JSON_PRIVATE) {
                return Err(A::Error::custom("not an integer within 64 bits"));
            }
            if members.contains_key(&name) {
                return Err(A::Error::custom("one name twice in an object"));
            }
            let value = access.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_json_with_brackets_in_strings_and_the_deepest_allowed_nesting() {
        assert_eq!(parse(br#"{"a":"[[{{\"[["}"#).expect("valid")["a"], "[[{{\"[[");
        let deepest = format!("{}{}", "[".repeat(JSON_DEPTH_MAX), "]".repeat(JSON_DEPTH_MAX));
        assert!(parse(deepest.as_bytes()).is_ok());
    }

    #[test]
    fn rejects_deep_nesting_before_parsing() {
        for levels in [JSON_DEPTH_MAX + 1, 10_000, 1_000_000] {
            assert!(matches!(
                parse("[".repeat(levels).as_bytes()),
                Err(JsonInvalid::TooDeep)
            ));
            assert!(matches!(
                parse("{\"a\":".repeat(levels).as_bytes()),
                Err(JsonInvalid::TooDeep)
            ));
        }
    }

    #[test]
    fn accepts_as_many_values_as_the_bound_and_rejects_one_more() {
        // The array itself is a value, too.
        for (item, per_item) in [("0", 1), (r#"{"a":0}"#, 2), ("[[]]", 2)] {
            let list = |count: usize| format!("[{}]", vec![item; count].join(","));
            let fits = (JSON_VALUES_MAX - 1) / per_item;
            assert!(parse(list(fits).as_bytes()).is_ok(), "{item}");
            let error = parse(list(fits + 1).as_bytes()).expect_err("too many");
            assert!(error.to_string().starts_with("more than 1000 values"), "{error}");
        }
    }

    #[test]
    fn rejects_a_repeated_name_at_any_depth() {
        assert!(parse(br#"{"a":1,"b":2}"#).is_ok());
        assert!(parse(br#"{"a":1,"a":1}"#).is_err());
        assert!(parse(br#"{"x":[{"a":1,"\u0061":2}]}"#).is_err());
    }

    #[test]
    fn rejects_what_is_not_json() {
        for text in [
            "",
            "NaN",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{a:1}",
            "{} {}",
            "{\"a\":1,}",
            "'a'",
            "\u{feff}{}",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }
}
