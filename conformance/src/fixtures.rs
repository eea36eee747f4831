//! The fixtures within the program.

use serde_json::Value;

/// Name below `fixtures` and content, sorted by name.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A fixture that does not hold what a vector needs: the build took a broken one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fixtures/{file}: {what}")]
pub struct FixtureError {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

impl FixtureError {
    /// Of a file.
    pub(crate) fn new(file: &str, what: impl ToString) -> FixtureError {
        FixtureError {
            file: file.to_owned(),
            what: what.to_string(),
        }
    }
}

/// A file by its name.
pub(crate) fn file(name: &str) -> Result<&'static [u8], FixtureError> {
    let at = FILES.binary_search_by_key(&name, |(name, _)| *name);
    let found = at.ok().and_then(|at| FILES.get(at));
    found
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| FixtureError::new(name, "is missing"))
}

/// A file that holds JSON.
pub(crate) fn json(name: &str) -> Result<Value, FixtureError> {
    serde_json::from_slice(file(name)?).map_err(|error| FixtureError::new(name, error))
}

/// Files whose name begins so.
pub(crate) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let files = FILES.iter().copied();
    files.filter(move |(name, _)| name.starts_with(folder))
}
