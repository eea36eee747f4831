//! A TXT record that strangers publish, and a key as a ledger entry carries it: no key but the signer's own
//! proves a mail.

#![no_main]

use std::sync::LazyLock;

use amendment::key_record::{KeyRecord, KeyType, parse_answer, parse_txt};
use amendment::{TxtRecords, derive};
use fuzz::mail::{NETWORK, NOW};
use fuzz::signer::{KEY, draft};
use libfuzzer_sys::fuzz_target;

const RSA_MAIL: &[u8] = include_bytes!("../rsa.eml");
const RSA_NAME: &str = include_str!("../rsa.name");
const RSA_RECORD: &[u8] = include_bytes!("../rsa.txt");

static RSA_KEY: LazyLock<KeyRecord> = LazyLock::new(|| parse_txt(RSA_RECORD).expect("a key"));
static ED25519_MAIL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let fields: [&[u8]; 2] = [
        b"From: alice@example.com\r\n",
        b"Date: Mon, 16 Nov 2026 10:00:00 +0000\r\n",
    ];
    let body = b"REMIT 10 XAH TO <bob@example.com>\r\n".to_vec();
    draft("From:Date", &fields, body).signed(&KEY)
});
static ED25519_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| KEY.public_key());

fn check_proofs(key: &KeyRecord, record: &[u8]) {
    let mut keys = TxtRecords::new();
    let (mail, expected) = match key.key_type() {
        KeyType::Rsa => {
            keys.insert(RSA_NAME, record);
            (RSA_MAIL, RSA_KEY.public_key())
        }
        KeyType::Ed25519 => {
            keys.insert("s._domainkey.example.com", record);
            (ED25519_MAIL.as_slice(), ED25519_KEY.as_slice())
        }
    };
    let is_proven = derive(mail, NETWORK, NOW, &keys).is_ok();
    // The same RSA key can be written with and without its SubjectPublicKeyInfo; at the end stand the
    // modulus, 257 bytes behind 4 of tag and length, and the exponent, 3 behind 2.
    let number = &expected[expected.len().saturating_sub(266)..];
    assert_eq!(is_proven, key.public_key().ends_with(number));
}

fuzz_target!(|record: &[u8]| {
    let parsed = parse_txt(record);
    let published = parse_answer(vec![record.to_vec()]).expect("one record");
    assert_eq!(published.map(|published| published.key().clone()), parsed);
    if let Ok(key) = parsed {
        let again = KeyRecord::from_entry(key.key_type(), key.public_key(), key.flags());
        assert_eq!(again.as_ref(), Ok(&key));
        check_proofs(&key, record);
    }
    for kind in [KeyType::Rsa, KeyType::Ed25519] {
        if let Ok(key) = KeyRecord::from_entry(kind, record, 0) {
            assert_eq!(key.public_key(), record);
        }
    }
});
