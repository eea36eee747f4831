//! Amounts as nodes write them.

use codec::Drops;
use serde_json::Value;

use super::members::{Members, drops, text};

/// An amount of a reply. Issued ones keep the node's spelling: they are shown, not computed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmountReply {
    /// XAH.
    Native(Drops),
    /// Of an issuer.
    Issued {
        /// The number.
        value: String,
        /// The currency's code.
        currency: String,
        /// The issuer, where it is named.
        issuer: Option<String>,
    },
}

impl AmountReply {
    /// Drops of XAH; `None` for issued money.
    #[must_use]
    pub fn drops(&self) -> Option<Drops> {
        match self {
            AmountReply::Native(drops) => Some(*drops),
            AmountReply::Issued { .. } => None,
        }
    }

    pub(crate) fn read(value: &Value) -> Option<AmountReply> {
        if value.is_string() {
            return drops(value).map(AmountReply::Native);
        }
        let members = Members::of(value);
        Some(AmountReply::Issued {
            value: members.shown("value", text)?,
            currency: members.shown("currency", text)?,
            issuer: members.shown("issuer", text),
        })
    }
}
