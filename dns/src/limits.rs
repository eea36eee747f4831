//! Every bound of this crate. Bytes of one key record: [`amendment::limits::KEY_RECORD_BYTES_MAX`].

/// Bytes of a keys file. Source: ours, about 20,000 keys. Refusal: [`crate::KeysFileError::TooLong`].
pub const KEYS_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Tries at one resolver for one question: a lost packet is no lost answer. Source: ours. Beyond: the next resolver.
pub const UPSTREAM_TRIES_MAX: usize = 2;

/// Aliases (CNAME) from a name to its records. Source: ours; unbound follows 11. Beyond: no word about the name.
pub const ALIASES_MAX: usize = 10;

/// Records of a denial that are checked: a right one has up to three NSEC3, one SOA, and a signature or two of each.
/// Source: RFC 5155, 7.2. Beyond: left out, and what they would have proven is not proven.
pub const DENIAL_RECORDS_MAX: usize = 16;

/// Questions without an answer, one after the other, until a resolver counts as down. Source: ours: strangers choose
/// the names, and some names' own servers are silent. From then on: the others are asked first.
pub const UPSTREAM_FAILURES_MAX: u32 = 3;

/// Questions at one resolver at a time, over one connection: 32 names (`chain::limits`), each with a few more for its
/// signatures. Source: ours. Beyond: the question waits, and then has no answer.
pub const UPSTREAM_REQUESTS_MAX: usize = 512;

/// How long the others are asked before a resolver that is down, seconds. Source: ours.
pub const UPSTREAM_REST_SECS: u64 = 30;

/// Steps from a name's signature up to a trust anchor: two for each zone. Source: ours; names below seven zones are not
/// seen. Beyond: the answer counts as wrongly signed.
pub const DNSSEC_DEPTH_MAX: usize = 16;

/// How long it is taken for granted that a resolver passes DNSSEC signatures on, or does not, seconds. Source: ours.
pub const DNSSEC_KNOWN_SECS: u64 = 600;

/// Resolvers in a configuration. Source: ours, more share one question's time too thinly. Beyond:
/// [`crate::ResolverError::Several`].
pub const UPSTREAMS_MAX: usize = 8;

/// Bytes of a file with trust anchors or certificate authorities. Source: ours, all authorities of browsers have
/// 250 kB. Refusal: [`crate::SettingsFileError::TooLong`].
pub const SETTINGS_FILE_BYTES_MAX: u64 = 1024 * 1024;
