//! Bytes to object: strict, so that decoding and encoding again gives the same bytes.
//!
//! xahaud also reads unsorted fields and no-op bytes and hashes the sorted form; this reader refuses them:
//! a blob has one spelling here, and a refusal names the position.

use crate::amount::{Amount, AmountError};
use crate::field::{Field, type_code};
use crate::hash::Hash256;
use crate::limits::{DEPTH_MAX, OBJECT_BYTES_MAX};
use crate::object::{Object, Value};
use crate::types::AccountId;
use crate::writer::{ARRAY_END, OBJECT_END};

/// Why bytes are no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeReason {
    /// The bytes end within a value.
    #[error("the bytes end within a value")]
    Truncated,
    /// More bytes than an object may have.
    #[error("longer than an object may be")]
    TooLong,
    /// No field has this code, or its header is not in the shortest form.
    #[error("unknown or badly written field code")]
    UnknownField,
    /// A field stands twice.
    #[error("field {0} stands twice")]
    Duplicate(&'static str),
    /// A field stands after one that belongs behind it.
    #[error("field {0} is out of order")]
    Unordered(&'static str),
    /// Objects and arrays nest too deep.
    #[error("nested deeper than 10 levels")]
    TooDeep,
    /// A length prefix that is illegal or not the shortest.
    #[error("illegal length prefix")]
    LengthPrefix,
    /// A value of the wrong length for its type.
    #[error("wrong length for field {0}")]
    Length(&'static str),
    /// An amount that is not legal.
    #[error("{0}")]
    Amount(AmountError),
    /// An end marker where none belongs, or an array element that is no object.
    #[error("misplaced marker or element")]
    Structure,
}

/// Refusal of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at byte {offset})")]
pub struct DecodeError {
    /// What is wrong.
    pub reason: DecodeReason,
    /// Where, bytes from the start.
    pub offset: usize,
}

/// Reads one object that fills `bytes`.
pub fn decode(bytes: &[u8]) -> Result<Object, DecodeError> {
    let mut reader = Reader { bytes, at: 0 };
    if bytes.len() > OBJECT_BYTES_MAX {
        return Err(reader.fail(DecodeReason::TooLong));
    }
    reader.fields(0, End::Input)
}

/// What ends an object: the end of the input, or a marker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Input,
    Marker,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn fail(&self, reason: DecodeReason) -> DecodeError {
        DecodeError {
            reason,
            offset: self.at,
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.at..];
        if rest.len() < count {
            return Err(self.fail(DecodeReason::Truncated));
        }
        self.at += count;
        Ok(&rest[..count])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fields(&mut self, depth: usize, end: End) -> Result<Object, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(self.fail(DecodeReason::TooDeep));
        }
        let mut object = Object::new();
        let mut last: Option<Field> = None;
        loop {
            let start = self.at;
            match (self.peek(), end) {
                (None, End::Input) => return Ok(object),
                (Some(OBJECT_END), End::Marker) => {
                    self.at += 1;
                    return Ok(object);
                }
                (Some(OBJECT_END | ARRAY_END), _) => return Err(self.fail(DecodeReason::Structure)),
                _ => {}
            }
            let field = self.header()?;
            if let Some(previous) = last.filter(|previous| *previous >= field) {
                let reason = if previous == field {
                    DecodeReason::Duplicate
                } else {
                    DecodeReason::Unordered
                };
                return Err(DecodeError {
                    reason: reason(field.name()),
                    offset: start,
                });
            }
            last = Some(field);
            let value = self.value(field, depth)?;
            object.set(field, value);
        }
    }

    fn header(&mut self) -> Result<Field, DecodeError> {
        let start = self.at;
        let unknown = DecodeError {
            reason: DecodeReason::UnknownField,
            offset: start,
        };
        let first = self.byte()?;
        let long = |code: u8| if code < 16 { Err(unknown) } else { Ok(code) };
        let (type_code, nth) = match (first >> 4, first & 15) {
            (0, 0) => {
                let type_code = long(self.byte()?)?;
                (type_code, long(self.byte()?)?)
            }
            (0, nth) => (long(self.byte()?)?, nth),
            (type_code, 0) => (type_code, long(self.byte()?)?),
            both => both,
        };
        Field::by_code(u16::from(type_code), u16::from(nth)).ok_or(unknown)
    }

    fn value(&mut self, field: Field, depth: usize) -> Result<Value, DecodeError> {
        Ok(match field.type_code() {
            type_code::UINT8 => Value::UInt8(self.byte()?),
            type_code::UINT16 => Value::UInt16(u16::from_be_bytes(self.array()?)),
            type_code::UINT32 => Value::UInt32(u32::from_be_bytes(self.array()?)),
            type_code::UINT64 => Value::UInt64(u64::from_be_bytes(self.array()?)),
            type_code::HASH128 => Value::Hash128(self.array()?),
            type_code::HASH160 => Value::Hash160(self.array()?),
            type_code::HASH256 => Value::Hash256(Hash256::new(self.array()?)),
            type_code::AMOUNT => Value::Amount(self.amount()?),
            type_code::BLOB => Value::Blob(self.vl()?.to_vec()),
            type_code::ACCOUNT => self.account(field)?,
            type_code::OBJECT => Value::Object(self.fields(depth + 1, End::Marker)?),
            type_code::ARRAY => Value::Array(self.elements(depth + 1)?),
            type_code::PATH_SET => Value::PathSet(self.path_set()?.to_vec()),
            type_code::VECTOR256 => self.hashes(field)?,
            _ => return Err(self.fail(DecodeReason::UnknownField)),
        })
    }

    fn amount(&mut self) -> Result<Amount, DecodeError> {
        let start = self.at;
        let value: [u8; 8] = self.array()?;
        let amount = if Amount::is_issued_byte(value[0]) {
            Amount::read_issued(value, self.array()?, self.array()?)
        } else {
            Amount::read_native(value)
        };
        amount.map_err(|error| DecodeError {
            reason: DecodeReason::Amount(error),
            offset: start,
        })
    }

    fn vl(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = self.at;
        let first = usize::from(self.byte()?);
        let length = match first {
            0..=192 => first,
            193..=240 => 193 + ((first - 193) << 8) + usize::from(self.byte()?),
            241..=254 => {
                let rest: [u8; 2] = self.array()?;
                12_481 + ((first - 241) << 16) + usize::from(u16::from_be_bytes(rest))
            }
            _ => {
                return Err(DecodeError {
                    reason: DecodeReason::LengthPrefix,
                    offset: start,
                });
            }
        };
        self.take(length)
    }

    fn account(&mut self, field: Field) -> Result<Value, DecodeError> {
        let start = self.at;
        let bytes = self.vl()?;
        if bytes.is_empty() {
            return Ok(Value::Account(None));
        }
        let bytes: [u8; 20] = bytes.try_into().map_err(|_| DecodeError {
            reason: DecodeReason::Length(field.name()),
            offset: start,
        })?;
        Ok(Value::Account(Some(AccountId::new(bytes))))
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<(Field, Object)>, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(self.fail(DecodeReason::TooDeep));
        }
        let mut elements = Vec::new();
        loop {
            match self.peek() {
                Some(ARRAY_END) => {
                    self.at += 1;
                    return Ok(elements);
                }
                Some(OBJECT_END) => return Err(self.fail(DecodeReason::Structure)),
                _ => {}
            }
            let start = self.at;
            let field = self.header()?;
            if field.type_code() != type_code::OBJECT {
                return Err(DecodeError {
                    reason: DecodeReason::Structure,
                    offset: start,
                });
            }
            elements.push((field, self.fields(depth + 1, End::Marker)?));
        }
    }

    /// Paths: steps (a type byte of 1 account, 0x10 currency, 0x20 issuer, then 20 bytes for each bit), `FF`
    /// between paths, `00` at the end.
    fn path_set(&mut self) -> Result<&'a [u8], DecodeError> {
        const END: u8 = 0x00;
        const NEXT_PATH: u8 = 0xFF;
        const STEP_BITS: u8 = 0x31;
        let start = self.at;
        let mut path_is_empty = true;
        loop {
            let byte = self.byte()?;
            match byte {
                END | NEXT_PATH if path_is_empty => return Err(self.fail(DecodeReason::Structure)),
                END => return Ok(&self.bytes[start..self.at]),
                NEXT_PATH => path_is_empty = true,
                step if step & !STEP_BITS == 0 => {
                    self.take(20 * step.count_ones() as usize)?;
                    path_is_empty = false;
                }
                _ => return Err(self.fail(DecodeReason::Structure)),
            }
        }
    }

    fn hashes(&mut self, field: Field) -> Result<Value, DecodeError> {
        let start = self.at;
        let (hashes, rest) = self.vl()?.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(DecodeError {
                reason: DecodeReason::Length(field.name()),
                offset: start,
            });
        }
        Ok(Value::Vector256(
            hashes.iter().map(|hash| Hash256::new(*hash)).collect(),
        ))
    }
}
