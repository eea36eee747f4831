//! Passwords in files: the first line, as password managers keep them with notes below.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::limits::PASSWORD_BYTES_MAX;

/// Why a password file gives no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It cannot be read, or is no text.
    #[error("cannot read the password file {}: {why}", path.display())]
    Unreadable {
        /// As the configuration names it.
        path: PathBuf,
        /// The system's reason.
        why: String,
    },
    /// Its first line is empty.
    #[error("the first line of the password file {} is empty; write the password there", path.display())]
    Empty {
        /// As the configuration names it.
        path: PathBuf,
    },
    /// It is no password file.
    #[error("the password file {} holds more than {PASSWORD_BYTES_MAX} bytes", path.display())]
    TooLong {
        /// As the configuration names it.
        path: PathBuf,
    },
}

/// The password: the first line of the file, without its line end.
pub fn password_of(path: &Path) -> Result<String, PasswordError> {
    let unreadable = |error: std::io::Error| PasswordError::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(PASSWORD_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(unreadable)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > PASSWORD_BYTES_MAX {
        return Err(PasswordError::TooLong {
            path: path.to_owned(),
        });
    }
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        Some(_) | None => Err(PasswordError::Empty {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<String, PasswordError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        password_of(file.path())
    }

    #[test]
    fn accepts_the_first_line_alone() {
        for text in ["secret", "secret\n", "secret\r\n", "secret\nurl: x\nnote\n"] {
            assert_eq!(read(text.as_bytes()).as_deref(), Ok("secret"), "{text:?}");
        }
        assert_eq!(read(b" pass word \n").as_deref(), Ok(" pass word "));
    }

    #[test]
    fn rejects_files_without_a_password() {
        for text in ["", "\n", "\nsecret\n"] {
            assert!(matches!(read(text.as_bytes()), Err(PasswordError::Empty { .. })));
        }
        assert!(matches!(read(b"\xff\n"), Err(PasswordError::Unreadable { .. })));
        assert!(matches!(read(&[b'x'; 4_097]), Err(PasswordError::TooLong { .. })));
        let absent = password_of(Path::new("/nonexistent/password"));
        assert!(matches!(absent, Err(PasswordError::Unreadable { .. })));
    }
}
