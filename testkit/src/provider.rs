//! A mail domain that signs as real providers do: which header fields are covered follows public header
//! collections of
//! 2026. Keys are fresh in each run. mail-auth signs, so the verifier meets signatures that no code of ours
//!   made; it dates them (`t=`) by the machine's clock.

use crate::base64;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::KeyPair as _;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Selector of the RSA key.
pub const RSA_SELECTOR: &str = "s2026";
/// Selector of the Ed25519 key.
pub const ED25519_SELECTOR: &str = "ed2026";

/// What Gmail signs (each name twice would be oversigning; once is enough for the story).
const GMAIL_SIGNED: &[&str] = &[
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
];
/// What Outlook.com signs: neither To nor Cc.
const OUTLOOK_SIGNED: &[&str] = &[
    "From",
    "Date",
    "Subject",
    "Message-ID",
    "Content-Type",
    "MIME-Version",
];

/// Life of a copy signed for another recipient, seconds (Gmail gives seven days).
const OTHER_COPY_LIFE_SECS: u64 = 604_800;

/// Why a key or signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The crypto library refused to make or read a key.
    #[error("cannot make a key: {0}")]
    Key(String),
    /// mail-auth refused to sign.
    #[error("cannot sign: {0}")]
    Sign(String),
}

/// A mail domain with fresh keys.
pub struct Provider {
    gmail: DkimSigner<RsaKey<Sha256>, Done>,
    outlook: DkimSigner<RsaKey<Sha256>, Done>,
    other_copy: DkimSigner<RsaKey<Sha256>, Done>,
    ed25519: DkimSigner<Ed25519Key, Done>,
    records: Vec<(String, String)>,
    pem: String,
}

/// Which signature a mail gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    /// RSA-2048 as Gmail signs: To as well.
    Gmail,
    /// RSA-2048 as Outlook signs: To not.
    Outlook,
    /// Ed25519, the same headers as Gmail.
    Ed25519,
    /// RSA-2048 with one more tag: the copy that another recipient domain gets.
    OtherCopy,
}

impl Provider {
    /// Makes keys for `domain`.
    pub fn new(domain: &str) -> Result<Self, MailError> {
        let rsa = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| MailError::Key("RSA key generation failed".into()))?;
        let pkcs8 = rsa
            .as_der()
            .map_err(|_| MailError::Key("RSA key has no DER form".into()))?;
        let public = AsDer::<PublicKeyX509Der>::as_der(rsa.public_key())
            .map_err(|_| MailError::Key("RSA public key has no DER form".into()))?;
        let rsa_signer = |names: &[&str]| {
            let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_ref()));
            let key = RsaKey::<Sha256>::from_key_der(der).map_err(key_error)?;
            let signer = DkimSigner::from_key(key).domain(domain).selector(RSA_SELECTOR);
            Ok::<_, MailError>(signer.headers(names.iter().copied()))
        };
        let pkcs8_ed25519 = Ed25519Key::generate_pkcs8().map_err(key_error)?;
        let ed25519 = Ed25519Key::from_pkcs8_der(&pkcs8_ed25519).map_err(key_error)?;
        let records = vec![
            (
                format!("{RSA_SELECTOR}._domainkey.{domain}"),
                format!("v=DKIM1; k=rsa; p={}", base64(public.as_ref())),
            ),
            (
                format!("{ED25519_SELECTOR}._domainkey.{domain}"),
                format!("v=DKIM1; k=ed25519; p={}", base64(&ed25519.public_key())),
            ),
        ];
        Ok(Provider {
            gmail: rsa_signer(GMAIL_SIGNED)?,
            outlook: rsa_signer(OUTLOOK_SIGNED)?,
            other_copy: rsa_signer(GMAIL_SIGNED)?.expiration(OTHER_COPY_LIFE_SECS),
            ed25519: DkimSigner::from_key(ed25519)
                .domain(domain)
                .selector(ED25519_SELECTOR)
                .headers(GMAIL_SIGNED.iter().copied()),
            records,
            pem: pem(pkcs8.as_ref()),
        })
    }

    /// TXT records that the domain publishes: name and text.
    #[must_use]
    pub fn records(&self) -> &[(String, String)] {
        &self.records
    }

    /// The records as a file of keys (`--keys FILE`).
    #[must_use]
    pub fn keys_json(&self) -> String {
        let table: serde_json::Map<String, serde_json::Value> = self
            .records
            .iter()
            .map(|(name, text)| (name.clone(), text.as_str().into()))
            .collect();
        serde_json::Value::Object(table).to_string()
    }

    /// The secret RSA key, PKCS#8 in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The mail with its DKIM-Signature on top.
    pub fn sign(&self, mail: &str, signing: Signing) -> Result<String, MailError> {
        let bytes = mail.as_bytes();
        let signature = match signing {
            Signing::Gmail => self.gmail.sign(bytes),
            Signing::Outlook => self.outlook.sign(bytes),
            Signing::OtherCopy => self.other_copy.sign(bytes),
            Signing::Ed25519 => self.ed25519.sign(bytes),
        };
        let header = signature
            .map_err(|error| MailError::Sign(error.to_string()))?
            .to_header();
        Ok(format!("{header}{mail}"))
    }
}

/// A PKCS#8 key as PEM. RFC 7468.
#[must_use]
pub fn pem(pkcs8: &[u8]) -> String {
    let mut out = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    for line in base64(pkcs8).as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out + "-----END PRIVATE KEY-----\n"
}

fn key_error(error: mail_auth::Error) -> MailError {
    MailError::Key(error.to_string())
}
