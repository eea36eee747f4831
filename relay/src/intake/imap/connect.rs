//! A connection to the server, from the first byte to the log-in.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::session::{Idle, ImapError, Session, Welcome};
use crate::config::secret::password_of;
use crate::config::{self, Protection};
use crate::limits::IMAP_CONNECT_SECS_MAX;

/// Any stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects, protects the connection and logs in.
pub(super) async fn connect(config: &config::Imap) -> Result<(Session<Box<dyn Stream>>, Idle), ImapError> {
    // Read at each connection, so that a changed password needs no restart.
    let password = password_of(&config.password_file)?;
    let most = Duration::from_secs(IMAP_CONNECT_SECS_MAX);
    let tcp = TcpStream::connect((config.host.as_str(), config.port));
    let tcp = timeout(most, tcp).await.map_err(|_| ImapError::Silent)??;
    let mut session: Session<Box<dyn Stream>> = match config.protection {
        Protection::None => Session::new(Box::new(tcp)),
        Protection::Tls => Session::new(secure(config, tcp).await?),
        Protection::Starttls => {
            let mut session = Session::new(tcp);
            // STARTTLS comes before any log-in: somebody in between could say PREAUTH to prevent it.
            if session.greeting().await? == Welcome::Known {
                return Err(ImapError::KnownBeforeTls);
            }
            session.starttls().await?;
            Session::new(secure(config, session.into_stream()?).await?)
        }
    };
    let welcome = match config.protection {
        Protection::Starttls => Welcome::Stranger,
        Protection::Tls | Protection::None => session.greeting().await?,
    };
    if welcome == Welcome::Stranger {
        session.log_in(&config.user, &password).await?;
    }
    let idle = session.idle_offered().await?;
    tracing::info!(
        host = config.host,
        mailbox = config.mailbox,
        has_idle = (idle == Idle::Offered),
        "logged in"
    );
    Ok((session, idle))
}

/// TLS around a connection, with the server's certificate checked.
async fn secure(config: &config::Imap, tcp: TcpStream) -> Result<Box<dyn Stream>, ImapError> {
    let tls = |error: &dyn std::fmt::Display| ImapError::Tls(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = &config.authorities {
        let file = |error: &dyn std::fmt::Display| ImapError::File {
            path: path.display().to_string(),
            error: error.to_string(),
        };
        let pem = tokio::fs::read(path).await.map_err(|error| file(&error))?;
        for authority in CertificateDer::pem_slice_iter(&pem) {
            let authority = authority.map_err(|error| file(&error))?;
            roots.add(authority).map_err(|error| file(&error))?;
        }
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(config.host.clone()).map_err(|error| tls(&error))?;
    let most = Duration::from_secs(IMAP_CONNECT_SECS_MAX);
    let handshake = TlsConnector::from(Arc::new(client)).connect(name, tcp);
    let stream = timeout(most, handshake).await.map_err(|_| ImapError::Silent)?;
    Ok(Box::new(stream.map_err(|error| tls(&error))?))
}
