//! Mails under the targets' own key, canonicalization simple/simple, so that the signed bytes are those
//! written.

use std::sync::LazyLock;

use amendment::{KeySource, ProvenMail, TxtRecords};
use explain::Qualifies;
use testkit::sign::{DkimKey, Draft, Form};

use crate::mail::{NETWORK, NoKeys, check_agreement, explained};

/// The key of all mails, `s._domainkey.example.com`.
pub static KEY: LazyLock<DkimKey> = LazyLock::new(|| DkimKey::ed25519(&[7; 32]));

/// Its record.
pub static KEYS: LazyLock<TxtRecords> = LazyLock::new(|| {
    let mut keys = TxtRecords::new();
    keys.insert("s._domainkey.example.com", KEY.record().as_bytes());
    keys
});

/// A mail before its signature: `names` is `h=`, each of `fields` has its CRLF, the last line of `body` is
/// not empty.
pub fn draft(names: &'static str, fields: &[&[u8]], body: Vec<u8>) -> Draft<'static> {
    Draft {
        form: Form::Simple,
        domain: "example.com",
        selector: "s",
        names,
        fields: fields.concat(),
        body,
    }
}

/// The mail with a signature of the right form that proves nothing.
pub fn unsigned(draft: &Draft<'_>) -> Vec<u8> {
    draft.with_signature(&KEY, &[1; 64])
}

/// The properties of a mail; and where nothing but the key is missing, the signature makes it a transaction.
pub fn check(draft: &Draft<'_>) -> Option<ProvenMail> {
    let unsigned = unsigned(draft);
    let (explanation, _) = check_agreement(&unsigned, &NoKeys);
    if explanation.qualifies != Qualifies::Unknown {
        return None;
    }
    assert!(!is_taken(&unsigned, &*KEYS));
    let (_, derived) = check_agreement(&draft.signed(&KEY), &*KEYS);
    let derived = derived.expect("signed, and nothing else was missing");
    assert_eq!(explanation.email_id, Some(derived.email_id));
    Some(derived)
}

fn is_taken(raw: &[u8], keys: &impl KeySource) -> bool {
    explained(raw, NETWORK, keys).qualifies == Qualifies::Yes
}

/// Lines that end in CRLF, the last of them not empty, whatever line ends came in.
pub fn lines(text: &[u8]) -> Vec<u8> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        lines.extend(line.iter().filter(|byte| **byte != b'\r'));
        lines.extend_from_slice(b"\r\n");
    }
    while lines.ends_with(b"\r\n\r\n") {
        lines.truncate(lines.len() - 2);
    }
    lines
}
