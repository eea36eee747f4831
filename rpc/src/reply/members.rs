//! The members of a reply, one by one.

use codec::{AccountId, CloseTime, Drops, Hash256, LedgerIndex};
use serde_json::{Map, Value};

use crate::limits::{REPLY_LIST_MAX, REPLY_TEXT_BYTES_MAX};

/// Why a reply is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// A member that the method promises is not there.
    #[error("the reply has no member {0}")]
    Missing(&'static str),
    /// A member is not of the type, or not in the form, that the method promises.
    #[error("the reply's member {0} is malformed")]
    Malformed(&'static str),
}

impl BadReply {
    /// The member, with its path, such as `info.network_id`.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            BadReply::Missing(member) | BadReply::Malformed(member) => member,
        }
    }
}

/// An object of a reply. Members are named by their whole path, for the error; the last word of it is their
/// name here.
#[derive(Clone, Copy)]
pub(crate) struct Members<'a>(Option<&'a Map<String, Value>>);

impl<'a> Members<'a> {
    /// The members of a value; of anything but an object, none.
    pub(crate) fn of(value: &'a Value) -> Self {
        Members(value.as_object())
    }

    /// The members of an object that must be there.
    pub(crate) fn object(self, path: &'static str) -> Result<Members<'a>, BadReply> {
        let value = self.value(path).ok_or(BadReply::Missing(path))?;
        match value.as_object() {
            Some(members) => Ok(Members(Some(members))),
            None => Err(BadReply::Malformed(path)),
        }
    }

    /// A member of any type; `null` counts as missing.
    pub(crate) fn value(self, path: &'static str) -> Option<&'a Value> {
        self.get(path).filter(|value| !value.is_null())
    }

    /// A member, `null` included.
    pub(crate) fn get(self, path: &'static str) -> Option<&'a Value> {
        let name = path.rsplit('.').next().unwrap_or(path);
        self.0?.get(name)
    }

    /// A member that decides.
    pub(crate) fn required<T>(
        self,
        path: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, BadReply> {
        let value = self.value(path).ok_or(BadReply::Missing(path))?;
        read(value).ok_or(BadReply::Malformed(path))
    }

    /// A member that decides where it is there.
    pub(crate) fn checked<T>(
        self,
        path: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, BadReply> {
        self.value(path)
            .map(|value| read(value).ok_or(BadReply::Malformed(path)))
            .transpose()
    }

    /// A member that is only shown.
    pub(crate) fn shown<T>(self, path: &'static str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        self.value(path).and_then(read)
    }
}

/// A text, cut to its bound.
pub(crate) fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let end = (0..=REPLY_TEXT_BYTES_MAX.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end?).map(str::to_owned)
}

/// `true` or `false`.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    value.as_bool()
}

/// A whole number of 32 bits.
pub(crate) fn u32_number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// A ledger's index, as a number or, in ledger headers, as a text.
pub(crate) fn ledger_index(value: &Value) -> Option<LedgerIndex> {
    let index = match value {
        Value::String(text) => text.parse().ok(),
        other => u32_number(other),
    };
    index.map(LedgerIndex::new)
}

/// Seconds since 2000.
pub(crate) fn close_time(value: &Value) -> Option<CloseTime> {
    u32_number(value).map(CloseTime::new)
}

/// 64 hex digits.
pub(crate) fn hash(value: &Value) -> Option<Hash256> {
    value.as_str().and_then(Hash256::from_hex)
}

/// Hex of any length.
pub(crate) fn hex_bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str().and_then(|text| hex::decode(text).ok())
}

/// A classic address.
pub(crate) fn account(value: &Value) -> Option<AccountId> {
    value
        .as_str()
        .and_then(|text| AccountId::parse_classic(text).ok())
}

/// Drops, as a text of digits.
pub(crate) fn drops(value: &Value) -> Option<Drops> {
    let digits = value.as_str()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(Drops::new)).flatten()
}

/// A number of XAH as nodes show it, such as 0.2. Read as text: no float decides an amount.
pub(crate) fn xah(value: &Value) -> Option<Drops> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(part).map(Drops::new)
}

/// The items of a list, as many as are read.
pub(crate) fn list(value: &Value) -> Option<impl Iterator<Item = &Value>> {
    Some(value.as_array()?.iter().take(REPLY_LIST_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn accepts_xah_as_number_and_as_text() {
        for (value, expected) in [
            (json!(0.2), 200_000),
            (json!(1), 1_000_000),
            (json!("12.000001"), 12_000_001),
        ] {
            assert_eq!(xah(&value), Some(Drops::new(expected)), "{value}");
        }
    }

    #[test]
    fn rejects_what_is_no_amount_of_xah_or_drops() {
        for bad in [
            json!(-1),
            json!(1e-7),
            json!("1.0000001"),
            json!(""),
            json!(null),
            json!(u64::MAX),
        ] {
            assert_eq!(xah(&bad), None, "{bad}");
        }
        for bad in [
            json!(1),
            json!(""),
            json!("+1"),
            json!("-1"),
            json!("1e9"),
            json!("18446744073709551616"),
        ] {
            assert_eq!(drops(&bad), None, "{bad}");
        }
    }

    #[test]
    fn names_the_member_that_is_missing_or_malformed() {
        let value = json!({ "a": { "b": 5, "c": null } });
        let inner = Members::of(&value).object("a").expect("an object");
        assert_eq!(inner.required("a.b", u32_number), Ok(5));
        assert_eq!(inner.required("a.b", text), Err(BadReply::Malformed("a.b")));
        assert_eq!(inner.required("a.c", text), Err(BadReply::Missing("a.c")));
        assert_eq!(inner.checked("a.c", text), Ok(None));
        assert_eq!(inner.checked("a.b", text), Err(BadReply::Malformed("a.b")));
        assert_eq!(inner.shown("a.b", text), None);
        assert_eq!(
            Members::of(&json!([])).object("a").err(),
            Some(BadReply::Missing("a"))
        );
        assert_eq!(inner.object("a.b").err(), Some(BadReply::Malformed("a.b")));
    }

    #[test]
    fn cuts_texts_between_characters_and_lists_at_their_bound() {
        let long = json!("\u{e9}".repeat(REPLY_TEXT_BYTES_MAX));
        let cut = text(&long).expect("a text");
        assert!(cut.len() <= REPLY_TEXT_BYTES_MAX && cut.len() > REPLY_TEXT_BYTES_MAX - 2);
        let long = Value::from(vec![0; REPLY_LIST_MAX + 1]);
        assert_eq!(list(&long).map(Iterator::count), Some(REPLY_LIST_MAX));
    }
}
