//! The rules of email wallets (docs/spec.md 2 to 11) as pure functions.
//!
//! Two ways lead in. A ledger takes a transaction through the phases `preflight`, `screen`, `authenticate`, `preclaim`,
//! each of which consumes what only the one before makes. Whoever holds a mail calls `derive` (mail to transaction) or
//! `examine` (every check, for crate `explain`). Both run one verifier.
//!
//! Knows no clock, socket, file, environment, thread or random number: time comes in as `CloseTime`, keys through
//! `ReadView` or `KeySource`. Never panics on any input; every cost is linear in the input.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::string_slice,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::panic,
        clippy::string_slice
    )
)]

pub mod address;
pub mod base64;
pub mod canon;
mod crypto;
mod date;
mod der;
mod derive;
mod ed25519;
pub mod instruction;
pub mod key_record;
pub mod keys;
pub mod limits;
pub mod message;
pub mod mime;
mod phases;
pub mod reading;
pub mod record;
mod refusal;
mod replay;
mod selection;
pub mod signature;
pub mod tags;
pub mod text;
mod transaction;

pub use date::DateError;
pub use der::RsaKeyError;
pub use derive::{
    CandidateKey, Derived, Examined, candidates, derive, examine, key_names, normal_form, wrap,
};
pub use ed25519::Ed25519KeyError;
pub use instruction::{InstructionError, MoneyError, NetworkError};
pub use keys::{KeyAnswer, KeyCache, KeySource, LedgerKeys, TxtRecords};
pub use mime::MimeError;
pub use phases::{
    AMENDMENT_EMAIL, Amendment, AuthError, Parsed, PreclaimError, PreflightError, Proven, ReadView, Ready,
    Rules, ScreenError, Screened, authenticate, is_email_transaction, next_replay_entry, preclaim, preflight,
    screen,
};
pub use reading::Order;
pub use refusal::Refusal;
pub use replay::{
    Effect, ReplayMark, is_entered, last_rekey, live_entries, may_disable_email, required_fee, submit_fee,
};
pub use signature::{KeyName, WindowError};
pub use tags::TagListError;
pub use text::lf_to_crlf_if_no_cr;
pub use transaction::EmailId;
