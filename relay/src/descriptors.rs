//! File descriptors: as many as the connections need, and some for everything else, so that idle clients do not keep the
//! relay from its nodes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::FILES_RESERVED;

/// How many of the connections wanted the process can hold. Raises its limit of open files as far as is needed and allowed;
/// what is still missing the log tells.
pub fn connections_that_fit(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::try_from(wanted.saturating_add(FILES_RESERVED)).unwrap_or(u64::MAX);
    let allowed = raised(&limit, needed);
    let mut current = limit.current;
    if allowed != limit.current {
        let raised = Rlimit {
            current: allowed,
            maximum: limit.maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => current = allowed,
            Err(error) => tracing::debug!(%error, "the limit of open files cannot be raised"),
        }
    }
    let fit = fit(wanted, current);
    if fit < wanted {
        tracing::warn!(
            wanted,
            fit,
            open_files = current,
            "fewer connections are taken than `limits.connections`: raise the limit of open files (LimitNOFILE, ulimit -n)"
        );
    }
    fit
}

/// The limit to ask for: what is needed, up to the hard limit, and never less than there is. `None` is no limit.
fn raised(limit: &Rlimit, needed: u64) -> Option<u64> {
    let current = limit.current?;
    let most = limit.maximum.unwrap_or(u64::MAX);
    Some(needed.min(most).max(current))
}

/// Connections for which `files` suffice; at least one.
fn fit(wanted: usize, files: Option<u64>) -> usize {
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    wanted.min(files.saturating_sub(FILES_RESERVED)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(current: Option<u64>, maximum: Option<u64>) -> Rlimit {
        Rlimit { current, maximum }
    }

    #[test]
    fn asks_for_what_is_needed_and_allowed() {
        assert_eq!(raised(&limit(Some(1_024), Some(4_096)), 1_280), Some(1_280));
        assert_eq!(raised(&limit(Some(1_024), Some(1_100)), 1_280), Some(1_100));
        assert_eq!(raised(&limit(Some(1_024), None), 1_280), Some(1_280));
        assert_eq!(raised(&limit(Some(65_536), Some(65_536)), 1_280), Some(65_536));
        assert_eq!(raised(&limit(None, None), 1_280), None);
    }

    #[test]
    fn accepts_all_connections_that_fit_and_rejects_the_rest() {
        assert_eq!(fit(1_024, Some(1_280)), 1_024);
        assert_eq!(fit(1_024, Some(1_024)), 768);
        assert_eq!(fit(1_024, Some(100)), 1);
        assert_eq!(fit(1_024, None), 1_024);
    }
}
