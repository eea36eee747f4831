//! Proves a signature over header data under a key. The numeric rules of 4.5 stand here, before any library;
//! the library only computes.
//!
//! Spec: 4.5. RFC 6376 3.3.1, RFC 8017 8.2.2, RFC 8463 3.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY};

use crate::dkim::der;
use crate::dkim::ed25519;
use crate::dkim::key_record::{KeyRecord, KeyType, LibraryKey, Subdomains, library_components};
use crate::dkim::signature::HashAlgorithm;
use crate::refusal::Refusal;

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

/// Whether a digest of the bytes is the expected one. Spec: 3.3.
pub(crate) fn digest_equals(hash: HashAlgorithm, bytes: &[u8], expected: &[u8]) -> bool {
    let algorithm = match hash {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    };
    digest::digest(algorithm, bytes).as_ref() == expected
}

/// What a proof needs of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    pub(crate) algorithm: KeyType,
    pub(crate) hash: HashAlgorithm,
    pub(crate) domain: &'a str,
    /// Domain of `i=`, if there is one.
    pub(crate) identity: Option<&'a str>,
    pub(crate) header_data: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// The signature is that of the key over the header data.
///
/// Spec: 4.5. Signature exactly as long as the modulus and below it; the encoded message is compared byte for
/// byte with EMSA-PKCS1-v1_5, NULL included (the library builds and compares it, and parses nothing).
pub(crate) fn verify(claim: &Claim<'_>, key: &KeyRecord) -> Result<(), Refusal> {
    if key.subdomains() == Subdomains::Refused
        && claim.identity.is_some_and(|identity| identity != claim.domain)
    {
        return Err(Refusal::IdentityBelowStrictKey);
    }
    let proven = match (claim.algorithm, key.library()) {
        (KeyType::Rsa, LibraryKey::Rsa { key, modulus }) => rsa_verifies(key, modulus, claim),
        (KeyType::Ed25519, LibraryKey::Ed25519(key)) => {
            ed25519::verifies(key, &sha256(claim.header_data), claim.signature)
        }
        (KeyType::Rsa, LibraryKey::Ed25519(_)) | (KeyType::Ed25519, LibraryKey::Rsa { .. }) => false,
    };
    if proven { Ok(()) } else { Err(Refusal::Signature) }
}

fn rsa_verifies(key: &ParsedPublicKey, modulus: &[u8], claim: &Claim<'_>) -> bool {
    // Big-endian numbers of one length compare like their bytes.
    let signature = claim.signature;
    if signature.len() != modulus.len() || signature >= modulus {
        return false;
    }
    match claim.hash {
        HashAlgorithm::Sha256 => {
            let digest = digest::digest(&digest::SHA256, claim.header_data);
            key.verify_digest_sig(&digest, signature).is_ok()
        }
        HashAlgorithm::Sha1 => der::rsa_key(key.as_ref()).is_ok_and(|key| {
            library_components(&key)
                .verify(
                    &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    claim.header_data,
                    signature,
                )
                .is_ok()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::key_record::{LSF_DKIM_STRICT, parse_txt};

    // RFC 8463 A.3: one message under two keys; header data as its two signatures cover it.
    const FIELDS: &str = "from:Joe SixPack <joe@football.example.com>\r\n\
        to:Suzie Q <suzie@shopping.example.net>\r\n\
        subject:Is dinner ready?\r\n\
        date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        message-id:<20030712040037.46341.5F8J@football.example.com>\r\n";
    const ED_FIELD: &str = "dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com; \
        i=@football.example.com; q=dns/txt; s=brisbane; t=1528637909; \
        h=from : to : subject : date : message-id : from : subject : date; \
        bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
    const RSA_FIELD: &str = "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; \
        i=@football.example.com; q=dns/txt; s=test; t=1528637909; \
        h=from : to : subject : date : message-id : from : subject : date; \
        bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
    const ED_SIGNATURE: &str =
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
    const RSA_SIGNATURE: &str = "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=";
    const ED_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    const RSA_KEY: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

    struct Case {
        key: KeyRecord,
        header_data: String,
        signature: Vec<u8>,
    }

    fn case(key: &str, field: &str, signature: &str) -> Case {
        Case {
            key: parse_txt(key.as_bytes()).expect("a key"),
            header_data: format!("{FIELDS}{field}"),
            signature: crate::mail::base64::decode_tag(signature.as_bytes()).expect("base64"),
        }
    }

    fn cases() -> [Case; 2] {
        [
            case(ED_KEY, ED_FIELD, ED_SIGNATURE),
            case(RSA_KEY, RSA_FIELD, RSA_SIGNATURE),
        ]
    }

    fn claim<'a>(case: &'a Case, signature: &'a [u8]) -> Claim<'a> {
        Claim {
            algorithm: case.key.key_type(),
            hash: HashAlgorithm::Sha256,
            domain: "football.example.com",
            identity: Some("football.example.com"),
            header_data: case.header_data.as_bytes(),
            signature,
        }
    }

    #[test]
    fn accepts_the_signatures_of_rfc_8463() {
        for case in cases() {
            assert_eq!(
                verify(&claim(&case, &case.signature), &case.key),
                Ok(()),
                "{}",
                case.key.key_type()
            );
        }
    }

    #[test]
    fn rejects_other_lengths_numbers_and_messages() {
        for case in cases() {
            let good = &case.signature;
            let mut flipped = good.clone();
            flipped[0] ^= 1;
            for signature in [
                vec![],
                good[1..].to_vec(),
                good[..good.len() - 1].to_vec(),
                [&[0], good.as_slice()].concat(),
                [good.as_slice(), &[0]].concat(),
                flipped,
                vec![0; good.len()],
                vec![0xFF; good.len()],
            ] {
                assert_eq!(
                    verify(&claim(&case, &signature), &case.key),
                    Err(Refusal::Signature)
                );
            }
            let other = Claim {
                header_data: b"x",
                ..claim(&case, good)
            };
            assert_eq!(verify(&other, &case.key), Err(Refusal::Signature));
        }
    }

    #[test]
    fn rejects_a_key_of_the_other_algorithm() {
        let [ed, rsa] = cases();
        assert_eq!(
            verify(&claim(&ed, &ed.signature), &rsa.key),
            Err(Refusal::Signature)
        );
        assert_eq!(
            verify(&claim(&rsa, &rsa.signature), &ed.key),
            Err(Refusal::Signature)
        );
    }

    #[test]
    fn rejects_an_identity_below_d_under_a_strict_key() {
        for case in cases() {
            let strict = KeyRecord::from_entry(case.key.key_type(), case.key.public_key(), LSF_DKIM_STRICT)
                .expect("a key");
            let equal = claim(&case, &case.signature);
            assert_eq!(verify(&equal, &strict), Ok(()));
            assert_eq!(
                verify(
                    &Claim {
                        identity: None,
                        ..equal
                    },
                    &strict
                ),
                Ok(())
            );
            let below = Claim {
                identity: Some("x.football.example.com"),
                ..equal
            };
            assert_eq!(verify(&below, &strict), Err(Refusal::IdentityBelowStrictKey));
            assert_eq!(verify(&below, &case.key), Ok(()));
        }
    }

    // Signatures by OpenSSL, see the note in the file.
    #[test]
    fn accepts_keys_at_the_edges_and_rejects_keys_beyond() {
        let file = include_str!("../../tests/data/rsa_edges.json");
        let cases: serde_json::Value = serde_json::from_str(file).expect("JSON");
        for case in cases["cases"].as_array().expect("cases") {
            let number = |name: &str| case[name].as_u64().expect("a number");
            let text = |name: &str| case[name].as_str().expect("text");
            let legal = (1_024..=4_096).contains(&number("bits")) && number("exponent") < 1 << 32;
            let key = parse_txt(format!("p={}", text("key")).as_bytes());
            assert_eq!(key.is_ok(), legal, "{case}");
            let Ok(key) = key else {
                continue;
            };
            let case = Case {
                key,
                header_data: "edge".to_owned(),
                signature: crate::mail::base64::decode_tag(text("signature").as_bytes()).expect("base64"),
            };
            assert_eq!(verify(&claim(&case, &case.signature), &case.key), Ok(()));
        }
    }

    // The encoded message is compared byte for byte: a lax parser lets anybody sign under a key with e = 3.
    #[test]
    fn rejects_encoded_messages_that_are_not_the_one_encoding() {
        let file = include_str!("../../tests/data/rsa_edges.json");
        let file: serde_json::Value = serde_json::from_str(file).expect("JSON");
        let encodings = &file["encodings"];
        let key = format!("p={}", encodings["key"].as_str().expect("text"));
        for item in encodings["signatures"].as_array().expect("signatures") {
            let signature = item["signature"].as_str().expect("text").as_bytes();
            let case = Case {
                key: parse_txt(key.as_bytes()).expect("a key"),
                header_data: "edge".to_owned(),
                signature: crate::mail::base64::decode_tag(signature).expect("base64"),
            };
            let right = item["right"].as_bool().expect("a verdict");
            assert_eq!(
                verify(&claim(&case, &case.signature), &case.key).is_ok(),
                right,
                "{}",
                item["what"]
            );
        }
    }
}
