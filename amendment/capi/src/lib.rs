//! The rules of email wallets for a program in C or C++: bytes and numbers in, a code and bytes out.
//!
//! Computes nothing itself: each function hands what came to `amendment`, `explain` or `codec`, and hands back what
//! they say. README.md says what holds for all functions; include/xahau_email.h is written from what stands here
//! (tests/header.rs), so the comments of functions and types are for readers of C.
//!
//! The only crate with unsafe code. All that reads or writes memory of the caller is in `memory`; what each caller
//! has to hold is said once, in README.md, "What the caller holds", and named so in the SAFETY comments.

#![allow(unsafe_code)]
#![deny(
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::panic,
    clippy::string_slice,
    clippy::float_arithmetic
)]
// One contract for all functions of the border: README.md, "What the caller holds".
#![allow(clippy::missing_safety_doc)]

mod account;
mod code;
mod entries;
mod handles;
mod indexes;
mod keys;
mod limits;
mod mail;
mod memory;
mod names;
mod transaction;
mod version;
mod votes;

pub use account::*;
pub use code::*;
pub use entries::XeLedger;
pub use handles::*;
pub use indexes::*;
pub use keys::*;
pub use limits::{XE_INPUT_BYTES_MAX, XE_NAME_BYTES};
pub use mail::*;
pub use memory::XeSlice;
pub use names::*;
pub use transaction::*;
pub use version::*;
pub use votes::*;
