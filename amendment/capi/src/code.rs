//! What a function answers: a result code of the ledger, or one of the border itself.

use codec::Ter;

/// It worked: tesSUCCESS. All other codes of the ledger are those of xahaud too (negative, or 100 to 255).
pub const XE_OK: i32 = 0;
/// The library broke in its work and was stopped. Nothing is proven; no output is set.
pub const XE_INTERNAL: i32 = -1000;
/// A pointer is null that may not be.
pub const XE_NULL: i32 = -1001;
/// An input has more bytes than XE_INPUT_BYTES_MAX, or a list more entries than any call needs.
pub const XE_TOO_LONG: i32 = -1002;
/// A pointer to something other than bytes is not aligned to its type.
pub const XE_MISALIGNED: i32 = -1003;
/// A number is none of those that the function knows: the ABI of a struct, an answer, an effect.
pub const XE_BAD_VALUE: i32 = -1004;
/// An entry or another object is not serialized as the ledger does it. A transaction is temMALFORMED instead.
pub const XE_BAD_BYTES: i32 = -1005;
/// The function needs further entries: they stand in the list. Read them and call again with all.
pub const XE_READ_MORE: i32 = -1006;
/// What was asked for is not there: the index of a list, a candidate of a mail.
pub const XE_NOT_FOUND: i32 = -1007;

/// Why a function ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) i32);

impl Code {
    pub(crate) const INTERNAL: Code = Code(XE_INTERNAL);
    pub(crate) const NULL: Code = Code(XE_NULL);
    pub(crate) const TOO_LONG: Code = Code(XE_TOO_LONG);
    pub(crate) const MISALIGNED: Code = Code(XE_MISALIGNED);
    pub(crate) const BAD_VALUE: Code = Code(XE_BAD_VALUE);
    pub(crate) const BAD_BYTES: Code = Code(XE_BAD_BYTES);
    pub(crate) const READ_MORE: Code = Code(XE_READ_MORE);
    pub(crate) const NOT_FOUND: Code = Code(XE_NOT_FOUND);
}

impl From<Ter> for Code {
    fn from(ter: Ter) -> Code {
        Code(ter.code())
    }
}
