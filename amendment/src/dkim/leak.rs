//! Evidence that the secret half of a DKIM key is known: a signature that no mail can have made.
//!
//! Spec: 7.9.

use codec::hash::PREFIX_DKIM_LEAK;

use crate::dkim::key_record::KeyRecord;
use crate::dkim::signature::HashAlgorithm;
use crate::dkim::verify::{self, Claim};

/// The bytes that the leaked key signs: `DKL\0`, NetworkID, hash of the key.
///
/// Spec: 7.9. What a DKIM signature covers begins with the name of a header field, which holds no NUL.
#[must_use]
pub fn leak_message(network_id: u32, key: &KeyRecord) -> Vec<u8> {
    let mut message = PREFIX_DKIM_LEAK.to_vec();
    message.extend_from_slice(&network_id.to_be_bytes());
    message.extend_from_slice(key.hash().as_bytes());
    message
}

/// Whether the signature is the key's over [`leak_message`], in the way of its `k=`.
///
/// Spec: 7.9, 4.5.
#[must_use]
pub fn proves_leak(network_id: u32, key: &KeyRecord, signature: &[u8]) -> bool {
    let claim = Claim {
        algorithm: key.key_type(),
        hash: HashAlgorithm::Sha256,
        domain: "",
        identity: None,
        header_data: &leak_message(network_id, key),
        signature,
    };
    verify::verify(&claim, key).is_ok()
}
