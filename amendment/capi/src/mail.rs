//! Raw mail on its way to a transaction.

use crate::handles::XeBytes;
use crate::memory::{Out, XeSlice, border};

/// The normal form of a raw mail under its `signature`-th DKIM-Signature from the top, from 0: what its transaction
/// carries as memo, whatever the other rules say (spec 3). Lines end with CRLF.
///
/// tesSUCCESS and the bytes; temMALFORMED, tefBAD_SIGNATURE. Linear in the bytes: about 1 ms for 256 KB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_normal_form(mail: XeSlice, signature: usize, form: *mut *mut XeBytes) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::handle(form) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let mail = unsafe { mail.bytes() }?;
        let form = amendment::normal_form(mail, signature).map_err(|refusal| refusal.code())?;
        out.give(XeBytes(form));
        Ok(())
    })
}
