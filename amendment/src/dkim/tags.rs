//! Tag lists of RFC 6376 3.2: `name=value; name=value[;]`. Used by the DKIM-Signature field and by key
//! records. Knows the syntax only, no tag's meaning. Stricter than the RFC: lower-case names that begin with
//! a letter, no empty tag, no duplicate.
//!
//! Spec: 4.1.

use thiserror::Error;

use crate::mail::text::{each_byte, has_twins, is_fws, split_at_byte, trim_fws};

/// Why a tag list is refused. Spec: 4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TagListError {
    /// Nothing stands between two semicolons.
    #[error("an empty tag")]
    EmptyTag,
    /// A tag without `=`.
    #[error("a tag without an equals sign")]
    NoEquals,
    /// A tag name that does not match `[a-z][a-z0-9_]*`.
    #[error("a tag name that is not lower-case letters, digits and underscores")]
    Name,
    /// One name twice.
    #[error("a tag that appears twice")]
    Duplicate,
    /// A byte in a value that is neither printable ASCII nor folding white space.
    #[error("a tag value that is not printable ASCII")]
    Value,
}

/// A checked tag list; values stand as received, without white space at their ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagList<'a> {
    names: Vec<&'a [u8]>,
    /// The value of the name at the same place.
    values: Vec<&'a [u8]>,
}

impl<'a> TagList<'a> {
    /// Tag names and values by RFC 6376 3.2 with the restrictions of spec 4.1; a final `;` is allowed.
    pub fn parse(list: &'a [u8]) -> Result<TagList<'a>, TagListError> {
        let mut names = Vec::with_capacity(TAGS_EXPECTED);
        let mut values = Vec::with_capacity(TAGS_EXPECTED);
        let mut rest = Some(list);
        while let Some(bytes) = rest {
            let (tag, after) = match split_at_byte(bytes, b';') {
                Some((tag, after)) => (tag, Some(after)),
                None => (bytes, None),
            };
            rest = after;
            if tag.iter().all(|b| is_fws(*b)) {
                // Only what follows the last semicolon may be empty, and only if there is a tag before it.
                if rest.is_none() && !names.is_empty() {
                    break;
                }
                return Err(TagListError::EmptyTag);
            }
            // Names are short: looking at each byte is quicker than a search made for long texts.
            let equals = tag
                .iter()
                .position(|b| *b == b'=')
                .ok_or(TagListError::NoEquals)?;
            let (name, value) = tag.split_at_checked(equals).ok_or(TagListError::NoEquals)?;
            let (name, value) = (trim_fws(name), value.get(1..).unwrap_or_default());
            check_name(name)?;
            check_value(value)?;
            names.push(name);
            values.push(trim_fws(value));
        }
        if has_twins(&names) {
            return Err(TagListError::Duplicate);
        }
        Ok(TagList { names, values })
    }

    /// The value of a tag.
    pub(crate) fn value(&self, name: &str) -> Option<&'a [u8]> {
        let at = self
            .names
            .iter()
            .position(|known| is_same(known, name.as_bytes()))?;
        self.values.get(at).copied()
    }

    /// The name of the first tag.
    pub(crate) fn first_name(&self) -> &'a [u8] {
        self.names.first().copied().unwrap_or_default()
    }
}

/// Tags that a list has room for before it grows; real signatures have 7 to 14.
const TAGS_EXPECTED: usize = 16;

/// Equality of short names, of which most differ in their first byte or their length.
fn is_same(name: &[u8], other: &[u8]) -> bool {
    name.len() == other.len() && name.first() == other.first() && name == other
}

fn check_name(name: &[u8]) -> Result<(), TagListError> {
    let (head, tail) = name.split_first().ok_or(TagListError::Name)?;
    let legal = head.is_ascii_lowercase()
        && tail
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_');
    if legal { Ok(()) } else { Err(TagListError::Name) }
}

fn check_value(value: &[u8]) -> Result<(), TagListError> {
    if each_byte(value, |b| (b' '..=b'~').contains(&b)) {
        return Ok(());
    }
    let mut previous = 0;
    for byte in value.iter().copied() {
        let follows = match previous {
            b'\r' => byte == b'\n',
            b'\n' => matches!(byte, b' ' | b'\t'),
            _ => byte.is_ascii_graphic() || (is_fws(byte) && byte != b'\n'),
        };
        if !follows {
            return Err(TagListError::Value);
        }
        previous = byte;
    }
    if matches!(previous, b'\r' | b'\n') {
        Err(TagListError::Value)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_tag_list() {
        let list =
            TagList::parse(b" v=1; a = rsa-sha256 ;\r\n\tb=Zm9v\r\n YmFy; x_1=; z=a=b; ").expect("legal");
        assert_eq!(list.first_name(), b"v");
        assert_eq!(list.value("a"), Some(&b"rsa-sha256"[..]));
        assert_eq!(list.value("b"), Some(&b"Zm9v\r\n YmFy"[..]));
        assert_eq!(list.value("x_1"), Some(&b""[..]));
        assert_eq!(list.value("z"), Some(&b"a=b"[..]));
        assert_eq!(list.value("q"), None);
    }

    #[test]
    fn rejects_empty_nameless_duplicate_and_foreign_tags() {
        for (text, error) in [
            (&b""[..], TagListError::EmptyTag),
            (b"v=1;;a=b", TagListError::EmptyTag),
            (b"v=1; ; ", TagListError::EmptyTag),
            (b";v=1", TagListError::EmptyTag),
            (b"v=1; a", TagListError::NoEquals),
            (b"v=1; =b", TagListError::Name),
            (b"V=1", TagListError::Name),
            (b"1v=1", TagListError::Name),
            (b"v =1; a b=1", TagListError::Name),
            (b"v=1; v=1", TagListError::Duplicate),
            (b"v=\xc3\xa4", TagListError::Value),
            (b"v=\x00", TagListError::Value),
            (b"v=1\r\n; a=1", TagListError::Value),
            (b"v=1\n a", TagListError::Value),
        ] {
            assert_eq!(
                TagList::parse(text),
                Err(error),
                "{}",
                String::from_utf8_lossy(text)
            );
        }
    }
}
