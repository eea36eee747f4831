//! What validators sign about keys and domains, and what the ledger makes of it: the transactions that they make of
//! their words, and those of whoever shows that a key is leaked. Pure functions from entries to writes.

pub(crate) mod attestation;
pub(crate) mod entry;
pub(crate) mod key_leak;
pub(crate) mod key_set;
pub(crate) mod statement;
pub(crate) mod votes;
