//! The way out: to a smarthost, or straight to the mail servers of the receivers.
//!
//! | part | does |
//! |---|---|
//! | `client` | speaks SMTP |
//! | `tls` | whose certificates are believed |
//! | [`Smarthost`] | the operator's mail server |
//! | [`Direct`] | the mail servers of a receiver's domain |
//! | `mta_sts` | what such a domain asks for |

mod client;
mod direct;
mod mta_sts;
mod smarthost;
mod tls;

use std::time::Duration;

pub use client::{Connection, HandedOver, SmtpError, Step};
pub use direct::{Direct, DirectError};
pub use smarthost::Smarthost;

use client::{LogIn, Patience, Security};
use mta_sts::Policies;
use tls::{TlsSetupError, Trust};

use crate::clock::Clock;
use crate::config::secret::{PasswordError, password_of};
use crate::config::{Config, Protection};
use crate::limits::{
    DIRECT_COMMAND_SECS, DIRECT_TAKES_SECS, LOOKUP_SECS_MAX, SMARTHOST_COMMAND_SECS, SMARTHOST_TAKES_SECS,
};
use crate::resolver::{self, NamedError};

/// Port of mail servers (RFC 5321) and of submission with TLS (RFC 8314).
const PORTS: (u16, u16) = (25, 465);
/// Port of HTTPS, for policies.
const HTTPS_PORT: u16 = 443;

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    /// The password.
    #[error("answers.password_file: {0}")]
    Password(#[from] PasswordError),
    /// The certificate authorities, or the smarthost's name.
    #[error("answers: {0}")]
    Tls(#[from] TlsSetupError),
    /// Without a smarthost, mail servers are looked up.
    #[error(transparent)]
    Names(#[from] NamedError),
    /// Look-ups are off.
    #[error(
        "answers.host is not set, so the receivers' mail servers have to be looked up, but dns.server is off: name a \
         smarthost, or set dns.server"
    )]
    NoLookups,
}

/// The way out.
pub enum Way {
    /// Everything to one server.
    Smarthost(Smarthost),
    /// Each mail to a server of its receiver's domain.
    Direct(Box<Direct>),
}

impl Way {
    /// As `[answers]` says; `None` without such a section. Reads the password and the certificate
    /// authorities.
    pub fn new(config: &Config, clock: Clock) -> Result<Option<Way>, WayError> {
        Way::with_https_port(config, clock, HTTPS_PORT)
    }

    /// The same, with another port for policies, for tests.
    pub(super) fn with_https_port(
        config: &Config,
        clock: Clock,
        https_port: u16,
    ) -> Result<Option<Way>, WayError> {
        let Some(answers) = &config.answers else {
            return Ok(None);
        };
        let trust = Trust::new(answers.authorities.as_deref())?;
        let hello = config.hostname.clone();
        let Some(host) = &answers.host else {
            let patience = Duration::from_secs(LOOKUP_SECS_MAX);
            let names = resolver::named(&config.dns.server, patience)?.ok_or(WayError::NoLookups)?;
            return Ok(Some(Way::Direct(Box::new(Direct {
                policies: Policies::new(names.clone(), trust.clone(), clock, https_port),
                names,
                trust,
                port: answers.port.unwrap_or(PORTS.0),
                hello,
                patience: patience_of(DIRECT_COMMAND_SECS, DIRECT_TAKES_SECS),
            }))));
        };
        let security = match answers.protection {
            Protection::None => Security::Open,
            Protection::Tls => Security::Tls(trust.vouched(host)?),
            Protection::Starttls => Security::Starttls(trust.vouched(host)?),
        };
        let log_in = match (&answers.user, &answers.password_file) {
            (Some(user), Some(path)) => Some(LogIn {
                user: user.clone(),
                password: password_of(path)?,
            }),
            _ => None,
        };
        Ok(Some(Way::Smarthost(Smarthost {
            host: host.clone(),
            port: answers.port.unwrap_or(PORTS.1),
            security,
            log_in,
            hello,
            patience: patience_of(SMARTHOST_COMMAND_SECS, SMARTHOST_TAKES_SECS),
        })))
    }

    /// Waits so long for each reply, and so long for the reply to a whole mail.
    #[must_use]
    pub fn with_patience(mut self, command: Duration, takes: Duration) -> Way {
        let patience = Patience { command, takes };
        match &mut self {
            Way::Smarthost(smarthost) => smarthost.patience = patience,
            Way::Direct(direct) => direct.patience = patience,
        }
        self
    }
}

fn patience_of(command: u64, takes: u64) -> Patience {
    Patience {
        command: Duration::from_secs(command),
        takes: Duration::from_secs(takes),
    }
}
