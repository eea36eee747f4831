//! Where the story plays: network, domains and addresses, and the folder with its files.

use crate::commands::Failure;
use std::path::{Path, PathBuf};

/// Network of the demo: Xahau's own, so that the instructions read as people would write them. Its keys are
/// made for this run, so nothing here means anything there.
pub(super) const NETWORK: u32 = 21_337;
/// Seconds between ledgers.
pub(super) const CLOSE_SECS: u64 = 1;
/// Domain whose mails are signed.
pub(super) const DOMAIN: &str = "mail.example";
/// Address that senders put in Cc.
pub(super) const RELAY: &str = "relay@relay.example";
/// Its domain, whose key signs the answers.
pub(super) const RELAY_DOMAIN: &str = "relay.example";
/// What Alice has at the start, XAH.
pub(super) const ALICE_XAH: &str = "1000";

/// Where the demo puts its files: a folder to keep, or one that goes away.
pub(super) struct Folder {
    pub path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// The folder to keep, or one that goes away.
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let path = match keep {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("xahau-email-demo-{}", std::process::id())),
        };
        if std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::Argument(format!(
                "{} is not empty: name a new or an empty folder, as the demo starts a fresh ledger",
                path.display()
            )));
        }
        std::fs::create_dir_all(&path)?;
        Ok(Folder {
            path,
            is_kept: keep.is_some(),
        })
    }

    /// The folder, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        self.is_kept.then_some(self.path.as_path())
    }

    /// Writes a file into the folder.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        Ok(std::fs::write(self.path.join(name), text)?)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // A folder left in the temporary files does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
