//! Every bound of this crate. Bytes of one key record: [`amendment::limits::KEY_RECORD_BYTES_MAX`].

/// Bytes of a keys file. Source: ours, about 20,000 keys. Refusal: [`crate::KeysFileError::TooLong`].
pub const KEYS_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Tries for one question: a lost packet is no lost answer. Source: ours. Beyond: [`crate::Answer::Failed`].
pub const TRIES_MAX: u32 = 2;
