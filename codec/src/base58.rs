//! Base58 with the ledger's alphabet and a four-byte double-SHA-256 checksum (xahaud tokens.cpp).

use crate::hash::sha256;

/// Type byte of an AccountID ("r...").
pub const TYPE_ACCOUNT_ID: u8 = 0;
/// Type byte of a validator's public key ("n...").
pub const TYPE_NODE_PUBLIC: u8 = 28;
/// Type byte of a family seed ("s...").
pub const TYPE_FAMILY_SEED: u8 = 33;

/// Longest text that is looked at, characters: a 33-byte key needs 53. Longer: refused before any work.
const TEXT_CHARS_MAX: usize = 64;
const CHECKSUM_BYTES: usize = 4;

/// Text of `payload` under a type prefix.
pub fn encode(prefix: &[u8], payload: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(prefix.len() + payload.len() + CHECKSUM_BYTES);
    bytes.extend_from_slice(prefix);
    bytes.extend_from_slice(payload);
    let check = checksum(&bytes);
    bytes.extend_from_slice(&check);
    bs58::encode(bytes)
        .with_alphabet(bs58::Alphabet::RIPPLE)
        .into_string()
}

/// Payload of `text` where alphabet, type prefix, checksum and length (`N` bytes) are right; else `None`.
pub fn decode<const N: usize>(prefix: &[u8], text: &str) -> Option<[u8; N]> {
    if text.is_empty() || text.len() > TEXT_CHARS_MAX {
        return None;
    }
    let bytes = bs58::decode(text)
        .with_alphabet(bs58::Alphabet::RIPPLE)
        .into_vec()
        .ok()?;
    let body_len = bytes.len().checked_sub(CHECKSUM_BYTES)?;
    let (body, check) = bytes.split_at(body_len);
    if checksum(body) != check {
        return None;
    }
    body.strip_prefix(prefix)?.try_into().ok()
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let twice = sha256(&[&sha256(&[body])]);
    [twice[0], twice[1], twice[2], twice[3]]
}
