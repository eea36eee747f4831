//! Addresses and mails.

use amendment::address::{Address, CanonicalAddress, recipient_of, sender_of};
use amendment::{Derived, Order, ProvenMail, Refusal, derive};
use codec::{AccountId, Amount};
use serde_json::{Value, json};

use super::input::{AnswerError, Input};

pub(super) fn address(input: Input<'_>) -> Result<Value, AnswerError> {
    let address = input.text("address")?;
    let shown = |canonical: Option<&CanonicalAddress>, account: AccountId, tag: Option<u32>| {
        json!({
            "canonical": canonical.map(CanonicalAddress::as_str),
            "account": account.to_string(),
            "account_id": codec::hex_upper(account.as_bytes()),
            "tag": tag,
        })
    };
    let read = Address::parse(address.as_bytes());
    let found = match input.text("as")? {
        "sender" => read
            .and_then(|address| sender_of(&address))
            .map(|sender| shown(Some(&sender), sender.account(), None)),
        "recipient" => read
            .and_then(|address| recipient_of(&address))
            .map(|to| shown(to.address(), to.account(), to.tag())),
        _ => return Err(AnswerError::Member("as")),
    };
    Ok(found.unwrap_or_else(|error| json!({"rule": error.rule().as_str()})))
}

pub(super) fn derived(input: Input<'_>) -> Result<Result<ProvenMail, Refusal>, AnswerError> {
    let (mail, keys) = (input.bytes("mail")?, input.keys()?);
    Ok(derive(&mail, input.u32("network_id")?, input.time("now")?, &keys))
}

pub(super) fn normal_form(input: Input<'_>) -> Result<Value, AnswerError> {
    let mail = derived(input)?.map_err(|refusal| AnswerError::None(refusal.to_string()))?;
    Ok(json!({"normal_form": codec::hex_upper(&mail.memo)}))
}

pub(super) fn verdict(input: Input<'_>) -> Result<Value, AnswerError> {
    Ok(match derived(input)? {
        Ok(mail) => yes(&mail),
        Err(refusal) => {
            let verdict = if refusal == Refusal::KeyUnknown {
                "unknown"
            } else {
                "no"
            };
            json!({"verdict": verdict, "rule": refusal.rule().as_str()})
        }
    })
}

fn yes(mail: &Derived) -> Value {
    let to = mail.to().map(|to| {
        json!({
            "address": to.address().map(|address| address.as_str()),
            "account": to.account().to_string(),
            "tag": to.tag(),
        })
    });
    let (amount, regular_key) = match &mail.order {
        Order::Remit { amount, .. } => (written(amount), Value::Null),
        Order::Rekey { key, .. } => (Value::Null, json!(key.to_string())),
    };
    json!({
        "verdict": "yes",
        "from": {"address": mail.from.as_str(), "account": mail.account.to_string()},
        "to": to,
        "amount": amount,
        "regular_key": regular_key,
        "instruction": mail.instruction,
        "date": mail.signed_date.seconds(),
        "email_id": mail.email_id.to_string(),
        "normal_form_sha256": codec::hex_upper(&codec::hash::sha256(&[&mail.memo])),
    })
}

/// Drops as text, or an issued amount with its value in plain digits, no zeros at either end.
fn written(amount: &Amount) -> Value {
    match amount {
        Amount::Native(drops) => json!(drops.to_string()),
        Amount::Issued(issued) => json!({
            "currency": issued.currency().to_string(),
            "issuer": issued.issuer().to_string(),
            "value": plain(issued.mantissa(), issued.exponent()),
        }),
    }
}

/// A positive number without an exponent.
fn plain(mantissa: i64, exponent: i32) -> String {
    let all = mantissa.to_string();
    let digits = all.trim_end_matches('0');
    let zeros = all.len().saturating_sub(digits.len());
    let exponent = i64::from(exponent).saturating_add(i64::try_from(zeros).unwrap_or_default());
    let places = usize::try_from(exponent.unsigned_abs()).unwrap_or_default();
    if exponent >= 0 {
        return digits.to_owned() + &"0".repeat(places);
    }
    // A digit before the point at least.
    let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
    let (whole, part) = padded.split_at(padded.len().saturating_sub(places));
    format!("{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn amounts_are_written_in_plain_digits() {
        assert_eq!(plain(1_000_000_000_000_000, -15), "1");
        assert_eq!(plain(1_234_500_000_000_000, -13), "123.45");
        assert_eq!(plain(1_234_500_000_000_000, -20), "0.000012345");
        assert_eq!(plain(1_000_000_000_000_000, -10), "100000");
    }
}
