//! A raw mail, as any door takes it, under the keys of its seeds; once as it is, once with the hash of its
//! body put right.

#![no_main]

use std::sync::LazyLock;

use amendment::TxtRecords;
use fuzz::mail::{NoKeys, check_agreement, check_normal_form, with_body_hash};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<TxtRecords> = LazyLock::new(|| {
    let table: serde_json::Value = serde_json::from_str(include_str!("../keys.json")).expect("JSON");
    let mut keys = TxtRecords::new();
    for (name, record) in table.as_object().expect("a table") {
        keys.insert(name, record.as_str().expect("a record").as_bytes());
    }
    keys
});

fuzz_target!(|raw: &[u8]| {
    check_agreement(raw, &*KEYS);
    check_normal_form(raw);
    if let Some(raw) = with_body_hash(raw) {
        check_agreement(&raw, &NoKeys);
    }
});
