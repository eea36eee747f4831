//! Bounds of the binary format: unit, source, and the refusal each causes. All are xahaud's own unless said
//! otherwise.

/// Nesting of objects and arrays, levels (xahaud STVar.cpp). Deeper: `DecodeReason::TooDeep`.
pub const DEPTH_MAX: usize = 10;
/// Length that a variable-length prefix can express, bytes (xahaud Serializer.cpp). Longer: cut, which no
/// reader accepts.
pub const VL_BYTES_MAX: usize = 918_744;
/// A whole object, bytes. Ours: the metadata of a transaction at its bound of entries stays far below.
/// Longer: `DecodeReason::TooLong`.
pub const OBJECT_BYTES_MAX: usize = 8 << 20;
/// A serialized transaction, bytes (xahaud Protocol.h). Shorter: no transaction.
pub const TRANSACTION_BYTES_MIN: usize = 10;
/// A serialized transaction, bytes (xahaud Protocol.h). Longer: no transaction.
pub const TRANSACTION_BYTES_MAX: usize = 1 << 20;
/// Nesting of JSON values accepted by [`crate::json::from_json`], levels: objects and arrays alternate with
/// wrappers. Deeper: `JsonError::TooDeep`.
pub const JSON_DEPTH_MAX: usize = 2 * DEPTH_MAX;

/// XAH in existence, drops: 10^17 (xahaud INITIAL_XRP). More is no amount of XAH.
pub const DROPS_MAX: u64 = 100_000_000_000_000_000;
/// Smallest mantissa of a non-zero issued amount (xahaud STAmount.h). Less: `AmountError::OutOfRange`.
pub const MANTISSA_MIN: u64 = 1_000_000_000_000_000;
/// Largest mantissa of an issued amount (xahaud STAmount.h). More: `AmountError::OutOfRange`.
pub const MANTISSA_MAX: u64 = 9_999_999_999_999_999;
/// Smallest exponent of a non-zero issued amount (xahaud STAmount.h). Less: `AmountError::OutOfRange`.
pub const EXPONENT_MIN: i32 = -96;
/// Largest exponent of an issued amount (xahaud STAmount.h). More: `AmountError::OutOfRange`.
pub const EXPONENT_MAX: i32 = 80;
/// Digits of an amount's text, before and after the point together (xahaud `amountFromString`). More:
/// `AmountError::Text`.
pub const AMOUNT_DIGITS_MAX: usize = 32;
/// Characters of a base58 text that are looked at; a 33-byte key needs 53. Ours. Longer: refused before any
/// work.
pub const BASE58_CHARS_MAX: usize = 64;

const _: () = assert!(TRANSACTION_BYTES_MAX <= OBJECT_BYTES_MAX);
