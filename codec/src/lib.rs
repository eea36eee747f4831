//! Xahau's binary format: fields, types, reader, writer, JSON forms, hashes, keys.
//!
//! The lowest crate of the workspace: it knows bytes and their names, and nothing of ledgers, mail, time or
//! networks. Facts come from xahaud (public dev branch, commit 08f13b7cf, 2024-10-25); what this project adds
//! (fields, types and result codes of email wallets) is marked `Spec: 1`.

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

mod amount;
pub mod base58;
pub mod field;
pub mod flags;
pub mod format;
pub mod hash;
mod hex_text;
pub mod json;
pub mod keylet;
pub mod keys;
pub mod limits;
mod named_codes;
mod object;
mod paths;
mod reader;
mod rows;
pub mod sf;
pub mod ter;
pub mod tx;
mod types;
mod writer;

pub use amount::{Amount, AmountError, IssuedAmount};
pub use field::{Field, FieldType};
pub use hash::Hash256;
pub use hex_text::hex_upper;
pub use object::{Object, Value};
pub use reader::{DecodeError, DecodeReason, decode, decode_known, decode_vl};
pub use ter::{Ter, TerClass};
pub use types::{AccountId, AddressError, CloseTime, Currency, Drops, LedgerIndex};
pub use writer::{encode, encode_signing, encode_vl};
