//! A serialized transaction or ledger entry: what can be read is written again byte for byte. Its JSON is no
//! second serialization (xahaud makes the letters of a currency upper-case), but what is read of it stays
//! what it is.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|blob: &[u8]| {
    if let Ok(object) = codec::decode(blob) {
        assert_eq!(codec::encode(&object), blob);
        if let Ok(read) = codec::json::from_json(&codec::json::to_json(&object)) {
            assert_eq!(
                codec::json::from_json(&codec::json::to_json(&read)).as_ref(),
                Ok(&read)
            );
            assert_eq!(codec::decode(&codec::encode(&read)), Ok(read));
        }
    }
});
