//! Where DKIM keys come from: a file, one DNS server, or the system's resolvers.

use super::Failure;
use super::show::printable;
use crate::cli;
use dns::{KeyResolver, KeyTable, NoResolver, Resolver};
use node::limits::LOOKUP_SECS_MAX;
use std::sync::Arc;
use std::time::Duration;

/// The resolver that the arguments name. Without a system resolver every look-up fails, and says so.
pub(super) fn resolver(keys: &cli::Keys) -> Result<Arc<dyn KeyResolver>, Failure> {
    let patience = Duration::from_secs(LOOKUP_SECS_MAX);
    match (&keys.keys, keys.dns) {
        (Some(file), _) => {
            let table = KeyTable::read(file)?;
            for name in table.left_out() {
                eprintln!(
                    "notice: {} names '{}', which no key can have (rule 4.4): left out",
                    file.display(),
                    printable(name)
                );
            }
            Ok(Arc::new(table))
        }
        (None, Some(server)) => {
            let resolver = Resolver::at(server, patience);
            Ok(Arc::new(resolver.map_err(|source| Failure::Dns {
                server: server.to_string(),
                source: source.into(),
            })?))
        }
        (None, None) => match Resolver::system(patience) {
            Ok(resolver) => Ok(Arc::new(resolver)),
            Err(error) => {
                eprintln!(
                    "notice: no system resolver ({error}): DKIM keys cannot be looked up; name a server with --dns or a \
                     file with --keys"
                );
                Ok(Arc::new(NoResolver))
            }
        },
    }
}
