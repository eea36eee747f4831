//! Where entries stand that a caller looks for by itself.

use codec::{AccountId, keylet};

use crate::memory::{Out, border, shared};

/// Index of an account's EmailReplay.
///
/// tesSUCCESS. About 1 us.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xe_email_replay_index(account: *const [u8; 20], index: *mut [u8; 32]) -> i32 {
    border(|| {
        // SAFETY: README, "What the caller holds", for an output.
        let mut out = unsafe { Out::new(index, [0; 32]) }?;
        // SAFETY: README, "What the caller holds", for a struct.
        let account = unsafe { shared(account) }?;
        out.put(*keylet::email_replay(AccountId::new(*account)).as_bytes());
        Ok(())
    })
}
