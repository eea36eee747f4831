//! Where DKIM keys come from: a file, DNS resolvers that are named, or the system's.

use super::Failure;
use super::show::printable;
use crate::cli;
use dns::{KeyResolver, KeyTable, Listener, NoResolver, Resolver, ResolverError, Settings};
use node::limits::LOOKUP_SECS_MAX;
use std::sync::Arc;
use std::time::Duration;

/// The resolver that the arguments name, and whom it tells of its look-ups. Without a system resolver every look-up
/// fails, and says so.
pub(super) fn resolver(keys: &cli::Keys, listener: Listener) -> Result<Arc<dyn KeyResolver>, Failure> {
    if let Some(file) = &keys.keys {
        let table = KeyTable::read(file)?;
        for name in table.left_out() {
            eprintln!(
                "notice: {} names '{}', which no key can have (rule 4.4): left out",
                file.display(),
                printable(name)
            );
        }
        return Ok(Arc::new(table));
    }
    let settings = Settings {
        upstreams: keys.dns.clone(),
        dnssec: keys.check.dnssec,
        trust_anchors: keys.check.dns_anchors.clone(),
        authorities: keys.check.dns_authority.clone(),
        patience: Duration::from_secs(LOOKUP_SECS_MAX),
    };
    match Resolver::new(&settings, listener) {
        Ok(resolver) => Ok(Arc::new(resolver)),
        Err(ResolverError::System(error)) => {
            eprintln!(
                "notice: no system resolver ({error}): DKIM keys cannot be looked up; name a server with --dns or a \
                 file with --keys"
            );
            Ok(Arc::new(NoResolver))
        }
        Err(error) => Err(Failure::Dns(error)),
    }
}
