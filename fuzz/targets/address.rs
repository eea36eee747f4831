//! Addresses as persons type them, in From and behind TO.

#![no_main]

use amendment::address::{
    AddressError, CanonicalAddress, Recipient, account_of, parse_recipient, parse_sender,
};
use fuzz::signer::{check, draft};
use libfuzzer_sys::fuzz_target;

/// A canonical address stands for itself, but where it can be read as an account: without the dots of Gmail, or in
/// lower case (2.4).
fn check_again<T: PartialEq + std::fmt::Debug>(
    address: &CanonicalAddress,
    again: Result<T, AddressError>,
    first: T,
) {
    let text = address.as_str();
    match again {
        Err(AddressError::ClassicChecksum) => assert!(text.starts_with('r'), "{text}"),
        Err(AddressError::AccountLike) => assert!(text.starts_with(['r', 'x', 't']), "{text}"),
        again => assert_eq!(again, Ok(first)),
    }
}

fn check_typed(text: &str) {
    if let Ok(sender) = parse_sender(text) {
        let address = sender.as_str();
        assert!(address.is_ascii() && address.matches('@').count() == 1);
        assert!(!address.bytes().any(|byte| byte.is_ascii_uppercase()));
        assert_eq!(account_of(&sender), sender.account());
        assert_eq!(sender.to_recipient().account(), sender.account());
        check_again(&sender, parse_sender(address), sender.clone());
    }
    match parse_recipient(text) {
        Ok(Recipient::Mailbox { address, account }) => {
            let again = parse_recipient(address.as_str());
            check_again(&address.clone(), again, Recipient::Mailbox { address, account });
        }
        Ok(recipient @ Recipient::Chain { .. }) => {
            let tag = recipient.tag().map(|tag| format!("+{tag}")).unwrap_or_default();
            let text = format!("{}{tag}", recipient.account());
            assert_eq!(parse_recipient(&text), Ok(recipient));
        }
        Err(_) => {}
    }
}

fn check_mail(from: &[u8], to: &[u8]) {
    let fields: [&[u8]; 4] = [
        b"From: ",
        from,
        b"\r\n",
        b"Date: Mon, 16 Nov 2026 10:00:00 +0000\r\n",
    ];
    let body = [b"REMIT 10 XAH TO <", to, b">\r\n"].concat();
    if let Some(derived) = check(&draft("From:Date", &fields, body)) {
        check_again(
            &derived.from,
            parse_sender(derived.from.as_str()),
            derived.from.clone(),
        );
    }
}

/// Whether it stays within its header field: each line end is followed by white space.
fn is_one_value(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').skip(1);
    lines.all(|line| line.starts_with(b" ") || line.starts_with(b"\t"))
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_typed(text);
    }
    if is_one_value(bytes) {
        check_mail(bytes, b"bob@example.com");
    }
    check_mail(b"alice@example.com", bytes);
});
