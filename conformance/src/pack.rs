//! The pack: its vectors, and its files in a folder.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use amendment::RULES_VERSION;
use serde_json::{Map, Value, json};

use crate::fixtures::{self, FixtureError};
use crate::kinds::{KINDS, Kind};
use crate::limits::PACK_FILE_BYTES_MAX;
use crate::mails;
use crate::vector::Vector;

/// Form of the files; rises when a program that reads them has to change.
pub const FORMAT: u64 = 1;
/// The file that lists the others.
const INDEX: &str = "index.json";
/// The file for people.
const README: &str = "README.md";
const GUIDE: &str = include_str!("../../docs/conformance.md");

/// Vectors by kind, each list in a fixed order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pack {
    /// All of them.
    pub vectors: Vec<Vector>,
}

/// A folder that holds no pack of these rules, or cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}. A pack is a folder that 'xahau-email conformance export' wrote")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}. Check the path, its permissions and the space on the disk")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder that holds something else.
    #[error("{path} is not empty and holds no pack. Give a new folder, or one that an earlier export wrote")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// More than any file of a pack has.
    #[error("{path} is larger than {} MiB: no file of a pack is", PACK_FILE_BYTES_MAX >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// No JSON.
    #[error("{path}: line {line}, column {column}: no JSON: {source}. Export the pack again", line = source.line(), column = source.column())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// JSON of another form.
    #[error("{path}: {what}. Export the pack again")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        what: String,
    },
    /// Another form of the files.
    #[error(
        "{path}: the files are of form {found}, this program reads form {FORMAT}. Use the program that exported them"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: u64,
    },
    /// Other rules.
    #[error(
        "{path}: the vectors are of rules version {found}, this program has version {RULES_VERSION}. Export them again \
with this program, or check with the one that exported them"
    )]
    Rules {
        /// The file.
        path: PathBuf,
        /// Their version.
        found: u64,
    },
    /// The program was built from broken fixtures.
    #[error("this program was built from a broken fixture: {0}")]
    Fixture(#[from] FixtureError),
}

impl Pack {
    /// The pack of this program.
    pub fn build() -> Result<Pack, PackError> {
        let mut vectors = mails::vectors()?;
        for (file, bytes) in fixtures::below("vectors/rules/") {
            vectors.extend(of_kind(Path::new(file), bytes)?.0);
        }
        let place = |vector: &Vector| KINDS.iter().position(|kind| kind.name == vector.kind);
        vectors.sort_by_key(place);
        Ok(Pack { vectors })
    }

    /// Vectors of a kind.
    pub fn of<'p>(&'p self, kind: &'p str) -> impl Iterator<Item = &'p Vector> {
        self.vectors.iter().filter(move |vector| vector.kind == kind)
    }

    /// The files of the pack: the same bytes for the same program.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut kinds = Vec::new();
        for kind in KINDS {
            let rows: Vec<String> = self
                .of(kind.name)
                .map(|vector| vector.to_json().to_string())
                .collect();
            let head = json!({"format": FORMAT, "rules": RULES_VERSION, "kind": kind.name});
            files.insert(file_of(kind.name), with_rows(&head, "vectors", &rows));
            kinds.push(described(kind, rows.len()).to_string());
        }
        let head = json!({"format": FORMAT, "rules": RULES_VERSION, "left_out": mails::LEFT_OUT});
        files.insert(INDEX.to_owned(), with_rows(&head, "kinds", &kinds));
        files.insert(README.to_owned(), GUIDE.to_owned());
        files
    }

    /// Writes the files into a new or empty folder, or over an earlier pack.
    pub fn write(&self, folder: &Path) -> Result<(), PackError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PackError::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let is_empty = std::fs::read_dir(folder)
            .map_err(failed(folder))?
            .next()
            .is_none();
        if !is_empty && !folder.join(INDEX).is_file() {
            return Err(PackError::Occupied {
                path: folder.to_owned(),
            });
        }
        for (name, text) in self.files() {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(failed(&path))?;
        }
        Ok(())
    }

    /// Reads a folder. Kinds that this program does not know are read too: whoever answers may know them.
    pub fn read(folder: &Path) -> Result<Pack, PackError> {
        let path = folder.join(INDEX);
        let index = parse(&path, &read_file(&path)?)?;
        let form = |what: &str| PackError::Form {
            path: path.clone(),
            what: what.to_owned(),
        };
        check_version(&path, &index)?;
        let kinds = index["kinds"]
            .as_array()
            .ok_or_else(|| form("no list \"kinds\""))?;
        let mut vectors = Vec::new();
        for row in kinds {
            let name = row["kind"]
                .as_str()
                .ok_or_else(|| form("a kind without a name"))?;
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            if !name.chars().all(is_name) {
                return Err(form("a kind whose name is no file name"));
            }
            let path = folder.join(file_of(name));
            let (found, kind) = of_kind(&path, &read_file(&path)?)?;
            let counted = row["vectors"]
                .as_u64()
                .and_then(|count| usize::try_from(count).ok());
            if kind != name || counted != Some(found.len()) {
                let what = format!(
                    "{} vectors of {kind:?}, but {INDEX} counts {} of {name:?}",
                    found.len(),
                    row["vectors"]
                );
                return Err(PackError::Form { path, what });
            }
            vectors.extend(found);
        }
        Ok(Pack { vectors })
    }
}

fn file_of(kind: &str) -> String {
    format!("{kind}.json")
}

/// An object with one list at its end, a row on each line.
fn with_rows(head: &Value, list: &str, rows: &[String]) -> String {
    let head = head.to_string();
    let head = head.trim_end_matches('}');
    format!("{head},{}:[\n{}\n]}}\n", json!(list), rows.join(",\n"))
}

fn described(kind: &Kind, count: usize) -> Value {
    let members = |rows: &[(&str, &str)]| -> Map<String, Value> {
        rows.iter()
            .map(|(name, holds)| ((*name).to_owned(), json!(holds)))
            .collect()
    };
    json!({
        "kind": kind.name,
        "file": file_of(kind.name),
        "vectors": count,
        "about": kind.about,
        "input": members(kind.input),
        "output": members(kind.output),
        "source": kind.source,
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, PackError> {
    let failed = |source| PackError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(PACK_FILE_BYTES_MAX.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).map_or(true, |length| length > PACK_FILE_BYTES_MAX) {
        return Err(PackError::TooLarge {
            path: path.to_owned(),
        });
    }
    if bytes.is_empty() {
        return Err(failed(ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Value, PackError> {
    serde_json::from_slice(bytes).map_err(|source| PackError::Json {
        path: path.to_owned(),
        source,
    })
}

fn check_version(path: &Path, file: &Value) -> Result<(), PackError> {
    let path = path.to_owned();
    let number = |member: &str| file[member].as_u64();
    let (Some(format), Some(rules)) = (number("format"), number("rules")) else {
        return Err(PackError::Form {
            path,
            what: "no numbers \"format\" and \"rules\"".to_owned(),
        });
    };
    if format != FORMAT {
        return Err(PackError::Format { path, found: format });
    }
    if rules != u64::from(RULES_VERSION) {
        return Err(PackError::Rules { path, found: rules });
    }
    Ok(())
}

/// The vectors of one file, and their kind.
fn of_kind(path: &Path, bytes: &[u8]) -> Result<(Vec<Vector>, String), PackError> {
    let file = parse(path, bytes)?;
    let form = |what: String| PackError::Form {
        path: path.to_owned(),
        what,
    };
    check_version(path, &file)?;
    let kind = file["kind"]
        .as_str()
        .ok_or_else(|| form("no \"kind\"".to_owned()))?;
    let rows = file["vectors"]
        .as_array()
        .ok_or_else(|| form("no list \"vectors\"".to_owned()))?;
    let numbered = rows.iter().enumerate();
    let vectors: Result<Vec<Vector>, PackError> = numbered
        .map(|(at, row)| {
            let missing = |member| form(format!("vector {} has no {member:?}", at.saturating_add(1)));
            Vector::from_json(kind, row).map_err(missing)
        })
        .collect();
    Ok((vectors?, kind.to_owned()))
}
