//! Folders and files that only their owner may read: stores hold whole mails, with header lines that no
//! ledger shows.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Mode bits of all but the owner.
const OTHERS: u32 = 0o077;

/// Makes a folder, and those above it, that only its owner may enter. One that is there keeps its mode: the
/// operator may have chosen it, or it may hold more than ours.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes an empty file that only its owner may read or write; there must be none of its name.
pub fn make_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Takes the rights of others from a file that an earlier version made.
pub fn close_to_others(path: &Path) -> io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_their_owners_alone() {
        let base = tempfile::tempdir().expect("a folder");
        let folder = base.path().join("a/b");
        make_folder(&folder).expect("made");
        make_folder(&folder).expect("there already");
        let file = folder.join("store");
        make_file(&file).expect("made");
        assert!(make_file(&file).is_err(), "no file is opened that another made");
        let modes = [&base.path().join("a"), &folder, &file].map(|path| mode(path));
        assert_eq!(modes, [0o700, 0o700, 0o600]);
    }

    #[test]
    fn an_open_file_is_closed_and_an_open_folder_is_left_as_it_is() {
        let base = tempfile::tempdir().expect("a folder");
        let file = base.path().join("store");
        std::fs::write(&file, "").expect("ours");
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("ours");
        std::fs::set_permissions(base.path(), Permissions::from_mode(0o755)).expect("ours");
        close_to_others(&file).expect("ours");
        make_folder(base.path()).expect("there");
        assert_eq!([mode(&file), mode(base.path())], [0o600, 0o755]);
    }
}
