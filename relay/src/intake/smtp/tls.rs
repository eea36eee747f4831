//! The certificate for STARTTLS: read from PEM files, and again when they change.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, ServerConnection};

use crate::limits::{CERTIFICATE_CHECK_SECS, CERTIFICATE_FILE_BYTES_MAX};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// As the configuration names it.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A file is larger than [`CERTIFICATE_FILE_BYTES_MAX`].
    #[error("{0}: too large for a certificate or key")]
    TooLarge(PathBuf),
    /// A file is no PEM, or holds nothing of the kind that is looked for.
    #[error("{path}: {error}")]
    Pem {
        /// As the configuration names it.
        path: PathBuf,
        /// The reader's reason.
        error: rustls_pki_types::pem::Error,
    },
    /// The chain is empty, the key does not fit the certificate, or is of a kind that TLS cannot use.
    #[error("{path}: {error}")]
    Unusable {
        /// The certificate file.
        path: PathBuf,
        /// The TLS library's reason.
        error: rustls::Error,
    },
}

/// A certificate with its key, kept up to date with its files.
#[derive(Debug)]
pub struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    now: Mutex<Loaded>,
}

/// What was loaded, and when the files were last looked at.
#[derive(Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// Of the files that `config` came from, or of newer ones that cannot be used.
    stamps: [Stamp; 2],
    looked: Instant,
}

/// What changes when a file does: modification time (seconds, nanoseconds), length, inode.
type Stamp = (i64, i64, u64, u64);

impl TlsFiles {
    /// Reads both files. Blocks: meant for the start.
    pub fn load(certificate: &Path, key: &Path) -> Result<TlsFiles, TlsError> {
        let (config, stamps) = read(certificate, key)?;
        Ok(TlsFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            now: Mutex::new(Loaded {
                config,
                stamps,
                looked: Instant::now(),
            }),
        })
    }

    /// For one handshake. Looks at the files where that was not done within [`CERTIFICATE_CHECK_SECS`].
    pub async fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        if self.is_look_due() {
            let files = Arc::clone(self);
            // A reload that breaks leaves the old certificate in use.
            let _ = tokio::task::spawn_blocking(move || files.reload_if_changed()).await;
        }
        TlsAcceptor::from(Arc::clone(&self.lock().config))
    }

    /// Reads the files if they changed since the last look; keeps the old certificate where the new files
    /// cannot be used. Blocks.
    pub fn reload_if_changed(&self) {
        let before = self.lock().stamps;
        let stamps = match (stamp(&self.certificate), stamp(&self.key)) {
            (Ok((certificate, _)), Ok((key, _))) => [certificate, key],
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(%error, "certificate cannot be read; the old one stays in use");
                return;
            }
        };
        if stamps == before {
            return;
        }
        match read(&self.certificate, &self.key) {
            Ok((config, stamps)) => {
                let mut now = self.lock();
                now.config = config;
                now.stamps = stamps;
                tracing::info!(path = %self.certificate.display(), "new certificate in use");
            }
            Err(error) => {
                self.lock().stamps = stamps;
                tracing::warn!(%error, "new certificate cannot be used; the old one stays in use");
            }
        }
    }

    /// True for one caller in [`CERTIFICATE_CHECK_SECS`].
    fn is_look_due(&self) -> bool {
        let mut now = self.lock();
        let is_due = now.looked.elapsed() >= Duration::from_secs(CERTIFICATE_CHECK_SECS);
        if is_due {
            now.looked = Instant::now();
        }
        is_due
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Loaded> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// TLS version and cipher of a connection, for the log.
#[must_use]
pub fn describe(connection: &ServerConnection) -> String {
    let version = connection.protocol_version().and_then(|version| version.as_str());
    let cipher = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str());
    format!("{} {}", version.unwrap_or("TLS"), cipher.unwrap_or("unknown"))
}

/// The stamps are taken before the files are read, so that a change in between is seen at the next look.
fn read(certificate: &Path, key: &Path) -> Result<(Arc<ServerConfig>, [Stamp; 2]), TlsError> {
    let (certificate_stamp, chain) = read_file(certificate)?;
    let (key_stamp, key_text) = read_file(key)?;
    let chain = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| pem(certificate, error))?;
    let secret = PrivateKeyDer::from_pem_slice(&key_text).map_err(|error| pem(key, error))?;
    let unusable = |error| TlsError::Unusable {
        path: certificate.to_owned(),
        error,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(unusable)?;
    Ok((Arc::new(config), [certificate_stamp, key_stamp]))
}

fn pem(path: &Path, error: rustls_pki_types::pem::Error) -> TlsError {
    TlsError::Pem {
        path: path.to_owned(),
        error,
    }
}

fn read_file(path: &Path) -> Result<(Stamp, Vec<u8>), TlsError> {
    let (stamp, metadata) = stamp(path)?;
    if metadata.len() > CERTIFICATE_FILE_BYTES_MAX {
        return Err(TlsError::TooLarge(path.to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| TlsError::Read {
        path: path.to_owned(),
        error,
    })?;
    Ok((stamp, bytes))
}

fn stamp(path: &Path) -> Result<(Stamp, Metadata), TlsError> {
    let metadata = std::fs::metadata(path).map_err(|error| TlsError::Read {
        path: path.to_owned(),
        error,
    })?;
    let stamp = (
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.len(),
        metadata.ino(),
    );
    Ok((stamp, metadata))
}
