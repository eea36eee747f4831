//! Every bound of this crate, with its unit, its source and the refusal it causes.

/// Bytes of a raw mail as it is handed in. Source: spec 1. Refusal: `MailTooLarge`.
pub const MAIL_BYTES_MAX: usize = 256 * 1024;
/// Bytes of the memo, that is, of the normal form. Source: spec 1. Refusal: `MemoTooLarge`.
pub const MEMO_BYTES_MAX: usize = 64 * 1024;
/// Physical lines in the header of a raw mail; real mail stays below 500. Refusal: `HeaderLinesTooMany`.
/// A memo needs no such bound: its bytes bound it, and it may hold nothing that `h=` does not select.
pub const HEADER_LINES_MAX: usize = 4_000;
/// Names in `h=`. Source: spec 4.3. Refusal: `SignedHeadersTooMany`.
pub const SIGNED_HEADERS_MAX: usize = 64;
/// Signatures of one mail that are tried. Source: spec 4.7. Further ones are ignored.
pub const SIGNATURE_CANDIDATES_MAX: usize = 4;
/// DKIM-Signature fields of one mail that are looked at while searching for candidates (real mail: at
/// most 4). Further ones are ignored.
pub const SIGNATURES_READ_MAX: usize = 32;
/// Bytes of a local part. Source: spec 2.1 (RFC 5321 4.5.3.1.1). Refusal: `AddressError::LocalTooLong`.
pub const LOCAL_PART_BYTES_MAX: usize = 64;
/// Bytes of a domain, a selector, or both with `._domainkey.` between. Source: spec 2.1, 4.4.
pub const DOMAIN_BYTES_MAX: usize = 253;
/// Bytes of a label. Source: spec 4.4 (RFC 1035).
pub const LABEL_BYTES_MAX: usize = 63;
/// Digits of `t=` and `x=`. Source: spec 4.6. Refusal: `TimestampMalformed`, `ExpiryMalformed`.
pub const TIMESTAMP_DIGITS_MAX: usize = 12;
/// Multiparts within each other. Source: spec 5.4. Refusal: `MimeError::TooDeep`.
pub const MULTIPART_DEPTH_MAX: usize = 4;
/// Bytes of a MIME boundary. Source: spec 5.4 (RFC 2046 5.1.1).
pub const BOUNDARY_BYTES_MAX: usize = 70;
/// Columns in which the instruction and the first word of the next line have to fit. Source: spec 5.3.
pub const INSTRUCTION_COLUMNS_MAX: usize = 60;
/// Decimals of an amount in XAH. Source: spec 5.5.
pub const XAH_DECIMALS_MAX: usize = 6;
/// Drops of an amount in XAH. Source: spec 5.5.
pub const XAH_DROPS_MAX: u64 = codec::limits::DROPS_MAX;
/// Significant digits of an issued amount. Source: spec 5.5.
pub const ISSUED_DIGITS_MAX: usize = 15;
/// Modulus bits of an RSA key. Source: spec 4.5.
pub const RSA_MODULUS_BITS_MIN: usize = 1024;
/// Modulus bits of an RSA key. Source: spec 4.5.
pub const RSA_MODULUS_BITS_MAX: usize = 4096;
/// Modulus bits from which an RSA key is not called weak; no rule refuses a shorter one. Source: RFC 8301 3.2.
pub const RSA_STRONG_BITS_MIN: usize = 2048;
/// Bytes of a key record (all strings of one TXT record joined). An RSA key of 4096 bits takes 750.
/// Refusal: `KeyRecordError::TooLong`.
pub const KEY_RECORD_BYTES_MAX: usize = 4_096;
/// Seconds that a mail stays executable. Source: spec 1, EMAIL_WINDOW. Refusal: tefEMAIL_EXPIRED.
pub const EMAIL_WINDOW_SECS: u32 = 432_000;
/// Seconds by which a mail may be ahead of the ledger. Source: spec 1, EMAIL_SKEW. Refusal: terEMAIL_EARLY.
pub const EMAIL_SKEW_SECS: u32 = 300;
/// Live replay entries of one account. Source: spec 8.5. Refusal: tefEMAIL_FULL.
pub const LIVE_ENTRIES_MAX: usize = 64;
/// Dead replay entries that one email transaction removes. Source: spec 8.4.
pub const DEAD_ENTRIES_REMOVED_MAX: usize = 8;
/// Base fees by which a fee may exceed the required one. Source: spec 1, 6.3. Refusal: tefBAD_EMAIL_FEE.
pub const FEE_CEILING_BASE_FEES: u64 = 100;
/// Base fees that `submitEmail` adds to the required fee. Source: spec 6.3.
pub const FEE_MARGIN_BASE_FEES: u64 = 10;
/// Seconds after LastRekey in which an account cannot take itself off email. Source: spec 11. Refusal:
/// tecTOO_SOON.
pub const DISABLE_EMAIL_WAIT_SECS: u32 = 72 * 3_600;
/// Ledgers that `submitEmail` sets LastLedgerSequence ahead. Source: spec 6.3.
pub const LAST_LEDGER_AHEAD: u32 = 20;
/// Seconds since the last attestation after which a failed signature is not final. Source: spec 7.3.
pub const KEY_FRESH_SECS: u32 = 3_600;
/// Seconds since the last attestation after which a key proves nothing. Source: spec 1, KEY_LIFE. Refusal:
/// terNO_DKIM_KEY.
pub const KEY_LIFE_SECS: u32 = 21_600;
/// Keys, and names of keys, that a `KeyCache` holds before it forgets them; a 4096-bit key takes about 3 KB. Refuses
/// nothing.
pub const KEYS_CACHED_MAX: usize = 1_024;
/// NetworkIDs up to this one are not written into transactions. Source: spec 6.2.
pub const NETWORK_ID_UNWRITTEN_MAX: u32 = 1_024;
/// The network on which a mail without `NET` is valid. Source: spec 5.6.
pub const MAIN_NETWORK_ID: u32 = 21_337;
/// Age in seconds up to which an attestation counts (spec 7.2): older ones make tefPAST_SEQ.
pub const ATTESTATION_AGE_SECS_MAX: u32 = 600;
/// Validators that a list may name, and so attestations in a DKIMKeySet: more is temMALFORMED.
pub const VALIDATORS_MAX: usize = 256;
/// Live keys per domain (spec 7.5): a further one is tefFAILURE.
pub const DKIM_KEYS_PER_DOMAIN_MAX: usize = 8;
/// Keys per domain, the revoked ones that are not removed yet included: a further one is tefFAILURE.
pub const DKIM_ENTRIES_PER_DOMAIN_MAX: usize = 32;
/// Bytes of a KeySignature: as many as the largest RSA modulus has (spec 4.5). More is temMALFORMED.
pub const KEY_SIGNATURE_BYTES_MAX: usize = 512;
/// Seconds without renewal after which a key is removed: 30 days (spec 7.4).
pub const DKIM_KEY_LIFE_SECS: u32 = 2_592_000;
/// Seconds from the first quorum for the first key of a domain to the second, where votes are counted and the ledger
/// has no other number. Source: spec 1, KEY_DELAY_FIRST.
pub const KEY_DELAY_FIRST_SECS: u32 = 3_600;
/// The same for each further key. Source: spec 1, KEY_DELAY_NEXT.
pub const KEY_DELAY_NEXT_SECS: u32 = 21_600;
/// Names of keys in a validation's vote (spec 7.6): one with more says nothing.
pub const VOTE_KEYS_MAX: usize = 16;
/// Those of one domain (spec 7.6): one with more says nothing.
pub const VOTE_KEYS_PER_DOMAIN_MAX: usize = 2;
/// Domains that a validation's vote freezes or lifts (spec 7.6): one with more says nothing.
pub const VOTE_DOMAINS_MAX: usize = 4;
/// Bytes of a validation's vote (spec 7.6): one with more says nothing. 16 records of the longest RSA keys take
/// 20,000.
pub const VOTE_BYTES_MAX: usize = 32_768;
/// Bytes of foreign text that a check repeats as what it read.
pub const SHOWN_BYTES_MAX: usize = 120;

const _: () = assert!(MEMO_BYTES_MAX < MAIL_BYTES_MAX);
const _: () = assert!(RSA_MODULUS_BITS_MIN < RSA_MODULUS_BITS_MAX);
const _: () = assert!(KEY_FRESH_SECS < KEY_LIFE_SECS);
const _: () = assert!(ATTESTATION_AGE_SECS_MAX < DKIM_KEY_LIFE_SECS);
const _: () =
    assert!(RSA_MODULUS_BITS_MIN < RSA_STRONG_BITS_MIN && RSA_STRONG_BITS_MIN < RSA_MODULUS_BITS_MAX);
const _: () = assert!(SIGNATURE_CANDIDATES_MAX <= SIGNATURES_READ_MAX);
