#ifndef XAHAU_EMAIL_H
#define XAHAU_EMAIL_H

// Written by tests/header.rs from the Rust source. README.md says what holds for all functions.

#include <stddef.h>
#include <stdint.h>

// It worked: tesSUCCESS. All other codes of the ledger are those of xahaud too (negative, or 100 to 255).
#define XE_OK 0

// The library broke in its work and was stopped. Nothing is proven; no output is set.
#define XE_INTERNAL -1000

// A pointer is null that may not be.
#define XE_NULL -1001

// An input has more bytes than XE_INPUT_BYTES_MAX, or a list more entries than any call needs.
#define XE_TOO_LONG -1002

// A pointer to something other than bytes is not aligned to its type.
#define XE_MISALIGNED -1003

// A number is none of those that the function knows: the ABI of a struct, an answer, an effect.
#define XE_BAD_VALUE -1004

// An entry or another object is not serialized as the ledger does it. A transaction is temMALFORMED instead.
#define XE_BAD_BYTES -1005

// The function needs further entries: they stand in the list. Read them and call again with all.
#define XE_READ_MORE -1006

// What was asked for is not there: the index of a list, a candidate of a mail.
#define XE_NOT_FOUND -1007

// The ledger that is being built, or the open one, as it stands now.
#define XE_THIS_LEDGER 0

// Its parent, as it was closed.
#define XE_PARENT_LEDGER 1

// DNS has no such record (NXDOMAIN or NODATA).
#define XE_ABSENT 0

// DNS has something that is no usable record, such as several.
#define XE_UNUSABLE 1

// DNS has one TXT record.
#define XE_RECORD 2

// The validator's operator stops the mail of a domain.
#define XE_FROZEN 3

// The validator's operator lets it through again.
#define XE_LIFTED 4

// Bytes of one input. More: XE_TOO_LONG, and none of them is read. The rules' own bounds are far below it.
#define XE_INPUT_BYTES_MAX 4194304

// Bytes of `domain` and of `selector` in facts, the final zero included; a name has at most 253 (spec 4.4).
#define XE_NAME_BYTES 256

// Its effects stand (tes).
#define XE_APPLIED 0

// It claims its fee alone (tec).
#define XE_FEE_ONLY 1

// Version of the border. A library with another number has other functions or other types: do not call it.
#define XE_ABI_VERSION 1

// Version of the rules. Nodes of one network need the same number: another one can give another code for the same
// bytes.
#define XE_RULES_VERSION 1

// Bytes that the library made. Never changes, so threads may share it.
typedef struct xe_bytes xe_bytes;

// Entries of a ledger that have to be read, or that have to be written. Never changes, so threads may share it.
typedef struct xe_list xe_list;

// A transaction that its mail makes, no ledger asked. Never changes what it says, so threads may share it.
typedef struct xe_parsed xe_parsed;

// A transaction whose mail is proven and whose fee can be paid, in one ledger. Never changes, so threads may share
// it.
typedef struct xe_ready xe_ready;

// Bytes of the caller, or of a handle. `data` may be null where `len` is 0.
typedef struct xe_slice {
  // The first byte.
  const uint8_t *data;
  // How many.
  size_t len;
} xe_slice;

// An entry of a ledger.
typedef struct xe_entry {
  // Its index.
  uint8_t index[32];
  // XE_THIS_LEDGER or XE_PARENT_LEDGER.
  uint32_t ledger;
  // It as serialized; no bytes: there is none, or it is removed.
  struct xe_slice bytes;
} xe_entry;

// What a validator says of a key, or of a domain (spec 7.7, 7.10).
typedef struct xe_statement {
  // Domain of the key (d=), lower case.
  struct xe_slice domain;
  // Selector of the key (s=), lower case; no bytes for XE_FROZEN and XE_LIFTED.
  struct xe_slice selector;
  // For XE_RECORD the record, the strings of the TXT record joined; else no bytes.
  struct xe_slice record;
  // XE_ABSENT, XE_UNUSABLE, XE_RECORD, XE_FROZEN or XE_LIFTED.
  uint32_t answer;
  // When, by the validator's clock, in seconds since 2000.
  uint32_t observed_at;
} xe_statement;

// A statement that a validator has signed.
typedef struct xe_attestation {
  // What it says.
  struct xe_statement statement;
  // The validator's key, 33 bytes as in the ledger's list of validators.
  struct xe_slice public_key;
  // Its signature over the bytes of xe_attestation_message.
  struct xe_slice signature;
} xe_attestation;

// Numbers of the ledger that is being built. Times are seconds since 2000.
typedef struct xe_ledger {
  // XE_ABI_VERSION of the header that the caller was compiled with.
  uint32_t abi;
  // NetworkID.
  uint32_t network_id;
  // Index of the ledger that is being built.
  uint32_t ledger_index;
  // Close time of its parent.
  uint32_t parent_close_time;
  // Hash of its parent.
  uint8_t parent_hash[32];
  // Base fee in drops, not scaled by load.
  uint64_t base_fee;
  // Reserve of an account that owns nothing, in drops.
  uint64_t reserve_base;
  // Reserve for each object that an account owns, in drops.
  uint64_t reserve_increment;
  // 1 where the amendment Email is enabled in this ledger's rules, else 0.
  uint32_t email_enabled;
  // 0.
  uint32_t unused;
} xe_ledger;

// A key that a mail waits for.
typedef struct xe_waiting {
  // AccountID of the From address: it would pay.
  uint8_t account[20];
  // Index of the DKIMKey.
  uint8_t dkim_key_index[32];
  // Domain of the key (d=): lower-case ASCII, zeros behind it.
  uint8_t domain[XE_NAME_BYTES];
  // Selector of the key (s=): lower-case ASCII, zeros behind it.
  uint8_t selector[XE_NAME_BYTES];
} xe_waiting;

// What DNS said about a key.
typedef struct xe_key_answer {
  // The name that was asked: `selector._domainkey.domain`.
  struct xe_slice name;
  // For XE_RECORD the record, the strings of the TXT record joined; else no bytes.
  struct xe_slice record;
  // XE_ABSENT, XE_UNUSABLE or XE_RECORD. A name that is not in the list is absent.
  uint32_t answer;
} xe_key_answer;

// What a mail and its transaction say.
typedef struct xe_facts {
  // AccountID of the From address: the sender.
  uint8_t account[20];
  // EmailID: hash of the signed meaning.
  uint8_t email_id[32];
  // Index of its AccountRoot.
  uint8_t account_root_index[32];
  // Index of its EmailReplay.
  uint8_t email_replay_index[32];
  // Index of the DKIMKey that has to prove the signature; read in the parent ledger.
  uint8_t dkim_key_index[32];
  // Index of the DKIMFreeze of the mail's domain; read in the parent ledger.
  uint8_t dkim_freeze_index[32];
  // The signed Date, in seconds since 2000.
  uint32_t signed_date;
  // Domain of the key (d=): lower-case ASCII, zeros behind it.
  uint8_t domain[XE_NAME_BYTES];
  // Selector of the key (s=): lower-case ASCII, zeros behind it.
  uint8_t selector[XE_NAME_BYTES];
} xe_facts;

// What one validator said in its validation.
typedef struct xe_vote {
  // The validator's key as the list in the ledger has it.
  uint8_t validator[33];
  // What `xe_pack_vote` made there: DKIMAnswers of the validation.
  struct xe_slice answers;
} xe_vote;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Live entries of an account's EmailReplay at a time (the parent's close time): while there are any, the account
// cannot be deleted. No bytes: there is no entry, and none lives.
//
// tesSUCCESS; XE_BAD_BYTES. About 10 us.
int32_t xe_live_entries(struct xe_slice email_replay, uint32_t now, uint32_t *live);

// The smallest and the largest fee, in drops, that a transaction signed by a mail may pay: base fee, a drop for each
// byte of its memo, and for a REMIT a base fee for each live entry of its account. `queued` counts the REMITs of the
// account that stand before it in a queue: each of them will be a live entry. 0 for a ledger. `base_fee` is not
// scaled by load; `now` is the parent's close time.
//
// tesSUCCESS; temMALFORMED where the transaction is none; tefBAD_EMAIL_FEE where no fee is large enough. Linear in
// the bytes: about 5 us for 5 KB.
int32_t xe_required_fee(struct xe_slice transaction,
                        struct xe_slice email_replay,
                        uint32_t now,
                        uint64_t base_fee,
                        uint32_t queued,
                        uint64_t *required,
                        uint64_t *ceiling);

// Whether an account may take itself off email now (AccountSet with asfDisableEmail), and whatever else takes it
// away from a REKEY (SignerListSet, SetHook; `xe_may_delete_account` knows AccountDelete). `email_replay` is its
// EmailReplay, no bytes where there is none; `now` the parent's close time.
//
// tesSUCCESS; tecTOO_SOON within 72 hours of its last REKEY; XE_BAD_BYTES. About 10 us.
int32_t xe_may_disable_email(struct xe_slice email_replay, uint32_t now);

// Whether an account may be deleted (AccountDelete), and what becomes of its EmailReplay then: `stays` is 1 where it
// stays on the ledger, since a REKEY wrote it, and 0 where it goes with the account. `email_replay` and `now` as
// before.
//
// tesSUCCESS; tecTOO_SOON within 72 hours of its last REKEY; tecHAS_OBLIGATIONS while entries live; XE_BAD_BYTES.
// About 10 us.
int32_t xe_may_delete_account(struct xe_slice email_replay, uint32_t now, uint32_t *stays);

// AccountID of an address as a sender has it (spec 2.1 to 2.3): ASCII, no name around it.
//
// tesSUCCESS; temMALFORMED where it is no address that may send. About 1 us.
int32_t xe_account_of(struct xe_slice address, uint8_t (*account)[20]);

// AccountID and DestinationTag that a recipient names (spec 2.4): an address, or a classic address with or without
// `+tag`. `has_tag` becomes 1 where there is a tag, else 0.
//
// tesSUCCESS; temMALFORMED where it names none. About 2 us.
int32_t xe_recipient_of(struct xe_slice address, uint8_t (*account)[20], uint32_t *tag, uint32_t *has_tag);

// The bytes; good until the handle is freed. Null gives none. Never fails. Constant time.
struct xe_slice xe_bytes_slice(const struct xe_bytes *bytes);

// Frees bytes. Null is nothing.
void xe_bytes_free(struct xe_bytes *bytes);

// How many entries a list has. Null has none. Never fails. Constant time.
size_t xe_list_count(const struct xe_list *list);

// The entry at a position, from 0: of entries to read the index and the ledger; of entries to write the index and
// the new bytes, or none where the entry is removed. They are good until the list is freed. XE_NOT_FOUND behind the
// last one. Constant time.
int32_t xe_list_entry(const struct xe_list *list, size_t position, struct xe_entry *entry);

// Frees a list. Null is nothing.
void xe_list_free(struct xe_list *list);

// Index of an account's EmailReplay.
//
// tesSUCCESS. About 1 us.
int32_t xe_email_replay_index(const uint8_t (*account)[20], uint8_t (*index)[32]);

// The bytes that a validator signs to attest a statement (spec 7.7).
//
// tesSUCCESS and the bytes; XE_BAD_VALUE where the statement is none: a name in upper case or no name, a record
// beside another answer or longer than 4,096 bytes. About 1 us.
int32_t xe_attestation_message(uint32_t network_id, const struct xe_statement *said, struct xe_bytes **message);

// The DKIMKeySet for the ledger that is being built, of attestations about one name or one domain (spec 7.2): a
// function of the parent's entries and of these attestations, in whatever order they come. What does not count is
// left out: what makes no statement, words of strangers, forged ones and those out of time. Reads the parent's
// UNLReport and the entry that it is about.
//
// tesSUCCESS and the transaction; XE_READ_MORE and `more`; XE_NOT_FOUND where they make no quorum or change nothing.
// About 60 us for each attestation, of which there may be 1,024.
int32_t xe_build_key_set(const struct xe_attestation *attestations,
                         size_t attestation_count,
                         const struct xe_ledger *ledger,
                         const struct xe_entry *entries,
                         size_t count,
                         struct xe_list **more,
                         struct xe_bytes **transaction);

// The DKIMKeySet that removes a key which was not renewed for 30 days (spec 7.4). `dkim_key` is its entry in the
// parent, `now` the parent's close time, `ledger_index` the index of the ledger that is being built.
//
// tesSUCCESS and the transaction; XE_NOT_FOUND where the key was renewed; XE_BAD_BYTES. About 5 us.
int32_t xe_build_removal(struct xe_slice dkim_key, uint32_t now, uint32_t ledger_index, struct xe_bytes **transaction);

// Judges a DKIMKeySet and says what it writes (spec 7.1, 7.2, 7.4, 7.8, 7.10). On tesSUCCESS `list` has the writes,
// on XE_READ_MORE what has to be read: of the parent the UNLReport; of this ledger the entry that the set is about,
// its domain's directory and the keys in it, the network's delays, and the DKIMLeak of the key.
//
// tesSUCCESS and the writes; temDISABLED, temMALFORMED, tefPAST_SEQ, tefBAD_QUORUM, tefBAD_AUTH, tefBAD_SIGNATURE,
// tefFAILURE, tefALREADY, tefBAD_LEDGER. About 60 us for each attestation, of which there are at most 256; at most
// 40 entries are read, in three calls.
int32_t xe_key_set(struct xe_slice transaction,
                   const struct xe_ledger *ledger,
                   const struct xe_entry *entries,
                   size_t count,
                   struct xe_list **list);

// Judges a DKIMKeyLeak, but for its signature, sequence and fee, which are those of any transaction, and says what
// it writes (spec 7.9). On tesSUCCESS `list` has the writes, on XE_READ_MORE what has to be read: the DKIMKey, and
// the DKIMLeak of its key.
//
// tesSUCCESS and the writes; temDISABLED, temINVALID_FLAG, temMALFORMED, tecNO_ENTRY, tefALREADY, tefBAD_SIGNATURE.
// About 60 us with RSA-2048.
int32_t xe_key_leak(struct xe_slice transaction,
                    const struct xe_ledger *ledger,
                    const struct xe_entry *entries,
                    size_t count,
                    struct xe_list **list);

// A key record (RFC 6376 3.6.1), the strings of the one TXT record joined: DKIMKeyType, Flags and PublicKey of the
// entry that it makes (spec 4.5).
//
// tesSUCCESS; temMALFORMED where the record makes no key: the answer is then "unusable". About 20 us.
int32_t xe_parse_record(struct xe_slice record, uint8_t *key_type, uint32_t *flags, struct xe_bytes **public_key);

// The normal form of a raw mail under its `signature`-th DKIM-Signature from the top, from 0: what its transaction
// carries as memo, whatever the other rules say (spec 3). Lines end with CRLF.
//
// tesSUCCESS and the bytes; temMALFORMED, tefBAD_SIGNATURE. Linear in the bytes: about 1 ms for 256 KB.
int32_t xe_normal_form(struct xe_slice mail, size_t signature, struct xe_bytes **form);

// A raw mail in its normal form under one of the signatures that may prove it, and the key that would: what a pool
// of mails that wait for their key keeps (spec 7.5). `position` counts from 0; a mail has at most 4 such forms.
//
// tesSUCCESS; XE_NOT_FOUND behind the last one. Linear in the bytes: about 1 ms for 256 KB.
int32_t xe_waiting_form(struct xe_slice mail, size_t position, struct xe_waiting *waiting, struct xe_bytes **form);

// Every check of a raw mail under what DNS said, for people: JSON, as `submit_email` of our nodes answers it
// (`qualifies`, `rule`, `code`, `from`, `to`, `instruction`, `transaction`, `email_id`, `checks`...). `now` in
// seconds since 2000.
//
// tesSUCCESS, the JSON (UTF-8), and in `verdict` the code that the mail comes to: terNO_DKIM_KEY where nothing but
// its key is missing. Linear in the bytes: about 10 ms for 256 KB.
int32_t xe_explain(struct xe_slice mail,
                   uint32_t network_id,
                   uint32_t now,
                   const struct xe_key_answer *answers,
                   size_t count,
                   int32_t *verdict,
                   struct xe_bytes **json);

// The transaction of a raw mail for the ledger that is being built (spec 6.3, 12): what `submit_email` hands to the
// door for transactions. Its keys are those of the parent ledger. Reads the DKIMKey and DKIMFreeze of each
// signature, the DKIMLeak of the key, and the AccountRoot and EmailReplay of the sender.
//
// tesSUCCESS, JSON as of xe_explain, and in `verdict` tesSUCCESS with the transaction, or why there is none: a code
// of xe_explain, terNO_DKIM_KEY (keep the mail), terNO_ACCOUNT, tefBAD_EMAIL_FEE. XE_READ_MORE and `more`. Linear in
// the bytes: about 10 ms for 256 KB; at most 10 entries are read, in three calls.
int32_t xe_submission(struct xe_slice mail,
                      const struct xe_ledger *ledger,
                      const struct xe_entry *entries,
                      size_t count,
                      struct xe_list **more,
                      int32_t *verdict,
                      struct xe_bytes **json,
                      struct xe_bytes **transaction);

// The name of a result of the ledger, such as `tefEMAIL_REPLAY`, as ASCII.
//
// tesSUCCESS and the bytes; XE_NOT_FOUND for a number that is none. About 1 us.
int32_t xe_code_name(int32_t code, struct xe_bytes **name);

// Everything about a transaction with tfEmailSig that needs no ledger: flags, fields, and what its mail says. Stands
// before every other test of its signature. `email_enabled` is 1 where the rules have the amendment, else 0. The
// result depends on nothing but the arguments, so it may be kept for as long as both stay the same.
//
// tesSUCCESS and a handle; temINVALID_FLAG, temMALFORMED, temREDUNDANT, temBAD_REGKEY, tefBAD_SIGNATURE. Time and
// memory linear in the bytes: about 20 us for 5 KB, 200 us for 64 KB.
int32_t xe_preflight(struct xe_slice transaction,
                     uint32_t network_id,
                     uint32_t email_enabled,
                     struct xe_parsed **parsed);

// What a mail and its transaction say. tesSUCCESS. Constant time.
int32_t xe_parsed_facts(const struct xe_parsed *parsed, struct xe_facts *facts);

// Frees a handle. Null is nothing.
void xe_parsed_free(struct xe_parsed *parsed);

// Whether the sender's mail may act in this ledger, and whether its signature is proven under a key of the parent
// ledger. Nothing before tesSUCCESS may take a fee. Needs, of this ledger, the AccountRoot and the EmailReplay of
// the sender, and of the parent the DKIMKey, the DKIMFreeze, and the DKIMLeak of the key in the DKIMKey: without
// some of them it answers XE_READ_MORE and lists them in `more`, at most twice; with all of them `more` is null.
//
// tesSUCCESS and a handle; terNO_ACCOUNT, tefEMAIL_DISABLED, tefPAST_SEQ, terPRE_SEQ, tefMAX_LEDGER,
// tefEMAIL_EXPIRED, terEMAIL_EARLY, tefEMAIL_REPLAY, tefEMAIL_AFTER, tefEMAIL_FULL, tefDKIM_FROZEN, terNO_DKIM_KEY,
// tefDKIM_REVOKED, tefBAD_SIGNATURE, tefBAD_EMAIL_FEE, terINSUF_FEE_B. About 60 us with RSA-2048, 200 us with
// RSA-4096, whatever the mail; under the key that proved the same handle before about 5 us.
int32_t xe_prove(const struct xe_parsed *parsed,
                 const struct xe_ledger *ledger,
                 const struct xe_entry *entries,
                 size_t count,
                 struct xe_list **more,
                 struct xe_ready **ready);

// Frees a handle. Null is nothing.
void xe_ready_free(struct xe_ready *ready);

// The sender's EmailReplay after this mail. Written together with sequence and fee, and again after everything else
// was thrown away by a tec, then with XE_FEE_ONLY. `current` is the entry in this ledger before the mail; no bytes:
// there is none. The PreviousTxn pair of `current` stays as it is; the ledger writes a new one.
//
// tesSUCCESS and the entry; XE_BAD_BYTES where `current` is no entry. About 10 us.
int32_t xe_next_replay(const struct xe_ready *ready, struct xe_slice current, uint32_t effect, struct xe_bytes **next);

// Version of the library's border, to be compared with XE_ABI_VERSION of the header. Never fails. Constant time.
uint32_t xe_abi_version(void);

// Version of the library's rules, to be compared with XE_RULES_VERSION of the header. Never fails. Constant time.
uint32_t xe_rules_version(void);

// DKIMAnswers for the validation of a voting ledger: one statement for each key or domain, as many as have room, in
// one order whatever theirs is. A record that makes no key becomes XE_UNUSABLE, and what was observed more than 600
// s before `now`, by the validator's clock, is left out. No bytes come out where nothing is said.
//
// tesSUCCESS and the bytes; XE_BAD_VALUE where a statement is none. Linear in the bytes: about 400 us for 16 keys.
int32_t xe_pack_vote(const struct xe_statement *statements, size_t count, uint32_t now, struct xe_bytes **vote);

// The DKIMKeySets that a count of validations comes to, for the transaction set of the ledger that is being built:
// on tesSUCCESS `list` has each with its id as index, on XE_READ_MORE what has to be read. `ledger` is the one after
// the flag ledger. Votes of validators that the flag ledger does not list do not count. What it reads of the new
// ledger stands in the flag ledger too, its parent: the list of validators, and keys, freezes, evidence and
// directories of the domains that are voted about.
//
// tesSUCCESS and the list, which may be empty; XE_READ_MORE at most five times. Linear in the votes: about 1 ms
// for 35 validators that vote about 16 keys.
int32_t xe_count_votes(const struct xe_vote *votes,
                       size_t votes_count,
                       const struct xe_ledger *ledger,
                       const struct xe_entry *entries,
                       size_t count,
                       struct xe_list **list);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* XAHAU_EMAIL_H */
