//! A secret DKIM key from a file, for one signature: the evidence that it is leaked. RFC 7468, RFC 8410, RFC 8017.

use amendment::key_record::KeyRecord;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

/// What the ledger calls a key of this kind.
const RSA: u8 = 1;
const ED25519: u8 = 2;

/// Why a file gives no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LeakedKeyError {
    /// No PEM, or one of something else.
    #[error(
        "holds no secret key in PEM (-----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----). Give the file that the mail server signs with"
    )]
    NoPem,
    /// Not a kind that DKIM has, or too short for this program.
    #[error(
        "holds neither an Ed25519 key nor an RSA key of 2048 bits or more. Sign the text that --dry-run shows with openssl (its line says how), and give that with --signature"
    )]
    OtherKind,
    /// The library refuses.
    #[error("holds a damaged key")]
    Damaged,
}

/// The secret half of a DKIM key. Nothing prints or sends it.
pub(crate) enum LeakedKey {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl LeakedKey {
    /// Reads PEM: PKCS#8, or PKCS#1 for RSA.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<LeakedKey, LeakedKeyError> {
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| LeakedKeyError::NoPem)?;
        let (rsa, ed25519) = match &key {
            PrivateKeyDer::Pkcs8(key) => {
                let der = key.secret_pkcs8_der();
                let ed25519 = Ed25519KeyPair::from_pkcs8(der);
                let ed25519 = ed25519.or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der));
                (RsaKeyPair::from_pkcs8(der).ok(), ed25519.ok())
            }
            PrivateKeyDer::Pkcs1(key) => (RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(), None),
            // SEC 1 holds keys of curves that DKIM does not have.
            _ => (None, None),
        };
        rsa.map(LeakedKey::Rsa)
            .or(ed25519.map(LeakedKey::Ed25519))
            .ok_or(LeakedKeyError::OtherKind)
    }

    /// The public half, as a ledger has it.
    pub(crate) fn record(&self) -> Result<KeyRecord, LeakedKeyError> {
        let (kind, bytes) = match self {
            LeakedKey::Rsa(key) => {
                let der = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key());
                (RSA, der.map_err(|_| LeakedKeyError::Damaged)?.as_ref().to_vec())
            }
            LeakedKey::Ed25519(key) => (ED25519, key.public_key().as_ref().to_vec()),
        };
        let kind = amendment::key_record::KeyType::from_code(kind).ok_or(LeakedKeyError::Damaged)?;
        KeyRecord::from_entry(kind, &bytes, 0).map_err(|_| LeakedKeyError::OtherKind)
    }

    /// Its signature in the way of DKIM: PKCS#1 v1.5 with SHA-256, or Ed25519 of the SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, LeakedKeyError> {
        match self {
            LeakedKey::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| LeakedKeyError::Damaged)?;
                Ok(signature)
            }
            LeakedKey::Ed25519(key) => Ok(key.sign(digest(&SHA256, message).as_ref()).as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A key as openssl writes it.
    fn openssl(arguments: &[&str]) -> Vec<u8> {
        let made = Command::new("openssl")
            .args(arguments)
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        made.stdout
    }

    // Spec: 7.9.
    #[test]
    fn accepts_keys_as_openssl_writes_them() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for arguments in [
            &["genrsa", "2048"][..],
            &["genrsa", "-traditional", "2048"],
            &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
            &["genpkey", "-algorithm", "ed25519"],
        ] {
            let pem = openssl(arguments);
            let key = LeakedKey::from_pem(&pem).expect("a key");
            let record = key.record().expect("a public key");
            let signature = key
                .sign(&amendment::leak_message(21_337, &record))
                .expect("signed");
            assert!(
                amendment::proves_leak(21_337, &record, &signature),
                "{arguments:?}"
            );
            assert!(
                !amendment::proves_leak(21_338, &record, &signature),
                "{arguments:?}"
            );
            // The public half is what openssl calls it.
            std::fs::write(file.path(), &pem).expect("written");
            let path = file.path().to_str().expect("text");
            let public = openssl(&["pkey", "-in", path, "-pubout", "-outform", "DER"]);
            assert!(public.ends_with(record.public_key()), "{arguments:?}");
        }
    }

    #[test]
    fn rejects_other_files_and_keys_that_it_cannot_use() {
        let refused = |pem: &[u8]| LeakedKey::from_pem(pem).map(drop);
        assert_eq!(refused(b"nothing"), Err(LeakedKeyError::NoPem));
        for arguments in [
            &["genrsa", "1024"][..],
            &[
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ],
            &["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
        ] {
            let pem = openssl(arguments);
            assert_eq!(refused(&pem), Err(LeakedKeyError::OtherKind), "{arguments:?}");
        }
    }
}
