//! Delivery to the mail servers of a receiver's domain, without a smarthost. RFC 5321 section 5.1, RFC 7505.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use dns::{Answer, Resolver};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Connection, Patience, Security, SmtpError, Step};
use super::mta_sts::{Mode, Policies, Policy};
use super::tls::{TlsSetupError, Trust};
use crate::limits::{MX_ADDRESSES_MAX, MX_CONNECT_SECS_MAX, MX_TRIED_MAX};

/// Why there is no connection to a mail server of a domain.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// It says so. RFC 7505.
    #[error("{domain} takes no mail (null MX)")]
    NullMx {
        /// The receiver's domain.
        domain: String,
    },
    /// Neither MX nor address.
    #[error("{domain} has no mail server in DNS")]
    NoServer {
        /// The receiver's domain.
        domain: String,
    },
    /// This relay is its mail server, but does not take the mail: it would go in a circle.
    #[error("{domain} has this relay as its mail server")]
    Loop {
        /// The receiver's domain.
        domain: String,
    },
    /// DNS gave no answer.
    #[error("DNS gives no answer about {name}: {why}")]
    Dns {
        /// What was asked for.
        name: String,
        /// The reason.
        why: String,
    },
    /// The domain's policy names other servers than DNS. RFC 8461 section 5.
    #[error("no mail server of {domain} is one that its MTA-STS policy names")]
    Policy {
        /// The receiver's domain.
        domain: String,
    },
    /// None of the servers could be spoken to; the last one's error.
    #[error("{server}: {source}")]
    Server {
        /// The server.
        server: String,
        /// What went wrong.
        source: SmtpError,
    },
    /// A server has a name that no certificate can have.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
}

impl DirectError {
    /// Whether the same will be so next time.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            DirectError::NullMx { .. } | DirectError::NoServer { .. } | DirectError::Loop { .. } => true,
            DirectError::Dns { .. }
            | DirectError::Policy { .. }
            | DirectError::Server { .. }
            | DirectError::Tls(_) => false,
        }
    }
}

/// How receivers' mail servers are reached.
pub struct Direct {
    pub(super) names: Resolver,
    pub(super) trust: Trust,
    pub(super) policies: Policies,
    pub(super) port: u16,
    /// Our name.
    pub(super) hello: String,
    pub(super) patience: Patience,
}

impl Direct {
    /// Connects to the first of the domain's servers that can be spoken to.
    pub async fn connect(&self, domain: &str) -> Result<Connection, DirectError> {
        let mut servers = self.servers(domain).await?;
        let policy = self
            .policies
            .of(domain)
            .await
            .filter(|policy| policy.mode == Mode::Enforce);
        if let Some(policy) = &policy {
            servers.retain(|server| policy.names(server));
        }
        let mut failure = match &policy {
            Some(_) if servers.is_empty() => DirectError::Policy {
                domain: domain.to_owned(),
            },
            _ => DirectError::NoServer {
                domain: domain.to_owned(),
            },
        };
        for server in servers.iter().take(MX_TRIED_MAX) {
            let ips = match self.names.addresses(server).await {
                Answer::Found(ips) => ips,
                Answer::Absent => continue,
                Answer::Failed(why) => {
                    failure = DirectError::Dns {
                        name: server.clone(),
                        why,
                    };
                    continue;
                }
            };
            for ip in ips.into_iter().take(MX_ADDRESSES_MAX) {
                match self.speak_to(server, ip, policy.as_ref()).await {
                    Ok(connection) if self.is_us(connection.server_name()) => {
                        connection.close().await;
                        return Err(DirectError::Loop {
                            domain: domain.to_owned(),
                        });
                    }
                    Ok(connection) => return Ok(connection),
                    Err(error) => failure = error,
                }
            }
        }
        Err(failure)
    }

    fn is_us(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.hello)
    }

    /// The names of the domain's servers in the order in which they are to be tried: by preference, those of
    /// one preference in any order. Where we are one of them, only those that are preferred to us.
    async fn servers(&self, domain: &str) -> Result<Vec<String>, DirectError> {
        let mut servers = match self.names.mail_servers(domain).await {
            Answer::Found(servers) => servers,
            // The domain itself is the server. RFC 5321 section 5.1.
            Answer::Absent => return Ok(vec![domain.to_owned()]),
            Answer::Failed(why) => {
                return Err(DirectError::Dns {
                    name: domain.to_owned(),
                    why,
                });
            }
        };
        servers.retain(|(_, name)| !name.is_empty());
        if servers.is_empty() {
            return Err(DirectError::NullMx {
                domain: domain.to_owned(),
            });
        }
        if let Some(ours) = servers
            .iter()
            .filter(|(_, name)| self.is_us(name))
            .map(|(at, _)| *at)
            .min()
        {
            servers.retain(|(preference, _)| *preference < ours);
        }
        if servers.is_empty() {
            return Err(DirectError::Loop {
                domain: domain.to_owned(),
            });
        }
        let lot = RandomState::new();
        servers.sort_by_cached_key(|(preference, name)| (*preference, lot.hash_one(name)));
        Ok(servers.into_iter().map(|(_, name)| name).collect())
    }

    /// TLS with a certificate for the server's name where the policy asks for it; else with any certificate
    /// where TLS is offered, and without where the handshake fails (RFC 7435).
    async fn speak_to(
        &self,
        server: &str,
        ip: IpAddr,
        policy: Option<&Policy>,
    ) -> Result<Connection, DirectError> {
        let wrong = |source| DirectError::Server {
            server: format!("{server} ({ip})"),
            source,
        };
        if policy.is_some() {
            let security = Security::Starttls(self.trust.vouched(server)?);
            return self.open(ip, &security).await.map_err(wrong);
        }
        let security = Security::Offered(self.trust.any(server, ip));
        match self.open(ip, &security).await {
            Err(SmtpError::Tls(_)) => self.open(ip, &Security::Open).await.map_err(wrong),
            opened => opened.map_err(wrong),
        }
    }

    async fn open(&self, ip: IpAddr, security: &Security) -> Result<Connection, SmtpError> {
        let connecting = TcpStream::connect((ip, self.port));
        let tcp = match timeout(std::time::Duration::from_secs(MX_CONNECT_SECS_MAX), connecting).await {
            Ok(Ok(tcp)) => tcp,
            Ok(Err(source)) => {
                return Err(SmtpError::Broken {
                    step: Step::Greeting,
                    source,
                });
            }
            Err(_) => {
                return Err(SmtpError::Silent {
                    step: Step::Greeting,
                    secs: MX_CONNECT_SECS_MAX,
                });
            }
        };
        Connection::open(tcp, security, &self.hello, self.patience).await
    }
}
