//! This program's own answers, through the functions that its ledger and its nodes call.

mod accounts;
mod input;
mod keys;
mod mails;
mod transactions;
mod view;

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
        "transaction" => transactions::transaction(input),
        "email" => transactions::email(input),
        "fee" => accounts::fee(input),
        "disable_email" => accounts::disable_email(input),
        "dkim_record" => keys::dkim_record(input),
        "attestation" => keys::attestation(input),
        "key_set" => keys::key_set(input),
        "key_leak" => keys::key_leak(input),
        "key_state" => keys::key_state(input),
        "keylet" => keys::keylet(input),
        "result_code" => accounts::result_code(input),
        _ => Err(AnswerError::UnknownKind(kind.to_owned())),
    }
}
