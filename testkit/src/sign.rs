//! Signs mail after RFC 6376 and RFC 8463. The caller writes the header fields and the body in canonical
//! form, so the bytes that are signed are those that are written, and no canonicalization of ours can hide an
//! error of the verifier's.

use crate::base64;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};

/// A secret key of a mail domain.
#[derive(Debug)]
pub enum DkimKey {
    /// rsa-sha256, RFC 6376 section 3.3.1.
    Rsa(RsaKeyPair),
    /// ed25519-sha256, RFC 8463 section 3.
    Ed25519(Ed25519KeyPair),
}

impl DkimKey {
    /// The Ed25519 key of a seed: the same signatures in each run.
    ///
    /// # Panics
    /// Where the crypto library takes no seed of 32 bytes.
    #[must_use]
    pub fn ed25519(seed: &[u8; 32]) -> DkimKey {
        DkimKey::Ed25519(Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed of 32 bytes"))
    }

    /// A fresh RSA key of 2048 bits.
    ///
    /// # Panics
    /// Where the crypto library makes no key.
    #[must_use]
    pub fn fresh_rsa() -> DkimKey {
        DkimKey::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
    }

    /// The RSA key of these bytes (PKCS#8), which [`DkimKey::pkcs8`] gives; nothing for others.
    #[must_use]
    pub fn rsa_of(pkcs8: &[u8]) -> Option<DkimKey> {
        RsaKeyPair::from_pkcs8(pkcs8).ok().map(DkimKey::Rsa)
    }

    /// An RSA key as PKCS#8; nothing for a key of another kind.
    #[must_use]
    pub fn pkcs8(&self) -> Option<Vec<u8>> {
        let DkimKey::Rsa(pair) = self else { return None };
        let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        Some(der.as_ref().to_vec())
    }

    /// The public key as `p=` has it: RFC 8463 section 4, RFC 6376 section 3.6.1.
    ///
    /// # Panics
    /// Where the crypto library does not write its own key.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        match self {
            DkimKey::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("DER");
                der.as_ref().to_vec()
            }
            DkimKey::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The TXT record that publishes it.
    #[must_use]
    pub fn record(&self) -> String {
        format!("v=DKIM1; k={}; p={}", self.key_type(), base64(&self.public_key()))
    }

    fn key_type(&self) -> &'static str {
        match self {
            DkimKey::Rsa(_) => "rsa",
            DkimKey::Ed25519(_) => "ed25519",
        }
    }

    /// Its signature over data, as a mail would bear it.
    ///
    /// # Panics
    /// Where the crypto library makes no signature.
    #[must_use]
    pub fn sign(&self, data: &[u8]) -> Vec<u8> {
        match self {
            DkimKey::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
                    .expect("a signature");
                signature
            }
            // PureEdDSA of the SHA-256, RFC 8463 section 3.
            DkimKey::Ed25519(pair) => pair.sign(digest(&SHA256, data).as_ref()).as_ref().to_vec(),
        }
    }
}

/// The canonical form in which the fields and the body are written. RFC 6376 section 3.4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// simple/simple.
    Simple,
    /// relaxed/relaxed.
    Relaxed,
}

/// A mail before its signature.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// Form of `fields` and `body`.
    pub form: Form,
    /// `d=`.
    pub domain: &'a str,
    /// `s=`.
    pub selector: &'a str,
    /// `h=`: each of the fields once, in their order.
    pub names: &'a str,
    /// Header fields, each with its CRLF.
    pub fields: Vec<u8>,
    /// Lines, the last of which is not empty.
    pub body: Vec<u8>,
}

impl Draft<'_> {
    /// The mail, signed.
    #[must_use]
    pub fn signed(&self, key: &DkimKey) -> Vec<u8> {
        self.signed_with(key, "")
    }

    /// The mail, signed at this time (`t=`), Unix seconds.
    #[must_use]
    pub fn signed_at(&self, key: &DkimKey, unix: u64) -> Vec<u8> {
        self.signed_with(key, &format!("t={unix}; "))
    }

    fn signed_with(&self, key: &DkimKey, more: &str) -> Vec<u8> {
        let own = self.own_field(key, more, "");
        let signature = key.sign(&[&self.fields, own.as_bytes()].concat());
        self.with_field(&self.own_field(key, more, &base64(&signature)))
    }

    /// The mail with this signature, of a key of the same type.
    #[must_use]
    pub fn with_signature(&self, key: &DkimKey, signature: &[u8]) -> Vec<u8> {
        self.with_field(&self.own_field(key, "", &base64(signature)))
    }

    fn with_field(&self, own: &str) -> Vec<u8> {
        [own.as_bytes(), b"\r\n", &self.fields, b"\r\n", &self.body].concat()
    }

    /// The DKIM-Signature field without its CRLF; `more` are tags before `h=`.
    fn own_field(&self, key: &DkimKey, more: &str, signature: &str) -> String {
        let (name, canon) = match self.form {
            Form::Simple => ("DKIM-Signature: ", "simple/simple"),
            Form::Relaxed => ("dkim-signature:", "relaxed/relaxed"),
        };
        let Draft {
            domain,
            selector,
            names,
            ..
        } = self;
        let body_hash = base64(digest(&SHA256, &self.body).as_ref());
        format!(
            "{name}v=1; a={}-sha256; c={canon}; d={domain}; s={selector}; {more}h={names}; bh={body_hash}; b={signature}",
            key.key_type()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Values: RFC 4648 section 10; RFC 8463 A.1 and A.2 (the key of its example, and its record).
    #[test]
    fn writes_what_the_standards_show() {
        assert_eq!(
            ["", "f", "fo", "foo", "foobar"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]
        );
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        assert_eq!(
            DkimKey::ed25519(&seed).record(),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
    }

    #[test]
    fn an_rsa_key_is_the_same_after_it_was_written_and_read() {
        let key = DkimKey::fresh_rsa();
        let read = DkimKey::rsa_of(&key.pkcs8().expect("bytes")).expect("a key");
        assert_eq!(read.record(), key.record());
        assert!(DkimKey::rsa_of(b"junk").is_none());
        assert_eq!(DkimKey::ed25519(&[7; 32]).pkcs8(), None);
    }

    /// mail-auth verifies what this file signs, in both forms and with both kinds of key.
    #[cfg(feature = "services")]
    #[test]
    fn mail_auth_accepts_the_signatures() {
        use mail_auth::AuthenticatedMessage;
        use mail_auth::common::parse::TxtRecordParser;
        use mail_auth::common::verify::DomainKey;
        for key in [DkimKey::ed25519(&[7; 32]), DkimKey::fresh_rsa()] {
            for (form, fields) in [
                (Form::Simple, "From: a@mail.test\r\nDate:  now\r\n"),
                (Form::Relaxed, "from:a@mail.test\r\ndate:now\r\n"),
            ] {
                let draft = Draft {
                    form,
                    domain: "mail.test",
                    selector: "s",
                    names: "From:Date",
                    fields: fields.as_bytes().to_vec(),
                    body: b"REMIT 1 XAH\r\n".to_vec(),
                };
                let raw = draft.signed(&key);
                let message = AuthenticatedMessage::parse(&raw).expect("a mail");
                let header = message.dkim_headers.first().expect("a signature");
                let signature = &header.header;
                assert_eq!(message.body_hashes[0].3, signature.bh, "{form:?}");
                let value = String::from_utf8_lossy(header.value);
                let (unsigned, _) = value.split_at(value.rfind("b=").expect("b=") + 2);
                let mut signed = message.signed_headers(&signature.h, header.name, unsigned.as_bytes());
                let record = DomainKey::parse(key.record().as_bytes()).expect("a record");
                let proven = record
                    .p
                    .verify(&mut signed, &signature.b, signature.ch, signature.a);
                assert!(proven.is_ok(), "{form:?}");
            }
        }
    }
}
