//! Keys of the ledger: derivation from a family seed, signing, verification (secp256k1 and ed25519).
//!
//! Not for DKIM: mail signatures belong to the crate `amendment`.

use crate::base58::{self, TYPE_FAMILY_SEED};
use crate::hash::sha512_half;
use crate::types::AccountId;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use secp256k1::{Message, SecretKey, ecdsa};

/// First byte of an ed25519 public key; secp256k1 keys begin with 2 or 3.
const ED25519_PREFIX: u8 = 0xED;
/// Prefix that makes a seed read "sEd...".
const ED25519_SEED_PREFIX: [u8; 3] = [0x01, 0xE1, 0x4B];
/// Length of a DER signature, bytes (xahaud PublicKey.cpp).
const DER_BYTES: std::ops::RangeInclusive<usize> = 8..=72;
/// Tries for a valid scalar; each fails with probability below 2^-127.
const DERIVE_TRIES_MAX: u32 = 16;

/// Why a key or seed is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a family seed: alphabet, checksum or length is wrong.
    #[error("not a family seed")]
    Seed,
    /// Not a public key of either kind.
    #[error("not a public key")]
    PublicKey,
}

/// Whether ECDSA signatures with a high S are refused (they are wherever a transaction is fully canonical).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LowS {
    /// Refused.
    Required,
    /// Accepted.
    Any,
}

/// Public key of either kind, 33 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PublicKey([u8; 33]);

impl PublicKey {
    /// Takes 33 bytes whose first names the kind (xahaud `publicKeyType`).
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 33] = bytes.try_into().map_err(|_| KeyError::PublicKey)?;
        matches!(bytes[0], 2 | 3 | ED25519_PREFIX)
            .then_some(PublicKey(bytes))
            .ok_or(KeyError::PublicKey)
    }

    /// The 33 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// Whether it is of ed25519.
    #[must_use]
    pub fn is_ed25519(&self) -> bool {
        self.0.first() == Some(&ED25519_PREFIX)
    }

    /// The account that this key is master of.
    #[must_use]
    pub fn account(&self) -> AccountId {
        AccountId::of_public_key(&self.0)
    }

    /// True where `signature` is this key's over `message` (hashed first for secp256k1).
    ///
    /// ```
    /// use codec::keys::{KeyPair, LowS};
    ///
    /// let pair = KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb")?;
    /// let signature = pair.sign(b"message");
    /// assert!(pair.public_key().verify(b"message", &signature, LowS::Required));
    /// assert!(!pair.public_key().verify(b"massage", &signature, LowS::Required));
    /// # Ok::<(), codec::keys::KeyError>(())
    /// ```
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8], low_s: LowS) -> bool {
        if self.0[0] == ED25519_PREFIX {
            return self.verify_ed25519(message, signature).is_some();
        }
        self.verify_secp256k1(message, signature, low_s).is_some()
    }

    fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let mut point = [0; 32];
        point.copy_from_slice(&self.0[1..]);
        let key = VerifyingKey::from_bytes(&point).ok()?;
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        key.verify_strict(message, &signature).ok()
    }

    fn verify_secp256k1(&self, message: &[u8], signature: &[u8], low_s: LowS) -> Option<()> {
        if !DER_BYTES.contains(&signature.len()) {
            return None;
        }
        let key = secp256k1::PublicKey::from_slice(&self.0).ok()?;
        let parsed = ecdsa::Signature::from_der(signature).ok()?;
        // One spelling only: what the parser read must serialize to the same bytes.
        if *parsed.serialize_der() != *signature {
            return None;
        }
        let mut normal = parsed;
        normal.normalize_s();
        if low_s == LowS::Required && normal != parsed {
            return None;
        }
        ecdsa::verify(&normal, digest(message), &key).ok()
    }
}

/// Secret key with its public key.
#[derive(Clone)]
pub struct KeyPair {
    secret: Secret,
    public: PublicKey,
}

#[derive(Clone)]
enum Secret {
    Secp256k1(SecretKey),
    Ed25519(Box<SigningKey>),
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPair({})", self.public.account())
    }
}

impl KeyPair {
    /// From a family seed: "sEd..." gives ed25519, "s..." gives secp256k1, as xahaud derives them.
    pub fn from_seed(seed: &str) -> Result<Self, KeyError> {
        if let Some(entropy) = base58::decode::<16>(&ED25519_SEED_PREFIX, seed) {
            return Ok(KeyPair::ed25519(entropy));
        }
        let entropy = base58::decode::<16>(&[TYPE_FAMILY_SEED], seed).ok_or(KeyError::Seed)?;
        KeyPair::secp256k1(entropy).ok_or(KeyError::Seed)
    }

    /// Ed25519 key of 16 bytes of entropy.
    #[must_use]
    pub fn ed25519(entropy: [u8; 16]) -> Self {
        let signing = SigningKey::from_bytes(sha512_half(&[&entropy]).as_bytes());
        let mut bytes = [ED25519_PREFIX; 33];
        bytes[1..].copy_from_slice(signing.verifying_key().as_bytes());
        KeyPair {
            secret: Secret::Ed25519(Box::new(signing)),
            public: PublicKey(bytes),
        }
    }

    /// Text of the family seed for ed25519 entropy ("sEd...").
    #[must_use]
    pub fn ed25519_seed_text(entropy: [u8; 16]) -> String {
        base58::encode(&ED25519_SEED_PREFIX, &entropy)
    }

    fn secp256k1(entropy: [u8; 16]) -> Option<Self> {
        let root = first_scalar(&[&entropy])?;
        let generator = root.public_key().serialize();
        let account_index = 0u32.to_be_bytes();
        let intermediate = first_scalar(&[&generator, &account_index])?;
        let secret = root.add_tweak(&secp256k1::Scalar::from(intermediate)).ok()?;
        let public = PublicKey(secret.public_key().serialize());
        Some(KeyPair {
            secret: Secret::Secp256k1(secret),
            public,
        })
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The 32 secret bytes of an ed25519 key, for another library that signs with it; `None` for secp256k1.
    #[must_use]
    pub fn ed25519_secret(&self) -> Option<[u8; 32]> {
        match &self.secret {
            Secret::Secp256k1(_) => None,
            Secret::Ed25519(signing) => Some(signing.to_bytes()),
        }
    }

    /// The account that this key is master of.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.public.account()
    }

    /// Signature over `message` (hashed first for secp256k1; DER with low S there, 64 bytes for ed25519).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Secp256k1(secret) => secret.sign_ecdsa(digest(message)).serialize_der().to_vec(),
            Secret::Ed25519(signing) => signing.sign(message).to_bytes().to_vec(),
        }
    }
}

fn digest(message: &[u8]) -> Message {
    Message::from_digest(*sha512_half(&[message]).as_bytes())
}

/// First of half(parts, counter) that is a valid scalar.
fn first_scalar(parts: &[&[u8]]) -> Option<SecretKey> {
    (0..DERIVE_TRIES_MAX).find_map(|counter| {
        let counter = counter.to_be_bytes();
        let mut all = parts.to_vec();
        all.push(&counter);
        SecretKey::from_secret_bytes(*sha512_half(&all).as_bytes()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Genesis of xahaud standalone: xahau-facts 2.7; its public key stands in golden case 001.
    #[test]
    fn derives_the_genesis_account() {
        let pair = KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").expect("seed");
        assert_eq!(pair.account().to_string(), "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
        assert_eq!(
            hex::encode_upper(pair.public_key().as_bytes()),
            "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020"
        );
    }

    #[test]
    fn accepts_own_and_rejects_changed_signatures() {
        for pair in [
            KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb").expect("seed"),
            KeyPair::ed25519([7; 16]),
        ] {
            let signature = pair.sign(b"message");
            assert!(pair.public_key().verify(b"message", &signature, LowS::Required));
            assert!(!pair.public_key().verify(b"messagf", &signature, LowS::Required));
            let mut changed = signature.clone();
            *changed.last_mut().expect("byte") ^= 1;
            assert!(!pair.public_key().verify(b"message", &changed, LowS::Required));
            assert!(
                !pair
                    .public_key()
                    .verify(b"message", &signature[1..], LowS::Required)
            );
            assert!(!pair.public_key().verify(b"message", &[], LowS::Any));
        }
    }

    #[test]
    fn seed_text_round_trips() {
        let text = KeyPair::ed25519_seed_text([9; 16]);
        assert!(text.starts_with("sEd"));
        assert_eq!(
            KeyPair::from_seed(&text).expect("seed").public_key(),
            KeyPair::ed25519([9; 16]).public_key()
        );
        assert_eq!(
            KeyPair::from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTB").err(),
            Some(KeyError::Seed)
        );
    }
}
