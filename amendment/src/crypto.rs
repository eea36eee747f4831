//! Proves a signature over header data under a key. The numeric rules of 4.5 stand here, before any library; the library
//! only computes.
//!
//! Spec: 4.5. RFC 6376 3.3.1, RFC 8017 8.2.2, RFC 8463 3.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RsaPublicKeyComponents,
};

use crate::der;
use crate::ed25519;
use crate::key_record::{KeyRecord, KeyType, Subdomains};
use crate::reading::Candidate;
use crate::refusal::Refusal;
use crate::signature::HashAlgorithm;

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

/// Whether a digest of the bytes is the expected one.
pub(crate) fn digest_equals(hash: HashAlgorithm, bytes: &[u8], expected: &[u8]) -> bool {
    let algorithm = match hash {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    };
    digest::digest(algorithm, bytes).as_ref() == expected
}

/// What a proof needs of a signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) algorithm: KeyType,
    pub(crate) hash: HashAlgorithm,
    pub(crate) domain: &'a str,
    /// Domain of `i=`, if there is one.
    pub(crate) identity: Option<&'a str>,
    pub(crate) header_data: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Claim<'a> {
    /// The claim of a candidate whose every part could be read.
    pub(crate) fn of(candidate: &'a Candidate, header_data: &'a [u8]) -> Option<Claim<'a>> {
        Some(Claim {
            algorithm: candidate.scheme?.algorithm,
            hash: candidate.scheme?.hash,
            domain: candidate.key_name.as_ref()?.domain(),
            identity: candidate.identity.as_deref(),
            header_data,
            signature: &candidate.proofs.as_ref()?.signature,
        })
    }
}

/// The signature is that of the key over the header data.
///
/// Spec: 4.5. Signature exactly as long as the modulus and below it; the encoded message is compared byte for byte with
/// EMSA-PKCS1-v1_5, NULL included (the library builds it anew and compares, it does not parse).
pub(crate) fn verify(claim: &Claim<'_>, key: &KeyRecord) -> Result<(), Refusal> {
    if key.subdomains() == Subdomains::Refused
        && claim.identity.is_some_and(|identity| identity != claim.domain)
    {
        return Err(Refusal::IdentityBelowStrictKey);
    }
    let proven = claim.algorithm == key.key_type()
        && match key.key_type() {
            KeyType::Rsa => rsa_verifies(key.public_key(), claim),
            KeyType::Ed25519 => ed25519::public_key(key.public_key())
                .is_ok_and(|key| ed25519::verifies(&key, &sha256(claim.header_data), claim.signature)),
        };
    if proven { Ok(()) } else { Err(Refusal::Signature) }
}

fn rsa_verifies(public_key: &[u8], claim: &Claim<'_>) -> bool {
    let Ok(key) = der::rsa_key(public_key) else {
        return false;
    };
    // Big-endian numbers of one length compare like their bytes.
    let signature = claim.signature;
    let in_range = signature.len() == key.modulus.len() && signature < key.modulus;
    let library_key = RsaPublicKeyComponents {
        n: key.modulus,
        e: key.exponent,
    };
    let parameters = match claim.hash {
        HashAlgorithm::Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        HashAlgorithm::Sha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    };
    in_range
        && library_key
            .verify(parameters, claim.header_data, signature)
            .is_ok()
}
