//! An object: fields with values, always in canonical order.

use crate::amount::Amount;
use crate::field::Field;
use crate::hash::Hash256;
use crate::types::AccountId;

/// Value of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// One byte.
    UInt8(u8),
    /// Two bytes, big-endian.
    UInt16(u16),
    /// Four bytes, big-endian.
    UInt32(u32),
    /// Eight bytes, big-endian.
    UInt64(u64),
    /// 16 bytes.
    Hash128([u8; 16]),
    /// 20 bytes.
    Hash160([u8; 20]),
    /// 32 bytes.
    Hash256(Hash256),
    /// XAH or issued money.
    Amount(Amount),
    /// Bytes.
    Blob(Vec<u8>),
    /// Account; `None` is the zero-length default of some pseudo-transactions.
    Account(Option<AccountId>),
    /// Nested object.
    Object(Object),
    /// Nested array; each element is a named object.
    Array(Vec<(Field, Object)>),
    /// Payment paths, in their own coding (structure checked by the reader).
    PathSet(Vec<u8>),
    /// List of hashes.
    Vector256(Vec<Hash256>),
}

impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Value::UInt8(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Value::UInt16(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Value::UInt32(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::UInt64(value)
    }
}

impl From<Hash256> for Value {
    fn from(value: Hash256) -> Self {
        Value::Hash256(value)
    }
}

impl From<Amount> for Value {
    fn from(value: Amount) -> Self {
        Value::Amount(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Value::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Value::Blob(value.to_vec())
    }
}

impl From<AccountId> for Value {
    fn from(value: AccountId) -> Self {
        Value::Account(Some(value))
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Value::Object(value)
    }
}

impl From<Vec<(Field, Object)>> for Value {
    fn from(value: Vec<(Field, Object)>) -> Self {
        Value::Array(value)
    }
}

impl From<Vec<Hash256>> for Value {
    fn from(value: Vec<Hash256>) -> Self {
        Value::Vector256(value)
    }
}

/// Fields and values in canonical order, each field at most once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Object {
    fields: Vec<(Field, Value)>,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $out:ty: $pattern:pat => $value:expr;)*) => {
        $(
            $(#[$doc])*
            /// `None` where the field is absent or of another type.
            pub fn $name(&self, field: Field) -> Option<$out> {
                match self.value(field)? {
                    $pattern => $value,
                    _ => None,
                }
            }
        )*
    };
}

impl Object {
    /// An object without fields.
    #[must_use]
    pub fn new() -> Self {
        Object::default()
    }

    /// An object without fields that has room for some, so that building it does not move them.
    #[must_use]
    pub fn with_capacity(fields: usize) -> Self {
        Object {
            fields: Vec::with_capacity(fields),
        }
    }

    /// Value of a field.
    #[must_use]
    pub fn value(&self, field: Field) -> Option<&Value> {
        self.fields
            .iter()
            .find(|(key, _)| *key == field)
            .map(|(_, value)| value)
    }

    /// True where the field is there.
    #[must_use]
    pub fn contains(&self, field: Field) -> bool {
        self.value(field).is_some()
    }

    /// Fields in canonical order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Field, &Value)> {
        self.fields.iter().map(|(field, value)| (*field, value))
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True for an object without fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Sets a field, in its place.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        let value = value.into();
        // Most objects are built in order.
        if self.fields.last().is_none_or(|(last, _)| *last < field) {
            self.fields.push((field, value));
            return;
        }
        match self.fields.binary_search_by_key(&field, |(key, _)| *key) {
            Ok(at) => {
                if let Some((_, old)) = self.fields.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => self.fields.insert(at, (field, value)),
        }
    }

    /// The same object with one more field: for building.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.set(field, value);
        self
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: Field) -> Option<Value> {
        let at = self.fields.iter().position(|(key, _)| *key == field)?;
        Some(self.fields.remove(at).1)
    }

    getters! {
        /// One byte.
        u8 -> u8: Value::UInt8(value) => Some(*value);
        /// Two bytes.
        u16 -> u16: Value::UInt16(value) => Some(*value);
        /// Four bytes.
        u32 -> u32: Value::UInt32(value) => Some(*value);
        /// Eight bytes.
        u64 -> u64: Value::UInt64(value) => Some(*value);
        /// 32 bytes.
        hash256 -> Hash256: Value::Hash256(value) => Some(*value);
        /// Amount.
        amount -> Amount: Value::Amount(value) => Some(*value);
        /// Bytes.
        blob -> &[u8]: Value::Blob(value) => Some(value.as_slice());
        /// Account; also `None` for the zero-length default.
        account -> AccountId: Value::Account(value) => *value;
        /// Nested object.
        object -> &Object: Value::Object(value) => Some(value);
        /// Nested array.
        array -> &[(Field, Object)]: Value::Array(value) => Some(value.as_slice());
        /// Hashes.
        vector256 -> &[Hash256]: Value::Vector256(value) => Some(value.as_slice());
    }
}

impl FromIterator<(Field, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(iter: I) -> Self {
        let mut object = Object::new();
        for (field, value) in iter {
            object.set(field, value);
        }
        object
    }
}
