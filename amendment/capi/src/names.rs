//! Names of results, as people read them.

use codec::Ter;

use crate::code::Code;
use crate::handles::XeBytes;
use crate::memory::{Out, border};

/// The name of a result of the ledger, such as `tefEMAIL_REPLAY`, as ASCII.
///
/// tesSUCCESS and the bytes; XE_NOT_FOUND for a number that is none. About 1 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_code_name(code: i32, name: *mut *mut XeBytes) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(name) }?;
        let result = Ter::from_code(code).ok_or(Code::NOT_FOUND)?;
        out.give(XeBytes(result.token().as_bytes().to_vec()));
        Ok(())
    })
}
