//! RSA public keys in strict DER, by hand: SubjectPublicKeyInfo with rsaEncryption and NULL, or PKCS#1
//! RSAPublicKey. Libraries differ in what they forgive, so this stands before the library. Knows nothing of
//! records.
//!
//! Spec: 4.5. X.690 10.1 (definite, shortest lengths), RFC 8017 A.1.1, RFC 3279 2.3.1.

use thiserror::Error;

use crate::limits::{RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN};

/// Why bytes are no usable RSA key. Spec: 4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RsaKeyError {
    /// Not strict DER of one of the two forms, without trailing bytes.
    #[error("its key is not strictly encoded")]
    Der,
    /// Another algorithm than rsaEncryption, or parameters other than NULL.
    #[error("its key is of another algorithm")]
    Algorithm,
    /// A modulus below 1024 or above 4096 bits, or even.
    #[error("its key has a size outside 1024 to 4096 bits")]
    Modulus,
    /// An exponent that is even, below 3 or from 2^32 on.
    #[error("its key has an exponent that is not allowed")]
    Exponent,
}

/// An RSA public key within the bounds of rule 4.5; big-endian numbers without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RsaKey<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) exponent: &'a [u8],
}

const TAG_INTEGER: u8 = 0x02;
const TAG_BIT_STRING: u8 = 0x03;
const TAG_SEQUENCE: u8 = 0x30;
/// AlgorithmIdentifier { rsaEncryption 1.2.840.113549.1.1.1, NULL }, content only.
const RSA_ENCRYPTION: [u8; 13] = [
    0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// One element: its content, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Result<(&[u8], &[u8]), RsaKeyError> {
    let (found, rest) = bytes.split_first().ok_or(RsaKeyError::Der)?;
    let (first, rest) = rest.split_first().ok_or(RsaKeyError::Der)?;
    if *found != tag {
        return Err(RsaKeyError::Der);
    }
    let (length, rest) = match *first {
        short @ 0..=0x7F => (usize::from(short), rest),
        0x81 => match rest.split_first() {
            Some((length @ 0x80.., rest)) => (usize::from(*length), rest),
            _ => return Err(RsaKeyError::Der),
        },
        0x82 => match rest {
            // A first byte of zero would have fitted the shorter form.
            [high @ 1..=0xFF, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            _ => return Err(RsaKeyError::Der),
        },
        _ => return Err(RsaKeyError::Der),
    };
    rest.split_at_checked(length).ok_or(RsaKeyError::Der)
}

fn whole(bytes: &[u8], tag: u8) -> Result<&[u8], RsaKeyError> {
    match element(bytes, tag)? {
        (content, []) => Ok(content),
        _ => Err(RsaKeyError::Der),
    }
}

/// A positive INTEGER in its shortest form, without the zero byte that keeps it positive.
fn positive(content: &[u8]) -> Result<&[u8], RsaKeyError> {
    match content {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Ok(rest),
        [0x01..=0x7F, ..] => Ok(content),
        _ => Err(RsaKeyError::Der),
    }
}

/// Bits of a big-endian number, without its leading zeros.
pub(crate) fn bit_length(number: &[u8]) -> usize {
    match number.split_first() {
        Some((first, rest)) => {
            let unused = usize::try_from(first.leading_zeros()).unwrap_or(8);
            rest.len()
                .saturating_mul(8)
                .saturating_add(8_usize.saturating_sub(unused))
        }
        None => 0,
    }
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

/// An RSA public key of either form.
///
/// Spec: 4.5. Modulus 1024 to 4096 bits by bit length, odd exponent 3 <= e < 2^32.
pub(crate) fn rsa_key(der: &[u8]) -> Result<RsaKey<'_>, RsaKeyError> {
    let outer = whole(der, TAG_SEQUENCE)?;
    let numbers = if outer.first() == Some(&TAG_SEQUENCE) {
        let (algorithm, rest) = element(outer, TAG_SEQUENCE)?;
        if algorithm != RSA_ENCRYPTION {
            return Err(RsaKeyError::Algorithm);
        }
        match whole(rest, TAG_BIT_STRING)? {
            [0, key @ ..] => whole(key, TAG_SEQUENCE)?,
            _ => return Err(RsaKeyError::Der),
        }
    } else {
        outer
    };
    let (modulus, rest) = element(numbers, TAG_INTEGER)?;
    let modulus = positive(modulus)?;
    let exponent = positive(whole(rest, TAG_INTEGER)?)?;
    if !(RSA_MODULUS_BITS_MIN..=RSA_MODULUS_BITS_MAX).contains(&bit_length(modulus)) || !is_odd(modulus) {
        return Err(RsaKeyError::Modulus);
    }
    if exponent.len() > 4 || !is_odd(exponent) || exponent == [1] {
        return Err(RsaKeyError::Exponent);
    }
    Ok(RsaKey { modulus, exponent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match content.len() {
            n @ 0..0x80 => out.push(n as u8),
            n @ 0x80..0x100 => out.extend([0x81, n as u8]),
            n => out.extend([0x82, (n >> 8) as u8, n as u8]),
        }
        out.extend_from_slice(content);
        out
    }

    fn integer(number: &[u8]) -> Vec<u8> {
        let mut content = number.to_vec();
        if content.first().is_some_and(|b| *b >= 0x80) {
            content.insert(0, 0);
        }
        der(TAG_INTEGER, &content)
    }

    fn pkcs1(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        der(TAG_SEQUENCE, &[integer(modulus), integer(exponent)].concat())
    }

    fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
        let bits = der(TAG_BIT_STRING, &[&[0], key].concat());
        der(TAG_SEQUENCE, &[der(TAG_SEQUENCE, algorithm), bits].concat())
    }

    fn modulus(bits: usize) -> Vec<u8> {
        let mut number = vec![0xA5; bits.div_ceil(8)];
        let top = (bits - 1) % 8;
        number[0] = 1 << top | (number[0] & ((1 << top) - 1));
        number
    }

    const F4: [u8; 3] = [1, 0, 1];

    #[test]
    fn accepts_both_forms_within_the_bounds() {
        for bits in [1024, 1025, 1031, 2047, 2048, 4096] {
            let key = pkcs1(&modulus(bits), &F4);
            assert_eq!(
                rsa_key(&key),
                Ok(RsaKey {
                    modulus: &modulus(bits),
                    exponent: &F4
                }),
                "{bits}"
            );
            assert!(rsa_key(&spki(&RSA_ENCRYPTION, &key)).is_ok(), "{bits}");
        }
        for exponent in [&[3][..], &[17], &[0xFF, 0xFF, 0xFF, 0xFF]] {
            assert!(rsa_key(&pkcs1(&modulus(2048), exponent)).is_ok());
        }
    }

    #[test]
    fn rejects_keys_outside_the_bounds() {
        for bits in [512, 1023, 4097] {
            assert_eq!(
                rsa_key(&pkcs1(&modulus(bits), &F4)),
                Err(RsaKeyError::Modulus),
                "{bits}"
            );
        }
        let mut even = modulus(2048);
        even[255] = 0xA4;
        assert_eq!(rsa_key(&pkcs1(&even, &F4)), Err(RsaKeyError::Modulus));
        for exponent in [&[1][..], &[2], &[1, 0], &[1, 0, 0, 0, 1]] {
            assert_eq!(
                rsa_key(&pkcs1(&modulus(2048), exponent)),
                Err(RsaKeyError::Exponent)
            );
        }
    }

    #[test]
    fn rejects_what_is_not_strict_der() {
        let key = pkcs1(&modulus(2048), &F4);
        let trailing = [&key[..], &[0]].concat();
        assert_eq!(rsa_key(&trailing), Err(RsaKeyError::Der));
        assert_eq!(rsa_key(&key[..key.len() - 1]), Err(RsaKeyError::Der));
        assert_eq!(rsa_key(b""), Err(RsaKeyError::Der));
        assert_eq!(rsa_key(&spki(&RSA_ENCRYPTION, &trailing)), Err(RsaKeyError::Der));
        assert_eq!(
            rsa_key(&spki(&RSA_ENCRYPTION[..11], &key)),
            Err(RsaKeyError::Algorithm)
        );
        let padded = der(
            TAG_SEQUENCE,
            &[
                der(TAG_INTEGER, &[&[0, 0][..], &modulus(2048)].concat()),
                integer(&F4),
            ]
            .concat(),
        );
        assert_eq!(rsa_key(&padded), Err(RsaKeyError::Der));
        let negative = der(
            TAG_SEQUENCE,
            &[der(TAG_INTEGER, &modulus(2048)), integer(&F4)].concat(),
        );
        assert_eq!(rsa_key(&negative), Err(RsaKeyError::Der));
        let extra = der(
            TAG_SEQUENCE,
            &[integer(&modulus(2048)), integer(&F4), integer(&F4)].concat(),
        );
        assert_eq!(rsa_key(&extra), Err(RsaKeyError::Der));
        // Lengths that are not the shortest: 3 as 81 03 and as 82 00 03, the outer one as 83.
        let long_form = der(
            TAG_SEQUENCE,
            &[integer(&modulus(2048)), vec![2, 0x81, 3, 1, 0, 1]].concat(),
        );
        assert_eq!(rsa_key(&long_form), Err(RsaKeyError::Der));
        let longer_form = der(
            TAG_SEQUENCE,
            &[integer(&modulus(2048)), vec![2, 0x82, 0, 3, 1, 0, 1]].concat(),
        );
        assert_eq!(rsa_key(&longer_form), Err(RsaKeyError::Der));
        assert_eq!(
            rsa_key(&[&[0x30, 0x83, 0, 1, 10], &key[4..]].concat()),
            Err(RsaKeyError::Der)
        );
    }
}
