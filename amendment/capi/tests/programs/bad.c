// Bad input: null and misaligned pointers, huge lengths, numbers out of range, cut bytes, overlapping buffers. Each gives its
// code, and no output is left unset.
//
//   bad CASES

#include "cases.h"

static int failures;

static void expect(const char *what, int32_t code, int32_t expected) {
  if (code == expected) return;
  fprintf(stderr, "%s: code %d, expected %d\n", what, (int)code, (int)expected);
  ++failures;
}

static void holds(const char *what, int condition) {
  if (condition) return;
  fprintf(stderr, "%s\n", what);
  ++failures;
}

// A place that nothing may be written to: not aligned to what it should be.
static char store[64];
static void *askew(void) { return store + (((uintptr_t)store & 1) == 0 ? 1 : 2); }

#define FILLED(type) ((type *)store)

static const xe_slice none = {NULL, 0};
static const xe_slice null_bytes = {NULL, 5};
static const xe_slice huge = {(const uint8_t *)store, (size_t)-1};
static const xe_slice too_long = {(const uint8_t *)store, XE_INPUT_BYTES_MAX + 1};

static void try_slices(const a_case *tx) {
  const struct {
    const char *what;
    xe_slice bytes;
    int32_t preflight;
    int32_t entry;
  } rows[] = {
      {"no bytes", none, -299, XE_OK},
      {"null bytes", null_bytes, XE_NULL, XE_NULL},
      {"huge", huge, XE_TOO_LONG, XE_TOO_LONG},
      {"one byte too long", too_long, XE_TOO_LONG, XE_TOO_LONG},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    xe_parsed *parsed = FILLED(xe_parsed);
    expect(rows[i].what, xe_preflight(rows[i].bytes, 1, 1, &parsed), rows[i].preflight);
    holds("a failed preflight leaves null", parsed == NULL);
    uint32_t live = 77;
    expect(rows[i].what, xe_live_entries(rows[i].bytes, 0, &live), rows[i].entry);
    holds("live entries say 0", live == 0);
    uint8_t account[20];
    memset(account, 7, sizeof account);
    int32_t code = xe_account_of(rows[i].bytes, &account);
    expect(rows[i].what, code, rows[i].preflight);
    holds("an account is zero", account[0] == 0 && account[19] == 0);
    xe_bytes *bytes = FILLED(xe_bytes);
    code = xe_normal_form(rows[i].bytes, 0, &bytes);
    holds("no normal form", code != XE_OK && bytes == NULL);
  }
  // Each prefix of a transaction.
  for (size_t len = 0; len < tx->input.len; ++len) {
    uint8_t *exact = (uint8_t *)malloc(len == 0 ? 1 : len);
    if (exact == NULL) give_up("no memory");
    memcpy(exact, tx->input.data, len);
    xe_slice cut = {exact, len};
    xe_parsed *parsed = NULL;
    expect("cut", xe_preflight(cut, tx->ledger.network_id, 1, &parsed), -299);
    free(exact);
  }
}

static void try_outputs(const a_case *tx) {
  xe_parsed *parsed = NULL;
  expect("null output", xe_preflight(tx->input, 1, 1, NULL), XE_NULL);
  expect("misaligned output", xe_preflight(tx->input, 1, 1, (xe_parsed **)askew()), XE_MISALIGNED);
  expect("amendment 2", xe_preflight(tx->input, tx->ledger.network_id, 2, &parsed), XE_BAD_VALUE);
  expect("amendment off", xe_preflight(tx->input, tx->ledger.network_id, 0, &parsed), -276);
  expect("null account", xe_account_of(none, NULL), XE_NULL);
  expect("null live", xe_live_entries(none, 0, NULL), XE_NULL);
  uint64_t number = 0;
  expect("null fee", xe_required_fee(tx->input, none, 0, 10, 0, NULL, &number), XE_NULL);
  expect("null ceiling", xe_required_fee(tx->input, none, 0, 10, 0, &number, NULL), XE_NULL);
  expect("misaligned fee", xe_required_fee(tx->input, none, 0, 10, 0, (uint64_t *)askew(), &number), XE_MISALIGNED);
  expect("no fee is enough", xe_required_fee(tx->input, none, 0, (uint64_t)-1, 0, &number, &number), -155);
  expect("null list", xe_list_entry(NULL, 0, NULL), XE_NULL);
  expect("misaligned list", xe_list_entry((const xe_list *)askew(), 0, NULL), XE_MISALIGNED);
  holds("nothing is in null", xe_list_count(NULL) == 0 && xe_bytes_slice(NULL).len == 0);
  xe_bytes_free(NULL);
  xe_list_free(NULL);
  xe_parsed_free(NULL);
  xe_ready_free(NULL);
}

static void try_proof(const a_case *tx) {
  xe_parsed *parsed = NULL;
  xe_list *more = FILLED(xe_list);
  xe_ready *ready = FILLED(xe_ready);
  xe_facts facts;
  expect("preflight", xe_preflight(tx->input, tx->ledger.network_id, 1, &parsed), XE_OK);
  expect("null handle", xe_parsed_facts(NULL, &facts), XE_NULL);
  expect("misaligned handle", xe_parsed_facts((const xe_parsed *)askew(), &facts), XE_MISALIGNED);
  expect("null facts", xe_parsed_facts(parsed, NULL), XE_NULL);
  expect("null parsed", xe_prove(NULL, &tx->ledger, NULL, 0, &more, &ready), XE_NULL);
  holds("a failed proof leaves null", more == NULL && ready == NULL);
  expect("null ledger", xe_prove(parsed, NULL, NULL, 0, &more, &ready), XE_NULL);
  expect("misaligned ledger", xe_prove(parsed, (const xe_ledger *)askew(), NULL, 0, &more, &ready), XE_MISALIGNED);
  expect("null entries", xe_prove(parsed, &tx->ledger, NULL, 1, &more, &ready), XE_NULL);
  expect("misaligned entries", xe_prove(parsed, &tx->ledger, (const xe_entry *)askew(), 1, &more, &ready), XE_MISALIGNED);
  expect("too many entries", xe_prove(parsed, &tx->ledger, tx->entries, (size_t)-1, &more, &ready), XE_TOO_LONG);
  expect("null more", xe_prove(parsed, &tx->ledger, NULL, 0, NULL, &ready), XE_NULL);
  expect("null ready", xe_prove(parsed, &tx->ledger, NULL, 0, &more, NULL), XE_NULL);
  xe_ledger ledger = tx->ledger;
  ledger.abi = XE_ABI_VERSION + 1;
  expect("another ABI", xe_prove(parsed, &ledger, NULL, 0, &more, &ready), XE_BAD_VALUE);
  ledger.abi = XE_ABI_VERSION;
  ledger.email_enabled = 7;
  expect("amendment 7", xe_prove(parsed, &ledger, NULL, 0, &more, &ready), XE_BAD_VALUE);
  xe_entry entry = tx->entries[0];
  entry.ledger = 2;
  expect("third ledger", xe_prove(parsed, &tx->ledger, &entry, 1, &more, &ready), XE_BAD_VALUE);
  entry = tx->entries[0];
  entry.bytes.len -= 1;
  expect("cut entry", xe_prove(parsed, &tx->ledger, &entry, 1, &more, &ready), XE_BAD_BYTES);
  expect("without entries", xe_prove(parsed, &tx->ledger, NULL, 0, &more, &ready), XE_READ_MORE);
  holds("four entries are asked for", xe_list_count(more) == 4 && ready == NULL);
  expect("behind the last", xe_list_entry(more, 4, &entry), XE_NOT_FOUND);
  xe_list_free(more);
  // The same entry twice, and one that nobody asked for: no harm.
  xe_bytes *next = FILLED(xe_bytes);
  expect("null ready handle", xe_next_replay(NULL, none, XE_APPLIED, &next), XE_NULL);
  holds("no entry", next == NULL);
  xe_parsed_free(parsed);
}

// Outputs lie within the input: the input is read first.
static void try_overlap(const a_case *tx) {
  size_t len = tx->input.len;
  union {
    xe_parsed *handle;
    uint8_t bytes[1 << 17];
  } *both = calloc(1, sizeof *both);
  if (both == NULL || len > sizeof both->bytes) give_up("no room");
  memcpy(both->bytes, tx->input.data, len);
  xe_slice input = {both->bytes, len};
  expect("overlapping", xe_preflight(input, tx->ledger.network_id, 1, &both->handle), XE_OK);
  xe_facts facts;
  expect("its handle", xe_parsed_facts(both->handle, &facts), XE_OK);
  xe_parsed_free(both->handle);
  uint8_t address[20] = "alice@example.com";
  xe_slice text = {address, 17};
  uint8_t account[20];
  expect("address", xe_account_of(text, &account), XE_OK);
  expect("address in its own account", xe_account_of(text, &address), XE_OK);
  holds("the same account", memcmp(account, address, 20) == 0);
  free(both);
}

static void try_attestations(void) {
  xe_bytes *message = FILLED(xe_bytes);
  static const uint8_t name[] = "example.com", upper[] = "Example.com", selector[] = "s1";
  xe_statement said = {{name, 11}, {selector, 2}, none, XE_ABSENT, 0};
  expect("attestation", xe_attestation_message(1, &said, &message), XE_OK);
  xe_bytes_free(message);
  said.answer = 9;
  expect("answer 9", xe_attestation_message(1, &said, &message), XE_BAD_VALUE);
  said.answer = XE_FROZEN;
  expect("frozen selector", xe_attestation_message(1, &said, &message), XE_BAD_VALUE);
  said.answer = XE_ABSENT;
  said.domain.data = upper;
  expect("upper case", xe_attestation_message(1, &said, &message), XE_BAD_VALUE);
  expect("null statement", xe_attestation_message(1, NULL, &message), XE_NULL);
  holds("no message", message == NULL);
}

int main(int count, char **arguments) {
  if (count != 2) give_up("usage: bad CASES");
  a_file file = load(arguments[1]);
  a_case one;
  while (next_case(&file, &one) && one.kind != KIND_TRANSACTION) {
  }
  if (one.kind != KIND_TRANSACTION) give_up("no transaction");
  try_slices(&one);
  try_outputs(&one);
  try_proof(&one);
  try_overlap(&one);
  try_attestations();
  free(file.bytes);
  if (failures == 0) printf("all bad input has its code\n");
  return failures == 0 ? 0 : 1;
}
