//! What DNS says about a name.

use amendment::KeyAnswer;
use amendment::key_record::{KeyRecordError, PublishedKey, parse_answer};

/// What DNS says about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// What is published.
    Found(T),
    /// NXDOMAIN or NODATA: the name has no such record.
    Absent,
    /// SERVFAIL, a timeout, no route, with the reason: no word about the name.
    Failed(String),
}

/// What is published under the name of a key: the record and its key, or why there is none that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The key; or the rule that its record, or the several records, break.
    pub record: Result<PublishedKey, KeyRecordError>,
    /// How long the answer may be kept, seconds.
    pub ttl_secs: u32,
}

impl<T> Answer<T> {
    /// The same answer about something else.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Answer::Found(found) => Answer::Found(change(found)),
            Answer::Absent => Answer::Absent,
            Answer::Failed(why) => Answer::Failed(why),
        }
    }
}

impl Answer<Published> {
    /// Reads the TXT records of one name, each with its strings joined. Spec: 4.5
    #[must_use]
    pub fn of_records(records: Vec<Vec<u8>>, ttl_secs: u32) -> Self {
        match parse_answer(records) {
            Some(record) => Answer::Found(Published { record, ttl_secs }),
            None => Answer::Absent,
        }
    }

    /// The answer as the rules take it. A withdrawn key in DNS is a record that makes no key (4.5); "revoked"
    /// is what a ledger says of its own entry (7.4).
    #[must_use]
    pub fn key(&self) -> KeyAnswer {
        match self {
            Answer::Found(published) => match &published.record {
                Ok(found) => KeyAnswer::Usable(found.key().clone()),
                Err(reason) => KeyAnswer::Unusable(*reason),
            },
            Answer::Absent => KeyAnswer::Absent,
            Answer::Failed(_) => KeyAnswer::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amendment::limits::KEY_RECORD_BYTES_MAX;

    // RFC 8463 A.2.
    const RECORD: &[u8] = b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn reason(records: &[&[u8]]) -> Option<KeyRecordError> {
        let records = records.iter().map(|record| record.to_vec()).collect();
        match Answer::of_records(records, 60) {
            Answer::Found(published) => published.record.err(),
            Answer::Absent | Answer::Failed(_) => None,
        }
    }

    #[test]
    fn accepts_one_record_with_its_text_and_its_key() {
        let answer = Answer::of_records(vec![RECORD.to_vec()], 60);
        let Answer::Found(published) = &answer else {
            panic!("{answer:?}");
        };
        let found = published.record.as_ref().expect("a key");
        assert_eq!((found.text(), published.ttl_secs), (RECORD, 60));
        assert_eq!(answer.key(), KeyAnswer::Usable(found.key().clone()));
    }

    #[test]
    fn rejects_records_that_make_no_key_with_the_reason() {
        assert_eq!(reason(&[RECORD, RECORD]), Some(KeyRecordError::Several));
        assert_eq!(reason(&[RECORD, b"v=spf1"]), Some(KeyRecordError::Several));
        assert_eq!(reason(&[b"v=DKIM1; p="]), Some(KeyRecordError::Revoked));
        let long = vec![b'x'; KEY_RECORD_BYTES_MAX + 1];
        assert_eq!(reason(&[&long]), Some(KeyRecordError::TooLong));
        assert!(reason(&[&long[1..]]).is_some_and(|reason| reason != KeyRecordError::TooLong));
    }

    #[test]
    fn no_record_is_absent_and_no_answer_is_unknown() {
        let none: Answer<Published> = Answer::of_records(Vec::new(), 60);
        assert_eq!(none, Answer::Absent);
        assert_eq!(none.key(), KeyAnswer::Absent);
        let failed: Answer<Published> = Answer::Failed("down".to_owned());
        assert_eq!(failed.key(), KeyAnswer::Unknown);
    }
}
