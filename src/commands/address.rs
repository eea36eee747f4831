//! `address`: from email addresses to accounts. Spec: 2

use super::{Failure, Outcome};
use crate::output::Format;
use amendment::address::{Address, AddressError, Recipient, recipient_of, sender_of};
use serde_json::{Value, json};

/// Canonical form, AccountID and r-address of each email; exit 1 where one of them is refused.
pub(crate) fn run(emails: &[String], format: Format) -> Result<Outcome, Failure> {
    let rows: Vec<(&String, Result<Recipient, AddressError>)> =
        emails.iter().map(|email| (email, read(email))).collect();
    let refused = rows.iter().any(|(_, row)| row.is_err());
    if format.is_json() {
        let rows: Vec<Value> = rows.iter().map(|(email, row)| row_json(email, row)).collect();
        out!("{}", json!({ "addresses": rows }));
    } else {
        rows.iter().for_each(|(email, row)| print_row(email, row));
    }
    Ok(if refused { Outcome::No } else { Outcome::Yes })
}

fn read(email: &str) -> Result<Recipient, AddressError> {
    recipient_of(&Address::parse(email.as_bytes())?)
}

/// Why this address can receive but not send, if so.
fn only_receives(email: &str) -> Option<AddressError> {
    Address::parse(email.as_bytes())
        .and_then(|address| sender_of(&address))
        .err()
}

fn row_json(email: &str, row: &Result<Recipient, AddressError>) -> Value {
    match row {
        Ok(recipient) => json!({
            "address": email,
            "canonical": recipient.address().map(|address| address.as_str()),
            "account_id": hex::encode_upper(recipient.account().as_bytes()),
            "r_address": recipient.account().to_string(),
            "destination_tag": recipient.tag(),
            "can_send": only_receives(email).is_none(),
        }),
        Err(error) => json!({ "address": email, "error": error.to_string(), "rule": error.rule().as_str() }),
    }
}

fn print_row(email: &str, row: &Result<Recipient, AddressError>) {
    let recipient = match row {
        Ok(recipient) => recipient,
        Err(error) => {
            eprintln!(
                "{email}: refused by rule {}: {error}. Write it as local@domain, in plain ASCII.",
                error.rule()
            );
            return;
        }
    };
    out!("{email}");
    match recipient.address() {
        Some(address) => out!("  canonical  {address}"),
        None => out!("  canonical  none: the part before the @ is a ledger address, whatever the domain"),
    }
    out!(
        "  AccountID  {}",
        hex::encode_upper(recipient.account().as_bytes())
    );
    out!("  r-address  {}", recipient.account());
    if let Some(tag) = recipient.tag() {
        out!("  tag        {tag}");
    }
    if let (Some(error), Some(_)) = (only_receives(email), recipient.address()) {
        out!("  note       receives, but cannot send: {error}");
    }
}
