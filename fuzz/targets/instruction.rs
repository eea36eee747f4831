//! The content of a signed mail: instruction lines, and the MIME parts around them where it begins with
//! Content-Type, Content-Transfer-Encoding or both.

#![no_main]

use amendment::Order;
use fuzz::mail::{NETWORK, NoKeys, explained};
use fuzz::signer::{check, draft, lines, unsigned};
use libfuzzer_sys::fuzz_target;
use testkit::sign::Draft;

const NAMES: &str = "From:To:Date:Content-Type:Content-Transfer-Encoding";

fn mail(content: &[u8], text: &[u8]) -> Draft<'static> {
    let fields: [&[u8]; 4] = [
        b"From: Alice <alice@example.com>\r\n",
        b"To: bob@example.com\r\n",
        b"Date: Mon, 16 Nov 2026 10:00:00 +0000\r\n",
        content,
    ];
    draft(NAMES, &fields, lines(text))
}

/// The instruction alone, in the form that the verifier gives it, orders the same; and on no other network.
fn check_alone(instruction: &str, order: &Order) {
    let alone = unsigned(&mail(b"", instruction.as_bytes()));
    assert_eq!(explained(&alone, NETWORK, &NoKeys).order.as_ref(), Some(order));
    assert!(explained(&alone, NETWORK + 1, &NoKeys).transaction().is_none());
}

/// Fields that `h=` names, in its order, and what stands behind them.
fn split(whole: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = whole;
    for name in [&b"content-type:"[..], b"content-transfer-encoding:"] {
        if rest.len() > name.len() && rest[..name.len()].eq_ignore_ascii_case(name) {
            rest = &rest[field_length(rest)..];
        }
    }
    let text = rest.strip_prefix(b"\r\n")?;
    Some((&whole[..whole.len() - rest.len()], text))
}

/// Up to the first line end that no white space follows.
fn field_length(bytes: &[u8]) -> usize {
    let ends = bytes
        .windows(3)
        .position(|piece| piece.starts_with(b"\r\n") && !matches!(piece[2], b' ' | b'\t'));
    ends.map_or(bytes.len(), |at| at + 2)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = lines(bytes);
    let (content, text) = split(&whole).unwrap_or((b"", &whole));
    if let Some(derived) = check(&mail(content, text)) {
        check_alone(&derived.instruction, &derived.order);
    }
});
