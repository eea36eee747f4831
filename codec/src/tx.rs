//! Identity and signing bytes of a transaction.

use crate::hash::{Hash256, PREFIX_TX_ID, PREFIX_TX_SIGN, sha512_half};
use crate::object::Object;

use crate::writer::{encode, encode_signing};

/// Transaction id: half(`TXN\0`, whole canonical serialization, signatures included).
#[must_use]
pub fn id(tx: &Object) -> Hash256 {
    id_of_blob(&encode(tx))
}

/// Transaction id of bytes that are already canonical.
#[must_use]
pub fn id_of_blob(blob: &[u8]) -> Hash256 {
    sha512_half(&[&PREFIX_TX_ID, blob])
}

/// What a single signer signs: `STX\0` and all fields but the signatures.
#[must_use]
pub fn signing_bytes(tx: &Object) -> Vec<u8> {
    let mut bytes = PREFIX_TX_SIGN.to_vec();
    bytes.extend_from_slice(&encode_signing(tx));
    bytes
}
