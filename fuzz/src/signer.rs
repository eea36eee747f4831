//! Signs mails with a key of its own (RFC 6376, RFC 8463), canonicalization simple/simple, so that the signed bytes are
//! those written.

use std::sync::LazyLock;

use amendment::{KeySource, TxtRecords};
use ed25519_dalek::{Signer as _, SigningKey};

use crate::mail::{NoKeys, check_agreement, explained};
use amendment::Derived;
use explain::Qualifies;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

/// The key record of the signer, `s._domainkey.example.com`.
pub static KEYS: LazyLock<TxtRecords> = LazyLock::new(|| {
    let mut keys = TxtRecords::new();
    let record = format!("v=DKIM1; k=ed25519; p={}", base64(KEY.verifying_key().as_bytes()));
    keys.insert("s._domainkey.example.com", record.as_bytes());
    keys
});

/// The signer's public key.
pub fn public_key() -> [u8; 32] {
    KEY.verifying_key().to_bytes()
}

/// A mail before its signature.
pub struct Draft {
    /// Header fields, each with its CRLF, each named in `h=` once and in this order.
    pub fields: Vec<Vec<u8>>,
    /// `h=`.
    pub names: &'static str,
    /// Lines, the last of which is not empty.
    pub body: Vec<u8>,
}

impl Draft {
    fn field(&self, signature: &str) -> String {
        let body_hash = base64(codec::hash::sha256(&[&self.body]).as_ref());
        format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d=example.com; s=s; h={}; bh={body_hash}; b={signature}",
            self.names
        )
    }

    fn with(&self, signature: &str) -> Vec<u8> {
        let field = self.field(signature);
        [
            field.as_bytes(),
            b"\r\n",
            &self.fields.concat(),
            b"\r\n",
            &self.body,
        ]
        .concat()
    }

    /// The mail, with a signature of the right form that proves nothing.
    pub fn unsigned(&self) -> Vec<u8> {
        self.with(&base64(&[1; 64]))
    }

    /// The mail, signed.
    pub fn signed(&self) -> Vec<u8> {
        let covered = [&self.fields.concat(), self.field("").as_bytes()].concat();
        let signature = KEY.sign(codec::hash::sha256(&[&covered]).as_ref());
        self.with(&base64(&signature.to_bytes()))
    }

    /// The properties of a mail; and where nothing but the key is missing, the signature makes it a transaction.
    pub fn check(&self) -> Option<Derived> {
        let unsigned = self.unsigned();
        let (explanation, _) = check_agreement(&unsigned, &NoKeys);
        if explanation.qualifies != Qualifies::Unknown {
            return None;
        }
        assert!(!is_taken(&unsigned, &*KEYS));
        let (_, derived) = check_agreement(&self.signed(), &*KEYS);
        let derived = derived.expect("signed, and nothing else was missing");
        assert_eq!(explanation.email_id, Some(derived.email_id));
        Some(derived)
    }
}

fn is_taken(raw: &[u8], keys: &impl KeySource) -> bool {
    explained(raw, crate::mail::NETWORK, keys).qualifies == Qualifies::Yes
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

/// RFC 4648 section 4.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let byte = |at: usize| u32::from(piece.get(at).copied().unwrap_or_default());
        let number = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at) & 63) as usize];
            text.push(if at as usize > piece.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    text
}
