//! Bytes of strangers: decoding is identity or a refusal that names the place.

use codec::{DecodeReason, Value, decode, encode, sf};
use proptest::prelude::*;

fn reason(hex_text: &str) -> (DecodeReason, usize) {
    let error = decode(&hex::decode(hex_text).expect("hex")).expect_err("refused");
    (error.reason, error.offset)
}

#[test]
fn accepts_fields_in_order() {
    let object = decode(&hex::decode("12005F24000000018100").expect("hex")).expect("legal");
    assert_eq!(object.u16(sf::TRANSACTION_TYPE), Some(95));
    assert_eq!(object.value(sf::ACCOUNT), Some(&Value::Account(None)));
}

#[test]
fn rejects_unknown_duplicate_and_unordered_fields() {
    assert_eq!(reason("1F0000"), (DecodeReason::UnknownField, 0));
    assert_eq!(
        reason("12005F12005F"),
        (DecodeReason::Duplicate("TransactionType"), 3)
    );
    assert_eq!(
        reason("240000000112005F"),
        (DecodeReason::Unordered("TransactionType"), 5)
    );
    // The no-op byte of xahaud's parser, and a long header where the short one would do.
    assert_eq!(reason("99"), (DecodeReason::UnknownField, 0));
    assert_eq!(reason("1002005F"), (DecodeReason::UnknownField, 0));
}

#[test]
fn rejects_truncated_values_at_every_byte() {
    let whole = hex::decode("12005F2400000001614000000000000001F9EA7D0201FFE1F1").expect("hex");
    assert!(decode(&whole).is_ok());
    // Cuts between top-level fields leave a shorter legal object.
    let legal = [0, 3, 8, 17];
    for end in 0..whole.len() {
        assert_eq!(
            decode(&whole[..end]).is_ok(),
            legal.contains(&end),
            "cut at {end}"
        );
    }
}

#[test]
fn rejects_markers_and_elements_out_of_place() {
    assert_eq!(reason("E1"), (DecodeReason::Structure, 0));
    assert_eq!(reason("F9E1"), (DecodeReason::Structure, 1));
    assert_eq!(reason("F912005FF1"), (DecodeReason::Structure, 1));
}

#[test]
fn rejects_nesting_beyond_ten_levels() {
    for count in [11, 1000, 200_000] {
        let error = decode(&[0xEA].repeat(count)).expect_err("too deep");
        assert_eq!(error.reason, DecodeReason::TooDeep);
        assert_eq!(error.offset, 11);
    }
}

#[test]
fn rejects_over_long_input_before_reading_it() {
    let error = decode(&vec![0; codec::limits::OBJECT_BYTES_MAX + 1]).expect_err("too long");
    assert_eq!(error.reason, DecodeReason::TooLong);
}

#[test]
fn rejects_bad_lengths() {
    assert_eq!(reason("81130000").0, DecodeReason::Truncated);
    assert_eq!(reason("810100").0, DecodeReason::Length("Account"));
    assert_eq!(reason("7DFF").0, DecodeReason::LengthPrefix);
    assert_eq!(reason("0313010000").0, DecodeReason::Length("Amendments"));
}

#[test]
fn rejects_paths_that_are_no_paths() {
    assert_eq!(reason("011200").0, DecodeReason::Structure);
    assert_eq!(reason("0112FF").0, DecodeReason::Structure);
    assert_eq!(reason("011202").0, DecodeReason::Structure);
}

#[test]
fn long_blobs_have_one_spelling() {
    for length in [
        0,
        1,
        192,
        193,
        12_480,
        12_481,
        100_000,
        codec::limits::VL_BYTES_MAX,
    ] {
        let object = codec::Object::new().with(sf::MEMO_DATA, vec![7u8; length]);
        let bytes = encode(&object);
        assert_eq!(decode(&bytes).as_ref(), Ok(&object), "{length}");
    }
}

proptest! {
    #[test]
    fn decode_is_identity_or_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(object) = decode(&bytes) {
            prop_assert_eq!(encode(&object), bytes);
        }
    }

    #[test]
    fn a_changed_transaction_is_identity_or_refusal(at in 0usize..190, byte in any::<u8>()) {
        let mut blob = hex::decode(concat!(
            "12000021000053592280000000240000000161400000003B9ACA0068400000000000000A73210330E7FC9D56BB25D6893BA3F317",
            "AE5BCF33B3291BD63DB32654A313222F7FD02074473045022100F4DF591396600B93F7D81C9371A7881555B3E9F84664FE845430",
            "7B13E52337F902200DF883F41AAB6B75E1722F2CDF896B22BCFCA1F5F16B894D2905D844C9D1F4FF8114B5F762798A53D543A014",
            "CAF8B297CFF8F2F937E88314FC83D004BC5756F0CCC098F72EA2447D89D5EDE3"
        )).expect("hex");
        let at = at % blob.len();
        blob[at] = byte;
        if let Ok(object) = decode(&blob) {
            prop_assert_eq!(encode(&object), blob);
        }
    }
}

#[test]
fn accepts_drops_of_62_bits_as_json() {
    for text in ["4611686018427387903", "-4611686018427387903", "0"] {
        let object = codec::json::from_json(&serde_json::json!({ "Amount": text })).expect("an amount");
        assert_eq!(codec::decode(&codec::encode(&object)), Ok(object), "{text}");
    }
}

/// Bit 62 says that an amount is positive: an amount with more bits would be written as another one.
#[test]
fn rejects_drops_of_more_bits_as_json() {
    for text in [
        "4611686018427387904",
        "-4611686018427387904",
        "09223372036854751072",
    ] {
        let read = codec::json::from_json(&serde_json::json!({ "Amount": text }));
        assert!(read.is_err(), "{text}");
    }
}
