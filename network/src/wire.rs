//! The messages between nodes beside the engine's own: what DNS told validators, and what came in.
//!
//! | message | bytes |
//! |---|---|
//! | words | 0, count (1), then for each: length and bytes of domain and selector (1 + n), answer (1; spec 7.7), observed at (4), length and bytes of the record (2 + n), public key (33), length and bytes of the signature (1 + n) |
//! | ballot | 1, then of a vote (spec 15.1): observed at (4), count (1) and ids of amendments (32 n), count (1) and keys of validators (33 n), public key (33), length and bytes of the signature (1 + n) |
//! | submissions | for each, one after the other to the end: 0 for a mail or 1 for a transaction (1), length (4), bytes |

use std::collections::BTreeSet;

use amendment::limits::KEY_RECORD_BYTES_MAX;
use bytes::{Buf, BufMut};
use codec::keys::PublicKey;
use codec::limits::TRANSACTION_BYTES_MAX;
use codec::{CloseTime, Hash256};
use ledger::dkim::{Attestation, Statement};
use ledger::votes::{SignedVote, Wish};
use node::Submission;

use crate::limits::{SPREAD_MESSAGE_BYTES, SPREAD_PER_MESSAGE_MAX, WORDS_PER_TURN_MAX};

/// Bytes before a submission.
const SUBMISSION_HEAD_BYTES: usize = 1 + 4;

/// Bytes of a message of submissions at most: one transaction, or a mail, which fits into one.
pub(crate) const SUBMISSIONS_BYTES_MAX: usize = SUBMISSION_HEAD_BYTES + TRANSACTION_BYTES_MAX;

const _: () = assert!(SPREAD_MESSAGE_BYTES <= SUBMISSIONS_BYTES_MAX);

/// Bytes of one word at most.
const WORD_BYTES_MAX: usize = 256 + 256 + 1 + 4 + 2 + KEY_RECORD_BYTES_MAX + 33 + 256;

/// Bytes of a message of words at most.
pub(crate) const WORDS_BYTES_MAX: usize = 2 + WORDS_PER_TURN_MAX * WORD_BYTES_MAX;

/// What a validator tells the others until a ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// What DNS told it.
    Words(Vec<Attestation>),
    /// What it votes for.
    Ballot(SignedVote),
}

/// The bytes of what a validator says: of words up to `WORDS_PER_TURN_MAX`.
pub(crate) fn encode_said(said: &Said) -> Vec<u8> {
    match said {
        Said::Words(words) => [&[0], &encode_words(words)[..]].concat(),
        Said::Ballot(vote) => [&[1], &encode_ballot(vote)[..]].concat(),
    }
}

/// Reads what a validator says; `None` unless all bytes make just that.
pub(crate) fn decode_said(bytes: &[u8]) -> Option<Said> {
    match bytes.split_first()? {
        (0, rest) => decode_words(rest).map(Said::Words),
        (1, rest) => decode_ballot(rest).map(Said::Ballot),
        _ => None,
    }
}

fn encode_ballot(vote: &SignedVote) -> Vec<u8> {
    let mut out = vote.observed_at.seconds().to_be_bytes().to_vec();
    out.put_u8(byte(vote.wish.amendments.len()));
    vote.wish
        .amendments
        .iter()
        .for_each(|id| out.put_slice(id.as_bytes()));
    out.put_u8(byte(vote.wish.validators.len()));
    vote.wish
        .validators
        .iter()
        .for_each(|key| out.put_slice(key.as_bytes()));
    out.put_slice(vote.public_key.as_bytes());
    out.put_u8(byte(vote.signature.len()));
    out.put_slice(&vote.signature);
    out
}

/// Reads a vote. What is out of order or twice makes another wish, and so no good signature.
fn decode_ballot(mut bytes: &[u8]) -> Option<SignedVote> {
    let bytes = &mut bytes;
    let observed_at = CloseTime::new(bytes.try_get_u32().ok()?);
    let count = bytes.try_get_u8().ok()?;
    let id = |bytes: &mut &[u8]| Some(Hash256::new(take(bytes, 32)?.try_into().ok()?));
    let amendments: Option<BTreeSet<Hash256>> = (0..count).map(|_| id(bytes)).collect();
    let count = bytes.try_get_u8().ok()?;
    let validators: Option<BTreeSet<PublicKey>> = (0..count).map(|_| take_key(bytes)).collect();
    let vote = SignedVote {
        wish: Wish {
            amendments: amendments?,
            validators: validators?,
        },
        observed_at,
        public_key: take_key(bytes)?,
        signature: take_short(bytes)?.to_vec(),
    };
    bytes.is_empty().then_some(vote)
}

fn take_key(bytes: &mut &[u8]) -> Option<PublicKey> {
    PublicKey::parse(take(bytes, 33)?).ok()
}

/// The bytes of up to `WORDS_PER_TURN_MAX` words.
fn encode_words(words: &[Attestation]) -> Vec<u8> {
    let words = &words[..words.len().min(WORDS_PER_TURN_MAX)];
    let mut out = vec![byte(words.len())];
    for word in words {
        let (subject, record) = (word.statement.subject(), word.statement.record());
        for part in [subject.domain(), subject.selector()] {
            out.put_u8(byte(part.len()));
            out.put_slice(part.as_bytes());
        }
        out.put_u8(word.statement.code());
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
fn decode_words(mut bytes: &[u8]) -> Option<Vec<Attestation>> {
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
    let code = bytes.try_get_u8().ok()?;
    let observed_at = CloseTime::new(bytes.try_get_u32().ok()?);
    let record = usize::from(bytes.try_get_u16().ok()?);
    let record = take(bytes, record)?;
    let statement = Statement::from_parts(domain, selector, code, record)?;
    let public_key = take_key(bytes)?;
    let signature = take_short(bytes)?.to_vec();
    Some(Attestation {
        statement,
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

/// The bytes of submissions: each with its kind and length before it. As many of the first ones as a message bears, at
/// least one; answers how many those are.
pub(crate) fn encode_submissions(submissions: &[Submission]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    for (count, submission) in submissions.iter().enumerate() {
        let is_full = count == SPREAD_PER_MESSAGE_MAX
            || out.len() + SUBMISSION_HEAD_BYTES + submission.bytes().len() > SPREAD_MESSAGE_BYTES;
        if count > 0 && is_full {
            return (out, count);
        }
        out.put_u8(match submission {
            Submission::Mail(_) => 0,
            Submission::Transaction(_) => 1,
        });
        out.put_u32(u32::try_from(submission.bytes().len()).unwrap_or(u32::MAX));
        out.put_slice(submission.bytes());
    }
    (out, submissions.len())
}

/// Reads submissions; `None` unless all bytes make some, each of a length that a transaction may have. What they are
/// the node finds out.
pub(crate) fn decode_submissions(mut bytes: &[u8]) -> Option<Vec<Submission>> {
    let mut submissions = Vec::new();
    while !bytes.is_empty() {
        let kind = bytes.try_get_u8().ok()?;
        let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        if length > TRANSACTION_BYTES_MAX || submissions.len() == SPREAD_PER_MESSAGE_MAX {
            return None;
        }
        let item = take(&mut bytes, length)?;
        submissions.push(match kind {
            0 => Submission::Mail(item.into()),
            1 => Submission::Transaction(item.into()),
            _ => return None,
        });
    }
    Some(submissions).filter(|submissions| !submissions.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use amendment::{Domain, KeyName};
    use codec::keys::KeyPair;
    use ledger::dkim::{Answer, Ruling};

    fn word(answer: Answer) -> Attestation {
        let name = KeyName::new(b"mail.example", b"s2026").expect("a name");
        let key = KeyPair::ed25519([3; 16]);
        Attestation::sign(21_337, name, answer, CloseTime::new(800_000_000), &key).expect("signed")
    }

    fn words() -> Vec<Attestation> {
        let record = Answer::Record(b"v=DKIM1; p=AAAA".to_vec());
        let mut words = [record, Answer::Absent, Answer::Unusable].map(word).to_vec();
        let key = KeyPair::ed25519([3; 16]);
        for ruling in [Ruling::Frozen, Ruling::Lifted] {
            let domain = Domain::new(b"mail.example").expect("a domain");
            let statement = Statement::Domain(domain, ruling);
            words.extend(Attestation::of(
                21_337,
                statement,
                CloseTime::new(800_000_000),
                &key,
            ));
        }
        words
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
    fn accepts_a_ballot_and_rejects_it_cut_longer_or_of_another_kind() {
        let key = KeyPair::ed25519([3; 16]);
        let wish = Wish {
            amendments: [Hash256::new([2; 32]), Hash256::new([1; 32])].into(),
            validators: [4, 5]
                .map(|number| KeyPair::ed25519([number; 16]).public_key())
                .into(),
        };
        let vote = SignedVote::sign(21_337, wish, CloseTime::new(800_000_000), &key).expect("signed");
        let said = Said::Ballot(vote);
        let bytes = encode_said(&said);
        assert_eq!(decode_said(&bytes), Some(said));
        for cut in 0..bytes.len() {
            assert_eq!(decode_said(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(decode_said(&[&bytes[..], &[0]].concat()), None);
        for kind in [0, 2] {
            assert_eq!(decode_said(&[&[kind], &bytes[1..]].concat()), None);
        }
        let words = Said::Words(words());
        assert_eq!(decode_said(&encode_said(&words)), Some(words));
    }

    #[test]
    fn rejects_a_record_with_an_answer_that_has_none_and_too_many_words() {
        let mut bytes = encode_words(&words()[..1]);
        let answer_at = 1 + 1 + "mail.example".len() + 1 + "s2026".len();
        assert_eq!(bytes[answer_at], 2);
        for answer in [0, 1, 3, 4, 5] {
            bytes[answer_at] = answer;
            assert_eq!(decode_words(&bytes), None, "{answer}");
        }
        let many = vec![word(Answer::Absent); WORDS_PER_TURN_MAX + 1];
        let cut = decode_words(&encode_words(&many)).expect("words");
        assert_eq!(cut.len(), WORDS_PER_TURN_MAX);
        assert!(encode_words(&many).len() <= WORDS_BYTES_MAX);
    }

    fn mail(bytes: usize) -> Submission {
        Submission::Mail(vec![7; bytes].into())
    }

    #[test]
    fn accepts_its_own_submissions_and_rejects_them_cut_or_longer_and_other_kinds() {
        let submissions = [
            mail(7),
            Submission::Transaction([0x12, 0].as_slice().into()),
            mail(0),
        ];
        let (bytes, count) = encode_submissions(&submissions);
        assert_eq!(count, 3);
        assert_eq!(decode_submissions(&bytes).as_deref(), Some(&submissions[..]));
        let whole = [0, 12, 19, 24];
        for cut in 0..bytes.len() {
            assert_eq!(
                decode_submissions(&bytes[..cut]).is_some(),
                cut > 0 && whole.contains(&cut),
                "{cut}"
            );
        }
        assert_eq!(decode_submissions(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(decode_submissions(&[2, 0, 0, 0, 0]), None);
        assert_eq!(
            decode_submissions(&[0, 0xFF, 0xFF, 0xFF, 0xFF]),
            None,
            "no room is made for what is not there"
        );
    }

    #[test]
    fn accepts_as_many_as_a_message_bears_and_rejects_more() {
        let (bytes, count) = encode_submissions(&vec![mail(1); SPREAD_PER_MESSAGE_MAX + 1]);
        assert_eq!(count, SPREAD_PER_MESSAGE_MAX);
        assert_eq!(decode_submissions(&bytes).map(|all| all.len()), Some(count));
        let more = [&bytes[..], &encode_submissions(&[mail(1)]).0].concat();
        assert_eq!(decode_submissions(&more), None);
        let (bytes, count) = encode_submissions(&[mail(TRANSACTION_BYTES_MAX), mail(1)]);
        assert_eq!(
            (bytes.len(), count),
            (SUBMISSIONS_BYTES_MAX, 1),
            "the longest goes alone"
        );
        assert!(decode_submissions(&bytes).is_some());
        let (longer, _) = encode_submissions(&[mail(TRANSACTION_BYTES_MAX + 1)]);
        assert_eq!(decode_submissions(&longer), None);
    }
}
