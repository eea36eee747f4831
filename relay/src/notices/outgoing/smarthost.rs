//! The smarthost: the operator's mail server, which delivers the notices. RFC 6409.

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::{Connection, LogIn, Patience, Security, SmtpError, Step};

/// How the smarthost is reached.
pub struct Smarthost {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) log_in: Option<LogIn>,
    /// Our name.
    pub(super) hello: String,
    pub(super) patience: Patience,
}

impl Smarthost {
    /// Its name and port.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects, with TLS and log-in as configured. A log-in never goes over an unprotected connection unless
    /// the configuration says so.
    pub async fn connect(&self) -> Result<Connection, SmtpError> {
        let step = Step::Greeting;
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let tcp = match timeout(self.patience.command, connecting).await {
            Ok(tcp) => tcp.map_err(|source| SmtpError::Broken { step, source })?,
            Err(_) => {
                let secs = self.patience.command.as_secs();
                return Err(SmtpError::Silent { step, secs });
            }
        };
        let mut connection = Connection::open(tcp, &self.security, &self.hello, self.patience).await?;
        if let Some(log_in) = &self.log_in {
            connection.log_in(log_in).await?;
        }
        Ok(connection)
    }
}
