//! The DKIM key watcher: which names are looked up, and what their answers come to.
//!
//! Spec: 7.2 to 7.5. Nothing here decides about a key: an answer becomes an attestation of this validator, and the
//! ledger counts attestations.

pub mod dns;
pub mod keys_file;

pub use chain::names::{dkim_name, dns_name};
pub use dns::{KeyAnswer, KeyResolver, NoResolver};
pub use ledger::dkim::DkimName;
