//! Every check of a mail with its verdict, the place in the mail where it failed, and what the author of the
//! mail can do about it, for the provider and the mail program. RPC, command line, relay and page all show
//! this one list.
//!
//! Runs the verifier of `amendment` and puts its verdicts into words; decides nothing itself. Pure, as
//! `amendment` is.
//!
//! ```
//! use amendment::{Rule, TxtRecords};
//! use codec::CloseTime;
//! use explain::{CheckVerdict, ExplainEnv, Qualifies, explain};
//!
//! let mail = std::fs::read("../fixtures/vectors/mail/c002.eml")?;
//! let keys = TxtRecords::new();
//! let explanation = explain(
//!     &mail,
//!     &ExplainEnv { network_id: 21_337, now: CloseTime::new(848_145_600), keys: &keys },
//! );
//!
//! // Everything but the key is right, so the mail is not refused: its key may still be found.
//! assert_eq!(explanation.qualifies, Qualifies::Unknown);
//! assert_eq!(explanation.rule, Some(Rule::R7_3));
//! assert_eq!(explanation.instruction.as_deref(), Some("REMIT 10 XAH"));
//! assert!(explanation.fix().is_some_and(|fix| fix.starts_with("Wait: ")));
//! let body = explanation.checks.iter().find(|check| check.rule == Rule::R3_3);
//! assert_eq!(body.map(|check| check.verdict), Some(CheckVerdict::Pass));
//! # Ok::<(), std::io::Error>(())
//! ```

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

mod account;
mod advice;
mod evidence;
mod explanation;
mod fix;
mod json;
mod limits;
mod origin;
mod place;
mod record;
mod standing;
mod text_advice;
mod words;
mod wrong_line;

pub use explanation::{Check, CheckVerdict, ExplainEnv, Explanation, Party, Qualifies, explain};
pub use fix::fix;
pub use json::{CheckMembers, explanation_json, explanation_members};
pub use limits::PLAIN_DIGITS_MAX;
pub use origin::{Client, Origin, Provider};
pub use place::Place;
