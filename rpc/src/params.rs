//! Typed parameters of one request.
//!
//! Xahau ignores parameters that a method does not know, and clients rely on it: they send their own with
//! each request. Where a misspelt one would spend money it is refused: the mail of a caller who writes
//! `dryrun` for `dry_run` must not be executed.

use codec::Hash256;
use serde_json::{Map, Value};

use crate::api::LedgerChoice;
use crate::error::RpcError;
use crate::limits::WORD_BYTES_MAX;

/// Members of the envelope: of every request, not of a method.
const ENVELOPE: [&str; 6] = ["api_version", "command", "id", "jsonrpc", "method", "ripplerpc"];

/// The parameters of one request, among the members of its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    members: &'a Map<String, Value>,
}

impl<'a> Params<'a> {
    /// The parameters that stand in `members`, whatever else stands there.
    #[must_use]
    pub fn of(members: &'a Map<String, Value>) -> Self {
        Self { members }
    }

    /// The parameters, if all of them are in `known`.
    pub fn strict(members: &'a Map<String, Value>, known: &[&'static str]) -> Result<Self, RpcError> {
        for name in members.keys() {
            if known.contains(&name.as_str()) || ENVELOPE.contains(&name.as_str()) {
                continue;
            }
            let field = bounded_word(name);
            let nearest = known.iter().min_by_key(|word| distance(name, word));
            return Err(match nearest {
                Some(nearest) => RpcError::UnknownField { field, nearest },
                None => RpcError::NoFields { field },
            });
        }
        Ok(Self { members })
    }

    /// A string parameter, if it is there.
    pub fn text(&self, field: &'static str) -> Result<Option<&'a str>, RpcError> {
        match self.members.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(RpcError::InvalidField {
                field,
                expected: "not string",
            }),
        }
    }

    /// A yes-or-no parameter; absent is no.
    pub fn is_set(&self, field: &'static str) -> Result<bool, RpcError> {
        match self.members.get(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(RpcError::InvalidField {
                field,
                expected: "not bool",
            }),
        }
    }

    /// A hex parameter of at most `bytes_max` bytes, if it is there.
    pub fn hex(&self, field: &'static str, bytes_max: usize) -> Result<Option<Vec<u8>>, RpcError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        check_length(field, text.len() / 2, bytes_max)?;
        hex::decode(text).map(Some).map_err(|_| RpcError::InvalidField {
            field,
            expected: "not hex",
        })
    }

    /// A 256-bit hash, if it is there.
    pub fn hash(&self, field: &'static str) -> Result<Option<Hash256>, RpcError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        Hash256::from_hex(text).map(Some).ok_or(RpcError::InvalidField {
            field,
            expected: "not 64 hex digits",
        })
    }

    /// Whether a parameter is there.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.members.contains_key(field)
    }

    /// A parameter as it is, if it is there.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&'a Value> {
        self.members.get(field)
    }

    /// A whole number of 32 bits, if it is there.
    pub fn number(&self, field: &'static str) -> Result<Option<u32>, RpcError> {
        let Some(value) = self.members.get(field) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.map(Some).ok_or(RpcError::InvalidField {
            field,
            expected: "not unsigned integer",
        })
    }

    /// A parameter that holds parameters of its own, if it is there.
    pub fn nested(&self, field: &'static str) -> Result<Option<Params<'a>>, RpcError> {
        match self.members.get(field) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Params::of(members))),
            Some(_) => Err(RpcError::InvalidField {
                field,
                expected: "not object",
            }),
        }
    }

    /// Which ledger is asked: `ledger_hash`, `ledger_index` or the old `ledger`; `None` if none of them is
    /// there.
    pub fn ledger(&self) -> Result<Option<LedgerChoice>, RpcError> {
        let given = ["ledger_hash", "ledger_index", "ledger"];
        if given
            .iter()
            .filter(|name| self.members.contains_key(**name))
            .count()
            > 1
        {
            return Err(RpcError::Ambiguous {
                fields: "ledger_hash, ledger_index, ledger",
            });
        }
        if let Some(hash) = self.hash("ledger_hash")? {
            return Ok(Some(LedgerChoice::Hash(hash)));
        }
        for field in ["ledger_index", "ledger"] {
            if let Some(value) = self.members.get(field) {
                return ledger_choice(field, value).map(Some);
            }
        }
        Ok(None)
    }
}

/// Refuse what is over its bound.
pub fn check_length(field: &'static str, bytes: usize, bytes_max: usize) -> Result<(), RpcError> {
    if bytes > bytes_max {
        return Err(RpcError::TooLong {
            field,
            bytes,
            bytes_max,
        });
    }
    Ok(())
}

/// Names the ledger that is asked, as [`Params::ledger`] reads it.
pub fn write_ledger_choice(choice: LedgerChoice, out: &mut Map<String, Value>) {
    let (field, value) = match choice {
        LedgerChoice::Validated => ("ledger_index", Value::from("validated")),
        LedgerChoice::Closed => ("ledger_index", Value::from("closed")),
        LedgerChoice::Current => ("ledger_index", Value::from("current")),
        LedgerChoice::Index(index) => ("ledger_index", Value::from(index.get())),
        LedgerChoice::Hash(hash) => ("ledger_hash", Value::from(hash.to_string())),
    };
    out.insert(field.to_owned(), value);
}

/// A caller's word, printable and cut to a bounded length, for an error message.
#[must_use]
pub fn bounded_word(word: &str) -> String {
    word.chars()
        .take(WORD_BYTES_MAX)
        .map(|c| if c.is_ascii_graphic() { c } else { '?' })
        .collect()
}

fn ledger_choice(field: &'static str, value: &Value) -> Result<LedgerChoice, RpcError> {
    let malformed = RpcError::InvalidField {
        field,
        expected: "not a ledger index or name",
    };
    let index = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => match text.as_str() {
            "validated" => return Ok(LedgerChoice::Validated),
            "closed" => return Ok(LedgerChoice::Closed),
            "current" => return Ok(LedgerChoice::Current),
            _ if field == "ledger" && text.len() == 64 => {
                return Hash256::from_hex(text).map(LedgerChoice::Hash).ok_or(malformed);
            }
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let index = index
        .and_then(|index| u32::try_from(index).ok())
        .ok_or(malformed)?;
    Ok(LedgerChoice::Index(codec::LedgerIndex::new(index)))
}

/// Edit distance of two short words. Only the first bytes of the foreign word count.
fn distance(foreign: &str, known: &str) -> usize {
    let foreign = &foreign.as_bytes()[..foreign.len().min(WORD_BYTES_MAX)];
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (i, a) in foreign.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in known.bytes().enumerate() {
            let substituted = diagonal + usize::from(!a.eq_ignore_ascii_case(&b));
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[known.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else {
            panic!("not an object")
        };
        members
    }

    #[test]
    fn rejects_unknown_names_and_points_to_the_nearest() {
        let known = ["email", "email_hex", "email_base64", "dry_run"];
        let strict = |value| Params::strict(&map(value), &known).map(|_| ());
        assert_eq!(
            strict(json!({"email": "x", "dry_run": true, "id": 1, "command": "x"})),
            Ok(())
        );
        for (wrong, nearest) in [
            ("dryrun", "dry_run"),
            ("emial", "email"),
            ("Email_Hex", "email_hex"),
            ("email_base", "email_base64"),
        ] {
            let error = strict(json!({ wrong: true })).expect_err("unknown");
            assert_eq!(
                error,
                RpcError::UnknownField {
                    field: wrong.to_owned(),
                    nearest
                }
            );
            assert_eq!((error.token(), error.code()), ("invalidParams", Some(31)));
        }
        let long = "\u{202e}".repeat(10_000);
        let Err(RpcError::UnknownField { field, .. }) = strict(json!({ long: 1 })) else {
            panic!()
        };
        assert_eq!(field, "?".repeat(WORD_BYTES_MAX));
        assert!(matches!(
            Params::strict(&map(json!({"a": 1})), &[]),
            Err(RpcError::NoFields { .. })
        ));
    }

    #[test]
    fn accepts_each_form_of_a_ledger_choice() {
        let choice = |value| Params::of(&map(value)).ledger();
        let index = |n| Ok(Some(LedgerChoice::Index(codec::LedgerIndex::new(n))));
        assert_eq!(choice(json!({})), Ok(None));
        assert_eq!(choice(json!({"ledger_index": 7})), index(7));
        assert_eq!(choice(json!({"ledger_index": "7"})), index(7));
        assert_eq!(
            choice(json!({"ledger": "validated"})),
            Ok(Some(LedgerChoice::Validated))
        );
        let hash = "B32FA9BF953D96C166F337F7F03A6C211C4C5945BE5AD316761C92063F2809F5";
        let expected = Ok(Hash256::from_hex(hash).map(LedgerChoice::Hash));
        assert_eq!(choice(json!({ "ledger_hash": hash })), expected);
        assert_eq!(choice(json!({ "ledger": hash })), expected);
    }

    #[test]
    fn rejects_malformed_ledger_choices() {
        let choice = |value| Params::of(&map(value)).ledger();
        for value in [
            json!(-1),
            json!(1.5),
            json!(4_294_967_296_u64),
            json!("4294967296"),
            json!(""),
            json!("+1"),
            json!(null),
            json!([7]),
            json!("Validated"),
        ] {
            assert!(choice(json!({ "ledger_index": value })).is_err(), "{value}");
        }
        assert!(choice(json!({"ledger_hash": "00"})).is_err());
        assert!(choice(json!({"ledger_index": 1, "ledger": 1})).is_err());
    }

    #[test]
    fn rejects_wrong_types() {
        let members = map(json!({"text": 1, "flag": "true", "hex": "0g", "long": "0011"}));
        let p = Params::of(&members);
        assert!(p.text("text").is_err());
        assert!(p.is_set("flag").is_err());
        assert!(p.hex("hex", 8).is_err());
        assert!(p.hex("long", 1).is_err());
        assert_eq!(p.hex("long", 2), Ok(Some(vec![0, 0x11])));
    }
}
