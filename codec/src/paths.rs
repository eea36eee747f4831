//! Coding of payment paths (xahaud STPathSet.cpp): steps, `FF` between paths, `00` at the end. A step is a
//! byte of bits and 20 bytes for each bit, in the order of the bits.

/// End of the set.
pub(crate) const PATHS_END: u8 = 0x00;
/// End of a path that another one follows.
pub(crate) const NEXT_PATH: u8 = 0xFF;
/// The step names an account.
pub(crate) const STEP_ACCOUNT: u8 = 0x01;
/// The step names a currency.
pub(crate) const STEP_CURRENCY: u8 = 0x10;
/// The step names an issuer.
pub(crate) const STEP_ISSUER: u8 = 0x20;

/// Bytes after the byte of a step; `None` for a bit that no step has.
pub(crate) fn step_bytes(step: u8) -> Option<usize> {
    let bits = [STEP_ACCOUNT, STEP_CURRENCY, STEP_ISSUER];
    let known = step & !(STEP_ACCOUNT | STEP_CURRENCY | STEP_ISSUER) == 0;
    let named = bits.iter().filter(|bit| step & **bit != 0).count();
    known.then_some(named.saturating_mul(20))
}
