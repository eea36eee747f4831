//! MemoData of a transaction that anybody may submit; once as it is, once with the hash of its body put
//! right.

#![no_main]

use fuzz::mail::{check_memo, check_normal_form, with_body_hash};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|memo: &[u8]| {
    check_memo(memo);
    check_normal_form(memo);
    if let Some(memo) = with_body_hash(memo) {
        check_memo(&memo);
    }
});
