//! TLS to other mail servers.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Why TLS cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsSetupError {
    /// The file of certificate authorities.
    #[error("cannot read {}: {why}", path.display())]
    Authorities {
        /// As the configuration names it.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The TLS library refused.
    #[error("TLS cannot be set up: {0}")]
    Library(String),
}

/// Whose certificates are believed.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    /// Only those that an authority vouches for.
    vouched: Arc<ClientConfig>,
    /// Any: nobody reads along, but anybody may be there. RFC 7435.
    any: Arc<ClientConfig>,
}

/// TLS to one server.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Trust {
    /// The well-known authorities and those of a file.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Trust, TlsSetupError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = authorities {
            let wrong = |why: String| TlsSetupError::Authorities {
                path: path.to_owned(),
                why,
            };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            for authority in CertificateDer::pem_slice_iter(&pem) {
                let authority = authority.map_err(|error| wrong(error.to_string()))?;
                roots.add(authority).map_err(|error| wrong(error.to_string()))?;
            }
        }
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| TlsSetupError::Library(error.to_string()))
        };
        let vouched = builder()?.with_root_certificates(roots).with_no_client_auth();
        let any = builder()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(Arc::clone(&provider))))
            .with_no_client_auth();
        Ok(Trust {
            vouched: Arc::new(vouched),
            any: Arc::new(any),
        })
    }

    /// To a server whose certificate must be for its name.
    pub(super) fn vouched(&self, host: &str) -> Result<Tls, TlsSetupError> {
        let name = ServerName::try_from(host.to_owned());
        Ok(Tls {
            connector: TlsConnector::from(Arc::clone(&self.vouched)),
            name: name.map_err(|error| TlsSetupError::Library(format!("{host}: {error}")))?,
        })
    }

    /// To a server with whatever certificate, even where its name is one that no certificate can have.
    pub(super) fn any(&self, host: &str, ip: IpAddr) -> Tls {
        Tls {
            connector: TlsConnector::from(Arc::clone(&self.any)),
            name: ServerName::try_from(host.to_owned()).unwrap_or_else(|_| ServerName::from(ip)),
        }
    }
}

impl Tls {
    /// The handshake.
    pub(super) async fn around<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// Believes every certificate; the handshake is still checked against it.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
