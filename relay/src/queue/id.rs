//! The one name of a mail in the relay.

use std::fmt;
use std::str::FromStr;

use amendment::EmailId;
use serde::{Deserialize, Serialize};

/// Key of an entry, 32 bytes, shown as upper-case hex.
///
/// For an order whose signature the relay has proved it is the EmailID, so that two copies are one entry. A
/// mail whose signature is not proved yet has a key of its own bytes: a forgery must not take the place of
/// the true mail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailId([u8; 32]);

impl MailId {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> MailId {
        MailId(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<EmailId> for MailId {
    fn from(id: EmailId) -> MailId {
        MailId(*id.hash().as_bytes())
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

impl fmt::Debug for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no MailId.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 64 hex digits are expected")]
pub struct MailIdError;

impl FromStr for MailId {
    type Err = MailIdError;
    fn from_str(text: &str) -> Result<MailId, MailIdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| MailIdError)?;
        Ok(MailId(bytes))
    }
}

impl Serialize for MailId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MailId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<MailId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
