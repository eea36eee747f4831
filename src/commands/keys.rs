//! Where DKIM keys come from: a file, one DNS server, or the system's resolvers.

use super::Failure;
use crate::cli;
use node::watcher::dns::DnsResolver;
use node::watcher::keys_file::KeyTable;
use node::watcher::{KeyResolver, NoResolver};
use std::sync::Arc;

/// The resolver that the arguments name. Without a system resolver every look-up fails, and says so.
pub fn resolver(keys: &cli::Keys) -> Result<Arc<dyn KeyResolver>, Failure> {
    match (&keys.keys, keys.dns) {
        (Some(file), _) => Ok(Arc::new(KeyTable::read(file)?)),
        (None, Some(server)) => {
            let resolver = DnsResolver::at(server);
            Ok(Arc::new(resolver.map_err(|source| Failure::Dns {
                server: server.to_string(),
                source,
            })?))
        }
        (None, None) => match DnsResolver::system() {
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
