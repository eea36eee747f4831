//! File descriptors: as many as the connections need, and some for everything else, so that idle clients do
//! not keep a process from its own work.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many connections a process can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Connections, at most as many as wanted, at least one.
    pub connections: usize,
    /// The limit of open files now; `None` where there is none.
    pub open_files: Option<u64>,
}

/// Makes room for `wanted` connections and `reserved` other descriptors: raises the limit of open files as
/// far as is needed and allowed.
pub fn make_room(wanted: usize, reserved: usize) -> Room {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::try_from(wanted.saturating_add(reserved)).unwrap_or(u64::MAX);
    let allowed = raised(&limit, needed);
    let mut open_files = limit.current;
    if allowed != limit.current {
        let raised = Rlimit {
            current: allowed,
            maximum: limit.maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => open_files = allowed,
            Err(error) => tracing::debug!(%error, "the limit of open files cannot be raised"),
        }
    }
    Room {
        connections: fit(wanted, reserved, open_files),
        open_files,
    }
}

/// The limit to ask for: what is needed, up to the hard limit, and never less than there is. `None` is no
/// limit.
fn raised(limit: &Rlimit, needed: u64) -> Option<u64> {
    let current = limit.current?;
    let most = limit.maximum.unwrap_or(u64::MAX);
    Some(needed.min(most).max(current))
}

/// Connections for which `files` suffice beside the reserved ones; at least one.
fn fit(wanted: usize, reserved: usize, files: Option<u64>) -> usize {
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    wanted.min(files.saturating_sub(reserved)).max(1)
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
        assert_eq!(fit(1_024, 256, Some(1_280)), 1_024);
        assert_eq!(fit(1_024, 256, Some(1_024)), 768);
        assert_eq!(fit(1_024, 256, Some(100)), 1);
        assert_eq!(fit(1_024, 256, None), 1_024);
    }
}
