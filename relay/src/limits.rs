//! Every bound of the relay: unit, source, and what happens beyond it.

/// Largest mail, bytes: what the verifier and `submit_email` read. Beyond: 552 5.3.4. Spec: 1.
pub const MAIL_BYTES_MAX: usize = amendment::limits::MAIL_BYTES_MAX;
/// Header fields that are looked at for a Message-ID and for signs of lists and robots: as many as the verifier lets a
/// mail have lines. Further ones are ignored.
pub const HEADER_FIELDS_READ_MAX: usize = amendment::limits::HEADER_LINES_MAX;
/// Longest Message-ID that is kept, bytes. Source: RFC 5322 section 2.1.1. Beyond: the mail counts as having none.
pub const MESSAGE_ID_BYTES_MAX: usize = 998;
/// Token buckets of one kind; each takes about 100 bytes. Beyond: those untouched for longest are forgotten.
pub const BUCKETS_MAX: usize = 65_536;
/// Longest text of a line in a reply, characters. Source: RFC 5321 section 4.5.3.1.5 (512 with code and line end) and
/// what bounces show. Beyond: cut.
pub const REPLY_LINE_BYTES_MAX: usize = 390;
/// How far ahead of now a mail may be dated, seconds. Source: what nodes keep (rule 4.6 makes it wait). Beyond: 550.
pub const EARLY_SECS_MAX: u64 = 86_400;
/// Longest look-up of a key, seconds. Beyond: the key counts as unknown, and the nodes decide.
pub const LOOKUP_SECS_MAX: u64 = 5;
/// How long an answer about a key is kept, seconds; less where its record says so. Beyond: it is asked for again.
pub const KEY_KEPT_SECS_MAX: u64 = 300;
/// How often a key that does not fit a mail is asked for anew, seconds. Within: the mail is judged by the kept key.
pub const KEY_ANEW_SECS_MIN: u64 = 30;
/// Keys that are kept; one takes about 3 KB. Beyond: those kept for longest are forgotten.
pub const KEYS_KEPT_MAX: usize = 2_048;
/// Largest keys file, bytes. Beyond: the relay does not start.
pub const KEYS_FILE_BYTES_MAX: u64 = 1_048_576;
/// SPF, DMARC and ARC results looked up at one time. Beyond: they are left out, and counted.
pub const AUTH_TASKS_MAX: usize = 32;
/// Longest time for the results of one letter, seconds. Beyond: they are left out.
pub const AUTH_SECS_MAX: u64 = 20;
/// Signatures of a mail, DKIM and ARC together, whose results are looked up; each costs a hash of the body and a look-up.
/// Beyond: only SPF is.
pub const AUTH_SIGNATURES_MAX: usize = 24;
/// Longest text of these results, characters; names of domains can be long. Beyond: cut.
pub const AUTH_RESULTS_BYTES_MAX: usize = 1_000;
/// Mails to the postmaster that are kept. Beyond: 452.
pub const POSTMASTER_MAILS_MAX: usize = 1_000;
