//! DKIM (RFC 6376), narrowed by section 4 of the rules: what a signature says and covers, keys, and the
//! proof.

pub mod canon;
pub(crate) mod der;
pub(crate) mod ed25519;
pub(crate) mod freeze;
pub(crate) mod key_cache;
pub mod key_record;
pub mod key_source;
pub(crate) mod leak;
pub(crate) mod selection;
pub mod signature;
pub mod tags;
pub(crate) mod verify;
pub(crate) mod window;
