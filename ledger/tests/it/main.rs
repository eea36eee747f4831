//! What the ledger shows from outside, in one test binary.

#![allow(missing_docs, reason = "tests")]

mod amendments;
mod close;
mod common;
mod dkim;
mod email;
mod failures;
mod freeze;
mod golden;
mod histories;
mod leak;
mod lines;
mod mails;
mod random;
mod rekey;
mod theft;
mod transactors;
mod verdict;
mod votes;
mod xls;
