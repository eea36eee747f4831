//! What the ledger shows from outside, in one test binary.

#![allow(missing_docs, reason = "tests")]

mod close;
mod common;
mod golden;
mod transactors;
