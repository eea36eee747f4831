//! Names of mailboxes as IMAP4rev1 carries them: modified UTF-7, RFC 3501 section 5.1.3. UTF-8 is allowed only
//! after ENABLE (RFC 6855), which is not used here. Pure.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

/// base64 with a comma for the slash, and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A name as people write it, encoded.
pub(super) fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if first == '&' {
            encoded.push_str("&-");
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let is_plain = |c: char| (' '..='~').contains(&c);
        let end = match is_plain(first) {
            true => rest.find(|c| !is_plain(c) || c == '&'),
            false => rest.find(is_plain),
        };
        let (run, after) = rest
            .split_at_checked(end.unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        if is_plain(first) {
            encoded.push_str(run);
        } else {
            let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            encoded.push('&');
            encoded.push_str(&BASE64.encode(utf16));
            encoded.push('-');
        }
        rest = after;
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    // The first is the example of RFC 3501 section 5.1.3; the others are made with Python 3 (utf-16-be, base64)
    // by that section.
    #[test]
    fn accepts_every_text() {
        for (name, encoded) in [
            (
                "~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}",
                "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
            ),
            ("\u{dc}berweisungen", "&ANw-berweisungen"),
            ("Pay & Go", "Pay &- Go"),
            ("&\u{e4}&", "&-&AOQ-&-"),
            ("a\u{1f4b6}b\tc", "a&2D3ctg-b&AAk-c"),
            ("INBOX/a+b", "INBOX/a+b"),
            ("", ""),
        ] {
            assert_eq!(encode(name), encoded, "{name}");
        }
    }
}
