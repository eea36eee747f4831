//! A validator's configuration that is changed while it runs: looked at every few seconds, and what may count at once
//! is handed to the engine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::network::Member;
use ::network::config::Config;
use ::network::reread::{Reread, RereadError, reread};
use tokio::sync::watch;

/// How often the file is looked at. What two looks in a row find is complete.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The file as it was found.
#[derive(Clone, PartialEq, Eq)]
enum Found {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing that can be read: an editor may be at it.
    Nothing,
}

/// Looks at the file for ever. The first look finds what was changed since the configuration was read: to fetch a
/// snapshot takes a while.
pub(super) async fn follow(path: PathBuf, mut in_force: Config, members: watch::Sender<Vec<Member>>) {
    let started_with = in_force.members().len();
    let (mut last, mut taken) = (Found::Nothing, None);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let found = look(&path).await;
        let is_complete = found == last;
        last = found.clone();
        if !is_complete || found == Found::Nothing || taken.as_ref() == Some(&found) {
            continue;
        }
        taken = Some(found);
        match take(&path, &in_force, started_with) {
            Ok(reread) => {
                say(&reread);
                in_force = reread.config;
                if !reread.changes.is_empty() {
                    // Fails where the engine has ended.
                    let _ = members.send(in_force.members().to_vec());
                }
            }
            Err(error) => tracing::error!(
                path = %path.display(), %error, "the changed configuration is not taken; the one before stays in force"
            ),
        }
    }
}

async fn look(path: &Path) -> Found {
    tokio::fs::read(path).await.map_or(Found::Nothing, Found::Bytes)
}

fn take(path: &Path, in_force: &Config, started_with: usize) -> Result<Reread, RereadError> {
    reread(in_force, started_with, Config::read(path)?)
}

fn say(reread: &Reread) {
    for change in &reread.changes {
        tracing::info!("the configuration was changed: {change}");
    }
    if !reread.later.is_empty() {
        let settings = reread.later.join(", ");
        tracing::warn!(
            settings,
            "these settings were changed, and count from the next start on"
        );
    }
}
