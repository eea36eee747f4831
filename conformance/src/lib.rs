//! Conformance: what a second implementation of the rules (docs/spec.md) is held to.
//!
//! [`Pack`] is the vectors: questions with the answers that the rules give. [`check()`] asks another program all of
//! them, one JSON object a line. [`answer()`] is this program's own answers, so that the pack is tested itself.
//!
//! The answers come from outside this code (see [`kinds`]): nothing is computed when a pack is made.

mod answer;
mod check;
mod fixtures;
pub mod kinds;
pub mod limits;
mod mails;
mod pack;
mod vector;

pub use answer::{AnswerError, answer};
pub use check::{Difference, Fault, Question, Reply, Report, check, reply};
pub use fixtures::FixtureError;
pub use mails::LEFT_OUT;
pub use pack::{FORMAT, Pack, PackError};
pub use vector::Vector;
