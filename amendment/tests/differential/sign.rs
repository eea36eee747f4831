//! Signs a mail as RFC 6376 sections 3.4 and 3.7 say, with test keys. Its canonical forms are a third
//! writing, beside the verifier's and the peers', and so it is not testkit's signer, which leaves them to its
//! caller.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mail::{Mail, is_named, name_of, names_in, tag, value_of};

/// Key `main` of tests/oracle/case_keys.json as PKCS#1, and its record.
const RSA_KEY: &[u8] = include_bytes!("../data/rsa_test_key.der");
const RSA_RECORD: &str = include_str!("../data/rsa_test_key.txt");
/// RFC 8463 A.1: the secret key of its example.
const ED25519_KEY: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
    0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

/// An algorithm of RFC 8301 and RFC 8463.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// rsa-sha256
    Rsa,
    /// ed25519-sha256
    Ed25519,
}

/// A canonicalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canon {
    /// RFC 6376 3.4.1, 3.4.3.
    Simple,
    /// RFC 6376 3.4.2, 3.4.4.
    Relaxed,
}

/// The test keys.
pub(crate) struct Signer {
    rsa: RsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Signer {
    /// Reads the keys.
    pub(crate) fn new() -> Signer {
        Signer {
            rsa: RsaKeyPair::from_der(RSA_KEY).expect("an RSA key"),
            ed25519: Ed25519KeyPair::from_seed_unchecked(&ED25519_KEY).expect("an Ed25519 key"),
        }
    }

    /// The TXT record of a key.
    pub(crate) fn record(&self, algorithm: Algorithm) -> String {
        match algorithm {
            Algorithm::Rsa => RSA_RECORD.trim_end().to_owned(),
            Algorithm::Ed25519 => {
                format!(
                    "v=DKIM1; k=ed25519; p={}",
                    encode_base64(self.ed25519.public_key().as_ref())
                )
            }
        }
    }

    fn sign_bytes(&self, algorithm: Algorithm, data: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Rsa => {
                let mut out = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut out)
                    .expect("a signature");
                out
            }
            Algorithm::Ed25519 => self
                .ed25519
                .sign(digest(&SHA256, data).as_ref())
                .as_ref()
                .to_vec(),
        }
    }

    /// Puts a DKIM-Signature on top. `tags` holds `{bh}` and `{b}`; `finish` writes the signature value.
    pub(crate) fn sign(
        &self,
        mail: &mut Mail,
        tags: &str,
        algorithm: Algorithm,
        canon: (Canon, Canon),
        finish: impl Fn(&str) -> String,
    ) {
        let hash = encode_base64(digest(&SHA256, &canonical_body(&mail.body, canon.1)).as_ref());
        let tags = tags.replace("{bh}", &hash);
        let unsigned = format!("DKIM-Signature: {}\r\n", without_value(&tags)).into_bytes();
        let names = tag(value_of(&unsigned), "h")
            .map(|list| names_in(&list))
            .unwrap_or_default();
        let mut data = selected(&mail.fields, &names, canon.0);
        let own = canonical_field(&unsigned, canon.0);
        data.extend_from_slice(own.strip_suffix(b"\r\n").unwrap_or(&own));
        let value = finish(&encode_base64(&self.sign_bytes(algorithm, &data)));
        let signed = format!("DKIM-Signature: {}\r\n", tags.replace("{b}", &value));
        mail.fields.insert(0, signed.into_bytes());
    }
}

/// RFC 6376 3.7: the value of `b=` is deleted with all white space around it.
fn without_value(tags: &str) -> String {
    let mut parts = tags.split("{b}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.truncate(out.trim_ascii_end().len());
        out.push_str(part.trim_ascii_start());
    }
    out
}

/// RFC 6376 5.4.2: each mention of a name takes the next instance from the bottom.
fn selected(fields: &[Vec<u8>], names: &[String], canon: Canon) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let earlier = names[..at].iter().filter(|other| *other == name).count();
        let mut instances = fields.iter().rev().filter(|field| is_named(field, name));
        if let Some(field) = instances.nth(earlier) {
            out.extend(canonical_field(field, canon));
        }
    }
    out
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Runs of spaces and tabs become one space, none at the end.
fn squeezed(line: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for byte in line.iter().copied() {
        match (is_space(byte), out.last()) {
            (true, Some(b' ')) => {}
            (true, _) => out.push(b' '),
            (false, _) => out.push(byte),
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
    out
}

fn canonical_field(field: &[u8], canon: Canon) -> Vec<u8> {
    if canon == Canon::Simple {
        return field.to_vec();
    }
    let mut out = name_of(field).to_ascii_lowercase();
    out.push(b':');
    let unfolded: Vec<u8> = value_of(field)
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    let value = squeezed(&unfolded);
    out.extend_from_slice(value.strip_prefix(b" ").unwrap_or(&value));
    out.extend_from_slice(b"\r\n");
    out
}

/// RFC 6376 3.4.3, 3.4.4.
pub(crate) fn canonical_body(body: &[u8], canon: Canon) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        let (line, after) = match end {
            Some(end) => (&rest[..end], &rest[end + 2..]),
            None => (rest, &b""[..]),
        };
        lines.push(match canon {
            Canon::Simple => line.to_vec(),
            Canon::Relaxed => squeezed(line),
        });
        rest = after;
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    if lines.is_empty() && canon == Canon::Simple {
        return b"\r\n".to_vec();
    }
    lines
        .into_iter()
        .flat_map(|line| [line, b"\r\n".to_vec()].concat())
        .collect()
}

/// RFC 4648 section 4.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

// RFC 6376 3.4.5 (body of example 1 and 2); RFC 8463 A.2.
#[test]
fn signer_writes_the_examples_of_the_rfcs() {
    let body = b" C \r\nD \t E\r\n\r\n\r\n";
    assert_eq!(canonical_body(body, Canon::Relaxed), b" C\r\nD E\r\n");
    assert_eq!(canonical_body(body, Canon::Simple), b" C \r\nD \t E\r\n");
    assert_eq!(
        canonical_field(b"B : Y\t\r\n\tZ  \r\n", Canon::Relaxed),
        b"b:Y Z\r\n"
    );
    assert_eq!(
        Signer::new().record(Algorithm::Ed25519),
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    );
}
