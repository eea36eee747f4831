//! What a field is: its place in the canonical order, its name, where metadata shows it.

use crate::named_codes::named_codes;

/// Where transaction metadata shows a field (xahaud SField.h).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meta {
    /// In changes, creations and deletions alike.
    Default,
    /// Nowhere.
    Never,
    /// Even where it did not change.
    Always,
    /// Only in the final fields of a deleted entry.
    DeleteFinal,
}

/// Whether a signature covers the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    /// It does.
    Signed,
    /// It does not: signatures themselves.
    Unsigned,
}

named_codes! {
    /// Type of a field's value (xahaud SField.h): how it is written.
    FieldType: u8 {
        UInt16 = 1, "UInt16";
        UInt32 = 2, "UInt32";
        UInt64 = 3, "UInt64";
        Hash128 = 4, "Hash128";
        Hash256 = 5, "Hash256";
        Amount = 6, "Amount";
        Blob = 7, "Blob";
        Account = 8, "AccountID";
        Object = 14, "STObject";
        Array = 15, "STArray";
        UInt8 = 16, "UInt8";
        Hash160 = 17, "Hash160";
        PathSet = 18, "PathSet";
        Vector256 = 19, "Vector256";
    }
}

/// A field of the format. Equality and order are those of its [code](Field::code), the canonical order.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    code: u32,
    field_type: FieldType,
    name: &'static str,
    meta: Meta,
    signing: Signing,
}

impl Field {
    /// A row of the table in [`crate::sf`].
    pub(crate) const fn define(
        field_type: FieldType,
        nth: u8,
        name: &'static str,
        meta: Meta,
        signing: Signing,
    ) -> Self {
        Field {
            code: code(field_type.code(), nth),
            field_type,
            name,
            meta,
            signing,
        }
    }

    /// A field that has no row there.
    pub(crate) fn unnamed(type_code: u8, nth: u8) -> Option<Self> {
        let field_type = FieldType::from_code(type_code)?;
        Some(Field::define(
            field_type,
            nth,
            "unknown",
            Meta::Never,
            Signing::Signed,
        ))
    }

    /// Whether it has a row there.
    pub(crate) fn is_known(self) -> bool {
        Field::by_code(self.field_type.code(), self.nth()).is_some()
    }

    /// Xahau's name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its place in the canonical order: `(type << 16) | nth`.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.code
    }

    /// Type of its value.
    #[must_use]
    pub const fn field_type(self) -> FieldType {
        self.field_type
    }

    /// Number within the type.
    #[must_use]
    pub const fn nth(self) -> u8 {
        let [_, _, _, nth] = self.code.to_be_bytes();
        nth
    }

    /// Where metadata shows it.
    #[must_use]
    pub const fn meta(self) -> Meta {
        self.meta
    }

    /// False for signatures.
    #[must_use]
    pub const fn is_signing(self) -> bool {
        matches!(self.signing, Signing::Signed)
    }
}

/// `(type << 16) | nth`.
pub(crate) const fn code(type_code: u8, nth: u8) -> u32 {
    u32::from_be_bytes([0, type_code, 0, nth])
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Field {}

impl PartialOrd for Field {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Field {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code.cmp(&other.code)
    }
}
