//! Every bound of this crate, with its unit, its source and the refusal that it causes.

/// Bytes of one line that a program may answer with. The largest answer is a normal form of 64 KiB in hex, within a
/// transaction. Refusal: `Fault::LineTooLong`.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Questions that are open at a time: enough to keep a program busy, few enough to tell at which one it died.
pub const QUESTIONS_OPEN_MAX: usize = 16;
/// Seconds that a program may take to end once its standard input is closed. Refusal: `Fault::StaysAlive`.
pub const END_SECS: u64 = 10;
/// Bytes of what a program wrote that are shown.
pub const SHOWN_BYTES_MAX: usize = 200;
/// Bytes of one file of a pack. Source: four times the largest that is exported. Refusal: `PackError::TooLarge`.
pub const PACK_FILE_BYTES_MAX: u64 = 64 << 20;
