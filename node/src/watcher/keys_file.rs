//! A fixed table of key records in a file, instead of DNS: `{"selector._domainkey.domain": "v=DKIM1; ..."}`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::dns::{KeyAnswer, KeyResolver, Lookup};
use crate::limits::KEYS_FILE_BYTES_MAX;
use chain::names::dkim_name;
use ledger::dkim::DkimName;

/// A fixed table of key records.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    records: BTreeMap<DkimName, Vec<u8>>,
}

/// Why a keys file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysFileError {
    /// It cannot be read.
    #[error("cannot read the keys file {path}: {source}; check the name and the mode", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("the keys file {path} is longer than {KEYS_FILE_BYTES_MAX} bytes; keep only the keys that are needed", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is not JSON; the error tells line and column.
    #[error("the keys file {path} is no JSON: {source}; mend that line", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: rpc::json::JsonInvalid,
    },
    /// It is JSON, but no object.
    #[error("the keys file {path} is no object; write {{\"selector._domainkey.domain\": \"v=DKIM1; ...\"}}", path = path.display())]
    NoObject {
        /// The file.
        path: PathBuf,
    },
    /// One of its names is no DKIM name.
    #[error("the keys file {path} names '{name}'; write selector._domainkey.domain", path = path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// One of its values is no text.
    #[error("the keys file {path} gives '{name}' no text; write its TXT record in quotes", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

impl KeyTable {
    /// Read a keys file.
    pub fn read(path: &Path) -> Result<Self, KeysFileError> {
        let unreadable = |source| KeysFileError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut text = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(KEYS_FILE_BYTES_MAX + 1)
            .read_to_end(&mut text)
            .map_err(unreadable)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > KEYS_FILE_BYTES_MAX {
            return Err(KeysFileError::TooLong {
                path: path.to_owned(),
            });
        }
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &[u8]) -> Result<Self, KeysFileError> {
        let parsed = rpc::json::parse(text).map_err(|source| KeysFileError::Json {
            path: path.to_owned(),
            source,
        })?;
        let Value::Object(members) = parsed else {
            return Err(KeysFileError::NoObject {
                path: path.to_owned(),
            });
        };
        let mut records = BTreeMap::new();
        for (name, value) in members {
            let Some(key) = parse_name(&name) else {
                return Err(KeysFileError::Name {
                    path: path.to_owned(),
                    name,
                });
            };
            let Value::String(record) = value else {
                return Err(KeysFileError::Record {
                    path: path.to_owned(),
                    name,
                });
            };
            records.insert(key, record.into_bytes());
        }
        Ok(Self { records })
    }

    /// A table of the caller's, for tests and the demo. Names that are no DKIM names are left out.
    #[must_use]
    pub fn from_records(records: &[(&str, &str)]) -> Self {
        let records = records
            .iter()
            .filter_map(|(name, record)| Some((parse_name(name)?, record.as_bytes().to_vec())))
            .collect();
        Self { records }
    }

    /// The record of a name.
    #[must_use]
    pub fn record(&self, name: &DkimName) -> Option<&[u8]> {
        self.records.get(name).map(Vec::as_slice)
    }

    /// All names and records.
    pub fn iter(&self) -> impl Iterator<Item = (&DkimName, &[u8])> {
        self.records
            .iter()
            .map(|(name, record)| (name, record.as_slice()))
    }
}

impl KeyResolver for KeyTable {
    fn look_up<'a>(&'a self, name: &'a DkimName) -> Lookup<'a> {
        let answer = self
            .record(name)
            .map_or(KeyAnswer::Absent, |record| KeyAnswer::Record(record.to_vec()));
        Box::pin(std::future::ready(answer))
    }
}

fn parse_name(name: &str) -> Option<DkimName> {
    let (selector, domain) = name.trim_end_matches('.').split_once("._domainkey.")?;
    dkim_name(domain, selector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<KeyTable, KeysFileError> {
        KeyTable::parse(Path::new("keys.json"), text.as_bytes())
    }

    #[test]
    fn accepts_names_of_any_case_with_or_without_final_dot() {
        let table = parse(r#"{"S1._DomainKey.x": "no", "Sel._domainkey.Mail.Example.": "v=DKIM1; p=AA"}"#);
        assert!(matches!(table, Err(KeysFileError::Name { name, .. }) if name == "S1._DomainKey.x"));
        let table = parse(r#"{"Sel._domainkey.Mail.Example.": "v=DKIM1; p=AA"}"#).expect("valid");
        assert_eq!(
            table.record(&dkim_name("mail.example", "sel").expect("a name")),
            Some(&b"v=DKIM1; p=AA"[..])
        );
        assert_eq!(
            table.record(&dkim_name("mail.example", "other").expect("a name")),
            None
        );
    }

    #[test]
    fn rejects_broken_files_and_says_where() {
        let message = parse("{\n\"a._domainkey.b.c\": \"x\",\n!}")
            .expect_err("broken")
            .to_string();
        assert!(
            message.contains("keys.json") && message.contains("line 3"),
            "{message}"
        );
        let message = parse(r#"{"a._domainkey.b.c": 1}"#)
            .expect_err("broken")
            .to_string();
        assert!(message.contains("'a._domainkey.b.c'"), "{message}");
        assert!(matches!(parse("[]"), Err(KeysFileError::NoObject { .. })));
        assert!(matches!(
            parse(r#"{"a.b.c": "x"}"#),
            Err(KeysFileError::Name { .. })
        ));
        let twice = r#"{"a._domainkey.b.c": "x", "a._domainkey.b.c": "y"}"#;
        assert!(matches!(parse(twice), Err(KeysFileError::Json { .. })));
        let missing = KeyTable::read(Path::new("/nonexistent/keys.json"))
            .expect_err("missing")
            .to_string();
        assert!(missing.contains("/nonexistent/keys.json"), "{missing}");
    }
}
