//! What stands around a node and a relay, for tests, benches, fuzz targets and the demo. It uses no crate of
//! the workspace, so any of them can use it in its tests.
//!
//! - [`sign`]: a signer with fixed or fresh keys that signs the bytes it is given, without a canonicalization
//!   between.
//! - `provider`: a mail domain that signs as real providers do; mail-auth makes its signatures.
//! - `mail`: mails of the shapes that real programs write.
//! - `dns`: a DNS responder.
//! - `smtp`: a client, and a mailbox that keeps what it gets.
//!
//! All but `sign` need the feature `services`.

pub mod sign;

#[cfg(feature = "services")]
pub mod dns;
#[cfg(feature = "services")]
pub mod mail;
#[cfg(feature = "services")]
pub mod provider;
#[cfg(feature = "services")]
pub mod smtp;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Base64 with padding, RFC 4648 section 4.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
