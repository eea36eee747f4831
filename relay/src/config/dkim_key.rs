//! The DKIM key of the notices: making one, and the record to publish for it (RFC 6376 section 3.6.1,
//! RFC 8463).

use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

/// Characters in a line of PEM (RFC 7468 section 2).
const PEM_COLUMNS: usize = 64;

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkimKeyError {
    /// The file cannot be read, or holds no PEM.
    #[error("{}: {reason}. It must hold a key that begins with -----BEGIN PRIVATE KEY-----", path.display())]
    Unreadable {
        /// As `answers.dkim_key` names it.
        path: PathBuf,
        /// The reader's reason.
        reason: String,
    },
    /// It holds another kind of key.
    #[error("{}: neither an RSA key of 2048 to 8192 bits nor an Ed25519 key, in PKCS#8", path.display())]
    OtherKind {
        /// As `answers.dkim_key` names it.
        path: PathBuf,
    },
    /// The crypto library refused to make one.
    #[error("the crypto library cannot make a key")]
    Refused,
}

/// A key and what is published of it.
pub struct NewKey {
    /// PKCS#8, PEM. Secret.
    pub pem: String,
    /// The TXT record.
    pub record: String,
}

/// Makes an RSA key of 2048 bits: the kind that every receiver can check.
pub fn make() -> Result<NewKey, DkimKeyError> {
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| DkimKeyError::Refused)?;
    let secret = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| DkimKeyError::Refused)?;
    Ok(NewKey {
        pem: pem("PRIVATE KEY", secret.as_ref()),
        record: rsa_record(&key)?,
    })
}

/// The TXT record of the secret key in a PEM file.
pub fn record_of(path: &Path) -> Result<String, DkimKeyError> {
    let secret = PrivatePkcs8KeyDer::from_pem_file(path).map_err(|error| DkimKeyError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let secret = secret.secret_pkcs8_der();
    if let Ok(key) = rsa::KeyPair::from_pkcs8(secret) {
        return rsa_record(&key);
    }
    match Ed25519KeyPair::from_pkcs8(secret).or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(secret)) {
        Ok(key) => Ok(format!(
            "v=DKIM1; k=ed25519; p={}",
            STANDARD.encode(key.public_key().as_ref())
        )),
        Err(_) => Err(DkimKeyError::OtherKind {
            path: path.to_owned(),
        }),
    }
}

fn rsa_record(key: &rsa::KeyPair) -> Result<String, DkimKeyError> {
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(key.public_key());
    let public = public.map_err(|_| DkimKeyError::Refused)?;
    Ok(format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public.as_ref())))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % PEM_COLUMNS == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_auth::common::parse::TxtRecordParser;
    use mail_auth::common::verify::DomainKey;

    #[test]
    fn a_new_key_is_read_again_and_its_record_by_others() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("dkim.pem");
        let key = make().expect("key");
        std::fs::write(&path, &key.pem).expect("write");
        assert_eq!(record_of(&path), Ok(key.record.clone()));
        DomainKey::parse(key.record.as_bytes()).expect("mail-auth reads the record");
        assert!(key.pem.lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn accepts_ed25519_as_openssl_writes_it_and_rejects_other_keys() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key.pem");
        // RFC 8410 section 10.3; its public key as `openssl pkey -pubout` gives it.
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        std::fs::write(&path, pem).expect("write");
        assert_eq!(
            record_of(&path).as_deref(),
            Ok("v=DKIM1; k=ed25519; p=Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
        );
        std::fs::write(&path, "nothing").expect("write");
        assert!(matches!(record_of(&path), Err(DkimKeyError::Unreadable { .. })));
        let other = super::pem("PRIVATE KEY", &[0x30, 0]);
        std::fs::write(&path, other).expect("write");
        assert_eq!(record_of(&path), Err(DkimKeyError::OtherKind { path }));
    }
}
