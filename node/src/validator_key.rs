//! The validator's key: 16 random bytes in a file of the data folder that only its owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use codec::keys::KeyPair;

/// The file's name in the data folder.
const FILE_NAME: &str = "validator.key";

/// Bits that would let others read the key.
const OTHERS: u32 = 0o077;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorKeyError {
    /// The file cannot be read or written.
    #[error("cannot use the validator key {path}: {source}; check the owner and mode of the data folder", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the validator key {path} has mode {mode:o}; run: chmod 600 {path}", path = path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not 32 hex digits.
    #[error("the validator key {path} is damaged; restore it from a copy", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is gone while the ledger that names it is there.
    #[error("the validator key {path} is missing, but the folder holds a ledger that names it; restore it from a copy", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
}

/// Read the key.
pub fn read(folder: &Path) -> Result<KeyPair, ValidatorKeyError> {
    let path = folder.join(FILE_NAME);
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => ValidatorKeyError::Missing { path: path.clone() },
        _ => ValidatorKeyError::File {
            path: path.clone(),
            source,
        },
    };
    let mut file = File::open(&path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(ValidatorKeyError::Mode { path, mode });
    }
    let mut text = String::new();
    Read::by_ref(&mut file)
        .take(64)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let entropy = parse_hex(text.trim_end()).ok_or(ValidatorKeyError::Damaged { path })?;
    Ok(KeyPair::ed25519(entropy))
}

/// Make a key in a folder that has none.
pub fn create_in(folder: &Path, entropy: [u8; 16]) -> Result<KeyPair, ValidatorKeyError> {
    let path = folder.join(FILE_NAME);
    create(folder, &path, entropy).map_err(|source| ValidatorKeyError::File { path, source })?;
    read(folder)
}

/// Read the key, or make one from `entropy` where there is none yet.
pub fn read_or_create(
    folder: &Path,
    entropy: impl FnOnce() -> [u8; 16],
) -> Result<KeyPair, ValidatorKeyError> {
    match read(folder) {
        Err(ValidatorKeyError::Missing { path }) => {
            create(folder, &path, entropy()).map_err(|source| ValidatorKeyError::File { path, source })?;
            read(folder)
        }
        other => other,
    }
}

/// Written under another name first: a kill meanwhile leaves no half key.
fn create(folder: &Path, path: &Path, entropy: [u8; 16]) -> std::io::Result<()> {
    let unfinished = path.with_extension("key.new");
    if unfinished.exists() {
        fs::remove_file(&unfinished)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    let digits: String = entropy.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{digits}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let mut entropy = [0; 16];
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in entropy.iter_mut().zip((0..32).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(entropy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_key_that_it_made() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(
            read(folder.path()),
            Err(ValidatorKeyError::Missing { .. })
        ));
        let made = read_or_create(folder.path(), || [7; 16]).expect("made");
        let again = read_or_create(folder.path(), || unreachable!("there is one")).expect("read");
        assert_eq!(made.public_key(), again.public_key());
        let mode = fs::metadata(folder.path().join(FILE_NAME))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn rejects_a_key_that_others_can_read_or_that_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE_NAME);
        read_or_create(folder.path(), || [7; 16]).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
        assert!(matches!(
            read(folder.path()),
            Err(ValidatorKeyError::Mode { mode: 0o640, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
        for text in ["", "00", "zz", "+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1"] {
            fs::write(&path, text).expect("ours");
            assert!(
                matches!(read(folder.path()), Err(ValidatorKeyError::Damaged { .. })),
                "{text}"
            );
        }
    }
}
