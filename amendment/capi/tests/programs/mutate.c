// Changes the cases at random and hands them over, in buffers that are exactly as long as they say: what reads or writes beyond
// them, a sanitizer or valgrind sees. Each answer is a code that its function may give, and comes with an output or without.
//
//   mutate CASES COUNT SEED

#include "cases.h"

enum { CASES_MAX = 8192 };

static uint64_t state;

// xorshift64*: enough to choose bytes by.
static uint64_t random_below(uint64_t bound) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * 0x2545F4914F6CDD1DULL) % bound;
}

// A copy in a buffer of its own, changed in up to three places; now and then cut, doubled or empty.
static xe_slice changed(xe_slice from) {
  size_t len = from.len;
  uint64_t how = random_below(16);
  if (how == 0 && len > 0) len = random_below(len);
  size_t total = how == 1 && len < 65536 ? 2 * len : len;
  uint8_t *bytes = (uint8_t *)malloc(total == 0 ? 1 : total);
  if (bytes == NULL) give_up("no memory");
  if (len > 0) memcpy(bytes, from.data, len);
  if (total > len) memcpy(bytes + len, from.data, len);
  for (uint64_t i = random_below(4); i > 0 && total > 0; --i) {
    uint8_t *byte = bytes + random_below(total);
    switch (random_below(3)) {
      case 0: *byte ^= (uint8_t)(1u << random_below(8)); break;
      case 1: *byte = (uint8_t)random_below(256); break;
      default: *byte = "\r\n =;:.@<>+"[random_below(11)]; break;
    }
  }
  xe_slice out = {bytes, total};
  return out;
}

static void drop(xe_slice bytes) { free((void *)bytes.data); }

static void check(int holds, const a_case *one, const char *what, int32_t code) {
  if (holds) return;
  fprintf(stderr, "%.*s: %s, code %d\n", (int)one->name.len, (const char *)one->name.data, what, (int)code);
  exit(1);
}

static int is_of_ledger(int32_t code) { return code > -400 && code < 256; }

static void try_mail(const a_case *one, xe_slice mail) {
  xe_key_answer answers[ANSWERS_MAX];
  memcpy(answers, one->answers, sizeof answers);
  for (size_t i = 0; i < one->answer_count; ++i)
    if (random_below(4) == 0) answers[i].record = changed(one->answers[i].record);
  int32_t verdict = 0;
  xe_bytes *json = NULL;
  int32_t code = xe_explain(mail, one->ledger.network_id, one->ledger.parent_close_time, answers, one->answer_count,
                            &verdict, &json);
  check(code == XE_OK && json != NULL && is_of_ledger(verdict), one, "explain", code);
  xe_bytes_free(json);
  xe_bytes *form = NULL;
  code = xe_normal_form(mail, random_below(3), &form);
  check((code == XE_OK) == (form != NULL) && is_of_ledger(code), one, "normal form", code);
  xe_bytes_free(form);
  xe_waiting waiting;
  for (size_t i = 0; xe_waiting_form(mail, i, &waiting, &form) == XE_OK; ++i) xe_bytes_free(form);
  for (size_t i = 0; i < one->answer_count; ++i)
    if (answers[i].record.data != one->answers[i].record.data) {
      uint8_t type;
      uint32_t flags;
      xe_bytes *key = NULL;
      code = xe_parse_record(answers[i].record, &type, &flags, &key);
      check((code == XE_OK) == (key != NULL), one, "record", code);
      xe_bytes_free(key);
      drop(answers[i].record);
    }
}

// Every entry that is asked for, some of them changed. `kept` remembers the copies.
static size_t answer(const a_case *one, xe_list *more, xe_entry *known, size_t count, xe_slice *kept, size_t *kept_count) {
  for (size_t i = 0; i < xe_list_count(more) && count < 64; ++i) {
    xe_list_entry(more, i, &known[count]);
    known[count].bytes = look_up(one, &known[count]);
    if (known[count].bytes.len > 0 && random_below(3) == 0) {
      known[count].bytes = changed(known[count].bytes);
      kept[(*kept_count)++] = known[count].bytes;
    }
    ++count;
  }
  xe_list_free(more);
  return count;
}

static void try_transaction(const a_case *one, xe_slice transaction) {
  xe_parsed *parsed = NULL;
  int32_t code = xe_preflight(transaction, one->ledger.network_id, 1, &parsed);
  check((code == XE_OK) == (parsed != NULL) && is_of_ledger(code), one, "preflight", code);
  uint64_t required = 0, ceiling = 0;
  xe_slice none = {NULL, 0};
  code = xe_required_fee(transaction, none, one->ledger.parent_close_time, 10, 0, &required, &ceiling);
  check(is_of_ledger(code), one, "fee", code);
  if (parsed == NULL) return;
  xe_entry known[64];
  xe_slice kept[64];
  size_t count = 0, kept_count = 0;
  xe_ready *ready = NULL;
  xe_list *more = NULL;
  while ((code = xe_prove(parsed, &one->ledger, known, count, &more, &ready)) == XE_READ_MORE)
    count = answer(one, more, known, count, kept, &kept_count);
  check((code == XE_OK) == (ready != NULL), one, "prove", code);
  check(is_of_ledger(code) || code == XE_BAD_BYTES, one, "prove", code);
  if (ready != NULL) {
    xe_slice current = changed(one->input);
    xe_bytes *next = NULL;
    code = xe_next_replay(ready, random_below(2) ? none : current, (uint32_t)random_below(3), &next);
    check((code == XE_OK) == (next != NULL), one, "replay entry", code);
    xe_bytes_free(next);
    drop(current);
  }
  for (size_t i = 0; i < kept_count; ++i) drop(kept[i]);
  xe_ready_free(ready);
  xe_parsed_free(parsed);
}

static void try_key_set(const a_case *one, xe_slice transaction) {
  xe_entry known[64];
  xe_slice kept[64];
  size_t count = 0, kept_count = 0;
  xe_list *list = NULL;
  int32_t code;
  while ((code = xe_key_set(transaction, &one->ledger, known, count, &list)) == XE_READ_MORE)
    count = answer(one, list, known, count, kept, &kept_count);
  check((code == XE_OK) == (list != NULL), one, "key set", code);
  check(is_of_ledger(code) || code == XE_BAD_BYTES, one, "key set", code);
  for (size_t i = 0; i < kept_count; ++i) drop(kept[i]);
  xe_list_free(list);
  list = NULL;
  code = xe_key_leak(transaction, &one->ledger, known, 0, &list);
  check(is_of_ledger(code) || code == XE_READ_MORE, one, "key leak", code);
  xe_list_free(list);
}

static void try_submission(const a_case *one, xe_slice mail) {
  xe_entry known[64];
  xe_slice kept[64];
  size_t count = 0, kept_count = 0;
  xe_list *more = NULL;
  xe_bytes *json = NULL, *transaction = NULL;
  int32_t verdict = 0;
  int32_t code;
  while ((code = xe_submission(mail, &one->ledger, known, count, &more, &verdict, &json, &transaction)) == XE_READ_MORE)
    count = answer(one, more, known, count, kept, &kept_count);
  check((code == XE_OK) == (json != NULL), one, "submission", code);
  check((code == XE_OK && verdict == XE_OK) == (transaction != NULL), one, "submission", verdict);
  for (size_t i = 0; i < kept_count; ++i) drop(kept[i]);
  xe_bytes_free(json);
  xe_bytes_free(transaction);
}

int main(int count, char **arguments) {
  if (count != 4) give_up("usage: mutate CASES COUNT SEED");
  a_file file = load(arguments[1]);
  a_case *cases = (a_case *)malloc(CASES_MAX * sizeof *cases);
  if (cases == NULL) give_up("no memory");
  size_t total = 0;
  while (total < CASES_MAX && next_case(&file, &cases[total])) ++total;
  if (total == 0) give_up("no cases");
  state = strtoull(arguments[3], NULL, 10) | 1;
  uint64_t tries = strtoull(arguments[2], NULL, 10);
  for (uint64_t i = 0; i < tries; ++i) {
    const a_case *one = &cases[random_below(total)];
    xe_slice input = changed(one->input);
    switch (one->kind) {
      case KIND_EXPLAIN: try_mail(one, input); break;
      case KIND_TRANSACTION: try_transaction(one, input); break;
      case KIND_KEY_SET: try_key_set(one, input); break;
      default: try_submission(one, input); break;
    }
    drop(input);
  }
  printf("%llu inputs\n", (unsigned long long)tries);
  free(cases);
  free(file.bytes);
  return 0;
}
