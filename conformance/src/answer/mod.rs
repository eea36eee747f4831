//! This program's own answers, through the functions that its ledger and its nodes call.

mod input;
mod mails;

use serde_json::Value;

pub use input::AnswerError;
use input::Input;

/// Answers a question of a kind.
pub fn answer(kind: &str, input: &Value) -> Result<Value, AnswerError> {
    let input = Input(input);
    match kind {
        "address" => mails::address(input),
        "verdict" => mails::verdict(input),
        "normal_form" => mails::normal_form(input),
        _ => Err(AnswerError::UnknownKind(kind.to_owned())),
    }
}
