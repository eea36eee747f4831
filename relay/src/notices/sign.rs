//! DKIM signatures of the relay's own notices. RFC 6376, RFC 8463.

use std::path::PathBuf;

use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::config::Answers;

/// Header fields that are signed: all that a notice has.
const SIGNED: [&str; 12] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Why a notice cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The file holds no PKCS#8 PEM.
    #[error(
        "no PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`) is in it; make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
    )]
    NoPem,
    /// The key is of another kind, or damaged.
    #[error("neither an RSA key of 2048 bits or more nor an Ed25519 key is in it")]
    NoKey,
    /// The address that answers come from has no domain.
    #[error("{0} is not an address")]
    NoDomain(String),
    /// Signing failed.
    #[error("signing failed: {0}")]
    Failed(String),
}

/// Why the key that the configuration names cannot sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("answers.dkim_key: cannot read {}: {why}", path.display())]
    Unreadable {
        /// As the configuration names it.
        path: PathBuf,
        /// The system's reason.
        why: String,
    },
    /// It holds no such key.
    #[error("answers.dkim_key: {}: {source}", path.display())]
    Key {
        /// As the configuration names it.
        path: PathBuf,
        /// What is wrong with it.
        source: SignError,
    },
}

/// Signs notices.
pub struct Signer(Key);

enum Key {
    Rsa(DkimSigner<RsaKey<Sha256>, Done>),
    Ed25519(DkimSigner<Ed25519Key, Done>),
}

impl Signer {
    /// With the key that `[answers]` names; `None` where it names none.
    pub fn of(answers: &Answers) -> Result<Option<Signer>, KeyFileError> {
        let (Some(path), Some(selector)) = (&answers.dkim_key, &answers.dkim_selector) else {
            return Ok(None);
        };
        let pem = std::fs::read(path).map_err(|error| KeyFileError::Unreadable {
            path: path.clone(),
            why: error.to_string(),
        })?;
        let signer = Signer::from_pem(&pem, &answers.from, selector);
        Ok(Some(signer.map_err(|source| KeyFileError::Key {
            path: path.clone(),
            source,
        })?))
    }

    /// With a PKCS#8 PEM key, RSA or Ed25519, in the name of the domain of `from`.
    pub fn from_pem(pem: &[u8], from: &str, selector: &str) -> Result<Signer, SignError> {
        let (_, domain) = from
            .rsplit_once('@')
            .ok_or_else(|| SignError::NoDomain(from.to_owned()))?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| SignError::NoPem)?;
        if let Ok(key) = Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_pkcs8_der()) {
            let signer = DkimSigner::from_key(key).domain(domain).selector(selector);
            return Ok(Signer(Key::Ed25519(signer.headers(SIGNED))));
        }
        let key = RsaKey::<Sha256>::from_key_der(PrivateKeyDer::Pkcs8(der)).map_err(|_| SignError::NoKey)?;
        let signer = DkimSigner::from_key(key).domain(domain).selector(selector);
        Ok(Signer(Key::Rsa(signer.headers(SIGNED))))
    }

    /// The mail with its signature before it.
    pub fn sign(&self, mail: &str) -> Result<Vec<u8>, SignError> {
        let signature = match &self.0 {
            Key::Rsa(signer) => signer.sign(mail.as_bytes()),
            Key::Ed25519(signer) => signer.sign(mail.as_bytes()),
        };
        let signature = signature.map_err(|error| SignError::Failed(error.to_string()))?;
        let mut signed = signature.to_header().into_bytes();
        signed.extend_from_slice(mail.as_bytes());
        Ok(signed)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use amendment::TxtRecords;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use explain::{CheckVerdict, ExplainEnv};

    use super::*;
    use crate::notices::tests::{entry, rules};
    use crate::notices::{Announce, Announcer};
    use crate::queue::Progress;

    /// A fresh Ed25519 key: PEM, and what DNS would say of it.
    pub(crate) fn ed25519() -> (Vec<u8>, String) {
        let der = Ed25519Key::generate_pkcs8().expect("key");
        let key = Ed25519Key::from_pkcs8_der(&der).expect("key");
        let record = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key()));
        (pem(&der), record)
    }

    fn rsa() -> (Vec<u8>, String) {
        use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
        use aws_lc_rs::rsa::{KeyPair, KeySize};
        use aws_lc_rs::signature::KeyPair as _;
        let key = KeyPair::generate(KeySize::Rsa2048).expect("key");
        let der: Pkcs8V1Der<'_> = key.as_der().expect("DER");
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("DER");
        let record = format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public.as_ref()));
        (pem(der.as_ref()), record)
    }

    fn pem(der: &[u8]) -> Vec<u8> {
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der)
        )
        .into_bytes()
    }

    fn notice() -> String {
        let mut after = entry();
        after.progress = Progress::Refused(after.end(1_795_000_000));
        let notices = Announcer::new(rules()).announce(&entry(), &after, 1_795_000_000);
        notices[0].mail.clone()
    }

    /// Checked by the verifier of the ledger, which knows nothing of how answers are made.
    #[test]
    fn accepts_the_signature_of_an_answer() {
        for (pem, record) in [ed25519(), rsa()] {
            let signer = Signer::from_pem(&pem, "relay@example.org", "sel").expect("key");
            let signed = signer.sign(&notice()).expect("signed");
            let text = String::from_utf8(signed.clone()).expect("ASCII");
            assert!(text.starts_with("DKIM-Signature: v=1; a="), "{text}");
            assert!(text.lines().all(|line| line.len() < 998));
            assert_eq!(verdict(&signed, &record, "4.5"), CheckVerdict::Pass, "{text}");
            // A notice can never be an instruction.
            assert_eq!(verdict(&signed, &record, "4.8"), CheckVerdict::Fail, "{text}");
        }
    }

    #[test]
    fn rejects_the_signature_of_a_changed_answer() {
        let (pem, record) = ed25519();
        let signer = Signer::from_pem(&pem, "relay@example.org", "sel").expect("key");
        let signed = String::from_utf8(signer.sign(&notice()).expect("signed")).expect("ASCII");
        for (from, to) in [
            ("Re: dinner", "Re: Dinner"),
            ("auto-replied", "no"),
            ("alice@example.com>", "mallory@example.com>"),
            ("In-Reply-To: <one", "In-Reply-To: <two"),
        ] {
            let changed = signed.replacen(from, to, 1);
            assert_ne!(changed, signed);
            assert_ne!(
                verdict(changed.as_bytes(), &record, "4.5"),
                CheckVerdict::Pass,
                "{from}"
            );
        }
    }

    fn verdict(signed: &[u8], record: &str, rule: &str) -> CheckVerdict {
        let mut keys = TxtRecords::new();
        keys.insert("sel._domainkey.example.org", record.as_bytes());
        let env = ExplainEnv {
            keys: &keys,
            network_id: 21_337,
            now: codec::CloseTime::new(1_795_000_000 - 946_684_800),
        };
        let explanation = explain::explain(signed, &env);
        let mut checks = explanation
            .checks
            .iter()
            .filter(|check| check.rule.as_str() == rule);
        let failed = checks.clone().find(|check| check.verdict != CheckVerdict::Pass);
        failed.or_else(|| checks.next()).expect("rule").verdict
    }

    #[test]
    fn rejects_keys_that_are_none() {
        let sign = |pem: &[u8]| Signer::from_pem(pem, "relay@example.org", "sel").err();
        assert_eq!(sign(b""), Some(SignError::NoPem));
        assert_eq!(
            sign(b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
            Some(SignError::NoPem)
        );
        assert_eq!(sign(&pem(b"nothing")), Some(SignError::NoKey));
        let (key, _) = ed25519();
        assert!(matches!(
            Signer::from_pem(&key, "relay", "sel"),
            Err(SignError::NoDomain(_))
        ));
    }
}
