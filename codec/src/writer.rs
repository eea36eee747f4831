//! Object to bytes.

use crate::field::Field;
use crate::limits::VL_BYTES_MAX;
use crate::object::{Object, Value};

/// Smallest length that a prefix of two bytes stands for, and its smallest first byte.
pub(crate) const VL_TWO_BYTES_FROM: usize = 193;
pub(crate) const VL_TWO_BYTES_TAG: u8 = 193;
/// Smallest length that a prefix of three bytes stands for, and its smallest first byte.
pub(crate) const VL_THREE_BYTES_FROM: usize = 12_481;
pub(crate) const VL_THREE_BYTES_TAG: u8 = 241;

/// End of a nested object.
pub(crate) const OBJECT_END: u8 = 0xE1;
/// End of a nested array.
pub(crate) const ARRAY_END: u8 = 0xF1;

/// Bytes that an output has room for before it grows; most entries and transactions without memos fit.
const BYTES_EXPECTED: usize = 256;

/// Canonical serialization: fields in their order, whatever the order in which they were set.
///
/// ```
/// use codec::{Object, encode, sf};
///
/// let object = Object::new().with(sf::SEQUENCE, 1u32).with(sf::TRANSACTION_TYPE, 95u16);
/// assert_eq!(encode(&object), [0x12, 0x00, 0x5F, 0x24, 0x00, 0x00, 0x00, 0x01]);
/// ```
#[must_use]
pub fn encode(object: &Object) -> Vec<u8> {
    let mut out = Vec::with_capacity(BYTES_EXPECTED);
    write_fields(object, &mut out, |_| true);
    out
}

/// Canonical serialization of what a signature covers: without TxnSignature, Signers and the like.
#[must_use]
pub fn encode_signing(object: &Object) -> Vec<u8> {
    let mut out = Vec::new();
    write_fields(object, &mut out, Field::is_signing);
    out
}

/// A length prefix (xahaud Serializer.cpp `addEncoded`) and the bytes. Longer than [`VL_BYTES_MAX`]: cut
/// there, which no reader accepts; callers hold every blob far below.
pub fn encode_vl(bytes: &[u8], out: &mut Vec<u8>) {
    let bytes = bytes.get(..VL_BYTES_MAX).unwrap_or(bytes);
    let above = |base: usize| {
        let rest = bytes.len().saturating_sub(base);
        u32::try_from(rest).unwrap_or(u32::MAX).to_be_bytes()
    };
    match bytes.len() {
        ..VL_TWO_BYTES_FROM => {
            let [_, _, _, low] = above(0);
            out.push(low);
        }
        VL_TWO_BYTES_FROM..VL_THREE_BYTES_FROM => {
            let [_, _, high, low] = above(VL_TWO_BYTES_FROM);
            out.extend_from_slice(&[high.saturating_add(VL_TWO_BYTES_TAG), low]);
        }
        VL_THREE_BYTES_FROM.. => {
            let [_, high, middle, low] = above(VL_THREE_BYTES_FROM);
            out.extend_from_slice(&[high.saturating_add(VL_THREE_BYTES_TAG), middle, low]);
        }
    }
    out.extend_from_slice(bytes);
}

fn write_fields(object: &Object, out: &mut Vec<u8>, include: fn(Field) -> bool) {
    for (field, value) in object.iter().filter(|(field, _)| include(*field)) {
        write_header(field, out);
        write_value(value, out, include);
    }
}

fn write_header(field: Field, out: &mut Vec<u8>) {
    let (type_code, nth) = (field.field_type().code(), field.nth());
    match (type_code < 16, nth < 16) {
        (true, true) => out.push((type_code << 4) | nth),
        (true, false) => out.extend_from_slice(&[type_code << 4, nth]),
        (false, true) => out.extend_from_slice(&[nth, type_code]),
        (false, false) => out.extend_from_slice(&[0, type_code, nth]),
    }
}

fn write_value(value: &Value, out: &mut Vec<u8>, include: fn(Field) -> bool) {
    match value {
        Value::UInt8(value) => out.push(*value),
        Value::UInt16(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::UInt32(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::UInt64(value) => out.extend_from_slice(&value.to_be_bytes()),
        Value::Hash128(value) => out.extend_from_slice(value),
        Value::Hash160(value) => out.extend_from_slice(value),
        Value::Hash256(value) => out.extend_from_slice(value.as_bytes()),
        Value::Amount(value) => value.write(out),
        Value::Blob(value) => encode_vl(value, out),
        Value::Account(Some(value)) => encode_vl(value.as_bytes(), out),
        Value::Account(None) => encode_vl(&[], out),
        Value::Object(value) => {
            write_fields(value, out, include);
            out.push(OBJECT_END);
        }
        Value::Array(elements) => {
            for (field, element) in elements {
                write_header(*field, out);
                write_fields(element, out, include);
                out.push(OBJECT_END);
            }
            out.push(ARRAY_END);
        }
        Value::PathSet(value) => out.extend_from_slice(value),
        Value::Vector256(hashes) => {
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            encode_vl(&bytes, out);
        }
    }
}
