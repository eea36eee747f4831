//! The resolver that `dns.server` names.

use std::time::Duration;

use dns::{Resolver, ResolverError};

use crate::config::rules::{DnsServer, parse_dns_server};

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    /// `dns.server` is no word that it knows.
    #[error(
        "`dns.server` is '{0}'; write system, off, or resolvers such as 127.0.0.1:53 or tls://9.9.9.9, with commas between them"
    )]
    Word(String),
    /// The system's configuration cannot be used.
    #[error("the system's DNS configuration cannot be used: {0}; set `dns.server` to an address and port")]
    System(#[from] ResolverError),
}

/// The resolver that `server` names, with that patience for one question; `None` where look-ups are off.
pub(crate) fn named(server: &str, patience: Duration) -> Result<Option<Resolver>, NamedError> {
    match parse_dns_server(server) {
        Some(DnsServer::System) => Ok(Some(Resolver::system(patience)?)),
        Some(DnsServer::At(upstreams)) => Ok(Some(Resolver::of(upstreams, patience)?)),
        Some(DnsServer::Off) => Ok(None),
        None => Err(NamedError::Word(server.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_server_without_an_address() {
        let named = |server| named(server, Duration::from_secs(1));
        assert!(matches!(named("localhost"), Err(NamedError::Word(_))));
        assert!(matches!(named("127.0.0.1,"), Err(NamedError::Word(_))));
        assert!(named("off").is_ok_and(|resolver| resolver.is_none()));
    }
}
