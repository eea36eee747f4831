//! DKIM key records: the TXT text of `selector._domainkey.domain`, and the key that a DKIMKey entry holds.
//! Knows neither DNS nor the ledger.
//!
//! Spec: 4.5, 7.1. Stricter than RFC 6376 3.6.1: test mode refused, strict DER, one record per name.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
};
use codec::hash::sha512_half;
use codec::{Hash256, keylet};
use ed25519_dalek::VerifyingKey;
use thiserror::Error;

use crate::dkim::der::{self, RsaKey, RsaKeyError};
use crate::dkim::ed25519::{self, Ed25519KeyError};
use crate::dkim::tags::{TagList, TagListError};
use crate::limits::{KEY_RECORD_BYTES_MAX, RSA_STRONG_BITS_MIN};
use crate::mail::base64;
use crate::mail::text::trim_fws;

/// Flag of a DKIMKey entry whose record says `t=s`: `i=` must equal `d=`. Spec: 4.5.
pub const LSF_DKIM_STRICT: u32 = 0x0000_0001;

/// Why a record makes no key. Spec: 4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyRecordError {
    /// More bytes than a 4096-bit key needs.
    #[error("it is too long")]
    TooLong,
    /// Several TXT records for one name.
    #[error("there are several records for one name")]
    Several,
    /// Not a tag list of rule 4.1.
    #[error("it holds {0}")]
    Tags(#[from] TagListError),
    /// `v=` that is not first or not DKIM1.
    #[error("its version is not DKIM1, or not its first tag")]
    Version,
    /// `p=` is missing.
    #[error("it has no p=")]
    NoKey,
    /// `p=` is empty: the provider withdrew the key.
    #[error("its p= is empty, so the provider has withdrawn the key")]
    Revoked,
    /// `p=` is not canonical base64.
    #[error("its p= is not clean base64")]
    Base64,
    /// `k=` is neither rsa nor ed25519.
    #[error("its k= is neither rsa nor ed25519")]
    Algorithm,
    /// `h=` without sha256.
    #[error("its h= does not allow sha256")]
    Hash,
    /// `s=` that is neither `*` nor email.
    #[error("its s= does not allow email")]
    Service,
    /// `t=y`.
    #[error("it says that the domain is only testing")]
    Testing,
    /// The RSA key is refused.
    #[error("{0}")]
    Rsa(#[from] RsaKeyError),
    /// The Ed25519 key is refused.
    #[error("{0}")]
    Ed25519(#[from] Ed25519KeyError),
}

/// The algorithm of a key; as DKIMKeyType 1 is rsa, 2 is ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA with PKCS#1 v1.5.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl KeyType {
    /// Value of DKIMKeyType and NextKeyType.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            KeyType::Rsa => 1,
            KeyType::Ed25519 => 2,
        }
    }

    /// The type of a code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<KeyType> {
        match code {
            1 => Some(KeyType::Rsa),
            2 => Some(KeyType::Ed25519),
            _ => None,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyType::Rsa => "rsa",
            KeyType::Ed25519 => "ed25519",
        })
    }
}

/// A public key in the form in which its library computes. Only keys of rule 4.5 become one.
pub(crate) enum LibraryKey {
    Rsa {
        key: Box<ParsedPublicKey>,
        /// Big-endian, without leading zeros.
        modulus: Vec<u8>,
    },
    Ed25519(VerifyingKey),
}

impl LibraryKey {
    /// Checks the key by rule 4.5 and prepares it.
    ///
    /// Spec: 4.5.
    pub(crate) fn parse(key_type: KeyType, public_key: &[u8]) -> Result<LibraryKey, KeyRecordError> {
        match key_type {
            KeyType::Rsa => {
                let components = der::rsa_key(public_key)?;
                let key = library_components(&components)
                    .to_parsed_public_key(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
                    // Not reached: the library takes every key within the bounds of 4.5
                    // (tests/data/rsa_edges.json).
                    .map_err(|_| RsaKeyError::Modulus)?;
                Ok(LibraryKey::Rsa {
                    key: Box::new(key),
                    modulus: components.modulus.to_vec(),
                })
            }
            KeyType::Ed25519 => Ok(LibraryKey::Ed25519(ed25519::public_key(public_key)?)),
        }
    }
}

pub(crate) fn library_components<'a>(key: &RsaKey<'a>) -> RsaPublicKeyComponents<&'a [u8]> {
    RsaPublicKeyComponents {
        n: key.modulus,
        e: key.exponent,
    }
}

/// Whether `i=` may lie below `d=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subdomains {
    /// `i=` may be in a subdomain of `d=`.
    Allowed,
    /// `t=s`: `i=` must equal `d=`.
    Refused,
}

/// A usable key; its bytes were checked by rule 4.5 when it was made.
#[derive(Clone)]
pub struct KeyRecord {
    key: Arc<PreparedKey>,
    subdomains: Subdomains,
}

/// A key that was checked and prepared once; many records and proofs share it.
pub(crate) struct PreparedKey {
    key_type: KeyType,
    public_key: Vec<u8>,
    library: LibraryKey,
    hash: Hash256,
    leak_keylet: Hash256,
}

impl PreparedKey {
    /// Checks a key.
    ///
    /// Spec: 4.5.
    pub(crate) fn parse(key_type: KeyType, public_key: &[u8]) -> Result<PreparedKey, KeyRecordError> {
        let library = LibraryKey::parse(key_type, public_key)?;
        let hash = sha512_half(&[match &library {
            LibraryKey::Rsa { modulus, .. } => modulus.as_slice(),
            LibraryKey::Ed25519(key) => key.as_bytes(),
        }]);
        Ok(PreparedKey {
            key_type,
            public_key: public_key.to_vec(),
            library,
            hash,
            leak_keylet: keylet::dkim_leak(&hash),
        })
    }

    /// The algorithm.
    pub(crate) fn key_type(&self) -> KeyType {
        self.key_type
    }
}

impl PartialEq for KeyRecord {
    fn eq(&self, other: &KeyRecord) -> bool {
        self.key_type() == other.key_type()
            && self.public_key() == other.public_key()
            && self.subdomains == other.subdomains
    }
}

impl Eq for KeyRecord {}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("key_type", &self.key_type())
            .field("public_key", &self.public_key())
            .field("subdomains", &self.subdomains)
            .finish()
    }
}

impl KeyRecord {
    /// From what a DKIMKey entry holds.
    ///
    /// Spec: 4.5, 7.1.
    pub fn from_entry(key_type: KeyType, public_key: &[u8], flags: u32) -> Result<KeyRecord, KeyRecordError> {
        let key = PreparedKey::parse(key_type, public_key)?;
        Ok(KeyRecord::of(Arc::new(key), flags))
    }

    /// A prepared key with the flags of its entry.
    pub(crate) fn of(key: Arc<PreparedKey>, flags: u32) -> KeyRecord {
        let subdomains = if flags & LSF_DKIM_STRICT == 0 {
            Subdomains::Allowed
        } else {
            Subdomains::Refused
        };
        KeyRecord { key, subdomains }
    }

    /// The algorithm; its code is the DKIMKeyType of the entry.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key.key_type
    }

    /// The decoded `p=`: PublicKey of the entry.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.key.public_key
    }

    /// The name of the key whatever its encoding and whoever publishes it: SHA-512Half of the RSA modulus, or of the
    /// 32 bytes of an Ed25519 key.
    ///
    /// Spec: 7.9.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        self.key.hash
    }

    /// Where a ledger has the DKIMLeak of this key, if it has one.
    ///
    /// Spec: 7.9.
    #[must_use]
    pub fn leak_keylet(&self) -> Hash256 {
        self.key.leak_keylet
    }

    /// What the proof computes with.
    pub(crate) fn library(&self) -> &LibraryKey {
        &self.key.library
    }

    /// Whether `i=` may lie below `d=`.
    #[must_use]
    pub fn subdomains(&self) -> Subdomains {
        self.subdomains
    }

    /// How many bits the key has where it is weak: an RSA key that rule 4.5 takes, shorter than signers should use.
    ///
    /// Spec: 14.
    #[must_use]
    pub fn weak_bits(&self) -> Option<usize> {
        match &self.key.library {
            LibraryKey::Rsa { modulus, .. } => {
                Some(der::bit_length(modulus)).filter(|bits| *bits < RSA_STRONG_BITS_MIN)
            }
            LibraryKey::Ed25519(_) => None,
        }
    }

    /// Flags of the entry.
    #[must_use]
    pub fn flags(&self) -> u32 {
        match self.subdomains {
            Subdomains::Allowed => 0,
            Subdomains::Refused => LSF_DKIM_STRICT,
        }
    }
}

/// A key record, its strings joined.
///
/// Spec: 4.5.
///
/// ```
/// use amendment::key_record::{KeyRecordError, KeyType, parse_txt};
///
/// let record = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
/// assert_eq!(parse_txt(record)?.key_type(), KeyType::Ed25519);
/// assert_eq!(parse_txt(b"v=DKIM1; p="), Err(KeyRecordError::Revoked));
/// # Ok::<(), KeyRecordError>(())
/// ```
pub fn parse_txt(record: &[u8]) -> Result<KeyRecord, KeyRecordError> {
    if record.len() > KEY_RECORD_BYTES_MAX {
        return Err(KeyRecordError::TooLong);
    }
    let tags = TagList::parse(record)?;
    if let Some(version) = tags.value("v")
        && (version != b"DKIM1" || tags.first_name() != b"v")
    {
        return Err(KeyRecordError::Version);
    }
    if let Some(hashes) = tags.value("h")
        && !holds(hashes, b"sha256")
    {
        return Err(KeyRecordError::Hash);
    }
    if let Some(services) = tags.value("s")
        && !holds(services, b"*")
        && !holds(services, b"email")
    {
        return Err(KeyRecordError::Service);
    }
    let flags = tags.value("t").unwrap_or_default();
    if holds(flags, b"y") {
        return Err(KeyRecordError::Testing);
    }
    let entry_flags = if holds(flags, b"s") { LSF_DKIM_STRICT } else { 0 };
    let key_type = match tags.value("k") {
        None | Some(b"rsa") => KeyType::Rsa,
        Some(b"ed25519") => KeyType::Ed25519,
        Some(_) => return Err(KeyRecordError::Algorithm),
    };
    let text = tags.value("p").ok_or(KeyRecordError::NoKey)?;
    if text.is_empty() {
        return Err(KeyRecordError::Revoked);
    }
    let public_key = base64::decode_tag(text).ok_or(KeyRecordError::Base64)?;
    KeyRecord::from_entry(key_type, &public_key, entry_flags)
}

/// A record of DNS that makes a key. Only reading the record makes one, so text and key belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKey {
    text: Vec<u8>,
    key: KeyRecord,
}

impl PublishedKey {
    /// Reads a record, its strings joined.
    ///
    /// Spec: 4.5.
    pub fn parse(text: Vec<u8>) -> Result<PublishedKey, KeyRecordError> {
        let key = parse_txt(&text)?;
        Ok(PublishedKey { text, key })
    }

    /// The record: what an attestation signs.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &KeyRecord {
        &self.key
    }
}

/// The records that DNS holds for one name: none is no key, several are unusable.
///
/// Spec: 4.5, 7.2.
#[must_use]
pub fn parse_answer(mut records: Vec<Vec<u8>>) -> Option<Result<PublishedKey, KeyRecordError>> {
    let record = records.pop()?;
    if !records.is_empty() {
        return Some(Err(KeyRecordError::Several));
    }
    Some(PublishedKey::parse(record))
}

/// Whether a list with colons names the item.
fn holds(list: &[u8], item: &[u8]) -> bool {
    list.split(|b| *b == b':').any(|entry| trim_fws(entry) == item)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8463 A.2: the Ed25519 key and the RSA key of its example.
    const ED: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

    fn parse(text: &str) -> Result<KeyRecord, KeyRecordError> {
        parse_txt(text.as_bytes())
    }

    #[test]
    fn accepts_records_of_both_algorithms() {
        for text in [
            format!("v=DKIM1; k=rsa; p={RSA}"),
            format!("p={RSA};"),
            format!("v=DKIM1; h=sha1 : sha256; s=email; t=x; n=note; p={RSA}"),
            format!("k=rsa; g=*; s=*; p={}", RSA.replace("BiQKB", "BiQ KB")),
        ] {
            let key = parse(&text).expect("usable");
            assert_eq!((key.key_type(), key.flags()), (KeyType::Rsa, 0), "{text}");
        }
        let key = parse(&format!("v=DKIM1; k=ed25519; t=s; p={ED}")).expect("usable");
        assert_eq!(
            (key.key_type(), key.flags(), key.public_key().len()),
            (KeyType::Ed25519, LSF_DKIM_STRICT, 32)
        );
        assert_eq!(
            KeyRecord::from_entry(key.key_type(), key.public_key(), key.flags()),
            Ok(key)
        );
    }

    #[test]
    fn rejects_records_that_make_no_key() {
        for (text, error) in [
            (String::new(), KeyRecordError::Tags(TagListError::EmptyTag)),
            (
                format!("v=DKIM1; p={RSA}; p={RSA}"),
                KeyRecordError::Tags(TagListError::Duplicate),
            ),
            (
                format!("v=DKIM1;; p={RSA}"),
                KeyRecordError::Tags(TagListError::EmptyTag),
            ),
            (format!("v=DKIM2; p={RSA}"), KeyRecordError::Version),
            (format!("v=dkim1; p={RSA}"), KeyRecordError::Version),
            (format!("p={RSA}; v=DKIM1"), KeyRecordError::Version),
            ("v=DKIM1; k=rsa".to_owned(), KeyRecordError::NoKey),
            ("v=DKIM1; k=rsa; p=".to_owned(), KeyRecordError::Revoked),
            (format!("v=DKIM1; p={RSA}="), KeyRecordError::Base64),
            (format!("v=DKIM1; p={}", &RSA[1..]), KeyRecordError::Base64),
            (format!("v=DKIM1; k=RSA; p={RSA}"), KeyRecordError::Algorithm),
            (format!("v=DKIM1; h=sha1; p={RSA}"), KeyRecordError::Hash),
            (format!("v=DKIM1; s=tlsrpt; p={RSA}"), KeyRecordError::Service),
            (format!("v=DKIM1; t=y:s; p={RSA}"), KeyRecordError::Testing),
            (
                format!("v=DKIM1; k=rsa; p={ED}"),
                KeyRecordError::Rsa(RsaKeyError::Der),
            ),
            (
                format!("v=DKIM1; k=ed25519; p={RSA}"),
                KeyRecordError::Ed25519(Ed25519KeyError::Length),
            ),
            (
                format!("v=DKIM1; n={}; p={RSA}", "x".repeat(KEY_RECORD_BYTES_MAX)),
                KeyRecordError::TooLong,
            ),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn rejects_several_records_for_one_name() {
        let record = format!("v=DKIM1; k=ed25519; p={ED}").into_bytes();
        assert_eq!(parse_answer(Vec::new()), None);
        let one = parse_answer(vec![record.clone()]).unwrap().unwrap();
        assert_eq!(
            (one.text(), Ok(one.key())),
            (record.as_slice(), parse_txt(&record).as_ref())
        );
        let spf = b"v=spf1 -all".to_vec();
        assert_eq!(
            parse_answer(vec![record.clone(), record.clone()]),
            Some(Err(KeyRecordError::Several))
        );
        assert_eq!(
            parse_answer(vec![record, spf]),
            Some(Err(KeyRecordError::Several))
        );
    }
}
