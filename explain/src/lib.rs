//! Every check of a mail with its verdict, the place in the mail where it failed, and what the author of the mail can do
//! about it, told for his provider and mail program. RPC, command line, relay and page all show this one list.
//!
//! Runs the verifier of `amendment` and words its verdicts; decides nothing itself. Pure, as `amendment` is.

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

mod advice;
mod evidence;
mod explanation;
mod fix;
mod limits;
mod origin;
mod place;
mod record;
mod repair;

pub use explanation::{Check, CheckVerdict, ExplainEnv, Explanation, Party, Qualifies, explain};
pub use fix::fix;
pub use origin::{Client, Origin, Provider};
pub use place::Place;
