//! What a field is: its place in the canonical order, its name, where metadata shows it.

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

/// Type codes that occur on the wire (xahaud SField.h).
pub mod type_code {
    /// UInt16.
    pub const UINT16: u16 = 1;
    /// UInt32.
    pub const UINT32: u16 = 2;
    /// UInt64.
    pub const UINT64: u16 = 3;
    /// Hash128.
    pub const HASH128: u16 = 4;
    /// Hash256.
    pub const HASH256: u16 = 5;
    /// Amount.
    pub const AMOUNT: u16 = 6;
    /// Blob (variable length).
    pub const BLOB: u16 = 7;
    /// AccountID (variable length, 20 or 0).
    pub const ACCOUNT: u16 = 8;
    /// STObject.
    pub const OBJECT: u16 = 14;
    /// STArray.
    pub const ARRAY: u16 = 15;
    /// UInt8.
    pub const UINT8: u16 = 16;
    /// Hash160.
    pub const HASH160: u16 = 17;
    /// PathSet.
    pub const PATH_SET: u16 = 18;
    /// Vector256.
    pub const VECTOR256: u16 = 19;
}

/// A field of the format. Equality and order are those of `(type << 16) | nth`, the canonical order.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    code: u32,
    name: &'static str,
    meta: Meta,
    signing: Signing,
}

impl Field {
    /// A row of the table in [`crate::sf`].
    pub(crate) const fn define(
        type_code: u16,
        nth: u16,
        name: &'static str,
        meta: Meta,
        signing: Signing,
    ) -> Self {
        Field {
            code: ((type_code as u32) << 16) | nth as u32,
            name,
            meta,
            signing,
        }
    }

    /// Xahau's name, as in JSON.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// `(type << 16) | nth`.
    pub const fn code(self) -> u32 {
        self.code
    }

    /// Type code.
    pub const fn type_code(self) -> u16 {
        (self.code >> 16) as u16
    }

    /// Number within the type.
    pub const fn nth(self) -> u16 {
        (self.code & 0xFFFF) as u16
    }

    /// Where metadata shows it.
    pub const fn meta(self) -> Meta {
        self.meta
    }

    /// False for signatures.
    pub const fn is_signing(self) -> bool {
        matches!(self.signing, Signing::Signed)
    }
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
