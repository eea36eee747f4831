//! The messages between nodes beside the engine's own: what DNS told validators, and what came in.
//!
//! | message | bytes |
//! |---|---|
//! | words | count (1), then for each: length and bytes of domain and selector (1 + n), answer (1), observed at (4), length and bytes of the record (2 + n), public key (33), length and bytes of the signature (1 + n) |
//! | submission | 0 for a mail or 1 for a transaction, then its bytes |

use amendment::KeyName;
use amendment::limits::KEY_RECORD_BYTES_MAX;
use bytes::{Buf, BufMut};
use codec::CloseTime;
use codec::keys::PublicKey;
use ledger::dkim::{Answer, Attestation};

use crate::limits::WORDS_PER_TURN_MAX;
use crate::machine::Submission;

/// Bytes of a submission: a transaction, or a mail, which fits into one.
pub(crate) const SUBMISSION_BYTES_MAX: usize = 1 + codec::limits::TRANSACTION_BYTES_MAX;

/// Bytes of one word at most.
const WORD_BYTES_MAX: usize = 256 + 256 + 1 + 4 + 2 + KEY_RECORD_BYTES_MAX + 33 + 256;

/// Bytes of a message of words at most.
pub(crate) const WORDS_BYTES_MAX: usize = 1 + WORDS_PER_TURN_MAX * WORD_BYTES_MAX;

/// The bytes of up to `WORDS_PER_TURN_MAX` words.
pub(crate) fn encode_words(words: &[Attestation]) -> Vec<u8> {
    let words = &words[..words.len().min(WORDS_PER_TURN_MAX)];
    let mut out = vec![byte(words.len())];
    for word in words {
        for part in [word.name.domain(), word.name.selector()] {
            out.put_u8(byte(part.len()));
            out.put_slice(part.as_bytes());
        }
        let (answer, record): (u8, &[u8]) = match &word.answer {
            Answer::Absent => (0, &[]),
            Answer::Unusable => (1, &[]),
            Answer::Record(record) => (2, record),
        };
        out.put_u8(answer);
        out.put_u32(word.observed_at.seconds());
        out.put_u16(u16::try_from(record.len()).unwrap_or(u16::MAX));
        out.put_slice(record);
        out.put_slice(word.public_key.as_bytes());
        out.put_u8(byte(word.signature.len()));
        out.put_slice(&word.signature);
    }
    out
}

/// A length as the encoding holds it: names, keys and signatures are shorter than 256 bytes.
fn byte(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// Reads words; `None` unless all bytes make as many as they say.
pub(crate) fn decode_words(mut bytes: &[u8]) -> Option<Vec<Attestation>> {
    let count = usize::from(bytes.try_get_u8().ok()?);
    if count > WORDS_PER_TURN_MAX {
        return None;
    }
    let words: Option<Vec<Attestation>> = (0..count).map(|_| decode_word(&mut bytes)).collect();
    words.filter(|_| bytes.is_empty())
}

fn decode_word(bytes: &mut &[u8]) -> Option<Attestation> {
    let domain = take_short(bytes)?;
    let selector = take_short(bytes)?;
    let name = KeyName::new(domain, selector)?;
    let answer = bytes.try_get_u8().ok()?;
    let observed_at = CloseTime::new(bytes.try_get_u32().ok()?);
    let record = usize::from(bytes.try_get_u16().ok()?);
    let record = take(bytes, record)?;
    let answer = match (answer, record) {
        (0, []) => Answer::Absent,
        (1, []) => Answer::Unusable,
        (2, record) if record.len() <= KEY_RECORD_BYTES_MAX => Answer::Record(record.to_vec()),
        _ => return None,
    };
    let public_key = PublicKey::parse(take(bytes, 33)?).ok()?;
    let signature = take_short(bytes)?.to_vec();
    Some(Attestation {
        name,
        answer,
        observed_at,
        public_key,
        signature,
    })
}

fn take_short<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(bytes.try_get_u8().ok()?);
    take(bytes, length)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// The bytes of a submission.
pub(crate) fn encode_submission(submission: &Submission) -> Vec<u8> {
    let kind = match submission {
        Submission::Mail(_) => 0,
        Submission::Transaction(_) => 1,
    };
    [&[kind], submission.bytes()].concat()
}

/// Reads a submission; what it is the node finds out.
pub(crate) fn decode_submission(bytes: &[u8]) -> Option<Submission> {
    match bytes.split_first()? {
        (_, rest) if rest.len() >= SUBMISSION_BYTES_MAX => None,
        (0, rest) => Some(Submission::Mail(rest.into())),
        (1, rest) => Some(Submission::Transaction(rest.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::keys::KeyPair;

    fn word(answer: Answer) -> Attestation {
        let name = KeyName::new(b"mail.example", b"s2026").expect("a name");
        let key = KeyPair::ed25519([3; 16]);
        Attestation::sign(21_337, name, answer, CloseTime::new(800_000_000), &key).expect("signed")
    }

    fn words() -> Vec<Attestation> {
        let record = Answer::Record(b"v=DKIM1; p=AAAA".to_vec());
        [record, Answer::Absent, Answer::Unusable].map(word).to_vec()
    }

    #[test]
    fn accepts_its_own_words_and_rejects_them_cut_or_longer() {
        let bytes = encode_words(&words());
        assert_eq!(decode_words(&bytes).as_deref(), Some(&words()[..]));
        assert!(
            decode_words(&bytes)
                .expect("words")
                .iter()
                .all(|word| word.is_good(21_337))
        );
        for cut in 0..bytes.len() {
            assert_eq!(decode_words(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(decode_words(&[&bytes[..], &[0]].concat()), None);
    }

    #[test]
    fn rejects_a_record_with_an_answer_that_has_none_and_too_many_words() {
        let mut bytes = encode_words(&words()[..1]);
        let answer_at = 1 + 1 + "mail.example".len() + 1 + "s2026".len();
        assert_eq!(bytes[answer_at], 2);
        for answer in [0, 1, 3] {
            bytes[answer_at] = answer;
            assert_eq!(decode_words(&bytes), None, "{answer}");
        }
        let many = vec![word(Answer::Absent); WORDS_PER_TURN_MAX + 1];
        let cut = decode_words(&encode_words(&many)).expect("words");
        assert_eq!(cut.len(), WORDS_PER_TURN_MAX);
        assert!(encode_words(&many).len() <= WORDS_BYTES_MAX);
    }

    #[test]
    fn accepts_submissions_and_rejects_other_kinds_and_too_long_ones() {
        for submission in [
            Submission::Mail(b"From: a".as_slice().into()),
            Submission::Transaction([0x12, 0].as_slice().into()),
        ] {
            assert_eq!(
                decode_submission(&encode_submission(&submission)),
                Some(submission)
            );
        }
        assert_eq!(decode_submission(&[]), None);
        assert_eq!(decode_submission(&[2, 0]), None);
        assert_eq!(decode_submission(&vec![0; SUBMISSION_BYTES_MAX + 1]), None);
        assert!(decode_submission(&vec![0; SUBMISSION_BYTES_MAX]).is_some());
    }
}
