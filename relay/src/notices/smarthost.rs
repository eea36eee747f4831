//! The smarthost: the operator's mail server, which delivers the notices. RFC 5321, RFC 6409.
//!
//! What matters is at which moment a connection breaks. Before the end of the mail it is certain that the
//! smarthost has not taken it; after it, and before its reply, it is not known.

use std::path::PathBuf;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use crate::config::{Answers, Protection};
use crate::limits::{SMARTHOST_COMMAND_SECS, SMARTHOST_TAKES_SECS};

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmarthostError {
    /// A file of the configuration cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    File {
        /// As the configuration names it.
        path: PathBuf,
        /// The system's reason.
        why: String,
    },
    /// The certificate authorities, or the name of the smarthost, are not usable.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// It cannot be reached, or does not want us.
    #[error("{0}")]
    NoConnection(String),
    /// It said nothing for too long.
    #[error("no answer within {0} s")]
    Silent(u64),
}

/// What became of a mail that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOver {
    /// The smarthost has it.
    Taken,
    /// Certainly not taken; may be tried again.
    Later(String),
    /// Certainly not taken, and never will be.
    Never(String),
    /// The connection broke between the end of the mail and the reply: the outcome is not known.
    Unknown(String),
}

/// How the smarthost is reached.
pub struct Smarthost {
    host: String,
    port: u16,
    protection: Protection,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    command_patience: Duration,
    takes_patience: Duration,
}

impl Smarthost {
    /// As configured. Reads the password and the certificate authorities.
    pub fn new(answers: &Answers, hostname: &str) -> Result<Smarthost, SmarthostError> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| SmarthostError::File {
                path: path.clone(),
                why: error.to_string(),
            })
        };
        let tls = match answers.protection {
            Protection::None => None,
            Protection::Tls | Protection::Starttls => {
                let authorities = answers.authorities.as_ref().map(read).transpose()?;
                Some(tls(&answers.host, authorities.as_deref())?)
            }
        };
        let credentials = match (&answers.user, &answers.password_file) {
            (Some(user), Some(path)) => {
                let password = String::from_utf8_lossy(&read(path)?).trim_end().to_owned();
                Some(Credentials::new(user.clone(), password))
            }
            _ => None,
        };
        Ok(Smarthost {
            host: answers.host.clone(),
            port: answers.port,
            protection: answers.protection,
            tls,
            credentials,
            hello: ClientId::Domain(hostname.to_owned()),
            command_patience: Duration::from_secs(SMARTHOST_COMMAND_SECS),
            takes_patience: Duration::from_secs(SMARTHOST_TAKES_SECS),
        })
    }

    /// Waits so long for each reply, and so long for the reply to a whole mail.
    #[must_use]
    pub fn with_patience(mut self, command: Duration, takes: Duration) -> Smarthost {
        (self.command_patience, self.takes_patience) = (command, takes);
        self
    }

    /// Connects, with TLS and log-in as configured. A log-in never goes over an unprotected connection unless
    /// the configuration says so.
    pub async fn connect(&self) -> Result<Connection, SmarthostError> {
        match timeout(self.command_patience, self.greet()).await {
            Ok(Ok(inner)) => Ok(Connection {
                inner,
                is_usable: true,
                command_patience: self.command_patience,
                takes_patience: self.takes_patience,
            }),
            Ok(Err(error)) => Err(SmarthostError::NoConnection(words(&error))),
            Err(_) => Err(SmarthostError::Silent(self.command_patience.as_secs())),
        }
    }

    async fn greet(&self) -> Result<AsyncSmtpConnection, Error> {
        let from_the_start = match self.protection {
            Protection::Tls => self.tls.clone(),
            Protection::Starttls | Protection::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let patience = Some(self.command_patience);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, patience, &self.hello, from_the_start, None).await?;
        if let (Protection::Starttls, Some(tls)) = (self.protection, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            let ways = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&ways, credentials).await?;
        }
        Ok(connection)
    }
}

fn tls(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, SmarthostError> {
    let bad = |error: Error| SmarthostError::Tls(words(&error));
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(bad)?);
    }
    builder.build_rustls().map_err(bad)
}

/// An error with its causes on one line.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    super::page::clean(&text)
}

/// A connection to the smarthost.
pub struct Connection {
    inner: AsyncSmtpConnection,
    is_usable: bool,
    command_patience: Duration,
    takes_patience: Duration,
}

impl Connection {
    /// Whether another mail can go over it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Hands over a mail with a null reverse path, so that no one replies to a notice. RFC 3834 section 3.3.
    pub async fn hand_over(&mut self, to: &Address, mail: &[u8]) -> HandedOver {
        if let Err(refused) = self.announce(to).await {
            return refused;
        }
        // The end of the mail brings its own line end.
        let mail = mail.strip_suffix(b"\r\n").unwrap_or(mail);
        match timeout(self.takes_patience, self.inner.message(mail)).await {
            Ok(Ok(_)) => HandedOver::Taken,
            Ok(Err(error)) if error.is_transient() => HandedOver::Later(words(&error)),
            Ok(Err(error)) if error.is_permanent() => HandedOver::Never(words(&error)),
            Ok(Err(error)) => {
                self.is_usable = false;
                HandedOver::Unknown(words(&error))
            }
            Err(_) => {
                self.is_usable = false;
                HandedOver::Unknown("no reply to the mail in time".to_owned())
            }
        }
    }

    /// MAIL, RCPT and DATA.
    async fn announce(&mut self, to: &Address) -> Result<(), HandedOver> {
        let commands = async {
            self.inner.command(Mail::new(None, Vec::new())).await?;
            self.inner.command(Rcpt::new(to.clone(), Vec::new())).await?;
            self.inner.command(Data).await
        };
        match timeout(self.command_patience, commands).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let is_reply = error.is_transient() || error.is_permanent();
                self.is_usable = is_reply && self.reset().await;
                if error.is_permanent() {
                    Err(HandedOver::Never(words(&error)))
                } else {
                    Err(HandedOver::Later(words(&error)))
                }
            }
            Err(_) => {
                self.is_usable = false;
                Err(HandedOver::Later("no reply in time".to_owned()))
            }
        }
    }

    async fn reset(&mut self) -> bool {
        matches!(
            timeout(self.command_patience, self.inner.command(Rset)).await,
            Ok(Ok(_))
        )
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if self.is_usable {
            // It has all that it took; whether it hears the goodbye changes nothing.
            let _ = timeout(self.command_patience, self.inner.quit()).await;
        }
    }
}
