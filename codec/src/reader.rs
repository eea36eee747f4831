//! Bytes to object: strict, so that decoding and encoding again gives the same bytes.
//!
//! xahaud also reads unsorted fields and no-op bytes and hashes the sorted form; this reader refuses them:
//! a blob has one spelling here, and a refusal names the position.

use crate::amount::{Amount, AmountError};
use crate::field::{Field, FieldType};
use crate::hash::Hash256;
use crate::limits::{DEPTH_MAX, OBJECT_BYTES_MAX};
use crate::object::{Object, Value};
use crate::paths::{self, NEXT_PATH, PATHS_END};
use crate::types::AccountId;
use crate::writer::{
    ARRAY_END, OBJECT_END, VL_THREE_BYTES_FROM, VL_THREE_BYTES_TAG, VL_TWO_BYTES_FROM, VL_TWO_BYTES_TAG,
};

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
    #[error("field {0} appears twice")]
    Duplicate(&'static str),
    /// A field stands after one that belongs behind it.
    #[error("field {0} is out of order")]
    Unordered(&'static str),
    /// Objects and arrays nest too deep.
    #[error("nested deeper than {DEPTH_MAX} levels")]
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
///
/// ```
/// use codec::{DecodeReason, decode, encode, sf};
///
/// let blob = [0x12, 0x00, 0x5F, 0x24, 0x00, 0x00, 0x00, 0x01];
/// let object = decode(&blob)?;
/// assert_eq!(object.u32(sf::SEQUENCE), Some(1));
/// assert_eq!(encode(&object), blob);
///
/// let error = decode(&blob[..7]).unwrap_err();
/// assert_eq!((error.reason, error.offset), (DecodeReason::Truncated, 4));
/// # Ok::<(), codec::DecodeError>(())
/// ```
pub fn decode(bytes: &[u8]) -> Result<Object, DecodeError> {
    read(bytes, Unknown::Refused)
}

/// The same of an object that may hold fields which this crate does not know, as entries of a newer server do: they are
/// left out. For reading alone: written again, the object would lack them.
///
/// ```
/// use codec::{decode, decode_known, sf};
///
/// // Sequence, and UInt32 number 250.
/// let blob = [0x24, 0, 0, 0, 1, 0x20, 250, 0, 0, 0, 7];
/// assert!(decode(&blob).is_err());
/// let object = decode_known(&blob)?;
/// assert_eq!((object.u32(sf::SEQUENCE), object.len()), (Some(1), 1));
/// assert!(decode_known(&blob[..10]).is_err());
/// # Ok::<(), codec::DecodeError>(())
/// ```
pub fn decode_known(bytes: &[u8]) -> Result<Object, DecodeError> {
    read(bytes, Unknown::LeftOut)
}

fn read(bytes: &[u8], unknown: Unknown) -> Result<Object, DecodeError> {
    let mut reader = Reader {
        rest: bytes,
        bytes_total: bytes.len(),
        unknown,
    };
    if bytes.len() > OBJECT_BYTES_MAX {
        return Err(reader.fail(DecodeReason::TooLong));
    }
    reader.fields(0, End::Input)
}

/// What becomes of a field that has a type and no name here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    LeftOut,
}

/// Bytes with a length prefix, and what follows them; `None` where they are not there.
///
/// ```
/// let mut bytes = Vec::new();
/// codec::encode_vl(&[7; 300], &mut bytes);
/// codec::encode_vl(&[], &mut bytes);
/// assert_eq!(codec::decode_vl(&bytes), Some((&[7; 300][..], &[0][..])));
/// assert_eq!(codec::decode_vl(&bytes[..300]), None);
/// ```
#[must_use]
pub fn decode_vl(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader {
        rest: bytes,
        bytes_total: bytes.len(),
        unknown: Unknown::Refused,
    };
    let value = reader.vl().ok()?;
    Some((value, reader.rest))
}

/// What ends an object: the end of the input, or a marker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Input,
    Marker,
}

struct Reader<'a> {
    rest: &'a [u8],
    bytes_total: usize,
    unknown: Unknown,
}

impl<'a> Reader<'a> {
    /// Bytes read so far.
    fn at(&self) -> usize {
        self.bytes_total.saturating_sub(self.rest.len())
    }

    fn fail(&self, reason: DecodeReason) -> DecodeError {
        DecodeError {
            reason,
            offset: self.at(),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.fail(DecodeReason::Truncated))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.fail(DecodeReason::Truncated))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// Reads the next byte if it is `marker`.
    fn eat(&mut self, marker: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == marker => {
                self.rest = rest;
                true
            }
            Some(_) | None => false,
        }
    }

    fn fields(&mut self, depth: usize, end: End) -> Result<Object, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(self.fail(DecodeReason::TooDeep));
        }
        let mut object = Object::new();
        let mut last: Option<Field> = None;
        loop {
            let start = self.at();
            let is_over = match end {
                End::Input => self.rest.is_empty(),
                End::Marker => self.eat(OBJECT_END),
            };
            if is_over {
                return Ok(object);
            }
            self.reject_markers()?;
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
            if self.unknown == Unknown::Refused || field.is_known() {
                object.set(field, value);
            }
        }
    }

    /// An end marker where a field has to begin.
    fn reject_markers(&self) -> Result<(), DecodeError> {
        match self.rest.first() {
            Some(&(OBJECT_END | ARRAY_END)) => Err(self.fail(DecodeReason::Structure)),
            Some(_) | None => Ok(()),
        }
    }

    fn header(&mut self) -> Result<Field, DecodeError> {
        let start = self.at();
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
        let known = Field::by_code(type_code, nth);
        let unnamed = || match self.unknown {
            Unknown::Refused => None,
            Unknown::LeftOut => Field::unnamed(type_code, nth),
        };
        known.or_else(unnamed).ok_or(unknown)
    }

    fn value(&mut self, field: Field, depth: usize) -> Result<Value, DecodeError> {
        Ok(match field.field_type() {
            FieldType::UInt8 => Value::UInt8(self.byte()?),
            FieldType::UInt16 => Value::UInt16(u16::from_be_bytes(self.array()?)),
            FieldType::UInt32 => Value::UInt32(u32::from_be_bytes(self.array()?)),
            FieldType::UInt64 => Value::UInt64(u64::from_be_bytes(self.array()?)),
            FieldType::Hash128 => Value::Hash128(self.array()?),
            FieldType::Hash160 => Value::Hash160(self.array()?),
            FieldType::Hash256 => Value::Hash256(Hash256::new(self.array()?)),
            FieldType::Amount => Value::Amount(self.amount()?),
            FieldType::Blob => Value::Blob(self.vl()?.to_vec()),
            FieldType::Account => self.account(field)?,
            FieldType::Object => Value::Object(self.fields(depth.saturating_add(1), End::Marker)?),
            FieldType::Array => Value::Array(self.elements(depth.saturating_add(1))?),
            FieldType::PathSet => Value::PathSet(self.path_set()?.to_vec()),
            FieldType::Vector256 => self.hashes(field)?,
        })
    }

    fn amount(&mut self) -> Result<Amount, DecodeError> {
        let start = self.at();
        let value: [u8; 8] = self.array()?;
        let amount = if Amount::is_issued(value) {
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
        let start = self.at();
        let first = self.byte()?;
        let (base, above) = match first {
            ..VL_TWO_BYTES_TAG => (0, [0, 0, first]),
            VL_TWO_BYTES_TAG..VL_THREE_BYTES_TAG => {
                let high = first.saturating_sub(VL_TWO_BYTES_TAG);
                (VL_TWO_BYTES_FROM, [0, high, self.byte()?])
            }
            VL_THREE_BYTES_TAG..u8::MAX => {
                let [middle, low] = self.array()?;
                let high = first.saturating_sub(VL_THREE_BYTES_TAG);
                (VL_THREE_BYTES_FROM, [high, middle, low])
            }
            u8::MAX => {
                return Err(DecodeError {
                    reason: DecodeReason::LengthPrefix,
                    offset: start,
                });
            }
        };
        let [high, middle, low] = above;
        let above = usize::try_from(u32::from_be_bytes([0, high, middle, low])).unwrap_or(usize::MAX);
        let length = base.saturating_add(above);
        self.take(length)
    }

    fn account(&mut self, field: Field) -> Result<Value, DecodeError> {
        let start = self.at();
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
            if self.eat(ARRAY_END) {
                return Ok(elements);
            }
            self.reject_markers()?;
            let start = self.at();
            let field = self.header()?;
            if field.field_type() != FieldType::Object {
                return Err(DecodeError {
                    reason: DecodeReason::Structure,
                    offset: start,
                });
            }
            elements.push((field, self.fields(depth.saturating_add(1), End::Marker)?));
        }
    }

    /// Paths as [`paths`] describes them, none empty.
    fn path_set(&mut self) -> Result<&'a [u8], DecodeError> {
        let all = self.rest;
        let mut path_is_empty = true;
        loop {
            let byte = self.byte()?;
            match byte {
                PATHS_END | NEXT_PATH if path_is_empty => return Err(self.fail(DecodeReason::Structure)),
                PATHS_END => break,
                NEXT_PATH => path_is_empty = true,
                step => {
                    let bytes = paths::step_bytes(step).ok_or_else(|| self.fail(DecodeReason::Structure))?;
                    self.take(bytes)?;
                    path_is_empty = false;
                }
            }
        }
        let read = all.len().saturating_sub(self.rest.len());
        Ok(all.get(..read).unwrap_or(all))
    }

    fn hashes(&mut self, field: Field) -> Result<Value, DecodeError> {
        let start = self.at();
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
