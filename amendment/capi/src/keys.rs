//! Keys of mail providers: records of DNS, and what the ledger makes of them.

use amendment::key_record;
use codec::Ter;

use crate::handles::XeBytes;
use crate::memory::{Out, XeSlice, border};

/// A key record (RFC 6376 3.6.1), the strings of the one TXT record joined: DKIMKeyType, Flags and PublicKey of the entry
/// that it makes (spec 4.5).
///
/// tesSUCCESS; temMALFORMED where the record makes no key: the answer is then "unusable". About 20 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_parse_record(
    record: XeSlice,
    key_type: *mut u8,
    flags: *mut u32,
    public_key: *mut *mut XeBytes,
) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut key_type = unsafe { Out::new(key_type, 0) }?;
        // SAFETY: the same.
        let mut flags = unsafe { Out::new(flags, 0) }?;
        // SAFETY: the same.
        let mut public_key = unsafe { Out::handle(public_key) }?;
        // SAFETY: README, "What the caller holds", for an input.
        let record = unsafe { record.bytes() }?;
        let key = key_record::parse_txt(record).map_err(|_| Ter::TEM_MALFORMED)?;
        key_type.put(key.key_type().code());
        flags.put(key.flags());
        public_key.give(XeBytes(key.public_key().to_vec()));
        Ok(())
    })
}
