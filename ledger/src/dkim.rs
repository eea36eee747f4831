//! DKIM keys on the ledger: network parameters, attestations of validators, and the pseudo-transaction made of them.
//!
//! Spec section 7. Does not know DNS.
