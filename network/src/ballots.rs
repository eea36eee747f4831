//! In which epoch a key has voted last, and whether the record of those votes is still there.
//!
//! The engine remembers its votes in its own files. A node that lost them could vote twice with its key, and so
//! split the network. What is noted here lies apart from those files, with the key, before the first vote of each
//! epoch: so a lost record is noticed, and votes of a later epoch, which cannot contradict the lost ones, are
//! cast again.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Beside the key, it says in which epoch the key has voted last.
const FILE_NAME: &str = "validator.voted";

/// The last epoch in which a key has voted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voted {
    /// Its number.
    pub epoch: u64,
    /// What became of the record of the votes.
    pub record: Record,
}

/// What became of the record of an epoch's votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// It is in the engine's files, and has to be there for another vote in this epoch.
    Kept,
    /// It is gone, since the epoch is over or the files were lost: no vote in this epoch any more.
    Gone,
}

/// What remembers in which epoch a key has voted.
pub trait Ballots: Send + Sync + 'static {
    /// The last such epoch; `None` where the key has never voted.
    fn voted(&self) -> Option<Voted>;

    /// Remember it; it is on disk when this returns.
    fn note(&mut self, voted: Voted) -> io::Result<()>;
}

/// Whether a key may vote in an epoch, the record of whose votes was found in the engine's files or not.
pub(crate) fn may_vote(voted: Option<Voted>, epoch: u64, found: Record) -> bool {
    match voted {
        None => true,
        Some(voted) if epoch == voted.epoch => (voted.record, found) == (Record::Kept, Record::Kept),
        Some(voted) => epoch > voted.epoch,
    }
}

/// The file beside a key.
#[derive(Debug, Clone)]
pub(crate) struct VotedFile {
    path: PathBuf,
    voted: Option<Voted>,
}

impl VotedFile {
    /// Read the file in the folder of the key; there is none before the first vote.
    pub(crate) fn read(key_folder: &Path) -> io::Result<Self> {
        let path = key_folder.join(FILE_NAME);
        let voted = match std::fs::read_to_string(&path) {
            Ok(text) => Some(toml::from_str(&text).map_err(io::Error::other)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path, voted })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Ballots for VotedFile {
    fn voted(&self) -> Option<Voted> {
        self.voted
    }

    fn note(&mut self, voted: Voted) -> io::Result<()> {
        let text = toml::to_string(&voted).map_err(io::Error::other)?;
        let unfinished = self.path.with_extension("voted.new");
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(
            b"# The last epoch in which the key beside this file has voted. It goes with the key: neither edit nor copy it.\n",
        )?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &self.path)?;
        if let Some(folder) = self.path.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        self.voted = Some(voted);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Record::{Gone, Kept};
    use super::*;

    fn voted(epoch: u64, record: Record) -> Option<Voted> {
        Some(Voted { epoch, record })
    }

    #[test]
    fn accepts_votes_of_an_epoch_whose_record_is_there_and_of_later_ones() {
        assert!(may_vote(None, 0, Gone));
        assert!(may_vote(voted(7, Kept), 7, Kept));
        for record in [Kept, Gone] {
            assert!(may_vote(voted(7, record), 8, Gone));
            assert!(
                may_vote(voted(7, record), 8, Kept),
                "it was begun before it was noted"
            );
        }
    }

    #[test]
    fn rejects_votes_of_an_epoch_whose_record_is_gone_and_of_earlier_ones() {
        assert!(!may_vote(voted(7, Kept), 7, Gone));
        for found in [Kept, Gone] {
            assert!(!may_vote(voted(7, Gone), 7, found), "it may be an older one");
            assert!(!may_vote(voted(7, Kept), 6, found));
        }
    }

    #[test]
    fn accepts_its_own_file_and_rejects_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = VotedFile::read(folder.path()).expect("none yet");
        assert_eq!(file.voted(), None);
        for record in [Kept, Gone] {
            file.note(Voted { epoch: 3, record }).expect("written");
            let read = VotedFile::read(folder.path()).expect("read");
            assert_eq!(read.voted(), voted(3, record));
        }
        for text in ["", "epoch = 3", "epoch = 3\nrecord = \"lost\""] {
            std::fs::write(file.path(), text).expect("written");
            assert!(VotedFile::read(folder.path()).is_err(), "{text}");
        }
    }
}
