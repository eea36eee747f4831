//! Reading what a question gives.

use amendment::key_record::KeyRecordError;
use amendment::{KeyAnswer, TxtRecords};
use codec::{AccountId, CloseTime, Hash256, Object};
use serde_json::Value;

use super::view::Entries;

/// Why a question cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A kind of another program.
    #[error("the kind {0:?} is not known")]
    UnknownKind(String),
    /// A member that is missing or of another form.
    #[error("the input has no readable member {0:?}")]
    Member(&'static str),
    /// A member that the rules give no meaning.
    #[error("no answer: {0}")]
    None(String),
}

/// `input` of a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'q>(pub(super) &'q Value);

impl<'q> Input<'q> {
    pub(super) fn text(self, member: &'static str) -> Result<&'q str, AnswerError> {
        self.0[member].as_str().ok_or(AnswerError::Member(member))
    }

    pub(super) fn bytes(self, member: &'static str) -> Result<Vec<u8>, AnswerError> {
        hex::decode(self.text(member)?).map_err(|_| AnswerError::Member(member))
    }

    pub(super) fn u32(self, member: &'static str) -> Result<u32, AnswerError> {
        let number = self.0[member].as_u64();
        number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or(AnswerError::Member(member))
    }

    pub(super) fn u64(self, member: &'static str) -> Result<u64, AnswerError> {
        self.0[member].as_u64().ok_or(AnswerError::Member(member))
    }

    pub(super) fn flag(self, member: &'static str) -> Result<bool, AnswerError> {
        self.0[member].as_bool().ok_or(AnswerError::Member(member))
    }

    pub(super) fn hash(self, member: &'static str) -> Result<Hash256, AnswerError> {
        Hash256::from_hex(self.text(member)?).ok_or(AnswerError::Member(member))
    }

    pub(super) fn account(self, member: &'static str) -> Result<AccountId, AnswerError> {
        AccountId::parse_classic(self.text(member)?).map_err(|_| AnswerError::Member(member))
    }

    /// A transaction or an entry.
    pub(super) fn object(self, member: &'static str) -> Result<Object, AnswerError> {
        codec::decode(&self.bytes(member)?).map_err(|_| AnswerError::Member(member))
    }

    /// The same, or null.
    pub(super) fn optional_object(self, member: &'static str) -> Result<Option<Object>, AnswerError> {
        match self.0.get(member) {
            Some(Value::Null) => Ok(None),
            _ => self.object(member).map(Some),
        }
    }

    /// Entries by index.
    pub(super) fn entries(self, member: &'static str) -> Result<Entries, AnswerError> {
        let all = self.0[member].as_object().ok_or(AnswerError::Member(member))?;
        let read = |(index, bytes): (&String, &Value)| {
            let entry = codec::decode(&hex::decode(bytes.as_str()?).ok()?).ok()?;
            Some((Hash256::from_hex(index)?, entry))
        };
        let entries: Option<Entries> = all.iter().map(read).collect();
        entries.ok_or(AnswerError::Member(member))
    }

    /// A list of byte strings.
    pub(super) fn list(self, member: &'static str) -> Result<Vec<Vec<u8>>, AnswerError> {
        let all = self.0[member].as_array().ok_or(AnswerError::Member(member))?;
        let bytes: Option<Vec<Vec<u8>>> = all.iter().map(|text| hex::decode(text.as_str()?).ok()).collect();
        bytes.ok_or(AnswerError::Member(member))
    }

    pub(super) fn time(self, member: &'static str) -> Result<CloseTime, AnswerError> {
        self.u32(member).map(CloseTime::new)
    }

    /// DNS names with their TXT records.
    pub(super) fn keys(self) -> Result<TxtRecords, AnswerError> {
        let member = AnswerError::Member("keys");
        let mut keys = TxtRecords::new();
        for (name, records) in self.0["keys"].as_object().ok_or(member.clone())? {
            let record = |text: &Value| text.as_str().and_then(|text| hex::decode(text).ok());
            let records = records.as_array().ok_or(member.clone())?;
            match records.as_slice() {
                [] => keys.insert_answer(name, KeyAnswer::Absent),
                [one] => keys.insert(name, &record(one).ok_or(member.clone())?),
                _ => keys.insert_answer(name, KeyAnswer::Unusable(KeyRecordError::Several)),
            }
        }
        Ok(keys)
    }
}
