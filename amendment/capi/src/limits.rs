//! Every bound of the border: unit, source, and the code that it causes.

/// Bytes of one input. More: XE_TOO_LONG, and none of them is read. The rules' own bounds are far below it.
pub const XE_INPUT_BYTES_MAX: usize = 4_194_304;
/// Entries in one list of entries. More: XE_TOO_LONG. A DKIMKeySet reads fewer than 64.
pub(crate) const ENTRIES_MAX: usize = 1_024;
/// Votes in one count, and answers in one vote. More: XE_TOO_LONG. A list has at most 256 validators, a vote 20
/// answers.
pub(crate) const VOTES_MAX: usize = 1_024;
/// Attestations in one call. More: XE_TOO_LONG. A ledger lists at most 256 validators.
pub(crate) const ATTESTATIONS_MAX: usize = 1_024;
/// What DNS said, in one call. More: XE_TOO_LONG. A mail asks for at most 8 names.
pub(crate) const ANSWERS_MAX: usize = 1_024;
/// Bytes of `domain` and of `selector` in facts, the final zero included; a name has at most 253 (spec 4.4).
pub const XE_NAME_BYTES: usize = 256;
