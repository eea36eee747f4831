//! Ed25519 with every edge decided: cofactorless, canonical A and R, no small order, S below the group order.
//! Libraries differ at these edges, and a second valid signature for one mail must not exist.
//!
//! Spec: 4.5. RFC 8463 (the message is the SHA-256 of the header data), RFC 8032 5.1.7.

use ed25519_dalek::{Signature, VerifyingKey};
use thiserror::Error;

/// Why bytes are no usable Ed25519 key. Spec: 4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Ed25519KeyError {
    /// Not 32 bytes.
    #[error("its key is not 32 bytes long")]
    Length,
    /// A coordinate not below 2^255 - 19, or no point of the curve.
    #[error("its key is not a canonical point")]
    Point,
    /// A point of small order, under which anybody can sign.
    #[error("its key is a point of small order")]
    SmallOrder,
}

/// 2^255 - 19, little-endian.
const FIELD_PRIME: [u8; 32] = {
    let mut bytes = [0xFF; 32];
    bytes[0] = 0xED;
    bytes[31] = 0x7F;
    bytes
};

/// The group order L = 2^252 + 27742317777372353535851937790883648493, little-endian.
const GROUP_ORDER: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn is_below(number: &[u8; 32], bound: &[u8; 32]) -> bool {
    number.iter().rev().lt(bound.iter().rev())
}

/// Whether the y coordinate of an encoded point is below the field prime. The sign bit is no part of it.
fn has_canonical_y(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7F;
    }
    is_below(&y, &FIELD_PRIME)
}

/// A public key of rule 4.5.
pub(crate) fn public_key(bytes: &[u8]) -> Result<VerifyingKey, Ed25519KeyError> {
    let bytes: &[u8; 32] = bytes.try_into().map_err(|_| Ed25519KeyError::Length)?;
    if !has_canonical_y(bytes) {
        return Err(Ed25519KeyError::Point);
    }
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| Ed25519KeyError::Point)?;
    if key.is_weak() {
        Err(Ed25519KeyError::SmallOrder)
    } else {
        Ok(key)
    }
}

/// Whether the signature over `message` is valid under the key.
pub(crate) fn verifies(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    let Ok(bytes) = <&[u8; 64]>::try_from(signature) else {
        return false;
    };
    let (Some(r), Some(s)) = (bytes.first_chunk::<32>(), bytes.last_chunk::<32>()) else {
        return false;
    };
    has_canonical_y(r)
        && is_below(s, &GROUP_ORDER)
        && key.verify_strict(message, &Signature::from_bytes(bytes)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hex")
    }

    // RFC 8032 7.1, test 2.
    const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    #[test]
    fn accepts_the_vector_of_the_rfc() {
        let key = public_key(&bytes(KEY)).expect("a key");
        assert!(verifies(&key, &[0x72], &bytes(SIGNATURE)));
    }

    #[test]
    fn rejects_other_messages_lengths_and_a_larger_s() {
        let key = public_key(&bytes(KEY)).expect("a key");
        let signature = bytes(SIGNATURE);
        assert!(!verifies(&key, &[0x73], &signature));
        assert!(!verifies(&key, &[0x72], &signature[..63]));
        let mut larger = signature.clone();
        let mut carry = 0;
        for (to, add) in larger[32..].iter_mut().zip(GROUP_ORDER) {
            let sum = u16::from(*to) + u16::from(add) + carry;
            *to = sum as u8;
            carry = sum >> 8;
        }
        assert!(!verifies(&key, &[0x72], &larger));
    }

    #[test]
    fn rejects_keys_that_are_no_canonical_points_or_of_small_order() {
        assert_eq!(public_key(&[1; 31]), Err(Ed25519KeyError::Length));
        assert_eq!(public_key(&[0xFF; 32]), Err(Ed25519KeyError::Point));
        // y = p, the same point as y = 0; y = 2 is no point.
        assert_eq!(public_key(&FIELD_PRIME), Err(Ed25519KeyError::Point));
        let mut two = [0; 32];
        two[0] = 2;
        assert_eq!(public_key(&two), Err(Ed25519KeyError::Point));
        let mut one = [0; 32];
        one[0] = 1;
        for weak in [one, [0; 32]] {
            assert_eq!(public_key(&weak), Err(Ed25519KeyError::SmallOrder));
        }
    }
}
