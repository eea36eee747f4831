//! An explanation as JSON: what `submit_email` answers, `explain --json` prints and the C interface hands out, so
//! that the names cannot drift apart.
//!
//! Spec: 12.

use amendment::Rule;
use codec::json::to_json;
use serde_core::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::explanation::{Check, Explanation, Party, Qualifies};
use crate::limits::PLAIN_DIGITS_MAX;
use crate::origin::{Client, Provider};

/// The JSON form of an explanation: `qualifies`, `rule`, `code`, `from`, `to`, `instruction`, `transaction`,
/// `email_id`, `executable_until` (seconds since 2000-01-01 UTC, as every Xahau time), `provider` and
/// `client` (as the mail says; unproven) and `checks`.
///
/// Spec: 12
#[must_use]
pub fn explanation_json(explanation: Explanation) -> Map<String, Value> {
    let mut out = explanation_members(&explanation);
    let checks = explanation.checks.into_iter().map(CheckMembers::from);
    out.insert("checks".to_owned(), json!(checks.collect::<Vec<_>>()));
    out
}

/// All of it but the checks.
#[must_use]
pub fn explanation_members(explanation: &Explanation) -> Map<String, Value> {
    let qualifies = match explanation.qualifies {
        Qualifies::Yes => json!(true),
        Qualifies::No => json!(false),
        Qualifies::Unknown => Value::Null,
    };
    let mut out = Map::new();
    out.insert("qualifies".to_owned(), qualifies);
    out.insert("rule".to_owned(), json!(explanation.rule.map(Rule::as_str)));
    out.insert("code".to_owned(), json!(explanation.code.token()));
    out.insert(
        "from".to_owned(),
        explanation.from.as_ref().map_or(Value::Null, party_json),
    );
    out.insert(
        "to".to_owned(),
        explanation.to.as_ref().map_or(Value::Null, party_json),
    );
    out.insert("instruction".to_owned(), json!(explanation.instruction));
    let mut transaction = explanation.transaction().map_or(Value::Null, to_json);
    write_plain_amounts(&mut transaction);
    out.insert("transaction".to_owned(), transaction);
    out.insert(
        "email_id".to_owned(),
        explanation
            .email_id
            .map_or(Value::Null, |id| json!(id.to_string())),
    );
    let until = explanation.executable_until.map(codec::CloseTime::seconds);
    out.insert("executable_until".to_owned(), json!(until));
    let provider = explanation.origin.provider.map(Provider::as_str);
    out.insert("provider".to_owned(), json!(provider));
    let client = explanation.origin.client.map(Client::as_str);
    out.insert("client".to_owned(), json!(client));
    out
}

/// Issued amounts as people write them: without an exponent, where that takes at most [`PLAIN_DIGITS_MAX`]
/// digits. The recursion is bounded by the nesting of a transaction.
fn write_plain_amounts(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_plain_amounts),
        Value::Object(members) => {
            let is_amount = ["currency", "issuer", "value"]
                .iter()
                .all(|name| members.contains_key(*name));
            let plain = members
                .get("value")
                .and_then(Value::as_str)
                .and_then(plain_decimal);
            if let Some(plain) = plain.filter(|_| is_amount) {
                members.insert("value".to_owned(), json!(plain));
                return;
            }
            members.values_mut().for_each(write_plain_amounts);
        }
        _ => {}
    }
}

/// `1234567890123450e-1` as `123456789012345`; `None` where it has no exponent, or too many digits without
/// one.
fn plain_decimal(text: &str) -> Option<String> {
    let (number, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len().checked_sub(significant.len())?).ok()?;
    let shift = exponent.checked_add(zeros)?;
    let places = usize::try_from(shift.unsigned_abs()).ok()?;
    let length = if shift < 0 {
        significant.len().max(places.checked_add(1)?)
    } else {
        significant.len().checked_add(places)?
    };
    if significant.is_empty() || length > PLAIN_DIGITS_MAX {
        return None;
    }
    if shift >= 0 {
        return Some(format!("{sign}{significant}{}", "0".repeat(places)));
    }
    let padded = format!("{significant:0>width$}", width = places.checked_add(1)?);
    let (whole, part) = padded.split_at_checked(padded.len().checked_sub(places)?)?;
    Some(format!("{sign}{whole}.{part}"))
}

/// The address is null where the mail itself names a classic address.
fn party_json(party: &Party) -> Value {
    let mut out = Map::new();
    out.insert("address".to_owned(), json!(party.address));
    out.insert("account".to_owned(), json!(party.account.to_string()));
    if let Some(tag) = party.tag {
        out.insert("tag".to_owned(), json!(tag));
    }
    Value::Object(out)
}

/// One check.
#[derive(Debug)]
pub struct CheckMembers {
    rule: &'static str,
    read: String,
    verdict: &'static str,
    fix: String,
    /// Where it failed at a place of the mail: line, from 1.
    line: Option<usize>,
    /// Bytes, from 0.
    offset: Option<usize>,
    excerpt: Option<String>,
}

impl Serialize for CheckMembers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("rule", self.rule)?;
        members.serialize_entry("read", &self.read)?;
        members.serialize_entry("verdict", self.verdict)?;
        members.serialize_entry("fix", &self.fix)?;
        if let Some(line) = self.line {
            members.serialize_entry("line", &line)?;
        }
        if let Some(offset) = self.offset {
            members.serialize_entry("offset", &offset)?;
        }
        if let Some(excerpt) = &self.excerpt {
            members.serialize_entry("excerpt", excerpt)?;
        }
        members.end()
    }
}

impl From<Check> for CheckMembers {
    fn from(check: Check) -> Self {
        let place = check.place;
        Self {
            rule: check.rule.as_str(),
            read: check.read,
            verdict: check.verdict.as_str(),
            fix: check.fix,
            line: place.as_ref().map(|place| place.line),
            offset: place.as_ref().map(|place| place.offset),
            excerpt: place.map(|place| place.excerpt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain_decimal;

    /// Pairs computed by hand; the first is that of the mail vector c024.
    #[test]
    fn accepts_amounts_with_an_exponent_as_plain_decimals() {
        for (text, plain) in [
            ("1234567890123450e-1", "123456789012345"),
            ("1000000000000000e3", "1000000000000000000"),
            ("1000000000000000e16", "10000000000000000000000000000000"),
            ("1234567890123456e-1", "123456789012345.6"),
            ("-1234567890123456e-4", "-123456789012.3456"),
            ("1000000000000000e-46", "0.0000000000000000000000000000001"),
        ] {
            assert_eq!(plain_decimal(text).as_deref(), Some(plain), "{text}");
        }
    }

    #[test]
    fn rejects_amounts_without_exponent_or_over_32_digits() {
        for text in [
            "12.5",
            "1000000000000000e17",
            "1000000000000000e-47",
            "9999999999999999e80",
            "0e5",
            "e",
            "1ex",
        ] {
            assert_eq!(plain_decimal(text), None, "{text}");
        }
    }
}
