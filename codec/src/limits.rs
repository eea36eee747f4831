//! Bounds of the binary format. Each is xahaud's own unless said otherwise.

/// Nesting of objects and arrays, levels (xahaud STVar.cpp). Deeper: `DecodeReason::TooDeep`.
pub const DEPTH_MAX: usize = 10;
/// Length that a variable-length prefix can express, bytes. Longer: `DecodeReason::LengthPrefix`.
pub const VL_BYTES_MAX: usize = 918_744;
/// A whole object, bytes. Ours: metadata of a full ledger entry cap stays far below. Longer: `DecodeReason::TooLong`.
pub const OBJECT_BYTES_MAX: usize = 8 << 20;
/// A serialized transaction, bytes (xahaud Protocol.h).
pub const TRANSACTION_BYTES_MAX: usize = 1 << 20;
/// A serialized transaction, bytes (xahaud Protocol.h).
pub const TRANSACTION_BYTES_MIN: usize = 10;
/// Nesting of JSON values accepted by [`crate::json::from_json`], levels: objects and arrays alternate with wrappers.
pub const JSON_DEPTH_MAX: usize = 2 * DEPTH_MAX;

const _: () = assert!(TRANSACTION_BYTES_MAX <= OBJECT_BYTES_MAX);
