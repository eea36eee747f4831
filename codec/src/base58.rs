//! Base58 with the ledger's alphabet and a four-byte double-SHA-256 checksum (xahaud tokens.cpp).

use crate::hash::sha256;
use crate::limits::BASE58_CHARS_MAX;

/// Type byte of an AccountID ("r...").
pub const TYPE_ACCOUNT_ID: u8 = 0;
/// Type byte of a validator's public key ("n...").
pub const TYPE_NODE_PUBLIC: u8 = 28;
/// Type byte of a family seed ("s...").
pub const TYPE_FAMILY_SEED: u8 = 33;

const CHECKSUM_BYTES: usize = 4;

/// Text of `payload` under a type prefix.
#[must_use]
pub fn encode(prefix: &[u8], payload: &[u8]) -> String {
    let mut bytes = [prefix, payload].concat();
    let check = checksum(&bytes);
    bytes.extend_from_slice(&check);
    bs58::encode(bytes)
        .with_alphabet(bs58::Alphabet::RIPPLE)
        .into_string()
}

/// Payload of `text` where alphabet, type prefix, checksum and length (`N` bytes) are right; else `None`.
#[must_use]
pub fn decode<const N: usize>(prefix: &[u8], text: &str) -> Option<[u8; N]> {
    if text.is_empty() || text.len() > BASE58_CHARS_MAX {
        return None;
    }
    let bytes = bs58::decode(text)
        .with_alphabet(bs58::Alphabet::RIPPLE)
        .into_vec()
        .ok()?;
    let (body, check) = bytes.split_last_chunk()?;
    if checksum(body) != *check {
        return None;
    }
    body.strip_prefix(prefix)?.try_into().ok()
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = sha256(&[&sha256(&[body])]);
    [a, b, c, d]
}
