//! 256-bit hashes, SHA-512Half with its prefixes, and the other digests of the format.

use crate::hex_text::hex_upper;
use ripemd::Ripemd160;
use sha2::{Digest, Sha256, Sha512};
use std::fmt;

/// 256-bit hash or key; shown as 64 upper-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash256([u8; 32]);

impl Hash256 {
    /// All zero: "no hash".
    pub const ZERO: Hash256 = Hash256([0; 32]);

    /// From the 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Hash256(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads exactly 64 hex digits of either case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Hash256(bytes))
    }

    /// True for the all-zero hash.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 32]
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_upper(&self.0))
    }
}

impl fmt::Debug for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Transaction id: `TXN\0` before the whole serialization.
pub const PREFIX_TX_ID: [u8; 4] = *b"TXN\0";
/// Single signing: `STX\0` before the fields that are signed.
pub const PREFIX_TX_SIGN: [u8; 4] = *b"STX\0";
/// Transaction with metadata, leaf of the transaction tree.
pub const PREFIX_TX_NODE: [u8; 4] = *b"SND\0";
/// Account state leaf.
pub const PREFIX_LEAF_NODE: [u8; 4] = *b"MLN\0";
/// Inner node of a tree.
pub const PREFIX_INNER_NODE: [u8; 4] = *b"MIN\0";
/// Ledger header.
pub const PREFIX_LEDGER: [u8; 4] = *b"LWR\0";
/// DKIM key attestation of a validator. Spec: 7.2
pub const PREFIX_DKIM_ATTESTATION: [u8; 4] = *b"DKA\0";
/// Vote of a validator. Spec: 15.1
pub const PREFIX_VALIDATOR_VOTE: [u8; 4] = *b"VAV\0";
/// Evidence against a leaked DKIM key. Spec: 7.9
pub const PREFIX_DKIM_LEAK: [u8; 4] = *b"DKL\0";

/// First 32 bytes of the SHA-512 of the concatenated parts.
#[must_use]
pub fn sha512_half(parts: &[&[u8]]) -> Hash256 {
    half_of(sha512(parts))
}

/// The same over one part and the parts after it.
pub(crate) fn sha512_half_after(head: &[u8], parts: &[&[u8]]) -> Hash256 {
    let mut hasher = Sha512::new();
    hasher.update(head);
    for part in parts {
        hasher.update(part);
    }
    half_of(hasher.finalize().into())
}

fn half_of(full: [u8; 64]) -> Hash256 {
    let mut half = [0u8; 32];
    half.copy_from_slice(&full[..32]);
    Hash256::new(half)
}

/// SHA-512 of the concatenated parts.
#[must_use]
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hasher = Sha512::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 of the concatenated parts.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// RIPEMD-160 of SHA-256: how a public key becomes an AccountID.
#[must_use]
pub fn ripemd160_sha256(data: &[u8]) -> [u8; 20] {
    let mut hasher = Ripemd160::new();
    hasher.update(sha256(&[data]));
    hasher.finalize().into()
}
