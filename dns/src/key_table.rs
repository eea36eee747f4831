//! A fixed table of key records in a file, instead of DNS: `{"selector._domainkey.domain": "v=DKIM1; ..."}`,
//! or a list of records in place of one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use amendment::KeyName;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::answer::{Answer, Published};
use crate::key_resolver::{KeyResolver, Lookup};
use crate::limits::KEYS_FILE_BYTES_MAX;

/// A fixed table of key records. It stands for all of DNS: a name that it does not hold has no record.
///
/// ```
/// use amendment::{KeyAnswer, KeyName};
/// use dns::{Answer, KeyTable};
///
/// let text = r#"{"S1._domainkey.Mail.Example": "v=DKIM1; p="}"#;
/// let table = KeyTable::parse("keys.json".as_ref(), text.as_bytes())?;
/// let name = KeyName::parse("s1._domainkey.mail.example").ok_or("a key's name")?;
/// assert_eq!(table.records(&name), [b"v=DKIM1; p="]);
/// assert!(matches!(table.answer(&name).key(), KeyAnswer::Unusable(_)));
/// let other = KeyName::parse("s2._domainkey.mail.example").ok_or("a key's name")?;
/// assert_eq!(table.answer(&other), Answer::Absent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    records: BTreeMap<KeyName, Vec<Vec<u8>>>,
    left_out: Vec<String>,
}

/// Why a keys file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysFileError {
    /// It cannot be read.
    #[error("cannot read the keys file {path}: {source}; check the name and the mode", path = path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("the keys file {path} is longer than {KEYS_FILE_BYTES_MAX} bytes; keep only the keys that are needed", path = path.display())]
    TooLong {
        /// Its path.
        path: PathBuf,
    },
    /// It is not one JSON object; the error tells line and column.
    #[error("the keys file {path} is not a table of keys: {source}; write {{\"selector._domainkey.domain\": \"v=DKIM1; ...\"}}", path = path.display())]
    Malformed {
        /// Its path.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// One of its names is not the name of a key.
    #[error("the keys file {path} names '{name}'; write selector._domainkey.domain", path = path.display())]
    Name {
        /// Its path.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// One of its values is neither a text nor a list of texts.
    #[error("the keys file {path} gives '{name}' no text; write its TXT record in quotes, or a list of such records", path = path.display())]
    Record {
        /// Its path.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// It names a key twice.
    #[error("the keys file {path} names '{name}' twice; keep one, with the list of its records", path = path.display())]
    Twice {
        /// Its path.
        path: PathBuf,
        /// The name.
        name: String,
    },
}

impl KeyTable {
    /// Reads a keys file.
    pub fn read(path: &Path) -> Result<KeyTable, KeysFileError> {
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

    /// Reads the text of a keys file; `path` is for the error alone.
    pub fn parse(path: &Path, text: &[u8]) -> Result<KeyTable, KeysFileError> {
        let path = || path.to_owned();
        let Rows(rows) = serde_json::from_slice(text)
            .map_err(|source| KeysFileError::Malformed { path: path(), source })?;
        let mut table = KeyTable::default();
        for (name, value) in rows {
            let Some(key) = KeyName::parse(&name) else {
                if name.to_ascii_lowercase().contains("._domainkey.") {
                    table.left_out.push(name);
                    continue;
                }
                return Err(KeysFileError::Name { path: path(), name });
            };
            let Some(records) = records_of(value) else {
                return Err(KeysFileError::Record { path: path(), name });
            };
            if table.records.insert(key, records).is_some() {
                return Err(KeysFileError::Twice { path: path(), name });
            }
        }
        Ok(table)
    }

    /// A table of the caller's, for tests and the demo. Names that are none of a key are left out.
    #[must_use]
    pub fn from_records(records: &[(&str, &str)]) -> KeyTable {
        let records = records
            .iter()
            .filter_map(|(name, record)| Some((KeyName::parse(name)?, vec![record.as_bytes().to_vec()])))
            .collect();
        KeyTable {
            records,
            left_out: Vec::new(),
        }
    }

    /// The records of a name; none where there are none.
    #[must_use]
    pub fn records(&self, name: &KeyName) -> &[Vec<u8>] {
        self.records.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// All names, each with its records.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyName, &[Vec<u8>])> {
        self.records
            .iter()
            .map(|(name, records)| (name, records.as_slice()))
    }

    /// Names below `_domainkey` that no key can have, so that no mail can lead to them (rule 4.4).
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// What a DNS with this table says. It may not be kept: a test may change the table.
    #[must_use]
    pub fn answer(&self, name: &KeyName) -> Answer<Published> {
        Answer::of_records(self.records(name).to_vec(), 0)
    }
}

/// One record in UTF-8, or a list of them in which each character stands for one byte (U+0000 to U+00FF), as
/// in `fixtures/cases`. `None` for anything else.
fn records_of(value: Value) -> Option<Vec<Vec<u8>>> {
    match value {
        Value::String(record) => Some(vec![record.into_bytes()]),
        Value::Array(records) => records
            .iter()
            .map(|record| record.as_str()?.chars().map(|c| u8::try_from(c).ok()).collect())
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

impl KeyResolver for KeyTable {
    fn look_up<'a>(&'a self, name: &'a KeyName) -> Lookup<'a> {
        Box::pin(std::future::ready(self.answer(name)))
    }
}

/// The members of an object in their order; a map would keep the last of two equal names in silence.
struct Rows(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows, D::Error> {
        deserializer.deserialize_map(RowsVisitor)
    }
}

struct RowsVisitor;

impl<'de> Visitor<'de> for RowsVisitor {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of TXT records by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Rows, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = access.next_entry()? {
            rows.push(row);
        }
        Ok(Rows(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<KeyTable, KeysFileError> {
        KeyTable::parse(Path::new("keys.json"), text.as_bytes())
    }

    fn refusal(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    fn name(text: &str) -> KeyName {
        KeyName::parse(text).expect("a name")
    }

    #[test]
    fn accepts_names_of_any_case_with_or_without_final_dot() {
        let table = parse(r#"{"Sel._domainkey.Mail.Example.": "v=DKIM1; p=AA"}"#).expect("valid");
        let found = table.records(&name("sel._domainkey.mail.example"));
        assert_eq!(found, [b"v=DKIM1; p=AA"]);
        assert!(table.records(&name("other._domainkey.mail.example")).is_empty());
    }

    /// The form of `fixtures/cases` (its README): a list, each character one byte.
    #[test]
    fn accepts_a_list_of_records() {
        let text = r#"{"a._domainkey.b.c": ["v=DKIM1; n=\u00e9"], "b._domainkey.b.c": [], "c._domainkey.b.c": ["x", "y"]}"#;
        let table = parse(text).expect("valid");
        let of = |selector: &str| {
            table
                .records(&name(&format!("{selector}._domainkey.b.c")))
                .to_vec()
        };
        assert_eq!(of("a"), [b"v=DKIM1; n=\xe9"]);
        assert_eq!(of("b"), Vec::<Vec<u8>>::new());
        assert_eq!(of("c"), [b"x", b"y"]);
        assert_eq!(table.answer(&name("b._domainkey.b.c")), Answer::Absent);
    }

    #[test]
    fn names_that_no_mail_can_lead_to_are_left_out_and_told() {
        let wrong = [
            "S1._DomainKey.x",
            "._domainkey.b.c",
            "a._domainkey.b..c",
            "a_b._domainkey.-b.c",
        ];
        for wrong in wrong {
            let table = parse(&format!("{{\"{wrong}\": \"x\", \"a._domainkey.b.c\": \"x\"}}")).expect(wrong);
            assert_eq!(table.left_out(), [wrong]);
            assert_eq!(table.records(&name("a._domainkey.b.c")).len(), 1);
        }
    }

    #[test]
    fn rejects_names_that_are_not_below_domainkey() {
        for wrong in ["a.b.c", "", "_domainkey.b.c", "a._domainkeys.b.c"] {
            let refused = parse(&format!("{{\"{wrong}\": \"x\"}}"));
            assert!(
                matches!(&refused, Err(KeysFileError::Name { name, .. }) if name == wrong),
                "{wrong}: {refused:?}"
            );
        }
    }

    #[test]
    fn rejects_a_name_given_twice_in_any_spelling() {
        for second in ["a._domainkey.b.c", "A._domainkey.b.c", "a._domainkey.b.c."] {
            let text = format!("{{\"a._domainkey.b.c\": \"x\", \"{second}\": \"x\"}}");
            assert!(
                matches!(parse(&text), Err(KeysFileError::Twice { .. })),
                "{second}"
            );
        }
    }

    #[test]
    fn rejects_broken_files_and_says_where() {
        let broken = refusal("{\n\"a._domainkey.b.c\": \"x\",\n!}");
        assert!(
            broken.contains("keys.json") && broken.contains("line 3"),
            "{broken}"
        );
        for value in ["1", "null", "{}", "[1]", "[[]]", "[\"\\u0100\"]"] {
            let said = refusal(&format!("{{\"a._domainkey.b.c\": {value}}}"));
            assert!(said.contains("'a._domainkey.b.c' no text"), "{said}");
        }
        for text in ["", "[]", "null", "{} {}", "\"a\""] {
            assert!(
                matches!(parse(text), Err(KeysFileError::Malformed { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_files_that_are_missing_or_too_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        let missing = KeyTable::read(&path).expect_err("missing").to_string();
        assert!(
            missing.contains("keys.json") && missing.contains("the mode"),
            "{missing}"
        );
        std::fs::write(&path, r#"{"a._domainkey.b.c": "x"}"#).expect("written");
        assert_eq!(KeyTable::read(&path).expect("read").records.len(), 1);
        let file = File::create(&path).expect("a file");
        file.set_len(KEYS_FILE_BYTES_MAX + 1).expect("grown");
        assert!(matches!(
            KeyTable::read(&path),
            Err(KeysFileError::TooLong { .. })
        ));
    }
}
