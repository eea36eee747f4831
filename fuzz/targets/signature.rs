//! The value of a DKIM-Signature, in a mail that is otherwise right.

#![no_main]

use fuzz::mail::{NoKeys, check_agreement, check_normal_form, with_body_hash};
use libfuzzer_sys::fuzz_target;

const REST: &[u8] = b"\r\nFrom: Alice <alice@example.com>\r\nTo: bob@example.com\r\nSubject: a payment\r\n\
    Date: Mon, 16 Nov 2026 10:00:00 +0000\r\nContent-Type: text/plain\r\n\r\nREMIT 10 XAH TO <bob@example.com>\r\n";

fuzz_target!(|value: &[u8]| {
    let raw = [b"DKIM-Signature:", value, REST].concat();
    check_agreement(&raw, &NoKeys);
    check_normal_form(&raw);
    if let Some(raw) = with_body_hash(&raw) {
        check_agreement(&raw, &NoKeys);
    }
});
