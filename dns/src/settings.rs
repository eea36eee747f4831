//! How DNS is asked: which resolvers, and how far their word is checked.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::serialize::txt::trust_anchor::{Entry, Parser};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::limits::SETTINGS_FILE_BYTES_MAX;
use crate::upstream::Upstream;

/// What becomes of the signatures of zones (DNSSEC, RFC 4033).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dnssec {
    /// They are not looked at.
    Off,
    /// They are checked where the resolver passes them on; a wrong one is no answer. Where it passes none, the
    /// answer counts unchecked, and that is told.
    #[default]
    Log,
    /// A resolver that passes none on gives no answer.
    Require,
}

impl FromStr for Dnssec {
    type Err = NoSuchDnssec;

    fn from_str(text: &str) -> Result<Self, NoSuchDnssec> {
        match text {
            "off" => Ok(Self::Off),
            "log" => Ok(Self::Log),
            "require" => Ok(Self::Require),
            _ => Err(NoSuchDnssec(text.to_owned())),
        }
    }
}

impl fmt::Display for Dnssec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Log => "log",
            Self::Require => "require",
        })
    }
}

/// No way to take DNSSEC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no way to take DNSSEC; write off, log or require")]
pub struct NoSuchDnssec(String);

/// How DNS is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The resolvers, asked in turn in this order; without any, those that the system is configured with.
    pub upstreams: Vec<Upstream>,
    /// Whether zones' signatures are checked.
    pub dnssec: Dnssec,
    /// DNSKEY records that signatures have to lead to, in a zone file's form. Without one for the root, the root's
    /// own count too.
    pub trust_anchors: Option<PathBuf>,
    /// Certificate authorities (PEM) that resolvers' certificates have to come from, instead of those of browsers.
    pub authorities: Option<PathBuf>,
    /// The longest time for one question, whatever becomes of it.
    pub patience: Duration,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsFileError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; check the name and the mode", path = path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("{path} is longer than {SETTINGS_FILE_BYTES_MAX} bytes; keep only what is needed", path = path.display())]
    TooLong {
        /// Its path.
        path: PathBuf,
    },
    /// It holds no key.
    #[error(
        "{path} holds no trust anchor: {why}. Write DNSKEY records, as unbound's root.key has them: \
         'example. IN DNSKEY 257 3 13 ...'", path = path.display()
    )]
    NoAnchor {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It holds no certificate.
    #[error("{path} holds no certificate of an authority: {why}. Write PEM", path = path.display())]
    NoAuthority {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Keys that signatures have to lead to, and a zone that has one.
pub(crate) struct Anchors {
    pub(crate) keys: Arc<TrustAnchors>,
    /// A resolver that passes signatures on gives this zone's keys with theirs.
    pub(crate) zone: Name,
}

impl Anchors {
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, SettingsFileError> {
        let Some(path) = path else {
            return Ok(Self {
                keys: Arc::new(TrustAnchors::default()),
                zone: Name::root(),
            });
        };
        let text = String::from_utf8_lossy(&bytes(path)?).into_owned();
        let none = |why: String| SettingsFileError::NoAnchor {
            path: path.to_owned(),
            why,
        };
        let entries = Parser::new(text)
            .parse()
            .map_err(|error| none(error.to_string()))?;
        let (mut keys, mut zones) = (TrustAnchors::empty(), Vec::new());
        for entry in &entries {
            let Entry::DNSKEY(record) = entry else { continue };
            let key = record.data().public_key();
            keys.insert_with_name(key, record.name().into());
            zones.push(record.name().clone());
        }
        let zone = zones
            .first()
            .cloned()
            .ok_or_else(|| none("it is empty".to_owned()))?;
        if keys.is_empty() {
            let root = TrustAnchors::default();
            for key in (0..root.len()).filter_map(|at| root.get(at)) {
                keys.insert(key);
            }
        }
        Ok(Self {
            keys: Arc::new(keys),
            zone,
        })
    }
}

/// TLS to resolvers: by the authorities of browsers, or by those of a file.
pub(crate) fn tls(authorities: Option<&Path>) -> Result<ClientConfig, SettingsFileError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let none = |why: String| SettingsFileError::NoAuthority {
                path: path.to_owned(),
                why,
            };
            for certificate in CertificateDer::pem_slice_iter(&bytes(path)?) {
                let certificate = certificate.map_err(|error| none(error.to_string()))?;
                roots.add(certificate).map_err(|error| none(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(none("it is empty".to_owned()));
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for TLS 1.2 and 1.3");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn bytes(path: &Path) -> Result<Vec<u8>, SettingsFileError> {
    let unreadable = |source| SettingsFileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(unreadable)?.len() > SETTINGS_FILE_BYTES_MAX {
        return Err(SettingsFileError::TooLong {
            path: path.to_owned(),
        });
    }
    fs::read(path).map_err(unreadable)
}
