//! `address`: from email addresses to accounts. Spec: 2

use super::{Failure, Outcome};
use crate::output::Format;
use amendment::address::{Address, AddressError, Recipient, recipient_of};
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

/// How to write an address that is refused.
fn advice(error: AddressError) -> &'static str {
    match error {
        AddressError::AccountLike | AddressError::ClassicChecksum => {
            "Copy the account from your wallet. (A mailbox with such a name can send, and is paid by its account.)"
        }
        AddressError::ClassicSuffix => "Behind the account stands + and the number of its tag.",
        AddressError::PlusNoTag => "Leave out the + and what follows, if it is a tag of the same mailbox.",
        // The same for every other flaw.
        _ => "Write it as local@domain, in plain ASCII.",
    }
}

fn row_json(email: &str, row: &Result<Recipient, AddressError>) -> Value {
    match row {
        Ok(recipient) => json!({
            "address": email,
            "canonical": recipient.address().map(|address| address.as_str()),
            "account_id": hex::encode_upper(recipient.account().as_bytes()),
            "r_address": recipient.account().to_string(),
            "destination_tag": recipient.tag(),
            "can_send": recipient.address().is_some(),
        }),
        Err(error) => json!({ "address": email, "error": error.to_string(), "rule": error.rule().as_str() }),
    }
}

fn print_row(email: &str, row: &Result<Recipient, AddressError>) {
    let recipient = match row {
        Ok(recipient) => recipient,
        Err(error) => {
            eprintln!(
                "{email}: refused by rule {}: {error}. {}",
                error.rule(),
                advice(*error)
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
}
