//! The wall clock: the one place that reads it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01 UTC; 0 where the machine's clock stands before that.
pub(crate) fn now_unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The clock of a rehearsal: ahead of the wall clock by as many seconds as a file says, for all processes that look
/// into it.
pub(crate) struct RehearsedClock {
    file: PathBuf,
    /// What the file said last.
    ahead_secs: AtomicU64,
}

impl RehearsedClock {
    /// The clock of a file that is there.
    pub(crate) fn open(file: PathBuf) -> std::io::Result<Self> {
        let ahead_secs = AtomicU64::new(read_ahead(&file)?);
        Ok(Self { file, ahead_secs })
    }

    /// How far it is ahead. While the file cannot be read, as before.
    pub(crate) fn ahead_secs(&self) -> u64 {
        if let Ok(ahead) = read_ahead(&self.file) {
            self.ahead_secs.store(ahead, Ordering::Relaxed);
        }
        self.ahead_secs.load(Ordering::Relaxed)
    }

    /// Seconds since 1970-01-01 UTC, as it is rehearsed.
    pub(crate) fn now_unix(&self) -> u64 {
        now_unix().saturating_add(self.ahead_secs())
    }
}

fn read_ahead(file: &Path) -> std::io::Result<u64> {
    let text = std::fs::read_to_string(file)?;
    text.trim().parse().map_err(std::io::Error::other)
}

/// Says in a file how far its clocks are ahead, all at once.
pub(crate) fn set_ahead(file: &Path, secs: u64) -> std::io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{secs}\n"))?;
    std::fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsed_clock_goes_ahead_as_its_file_says() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("clock");
        assert!(RehearsedClock::open(file.clone()).is_err(), "no file");
        set_ahead(&file, 86_400).expect("written");
        let clock = RehearsedClock::open(file.clone()).expect("a clock");
        assert!(clock.now_unix() >= now_unix() + 86_399);
        set_ahead(&file, 432_000).expect("written");
        assert_eq!(clock.ahead_secs(), 432_000);
        std::fs::write(&file, "soon").expect("written");
        assert_eq!(clock.ahead_secs(), 432_000, "as before");
    }
}
