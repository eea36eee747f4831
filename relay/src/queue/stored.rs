//! How values are stored: JSON, in which a value of another crate stands as the text that shows it.
//!
//! What derives `Serialize` in this folder is version 3 of the file, which reads entries of version 2 too.
//! Version 1 is read by [`super::migrate`] alone.

use amendment::address::{CanonicalAddress, parse_sender};
use amendment::{EmailId, RekeyMark};
use codec::{AccountId, Drops, Hash256};
use rpc::reply::{Made, Receipt, Reserved, Sum};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::QueueError;

/// JSON of a row.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, QueueError> {
    serde_json::to_vec(value).map_err(|error| QueueError::Disk(format!("cannot be written as JSON: {error}")))
}

/// A row from its JSON.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// A value that is stored as the text that shows it.
pub(super) trait Text: Sized {
    /// What an error calls it.
    const NAME: &'static str;
    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
}

macro_rules! text {
    ($($type:ty, $name:literal: $read:expr;)*) => {$(
        impl $crate::queue::stored::Text for $type {
            const NAME: &'static str = $name;
            fn write(&self) -> String {
                self.to_string()
            }
            fn read(text: &str) -> Option<Self> {
                $read(text)
            }
        }
    )*};
}
pub(super) use text as store_as_text;

store_as_text! {
    AccountId, "classic address": |text| AccountId::parse_classic(text).ok();
    // What reads as another address is not canonical, and was never written here.
    CanonicalAddress, "canonical address": |text| parse_sender(text).ok().filter(|read| read.as_str() == text);
    Drops, "number of drops": |text: &str| text.parse().ok().map(Drops::new);
    EmailId, "EmailID": |text| Hash256::from_hex(text).map(EmailId::new);
    Hash256, "hash": Hash256::from_hex;
    RekeyMark, "mark": RekeyMark::parse;
    Sum, "sum of money": |text: &str| text.parse().ok();
}

fn read<'de, T: Text, D: Deserializer<'de>>(text: &str) -> Result<T, D::Error> {
    T::read(text).ok_or_else(|| D::Error::custom(format_args!("not a {}", T::NAME)))
}

/// `#[serde(with)]` for a [`Text`].
pub(super) mod text {
    use super::{Deserialize, Deserializer, Serializer, Text, read};

    pub(in crate::queue) fn serialize<T: Text, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.write())
    }

    pub(in crate::queue) fn deserialize<'de, T: Text, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        read::<T, D>(&String::deserialize(deserializer)?)
    }
}

/// `#[serde(with)]` for a [`Text`] that may be missing.
pub(super) mod optional_text {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Text, read};

    pub(in crate::queue) fn serialize<T: Text, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text::write).serialize(serializer)
    }

    pub(in crate::queue) fn deserialize<'de, T: Text, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| read::<T, D>(&text)).transpose()
    }
}

/// An amount in the JSON form of the ledger: a text of drops, or currency, issuer and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Money(pub(super) codec::Amount);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        codec::json::amount_to_json(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        let amount = codec::json::amount_from_json(&json);
        amount.map(Money).ok_or_else(|| D::Error::custom("not an amount"))
    }
}

/// A receipt.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredReceipt {
    #[serde(with = "text")]
    left: Sum,
    #[serde(with = "text")]
    arrived: Sum,
    #[serde(with = "text")]
    reserve: Drops,
    made: StoredMade,
    #[serde(with = "text")]
    fee: Drops,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredMade {
    Nothing,
    Account,
    Lines,
    AccountAndLines,
}

impl From<Receipt> for StoredReceipt {
    fn from(receipt: Receipt) -> StoredReceipt {
        StoredReceipt {
            left: receipt.left(),
            arrived: receipt.arrived(),
            reserve: receipt.reserve,
            made: match receipt.made {
                Made::Nothing => StoredMade::Nothing,
                Made::Account => StoredMade::Account,
                Made::Lines => StoredMade::Lines,
                Made::AccountAndLines => StoredMade::AccountAndLines,
            },
            fee: receipt.fee,
        }
    }
}

impl StoredReceipt {
    /// `None` where the two sums are of two kinds.
    fn read(self) -> Option<Receipt> {
        let reserved = Reserved {
            drops: self.reserve,
            made: match self.made {
                StoredMade::Nothing => Made::Nothing,
                StoredMade::Account => Made::Account,
                StoredMade::Lines => Made::Lines,
                StoredMade::AccountAndLines => Made::AccountAndLines,
            },
        };
        Receipt::new((self.left, self.arrived), reserved, self.fee)
    }
}

/// `#[serde(with)]` for a receipt that may be missing.
pub(super) mod optional_receipt {
    use super::{Deserialize, Deserializer, Error, Receipt, Serialize, Serializer, StoredReceipt};

    pub(in crate::queue) fn serialize<S: Serializer>(
        value: &Option<Receipt>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(StoredReceipt::from).serialize(serializer)
    }

    pub(in crate::queue) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Receipt>, D::Error> {
        let stored = Option::<StoredReceipt>::deserialize(deserializer)?;
        let read = |stored: StoredReceipt| stored.read().ok_or_else(|| D::Error::custom("not a receipt"));
        stored.map(read).transpose()
    }
}
